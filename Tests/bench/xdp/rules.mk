# SPDX-License-Identifier: Apache-2.0
# The fast path's bench: root, a quiet machine. Writes build/bench-xdp.json, which `make bench` merges.

build/bpf/generator.bpf.o: Tests/bench/xdp/generator.bpf.c bpf/rules.mk
	@mkdir -p $(@D)
	$(CLANG_BPF) $(BPF_CFLAGS) -c $< -o $@

build/bpf/bench-xdp: Tests/bench/xdp/bench.c Tests/bench/xdp/police.c Tests/bench/xdp/pppoe.c Tests/bench/xdp/ipv6.c Tests/bench/xdp/nat.c Tests/bench/xdp/bench.h build/bpf/generator.skel.h \
		$(BPF_SKELETONS) $(BPF_TEST_BED)
	$(CC) $(filter-out -MMD -MP,$(BPF_TEST_FLAGS)) -pthread $(filter %.c,$^) $(BPF_TEST_BED) -lbpf -lcap -lm -o $@

.PHONY: bench-xdp bench-nat
bench-nat: build/bpf/bench-xdp ## NAT44: ns per packet beside none, a million mappings, packets/s beside nftables (root)
	$< --only nat --json build/bench-nat.json

bench-xdp: build/bpf/bench-xdp ## Fast path and forwarding against a bare XDP echo (root)
	$< --json build/bench-xdp.json
