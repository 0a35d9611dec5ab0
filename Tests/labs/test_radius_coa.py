# SPDX-License-Identifier: Apache-2.0
"""RFC 5176 with radclient (FEATURES B6): plans change under traffic without a gap, sessions end in both planes, and whoever
forges, replays or asks for nonsense gets nothing.

    cpes ──veth── bridge ──veth── access0 [bng-agent] core0 ──veth── server      controller ──veth── FreeRADIUS with radclient
"""
import json
import re
import sys
import time

import pytest

from radius_server import SECRET, RADIUSServer, accept, configuration
from topology import ROOT, SERVER_IP, Flood, Lab, Process, sh, wait_for

sys.path.insert(0, str(ROOT / "Tests" / "support"))
import radius_packet as rp  # noqa: E402

POLICY = """
plans:
  - {name: basic, rate-up: 4Mbit, rate-down: 16Mbit}
  - {name: gold, version: 2, rate-up: 20Mbit, rate-down: 50Mbit}
  - {name: walled, filter: nothing, garden: true}
filters:
  - {name: nothing, default: deny}
"""
RULES = """  rules:
    - {attribute: Filter-Id, match: "plan:{plan}"}
    - {attribute: Mikrotik-Rate-Limit, match: "{up}/{down}"}"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("coa"))
    server = RADIUSServer(lab, users=accept("DEFAULT")).start()
    lab.config.write_text(lab.config.read_text() + configuration([server], POLICY, RULES, more="  default-plan: basic"))
    lab.up()
    yield lab, server
    lab.down()
    server.stop()


def online(lab, n):
    cpe = lab.cpe(f"h{n}", f"02:00:00:00:03:{n:02x}")
    cpe.udhcpc()
    cpe.wait_address()
    return cpe, lab.session_of(cpe)["id"]


def radclient(server, kind, *attributes, secret=None):
    lines = [*attributes, f"Event-Timestamp = {server.event_timestamp()}", "Message-Authenticator = 0x00"]
    return server.radclient("\n".join(lines) + "\n", f"{server.bng}:3799", kind, secret=secret, check=False)


def counters(lab):
    return lab.ctl("show", "aaa")["dynamicAuthorization"]


def service(lab, session):
    return lab.session(session)["service"]


def test_a_plan_changes_under_traffic_without_a_gap(world):
    lab, server = world
    cpe, session = online(lab, 1)
    iperf_server = Process("iperf3", ["iperf3", "-s"], lab.dir / "iperf3.log", ns="server")
    wait_for("iperf3 listens", lambda: ":5201" in sh("ss -Hlnt", ns="server"), 10)
    flood = Flood(cpe)
    run = cpe.start("iperf", ["iperf3", "-J", "-u", "-l", "1372", "-t", "8", "-i", "1", "-b", "3M", "-c", SERVER_IP])
    for plan, rate in (("gold", 20_000_000), ("basic", 4_000_000), ("gold", 20_000_000)):
        said = radclient(server, "coa", f'Acct-Session-Id = "{session}"', f'Filter-Id = "plan:{plan}"')
        assert "CoA-ACK" in said, said
        # The ACK came after the data plane's answer, so there is nothing to wait for.
        assert service(lab, session)["rateUpBps"] == rate
        assert lab.audit_differences() == 0
    run.popen.wait(30)
    sent, received = flood.stop()
    assert sent == received, f"{sent - received} of {sent} pings lost"
    result = json.loads((lab.dir / "h1-iperf.log").read_text())
    assert all(i["sum"]["packets"] > 0 for i in result["intervals"])
    assert result["end"]["sum"]["lost_packets"] == 0, result["end"]["sum"]
    iperf_server.kill()
    assert [n["kind"] for n in lab.session(session)["notes"]] == ["changed"] * 3


def test_a_new_rate_acts(world):
    lab, server = world
    cpe, session = online(lab, 2)
    said = radclient(server, "coa", f'User-Name = "{cpe.mac}"', 'Mikrotik-Rate-Limit = "1M/2M"')
    assert "CoA-ACK" in said, said
    assert (service(lab, session)["rateUpBps"], service(lab, session)["rateDownBps"]) == (1_000_000, 2_000_000)


def test_a_garden_closes_and_opens(world):
    lab, server = world
    cpe, session = online(lab, 3)
    assert cpe.ping() == (3, 3)
    assert "CoA-ACK" in radclient(server, "coa", f"Framed-IP-Address = {cpe.address()}", 'Filter-Id = "plan:walled"')
    assert cpe.ping(count=2)[1] == 0
    assert "CoA-ACK" in radclient(server, "coa", f'Calling-Station-Id = "{cpe.mac.upper().replace(":", "-")}"', 'Filter-Id = "plan:basic"')
    assert cpe.ping() == (3, 3)


def test_a_disconnect_ends_the_session_in_both_planes(world):
    lab, server = world
    cpe, session = online(lab, 4)
    cpe.stop()

    def active():
        return len([s for s in lab.sessions() if s["phase"] == "active"])

    installed = wait_for("the node's count", lambda: lab.node()["sessionsInstalled"] == active() and active(), 10)
    said = radclient(server, "disconnect", f'Acct-Session-Id = "{session}"')
    assert "Disconnect-ACK" in said, said
    assert lab.session(session)["phase"] == "terminated" or lab.session(session)["cause"] == "admin_reset"
    wait_for("the node's count", lambda: lab.node()["sessionsInstalled"] == installed - 1, 10)
    assert cpe.ping(count=2, wait=1)[1] == 0
    stop = wait_for("the stop record", lambda: server.records(session, "Stop"), 10)[0]
    assert stop["Acct-Terminate-Cause"] == "Admin-Reset"


def test_a_timeout_may_be_changed_and_a_past_one_ends_the_session(world):
    lab, server = world
    cpe, session = online(lab, 5)
    assert "CoA-ACK" in radclient(server, "coa", f'Acct-Session-Id = "{session}"', "Session-Timeout = 3600", "Idle-Timeout = 600")
    assert service(lab, session)["sessionTimeoutSeconds"] == 3600 and service(lab, session)["idleTimeoutSeconds"] == 600
    cpe.stop()
    radclient(server, "coa", f'Acct-Session-Id = "{session}"', "Session-Timeout = 1")
    wait_for("it ends", lambda: lab.session(session)["phase"] == "terminated", 15)
    assert lab.session(session)["cause"] == "session_timeout"


@pytest.mark.parametrize("attributes, cause", [
    (['Acct-Session-Id = "1-999999"', 'Filter-Id = "plan:gold"'], "Session-Context-Not-Found"),
    (["h6", 'Filter-Id = "plan:platinum"'], "Invalid-Attribute-Value"),
    (["h6", 'Filter-Id = "no-such-filter"'], "Invalid-Attribute-Value"),
    (["h6", "Framed-Protocol = PPP"], "Unsupported-Attribute"),
    (['Filter-Id = "plan:gold"'], "Missing-Attribute"),
    (["h6"], "Missing-Attribute"),
    (["h6", "NAS-IP-Address = 203.0.113.99", 'Filter-Id = "plan:gold"'], "NAS-Identification-Mismatch"),
])
def test_what_cannot_be_done_is_refused_with_the_reason(world, attributes, cause):
    lab, server = world
    if not any(c.name == "h6" for c in lab.cpes):
        online(lab, 6)
    cpe = next(c for c in lab.cpes if c.name == "h6")
    session = lab.session_of(cpe)["id"]
    before = service(lab, session)
    said = radclient(server, "coa", *[f'Acct-Session-Id = "{session}"' if a == "h6" else a for a in attributes])
    assert "CoA-NAK" in said and cause in said, said
    assert re.search(r"Reply-Message = \"[^\"]{8,}\"", said), said
    assert service(lab, session) == before, "a refused request left something behind"


def test_forged_stale_unsigned_and_replayed_requests_do_nothing(world):
    lab, server = world
    cpe, session = online(lab, 7)
    to = f"{server.bng} 3799"
    attributes = [(rp.ACCT_SESSION_ID, session), (rp.FILTER_ID, "plan:gold")]

    def send(packet, wait=2):
        """From the server's namespace, as everything a client sends."""
        code = (f"import sys; sys.path.insert(0, '{ROOT}/Tests/support'); import radius_packet as rp; "
                f"answer = rp.exchange(bytes.fromhex('{packet.hex()}'), ('{server.bng}', 3799), {wait}, ('{server.address}', 40001)); "
                "print(answer[0] if answer else None)")
        return sh(["/usr/bin/python3", "-c", code], ns=server.name).strip()

    def plan():
        return service(lab, session)["plan"]

    assert to and plan() == "basic"
    before = counters(lab)
    assert send(rp.request(rp.COA, 1, attributes, "wrong-secret")) == "None"
    assert send(rp.request(rp.COA, 2, attributes, SECRET, timestamp=int(time.time()) - 4000)) == "None"
    assert send(rp.request(rp.COA, 3, attributes, SECRET, timestamp=0)) == "None"
    assert send(rp.request(rp.COA, 4, attributes, SECRET, signed=False)) == "None"
    tampered = bytearray(rp.request(rp.COA, 5, attributes, SECRET))
    tampered[25] ^= 1
    assert send(bytes(tampered)) == "None"
    for junk in (b"", b"\x2b", bytes(19), bytes([43, 1, 255, 255]) + bytes(40), bytes([43, 1, 0, 22]) + bytes(16) + b"\x01\x00"):
        assert send(junk, 1) == "None"
    assert plan() == "basic"
    genuine = rp.request(rp.COA, 6, attributes, SECRET)
    assert send(genuine) == str(rp.COA_ACK) and plan() == "gold"
    changes = len(lab.session(session)["notes"])
    assert "CoA-ACK" in radclient(server, "coa", f'Acct-Session-Id = "{session}"', 'Filter-Id = "plan:basic"')
    # The copy is known as one: answered as before, or not at all, and nothing is carried out again.
    assert send(genuine) in (str(rp.COA_ACK), "None")
    assert plan() == "basic" and len(lab.session(session)["notes"]) == changes + 1
    after = counters(lab)
    grown = {k for k in after if after[k] > before.get(k, 0)}
    assert {"badAuthenticator", "stale", "missingMessageAuthenticator", "malformed"} <= grown, (before, after)
    stranger = sh(["/usr/bin/python3", "-c", f"import sys; sys.path.insert(0, '{ROOT}/Tests/support'); import radius_packet as rp; "
                   f"print(rp.exchange(bytes.fromhex('{genuine.hex()}'), ('127.0.0.1', 3799), 1))"]).strip()
    assert stranger == "None" and counters(lab)["unknownClient"] > before.get("unknownClient", 0)
    assert lab.controller.alive()


def test_a_change_for_a_node_that_is_away_is_not_acknowledged(world):
    lab, server = world
    cpe, session = online(lab, 8)
    lab.agent.kill()
    wait_for("the node is away", lambda: lab.node()["state"] == "unreachable", 15)
    said = radclient(server, "coa", f'Acct-Session-Id = "{session}"', 'Filter-Id = "plan:gold"')
    assert "CoA-NAK" in said and "Resources-Unavailable" in said, said
    lab.start_agent()
    assert lab.audit_differences() == 0
