# SPDX-License-Identifier: Apache-2.0
"""Traffic of many lines both ways: none lost, and the sessions' counters add up to what was sent.

    bng-load: 200 QinQ lines on one veth of the switch, and a peer in ns `server`
"""
import json
import re

from topology import BIN, CORE_IP, SERVER_IP, Process, sh


def mac_of(interface, ns=None):
    return re.search(r"link/ether (\S+)", sh(f"ip link show {interface}", ns=ns)).group(1)


def test_traffic_of_200_lines_is_forwarded_and_counted(make_lab):
    lab = make_lab(capture=False).up()
    lab.cpe("load", "02:00:5e:00:00:fe")
    sh(f"ping -c 1 -W 2 {CORE_IP}", ns="server")  # so that the kernel knows the server's MAC
    # Somebody must take the packets, or the server's kernel answers them with ICMP, which would be counted as well.
    sink = "import socket; s = socket.socket(2, 2); s.bind(('', 5001))\nwhile True: s.recv(2048)"
    lab.extra.append(Process("sink", ["/usr/bin/python3", "-c", sink], lab.dir / "sink.log", ns="server"))
    out = sh([BIN / "bng-load", "--interface", "wan", "--lines", "200", "--tags", "qinq:100:1:50", "--phases", "dora,traffic",
              "--gateway-mac", mac_of("access0"), "--core-interface", "eth0", "--core-netns", "/run/netns/server", "--core-mac",
              mac_of("core0"), "--peer-mac", mac_of("eth0", "server"), "--peer", SERVER_IP, "--rate", "2000", "--duration", "2",
              "--payload", "500"], ns="load", check=False, timeout=60)
    dora, traffic = json.loads(out)["phases"]
    assert dora["completed"] == 200
    assert traffic["up"]["sent"] >= 3900 and traffic["up"]["lost"] == 0, traffic["up"]
    assert traffic["down"]["sent"] >= 3900 and traffic["down"]["lost"] == 0, traffic["down"]
    counters = [lab.session(s["id"])["counters"] for s in lab.sessions()]
    size = 500 + 28
    assert sum(c["upPackets"] for c in counters) == traffic["up"]["sent"]
    assert sum(c["upBytes"] for c in counters) == traffic["up"]["sent"] * size
    assert sum(c["downPackets"] for c in counters) == traffic["down"]["sent"]
    assert sum(c["downBytes"] for c in counters) == traffic["down"]["sent"] * size
    assert sum(c["droppedPackets"] for c in counters) == 0
