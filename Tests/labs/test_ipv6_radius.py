# SPDX-License-Identifier: Apache-2.0
"""Every IPv6 attribute of RADIUS acts (FEATURES B3), granted by FreeRADIUS, seen from the customer and the server; accounting carries
what a session holds and what of its octets was IPv6. One customer per attribute.

    home hosts ── cpes [kernel, dhclient -6] ── bridge ── access0 [bng-agent] core0 ── server      controller ── FreeRADIUS
"""
import pytest

from freeradius import octets
from ipv6_lab import DNS, Home, dhclient6, has_address6, ipv6_of, ping_from_server
from radius_server import RADIUSServer, accept, configuration, reject
from topology import SERVER_IP6, Lab, wait_for

POOLS = """  - {name: links2, vrf: 0, prefixes: ["2001:db8:200::/48"], length: 64, quarantine: 2s}
  - {name: homes2, vrf: 0, prefixes: ["2001:db8:8000::/40"], length: 56, quarantine: 2s}
  - {name: sites, vrf: 0, prefixes: ["2001:db8:9000::/40"], length: 48, quarantine: 2s}
  - {name: hosts2, vrf: 0, prefixes: ["2001:db8:2:2::/64"], length: 128, quarantine: 2s}
"""
GRANTS = {
    "prefix": ["Framed-IPv6-Prefix = 2001:db8:777:1::/64"],
    "deleg": ["Delegated-IPv6-Prefix = 2001:db8:7780::/56"],
    "deleg48": ["Delegated-IPv6-Prefix = 2001:db8:7790::/48"],
    "address": ["Framed-IPv6-Address = 2001:db8:77a::5"],
    "linkpool": ['Framed-IPv6-Pool = "links2"'],
    "homepool": ['Delegated-IPv6-Prefix-Pool = "homes2"'],
    "hostpool": ['Stateful-IPv6-Address-Pool = "hosts2"'],
    "dns": ["DNS-Server-IPv6-Address = 2001:db8:53::1", "DNS-Server-IPv6-Address += 2001:db8:53::2"],
    "route": ['Framed-IPv6-Route = "2001:db8:77b::/48 :: 1"'],
    "told": ["Route-IPv6-Information = 2001:db8:77c::/48"],
    "account": ["Acct-Interim-Interval = 2", 'Class = "six"'],
}
MACS = {name: f"02:00:00:00:06:{index:02x}" for index, name in enumerate(GRANTS)}
USERS = "\n".join([accept(f'"{MACS[name]}"', *attributes) for name, attributes in GRANTS.items()] + [reject("DEFAULT", "unknown line")])


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("radius6"), ipv6={})
    text = lab.config.read_text().replace("prefix-pools:\n", f"prefix-pools:\n{POOLS}")
    server = RADIUSServer(lab, users=USERS).start()
    lab.config.write_text(text + configuration([server], rules="  minimum-interim: 1s"))
    lab.up()
    # All at once: each would wait for its own duplicate address detection.
    homes = {name: Home(lab.cpe(name, mac)) for name, mac in MACS.items()}
    for home in homes.values():
        home.cpe.autoconfigure()
    for home in homes.values():
        dhclient6(home.cpe, "-N", "-P", wait=False)
    yield lab, server, homes
    lab.down()
    server.stop()


def online(world, name):
    """The customer with a home: autoconfigured, bound by DHCPv6, its delegated prefix in use, reached from the server."""
    lab, _, homes = world
    home = homes[name]
    cpe = home.cpe
    cpe.wait_address6()
    delegated = cpe.etc / "prefix"
    wait_for("dhclient -6 is bound", lambda: delegated.exists() and has_address6(cpe), 20)
    assert ping_from_server(home.join(delegated.read_text().strip())) == (3, 3)
    assert home.ping() == (3, 3) and cpe.ping(SERVER_IP6) == (3, 3)
    return lab, cpe, ipv6_of(lab, cpe)


def test_framed_ipv6_prefix_is_what_is_advertised(world):
    lab, cpe, held = online(world, "prefix")
    assert held["prefix"] == "2001:db8:777:1::/64"
    assert cpe.wait_address6("2001:db8:777:1:")
    assert ping_from_server(cpe.wait_address6("2001:db8:777:1:")) == (3, 3)


@pytest.mark.parametrize("name, prefix", [("deleg", "2001:db8:7780::/56"), ("deleg48", "2001:db8:7790::/48")])
def test_delegated_ipv6_prefix_is_what_the_router_gets(world, name, prefix):
    lab, cpe, held = online(world, name)
    assert held["delegated"] == [prefix] and (cpe.etc / "prefix").read_text().strip() == prefix


def test_framed_ipv6_address_is_the_address_by_dhcpv6(world):
    lab, cpe, held = online(world, "address")
    assert held["addresses"] == ["2001:db8:77a::5"]
    wait_for("the address", lambda: "2001:db8:77a::5" in cpe.run("ip -6 addr show dev wan -tentative"), 10)
    assert ping_from_server("2001:db8:77a::5") == (3, 3)


@pytest.mark.parametrize("name, key, start", [("linkpool", "prefix", "2001:db8:200:"), ("homepool", "delegated", "2001:db8:8000:"),
                                              ("hostpool", "addresses", "2001:db8:2:2:")])
def test_a_pool_is_chosen_by_its_attribute(world, name, key, start):
    lab, cpe, held = online(world, name)
    value = held[key] if key == "prefix" else held[key][0]
    assert value.startswith(start), held


def test_dns_servers_reach_the_customer_both_ways(world):
    lab, cpe, held = online(world, "dns")
    assert (cpe.etc / "dns").read_text().split() == ["2001:db8:53::1", "2001:db8:53::2"]
    said = cpe.run("rdisc6 -1 wan")
    assert "2001:db8:53::1" in said and "2001:db8:53::2" in said and DNS not in said


def test_framed_ipv6_route_leads_behind_the_customer(world):
    lab, cpe, held = online(world, "route")
    cpe.run("ip addr add 2001:db8:77b:9::1/64 dev lan nodad")
    assert ping_from_server("2001:db8:77b:9::1") == (3, 3)
    assert " 0% packet loss" in cpe.run(f"ping -n -c 3 -i 0.2 -W 2 -I 2001:db8:77b:9::1 {SERVER_IP6}", check=False)
    assert lab.session_of(cpe)["service"]["routes"] == ["2001:db8:77b::/48"]
    lab.ctl("clear", "session", lab.session_of(cpe)["id"], text=True)
    wait_for("it goes with the session", lambda: ping_from_server("2001:db8:77b:9::1", 1)[1] == 0, 10)


def test_route_ipv6_information_is_told_to_the_hosts(world):
    lab, cpe, held = online(world, "told")
    assert "2001:db8:77c::/48" in cpe.run("rdisc6 -1 wan")


def test_accounting_of_a_dual_stack_line_is_one(world):
    _, server, _ = world
    lab, cpe, held = online(world, "account")
    session = lab.session_of(cpe)["id"]
    cpe.udhcpc()
    address = cpe.wait_address()
    assert cpe.ping(count=5) == (5, 5) and cpe.ping(SERVER_IP6, count=10) == (10, 10)
    whole = lambda r: r.get("Framed-IP-Address") == address and octets6(r, "Input") >= 10 * 104  # noqa: E731
    interim = wait_for("an interim record with everything", lambda: next(filter(whole, server.records(session, "Interim-Update")), None), 20, 0.2)
    lab.ctl("clear", "session", session, text=True)
    stop, = wait_for("the stop record", lambda: server.records(session, "Stop"), 10)
    start, = server.records(session, "Start")
    # The session began with its prefix; what DHCPv6 gave came later.
    assert start["Framed-IPv6-Prefix"] == held["prefix"] and start["Class"] == "0x736978"
    assert {r["Acct-Session-Id"] for r in server.records() if r.get("Calling-Station-Id") == stop["Calling-Station-Id"]} == {session}
    for record in (interim, stop):
        assert record["Framed-IPv6-Prefix"] == held["prefix"] and record["Delegated-IPv6-Prefix"] == held["delegated"][0]
        assert record["Framed-IPv6-Address"] == held["addresses"][0] and record["Class"] == "0x736978"
        for direction in ("Input", "Output"):
            assert 10 * 104 <= octets6(record, direction) <= octets(record, direction) - 5 * 84
            assert 10 <= record[f"ERX-IPv6-Acct-{direction}-Packets"] <= record[f"Acct-{direction}-Packets"] - 5


def octets6(record, direction):
    return record.get(f"ERX-IPv6-Acct-{direction}-Gigawords", 0) << 32 | record.get(f"ERX-IPv6-Acct-{direction}-Octets", 0)


def test_everything_granted_is_what_the_nodes_hold(world):
    assert world[0].audit_differences() == 0
