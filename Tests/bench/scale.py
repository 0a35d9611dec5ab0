# SPDX-License-Identifier: Apache-2.0
"""FEATURES F5, F6: 64k sessions. Seconds to install them from the store on an empty node, memory of both planes, audit time."""
import json
import os
import pathlib
import sqlite3
import sys
import tempfile
import time

from measure import map_bytes, row, rss, write
from topology import BIN, Lab, sh, wait_for

SESSIONS = int(os.environ.get("BENCH_SESSIONS", "64000"))


def main():
    lab = Lab(directory=tempfile.mkdtemp(prefix="bng-scale-"), pool_range="100.64.1.0-100.64.254.255", max_sessions=70000,
              guard={"line-pps": 1000000, "line-burst": 1000000, "port-pps": 1000000, "port-burst": 1000000}).up()
    try:
        empty = {"agent": rss(lab.agent.pid), "controller": rss(lab.controller.pid)}
        lab.cpe("load", "02:00:5e:00:00:fe")
        out = sh([str(BIN / "bng-load"), "--interface", "wan", "--lines", str(SESSIONS), "--tags", "qinq:100:1:4000", "--window", "512",
                  "--retries", "20"], ns="load", timeout=600)
        dora = json.loads(out)["phases"][0]
        assert dora["failed"] == 0, dora
        row("F4", f"{SESSIONS} new QinQ lines online (DORA, durable)", dora["seconds"], "s")
        # bngctl's own answer, not an assumption: every session is there.
        wait_for("all sessions active", lambda: lab.node()["sessionsInstalled"] >= SESSIONS, 30)
        row("F5", f"controller memory per session at {SESSIONS}", (rss(lab.controller.pid) - empty["controller"]) / SESSIONS, "bytes",
            goal="< 4 KB", met=(rss(lab.controller.pid) - empty["controller"]) / SESSIONS < 4096)
        maps = map_bytes(lab.pins)
        agent = (rss(lab.agent.pid) - empty["agent"] + maps) / SESSIONS
        row("F5", f"agent memory per session at {SESSIONS}, its maps included", agent, "bytes", goal="< 8 KB", met=agent < 8192)
        began = time.monotonic()
        assert lab.audit_differences() == 0
        audit = time.monotonic() - began
        row("F6", f"audit of {SESSIONS} equal sessions, as three bngctl calls see it", audit, "s", goal="< 1 s", met=audit < 1)
        # Scrape at scale.
        began = time.monotonic()
        lab.metrics()
        scrape = time.monotonic() - began
        row("F6", f"scrape at {SESSIONS} sessions", scrape * 1000, "ms", goal="< 200 ms", met=scrape < 0.2)
        # A power cut of the edge host: maps gone; the controller installs everything again.
        lab.agent.kill()
        sh([str(BIN / "bng-agent"), "--config", str(lab.agent_config), "--detach"])
        began = time.monotonic()
        lab.start_agent(wait=False)
        wait_for("every session installed again and audited equal",
                 lambda: lab.node_settled() and lab.node()["sessionsInstalled"] >= SESSIONS, 120, 0.02)
        back = time.monotonic() - began
        row("F5", f"{SESSIONS} sessions back after the edge lost its maps", back, "s", goal="< 60 s", met=back < 60)
        row("F5", "of these, upserts per second", SESSIONS / back, "sessions/s")
        # A power cut of the controller's host: everything comes from the store.
        lab.controller.kill()
        began = time.monotonic()
        lab.start_controller()
        wait_for("node settled", lambda: lab.node_settled() and lab.node()["sessionsIntended"] >= SESSIONS, 120, 0.02)
        back = time.monotonic() - began
        row("F5", f"controller back with {SESSIONS} sessions, audited equal", back, "s", goal="< 60 s", met=back < 60)
        stored = sqlite3.connect(f"file:{lab.dir}/controller.sqlite?mode=ro", uri=True).execute("select count(*) from sessions").fetchone()[0]
        assert stored == SESSIONS, stored
    finally:
        lab.down(remove=True)
    write("scale")


main()
