# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the controller at random moments during DORA exchanges: no ACKed lease is forgotten, no address given twice.

    bng-load (N lines, retrying) ─ switch ─ access0 [BNG]; the controller dies again and again.

BNG_CRASH_LINES and BNG_CRASH_KILLS set the size: 1,500 and 15 here, 10,000 and 100 by `make test-crash`.
"""
import csv
import json
import os
import random
import subprocess
import time

from topology import BIN, wait_for

LINES = int(os.environ.get("BNG_CRASH_LINES", "1500"))
KILLS = int(os.environ.get("BNG_CRASH_KILLS", "15"))


def test_no_acked_lease_is_forgotten_and_no_address_given_twice(lab):
    seed = int(os.environ.get("BNG_CRASH_SEED", "20261123"))
    print(f"seed {seed}")
    chance = random.Random(seed)
    lab.cpe("load", "02:00:5e:00:00:fe")
    leases = lab.dir / "leases.csv"
    load = subprocess.Popen(
        ["ip", "netns", "exec", "load", str(BIN / "bng-load"), "--interface", "wan", "--lines", str(LINES), "--tags", "qinq:100:1:1000",
         "--window", "64", "--rate", str(LINES / (KILLS * 0.7)), "--timeout", "0.3", "--retries", "200", "--leases-out", str(leases)],
        stdout=subprocess.PIPE, text=True)
    kills = 0
    while kills < KILLS and load.poll() is None:
        time.sleep(chance.uniform(0.02, 0.7))  # a random moment is the point here
        lab.controller.kill()
        kills += 1
        lab.start_controller()
    out, _ = load.communicate(timeout=600)
    result = json.loads(out)["phases"][0]
    print(f"kills {kills}: {result}")
    assert kills == KILLS, f"only {kills} kills before the load ended"
    assert result["completed"] == LINES and result["failed"] == 0
    wait_for("settled", lab.node_settled, 30)
    acked = {row[1]: row[4] for row in csv.reader(open(leases))}
    assert len(acked) == LINES and len(set(acked.values())) == LINES, "an address was ACKed to two clients"
    held = {}
    page = lab.sessions()
    for session in page:
        assert session["address"] not in held.values(), f"{session['address']} is in two sessions"
        held[session["mac"]] = session["address"]
    missing = {mac: address for mac, address in acked.items() if held.get(mac) != address}
    assert not missing, f"{len(missing)} ACKed leases forgotten, such as {list(missing.items())[:3]}"
