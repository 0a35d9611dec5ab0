# SPDX-License-Identifier: Apache-2.0
"""Frames between the planes are lost, doubled, swapped, delayed, spoiled and cut, and either plane is killed, while customers come, renew
and go: when it is over every node holds what is intended, byte for byte, and nobody's address is anybody else's.

    bng-load ─ switch ─ access0 [bng-agent] ── Tests/support/frame_proxy.py ── bng-controller

BNG_CHAOS_LINES customers (250), BNG_CHAOS_KILLS (4), BNG_CHAOS_ROUNDS (1), BNG_CHAOS_SEED. `make chaos-contract N=... SEED=...` is the long one.
"""
import json
import os
import random
import subprocess
import sys
import time

from topology import BIN, ROOT, wait_for

sys.path.insert(0, str(ROOT / "Tests/support"))
from frame_proxy import FrameProxy  # noqa: E402

LINES = int(os.environ.get("BNG_CHAOS_LINES", "250"))
KILLS = int(os.environ.get("BNG_CHAOS_KILLS", "4"))
ROUNDS = int(os.environ.get("BNG_CHAOS_ROUNDS", "1"))
SEED = int(os.environ.get("BNG_CHAOS_SEED", "20261124"))
ACCESS, REGULAR = 100, 0.02


def load(lab, first, out):
    """Customers on lines nobody has used yet; they retry until they are served."""
    return subprocess.Popen(
        ["ip", "netns", "exec", "load", str(BIN / "bng-load"), "--interface", "wan", "--lines", str(LINES), "--tags",
         f"qinq:{ACCESS + first}:1:4000", "--window", "32", "--rate", str(LINES / 4), "--timeout", "0.3", "--retries", "250",
         "--leases-out", str(out)], stdout=subprocess.PIPE, text=True)


def one_round(lab, proxy, chance, number):
    kills = ended = 0
    process = load(lab, number, lab.dir / f"leases-{number}.csv")
    while process.poll() is None:
        time.sleep(chance.uniform(0.1, 0.8))  # a random moment is the point here
        if kills < KILLS:
            kills += 1
            if chance.random() < 0.5:
                lab.controller.kill()
                lab.start_controller()
            else:
                lab.agent.kill()
                lab.start_agent(wait=False)
        live = lab.sessions()
        for session in chance.sample(live, k=min(5, len(live))):
            lab.ctl("clear", "session", session["id"], check=False, text=True)
            ended += 1
    result = json.loads(process.communicate()[0])["phases"][0]
    assert result["completed"] == LINES and result["failed"] == 0, result
    return kills, ended


def check(lab):
    wait_for("the node settles", lab.node_settled, 60)
    since = lab.audit()["audits"]
    lab.ctl("audit", text=True)
    wait_for("one more audit", lambda: lab.audit()["audits"] > since, 20)
    audit = lab.audit()
    assert audit["differences"] == 0 and not audit["quarantine"] and not audit["refusals"], audit
    assert all(f["intended"] == f["installed"] for f in audit["families"]), audit
    sessions = lab.sessions()

    def counts():
        node = lab.node()
        return (node["pendingDeletes"], node["sessionsIntended"], node["sessionsInstalled"])
    # What the node says it holds comes with its heartbeats.
    wait_for(f"0 deletes wait, {len(sessions)} sessions are intended and held", lambda: counts() == (0, len(sessions), len(sessions)), 10)
    assert len({s["address"] for s in sessions}) == len(sessions), "an address twice"


def test_after_any_fault_of_frames_and_processes_all_is_equal(make_lab):
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    lab = make_lab(quarantine="1s")
    lab.network()
    lab.start_controller()
    lab.agent_config.write_text(lab.agent_config.read_text().replace(
        f"controller = unix:{lab.dir}/agents.sock", f"controller = unix:{lab.dir}/faulty.sock"))
    proxy = FrameProxy(str(lab.dir / "faulty.sock"), str(lab.dir / "agents.sock"), SEED, share=0)
    try:
        lab.start_agent()
        lab.cpe("load", "02:00:5e:00:00:fd")
        for number in range(ROUNDS):
            before = sum(proxy.done.values())
            proxy.share = REGULAR
            kills, ended = one_round(lab, proxy, chance, number)
            proxy.heal()
            check(lab)
            print(f"round {number}: {kills} kills, {ended} sessions ended, {proxy.frames} frames over {proxy.connections} connections so far, "
                  f"faults {proxy.done}", flush=True)
            assert sum(proxy.done.values()) > before + 5, "hardly anything happened"
    finally:
        proxy.close()
