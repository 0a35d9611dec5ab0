# SPDX-License-Identifier: Apache-2.0
"""Dual stack with RADIUS: set-ups per second (DHCPv4, router, DHCPv6 with an address and a prefix), renewals, memory of both planes.

A line's set-up is eight messages: DISCOVER to ACK, Router Solicitation and Advertisement, Solicit and Reply with Rapid Commit.
"""
import json
import os
import re
import subprocess
import tempfile

from measure import cpu_seconds, map_bytes, row, rss, write
from radius_server import RADIUSServer, accept, configuration
from topology import BIN, Lab, sh, wait_for

SIZES = [int(n) for n in os.environ.get("BENCH_SESSIONS", "10000,64000").split(",")]
SECONDS = int(os.environ.get("BENCH_SECONDS", "4"))
KNOWN = 1000  # lines that renew
OPEN = {"line-pps": 1000000, "line-burst": 1000000, "port-pps": 1000000, "port-burst": 1000000}
GUARD = "".join(f"  {kind}: {json.dumps(OPEN)}\n" for kind in ("nd", "dhcpv6"))
POLICY = """
plans:
  - {name: basic, rate-up: 20Mbit, rate-down: 100Mbit, idle-timeout: 1h}
"""


def load(lab, *extra):
    mac = re.search(r"link/ether (\S+)", sh("ip link show access0")).group(1)
    out = subprocess.run(["ip", "netns", "exec", "load", str(BIN / "bng-load"), "--interface", "wan", "--gateway-mac", mac, "--tags",
                          "qinq:100:1:4000", *map(str, extra)], stdout=subprocess.PIPE, text=True, timeout=900)
    return json.loads(out.stdout)["phases"]


def measure(lab, server, lines):
    empty = {"agent": rss(lab.agent.pid), "controller": rss(lab.controller.pid)}
    parties = {"controller": lab.controller.pid, "agent": lab.agent.pid, "FreeRADIUS": server.process.pid}
    used = {name: cpu_seconds(pid) for name, pid in parties.items()}
    dual, = load(lab, "--lines", lines, "--window", 256, "--retries", 20, "--timeout", 4, "--phases", "dual")
    used = {name: cpu_seconds(pid) - used[name] for name, pid in parties.items()}
    rate = dual["rate_per_s"]
    what = f"{lines} dual-stack lines with RADIUS"
    row("A7", f"set-ups of {what}: durable, accounted, policed", rate, "sessions/s", goal=">= 2,000", met=rate >= 2000)
    row("A7", f"set-ups that failed, {what}", dual["failed"], "lines", goal="0", met=dual["failed"] == 0)
    for q in ("p50_us", "p95_us", "p99_us"):
        row("F7", f"set-up, whole exchange, {q[:3]}, {what}", dual["exchange"][q] / 1000, "ms")
    for name, seconds in used.items():
        row("F4", f"processor time of {name} a set-up, {what}", seconds / lines * 1e6, "us")
    wait_for("every session installed", lambda: lab.node()["sessionsInstalled"] >= lines, 60)
    wait_for("accounting has arrived", lambda: lab.ctl("show", "aaa")["spool"]["backlog"] == 0, 300)
    controller = (rss(lab.controller.pid) - empty["controller"]) / lines
    agent = (rss(lab.agent.pid) - empty["agent"] + map_bytes(lab.pins)) / lines
    row("F5", f"controller memory per session, {what}", controller, "bytes", goal="< 4 KB", met=controller < 4096)
    row("F5", f"agent memory per session, its maps included, {what}", agent, "bytes", goal="< 8 KB", met=agent < 8192)
    assert lab.audit_differences() == 0
    starts = server.records(kind="Start")
    assert len(starts) == lines, f"{len(starts)} accounting starts"
    assert dual["failed"] == 0, dual
    _, renew, renew6 = load(lab, "--lines", KNOWN, "--mac-base", "02:00:01:00:00:01", "--retries", 20, "--timeout", 4, "--phases",
                            "dual,renew,renew6", "--duration", SECONDS)
    row("A8", f"DHCPv6 renewals in the data plane beside {what}; peer: DHCPv4's", renew6["rate_per_s"], "replies/s",
        peer=renew["rate_per_s"], ratio=renew6["rate_per_s"] / renew["rate_per_s"])


def main():
    for lines in SIZES:
        lab = Lab(directory=tempfile.mkdtemp(prefix="bng-ipv6-"), max_sessions=70000, shards=1, guard=OPEN, guard_more=GUARD, ipv6={})
        server = RADIUSServer(lab, users=accept("DEFAULT", "Acct-Interim-Interval = 3600", 'Class = "bench"')).start()
        lab.config.write_text(lab.config.read_text() + configuration([server], POLICY, more="  default-plan: basic"))
        try:
            lab.up()
            lab.cpe("load", "02:00:5e:00:00:fe").run("sysctl -qw net.ipv6.conf.wan.disable_ipv6=1")
            measure(lab, server, lines)
        finally:
            lab.down(remove=True)
            server.stop()
    write("ipv6")


main()
