# SPDX-License-Identifier: Apache-2.0
"""The real agent on two veths in a network and mount namespace of its own, against Tests/support/agent_controller.py.
Run by Tests/contract/run, which makes the namespaces."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/support"))
import agent_controller  # noqa: E402

AGENT = os.environ.get("BNG_AGENT", str(ROOT / "build/agent/bng-agent"))
EXIT_SKIP = 77


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="session", autouse=True)
def ports():
    if os.environ.get("BNG_TEST_NAMESPACE") != "1":
        pytest.exit("run Tests/contract/run: these tests need namespaces of their own", returncode=EXIT_SKIP)
    run("ip", "link", "set", "lo", "up")
    for name in ("access0", "core0"):
        run("ip", "link", "add", name, "type", "veth", "peer", "name", name + "p")
        run("ip", "link", "set", name, "up")
        run("ip", "link", "set", name + "p", "up")
    yield


@pytest.fixture(scope="session")
def pass_program(tmp_path_factory):
    """For the far end of a port: what XDP sends into a veth arrives only if that end has a program, too."""
    path = str(tmp_path_factory.mktemp("bpf") / "pass.o")
    run("clang-16", "-target", "bpf", "-O2", "-g", f"-I/usr/include/{os.uname().machine}-linux-gnu", "-c",
        str(ROOT / "Tests/labs/pass.bpf.c"), "-o", path)
    return path


class Agent:
    def __init__(self, directory, bpf):
        self.directory, self.pins = directory, bpf + "/edge1"
        self.socket = directory + "/agents.sock"
        self.log_path = directory + "/agent.log"
        self.config = directory + "/agent.conf"
        self.process = None
        self.write_config()

    def write_config(self, ports=("access0 access", "core0 core"), **changes):
        values = dict(node="edge1", controller="unix:" + self.socket, pins=self.pins, attach="auto")
        values["max-sessions"] = "65536"
        values.update(changes)
        lines = [f"{k} = {v}" for k, v in values.items()] + [f"port = {port}" for port in ports]
        pathlib.Path(self.config).write_text("\n".join(lines) + "\n")

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([AGENT, "--config", self.config], stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def terminate(self):
        self.process.terminate()
        status = self.process.wait(10)
        self.process = None
        return status

    def log(self):
        return pathlib.Path(self.log_path).read_text(errors="replace")

    def wait_log(self, text, timeout=10):
        end = time.monotonic() + timeout
        while text not in self.log():
            assert time.monotonic() < end, f"no '{text}' in:\n{self.log()}"
            time.sleep(0.02)

    def detach(self):
        return subprocess.run([AGENT, "--config", self.config, "--detach"], capture_output=True, text=True)


@pytest.fixture
def agent():
    directory = tempfile.mkdtemp(prefix="bng-contract-")
    bpf = directory + "/bpf"
    os.mkdir(bpf)
    run("mount", "-t", "bpf", "bpf", bpf)
    it = Agent(directory, bpf)
    yield it
    if it.process:
        it.kill()
    left = it.detach()
    run("umount", bpf)
    shutil.rmtree(directory)
    assert left.returncode == 0, left.stderr


@pytest.fixture
def controller(agent):
    it = agent_controller.Controller(agent.socket)
    yield it
    it.stop()


@pytest.fixture
def associated(agent, controller):
    """Agent and controller with all lanes up and the base objects applied."""
    agent.start()
    controller.greet()
    controller.apply(*agent_controller.base_objects())
    return controller
