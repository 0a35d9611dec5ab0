# SPDX-License-Identifier: Apache-2.0
"""PPPoE through the real agent: services and sessions judged and kept, discovery answered and punted, LCP echoes
answered and counted, data in and out of a session."""

import struct
import time

import pytest
from conftest import run
from agent_controller import d, ip, mac, s, session
from test_agent_packets import BROADCAST, checksum, raw_socket
from test_agent_service import codes, counters_of, deletes, upserts

PADI, PADO, PADR, PADT = 0x09, 0x07, 0x19, 0xA7
MAGIC = 0x12345678
ID = (1 << 48) | 1
FIRST, OTHER = ip("100.65.0.1"), ip("100.64.0.9")  # addresses of sessions 1 and 2; the second is in the pool


def service(object_id=4, generation=1, **fields):
    values = dict(access_domain_id=1, ac_name="edge1", cookie_key=bytes(range(16)))
    values.update(fields)
    return d.Object(object_id=object_id, generation=generation, pppoe_service=d.PPPoEService(**values))


def dialled(number, pppoe_id, generation=1, address=None, **fields):
    it = session(number, generation=generation, address=address)
    it.session.ipv4.dhcp_fast_path = False
    values = dict(pppoe_id=pppoe_id, mtu_bytes=1492, local_magic=MAGIC)
    values.update(fields)
    it.session.pppoe.CopyFrom(d.SessionPPPoE(**values))
    return it


def tag(kind, value=b""):
    return struct.pack(">HH", kind, len(value)) + value


def discovery(to, client, code, session_id=0, tags=b""):
    return to + client + b"\x88\x63\x11" + struct.pack(">BHH", code, session_id, len(tags)) + tags


def in_session(to, client, session_id, payload):
    return to + client + b"\x88\x64\x11\x00" + struct.pack(">HH", session_id, len(payload)) + payload


def packet(source, destination, size=100, df=False):
    udp = struct.pack(">HHHH", 5001, 5002, 8 + size, 0) + bytes(i & 255 for i in range(size))
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 7, 0x4000 if df else 0, 64, 17, 0, source, destination)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + udp


def received(line, until):
    while True:
        frame = line.recv(4096)
        if until(frame):
            return frame


@pytest.fixture
def line(pass_program):
    run("ip", "-force", "link", "set", "dev", "access0p", "xdp", "obj", pass_program, "sec", "xdp")
    it = raw_socket("access0p")
    yield it
    it.close()
    run("ip", "link", "set", "dev", "access0p", "xdp", "off")


@pytest.fixture
def us(associated):
    return associated.hello.ports[0].mac


def credit(controller, *classes):
    for punt_class in classes:
        controller.punt.send(punt_credit=s.PuntCredit(punt_class=punt_class, credits=1000))


def solicit(line, us, number, tags=tag(0x0101)):
    line.send(discovery(BROADCAST, mac(number), PADI, tags=tags))
    return received(line, lambda f: f[:6] == mac(number) and f[12:16] == b"\x88\x63\x11\x07")


def test_services_are_judged_and_kept(associated, agent):
    result = associated.batch(upserts(
        service(), service(object_id=5), service(object_id=6, access_domain_id=2, cookie_key=bytes(15)),
        service(object_id=7, access_domain_id=0), dialled(1, 5), dialled(1 + 1, 0)))
    assert codes(result) == [
        ("OK", ""), ("CONFLICT", "19.1"), ("INVALID", "19.7"), ("INVALID", "19.1"), ("OK", ""), ("INVALID", "17.10.1")]
    before = associated.audit()
    assert list(before) == list(range(1, 11))
    assert before[d.FAMILY_PPPOE_SERVICE][0] == 1
    associated.close()
    agent.kill()
    agent.start()
    associated.greet()
    assert associated.audit() == before
    assert "repaired=0" in agent.log().split("event=ready")[1]
    assert bytes(range(16)).hex() not in agent.log()


def test_discovery_is_answered_and_the_request_punted(associated, line, us):
    associated.apply(service(service_names=["internet"]))
    credit(associated, d.PUNT_CLASS_PPPOE)
    pado = solicit(line, us, 1, tag(0x0103, b"host") + tag(0x0101))
    asked = tag(0x0103, b"host") + tag(0x0101)
    assert pado[20:].startswith(asked + tag(0x0101, b"internet") + b"\x01\x04\x00\x0c")
    at = pado.index(b"\x01\x04\x00\x0c")
    assert pado[at + 16 :].startswith(tag(0x0102, b"edge1"))
    padr = discovery(us, mac(1), PADR, tags=tag(0x0101) + pado[at : at + 16])
    line.send(padr)
    punt = associated.expect("punts", s.LANE_PUNT).punts[0]
    assert (punt.punt_class, punt.reason, punt.access_domain_id) == (d.PUNT_CLASS_PPPOE, "pppoe_padr", 1)
    assert punt.frame == padr
    padt = discovery(us, mac(1), PADT, session_id=9)
    line.send(padt)
    punt = associated.expect("punts", s.LANE_PUNT).punts[0]
    assert (punt.reason, punt.frame) == ("pppoe_padt", padt)


def test_a_session_negotiates_then_carries_data_and_echoes(associated, line, us):
    credit(associated, d.PUNT_CLASS_PPP)
    request = in_session(us, mac(1), 5, b"\xc0\x21\x01\x01\x00\x04")
    line.send(request)
    punt = associated.expect("punts", s.LANE_PUNT).punts[0]
    assert (punt.punt_class, punt.reason, punt.session_id) == (d.PUNT_CLASS_PPP, "ppp_unknown_session", 0)
    assert punt.frame == request

    associated.apply(dialled(1, 5), dialled(2, 65534, address=OTHER))
    line.send(in_session(us, mac(1), 5, b"\xc0\x21\x09\x07\x00\x0a\xaa\xbb\xcc\xddhi"))
    reply = received(line, lambda f: f[:6] == mac(1) and f[12:14] == b"\x88\x64")
    assert reply[14:].startswith(b"\x11\x00\x00\x05\x00\x0c\xc0\x21\x0a\x07\x00\x0a\x12\x34\x56\x78hi")
    line.send(in_session(us, mac(1), 5, b"\xc0\x21\x0a\x07\x00\x08\xaa\xbb\xcc\xdd"))
    counters = counters_of(associated, 1, lambda c: c.ppp_echoes_answered and c.ppp_echo_replies)
    assert (counters.ppp_echoes_answered, counters.ppp_echo_replies, counters.lease_expires_unix_ms) == (1, 1, 0)

    sent = packet(FIRST, OTHER)
    line.send(in_session(us, mac(1), 5, b"\x00\x21" + sent))
    got = received(line, lambda f: f[:6] == mac(2) and f[12:14] == b"\x88\x64")
    assert got[14:22] == b"\x11\x00\xff\xfe" + struct.pack(">H", len(sent) + 2) + b"\x00\x21"
    assert got[22 + 12 : 22 + len(sent)] == sent[12:]
    result = associated.batch(deletes(d.FAMILY_SESSION, ID))
    final = result.results[0].final_counters
    assert (final.up_packets, final.ppp_echoes_answered, final.ppp_echo_replies) == (1, 1, 1)


def test_a_pado_waits_for_its_delay(associated, line, us):
    associated.apply(service(pado_delay_ms=400))
    start = time.monotonic()
    pado = solicit(line, us, 1)
    assert 0.4 <= time.monotonic() - start < 3
    assert pado[:12] == mac(1) + us and pado[20:].startswith(tag(0x0101) + b"\x01\x04\x00\x0c")
    names = {c.name: c.value for c in associated.expect("counters", s.LANE_TELEMETRY, where=lambda m: any(
        c.name == "held.sent" for c in m.counters)).counters}
    assert names["punt.pppoe_held"] == names["held.sent"] == 1


def test_what_is_too_big_for_a_session_arrives_in_pieces(associated, line, us):
    associated.apply(dialled(1, 5), dialled(2, 6, address=OTHER, mtu_bytes=600))
    sent = packet(FIRST, OTHER, size=1300)
    line.send(in_session(us, mac(1), 5, b"\x00\x21" + sent))
    data, ended = b"", False
    while not ended:
        frame = received(line, lambda f: f[:6] == mac(2) and f[12:14] == b"\x88\x64")
        length, piece = struct.unpack(">H", frame[18:20])[0], frame[22:]
        total, _, flags = struct.unpack(">HHH", piece[2:8])
        assert length == total + 2 and total <= 600 and checksum(piece[:20]) == 0 and piece[8] == 63
        assert (flags & 0x1FFF) * 8 == len(data)
        data, ended = data + piece[20:total], not flags & 0x2000
    assert data == sent[20:]
    counters = counters_of(associated, 2, lambda c: c.down_packets)
    assert (counters.down_packets, counters.down_bytes) == (1, len(sent))
    # What may not be cut is reported instead, with the session's MTU.
    line.send(in_session(us, mac(1), 5, b"\x00\x21" + packet(FIRST, OTHER, size=1300, df=True)))
    error = received(line, lambda f: f[:6] == mac(1) and f[12:14] == b"\x88\x64")
    assert error[42:50] == b"\x03\x04" + error[44:46] + struct.pack(">HH", 0, 600)


def lapse(controller):
    while True:
        batch = controller.expect("events", s.LANE_TELEMETRY, timeout=15)
        controller.telemetry.send(event_ack=s.EventAck(sequence=batch.events[-1].sequence))
        for event in batch.events:
            if event.WhichOneof("body") == "session_lapsed":
                return event.session_lapsed


def test_a_silent_line_is_asked_and_then_lapses(associated, line, us):
    associated.apply(
        dialled(1, 5, echo_interval_seconds=1, echo_failures=2, address=OTHER), dialled(2, 6, address=FIRST))

    def echo():
        return received(line, lambda f: f[:6] == mac(1) and f[12:14] == b"\x88\x64")

    first = echo()
    assert first[6:12] == us and first[14:].startswith(b"\x11\x00\x00\x05\x00\x0a\xc0\x21\x09")
    assert first[24:30] == b"\x00\x08" + struct.pack(">I", MAGIC) and len(first) == 60
    lost = lapse(associated)
    assert (lost.session_id, lost.cause) == (ID, "lost_carrier")
    assert counters_of(associated, 1, lambda c: c.ppp_echoes_sent >= 3).ppp_echo_replies == 0
    # One answer, and the next silence is another lapse.
    line.send(in_session(us, mac(1), 5, b"\xc0\x21\x0a\x01\x00\x08\xaa\xbb\xcc\xdd"))
    counters_of(associated, 1, lambda c: c.ppp_echo_replies == 1)
    again = lapse(associated)
    assert (again.session_id, again.cause) == (ID, "lost_carrier")


def test_a_line_that_answers_keeps_its_session(associated, line, us):
    associated.apply(dialled(1, 5, echo_interval_seconds=1, echo_failures=1), dialled(2, 6, echo_interval_seconds=1, echo_failures=1, address=OTHER))
    end = time.monotonic() + 5
    while time.monotonic() < end:
        frame = line.recv(4096)
        if frame[:6] == mac(1) and frame[20:23] == b"\xc0\x21\x09":
            line.send(in_session(us, mac(1), 5, b"\xc0\x21\x0a" + frame[23:26] + b"\xaa\xbb\xcc\xdd"))
    assert lapse(associated).session_id == ID + 1
    assert counters_of(associated, 1, lambda c: c.ppp_echo_replies).ppp_echo_replies >= 2


def test_a_lapse_that_was_reported_is_not_repeated_by_the_next_agent(associated, agent, line):
    associated.apply(dialled(1, 5, echo_interval_seconds=1, echo_failures=1))
    assert lapse(associated).cause == "lost_carrier"
    associated.apply(dialled(2, 6, echo_interval_seconds=2, echo_failures=2, address=OTHER))
    associated.close()
    agent.kill()
    agent.start()
    associated.greet()
    # Its own silence would have been reported first.
    assert lapse(associated).session_id == ID + 1
