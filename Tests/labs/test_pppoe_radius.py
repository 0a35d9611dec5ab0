# SPDX-License-Identifier: Apache-2.0
"""pppd authenticated by Debian's FreeRADIUS (FEATURES B1, B3, B6): every protocol, what is accounted, a client that falls silent, a
plan that changes while it is online.

    guest [pppd] ── QinQ 200.7 ── bridge ── access0 [bng-agent] core0 ── server      controller ──veth── FreeRADIUS with radclient
"""
import time

import pytest

from pppoe_lab import live
from radius_server import RADIUSServer, configuration
from test_pppoe_pppd import ONLY, gone, online
from topology import SERVER_IP, wait_for

POLICY = """
plans:
  - {name: basic}
  - {name: gold, version: 2, rate-up: 20Mbit, rate-down: 50Mbit}
"""
RULES = """  rules: [{attribute: Filter-Id, match: "plan:{plan}"}]"""
USERS = 'alice Cleartext-Password := "secret"\n\tReply-Message = "welcome"\nDEFAULT Auth-Type := Reject\n\tReply-Message = "who are you"\n'


@pytest.fixture
def world(make_lab):
    servers = []

    def make(**pppoe):
        lab = make_lab(pppoe=pppoe)
        servers.append(RADIUSServer(lab, users=USERS).start())
        lab.config.write_text(lab.config.read_text() + configuration(servers[-1:], POLICY, RULES, more="  default-plan: basic"))
        return lab.up(), servers[-1]

    yield make
    for server in servers:
        server.stop()


def record(server, session, kind):
    return wait_for(f"accounting {kind}", lambda: server.records(session=str(session["id"]), kind=kind), 15)[0]


def test_every_authentication_is_proven_to_the_server_and_accounted(guest, world):
    lab, server = world(authentication=["chap", "ms-chap-v2", "pap"])
    for name, options in ONLY.items():
        session = online(guest, lab, *options)
        assert session["pppoe"]["authentication"] == name
        assert guest.ping(SERVER_IP)[0] == (3, 3)
        began = record(server, session, "Start")
        assert (began["User-Name"], began["Framed-Protocol"], began["Framed-IP-Address"]) == ("alice", "PPP", session["address"]), began
        guest.kill("TERM")
        ended = record(server, gone(lab, session), "Stop")
        assert ended["Acct-Terminate-Cause"] == "User-Request" and ended["Acct-Output-Packets"] >= 3, ended
        guest.wait_ended()


def test_a_refusal_carries_the_servers_words(guest, world):
    lab, _ = world()
    guest.attach(lab)
    for user, password in (("alice", "wrong"), ("mallory", "secret")):
        guest.dial(*ONLY["chap"], user=user, password=password, wait=False)
        log = guest.wait_ended(deadline=30)
        assert "CHAP authentication failed" in log
        assert user == "alice" or "who are you" in log, log
    assert not lab.sessions()


def test_a_client_that_falls_silent_loses_its_session(guest, world):
    lab, server = world(echo_interval="1s", echo_failures=3)
    session = online(guest, lab)
    guest.pause()
    try:
        began = time.monotonic()
        ended = gone(lab, session, deadline=12)
        assert time.monotonic() - began < 9, "one second, three failures, and what the plane takes"
        assert ended["cause"] == "lost_carrier"
        assert record(server, session, "Stop")["Acct-Terminate-Cause"] == "Lost-Carrier"
    finally:
        guest.resume()
    guest.wait_ended()
    # What was sent while it was away is not taken for life.
    assert not live(lab)


def test_a_change_of_authorization_sets_another_plan_while_it_is_online(guest, world):
    lab, server = world()
    session = online(guest, lab)
    said = server.radclient(f'Acct-Session-Id = "{session["id"]}"\nFilter-Id = "plan:gold"\nEvent-Timestamp = {server.event_timestamp()}\n'
                            "Message-Authenticator = 0x00\n", f"{server.bng}:3799", "coa", check=False)
    assert "CoA-ACK" in said, said
    assert lab.session(session["id"])["service"]["rateDownBps"] == 50_000_000
    assert guest.ping(SERVER_IP)[0] == (3, 3) and not guest.ended()
    said = server.radclient(f'Acct-Session-Id = "{session["id"]}"\nEvent-Timestamp = {server.event_timestamp()}\nMessage-Authenticator = 0x00\n',
                            f"{server.bng}:3799", "disconnect", check=False)
    assert "Disconnect-ACK" in said, said
    guest.wait_ended(deadline=10)
    assert record(server, session, "Stop")["Acct-Terminate-Cause"] == "Admin-Reset"
