# SPDX-License-Identifier: Apache-2.0
"""Local AAA (FEATURES B7, A12, B3): a directory by file and by bngctl decides who is served, with what, and a change acts on
living sessions. Nothing but the controller is asked.

    cpes ──veth── bridge ──veth── access0 [bng-agent] core0 ──veth── server      bngctl ── admin socket
"""
import time

import pytest

from topology import Lab, wait_for

POLICY = """
plans:
  - {name: basic, version: 1, rate-up: 2Mbit, rate-down: 8Mbit}
  - {name: gold, version: 3, rate-up: 20Mbit, rate-down: 100Mbit, idle-timeout: 30m, dns: [192.0.2.99], sessions-per-user: 1}
  - {name: walled, filter: allow-portal, garden: true}
filters:
  - name: allow-portal
    default: deny
    rules: [{action: permit, remote: 198.51.100.2/32, protocol: tcp, ports: 80}]
aaa:
  chain: [local]
  user-name: "{mac}"
  default-plan: basic
  on-reject: garden
  garden-plan: walled
"""


@pytest.fixture
def lab(tmp_path):
    lab = Lab(tmp_path, policy=POLICY).up()
    yield lab
    lab.down()


def service(lab, cpe):
    return lab.session(lab.session_of(cpe)["id"])["service"]


def fetch(cpe):
    return "hello" in cpe.run("curl -s -m 5 http://198.51.100.2/hello.txt", check=False)


def test_a_subscriber_is_added_changed_suspended_and_resumed_while_its_session_lives(lab):
    cpe = lab.cpe("home", "02:00:00:00:00:01")
    lab.ctl("subscriber", "add", cpe.mac, "--plan", "gold")
    cpe.udhcpc()
    cpe.wait_address()
    assert cpe.ping() == (3, 3) and fetch(cpe)
    served = service(lab, cpe)
    assert (served["plan"], served["source"], served["planVersion"]) == ("gold", "local", 3)
    assert (served["rateDownBps"], served["rateUpBps"], served["dns"]) == (100_000_000, 20_000_000, ["192.0.2.99"])
    session = lab.session_of(cpe)["id"]

    lab.ctl("subscriber", "suspend", cpe.mac)
    wait_for("suspended customers land in the garden", lambda: service(lab, cpe)["isGarden"], 10)
    assert lab.session_of(cpe)["id"] == session, "the session was torn down"
    assert fetch(cpe), "the garden's allow list is closed"
    assert cpe.ping(count=2)[1] == 0, "the garden is open"

    lab.ctl("subscriber", "resume", cpe.mac)
    wait_for("resumed", lambda: service(lab, cpe)["plan"] == "gold" and not service(lab, cpe)["isGarden"], 10)
    assert cpe.ping() == (3, 3)
    lab.ctl("subscriber", "set", cpe.mac, "--plan", "basic")
    wait_for("the new plan", lambda: service(lab, cpe)["rateDownBps"] == 8_000_000, 10)
    notes = lab.session(session)["notes"]
    assert [n["kind"] for n in notes] == ["reauthenticated"] * 3 and "plan=basic" in notes[-1]["text"]
    assert lab.audit_differences() == 0


def test_an_unknown_line_lands_in_the_garden_and_leaves_it_when_it_becomes_known(lab):
    cpe = lab.cpe("new", "02:00:00:00:00:02")
    cpe.udhcpc()
    cpe.wait_address()
    served = service(lab, cpe)
    assert served["isGarden"] and served["source"] == "garden" and "unknown" in served["replyMessage"]
    assert fetch(cpe) and cpe.ping(count=2)[1] == 0
    wait_for("the drops are reported", lambda: lab.counter("drop.filtered") >= 2, 5)
    lab.ctl("subscriber", "add", cpe.mac, "--plan", "basic")
    wait_for("served", lambda: service(lab, cpe)["source"] == "local", 10)
    assert cpe.ping() == (3, 3)


def test_grants_survive_a_restart_and_a_changed_plan_reprograms_its_sessions(lab):
    cpe = lab.cpe("home", "02:00:00:00:00:03")
    lab.ctl("subscriber", "add", cpe.mac, "--plan", "gold")
    cpe.udhcpc()
    cpe.wait_address()
    session = lab.session_of(cpe)["id"]
    lab.controller.kill()
    lab.config.write_text(lab.config.read_text().replace("version: 3, rate-up: 20Mbit", "version: 4, rate-up: 40Mbit"))
    before = int(time.time() * 1000)
    lab.start_controller()
    wait_for("node back", lambda: lab.node_settled(before - 1000), 20)
    assert lab.session_of(cpe)["id"] == session
    served = service(lab, cpe)
    assert (served["planVersion"], served["rateUpBps"], served["source"]) == (4, 40_000_000, "local")
    assert cpe.ping() == (3, 3)
    assert lab.audit_differences() == 0


def test_a_plan_with_one_session_per_user_ends_the_older_one(tmp_path):
    lab = Lab(tmp_path, policy=POLICY.replace('user-name: "{mac}"', 'user-name: "{host-name}"')).up()
    try:
        lab.ctl("subscriber", "add", "alice", "--plan", "gold")
        first = lab.cpe("one", "02:00:00:00:00:04")
        first.udhcpc("-x", "hostname:alice")
        first.wait_address()
        old = lab.session_of(first)["id"]
        second = lab.cpe("two", "02:00:00:00:00:05")
        second.udhcpc("-x", "hostname:alice")
        second.wait_address()
        wait_for("the older session ends", lambda: lab.session(old)["phase"] == "terminated", 10)
        assert lab.session(old)["cause"] == "replaced"
        assert [s["service"]["userName"] for s in lab.sessions()] == ["alice"]
        history = lab.ctl("show", "history", "--user", "alice")
        assert [h["id"] for h in history] == [old]
    finally:
        lab.down()
