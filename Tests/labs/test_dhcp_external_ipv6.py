# SPDX-License-Identifier: Apache-2.0
"""Addresses and delegated prefixes from an external DHCPv6 server (FEATURES A11): ISC Kea decides, the controller asks it as relay and
client, one lease for each of the client's associations.

    home host ── dhclient -6 (router) ── switch ── access0 [BNG] core0 ── server
                            controller mgmt0 ──veth── eth0 [kea-dhcp6] ns `kea`
"""
import pytest

import kea as kea_lab
from ipv6_lab import Home, dhclient6, ipv6_of, ping_from_server
from kea import Kea6
from topology import wait_for

MAC = "02:00:5e:10:67:01"
ADDRESS, PREFIX = "2001:db8:1:1::77", "2001:db8:4000:7700::/56"
RESERVATION = {"hw-address": MAC, "ip-addresses": [ADDRESS], "prefixes": [PREFIX]}


@pytest.fixture
def lab(make_lab):
    """A lab whose DHCPv6 pools are Kea's to decide about; lines autoconfigure from a pool of ours."""
    lab = make_lab(ipv6={}, policy=kea_lab.SERVERS)
    text = lab.config.read_text()
    for name in ("homes", "hosts"):
        start = text.index(f"- {{name: {name},")
        end = text.index("}", start)
        text = text[:end] + ', external: kea, link-address: "2001:db8:1:1::1"' + text[end:]
    lab.config.write_text(text)
    lab.network()
    kea_lab.link(lab)
    return lab


def router(lab, server, *flags):
    server.start()
    lab.start_controller()
    lab.start_agent()
    cpe = lab.cpe("cpe1", MAC)
    home = Home(cpe)
    cpe.autoconfigure()
    client = dhclient6(cpe, *flags)
    return cpe, home, client


def group(lab):
    return next(g for g in lab.ctl("show", "dhcp-servers") if g["family"] == "ipv6")


def counter(lab, name):
    return group(lab)["counters"].get(name, 0)


def served(home, cpe):
    home.join((cpe.etc / "prefix").read_text().strip())
    assert home.ping() == (3, 3) and ping_from_server(home.address) == (3, 3)


def test_kea_decides_and_sees_renewals_and_releases(lab):
    server = Kea6(lab, reservations=[RESERVATION])
    cpe, home, client = router(lab, server, "-N", "-P")
    held = ipv6_of(lab, cpe)
    assert held["addresses"] == [ADDRESS] and held["delegated"] == [PREFIX], "not what Kea has reserved"
    served(home, cpe)
    assert set(server.leases()) == {ADDRESS, PREFIX.split("/")[0]}
    assert counter(lab, "acquired") == 2 and lab.session_of(cpe)["externalServers"] == ["kea"]
    before = {a: int(r["expire"]) for a, r in server.leases().items()}
    wait_for("both are renewed at Kea", lambda: all(int(server.leases()[a]["expire"]) > e for a, e in before.items()), 20)
    client.stop()
    lab.ctl("clear", "session", lab.session_of(cpe)["id"], text=True)
    wait_for("both are released", lambda: not server.leases(), 10)
    assert counter(lab, "released") == 2 and group(lab)["held"] == 0


def test_a_crash_of_the_controller_doubles_no_lease(lab):
    server = Kea6(lab)
    cpe, home, client = router(lab, server, "-N", "-P")
    held = ipv6_of(lab, cpe)
    leases = set(server.leases())
    assert len(leases) == 2
    client.kill()
    lab.controller.kill()
    lab.start_controller()
    wait_for("the leases are taken up and renewed", lambda: counter(lab, "renewed") >= 2, 30)
    assert counter(lab, "resumed") == 2 and counter(lab, "acquired") == 0
    assert set(server.leases()) == leases and ipv6_of(lab, cpe)["delegated"] == held["delegated"]
    served(home, cpe)
    assert lab.audit_differences() == 0


def test_sessions_outlive_kea_and_a_changed_reservation_takes_back(lab):
    server = Kea6(lab, reservations=[RESERVATION])
    cpe, home, client = router(lab, server, "-P")
    served(home, cpe)
    server.stop()
    wait_for("kea is found silent", lambda: group(lab)["servers"][0]["state"] == "silent", 60)
    assert home.ping() == (3, 3), "the session fell with the server"
    client.kill()
    renewed = counter(lab, "renewed")
    server.start()
    wait_for("it is renewed again", lambda: counter(lab, "renewed") > renewed, 60)
    other = {**RESERVATION, "prefixes": ["2001:db8:4000:7800::/56"]}
    server.subnet["reservations"] = [other]
    server.reload()
    wait_for("Kea gives another one", lambda: counter(lab, "lost_refused") == 1, 30)
    wait_for("the prefix is gone", lambda: PREFIX not in (lab.session_of(cpe)["ipv6"] or {}).get("delegated", []), 10)
    assert home.ping(count=2)[1] == 0, "a prefix that was taken back is forwarded"
    (cpe.etc / "prefix").unlink()
    dhclient6(cpe, "-P")
    wait_for("the client has the other one", lambda: ipv6_of(lab, cpe)["delegated"] == other["prefixes"], 30)


def test_nothing_left(lab):
    server = Kea6(lab, pools=[], **{"pd-pools": [{"prefix": "2001:db8:4000::", "prefix-len": 56, "delegated-len": 56}]})
    cpe, home, client = router(lab, server, "-P")
    served(home, cpe)
    second = lab.cpe("cpe2", "02:00:5e:10:67:02")
    second.autoconfigure()
    dhclient6(second, "-P", wait=False)
    wait_for("Kea refuses", lambda: group(lab)["failures"].get("refused", 0) >= 1, 30)
    wait_for("the line has its own prefix all the same", lambda: lab.session_of(second)["ipv6"]["prefix"], 20)
    assert lab.session_of(second)["ipv6"]["delegated"] == []
