# SPDX-License-Identifier: Apache-2.0
"""What the node says by itself in IPv6, and what it leaves to the controller: neighbour discovery, solicited advertisements, Renew."""

import struct

import pytest
from agent_controller import d, mac, s, utc_ms
from conftest import run
from ipv6_scene import (
    ALL_AGENTS, LINK_LOCAL, OWN, address_of, advertisement, checksum, dual, enable, frame, group_mac, icmp, ip6,
    link_local_of, prefix, udp)
from test_agent_ipv6_packets import received, renewal
from test_agent_packets import raw_socket
from test_agent_service import counters_of

ID = (1 << 48) | 1
ALL_ROUTERS = "ff02::2"
CLIENT_ID, SERVER_ID = bytes.fromhex("00030001020000000001"), bytes.fromhex("00020000ab110102")
SOLICIT, RENEW, REPLY = 1, 5, 7


@pytest.fixture
def line(pass_program):
    run("ip", "-force", "link", "set", "dev", "access0p", "xdp", "obj", pass_program, "sec", "xdp")
    it = raw_socket("access0p")
    yield it
    it.close()
    run("ip", "link", "set", "dev", "access0p", "xdp", "off")


@pytest.fixture
def served(associated, line):
    associated.apply(*enable())
    for punt_class in (d.PUNT_CLASS_ND, d.PUNT_CLASS_DHCPV6):
        associated.punt.send(punt_credit=s.PuntCredit(punt_class=punt_class, credits=1000))
    return associated


def us(served):
    return served.hello.ports[0].mac


def router_solicitation(number):
    return frame(group_mac(ALL_ROUTERS), mac(number), icmp(
        link_local_of(number), ALL_ROUTERS, 133, bytes(4) + b"\x01\x01" + mac(number)))


def neighbor_solicitation(number, target):
    group = "ff02::1:ff" + ip6(target)[-3:].hex()[:2] + ":" + ip6(target)[-2:].hex()
    return frame(group_mac(group), mac(number), icmp(
        link_local_of(number), group, 135, bytes(4) + ip6(target) + b"\x01\x01" + mac(number)))


def icmp_to(number, kind):
    return lambda f: f[:6] == mac(number) and f[12:14] == b"\x86\xdd" and f[20] == 58 and f[54] == kind


def test_a_solicitation_is_answered_with_the_sessions_advertisement(served, line):
    served.apply(dual(1, router_advertisement=advertisement()))
    line.send(router_solicitation(1))
    got = received(line, icmp_to(1, 134))
    assert got[:14] == mac(1) + us(served) + b"\x86\xdd" and got[21] == 255
    assert got[22:54] == ip6(LINK_LOCAL) + ip6(link_local_of(1))
    assert got[54:56] + b"\0\0" + got[58:] == advertisement()
    assert checksum(LINK_LOCAL, link_local_of(1), 58, got[54:]) == 0
    assert counters_of(served, 1, lambda c: c.router_advertisements).router_advertisements == 1


def test_a_solicitation_without_an_advertisement_is_punted(served, line):
    served.apply(dual(1))
    sent = router_solicitation(1)
    line.send(sent)
    (punt,) = served.expect("punts", s.LANE_PUNT).punts
    assert (punt.punt_class, punt.reason, punt.session_id) == (d.PUNT_CLASS_ND, "nd_router_solicitation", ID)
    assert punt.frame == sent and punt.access_domain_id == 1
    line.send(router_solicitation(9))
    (punt,) = served.expect("punts", s.LANE_PUNT).punts
    assert (punt.punt_class, punt.session_id) == (d.PUNT_CLASS_ND, 0)


def test_neighbors_are_told_of_the_gateway_and_of_each_other(served, line):
    served.apply(dual(1), dual(2, prefixes=[f"{address_of(2)}/128"]))
    for target in (LINK_LOCAL, OWN, address_of(2)):
        line.send(neighbor_solicitation(1, target))
        got = received(line, lambda f: icmp_to(1, 136)(f) and f[62:78] == ip6(target))
        assert got[6:12] == us(served) and got[78:] == b"\x02\x01" + us(served)


def dhcp(number, kind, xid, options):
    data = bytes([kind]) + xid + options
    return frame(group_mac(ALL_AGENTS), mac(number), udp(link_local_of(number), ALL_AGENTS, 546, 547, data))


def option(code, data):
    return struct.pack(">HH", code, len(data)) + data


def renew(number, xid=b"abc"):
    delegated = option(26, struct.pack(">IIB", 0, 0, 56) + ip6(f"2001:db8:9000:{number:x}00::"))
    return dhcp(number, RENEW, xid, option(1, CLIENT_ID) + option(2, SERVER_ID) + option(8, b"\0\0") + option(
        25, struct.pack(">III", 7, 0, 0) + delegated))


def answering(number, **fields):
    return dual(number, dhcpv6=d.SessionDHCPv6(
        client_id=CLIENT_ID, server_id=SERVER_ID, reply_options=option(1, CLIENT_ID) + option(2, SERVER_ID),
        associations=[d.DHCPv6Association(kind=25, iaid=7, resource=prefix(f"2001:db8:9000:{number:x}00::/56"))]), **fields)


def test_a_known_renew_is_answered_extends_the_lease_and_is_reported(agent, served, line):
    served.apply(answering(1, lease_s=100, valid_seconds=600))
    line.send(renew(1))
    got = received(line, lambda f: f[:6] == mac(1) and f[12:14] == b"\x86\xdd" and f[20] == 17 and f[62] == REPLY)
    assert got[22:54] == ip6(LINK_LOCAL) + ip6(link_local_of(1)) and got[54:58] == struct.pack(">HH", 547, 546)
    assert got[62:] == bytes([REPLY]) + b"abc" + option(1, CLIENT_ID) + option(2, SERVER_ID)
    assert checksum(LINK_LOCAL, link_local_of(1), 17, got[54:]) == 0
    renewed = renewal(served)
    assert (renewed.session_id, renewed.expires_unix_ms) == (ID, 0)
    assert abs(renewed.ipv6_expires_unix_ms - utc_ms(600)) < 3000
    counters = counters_of(served, 1, lambda c: c.dhcpv6_fast_path_replies)
    assert counters.dhcpv6_fast_path_replies == 1
    assert abs(counters.ipv6_lease_expires_unix_ms - renewed.ipv6_expires_unix_ms) < 50
    # The same after the agent was killed: what it answers with is in the kernel.
    served.close()
    agent.kill()
    line.send(renew(1, b"def"))
    assert received(line, lambda f: f[:6] == mac(1) and f[20] == 17 and f[62] == REPLY)[63:66] == b"def"
    agent.start()
    served.greet()
    assert counters_of(served, 1, bool).dhcpv6_fast_path_replies == 2


def test_other_dhcpv6_is_punted_as_it_came(served, line):
    served.apply(dual(1), answering(2, lease_s=1))
    sent = [dhcp(9, SOLICIT, b"abc", option(1, CLIENT_ID)), dhcp(1, SOLICIT, b"abc", option(1, CLIENT_ID)), renew(1)]
    expected = [("dhcpv6_unknown_line", 0), ("dhcpv6_other_message", ID), ("dhcpv6_slow_line", ID)]
    for it, (reason, session_id) in zip(sent, expected, strict=True):
        line.send(it)
        (punt,) = served.expect("punts", s.LANE_PUNT).punts
        assert (punt.punt_class, punt.reason, punt.session_id) == (d.PUNT_CLASS_DHCPV6, reason, session_id)
        assert punt.frame == it
