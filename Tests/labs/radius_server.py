# SPDX-License-Identifier: Apache-2.0
"""FreeRADIUS as Debian packages it, with a small configuration of its own: users, detail file, Status-Server, RadSec.

The server runs in a namespace of the lab (its own address, reached over a veth named as the namespace), so that it can be cut off.
"""
import pathlib
import re
import subprocess

from topology import Process, sh, wait_for

DICTIONARY = "/usr/share/freeradius/dictionary"
SECRET = "lab-secret-0123456789"

RADIUSD = """
prefix = /usr
libdir = /usr/lib/freeradius
raddbdir = {dir}
run_dir = {dir}
logdir = {dir}
log {{ destination = files
  file = {dir}/radius.log
  auth = {log} }}
max_request_time = 5
cleanup_delay = 5
max_requests = 65536
pidfile = {dir}/radiusd.pid
hostname_lookups = no
security {{ max_attributes = 200
  reject_delay = 0
  status_server = yes
  require_message_authenticator = {require}
  limit_proxy_state = auto }}
thread pool {{ start_servers = 2
  max_servers = 4
  max_queue_size = 65536
  max_requests_per_server = 0 }}
client bng {{ ipaddr = {bng}
  secret = {secret} }}
client local {{ ipaddr = {address}
  secret = {secret} }}
modules {{
  pap {{ }}
  chap {{ }}
  always ok {{ rcode = ok }}
  files {{ usersfile = {dir}/users
    acctusersfile = {dir}/acctusers }}
  detail {{ filename = {dir}/detail
    escape_filenames = no
    permissions = 0600
    locking = no
    log_packet_header = no }}
}}
server default {{
  listen {{ type = auth
    ipaddr = {address}
    port = 1812 }}
  listen {{ type = acct
    ipaddr = {address}
    port = 1813 }}
{radsec}
  authorize {{
    files
    chap
    pap
  }}
  authenticate {{
    Auth-Type PAP {{
      pap
    }}
    Auth-Type CHAP {{
      chap
    }}
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

# Debian's 3.2.1 signs its answers only when told to.
SIGN = """      update reply {
        Message-Authenticator := 0x00
      }"""

RADSEC = """
  listen {{ type = auth+acct
    ipaddr = {address}
    port = 2083
    proto = tcp
    clients = radsec
    tls {{ private_key_file = {tls}/server.key
      certificate_file = {tls}/server.pem
      ca_file = {tls}/ca.pem
      fragment_size = 8192
      require_client_cert = yes
      tls_min_version = "1.2" }} }}
"""


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


class RADIUSServer:
    """One FreeRADIUS. `users`: text of a users file; see `accept`."""

    def __init__(self, lab, name="aaa", net=1, users="", secret=SECRET, radsec=None, require="yes", signs=True, log=True):
        self.lab, self.name, self.secret = lab, name, secret
        lab.extra_servers = [*getattr(lab, "extra_servers", []), self]
        self.address, self.bng = f"192.0.2.{net * 4 + 2}", f"192.0.2.{net * 4 + 1}"
        self.dir = lab.dir / f"{name}.radius"
        self.dir.mkdir()
        self.process = None
        # Further keys of the server in the controller's configuration.
        self.settings = {"timeout": "1s", "retries": 1}
        sh(f"ip netns add {name}")
        sh(f"ip link add {name} type veth peer name eth0 netns {name}")
        sh(f"ip addr add {self.bng}/30 dev {name}")
        sh(f"ip link set {name} up")
        sh(f"ip addr add {self.address}/30 dev eth0", ns=name)
        sh("ip link set eth0 up", ns=name)
        sh("ip link set lo up", ns=name)
        sh(f"ip route add default via {self.bng}", ns=name)
        self.secret_file = lab.dir / f"{name}.secret"
        self.secret_file.write_text(secret + "\n")
        self.secret_file.chmod(0o600)
        extra = ""
        if radsec:
            extra = RADSEC.format(address=self.address, tls=radsec.dir)
        text = RADIUSD.format(dir=self.dir, bng=self.bng, secret=secret, address=self.address, radsec=extra, require=require,
                              log="yes" if log else "no",
                              sign=SIGN if signs else "")
        if radsec:
            text += (f"clients radsec {{ client bng {{ ipaddr = {self.bng}\n proto = tls\n secret = radsec }} }}\n")
        (self.dir / "radiusd.conf").write_text(text)
        (self.dir / "dictionary").write_text(f"$INCLUDE {DICTIONARY}\n")
        (self.dir / "acctusers").write_text("")
        self.users(users)

    def users(self, text):
        (self.dir / "users").write_text(text + "\n")

    def start(self):
        self.process = Process(self.name, ["freeradius", "-f", "-d", self.dir, "-l", "stdout"], self.dir / "stdout.log", ns=self.name)
        wait_for("FreeRADIUS answers", lambda: self._answers() or self._dead(), 20)
        return self

    def _answers(self):
        return sh("ss -Hlun sport = :1812", ns=self.name).strip() != ""

    def _dead(self):
        if not self.process.alive():
            raise AssertionError(f"freeradius ended: {(self.dir / 'stdout.log').read_text()[-3000:]}")
        return False

    def kill(self):
        self.process.kill()

    def restart(self):
        self.kill()
        return self.start()

    def cut(self):
        """Packets vanish: nobody says that nobody is there."""
        sh("ip link set eth0 down", ns=self.name)

    def mend(self):
        sh("ip link set eth0 up", ns=self.name)
        sh(f"ip route add default via {self.bng}", ns=self.name, check=False)

    def radclient(self, attributes, to, kind, secret=None, check=True, extra=()):
        """Sends a request from the server's namespace; returns what radclient said."""
        done = subprocess.run(["ip", "netns", "exec", self.name, "radclient", "-x", "-r", "1", "-t", "6", *extra, to, kind,
                               secret or self.secret], input=attributes, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        if check and done.returncode:
            raise RuntimeError(done.stdout)
        return done.stdout

    def detail(self):
        """Accounting records as dictionaries, in the order the server wrote them."""
        path = self.dir / "detail"
        if not path.exists():
            return []
        records = []
        for block in path.read_text().split("\n\n"):
            record = {}
            for line in block.splitlines():
                found = re.match(r"\s+([\w-]+)(?::\d+)? = (.*)", line)
                if found:
                    record.setdefault(found.group(1), []).append(found.group(2).strip('"'))
            if record:
                records.append({k: v[0] if len(v) == 1 else v for k, v in record.items()})
        return records

    def records(self, session=None, kind=None):
        return [r for r in self.detail() if (session is None or r.get("Acct-Session-Id") == session)
                and (kind is None or r.get("Acct-Status-Type") == kind)]

    def yaml(self, **extra):
        more = "".join(f", {k.replace('_', '-')}: {v}" for k, v in extra.items())
        return f"{{name: {self.name}, address: {self.address}, secret-file: {self.secret_file}{more}}}"

    def stop(self):
        if self.process and self.process.alive():
            self.process.kill()
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
