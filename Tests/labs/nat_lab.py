# SPDX-License-Identifier: Apache-2.0
"""Labs of NAT: the core knows only public addresses, and small servers say who they see."""
import json
import socket

from topology import CORE_IP, SERVER_IP, Process, sh, wait_for

PUBLIC = "192.0.2.128/30"
FIRST = "192.0.2.128"
OTHER_IP = "198.51.100.77"
# Answers with the address and port it sees, and prints both.
WHO = """
import socket, sys, threading
kind, port = sys.argv[1], int(sys.argv[2])
if kind == "udp":
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", port))
    while True:
        data, peer = s.recvfrom(65535)
        print("%s %d %d" % (*peer, len(data)), flush=True)
        s.sendto(("%s %d" % peer).encode() + (b" " + data if data[:4] == b"echo" else b""), peer)
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("", port))
s.listen(64)
def serve(c, peer):
    c.sendall(("%s %d\\n" % peer).encode())
    while True:
        data = c.recv(65536)
        if not data:
            break
        c.sendall(data)
    c.close()
while True:
    c, peer = s.accept()
    print("%s %d" % peer, flush=True)
    threading.Thread(target=serve, args=(c, peer), daemon=True).start()
"""


def nat_options(pool="", policy="", address_pool="", more=""):
    """Keywords of Lab: everybody of `residential` behind a NAT pool `public` of four addresses."""
    return {"extra_pool": f"    nat: public\n{address_pool}", "policy": f"""nat-policies:
  - name: standard
{policy}
nat-pools:
  - name: public
    policy: standard
    addresses: [{PUBLIC}]
{pool}
{more}"""}


def only_public_addresses(lab):
    """The core learns the way to the public addresses and forgets the one to private ones."""
    sh(f"ip route add {PUBLIC} via {CORE_IP}", ns="server")
    sh(f"ip route del {lab.prefix} via {CORE_IP}", ns="server")


def another_address_of_the_server():
    sh(f"ip address add {OTHER_IP}/32 dev eth0", ns="server")


def up(lab):
    """The lab, with a core that knows public addresses only."""
    lab.up()
    only_public_addresses(lab)
    return lab


def who(lab, kind, port, ns="server"):
    """A server that answers with who it sees."""
    process = Process(f"who-{kind}-{port}", ["/usr/bin/python3", "-c", WHO, kind, str(port)],
                      lab.dir / f"who-{ns}-{kind}-{port}.log", ns=ns)
    lab.extra.append(process)
    listening = lambda: f":{port}" in sh("ss -Hln -t -u", ns=ns)  # noqa: E731
    wait_for(f"{kind} server on {port}", listening, 10)
    return process


ASK = """
import socket, sys
kind, host, port, local = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.settimeout(5)
s.bind(("", local))
s.connect((host, port))
if kind == "udp":
    s.send(b"who")
print(s.recv(65535).decode().strip())
"""


def seen(cpe, kind, port, local=0, host=SERVER_IP):
    """(address, port) a server sees this subscriber as."""
    out = cpe.run(["/usr/bin/python3", "-c", ASK, kind, host, str(port), str(local)], timeout=30)
    address, outside = out.split()[:2]
    return address, int(outside)


def public_side(lab, cpe):
    """What the controller says of a subscriber's public side: (address, [(first, last)])."""
    nat = lab.session(lab.session_of(cpe)["id"])["nat"]
    return nat["address"], [tuple(int(p) for p in ports.split("-")) for ports in nat["ports"]]


def is_within(port, ranges):
    return any(first <= port <= last for first, last in ranges)
