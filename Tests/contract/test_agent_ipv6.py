# SPDX-License-Identifier: Apache-2.0
"""IPv6 through the real agent: judged with paths, kept over restarts, leases of its own, advertisements nobody asked for."""

import struct
import time

import pytest
from agent_controller import d, ip, mac, s, session, utc_ms
from contract_canon import family_digest
from ipv6_scene import (
    ALL_NODES, LINK_LOCAL, OWN, advertisement, checksum, dual, enable, ip6, prefix, route)
from test_agent_packets import raw_socket
from test_agent_service import codes, counters_of, deletes, upserts

ID = (1 << 48) | 1


@pytest.fixture
def served(associated):
    associated.apply(*enable())
    return associated


@pytest.fixture
def line():
    it = raw_socket("access0p")
    yield it
    it.close()


def restart(agent, controller):
    controller.close()
    agent.kill()
    agent.start()
    controller.greet()


def events(controller, timeout=10):
    """The next ones, acknowledged."""
    batch = controller.expect("events", s.LANE_TELEMETRY, timeout=timeout)
    controller.telemetry.send(event_ack=s.EventAck(sequence=batch.events[-1].sequence))
    return batch.events


def dhcpv6(**fields):
    values = dict(
        client_id=bytes(10), server_id=bytes(8), reply_options=bytes(4),
        associations=[d.DHCPv6Association(kind=25, iaid=1, resource=prefix("2001:db8:9000:100::/56"))])
    values.update(fields)
    return d.SessionDHCPv6(**values)


def relayed(number, **fields):
    it = dual(number, **fields)
    it.session.line.relay_address, it.session.line.relay_mac = ip("100.64.255.254"), mac(200)
    return it


def test_the_hello_says_that_there_is_ipv6(associated):
    assert "ipv6" in [c.name for c in associated.hello.capabilities]


def test_what_is_wrong_with_the_ipv6_of_a_session_has_its_path(served):
    other = d.DHCPv6Association(kind=25, iaid=1, resource=prefix("2001:db8:9000:200::/56"))
    twice = [d.DHCPv6Association(kind=25, iaid=1, resource=prefix("2001:db8:9000:100::/56"))] * 2
    behind = [relayed(1, router_advertisement=advertisement()), relayed(1, dhcpv6=dhcpv6())]
    result = served.batch(upserts(
        dual(1, prefixes=[f"2001:db8:7::{i:x}/128" for i in range(1, 18)]),
        dual(1, prefixes=["2001:db8:7::1/64"]), dual(1, prefixes=["fe80::/64"]), dual(1, valid_seconds=59),
        dual(1, router_advertisement=bytes(16)), dual(1, router_advertisement=advertisement() + bytes(500)),
        dual(1, advertisement_interval_seconds=600),
        dual(1, router_advertisement=advertisement(), advertisement_interval_seconds=3),
        dual(1, dhcpv6=dhcpv6(client_id=bytes(2))), dual(1, dhcpv6=dhcpv6(server_id=bytes(131))),
        dual(1, dhcpv6=dhcpv6(associations=[other])), dual(1, dhcpv6=dhcpv6(associations=twice)),
        dual(1, dhcpv6=dhcpv6(reply_options=b"")), *behind, dual(1, dhcpv6=dhcpv6()), relayed(2)))
    paths = ["17.11.1"] * 3 + ["17.11.3", "17.11.5", "17.11.5", "17.11.6", "17.11.6", "17.11.7.1", "17.11.7.2",
                               "17.11.7.3", "17.11.7.3", "17.11.7.4", "17.11.5", "17.11.7"]
    assert codes(result) == [("INVALID", path) for path in paths] + [("OK", "")] * 2


def test_ipv6_of_the_other_objects_is_judged(associated):
    port, identity, default, pool = enable()
    assert codes(associated.batch(upserts(dual(1)))) == [("INVALID", "17.11")]
    associated.apply(port, identity, default, pool, dual(1, prefixes=["2001:db8:8000:1::/64", "2001:db8:8000:1::5/128"]))
    bad_port, bad_headers = enable(3)[0], enable(3, refused_extension_headers=[43, 43])[0]
    bad_port.port.ipv6_link_local = ip6("2001:db8::5")
    bare_port = enable(3)[0]
    bare_port.port.ClearField("ipv6_link_local")
    core = d.Object(object_id=2, generation=2, port=d.Port(
        name="core0", role=d.PORT_ROLE_CORE, ipv6_link_local=ip6(LINK_LOCAL)))
    group, same, host = [
        d.Object(object_id=9, generation=1, server_identity=d.ServerIdentity(
            ipv4_address=ip("100.64.0.9"), ipv6_address=ip6(text))) for text in ("ff02::1", OWN, "2001:db8:8000:1::5")]
    gateway = d.Object(object_id=9, generation=1, next_hop=d.NextHop(
        kind=d.NEXT_HOP_KIND_GATEWAY, port="core0", ipv6_address=ip6("fe80::ff")))
    both = d.Object(object_id=8, generation=1, next_hop=d.NextHop(
        kind=d.NEXT_HOP_KIND_GATEWAY, port="core0", ipv6_address=ip6("fe80::ff"), ipv4_address=ip("192.0.2.1")))
    ipv4_route = d.Object(object_id=9, generation=1, route=d.Route(
        prefix=ip("10.0.0.0"), prefix_length=8, kind=d.ROUTE_KIND_NEXT_HOP, next_hop_id=9))
    rule = d.FilterRule(
        action=d.FILTER_ACTION_DENY, direction=d.FILTER_DIRECTION_UP, remote_prefix=ip6("2001:db8::"), remote_prefix_length=28)
    rules = d.Object(object_id=9, generation=1, filter=d.Filter(rules=[rule], default_action=d.FILTER_ACTION_PERMIT))
    result = associated.batch(upserts(
        bad_port, bad_headers, bare_port, core, group, same, host, both, gateway, ipv4_route,
        route(9, "2001:db8:8000:1::/64"), route(9, f"{OWN}/128"), route(9, "2001:db8::/28"), rules,
        dual(2, prefixes=["2001:db8:8000:1::/64"]), dual(2, prefixes=[f"{OWN}/128"]), dual(2, prefixes=["2001:db8:8000:1::/65"])))
    assert codes(result) == [
        ("INVALID", "11.8"), ("INVALID", "11.9"), ("IN_USE", "11.8"), ("INVALID", "11.8"), ("INVALID", "12.3"),
        ("CONFLICT", "12.3"), ("CONFLICT", "12.3"), ("INVALID", "14.4"), ("OK", ""), ("INVALID", "15.5"),
        ("CONFLICT", "15.2"), ("CONFLICT", "15.2"), ("INVALID", "15.2"), ("INVALID", "18.1.3"),
        ("CONFLICT", "17.11.1"), ("CONFLICT", "17.11.1"), ("OK", "")]


def test_digests_are_those_of_the_canonical_encoding(served):
    sessions = [
        dual(1, router_advertisement=advertisement(), advertisement_interval_seconds=600, activity_renews=True,
             dhcpv6=dhcpv6()),
        dual(2, ipv4=False), dual(3, pppoe_id=9), session(4)]
    served.apply(*sessions)
    held = served.audit()
    assert held[d.FAMILY_SESSION] == (4, family_digest(sessions))
    assert held[d.FAMILY_SERVER_IDENTITY] == (1, family_digest(enable()[1:2]))


def test_ipv6_and_its_lease_survive_a_kill(agent, served):
    served.apply(dual(1, router_advertisement=advertisement(), dhcpv6=dhcpv6(), lease_s=500), dual(2, ipv4=False),
                 dual(3, pppoe_id=9), dual(4, prefixes=[f"2001:db8:8000:4::{i:x}/128" for i in range(1, 17)]))
    before, lease = served.audit(), counters_of(served, 1, bool).ipv6_lease_expires_unix_ms
    assert abs(lease - utc_ms(500)) < 2000
    restart(agent, served)
    assert served.audit() == before
    adopted = agent.log().split("event=ready")[1]
    assert "refused=0" in adopted and "repaired=0" in adopted
    assert abs(counters_of(served, 1, bool).ipv6_lease_expires_unix_ms - lease) < 50
    assert counters_of(served, 3, bool).ipv6_lease_expires_unix_ms == 0


def test_each_lease_lapses_alone_and_is_told_again_after_it_lived(served):
    served.apply(dual(1, lease_s=1))
    (event,) = events(served)
    assert (event.session_lapsed.session_id, event.session_lapsed.cause) == (ID, "ipv6_lease_expired")
    with pytest.raises(TimeoutError):
        events(served, timeout=2.5)
    served.apply(dual(1, generation=2, lease_s=3))
    time.sleep(1.5)  # a sweep must see it alive
    (event,) = events(served)
    assert (event.session_lapsed.session_generation, event.session_lapsed.cause) == (2, "ipv6_lease_expired")
    # The other family's end is another event.
    gone = dual(1, generation=3)
    gone.session.ipv4.address, gone.session.ipv4.lease_expires_unix_ms = ip("100.65.9.9"), utc_ms(1)
    served.apply(gone)
    (event,) = events(served)
    assert (event.session_lapsed.session_generation, event.session_lapsed.cause) == (3, "lease_expired")


def test_the_later_ipv6_lease_stays_while_a_prefix_does(served):
    def expiry():
        return counters_of(served, 1, bool).ipv6_lease_expires_unix_ms

    served.apply(dual(1, lease_s=1000))
    first = expiry()
    served.apply(dual(1, generation=2, lease_s=500, prefixes=["2001:db8:8000:1::/64", "2001:db8:8000:99::/64"]))
    assert abs(expiry() - first) < 50
    served.apply(dual(1, generation=3, lease_s=500, prefixes=["2001:db8:8000:77::/64"]))
    assert abs(expiry() - first + 500_000) < 500
    served.apply(dual(1, generation=4, lease_s=0, prefixes=["2001:db8:8000:78::/64"]))
    assert expiry() == 0
    served.apply(session(1, generation=5))
    assert expiry() == 0


def test_a_lapse_that_was_reported_is_not_repeated_by_the_next_agent(agent, served):
    served.apply(dual(1, lease_s=1))
    assert events(served)[0].session_lapsed.cause == "ipv6_lease_expired"
    served.apply(dual(2))  # answered, so the ack before it was read at most one turn ago
    time.sleep(0.3)
    restart(agent, served)
    with pytest.raises(TimeoutError):
        events(served, timeout=2.5)


def unasked(line, number, timeout=8):
    """The next advertisement to a client, from Ethernet's type on."""
    end = time.monotonic() + timeout
    while True:
        got = line.recv(4096)
        if got[:6] == mac(number) and b"\x3a\xff" + ip6(LINK_LOCAL) + ip6(ALL_NODES) in got:
            return got[12:]
        assert time.monotonic() < end


def ipv6_at(got, at):
    """The advertisement in an IPv6 packet that is good."""
    head, message = got[at : at + 40], got[at + 40 :]
    message = message[: struct.unpack(">H", head[4:6])[0]]
    assert head[:4] == b"\x60\0\0\0" and head[6:8] == b"\x3a\xff"
    assert checksum(LINK_LOCAL, ALL_NODES, 58, message) == 0
    return message[:2] + b"\0\0" + message[4:]


def test_advertisements_come_unasked_behind_every_kind_of_head(served, line):
    wanted = dict(router_advertisement=advertisement(), advertisement_interval_seconds=4)
    double = dual(2, **wanted)
    double.session.line.s_vlan, double.session.line.c_vlan = 100, 7
    double.session.line.s_tpid, double.session.line.c_tpid = 0x88A8, 0x8100
    served.apply(dual(1, **wanted), double, dual(3, pppoe_id=9, **wanted), dual(4, lease_s=1, **wanted), dual(5, lease_s=0, **wanted))
    us = served.hello.ports[0].mac
    got = {}
    end = time.monotonic() + 9
    while time.monotonic() < end:
        frame = line.recv(4096)
        number = int.from_bytes(frame[1:6], "big")
        if frame[6:12] == us and 1 <= number <= 5:
            got.setdefault(number, []).append(frame[12:])
    assert got[1][0][:2] == b"\x86\xdd" and ipv6_at(got[1][0], 2) == advertisement()
    # The kernel takes the outer tag off before a socket sees it.
    assert got[2][0][:6] == b"\x81\0\0\x07\x86\xdd" and ipv6_at(got[2][0], 6) == advertisement()
    size = struct.pack(">H", 2 + 40 + len(advertisement()))
    assert got[3][0][:10] == b"\x88\x64\x11\0\0\x09" + size + b"\0\x57" and ipv6_at(got[3][0], 10) == advertisement()
    assert 2 <= len(got[1]) <= 3 and len(got.get(4, [])) <= 1 and 5 not in got
    assert counters_of(served, 1, bool).router_advertisements == len(got[1])
    names = {c.name: c.value for c in served.expect("counters", s.LANE_TELEMETRY).counters}
    assert names["adv.sent"] >= 6
    final = served.batch(deletes(d.FAMILY_SESSION, ID)).results[0].final_counters
    assert final.router_advertisements >= len(got[1])


def test_advertisements_need_no_controller(agent, served, line):
    served.apply(dual(1, router_advertisement=advertisement(), advertisement_interval_seconds=4))
    served.close()
    agent.kill()
    agent.start()
    assert ipv6_at(unasked(line, 1), 2) == advertisement()
    served.greet()
