# SPDX-License-Identifier: Apache-2.0
"""Debian's pppd with the rp-pppoe plugin on Debian's kernel dials the BNG (FEATURES A5, A6, B7): every authentication, who is refused
and how, addresses, sizes, and what survives whose death.

    guest [pppd] ── QinQ 200.7 ── bridge ── access0 [bng-agent] core0 ── server      controller: local subscribers
"""
import hashlib
import os
import re

from nat_lab import nat_options, only_public_addresses
from pppoe_lab import live, serving, syn_sizes
from topology import SERVER_IP, sh, wait_for

# What makes pppd insist on one protocol.
ONLY = {"pap": ("refuse-chap", "refuse-mschap", "refuse-mschap-v2", "refuse-eap"),
        "chap": ("refuse-pap", "refuse-mschap", "refuse-mschap-v2", "refuse-eap"),
        "ms-chap-v2": ("refuse-pap", "refuse-chap", "refuse-mschap", "refuse-eap")}
MEGABYTES = int(os.environ.get("BNG_FETCH_MB", "100"))


def online(guest, lab, *options, **kw):
    """Dials; returns the session as the controller shows it."""
    guest.attach(lab, s=200, c=7)
    address = guest.dial(*options, **kw)
    session = wait_for("the session is active", lambda: next((s for s in live(lab) if s["address"] == address), None), 10)
    return lab.session(session["id"])


def gone(lab, session, deadline=15):
    """Waits until a session has ended; returns it."""
    wait_for("the session ends", lambda: lab.session(session["id"])["phase"] == "terminated", deadline)
    return lab.session(session["id"])


def test_every_authentication_brings_it_online(guest, make_lab):
    lab = serving(make_lab, authentication=["chap", "ms-chap-v2", "pap"])
    for name, options in ONLY.items():
        session = online(guest, lab, *options)
        assert session["pppoe"]["authentication"] == name, session["pppoe"]
        assert (session["service"]["userName"], session["service"]["source"]) == ("alice", "local")
        assert session["pppoe"]["mtu"] == 1492 and session["vlan"] == "200.7" and session["mac"] == guest.mac
        assert guest.ping(SERVER_IP)[0] == (3, 3)
        log = guest.log()
        assert "primary   DNS address 192.0.2.53" in log and "secondary DNS address 192.0.2.54" in log
        assert "remote IP address 100.64.0.1" in log
        wait_for("IPv6CP is up", lambda: re.search(r"remote LL address fe80::", guest.log()), 10)
        guest.kill("TERM")
        assert gone(lab, session)["cause"] == "user_request"
        guest.wait_ended()
    assert not live(lab) and lab.audit_differences() == 0


def test_a_wrong_password_is_refused_with_a_message_and_locks_the_line(guest, make_lab):
    lab = serving(make_lab, more="  on-reject: lock-out\n  lock-out: {after: 2, for: 15s}")
    guest.attach(lab)
    for options, words in ((ONLY["chap"], "CHAP authentication failed"), (ONLY["pap"], "PAP authentication failed")):
        guest.dial(*options, password="wrong", wait=False)
        assert words in guest.wait_ended(deadline=30)
        assert not lab.sessions(), "a refused login left a session"
    # The right password comes too late: a locked client gets no PADS.
    guest.dial(*ONLY["chap"], wait=False)
    locked = lambda: next((c["value"] for c in lab.ctl("show", "punts") if c["name"] == "controller.locked_out"), 0)  # noqa: E731
    wait_for("two failures lock the line", locked, 10)
    assert not lab.sessions() and "PADS" not in guest.log()

    def again():
        guest.hang_up()
        guest.dial(*ONLY["chap"], wait=False)
        wait_for("an end or an address", lambda: guest.ended() or guest.address(), 30, pause=0.2)
        return guest.address()
    wait_for("the lock-out passes", again, 60)
    assert guest.ping(SERVER_IP)[0] == (3, 3)


def test_large_packets_are_cut_refused_or_clamped_and_a_fetch_is_whole(guest, make_lab):
    lab = serving(make_lab)
    content = os.urandom(MEGABYTES << 20)
    (lab.dir / "www").mkdir(exist_ok=True)
    (lab.dir / "www/big").write_bytes(content)
    session = online(guest, lab)
    address = session["address"]
    assert guest.ping(SERVER_IP, size=1464, options="-M do")[0] == (3, 3)
    assert "mtu=1492" in guest.ping(SERVER_IP, count=1, size=1465, options="-M do")[1]
    assert "pmtu 1492" in guest.run(f"tracepath -n -m 5 {SERVER_IP}")
    # Toward the client: refused with the size that would fit, or cut where that is allowed.
    assert "(mtu = 1492)" in sh(f"ping -n -c 1 -W 2 -s 1472 -M do {address}", ns="server", check=False)
    sh("ip route flush cache", ns="server")
    assert "3 received" in sh(f"ping -n -i 0.2 -c 3 -W 4 -s 1472 -M dont {address}", ns="server", check=False)
    sh("ip route flush cache", ns="server")
    assert "pmtu 1492" in sh(f"tracepath -n -m 5 {address}", ns="server", check=False)
    sh("ip route flush cache", ns="server")
    # The guest would say 1452 by itself: it is told to say 1460. The captures keep only the newest: the SYNs are read before the fetch.
    guest.run(f"ip route add {SERVER_IP} dev ppp0 advmss 1460", check=True)
    assert "hello" in guest.run(f"curl -s -m 20 http://{SERVER_IP}/hello.txt")
    for pcap, port in (("eth0.pcap", "tcp.dstport==80"), ("uplink.pcap", "tcp.srcport==80")):
        assert set(wait_for("the capture is written", lambda: syn_sizes(lab, pcap, port), 10)) == {1452}
    fetched = guest.run(f"curl -s -m 120 http://{SERVER_IP}/big | md5sum", timeout=150)
    assert fetched.split()[0] == hashlib.md5(content).hexdigest()


def test_a_pppoe_client_behind_nat_loses_nothing_to_its_size(guest, make_lab):
    """Debian's pppd on Debian's kernel: 1,492 bytes go through whole, more is reported to the server's side of NAT, TCP is clamped."""
    lab = serving(make_lab, lab_options=nat_options())
    only_public_addresses(lab)
    content = os.urandom(20 << 20)
    (lab.dir / "www").mkdir(exist_ok=True)
    (lab.dir / "www/big").write_bytes(content)
    guest.attach(lab, s=200, c=7)
    guest.dial()
    assert guest.ping(SERVER_IP, size=1464, options="-M do")[0] == (3, 3)
    assert "mtu=1492" in guest.ping(SERVER_IP, count=1, size=1465, options="-M do")[1]
    # The guest would say 1452 by itself: it is told to say 1460.
    guest.run(f"ip route add {SERVER_IP} dev ppp0 advmss 1460", check=True)
    assert "hello" in guest.run(f"curl -s -m 20 http://{SERVER_IP}/hello.txt")
    assert set(wait_for("the capture is written", lambda: syn_sizes(lab, "eth0.pcap", "tcp.dstport==80"), 10)) == {1452}
    sources = re.findall(r"^\d+\.\S+$", sh(f"tshark -r {lab.dir}/eth0.pcap -Y tcp.dstport==80 -T fields -e ip.src", check=False), re.M)
    assert sources and set(sources) == {live(lab)[0]["nat"]["address"]}
    fetched = guest.run(f"curl -s -m 120 http://{SERVER_IP}/big | md5sum", timeout=150)
    assert fetched.split()[0] == hashlib.md5(content).hexdigest()


def test_rfc_4638_carries_1500_bytes(guest, make_lab):
    lab = serving(make_lab, mru=1500)
    session = online(guest, lab, mru=1500)
    assert session["pppoe"]["mtu"] == 1500
    assert "mtu 1500" in guest.run("ip link show ppp0")
    assert guest.ping(SERVER_IP, size=1472, options="-M do")[0] == (3, 3)
    assert "3 received" in sh(f"ping -n -i 0.2 -c 3 -W 4 -s 1472 -M do {session['address']}", ns="server", check=False)


def test_a_client_that_asks_for_more_than_is_offered_gets_1492(guest, make_lab):
    lab = serving(make_lab, mru=1492)
    assert online(guest, lab, mru=1500)["pppoe"]["mtu"] == 1492
    assert guest.ping(SERVER_IP, size=1464, options="-M do")[0] == (3, 3)


def test_a_killed_client_dials_again_and_takes_the_place_of_its_session(guest, make_lab):
    lab = serving(make_lab)
    first = online(guest, lab)
    guest.kill()
    assert lab.session(first["id"])["phase"] == "active", "nobody could know"
    address = guest.dial()
    assert gone(lab, first)["cause"] == "replaced"
    assert [s["address"] for s in live(lab)] == [address]
    assert guest.ping(SERVER_IP)[0] == (3, 3)


def test_the_session_survives_the_death_of_either_plane_and_a_redial_works_after(guest, make_lab):
    lab = serving(make_lab, echo_interval="1s", echo_failures=5)
    echoing = ("lcp-echo-interval", 1, "lcp-echo-failure", 3)
    for plane, revive in ((lab.agent, lab.start_agent), (lab.controller, lab.start_controller)):
        session = online(guest, lab, *echoing)
        # The server's neighbour is known by then; without an agent nobody could look for it.
        assert guest.ping(SERVER_IP)[0] == (3, 3)
        plane.kill()
        # Longer than pppd waits for an echo: the node's program answers it.
        assert guest.ping(SERVER_IP, count=25)[0] == (25, 25)
        assert not guest.ended()
        guest.kill()
        guest.dial(*echoing, wait=False)
        revive(wait=False)
        address = guest.wait_address(deadline=60)
        wait_for("the node has settled", lab.node_settled, 20)
        assert guest.ping(SERVER_IP)[0] == (3, 3)
        assert [s["address"] for s in live(lab)] == [address] and gone(lab, session)
        assert lab.audit_differences() == 0


def test_an_operator_ends_a_session_and_the_client_hears_of_it(guest, make_lab):
    lab = serving(make_lab)
    session = online(guest, lab)
    lab.ctl("clear", "session", session["id"], text=True)
    log = guest.wait_ended(deadline=10)
    assert "LCP terminated by peer" in log or "Modem hangup" in log, log
    assert gone(lab, session)["cause"] == "admin_reset"


def test_dhcp_and_pppoe_share_a_line(guest, make_lab):
    lab = serving(make_lab, more='  user-name: "{mac}"')
    cpe = lab.cpe("home", "02:00:5e:10:00:09", s=200, c=7)
    lab.ctl("subscriber", "add", cpe.mac)
    online(guest, lab)
    cpe.udhcpc()
    cpe.wait_address()
    assert cpe.ping() == (3, 3) and guest.ping(SERVER_IP)[0] == (3, 3)
    assert sorted(s["mac"] for s in live(lab)) == sorted([cpe.mac, guest.mac])
    assert lab.audit_differences() == 0
