# SPDX-License-Identifier: Apache-2.0
"""What the IPv6 labs share: real DHCPv6 clients, a home network behind the CPE, what rdisc6 saw.

    home ns ──veth── lan [cpe ns: a router] wan ── switch ── access0 [BNG] core0 ── server
"""
import re

from topology import ROOT, SERVER_IP6, sh, wait_for

LINES = {"untagged": dict(), "one-tag": dict(s=100), "qinq": dict(s=200, c=7), "qinq-8100": dict(s=201, c=8, s_tpid=0x8100)}
DNS = "2001:db8:ffff::53"


def link_local(cpe):
    """The wan's own link-local address, once it has been probed."""
    found = lambda: re.search(r"inet6 (fe80::[0-9a-f:]+)", cpe.run("ip -6 addr show dev wan scope link -tentative"))  # noqa: E731
    return wait_for(f"{cpe.name} has a link-local address", found, 10).group(1)


def advertisement(cpe):
    """What rdisc6 prints of the router's answer."""
    link_local(cpe)
    return cpe.run("rdisc6 -1 wan", timeout=20)


def dhclient6(cpe, *flags, wait=True):
    """dhclient -6 with -N, -P, -S ...; what it learned is in cpe.etc."""
    argv = ["dhclient", "-6", "-d", "-v", *flags, "-lf", cpe.etc / "dhclient6.leases", "-pf", cpe.etc / "dhclient6.pid", "-sf",
            ROOT / "Tests/labs/dhclient.script", "-e", f"etc={cpe.etc}", "wan"]
    (cpe.etc / "dhclient6.leases").touch()
    link_local(cpe)
    process = cpe.start("dhclient6", argv)
    if wait:
        # Its script runs once for each association.
        learned = "prefix" if "-P" in flags else "reasons"
        wait_for("dhclient -6 is bound", lambda: (cpe.etc / learned).exists() and ("-N" not in flags or has_address6(cpe)), 20)
    return process


def has_address6(cpe):
    """An address that DHCPv6 gave: with a length of 128."""
    return "/128" in cpe.run("ip -6 addr show dev wan scope global -tentative")


def dhcpcd6(cpe, *more):
    """dhcpcd as a home router: solicitation, IA_NA and IA_PD with the first /64 on `lan`. `more`: lines of the interface."""
    conf = cpe.etc / "dhcpcd6.conf"
    lines = more or ("ia_na 1", "ia_pd 2 lan/1/64")
    conf.write_text("ipv6only\nduid\npersistent\noption domain_name_servers, rapid_commit\nnohook resolv.conf, hostname\nslaac hwaddr\n"
                    "denyinterfaces lan lo\ninterface wan\n  ipv6rs\n" + "".join(f"  {line}\n" for line in lines))
    return isolated(cpe, "dhcpcd", {"/var/lib/dhcpcd": "dhcpcd6"}, f"mkdir -p /run/dhcpcd; mount -t tmpfs tmpfs /run/dhcpcd; "
                    f"exec dhcpcd -B -6 -d -f {conf} wan")


def dhcp6c(cpe, *sends):
    """wide-dhcpv6's client; `sends`: what the interface statement says, default both associations with Rapid Commit."""
    conf = cpe.etc / "dhcp6c.conf"
    body = "".join(f"  {line};\n" for line in sends or ("send ia-na 0", "send ia-pd 0", "send rapid-commit"))
    associations = "" if "information-only" in sends else \
        "id-assoc na 0 { };\nid-assoc pd 0 { prefix-interface lan { sla-id 1; sla-len 8; }; };\n"
    conf.write_text(f"interface wan {{\n{body}  request domain-name-servers;\n}};\n{associations}")
    link_local(cpe)
    return isolated(cpe, "dhcp6c", {"/var/lib/dhcpv6": "dhcp6c"}, f"exec dhcp6c -f -D -c {conf} -p {cpe.etc}/dhcp6c.pid wan")


def isolated(cpe, name, directories, command):
    """A client whose state lives in fixed paths: each CPE has its own."""
    mounts = ""
    for path, own in directories.items():
        (cpe.etc / own).mkdir(exist_ok=True)
        mounts += f"mkdir -p {path}; mount --bind {cpe.etc / own} {path}; "
    return cpe.start(name, ["unshare", "-m", "sh", "-c", mounts + command])


class Home:
    """The network behind a CPE: one host on the CPE's interface `lan`."""

    def __init__(self, cpe):
        self.cpe, self.ns, self.address = cpe, f"{cpe.name}-home", None
        sh(f"ip netns add {self.ns}")
        cpe.lab.namespaces.append(self.ns)
        sh(f"ip link add lan type veth peer name eth0 netns {self.ns}", ns=cpe.name)
        sh("ip link set lo up", ns=self.ns)
        sh("ip link set eth0 up", ns=self.ns)
        cpe.run("ip link set lan up")
        # A router that still listens to the advertisements of its own uplink.
        cpe.run("sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv6.conf.wan.accept_ra=2")

    def join(self, prefix):
        """Router and host take addresses of the delegated prefix (text up to "::/")."""
        network = prefix.split("::/")[0].rstrip(":")
        self.cpe.run(f"ip -6 addr replace {network}::1/64 dev lan nodad")
        return self.host(network)

    def host(self, network):
        """The host takes ::100 of the /64 that the router has on `lan`, and the router as its default."""
        self.address = f"{network}::100"
        sh(f"ip -6 addr add {self.address}/64 dev eth0 nodad", ns=self.ns)
        gateway = wait_for("the router's side", lambda: re.search(r"inet6 (fe80::[0-9a-f:]+)", self.cpe.run("ip -6 addr show dev lan -tentative")))
        sh(f"ip -6 route add default via {gateway.group(1)} dev eth0", ns=self.ns)
        return self.address

    def lan_network(self):
        """The /64 that the client has put on `lan`, once it is there."""
        found = lambda: re.search(r"inet6 (2001:db8:[0-9a-f:]+)/64", self.cpe.run("ip -6 addr show dev lan scope global -tentative"))  # noqa: E731
        address = wait_for("a /64 on lan", found, 30).group(1)
        parts = address.split("::")[0].split(":")
        return ":".join(parts[:4])

    def ping(self, target=SERVER_IP6, count=3):
        return received(sh(f"ping -n -i 0.2 -c {count} -W 2 {target}", ns=self.ns, check=False))


def ping_from_server(target, count=3):
    return received(sh(f"ping -n -i 0.2 -c {count} -W 2 {target}", ns="server", check=False))


def received(text):
    """(sent, received) of what ping printed."""
    found = re.search(r"(\d+) packets transmitted, (\d+)(?: packets)? received", text)
    assert found, f"ping said: {text}"
    return int(found.group(1)), int(found.group(2))


def ipv6_of(lab, cpe):
    """What the controller says the line holds of IPv6."""
    session = lab.session_of(cpe)
    return session and session.get("ipv6")
