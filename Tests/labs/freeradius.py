#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's FreeRADIUS for labs and tests: a configuration of its own, users as a file, accounting as a detail file.

    server = RadiusServer(lab.dir / "r1", ns="server", secret="s3cret", users='alice Auth-Type := Accept\\n')
    server.start() ... server.records() ... server.pause() ... server.kill() ... server.start() ... server.stop()

As a program it runs one server until SIGTERM, paused by SIGUSR1 and resumed by SIGUSR2: FreeRADIUSTests (Swift) does that.
"""
import argparse
import os
import pathlib
import queue
import re
import signal
import sys

from topology import Process, sh, wait_for

CONFIGURATION = """prefix = /usr
name = radiusd
confdir = {dir}
logdir = {dir}
run_dir = {dir}
db_dir = {dir}
radacctdir = {dir}
libdir = /usr/lib/freeradius
pidfile = {dir}/radiusd.pid
max_request_time = 30
cleanup_delay = {cleanup_delay}
max_requests = 131072
hostname_lookups = no
proxy_requests = no
log {{
	destination = stdout
	stripped_names = no
	auth = no
}}
security {{
	max_attributes = 200
	reject_delay = 0
	status_server = yes
	allow_vulnerable_openssl = yes
}}
thread pool {{
	start_servers = 2
	max_servers = 8
	min_spare_servers = 1
	max_spare_servers = 4
	max_requests_per_server = 0
	max_queue_size = 65536
	auto_limit_acct = no
}}
modules {{
	files {{
		filename = {dir}/users
		key = "%{{User-Name}}"
	}}
	pap {{
	}}
	chap {{
	}}
	mschap {{
		use_mppe = no
	}}
	always ok {{
		rcode = ok
	}}
	detail {{
		filename = {dir}/detail
		header = "%t"
		permissions = 0600
		locking = no
	}}
}}
{clients}
server bng {{
{listeners}
	authorize {{
		files
		chap
		mschap
		pap
		Autz-Type Status-Server {{
			ok
			{sign}
		}}
	}}
	authenticate {{
		Auth-Type PAP {{
			pap
		}}
		Auth-Type CHAP {{
			chap
		}}
		Auth-Type MS-CHAP {{
			mschap
		}}
	}}
	preacct {{
	}}
	accounting {{
		detail
	}}
	post-auth {{
		{sign}
		Post-Auth-Type REJECT {{
			{sign}
		}}
		Post-Auth-Type Challenge {{
			{sign}
		}}
	}}
}}
"""
CLIENT = """client {name} {{
	ipaddr = {address}
	secret = {secret}
	require_message_authenticator = {require}
	shortname = {name}
}}
"""
LISTEN = """	listen {{
		type = {type}
		ipaddr = {address}
		port = {port}
	}}
"""
RADSEC = """	listen {{
		type = auth+acct
		ipaddr = {address}
		port = {port}
		proto = tcp
		clients = radsec
		limit {{
			max_connections = 64
			lifetime = 0
			idle_timeout = 0
		}}
		tls {{
			private_key_file = {key}
			certificate_file = {certificate}
			ca_file = {authority}
			fragment_size = 8192
			cipher_list = "DEFAULT"
			tls_min_version = "1.2"
			tls_max_version = "{max_version}"
			require_client_cert = yes
		}}
	}}
"""
RADSEC_CLIENTS = """clients radsec {{
	client any {{
		ipaddr = 0.0.0.0/0
		proto = tls
		secret = radsec
	}}
}}
"""
# FreeRADIUS signs answers by itself from 3.2.5 on; before, only when told to.
SIGN = "update reply {\n\t\t\tMessage-Authenticator := 0x00\n\t\t}"


class RadiusServer:
    """One server. `clients`: {address or prefix: secret}, `secret` for everybody else. `tls`: (certificate, key, authority)."""

    def __init__(self, directory, ns=None, address="0.0.0.0", auth_port=1812, acct_port=1813, secret="s3cret", users="", clients=None,
                 signed=True, require_message_authenticator=True, tls=None, tls_port=2083, tls_max_version="1.3", cleanup_delay=5):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.ns, self.address, self.auth_port, self.acct_port, self.secret = ns, address, auth_port, acct_port, secret
        self.signed, self.require, self.clients = signed, require_message_authenticator, clients or {}
        self.tls, self.tls_port, self.tls_max_version, self.cleanup_delay = tls, tls_port, tls_max_version, cleanup_delay
        self.process, self.starts = None, 0
        self.users(users)

    def users(self, text):
        """Replaces the users; a server that runs must be restarted (or told by `reload`)."""
        (self.dir / "users").write_text(text)

    def write_configuration(self):
        everybody = {**self.clients, "0.0.0.0/0": self.secret}
        clients = "".join(CLIENT.format(name=f"c{number}", address=address, secret=secret, require="yes" if self.require else "no")
                          for number, (address, secret) in enumerate(everybody.items()))
        listeners = "".join(LISTEN.format(type=kind, address=self.address, port=port)
                            for kind, port in (("auth", self.auth_port), ("acct", self.acct_port)))
        if self.tls:
            clients += RADSEC_CLIENTS.format()
            listeners += RADSEC.format(address=self.address, port=self.tls_port, certificate=self.tls[0], key=self.tls[1],
                                       authority=self.tls[2], max_version=self.tls_max_version)
        path = self.dir / "radiusd.conf"
        path.write_text(CONFIGURATION.format(dir=self.dir, clients=clients, listeners=listeners, cleanup_delay=self.cleanup_delay,
                                             sign=SIGN if self.signed else ""))
        # FreeRADIUS refuses a configuration that others may write.
        path.chmod(0o600)
        self.dir.chmod(0o700)

    def start(self):
        self.write_configuration()
        self.starts += 1
        log = self.dir / f"freeradius-{self.starts}.log"
        self.process = Process("freeradius", ["freeradius", "-f", "-l", "stdout", "-d", self.dir, "-n", "radiusd"], log, ns=self.ns)

        def ready():
            if not self.process.alive():
                raise AssertionError(f"freeradius ended: {log.read_text()[-2000:]}")
            return "Ready to process requests" in log.read_text()
        wait_for("freeradius is ready", ready, 20)
        return self

    def pause(self):
        """Silent as a dead server is; what arrives meanwhile is answered late, after `resume`."""
        self.process.popen.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.popen.send_signal(signal.SIGCONT)

    def reload(self):
        """Reads the users again."""
        self.process.popen.send_signal(signal.SIGHUP)

    def kill(self):
        self.resume()
        self.process.kill()

    def stop(self):
        if self.process and self.process.alive():
            self.resume()
            self.process.stop()

    def restart(self):
        self.stop()
        return self.start()

    # --- accounting ---

    def records(self, status=None, session=None):
        """Records of the detail file in order: {attribute: value}, a list where an attribute occurs more than once."""
        path = self.dir / "detail"
        found = parse_detail(path.read_text()) if path.exists() else []
        return [record for record in found
                if (status is None or record.get("Acct-Status-Type") == status)
                and (session is None or record.get("Acct-Session-Id") == session)]

    def client_argv(self, *arguments, target="127.0.0.1"):
        """radclient toward this server; attributes go to its standard input."""
        secret = self.dir / "radclient.secret"
        secret.write_text(self.secret)
        secret.chmod(0o600)
        return ["radclient", "-x", "-r", "1", "-t", "2", "-S", str(secret), *arguments]

    def ask(self, attributes, kind="auth", target="127.0.0.1"):
        """One request by radclient; returns what it printed."""
        port = self.acct_port if kind == "acct" else self.auth_port
        return sh(self.client_argv(f"{target}:{port}", kind), ns=self.ns, check=False, input=attributes)


def parse_detail(text):
    records = []
    for block in re.split(r"\n\s*\n", text):
        record = {}
        for line in block.splitlines():
            match = re.match(r"\s+([\w-]+) (?:[+:]?=) (.*)$", line)
            if not match:
                continue
            name, value = match.group(1), match.group(2).strip()
            if value.startswith('"') and value.endswith('"'):
                value = value[1:-1]
            elif re.fullmatch(r"\d+", value):
                value = int(value)
            if name not in record:
                record[name] = value
            elif isinstance(record[name], list):
                record[name].append(value)
            else:
                record[name] = [record[name], value]
        if record:
            records.append(record)
    return records


def octets(record, direction):
    """Acct-Input-Octets or Acct-Output-Octets with their gigawords."""
    return record.get(f"Acct-{direction}-Gigawords", 0) << 32 | record.get(f"Acct-{direction}-Octets", 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory")
    parser.add_argument("--auth-port", type=int, required=True)
    parser.add_argument("--acct-port", type=int, required=True)
    parser.add_argument("--secret-file", required=True)
    parser.add_argument("--users-file", required=True)
    parser.add_argument("--unsigned", action="store_true")
    parser.add_argument("--tls-port", type=int, default=0)
    parser.add_argument("--tls-max-version", default="1.3")
    parser.add_argument("--tls", nargs=3, metavar=("CERTIFICATE", "KEY", "AUTHORITY"))
    options = parser.parse_args()
    server = RadiusServer(options.directory, address="127.0.0.1", auth_port=options.auth_port, acct_port=options.acct_port,
                          secret=pathlib.Path(options.secret_file).read_text().strip(),
                          users=pathlib.Path(options.users_file).read_text(), signed=not options.unsigned, tls=options.tls,
                          tls_port=options.tls_port, tls_max_version=options.tls_max_version)
    server.start()
    (server.dir / "ready").write_text("ready\n")
    parent = os.getppid()
    caught = None
    # A parent that is gone can tell nobody to end.
    while caught not in (signal.SIGTERM, signal.SIGINT) and os.getppid() == parent:
        try:
            caught = caught_signals.get(timeout=1)
        except queue.Empty:
            continue
        if caught == signal.SIGUSR1:
            server.pause()
        elif caught == signal.SIGUSR2:
            server.resume()
    server.stop()


if __name__ == "__main__":
    # Whoever starts us may have blocked signals.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    caught_signals = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, lambda caught, frame: caught_signals.put(caught))
    sys.exit(main())
