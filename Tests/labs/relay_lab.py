# SPDX-License-Identifier: Apache-2.0
"""A routed site: a router that relays DHCPv6 (and DHCPv4) for the hosts of its link, and routes what they send.

    cpe ─ bridge brlan ─ lan0 [router ns] wan ─ switch ─ access0 [BNG]
"""
from ipv6_lab import link_local
from topology import BNG_IP6, GATEWAY, GATEWAY6, SERVER_ID, plain_veth, sh

RELAY_IP, RELAY_MAC = "100.64.255.254", "02:00:5e:77:88:99"
LINK, LINK_NETWORK = "2001:db8:1:1::fffe", "2001:db8:1:1::/64"  # of the pool of addresses
UPLINK = "2001:db8:fffd::2"
TRUSTED = f'{{ipv4: {RELAY_IP}, ipv6: ["{LINK}"]}}'
ROUTER_LL = "fe80::fffe"


class Site:
    """`uplink`: the router has a routable address toward the BNG, and sends from it to the BNG's own address."""

    def __init__(self, lab, agent="dhcrelay", uplink=False, s=300):
        self.lab, self.router = lab, lab.cpe("relay", RELAY_MAC, s=s)
        sh("ip link add brlan type bridge", ns="switch")
        sh("ip link set brlan type bridge mcast_snooping 0", ns="switch", check=False)
        sh("ip link set brlan up", ns="switch")
        run = self.router.run
        run("ip link add lan0 type veth peer name relay-lan netns switch")
        sh("ip link set relay-lan master brlan", ns="switch")
        plain_veth("lan0", "relay")
        plain_veth("relay-lan", "switch")
        # Not a host of the BNG: it would be told a prefix of its own.
        run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.wan.accept_ra=0 net.ipv4.conf.lan0.proxy_arp=1")
        run(f"ip addr add {RELAY_IP}/16 dev wan")
        run(f"ip addr add {RELAY_IP}/32 dev lan0")
        run(f"ip route add default via {GATEWAY} dev wan")
        run(f"ip -6 addr add {LINK}/64 dev lan0 nodad")
        run(f"ip -6 addr add {ROUTER_LL}/64 dev lan0 nodad")
        if uplink:
            run(f"ip -6 addr add {UPLINK}/64 dev wan nodad")
        run(f"ip -6 route add default via {GATEWAY6} dev wan")
        self.start_agent(agent, uplink)

    def start_agent(self, agent, uplink):
        link_local(self.router)
        if agent == "dhcrelay":
            to = f"{BNG_IP6}%wan" if uplink else "wan"
            argv = ["dhcrelay", "-6", "-d", "-I", "-l", "lan0", "-u", to]
        else:  # says with whom it spoke (RFC 6939)
            argv = ["dnsmasq", "-d", "-C", "/dev/null", "-p", "0", "--dhcp-relay", f"{LINK},{BNG_IP6}", "--interface", "lan0",
                    "--interface", "wan", "--pid-file", "--leasefile-ro", "--log-dhcp"]
        self.agent = self.router.start(agent, argv)

    def relay_ipv4(self):
        self.router.start("dhcrelay4", ["dhcrelay", "-4", "-d", "-a", "-id", "lan0", "-iu", "wan", SERVER_ID])

    def client(self, name, mac):
        """A host of the site's link, or a router on it."""
        cpe = self.lab.cpe(name, mac, bridge="brlan")
        # The relay's link, not the BNG's: no advertisements, and addresses are on it.
        cpe.run("sysctl -qw net.ipv6.conf.wan.accept_ra=0")
        cpe.run(f"ip -6 route add {LINK_NETWORK} dev wan")
        cpe.run(f"ip -6 route add default via {ROUTER_LL} dev wan")
        return cpe

    def route(self, prefix, cpe):
        """What a relay does when it sees a delegation pass (RFC 8415 19.1.3 leaves how to it)."""
        self.router.run(f"ip -6 route replace {prefix} via {link_local(cpe)} dev lan0")
