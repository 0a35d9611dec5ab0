# SPDX-License-Identifier: Apache-2.0
"""FreeRADIUS in a lab: in a namespace of its own, reached over a veth named as the namespace, so that it can be cut off; and the
controller's configuration that asks it.
"""
import pathlib
import subprocess
import time

from freeradius import RadiusServer
from topology import sh

SECRET = "lab-secret-0123456789"


class Certificates:
    """A CA, a server certificate for an address and a client certificate."""

    def __init__(self, directory, address="192.0.2.6"):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(exist_ok=True)
        run = lambda command: sh(command, cwd=self.dir)  # noqa: E731
        run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=lab-ca")
        for name, subject, alternative in (("server", "radius.example", f"IP:{address}"), ("client", "bng", "DNS:bng")):
            (self.dir / f"{name}.ext").write_text(f"subjectAltName={alternative}\n")
            run(f"openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {name}.key -out {name}.csr -subj /CN={subject}")
            run(f"openssl x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile {name}.ext -out {name}.pem")
        for key in self.dir.glob("*.key"):
            key.chmod(0o600)


class RADIUSServer(RadiusServer):
    """One FreeRADIUS. `users`: text of a users file; see `accept`. `radsec`: Certificates."""

    def __init__(self, lab, name="aaa", net=1, users="", secret=SECRET, radsec=None, signs=True):
        self.lab, self.name = lab, name
        self.stamped = 0
        lab.extra_servers = [*getattr(lab, "extra_servers", []), self]
        server, self.bng = f"192.0.2.{net * 4 + 2}", f"192.0.2.{net * 4 + 1}"
        # Further keys of the server in the controller's configuration.
        self.settings = {"timeout": "1s", "retries": 1}
        sh(f"ip netns add {name}")
        sh(f"ip link add {name} type veth peer name eth0 netns {name}")
        sh(f"ip addr add {self.bng}/30 dev {name}")
        sh(f"ip link set {name} up")
        sh(f"ip addr add {server}/30 dev eth0", ns=name)
        sh("ip link set eth0 up", ns=name)
        sh("ip link set lo up", ns=name)
        sh(f"ip route add default via {self.bng}", ns=name)
        self.secret_file = lab.dir / f"{name}.secret"
        self.secret_file.write_text(secret + "\n")
        self.secret_file.chmod(0o600)
        tls = radsec and tuple(radsec.dir / f for f in ("server.pem", "server.key", "ca.pem"))
        super().__init__(lab.dir / f"{name}.radius", ns=name, address=server, secret=secret, users=users + "\n", signed=signs, tls=tls)

    def cut(self):
        """Packets vanish: nobody says that nobody is there."""
        sh("ip link set eth0 down", ns=self.name)

    def mend(self):
        sh("ip link set eth0 up", ns=self.name)
        sh(f"ip route add default via {self.bng}", ns=self.name, check=False)

    def event_timestamp(self):
        """Now in seconds, or one more than the last: two equal requests of one second may get one identifier of radclient's 256,
        and then they are one packet sent twice, which a server must not carry out again (RFC 5176 section 2.3)."""
        self.stamped = max(int(time.time()), self.stamped + 1)
        return self.stamped

    def radclient(self, attributes, to, kind, secret=None, check=True):
        """Sends a request from the server's namespace; returns what radclient said."""
        done = subprocess.run(["ip", "netns", "exec", self.name, "radclient", "-x", "-r", "1", "-t", "6", to, kind, secret or self.secret],
                              input=attributes, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        if check and done.returncode:
            raise RuntimeError(done.stdout)
        return done.stdout

    def records(self, session=None, kind=None):
        return super().records(kind, session)

    def yaml(self, **extra):
        more = "".join(f", {k.replace('_', '-')}: {v}" for k, v in extra.items())
        return f"{{name: {self.name}, address: {self.address}, secret-file: {self.secret_file}{more}}}"

    def restart(self):
        self.kill()
        return self.start()

    def stop(self):
        if self.process and self.process.alive():
            self.kill()
        # By hand: the kernel removes a namespace's links some time after the namespace.
        sh(f"ip link del {self.name}", check=False)
        sh(f"ip netns del {self.name}", check=False)


def accept(user, *attributes):
    """An entry of the users file that accepts without a password."""
    return f'{user} Auth-Type := Accept\n' + ",\n".join(f"\t{a}" for a in attributes) + "\n"


def reject(user, message=None):
    return f'{user} Auth-Type := Reject\n' + (f'\tReply-Message = "{message}"\n' if message else "")


def configuration(servers, policy="", rules="", clients=True, chain="[radius]", more="", authentication="", accounting=""):
    """The sections of a controller that asks these servers. `more`: further keys of `aaa:`."""
    names = ", ".join(s.name for s in servers)
    dynamic = ""
    if clients:
        entries = ", ".join(f"{{address: {s.address}, secret-file: {s.secret_file}}}" for s in servers)
        dynamic = f"  dynamic-authorization: {{listen: 0.0.0.0:3799, clients: [{entries}]}}"
    return f"""
{policy}
aaa:
  chain: {chain}
  user-name: "{{mac}}"
{more}
radius:
  nas-ip-address: {servers[0].bng}
  servers:
{chr(10).join("    - " + s.yaml(**s.settings) for s in servers)}
  authentication: {{servers: [{names}]{authentication}}}
  accounting: {{servers: [{names}]{accounting}}}
{dynamic}
{rules}
"""
