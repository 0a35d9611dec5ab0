#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An access node's DHCP snooping (BBF TR-101): bridges one customer's port to the uplink, puts option 82 into what the customer
sends (replacing one of the customer's own) and takes it out of what comes back.

usage: access_node.py CUSTOMER_INTERFACE UPLINK_INTERFACE OPTION82_HEX
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


def main():
    customer, uplink = open_port(sys.argv[1]), open_port(sys.argv[2])
    option82 = bytes.fromhex(sys.argv[3])
    ways = {customer: (uplink, option82), uplink: (customer, None)}
    while True:
        for port in select.select(list(ways), [], [])[0]:
            try:
                frame, where = port.recvfrom(4096)
                if where[2] != PACKET_OUTGOING:
                    to, value = ways[port]
                    to.send(rewrite(frame, value))
            except OSError as error:
                if error.errno != errno.ENETDOWN:  # a port that is still, or again, down
                    raise


if __name__ == "__main__":
    main()
