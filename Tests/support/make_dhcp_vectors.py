#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes Tests/vectors/dhcpv4/*.txt: one client frame per file, what the XDP fast path and the controller must do with it.

Both test suites read the same files: Tests/bpf (PROG_TEST_RUN) and SubscriberDriverTests (the whole slow path).
The scene is fixed; see README.md beside the vectors, written by this script as well.
"""
import pathlib
import struct
import sys

OUT = pathlib.Path(__file__).resolve().parent.parent / "vectors" / "dhcpv4"
CLIENT = bytes.fromhex("02005e102030")
PORT = bytes.fromhex("02005e005301")
RELAY_MAC = bytes.fromhex("02005e778899")
BCAST = b"\xff" * 6
SERVER, GATEWAY, ADDRESS, RELAY, STRANGER = "192.0.2.1", "100.64.0.1", "100.64.1.2", "100.64.255.254", "198.51.100.77"
XID = 0x3903F326

README = f"""# DHCPv4 conformance vectors

Read this before adding a case or a consumer. `make vectors` rewrites the files from `Tests/support/make_dhcp_vectors.py`.

The scene: port MAC 02:00:5e:00:53:01, access domain 1 on port index 1, VRF 0; client MAC 02:00:5e:10:20:30.
Pool 100.64.0.0/16, gateway {GATEWAY}, server identifier {SERVER}, lease 3600 s, renewal 1800 s, rebinding 3150 s,
options 6 (192.0.2.53 192.0.2.54), 15 ("example.net"), 42 (192.0.2.123), 224 (01 02 ff). Trusted relay {RELAY}.

Keys, one a line:

- `clause`: the rule the case proves.
- `trust`: relay trust of the port: none, access-node, relays.
- `session`: none; known (the line holds {ADDRESS}, lease running); expired (the lease ended 1 s ago).
  `session-option82`, `session-client-id` (hex) and `session-relay` (address): the held session's, absent if not given.
  A relayed session's frames carry MAC 02:00:5e:77:88:99.
- `in`: the frame as it arrives.
- `fast`: offer, ack, nak, inform (answered by the program), `punt <reason>` or `drop <reason>` (names of bng_abi.h).
- `slow`: offer, ack, nak, inform, silent (nothing sent), released, declined, or `refused <counter>`.
  A case that the fast path answers is answered the same way by the slow path.
- Of the reply, whichever side sends it: `to-mac`, `to-ip`, `to-port`, `tags` (hex of the tags, - for none), `yiaddr`, `ciaddr`,
  `giaddr`, `flags` (hex), `option CODE HEX` (must be there with this value), `absent CODE` (must not be there).
- `renews`: yes if the lease must be longer afterwards.
"""


def ip(text):
    return bytes(int(p) for p in text.split("."))


def csum(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack(f">{len(data) // 2}H", data))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


def opt(code, data):
    return bytes([code, len(data)]) + data


def bootp(options, ciaddr="0.0.0.0", giaddr="0.0.0.0", flags=0, op=1, chaddr=CLIENT, sname=b"", file=b"", hops=0, pad=300):
    m = struct.pack(">BBBBIHH", op, 1, 6, hops, XID, 0, flags)
    m += ip(ciaddr) + ip("0.0.0.0") + ip("0.0.0.0") + ip(giaddr) + chaddr + bytes(10)
    m += sname.ljust(64, b"\0") + file.ljust(128, b"\0") + bytes.fromhex("63825363") + options
    return m.ljust(pad, b"\0")


def frame(payload, src="0.0.0.0", dst="255.255.255.255", smac=CLIENT, dmac=BCAST, tags=b"", sport=68, dport=67,
          udpsum=True, ihl_options=b""):
    udp = struct.pack(">HHHH", sport, dport, len(payload) + 8, 0) + payload
    if udpsum:
        pseudo = ip(src) + ip(dst) + struct.pack(">BBH", 0, 17, len(udp))
        s = csum(pseudo + udp) or 0xFFFF
        udp = udp[:6] + struct.pack(">H", s) + udp[8:]
    hl = 5 + len(ihl_options) // 4
    head = struct.pack(">BBHHHBBH", 0x40 | hl, 0, hl * 4 + len(udp), 0x1234, 0, 64, 17, 0) + ip(src) + ip(dst) + ihl_options
    head = head[:10] + struct.pack(">H", csum(head)) + head[12:]
    return dmac + smac + tags + b"\x08\x00" + head + udp


TYPE = {n: opt(53, bytes([i])) for i, n in enumerate(
    ["", "discover", "offer", "request", "decline", "ack", "nak", "release", "inform"]) if n}
END = b"\xff"
PRL = opt(55, bytes([1, 3, 6, 15]))
CID = bytes.fromhex("0102005e102030")
OPT82 = opt(1, b"olt7/1/3:100.7") + opt(2, b"ont-0042")
Q = bytes.fromhex("81000064")
QQ = bytes.fromhex("88a800648100 0007".replace(" ", ""))
QQ8100 = bytes.fromhex("8100006481000007")
cases = []


def case(name, clause, inp, fast, slow, trust="none", session="known", session_extra=(), renews=None, **expect):
    lines = [f"# {name.replace('-', ' ')}", f"clause: {clause}", f"trust: {trust}", f"session: {session}"]
    lines += [f"session-{k}: {v}" for k, v in session_extra]
    lines += [f"in: {inp.hex()}", f"fast: {fast}", f"slow: {slow}"]
    if renews is not None:
        lines.append(f"renews: {'yes' if renews else 'no'}")
    for key, value in expect.items():
        if key == "options":
            lines += [f"option: {code} {data.hex() or '-'}" for code, data in value.items()]
        elif key == "absent":
            lines += [f"absent: {code}" for code in value]
        else:
            lines.append(f"{key.replace('_', '-')}: {value}")
    cases.append((name, "\n".join(lines) + "\n"))


def u32(n):
    return struct.pack(">I", n)


LEASE = {53: b"\x05", 54: ip(SERVER), 51: u32(3600), 58: u32(1800), 59: u32(3150), 1: ip("255.255.0.0"), 3: ip(GATEWAY),
         6: ip("192.0.2.53") + ip("192.0.2.54"), 15: b"example.net"}
OFFER = LEASE | {53: b"\x02"}
NAK = {53: b"\x06", 54: ip(SERVER)}
TO_CLIENT = dict(to_mac=CLIENT.hex(":"), to_ip=ADDRESS, to_port=68)
TO_ALL = dict(to_mac=BCAST.hex(":"), to_ip="255.255.255.255", to_port=68)
REQ_SELECT = TYPE["request"] + opt(50, ip(ADDRESS)) + opt(54, ip(SERVER))

case("discover-known", "RFC 2131 4.3.1: a bound client is offered its address", frame(bootp(TYPE["discover"] + PRL + END)),
     "offer", "offer", renews=False, yiaddr=ADDRESS, ciaddr="0.0.0.0", giaddr="0.0.0.0", flags="0000", tags="-", options=OFFER,
     absent=[42, 224, 82, 61], **TO_CLIENT)
case("discover-known-broadcast-flag", "RFC 2131 4.1: broadcast bit", frame(bootp(TYPE["discover"] + PRL + END, flags=0x8000)),
     "offer", "offer", yiaddr=ADDRESS, flags="8000", options=OFFER, **TO_ALL)
case("discover-one-tag", "FEATURES A4", frame(bootp(TYPE["discover"] + PRL + END), tags=Q), "offer", "offer",
     yiaddr=ADDRESS, tags=Q.hex(), options=OFFER, **TO_CLIENT)
case("discover-qinq", "FEATURES A4: 0x88a8 outer", frame(bootp(TYPE["discover"] + PRL + END), tags=QQ), "offer", "offer",
     yiaddr=ADDRESS, tags=QQ.hex(), options=OFFER, **TO_CLIENT)
case("discover-qinq-8100", "FEATURES A4: 0x8100 outer", frame(bootp(TYPE["discover"] + PRL + END), tags=QQ8100), "offer", "offer",
     yiaddr=ADDRESS, tags=QQ8100.hex(), options=OFFER, **TO_CLIENT)
case("discover-unknown", "DESIGN 3: an unknown line punts", frame(bootp(TYPE["discover"] + PRL + END)),
     "punt dhcp_unknown_line", "offer", session="none", options=OFFER | {}, to_port=68)
case("discover-expired", "DESIGN 5: the lease is over", frame(bootp(TYPE["discover"] + PRL + END)),
     "punt dhcp_lapsed", "offer", session="expired", yiaddr=ADDRESS, options=OFFER, **TO_CLIENT)
case("discover-no-parameter-list", "RFC 2132 9.8: without a list everything configured is sent", frame(bootp(TYPE["discover"] + END)),
     "offer", "offer", yiaddr=ADDRESS, options=OFFER | {42: ip("192.0.2.123"), 224: bytes.fromhex("0102ff")}, **TO_CLIENT)
case("discover-parameter-list-other", "RFC 2132 9.8: only what is asked for",
     frame(bootp(TYPE["discover"] + opt(55, bytes([42, 224, 252])) + END)), "offer", "offer", yiaddr=ADDRESS,
     options={53: b"\x02", 54: ip(SERVER), 51: u32(3600), 42: ip("192.0.2.123"), 224: bytes.fromhex("0102ff")},
     absent=[1, 3, 6, 15, 252], **TO_CLIENT)
case("discover-client-id", "RFC 6842: option 61 echoed", frame(bootp(TYPE["discover"] + opt(61, CID) + PRL + END)),
     "offer", "offer", session_extra=[("client-id", CID.hex())], yiaddr=ADDRESS, options=OFFER | {61: CID}, **TO_CLIENT)
case("discover-client-id-before-type", "DESIGN 5: option 53 is not assumed first", frame(bootp(opt(61, CID) + PRL + TYPE["discover"] + END)),
     "offer", "offer", session_extra=[("client-id", CID.hex())], yiaddr=ADDRESS, options=OFFER | {61: CID}, **TO_CLIENT)
case("discover-client-id-changed", "another client identifier on the line: the controller decides",
     frame(bootp(TYPE["discover"] + opt(61, CID[:-1] + b"\x99") + PRL + END)), "punt dhcp_client_id_changed", "offer",
     session_extra=[("client-id", CID.hex())], yiaddr=ADDRESS, options=OFFER | {61: CID[:-1] + b"\x99"}, **TO_CLIENT)
case("discover-pads-between-options", "RFC 2132 3.1", frame(bootp(b"\0\0" + TYPE["discover"] + b"\0" + PRL + b"\0\0\0" + END)),
     "offer", "offer", yiaddr=ADDRESS, options=OFFER, **TO_CLIENT)
case("discover-many-options", "any order, many options",
     frame(bootp(b"".join(opt(c, bytes(3)) for c in (12, 60, 77, 93, 94, 116, 119, 121, 124, 125)) + opt(57, b"\x05\xdc") + PRL + TYPE["discover"] + END)),
     "offer", "offer", yiaddr=ADDRESS, options=OFFER, **TO_CLIENT)
case("discover-exactly-300", "RFC 1542 2.1: the smallest message clients send", frame(bootp(TYPE["discover"] + END, pad=300)),
     "offer", "offer", yiaddr=ADDRESS, **TO_CLIENT)
case("discover-548", "a message padded to 548 bytes", frame(bootp(TYPE["discover"] + PRL + END, pad=548)),
     "offer", "offer", yiaddr=ADDRESS, options=OFFER, **TO_CLIENT)
case("discover-unpadded", "some clients send no padding", frame(bootp(TYPE["discover"] + PRL + END, pad=0)),
     "offer", "offer", yiaddr=ADDRESS, options=OFFER, **TO_CLIENT)
case("discover-no-udp-checksum", "RFC 768: zero means none", frame(bootp(TYPE["discover"] + PRL + END), udpsum=False),
     "offer", "offer", yiaddr=ADDRESS, options=OFFER, **TO_CLIENT)
case("discover-overload-file", "RFC 2132 9.3: options in file", frame(bootp(opt(52, b"\x01") + END, file=TYPE["discover"] + PRL + END)),
     "offer", "offer", yiaddr=ADDRESS, options=OFFER, absent=[52], **TO_CLIENT)
case("discover-overload-sname", "RFC 2132 9.3: options in sname", frame(bootp(opt(52, b"\x02") + PRL + END, sname=TYPE["discover"] + END)),
     "offer", "offer", yiaddr=ADDRESS, options=OFFER, absent=[52], **TO_CLIENT)
case("discover-overload-both", "RFC 2132 9.3: file and sname",
     frame(bootp(opt(52, b"\x03") + END, file=TYPE["discover"] + END, sname=PRL + END)),
     "offer", "offer", yiaddr=ADDRESS, options=OFFER, absent=[52, 42], **TO_CLIENT)

case("request-selecting", "RFC 2131 4.3.2 SELECTING", frame(bootp(REQ_SELECT + PRL + END)), "ack", "ack", renews=True,
     yiaddr=ADDRESS, ciaddr="0.0.0.0", options=LEASE, **TO_CLIENT)
case("request-selecting-broadcast", "RFC 2131 4.1", frame(bootp(REQ_SELECT + PRL + END, flags=0x8000)), "ack", "ack", renews=True,
     yiaddr=ADDRESS, flags="8000", options=LEASE, **TO_ALL)
case("request-selecting-qinq", "FEATURES A4", frame(bootp(REQ_SELECT + PRL + END), tags=QQ), "ack", "ack", renews=True,
     yiaddr=ADDRESS, tags=QQ.hex(), options=LEASE, **TO_CLIENT)
case("request-selecting-54-before-50", "any order", frame(bootp(PRL + opt(54, ip(SERVER)) + opt(50, ip(ADDRESS)) + TYPE["request"] + END)),
     "ack", "ack", renews=True, yiaddr=ADDRESS, options=LEASE, **TO_CLIENT)
case("request-other-server", "DESIGN 5: another server's client is never ACKed",
     frame(bootp(TYPE["request"] + opt(50, ip(ADDRESS)) + opt(54, ip("203.0.113.9")) + END)),
     "drop dhcp_other_server", "silent", renews=False)
case("request-wrong-address", "RFC 2131 4.3.2: NAK for another address", frame(bootp(TYPE["request"] + opt(50, ip("100.64.2.1")) + opt(54, ip(SERVER)) + END)),
     "nak", "nak", renews=False, yiaddr="0.0.0.0", ciaddr="0.0.0.0", options=NAK, absent=[51, 58, 59, 1, 3, 6], **TO_ALL)
case("request-byte-reversed-address", "DESIGN 5: byte order", frame(bootp(TYPE["request"] + opt(50, ip("2.1.64.100")) + opt(54, ip(SERVER)) + END)),
     "nak", "nak", renews=False, yiaddr="0.0.0.0", options=NAK, **TO_ALL)
case("request-init-reboot", "RFC 2131 4.3.2 INIT-REBOOT", frame(bootp(TYPE["request"] + opt(50, ip(ADDRESS)) + PRL + END)),
     "ack", "ack", renews=True, yiaddr=ADDRESS, options=LEASE, **TO_CLIENT)
case("request-init-reboot-wrong", "RFC 2131 4.3.2: wrong network", frame(bootp(TYPE["request"] + opt(50, ip("10.1.2.3")) + END)),
     "nak", "nak", renews=False, yiaddr="0.0.0.0", options=NAK, **TO_ALL)
case("request-init-reboot-unknown-line-wrong-network", "RFC 2131 4.3.2", frame(bootp(TYPE["request"] + opt(50, ip("10.1.2.3")) + END)),
     "punt dhcp_unknown_line", "nak", session="none", yiaddr="0.0.0.0", options=NAK, **TO_ALL)
case("request-renew-unicast", "RFC 2131 4.3.2 RENEWING: unicast to ciaddr",
     frame(bootp(TYPE["request"] + PRL + END, ciaddr=ADDRESS), src=ADDRESS, dst=SERVER, dmac=PORT), "ack", "ack", renews=True,
     yiaddr=ADDRESS, ciaddr=ADDRESS, options=LEASE, **TO_CLIENT)
case("request-renew-unicast-qinq", "RENEWING on QinQ",
     frame(bootp(TYPE["request"] + PRL + END, ciaddr=ADDRESS), src=ADDRESS, dst=SERVER, dmac=PORT, tags=QQ), "ack", "ack", renews=True,
     yiaddr=ADDRESS, ciaddr=ADDRESS, tags=QQ.hex(), options=LEASE, **TO_CLIENT)
case("request-renew-broadcast-bit", "RFC 2131 4.1: ciaddr set wins over the broadcast bit",
     frame(bootp(TYPE["request"] + PRL + END, ciaddr=ADDRESS, flags=0x8000), src=ADDRESS, dst=SERVER, dmac=PORT), "ack", "ack",
     renews=True, yiaddr=ADDRESS, ciaddr=ADDRESS, options=LEASE, **TO_CLIENT)
case("request-rebind", "RFC 2131 4.3.2 REBINDING: broadcast, answered to ciaddr",
     frame(bootp(TYPE["request"] + PRL + END, ciaddr=ADDRESS), src=ADDRESS), "ack", "ack", renews=True, yiaddr=ADDRESS, ciaddr=ADDRESS,
     options=LEASE, **TO_CLIENT)
case("request-renew-wrong-address", "RFC 2131 4.3.2", frame(bootp(TYPE["request"] + END, ciaddr="100.64.9.9"), src="100.64.9.9", dst=SERVER, dmac=PORT),
     "nak", "nak", renews=False, yiaddr="0.0.0.0", options=NAK, **TO_ALL)
case("request-renew-expired", "DESIGN 5: expiry", frame(bootp(TYPE["request"] + END, ciaddr=ADDRESS), src=ADDRESS, dst=SERVER, dmac=PORT),
     "punt dhcp_lapsed", "ack", session="expired", yiaddr=ADDRESS, options={53: b"\x05"}, **TO_CLIENT)
case("request-no-address-at-all", "RFC 2131 table 4", frame(bootp(TYPE["request"] + END)), "drop malformed_dhcp", "silent", renews=False)

case("inform", "RFC 2131 4.3.5", frame(bootp(TYPE["inform"] + PRL + END, ciaddr=ADDRESS), src=ADDRESS), "inform", "inform",
     renews=False, yiaddr="0.0.0.0", ciaddr=ADDRESS,
     options={53: b"\x05", 54: ip(SERVER), 1: ip("255.255.0.0"), 3: ip(GATEWAY), 6: LEASE[6], 15: LEASE[15]}, absent=[51, 58, 59], **TO_CLIENT)
case("release", "RFC 2131 4.3.4", frame(bootp(TYPE["release"] + opt(54, ip(SERVER)) + END, ciaddr=ADDRESS), src=ADDRESS, dst=SERVER, dmac=PORT),
     "punt dhcp_release", "released", renews=False)
case("release-wrong-address", "RFC 2131 4.3.4: only its own", frame(bootp(TYPE["release"] + opt(54, ip(SERVER)) + END, ciaddr="100.64.9.9"), src="100.64.9.9", dst=SERVER, dmac=PORT),
     "punt dhcp_release", "silent", renews=False)
case("decline", "RFC 2131 4.3.3", frame(bootp(TYPE["decline"] + opt(50, ip(ADDRESS)) + opt(54, ip(SERVER)) + END)),
     "punt dhcp_decline", "declined", renews=False)
case("decline-wrong-address", "RFC 2131 4.3.3", frame(bootp(TYPE["decline"] + opt(50, ip("100.64.9.9")) + opt(54, ip(SERVER)) + END)),
     "punt dhcp_decline", "silent", renews=False)

case("option82-forged", "FEATURES A3", frame(bootp(TYPE["discover"] + opt(82, OPT82) + END)), "drop forged_option82",
     "refused forged_option82", renews=False)
case("option82-access-node", "RFC 3046 2.2: returned as it came, last", frame(bootp(TYPE["discover"] + PRL + opt(82, OPT82) + END)),
     "offer", "offer", trust="access-node", session_extra=[("option82", OPT82.hex())], yiaddr=ADDRESS, options=OFFER | {82: OPT82}, **TO_CLIENT)
case("option82-renewal-without", "a unicast renewal bypasses the access node",
     frame(bootp(TYPE["request"] + PRL + END, ciaddr=ADDRESS), src=ADDRESS, dst=SERVER, dmac=PORT), "ack", "ack", trust="access-node",
     session_extra=[("option82", OPT82.hex())], renews=True, yiaddr=ADDRESS, ciaddr=ADDRESS, options=LEASE, absent=[82], **TO_CLIENT)
case("option82-other-circuit", "FEATURES A3: the same MAC behind another circuit gets nothing of the first one's",
     frame(bootp(TYPE["discover"] + opt(82, opt(1, b"olt7/1/4:100.7")) + END)), "punt dhcp_option82_changed", "refused line_conflict",
     trust="access-node", session_extra=[("option82", OPT82.hex())], renews=False)
case("option82-255-bytes", "FEATURES A3: up to 255 bytes", frame(bootp(TYPE["request"] + opt(50, ip(ADDRESS)) + opt(54, ip(SERVER)) + opt(82, opt(1, bytes(range(1, 125))) + opt(2, bytes(range(100, 225)))) + END, pad=0)),
     "ack", "ack", trust="access-node", session_extra=[("option82", (opt(1, bytes(range(1, 125))) + opt(2, bytes(range(100, 225)))).hex())],
     renews=True, yiaddr=ADDRESS, options={53: b"\x05", 82: opt(1, bytes(range(1, 125))) + opt(2, bytes(range(100, 225)))}, **TO_CLIENT)

relay = dict(src=RELAY, dst=SERVER, smac=RELAY_MAC, dmac=PORT, sport=67)
TO_RELAY = dict(to_mac=RELAY_MAC.hex(":"), to_ip=RELAY, to_port=67)
known_relay = [("relay", RELAY)]
case("relay-discover", "RFC 2131 4.1: to the relay, port 67", frame(bootp(TYPE["discover"] + PRL + END, giaddr=RELAY, hops=1), **relay),
     "offer", "offer", trust="relays", session_extra=known_relay, yiaddr=ADDRESS, giaddr=RELAY, options=OFFER, **TO_RELAY)
case("relay-request", "FEATURES A1: trusted relays served", frame(bootp(REQ_SELECT + PRL + END, giaddr=RELAY, hops=1), **relay),
     "ack", "ack", trust="relays", session_extra=known_relay, renews=True, yiaddr=ADDRESS, giaddr=RELAY, options=LEASE, **TO_RELAY)
case("relay-option82", "RFC 3046", frame(bootp(REQ_SELECT + PRL + opt(82, OPT82) + END, giaddr=RELAY, hops=1), **relay),
     "ack", "ack", trust="relays", session_extra=known_relay + [("option82", OPT82.hex())], renews=True, yiaddr=ADDRESS, giaddr=RELAY,
     options=LEASE | {82: OPT82}, **TO_RELAY)
case("relay-nak", "RFC 2131 4.3.2: NAK through a relay carries the broadcast bit",
     frame(bootp(TYPE["request"] + opt(50, ip("100.64.2.1")) + opt(54, ip(SERVER)) + END, giaddr=RELAY, hops=1), **relay),
     "nak", "nak", trust="relays", session_extra=known_relay, renews=False, yiaddr="0.0.0.0", giaddr=RELAY, flags="8000", options=NAK, **TO_RELAY)
case("relay-untrusted-address", "FEATURES A3", frame(bootp(TYPE["discover"] + END, giaddr=STRANGER, hops=1), src=STRANGER, dst=SERVER, smac=RELAY_MAC, dmac=PORT, sport=67),
     "drop untrusted_relay", "refused untrusted_relay", trust="relays", session="none")
case("relay-on-plain-port", "FEATURES A3", frame(bootp(TYPE["discover"] + END, giaddr=RELAY, hops=1), **relay),
     "drop untrusted_relay", "refused untrusted_relay", trust="none", session="none")
case("relay-renew-unicast", "RFC 2131 4.4.5: a relayed client renews past its relay agent",
     frame(bootp(TYPE["request"] + PRL + END, ciaddr=ADDRESS), src=ADDRESS, dst=SERVER, smac=RELAY_MAC, dmac=PORT), "ack", "ack",
     trust="relays", session_extra=known_relay, renews=True, yiaddr=ADDRESS, ciaddr=ADDRESS, options=LEASE,
     to_mac=RELAY_MAC.hex(":"), to_ip=ADDRESS, to_port=68)

case("from-server", "a BOOTREPLY from a line", frame(bootp(TYPE["offer"] + END, op=2)), "drop dhcp_from_server", "silent", renews=False)
case("wrong-magic", "RFC 2131 3", frame(bootp(END).replace(bytes.fromhex("63825363"), bytes.fromhex("63825364"))),
     "drop malformed_dhcp", "refused malformed_dhcp", renews=False)
case("hlen-not-6", "Ethernet only", frame(b"\x01\x01\x07" + bootp(TYPE["discover"] + END)[3:]), "drop malformed_dhcp", "refused malformed_dhcp", renews=False)
case("option-runs-past-end", "a length beyond the message", frame(bootp(TYPE["discover"] + b"\x3d\xf0" + b"\x01", pad=0)),
     "drop malformed_dhcp", "refused malformed_dhcp", renews=False)
case("no-message-type", "plain BOOTP is not served", frame(bootp(PRL + END)), "drop malformed_dhcp", "silent", renews=False)
case("short-of-fixed-part", "truncated", frame(bootp(b"", pad=0)[:200]), "drop malformed_dhcp", "refused malformed_dhcp", renews=False)
case("chaddr-not-source", "FEATURES C2: the frame's source must be the client",
     frame(bootp(TYPE["discover"] + END, chaddr=bytes.fromhex("02005e445566"))), "drop malformed_dhcp", "refused chaddr_mismatch", session="none")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.glob("*.txt"):
        old.unlink()
    for name, text in cases:
        (OUT / f"{name}.txt").write_text(text)
    (OUT / "README.md").write_text(README)
    print(f"{len(cases)} vectors")


if __name__ == "__main__":
    sys.exit(main())
