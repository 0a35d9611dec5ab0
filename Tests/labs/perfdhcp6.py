# SPDX-License-Identifier: Apache-2.0
"""perfdhcp -6 as many lines: it sends for all its clients from one MAC address, and a line of ours is a MAC address.

    ns `load`: perfdhcp ── duid_lines.bpf.c (each client's own MAC address) ── bridge ── access0 [BNG]
"""
import json
import os
import re
import subprocess

from ipv6_lab import link_local
from topology import ROOT, sh

# All lines are on one port, and its share of the guard is not what is looked at.
OPEN = {"line-pps": 1000000, "line-burst": 1000000, "port-pps": 1000000, "port-burst": 1000000}
OPEN_GUARD = f"  dhcpv6: {json.dumps(OPEN)}\n"
SECTION = re.compile(r"^\*\*\*Statistics for: (\S+)\*\*\*\nsent packets: (\d+)\nreceived packets: (\d+)\ndrops: (-?\d+)", re.M)


def load_host(lab):
    """The host perfdhcp runs on; nothing but DHCPv6 passes it."""
    host = lab.cpe("load", "02:00:5e:00:00:fe")
    host.run("sysctl -qw net.ipv6.conf.wan.accept_ra=0")
    obj = lab.dir / "duid_lines.o"
    mac = ",".join(f"0x{byte}" for byte in host.mac.split(":"))
    sh(["clang-16", "-target", "bpf", "-O2", "-g", f"-DHOST_MAC={mac}", f"-I/usr/include/{os.uname().machine}-linux-gnu", "-c",
        ROOT / "Tests/labs/duid_lines.bpf.c", "-o", obj])
    sh("tc qdisc add dev load-sw clsact", ns="switch")
    sh(f"tc filter add dev load-sw ingress bpf da obj {obj} sec from_host", ns="switch")
    sh(f"tc filter add dev load-sw egress bpf da obj {obj} sec to_host", ns="switch")
    link_local(host)
    return host


def perfdhcp6(rate, clients, first, *more, ns="load", interface="wan"):
    """perfdhcp -6 with client MACs 02:`first`:00:00:00:00 and up, each asking for an address and a prefix. `more` says when it ends.
    DUID-LLs: its own, of DUID-LLT, would be new ones whenever it runs. What was sent, answered and lost of each kind: {"REQUEST-REPLY": (10, 10, 0), ...}"""
    argv = ["ip", "netns", "exec", ns, "perfdhcp", "-6", "-l", interface, "-e", "address-and-prefix", "-r", rate, "-R", clients,
            "-b", f"duid=0003000102{first:02x}00000000", "-W", "500000", *more]
    out = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120).stdout
    found = {name: tuple(map(int, figures)) for name, *figures in SECTION.findall(out)}
    if "REQUEST-REPLY" not in found:
        raise RuntimeError(f"perfdhcp said: {out}")
    return found
