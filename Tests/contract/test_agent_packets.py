# SPDX-License-Identifier: Apache-2.0
"""Packets up and down: punts by credit, injects by generation, renewals and lapses as events."""

import socket
import struct
import time

import pytest
from agent_controller import d, ip, mac, s, session, utc_ms

BROADCAST = b"\xff" * 6


def raw_socket(name):
    it = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    it.bind((name, 0))
    it.settimeout(5)
    return it


@pytest.fixture
def line():
    it = raw_socket("access0p")
    yield it
    it.close()


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp_frame(client, payload, source=b"\0" * 4, destination=b"\xff" * 4):
    udp = struct.pack(">HHHH", 68, 67, 8 + len(payload), 0) + payload
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, source, destination)
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return BROADCAST + client + b"\x08\x00" + head + udp


def dhcp(client, kind, xid, options=b""):
    fixed = struct.pack(">BBBBIHH16x6s10x64x128x", 1, 1, 6, 0, xid, 0, 0x8000, client)
    return udp_frame(client, fixed + b"\x63\x82\x53\x63" + b"\x35\x01" + bytes([kind]) + options + b"\xff" + b"\0" * 60)


def credit(controller, n=1000):
    for punt_class in (d.PUNT_CLASS_DHCPV4, d.PUNT_CLASS_ARP):
        controller.punt.send(punt_credit=s.PuntCredit(punt_class=punt_class, credits=n))


def sync(controller):
    """What was sent on the punt lane before has been handled (an inject behind it came out of the port)."""
    time_marker = struct.pack(">Q", time.monotonic_ns())
    listener = raw_socket("core0p")
    controller.punt.send(injects=s.InjectBatch(injects=[s.Inject(port="core0", frame=BROADCAST + mac(9) + b"\x88\xb5" + time_marker)]))
    while time_marker not in listener.recv(2048):
        pass
    listener.close()


def test_discover_of_an_unknown_line_is_punted_byte_for_byte_for_credit(associated, line):
    frame = dhcp(mac(77), 1, 0x1234)
    line.send(frame)  # no credit yet
    credit(associated, 1)
    sync(associated)
    line.send(frame)
    batch = associated.expect("punts", s.LANE_PUNT)
    (punt,) = batch.punts
    assert punt.frame == frame and punt.port == "access0" and punt.access_domain_id == 1
    assert punt.punt_class == d.PUNT_CLASS_DHCPV4 and punt.reason == "dhcp_unknown_line" and punt.session_id == 0
    assert abs(punt.received_unix_ms - utc_ms()) < 2000
    line.send(frame)  # the credit is spent
    line.send(frame)
    deadline = time.monotonic() + 10
    counters = {}
    while counters.get("punt.dropped_credit", 0) < 3:
        assert time.monotonic() < deadline, counters
        counters = {c.name: c.value for c in associated.expect("counters", s.LANE_TELEMETRY).counters}
    assert counters["punt.dhcp_unknown_line"] >= 4


def test_inject_leaves_the_port_and_waits_for_no_missing_session(associated, line):
    associated.apply(session(5, generation=3))
    frames = [mac(5) + mac(200) + b"\x88\xb5" + bytes([n]) * 50 for n in range(5)]
    known = (1 << 48) | 5
    associated.punt.send(injects=s.InjectBatch(injects=[
        s.Inject(port="access0", frame=frames[0]),
        s.Inject(port="access0", frame=frames[1], requires_session_id=known, requires_generation=4),
        s.Inject(port="access0", frame=frames[2], requires_session_id=known, requires_generation=3),
        s.Inject(port="nowhere", frame=frames[3]),
        s.Inject(port="access0", frame=b"short"),
        s.Inject(port="access0", frame=frames[4], requires_session_id=known, requires_generation=2),
    ]))
    got = []
    while len(got) < 3:
        frame = line.recv(2048)
        if frame[12:14] == b"\x88\xb5":
            got.append(frame)
    assert got == [frames[0], frames[2], frames[4]]
    counters = {}
    while not {"inject.refused_generation", "inject.unknown_port", "inject.bad_frame"} <= set(counters):
        counters = {c.name: c.value for c in associated.expect("counters", s.LANE_TELEMETRY).counters}
    assert counters["inject.sent"] == 3


def request(client, address, server=b"\x64\x40\x00\x01"):
    return dhcp(client, 3, 7, b"\x32\x04" + address + b"\x36\x04" + server)


def test_renewal_in_the_data_plane_is_reported_until_acknowledged_across_restart(agent, associated, line):
    one = session(6, lease_s=100)
    associated.apply(one)
    line.send(request(mac(6), one.session.ipv4.address))
    event = associated.expect("events", s.LANE_TELEMETRY).events[0]
    renewed = event.lease_renewed
    assert renewed.session_id == one.object_id and event.sequence == 1
    assert abs(renewed.expires_unix_ms - utc_ms(3600)) < 3000
    associated.close()
    agent.kill()
    agent.start()
    associated.greet()
    again = associated.expect("events", s.LANE_TELEMETRY).events[0]
    assert again.lease_renewed.session_id == one.object_id and again.sequence == 1
    associated.telemetry.send(event_ack=s.EventAck(sequence=1))
    associated.apply(session(7))  # answered, so the ack before it was read at most one turn ago
    time.sleep(0.3)
    associated.close()
    agent.kill()
    agent.start()
    associated.greet()
    with pytest.raises(TimeoutError):
        associated.expect("events", s.LANE_TELEMETRY, timeout=2.5)


def test_unacknowledged_events_are_sent_again_on_a_new_lane(associated, line):
    one = session(6, lease_s=100)
    associated.apply(one)
    line.send(request(mac(6), one.session.ipv4.address))
    assert associated.expect("events", s.LANE_TELEMETRY).events[0].sequence == 1
    associated.lanes.pop(s.LANE_TELEMETRY).close()
    assert associated.take_lane() == s.LANE_TELEMETRY
    assert associated.expect("events", s.LANE_TELEMETRY).events[0].sequence == 1


def test_lapses_are_reported_once_and_rearmed_by_a_later_lease(associated):
    associated.apply(session(8, lease_s=1))
    event = associated.expect("events", s.LANE_TELEMETRY).events[0]
    assert event.session_lapsed.cause == "lease_expired"
    associated.telemetry.send(event_ack=s.EventAck(sequence=event.sequence))
    with pytest.raises(TimeoutError):
        associated.expect("events", s.LANE_TELEMETRY, timeout=2.5)
    associated.apply(session(8, generation=2, lease_s=3))
    time.sleep(1.5)  # a sweep must see it alive
    event = associated.expect("events", s.LANE_TELEMETRY).events[0]
    assert event.session_lapsed.session_generation == 2


def test_later_expiry_wins_on_upsert_of_the_same_address(associated):
    def expiry():
        associated.telemetry.send(session_counters_request=s.SessionCountersRequest(
            request_id=1, session_ids=[(1 << 48) | 8]))
        return associated.expect("session_counters", s.LANE_TELEMETRY).sessions[0].lease_expires_unix_ms

    associated.apply(session(8, lease_s=1000))
    first = expiry()
    associated.apply(session(8, generation=2, lease_s=500))
    assert abs(expiry() - first) < 50
    associated.apply(session(8, generation=3, lease_s=2000))
    assert abs(expiry() - first - 1_000_000) < 500
    associated.apply(session(8, generation=4, lease_s=500, address=ip("100.65.9.9")))
    assert abs(expiry() - first + 500_000) < 500


def test_link_change_is_an_event(agent, associated):
    import subprocess

    subprocess.run(["ip", "link", "set", "core0p", "down"], check=True)
    try:
        event = associated.expect("events", s.LANE_TELEMETRY).events[0]
        assert event.port_changed.port.name == "core0" and not event.port_changed.port.link_up
    finally:
        subprocess.run(["ip", "link", "set", "core0p", "up"], check=True)
