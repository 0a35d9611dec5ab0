# SPDX-License-Identifier: Apache-2.0
"""IPv6 through the data plane as a customer sees it: traceroute, path MTU, spoofing, hop limit, filters, policers, extension headers,
and junk, which costs nobody else anything.

    cpes [kernel SLAAC] ── switch ── access0 [BNG, 2001:db8:fffe::1] core0 ── server
"""
import json
import re
from collections import Counter

import pytest

from ipv6_frames import DESTINATION, HOP_BY_HOP, ROUTING, ethernet, icmpv6, junk
from ipv6_lab import link_local, ping_from_server, received
from pppoe_lab import mac_of, send_frames
from topology import BNG_IP6, SERVER_IP, SERVER_IP6, Lab, Process, sh, wait_for

RATE = 20_000_000
POLICY = f"""
plans:
  - {{name: basic}}
  - {{name: rated, rate-up: {RATE}bit, rate-down: {RATE}bit}}
  - {{name: no-ipv4-web, filter: no-ipv4-web}}
  - {{name: no-ipv6-web, filter: no-ipv6-web}}
  - {{name: no-ipv6-at-all, filter: no-ipv6-at-all}}
filters:
  - {{name: no-ipv4-web, default: permit, rules: [{{action: deny, direction: up, remote: 198.51.100.0/24, protocol: tcp, ports: 80}}]}}
  - {{name: no-ipv6-web, default: permit, rules: [{{action: deny, direction: up, remote: "2001:db8:ffff::/48", protocol: tcp, ports: 80}}]}}
  - {{name: no-ipv6-at-all, default: permit, rules: [{{action: deny, remote: "::/0"}}]}}
aaa:
  chain: [local]
  user-name: "{{mac}}"
  default-plan: basic
"""
PLANS = {"plain": "basic", "rated": "rated", "web4": "no-ipv4-web", "web6": "no-ipv6-web", "none6": "no-ipv6-at-all", "junk": "basic"}
MACS = {name: f"02:00:5e:10:6a:{index:02x}" for index, name in enumerate(PLANS)}
WIDE_OPEN = "".join(f"  {name}: {{line-pps: 1000000, line-burst: 1000000, port-pps: 1000000, port-burst: 1000000}}\n" for name in ("nd", "dhcpv6"))


def test_too_big_is_said_and_learned(make_lab):
    """1,400 bytes toward the line (its port), 1,300 toward the core (the kernel's route). Its lab is gone before that of `world` comes."""
    lab = make_lab(ipv6={})
    lab.config.write_text(lab.config.read_text().replace("      - name: access0\n", "      - name: access0\n        mtu: 1400\n"))
    lab.up()
    sh("ip -6 route replace 2001:db8:ffff::/64 dev core0 proto kernel metric 256 mtu lock 1300")
    cpe = lab.cpe("cpe1", "02:00:5e:10:6a:01", s=100)
    cpe.autoconfigure()
    ways = (("cpe1", SERVER_IP6, 1300), ("server", cpe.wait_address6(), 1400))
    for ns, target, mtu in ways:
        said = sh(f"ping -n -c 3 -i 0.2 -W 1 -s 1452 -M do {target}", ns=ns, check=False)
        assert re.search(rf"From {BNG_IP6} icmp_seq=1 Packet too big: mtu={mtu}", said), said
        assert received(sh(f"ping -n -c 3 -i 0.2 -W 1 -s {mtu - 48} -M do {target}", ns=ns)) == (3, 3)
    for ns, target, _ in ways:
        # What was learned is used: both ends cut up what they send.
        assert received(sh(f"ping -n -c 3 -i 0.2 -W 1 -s 3000 {target}", ns=ns)) == (3, 3)
    for ns, target, mtu in ways:
        sh("ip -6 route flush cache", ns=ns)
        assert f"pmtu {mtu}" in sh(f"tracepath -6 -n -m 4 {target}", ns=ns)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A lab with a customer of every plan; DESTINATION options are refused on its lines."""
    lab = Lab(tmp_path_factory.mktemp("forward6"), ipv6={"refused_extension_headers": ["destination"]}, policy=POLICY, guard_more=WIDE_OPEN).up()
    cpes = {}
    for index, (name, plan) in enumerate(PLANS.items()):
        lab.ctl("subscriber", "add", MACS[name], "--plan", plan)
        cpes[name] = lab.cpe(name, MACS[name], s=100 + index)
        cpes[name].autoconfigure()
    for name in PLANS:
        cpes[name].wait_address6()
    yield lab, cpes
    lab.down()


def test_traceroute_sees_the_bng_and_its_answers_come_from_its_own_address(world):
    _, cpes = world
    cpe = cpes["plain"]
    hops = re.findall(r"^ *\d+  (\S+)", cpe.run(f"traceroute -6 -n -q 1 -w 2 -m 3 {SERVER_IP6}"), re.M)
    assert hops[0] == BNG_IP6 and hops[-1] == SERVER_IP6 and len(hops) == 2, hops
    for ns, target in (("plain", SERVER_IP6), ("server", cpe.wait_address6())):
        assert f"From {BNG_IP6} icmp_seq=1 Time exceeded" in sh(f"ping -n -c 1 -t 1 -W 2 {target}", ns=ns, check=False)
        # One hop of the 64 that the other end's answer begins with.
        assert " ttl=63 " in sh(f"ping -n -c 1 -t 2 -W 2 {target}", ns=ns)
    assert cpe.ping(BNG_IP6) == (3, 3)


def test_spoofed_sources_are_dropped_and_counted(world):
    lab, cpes = world
    cpe = cpes["plain"]
    for source in ("2001:db8:dead::1", cpes["web4"].wait_address6()):
        before = lab.counter("drop.spoofed_source")
        # Not preferred: nothing but what asks for it uses it.
        cpe.run(f"ip addr add {source}/128 dev wan nodad preferred_lft 0")
        assert received(cpe.run(f"ping -n -c 3 -i 0.2 -W 1 -I {source} {SERVER_IP6}", check=False)) == (3, 0)
        wait_for("spoofed packets are counted", lambda: lab.counter("drop.spoofed_source") == before + 3, 10)
        cpe.run(f"ip addr del {source}/128 dev wan")
    assert cpe.ping(SERVER_IP6) == (3, 3) and ping_from_server(cpes["web4"].wait_address6()) == (3, 3)


@pytest.mark.parametrize("name, web, ping", [("plain", {4, 6}, {4, 6}), ("web4", {6}, {4, 6}), ("web6", {4}, {4, 6}), ("none6", {4}, {4})])
def test_a_rule_of_one_family_leaves_the_other_alone(world, name, web, ping):
    lab, cpes = world
    cpe = cpes[name]
    cpe.udhcpc()
    cpe.wait_address()
    before = lab.counter("drop.filtered")
    urls = {4: f"http://{SERVER_IP}/hello.txt", 6: f"http://[{SERVER_IP6}]/hello.txt"}
    assert {family for family, url in urls.items() if "hello" in cpe.run(f"curl -s -m 2 {url}", check=False)} == web
    assert {family for family, target in ((4, SERVER_IP), (6, SERVER_IP6)) if cpe.ping(target)[1] == 3} == ping
    # The link itself is not filtered.
    assert cpe.ping("fe80::1%wan", count=2) == (2, 2)
    if web != {4, 6}:
        wait_for("the drop is counted", lambda: lab.counter("drop.filtered") > before, 10)


def test_a_plan_is_kept_within_five_percent(world, capsys):
    lab, cpes = world
    lab.extra.append(Process("iperf3", ["iperf3", "-s"], lab.dir / "iperf3.log", ns="server"))
    wait_for("iperf3 listens", lambda: ":5201" in sh("ss -Hlnt", ns="server"), 10)
    kept = {}
    for way, reverse in (("up", ""), ("down", "-R")):
        out = json.loads(cpes["rated"].run(f"iperf3 -6 -J -u -l 1352 -b {2 * RATE} -t 4 -O 1 -c {SERVER_IP6} {reverse}", timeout=60))
        # IP bytes.
        kept[way] = out["end"]["sum_received"]["bits_per_second"] * 1400 / 1352 / RATE
    with capsys.disabled():
        print(f"\npolicer, UDP over IPv6, plan {RATE // 1_000_000} Mbit/s: up {kept['up']:.4f}, down {kept['down']:.4f} of it")
    assert all(abs(ratio - 1) < 0.05 for ratio in kept.values()), kept


PADDING, ROUTING_0, ROUTING_2 = b"\x01\x04\0\0\0\0", b"\0\0\0\0\0\0", b"\x02\0\0\0\0\0"
CHAINS = {
    "hop-by-hop options": ([(HOP_BY_HOP, PADDING)], None),
    "destination options, which the port refuses": ([(DESTINATION, PADDING)], "ipv6_refused_header"),
    "the same behind others": ([(HOP_BY_HOP, PADDING), (DESTINATION, PADDING)], "ipv6_refused_header"),
    "a routing header of type 2": ([(ROUTING, ROUTING_2)], None),
    "a routing header of type 0": ([(ROUTING, ROUTING_0)], "ipv6_routing_header"),
    "nine headers": ([(ROUTING, ROUTING_2)] * 9, "ipv6_header_chain"),
    "hop-by-hop options that are not first": ([(ROUTING, ROUTING_2), (HOP_BY_HOP, PADDING)], "malformed_ipv6"),
}


def test_extension_headers_pass_unless_refused(world):
    lab, cpes = world
    cpe = cpes["plain"]
    address, envelope = cpe.wait_address6(), ethernet(cpe.mac, mac_of("access0"))
    expected = Counter(reason for _, reason in CHAINS.values() if reason)
    before = {reason: lab.counter(f"drop.{reason}") for reason in expected}
    # The echo's sequence number says which chain was answered.
    frames = [envelope + icmpv6(address, SERVER_IP6, bytes([128, 0, 0, 0, 0x12, 0x34, 0, index]), chain=chain)
              for index, (chain, _) in enumerate(CHAINS.values())]
    answered = {f[61] for f in send_frames(cpe, frames) if f[12:14] == b"\x86\xdd" and f[54:55] == b"\x81"}
    assert [what for index, what in enumerate(CHAINS) if index in answered] == [what for what, (_, reason) in CHAINS.items() if not reason]
    for reason, count in expected.items():
        wait_for(f"{reason} is counted", lambda: lab.counter(f"drop.{reason}") == before[reason] + count, 10)
    assert cpe.ping(SERVER_IP6) == (3, 3)


def heard(lab, name):
    """A counter of the controller; one that is 0 is not shown."""
    return sum(c["value"] for c in lab.ctl("show", "punts") if c["name"] == f"controller.{name}")


def test_junk_leaves_both_planes_alive_and_another_line_served(world):
    """The junk is let through the guard: the controller has to stand it."""
    lab, cpes = world
    evil, other = cpes["junk"], lab.cpe("late", "02:00:5e:10:6a:ff", s=200, c=7)
    lab.ctl("subscriber", "add", other.mac)
    sessions = {s["id"] for s in lab.sessions() if s["mac"] != evil.mac}
    before = heard(lab, "dhcpv6_received")
    frames = junk(evil.mac, link_local(evil))
    assert len(frames) > 500
    other.autoconfigure()
    # No more at once than the device's queue holds.
    for start in range(0, len(frames), 200):
        send_frames(evil, frames[start:start + 200], listen=0.05)
    other_address = other.wait_address6()
    assert other.ping(SERVER_IP6) == (3, 3) and ping_from_server(other_address) == (3, 3)
    wait_for("the controller has met it", lambda: heard(lab, "dhcpv6_received") > before + 20 and heard(lab, "malformed_dhcpv6") > 100, 10)
    for reason in ("malformed_nd", "malformed_dhcpv6", "nd_from_router", "nd_not_ours", "nd_advertisement", "dhcpv6_from_server"):
        wait_for(f"{reason} is counted", lambda: lab.counter(f"drop.{reason}") >= 3, 10)
    assert lab.controller.alive() and lab.agent.alive()
    assert sessions <= {s["id"] for s in lab.sessions()}, "somebody else's session has gone"
    assert cpes["plain"].ping(SERVER_IP6) == (3, 3) and lab.audit_differences() == 0
