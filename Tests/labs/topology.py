# SPDX-License-Identifier: Apache-2.0
"""The lab's world: one edge (this namespace), an access switch, subscribers, a core server; processes with logs and deadlines.

    cpe ns ──veth── (tags by tc-BPF) bridge in ns `switch` ──veth── access0 [bng-agent] core0 ──veth── ns `server`

Everything is made inside the namespaces of Tests/labs/run, so that nothing of the host is touched and nothing remains.
"""
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(os.environ.get("BNG_ROOT", pathlib.Path(__file__).resolve().parents[2]))
BIN = ROOT / "build" / "bin"
SERVER_IP, CORE_IP = "198.51.100.2", "198.51.100.1"
GATEWAY, SERVER_ID, PREFIX = "100.64.0.1", "100.64.0.1", "100.64.0.0/16"
SERVER2_IP = "203.0.113.2"
SERVER_IP6, CORE_IP6, BNG_IP6, GATEWAY6 = "2001:db8:ffff::2", "2001:db8:ffff::1", "2001:db8:fffe::1", "fe80::1"
LINK_POOL, DELEGATION_POOL, ADDRESS_POOL = "2001:db8:100::/40", "2001:db8:4000::/36", "2001:db8:1:1::/64"
SITE_B_DOMAIN = """  - name: metro-b
    id: 2
    pool: business
    server-identity: 100.96.0.1"""
SITE_B_PORTS = """      - name: access1
        role: access
        access-domain: metro-b
        relay-trust: none
      - name: core1
        role: core"""
SITE_B_POOL = """  - name: business
    vrf: 0
    prefix: 100.96.0.0/16
    gateway: 100.96.0.1
    ranges: [100.96.1.0-100.96.254.255]
    lease: 2h
    dns: [192.0.2.53]"""
SITE_B_AGENT = "port = access1 access\nport = core1 core"


def sh(command, ns=None, check=True, timeout=60, **kw):
    """Runs a command (in a namespace) and returns its output; failure raises with that output."""
    argv = shlex.split(command) if isinstance(command, str) else [str(c) for c in command]
    if ns:
        argv = ["ip", "netns", "exec", ns] + argv
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout, **kw)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(argv)} -> {done.returncode}\n{done.stdout}")
    return done.stdout


def wait_for(what, condition, deadline=20.0, pause=0.05):
    """Polls until `condition()` is truthy and returns it; no bare sleeps in labs."""
    end = time.monotonic() + deadline
    last = None
    while time.monotonic() < end:
        try:
            last = condition()
            if last:
                return last
        except (RuntimeError, subprocess.SubprocessError, OSError, json.JSONDecodeError) as error:
            last = error
        time.sleep(pause)
    raise AssertionError(f"{what}: not within {deadline} s (last: {last})")


class Process:
    """A process of ours: started with a log, ended by its own pid."""

    def __init__(self, name, argv, log, ns=None, env=None):
        self.name, self.log = name, log
        prefix = ["ip", "netns", "exec", ns] if ns else []
        self.file = open(log, "ab")
        self.popen = subprocess.Popen(prefix + [str(a) for a in argv], stdout=self.file, stderr=self.file, stdin=subprocess.DEVNULL,
                                      env={**os.environ, **(env or {})}, start_new_session=True)

    @property
    def pid(self):
        return self.popen.pid

    def alive(self):
        return self.popen.poll() is None

    def kill(self):
        if self.alive():
            os.kill(self.pid, signal.SIGKILL)
        self.popen.wait(10)

    def stop(self, timeout=15):
        if self.alive():
            os.kill(self.pid, signal.SIGTERM)
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not stop within {timeout} s of SIGTERM")
        finally:
            self.file.close()


def plain_veth(name, ns=None):
    """Offloads that would show XDP partial checksums or hidden tags are off; GRO is on, or XDP frames would not arrive."""
    for feature in ("tx", "tso", "gso", "txvlan", "rxvlan", "tx-vlan-stag-hw-insert"):
        sh(f"ethtool -K {name} {feature} off", ns=ns, check=False)
    sh(f"ethtool -K {name} gro on", ns=ns)
    sh(f"ip link set {name} up", ns=ns)


def far_end(name, ns, directory):
    """The other end of a port of the BNG: see pass.bpf.c."""
    obj = directory / "pass.o"
    if not obj.exists():
        sh(["clang-16", "-target", "bpf", "-O2", "-g", f"-I/usr/include/{os.uname().machine}-linux-gnu", "-c",
            ROOT / "Tests/labs/pass.bpf.c", "-o", obj])
    plain_veth(name, ns)
    sh(f"ip link set dev {name} xdp obj {obj} sec xdp", ns=ns)


def tag_line(lab, interface, s, c, tpid):
    """Tags on the switch's end of a line: the host's own packet sockets must not see them."""
    obj = lab.dir / f"tagger-{interface}.o"
    sh(["clang-16", "-target", "bpf", "-O2", "-g", f"-DS_VID={s}", f"-DC_VID={c}", f"-DS_TPID={tpid:#x}",
        f"-I/usr/include/{os.uname().machine}-linux-gnu", "-c", ROOT / "Tests/labs/tagger.bpf.c", "-o", obj])
    sh(f"tc qdisc add dev {interface} clsact", ns="switch")
    sh(f"tc filter add dev {interface} ingress bpf da obj {obj} sec from_host", ns="switch")
    sh(f"tc filter add dev {interface} egress bpf da obj {obj} sec to_host", ns="switch")


class CPE:
    """A subscriber's host in a namespace of its own. s/c: VLAN ids of its line, 0 for none."""

    def __init__(self, lab, name, mac, s=0, c=0, s_tpid=0x88A8, bridge="br0", option82=None, relays=1):
        self.lab, self.name, self.mac, self.s, self.c = lab, name, mac, s, c
        sh(f"ip netns add {name}")
        sh(f"ip link add {name}-sw type veth peer name wan netns {name}")
        sh(f"ip link set wan address {mac}", ns=name)
        sh(f"ip link set {name}-sw mtu 1600 netns switch")
        self.processes = []
        if option82:
            self._behind_access_node(option82, bridge, relays)
        else:
            sh(f"ip link set {name}-sw master {bridge}", ns="switch")
        sh("ip link set lo up", ns=name)
        sh("ip link set wan mtu 1600", ns=name, check=False)
        plain_veth(f"{name}-sw", "switch")
        plain_veth("wan", name)
        sh("ip link set wan mtu 1500", ns=name)
        if s or c:
            tag_line(lab, f"{name}-sw", s, c, s_tpid if c else 0x8100)
        self.etc = lab.dir / f"{name}.etc"
        self.etc.mkdir(exist_ok=True)

    def _behind_access_node(self, option82, bridge, relays):
        """access_node.py between the host and the switch."""
        sh(f"ip link add {self.name}-up type veth peer name {self.name}-an", ns="switch")
        sh(f"ip link set {self.name}-up mtu 1600 master {bridge}", ns="switch")
        sh(f"ip link set {self.name}-an mtu 1600", ns="switch")
        plain_veth(f"{self.name}-up", "switch")
        plain_veth(f"{self.name}-an", "switch")
        argv = ["/usr/bin/python3", ROOT / "Tests/labs/access_node.py", f"{self.name}-sw", f"{self.name}-an", option82, str(relays)]
        self.processes.append(Process(f"{self.name}-node", argv, self.lab.dir / f"{self.name}-node.log", ns="switch"))

    def run(self, command, **kw):
        return sh(command, ns=self.name, **kw)

    def start(self, name, argv):
        process = Process(f"{self.name}-{name}", argv, self.lab.dir / f"{self.name}-{name}.log", ns=self.name)
        self.processes.append(process)
        return process

    def address(self):
        found = re.search(r"inet (100\.\d+\.\d+\.\d+)", self.run("ip -4 addr show dev wan"))
        return found.group(1) if found else None

    def wait_address(self, deadline=30):
        """The address; clients set the default route a moment after it, where it can be set at all."""
        address = wait_for(f"{self.name} gets an address", self.address, deadline)
        end = time.monotonic() + 2
        while time.monotonic() < end and "default" not in self.run("ip -4 route show default", check=False):
            time.sleep(0.02)
        return address

    # Real clients, each in the foreground so that we own the process.
    def udhcpc(self, *extra):
        return self.start("udhcpc", ["udhcpc", "-f", "-i", "wan", "-s", ROOT / "Tests/labs/udhcpc.script", "-t", "10", "-T", "1", *extra])

    def dhclient(self, *extra):
        lease = self.etc / "dhclient.leases"
        return self.start("dhclient", ["dhclient", "-d", "-v", "-4", "-lf", lease, "-pf", self.etc / "dhclient.pid", "-sf",
                                       ROOT / "Tests/labs/dhclient.script", *extra, "wan"])

    def dhcpcd(self, *extra):
        conf = self.etc / "dhcpcd.conf"
        conf.write_text("duid\npersistent\noption subnet_mask, routers, domain_name_servers, domain_name\nnoipv6\nnohook resolv.conf\n"
                        "noarp\ntimeout 20\n")
        # Its state lives in fixed paths: give each its own.
        state = self.etc / "dhcpcd"
        state.mkdir(exist_ok=True)
        shell = (f"mount --bind {state} /var/lib/dhcpcd 2>/dev/null || true; mkdir -p /run/dhcpcd; "
                 f"mount -t tmpfs tmpfs /run/dhcpcd; exec dhcpcd -B -4 -d -f {conf} {' '.join(extra)} wan")
        return self.start("dhcpcd", ["unshare", "-m", "sh", "-c", shell])

    def ping(self, target=SERVER_IP, count=3, interval=0.2, wait=2):
        """Returns (sent, received)."""
        out = self.run(f"ping -n -i {interval} -c {count} -W {wait} {target}", check=False, timeout=count * interval + 60)
        found = re.search(r"(\d+) packets transmitted, (\d+)(?: packets)? received", out)
        if not found:
            raise AssertionError(f"ping said: {out}")
        return int(found.group(1)), int(found.group(2))

    # IPv6.

    def autoconfigure(self):
        """The kernel's own SLAAC, with its answer to a lost advertisement: solicitations every 4 s."""
        self.run("sysctl -qw net.ipv6.conf.wan.accept_ra=2 net.ipv6.conf.wan.autoconf=1")
        self.run("ip link set wan down")
        self.run("ip link set wan up")

    def addresses6(self):
        """Global addresses of the wan interface, without those the kernel no longer prefers."""
        out = self.run("ip -6 addr show dev wan scope global -deprecated -tentative")
        return re.findall(r"inet6 ([0-9a-f:]+)/(\d+)", out)

    def wait_address6(self, within=None, deadline=30):
        """An address, with `within` (a prefix's text up to its host part) one of that prefix; and the default route."""
        found = lambda: next((a for a, _ in self.addresses6() if a.startswith(within or "2001:db8:")), None)  # noqa: E731
        address = wait_for(f"{self.name} gets an IPv6 address", found, deadline)
        wait_for(f"{self.name} gets a default route", lambda: GATEWAY6 in self.run("ip -6 route show default"), 10)
        return address

    def stop(self):
        for process in self.processes:
            if process.alive():
                process.kill()
        self.processes.clear()


class Flood:
    """ping -i 0.01 from a subscriber, or a host of its home network, to the server until stopped."""

    def __init__(self, cpe, target=SERVER_IP, ns=None):
        self.log = cpe.lab.dir / f"flood-{time.monotonic_ns()}.log"
        self.process = Process("ping", ["ping", "-n", "-i", "0.01", "-W", "2", target], self.log, ns=ns or cpe.name)

    def stop(self):
        """(sent, received)"""
        os.kill(self.process.pid, signal.SIGINT)
        self.process.popen.wait(10)
        found = re.search(r"(\d+) packets transmitted, (\d+)", self.log.read_text())
        return int(found.group(1)), int(found.group(2))


def pppoe_yaml(settings):
    """An access domain's PPPoE: {"echo_interval": "1s", "services": ["internet"]}; None: no PPPoE."""
    if settings is None:
        return ""
    value = lambda v: f"[{', '.join(v)}]" if isinstance(v, list) else str(v).lower() if isinstance(v, bool) else v  # noqa: E731
    return "    pppoe:\n" + "".join(f"      {k.replace('_', '-')}: {value(v)}\n" for k, v in {"ipv6cp": True, **settings}.items())


IPV6 = {"link_pool": "links", "delegation_pool": "homes", "address_pool": "hosts", "address": BNG_IP6,
        "dns": ["2001:db8:ffff::53"], "search": ["example.net"]}


def ipv6_yaml(settings):
    """An access domain's IPv6: keys of IPV6 and docs/configure; a value of None leaves a key out. None: no IPv6."""
    if settings is None:
        return ""
    value = lambda v: json.dumps(v)  # noqa: E731
    given = {k: v for k, v in {**IPV6, **settings}.items() if v is not None}
    return "    ipv6:\n" + "".join(f"      {k.replace('_', '-')}: {value(v)}\n" for k, v in given.items())


def prefix_pools_yaml(settings, quarantine, link=LINK_POOL):
    return "" if settings is None else f"""prefix-pools:
  - {{name: links, vrf: 0, prefixes: ["{link}"], length: 64, quarantine: {quarantine}}}
  - {{name: homes, vrf: 0, prefixes: ["{DELEGATION_POOL}"], length: 56, quarantine: {quarantine}}}
  - {{name: hosts, vrf: 0, prefixes: ["{ADDRESS_POOL}"], length: 128, quarantine: {quarantine}}}
"""


class Lab:
    """Controller, agent, switch and server. Options change the configuration before anything starts."""

    def __init__(self, directory=None, capture=False, shards=2, synchronous="full", lease="1h", quarantine="2s", relay_trust="relays",
                 trusted_relays=("100.64.255.254",), pool_range="100.64.1.0-100.64.254.255", max_sessions=65536, guard=None,
                 attach="auto", extra_pool="", prefix=PREFIX, second_site=False, policy="", pppoe=None, guard_more="",
                 ipv6=None, link_pool=LINK_POOL):
        self.dir = pathlib.Path(directory or tempfile.mkdtemp(prefix="bng-lab-"))
        self.dir.mkdir(parents=True, exist_ok=True)
        self.cpes, self.extra, self.namespaces, self.prefix = [], [], [], prefix
        self.controller = self.agent = None
        self.capture, self.second_site = capture, second_site
        self.pins = f"/sys/fs/bpf/bng-{os.getpid()}-{self.dir.name[-6:]}"
        guard = guard or {"line-pps": 1000, "line-burst": 2000, "port-pps": 100000, "port-burst": 100000}
        self.config = self.dir / "controller.yaml"
        relays = ", ".join(trusted_relays)
        self.config.write_text(f"""controller:
  id: 1
  state: {self.dir}/controller.sqlite
  synchronous: {synchronous}
  shards: {shards}
admin:
  socket: {self.dir}/admin.sock
  http: 127.0.0.1:9469
agents:
  heartbeat: 500ms
  heartbeat-timeout: 3s
  listen:
    - unix: {self.dir}/agents.sock
access-domains:
  - name: metro-a
    id: 1
    pool: residential
    server-identity: {SERVER_ID}
{pppoe_yaml(pppoe)}
{ipv6_yaml(ipv6)}
{SITE_B_DOMAIN if second_site else ""}
nodes:
  - name: edge1
    ports:
      - name: access0
        role: access
        access-domain: metro-a
        relay-trust: {relay_trust}
{f"        trusted-relays: [{relays}]" if relay_trust == "relays" else ""}
      - name: core0
        role: core
{SITE_B_PORTS if second_site else ""}
    routes:
      - prefix: 0.0.0.0/0
        via: kernel
{'      - {prefix: "::/0", via: kernel}' if ipv6 is not None else ""}
{prefix_pools_yaml(ipv6, quarantine, link_pool)}
pools:
  - name: residential
    vrf: 0
    prefix: {prefix}
    gateway: {GATEWAY}
    ranges: [{pool_range}]
    lease: {lease}
    quarantine: {quarantine}
    dns: [192.0.2.53, 192.0.2.54]
    domain: example.net
{extra_pool}
{SITE_B_POOL if second_site else ""}
guard:
  dhcpv4: {{line-pps: {guard['line-pps']}, line-burst: {guard['line-burst']}, port-pps: {guard['port-pps']}, port-burst: {guard['port-burst']}}}
{guard_more}
{policy}
""")
        self.agent_config = self.dir / "agent.conf"
        self.agent_config.write_text(f"""node = edge1
controller = unix:{self.dir}/agents.sock
pins = {self.pins}
attach = {attach}
port = access0 access
port = core0 core
{SITE_B_AGENT if second_site else ""}
max-sessions = {max_sessions}
""")

    # --- world ---

    def network(self):
        sh("ip netns add switch")
        # A switch has no IPv6 of its own: its interfaces would be hosts on the lines.
        sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1", ns="switch")
        sh("ip link add access0 type veth peer name uplink netns switch")
        sh("ip link add br0 type bridge", ns="switch")
        sh("ip link set br0 type bridge mcast_snooping 0", ns="switch", check=False)
        sh("ip link set access0 mtu 1600")
        sh("ip link set uplink mtu 1600", ns="switch")
        sh("ip link set uplink master br0", ns="switch")
        sh("ip link set br0 up", ns="switch")
        far_end("uplink", "switch", self.dir)
        plain_veth("access0")
        sh("ip netns add server")
        sh("ip link add core0 type veth peer name eth0 netns server")
        sh(f"ip addr add {SERVER_IP}/24 dev eth0", ns="server")
        sh(f"ip addr add {CORE_IP}/24 dev core0")
        far_end("eth0", "server", self.dir)
        plain_veth("core0")
        sh("ip link set lo up", ns="server")
        sh(f"ip route add {self.prefix} via {CORE_IP}", ns="server")
        pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        # For the kernel's answers to the XDP programs' questions about core next hops.
        pathlib.Path("/proc/sys/net/ipv6/conf/all/forwarding").write_text("1")
        sh(f"ip addr add {SERVER_IP6}/64 dev eth0 nodad", ns="server")
        sh(f"ip addr add {CORE_IP6}/64 dev core0 nodad")
        sh(f"ip route add 2001:db8::/32 via {CORE_IP6}", ns="server")
        if self.second_site:
            self._second_site()
        if self.capture:
            for ns, interface in (("switch", "uplink"), ("server", "eth0")):
                # The newest 20 MB of heads are enough to see what went wrong.
                self.extra.append(Process(f"capture-{interface}", ["tcpdump", "-i", interface, "-s", "400", "-Z", "root", "-U", "-C", "20",
                                                                   "-W", "1", "-w", self.dir / f"{interface}.pcap"],
                                          self.dir / f"{interface}.tcpdump.log", ns=ns))
        www = self.dir / "www"
        www.mkdir(exist_ok=True)
        (www / "hello.txt").write_text("hello from behind the core port\n")
        self.extra.append(Process("http", ["/usr/bin/python3", "-m", "http.server", "80", "--directory", www, "--bind", SERVER_IP],
                                  self.dir / "http.log", ns="server"))
        self.extra.append(Process("http6", ["/usr/bin/python3", "-m", "http.server", "80", "--directory", www, "--bind", SERVER_IP6],
                                  self.dir / "http6.log", ns="server"))
        return self

    def _second_site(self):
        """Another access port with its own switch br1, another core port with its own server."""
        sh("ip link add access1 type veth peer name uplink1 netns switch")
        sh("ip link add br1 type bridge", ns="switch")
        sh("ip link set access1 mtu 1600")
        sh("ip link set uplink1 mtu 1600 master br1", ns="switch")
        sh("ip link set br1 up", ns="switch")
        far_end("uplink1", "switch", self.dir)
        plain_veth("access1")
        sh("ip netns add server2")
        sh("ip link add core1 type veth peer name eth0 netns server2")
        sh(f"ip addr add {SERVER2_IP}/24 dev eth0", ns="server2")
        sh("ip addr add 203.0.113.1/24 dev core1")
        far_end("eth0", "server2", self.dir)
        plain_veth("core1")
        for prefix in (PREFIX, "100.96.0.0/16"):
            sh(f"ip route add {prefix} via 203.0.113.1", ns="server2")
        sh(f"ip route add 100.96.0.0/16 via {CORE_IP}", ns="server")

    def cpe(self, name, mac, **kw):
        cpe = CPE(self, name, mac, **kw)
        self.cpes.append(cpe)
        return cpe

    # --- processes ---

    def start_controller(self, wait=True):
        self.controller = Process("controller", [BIN / "bng-controller", "--config", self.config], self.dir / "controller.log")
        if wait:
            wait_for("controller ready", lambda: self.ready() or self._dead(self.controller), 30)
        return self.controller

    def start_agent(self, wait=True):
        before = self.node()["connectedSinceMs"] if wait else 0
        self.agent = Process("agent", [BIN / "bng-agent", "--config", self.agent_config], self.dir / "agent.log")
        if wait:
            wait_for("node connected and equal", lambda: self.node_settled(before) or self._dead(self.agent), 30)
        return self.agent

    def _dead(self, process):
        if not process.alive():
            raise AssertionError(f"{process.name} ended: {pathlib.Path(process.log).read_text()[-2000:]}")
        return False

    def up(self):
        self.network()
        self.start_controller()
        self.start_agent()
        return self

    def ready(self):
        return "200" in sh("curl -s -o /dev/null -w %{http_code} http://127.0.0.1:9469/readyz", check=False)

    def metrics(self):
        return sh("curl -s http://127.0.0.1:9469/metrics")

    def ctl(self, *args, check=True, text=False):
        """bngctl; the parsed JSON unless `text`."""
        argv = [BIN / "bngctl", *args, "--socket", self.dir / "admin.sock"] + ([] if text else ["--json"])
        out = sh([str(a) for a in argv], check=check)
        return out if text else json.loads(out)

    def node(self):
        return next(n for n in self.ctl("show", "nodes") if n["name"] == "edge1")

    def node_settled(self, since=0):
        """Connected (later than `since`), told everything, and the audit since it connected found no difference."""
        node, audit = self.node(), self.audit()
        return (node["connectedSinceMs"] > since and node["state"] == "connected" and node["synchronized"] and len(node["lanes"]) == 3
                and audit["auditedMs"] >= node["connectedSinceMs"] and audit["differences"] == 0)

    def audit(self):
        return next(a for a in self.ctl("show", "audit") if a["node"] == "edge1")

    def audit_differences(self):
        """Asks for an audit now and returns what it found."""
        before = self.audit()["audits"]
        self.ctl("audit", text=True)
        wait_for("an audit", lambda: self.audit()["audits"] > before, 10)
        return self.audit()["differences"]

    @staticmethod
    def agent_binary():
        return BIN / "bng-agent"

    def sessions(self):
        return self.ctl("show", "sessions")["sessions"]

    def session(self, session_id):
        return self.ctl("show", "session", session_id)

    def session_of(self, cpe):
        return next((s for s in self.sessions() if s["mac"] == cpe.mac), None)

    def fast_path_replies(self, cpe):
        return self.session(self.session_of(cpe)["id"])["counters"]["fastPathReplies"]

    def counter(self, name):
        """Sum over ports of a data-plane counter such as drop.no_session or punt.dhcp_release."""
        kind = {"punt": "punts"}.get(name.split(".")[0], "drops")
        return sum(c["value"] for c in self.ctl("show", kind) if c["name"] in (name, name.removeprefix("drop.")))

    def down(self, remove=False):
        for cpe in self.cpes:
            cpe.stop()
        for process in [self.agent, self.controller, *self.extra]:
            if process and process.alive():
                process.kill()
        if pathlib.Path(self.pins).exists():
            sh([BIN / "bng-agent", "--config", self.agent_config, "--detach"], check=False)
        for ns in [c.name for c in self.cpes] + self.namespaces + ["switch", "server"] + (["server2"] if self.second_site else []):
            sh(f"ip netns del {ns}", check=False)
        for link in ("access0", "core0", "access1", "core1"):
            sh(f"ip link del {link}", check=False)
        if remove:
            shutil.rmtree(self.dir, ignore_errors=True)

    def save(self, to):
        """Keeps what a failed lab leaves: logs, map dumps, counters."""
        to = pathlib.Path(to)
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(self.dir, to, ignore=lambda d, names: [n for n in names if n.endswith(".sock")], dirs_exist_ok=True)
        dump = to / "maps.txt"
        with open(dump, "w") as f:
            for pin in sorted(pathlib.Path(self.pins).glob("**/*")) if pathlib.Path(self.pins).exists() else []:
                f.write(f"== {pin}\n{sh(['bpftool', 'map', 'dump', 'pinned', str(pin)], check=False)[:20000]}\n")
            f.write(sh("bpftool net", check=False) + sh("ip -s link", check=False))
