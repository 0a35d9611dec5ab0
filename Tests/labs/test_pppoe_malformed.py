# SPDX-License-Identifier: Apache-2.0
"""Malformed and hostile PPPoE and PPP from a line (FEATURES A5): everything is counted, nothing is believed, nobody else notices.

    ns `load`: bng-load beside raw frames ── bridge ── access0 [bng-agent] core0 ── server
"""
import struct

import pytest

from pppoe_lab import OPEN_GUARD, dial, live, mac_of, results, send_frames, serving, start_dial
from topology import wait_for

EVERYONE = b"\xff" * 6
CLIENT = bytes.fromhex("0200000000aa")
PADI, PADO, PADR, PADS, PADT = 0x09, 0x07, 0x19, 0x65, 0xA7


def tag(kind, value=b"", length=None):
    return struct.pack("!HH", kind, len(value) if length is None else length) + value


def frame(code, payload, session=0, target=EVERYONE, source=CLIENT, ethertype=0x8863, length=None, version=0x11):
    head = struct.pack("!BBHH", version, code, session, len(payload) if length is None else length)
    return target + source + struct.pack("!H", ethertype) + head + payload


def tags_of(received, code):
    """{tag: value} of the discovery packets with a code."""
    found = []
    for f in received:
        if f[12:14] != b"\x88\x63" or f[15] != code:
            continue
        tags, at, end = {}, 20, 20 + struct.unpack("!H", f[18:20])[0]
        while at + 4 <= end:
            kind, length = struct.unpack("!HH", f[at:at + 4])
            tags[kind] = f[at + 4:at + 4 + length]
            at += 4 + length
        found.append((f[6:12], tags))
    return found


HOST = tag(0x0103, b"malformed")
# Each breaks one thing; none may bring anything but a drop.
DISCOVERY = {
    "no tags at all": frame(PADI, b""),
    "a length past the end": frame(PADI, tag(0x0101) + HOST, length=1400),
    "a tag longer than the packet": frame(PADI, tag(0x0101) + tag(0x0103, b"x", length=900)),
    "half a tag": frame(PADI, tag(0x0101) + b"\x01"),
    "a session id in a PADI": frame(PADI, tag(0x0101) + HOST, session=7),
    "another version": frame(PADI, tag(0x0101) + HOST, version=0x21),
    "another type": frame(PADI, tag(0x0101) + HOST, version=0x12),
    "an unknown code": frame(0x42, tag(0x0101) + HOST),
    "a head that is cut": frame(PADI, tag(0x0101) + HOST)[:17],
    "tags without end": frame(PADI, tag(0x0101) + tag(0x0105, b"") * 300),
    "a PADO from a client": frame(PADO, tag(0x0101) + tag(0x0102, b"evil") + HOST),
    "a PADS from a client": frame(PADS, tag(0x0101) + HOST, session=9),
}


def ppp(protocol, packet, session, target, length=None):
    return frame(0, struct.pack("!H", protocol) + packet, session, target, ethertype=0x8864, length=length)


def broken_ppp(session, target):
    """PPP with a hole in it, toward a session that somebody else has or nobody."""
    lcp, chap, ipcp, v6 = 0xC021, 0xC223, 0x8021, 0x8057
    packets = [b"", b"\x01", b"\x01\x01\x00", b"\x01\x01\x00\x03", b"\x01\x01\xff\xff", b"\x01\x01\x00\x06\x01\x00", b"\x01\x01\x00\x06\x01\xff",
               b"\x01\x01\x00\x04", b"\x09\x01\x00\x04", b"\x09\x01\x00\x08\x00\x00\x00\x00", b"\x05\x01\x00\x04", b"\x02\x07\x00\x04",
               b"\x02\x01\x00\x05\x10", b"\x01\x01\x00\x04" + b"\x00" * 1400, b"\x00" * 64, b"\xff" * 64]
    frames = [ppp(protocol, packet, session, target) for protocol in (lcp, 0xC023, chap, ipcp, v6, 0x0021, 0x0057, 0x00FD, 0x4141)
              for packet in packets]
    return frames + [frame(0, b"", session, target, ethertype=0x8864), frame(0, b"\x00", session, target, ethertype=0x8864),
                     frame(0, b"\xc0\x21", session, target, ethertype=0x8864, length=1490), frame(3, b"\xc0\x21\x01\x01\x00\x04", session, target, ethertype=0x8864)]


@pytest.fixture
def lab(make_lab):
    lab = serving(make_lab, guard_more=OPEN_GUARD)
    lab.cpe("load", "02:00:5e:00:00:fe")
    lab.cpe("evil", "02:00:5e:00:00:66")
    return lab


def standing(lab, frames, expect=()):
    """Sends frames while twenty others come online and stay; nobody is disturbed and both planes live."""
    load, evil = lab.cpes
    held = start_dial(load, 20, "pppoe,hold", "--duration", 4)
    wait_for("twenty are online", lambda: len(live(lab)) >= 20, 20)
    received = send_frames(evil, frames)
    dialled, hold = results(held)
    assert (dialled["completed"], hold["lost"]) == (20, 0), hold
    assert lab.agent.alive() and lab.controller.alive()
    for name in expect:
        wait_for(f"{name} is counted", lambda: lab.counter(f"drop.{name}") > 0, 5)
    again, = dial(load, 20, "pppoe")
    assert again["completed"] == 20, "after the junk"
    assert lab.audit_differences() == 0
    return received


def test_malformed_discovery_is_counted_and_ignored(lab):
    received = standing(lab, DISCOVERY.values(), expect=("malformed_pppoe", "pppoe_from_server"))
    assert not tags_of(received, PADS) and len(tags_of(received, PADO)) <= 1, "something malformed was answered"


def test_a_padr_needs_the_cookie_of_its_own_line_and_client(lab):
    evil = lab.cpes[1]
    (target, offer), = tags_of(send_frames(evil, [frame(PADI, tag(0x0101) + HOST)]), PADO)
    cookie = offer[0x0104]
    ask = lambda cookie, source=CLIENT: frame(PADR, tag(0x0101) + HOST + cookie, target=target, source=source)  # noqa: E731
    bad = [ask(b""), ask(tag(0x0104, b"")), ask(tag(0x0104, bytes(len(cookie)))), ask(tag(0x0104, cookie[:-1])), ask(tag(0x0104, cookie + b"x")),
           ask(tag(0x0104, cookie), source=CLIENT[:-1] + b"\xbb")]
    assert not tags_of(standing(lab, bad, expect=("pppoe_cookie_missing", "pppoe_cookie_bad")), PADS)
    assert len(lab.sessions()) == 20
    # The same PADR again and again: one session id, whoever repeats it.
    good = tags_of(send_frames(evil, [ask(tag(0x0104, cookie))] * 5), PADS)
    assert good, "the right cookie is not answered"


def test_malformed_ppp_of_no_session_is_counted_and_ignored(lab):
    target = bytes.fromhex(mac_of("access0").replace(":", ""))
    frames = [f for session in (0, 1, 4711, 65535) for f in broken_ppp(session, target)]
    frames += [frame(PADT, b"", session=n, target=target) for n in (0, 1, 65535)]
    standing(lab, frames)


def test_malformed_ppp_of_a_client_of_its_own_harms_only_itself(lab):
    evil = lab.cpes[1]
    (target, offer), = tags_of(send_frames(evil, [frame(PADI, tag(0x0101) + HOST)]), PADO)
    answers = send_frames(evil, [frame(PADR, tag(0x0101) + HOST + tag(0x0104, offer[0x0104]), target=target)])
    session = next(struct.unpack("!H", f[16:18])[0] for f in answers if f[12:14] == b"\x88\x63" and f[15] == PADS)
    assert session
    standing(lab, broken_ppp(session, target))


def test_a_strangers_frames_in_somebodys_session_go_nowhere(lab):
    load, evil = lab.cpes
    held = start_dial(load, 5, "pppoe,hold", "--duration", 5, tags="none")
    wait_for("five are online", lambda: len(live(lab)) == 5, 20)
    target = bytes.fromhex(mac_of("access0").replace(":", ""))
    for session in (lab.session(s["id"])["pppoe"]["id"] for s in live(lab)):
        # Its id and line, another MAC: neither data nor a farewell nor a Terminate-Request of theirs is believed.
        send_frames(evil, [frame(PADT, b"", session=session, target=target), ppp(0xC021, b"\x05\x01\x00\x04", session, target),
                           ppp(0x0021, bytes.fromhex("4500001c000000004011000064400101c6336402") + bytes(8), session, target)], listen=0.1)
    dialled, hold = results(held)
    assert (dialled["completed"], hold["completed"], hold["lost"]) == (5, 5, 0), hold
