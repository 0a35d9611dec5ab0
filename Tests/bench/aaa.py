# SPDX-License-Identifier: Apache-2.0
"""FEATURES F4, F5, F7 with RADIUS: set-ups per second with FreeRADIUS on the same two cores, beside what FreeRADIUS alone can answer;
changes of authorization and disconnects per second, each acknowledged after the data plane; memory of 64k sessions with everything on.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

from measure import ROOT, row, rss, write
from radius_server import SECRET, RADIUSServer, accept, configuration
from topology import BIN, Lab, sh, wait_for

SESSIONS = int(os.environ.get("BENCH_SESSIONS", "64000"))
CHANGES = 5000
POLICY = """
plans:
  - {name: basic, rate-up: 20Mbit, rate-down: 100Mbit, filter: no-smtp, idle-timeout: 1h}
  - {name: gold, version: 2, rate-up: 100Mbit, rate-down: 1Gbit, filter: no-smtp, idle-timeout: 1h}
filters:
  - name: no-smtp
    default: permit
    rules: [{action: deny, direction: up, protocol: tcp, ports: 25}]
"""
RULES = """  rules: [{attribute: Filter-Id, match: "plan:{plan}"}]"""


def server_alone(server):
    """Access-Requests per second that FreeRADIUS answers radclient: nothing of ours takes part."""
    count = 20000
    request = server.dir / "request"
    request.write_text('User-Name = "02:00:00:00:00:01"\nUser-Password = ""\nMessage-Authenticator = 0x00\n')
    began = time.monotonic()
    subprocess.run(["ip", "netns", "exec", server.name, "radclient", "-q", "-c", str(count), "-p", "128", "-f", request, f"{server.address}:1812", "auth",
                    SECRET], stdout=subprocess.DEVNULL, check=True, timeout=120)
    return count / (time.monotonic() - began)


class InFlight:
    """Samples the requests under way while something runs."""

    def __init__(self, lab):
        self.lab, self.most, self.running = lab, 0, True
        self.thread = threading.Thread(target=self.sample)
        self.thread.start()

    def sample(self):
        while self.running:
            try:
                self.most = max(self.most, *(s["inFlight"] for s in self.lab.ctl("show", "aaa")["servers"]))
            except (RuntimeError, ValueError):
                pass
            time.sleep(0.2)

    def stop(self):
        self.running = False
        self.thread.join()
        return self.most


def load(lab, *extra):
    mac = re.search(r"link/ether (\S+)", sh("ip link show access0")).group(1)
    out = subprocess.run(["ip", "netns", "exec", "load", str(BIN / "bng-load"), "--interface", "wan", "--gateway-mac", mac, "--tags",
                          "qinq:100:1:4000", *map(str, extra)], stdout=subprocess.PIPE, text=True, timeout=600)
    phase = json.loads(out.stdout)["phases"][0]
    assert phase["failed"] == 0, phase
    return phase


def change(server, code, lines, window=128):
    out = subprocess.run(["ip", "netns", "exec", server.name, "/usr/bin/python3", ROOT / "Tests/support/radius_packet.py", SECRET, str(code), server.bng,
                          "3799", str(window)], input="\n".join(lines), stdout=subprocess.PIPE, text=True, check=True, timeout=180)
    return json.loads(out.stdout)


def measure(lab, server):
    alone = server_alone(server)
    row("F4", "Access-Requests FreeRADIUS answers radclient, alone", alone, "requests/s")
    empty = rss(lab.controller.pid)
    samples = InFlight(lab)
    dora = load(lab, "--lines", SESSIONS, "--window", 256, "--retries", 20, "--timeout", 4)
    most = samples.stop()
    rate = dora["rate_per_s"]
    row("F4", f"set-ups of {SESSIONS} new QinQ lines with RADIUS: authenticated, durable, accounted, policed", rate, "sessions/s", limit=alone,
        ratio=rate / alone, goal=">= 2,000", met=rate >= 2000)
    for q in ("p50_us", "p95_us", "p99_us"):
        row("F7", f"set-up with RADIUS, whole exchange, {q[:3]}", dora["exchange"][q] / 1000, "ms")
    row("F4", "most RADIUS requests in flight in one role, sampled", most, "requests")
    view = next(s for s in lab.ctl("show", "aaa")["servers"] if s["role"] == "authentication")
    row("F7", "RADIUS round trip as the controller sees it, p99", view["p99Us"] / 1000, "ms")
    wait_for("accounting has arrived", lambda: lab.ctl("show", "aaa")["spool"]["backlog"] == 0, 120)
    memory = (rss(lab.controller.pid) - empty) / SESSIONS
    row("F5", f"controller memory per session at {SESSIONS}, plans and accounting on", memory, "bytes", goal="< 4 KB", met=memory < 4096)
    ids = [s["id"] for s in lab.ctl("show", "sessions", "--limit", str(CHANGES))["sessions"]]
    for code, lines, what in ((43, [f"{i} plan:gold" for i in ids], "changes of a plan (CoA)"), (40, ids, "disconnects")):
        result = change(server, code, lines)
        acknowledged = result["answers"].get(str(code + 1), 0)
        assert acknowledged == len(ids), result
        rate = acknowledged / result["seconds"]
        row("B6", f"{what}, acknowledged after the data plane", rate, "requests/s", goal=">= 1,000", met=rate >= 1000)
        row("F7", f"{what}, p99", result["p99_ms"], "ms")
    wait_for("the ended sessions are accounted", lambda: lab.ctl("show", "aaa")["spool"]["backlog"] == 0, 60)
    assert len(server.records(kind="Start")) == SESSIONS and len(server.records(kind="Stop")) == len(ids)
    assert lab.audit_differences() == 0


def main():
    lab = Lab(directory=tempfile.mkdtemp(prefix="bng-aaa-"), max_sessions=70000, shards=1,
              guard={"line-pps": 1000000, "line-burst": 1000000, "port-pps": 1000000, "port-burst": 1000000})
    server = RADIUSServer(lab, users=accept("DEFAULT", "Acct-Interim-Interval = 3600", 'Class = "bench"')).start()
    lab.config.write_text(lab.config.read_text() + configuration([server], POLICY, RULES, more="  default-plan: basic"))
    try:
        lab.up()
        lab.cpe("load", "02:00:5e:00:00:fe")
        measure(lab, server)
    finally:
        lab.down(remove=True)
        server.stop()
    write("aaa")


main()
