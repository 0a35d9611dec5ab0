# SPDX-License-Identifier: Apache-2.0
"""IPv6 packets through the real programs: both ways and counted, what they do to leases, and unresolved next hops."""

import pathlib
import time

import pytest
from agent_controller import d, mac, s, utc_ms
from conftest import run
from ipv6_scene import address_of, dual, enable, frame, group_mac, icmp, ip6, prefix, route, udp
from test_agent_packets import raw_socket
from test_agent_service import counters_of, deletes

ID = (1 << 48) | 1
HOST, HOST_MAC = "2001:db8:c::9", mac(0xC0FFEE)
ROUTER = "2001:db8:c::1"
FORWARDING = pathlib.Path("/proc/sys/net/ipv6/conf/all/forwarding")


@pytest.fixture
def line(pass_program):
    """The far ends of both ports; the node has ROUTER's address on the core side."""
    for name in ("access0p", "core0p"):
        run("ip", "-force", "link", "set", "dev", name, "xdp", "obj", pass_program, "sec", "xdp")
    FORWARDING.write_text("1\n")
    run("ip", "-6", "address", "add", f"{ROUTER}/64", "dev", "core0", "nodad")
    it = raw_socket("access0p")
    yield it
    it.close()
    run("ip", "-6", "address", "del", f"{ROUTER}/64", "dev", "core0")
    FORWARDING.write_text("0\n")
    for name in ("access0p", "core0p"):
        run("ip", "link", "set", "dev", name, "xdp", "off")


@pytest.fixture
def core(line):
    it = raw_socket("core0p")
    yield it
    it.close()


@pytest.fixture
def served(associated, line):
    associated.apply(*enable())
    return associated


def mac_of(served, port):
    return next(p.mac for p in served.hello.ports if p.name == port)


def received(port, until, timeout=5):
    end = time.monotonic() + timeout
    while True:
        got = port.recv(4096)
        if until(got):
            return got
        assert time.monotonic() < end


def up(served, number, destination=HOST, size=100, source=None):
    it = udp(source or address_of(number), destination, 5001, 5002, bytes(size))
    return frame(mac_of(served, "access0"), mac(number), it)


def test_packets_go_both_ways_and_are_counted_with_their_family(served, line, core):
    run("ip", "-6", "neigh", "replace", HOST, "lladdr", HOST_MAC.hex(":"), "dev", "core0", "nud", "permanent")
    served.apply(dual(1), dual(2))
    sent = up(served, 1)
    line.send(sent)
    got = received(core, lambda f: f[:6] == HOST_MAC and f[12:14] == b"\x86\xdd")
    assert got[14:] == sent[14:21] + b"\x3f" + sent[22:]
    answer = udp(HOST, address_of(1), 5002, 5001, bytes(60))
    core.send(frame(mac_of(served, "core0"), HOST_MAC, answer))
    got = received(line, lambda f: f[:6] == mac(1) and f[12:14] == b"\x86\xdd" and f[20] == 17)
    assert got[14:] == answer[:7] + b"\x3f" + answer[8:]
    line.send(up(served, 1, source="2001:db8:8000:2::5"))
    counters = counters_of(served, 1, lambda c: c.dropped_packets and c.down_packets)
    assert (counters.ipv6_up_packets, counters.ipv6_up_bytes) == (counters.up_packets, counters.up_bytes) == (1, len(sent) - 14)
    assert (counters.ipv6_down_packets, counters.ipv6_down_bytes) == (counters.down_packets, counters.down_bytes) == (1, len(answer))
    assert (counters.dropped_packets, counters.last_drop_reason) == (1, "spoofed_source")
    # A delegated prefix is the line's, too; from one line to the other.
    line.send(up(served, 1, "2001:db8:9000:2ab::7", source="2001:db8:9000:1cd::3"))
    assert received(line, lambda f: f[:6] == mac(2) and f[12:14] == b"\x86\xdd" and f[20] == 17)[14 + 7] == 63
    final = served.batch(deletes(d.FAMILY_SESSION, ID)).results[0].final_counters
    assert (final.ipv6_up_packets, final.up_packets, final.ipv6_down_packets) == (2, 2, 1)
    assert final.ipv6_lease_expires_unix_ms > utc_ms(3000)


def renewal(served, timeout=10):
    while True:
        batch = served.expect("events", s.LANE_TELEMETRY, timeout=timeout)
        served.telemetry.send(event_ack=s.EventAck(sequence=batch.events[-1].sequence))
        for event in batch.events:
            if event.WhichOneof("body") == "lease_renewed":
                return event.lease_renewed


def test_activity_renews_the_ipv6_lease_and_that_is_reported_until_acknowledged(agent, served, line):
    served.apply(dual(1, lease_s=20, valid_seconds=60, activity_renews=True), dual(2, lease_s=20, valid_seconds=60))
    line.send(up(served, 1, address_of(2)))
    line.send(up(served, 2, address_of(1)))
    event = served.expect("events", s.LANE_TELEMETRY).events[0]
    renewed = event.lease_renewed
    assert (renewed.session_id, renewed.expires_unix_ms) == (ID, 0)
    assert abs(renewed.ipv6_expires_unix_ms - utc_ms(60)) < 4000
    served.close()
    agent.kill()
    agent.start()
    served.greet()
    assert renewal(served).ipv6_expires_unix_ms == pytest.approx(renewed.ipv6_expires_unix_ms, abs=50)
    lease = counters_of(served, 1, bool).ipv6_lease_expires_unix_ms
    assert abs(lease - renewed.ipv6_expires_unix_ms) < 50
    assert counters_of(served, 2, bool).ipv6_lease_expires_unix_ms < utc_ms(21)


def test_ipv6_alone_keeps_a_session_from_idling(served, line):
    idle = dual(1, ipv4=False)
    idle.session.idle_timeout_seconds = 2
    served.apply(idle, dual(2))
    end = time.monotonic() + 5
    while time.monotonic() < end:
        line.send(up(served, 1, address_of(2)))
        time.sleep(0.5)
    before = utc_ms()
    event = served.expect("events", s.LANE_TELEMETRY).events[0]
    assert event.session_lapsed.cause == "idle_timeout" and event.utc_unix_ms > before


def answer_solicitation(core, address):
    """A neighbour as the kernel asks for it."""
    asked = received(core, lambda f: f[12:14] == b"\x86\xdd" and f[54:55] == b"\x87" and f[62:78] == ip6(address))
    body = b"\x60\0\0\0" + ip6(address) + b"\x02\x01" + HOST_MAC
    source = asked[22:38]
    import socket

    core.send(frame(asked[6:12], HOST_MAC, icmp(address, socket.inet_ntop(socket.AF_INET6, source), 136, body)))


def test_a_packet_waits_for_its_host_to_be_found(served, line, core):
    run("ip", "-6", "neigh", "flush", "dev", "core0", "nud", "all")
    host = "2001:db8:c::77"
    served.apply(dual(1))
    sent = up(served, 1, host)
    line.send(sent)
    answer_solicitation(core, host)
    got = received(core, lambda f: f[:6] == HOST_MAC and f[12:14] == b"\x86\xdd" and f[20] == 17)
    assert got[14:] == sent[14:21] + b"\x3f" + sent[22:]


def test_a_packet_waits_for_its_gateway_to_be_found(served, line, core):
    run("ip", "-6", "neigh", "flush", "dev", "core0", "nud", "all")
    gateway = "2001:db8:c::88"
    hop = d.Object(object_id=9, generation=1, next_hop=d.NextHop(
        kind=d.NEXT_HOP_KIND_GATEWAY, port="core0", ipv6_address=ip6(gateway)))
    served.apply(dual(1), hop, route(9, "2001:db8:7777::/48", next_hop_id=9))
    sent = up(served, 1, "2001:db8:7777::1")
    line.send(sent)
    answer_solicitation(core, gateway)
    got = received(core, lambda f: f[:6] == HOST_MAC and f[12:14] == b"\x86\xdd" and f[20] == 17)
    assert got[:12] == HOST_MAC + mac_of(served, "core0") and got[14:] == sent[14:21] + b"\x3f" + sent[22:]
    names = {}
    while names.get("neighbor.sent", 0) < 1:
        names = {c.name: c.value for c in served.expect("counters", s.LANE_TELEMETRY).counters}
    assert "neighbor.failed" not in names and names["punt.neighbor_unresolved"] == 1
