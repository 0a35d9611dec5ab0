# SPDX-License-Identifier: Apache-2.0
"""Many PPPoE clients by bng-load (FEATURES A5, A6): set-up, limits, repetitions, a power cut, restarts, junk beside and malformed packets.

    ns `load`: bng-load, QinQ lines from 100.1 on ── bridge ── access0 [bng-agent] core0 ── server      ns `junk`: whoever disturbs
"""
import pytest

from pppoe_lab import OPEN_GUARD, dial, live, mac_of, results, serving, start_dial
from topology import CORE_IP, SERVER_IP, Process, sh, wait_for

LINES = 200


@pytest.fixture
def up(make_lab):
    def make(**options):
        options = {"guard_more": OPEN_GUARD, "lab_options": {"capture": False}, **options}
        lab = serving(make_lab, **options)
        return lab, lab.cpe("load", "02:00:5e:00:00:fe")
    return make


def all_gone(lab):
    wait_for("every session has ended", lambda: not lab.sessions(), 20)


def test_200_lines_dial_are_answered_their_echoes_and_hang_up(up):
    lab, cpe = up()
    dialled, held, closed = dial(cpe, LINES, "pppoe,hold,padt", "--auth", "chap", "--ipv6cp", "--duration", 2, "--rate", 0)
    assert [dialled[k] for k in ("completed", "failed", "ipv6cp_open", "unexpected")] == [LINES, 0, LINES, 0], dialled
    assert (held["completed"], held["lost"], closed["completed"]) == (LINES, 0, LINES)
    all_gone(lab)
    dialled, held, closed = dial(cpe, LINES, "pppoe,hold,padt", "--auth", "pap", "--rate", 500, "--duration", 1, "--terminate")
    assert dialled["completed"] == LINES and closed["completed"] == LINES, (dialled, closed)
    assert held["echoes_sent"] >= 400 and held["echo_replies"] == held["echoes_sent"], held
    all_gone(lab)
    assert lab.audit_differences() == 0


def test_traffic_over_200_sessions_is_forwarded_and_counted(up):
    lab, cpe = up()
    sh(f"ping -c 1 -W 2 {CORE_IP}", ns="server")
    sink = "import socket; s = socket.socket(2, 2); s.bind(('', 5001))\nwhile True: s.recv(2048)"
    lab.extra.append(Process("sink", ["/usr/bin/python3", "-c", sink], lab.dir / "sink.log", ns="server"))
    dialled, traffic = dial(cpe, LINES, "pppoe,traffic", "--core-interface", "eth0", "--core-netns", "/run/netns/server", "--core-mac",
                            mac_of("core0"), "--peer-mac", mac_of("eth0", "server"), "--peer", SERVER_IP, "--rate", 2000, "--duration", 2,
                            "--payload", 1400)
    assert dialled["completed"] == LINES
    for direction in ("up", "down"):
        assert traffic[direction]["sent"] >= 3900 and traffic[direction]["lost"] == 0, traffic[direction]
    counters = [lab.session(s["id"])["counters"] for s in live(lab)]
    for direction in ("up", "down"):
        assert sum(c[f"{direction}Packets"] for c in counters) == traffic[direction]["sent"]
        assert sum(c[f"{direction}Bytes"] for c in counters) == traffic[direction]["sent"] * 1428


def test_a_further_session_of_a_mac_replaces_its_oldest(up):
    lab, cpe = up(sessions_per_mac=2)
    dialled, = dial(cpe, 30, "pppoe", "--per-mac", 3, "--window", 1)
    assert (dialled["completed"], dialled["failed"], dialled["lost"]) == (30, 0, 10), dialled
    sessions = live(lab)
    assert len(sessions) == 20 and len({s["mac"] for s in sessions}) == 10
    assert len({s["address"] for s in sessions}) == 20
    assert lab.audit_differences() == 0


def test_a_line_that_is_full_is_told_so(up):
    lab, cpe = up(sessions_per_line=2, sessions_per_mac=4)
    dialled, = dial(cpe, 4, "pppoe", "--window", 1, tags="single:100")
    assert (dialled["completed"], dialled["refused"], dialled["failed_in"]["padr"]) == (2, 2, 2), dialled
    assert len(live(lab)) == 2


def test_frames_sent_twice_make_one_session_each(up):
    lab, cpe = up()
    dialled, = dial(cpe, LINES, "pppoe", "--duplicate", "--ipv6cp")
    assert (dialled["completed"], dialled["failed"], dialled["unexpected"], dialled["renegotiations"]) == (LINES, 0, 0, 0), dialled
    assert len(live(lab)) == LINES == len(lab.sessions())


def test_after_a_power_cut_everybody_is_back(up):
    lab, cpe = up()
    first, _, again = dial(cpe, LINES, "pppoe,abandon,pppoe")
    assert (first["completed"], again["completed"], again["failed"]) == (LINES, LINES, 0), again
    sessions = live(lab)
    assert len(sessions) == LINES == len({s["address"] for s in sessions})
    assert lab.audit_differences() == 0


def test_sessions_outlive_both_planes_and_new_ones_come_after(up):
    lab, cpe = up(echo_interval="1s", echo_failures=5)
    held = start_dial(cpe, LINES, "pppoe,hold", "--duration", 15, "--rate", 200)
    wait_for("everybody is online", lambda: len(live(lab)) == LINES, 20)
    lab.agent.kill()
    lab.start_agent()
    lab.controller.kill()
    lab.start_controller()
    wait_for("the node has settled", lab.node_settled, 20)
    late, = dial(cpe, 20, "pppoe", "--mac-base", "02:00:00:01:00:01", tags="qinq:300:1:100")
    assert (late["completed"], late["failed"]) == (20, 0), late
    assert len(live(lab)) == LINES + 20
    dialled, hold = results(held)
    assert (dialled["completed"], hold["completed"], hold["lost"]) == (LINES, LINES, 0), hold
    assert hold["echo_requests"] > 0 and hold["echo_replies"] == hold["echoes_sent"], hold
    assert len(live(lab)) >= LINES and lab.audit_differences() == 0


def test_a_flood_of_padis_costs_the_others_nothing(up):
    lab, cpe = up(guard_more="")
    junk = lab.cpe("junk", "02:00:5e:66:66:66")
    flood = start_dial(junk, 4000, "padi-flood", "--rate", 0, "--duration", 60, tags="qinq:700:1:4000")
    try:
        dialled, hold = dial(cpe, LINES, "pppoe,hold", "--duration", 3, "--window", 32, "--retries", 10)
        assert flood.poll() is None, "the flood ended before the test did"
    finally:
        flood.terminate()
    flooded, = results(flood)
    assert (dialled["completed"], dialled["failed"], hold["lost"]) == (LINES, 0, 0), (dialled, hold)
    assert flooded["rate_per_s"] > 10_000 and len(lab.sessions()) == LINES, flooded


@pytest.mark.parametrize("name,completed", [("", 3), ("voip", 3), ("television", 0)])
def test_only_services_that_are_offered_are_served(up, name, completed):
    lab, cpe = up(services=["internet", "voip"])
    dialled, = dial(cpe, 3, "pppoe", "--service", name, "--timeout", 0.3, "--retries", 2)
    assert (dialled["completed"], dialled["failed_in"]["padi"]) == (completed, 3 - completed), dialled
    assert [s["pppoe"]["service"] for s in (lab.session(s["id"]) for s in live(lab))] == [name] * completed


def test_a_circuit_id_is_believed_from_access_nodes_and_forged_elsewhere(up):
    circuits = [f"olt1 eth 1/{n}" for n in range(3)]
    lab, cpe = up(lab_options={"capture": False, "relay_trust": "access-node"}, authentication=["none"], lines=circuits,
                  more='  user-name: "{circuit-id}"')
    dialled, = dial(cpe, 3, "pppoe", "--circuit-id", "olt1 eth 1/%d", "--auth", "none")
    assert dialled["completed"] == 3
    assert sorted(lab.session(s["id"])["service"]["userName"] for s in live(lab)) == circuits


def test_a_customers_circuit_id_is_dropped_and_counted(up):
    lab, cpe = up(lab_options={"capture": False, "relay_trust": "none"})
    dialled, = dial(cpe, 3, "pppoe", "--circuit-id", "olt1 eth 1/%d", "--timeout", 0.3, "--retries", 2)
    assert dialled["failed_in"]["padi"] == 3, dialled
    wait_for("the forgeries are reported", lambda: lab.counter("drop.pppoe_forged_circuit") >= 6, 5)


def test_a_delayed_pado_arrives(up):
    lab, cpe = up(pado_delay="300ms")
    dialled, = dial(cpe, 20, "pppoe", "--timeout", 2)
    assert (dialled["completed"], dialled["timeouts"]) == (20, 0), dialled
    assert 300_000 <= dialled["discovery"]["p50_us"] < 600_000, dialled["discovery"]


def test_a_loaded_node_delays_its_pados_until_it_is_no_longer(up):
    lab, cpe = up(pado_delay_loaded="{sessions: 20, delay: 400ms}")

    clients = iter(range(1, 200))

    def discovery():  # of new clients: the same PADR again at once would count as a repetition
        dialled, _ = dial(cpe, 5, "pppoe,padt", "--mac-base", f"02:00:00:0a:{next(clients):02x}:01", "--timeout", 2)
        assert (dialled["completed"], dialled["timeouts"]) == (5, 0), dialled
        return dialled["discovery"]["p50_us"]

    assert discovery() < 200_000
    dialled, = dial(cpe, 20, "pppoe")
    assert dialled["completed"] == 20
    wait_for("PADOs wait", lambda: discovery() >= 400_000, 20)
    for session in live(lab):
        lab.ctl("clear", "session", session["id"], text=True)
    all_gone(lab)
    wait_for("PADOs come at once", lambda: discovery() < 200_000, 20)


def test_answered_echoes_keep_no_idle_session(up):
    lab, cpe = up(echo_interval="1s", echo_failures=2)
    lab.ctl("subscriber", "set", "alice", "--plan", "idle", text=True)
    held = start_dial(cpe, 5, "pppoe,hold", "--auth", "chap", "--duration", 9)
    wait_for("five are online", lambda: len(live(lab)) == 5, 20)
    ids = [s["id"] for s in live(lab)]
    wait_for("five have ended", lambda: not live(lab), 20)
    dialled, hold = results(held)
    assert dialled["completed"] == 5 and hold["lost"] == 5 and hold["echo_requests"] >= 5, hold
    assert {lab.session(i)["cause"] for i in ids} == {"idle_timeout"}


def test_a_lost_carrier_ends_the_sessions_of_clients_that_vanish(up):
    lab, cpe = up(echo_interval="1s", echo_failures=2)
    dialled, _ = dial(cpe, 20, "pppoe,abandon")
    assert dialled["completed"] == 20
    ended = [s["id"] for s in live(lab)]
    all_gone(lab)
    assert {lab.session(i)["cause"] for i in ended} == {"lost_carrier"}
