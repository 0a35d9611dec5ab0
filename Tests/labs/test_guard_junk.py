# SPDX-License-Identifier: Apache-2.0
"""Control-packet policing (FEATURES C9): one line at full junk rate costs the others nothing.

    cpe `junk`: DHCP DISCOVERs of ever new clients as fast as it can     cpe `cpe1`: a customer that wants to come online
"""
import json
import subprocess

from topology import BIN, wait_for


def test_a_junk_line_is_policed_and_others_come_online(make_lab):
    lab = make_lab(guard={"line-pps": 50, "line-burst": 100, "port-pps": 20000, "port-burst": 20000}).up()
    lab.cpe("junk", "02:00:5e:66:66:66", s=666)
    cpe = lab.cpe("cpe1", "02:00:5e:10:60:01", s=100)
    junk = subprocess.Popen(
        ["ip", "netns", "exec", "junk", str(BIN / "bng-load"), "--interface", "wan", "--lines", "200000", "--mac-base",
         "02:66:00:00:00:01", "--window", "2000", "--timeout", "0.05", "--retries", "1"], stdout=subprocess.PIPE, text=True)
    try:
        wait_for("the junk is policed", lambda: lab.counter("drop.guard_line") > 10000, 20)
        cpe.udhcpc()
        cpe.wait_address(10)
        assert cpe.ping(count=20, interval=0.05) == (20, 20)
        assert junk.poll() is None, "the junk ended before the test did"
    finally:
        junk.terminate()
        junk.wait(10)
    sessions = lab.sessions()
    assert [s["mac"] for s in sessions if s["vlan"] == "100"] == [cpe.mac]
    # What the junk line got through the guard is bounded by its rate, not by its zeal.
    assert len(sessions) < 5000, json.dumps(len(sessions))


def test_a_customer_keeps_renewing_while_its_neighbour_floods(make_lab):
    lab = make_lab(lease="60s", extra_pool="    renewal: 2s\n    rebinding: 50s",
                   guard={"line-pps": 50, "line-burst": 100, "port-pps": 20000, "port-burst": 20000}).up()
    lab.cpe("junk", "02:00:5e:66:66:66", s=666)
    cpe = lab.cpe("cpe1", "02:00:5e:10:60:02", s=100)
    cpe.dhclient()
    cpe.wait_address()
    junk = subprocess.Popen(
        ["ip", "netns", "exec", "junk", str(BIN / "bng-load"), "--interface", "wan", "--lines", "200000", "--mac-base",
         "02:66:00:00:00:01", "--window", "2000", "--timeout", "0.05", "--retries", "1"], stdout=subprocess.PIPE, text=True)
    try:
        before = lab.fast_path_replies(cpe)
        wait_for("renewals go on", lambda: lab.fast_path_replies(cpe) >= before + 3, 20)
    finally:
        junk.terminate()
        junk.wait(10)
