# SPDX-License-Identifier: Apache-2.0
"""A host that knows nothing but a pin and an interface: DHCP (option 224, option 43) or DNS SRV says where its controller is; false answers
lead nowhere.

    bng-agent ── mgmt0 192.0.2.130 ══ eth0 192.0.2.129 (namespace mgmt: dnsmasq)      bng-controller on 127.0.0.1:7401, TLS
"""
import json
import pathlib

import pytest

from test_identity_enrol import enrol_lab, enrolments, online  # noqa: F401
from test_identity_psk import said
from topology import BIN, Process, sh, wait_for

MGMT, DNSMASQ = "192.0.2.130", "192.0.2.129"


def management(lab, *options, name="dnsmasq"):
    if not pathlib.Path("/run/netns/mgmt").exists():
        sh("ip netns add mgmt")
        sh("ip link add mgmt0 type veth peer name eth0 netns mgmt")
        sh("ip link set lo up", ns="mgmt")
        sh(f"ip addr add {DNSMASQ}/25 dev eth0", ns="mgmt")
        sh("ip link set eth0 up", ns="mgmt")
        sh(f"ip addr add {MGMT}/25 dev mgmt0")
        sh("ip link set mgmt0 up")
    process = Process(name, [
        "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--log-dhcp", "--log-facility=-",
        "--user=root", f"--pid-file={lab.dir}/{name}.pid", "--bind-dynamic", "--interface=eth0",
        f"--dhcp-leasefile={lab.dir}/{name}.leases", "--dhcp-range=192.0.2.140,192.0.2.150,255.255.255.128,1h", *options],
        lab.dir / f"{name}.log", ns="mgmt")
    lab.extra.append(process)
    return process


@pytest.fixture
def ztp_lab(enrol_lab):  # noqa: F811
    lab = enrol_lab()

    def factory_fresh(pin=None):
        lab.agent_config.write_text(
            f"controller = discover:mgmt0\n{lab.pin if pin is None else pin}\npins = {lab.pins}\nstate = {lab.state}\nserial = SN-9\n")
        return lab.start_agent(wait=False)
    lab.factory_fresh = factory_fresh
    return lab


def approved(lab):
    wait_for("somebody waits", lambda: [e for e in enrolments(lab) if e["status"] == "pending"], 30)
    lab.ctl("node", "approve", "SN-9", "--as", "edge1", text=True)
    wait_for("the node settles", lab.node_settled, 40)


def test_option_224_to_the_first_subscriber(ztp_lab):
    management(ztp_lab, "--dhcp-option-force=224,tls:localhost:7401")
    agent = ztp_lab.factory_fresh()
    approved(ztp_lab)
    online(ztp_lab, "02:00:5e:10:62:01")
    assert "controller = tls:localhost:7401" in (ztp_lab.state / "node.conf").read_text()
    # Found once, it needs nobody to tell it again.
    agent.kill()
    ztp_lab.extra[-1].stop()
    ztp_lab.start_agent()
    assert ztp_lab.audit_differences() == 0


def test_option_43(ztp_lab):
    text = b"tls:localhost:7401"
    value = bytes([7, 1, 0, 1, len(text)]) + text
    management(ztp_lab, "--dhcp-option-force=43," + ":".join(f"{byte:02x}" for byte in value))
    ztp_lab.factory_fresh()
    approved(ztp_lab)


def test_dns_srv(ztp_lab):
    management(ztp_lab, "--domain=isp.example", "--dhcp-option-force=15,isp.example",
               "--srv-host=_bng-controller._tcp.isp.example,nowhere.invalid,7401,20,0",
               "--srv-host=_bng-controller._tcp.isp.example,localhost,7401,10,0")
    pathlib.Path("/etc/resolv.conf").write_text(f"nameserver {DNSMASQ}\n")
    ztp_lab.factory_fresh()
    approved(ztp_lab)


def test_false_answers_lead_nowhere_and_do_not_hide_the_true_one(ztp_lab):
    lab = ztp_lab
    # A controller of somebody else, with everything it takes.
    other = lab.dir / "rogue"
    other.mkdir()
    pin = sh([BIN / "bng-controller", "authority", "--directory", other, "--host", "localhost"]).strip()
    assert pin != lab.pin
    config = other / "rogue.yaml"
    config.write_text(lab.config.read_text().replace(f"{lab.dir}/keys", str(other)).replace("127.0.0.1:7401", "127.0.0.1:7402")
                      .replace(f"{lab.dir}/controller.sqlite", f"{other}/state.sqlite").replace(f"{lab.dir}/admin.sock", f"{other}/admin.sock")
                      .replace("127.0.0.1:9469", "127.0.0.1:9470"))
    lab.extra.append(Process("rogue", [BIN / "bng-controller", "--config", config], other / "rogue.log"))
    management(lab, "--dhcp-option-force=224,tls:localhost:7402")
    agent = lab.factory_fresh()
    wait_for("it is not believed", lambda: said(lab, "not the pinned one"), 30)
    rogue = json.loads(sh([BIN / "bngctl", "node", "list", "--json", "--socket", other / "admin.sock"]))
    assert rogue == [] and not (lab.state / "certificate.pem").exists() and agent.alive()
    # Garbage beside it, and then the true one among false ones.
    lab.extra[-1].stop()
    management(lab, "--dhcp-option-force=224,unix:/run/x tls:localhost:7402 tls:localhost:7401", name="dnsmasq2")
    approved(lab)
    assert "tls:localhost:7401" in (lab.state / "node.conf").read_text()
