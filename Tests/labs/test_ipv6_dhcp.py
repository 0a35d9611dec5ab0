# SPDX-License-Identifier: Apache-2.0
"""Real DHCPv6 clients: an address, a delegated prefix, both; a host behind them; renewal in the data plane; what is given back.

    home host ── dhclient -6, dhcpcd, dhcp6c (routers) ── switch ── access0 [BNG] core0 ── server
"""
import pytest

from ipv6_lab import DNS, LINES, Home, dhclient6, dhcp6c, dhcpcd6, ipv6_of, ping_from_server, received
from topology import SERVER_IP6, Flood, sh, wait_for

MAC = "02:00:5e:10:67:01"


def router(make_lab, line="untagged", **ipv6):
    """A CPE with a home behind it, which listens to advertisements for its default route."""
    lab = make_lab(ipv6=ipv6).up()
    cpe = lab.cpe("cpe1", MAC, **LINES[line])
    home = Home(cpe)
    cpe.autoconfigure()
    return lab, cpe, home


def reached(home, network):
    """The home's host and the server ping each other."""
    address = home.host(network)
    assert home.ping() == (3, 3)
    assert ping_from_server(address) == (3, 3)


@pytest.mark.parametrize("flags", [("-N",), ("-P",), ("-N", "-P")], ids=" ".join)
def test_dhclient(make_lab, flags):
    lab, cpe, home = router(make_lab)
    dhclient6(cpe, *flags)
    cpe.wait_address6()
    held = ipv6_of(lab, cpe)
    assert len(held["addresses"]) == flags.count("-N") and len(held["delegated"]) == flags.count("-P")
    assert len(lab.sessions()) == 1
    assert DNS in (cpe.etc / "dns").read_text()
    if "-N" in flags:
        address = held["addresses"][0]
        wait_for("the address has been probed", lambda: address in cpe.run("ip -6 addr show dev wan -tentative"), 10)
        assert received(cpe.run(f"ping -n -c 3 -i 0.2 -I {address} {SERVER_IP6}"))[1] == 3
        assert ping_from_server(address) == (3, 3)
    if "-P" in flags:
        prefix = (cpe.etc / "prefix").read_text().strip()
        assert prefix == held["delegated"][0]
        home.join(prefix)
        assert home.ping() == (3, 3) and ping_from_server(home.address) == (3, 3)


@pytest.mark.parametrize("line", LINES)
def test_dhcpcd(make_lab, line):
    lab, cpe, home = router(make_lab, line)
    dhcpcd6(cpe)
    network = home.lan_network()
    held = ipv6_of(lab, cpe)
    assert len(held["addresses"]) == 1 and len(held["delegated"]) == 1
    wait_for("the address", lambda: held["addresses"][0] in cpe.run("ip -6 addr show dev wan"), 10)
    reached(home, network)


@pytest.mark.parametrize("line", ["untagged", "qinq"])
def test_wide_dhcpv6(make_lab, line):
    lab, cpe, home = router(make_lab, line)
    dhcp6c(cpe)
    network = home.lan_network()
    held = ipv6_of(lab, cpe)
    assert held["addresses"][0] in cpe.run("ip -6 addr show dev wan")
    cpe.wait_address6()
    reached(home, network)


@pytest.mark.parametrize("rapid", [True, False])
def test_two_messages_or_four(make_lab, rapid):
    lab, cpe, home = router(make_lab, rapid_commit=rapid)
    dhcp6c(cpe)
    home.lan_network()
    said = (lab.dir / "cpe1-dhcp6c.log").read_text()
    assert ("send request to" not in said) == rapid, said[-3000:]


def test_renewals_are_served_in_the_data_plane_and_reach_the_controller(make_lab):
    lab, cpe, home = router(make_lab, preferred_lifetime="60s", valid_lifetime="120s", renewal="3s", rebinding="50s",
                            advertisement_interval="30m")
    dhclient6(cpe, "-N", "-P")
    cpe.wait_address6()
    session = lab.session_of(cpe)
    first = session["ipv6"]["leaseExpiresMs"]
    replies = lambda: lab.session(session["id"])["counters"]["dhcpv6FastPathReplies"]  # noqa: E731
    wait_for("two renewals in the data plane", lambda: replies() >= 2, 20)
    wait_for("the controller knows of them", lambda: ipv6_of(lab, cpe)["leaseExpiresMs"] > first + 2000, 20)
    said = (cpe.etc / "reasons").read_text()
    assert "RENEW6" in said and "REBIND6" not in said
    assert lab.audit_differences() == 0


@pytest.mark.parametrize("client", ["dhclient", "dhcp6c"])
def test_release_gives_back(make_lab, client):
    lab, cpe, home = router(make_lab, link_pool=None)
    if client == "dhclient":
        process = dhclient6(cpe, "-N", "-P")
        assert ipv6_of(lab, cpe)["delegated"]
        process.kill()
        (cpe.etc / "reasons").unlink()
        dhclient6(cpe, "-N", "-P", "-r", wait=False)
    else:
        process = dhcp6c(cpe)
        home.lan_network()
        sh(["kill", "-TERM", (cpe.etc / "dhcp6c.pid").read_text().strip()])
    wait_for("the session has ended", lambda: not lab.sessions(), 15)
    assert lab.ctl("show", "history")[0]["cause"] == "user_request"


@pytest.mark.parametrize("client", ["dhclient", "dhcp6c"])
def test_information_request(make_lab, client):
    """DNS without any address; it makes no session by itself."""
    lab = make_lab(ipv6={"link_pool": None, "address_pool": None, "delegation_pool": None}).up()
    cpe = lab.cpe("cpe1", MAC)
    cpe.autoconfigure()
    if client == "dhclient":
        dhclient6(cpe, "-S", wait=False)
        wait_for("DNS", lambda: DNS in (cpe.etc / "dns").read_text(), 20)
    else:
        dhcp6c(cpe, "information-only")
        wait_for("DNS", lambda: DNS in (lab.dir / "cpe1-dhcp6c.log").read_text(), 20)
    assert not lab.sessions()


def test_a_declined_address_is_not_given_again(make_lab):
    lab = make_lab(ipv6={"link_pool": None, "delegation_pool": None}).up()
    cpe = lab.cpe("cpe1", MAC)
    cpe.autoconfigure()
    (cpe.etc / "taken").touch()
    dhclient6(cpe, "-N")
    taken = (cpe.etc / "taken").read_text().strip()
    assert "XMT: Decline" in (lab.dir / "cpe1-dhclient6.log").read_text()
    held = ipv6_of(lab, cpe)["addresses"]
    assert held and taken and held != [taken]
    assert lab.ctl("show", "history")[0]["cause"] == "address_declined"


RESTARTS = {
    "controller-stop": lambda lab: (lab.controller.stop(), lab.start_controller()),
    "controller-kill": lambda lab: (lab.controller.kill(), lab.start_controller()),
    "agent-stop": lambda lab: (lab.agent.stop(), lab.start_agent()),
    "agent-kill": lambda lab: (lab.agent.kill(), lab.start_agent()),
}


@pytest.mark.parametrize("what", RESTARTS)
def test_a_router_behind_the_cpe_loses_nothing_over_a_restart(make_lab, what):
    lab, cpe, home = router(make_lab, "qinq")
    dhcpcd6(cpe)
    home.host(home.lan_network())
    assert home.ping() == (3, 3)
    session = lab.session_of(cpe)
    flood = Flood(cpe, SERVER_IP6, ns=home.ns)
    for _ in range(3):
        RESTARTS[what](lab)
        wait_for("settled", lab.node_settled, 20)
    wait_for("more than two seconds of it", lambda: flood.log.read_text().count("icmp_seq") > 200, 20)
    sent, received_ = flood.stop()
    assert received_ >= sent - 1, f"{sent - received_} of {sent} lost"  # the last may be under way
    again = lab.session_of(cpe)
    assert again["id"] == session["id"] and again["ipv6"]["delegated"] == session["ipv6"]["delegated"]
    assert lab.audit_differences() == 0
