# SPDX-License-Identifier: Apache-2.0
"""IPv6 through the data plane as a customer sees it: traceroute, path MTU, spoofing, hop limit, filters, policers, extension headers,
and junk, which costs nobody else anything.

    cpe [kernel SLAAC] ── switch ── access0 [BNG, 2001:db8:fffe::1] core0 ── server
"""
import json
import random
import re
import socket

import pytest

from ipv6_lab import link_local, ping_from_server
from pppoe_lab import send_frames
from topology import BNG_IP6, ROOT, SERVER_IP, SERVER_IP6, Process, sh, wait_for

POLICY = """
plans:
  - {{name: basic, {plan}}}
filters:
  - name: no-web
    default: permit
    rules: [{{action: deny, direction: up, remote: "{remote}", protocol: tcp, ports: 80}}]
aaa:
  default-plan: basic
"""
PORTS = {"hop-by-hop": 0, "destination": 60}


def online(make_lab, policy="", mtu=None, name="cpe1", **ipv6):
    lab = make_lab(ipv6=ipv6, policy=policy)
    if mtu:
        lab.config.write_text(lab.config.read_text().replace("      - name: access0\n", f"      - name: access0\n        mtu: {mtu}\n"))
    lab.up()
    cpe = lab.cpe(name, "02:00:5e:10:6a:01", s=100)
    cpe.autoconfigure()
    cpe.wait_address6()
    return lab, cpe


def test_traceroute_sees_the_bng_and_its_answers_come_from_its_own_address(make_lab):
    lab, cpe = online(make_lab)
    hops = re.findall(r"^ *\d+  (\S+)", cpe.run(f"traceroute -6 -n -q 1 -w 2 -m 3 {SERVER_IP6}"), re.M)
    assert hops[0] == BNG_IP6 and hops[-1] == SERVER_IP6, hops
    assert "Time exceeded" in cpe.run(f"ping -n -c 1 -t 1 -W 2 {SERVER_IP6}", check=False)
    assert cpe.ping(BNG_IP6) == (3, 3)


@pytest.mark.parametrize("way", ["up", "down"])
def test_too_big_is_said_and_learned(make_lab, way):
    """The line is narrow, or the core's route is."""
    lab, cpe = online(make_lab, mtu=1400 if way == "down" else None)
    if way == "up":
        sh(f"ip -6 route add {SERVER_IP6}/128 dev core0 mtu lock 1400")
    ns, target = ("cpe1", SERVER_IP6) if way == "up" else ("server", cpe.wait_address6())
    said = sh(f"ping -n -c 3 -i 0.2 -W 1 -s 1452 -M do {target}", ns=ns, check=False)
    assert re.search(rf"From {BNG_IP6}.* mtu=1400|[Mm]essage too long, mtu[:=] ?1400", said), said
    assert " 0% packet loss" in sh(f"ping -n -c 3 -i 0.2 -W 1 -s 1352 -M do {target}", ns=ns, check=False)
    # What was learned is used: the sender cuts it up.
    assert " 0% packet loss" in sh(f"ping -n -c 3 -i 0.2 -W 1 -s 3000 {target}", ns=ns, check=False)


def test_spoofed_sources_are_dropped_and_counted(make_lab):
    lab, cpe = online(make_lab)
    cpe.run("ip addr add 2001:db8:dead::1/128 dev wan nodad")
    cpe.run(f"ping -n -c 3 -i 0.2 -W 1 -I 2001:db8:dead::1 {SERVER_IP6}", check=False)
    wait_for("spoofed packets are counted", lambda: lab.counter("drop.spoofed_source") >= 3, 10)
    cpe.run("ip addr del 2001:db8:dead::1/128 dev wan")
    assert cpe.ping(SERVER_IP6) == (3, 3)


@pytest.mark.parametrize("remote, blocked", [("2001:db8:ffff::/48", SERVER_IP6), ("198.51.100.0/24", SERVER_IP), ("::/0", SERVER_IP6)])
def test_a_rule_of_one_family_leaves_the_other_alone(make_lab, remote, blocked):
    lab, cpe = online(make_lab, POLICY.format(plan="filter: no-web", remote=remote))
    cpe.udhcpc()
    cpe.wait_address()
    for address, url in ((SERVER_IP6, f"http://[{SERVER_IP6}]/hello.txt"), (SERVER_IP, f"http://{SERVER_IP}/hello.txt")):
        assert ("hello" in cpe.run(f"curl -s -m 2 {url}", check=False)) == (address != blocked), address
        assert cpe.ping(address) == (3, 3)
    wait_for("the drop is counted", lambda: lab.counter("drop.filtered") >= 1, 10)


@pytest.mark.parametrize("way", ["up", "down"])
def test_a_plan_is_kept_within_five_percent(make_lab, way):
    rate = 20_000_000
    lab, cpe = online(make_lab, POLICY.format(plan="rate-up: 20Mbit, rate-down: 20Mbit", remote="::/0"))
    lab.extra.append(Process("iperf3", ["iperf3", "-s", "-J"], lab.dir / "iperf3.log", ns="server"))
    wait_for("iperf3 listens", lambda: ":5201" in sh("ss -Hlnt", ns="server"), 10)
    out = json.loads(cpe.run(f"iperf3 -6 -J --get-server-output -u -l 1352 -t 6 -b 40M -c {SERVER_IP6} {'-R' if way == 'down' else ''}", timeout=60))
    # Without the first interval, in which the bucket empties; IP bytes.
    intervals = (out if way == "down" else out["server_output_json"])["intervals"][1:6]
    got = sum(i["sum"]["bytes"] for i in intervals) * 8 * 1400 / 1352 / sum(i["sum"]["seconds"] for i in intervals)
    print(f"{way}: {got / 1e6:.2f} of {rate / 1e6:.0f} Mbit/s")
    assert 0.95 * rate < got < 1.05 * rate


def icmp6(source, target, ethernet_head, body, chain=b"", first=58, hop_limit=64):
    """An Ethernet frame for the BNG with an ICMPv6 message behind a chain of extension headers."""
    upper = body[:2] + b"\0\0" + body[4:]
    pseudo = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target)
    total = sum16(pseudo + len(upper).to_bytes(4, "big") + (58).to_bytes(4, "big") + upper)
    upper = upper[:2] + total.to_bytes(2, "big") + upper[4:]
    head = b"\x60\0\0\0" + (len(chain) + len(upper)).to_bytes(2, "big") + bytes([first, hop_limit])
    return ethernet_head + head + pseudo + chain + upper


def sum16(data):
    data += b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(data[i:i + 2], "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(cpe, to="33:33:00:00:00:02"):
    return bytes.fromhex(to.replace(":", "") + cpe.mac.replace(":", "")) + b"\x86\xdd"


@pytest.mark.parametrize("refused", ["destination", "hop-by-hop", None])
def test_extension_headers_pass_unless_refused(make_lab, refused):
    lab, cpe = online(make_lab, refused_extension_headers=[refused] if refused else [])
    gateway = re.search(r"link/ether (\S+)", sh("ip link show access0")).group(1)
    echo = bytes([128, 0, 0, 0, 0x12, 0x34, 0, 1]) + b"extension"
    chain = bytes([58, 0, 1, 4, 0, 0, 0, 0])
    frame = icmp6(cpe.wait_address6(), SERVER_IP6, ethernet(cpe, gateway), echo, chain, PORTS[refused or "destination"])
    answers = [f for f in send_frames(cpe, [frame] * 3) if f[12:14] == b"\x86\xdd" and f[54] == 129]
    assert len(answers) == (0 if refused else 3)
    if refused:
        wait_for("the refusal is counted", lambda: lab.counter("drop.ipv6_refused_header") >= 3, 10)
    assert cpe.ping(SERVER_IP6) == (3, 3)


def junk(cpe, source):
    """Every message of the fuzzers' corpora in a right envelope, and changed copies of it; a fixed seed."""
    chance = random.Random(20261123)
    frames = []
    for name in ("nd", "dhcpv6"):
        lines = (ROOT / f"Tests/fuzz/corpus/{name}.hex").read_text().splitlines()
        for line in lines:
            data = bytes.fromhex(line)[:1400] if line and not line.startswith("#") else b""
            for _ in range(40 if len(data) >= 8 else 0):
                changed = bytearray(data[:chance.randint(8, len(data))])
                for _ in range(chance.randint(0, 4)):
                    changed[chance.randrange(len(changed))] = chance.randrange(256)
                frames.append(udp6(cpe, source, bytes(changed)) if name == "dhcpv6" else
                              icmp6(source, "ff02::2", ethernet(cpe), bytes([chance.choice([133, 134, 135, 136, 137]), 0]) + bytes(changed[2:]),
                                    hop_limit=255))
    return frames


def udp6(cpe, source, payload):
    pseudo = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, "ff02::1:2")
    udp = (546).to_bytes(2, "big") + (547).to_bytes(2, "big") + (8 + len(payload)).to_bytes(2, "big")
    total = sum16(pseudo + (8 + len(payload)).to_bytes(4, "big") + (17).to_bytes(4, "big") + udp + b"\0\0" + payload) or 0xFFFF
    head = b"\x60\0\0\0" + (8 + len(payload)).to_bytes(2, "big") + bytes([17, 255])
    return ethernet(cpe, "33:33:00:01:00:02") + head + pseudo + udp + total.to_bytes(2, "big") + payload


def test_junk_leaves_both_planes_alive_and_another_line_served(make_lab):
    lab, cpe = online(make_lab)
    other = lab.cpe("cpe2", "02:00:5e:10:6a:02", s=200, c=7)
    frames = junk(cpe, link_local(cpe))
    assert len(frames) >= 200
    for _ in range(3):
        send_frames(cpe, frames, listen=0.1)
    other.autoconfigure()
    other_address = other.wait_address6()
    assert other.ping(SERVER_IP6) == (3, 3) and ping_from_server(other_address) == (3, 3)
    assert cpe.ping(SERVER_IP6) == (3, 3)
    assert lab.controller.alive() and lab.agent.alive() and lab.audit_differences() == 0
    wait_for("some of it is refused by the node", lambda: lab.counter("drop.malformed_nd") + lab.counter("drop.malformed_dhcpv6")
             + lab.counter("drop.nd_from_router") >= 10, 10)
