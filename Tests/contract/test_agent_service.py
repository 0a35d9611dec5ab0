# SPDX-License-Identifier: Apache-2.0
"""What AAA grants a session: rates, filters, framed routes, idle timeouts; judged, kept over a restart, reported."""

import struct
import time

from agent_controller import d, ip, mac, s, session
from test_agent_packets import checksum, raw_socket

OTHER = ip("100.64.0.9")  # address of session 2


def codes(result):
    return [(s.ErrorCode.Name(x.code)[len("ERROR_CODE_") :], x.field_path) for x in result.results]


def upserts(*objects):
    return [s.BatchItem(upsert=o) for o in objects]


def deletes(family, object_id):
    return [s.BatchItem(**{"delete": s.Delete(family=family, object_id=object_id, generation=99)})]


def packet_filter(object_id=8, generation=1):
    rule = d.FilterRule(
        action=d.FILTER_ACTION_DENY, direction=d.FILTER_DIRECTION_UP, protocol=17, remote_port_first=25, remote_port_last=25)
    return d.Object(object_id=object_id, generation=generation, filter=d.Filter(
        rules=[rule], default_action=d.FILTER_ACTION_PERMIT))


def served(number, generation=1, routes=(), rate=None, filter_id=0, idle=0):
    it = session(number, generation=generation)
    for prefix, length in routes:
        it.session.ipv4.framed_routes.add(prefix=ip(prefix), prefix_length=length)
    if rate:
        it.session.rate_up.CopyFrom(d.Rate(bits_per_second=rate, burst_bytes=1600))
        it.session.rate_down.CopyFrom(d.Rate(bits_per_second=rate, burst_bytes=1600))
    it.session.filter_id = filter_id
    it.session.idle_timeout_seconds = idle
    return it


def data_frame(controller, number, source, port, size=100):
    """UDP from a line's client to session 2."""
    udp = struct.pack(">HHHH", 5001, port, 8 + size, 0) + bytes(size)
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, source, OTHER)
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return controller.hello.ports[0].mac + mac(number) + b"\x08\x00" + head + udp


def counters_of(controller, number, until):
    """Session counters once `until` holds of them."""
    request_id, end = 0, time.monotonic() + 10
    while True:
        request_id += 1
        controller.telemetry.send(session_counters_request=s.SessionCountersRequest(
            request_id=request_id, session_ids=[(1 << 48) | number]))
        reply = controller.expect("session_counters", s.LANE_TELEMETRY, where=lambda m: m.request_id == request_id)
        if until(reply.sessions[0]):
            return reply.sessions[0]
        assert time.monotonic() < end, reply.sessions[0]


def send(name, *frames):
    line = raw_socket(name)
    for frame in frames:
        line.send(frame)
    line.close()


def test_filters_and_framed_routes_are_judged_with_paths(associated):
    associated.apply(packet_filter(), served(1, routes=[("203.0.113.0", 24), ("198.51.100.7", 32)], filter_id=8))
    same_prefix = served(2, routes=[("203.0.113.0", 24)])
    same_host = session(3, address=ip("198.51.100.7"))
    no_filter = served(4, filter_id=9)
    slow = served(5, rate=63999)
    route = d.Object(object_id=9, generation=1, route=d.Route(
        prefix=ip("203.0.113.0"), prefix_length=24, kind=d.ROUTE_KIND_BLACKHOLE))
    inside = served(6, routes=[("203.0.113.128", 25)])
    result = associated.batch(upserts(same_prefix, same_host, no_filter, slow, route, inside))
    assert codes(result) == [
        ("CONFLICT", "17.4.7.1"), ("CONFLICT", "17.4.1"), ("UNKNOWN_REFERENCE", "17.8"), ("INVALID", "17.6.1"),
        ("CONFLICT", "15.2"), ("OK", ""),
    ]
    assert codes(associated.batch(deletes(d.FAMILY_FILTER, 8))) == [("IN_USE", "2")]
    associated.apply(served(1, generation=2))
    assert codes(associated.batch(deletes(d.FAMILY_FILTER, 8) + upserts(route))) == [("OK", ""), ("OK", "")]


def test_grants_survive_a_kill_and_act_after_it(agent, associated):
    associated.apply(packet_filter(), served(1, routes=[("198.51.100.0", 24)], rate=64000, filter_id=8, idle=600), session(2, address=OTHER))
    digests = associated.audit()
    associated.close()
    agent.kill()
    agent.start()
    associated.greet()
    assert associated.audit() == digests
    adopted = agent.log().split("event=ready")[1]
    assert "refused=0" in adopted and "repaired=0" in adopted
    # A bucket of 1,600 bytes: of two large packets one passes; the filtered one is in neither.
    ours, others = ip("198.51.100.9"), ip("203.0.113.77")
    packets = ((ours, 25, 100), (ours, 80, 1000), (ours, 80, 1000), (others, 80, 100))
    send("access0p", *[data_frame(associated, 1, *packet) for packet in packets])
    held = counters_of(associated, 1, lambda c: c.up_packets + c.dropped_packets == 4)
    assert (held.up_packets, held.up_bytes, held.dropped_packets) == (1, 1028, 3)
    assert held.last_drop_reason == "spoofed_source"
    names = {c.name: c.value for c in associated.expect("counters", s.LANE_TELEMETRY).counters}
    assert names["drop.filtered"] == 1 and names["drop.policed_up"] == 1


def test_an_idle_session_lapses_once_and_wakes(agent, associated):
    session_id = (1 << 48) | 1
    associated.apply(served(1, idle=2), served(2))

    def lapse():
        while True:
            batch = associated.expect("events", s.LANE_TELEMETRY, timeout=10)
            associated.telemetry.send(event_ack=s.EventAck(sequence=batch.events[-1].sequence))
            for event in batch.events:
                if event.WhichOneof("body") == "session_lapsed":
                    return event.session_lapsed

    first = lapse()
    assert (first.session_id, first.cause) == (session_id, "idle_timeout")
    # It goes on forwarding, and a packet makes it a session like any other, whose next silence is reported again.
    send("access0p", data_frame(associated, 1, (0x64410001).to_bytes(4, "big"), 80))
    counters_of(associated, 1, lambda c: c.up_packets == 1)
    second = lapse()
    assert (second.session_id, second.cause) == (session_id, "idle_timeout")


def test_the_last_activity_is_known_after_a_restart(agent, associated):
    associated.apply(served(1, idle=3))
    associated.close()
    agent.kill()
    agent.start()
    associated.greet()
    batch = associated.expect("events", s.LANE_TELEMETRY, timeout=6)
    assert batch.events[0].session_lapsed.cause == "idle_timeout"
