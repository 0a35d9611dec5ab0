# SPDX-License-Identifier: Apache-2.0
"""ISC Kea in a namespace behind a link of its own: the DHCP server outside that external pools ask.

    controller (this namespace) mgmt0 192.0.2.1, 2001:db8:feed::1 ──veth── eth0 192.0.2.10, 2001:db8:feed::10 [kea] ns `kea`
"""
import csv
import json
import os
import signal
import time

from topology import ADDRESS_POOL, Process, plain_veth, sh, wait_for

OURS, KEA, OURS6, KEA6 = "192.0.2.1", "192.0.2.10", "2001:db8:feed::1", "2001:db8:feed::10"
SERVERS = f"""dhcp-servers:
  - name: kea
    ipv4: [{KEA}]
    local-ipv4: {OURS}
    ipv6: ["{KEA6}"]
    local-ipv6: "{OURS6}"
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
    """kea-dhcp4 or kea-dhcp6 with a lease file that tests read; settings change by rewriting the configuration."""
    family, listens = 4, ":67 "

    def __init__(self, lab, **subnet):
        self.lab = lab
        self.file, self.config = lab.dir / f"kea{self.family}-leases.csv", lab.dir / f"kea{self.family}.json"
        self.settings = {"valid-lifetime": 600, "renew-timer": 5, "rebind-timer": 60}
        self.subnet = {**self.usual_subnet(), **subnet}
        self.process, self.quiet = None, False

    def usual_subnet(self):
        return {"id": 1, "subnet": "100.64.0.0/16", "pools": [{"pool": "100.64.5.1 - 100.64.5.200"}],
                "option-data": [{"name": "domain-name-servers", "data": "203.0.113.53"}]}

    def own(self):
        return {"interfaces-config": {"interfaces": ["eth0"], "dhcp-socket-type": "udp"},
                "host-reservation-identifiers": ["hw-address", "circuit-id", "client-id", "flex-id"]}

    def write(self):
        log = {"name": f"kea-dhcp{self.family}", "severity": "INFO" if self.quiet else "DEBUG", "debuglevel": 0 if self.quiet else 50,
               "output_options": [{"output": str(self.log), "flush": True}]}
        self.config.write_text(json.dumps({f"Dhcp{self.family}": {
            "lease-database": {"type": "memfile", "persist": True, "name": str(self.file), "lfc-interval": 0},
            **self.own(), **self.settings, f"subnet{self.family}": [self.subnet], "loggers": [log]}}))

    @property
    def log(self):
        return self.lab.dir / f"kea{self.family}.log"

    def start(self):
        self.write()
        run = self.lab.dir / "kea-run"
        run.mkdir(exist_ok=True)
        env = {"KEA_PIDFILE_DIR": str(run), "KEA_LOCKFILE_DIR": "none"}
        name = f"kea-dhcp{self.family}"
        self.process = Process(name, [name, "-c", self.config], self.lab.dir / f"{name}.out", ns="kea", env=env)
        self.lab.extra.append(self.process)
        wait_for("kea listens", lambda: self.listens in sh("ss -Hlun", ns="kea") or self.lab._dead(self.process), 20)
        return self

    def reload(self):
        self.write()
        done = f"DHCP{self.family}_CONFIG_COMPLETE"
        before = self.log.read_text().count(done)
        os.kill(self.process.pid, signal.SIGHUP)
        wait_for("kea has reloaded", lambda: self.log.read_text().count(done) > before, 20)

    def stop(self):
        self.process.stop()

    def _rows(self):
        """The last word on each address counts."""
        with open(self.file) as lines:
            return {row["address"]: row for row in csv.DictReader(lines)}

    def leases(self):
        """Address -> row of the leases that are good now."""
        now = time.time()
        return {a: r for a, r in self._rows().items() if int(r["valid_lifetime"]) > 0 and int(r["expire"]) > now and r["state"] == "0"}

    def declined(self):
        return {a for a, r in self._rows().items() if r["state"] == "1"}


class Kea6(Kea):
    """One link with addresses and prefixes to delegate; it is asked by unicast, as servers behind relays are."""
    family, listens = 6, f"[{KEA6}]:547 "

    def __init__(self, lab, **subnet):
        super().__init__(lab, **subnet)
        self.settings = {"valid-lifetime": 28_800, "preferred-lifetime": 14_400, "renew-timer": 5, "rebind-timer": 60}

    def usual_subnet(self):
        return {"id": 1, "subnet": ADDRESS_POOL, "pools": [{"pool": "2001:db8:1:1::5:0/112"}],
                "pd-pools": [{"prefix": "2001:db8:4000::", "prefix-len": 44, "delegated-len": 56}]}

    def own(self):
        return {"interfaces-config": {"interfaces": [f"eth0/{KEA6}"]}, "data-directory": str(self.lab.dir),
                "host-reservation-identifiers": ["hw-address", "duid"], "mac-sources": ["client-link-addr-option"]}
