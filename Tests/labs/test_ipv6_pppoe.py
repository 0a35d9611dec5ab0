# SPDX-License-Identifier: Apache-2.0
"""IPv6 inside PPPoE: Debian's pppd with +ipv6, its kernel's autoconfiguration, wide-dhcpv6's client for a delegated prefix.

    guest [pppd, kernel, dhcp6c] ── QinQ 200.7 ── bridge ── access0 [bng-agent] core0 ── server
"""
import re

from ipv6_lab import DNS, ping_from_server
from pppoe_lab import live, serving
from topology import GATEWAY6, SERVER_IP, SERVER_IP6, wait_for

DHCP6C = """interface ppp0 {{ send ia-pd 0; send ia-na 0; {more} request domain-name-servers; }};
id-assoc na 0 {{ }};
id-assoc pd 0 {{ prefix-interface lan {{ sla-id 1; sla-len 8; }}; }};
"""


def online(guest, make_lab, **ipv6):
    """Dials; returns the lab and the session once the guest has a global address and a default route."""
    lab = serving(make_lab, lab_options={"ipv6": ipv6})
    guest.attach(lab)
    # As it was before another test made a router of it.
    guest.run("killall -9 dhcp6c; ip link del lan; echo 0 >/proc/sys/net/ipv6/conf/all/forwarding")
    guest.dial()
    wait_for("an address of the advertised prefix", lambda: addresses(guest), 20, 0.2)
    wait_for("a default route", lambda: GATEWAY6 in guest.run("ip -6 route show default dev ppp0"), 10, 0.2)
    session, = live(lab)
    return lab, session


def addresses(guest, interface="ppp0"):
    return re.findall(r"inet6 (2001:db8:[0-9a-f:]+)/", guest.run(f"ip -6 addr show dev {interface} scope global -tentative"))


def test_pppd_gets_both_families_in_one_session(guest, make_lab):
    lab, session = online(guest, make_lab)
    pppoe, log = session["pppoe"], guest.log()
    assert re.search(r"remote LL address fe80::", log) and pppoe["peerInterfaceID"] != "0:0:0:0" != pppoe["localInterfaceID"]
    assert f"fe80::{pppoe['peerInterfaceID']}" in guest.run("ip -6 addr show dev ppp0 scope link")
    address, = addresses(guest)
    assert address.startswith(session["ipv6"]["prefix"].split("::/")[0]) and session["address"] == guest.address()
    assert guest.run("cat /proc/sys/net/ipv6/conf/ppp0/mtu").strip() == "1492"
    for target in (SERVER_IP6, SERVER_IP):
        assert guest.ping(target)[0] == (3, 3)
    assert ping_from_server(address) == (3, 3)
    for url in (f"http://[{SERVER_IP6}]/hello.txt", f"http://{SERVER_IP}/hello.txt"):
        assert "hello" in guest.run(f"curl -g -s --max-time 10 '{url}'")
    assert len(lab.sessions()) == 1
    guest.kill("TERM")
    wait_for("both end as one", lambda: not lab.sessions(), 15)
    assert lab.ctl("show", "history")[0]["cause"] == "user_request" and lab.audit_differences() == 0


def delegated(guest, more=""):
    """Starts dhcp6c; the address that it puts on `lan`."""
    # A router that keeps the default route it has been advertised.
    guest.run("ip link add lan type dummy && ip link set lan up && echo 2 >/proc/sys/net/ipv6/conf/ppp0/accept_ra && "
              f"echo 1 >/proc/sys/net/ipv6/conf/all/forwarding; cat >/tmp/dhcp6c.conf <<'.'\n{DHCP6C.format(more=more)}.\n", check=True)
    guest.run("setsid dhcp6c -f -D -c /tmp/dhcp6c.conf -p /tmp/dhcp6c.pid ppp0 >/tmp/dhcp6c.log 2>&1 &")
    try:
        return wait_for("a delegated prefix on lan", lambda: addresses(guest, "lan"), 20, 0.2)[0]
    except AssertionError as error:
        raise AssertionError(f"{error}\n{guest.run('cat /tmp/dhcp6c.log')}") from None


def test_a_prefix_is_delegated_inside_the_session(guest, make_lab):
    lab, session = online(guest, make_lab)
    address = delegated(guest)
    held = lab.session(session["id"])["ipv6"]
    network = held["delegated"][0].split("::/")[0]
    assert address.startswith(network.rstrip("0")) and len(held["addresses"]) == 1
    assert DNS in guest.run("cat /tmp/dhcp6c.log")
    assert ping_from_server(address) == (3, 3)
    assert guest.ping(SERVER_IP6, options=f"-I {address}")[0] == (3, 3)
    guest.run("kill $(cat /tmp/dhcp6c.pid)")
    wait_for("the client has released it", lambda: not lab.session(session["id"])["ipv6"]["delegated"], 10)
    assert lab.session(session["id"])["phase"] == "active" and guest.ping(SERVER_IP6)[0] == (3, 3)
    guest.kill("TERM")


def test_the_controllers_death_changes_nothing(guest, make_lab):
    lab, session = online(guest, make_lab)
    address = delegated(guest, "send rapid-commit;")
    lab.controller.kill()
    assert guest.ping(SERVER_IP6, count=10)[0] == (10, 10) and ping_from_server(address) == (3, 3)
    lab.start_controller()
    wait_for("settled", lab.node_settled, 20)
    again = lab.session(session["id"])
    assert again["phase"] == "active" and again["ipv6"]["prefix"] == session["ipv6"]["prefix"]
    assert guest.ping(SERVER_IP6)[0] == (3, 3) and lab.audit_differences() == 0
    guest.kill("TERM")
