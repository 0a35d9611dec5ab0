# SPDX-License-Identifier: Apache-2.0
"""A node that has a pre-shared key and the controller's pin, and no certificate of any authority.

    bng-agent ── 127.0.0.1:7401, TLS 1.3, both pinned by proof ── bng-controller
"""
import re
import secrets
import sys

import pytest

from topology import BIN, ROOT, sh, wait_for

sys.path.insert(0, str(ROOT / "Tests/support"))
from agent_impostor import Impostor, own_certificate  # noqa: E402


def tls_listener(lab, more=""):
    """An authority of its own, and the listener that uses it. Returns the pin for agents."""
    keys = lab.dir / "keys"
    pin = sh([BIN / "bng-controller", "authority", "--directory", keys, "--host", "localhost", "--host", "127.0.0.1"]).strip()
    text = lab.config.read_text().replace(
        f"    - unix: {lab.dir}/agents.sock",
        f"    - tls: 127.0.0.1:7401\n      certificate: {keys}/controller.pem\n      key: {keys}/controller.key\n"
        f"      authority: {keys}/authority.pem")
    lab.config.write_text(text + more)
    return pin


def known_by_key(lab):
    """Makes edge1 a node with a pre-shared key, and starts all but the agent."""
    lab.pin = tls_listener(lab)
    lab.key = secrets.token_hex(32)
    (lab.dir / "psk").write_text(lab.key + "\n")
    (lab.dir / "psk").chmod(0o600)
    lab.config.write_text(lab.config.read_text().replace(
        "  - name: edge1\n", f"  - name: edge1\n    identity: psk\n    psk: {lab.dir}/psk\n"))
    lab.network()
    lab.start_controller()
    return lab


@pytest.fixture
def psk_lab(make_lab):
    return known_by_key(make_lab())


def configure(lab, pin=None, key=None):
    path = lab.dir / "agent.psk"
    path.write_text((key or lab.key) + "\n")
    path.chmod(0o600)
    lab.agent_config.write_text(re.sub(
        r"controller = .*\n", f"controller = tls:localhost:7401\n{pin or lab.pin}\npsk = {path}\n", lab.agent_config.read_text()))


def said(lab, text, where="agent.log"):
    return re.search(text, (lab.dir / where).read_text())


def test_a_subscriber_is_online_over_a_node_known_by_its_key(psk_lab):
    configure(psk_lab)
    psk_lab.start_agent()
    cpe = psk_lab.cpe("cpe1", "02:00:5e:10:60:01", s=100)
    cpe.udhcpc()
    cpe.wait_address()
    assert cpe.ping(count=3) == (3, 3)
    node = psk_lab.node()
    assert len(node["lanes"]) == 3 and node["identity"] == "psk" and node["provenMs"] > 0 and not node["refusal"]
    assert node["contractMinor"] >= 1


def test_another_key_is_refused_and_shown(psk_lab):
    configure(psk_lab, key=secrets.token_hex(32))
    psk_lab.start_agent(wait=False)
    wait_for("the refusal is named", lambda: said(psk_lab, "psk_wrong"), 20)
    node = psk_lab.node()
    assert node["state"] != "connected" and node["refusal"].startswith("psk_wrong")
    assert "psk_wrong" in psk_lab.ctl("show", "nodes", text=True)


def test_a_controller_that_is_not_the_pinned_one_gets_no_proof(psk_lab):
    configure(psk_lab, pin="controller-pin = sha256:" + "ab" * 32)
    psk_lab.start_agent(wait=False)
    wait_for("the pin is named", lambda: said(psk_lab, "not the pinned one: it shows sha256:[0-9a-f]{64}"), 20)
    assert psk_lab.node()["refusal"] == "", "nothing was even asked"


def test_a_proof_counts_once_and_on_its_own_connection(psk_lab):
    lab, key = psk_lab, psk_lab.key.encode()
    certificate, private, _ = own_certificate(lab.dir)
    first = Impostor(certificate, private)
    first.hello("edge1")
    proof = first.psk_proof(first.receive().challenge, key)
    first.send(proof=proof)
    assert first.receive().WhichOneof("body") == "hello_reply", "whoever knows the key is the node"

    def refused(prove, hello="edge1", minor=1):
        with_key = Impostor(certificate, private)
        with_key.hello(hello, minor)
        answer = with_key.receive()
        if answer.WhichOneof("body") == "challenge":
            with_key.send(proof=prove(with_key, answer.challenge))
            answer = with_key.receive()
        with_key.close()
        assert answer.WhichOneof("body") == "error", answer
        return answer.error.message

    assert refused(lambda peer, challenge: proof).startswith("psk_wrong"), "replayed on another connection"
    assert refused(lambda peer, challenge: peer.psk_proof(challenge, key, server_hash=b"\1" * 32)).startswith("psk_wrong"), \
        "made for another controller"
    assert refused(lambda peer, challenge: peer.psk_proof(challenge, key, own_key=b"\2" * 91)).startswith("psk_wrong"), \
        "made for another agent's key"
    assert "minor 1" in refused(None, minor=0)
    # A second answer to one challenge, after the first was used up.
    first.send(proof=proof)
    answer = first.receive()
    while answer.WhichOneof("body") != "error":
        answer = first.receive()
    assert "nobody asked for" in answer.error.message


def test_a_lane_with_another_key_is_refused(psk_lab):
    lab = psk_lab
    certificate, private, _ = own_certificate(lab.dir)
    peer = Impostor(certificate, private)
    peer.hello("edge1")
    peer.send(proof=peer.psk_proof(peer.receive().challenge, lab.key.encode()))
    association = peer.receive().hello_reply.association_id
    other = Impostor(*own_certificate(lab.dir, "other")[:2])
    other.send(lane_hello=dict(lane=2, association_id=association, boot_id=b"\0" * 16))
    assert other.receive().WhichOneof("body") == "error"
