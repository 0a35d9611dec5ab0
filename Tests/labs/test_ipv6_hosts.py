# SPDX-License-Identifier: Apache-2.0
"""Real IPv6 hosts on every kind of line: prefix, route, DNS, ping, fetch; one session with their IPv4; alone on their line.

    kernel SLAAC, rdisc6, udhcpc ─ switch ─ access0 [BNG] core0 ─ server
"""
import re

import pytest

from ipv6_lab import DNS, LINES, advertisement, link_local
from topology import GATEWAY6, SERVER_IP, SERVER_IP6, Process, sh, wait_for

SHORT = {"advertisement_interval": "4s", "router_lifetime": "15s"}


def online(lab, name="cpe1", mac="02:00:5e:10:66:01", **line):
    cpe = lab.cpe(name, mac, **line)
    cpe.autoconfigure()
    return cpe, cpe.wait_address6()


def has_route(cpe):
    return GATEWAY6 in cpe.run("ip -6 route show default")


@pytest.mark.parametrize("line", LINES)
def test_the_kernel_configures_itself(make_lab, line):
    lab = make_lab(ipv6={}).up()
    cpe, address = online(lab, **LINES[line])
    assert cpe.ping(SERVER_IP6, count=5) == (5, 5)
    assert cpe.ping(f"{GATEWAY6}%wan", count=2) == (2, 2)
    assert "hello" in cpe.run(f"curl -s --max-time 5 http://[{SERVER_IP6}]/hello.txt")
    session = lab.session_of(cpe)
    assert address.startswith(session["ipv6"]["prefix"].split("::/")[0])
    wait_for("the node has counted", lambda: lab.session(session["id"])["counters"]["ipv6UpPackets"] >= 6)
    counters = lab.session(session["id"])["counters"]
    assert counters["upPackets"] >= counters["ipv6UpPackets"]


def test_rdisc6_sees_what_is_configured(make_lab):
    lab = make_lab(ipv6={"mtu": 1480, "router_preference": "high", "nat64_prefix": "64:ff9b::/96", "address_pool": None}).up()
    cpe = lab.cpe("cpe1", "02:00:5e:10:66:02", s=100)
    cpe.autoconfigure()
    said = advertisement(cpe)
    prefix = wait_for("a session", lambda: lab.session_of(cpe))["ipv6"]["prefix"]
    for expected in (rf"Prefix\s+: {prefix}", r"Stateful address conf\.\s+: +No", r"Stateful other conf\.\s+: +Yes", r"preference\s+: +high",
                     r"Router lifetime\s+: +1800 ", r"MTU\s+: +1480 ", rf"Recursive DNS server\s+: {DNS}", r"DNS search list\s+: example\.net",
                     r"On-link\s+: +No", r"Autonomous address conf\.: +Yes", r"Valid time\s+: +7200 ", r"Pref\. time\s+: +3600 ",
                     rf"from {GATEWAY6}"):
        assert re.search(expected, said), f"no {expected} in:\n{said}"


def test_dual_stack_is_one_session(make_lab):
    lab = make_lab(ipv6={}).up()
    cpe, address = online(lab, s=200, c=7)
    before = lab.session_of(cpe)
    cpe.udhcpc()
    ipv4 = cpe.wait_address()
    assert len(lab.sessions()) == 1
    session = lab.session(before["id"])
    assert session["address"] == ipv4 and address.startswith(session["ipv6"]["prefix"].split("::/")[0])
    assert session["phase"] == "active"
    assert session["service"]["accountingID"] == lab.session(before["id"])["service"]["accountingID"]
    for url in (f"http://[{SERVER_IP6}]/hello.txt", f"http://{SERVER_IP}/hello.txt"):
        assert "hello" in cpe.run(f"curl -s --max-time 5 {url}")
    wait_for("both families are counted", lambda: 0 < lab.session(before["id"])["counters"]["ipv6UpPackets"]
             < lab.session(before["id"])["counters"]["upPackets"])


def test_the_default_route_outlives_the_controller(make_lab):
    """The node advertises by itself: 20 s is more than a router lifetime without a controller."""
    lab = make_lab(ipv6=SHORT).up()
    cpe, _ = online(lab, s=100)
    lab.controller.kill()
    assert cpe.ping(SERVER_IP6, count=100, interval=0.2) == (100, 100)
    assert has_route(cpe)
    lab.start_controller()
    wait_for("settled", lab.node_settled, 20)
    assert lab.audit_differences() == 0 and cpe.ping(SERVER_IP6) == (3, 3)


def test_clear_session_takes_the_route_back(make_lab):
    lab = make_lab(ipv6={}).up()
    cpe, _ = online(lab)
    assert cpe.ping(SERVER_IP6) == (3, 3)
    lab.ctl("clear", "session", lab.session_of(cpe)["id"], text=True)
    wait_for("the final advertisement takes the default route", lambda: not has_route(cpe), 5, 0.01)


def test_hosts_on_one_vlan_do_not_see_each_other(make_lab):
    """The access node isolates its ports; the BNG routes between them."""
    lab = make_lab(ipv6=SHORT).up()
    hosts = [online(lab, f"cpe{n}", f"02:00:5e:10:66:1{n}", s=100) for n in (1, 2)]
    (first, one), (second, two) = hosts
    for name in ("cpe1-sw", "cpe2-sw"):
        sh(f"ip link set {name} type bridge_slave isolated on", ns="switch")
    capture = lab.dir / "advertisements.txt"
    dump = Process("tcpdump", ["tcpdump", "-l", "-n", "-vv", "-i", "wan", "-c", "3", "icmp6 and ip6[40] = 134"], capture, ns="cpe2")
    prefix = {cpe.name: lab.session_of(cpe)["ipv6"]["prefix"] for cpe in (first, second)}
    assert prefix["cpe1"] != prefix["cpe2"]
    wait_for("three periodic advertisements", lambda: not dump.alive(), 20)
    heard = capture.read_text()
    assert prefix["cpe2"] in heard and prefix["cpe1"] not in heard
    assert len({a.split("::")[0] for a, _ in second.addresses6()}) == 1
    assert first.ping(f"{link_local(second)}%wan", count=2, wait=1)[1] == 0
    assert first.ping(two, count=3) == (3, 3) and second.ping(one, count=3) == (3, 3)


def test_the_gateways_address_is_taken(make_lab):
    lab = make_lab(ipv6={}).up()
    cpe, _ = online(lab)
    cpe.run(f"ip addr add {GATEWAY6}/64 dev wan")
    wait_for("duplicate address detection fails", lambda: "dadfailed" in cpe.run("ip -6 addr show dev wan"), 10)
    cpe.run(f"ip addr del {GATEWAY6}/64 dev wan")
    wait_for("the router is used again", lambda: cpe.ping(SERVER_IP6, count=1)[1] == 1, 10)
