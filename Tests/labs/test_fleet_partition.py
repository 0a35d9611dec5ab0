# SPDX-License-Identifier: Apache-2.0
"""The network between a node and its controller breaks while both live (D12): what the node knows goes on, what it cannot decide is
counted, and when they meet again nothing is doubled. And two agents on one host, which are two nodes.

    bng-agent ── 127.0.0.1:7401, TLS, cut by nftables ── bng-controller
"""
import re
import sqlite3
import time

import pytest

from test_identity_psk import configure, known_by_key
from topology import BIN, SITE_B_AGENT, SITE_B_PORTS, Flood, Process, sh, wait_for


@pytest.fixture
def cut_lab(make_lab):
    lab = known_by_key(make_lab(lease="60s", extra_pool="    renewal: 2s\n    rebinding: 50s"))
    configure(lab)
    lab.start_agent()
    yield lab
    sh("nft delete table inet cut", check=False)


def cut():
    sh("nft add table inet cut")
    sh("nft add chain inet cut lo { type filter hook input priority 0 ; }")
    for field in ("dport", "sport"):
        sh(f"nft add rule inet cut lo tcp {field} 7401 drop")


def online(lab, name, mac, client="udhcpc", **line):
    cpe = lab.cpe(name, mac, **line)
    getattr(cpe, client)()
    cpe.wait_address()
    return cpe


def test_a_node_that_is_cut_off_goes_on_and_nothing_is_doubled(cut_lab):
    lab = cut_lab
    known = online(lab, "cpe1", "02:00:5e:10:63:01", client="dhclient", s=100)  # udhcpc ignores option 58
    leaving = online(lab, "cpe2", "02:00:5e:10:63:02", s=101)
    session, ended = lab.session_of(known), lab.session_of(leaving)
    log = lab.dir / "cpe1-dhclient.log"
    pinger = Flood(known)
    cut()
    wait_for("the controller notices", lambda: lab.node()["state"] == "unreachable", 20)
    wait_for("the agent notices", lambda: "lane_lost" in (lab.dir / "agent.log").read_text(), 20)
    renewed = log.read_text().count("DHCPACK")
    lab.ctl("clear", "session", ended["id"], text=True)
    assert leaving.ping(count=2) == (2, 2), "it is still served: nobody could tell the node"
    fresh = lab.cpe("cpe3", "02:00:5e:10:63:03", s=102)
    fresh.udhcpc("-t", "100")
    wait_for("renewals go on", lambda: log.read_text().count("DHCPACK") >= renewed + 3, 30)
    assert fresh.address() is None, "nobody could decide"
    node = lab.node()
    assert node["sessionsIntended"] == 1 and node["pendingDeletes"] == 1, "its address is not free before the node has confirmed"
    sh("nft delete table inet cut")
    wait_for("they meet again", lab.node_settled, 30)
    fresh.wait_address()
    wait_for("the delete is confirmed", lambda: lab.node()["pendingDeletes"] == 0, 20)
    assert lab.audit_differences() == 0
    assert lab.session_of(known)["id"] == session["id"] and lab.session_of(known)["address"] == session["address"]
    sent, received = pinger.stop()
    assert sent > 300 and received >= sent - 1, f"{sent - received} of {sent} lost"
    assert lab.counter("punt.dropped_lane") > 0, "what could not be asked was counted"
    with sqlite3.connect(f"file:{lab.dir}/controller.sqlite?mode=ro", uri=True) as store:
        live = store.execute("SELECT mac, address FROM sessions").fetchall()
        ends = store.execute("SELECT count(*) FROM history WHERE mac = ?", (int("02005e106302", 16),)).fetchone()[0]
    assert len(live) == len({mac for mac, _ in live}) == len({address for _, address in live}) == 2, live
    assert ends == 1, "ended once"


def test_two_agents_of_one_host_are_two_nodes(make_lab):
    lab = make_lab(second_site=True)
    text = lab.config.read_text().replace(SITE_B_PORTS + "\n", "")
    second = f"  - name: edge2\n    ports:\n{SITE_B_PORTS}\n    routes: [{{prefix: 0.0.0.0/0, via: kernel}}]\npools:"
    lab.config.write_text(text.replace("\npools:", "\n" + second, 1))
    agent = lab.agent_config.read_text()
    lab.agent_config.write_text(agent.replace(SITE_B_AGENT + "\n", ""))
    other = lab.dir / "agent2.conf"
    other.write_text(re.sub(r"port = .*\n", "", agent.replace(SITE_B_AGENT, "")).replace("edge1", "edge2").replace(lab.pins, lab.pins + "-2")
                     + SITE_B_AGENT + "\n")
    lab.network()
    lab.start_controller()
    lab.start_agent()
    start = lambda: Process("agent2", [BIN / "bng-agent", "--config", other], lab.dir / "agent2.log")  # noqa: E731
    process = start()
    lab.extra.append(process)
    try:
        nodes = lambda: {n["name"]: n for n in lab.ctl("show", "nodes")}  # noqa: E731
        wait_for("both settle", lambda: all(n["synchronized"] for n in nodes().values()) and len(nodes()) == 2, 30)
        first = online(lab, "cpe1", "02:00:5e:10:63:11", s=100)
        beside = online(lab, "cpe2", "02:00:5e:10:63:12", s=100, bridge="br1")
        assert {s["node"] for s in lab.sessions()} == {"edge1", "edge2"}
        pingers = [Flood(first), Flood(beside, target="203.0.113.2")]
        process.kill()
        wait_for("one is away", lambda: nodes()["edge2"]["state"] == "unreachable", 20)
        assert nodes()["edge1"]["state"] == "connected"
        time.sleep(0.7)  # traffic with no agent at all
        process = start()
        lab.extra.append(process)
        wait_for("it is back", lambda: nodes()["edge2"]["synchronized"], 30)
        assert sum(a["differences"] for a in lab.ctl("show", "audit")) == 0
        for pinger in pingers:
            sent, received = pinger.stop()
            assert sent > 50 and received >= sent - 1, f"{sent - received} of {sent} lost"
        # One of them gives up its ports; the other's are not touched.
        process.kill()
        sh([BIN / "bng-agent", "--config", other, "--detach"])
        assert beside.ping(target="203.0.113.2", count=2, wait=1)[1] == 0 and first.ping(count=2) == (2, 2)
    finally:
        process.kill()
        sh([BIN / "bng-agent", "--config", other, "--detach"], check=False)
