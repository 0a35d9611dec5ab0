# SPDX-License-Identifier: Apache-2.0
# Benchmarks: each compares ours with a limit or a peer in the same run. Results: build/bench.json.

.PHONY: bench bench-dhcp bench-scale bench-aaa bench-pppoe bench-ipv6 bench-ipv6-rate bench-fleet bench-nat-lookup
bench: all ## Print figures side by side, write build/bench.json, fail on a missed gate
	@mkdir -p build/bench
	$(if $(wildcard Tests/bench/xdp/rules.mk),$(MAKE) -s bench-xdp BENCH_JSON=build/bench-xdp.json)
	$(MAKE) -s bench-dhcp bench-scale bench-aaa bench-pppoe bench-ipv6 bench-ipv6-rate bench-fleet bench-nat-lookup
	/usr/bin/python3 Tests/bench/report.py build/bench-xdp.json build/bench/*.json

# perfdhcp reads with the default receive buffer and loses bursts of answers in it: for all servers a larger one, put back after.
perfdhcp_buffer = old=$$(sysctl -n net.core.rmem_default); trap "sysctl -qw net.core.rmem_default=$$old" EXIT; \
		sysctl -qw net.core.rmem_default=16777216;

bench-dhcp: all ## DORA by perfdhcp (ours beside Kea) and latency as bng-load sees it
	@mkdir -p build/bench
	$(perfdhcp_buffer) BNG_LAB_SCRIPT=Tests/bench/dhcp_rate.py Tests/labs/run

bench-scale: all ## 64k sessions: seconds, memory of both planes, audit time
	@mkdir -p build/bench
	BNG_LAB_SCRIPT=Tests/bench/scale.py Tests/labs/run

bench-aaa: all ## Set-ups with FreeRADIUS beside FreeRADIUS alone; CoA and disconnects per second; memory with everything on
	@mkdir -p build/bench
	BNG_LAB_SCRIPT=Tests/bench/aaa.py Tests/labs/run

bench-pppoe: all ## PPPoE: set-ups local and with FreeRADIUS, memory, a power cut, a flood of PADIs beside
	@mkdir -p build/bench
	BNG_LAB_SCRIPT=Tests/bench/pppoe.py Tests/labs/run

bench-ipv6: all ## Dual stack: set-ups with FreeRADIUS, renewals, memory
	@mkdir -p build/bench
	BNG_LAB_SCRIPT=Tests/bench/ipv6.py Tests/labs/run

bench-ipv6-rate: all ## DHCPv6 by perfdhcp, each client a line: exchanges, renewals and releases at 0 drops beside Kea and our DHCPv4
	@mkdir -p build/bench
	$(perfdhcp_buffer) BNG_LAB_SCRIPT=Tests/bench/ipv6_rate.py Tests/labs/run

bench-fleet: controller ## One controller, 100 simulated nodes of 10,000 customers (BNG_FLEET_NODES, BNG_FLEET_SESSIONS)
	/usr/bin/python3 Tests/bench/fleet.py

bench-nat-lookup: controller ## Who had this port, asked of a log of N rows (10,000,000)
	BNG_LOOKUP_ROWS=$(or $(N),10000000) /usr/bin/python3 Tests/bench/nat_lookup.py

.PHONY: test-crash
test-crash: all ## kill -9 of the controller at 100 random moments during 10,000 DORA exchanges
	BNG_CRASH_LINES=10000 BNG_CRASH_KILLS=100 Tests/labs/run -s -k crash

.PHONY: chaos-contract
chaos-contract: all ## Frames lost, doubled, swapped, spoiled and cut, planes killed: N rounds of 2,000 customers (SEED=...)
	BNG_CHAOS_LINES=2000 BNG_CHAOS_KILLS=12 BNG_CHAOS_ROUNDS=$(or $(N),10) BNG_CHAOS_SEED=$(or $(SEED),1) Tests/labs/run -s -k any_fault
