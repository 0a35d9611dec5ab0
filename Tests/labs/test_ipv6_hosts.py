# SPDX-License-Identifier: Apache-2.0
"""Real IPv6 hosts on every kind of line: prefix, route, DNS, ping, fetch; one session with their IPv4."""
import pytest

from topology import GATEWAY6, SERVER_IP6, wait_for

LINES = {"untagged": dict(), "one-tag": dict(s=100), "qinq": dict(s=200, c=7), "qinq-8100": dict(s=201, c=8, s_tpid=0x8100)}


@pytest.mark.parametrize("line", LINES)
def test_the_kernel_configures_itself(make_lab, line):
    lab = make_lab(ipv6={}).up()
    cpe = lab.cpe("cpe1", "02:00:5e:10:66:01", **LINES[line])
    cpe.autoconfigure()
    address = cpe.wait_address6()
    assert cpe.ping(SERVER_IP6, count=5) == (5, 5)
    assert cpe.ping(f"{GATEWAY6}%wan", count=2) == (2, 2)
    assert "hello" in cpe.run(f"curl -s --max-time 5 http://[{SERVER_IP6}]/hello.txt")
    session = lab.session_of(cpe)
    assert address.startswith(session["ipv6"]["prefix"].split("::/")[0])
    counters = lab.ctl("show", "session", session["id"])["counters"]
    wait_for("the node has counted", lambda: lab.ctl("show", "session", session["id"])["counters"]["ipv6UpPackets"] >= 6)
    assert counters["upPackets"] >= counters["ipv6UpPackets"]
