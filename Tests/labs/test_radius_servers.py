# SPDX-License-Identifier: Apache-2.0
"""RADIUS servers that reject, challenge, vanish, come back, hold another secret, do not sign, or speak TLS (FEATURES B1, B2, B5).

    cpes ──veth── bridge ──veth── access0 [bng-agent] core0 ──veth── server      controller ──veth── FreeRADIUS, another one
"""
import pytest

from radius_server import Certificates, RADIUSServer, accept, configuration, reject
from topology import Lab, wait_for

KNOWN, REFUSED, CHALLENGED, NEW = (f"02:00:00:00:02:{n:02x}" for n in range(1, 5))
USERS = "\n".join([accept(f'"{KNOWN}"', 'Reply-Message = "%s"'), accept(f'"{NEW}"'), reject(f'"{REFUSED}"', "not today"),
                   f'"{CHALLENGED}" Response-Packet-Type := Access-Challenge, Auth-Type := Accept\n\tState = 0x01\n'])


@pytest.fixture
def lab(tmp_path):
    lab = Lab(tmp_path)
    yield lab
    lab.down()
    for server in getattr(lab, "extra_servers", []):
        server.stop()


def up(lab, servers, **kw):
    lab.config.write_text(lab.config.read_text() + configuration(servers, **kw))
    lab.up()


def server_view(lab, name, role="authentication"):
    return next(s for s in lab.ctl("show", "aaa")["servers"] if s["name"] == name and s["role"] == role)


def plane(lab, name):
    return next((c["value"] for c in lab.ctl("show", "punts") if c["name"] == f"controller.{name}"), 0)


def online(lab, name, mac):
    cpe = lab.cpe(name, mac)
    cpe.udhcpc()
    cpe.wait_address()
    return cpe


def test_accept_reject_and_challenge(lab):
    server = RADIUSServer(lab, users=USERS).start()
    up(lab, [server])
    good = online(lab, "good", KNOWN)
    assert good.ping() == (3, 3)
    for name, mac in (("bad", REFUSED), ("asked", CHALLENGED)):
        before = plane(lab, "rejected")
        lab.cpe(name, mac).udhcpc()
        wait_for("a rejection", lambda: plane(lab, "rejected") > before, 15)
    assert [s["mac"] for s in lab.sessions()] == [KNOWN]
    counters = server_view(lab, "aaa")["counters"]
    assert counters["accepts"] == 1 and counters["rejects"] >= 1 and counters["challenges"] >= 1
    assert "rejected" in lab.ctl("show", "punts", text=True)


def test_nobody_answers_and_then_somebody_does(lab):
    server = RADIUSServer(lab, users=USERS).start()
    up(lab, [server])
    online(lab, "before", KNOWN)
    server.cut()
    late = lab.cpe("late", NEW)
    late.udhcpc()
    wait_for("nobody decides", lambda: plane(lab, "authority_unavailable") > 0, 30)
    wait_for("the server counts as dead", lambda: server_view(lab, "aaa")["state"] == "dead", 60)
    active = [s["mac"] for s in lab.sessions() if s["phase"] == "active"]
    assert active == [KNOWN] and lab.cpes[0].ping() == (3, 3), "a working session suffered"
    server.mend()
    late.wait_address(90)
    assert server_view(lab, "aaa")["state"] == "alive"


def test_fail_over_to_the_next_server_and_back(lab):
    first = RADIUSServer(lab, "first", net=1, users=accept("DEFAULT", 'Reply-Message = "first"')).start()
    second = RADIUSServer(lab, "second", net=2, users=accept("DEFAULT", 'Reply-Message = "second"')).start()
    up(lab, [first, second])

    def served_by(cpe):
        return lab.session(lab.session_of(cpe)["id"])["service"]["replyMessage"]

    assert served_by(online(lab, "a", "02:00:00:00:02:11")) == "first"
    first.kill()
    assert served_by(online(lab, "b", "02:00:00:00:02:12")) == "second"
    first.start()
    wait_for("the first may be asked again", lambda: server_view(lab, "first")["state"] != "dead", 60)
    assert served_by(online(lab, "c", "02:00:00:00:02:13")) == "first"


def test_load_is_balanced(lab):
    first = RADIUSServer(lab, "first", net=1, users=accept("DEFAULT")).start()
    second = RADIUSServer(lab, "second", net=2, users=accept("DEFAULT")).start()
    up(lab, [first, second], authentication=", policy: load-balance")
    for index in range(8):
        cpe = lab.cpe(f"c{index}", f"02:00:00:00:02:{0x20 + index:02x}")
        cpe.udhcpc()
    wait_for("all online", lambda: len([s for s in lab.sessions() if s["phase"] == "active"]) == 8, 40)
    counts = [server_view(lab, n)["counters"].get("accepts", 0) for n in ("first", "second")]
    assert sum(counts) >= 8 and min(counts) >= 1, counts


def test_a_wrong_secret_grants_nothing_and_is_counted(lab):
    server = RADIUSServer(lab, users=USERS).start()
    server.secret_file.write_text("another-secret\n")
    up(lab, [server])
    lab.cpe("good", KNOWN).udhcpc()
    wait_for("nobody decides", lambda: plane(lab, "authority_unavailable") > 0, 30)
    assert lab.sessions() == [] or all(s["phase"] != "active" for s in lab.sessions())
    assert server_view(lab, "aaa")["counters"].get("accepts", 0) == 0


def test_an_answer_without_message_authenticator_is_not_believed(lab):
    server = RADIUSServer(lab, users=USERS, signs=False).start()
    up(lab, [server])
    lab.cpe("good", KNOWN).udhcpc()
    wait_for("it is counted", lambda: server_view(lab, "aaa")["counters"].get("missingMessageAuthenticator", 0) > 0, 30)
    assert all(s["phase"] != "active" for s in lab.sessions())


def test_believing_unsigned_answers_is_a_choice_that_is_warned_of(lab):
    server = RADIUSServer(lab, users=USERS, signs=False).start()
    server.settings["require-message-authenticator"] = "false"
    up(lab, [server])
    online(lab, "good", KNOWN)
    assert "CVE-2024-3596" in (lab.dir / "controller.log").read_text()


def test_radsec(lab):
    certificates = Certificates(lab.dir / "tls")
    server = RADIUSServer(lab, users=USERS, radsec=certificates).start()
    tls = certificates.dir

    def yaml(**_):
        return (f"{{name: aaa, tls: {{host: {server.address}, port: 2083, certificate: {tls}/client.pem, key: {tls}/client.key, "
                f"authority: {tls}/ca.pem}}}}")
    server.yaml = yaml
    up(lab, [server])
    cpe = online(lab, "good", KNOWN)
    assert cpe.ping() == (3, 3)
    session = lab.session_of(cpe)["id"]
    wait_for("accounting over TLS", lambda: server.records(session, "Start"), 15)
    server.restart()
    other = online(lab, "new", NEW)
    assert other.ping() == (3, 3), "the connection was not opened again"


def test_a_server_that_is_away_serves_what_is_known_if_policy_says_so(lab):
    server = RADIUSServer(lab, users=accept(f'"{KNOWN}"', "Idle-Timeout = 777")).start()
    up(lab, [server], more="  on-unavailable: last-known")
    cpe = online(lab, "good", KNOWN)
    first = lab.session_of(cpe)["id"]
    cpe.stop()
    lab.ctl("clear", "session", first)
    wait_for("it has ended", lambda: lab.session(first)["phase"] == "terminated", 10)
    server.cut()
    cpe.run("ip addr flush dev wan")
    cpe.udhcpc()
    cpe.wait_address(60)
    served = lab.session(lab.session_of(cpe)["id"])["service"]
    assert served["source"] == "cached" and served["idleTimeoutSeconds"] == 777


def test_a_locked_out_line_costs_the_server_nothing(lab):
    server = RADIUSServer(lab, users=USERS).start()
    up(lab, [server], more="  on-reject: lock-out\n  lock-out: {after: 2, for: 1h}")
    lab.cpe("bad", REFUSED).start("udhcpc", ["udhcpc", "-f", "-i", "wan", "-s", "/bin/true", "-t", "20", "-T", "1"])
    wait_for("locked out", lambda: plane(lab, "locked_out") >= 3, 40)
    assert server_view(lab, "aaa")["counters"]["rejects"] == 2
