# SPDX-License-Identifier: Apache-2.0
"""perfdhcp -4 as a relay, and the ladder that finds a server's highest rate without a drop; what the benches of both families share."""
import itertools
import os
import re
import subprocess
import tempfile

from topology import Lab, wait_for

RELAY, SERVER = "100.64.255.254", "100.64.0.1"
# Large enough for every client of every run: an exhausted pool would look like a slow server.
PREFIX, RANGE = "100.64.0.0/10", "100.65.0.0-100.127.255.254"
SECONDS = int(os.environ.get("BENCH_SECONDS", "4"))
OPEN = {"line-pps": 1000000, "line-burst": 1000000, "port-pps": 1000000, "port-burst": 1000000}


def perfdhcp(ns, interface, rate, clients, first, seconds=SECONDS):
    """Runs perfdhcp with client MACs 02:`first`:00:00:00:00 and up; returns (completed exchanges per second, drops)."""
    out = subprocess.run(["ip", "netns", "exec", ns, "perfdhcp", "-4", "-l", interface, "-r", str(rate), "-R", str(clients), "-b",
                          f"mac=02:{first:02x}:00:00:00:00", "-p", str(seconds), "-W", "500000", SERVER], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         timeout=seconds + 60).stdout
    received = [int(n) for n in re.findall(r"^received packets: (\d+)", out, re.M)]
    drops = [int(n) for n in re.findall(r"^drops: (-?\d+)", out, re.M)]
    if len(received) < 2 or len(drops) < 2:
        raise RuntimeError(f"perfdhcp said: {out}")
    # perfdhcp's own rate counts the wait for stragglers as time.
    return received[1] / seconds, sum(max(d, 0) for d in drops)


def highest(measure, low, high, label):
    """Highest rate on a ladder with 0 drops; coarse, then finer. measure(rate): (completed exchanges per second, drops)."""
    best = 0.0
    rate, step = low, 2.0
    while step > 1.15:
        while rate <= high:
            achieved, drops = measure(int(rate))
            if drops:  # once more: the machine is shared
                achieved, drops = measure(int(rate))
            print(f"    {label} at {int(rate)}/s: {achieved:.0f}/s, {drops} drops", flush=True)
            if drops:
                break
            best = max(best, achieved)
            if achieved < rate * 0.9:  # no drop, but the generator cannot do more
                break
            rate *= step
        step = step ** 0.5
        rate = max(best, low / 2) * step
    return best


def best_rate(ns, interface, clients, low, high, label, known=False, run=1):
    """perfdhcp's on the ladder. Every run has clients of its own unless they are to be known ones."""
    runs = itertools.repeat(run) if known else itertools.count(run + 1)
    return highest(lambda rate: perfdhcp(ns, interface, rate, clients, next(runs)), low, high, label)


def relay_lab(synchronous):
    lab = Lab(directory=tempfile.mkdtemp(prefix="bng-bench-"), synchronous=synchronous, prefix=PREFIX, pool_range=RANGE,
              guard=OPEN, max_sessions=500000)
    lab.up()
    relay = lab.cpe("relay", "02:00:5e:77:88:99")
    relay.run(f"ip addr add {RELAY}/16 dev wan")
    # Without a session the gateway answers ARP, not ping.
    wait_for("gateway answers ARP", lambda: relay.ping(SERVER, count=1, wait=1) and "lladdr" in relay.run(f"ip neigh show {SERVER}"), 10)
    return lab


def measure_ours(synchronous):
    lab = relay_lab(synchronous)
    try:
        return best_rate("relay", "wan", 10_000_000, 2000, 20000, f"ours, new, {synchronous}")
    finally:
        lab.down(remove=True)
