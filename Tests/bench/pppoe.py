# SPDX-License-Identifier: Apache-2.0
"""FEATURES A5, A6, F4, F5: PPPoE set-ups per second by bng-load with local CHAP and with FreeRADIUS, latency, memory of both planes,
a power cut after which everybody dials at once, and what a flood of PADIs at full rate takes from the others.
"""
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import urllib.parse

from measure import map_bytes, row, rss, write
from pppoe_lab import OPEN_GUARD, PASSWORD, results, start_dial, write_policy
from radius_server import RADIUSServer, configuration
from topology import Lab, sh, wait_for

SESSIONS = int(os.environ.get("BENCH_PPPOE_SESSIONS", "10000"))
FLOODED = 1000
PLANS = "plans:\n  - {name: basic}\n"


class Admin(http.client.HTTPConnection):
    """The admin socket: bngctl's way in, one connection for all requests."""

    def __init__(self, path):
        super().__init__("localhost")
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def subscribe(lab, count):
    """user0, user1, ...: sealed passwords, so that CHAP can be proven."""
    admin = Admin(lab.dir / "admin.sock")
    for n in range(count):
        admin.request("PUT", f"/v1/subscribers/{urllib.parse.quote(f'user{n}')}", json.dumps({"password": PASSWORD, "sealed": True}),
                      {"Content-Type": "application/json"})
        answer = admin.getresponse()
        body = answer.read()
        assert answer.status < 300, (answer.status, body)


def dial(cpe, lines, phases, *extra, **kw):
    return results(start_dial(cpe, lines, phases, "--window", 256, "--retries", 20, "--timeout", 1, *extra, user="user%d", **kw), 900)


def set_up_rows(dialled, how, goal):
    assert dialled["failed"] == 0 and dialled["completed"] == SESSIONS, dialled
    rate = dialled["rate_per_s"]
    row("F4", f"PPPoE set-ups of {SESSIONS} QinQ lines, {how}: LCP, CHAP, IPCP, IPv6CP, durable", rate, "sessions/s", goal=f">= {goal:,}",
        met=rate >= goal)
    for q in ("p50_us", "p95_us", "p99_us"):
        row("F7", f"PPPoE set-up, {how}, PADI to IPCP open, {q[:3]}", dialled["exchange"][q] / 1000, "ms")
    row("F7", f"PPPoE discovery, {how}, p99", dialled["discovery"]["p99_us"] / 1000, "ms")
    row("F4", f"PPPoE set-ups that failed, {how}", dialled["failed"], "sessions", goal="0", met=True, gate=True)


def memory_rows(lab, empty):
    wait_for("every session is installed", lambda: lab.node()["sessionsInstalled"] >= SESSIONS, 30)
    controller = (rss(lab.controller.pid) - empty["controller"]) / SESSIONS
    agent = (rss(lab.agent.pid) + map_bytes(lab.pins) - empty["agent"]) / SESSIONS
    row("F5", f"controller memory per PPPoE session at {SESSIONS}", controller, "bytes", goal="< 4 KB", met=controller < 4096)
    row("F5", f"agent memory per PPPoE session at {SESSIONS}, its maps included", agent, "bytes", goal="< 8 KB", met=agent < 8192)


def world(configure, guard=OPEN_GUARD, **options):
    lab = Lab(directory=tempfile.mkdtemp(prefix="bng-pppoe-"), max_sessions=30000, shards=1, pppoe={"sessions_per_mac": 1},
              guard_more=guard, **options)
    after = configure(lab)
    lab.up()
    lab.cpe("load", "02:00:5e:00:00:fe")
    return lab, after


def local():
    lab, _ = world(write_policy)
    try:
        subscribe(lab, SESSIONS)
        empty = {"controller": rss(lab.controller.pid), "agent": rss(lab.agent.pid) + map_bytes(lab.pins)}
        held = start_dial(lab.cpes[0], SESSIONS, "pppoe,hold,abandon,pppoe", "--window", 256, "--retries", 20, "--timeout", 1, "--auth", "chap",
                          "--ipv6cp", "--duration", 10, user="user%d")
        wait_for("everybody is online", lambda: lab.node()["sessionsInstalled"] >= SESSIONS, 300, 0.2)
        memory_rows(lab, empty)
        dialled, hold, _, again = results(held, 900)
        set_up_rows(dialled, "local", 10000)
        assert hold["lost"] == 0, hold
        assert again["failed"] == 0 and again["completed"] == SESSIONS, again
        row("F5", f"{SESSIONS} PPPoE clients back after a power cut, their old sessions replaced", again["seconds"], "s")
        wait_for("the old sessions are gone", lambda: lab.node()["sessionsIntended"] == SESSIONS, 60, 0.2)
        assert lab.audit_differences() == 0
    finally:
        lab.down(remove=True)


def flood():
    """1,000 lines alone and beside PADIs of ever new clients on 4,000 other lines, as many as one core makes."""
    lab, _ = world(write_policy, guard="")
    try:
        subscribe(lab, FLOODED)
        alone, = dial(lab.cpes[0], FLOODED, "pppoe", "--auth", "chap")
        dial(lab.cpes[0], FLOODED, "pppoe,padt", "--auth", "chap")
        junk = start_dial(lab.cpe("junk", "02:00:5e:66:66:66"), 4000, "padi-flood", "--duration", 60, tags="qinq:700:1:4000")
        beside, = dial(lab.cpes[0], FLOODED, "pppoe", "--auth", "chap", "--mac-base", "02:00:00:10:00:01")
        junk.terminate()
        flooded, = results(junk)
        row("A5", f"PPPoE set-ups of {FLOODED} lines, undisturbed", alone["rate_per_s"], "sessions/s")
        row("A5", f"PPPoE set-ups of {FLOODED} lines beside a flood of PADIs", beside["rate_per_s"], "sessions/s", peer=alone["rate_per_s"],
            ratio=beside["rate_per_s"] / alone["rate_per_s"])
        row("A5", "the flood of PADIs beside them", flooded["rate_per_s"], "packets/s")
        share = 100 * beside["completed"] / FLOODED
        row("A5", "set-ups that succeed beside the flood", share, "%", goal="100 %", met=share == 100, gate=True)
        assert alone["failed"] == 0, alone
    finally:
        lab.down(remove=True)


def radius():
    def configure(lab):
        server = RADIUSServer(lab, users=f'DEFAULT Cleartext-Password := "{PASSWORD}"\n\tAcct-Interim-Interval = 3600\n').start()
        lab.config.write_text(lab.config.read_text() + configuration([server], PLANS, more="  default-plan: basic"))
        return server
    lab, server = world(configure)
    try:
        dialled, = dial(lab.cpes[0], SESSIONS, "pppoe", "--auth", "chap", "--ipv6cp")
        set_up_rows(dialled, "RADIUS", 2000)
        wait_for("accounting has arrived", lambda: lab.ctl("show", "aaa")["spool"]["backlog"] == 0, 120)
        assert len(server.records(kind="Start")) == SESSIONS
        assert lab.audit_differences() == 0
    finally:
        lab.down(remove=True)
        server.stop()


for part in (os.environ.get("BENCH_PPPOE_PARTS") or "local,radius,flood").split(","):
    {"local": local, "radius": radius, "flood": flood}[part]()
write("pppoe")
