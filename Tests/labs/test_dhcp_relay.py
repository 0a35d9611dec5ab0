# SPDX-License-Identifier: Apache-2.0
"""Relays and option 82 (FEATURES A2, A3): a real relay agent is served, a forged one is refused and counted.

    client ─ veth ─ ns `relay` (isc-dhcp-relay or dnsmasq, 100.64.255.254) ─ switch ─ access0 [BNG]
"""
import re

import pytest

from topology import Process, plain_veth, sh, wait_for

RELAY_IP, SERVER_ID = "100.64.255.254", "100.64.0.1"


def relay_site(lab, agent):
    """A routed site: its router has 100.64.255.254 toward the BNG and relays for a LAN behind it."""
    router = lab.cpe("relay", "02:00:5e:77:88:99", s=300)
    router.run(f"ip addr add {RELAY_IP}/16 dev wan")
    sh("ip netns add lan")
    sh("ip link add lan0 netns relay type veth peer name wan netns lan")
    plain_veth("lan0", "relay")
    plain_veth("wan", "lan")
    sh("ip link set lo up", ns="lan")
    router.run(f"ip addr add {RELAY_IP}/32 dev lan0")
    router.run("sysctl -qw net.ipv4.ip_forward=1")
    if agent == "dhcrelay":
        argv = ["dhcrelay", "-4", "-d", "-a", "-id", "lan0", "-iu", "wan", SERVER_ID]
    else:
        argv = ["dnsmasq", "-d", "-C", "/dev/null", "-p", "0", "--dhcp-relay", f"{RELAY_IP},{SERVER_ID}", "--interface", "lan0",
                "--interface", "wan", "--pid-file", "--leasefile-ro"]
    router.start(agent, argv)
    return router


@pytest.mark.parametrize("agent", ["dhcrelay"])
def test_client_behind_a_relay(lab, agent):
    relay_site(lab, agent)
    lab.extra.append(Process("lanclient", ["udhcpc", "-f", "-i", "wan", "-s", "/bin/true", "-t", "20", "-T", "1"],
                             lab.dir / "lanclient.log", ns="lan"))
    session = wait_for("a session behind the relay", lambda: next(iter(lab.sessions()), None), 30)
    assert session["relay"] == RELAY_IP and session["address"].startswith("100.64.")
    assert session["vlan"] == "300"
    sh("ip netns del lan", check=False)


def test_forged_option82_is_refused_and_counted(make_lab):
    lab = make_lab(relay_trust="none").up()
    cpe = lab.cpe("cpe1", "02:00:5e:10:40:01")
    # udhcpc sends any option it is told to: 82 with a circuit-id of somebody else.
    cpe.udhcpc("-x", "0x52:01066f6c74372f31")
    wait_for("forgery counted", lambda: lab.counter("drop.forged_option82") >= 2, 20)
    assert not lab.sessions()


def test_untrusted_relay_is_refused_and_counted(make_lab):
    lab = make_lab(relay_trust="relays", trusted_relays=("100.64.255.1",)).up()
    relay_site(lab, "dhcrelay")
    lab.extra.append(Process("lanclient", ["udhcpc", "-f", "-i", "wan", "-s", "/bin/true", "-t", "20", "-T", "1"],
                             lab.dir / "lanclient.log", ns="lan"))
    wait_for("counted", lambda: lab.counter("drop.untrusted_relay") >= 2, 20)
    assert not lab.sessions()
    sh("ip netns del lan", check=False)


CIRCUIT, OTHER = "01066f6c74372f31", "01066f6c74372f32"


def test_option82_of_an_access_node_identifies_the_line(make_lab):
    """The access node inserts it and takes it out again; a customer's own is replaced, so forging one changes nothing."""
    lab = make_lab(relay_trust="access-node").up()
    cpe = lab.cpe("cpe1", "02:00:5e:10:40:02", option82=CIRCUIT)
    client = cpe.udhcpc("-x", f"0x52:{OTHER}")
    cpe.wait_address()
    assert lab.session_of(cpe)["option82"] == CIRCUIT
    assert cpe.ping(count=3) == (3, 3)
    # A second start is answered by the data plane: the option still matches.
    client.kill()
    before = lab.fast_path_replies(cpe)
    cpe.udhcpc()
    wait_for("answered by the data plane", lambda: lab.fast_path_replies(cpe) >= before + 2, 15)


def test_the_same_mac_behind_another_circuit_is_refused(make_lab):
    lab = make_lab(relay_trust="access-node").up()
    first = lab.cpe("cpe1", "02:00:5e:10:40:03", option82=CIRCUIT)
    first.udhcpc()
    address = first.wait_address()
    thief = lab.cpe("cpe2", "02:00:5e:10:40:03", option82=OTHER)
    thief.udhcpc()
    wait_for("the conflict is counted", lambda: any(c["name"] == "controller.line_conflict" and c["value"] >= 2
                                                    for c in lab.ctl("show", "punts")), 15)
    assert thief.address() is None
    assert lab.session_of(first)["address"] == address and len(lab.sessions()) == 1


def perfdhcp(ns, rate, clients, seconds):
    out = sh(f"perfdhcp -4 -l wan -r {rate} -R {clients} -p {seconds} -W 500000 {SERVER_ID}", ns=ns, check=False)
    return [int(n) for n in re.findall(r"^(?:received packets|drops): (-?\d+)", out, re.M)], out


def test_perfdhcp_new_clients_by_the_controller_then_known_ones_by_the_data_plane(lab):
    """perfdhcp's short messages leave no room behind the frame: the reply grows in front."""
    router = lab.cpe("relay", "02:00:5e:77:88:99")
    router.run(f"ip addr add {RELAY_IP}/16 dev wan")
    for expected in ("controller", "data plane"):
        (offers, lost_offers, acks, lost_acks), out = perfdhcp("relay", 200, 100, 2)
        assert lost_offers <= 0 and lost_acks <= 0 and offers == acks >= 390, f"{expected}: {out}"
    wait_for("100 sessions", lambda: len(lab.sessions()) == 100, 10)
    replies = sum(lab.session(s["id"])["counters"]["fastPathReplies"] for s in lab.sessions())
    assert replies >= 2 * 390, f"the data plane answered {replies}"
    assert lab.counter("drop.internal_adjust") == 0
