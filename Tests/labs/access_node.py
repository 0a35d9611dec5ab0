#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An access node's DHCP snooping (BBF TR-101, TR-177): bridges one customer's port to the uplink, puts option 82 into what the
customer sends (replacing one of the customer's own) and takes it out of what comes back. In IPv6 it is a Lightweight DHCPv6 Relay
Agent (RFC 6221): the circuit is an Interface-Id, the remote id a Remote-Id of the Broadband Forum; what claims to have been relayed
already is discarded, unless RELAYS is 0: then the node knows nothing of DHCPv6. With 2 another such node follows.

usage: access_node.py CUSTOMER_INTERFACE UPLINK_INTERFACE OPTION82_HEX [RELAYS]
"""
import errno
import select
import socket
import struct
import sys

ETH_P_ALL, PACKET_OUTGOING, BOOTP_OPTIONS = 3, 4, 240


def open_port(name):
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    port.bind((name, ETH_P_ALL))
    return port


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def options(data):
    """[(code, whole TLV)] up to the end option."""
    found, i = [], 0
    while i < len(data) and data[i] != 255:
        if data[i] == 0:
            i += 1
            continue
        found.append((data[i], data[i:i + 2 + data[i + 1]]))
        i += 2 + data[i + 1]
    return found


def rewrite(frame, option82):
    """The frame with option 82 set (or taken out, if None) when it is untagged DHCPv4; else as it was."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 17 or frame[14] != 0x45:
        return frame
    ports = struct.unpack(">HH", frame[34:38])
    if not set(ports) & {67, 68} or frame[42 + 236:42 + 240] != bytes.fromhex("63825363"):
        return frame
    bootp = frame[42:42 + BOOTP_OPTIONS]
    kept = b"".join(tlv for code, tlv in options(frame[42 + BOOTP_OPTIONS:]) if code != 82)
    payload = bootp + kept + (bytes([82, len(option82)]) + option82 if option82 else b"") + b"\xff"
    payload = payload.ljust(300, b"\0")
    head = frame[14:16] + struct.pack(">H", 28 + len(payload)) + frame[18:24] + b"\0\0" + frame[26:34]
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    udp = frame[34:38] + struct.pack(">HH", 8 + len(payload), 0)
    return frame[:14] + head + udp + payload


# DHCPv6 (RFC 8415 7.2, 9, 21).
CLIENT_PORT, SERVER_PORT, FORWARD, REPLY = 546, 547, 12, 13
RELAY_MESSAGE, INTERFACE_ID, REMOTE_ID, BBF = 9, 18, 37, 3561


def option6(code, data):
    return struct.pack(">HH", code, len(data)) + data


def identity6(option82):
    """Interface-Id and Remote-Id that say what option 82 says."""
    ids = dict(options(option82))
    found = option6(INTERFACE_ID, ids[1][2:]) if 1 in ids else b""
    return found + (option6(REMOTE_ID, struct.pack(">I", BBF) + ids[2][2:]) if 2 in ids else b"")


def udp6(frame, ports, payload):
    """The frame with another UDP payload and ports."""
    udp = struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload
    total = checksum(frame[22:54] + struct.pack(">II", len(udp), 17) + udp)
    return frame[:18] + struct.pack(">H", len(udp)) + frame[20:54] + udp[:6] + struct.pack(">H", total or 0xFFFF) + payload


def wrap(frame, option82, relays):
    """What the customer sent, in as many envelopes as there are relays; None: to be discarded."""
    payload = frame[62:]
    if payload[0] in (FORWARD, REPLY):
        return None
    for hop in range(relays):
        own = identity6(option82) if hop == 0 else option6(INTERFACE_ID, b"aggregation")
        payload = bytes([FORWARD, hop]) + bytes(16) + frame[22:38] + own + option6(RELAY_MESSAGE, payload)
    return udp6(frame, (SERVER_PORT, SERVER_PORT), payload)


def unwrap(frame, relays):
    """What the server has to say to the customer."""
    payload = frame[62:]
    for _ in range(relays):
        if payload[0] != REPLY:
            return None
        found, at = None, 34
        while at + 4 <= len(payload):
            code, length = struct.unpack(">HH", payload[at:at + 4])
            if code == RELAY_MESSAGE:
                found = payload[at + 4:at + 4 + length]
            at += 4 + length
        if found is None:
            return None
        payload = found
    return udp6(frame, (SERVER_PORT, CLIENT_PORT), payload)


def relay6(frame, option82, relays):
    """The frame as a Lightweight DHCPv6 Relay Agent passes it on; as it was if it is not DHCPv6; None: discarded."""
    if not relays or frame[12:14] != b"\x86\xdd" or frame[20] != 17 or len(frame) < 66:
        return frame
    if struct.unpack(">H", frame[56:58])[0] != SERVER_PORT:
        return frame
    return wrap(frame, option82, relays) if option82 else unwrap(frame, relays)


def main():
    customer, uplink = open_port(sys.argv[1]), open_port(sys.argv[2])
    option82 = bytes.fromhex(sys.argv[3])
    relays = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    ways = {customer: (uplink, option82), uplink: (customer, None)}
    while True:
        for port in select.select(list(ways), [], [])[0]:
            try:
                frame, where = port.recvfrom(4096)
                if where[2] != PACKET_OUTGOING:
                    to, value = ways[port]
                    passed = relay6(rewrite(frame, value), value, relays)
                    if passed:
                        to.send(passed)
            except OSError as error:
                if error.errno != errno.ENETDOWN:  # a port that is still, or again, down
                    raise


if __name__ == "__main__":
    main()
