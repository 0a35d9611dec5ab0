# SPDX-License-Identifier: Apache-2.0
"""CGNAT with real hosts (FEATURES C3): what they reach, as whom, and what survives.

    cpe1, cpe2 (100.64/10) ── [bng] ── server, which knows 192.0.2.128/30 and no private address
"""
import re
import time

import pytest

from nat_lab import OTHER_IP, another_address_of_the_server, is_within, nat_options, public_side, seen, up, who
from topology import CORE_IP, SERVER_IP, Process, sh, wait_for


def online(lab, name, mac, **line):
    cpe = lab.cpe(name, mac, **line)
    cpe.udhcpc()
    cpe.wait_address()
    return cpe


@pytest.fixture
def nat(make_lab):
    return up(make_lab(**nat_options()))


@pytest.mark.parametrize("line", [{}, {"s": 100}, {"s": 200, "c": 7}], ids=["untagged", "tag", "qinq"])
def test_a_customer_is_seen_with_a_port_of_its_block(nat, line):
    cpe = online(nat, "cpe1", "02:00:5e:20:00:01", **line)
    who(nat, "tcp", 7001)
    who(nat, "udp", 7002)
    address, ranges = public_side(nat, cpe)
    assert address.startswith("192.0.2.") and len(ranges) == 1 and ranges[0][1] - ranges[0][0] == 511
    assert cpe.ping(count=5) == (5, 5)
    for kind, port in (("tcp", 7001), ("udp", 7002)):
        seen_address, seen_port = seen(cpe, kind, port)
        assert seen_address == address and is_within(seen_port, ranges), (seen_address, seen_port, ranges)
    # Endpoint-independent mapping: the same inside port is the same outside, whoever is asked.
    who(nat, "udp", 7003)
    assert seen(cpe, "udp", 7002, local=40001) == seen(cpe, "udp", 7003, local=40001)
    assert "hello" in cpe.run(f"curl -s -m 10 http://{SERVER_IP}/hello.txt")
    counters = wait_for("counters", lambda: (lambda c: c if c["natMappingsCreated"] >= 5 else None)(
        nat.session(nat.session_of(cpe)["id"])["counters"]), 10)
    assert counters["natRefused"] == 0


def test_traceroute_shows_the_way(nat):
    cpe = online(nat, "cpe1", "02:00:5e:20:00:01")
    for method in ("-I", "-U", "-T"):
        out = cpe.run(f"traceroute -n {method} -q 1 -w 2 -m 4 {SERVER_IP}", check=False, timeout=60)
        hops = re.findall(r"^\s*\d+\s+(\S+)", out, re.M)
        assert hops[0] == "100.64.0.1" and SERVER_IP in hops, out


def test_two_lines_reach_each_other_by_their_public_side(nat):
    """Hairpinning (RFC 4787 REQ-9): with the public address of the other as the peer, and its own as the source."""
    one = online(nat, "cpe1", "02:00:5e:20:00:01", s=100)
    two = online(nat, "cpe2", "02:00:5e:20:00:02", s=200, c=9)
    who(nat, "udp", 7002)
    # Two's server socket is known by a mapping: a packet from its port to anybody makes it.
    outside = seen(two, "udp", 7002, local=9000)
    who(nat, "udp", 9000, ns="cpe2")
    assert seen(one, "udp", outside[1], host=outside[0])[0] == public_side(nat, one)[0]
    log = (nat.dir / "who-cpe2-udp-9000.log").read_text()
    address, port = log.split()[:2]
    assert address == public_side(nat, one)[0] and is_within(int(port), public_side(nat, one)[1])


def test_what_is_not_asked_for_does_not_come_in(nat):
    cpe = online(nat, "cpe1", "02:00:5e:20:00:01")
    who(nat, "udp", 9000, ns="cpe1")
    address, ranges = public_side(nat, cpe)
    ask = "import socket; s = socket.socket(2, 2); s.sendto(b'x', ('%s', %d))" % (address, ranges[0][0] + 3)
    sh(["/usr/bin/python3", "-c", ask], ns="server")
    sh(f"ping -c 1 -W 1 {address}", ns="server", check=False)
    wait_for("counted", lambda: nat.counter("drop.nat_no_mapping") >= 2, 10)
    assert (nat.dir / "who-cpe1-udp-9000.log").read_text() == ""


def test_toward_an_exempt_prefix_customers_have_their_own_addresses(make_lab):
    """RFC 6888 REQ-6: a server of the operator, which knows the way to private addresses, sees them; the world does not."""
    lab = make_lab(**nat_options())
    route = "      - prefix: 0.0.0.0/0\n"
    exempt = f"      - {{prefix: {OTHER_IP}/32, via: kernel, nat: none}}\n"
    lab.config.write_text(lab.config.read_text().replace(route, exempt + route, 1))
    up(lab)
    another_address_of_the_server()
    sh(f"ip route add {lab.prefix} via {CORE_IP}", ns="server")
    cpe = online(lab, "cpe1", "02:00:5e:20:00:01", s=200, c=7)
    who(lab, "tcp", 7001)
    assert seen(cpe, "tcp", 7001, local=40001, host=OTHER_IP) == (cpe.address(), 40001)
    assert seen(cpe, "tcp", 7001, local=40002)[0] == public_side(lab, cpe)[0]


def test_connections_live_through_the_death_of_both_planes(nat):
    cpe = online(nat, "cpe1", "02:00:5e:20:00:01", s=200, c=7)
    who(nat, "tcp", 7001)
    talk = """
import socket, time
s = socket.socket(); s.settimeout(5); s.connect(("%s", 7001)); s.recv(100)
end, n = time.time() + 12, 0
while time.time() < end:
    s.sendall(b"x" * 100); got = b""
    while len(got) < 100: got += s.recv(200)
    n += 1; time.sleep(0.01)
print("rounds", n, flush=True)
""" % SERVER_IP
    talker = cpe.start("talk", ["/usr/bin/python3", "-c", talk])
    before = public_side(nat, cpe)
    time.sleep(1)
    nat.agent.kill()
    time.sleep(0.5)
    nat.start_agent()
    nat.controller.kill()
    time.sleep(0.5)
    nat.start_controller()
    wait_for("settled", nat.node_settled, 20)
    assert talker.popen.wait(30) == 0, (nat.dir / "cpe1-talk.log").read_text()
    assert int((nat.dir / "cpe1-talk.log").read_text().split()[1]) > 300
    assert public_side(nat, cpe) == before and nat.audit_differences() == 0


def test_a_customer_who_needs_more_ports_gets_another_block(make_lab):
    lab = up(make_lab(**nat_options(pool="    block-size: 64\n    max-blocks: 2")))
    cpe = online(lab, "cpe1", "02:00:5e:20:00:01")
    who(lab, "udp", 7002)
    many = """
import socket, sys, time
kept = []
for n in range(%d):
    s = socket.socket(2, 2); s.connect(("%s", 7002)); kept.append(s); s.send(b"who")
    time.sleep(0.01)
time.sleep(1)
answers = set()
for s in kept:
    try: answers.add(s.recv(100, socket.MSG_DONTWAIT))
    except OSError: pass
print(len(answers), flush=True)
"""
    assert len(public_side(lab, cpe)[1]) == 1
    assert int(cpe.run(["/usr/bin/python3", "-c", many % (55, SERVER_IP)], timeout=60)) == 55
    wait_for("another block", lambda: len(public_side(lab, cpe)[1]) == 2, 10)
    address, ranges = public_side(lab, cpe)
    assert ranges[0] != ranges[1] and all(last - first == 63 for first, last in ranges)
    # Both together and no more: 128 ports are not 200.
    got = int(cpe.run(["/usr/bin/python3", "-c", many % (200, SERVER_IP)], timeout=60))
    assert 128 - 60 <= got <= 128 - 55 + 1, got
    wait_for("refusals counted", lambda: lab.session(lab.session_of(cpe)["id"])["counters"]["natRefused"] > 0, 10)
    assert len(public_side(lab, cpe)[1]) == 2


def test_nobody_is_served_untranslated_when_the_pool_is_empty(make_lab):
    lab = up(make_lab(**nat_options(pool="    block-size: 16384\n    max-blocks: 1\n")))
    # Four addresses have three blocks of 16,384 ports each.
    cpes = [online(lab, f"cpe{n}", f"02:00:5e:20:01:{n:02x}", s=100 + n) for n in range(1, 4)]
    assert {public_side(lab, c)[0] for c in cpes} <= {f"192.0.2.{n}" for n in range(128, 132)}
    more = [lab.cpe(f"cpe{n}", f"02:00:5e:20:01:{n:02x}", s=100 + n) for n in range(4, 14)]
    for cpe in more:
        cpe.udhcpc()
    wait_for("twelve blocks are twelve customers", lambda: len([c for c in more if c.address()]) == 9, 60)
    refused = lambda: re.search(r'nat_exhausted"?\}? ([1-9]\d*)', lab.metrics())  # noqa: E731
    wait_for("the thirteenth refused", refused, 30)
    assert len([c for c in more if c.address()]) == 9
    assert len([s for s in lab.sessions() if s["phase"] == "active"]) == 12


def test_a_block_rests_after_its_customer(nat):
    cpe = online(nat, "cpe1", "02:00:5e:20:00:01")
    who(nat, "udp", 7002)
    seen(cpe, "udp", 7002)
    before = public_side(nat, cpe)
    nat.ctl("clear", "session", nat.session_of(cpe)["id"], text=True)
    dump = lambda: sh(f"bpftool -j map dump pinned {nat.pins}/maps/nat_out")  # noqa: E731
    wait_for("mappings swept", lambda: dump().strip() in ("[]", ""), 10)
    cpe.stop()
    other = online(nat, "cpe2", "02:00:5e:20:00:02", s=300)
    assert public_side(nat, other) != before
    nat.controller.kill()
    nat.start_controller()
    third = online(nat, "cpe3", "02:00:5e:20:00:03", s=301)
    assert public_side(nat, third) not in (before, public_side(nat, other))
