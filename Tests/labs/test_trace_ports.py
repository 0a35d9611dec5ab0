# SPDX-License-Identifier: Apache-2.0
"""One agent with several ports: two access domains with their own pools, two core ports, lines of one reaching those of the other.

    cpe1 ─ br0 ─ access0 ┐        ┌ core0 ─ server   198.51.100.2
                         ├ [BNG] ─┤
    cpe2 ─ br1 ─ access1 ┘        └ core1 ─ server2  203.0.113.2
"""
from topology import SERVER2_IP, SERVER_IP


def test_two_access_and_two_core_ports(make_lab):
    lab = make_lab(second_site=True).up()
    assert {(p["name"], p["accessDomain"]) for p in lab.ctl("show", "ports") if p["role"] == "access"} == {
        ("access0", "metro-a"), ("access1", "metro-b")}
    # The same MAC and the same tags on both ports: two lines, two customers.
    first = lab.cpe("cpe1", "02:00:5e:10:70:01", s=200, c=7)
    second = lab.cpe("cpe2", "02:00:5e:10:70:01", s=200, c=7, bridge="br1")
    first.udhcpc()
    second.udhcpc()
    assert first.wait_address().startswith("100.64.") and second.wait_address().startswith("100.96.")
    for cpe in (first, second):
        for target in (SERVER_IP, SERVER2_IP):
            assert cpe.ping(target, count=3) == (3, 3), f"{cpe.name} to {target}"
    assert first.ping(second.address(), count=3) == (3, 3)
    assert second.ping(first.address(), count=3) == (3, 3)
    pools = {p["name"]: p["held"] for p in lab.ctl("show", "pools")}
    assert pools == {"residential": 1, "business": 1}
    # One port's agent restart concerns both: maps are shared.
    lab.agent.kill()
    lab.start_agent()
    assert first.ping(second.address(), count=3) == (3, 3)
    assert lab.audit_differences() == 0
