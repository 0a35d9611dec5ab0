# SPDX-License-Identifier: Apache-2.0
"""Lightweight DHCPv6 relays (RFC 6221) as access nodes of TR-101 are: Interface-Id and Remote-Id name the line, a forged one nothing.

    dhclient -6, dhcpcd ─ access_node.py (wraps in Relay-forward, unwraps Relay-reply) ─ switch ─ access0 [BNG]
"""
import subprocess

import pytest

from ipv6_lab import Home, dhclient6, dhcpcd6, ipv6_of, link_local, ping_from_server
from pppoe_lab import send_frames
from topology import wait_for

MAC = "02:00:5e:10:68:01"
PORT = b"eth 0/1/1:100"
CIRCUIT = (bytes([1, len(PORT)]) + PORT + bytes([2, 5]) + b"alice").hex()
OTHER = (bytes([1, 3]) + b"eth").hex()


def site(make_lab, relays=1, trust="access-node", **ipv6):
    lab = make_lab(relay_trust=trust, ipv6=ipv6).up()
    cpe = lab.cpe("cpe1", MAC, option82=CIRCUIT, relays=relays)
    home = Home(cpe)
    cpe.autoconfigure()
    return lab, cpe, home


def relayed(lab):
    wait_for("relayed messages are counted", lambda: lab.counter("punt.dhcpv6_relayed") >= 1, 10)


@pytest.mark.parametrize("relays", [1, 2])
@pytest.mark.parametrize("client", ["dhclient", "dhcpcd"])
def test_a_client_behind_a_relay(make_lab, client, relays):
    lab, cpe, home = site(make_lab, relays)
    if client == "dhclient":
        dhclient6(cpe, "-N", "-P")
        address = home.join((cpe.etc / "prefix").read_text().strip())
    else:
        dhcpcd6(cpe)
        address = home.host(home.lan_network())
    cpe.wait_address6()
    assert home.ping() == (3, 3) and ping_from_server(address) == (3, 3)
    session, = lab.sessions()
    assert len(session["ipv6"]["addresses"]) == 1 and len(session["ipv6"]["delegated"]) == 1
    assert bytes.fromhex(session["option82"]) == bytes.fromhex(CIRCUIT)
    relayed(lab)
    assert lab.audit_differences() == 0


def test_both_families_name_the_same_circuit(make_lab):
    lab, cpe, home = site(make_lab)
    cpe.udhcpc()
    cpe.wait_address()
    before, = lab.sessions()
    dhclient6(cpe, "-N", "-P")
    session, = lab.sessions()
    assert session["id"] == before["id"] and session["option82"] == before["option82"] == CIRCUIT
    assert cpe.ping() == (3, 3) and session["ipv6"]["delegated"]


def test_renewals_through_a_relay_are_the_controllers(make_lab):
    lab, cpe, home = site(make_lab, preferred_lifetime="60s", valid_lifetime="120s", renewal="3s", rebinding="50s",
                          advertisement_interval="30m")
    dhclient6(cpe, "-N", "-P")
    first = ipv6_of(lab, cpe)["leaseExpiresMs"]
    wait_for("renewals", lambda: (cpe.etc / "reasons").read_text().count("RENEW6") >= 2, 20)
    assert ipv6_of(lab, cpe)["leaseExpiresMs"] > first + 2000
    assert lab.session(lab.session_of(cpe)["id"])["counters"]["dhcpv6FastPathReplies"] == 0


def forged(cpe):
    """What a hostile customer sends: a Solicit that claims to come through somebody's port."""
    source = link_local(cpe)
    script = ("import sys\nfrom scapy.all import *\nfrom scapy.layers.dhcp6 import *\n"
              f"m = DHCP6_Solicit(trid=7)/DHCP6OptClientId(duid=DUID_LL(lladdr='{MAC}'))/DHCP6OptIA_PD(iaid=1)\n"
              f"r = DHCP6_RelayForward(linkaddr='::', peeraddr='{source}')/DHCP6OptIfaceId(ifaceid={PORT!r})/DHCP6OptRelayMsg(message=m)\n"
              f"p = Ether(src='{MAC}', dst='33:33:00:01:00:02')/IPv6(src='{source}', dst='ff02::1:2')/UDP(sport=547, dport=547)/r\n"
              "print(bytes(p).hex())")
    return bytes.fromhex(subprocess.run(["/usr/bin/python3", "-c", script], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[-1])


def test_a_forged_relay_is_refused_and_counted(make_lab):
    lab = make_lab(relay_trust="none", ipv6={"link_pool": None}).up()
    cpe = lab.cpe("cpe1", MAC)
    cpe.autoconfigure()
    send_frames(cpe, [forged(cpe)] * 3)
    wait_for("the forgery is counted", lambda: lab.counter("drop.untrusted_relay") >= 3, 10)
    assert not lab.sessions()
    # Where a relay is trusted the same packet is served: nothing else was wrong with it.
    lab.config.write_text(lab.config.read_text().replace("relay-trust: none", "relay-trust: access-node"))
    lab.controller.stop()
    lab.start_controller()
    wait_for("settled", lab.node_settled, 20)
    answers = [frame for frame in send_frames(cpe, [forged(cpe)]) if frame[12:14] == b"\x86\xdd" and frame[20] == 17]
    assert answers and answers[0][62] == 13 and PORT in answers[0]


def test_the_same_mac_behind_another_circuit_is_refused(make_lab):
    lab, cpe, home = site(make_lab, link_pool=None)
    dhclient6(cpe, "-N", "-P")
    held = ipv6_of(lab, cpe)
    thief = lab.cpe("cpe2", MAC, option82=OTHER)
    # It would notice that its address is taken.
    thief.run("sysctl -qw net.ipv6.conf.wan.accept_dad=0")
    thief.autoconfigure()
    dhclient6(thief, "-N", "-P", wait=False)
    wait_for("the conflict is counted", lambda: any(c["name"] == "controller.line_conflict" and c["value"] >= 2
                                                    for c in lab.ctl("show", "punts")), 15)
    assert not (thief.etc / "prefix").exists()
    assert ipv6_of(lab, cpe)["delegated"] == held["delegated"] and len(lab.sessions()) == 1
