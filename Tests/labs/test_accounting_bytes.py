# SPDX-License-Identifier: Apache-2.0
"""Accounting adds up (FEATURES B4): a customer sends a known number of bytes, FreeRADIUS' detail file says the same number, also
over a kill -9 of the agent, of the controller and of the RADIUS server in the middle.

    cpe ──veth── bridge ──veth── access0 [bng-agent] core0 ──veth── server (a UDP sink)      controller ──veth── FreeRADIUS
"""
import pytest

from radius_server import RADIUSServer, accept, configuration
from topology import SERVER_IP, Lab, Process, sh, wait_for

PAYLOAD, PACKETS = 972, 500  # 1,000-byte IP packets
SINK = "import socket,sys\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\ns.bind((sys.argv[1],7000))\nwhile True:\n p,a=s.recvfrom(2048)\n s.sendto(p,a)\n"
SEND = ("import socket,sys\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\ns.settimeout(5)\ns.connect((sys.argv[1],7000))\n"
        "for i in range(int(sys.argv[2])):\n s.send(bytes(int(sys.argv[3])))\n assert len(s.recv(2048))==int(sys.argv[3])\n")


@pytest.fixture
def world(tmp_path):
    lab = Lab(tmp_path)
    server = RADIUSServer(lab, users=accept("DEFAULT", "Acct-Interim-Interval = 2", 'Class = "gold-1"')).start()
    lab.config.write_text(lab.config.read_text() + configuration([server], rules="  minimum-interim: 1s"))
    lab.up()
    (lab.dir / "sink.py").write_text(SINK)
    (lab.dir / "send.py").write_text(SEND)
    sink = Process("sink", ["/usr/bin/python3", lab.dir / "sink.py", SERVER_IP], lab.dir / "sink.log", ns="server")
    wait_for("the sink listens", lambda: ":7000" in sh("ss -Hlnu", ns="server"), 10)
    yield lab, server
    sink.kill()
    lab.down()
    server.stop()


def send(lab, cpe, packets=PACKETS):
    """Every packet is echoed, so both directions carry the same."""
    cpe.run(f"/usr/bin/python3 {lab.dir}/send.py {SERVER_IP} {packets} {PAYLOAD}", timeout=60)
    return packets


def octets(record, kind):
    return int(record[f"Acct-{kind}-Octets"]) + (int(record.get(f"Acct-{kind}-Gigawords", 0)) << 32)


def online(lab):
    cpe = lab.cpe("home", "02:00:00:00:04:01")
    cpe.udhcpc()
    cpe.wait_address()
    session = lab.session_of(cpe)["id"]
    # Nothing but what `send` sends: the resolver has its neighbour, the client sleeps until it renews.
    cpe.ping(count=1)
    return cpe, session, lab.session(session)["counters"]


def check(lab, server, cpe, session, before, sent):
    cpe.stop()
    lab.ctl("clear", "session", session)
    stop = wait_for("the stop record", lambda: server.records(session, "Stop"), 30)
    assert len(stop) == 1
    for kind, direction in (("Input", "up"), ("Output", "down")):
        assert int(stop[0][f"Acct-{kind}-Packets"]) == before[f"{direction}Packets"] + sent, stop[0]
        assert octets(stop[0], kind) == before[f"{direction}Bytes"] + sent * (PAYLOAD + 28), stop[0]
    records = server.records(session)
    assert [r["Acct-Status-Type"] for r in records][0] == "Start" and records[-1]["Acct-Status-Type"] == "Stop"
    assert all(r["Class"] == "0x676f6c642d31" and r["User-Name"] == cpe.mac for r in records)
    for kind in ("Input", "Output"):
        values = [octets(r, kind) for r in records if r["Acct-Status-Type"] != "Start"]
        assert values == sorted(values), f"{kind} went backwards: {values}"
    times = [int(r["Acct-Session-Time"]) for r in records if "Acct-Session-Time" in r]
    assert times == sorted(times)
    # A record whose answer was lost with the killed server may come a second time, equal to the letter but for its delay.
    seen = {}
    for record in records:
        key = (record["Acct-Status-Type"], record["Event-Timestamp"], record.get("Acct-Session-Time"))
        facts = {k: v for k, v in record.items() if k not in ("Acct-Delay-Time", "Timestamp", "Acct-Unique-Session-Id")}
        assert seen.setdefault(key, facts) == facts
    return records, len(records) - len(seen)


def test_the_detail_file_says_the_bytes_that_were_sent(world):
    lab, server = world
    cpe, session, before = online(lab)
    sent = sum(send(lab, cpe) for _ in range(3))
    wait_for("interims", lambda: len(server.records(session, "Interim-Update")) >= 2, 20)
    records, doubled = check(lab, server, cpe, session, before, sent)
    assert doubled == 0


def test_the_bytes_add_up_over_a_kill_of_every_process(world):
    lab, server = world
    cpe, session, before = online(lab)
    sent = send(lab, cpe)
    wait_for("an interim", lambda: server.records(session, "Interim-Update"), 20)
    lab.agent.kill()
    sent += send(lab, cpe)
    lab.start_agent()
    sent += send(lab, cpe)
    lab.controller.kill()
    sent += send(lab, cpe)
    lab.start_controller()
    wait_for("the node is back", lambda: lab.node_settled(1), 30)
    server.kill()
    sent += send(lab, cpe)
    server.start()
    count = len(server.records(session, "Interim-Update"))
    wait_for("interims go on", lambda: len(server.records(session, "Interim-Update")) > count + 1, 60)
    sent += send(lab, cpe)
    assert lab.session_of(cpe)["id"] == session, "the session did not survive"
    records, doubled = check(lab, server, cpe, session, before, sent)
    assert len([r for r in records if r["Acct-Status-Type"] == "Start"]) == 1
    assert doubled <= 1


def test_the_bytes_add_up_when_the_node_loses_its_counters(world):
    """A host reboot: the maps are gone. What was counted since the last report is lost, nothing else."""
    lab, server = world
    cpe, session, before = online(lab)
    sent = send(lab, cpe)
    expected = before["upBytes"] + sent * (PAYLOAD + 28)
    wait_for("an interim with all of it", lambda: any(octets(r, "Input") == expected for r in server.records(session, "Interim-Update")), 20)
    lab.agent.kill()
    sh([lab.agent_binary(), "--config", lab.agent_config, "--detach"])
    lab.start_agent()
    wait_for("the session is back", lambda: lab.node()["sessionsInstalled"] == 1, 20)
    cpe.ping(count=1)
    lost = lab.session(session)["counters"]["upBytes"]
    assert lost >= expected
    sent_after = send(lab, cpe)
    cpe.stop()
    lab.ctl("clear", "session", session)
    stop = wait_for("the stop record", lambda: server.records(session, "Stop"), 30)[0]
    assert octets(stop, "Input") == lost + sent_after * (PAYLOAD + 28)


def test_accounting_on_comes_once_for_a_node_and_not_for_a_restart(world):
    lab, server = world
    on = wait_for("Accounting-On", lambda: server.records(kind="Accounting-On"), 20)
    assert [r["NAS-Identifier"] for r in on] == ["edge1"]
    cpe, session, _ = online(lab)
    lab.controller.kill()
    lab.start_controller()
    wait_for("the node is back", lambda: lab.node_settled(1), 30)
    count = len(server.records(session, "Interim-Update"))
    wait_for("accounting goes on", lambda: len(server.records(session, "Interim-Update")) > count, 20)
    assert len(server.records(kind="Accounting-On")) == 1 and len(server.records(session, "Start")) == 1
