# SPDX-License-Identifier: Apache-2.0
"""RADIUS packets of RFC 5176 made by hand, for what radclient cannot do: forge, replay, and send a thousand a second."""
import hashlib
import hmac
import socket
import struct
import time

DISCONNECT, DISCONNECT_ACK, DISCONNECT_NAK, COA, COA_ACK, COA_NAK = 40, 41, 42, 43, 44, 45
USER_NAME, FRAMED_IP, FILTER_ID, REPLY_MESSAGE, ACCT_SESSION_ID, EVENT_TIMESTAMP, MESSAGE_AUTHENTICATOR, ERROR_CAUSE = 1, 8, 11, 18, 44, 55, 80, 101


def attribute(kind, value):
    if isinstance(value, int):
        value = struct.pack("!I", value)
    elif isinstance(value, str):
        value = value.encode()
    return bytes([kind, len(value) + 2]) + value


def request(code, identifier, attributes, secret, timestamp=None, signed=True):
    """A request with Event-Timestamp (None: now, 0: none) and Message-Authenticator, its authenticator computed (RFC 5176 3.5)."""
    body = b"".join(attribute(*a) for a in attributes)
    if timestamp != 0:
        body += attribute(EVENT_TIMESTAMP, int(time.time()) if timestamp is None else timestamp)
    secret = secret.encode()
    length = 20 + len(body) + (18 if signed else 0)
    head = struct.pack("!BBH", code, identifier, length)
    if signed:
        blank = head + bytes(16) + body + attribute(MESSAGE_AUTHENTICATOR, bytes(16))
        body += attribute(MESSAGE_AUTHENTICATOR, hmac.new(secret, blank, hashlib.md5).digest())
    return head + hashlib.md5(head + bytes(16) + body + secret).digest() + body


def parse(packet):
    """(code, identifier, {type: [values]})"""
    found, at = {}, 20
    while at + 2 <= len(packet):
        kind, length = packet[at], packet[at + 1]
        found.setdefault(kind, []).append(packet[at + 2:at + length])
        at += length
    return packet[0], packet[1], found


def exchange(packet, to, timeout=3.0, source=None):
    """Sends one packet; the answer, or None when there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        if source:
            sock.bind(source)
        sock.settimeout(timeout)
        sock.sendto(packet, to)
        try:
            return parse(sock.recv(4096))
        except socket.timeout:
            return None


def burst(packets, to, window=64, timeout=10.0):
    """Sends packets, `window` without answer at a time, from as many sockets as identifiers need.

    packets: make(identifier) -> bytes, one per exchange. Returns ([(code, seconds)], elapsed seconds)."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(-(-len(packets) // 256))]
    for sock in sockets:
        sock.setblocking(False)
        sock.connect(to)
    import select
    poll = select.epoll()
    for sock in sockets:
        poll.register(sock, select.EPOLLIN)
    by_fd = {sock.fileno(): (index, sock) for index, sock in enumerate(sockets)}
    sent, results, started = {}, [], time.monotonic()
    next_one, deadline = 0, started + timeout
    while len(results) < len(packets) and time.monotonic() < deadline:
        while next_one < len(packets) and len(sent) < window:
            sockets[next_one // 256].send(packets[next_one](next_one % 256))
            sent[next_one] = time.monotonic()
            next_one += 1
        for fd, _ in poll.poll(0.2):
            index, sock = by_fd[fd]
            while True:
                try:
                    answer = sock.recv(4096)
                except BlockingIOError:
                    break
                at = sent.pop(index * 256 + answer[1], None)
                if at is not None:
                    results.append((answer[0], time.monotonic() - at))
    elapsed = time.monotonic() - started
    for sock in sockets:
        sock.close()
    return results, elapsed


def main():
    """burst on the command line, as JSON: secret, code, host, port, and lines of `session-id [filter-id]` on standard input."""
    import json
    import sys
    secret, code, host, port, window = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
    lines = [line.split() for line in sys.stdin if line.strip()]

    def make(line):
        attributes = [(ACCT_SESSION_ID, line[0])] + [(FILTER_ID, f) for f in line[1:]]
        return lambda identifier: request(code, identifier, attributes, secret)

    results, elapsed = burst([make(line) for line in lines], (host, port), window, timeout=60)
    times = sorted(t for _, t in results)
    codes = {}
    for answer, _ in results:
        codes[answer] = codes.get(answer, 0) + 1
    print(json.dumps({"sent": len(lines), "answers": codes, "seconds": elapsed, "p50_ms": times[len(times) // 2] * 1e3 if times else None,
                      "p99_ms": times[int(len(times) * 0.99)] * 1e3 if times else None}))


if __name__ == "__main__":
    main()
