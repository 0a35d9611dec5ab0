#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs inside the guest of Tests/kernels/run: the real agent with attach = shared beside a program that passes everything, both
# attached through libxdp. No controller answers: an agent attaches without one.
#
#   access0p ── access0: pass (there first), xdp_access        core0: xdp_core, pass (added later) ── core0p
set -u
log=/tmp/agent.log
pins=/sys/fs/bpf/bng/edge1
reasons=$pins/maps/reason_counters
agent=

fail() {
	echo "FAILED $*"
	echo "--- agent's log"
	cat $log
	echo "--- dispatchers"
	xdp-loader status
	ls -R /sys/fs/bpf
	exit 1
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
	left=$(($1 * 10))
	shift
	until "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		[ $left -gt 0 ] || fail "waited in vain for: $*"
		sleep 0.1
	done
}

# write_config ATTACH PORT...
write_config() {
	attach=$1
	shift
	{
		echo "node = edge1"
		echo "controller = unix:/tmp/nobody.sock"
		echo "pins = $pins"
		echo "attach = $attach"
		echo "max-sessions = 1000"
		for port in "$@"; do echo "port = $port"; done
	} >/tmp/agent.conf
}

start() {
	: >$log
	bng-agent --config /tmp/agent.conf 2>>$log &
	agent=$!
	wait_for 120 grep -q event=ready $log
}

stop() {
	kill "-$1" $agent
	wait $agent
	agent=
}

# id PORT PROGRAM: ids of the programs of that name behind the port's dispatcher.
id() {
	xdp-loader status "$1" | awk -v name="$2" '$1 == "=>" && $3 == name {print $4}'
}

# expect PORT access|core: one program of ours and the stranger's.
expect() {
	[ "$(id "$1" "xdp_$2" | grep -c .)" = 1 ] || fail "not exactly one xdp_$2 on $1"
	[ "$(id "$1" pass)" = "$pass" ] || [ "$1" != access0 ] || fail "the other program of $1 is not there"
}

ip link add access0 type veth peer name access0p
ip link add core0 type veth peer name core0p
for port in access0 access0p core0 core0p; do ip link set $port up; done
ip address add 192.0.2.2/24 dev access0p

xdp-loader load -m native access0 /build/bpf/pass.bpf.o || fail "xdp-loader cannot load the other program"
pass=$(id access0 pass)
[ -n "$pass" ] || fail "the other program is not behind a dispatcher"

# 1. Beside another program.
write_config shared "access0 access" "core0 core"
start
expect access0 access
expect core0 core
grep -q "mode=shared" $log || fail "the agent does not say that it shares"
access=$(id access0 xdp_access) core=$(id core0 xdp_core)
echo "ok 1 attached beside another program"

# 2. It runs, after the other one: an unconfigured port drops, and counts.
sum() { bpftool -j map dump pinned $reasons | md5sum; }
before=$(sum)
counted() {
	ping -c 1 -W 1 -I access0p 192.0.2.1
	[ "$(sum)" != "$before" ]
}
wait_for 10 counted
echo "ok 2 packets reach the program through the dispatcher"

# 3. What it keeps.
caps=$(awk '$1 == "CapEff:" {print $2}' /proc/$agent/status)
[ "$caps" = 000000c000203000 ] || fail "capabilities are $caps, not BPF, NET_ADMIN, NET_RAW, PERFMON and SYS_ADMIN"
echo "ok 3 keeps five capabilities"

# 4. A restart adopts, also when somebody added a program in between.
stop KILL
xdp-loader load -m native core0 /build/bpf/pass.bpf.o || fail "xdp-loader cannot add a program beside ours"
start
for port in access0 core0; do grep -q "port=$port .*adopted=yes" $log || fail "$port: not adopted"; done
[ "$(id access0 xdp_access) $(id core0 xdp_core)" = "$access $core" ] || fail "a restart exchanged programs"
expect access0 access
echo "ok 4 a restarted agent adopts"

# 5. Another program (another port index is compiled in) takes the place of the old one.
stop TERM
write_config shared "core0 core" "access0 access"
start
expect access0 access
expect core0 core
[ "$(id core0 pass | grep -c .)" = 1 ] || fail "the program added to core0 is gone"
[ "$(id access0 xdp_access)" != "$access" ] || fail "access0 still runs the old program"
[ "$(id core0 xdp_core)" != "$core" ] || fail "core0 still runs the old program"
echo "ok 5 a new program takes the old one's place"

# 6. An interface that goes and comes back.
ip link del core0
wait_for 20 grep -q "port_changed.*port=core0" $log
ip link add core0 type veth peer name core0p
ip link set core0p up
ip link set core0 up
wait_for 60 grep -q "port_attached_again.*port=core0" $log
expect core0 core
echo "ok 6 attached again to an interface that came back"

# 7. A second agent, and --detach under a running one, are refused.
bng-agent --config /tmp/agent.conf --detach 2>/tmp/refused && fail "--detach under a running agent"
grep -q "another agent uses these pins" /tmp/refused || fail "$(cat /tmp/refused)"
stop TERM
expect access0 access
echo "ok 7 stays attached when the agent ends; --detach waits for that"

# 8. Without the capabilities: said in words, nothing changed.
capsh --shell=/bin/sh --drop=cap_sys_admin -- -c "bng-agent --config /tmp/agent.conf" 2>/tmp/refused && fail "ran without CAP_SYS_ADMIN"
grep -q "attach = shared needs CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW, CAP_PERFMON and CAP_SYS_ADMIN" /tmp/refused || fail "$(cat /tmp/refused)"
capsh --shell=/bin/sh --drop=cap_sys_admin -- -c "bng-agent --config /tmp/agent.conf --detach" 2>/tmp/refused && fail "--detach without CAP_SYS_ADMIN"
[ -e $reasons ] || fail "pins are gone though --detach failed"
expect access0 access
echo "ok 8 refused in words without CAP_SYS_ADMIN"

# 9. Another mode while it is attached.
write_config auto "access0 access" "core0 core"
bng-agent --config /tmp/agent.conf 2>/tmp/refused && fail "attach = auto over a dispatcher"
grep -q "another XDP program is attached" /tmp/refused || fail "$(cat /tmp/refused)"
expect access0 access
echo "ok 9 attach = auto beside a dispatcher is refused in words"

# 10. --detach takes ours, with whatever attach mode stands in the file, and leaves the other program.
bng-agent --config /tmp/agent.conf --detach 2>/tmp/refused || fail "--detach: $(cat /tmp/refused)"
[ -z "$(id access0 xdp_access)$(id core0 xdp_core)" ] || fail "--detach left ours"
[ "$(id access0 pass)" = "$pass" ] || fail "--detach took the other program along"
[ ! -e $pins ] || fail "--detach left pins"
set -- /sys/fs/bpf/xdp/dispatch-*
[ $# = 1 ] || fail "libxdp's directory holds more than the other program's dispatcher"
wait_gone() { ! bpftool prog show | grep -q 'xdp_access\|xdp_core'; }
wait_for 10 wait_gone
echo "ok 10 --detach removes only ours"

# 11. A program that is attached without the dispatcher is left alone.
ip link set core0 xdpdrv obj /build/bpf/pass.bpf.o sec xdp || fail "ip cannot attach a program"
write_config shared "access0 access" "core0 core"
bng-agent --config /tmp/agent.conf 2>/tmp/refused && fail "attached over a program without dispatcher"
grep -q "without libxdp's dispatcher" /tmp/refused || fail "$(cat /tmp/refused)"
ip link show core0 | grep -q "prog/xdp" || fail "the program on core0 is gone"
bng-agent --config /tmp/agent.conf --detach 2>/tmp/refused || fail "--detach: $(cat /tmp/refused)"
[ "$(id access0 pass)" = "$pass" ] || fail "the other program of access0 is gone"
[ ! -e $pins ] || fail "--detach left pins"
echo "ok 11 a program without dispatcher is left alone"

# 12. A dispatcher in generic mode stays so, and that is said.
xdp-loader unload access0 --all || fail "xdp-loader cannot unload"
xdp-loader load -m skb access0 /build/bpf/pass.bpf.o || fail "xdp-loader cannot load in generic mode"
write_config shared "access0 access"
start
pass=$(id access0 pass)
expect access0 access
grep -q "level=warning event=port_attached port=access0" $log || fail "generic mode is not a warning"
grep -q "the dispatcher runs in generic mode, in which another program was attached" $log || fail "generic mode is not said"
stop TERM
bng-agent --config /tmp/agent.conf --detach || fail "--detach"
[ "$(id access0 pass)" = "$pass" ] || fail "--detach took the other program along"
echo "ok 12 joins a dispatcher in generic mode, with a warning"
