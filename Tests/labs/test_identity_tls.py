# SPDX-License-Identifier: Apache-2.0
"""The planes over TLS 1.3 with both certificates, and an agent with its three capabilities and no root.

    bng-agent ── 127.0.0.1:7401, TLS 1.3 ── bng-controller
"""
import pathlib
import re

import pytest

from topology import BIN, Process, sh, wait_for


def authority(directory, name="ca"):
    sh(f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=lab-{name} "
       f"-keyout {directory}/{name}.key -out {directory}/{name}.pem")


def certificate(directory, name, subject, ca="ca"):
    names = f"subjectAltName=DNS:{subject},IP:127.0.0.1"
    (directory / f"{name}.ext").write_text(names + "\n")
    sh(f"openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={subject} -keyout {directory}/{name}.key "
       f"-out {directory}/{name}.csr")
    sh(f"openssl x509 -req -in {directory}/{name}.csr -CA {directory}/{ca}.pem -CAkey {directory}/{ca}.key -CAcreateserial -days 2 "
       f"-extfile {directory}/{name}.ext -out {directory}/{name}.pem")
    (directory / f"{name}.key").chmod(0o600)


@pytest.fixture
def tls_lab(make_lab):
    lab = make_lab()
    keys = lab.dir / "keys"
    keys.mkdir()
    authority(keys)
    certificate(keys, "controller", "localhost")
    text = lab.config.read_text()
    lab.config.write_text(text.replace(
        f"    - unix: {lab.dir}/agents.sock",
        f"    - tls: 127.0.0.1:7401\n      certificate: {keys}/controller.pem\n      key: {keys}/controller.key\n"
        f"      authority: {keys}/ca.pem"))
    lab.keys = keys
    lab.network()
    lab.start_controller()
    return lab


def dial(lab, name):
    """Points the agent at the TLS listener with the certificate of that name."""
    text = lab.agent_config.read_text()
    lab.agent_config.write_text(re.sub(
        r"controller = .*\n(tls-.*\n)*",
        f"controller = tls:localhost:7401\ntls-certificate = {lab.keys}/{name}.pem\ntls-key = {lab.keys}/{name}.key\n"
        f"tls-authority = {lab.keys}/ca.pem\n", text))


def test_subscriber_online_over_tls(tls_lab):
    certificate(tls_lab.keys, "edge1", "edge1")
    dial(tls_lab, "edge1")
    tls_lab.start_agent()
    cpe = tls_lab.cpe("cpe1", "02:00:5e:10:50:01", s=100)
    cpe.udhcpc()
    cpe.wait_address()
    assert cpe.ping(count=3) == (3, 3)
    assert len(tls_lab.node()["lanes"]) == 3


def test_a_certificate_of_another_node_is_refused(tls_lab):
    certificate(tls_lab.keys, "edge2", "edge2")
    dial(tls_lab, "edge2")
    tls_lab.start_agent(wait=False)
    wait_for("the refusal is named", lambda: "IDENTITY" in (tls_lab.dir / "agent.log").read_text().upper(), 20)
    assert tls_lab.node()["state"] != "connected"


def test_a_certificate_of_another_authority_is_refused(tls_lab):
    authority(tls_lab.keys, "other")
    certificate(tls_lab.keys, "rogue", "edge1", ca="other")
    dial(tls_lab, "rogue")
    tls_lab.start_agent(wait=False)
    wait_for("the handshake fails", lambda: re.search("tls|certificate|handshake", (tls_lab.dir / "agent.log").read_text(), re.I), 20)
    assert tls_lab.node()["state"] != "connected"


def test_a_key_others_may_read_is_refused_by_name(tls_lab):
    certificate(tls_lab.keys, "edge1", "edge1")
    (tls_lab.keys / "edge1.key").chmod(0o644)
    dial(tls_lab, "edge1")
    agent = tls_lab.start_agent(wait=False)
    wait_for("the agent ends", lambda: not agent.alive(), 10)
    assert "edge1.key" in (tls_lab.dir / "agent.log").read_text()


def test_the_agent_runs_with_three_capabilities_and_no_root(lab):
    """Started anew as an unprivileged user: it adopts, serves, and holds nothing more."""
    lab.agent.kill()
    sh([BIN / "bng-agent", "--config", lab.agent_config, "--detach"])
    pathlib.Path(lab.pins).mkdir(parents=True, exist_ok=True)
    sh(f"chown -R nobody {lab.pins} {lab.dir}")
    sh(f"chmod 755 /sys/fs/bpf {lab.dir} {lab.dir.parent}")
    for parent in lab.dir.parents:
        if str(parent) not in ("/", "/tmp"):
            parent.chmod(0o755)
    caps = "cap_39,net_admin,net_raw"  # 39: CAP_BPF, unknown to this setpriv by name
    lab.agent = Process("agent", ["setpriv", "--reuid", "nobody", "--clear-groups", "--inh-caps", f"-all,+{caps.replace(',', ',+')}",
                                  "--ambient-caps", f"-all,+{caps.replace(',', ',+')}", "--bounding-set",
                                  f"-all,+{caps.replace(',', ',+')}", BIN / "bng-agent", "--config", lab.agent_config],
                        lab.dir / "agent.log")
    wait_for("node settled", lambda: lab.node_settled() or lab._dead(lab.agent), 30)
    status = pathlib.Path(f"/proc/{lab.agent.pid}/status").read_text()
    effective = int(re.search(r"CapEff:\s*(\w+)", status).group(1), 16)
    assert effective == 1 << 12 | 1 << 13 | 1 << 39, hex(effective)
    assert re.search(r"Uid:\s*65534", status)
    cpe = lab.cpe("cpe1", "02:00:5e:10:50:02", s=200, c=7)
    cpe.udhcpc()
    cpe.wait_address()
    assert cpe.ping(count=3) == (3, 3)
