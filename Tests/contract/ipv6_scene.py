# SPDX-License-Identifier: Apache-2.0
"""What tests of IPv6 stand on: a port that serves it, sessions of both families, and packets."""

import socket
import struct

from agent_controller import d, ip, mac, session, utc_ms

LINK_LOCAL, OWN = "fe80::1", "2001:db8::1"
ALL_NODES, ALL_AGENTS = "ff02::1", "ff02::1:2"


def ip6(text):
    return socket.inet_pton(socket.AF_INET6, text)


def prefix(text):
    address, length = text.split("/")
    return d.IPv6Prefix(address=ip6(address), length=int(length))


def enable(generation=2, **fields):
    """The base port and identity with IPv6, and where its packets go."""
    port = d.Object(object_id=1, generation=generation, port=d.Port(
        name="access0", role=d.PORT_ROLE_ACCESS, access_domain_id=1, relay_trust=d.RELAY_TRUST_RELAYS,
        trusted_relays=[ip("100.64.255.254")], ipv6_link_local=ip6(LINK_LOCAL), **fields))
    identity = d.Object(object_id=1, generation=generation, server_identity=d.ServerIdentity(
        ipv4_address=ip("100.64.0.1"), ipv6_address=ip6(OWN)))
    return [port, identity, route(3, "::/0", next_hop_id=1), route(4, "2001:db8:8000::/33")]


def route(object_id, text, next_hop_id=0, generation=1):
    wanted = prefix(text)
    return d.Object(object_id=object_id, generation=generation, route=d.Route(
        prefix=wanted.address, prefix_length=wanted.length, next_hop_id=next_hop_id,
        kind=d.ROUTE_KIND_NEXT_HOP if next_hop_id else d.ROUTE_KIND_SUBSCRIBERS))


def advertisement(lifetime_s=1800, number=1):
    """With the prefix of session `number`, and nothing that sums to zero."""
    head = struct.pack(">BBHBBHII", 134, 0, 0, 64, 0x80, lifetime_s, 0, 0)
    return head + struct.pack(">BBBBIII", 3, 4, 64, 0xC0, 7200, 3600, 0) + ip6(f"2001:db8:8000:{number:x}::")


def address_of(number):
    return f"2001:db8:8000:{number:x}::5"


def dual(number, generation=1, lease_s=3600, prefixes=None, ipv4=True, pppoe_id=0, **fields):
    """Session `number` with an address of each family and, unless told, a /64 and a /56 behind it."""
    it = session(number, generation=generation, fast=not pppoe_id)
    if not ipv4:
        it.session.ClearField("ipv4")
    values = dict(
        prefixes=[prefix(p) for p in prefixes or (f"2001:db8:8000:{number:x}::/64", f"2001:db8:9000:{number:x}00::/56")],
        valid_seconds=3600, lease_expires_unix_ms=utc_ms(lease_s) if lease_s else 0)
    values.update(fields)
    it.session.ipv6.CopyFrom(d.SessionIPv6(**values))
    if pppoe_id:
        it.session.pppoe.CopyFrom(d.SessionPPPoE(pppoe_id=pppoe_id, mtu_bytes=1492))
    return it


def checksum(source, destination, protocol, message):
    data = ip6(source) + ip6(destination) + struct.pack(">II", len(message), protocol) + message
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(source, destination, protocol, message, hop_limit=64):
    return struct.pack(">IHBB", 6 << 28, len(message), protocol, hop_limit) + ip6(source) + ip6(destination) + message


def icmp(source, destination, kind, body, hop_limit=255, code=0):
    message = struct.pack(">BBH", kind, code, 0) + body
    message = message[:2] + struct.pack(">H", checksum(source, destination, 58, message)) + message[4:]
    return packet(source, destination, 58, message, hop_limit)


def udp(source, destination, source_port, port, data, hop_limit=64):
    message = struct.pack(">HHHH", source_port, port, 8 + len(data), 0) + data
    message = message[:6] + struct.pack(">H", checksum(source, destination, 17, message) or 0xFFFF) + message[8:]
    return packet(source, destination, 17, message, hop_limit)


def frame(to, client, it):
    return to + client + b"\x86\xdd" + it


def group_mac(group):
    return b"\x33\x33" + ip6(group)[-4:]


def link_local_of(number):
    return f"fe80::2:{number:x}"
