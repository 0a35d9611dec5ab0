# SPDX-License-Identifier: Apache-2.0
"""Kea's DHCPv6 server on a link of its own, giving an address and a prefix from pools; leases in a memfile that is written out."""
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from perfdhcp import highest
from perfdhcp6 import perfdhcp6
from topology import Process, plain_veth, sh, wait_for

SERVER, CLIENT = "fe80::1/64", "fe80::2/64"


def kea6(directory):
    sh("ip netns add kea6")
    sh("ip netns add kea6client")
    sh("ip link add eth0 netns kea6 type veth peer name eth0 netns kea6client")
    for ns, address in (("kea6", SERVER), ("kea6client", CLIENT)):
        plain_veth("eth0", ns)
        sh("ip link set lo up", ns=ns)
        sh(f"ip addr add {address} dev eth0 nodad", ns=ns)
    sh("ip addr add 2001:db8::1/64 dev eth0 nodad", ns="kea6")
    conf = directory / "kea.json"
    subnet = {"id": 1, "subnet": "2001:db8::/32", "interface": "eth0", "pools": [{"pool": "2001:db8:1::/64"}],
              "pd-pools": [{"prefix": "2001:db8:8000::", "prefix-len": 33, "delegated-len": 56}]}
    conf.write_text(json.dumps({"Dhcp6": {
        "interfaces-config": {"interfaces": ["eth0"]},
        "server-id": {"type": "EN", "enterprise-id": 2495, "identifier": "0123456789", "persist": False},
        "lease-database": {"type": "memfile", "persist": True, "name": str(directory / "kea-leases6.csv"), "lfc-interval": 0},
        "preferred-lifetime": 1800, "valid-lifetime": 3600, "subnet6": [subnet],
        "loggers": [{"name": "kea-dhcp6", "severity": "ERROR", "output_options": [{"output": str(directory / "kea.log")}]}]}}))
    (directory / "run").mkdir()
    env = {"KEA_PIDFILE_DIR": str(directory / "run"), "KEA_LOCKFILE_DIR": "none"}
    return Process("kea6", ["kea-dhcp6", "-c", conf], directory / "kea.out", ns="kea6", env=env)


def measure_kea6(clients, seconds, runs, synced):
    """The best rate of exchanges without a drop. synced: a lease is on the disk when it is promised, as ours is."""
    directory = Path(tempfile.mkdtemp(prefix="bng-kea6-"))
    if synced:
        sh(f"chattr +S {directory}")
    server = kea6(directory)

    def run(rate, *more, limit=clients):
        return perfdhcp6(rate, limit, next(runs), *more, ns="kea6client", interface="eth0")

    def measure(rate):
        found = run(rate, "-p", seconds)
        return found["REQUEST-REPLY"][1] / seconds, sum(max(drops, 0) for _, _, drops in found.values())

    def answers():
        try:
            return run(50, "-p", 1, limit=50)["REQUEST-REPLY"][1] > 0
        except (RuntimeError, subprocess.TimeoutExpired):
            return False

    try:
        wait_for("kea answers", answers, 30)
        return highest(measure, 500, 16000, f"Kea, DHCPv6, new{', synced' if synced else ''}")
    finally:
        server.kill()
        for ns in ("kea6", "kea6client"):
            sh(f"ip netns del {ns}", check=False)
        shutil.rmtree(directory, ignore_errors=True)
