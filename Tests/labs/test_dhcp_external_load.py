# SPDX-License-Identifier: Apache-2.0
"""Many clients of an external DHCP server (FEATURES A11): a thousand IPoE lines at once, a crash with all of them, PPPoE sessions.

    ns `load`: bng-load, QinQ lines ── bridge ── access0 [bng-agent] core0          controller mgmt0 ── eth0 [kea-dhcp4] ns `kea`
"""
import json
import re
import time

import kea as kea_lab
from kea import Kea
from pppoe_lab import OPEN_GUARD, dial, write_policy
from topology import BIN, sh, wait_for

LINES, DIALS = 1000, 100
WIDE = {"pools": [{"pool": "100.64.16.1 - 100.64.31.254"}]}


def external(make_lab, **options):
    lab = make_lab(lease="5m", policy=kea_lab.SERVERS, capture=False, **options)
    text = lab.config.read_text()
    lab.config.write_text(text.replace("    lease: 5m\n", "    lease: 5m\n    external: kea\n", 1))
    lab.network()
    kea_lab.link(lab)
    return lab


def server_of(lab):
    server = Kea(lab, **WIDE)
    server.settings = {"valid-lifetime": 3600}
    server.quiet = True
    return server.start()


def group(lab):
    return next(g for g in lab.ctl("show", "dhcp-servers") if g["family"] == "ipv4")


def test_a_thousand_lines_and_a_crash_with_all_of_them(make_lab):
    guard = {"line-pps": 1_000_000, "line-burst": 1_000_000, "port-pps": 1_000_000, "port-burst": 1_000_000}
    lab = external(make_lab, guard=guard)
    server = server_of(lab)
    lab.start_controller()
    lab.start_agent()
    lab.cpe("load", "02:00:5e:00:00:fe")
    mac = re.search(r"link/ether (\S+)", sh("ip link show access0")).group(1)
    argv = [BIN / "bng-load", "--interface", "wan", "--gateway-mac", mac, "--lines", LINES, "--tags", "qinq:100:1:1000", "--phases", "dora",
            "--window", 64, "--timeout", 4, "--retries", 5]
    done = json.loads(sh([str(a) for a in argv], ns="load", timeout=200))["phases"][0]
    assert done["failed"] == 0 and done["completed"] == LINES, done
    held = {s["mac"]: s["address"] for s in lab.sessions()}
    assert len(held) == LINES and {r["hwaddr"]: a for a, r in server.leases().items()} == held
    print(f"DORA of {LINES} new lines through Kea: {done['rate_per_s']} exchanges/s, {done['exchange']}")
    lab.controller.kill()
    lab.start_controller()
    begun = time.monotonic()
    wait_for("every lease is renewed", lambda: group(lab)["counters"].get("renewed", 0) >= LINES, 60)
    print(f"{LINES} leases renewed {time.monotonic() - begun:.1f} s after the restart")
    counters = group(lab)["counters"]
    assert counters["resumed"] == LINES and group(lab)["held"] == LINES and "lost_refused" not in counters, counters
    assert {r["hwaddr"]: a for a, r in server.leases().items()} == held, "leases were doubled or lost"
    assert {s["mac"]: s["address"] for s in lab.sessions()} == held


def test_pppoe_sessions_have_keas_addresses_and_give_them_back(make_lab):
    lab = external(make_lab, pppoe={}, guard_more=OPEN_GUARD)
    password = write_policy(lab)
    server = server_of(lab)
    lab.start_controller()
    lab.start_agent()
    lab.ctl("subscriber", "add", "alice", "--password-file", password, "--sealed")
    cpe = lab.cpe("load", "02:00:5e:00:00:fe")
    dialled, closed = dial(cpe, DIALS, "pppoe,padt", "--auth", "chap", "--rate", 0)
    assert (dialled["completed"], dialled["failed"]) == (DIALS, 0), dialled
    wait_for("every session has ended", lambda: not lab.sessions(), 20)
    wait_for("every lease has been released", lambda: not server.leases(), 20)
    counters = group(lab)["counters"]
    assert counters["acquired"] == DIALS and counters["released"] == DIALS, counters
    assert closed["completed"] == DIALS and lab.audit_differences() == 0
