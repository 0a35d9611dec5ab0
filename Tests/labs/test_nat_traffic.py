# SPDX-License-Identifier: Apache-2.0
"""What goes through NAT (FEATURES C3): STUN's judgement of it, bulk TCP at both usual sizes, large datagrams, ten thousand
flows over the death of both planes. (A PPPoE client behind NAT: test_pppoe_pppd.py.)
"""
import json
import re

import pytest

from nat_lab import OTHER_IP, another_address_of_the_server, is_within, nat_options, public_side, seen, up, who
from topology import SERVER_IP, Process, sh, wait_for

FLOWS_OF_A_CUSTOMER = 2500
CUSTOMERS = 4


def online(lab, name, mac, **line):
    cpe = lab.cpe(name, mac, **line)
    cpe.udhcpc()
    cpe.wait_address()
    return cpe


@pytest.mark.parametrize("filtering, judgement", [
    ("endpoint-independent", "Independent Mapping, Independent Filter"),
    ("address-dependent", "Independent Mapping, Address Dependent Filter"),
])
def test_a_stun_client_finds_the_mapping_and_filtering_that_are_configured(make_lab, filtering, judgement):
    """RFC 3489's tests from two addresses with two ports each, in the words of the client."""
    lab = up(make_lab(**nat_options(policy=f"    filtering: {filtering}")))
    another_address_of_the_server()
    server = Process("stund", ["stund", "-h", SERVER_IP, "-a", OTHER_IP], lab.dir / "stund.log", ns="server")
    lab.extra.append(server)
    wait_for("stund listens", lambda: ":3479" in sh("ss -Hlnu", ns="server"), 10)
    cpe = online(lab, "cpe1", "02:00:5e:20:00:01", s=200, c=7)
    out = cpe.run(f"stun {SERVER_IP} -p 20000 -i {cpe.address()}", check=False, timeout=60)
    assert judgement in out and "will hairpin" in out, out
    asked = sh(f"tshark -r {lab.dir}/eth0.pcap -Y ip.dst=={OTHER_IP}&&udp -T fields -e udp.dstport", check=False).split()
    assert {"3478", "3479"} & set(asked), "the second address was never asked"


@pytest.mark.parametrize("mtu", [1500, 1492])
def test_bulk_tcp_both_ways(make_lab, mtu):
    lab = up(make_lab(**nat_options()))
    cpe = online(lab, "cpe1", "02:00:5e:20:00:01", s=200, c=7)
    cpe.run(f"ip link set wan mtu {mtu}")
    for reverse in ([], ["-R"]):
        server = Process("iperf3", ["iperf3", "-s", "-1"], lab.dir / f"iperf3{''.join(reverse)}.log", ns="server")
        lab.extra.append(server)
        wait_for("iperf3 listens", lambda: ":5201" in sh("ss -ltn", ns="server"))
        report = json.loads(cpe.run(["iperf3", "-c", SERVER_IP, "-J", "-P", "4", "-t", "3", *reverse], timeout=60))
        assert not report.get("error"), report["error"]
        assert report["start"]["tcp_mss_default"] == mtu - 52
        assert all(stream["receiver"]["bytes"] > 1 << 20 for stream in report["end"]["streams"]), report["end"]
    assert not lab.counter("drop.nat_internal") and not lab.counter("drop.nat_malformed")


def test_datagrams_of_eight_kilobytes_both_ways(make_lab):
    lab = up(make_lab(**nat_options()))
    cpe = online(lab, "cpe1", "02:00:5e:20:00:01", s=100)
    who(lab, "udp", 7002)
    talk = """
import os, socket
s = socket.socket(2, 2); s.settimeout(5); s.connect(("%s", 7002))
for size in [8192] * 20 + [1473, 2960, 2961, 65000]:
    data = b"echo" + os.urandom(size - 4)
    s.send(data)
    answer = s.recv(65535)
    assert answer.split(b" ", 2)[2] == data, (size, len(answer))
    print(answer.split(b" ", 2)[1].decode(), flush=True)
""" % SERVER_IP
    ports = set(cpe.run(["/usr/bin/python3", "-c", talk], timeout=60).split())
    assert len(ports) == 1 and is_within(int(ports.pop()), public_side(lab, cpe)[1])


MANY = """
import os, resource, select, socket, sys, time
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
host, flows, rounds = sys.argv[1], int(sys.argv[2]), 0
def connected():
    s = socket.socket(); s.settimeout(10); s.connect((host, 7001)); return s
kept = [connected() for _ in range(flows)]
print("connected", len(kept), flush=True)
while True:
    while not os.path.exists("%s.%d" % (sys.argv[3], rounds)): time.sleep(0.05)
    poll = select.epoll()
    waiting = {}
    for s in kept:
        s.setblocking(False); s.send(b"%04d" % rounds); poll.register(s, select.EPOLLIN); waiting[s.fileno()] = s
    end = time.time() + 30
    while waiting and time.time() < end:
        for number, _ in poll.poll(1):
            if waiting[number].recv(100) != b"%04d" % rounds: sys.exit("a wrong answer")
            poll.unregister(number); del waiting[number]
    rounds += 1
    print("answered", flows - len(waiting), flush=True)
"""
ECHO = """
import resource, select, socket
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); l.bind(("", 7001)); l.listen(4096)
poll, kept = select.epoll(), {}
poll.register(l, select.EPOLLIN)
while True:
    for number, _ in poll.poll():
        if number == l.fileno():
            c, peer = l.accept(); kept[c.fileno()] = c; poll.register(c, select.EPOLLIN); print("%s %d" % peer, flush=True)
            continue
        data = kept[number].recv(4096)
        if data: kept[number].send(data)
        else: poll.unregister(number); kept.pop(number).close()
"""


def test_ten_thousand_flows_outlive_both_planes(make_lab):
    """Every connection answers after the agent and the controller were killed, on the port it had."""
    lab = up(make_lab(capture=False, **nat_options(pool="    block-size: 4096\n    max-blocks: 1")))
    lab.extra.append(Process("echo", ["/usr/bin/python3", "-c", ECHO], lab.dir / "echo.log", ns="server"))
    wait_for("the server listens", lambda: ":7001" in sh("ss -Hltn", ns="server"), 10)
    cpes = [online(lab, f"cpe{n}", f"02:00:5e:20:00:{n:02x}", s=100 + n) for n in range(1, CUSTOMERS + 1)]
    before = [public_side(lab, cpe) for cpe in cpes]
    many = ["/usr/bin/python3", "-c", MANY, SERVER_IP, str(FLOWS_OF_A_CUSTOMER), lab.dir / "go"]
    talkers = [cpe.start("many", many) for cpe in cpes]
    said = lambda cpe: (lab.dir / f"{cpe.name}-many.log").read_text().split("\n")  # noqa: E731

    def all_answer(word, round_number):
        wait_for(f"{word} of all", lambda: all(f"{word} {FLOWS_OF_A_CUSTOMER}" in said(c)[round_number:] for c in cpes), 90)

    def another_round(round_number):
        (lab.dir / f"go.{round_number - 1}").touch()
        all_answer("answered", round_number)
        assert all(talker.alive() for talker in talkers)

    all_answer("connected", 0)
    another_round(1)
    flows = lambda: sum(lab.session(lab.session_of(c)["id"])["counters"]["natFlows"] for c in cpes)  # noqa: E731
    wait_for("all are counted", lambda: flows() == FLOWS_OF_A_CUSTOMER * CUSTOMERS, 15)
    lab.agent.kill()
    another_round(2)
    lab.start_agent()
    lab.controller.kill()
    another_round(3)
    lab.start_controller()
    wait_for("settled", lab.node_settled, 20)
    another_round(4)
    assert [public_side(lab, cpe) for cpe in cpes] == before and lab.audit_differences() == 0
    assert flows() == FLOWS_OF_A_CUSTOMER * CUSTOMERS
    peers = (lab.dir / "echo.log").read_text().split("\n")[:-1]
    assert len(peers) == len(set(peers)) == FLOWS_OF_A_CUSTOMER * CUSTOMERS
    assert {peer.split()[0] for peer in peers} <= {address for address, _ in before}
    assert not re.search(r'drop\.nat_no_mapping"\} [1-9]', lab.metrics())
