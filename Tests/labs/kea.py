# SPDX-License-Identifier: Apache-2.0
"""ISC Kea in a namespace behind a link of its own: the DHCP server outside that external pools ask.

    controller (this namespace) mgmt0 192.0.2.1, 2001:db8:feed::1 ──veth── eth0 192.0.2.10, 2001:db8:feed::10 [kea] ns `kea`
"""
import csv
import json
import os
import signal
import time

from topology import Process, plain_veth, sh, wait_for

OURS, KEA, OURS6, KEA6 = "192.0.2.1", "192.0.2.10", "2001:db8:feed::1", "2001:db8:feed::10"
SERVERS = f"""dhcp-servers:
  - name: kea
    ipv4: [{KEA}]
    local-ipv4: {OURS}
    timeout: 500ms
    retries: 2
    hold-down: 5s
"""


def link(lab):
    """The management network between the controller and Kea."""
    lab.namespaces.append("kea")
    sh("ip netns add kea")
    sh("ip link add mgmt0 type veth peer name eth0 netns kea")
    sh(f"ip addr add {OURS}/24 dev mgmt0")
    sh(f"ip addr add {OURS6}/64 dev mgmt0 nodad")
    sh(f"ip addr add {KEA}/24 dev eth0", ns="kea")
    sh(f"ip addr add {KEA6}/64 dev eth0 nodad", ns="kea")
    plain_veth("mgmt0")
    plain_veth("eth0", "kea")
    sh("ip link set lo up", ns="kea")


class Kea:
    """kea-dhcp4 with a lease file that tests read; settings change by rewriting the configuration."""

    def __init__(self, lab, **subnet):
        self.lab = lab
        self.file = lab.dir / "kea4-leases.csv"
        self.config = lab.dir / "kea4.json"
        self.settings = {"valid-lifetime": 600, "renew-timer": 5, "rebind-timer": 500}
        self.subnet = {"id": 1, "subnet": "100.64.0.0/16", "pools": [{"pool": "100.64.5.1 - 100.64.5.200"}],
                       "option-data": [{"name": "domain-name-servers", "data": "203.0.113.53"}], **subnet}
        self.process = None

    def write(self):
        self.config.write_text(json.dumps({"Dhcp4": {
            "interfaces-config": {"interfaces": ["eth0"], "dhcp-socket-type": "udp"},
            "lease-database": {"type": "memfile", "persist": True, "name": str(self.file), "lfc-interval": 0},
            "host-reservation-identifiers": ["hw-address", "circuit-id", "client-id", "flex-id"],
            **self.settings, "subnet4": [self.subnet],
            "loggers": [{"name": "kea-dhcp4", "severity": "DEBUG", "debuglevel": 50,
                         "output_options": [{"output": str(self.lab.dir / "kea4.log"), "flush": True}]}]}}))

    def start(self):
        self.write()
        run = self.lab.dir / "kea-run"
        run.mkdir(exist_ok=True)
        env = {"KEA_PIDFILE_DIR": str(run), "KEA_LOCKFILE_DIR": "none"}
        self.process = Process("kea-dhcp4", ["kea-dhcp4", "-c", self.config], self.lab.dir / "kea4.out", ns="kea", env=env)
        self.lab.extra.append(self.process)
        wait_for("kea listens", lambda: ":67 " in sh("ss -Hlun", ns="kea") or self.lab._dead(self.process), 20)
        return self

    def reload(self):
        self.write()
        log = self.lab.dir / "kea4.log"
        before = log.read_text().count("DHCP4_CONFIG_COMPLETE")
        os.kill(self.process.pid, signal.SIGHUP)
        wait_for("kea has reloaded", lambda: log.read_text().count("DHCP4_CONFIG_COMPLETE") > before, 20)

    def stop(self):
        self.process.stop()

    def leases(self):
        """Address -> row of the leases that are good now; the last word on an address counts."""
        rows = {}
        with open(self.file) as lines:
            for row in csv.DictReader(lines):
                rows[row["address"]] = row
        now = time.time()
        return {a: r for a, r in rows.items() if int(r["valid_lifetime"]) > 0 and int(r["expire"]) > now and r["state"] == "0"}

    def declined(self):
        rows = {}
        with open(self.file) as lines:
            for row in csv.DictReader(lines):
                rows[row["address"]] = row
        return {a for a, r in rows.items() if r["state"] == "1"}
