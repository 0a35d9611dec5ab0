# SPDX-License-Identifier: Apache-2.0
"""kill -9 of either plane under traffic (FEATURES D3): nothing forwarded is lost, nothing promised is forgotten.

    ping -i 0.01 from a subscriber to the server runs all the while.
"""
import time

from topology import BIN, Flood, sh, wait_for


def online(lab, name="cpe1", mac="02:00:5e:10:30:01", client="udhcpc", **line):
    cpe = lab.cpe(name, mac, **line)
    getattr(cpe, client)()
    cpe.wait_address()
    cpe.ping(count=1)
    return cpe


def test_agent_killed_loses_no_packet(lab):
    cpe = online(lab, s=200, c=7)
    pinger = Flood(cpe)
    for _ in range(5):
        lab.agent.kill()
        time.sleep(0.5)  # half a second of traffic with no agent at all
        lab.start_agent()
    sent, received = pinger.stop()
    assert sent > 200 and received >= sent - 1, f"{sent - received} of {sent} lost"  # the last may be under way
    assert lab.session_of(cpe)["phase"] == "active"
    assert lab.audit_differences() == 0


def test_controller_killed_changes_nothing_in_forwarding(make_lab):
    lab = make_lab(lease="60s", extra_pool="    renewal: 2s\n    rebinding: 50s").up()
    cpe = online(lab, client="dhclient", s=100)  # udhcpc ignores option 58
    session = lab.session_of(cpe)
    replies = lambda: lab.fast_path_replies(cpe)
    pinger = Flood(cpe)
    wait_for("renewals begin", lambda: replies() >= 1, 20)
    before = replies()
    lab.controller.kill()
    log = (lab.dir / "cpe1-dhclient.log")
    renewed = log.read_text().count("DHCPACK")
    wait_for("renewals go on without a controller", lambda: log.read_text().count("DHCPACK") >= renewed + 2, 30)
    lab.start_controller()
    wait_for("audit equal after restart", lambda: lab.node_settled(), 20)
    assert lab.audit_differences() == 0
    again = lab.session_of(cpe)
    assert again["id"] == session["id"] and again["address"] == session["address"]
    assert replies() >= before + 2
    sent, received = pinger.stop()
    assert received >= sent - 1, f"{sent - received} of {sent} lost"


def test_both_killed_sessions_survive(lab):
    cpe = online(lab, s=200, c=11)
    session = lab.session_of(cpe)
    pinger = Flood(cpe)
    lab.controller.kill()
    lab.agent.kill()
    lab.start_agent(wait=False)
    lab.start_controller()
    wait_for("node settled", lambda: lab.node_settled(), 20)
    sent, received = pinger.stop()
    assert received >= sent - 1, f"{sent - received} of {sent} lost"
    assert lab.session_of(cpe)["id"] == session["id"]


def test_host_reboot_restores_sessions_from_the_store(lab):
    """Maps gone, as after a reboot: detach removes programs and pins."""
    cpe = online(lab, s=200, c=12)
    session = lab.session_of(cpe)
    lab.agent.kill()
    sh([BIN / "bng-agent", "--config", lab.agent_config, "--detach"])
    assert cpe.ping(count=1, wait=1)[1] == 0
    lab.start_agent()
    wait_for("traffic again", lambda: cpe.ping(count=1, wait=1)[1] == 1, 10)
    again = lab.session_of(cpe)
    assert again["id"] == session["id"]
    assert again["leaseExpiresMs"] >= session["leaseExpiresMs"]


def test_sigterm_stops_both_and_leaves_forwarding(lab):
    cpe = online(lab)
    assert lab.agent.stop() == 0
    assert lab.controller.stop() == 0
    assert cpe.ping(count=3) == (3, 3)
