# SPDX-License-Identifier: Apache-2.0
"""Port forwards (FEATURES C6): by a file, by an operator, by NAT-PMP (natpmpc) and by PCP.

    cpe1 (100.64/10) ── [bng] ── server, which knows 192.0.2.128/30 and no private address

Debian packages no PCP client: requests of RFC 6887 are made here, byte by byte; NAT-PMP's are a real client's.
"""
import ipaddress
import re
import struct
import subprocess

import pytest

from nat_lab import nat_options, public_side, up
from topology import sh, wait_for

GATEWAY = "100.64.0.1"
# Says who called, and stays.
LISTEN = """
import socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("", int(sys.argv[1])))
s.listen(8)
while True:
    c, peer = s.accept()
    c.sendall(("inside %s" % sys.argv[1]).encode())
    c.close()
"""
CALL = """
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)
print(s.recv(100).decode())
"""
# Sends a datagram in hex, prints the answer in hex.
SEND = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(3)
s.connect((sys.argv[1], 5351))
s.send(bytes.fromhex(sys.argv[2]))
print(s.recv(1200).hex())
"""
NONCE = bytes(range(12))


def online(lab, name, mac):
    cpe = lab.cpe(name, mac)
    cpe.udhcpc()
    cpe.wait_address()
    return cpe


@pytest.fixture
def nat(make_lab):
    return up(make_lab(**nat_options(policy="    pcp: true\n    pcp-lifetime-min: 2s\n    pcp-forwards: 4\n")))


@pytest.fixture
def cpe(nat):
    return online(nat, "cpe1", "02:00:5e:20:00:01")


def listen(lab, cpe, port):
    lab.extra.append(cpe.start(f"listen-{port}", ["/usr/bin/python3", "-c", LISTEN, str(port)]))
    wait_for(f"a listener on {port}", lambda: f":{port}" in cpe.run("ss -Hln -t"), 10)


def call(address, port):
    """What a host outside hears at a public port; None: nothing."""
    try:
        return sh(["/usr/bin/python3", "-c", CALL, address, str(port)], ns="server", timeout=10).strip()
    except (RuntimeError, subprocess.SubprocessError, AssertionError):
        return None


def forwards(lab, cpe):
    return {(f["transport"], f["port"]): f for f in lab.ctl("nat", "forward", "list", lab.session_of(cpe)["id"])}


def pmp(cpe, *args, check=True):
    return cpe.run(["natpmpc", "-g", GATEWAY, *[str(a) for a in args]], check=check, timeout=40)


def pcp_map(cpe, port, suggested=0, lifetime=600, nonce=NONCE, options=b"", client=None, version=2, opcode=1):
    """(result, lifetime, external port, external address) of a MAP request for TCP (RFC 6887 11.1)."""
    mapped = lambda a: ipaddress.ip_address("::ffff:" + a).packed  # noqa: E731
    request = struct.pack(">BBHI", version, opcode, 0, lifetime) + mapped(client or cpe.address()) + nonce
    request += struct.pack(">B3xHH", 6, port, suggested) + mapped("0.0.0.0") + options
    answer = bytes.fromhex(cpe.run(["/usr/bin/python3", "-c", SEND, GATEWAY, request.hex()], timeout=20).strip())
    assert answer[0] == 2 and answer[1] == opcode | 0x80 and len(answer) >= 24
    if len(answer) < 60:
        return answer[3], struct.unpack(">I", answer[4:8])[0], 0, ""
    return (answer[3], *struct.unpack(">I", answer[4:8]), *struct.unpack(">H", answer[42:44]),
            str(ipaddress.ip_address(answer[56:60])))


def test_natpmpc_opens_a_port_until_its_lifetime_ends(nat, cpe):
    address, ranges = public_side(nat, cpe)
    assert f"Public IP address : {address}" in pmp(cpe)
    listen(nat, cpe, 8080)
    first = ranges[0][0]
    assert call(address, first + 5) is None
    out = pmp(cpe, "-a", first + 5, 8080, "tcp", 3600)
    assert re.search(rf"Mapped public port {first + 5} protocol TCP to local port 8080 li\w*time 3600", out), out
    assert call(address, first + 5) == "inside 8080"
    assert forwards(nat, cpe)["tcp", first + 5]["origin"] == "nat-pmp"
    # It is the session's, and outlives the controller and the agent.
    nat.controller.kill()
    nat.start_controller()
    nat.agent.kill()
    nat.start_agent()
    wait_for("node settled", nat.node_settled, 30)
    assert call(address, first + 5) == "inside 8080"
    assert "Mapped public port" in pmp(cpe, "-a", first + 5, 8080, "tcp", 2)
    wait_for("the end of its lifetime", lambda: call(address, first + 5) is None, 20)
    assert forwards(nat, cpe) == {}
    assert nat.audit_differences() == 0


def test_pcp_maps_and_refuses(nat, cpe):
    address, ranges = public_side(nat, cpe)
    first = ranges[0][0]
    listen(nat, cpe, 8081)
    assert pcp_map(cpe, 8081, suggested=first + 9) == (0, 600, first + 9, address)
    assert call(address, first + 9) == "inside 8081"
    assert pcp_map(cpe, 8081, nonce=bytes(12))[0] == 2  # NOT_AUTHORIZED
    assert pcp_map(cpe, 8082, suggested=first + 9, options=bytes([2, 0, 0, 0]))[0] == 11  # CANNOT_PROVIDE_EXTERNAL
    assert pcp_map(cpe, 8082, client="100.64.9.9")[0] == 12  # ADDRESS_MISMATCH
    assert pcp_map(cpe, 8082, version=1)[0] == 1  # UNSUPP_VERSION
    assert pcp_map(cpe, 8082, opcode=2)[0] == 4  # PEER: UNSUPP_OPCODE
    assert pcp_map(cpe, 8082, suggested=80)[2] not in (0, 80)
    assert pcp_map(cpe, 8081, lifetime=0)[:2] == (0, 0)
    assert call(address, first + 9) is None
    for port in range(8083, 8086):
        assert pcp_map(cpe, port)[0] == 0
    assert pcp_map(cpe, 8086)[0] == 10  # USER_EX_QUOTA
    wait_for("counters", lambda: nat.counter("punt.pcp_request") >= 12, 15)


def test_an_operators_forward_lasts_and_gives_way_to_nothing(nat, cpe):
    address, ranges = public_side(nat, cpe)
    first = ranges[0][0]
    session = nat.session_of(cpe)["id"]
    listen(nat, cpe, 8090)
    nat.ctl("nat", "forward", "add", session, f"tcp:{first}:8090", text=True)
    assert call(address, first) == "inside 8090"
    for wrong in (f"tcp:{first}:9", "tcp:80:9", f"tcp:{first + 1}:8090", f"tcp:{first + 1}:198.51.100.1:9", "gre:1:1"):
        with pytest.raises(RuntimeError, match="bngctl: "):
            nat.ctl("nat", "forward", "add", session, wrong, text=True)
    nat.controller.kill()
    nat.start_controller()
    wait_for("node settled", nat.node_settled, 30)
    assert call(address, first) == "inside 8090"
    # A customer is told of it, and cannot take it away.
    assert pcp_map(cpe, 8090)[2] == first and pcp_map(cpe, 8090, lifetime=0)[0] == 2
    assert [f["origin"] for f in forwards(nat, cpe).values()] == ["operator"]
    nat.ctl("nat", "forward", "remove", session, f"tcp:{first}", text=True)
    assert call(address, first) is None and forwards(nat, cpe) == {}
