# SPDX-License-Identifier: Apache-2.0
"""One controller and many simulated nodes (D13): set-ups, memory, processor, a storm of punts, a controller killed, a fleet whose maps
are gone. BNG_FLEET_NODES (100), BNG_FLEET_SESSIONS each (10,000), BNG_FLEET_JSON (build/bench/fleet.json).

    bng-sim: sim1 .. simN, each a whole agent without a network card ── unix socket ── bng-controller, SQLite synced
"""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "build/bin"
NODES = int(os.environ.get("BNG_FLEET_NODES", "100"))
SESSIONS = int(os.environ.get("BNG_FLEET_SESSIONS", "10000"))
OUT = pathlib.Path(os.environ.get("BNG_FLEET_JSON", ROOT / "build/bench/fleet.json"))
STORM = int(os.environ.get("BNG_FLEET_STORM", "200"))
TICKS = os.sysconf("SC_CLK_TCK")


def configuration(directory):
    text = [f"""controller: {{id: 1, state: {directory}/state.sqlite, shards: 2}}
admin: {{socket: {directory}/admin.sock}}
agents: {{heartbeat: 1s, heartbeat-timeout: 30s, audit-interval: 1d, listen: [{{unix: {directory}/agents.sock}}]}}
access-domains:"""]
    numbers = range(1, NODES + 1)
    text += [f"  - {{name: d{n}, id: {n}, pool: p{n}, server-identity: 10.{n}.0.1}}" for n in numbers]
    text.append("nodes:")
    text += [f"  - {{name: sim{n}, ports: [{{name: access0, role: access, access-domain: d{n}}}, {{name: core0, role: core}}]}}" for n in numbers]
    text.append("pools:")
    text += [f"  - {{name: p{n}, prefix: 10.{n}.0.0/16, gateway: 10.{n}.0.1, ranges: [10.{n}.0.10-10.{n}.255.250], lease: 12h, quarantine: 1s}}"
             for n in numbers]
    path = directory / "controller.yaml"
    path.write_text("\n".join(text) + "\n")
    return path


class Controller:
    def __init__(self, directory):
        self.directory, self.config = directory, configuration(directory)
        self.start()

    def start(self):
        self.begun = time.monotonic()
        self.process = subprocess.Popen([BIN / "bng-controller", "--config", self.config],
                                        stderr=open(self.directory / "controller.log", "a"))

    def kill(self):
        self.process.kill()
        self.process.wait()

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self):
        return int(next(line.split()[1] for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
                        if line.startswith("VmRSS")))

    def ctl(self, *arguments):
        return json.loads(subprocess.run([BIN / "bngctl", *arguments, "--json", "--socket", self.directory / "admin.sock"],
                                         check=True, capture_output=True, timeout=120).stdout)


class Simulator:
    """Keeps every line of figures with the time it came."""

    def __init__(self, directory, *arguments):
        self.reports = []
        self.process = subprocess.Popen(
            [BIN / "bng-sim", "--controller", f"unix:{directory}/agents.sock", "--nodes", str(NODES), "--sessions", str(SESSIONS),
             "--every", "0.25", *arguments], stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.reports.append((time.monotonic(), json.loads(line)))

    def wait(self, what, condition, deadline):
        end = time.monotonic() + deadline
        seen = max(0, len(self.reports) - 1)
        while time.monotonic() < end:
            for at, report in self.reports[seen:]:
                seen += 1
                if condition(report):
                    return at, report
            time.sleep(0.05)
        raise SystemExit(f"{what}: not within {deadline} s; last: {self.reports[-1:]}")

    def delays(self, since, until):
        """Heartbeat p99 and maximum of the reports in between, milliseconds."""
        beats = [r["heartbeats"] for at, r in self.reports if since <= at <= until and r["heartbeats"]["count"]]
        return max(b["p99Ms"] for b in beats), max(b["maxMs"] for b in beats), sum(b["count"] for b in beats)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def main():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="bng-fleet-"))
    results = []

    def add(what, value, unit, limit=None, goal=None, met=None):
        results.append(dict(id="D13", what=what, value=round(value, 3), unit=unit, limit=limit, peer=None, ratio=None, goal=goal, met=met))
        print(f"{what}: {value:,.2f} {unit}", flush=True)

    controller = Controller(directory)
    total = NODES * SESSIONS
    simulator = None
    try:
        while not (directory / "agents.sock").exists():
            time.sleep(0.05)
        empty = controller.memory()
        simulator = Simulator(directory, "--window", "16", "--storm", str(STORM), "--storm-after", "10", "--storm-seconds", "15")
        at, _ = simulator.wait("nodes connected", lambda r: r["connected"] == NODES, 60)
        begun, cpu = at, controller.cpu()
        online, report = simulator.wait("everybody online", lambda r: r["online"] == total, 3600)
        add(f"{NODES} nodes, set-ups until all {total:,} were online", total / max(online - begun, 0.25), "per second")
        add("of it, retries of customers", report["retries"], "packets")
        add("processor of the controller a set-up", (controller.cpu() - cpu) / total * 1e6, "us")
        add("memory of the controller a session", (controller.memory() - empty) * 1024 / total, "bytes", goal=4096,
            met=(controller.memory() - empty) * 1024 / total < 4096)
        rest, _ = simulator.wait("some time", lambda r: r["seconds"] > report["seconds"] + 8, 60)
        p99, worst, beats = simulator.delays(online + 1, rest)
        add(f"heartbeat to answer, at rest, p99 ({beats} beats)", p99, "ms")
        stormed, _ = simulator.wait("the storm", lambda r: r["storming"] == NODES, 30)
        calm, after = simulator.wait("its end", lambda r: r["storming"] == 0 and r["punts"] > report["punts"] + 1, 60)
        add("junk punts in the storm", (after["punts"] - report["punts"]) / (calm - stormed), "per second")
        p99, worst, beats = simulator.delays(stormed + 1, calm)
        add(f"heartbeat to answer in it, p99 ({beats} beats)", p99, "ms", goal=1000, met=p99 < 1000)
        add("the worst", worst, "ms")
        controller.kill()
        simulator.wait("the loss is seen", lambda r: r["connected"] == 0, 60)
        controller.start()
        audited, _ = simulator.wait("all audited", lambda r: r["audited"] == NODES and r["connected"] == NODES, 600)
        add("controller killed: all nodes audited again after its start", audited - controller.begun, "s")
        while any(not n["synchronized"] for n in controller.ctl("show", "nodes")):
            time.sleep(0.1)
        add("and known to be equal", time.monotonic() - controller.begun, "s")
        differences = sum(a["differences"] for a in controller.ctl("show", "audit"))
        add("differences found", differences, "objects", goal=0, met=differences == 0)
        simulator.stop()
        begun, cpu = time.monotonic(), controller.cpu()
        simulator = Simulator(directory)  # the same nodes, all maps gone
        lost, _ = simulator.wait("all sessions are back", lambda r: r["sessions"] == total, 900)
        add("all maps of all nodes gone: every session installed again", total / (lost - begun), "sessions/s")
        add("in all", lost - begun, "s")
        OUT.parent.mkdir(parents=True, exist_ok=True)
        OUT.write_text(json.dumps(results, indent=1))
    finally:
        if simulator:
            simulator.stop()
        controller.kill()
        shutil.rmtree(directory, ignore_errors=True)
    raise SystemExit(0 if all(r["met"] is not False for r in results) else 1)


if __name__ == "__main__":
    main()
