# SPDX-License-Identifier: Apache-2.0
"""One authentication for both families, and an access domain whose prefixes AAA alone gives.

    cpe [kernel, udhcpc, dhclient -6] ── switch ── access0 [BNG] core0 ── server      controller ── FreeRADIUS
"""
import pytest

from ipv6_lab import dhclient6, ipv6_of
from radius_server import RADIUSServer, accept, configuration, reject
from topology import SERVER_IP6, wait_for

MAC = "02:00:5e:10:69:01"


@pytest.fixture
def asking(make_lab):
    """make(users, **ipv6): a lab that is up and asks FreeRADIUS, and the server."""
    servers = []

    def make(users, **ipv6):
        lab = make_lab(ipv6=ipv6)
        server = RADIUSServer(lab, users=users).start()
        servers.append(server)
        lab.config.write_text(lab.config.read_text() + configuration([server]))
        return lab.up(), server

    yield make
    for server in servers:
        server.stop()


def requests(lab):
    """Access-Requests that were answered."""
    counters = next(s["counters"] for s in lab.ctl("show", "aaa")["servers"] if s["role"] == "authentication")
    return counters.get("accepts", 0) + counters.get("rejects", 0)


def test_a_dual_stack_line_is_authenticated_and_accounted_once(asking):
    lab, server = asking(accept(f'"{MAC}"'))
    cpe = lab.cpe("cpe1", MAC)
    cpe.autoconfigure()
    cpe.udhcpc()
    cpe.wait_address()
    cpe.wait_address6()
    dhclient6(cpe, "-N", "-P")
    assert cpe.ping() == (3, 3) and cpe.ping(SERVER_IP6) == (3, 3)
    session, = lab.sessions()
    wait_for("a start record", lambda: server.records(kind="Start"), 10)
    assert requests(lab) == 1
    assert [r["Acct-Session-Id"] for r in server.records(kind="Start")] == [session["id"]]
    assert {r["Acct-Session-Id"] for r in server.records(kind="Interim-Update")} <= {session["id"]}


def test_aaa_alone_gives_the_prefixes(asking):
    lab, _ = asking(accept(f'"{MAC}"', "Framed-IPv6-Prefix = 2001:db8:777:1::/64", "Delegated-IPv6-Prefix = 2001:db8:7780::/56"),
                    link_pool=None, delegation_pool=None, address_pool=None)
    cpe = lab.cpe("cpe1", MAC)
    cpe.autoconfigure()
    assert cpe.wait_address6("2001:db8:777:1:", 15)
    dhclient6(cpe, "-P")
    assert ipv6_of(lab, cpe)["delegated"] == ["2001:db8:7780::/56"]
    assert cpe.ping(SERVER_IP6) == (3, 3)


def test_a_rejected_line_gets_no_prefix(asking):
    lab, server = asking(reject("DEFAULT", "unknown line"))
    cpe = lab.cpe("cpe1", MAC)
    cpe.autoconfigure()
    wait_for("it was asked", lambda: requests(lab) >= 1, 15)
    wait_for("a second solicitation was not answered either", lambda: lab.counter("punt.nd_router_solicitation") >= 2, 15)
    assert not cpe.addresses6() and not lab.sessions()
