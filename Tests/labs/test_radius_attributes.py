# SPDX-License-Identifier: Apache-2.0
"""Every attribute billing depends on acts (FEATURES B3), granted by FreeRADIUS, seen from the customer, the server behind the core
port and bngctl. One customer per attribute; IPv6 attributes belong to the labs of IPv6.

    cpes ──veth── bridge ──veth── access0 [bng-agent] core0 ──veth── server      controller ──veth── FreeRADIUS
"""
import json
import re

import pytest

from radius_server import RADIUSServer, accept, configuration, reject
from topology import CORE_IP, SERVER_IP, Lab, sh, wait_for

POLICY = """
plans:
  - {name: basic, rate-up: 4Mbit, rate-down: 16Mbit}
  - {name: gold, version: 2, rate-up: 20Mbit, rate-down: 50Mbit}
filters:
  - name: no-web
    default: permit
    rules: [{action: deny, direction: up, protocol: tcp, ports: 80}]
"""
RULES = """  minimum-interim: 1s
  rules:
    - {attribute: Mikrotik-Rate-Limit, match: "{up}/{down}"}
    - {attribute: Filter-Id, match: "plan:{plan}"}"""
SPARE = """  - name: spare
    vrf: 0
    prefix: 100.80.0.0/20
    gateway: 100.80.0.1
    ranges: [100.80.4.1-100.80.4.200]
    lease: 1h
    quarantine: 2s"""
MACS = {name: f"02:00:00:00:01:{index:02x}" for index, name in enumerate(
    ["address", "netmask", "pool", "route", "timeout", "idle", "busy", "class", "interim", "filter", "limit1", "limit2", "action", "reply",
     "dns", "rate", "plan", "default"])}


def user(name, *attributes):
    return accept(f'"{MACS[name]}"', *attributes)


USERS = "\n".join([
    user("address", "Framed-IP-Address = 100.64.200.7"),
    user("netmask", "Framed-IP-Netmask = 255.255.255.0"),
    user("pool", 'Framed-Pool = "spare"'),
    user("route", 'Framed-Route = "10.9.0.0/28 0.0.0.0 1"'),
    user("timeout", "Session-Timeout = 5"),
    user("idle", "Idle-Timeout = 4"),
    user("busy", "Idle-Timeout = 4"),
    user("class", 'Class = "one"', 'Class += "two"', 'Chargeable-User-Identity = "cui-7"'),
    user("interim", "Acct-Interim-Interval = 2"),
    user("filter", 'Filter-Id = "no-web"'),
    user("limit1", "Port-Limit = 1", 'User-Name = "family"'),
    user("limit2", "Port-Limit = 1", 'User-Name = "family"'),
    user("action", "Session-Timeout = 8", "Termination-Action = RADIUS-Request"),
    user("reply", 'Reply-Message = "welcome back"'),
    user("dns", "MS-Primary-DNS-Server = 192.0.2.201", "MS-Secondary-DNS-Server = 192.0.2.202"),
    user("rate", 'Mikrotik-Rate-Limit = "2M/8M"'),
    user("plan", 'Filter-Id = "plan:gold"'),
    user("default"),
    reject("DEFAULT", "unknown line"),
])


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    directory = tmp_path_factory.mktemp("radius")
    lab = Lab(directory, extra_pool=SPARE)
    text = lab.config.read_text().replace("    pool: residential\n", "    pool: [residential, spare]\n")
    server = RADIUSServer(lab, users=USERS).start()
    lab.config.write_text(text + configuration([server], POLICY, RULES, more="  default-plan: basic"))
    lab.up()
    sh(f"ip route add 100.80.0.0/20 via {CORE_IP}", ns="server")
    yield lab, server
    lab.down()
    server.stop()


def online(world, name, client="udhcpc"):
    lab, _ = world
    cpe = lab.cpe(name, MACS[name])
    getattr(cpe, client)()
    cpe.wait_address()
    return lab, cpe, lab.session(lab.session_of(cpe)["id"])


def ended(lab, session, cause, deadline=20):
    wait_for(f"{session} ends", lambda: lab.session(session)["phase"] == "terminated", deadline)
    assert lab.session(session)["cause"] == cause


def test_framed_ip_address_is_the_address_the_customer_gets(world):
    lab, cpe, session = online(world, "address")
    assert cpe.address() == session["address"] == session["service"]["framedAddress"] == "100.64.200.7"
    assert cpe.ping() == (3, 3)


def test_framed_ip_netmask_reaches_the_customer(world):
    lab, cpe, session = online(world, "netmask")
    assert session["service"]["prefixLength"] == 24
    assert re.search(r"inet 100\.64\.\d+\.\d+/24", cpe.run("ip -4 addr show dev wan")) or \
        "/255.255.255.0" in cpe.run("ip -4 addr show dev wan")


def test_framed_pool_chooses_the_pool(world):
    lab, cpe, session = online(world, "pool")
    assert session["pool"] == "spare" and cpe.address().startswith("100.80.4.")
    assert cpe.ping() == (3, 3)


def test_framed_route_leads_to_hosts_behind_the_customer_and_goes_with_the_session(world):
    lab, cpe, session = online(world, "route")
    assert session["service"]["routes"] == ["10.9.0.0/28"]
    cpe.run("ip addr add 10.9.0.1/32 dev lo")
    sh(f"ip route replace 10.9.0.0/24 via {CORE_IP}", ns="server")
    assert " 0% packet loss" in sh("ping -n -c 3 -i 0.2 -W 2 10.9.0.1", ns="server", check=False)
    assert " 0% packet loss" in cpe.run(f"ping -n -c 3 -i 0.2 -W 2 -I 10.9.0.1 {SERVER_IP}", check=False)
    cpe.run("ip addr add 10.9.0.20/32 dev lo")
    spoofed = lab.counter("drop.spoofed_source")
    cpe.run(f"ping -n -c 2 -i 0.2 -W 1 -I 10.9.0.20 {SERVER_IP}", check=False)
    # Agents report counters once a second.
    wait_for("an address outside the route is refused", lambda: lab.counter("drop.spoofed_source") == spoofed + 2, 5)
    cpe.stop()
    lab.ctl("clear", "session", session["id"])
    ended(lab, session["id"], "admin_reset")
    assert "100% packet loss" in sh("ping -n -c 2 -i 0.2 -W 1 10.9.0.1", ns="server", check=False)


def test_session_timeout_ends_the_session_and_says_so_in_accounting(world):
    lab, cpe, session = online(world, "timeout")
    cpe.stop()
    ended(lab, session["id"], "session_timeout")
    stop = wait_for("the stop record", lambda: world[1].records(session["id"], "Stop"), 10)[0]
    assert stop["Acct-Terminate-Cause"] == "Session-Timeout" and 5 <= int(stop["Acct-Session-Time"]) <= 8


def test_idle_timeout_ends_a_silent_session_and_no_other(world):
    lab, busy, kept = online(world, "busy")
    flood = busy.start("ping", ["ping", "-n", "-q", "-i", "0.5", SERVER_IP])
    lab, cpe, session = online(world, "idle")
    cpe.stop()
    ended(lab, session["id"], "idle_timeout", 30)
    stop = wait_for("the stop record", lambda: world[1].records(session["id"], "Stop"), 10)[0]
    assert stop["Acct-Terminate-Cause"] == "Idle-Timeout"
    assert lab.session(kept["id"])["phase"] == "active"
    flood.kill()


def test_class_comes_back_in_every_record_in_order(world):
    lab, cpe, session = online(world, "class")
    cpe.stop()
    lab.ctl("clear", "session", session["id"])
    wait_for("the stop record", lambda: world[1].records(session["id"], "Stop"), 10)
    for record in world[1].records(session["id"]):
        assert record["Class"] == ["0x6f6e65", "0x74776f"] and record["Chargeable-User-Identity"] == "0x6375692d37", record


def test_acct_interim_interval_sets_the_rhythm_of_interim_records(world):
    lab, cpe, session = online(world, "interim")
    assert session["service"]["interimSeconds"] == 2
    wait_for("three interims", lambda: len(world[1].records(session["id"], "Interim-Update")) >= 3, 20)
    times = [int(r["Acct-Session-Time"]) for r in world[1].records(session["id"], "Interim-Update")]
    assert all(1 <= b - a <= 3 for a, b in zip(times, times[1:])), times


def test_filter_id_names_a_filter_that_is_applied(world):
    lab, cpe, session = online(world, "filter")
    assert session["service"]["filter"] == "no-web"
    assert cpe.ping() == (3, 3)
    assert "hello" not in cpe.run(f"curl -s -m 2 http://{SERVER_IP}/hello.txt", check=False)
    assert lab.session(session["id"])["counters"]["lastDropReason"] == "filtered"


def test_port_limit_bounds_the_sessions_of_a_user(world):
    lab, first, old = online(world, "limit1")
    first.stop()
    lab, second, new = online(world, "limit2")
    assert new["service"]["userName"] == "family" and new["service"]["sessionsPerUser"] == 1
    ended(lab, old["id"], "replaced")
    stop = wait_for("the stop record", lambda: world[1].records(old["id"], "Stop"), 10)[0]
    assert stop["Acct-Terminate-Cause"] == "Port-Preempted"


def test_termination_action_asks_again_instead_of_ending(world):
    lab, cpe, session = online(world, "action")
    flood = cpe.start("ping", ["ping", "-n", "-q", "-i", "0.2", SERVER_IP])
    first = session["service"]["endsMs"]
    wait_for("authenticated again", lambda: lab.session(session["id"])["service"]["endsMs"] > first, 20)
    after = lab.session(session["id"])
    assert after["phase"] == "active" and [n["kind"] for n in after["notes"]][:1] == ["reauthenticated"]
    wait_for("past the first end", lambda: sh("date +%s%3N").strip() > str(first + 1000), 20)
    assert cpe.ping() == (3, 3)
    flood.kill()


def test_reply_message_is_shown(world):
    lab, cpe, session = online(world, "reply")
    assert session["service"]["replyMessage"] == "welcome back"
    assert "welcome back" in lab.ctl("show", "session", session["id"], text=True)


def test_dns_servers_of_aaa_reach_the_customer_on_both_paths(world):
    lab, cpe, session = online(world, "dns", client="dhclient")
    assert session["service"]["dns"] == ["192.0.2.201", "192.0.2.202"]
    leases, expected = lab.dir / "dns.etc" / "dhclient.leases", "domain-name-servers 192.0.2.201,192.0.2.202"
    wait_for("the lease is written", lambda: leases.read_text().count(expected) >= 1, 10)
    before = lab.fast_path_replies(cpe)
    cpe.stop()
    cpe.dhclient()
    wait_for("the data plane answers", lambda: lab.fast_path_replies(cpe) > before, 20)
    wait_for("the new lease is written", lambda: leases.read_text().count(expected) >= 2, 10)


def iperf(cpe, reverse=False):
    """Bits per second of IP packets that the receiver counts, the first interval (the burst) left out."""
    out = json.loads(cpe.run(f"iperf3 -J --get-server-output -u -l 1372 -t 5 -b 40M -c {SERVER_IP} {'-R' if reverse else ''}", timeout=60))
    received = (out if reverse else out["server_output_json"])["intervals"][1:5]
    return sum(i["sum"]["bytes"] for i in received) * 8 * 1400 / 1372 / sum(i["sum"]["seconds"] for i in received)


def keeps(rate, plan):
    """Never above the plan by more than 1 %. Below, a busy receiver may have lost what was forwarded: bench-xdp and the lab of
    the policer hold the data plane's own count to the plan."""
    return 0.93 * plan < rate < 1.01 * plan


@pytest.fixture(scope="module")
def iperf_server(world):
    from topology import Process
    process = Process("iperf3", ["iperf3", "-s", "-J"], world[0].dir / "iperf3.log", ns="server")
    wait_for("iperf3 listens", lambda: ":5201" in sh("ss -Hlnt", ns="server"), 10)
    yield process
    process.kill()


def test_rates_of_a_vendor_attribute_are_kept_in_both_directions(world, iperf_server):
    lab, cpe, session = online(world, "rate")
    assert (session["service"]["rateUpBps"], session["service"]["rateDownBps"]) == (2_000_000, 8_000_000)
    up, down = iperf(cpe), iperf(cpe, reverse=True)
    print(f"plan 2/8 Mbit/s, received {up / 1e6:.3f}/{down / 1e6:.3f} Mbit/s")
    assert keeps(up, 2e6) and keeps(down, 8e6), (up, down)


def test_filter_id_may_name_a_plan_by_rule(world, iperf_server):
    lab, cpe, session = online(world, "plan")
    assert (session["service"]["plan"], session["service"]["planVersion"]) == ("gold", 2)
    up = iperf(cpe)
    assert keeps(up, 20e6), up


def test_who_is_granted_nothing_beside_gets_the_default_plan(world):
    lab, cpe, session = online(world, "default")
    assert session["service"]["plan"] == "basic" and session["service"]["rateDownBps"] == 16_000_000


def test_everything_granted_is_what_the_nodes_hold(world):
    assert world[0].audit_differences() == 0
