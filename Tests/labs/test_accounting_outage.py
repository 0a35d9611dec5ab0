# SPDX-License-Identifier: Apache-2.0
"""RADIUS is away under a thousand sessions with churn (FEATURES B5): no session is lost, every record arrives once, in order, with
the time at which it happened. Five minutes at an interim interval of 60 s are compressed to 25 s at 5 s.

    bng-load ──veth── bridge ──veth── access0 [bng-agent] core0 ──veth── server      controller ──veth── FreeRADIUS
"""
import calendar
import json
import re
import subprocess
import time

import pytest

from radius_server import RADIUSServer, accept, configuration
from topology import BIN, Lab, sh, wait_for

LINES, CHURN, OUTAGE = 1000, 30, 25


@pytest.fixture
def world(tmp_path):
    lab = Lab(tmp_path, guard={"line-pps": 100000, "line-burst": 100000, "port-pps": 100000, "port-burst": 100000})
    server = RADIUSServer(lab, users=accept("DEFAULT", "Acct-Interim-Interval = 5")).start()
    policy = "plans:\n  - {name: outage, interim-interval: 5s}"
    lab.config.write_text(lab.config.read_text() + configuration(
        [server], policy, rules="  minimum-interim: 1s", more="  on-unavailable: plan\n  outage-plan: outage"))
    lab.up()
    yield lab, server
    lab.down()
    server.stop()


def load(lab, lines, first, phases, *extra):
    mac = re.search(r"link/ether (\S+)", sh("ip link show access0")).group(1)
    out = subprocess.run(["ip", "netns", "exec", "load", str(BIN / "bng-load"), "--interface", "wan", "--gateway-mac", mac, "--lines", str(lines),
                          "--mac-base", f"02:00:00:{first >> 16:02x}:{first >> 8 & 255:02x}:{first & 255:02x}", "--tags", "qinq:100:1:1000",
                          "--phases", phases, "--window", "64", "--timeout", "4", "--retries", "6", *extra], stdout=subprocess.PIPE, text=True,
                         timeout=180)
    phases = json.loads(out.stdout)["phases"]
    assert all(p["failed"] == 0 for p in phases), phases


def at(record):
    """Event-Timestamp in seconds since 1970; the detail file has local time, which is UTC in the lab."""
    return calendar.timegm(time.strptime(record["Event-Timestamp"].removesuffix(" UTC"), "%b %d %Y %H:%M:%S"))


def test_an_outage_loses_doubles_and_disorders_nothing(world):
    lab, server = world
    lab.cpe("load", "02:00:5e:00:00:fe")
    load(lab, LINES, 0x10000, "dora", "--leases-out", str(lab.dir / "leases"))
    assert len(lab.sessions()) == LINES
    wait_for("all starts arrived", lambda: len(server.records(kind="Start")) == LINES, 60)
    server.cut()
    began = time.monotonic()
    rounds = 0
    while time.monotonic() < began + OUTAGE:
        # The same lines leave and others come, all unheard by the server.
        load(lab, CHURN, 0x20000 + rounds * 0x1000, "dora,release")
        load(lab, CHURN, 0x80000 + rounds * 0x1000, "dora")
        rounds += 1
        wait_for("the next round", lambda: time.monotonic() > began + rounds, 60)
    spool = lab.ctl("show", "aaa")["spool"]
    assert spool["backlog"] > LINES, spool
    alive = {s["id"]: s for s in lab.sessions() if s["phase"] == "active"}
    assert len(alive) == LINES + rounds * CHURN, "sessions were lost"
    server.mend()
    wait_for("the spool is empty", lambda: lab.ctl("show", "aaa")["spool"]["backlog"] < 50, 120)
    ended = {s["id"]: s for s in lab.ctl("show", "history", "--limit", "1000")}
    assert len(ended) == rounds * CHURN

    by_session = {}
    for record in server.records():
        if record["Acct-Status-Type"] in ("Start", "Interim-Update", "Stop"):
            by_session.setdefault(record["Acct-Session-Id"], []).append(record)
    assert set(by_session) == set(alive) | set(ended), "a session is not in the detail file, or a stranger is"
    for session, records in by_session.items():
        kinds = [r["Acct-Status-Type"] for r in records]
        assert kinds[0] == "Start" and kinds.count("Start") == 1 and kinds.count("Stop") == (1 if session in ended else 0), (session, kinds)
        if session in ended:
            assert kinds[-1] == "Stop"
        times = [at(r) for r in records]
        assert times == sorted(times), (session, times)
        interims = [at(r) for r in records if r["Acct-Status-Type"] == "Interim-Update"]
        assert len(interims) == len(set(interims)), f"{session}: an interim came twice"
        assert all(4 <= b - a <= 7 for a, b in zip(interims, interims[1:])), (session, interims)
        view = ended.get(session) or alive[session]
        assert times[0] == view["startedMs"] // 1000
        if session in ended:
            assert times[-1] == view["endedMs"] // 1000
        for record in records:
            assert int(record.get("Acct-Delay-Time", 0)) <= 200
    delayed = [r for records in by_session.values() for r in records if int(r.get("Acct-Delay-Time", 0)) >= 10]
    assert len(delayed) > LINES, "hardly anything waited: was the server away?"
    print(f"{sum(map(len, by_session.values()))} records of {len(by_session)} sessions, {len(delayed)} of them delayed, {rounds} rounds of churn")
