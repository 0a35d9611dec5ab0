# SPDX-License-Identifier: Apache-2.0
"""Rates, filters and framed routes under a real TCP/IP stack. The agent alone, driven by Tests/support/agent_controller.py.

    cpe ns ──veth── bridge in ns `switch` ──veth── access0 [bng-agent] core0 ──veth── ns `server` (iperf3)
"""
import json
import sys

import pytest
from topology import GATEWAY, ROOT, SERVER_IP, Process, sh, wait_for

sys.path.insert(0, str(ROOT / "Tests/support"))
from agent_controller import Controller, base_objects, d, ip, s, session  # noqa: E402

ADDRESS, MAC = "100.64.1.10", "02:00:5e:00:00:0a"
MBIT = 1_000_000


class Line:
    """One subscriber with a static address, and what the agent holds for it."""

    def __init__(self, lab):
        self.lab, self.generation, self.runs = lab, 0, 0
        lab.network()
        self.controller = Controller(str(lab.dir / "agents.sock"))
        lab.start_agent(wait=False)
        self.controller.greet()
        self.controller.apply(*base_objects())
        self.cpe = lab.cpe("cpe1", MAC)
        self.cpe.run(f"ip addr add {ADDRESS}/16 dev wan")
        self.cpe.run(f"ip route add default via {GATEWAY}")

    def serve(self, up=0, down=0, burst_ms=250, **grants):
        """Upserts the session; rates in bit/s, with so much of them as burst. With a round trip this short TCP's shortest time-out
        (200 ms) must fit into it: a lost retransmission would otherwise cost more than the bucket makes good."""
        self.generation += 1
        it = session(1, self.generation, address=ip(ADDRESS))
        it.session.line.mac = bytes.fromhex(MAC.replace(":", ""))
        for rate, field in ((up, it.session.rate_up), (down, it.session.rate_down)):
            if rate:
                field.CopyFrom(d.Rate(bits_per_second=rate, burst_bytes=max(rate // 8000 * burst_ms, 16384)))
        for prefix, length in grants.pop("routes", ()):
            it.session.ipv4.framed_routes.add(prefix=ip(prefix), prefix_length=length)
        for name, value in grants.items():
            setattr(it.session, name, value)
        self.controller.apply(it)

    def counters(self):
        self.controller.telemetry.send(session_counters_request=s.SessionCountersRequest(request_id=1, session_ids=[1 << 48 | 1]))
        return self.controller.expect("session_counters", s.LANE_TELEMETRY).sessions[0]

    def iperf3(self, *arguments, meanwhile=lambda: None):
        """A run from the subscriber; its JSON."""
        server = Process("iperf3", ["iperf3", "-s", "-1"], self.lab.dir / "iperf3-server.log", ns="server")
        self.lab.extra.append(server)
        wait_for("iperf3 listens", lambda: ":5201" in sh("ss -ltn", ns="server"))
        self.runs += 1
        out = self.lab.dir / f"iperf3-{self.runs}.json"
        client = Process("iperf3", ["iperf3", "-c", SERVER_IP, "-J", "--logfile", out, *arguments], self.lab.dir / "iperf3.log",
                         ns="cpe1")
        self.lab.extra.append(client)
        meanwhile()
        client.popen.wait(60)
        server.popen.wait(10)
        return json.loads(out.read_text())


@pytest.fixture
def line(make_lab):
    it = Line(make_lab(capture=False))
    yield it
    it.controller.stop()


@pytest.mark.parametrize("rate", [1 * MBIT, 50 * MBIT])
def test_udp_gets_the_plan_to_a_hundredth_both_ways(line, rate, capsys):
    """Offered twice the plan, counted where it arrives, after a second in which the bucket empties."""
    payload = 1400
    line.serve(up=rate, down=rate)
    measured = {}
    for way, reverse in (("up", []), ("down", ["-R"])):
        report = line.iperf3("-u", "-b", str(2 * rate), "-l", str(payload), "-t", "6", "-O", "1", *reverse)
        measured[way] = report["end"]["sum_received"]["bits_per_second"] * (payload + 28) / payload / rate
    with capsys.disabled():
        print(f"\npolicer, UDP, plan {rate // MBIT} Mbit/s: up {measured['up']:.4f}, down {measured['down']:.4f} of it")
    assert all(abs(ratio - 1) < 0.01 for ratio in measured.values()), measured


def test_tcp_follows_a_change_of_rate_without_a_gap(line, capsys):
    """20, 80, 20 Mbit/s under one connection, which finds each of them and is not stopped by any change."""
    steps, changed = (20 * MBIT, 80 * MBIT, 20 * MBIT), []
    line.serve(down=steps[0])

    def received():
        return json.loads(sh("ip -s -j link show dev wan", ns="cpe1"))[0]["stats64"]["rx"]["bytes"]

    def change():
        target = received()
        for before, after in zip(steps, steps[1:]):
            target += before // 8 * 3
            wait_for("three seconds of the plan", lambda: received() > target, 30)
            line.serve(down=after)
            changed.append(after)

    report = line.iperf3("-R", "-t", "9", "-i", "0.5", meanwhile=change)
    rates = [i["sum"]["bits_per_second"] / MBIT for i in report["intervals"]]
    with capsys.disabled():
        print(f"\npolicer, TCP at 20, 80, 20 Mbit/s, each half second: {' '.join(f'{r:.0f}' for r in rates)}")
    assert len(changed) == 2
    assert min(rates) > 5, rates
    assert sorted(rates)[-4] > 56, rates


def test_a_change_of_rate_loses_nothing_of_either(line, capsys):
    """A stream of 10 Mbit/s under a plan that changes between 20 and 80 Mbit/s ten times a second: not one packet is dropped."""
    line.serve(up=20 * MBIT)

    def change():
        for i in range(40):
            line.serve(up=(80, 20)[i % 2] * MBIT)
            line.controller.telemetry.receive(0.1)

    report = line.iperf3("-u", "-b", "10M", "-l", "1400", "-t", "6", meanwhile=change)
    sent, counters = report["end"]["sum"]["packets"], line.counters()
    with capsys.disabled():
        print(f"\npolicer, 40 changes of rate under 10 Mbit/s: {counters.dropped_packets} of {sent} packets dropped")
    # What a busy receiver loses behind us is not ours.
    assert counters.dropped_packets == 0 and counters.up_packets >= sent


def test_a_filter_and_a_framed_route_act_on_a_real_stack(line):
    rule = d.FilterRule(action=d.FILTER_ACTION_DENY, direction=d.FILTER_DIRECTION_UP, protocol=6, remote_port_first=80, remote_port_last=80)
    line.controller.apply(d.Object(object_id=5, generation=1, filter=d.Filter(
        rules=[rule], default_action=d.FILTER_ACTION_PERMIT)))
    line.serve()
    web = f"curl -s -m 3 http://{SERVER_IP}/hello.txt"
    wait_for("the web answers", lambda: "hello" in line.cpe.run(web))
    line.serve(filter_id=5)
    assert "hello" not in line.cpe.run(web, check=False)
    assert line.cpe.ping(count=3) == (3, 3) and line.cpe.ping(GATEWAY, count=1) == (1, 1)
    # A network behind the subscriber: nothing before it is granted, both ways after it.
    line.cpe.run("ip addr add 203.0.113.1/29 dev lo")
    sh("ip route add 203.0.113.0/29 via 198.51.100.1", ns="server")
    source = f"ping -n -c 2 -i 0.2 -W 1 -I 203.0.113.1 {SERVER_IP}"
    assert " 0 received" in line.cpe.run(source, check=False)
    line.serve(routes=[("203.0.113.0", 29)])
    assert " 2 received" in line.cpe.run(source)
    assert " 2 received" in sh("ping -n -c 2 -i 0.2 -W 1 203.0.113.1", ns="server")
