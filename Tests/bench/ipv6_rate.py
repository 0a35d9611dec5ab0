# SPDX-License-Identifier: Apache-2.0
"""DHCPv6 by perfdhcp -6 at 0 drops: 4-message exchanges for an address and a prefix each, with as many renewals or releases beside
them; Kea, and our own DHCPv4, in the same run. Each client is a line of its own (Tests/labs/perfdhcp6.py). BENCH_PARTS=new: only
exchanges of new clients, ours and Kea's.

perfdhcp picks whom to renew or release among the exchanges it has completed, each once: it can do no more of them than of those.
Rapid Commit is not measured: perfdhcp 2.2 takes -c only with -i, and ends at the first Reply.
"""
import itertools
import os
import tempfile

from measure import row, write
from peer_kea6 import measure_kea6
from perfdhcp import SECONDS, highest, measure_ours
from perfdhcp6 import OPEN_GUARD, load_host, perfdhcp6
from topology import Lab

ANY = 10_000_000
WHAT = "address and prefix, a line each, 0 drops"
KINDS = {"renewals": ("-f", "RENEW-REPLY"), "releases": ("-F", "RELEASE-REPLY")}


def rate_lab(synchronous):
    lab = Lab(directory=tempfile.mkdtemp(prefix="bng-ipv6-rate-"), synchronous=synchronous, guard_more=OPEN_GUARD, ipv6={},
              max_sessions=250000).up()
    load_host(lab)
    return lab


def measure(label, clients, runs, beside=None, low=1000, high=16000):
    """The best rate of exchanges with as many of `beside`, one of KINDS: both rates per second."""
    rates = {}

    def run(rate):
        flag, kind = KINDS[beside] if beside else (None, None)
        found = perfdhcp6(rate, clients, next(runs), "-p", SECONDS, *([flag, rate] if beside else []))
        achieved = found["REQUEST-REPLY"][1] / SECONDS
        rates[achieved] = found[kind][1] / SECONDS if beside else 0.0
        return achieved, sum(max(drops, 0) for _, _, drops in found.values())

    best = highest(run, low, high, label)
    return best, rates.get(best, 0.0)


def new_clients(synchronous="full", beside=None):
    lab = rate_lab(synchronous)
    try:
        return measure(f"DHCPv6, new, {synchronous}, {beside or 'exchanges only'}", ANY, itertools.count(1), beside)
    finally:
        lab.down(remove=True)


def known_clients():
    """The same 2,000 again and again: none is a new session."""
    lab = rate_lab("full")
    try:
        perfdhcp6(500, 2000, 1, "-n", 2000)
        found = measure("DHCPv6, known, with renewals", 2000, itertools.repeat(1), "renewals")
        live = len(lab.sessions())
        assert live == 2000, f"{live} sessions"
        return found
    finally:
        lab.down(remove=True)


def main():
    new, _ = new_clients()
    for synced, how in ((True, "leases on disk before they are promised"), (False, "as Debian ships it, no sync")):
        peer = measure_kea6(ANY, SECONDS, itertools.count(1), synced)
        row("F4", f"DHCPv6 4-message exchanges by perfdhcp, new clients, {WHAT}; peer: Kea, {how}", new, "exchanges/s", peer=peer,
            ratio=new / peer)
    if os.environ.get("BENCH_PARTS") == "new":
        return write("ipv6_rate")
    four = measure_ours("full")
    row("F4", f"DHCPv6 4-message exchanges by perfdhcp, new clients, {WHAT}; peer: our DHCPv4 to a relay", new, "exchanges/s", peer=four,
        ratio=new / four, goal=">= 2,000", met=new >= 2000)
    normal, _ = new_clients("normal")
    row("F4", f"the same, synchronous NORMAL, {WHAT}", normal, "exchanges/s", peer=new, ratio=normal / new)
    for beside in KINDS:
        exchanges, others = new_clients(beside=beside)
        row("F4", f"DHCPv6 exchanges, new clients, beside as many {beside}, {WHAT}", exchanges, "exchanges/s", peer=new, ratio=exchanges / new)
        row("F4", f"DHCPv6 {beside} beside those, {WHAT}", others, f"{beside}/s")
    exchanges, renewals = known_clients()
    row("F4", f"DHCPv6 exchanges, known clients, beside as many renewals, {WHAT}", exchanges, "exchanges/s", peer=new, ratio=exchanges / new)
    row("F4", f"DHCPv6 renewals of known clients beside those, {WHAT}", renewals, "renewals/s")
    write("ipv6_rate")


main()
