# SPDX-License-Identifier: Apache-2.0
"""Many simulated nodes on one controller, with customers who come and go while lanes break, nodes lose their maps and the controller is
killed: afterwards every node holds just what is intended, and no address is anybody else's.

    bng-sim: sim1 .. sim8 ── unix socket ── bng-controller
"""
import sqlite3
import sys

from topology import ROOT, wait_for

sys.path.insert(0, str(ROOT / "Tests/bench"))
import fleet  # noqa: E402


def test_a_fleet_under_faults_ends_equal(tmp_path, monkeypatch):
    monkeypatch.setattr(fleet, "NODES", 8)
    monkeypatch.setattr(fleet, "SESSIONS", 250)
    controller = fleet.Controller(tmp_path)
    simulator = None
    try:
        wait_for("the socket", (tmp_path / "agents.sock").exists, 30)
        simulator = fleet.Simulator(
            tmp_path, "--churn", "20", "--renewals", "20", "--lose-lane", "3", "--reboot", "12", "--retry-ms", "500", "--seconds", "60",
            "--storm", "20", "--storm-after", "1")
        simulator.wait("customers", lambda r: r["online"] > 1500, 60)
        for _ in range(2):
            controller.kill()
            controller.start()
            since = simulator.reports[-1][1]["setUps"]
            simulator.wait("set-ups go on", lambda r: r["setUps"] > since + 200, 60)
        report = simulator.wait("enough faults", lambda r: r["faults"] >= 12, 60)[1]
        assert report["released"] > 100 and report["renewals"] > 100 and report["associationsLost"] >= 10
        # No more faults: the nodes stop, lose everything, and come back quiet.
        simulator.stop()
        simulator = fleet.Simulator(tmp_path)
        simulator.wait("all are audited", lambda r: r["audited"] == 8, 60)

        def equal():
            nodes = controller.ctl("show", "nodes")
            return all(n["synchronized"] and n["sessionsIntended"] > 0 and n["pendingDeletes"] == 0 for n in nodes) and nodes
        nodes = wait_for("all are equal", equal, 60)
        controller.ctl("audit")
        began = {a["node"]: a["audits"] for a in controller.ctl("show", "audit")}
        wait_for("one more audit each", lambda: all(a["audits"] > began[a["node"]] for a in controller.ctl("show", "audit")) or
                 controller.ctl("audit") and False, 30)
        audits = controller.ctl("show", "audit")
        assert sum(a["differences"] for a in audits) == 0 and all(not a["refusals"] for a in audits), audits
        intended = sum(n["sessionsIntended"] for n in nodes)
        report = simulator.wait("what they hold", lambda r: r["sessions"] >= intended, 30)[1]
        with sqlite3.connect(f"file:{tmp_path}/state.sqlite?mode=ro", uri=True) as store:
            live, addresses = store.execute("SELECT count(*), count(DISTINCT address) FROM sessions WHERE address > 0").fetchone()
        assert live == addresses, "no address twice"
        assert report["notices"].get("CREDIT_EXCEEDED", 0) == 0, report["notices"]
    finally:
        if simulator:
            simulator.stop()
        controller.kill()
