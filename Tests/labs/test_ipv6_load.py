# SPDX-License-Identifier: Apache-2.0
"""DHCPv6 of several hundred lines by perfdhcp -6: none is lost, each holds an address and a prefix of its own.

    ns `load`: perfdhcp ── duid_lines.bpf.c ── bridge ── access0 [BNG]
"""
from perfdhcp6 import OPEN_GUARD, load_host, perfdhcp6
from topology import wait_for

CLIENTS = 600


def held(lab):
    """What live lines hold: (MAC addresses, addresses, delegated prefixes)."""
    sessions = lab.sessions()
    ipv6 = [s["ipv6"] for s in sessions]
    return ({s["mac"] for s in sessions}, {a for i in ipv6 for a in i["addresses"]}, {p for i in ipv6 for p in i["delegated"]})


def test_600_clients_get_an_address_and_a_prefix_each(make_lab):
    lab = make_lab(ipv6={}, guard_more=OPEN_GUARD, capture=False).up()
    load_host(lab)
    found = perfdhcp6(300, CLIENTS, 1, "-n", CLIENTS)
    assert found == {kind: (CLIENTS, CLIENTS, 0) for kind in ("SOLICIT-ADVERTISE", "REQUEST-REPLY")}
    assert [len(what) for what in held(lab)] == [CLIENTS] * 3
    wait_for("every session installed", lambda: lab.node()["sessionsInstalled"] == CLIENTS, 10)
    before = held(lab)
    # The same clients come again: they keep what they have.
    assert perfdhcp6(300, CLIENTS, 1, "-n", CLIENTS)["REQUEST-REPLY"] == (CLIENTS, CLIENTS, 0)
    assert held(lab) == before
    assert lab.audit_differences() == 0


def test_renewals_are_the_data_planes_and_releases_give_back(make_lab):
    lab = make_lab(ipv6={}, guard_more=OPEN_GUARD, capture=False).up()
    load_host(lab)
    found = perfdhcp6(200, CLIENTS, 1, "-p", 3, "-f", 100, "-F", 100)
    assert all(drops == 0 and sent == received for sent, received, drops in found.values()), found
    lines, renewed, released = (found[kind][1] for kind in ("REQUEST-REPLY", "RENEW-REPLY", "RELEASE-REPLY"))
    assert renewed > 100 and released > 100, found
    told = lambda: [c["value"] for c in lab.ctl("show", "punts") if c["name"] == "controller.renewed_by_data_plane"]  # noqa: E731
    wait_for(f"the data plane has told of {renewed} renewals", lambda: told() == [renewed], 10)
    macs, addresses, prefixes = held(lab)
    assert (len(macs), len(addresses), len(prefixes)) == (lines, lines - released, lines - released)
    assert lab.audit_differences() == 0
