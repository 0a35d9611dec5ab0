# SPDX-License-Identifier: Apache-2.0
"""The agent on its host: capabilities, TLS to the controller, unresolved neighbours through the kernel, signals, detach."""

import os
import pathlib
import re
import socket
import ssl
import struct
import subprocess
import time

import agent_controller
import pytest
from agent_controller import base_objects, d, ip, mac, s, session
from conftest import AGENT, run
from test_agent_packets import checksum, raw_socket

WANTED = (1 << 12) | (1 << 13) | (1 << 39)  # CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF


def capabilities(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {k: int(v, 16) for k, v in re.findall(r"^Cap(\w+):\s+(\w+)$", text, re.M)}, "NoNewPrivs:\t1" in text


def test_runs_with_three_capabilities_and_drops_the_rest(agent, associated):
    held, no_new = capabilities(agent.process.pid)
    assert held["Prm"] == held["Eff"] == WANTED and held["Inh"] == held["Amb"] == held["Bnd"] == 0 and no_new


def test_three_capabilities_and_no_root_are_enough(agent, controller):
    run("chmod", "777", agent.directory, agent.directory + "/bpf", agent.socket)
    names = "bpf,+net_admin,+net_raw"
    with open(agent.log_path, "ab") as log:
        agent.process = subprocess.Popen(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"--bounding-set=-all,+{names}",
             f"--inh-caps=-all,+{names}", f"--ambient-caps=-all,+{names}", AGENT, "--config", agent.config], stderr=log)
    hello = controller.greet()
    assert all(p.mode == 2 for p in hello.ports)
    controller.apply(*base_objects(), session(1))
    status = pathlib.Path(f"/proc/{agent.process.pid}/status").read_text()
    assert "Uid:\t65534" in status
    controller.close()
    agent.kill()


def test_without_capabilities_it_says_so(agent):
    result = subprocess.run(["setpriv", "--bounding-set=-all", AGENT, "--config", agent.config], capture_output=True, text=True)
    assert result.returncode == 1 and "needs CAP_BPF, CAP_NET_ADMIN and CAP_NET_RAW" in result.stderr


def test_sigterm_leaves_traffic_and_detach_removes_all(agent, associated):
    associated.apply(session(1))
    assert agent.terminate() == 0
    show = subprocess.run(["ip", "-d", "link", "show", "access0"], capture_output=True, text=True).stdout
    assert "xdp" in show
    assert agent.detach().returncode == 0
    for port in ("access0", "core0"):
        assert "xdp" not in subprocess.run(["ip", "-d", "link", "show", port], capture_output=True, text=True).stdout
    assert not os.path.exists(agent.pins)


def make_certificates(folder):
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=ca",
            "-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.pem")
    for name, alternative in (("controller", "IP:127.0.0.1"), ("edge1", "DNS:edge1")):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.csr")
        pathlib.Path(f"{folder}/{name}.ext").write_text(f"subjectAltName={alternative}\n")
        openssl("x509", "-req", "-in", f"{folder}/{name}.csr", "-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key",
                "-CAcreateserial", "-days", "2", "-extfile", f"{folder}/{name}.ext", "-out", f"{folder}/{name}.pem")
        os.chmod(f"{folder}/{name}.key", 0o600)


class TLSController(agent_controller.Controller):
    def __init__(self, folder):
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=f"{folder}/ca.pem")
        self.context.load_cert_chain(f"{folder}/controller.pem", f"{folder}/controller.key")
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.heartbeat_ms, self.timeout_ms, self.term, self.batch_id = 200, 60000, 1, 0
        self.lanes, self.hello, self.association, self.answer_heartbeats = {}, None, None, True
        self.listener = socket.create_server(("127.0.0.1", 0))

    def accept(self, timeout=15.0):
        self.listener.settimeout(timeout)
        raw = self.listener.accept()[0]
        raw.settimeout(timeout)
        sock = self.context.wrap_socket(raw, server_side=True)
        assert sock.version() == "TLSv1.3"
        return TLSLane(sock)

    def stop(self):
        self.close()
        self.listener.close()


class TLSLane(agent_controller.Lane):
    def receive(self, timeout=15.0):
        self.sock.settimeout(max(timeout, 0.001))
        try:
            while len(self.data) < 4 or len(self.data) < 4 + struct.unpack(">I", self.data[:4])[0]:
                got = self.sock.recv(1 << 16)
                if not got:
                    raise agent_controller.Closed()
                self.data += got
        except (TimeoutError, ssl.SSLWantReadError):
            return None
        (size,) = struct.unpack(">I", self.data[:4])
        frame = s.AgentFrame.FromString(self.data[4 : 4 + size])
        self.data = self.data[4 + size :]
        return frame


@pytest.fixture
def tls(agent):
    make_certificates(agent.directory)
    it = TLSController(agent.directory)
    agent.write_config(**{
        "controller": f"tls:127.0.0.1:{it.listener.getsockname()[1]}",
        "tls-certificate": f"{agent.directory}/edge1.pem", "tls-key": f"{agent.directory}/edge1.key",
        "tls-authority": f"{agent.directory}/ca.pem",
    })
    yield it
    it.stop()


def test_all_lanes_over_tls(agent, tls):
    agent.start()
    tls.greet()
    tls.apply(*base_objects(), *[session(n) for n in range(1, 4001)])
    assert tls.audit()[d.FAMILY_SESSION][0] == 4000


def test_key_readable_by_others_is_refused(agent, tls):
    os.chmod(f"{agent.directory}/edge1.key", 0o644)
    agent.start()
    status = agent.process.wait(10)
    agent.process = None
    assert status == 1 and "chmod 600" in agent.log()


def data_packet(gateway, client, source, destination, ttl=64):
    payload = b"through the kernel"
    udp = struct.pack(">HHHH", 1111, 2222, 8 + len(payload), 0) + payload
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 7, 0, ttl, 17, 0, source, destination)
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return gateway + client + b"\x08\x00" + head + udp


def test_packet_to_an_unresolved_neighbour_arrives_after_its_arp(agent, associated):
    pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1\n")  # bpf_fib_lookup obeys it
    run("ip", "address", "add", "192.0.2.1/24", "dev", "core0")
    router, line = raw_socket("core0p"), raw_socket("access0p")
    router_mac = b"\x02\x00\x00\x00\xbb\x01"
    try:
        one = session(3)
        associated.apply(one)
        line.send(data_packet(associated.hello.ports[0].mac, mac(3), one.session.ipv4.address, ip("192.0.2.99")))
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            frame = router.recv(2048)
            if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\x00\x01" and frame[38:42] == ip("192.0.2.99"):
                router.send(frame[6:12] + router_mac + b"\x08\x06\x00\x01\x08\x00\x06\x04\x00\x02" + router_mac
                            + ip("192.0.2.99") + frame[22:32])
            if frame[12:14] == b"\x08\x00" and frame[30:34] == ip("192.0.2.99"):
                assert frame[:6] == router_mac and frame[22] == 63 and frame.endswith(b"through the kernel")
                assert frame[26:30] == one.session.ipv4.address and checksum(frame[14:34]) == 0
                break
        else:
            pytest.fail("the packet did not arrive")
    finally:
        run("ip", "address", "del", "192.0.2.1/24", "dev", "core0")
        router.close()
        line.close()


def test_interface_that_goes_and_comes_back_is_attached_again(agent, associated):
    associated.apply(session(1))
    run("ip", "link", "del", "access0")
    try:
        # It may be seen going down before it is gone.
        associated.expect("events", s.LANE_TELEMETRY, where=lambda m: any(
            e.port_changed.port.name == "access0" and e.port_changed.port.mode == 1 for e in m.events))
    finally:
        run("ip", "link", "add", "access0", "type", "veth", "peer", "name", "access0p")
        run("ip", "link", "set", "access0", "up")
        run("ip", "link", "set", "access0p", "up")
    agent.wait_log("event=port_attached_again")
    end = time.monotonic() + 5
    while "xdp" not in subprocess.run(["ip", "link", "show", "access0"], capture_output=True, text=True).stdout:
        assert time.monotonic() < end
    listener = raw_socket("access0p")
    frame = mac(5) + mac(200) + b"\x88\xb5" + b"after" * 10
    associated.punt.send(injects=s.InjectBatch(injects=[s.Inject(port="access0", frame=frame)]))
    while listener.recv(2048) != frame:
        pass
    listener.close()


def test_a_driver_without_native_xdp_gets_generic_with_a_warning_and_a_counter(agent, controller):
    run("ip", "link", "add", "plain0", "type", "ifb")
    run("ip", "link", "set", "plain0", "up")
    try:
        agent.write_config(ports=("access0 access", "plain0 core"))
        agent.start()
        hello = controller.greet()
        assert [p.mode for p in hello.ports] == [2, 3]
        assert "the driver refuses native XDP" in agent.log() and "level=warning event=port_attached port=plain0" in agent.log()
        counters = {c.name: c.value for c in controller.expect("counters", s.LANE_TELEMETRY).counters}
        assert counters["attach.generic_fallback"] == 1
        controller.close()
        agent.terminate()
        assert agent.detach().returncode == 0
        agent.write_config(ports=("access0 access", "plain0 core"), attach="native")
        agent.start()
        status = agent.process.wait(10)
        agent.process = None
        assert status == 1 and "plain0: cannot attach" in agent.log()
    finally:
        run("ip", "link", "del", "plain0")
        agent.write_config()


def test_attach_generic_is_obeyed(agent, controller):
    agent.write_config(attach="generic")
    agent.start()
    assert [p.mode for p in controller.greet().ports] == [3, 3]
