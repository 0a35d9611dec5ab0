# SPDX-License-Identifier: Apache-2.0
"""DHCPv6 clients behind a router that relays (FEATURES A7): one session for both families, data both ways, nobody who is not listed.

    home host ── dhclient -6, dhcpcd ── lan0 [dhcrelay -6, dnsmasq: a router] wan ── switch ── access0 [BNG] core0 ── server
"""
import subprocess

import pytest

from ipv6_lab import Home, dhclient6, ipv6_of, isolated, ping_from_server, received
from pppoe_lab import send_frames
from relay_lab import LINK, RELAY_IP, RELAY_MAC, TRUSTED, UPLINK, Site
from topology import ROOT, SERVER_IP6, Flood, wait_for

MAC, OTHER_MAC = "02:00:5e:10:69:01", "02:00:5e:10:69:02"
SHORT = dict(preferred_lifetime="60s", valid_lifetime="120s", renewal="3s", rebinding="50s", advertisement_interval="30m")


def lab_of(make_lab, trusted=TRUSTED, **ipv6):
    return make_lab(relay_trust="relays", trusted_relays=(trusted,), ipv6=ipv6).up()


def held_of(lab, cpe, addresses=1, delegated=1):
    def found():
        held = ipv6_of(lab, cpe)
        return held if held and len(held["addresses"]) == addresses and len(held["delegated"]) == delegated else None
    return wait_for(f"{cpe.name} holds {addresses} addresses, {delegated} prefixes", found, 20)


def bound(site, name="cpe1", mac=MAC, *flags):
    """A client with an address and a prefix behind it, and a host of that prefix."""
    cpe = site.client(name, mac)
    home = Home(cpe)
    dhclient6(cpe, "-N", "-P", *flags)
    prefix = (cpe.etc / "prefix").read_text().strip()
    home.join(prefix)
    site.route(prefix, cpe)
    return cpe, home


def reaches(lab, cpe, home):
    address, = ipv6_of(lab, cpe)["addresses"]
    assert received(cpe.run(f"ping -n -c 3 -i 0.2 -W 2 -I {address} {SERVER_IP6}", check=False)) == (3, 3)
    assert ping_from_server(address) == (3, 3)
    assert home.ping() == (3, 3) and ping_from_server(home.address) == (3, 3)


@pytest.mark.parametrize("agent,uplink", [("dhcrelay", False), ("dhcrelay", True), ("dnsmasq", True)])
def test_a_client_behind_a_relay(make_lab, agent, uplink):
    lab = lab_of(make_lab)
    site = Site(lab, agent, uplink)
    cpe, home = bound(site)
    reaches(lab, cpe, home)
    session, = lab.sessions()
    assert session["mac"] == MAC and session["relay"] == RELAY_IP and session["vlan"] == "300"
    held = held_of(lab, cpe)
    assert not held.get("link") and held["addresses"] != [LINK]
    # Nothing is told to the router as to a host, and nothing is answered in the controller's place.
    assert lab.audit_differences() == 0
    assert lab.counter("tx.nd_router_advertisement") == 0


def test_both_families_are_one_session(make_lab):
    lab = lab_of(make_lab)
    site = Site(lab)
    site.relay_ipv4()
    cpe, home = bound(site)
    first, = lab.sessions()
    cpe.udhcpc()
    address = cpe.wait_address()
    site.router.run(f"ip route add {address}/32 dev lan0")
    session, = lab.sessions()
    assert session["id"] == first["id"] and session["address"] == address and session["relay"] == RELAY_IP
    reaches(lab, cpe, home)
    assert cpe.ping() == (3, 3)
    other, other_home = bound(site, "cpe2", OTHER_MAC)
    reaches(lab, other, other_home)
    assert len(lab.sessions()) == 2 and lab.audit_differences() == 0


def test_dhcpcd_by_its_hardware_address(make_lab):
    """Its DUID is a UUID, so dnsmasq has to say with whom it spoke."""
    lab = lab_of(make_lab)
    site = Site(lab, "dnsmasq", uplink=True)
    cpe = site.client("cpe1", MAC)
    Home(cpe)
    dhcpcd_with_uuid(cpe)
    held = held_of(lab, cpe)
    assert lab.session_of(cpe)["mac"] == MAC
    wait_for("the address", lambda: held["addresses"][0] in cpe.run("ip -6 addr show dev wan -tentative"), 10)
    assert received(cpe.run(f"ping -n -c 3 -i 0.2 -W 2 -I {held['addresses'][0]} {SERVER_IP6}", check=False)) == (3, 3)


def dhcpcd_with_uuid(cpe):
    conf = cpe.etc / "dhcpcd6.conf"
    conf.write_text("ipv6only\nduid 00:04:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff\npersistent\nnohook resolv.conf, hostname\n"
                    "slaac hwaddr\nnoipv6rs\ndenyinterfaces lan lo\ninterface wan\n  ia_na 1\n  ia_pd 2 lan/1/64\n")
    return isolated(cpe, "dhcpcd", {"/var/lib/dhcpcd": "dhcpcd6"}, f"mkdir -p /run/dhcpcd; mount -t tmpfs tmpfs /run/dhcpcd; "
                    f"exec dhcpcd -B -6 -d -f {conf} wan")


def test_a_client_whose_hardware_nobody_names_is_refused_and_counted(make_lab):
    lab = lab_of(make_lab)
    site = Site(lab)
    cpe = site.client("cpe1", MAC)
    Home(cpe)
    dhcpcd_with_uuid(cpe)
    wait_for("counted", lambda: refused(lab, "dhcpv6_relay_no_mac") >= 2, 20)
    assert not lab.sessions()


def refused(lab, name):
    return sum(c["value"] for c in lab.ctl("show", "punts") if c["name"] == f"controller.{name}")


def test_a_relay_that_is_not_listed_is_refused_and_counted(make_lab):
    lab = lab_of(make_lab, trusted=f'{{ipv4: {RELAY_IP}, ipv6: ["2001:db8:1:1::fffd"]}}')
    site = Site(lab)
    cpe = site.client("cpe1", MAC)
    dhclient6(cpe, "-N", "-P", wait=False)
    wait_for("counted", lambda: refused(lab, "untrusted_relay") >= 2, 20)
    assert not lab.sessions() and not (cpe.etc / "prefix").exists()


def test_renewals_and_a_release_come_through_the_relay(make_lab):
    lab = lab_of(make_lab, **SHORT)
    site = Site(lab)
    cpe, home = bound(site)
    first = ipv6_of(lab, cpe)["leaseExpiresMs"]
    wait_for("renewals", lambda: (cpe.etc / "reasons").read_text().count("RENEW6") >= 2, 20)
    assert ipv6_of(lab, cpe)["leaseExpiresMs"] > first + 2000
    assert lab.session(lab.session_of(cpe)["id"])["counters"]["dhcpv6FastPathReplies"] == 0
    reaches(lab, cpe, home)
    held = ipv6_of(lab, cpe)
    cpe.run(["dhclient", "-6", "-r", "-v", "-N", "-P", "-lf", cpe.etc / "dhclient6.leases", "-pf", cpe.etc / "dhclient6.pid",
             "-sf", ROOT / "Tests/labs/dhclient.script", "-e", f"etc={cpe.etc}", "wan"])
    wait_for("the session is over", lambda: not lab.sessions(), 15)
    assert ping_from_server(held["addresses"][0])[1] == 0


def test_both_planes_are_killed_under_a_ping(make_lab):
    lab = lab_of(make_lab, **SHORT)
    site = Site(lab)
    cpe, home = bound(site)
    session, held = lab.session_of(cpe), ipv6_of(lab, cpe)
    flood = Flood(cpe, SERVER_IP6, ns=home.ns)
    lab.controller.kill()
    lab.agent.kill()
    lab.start_agent(wait=False)
    lab.start_controller()
    wait_for("settled", lab.node_settled, 30)
    reasons = lambda: (cpe.etc / "reasons").read_text().count("RENEW6")  # noqa: E731
    before = reasons()
    wait_for("both associations are renewed twice", lambda: reasons() >= before + 4, 20)
    sent, got = flood.stop()
    assert sent > 100 and got >= sent - 1, f"{sent - got} of {sent} lost"
    assert lab.session_of(cpe)["id"] == session["id"] and ipv6_of(lab, cpe)["delegated"] == held["delegated"]
    assert lab.audit_differences() == 0


def test_a_relay_with_another_hardware_address(make_lab):
    """VRRP: the session follows its relay when the client's next message shows where that is."""
    lab = lab_of(make_lab, **SHORT)
    site = Site(lab)
    cpe, home = bound(site)
    session = lab.session_of(cpe)
    moved = "02:00:5e:77:88:9a"
    for change in ("set wan down", f"set wan address {moved}", "set wan up"):
        site.router.run(f"ip link {change}")
    site.router.run("ip -6 route replace default via fe80::1 dev wan")
    reasons = (cpe.etc / "reasons").read_text().count("RENEW6")
    wait_for("renewed", lambda: (cpe.etc / "reasons").read_text().count("RENEW6") > reasons + 1, 40)
    reaches(lab, cpe, home)
    assert lab.session_of(cpe)["id"] == session["id"]


def spoofed(lab, cpe, source):
    return received(cpe.run(f"ping -n -c 2 -i 0.2 -W 1 -I {source} {SERVER_IP6}", check=False))[1]


def test_what_a_client_does_not_hold_it_does_not_send_from(make_lab):
    lab = lab_of(make_lab)
    site = Site(lab)
    cpe, _ = bound(site)
    before = lab.counter("drop.no_session")
    for source in ("2001:db8:1:1::abcd", "2001:db8:4fff:ff00::1"):
        cpe.run(f"ip -6 addr add {source}/128 dev wan nodad")
        assert spoofed(lab, cpe, source) == 0
    wait_for("counted", lambda: lab.counter("drop.no_session") >= before + 4, 10)
    # Nobody else on the BNG's side sends for the relay's clients.
    thief = lab.cpe("thief", OTHER_MAC, s=300)
    address, = ipv6_of(lab, cpe)["addresses"]
    thief.run("sysctl -qw net.ipv6.conf.wan.accept_ra=0")
    thief.run(f"ip -6 addr add {address}/128 dev wan nodad")
    thief.run("ip -6 route add default via fe80::1 dev wan")
    before = lab.counter("drop.no_session")
    assert spoofed(lab, thief, address) == 0
    wait_for("counted", lambda: lab.counter("drop.no_session") >= before + 2, 10)


def forged(link, client, source):
    """What a hostile host on the BNG's own link sends: a Solicit as if it had come through the relay."""
    script = ("from scapy.all import *\nfrom scapy.layers.dhcp6 import *\n"
              f"m = DHCP6_Solicit(trid=7)/DHCP6OptClientId(duid=DUID_LL(lladdr='{client}'))/DHCP6OptIA_PD(iaid=1)\n"
              f"r = DHCP6_RelayForward(linkaddr='{link}', peeraddr='fe80::9')/DHCP6OptRelayMsg(message=m)\n"
              f"p = Ether(src='{RELAY_MAC}', dst='33:33:00:01:00:02')/IPv6(src='{source}', dst='ff02::1:2')/UDP(sport=547, dport=547)/r\n"
              "print(bytes(p).hex())")
    return bytes.fromhex(subprocess.run(["/usr/bin/python3", "-c", script], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[-1])


def test_another_link_of_the_relay_is_not_the_clients(make_lab):
    """The same MAC address behind another link of the relay does not take the session over."""
    lab = lab_of(make_lab, trusted=f'{{ipv4: {RELAY_IP}, ipv6: ["{LINK}", "{UPLINK}"]}}')
    site = Site(lab)
    cpe, _ = bound(site)
    held = ipv6_of(lab, cpe)
    send_frames(site.router, [forged(UPLINK, MAC, "fe80::77")] * 3)
    wait_for("counted", lambda: refused(lab, "line_conflict") >= 3, 10)
    assert ipv6_of(lab, cpe)["delegated"] == held["delegated"] and len(lab.sessions()) == 1
