# SPDX-License-Identifier: Apache-2.0
"""A host that is no node yet: asks the pinned controller, waits for an operator, gets certificate, name and ports; renewal, replacement and
rejection later.

    bng-agent (a key of its own making) ── 127.0.0.1:7401, TLS 1.3 ── bng-controller (its own authority)
"""
import re

import pytest

from test_identity_psk import Impostor, said, tls_listener
from topology import BIN, sh, wait_for


@pytest.fixture
def enrol_lab(make_lab):
    def make(more=""):
        lab = make_lab()
        lab.pin = tls_listener(lab, f"""
identity:
  authority: {{certificate: {lab.dir}/keys/authority.pem, key: {lab.dir}/keys/authority.key}}
{more}""")
        lab.state = lab.dir / "state"
        lab.network()
        lab.start_controller()
        return lab
    return make


def fresh(lab, pin=None, more=""):
    """All that a factory knows: where the controller is, who it is, and where things may be kept."""
    lab.agent_config.write_text(
        f"controller = tls:localhost:7401\n{pin if pin is not None else lab.pin}\npins = {lab.pins}\nstate = {lab.state}\n{more}")


def enrolments(lab):
    return lab.ctl("node", "list")


def waiting(lab):
    return wait_for("somebody waits", lambda: [e for e in enrolments(lab) if e["status"] == "pending"], 20)


def online(lab, mac):
    cpe = lab.cpe("cpe" + mac[-2:], mac, s=100)
    cpe.udhcpc()
    cpe.wait_address()
    assert cpe.ping(count=3) == (3, 3)


def said_to(certificate, key):
    """What the controller answers to edge1's hello from whoever has these."""
    peer = Impostor(certificate, key)
    peer.hello("edge1")
    answer = peer.receive()
    peer.close()
    return answer.error.message


def test_from_nothing_to_the_first_subscriber(enrol_lab):
    lab = enrol_lab()
    fresh(lab, more="serial = SN-4711\n")
    agent = lab.start_agent(wait=False)
    entry = waiting(lab)[0]
    assert entry["serial"] == "SN-4711" and {"access0", "core0"} <= set(entry["interfaces"])
    assert lab.node()["state"] == "unknown" and agent.alive()
    text = lab.ctl("node", "list", text=True)
    assert "pending" in text and entry["fingerprint"][:16] in text
    refused = lab.ctl("node", "approve", "SN-4711", check=False, text=True)
    assert "edge1" not in refused and not [e for e in enrolments(lab) if e["status"] == "approved"], "it asked for no name"
    lab.ctl("node", "approve", "SN-4711", "--as", "edge1", text=True)
    wait_for("the node settles", lab.node_settled, 30)
    node = lab.node()
    assert node["identity"] == "certificate" and node["certificateEndsMs"] > 0 and len(node["lanes"]) == 3
    assert re.search(r"port = access0 access\nport = core0 core\n", (lab.state / "node.conf").read_text())
    assert (lab.state / "key.pem").stat().st_mode & 0o777 == 0o600
    online(lab, "02:00:5e:10:61:01")
    # Both processes anew: nobody has to approve anything again.
    agent.kill()
    lab.controller.kill()
    lab.start_controller()
    lab.start_agent()
    assert enrolments(lab)[0]["status"] == "approved"
    assert lab.audit_differences() == 0


def test_a_controller_nobody_pinned_leads_nowhere_until_trusted_by_its_fingerprint(enrol_lab):
    lab = enrol_lab("  approve: [{serial: SN-1, node: edge1}]\n")
    fresh(lab, pin="", more="serial = SN-1\n")
    lab.start_agent(wait=False)
    wait_for("the fingerprint is told", lambda: said(lab, "it shows sha256:[0-9a-f]{64}"), 20)
    assert not enrolments(lab), "not even a request was sent"
    shown = re.search("sha256:[0-9a-f]{64}", (lab.dir / "agent.log").read_text()).group(0)
    assert lab.pin == f"controller-pin = {shown}"
    sh([BIN / "bng-agent", "--config", lab.agent_config, "--trust", shown])
    wait_for("the node settles", lab.node_settled, 40)
    assert enrolments(lab)[0]["status"] == "approved", "by its rule"


def test_a_certificate_is_renewed_in_time_and_a_rejected_node_is_out(enrol_lab):
    lab = enrol_lab("  certificate-lifetime: 12s\n  approve: [{serial: SN-1, node: edge1}]\n")
    fresh(lab, more="serial = SN-1\n")
    lab.start_agent(wait=False)
    wait_for("the node settles", lab.node_settled, 30)
    first = enrolments(lab)[0]["certificate"]
    since = lab.node()["connectedSinceMs"]
    old = lab.dir / "first.pem"
    old.write_bytes((lab.state / "certificate.pem").read_bytes())
    second = wait_for("another certificate", lambda: {enrolments(lab)[0]["certificate"]} - {first}, 30)
    assert lab.node()["connectedSinceMs"] == since, "the association went on"
    online(lab, "02:00:5e:10:61:02")
    # The third is given two thirds into the second's time: the first has ended by then.
    wait_for("a third one", lambda: {enrolments(lab)[0]["certificate"]} - {first} - second, 30)
    assert said_to(old, lab.state / "key.pem").startswith("the certificate ended on")
    lab.controller.kill()
    lab.start_controller()
    wait_for("the node is back", lab.node_settled, 30)
    lab.ctl("node", "reject", "edge1", text=True)
    wait_for("it is out", lambda: lab.node()["state"] == "unreachable" and "revoked" in lab.node()["refusal"], 15)
    assert "was revoked" in said_to(lab.state / "certificate.pem", lab.state / "key.pem")
    wait_for("and told why", lambda: said(lab, "NOT_APPROVED"), 15)
    cpe = lab.cpes[0]
    assert cpe.ping(count=3) == (3, 3), "it goes on forwarding"
    entry = enrolments(lab)[0]
    assert entry["status"] == "rejected" and entry["revoked"]


def test_a_serial_number_of_somebody_else_is_only_a_claim(enrol_lab):
    lab = enrol_lab("  approve: [{serial: SN-1, node: edge1}]\n")
    fresh(lab, more="serial = SN-1\n")
    lab.start_agent(wait=False)
    wait_for("the node settles", lab.node_settled, 30)
    thief = lab.dir / "thief.conf"
    thief.write_text(lab.agent_config.read_text().replace(str(lab.state), str(lab.dir / "other")).replace(lab.pins, lab.pins + "x"))
    from topology import Process
    process = Process("thief", [BIN / "bng-agent", "--config", thief], lab.dir / "thief.log")
    lab.extra.append(process)
    entry = waiting(lab)[0]
    assert entry["serial"] == "SN-1" and lab.node()["state"] == "connected"
    # The host was really replaced: an operator says so, and the old key is out.
    lab.ctl("node", "approve", entry["fingerprint"][:12], "--as", "edge1", text=True)
    wait_for("the old one is told", lambda: said(lab, "NOT_APPROVED"), 15)
    assert {e["status"] for e in enrolments(lab)} == {"approved", "rejected"}
