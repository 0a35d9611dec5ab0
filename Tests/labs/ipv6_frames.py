# SPDX-License-Identifier: Apache-2.0
"""IPv6 frames made by hand, right in all but what a lab gets wrong, and junk: the fuzzers' corpora and the vectors in right envelopes."""
import random
import socket

from topology import ROOT

ROUTERS, RELAYS = "ff02::2", "ff02::1:2"
HOP_BY_HOP, ROUTING, ICMPV6, DESTINATION = 0, 43, 58, 60


def sum16(data):
    data += b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(data[i:i + 2], "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packed(address):
    return socket.inet_pton(socket.AF_INET6, address)


def ethernet(source, target):
    return bytes.fromhex((target + source).replace(":", "")) + b"\x86\xdd"


def group_mac(address):
    return "33:33:" + packed(address)[-4:].hex(":")


def packet(source, target, protocol, upper, at, chain=(), hop_limit=64):
    """An IPv6 packet; the checksum is put at byte `at` of `upper`. `chain`: (header number, its 6 bytes) of extension headers."""
    addresses = packed(source) + packed(target)
    upper = upper[:at] + b"\0\0" + upper[at + 2:]
    total = sum16(addresses + len(upper).to_bytes(4, "big") + protocol.to_bytes(4, "big") + upper) or 0xFFFF
    upper = upper[:at] + total.to_bytes(2, "big") + upper[at + 2:]
    kinds = [kind for kind, _ in chain] + [protocol]
    extensions = b"".join(bytes([following, 0]) + body for (_, body), following in zip(chain, kinds[1:]))
    return b"\x60\0\0\0" + (len(extensions) + len(upper)).to_bytes(2, "big") + bytes([kinds[0], hop_limit]) + addresses + extensions + upper


def icmpv6(source, target, message, **more):
    return packet(source, target, ICMPV6, message, 2, **more)


def dhcpv6(source, message):
    udp = (546).to_bytes(2, "big") + (547).to_bytes(2, "big") + (8 + len(message)).to_bytes(2, "big") + b"\0\0" + message
    return packet(source, RELAYS, 17, udp, 6, hop_limit=1)


def samples(name):
    """Messages of a protocol: those of its corpus (with what its fuzz target puts before them) and of its vectors."""
    texts = (ROOT / f"Tests/fuzz/corpus/{name}.hex").read_text().splitlines()
    for vectors in sorted((ROOT / f"Tests/vectors/{name}").glob("*.txt")):
        texts += [line.partition(": ")[2] for line in vectors.read_text().splitlines() if line.startswith(("message:", "malformed:", "odd:"))]
    return [bytes.fromhex(text)[:1400] for text in texts if text and not text.startswith("#")]


def damaged(message, chance):
    """Cut anywhere, and up to four bytes changed, but mostly not the message's type."""
    copy = bytearray(message[:chance.randint(4, max(4, len(message)))])
    for _ in range(chance.randint(0, 4)):
        if len(copy) > 1:
            copy[chance.randrange(chance.random() < 0.9, len(copy))] = chance.randrange(256)
    return bytes(copy)


def junk(mac, source, copies=20, seed=20261123):
    """Frames of a line: every sample as it is and damaged copies of it; the same ones each time."""
    chance = random.Random(seed)
    frames = []
    for message in samples("nd"):
        for body in [message] + [damaged(message, chance) for _ in range(copies)]:
            frames.append(ethernet(mac, group_mac(ROUTERS)) + icmpv6(source, ROUTERS, body.ljust(4, b"\0"), hop_limit=255))
    for message in samples("dhcpv6"):
        for body in [message] + [damaged(message, chance) for _ in range(copies)]:
            frames.append(ethernet(mac, group_mac(RELAYS)) + dhcpv6(source, body))
    chance.shuffle(frames)
    return frames
