# SPDX-License-Identifier: Apache-2.0
"""Real clients on every kind of line: address, route, ping, fetch, renewal in the data plane, release.

    dhclient (QinQ 0x88a8) ─┐
    udhcpc   (untagged)     ├─ switch ─ access0 [BNG] core0 ─ server
    dhcpcd   (one tag)      ┘
"""
import pytest

from topology import SERVER_IP, wait_for

LINES = {"untagged": dict(), "one-tag": dict(s=100), "qinq": dict(s=200, c=7), "qinq-8100": dict(s=201, c=8, s_tpid=0x8100)}


@pytest.mark.parametrize("client", ["udhcpc", "dhclient", "dhcpcd"])
@pytest.mark.parametrize("line", LINES)
def test_client_comes_online(lab, client, line):
    cpe = lab.cpe("cpe1", "02:00:5e:10:20:30", **LINES[line])
    getattr(cpe, client)()
    address = cpe.wait_address()
    assert cpe.ping(count=5) == (5, 5)
    assert "hello" in cpe.run(f"curl -s --max-time 5 http://{SERVER_IP}/hello.txt")
    session = lab.session_of(cpe)
    assert session["address"] == address and session["phase"] == "active" and session["node"] == "edge1"
    detail = lab.ctl("show", "session", session["id"])
    assert detail["counters"]["upPackets"] >= 6 and detail["counters"]["downPackets"] >= 6
    assert detail["counters"]["upBytes"] > 0


def test_renewals_are_served_in_the_data_plane_and_reach_the_controller(make_lab):
    lab = make_lab(lease="60s", extra_pool="    renewal: 3s\n    rebinding: 50s").up()
    cpe = lab.cpe("cpe1", "02:00:5e:10:20:31", s=200, c=9)
    cpe.dhclient()  # udhcpc ignores option 58
    cpe.wait_address()
    first = lab.session_of(cpe)["leaseExpiresMs"]
    wait_for("a renewal in the data plane", lambda: lab.fast_path_replies(cpe) >= 2, 40)
    wait_for("the controller knows of it", lambda: lab.session_of(cpe)["leaseExpiresMs"] > first + 2000, 20)
    assert cpe.ping(count=2) == (2, 2)


def test_release_gives_the_address_back_after_quarantine(make_lab):
    lab = make_lab(pool_range="100.64.1.0-100.64.1.0", quarantine="2s").up()
    first = lab.cpe("cpe1", "02:00:5e:10:20:32")
    client = first.udhcpc("-R")
    assert first.wait_address() == "100.64.1.0"
    client.stop()  # udhcpc -R releases on exit
    wait_for("the session has ended", lambda: not lab.sessions(), 10)
    history = lab.ctl("show", "history")
    assert history[0]["cause"] == "user_request" and history[0]["address"] == "100.64.1.0"
    second = lab.cpe("cpe2", "02:00:5e:10:20:33")
    second.udhcpc()
    assert second.wait_address(40) == "100.64.1.0"


def test_a_lapsed_lease_stops_traffic_and_ends_the_session(make_lab):
    lab = make_lab(lease="60s", extra_pool="    renewal: 55s\n    rebinding: 58s").up()
    cpe = lab.cpe("cpe1", "02:00:5e:10:20:34")
    client = cpe.udhcpc()
    cpe.wait_address()
    assert cpe.ping(count=2) == (2, 2)
    client.kill()  # silent from now on; the address stays configured on its interface
    wait_for("the lease lapses in the data plane and the controller ends the session", lambda: not lab.sessions(), 75, 0.5)
    assert lab.ctl("show", "history")[0]["cause"] == "lease_expired"
    assert cpe.ping(count=2, wait=1)[1] == 0


def test_clear_session_cuts_the_customer_off(lab):
    cpe = lab.cpe("cpe1", "02:00:5e:10:20:35", s=100)
    cpe.udhcpc()
    cpe.wait_address()
    lab.ctl("clear", "session", lab.session_of(cpe)["id"], text=True)
    wait_for("no session", lambda: not lab.sessions(), 10)
    assert cpe.ping(count=2, wait=1)[1] == 0
    wait_for("the drops are counted", lambda: lab.counter("drop.no_session") >= 2, 10)


def test_traceroute_and_path_mtu_see_the_bng(lab):
    cpe = lab.cpe("cpe1", "02:00:5e:10:20:36", s=200, c=7)
    cpe.udhcpc()
    cpe.wait_address()
    assert "100.64.0.1" in cpe.run(f"traceroute -n -q 1 -w 1 -m 3 {SERVER_IP}")
    assert cpe.ping("100.64.0.1", count=3) == (3, 3)


def test_spoofed_sources_are_dropped_and_counted(lab):
    cpe = lab.cpe("cpe1", "02:00:5e:10:20:37")
    cpe.udhcpc()
    cpe.wait_address()
    cpe.run("ip addr add 100.64.77.77/32 dev wan")
    cpe.run(f"ping -n -c 3 -i 0.2 -W 1 -I 100.64.77.77 {SERVER_IP}", check=False)
    wait_for("spoofed packets are counted", lambda: lab.counter("drop.spoofed_source") >= 3, 10)
    assert cpe.ping(count=2) == (2, 2)


def test_a_renewal_on_the_slow_path_extends_the_lease_in_the_data_plane(make_lab):
    """Another client identifier on the line makes the program punt: the controller's ACK must reach the kernel's lease too."""
    lab = make_lab(lease="60s").up()
    cpe = lab.cpe("cpe1", "02:00:5e:10:20:38", s=100)
    first = cpe.udhcpc("-x", "0x3d:01aa")
    address = cpe.wait_address()
    before = lab.session(lab.session_of(cpe)["id"])
    first.kill()
    for identifier in ("0x3d:01bb", "0x3d:01aa"):
        client = cpe.udhcpc("-q", "-x", identifier)
        wait_for("the client is done", lambda: not client.alive(), 15)
    after = lab.session(before["id"])
    assert after["address"] == address and after["generation"] == before["generation"] + 2
    assert after["leaseExpiresMs"] > before["leaseExpiresMs"]
    assert lab.audit_differences() == 0
    assert cpe.ping(count=2) == (2, 2)
