# SPDX-License-Identifier: Apache-2.0
"""Addresses from an external DHCP server (FEATURES A11): ISC Kea decides, the controller asks it as relay and client.

    cpes ──veth── bridge ──veth── access0 [bng-agent] core0 ──veth── server
                        controller mgmt0 ──veth── eth0 [kea-dhcp4] ns `kea`
"""
import pytest

import kea as kea_lab
from kea import Kea
from topology import wait_for

RESERVED = "100.64.7.7"


@pytest.fixture
def lab(make_lab):
    return external(make_lab)


def external(make_lab, **options):
    """A lab whose pool is Kea's to decide about."""
    lab = make_lab(lease="60s", policy=kea_lab.SERVERS, **options)
    text = lab.config.read_text()
    assert "    lease: 60s\n" in text
    lab.config.write_text(text.replace("    lease: 60s\n", "    lease: 60s\n    renewal: 5s\n    external: kea\n", 1))
    lab.network()
    kea_lab.link(lab)
    return lab


def up(lab, server):
    server.start()
    lab.start_controller()
    lab.start_agent()
    return server


def group(lab):
    return next(g for g in lab.ctl("show", "dhcp-servers") if g["family"] == "ipv4")


def counter(lab, name):
    return group(lab)["counters"].get(name, 0)


def test_kea_decides_and_sees_renewals_and_releases(lab):
    mac = "02:00:00:00:0a:01"
    server = up(lab, Kea(lab, reservations=[{"hw-address": mac, "ip-address": RESERVED}]))
    reserved = lab.cpe("reserved", mac)
    client = reserved.dhclient()
    assert reserved.wait_address() == RESERVED, "not what Kea has reserved"
    assert reserved.ping() == (3, 3)
    assert "203.0.113.53" in (reserved.etc / "dhclient.leases").read_text(), "the server's DNS did not reach the client"
    other = lab.cpe("other", "02:00:00:00:0a:02")
    other.udhcpc()
    address = other.wait_address()
    assert address.startswith("100.64.5.") and other.ping() == (3, 3)
    assert set(server.leases()) == {RESERVED, address}
    before = int(server.leases()[RESERVED]["expire"])
    wait_for("renewals at Kea", lambda: int(server.leases()[RESERVED]["expire"]) > before, 20)
    assert counter(lab, "acquired") == 2 and counter(lab, "renewed") >= 1
    assert lab.session_of(reserved)["externalServers"] == ["kea"]
    wait_for("the fast path renews the client", lambda: lab.fast_path_replies(reserved) >= 1, 20)
    client.stop()
    reserved.run("dhclient -r -4 -lf " + str(reserved.etc / "dhclient.leases") + " -pf " + str(reserved.etc / "dhclient.pid") + " wan")
    wait_for("the release at Kea", lambda: set(server.leases()) == {address}, 10)
    lab.ctl("clear", "session", lab.session_of(other)["id"], text=True)
    wait_for("the end of a session at Kea", lambda: not server.leases(), 10)
    assert counter(lab, "released") == 2 and counter(lab, "declined") == 0
    assert lab.audit_differences() == 0


def test_sessions_outlive_kea_and_new_ones_are_refused_until_it_is_back(lab):
    server = up(lab, Kea(lab))
    old = lab.cpe("old", "02:00:00:00:0b:01")
    old.udhcpc()
    address = old.wait_address()
    server.stop()
    new = lab.cpe("new", "02:00:00:00:0b:02")
    new.udhcpc("-t", "100")
    wait_for("the new one is refused and counted", lambda: group(lab)["failures"].get("silent", 0) >= 1, 30)
    wait_for("kea is found silent", lambda: group(lab)["servers"][0]["state"] == "silent", 30)
    assert new.address() is None
    assert old.address() == address and old.ping() == (3, 3), "an old session fell with the server"
    assert 'bng_dhcp_server_alive{group="kea",family="ipv4",server="192.0.2.10:67"} 0' in lab.metrics()
    renewed = counter(lab, "renewed")
    server.start()
    assert new.wait_address() and new.ping() == (3, 3)
    wait_for("the old one is renewed again", lambda: counter(lab, "renewed") > renewed, 60)
    assert group(lab)["servers"][0]["state"] == "alive" and counter(lab, "lost_expired") == 0
    assert lab.session_of(old)["address"] == address


def test_a_crash_of_the_controller_doubles_no_lease(lab):
    server = up(lab, Kea(lab))
    cpes = [lab.cpe(f"home{n}", f"02:00:00:00:0c:0{n}") for n in range(3)]
    for cpe in cpes:
        cpe.udhcpc()
    held = {cpe.mac: cpe.wait_address() for cpe in cpes}
    lab.controller.kill()
    # What the client gives back meanwhile is its node's business; Kea hears of it when the controller is back.
    lab.start_controller()
    wait_for("the leases are taken up and renewed", lambda: counter(lab, "renewed") >= 3, 30)
    assert counter(lab, "resumed") == 3 and counter(lab, "acquired") == 0
    assert {r["hwaddr"]: a for a, r in server.leases().items()} == held, "leases at Kea are not the sessions'"
    assert {s["mac"]: s["address"] for s in lab.sessions()} == held
    assert all(cpe.ping() == (3, 3) for cpe in cpes)
    assert lab.session(lab.session_of(cpes[0])["id"])["service"]["dns"] == ["203.0.113.53"], "the server's DNS was forgotten"
    lab.ctl("clear", "session", lab.session_of(cpes[0])["id"], text=True)
    wait_for("a lease from before the crash is released", lambda: held[cpes[0].mac] not in server.leases(), 10)


def test_kea_out_of_addresses_serves_again_when_one_is_given_back(lab):
    server = up(lab, Kea(lab, pools=[{"pool": "100.64.5.1 - 100.64.5.1"}]))
    first = lab.cpe("first", "02:00:00:00:0d:01")
    first.udhcpc()
    assert first.wait_address() == "100.64.5.1"
    second = lab.cpe("second", "02:00:00:00:0d:02")
    second.udhcpc("-t", "100")
    wait_for("nothing is left", lambda: group(lab)["failures"].get("silent", 0) >= 1, 30)
    assert second.address() is None and first.ping() == (3, 3)
    first.stop()
    lab.ctl("clear", "session", lab.session_of(first)["id"], text=True)
    assert second.wait_address(60) == "100.64.5.1" and second.ping() == (3, 3)
    assert [r["hwaddr"] for r in server.leases().values()] == [second.mac]


def test_a_changed_reservation_takes_the_address_back_and_the_client_gets_the_other(lab):
    mac = "02:00:00:00:0e:01"
    server = up(lab, Kea(lab, reservations=[{"hw-address": mac, "ip-address": RESERVED}]))
    cpe = lab.cpe("moved", mac)
    cpe.dhclient()
    assert cpe.wait_address() == RESERVED
    session = lab.session_of(cpe)["id"]
    server.subnet["reservations"] = [{"hw-address": mac, "ip-address": "100.64.7.8"}]
    server.reload()
    wait_for("Kea refuses the renewal", lambda: counter(lab, "lost_refused") == 1, 30)
    wait_for("the session ends", lambda: lab.session(session)["phase"] == "terminated", 10)
    assert lab.session(session)["cause"] == "lease_lost"
    wait_for("the client has the new address", lambda: cpe.address() == "100.64.7.8", 60)
    assert cpe.ping() == (3, 3)


def test_what_kea_gives_and_the_pool_does_not_hold_is_declined(lab):
    # Kea's first pool lies outside the ranges the controller accepts.
    server = up(lab, Kea(lab, pools=[{"pool": "100.64.255.1 - 100.64.255.4"}]))
    cpe = lab.cpe("odd", "02:00:00:00:0f:01")
    cpe.udhcpc("-t", "3")
    wait_for("it is declined, twice at most for one request", lambda: counter(lab, "declined") >= 2, 30)
    wait_for("Kea has it in quarantine", server.declined, 10)
    assert cpe.address() is None
    assert 'bng_subscriber_events_total{event="external_unusable"}' in lab.metrics()


def test_a_lease_too_short_to_promise_is_refused(lab):
    server = Kea(lab)
    server.settings["valid-lifetime"] = 100
    up(lab, server)
    cpe = lab.cpe("short", "02:00:00:00:10:01")
    cpe.udhcpc("-t", "3")
    wait_for("it is counted", lambda: group(lab)["failures"].get("lease_too_short", 0) >= 1, 30)
    wait_for("it is given back", lambda: not server.leases(), 10)
    assert cpe.address() is None
    assert "grants less time than twice" in (lab.dir / "controller.log").read_text()


def test_kea_is_told_the_access_nodes_circuit(make_lab):
    lab = external(make_lab, relay_trust="access-node")
    circuit = b"olt7/1/3"
    server = up(lab, Kea(lab, reservations=[{"circuit-id": "0x" + circuit.hex(), "ip-address": RESERVED}]))
    cpe = lab.cpe("behind", "02:00:00:00:11:01", option82=(bytes([1, len(circuit)]) + circuit).hex())
    cpe.udhcpc()
    assert cpe.wait_address() == RESERVED, "Kea was not told the circuit"
    assert cpe.ping() == (3, 3) and RESERVED in server.leases()
