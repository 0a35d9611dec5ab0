# SPDX-License-Identifier: Apache-2.0
"""NAT44 through the real agent: grants judged with paths, kept over a kill, mappings ended with what they hang on, ports asked for."""

import itertools
import struct
import time

import pytest
from agent_controller import d, ip, mac, s, session
from test_agent_packets import checksum, raw_socket
from test_agent_service import codes, deletes, upserts

PUBLIC = "203.0.113.1"
TCP, UDP = 6, 17


def policy(object_id=1, generation=1, **fields):
    values = dict(
        filtering=d.NAT_FILTERING_ENDPOINT_INDEPENDENT, tcp_established_seconds=7440, tcp_transitory_seconds=240,
        udp_seconds=300, icmp_seconds=60, flows_per_session=1000)
    values.update(fields)
    return d.Object(object_id=object_id, generation=generation, nat_policy=d.NATPolicy(**values))


def pool_route():
    return d.Object(object_id=9, generation=1, route=d.Route(
        prefix=ip("203.0.113.0"), prefix_length=24, kind=d.ROUTE_KIND_NAT))


def translated(number, *first_ports, generation=1, forwards=(), **fields):
    it = session(number, generation=generation)
    values = dict(policy_id=1, address=ip(PUBLIC), block_ports=64, block_first_ports=first_ports)
    values.update(fields)
    it.session.ipv4.nat.CopyFrom(d.SessionNAT(**values))
    for protocol, outside, inside in forwards:
        it.session.ipv4.nat.forwards.add(
            protocol=protocol, outside_port=outside, inside_address=it.session.ipv4.address, inside_port=inside)
    return it


@pytest.fixture
def granted(associated):
    associated.apply(policy(), pool_route())
    return associated


@pytest.fixture
def line():
    it = raw_socket("access0p")
    yield it
    it.close()


def frame(controller, number, port, to=999, fragment=0, payload=bytes(40)):
    """UDP from the line's client to a public address; with a fragment's offset, as a piece without the header."""
    data = payload if fragment & 0x1FFF else struct.pack(">HHHH", port, to, 8 + 2 * len(payload), 0) + payload
    source = session(number).session.ipv4.address
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(data), 77, fragment, 64, UDP, 0, source, ip(PUBLIC))
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return controller.hello.ports[0].mac + mac(number) + b"\x08\x00" + head + data


def counters(controller, until, timeout=12):
    end, names = time.monotonic() + timeout, {}
    while not until(names):
        assert time.monotonic() < end, names
        names = {c.name: c.value for c in controller.expect("counters", s.LANE_TELEMETRY).counters}
    return names


def restart(agent, controller):
    controller.close()
    agent.kill()
    agent.start()
    controller.greet()


def test_policies_and_grants_are_judged_with_paths(granted):
    result = granted.batch(upserts(
        policy(2, filtering=0), policy(2, tcp_established_seconds=1), policy(2, tcp_transitory_seconds=1),
        policy(2, udp_seconds=1), policy(2, icmp_seconds=1), policy(2, flows_per_session=1)))
    assert codes(result) == [("INVALID", f"20.{n}") for n in range(1, 7)]
    result = granted.batch(upserts(
        translated(1, 1024, policy_id=0), translated(1, 1024, policy_id=7), translated(1, 1024, address=ip("127.0.0.1")),
        translated(1, 1024, one_to_one=True), translated(1, 1024, block_ports=63), translated(1), translated(1, 1000),
        translated(1, 1024, 1024), translated(1, 1024, forwards=[(47, 80, 80)]), translated(1, 1024, forwards=[(TCP, 2048, 80)]),
        translated(1, 1024, forwards=[(TCP, 80, 0)]), translated(1, 1024, address=ip("100.64.0.1"))))
    assert codes(result) == [
        ("INVALID", "17.4.8.1"), ("UNKNOWN_REFERENCE", "17.4.8.1"), ("INVALID", "17.4.8.2"), ("INVALID", "17.4.8.3"),
        ("INVALID", "17.4.8.4"), ("INVALID", "17.4.8.5"), ("INVALID", "17.4.8.5"), ("INVALID", "17.4.8.5"),
        ("INVALID", "17.4.8.6.1"), ("INVALID", "17.4.8.6.2"), ("INVALID", "17.4.8.6.4"), ("CONFLICT", "17.4.8.2")]
    granted.apply(translated(1, 1024, forwards=[(TCP, 80, 80)]))
    result = granted.batch(upserts(
        translated(2, 1024), translated(2, 1088, forwards=[(TCP, 80, 8080)]),
        translated(2, policy_id=0, block_ports=0, one_to_one=True), translated(2, 1088),
        session(3, address=ip(PUBLIC)), translated(1, 1024, 1088, generation=2)))
    assert codes(result) == [
        ("CONFLICT", "17.4.8.5"), ("CONFLICT", "17.4.8.5"), ("CONFLICT", "17.4.8.2"), ("OK", ""), ("CONFLICT", "17.4.1"),
        ("CONFLICT", "17.4.8.5")]
    assert codes(granted.batch(deletes(d.FAMILY_NAT_POLICY, 1))) == [("IN_USE", "2")]


def test_gateways_are_known_or_refused(granted):
    names = {c.name for c in granted.hello.capabilities}
    assert "nat_alg" in names
    result = granted.batch(upserts(
        policy(2, algs=[d.NATALG_FTP]), policy(2, generation=2, algs=[d.NATALG_FTP, d.NATALG_FTP]),
        policy(2, generation=2, algs=[0]), policy(2, generation=2, algs=[7])))
    assert codes(result) == [("OK", ""), ("INVALID", "20.21"), ("INVALID", "20.21"), ("UNSUPPORTED", "20.21")]


def test_a_block_that_is_given_back_is_free_and_the_policy_goes_last(granted):
    granted.apply(translated(1, 1024, 2048), translated(2, 1088))
    granted.apply(translated(1, 1024, generation=2))
    granted.apply(translated(2, 1088, 2048, generation=2))
    assert codes(granted.batch(
        deletes(d.FAMILY_SESSION, (1 << 48) | 1) + deletes(d.FAMILY_SESSION, (1 << 48) | 2)
        + deletes(d.FAMILY_NAT_POLICY, 1))) == [("OK", "")] * 3


def test_mappings_outlive_the_agent_and_end_with_the_session(agent, granted, line):
    granted.apply(translated(1, 1024), translated(2, 1088))
    for n in range(20):
        line.send(frame(granted, 1, 5000 + n))
        line.send(frame(granted, 2, 5000 + n))
    counters(granted, lambda names: names.get("nat.mappings") == 40)
    digests = granted.audit()
    restart(agent, granted)
    assert granted.audit() == digests
    adopted = agent.log().split("event=ready")[1]
    assert "refused=0" in adopted and "repaired=0" in adopted
    counters(granted, lambda names: names.get("nat.mappings") == 40)
    line.send(frame(granted, 1, 5000))  # is mapped already
    granted.batch(deletes(d.FAMILY_SESSION, (1 << 48) | 1))
    begin = time.monotonic()
    counters(granted, lambda names: names.get("nat.reaped") == 20)
    assert time.monotonic() - begin < 8  # 5 s, and the report's own interval
    counters(granted, lambda names: names.get("nat.mappings") == 20)


def test_mappings_end_with_their_block(granted, line):
    granted.apply(translated(1, 1024))
    for n in range(30):
        line.send(frame(granted, 1, 5000 + n))
    counters(granted, lambda names: names.get("nat.mappings") == 30)
    granted.apply(translated(1, 2048, generation=2))
    counters(granted, lambda names: names.get("nat.reaped") == 30 and not names.get("nat.mappings"))
    line.send(frame(granted, 1, 5000))
    counters(granted, lambda names: names.get("nat.mappings") == 1)


def test_a_session_short_of_ports_says_so_once(granted, line):
    granted.apply(translated(1, 1024))
    for n in range(60):
        line.send(frame(granted, 1, 5000 + n))
    events = granted.expect("events", s.LANE_TELEMETRY).events
    low = events[0].nat_ports_low
    assert low.session_id == (1 << 48) | 1 and low.session_generation == 1
    assert low.ports_granted == 64 and 48 <= low.ports_used <= 64
    assert len(events) == 1
    granted.telemetry.send(event_ack=s.EventAck(sequence=events[0].sequence))
    with pytest.raises(TimeoutError):
        granted.expect("events", s.LANE_TELEMETRY, timeout=2)
    # Granted more, it uses them, and asks again when those run low.
    granted.apply(translated(1, 1024, 2048, generation=2))
    for n in range(60, 110):
        line.send(frame(granted, 1, 5000 + n))
    low = granted.expect("events", s.LANE_TELEMETRY).events[0].nat_ports_low
    assert low.ports_granted == 128 and low.ports_used >= 96
    for n in range(110, 128):
        line.send(frame(granted, 1, 5000 + n))
    names = counters(granted, lambda names: names.get("nat.mappings") == 128)
    assert names.get("drop.nat_no_port", 0) == 0


def test_a_session_that_asked_an_agent_since_killed_asks_again(agent, granted, line):
    granted.apply(translated(1, 1024))
    for n in range(50):
        line.send(frame(granted, 1, 5000 + n))
    counters(granted, lambda names: names.get("punt.nat_ports_low") == 1)
    restart(agent, granted)
    # A minute, and the round of the sweep it is seen in; mapped packets do not ask, new ones do.
    end = time.monotonic() + 90
    for n in itertools.count(50):
        line.send(frame(granted, 1, 5000 + n))
        granted.audit()  # heartbeats are answered on the way
        try:
            events = granted.expect("events", s.LANE_TELEMETRY, timeout=6).events
            break
        except TimeoutError:
            assert time.monotonic() < end, "never asked again"
    low = events[0].nat_ports_low
    assert low.session_id == (1 << 48) | 1 and low.ports_granted == 64


def test_a_fragment_before_its_first_one_is_brought_again(granted, line):
    granted.apply(translated(1, 1024), translated(2, 1088, forwards=[(UDP, 500, 500)]))
    payload = bytes(range(40))
    line.send(frame(granted, 1, 5000, 500, fragment=6, payload=payload))
    line.send(frame(granted, 1, 5000, 500, fragment=0x2000, payload=payload))
    names = counters(granted, lambda names: names.get("nat.early_sent", 0) + names.get("nat.early_lost", 0))
    assert names["nat.early_sent"] == 1 and names["punt.nat_fragment_early"] == 1
    names = counters(granted, lambda names: names.get("tx.forward_line_to_line") == 2)
    # One whose first never comes is lost after two seconds, and comes round no more.
    line.send(frame(granted, 2, 6000, 77, fragment=6))
    names = counters(granted, lambda names: names.get("nat.early_lost") == 1)
    assert names["punt.nat_fragment_early"] == 2


def test_forwards_lead_in_after_a_kill_and_not_after_their_end(agent, granted, line):
    forwards = [(UDP, 500, 500)]
    granted.apply(translated(1, 1024), translated(2, 1088, forwards=forwards))
    restart(agent, granted)
    line.send(frame(granted, 1, 5000, 500))
    counters(granted, lambda names: names.get("tx.forward_line_to_line") == 1)
    granted.apply(translated(2, 1088, generation=2))
    line.send(frame(granted, 1, 5000, 500))
    counters(granted, lambda names: names.get("drop.nat_no_mapping") == 1)


def test_a_one_to_one_address_leads_to_its_session(granted, line):
    granted.apply(translated(1, 1024), translated(2, policy_id=0, block_ports=0, one_to_one=True, address=ip("203.0.113.2")))
    granted.apply(translated(2, 1088, generation=2))  # and back to ports
    granted.apply(translated(2, policy_id=0, block_ports=0, one_to_one=True, address=ip("203.0.113.2"), generation=3))
    to_it = frame(granted, 1, 5000, 7)
    head = to_it[14:30] + ip("203.0.113.2")
    head = head[:10] + b"\0\0" + head[12:]
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    line.send(to_it[:14] + head + to_it[34:])
    counters(granted, lambda names: names.get("tx.forward_line_to_line") == 1)


def test_a_mapping_yields_to_a_forward_of_its_port(granted, line):
    """All 64 ports are in use when a forward takes one: its user loses that one mapping, the port leads to the forward's host."""
    granted.apply(translated(1, 1024, block_ports=64), translated(2, 1088, forwards=[(UDP, 500, 500)]))
    for port in range(64):
        line.send(frame(granted, 1, 3000 + port, 500))
    counters(granted, lambda names: names.get("tx.forward_line_to_line") == 64)
    granted.apply(translated(1, 1024, generation=2, forwards=[(UDP, 1030, 9000)]))
    # What leads in at the port now, leads to the forward: 2 sends there, and 1 gets it.
    line.send(frame(granted, 2, 500, 1030))
    counters(granted, lambda names: names.get("tx.forward_line_to_line") == 65)
    # The host that had the port gets none, because none is left; 63 others go on.
    for port in range(64):
        line.send(frame(granted, 1, 3000 + port, 500))
    names = counters(granted, lambda names: names.get("tx.forward_line_to_line") == 128 and
                     names.get("drop.nat_no_port", 0) + names.get("tx.icmp_unreachable", 0) >= 1)
    assert names["tx.forward_line_to_line"] == 128
