# SPDX-License-Identifier: Apache-2.0
"""`make demo`: one controller, one agent, three real clients of both families on three kinds of line and 500 that dial PPPoE; then both
planes are killed under traffic.

Exits 0 only if every step held; prints what it saw, not what it hoped for.
"""
import os
import sys
import tempfile
import time

from pppoe_lab import dial
from topology import SERVER_IP, SERVER_IP6, Flood, Lab, sh, wait_for

BOLD, DIM, GREEN, OFF = ("\033[1m", "\033[2m", "\033[32m", "\033[0m") if sys.stdout.isatty() else ("", "", "", "")
began = time.monotonic()


def say(text):
    print(f"\n{BOLD}[{time.monotonic() - began:5.1f} s] {text}{OFF}", flush=True)


def show(text):
    for line in text.rstrip().splitlines():
        print(f"    {line}", flush=True)


def ok(condition, text):
    print(f"    {GREEN}ok{OFF}  {text}" if condition else f"    FAILED  {text}", flush=True)
    if not condition:
        raise AssertionError(text)


def control(lab, *words):
    print(f"    {DIM}$ bngctl {' '.join(words)}{OFF}")
    show(lab.ctl(*words, text=True))


def bring_up(lab):
    say("Starting bng-controller and bng-agent")
    lab.network()
    lab.start_controller()
    lab.start_agent()
    control(lab, "show", "nodes")
    control(lab, "show", "ports")


def subscribers(lab):
    say("Three customers with their own equipment: udhcpc untagged, dhclient on VLAN 100, dhcpcd on QinQ 200.7")
    cpes = [lab.cpe("cpe1", "02:00:5e:10:00:01"), lab.cpe("cpe2", "02:00:5e:10:00:02", s=100),
            lab.cpe("cpe3", "02:00:5e:10:00:03", s=200, c=7)]
    cpes[0].udhcpc()
    cpes[1].dhclient()
    cpes[2].dhcpcd()
    for cpe in cpes:
        cpe.wait_address()
        sent, received = cpe.ping(count=5)
        page = cpe.run(f"curl -s --max-time 5 http://{SERVER_IP}/hello.txt").strip()
        ok(received == sent and "hello" in page, f"{cpe.name} ({cpe.mac}) has {cpe.address()}: ping {received}/{sent}, fetched \"{page}\"")
        address = cpe.wait_address6()
        sent, received = cpe.ping(SERVER_IP6, count=5)
        page = cpe.run(f"curl -s --max-time 5 http://[{SERVER_IP6}]/hello.txt").strip()
        ok(received == sent and "hello" in page, f"{cpe.name} and {address}: ping {received}/{sent}, fetched the same")
    ok(len(lab.sessions()) == 3, "three customers of both families are three sessions")
    control(lab, "show", "sessions")
    return cpes


def pppoe(lab):
    say("500 more dial PPPoE over QinQ (bng-load): PADIs and LCP echoes are answered in the NIC's program")
    dsl = lab.cpe("dsl", "02:00:5e:10:00:fe")
    dsl.run("sysctl -qw net.ipv6.conf.wan.disable_ipv6=1")  # the tester's own kernel is no customer
    dialled, hold, gone = dial(dsl, 500, "pppoe,hold,padt", "--auth", "none", "--ipv6cp", "--duration", 3, tags="qinq:300:1:4000")
    ok(dialled["completed"] == 500 and dialled["failed"] == 0, f"500 sessions in {dialled['seconds']:.2f} s, 0 failed")
    ok(hold["lost"] == 0 and hold["echo_requests"] > 0, f"{hold['echo_requests']} LCP echoes of the BNG answered, none lost")
    wait_for("all hung up", lambda: len(lab.sessions()) == 3, 20)
    ok(gone["completed"] == 500, "all hung up by PADT, three sessions left")


def fast_path(lab, cpe):
    say("The clients renew: known lines are answered in the NIC's program")
    wait_for("renewals served by the data plane",
             lambda: lab.fast_path_replies(cpe) >= 2, 30)
    control(lab, "show", "session", lab.session_of(cpe)["id"])
    control(lab, "show", "drops")
    control(lab, "show", "punts")


def controller_dies(lab, cpe):
    say("kill -9 of the controller, under ping -i 0.01")
    log = lab.dir / f"{cpe.name}-dhclient.log"
    flood = Flood(cpe)
    lab.controller.kill()
    renewed = log.read_text().count("DHCPACK")
    wait_for("renewals without a controller", lambda: log.read_text().count("DHCPACK") >= renewed + 2, 30)
    sent, received = flood.stop()
    renewals = log.read_text().count("DHCPACK") - renewed
    ok(received == sent, f"no controller: {renewals} renewals went on, ping {received}/{sent}")
    sent, received = cpe.ping(SERVER_IP6, count=5)
    ok(received == sent, f"and IPv6: ping {received}/{sent}")
    lab.start_controller()
    wait_for("audit after restart", lab.node_settled, 30)
    control(lab, "show", "audit")
    ok(lab.audit_differences() == 0, "controller back: audit = 0 differences")


def agent_dies(lab, cpe):
    say("kill -9 of the agent, under ping -i 0.01")
    flood = Flood(cpe)
    old = lab.agent.pid
    lab.agent.kill()
    time.sleep(1)  # a second of traffic with no agent at all
    lab.start_agent()
    time.sleep(0.5)
    sent, received = flood.stop()
    ok(received == sent, f"agent {old} killed and {lab.agent.pid} adopted its maps: ping {received}/{sent}, {sent - received} lost")
    ok(len(lab.sessions()) == 3 and lab.audit_differences() == 0, "three sessions as before, audit = 0 differences")


def nothing_left(lab):
    say("Cleaning up")
    lab.down()
    pins = [p for p in sh(f"ls {os.path.dirname(lab.pins)}").split() if not p.endswith(".debug")]  # bpffs's own two
    left = sh("ip netns list").split() + pins
    running = [p.name for p in [lab.agent, lab.controller] if p.alive()]
    ok(not left and not running, "no namespace, pin or process left" + (f": {left} {running}" if left or running else ""))


def main():
    with tempfile.TemporaryDirectory(prefix="bng-demo-") as directory:
        lab = Lab(directory=f"{directory}/lab", lease="60s", extra_pool="    renewal: 3s\n    rebinding: 50s",
                  pppoe={"authentication": ["none"], "echo_interval": "1s"}, ipv6={})
        try:
            bring_up(lab)
            cpes = subscribers(lab)
            fast_path(lab, cpes[1])
            pppoe(lab)
            controller_dies(lab, cpes[1])
            agent_dies(lab, cpes[2])
        except BaseException:
            for name in ("controller.log", "agent.log"):
                if (lab.dir / name).exists():
                    print(f"--- {name}\n{(lab.dir / name).read_text()[-3000:]}")
            lab.down()
            raise
        nothing_left(lab)
    say("All of it held.")


if __name__ == "__main__":
    main()
