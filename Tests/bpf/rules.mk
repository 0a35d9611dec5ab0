# SPDX-License-Identifier: Apache-2.0
# BPF tests: one binary per Tests/bpf/<name>_test.c, over PROG_TEST_RUN. They need root.

BPF_TESTS := $(patsubst Tests/bpf/%.c,%,$(wildcard Tests/bpf/*_test.c))
BPF_TEST_FLAGS := -std=gnu2x -D_GNU_SOURCE -g -O2 -Wall -Wextra -Werror -MMD -MP -Ibpf/include -ITests/bpf -isystem build/bpf
BPF_TEST_BED := build/bpf/tests/bed.o build/bpf/tests/packet.o

build/bpf/tests/%.o: Tests/bpf/%.c $(BPF_SKELETONS)
	@mkdir -p $(@D)
	$(CC) $(BPF_TEST_FLAGS) -c $< -o $@

build/bpf/tests/datapath_test build/bpf/tests/service_test build/bpf/tests/pppoe_test \
	build/bpf/tests/ppp_test: build/bpf/tests/scene.o
build/bpf/tests/ipv6_test build/bpf/tests/nd_test build/bpf/tests/dhcp6_test \
	build/bpf/tests/relay6_test: build/bpf/tests/scene.o build/bpf/tests/scene6.o
build/bpf/tests/nat_test build/bpf/tests/nat_peer_test build/bpf/tests/nat_icmp_test \
	build/bpf/tests/nat_fragment_test build/bpf/tests/nat_leak_test \
	build/bpf/tests/nat_alg_test build/bpf/tests/nat_pcp_test: build/bpf/tests/scene.o build/bpf/tests/nat_scene.o
build/bpf/tests/%_test: build/bpf/tests/%_test.o $(BPF_TEST_BED)
	$(CC) $^ -lcmocka -lbpf -lcap -o $@

.PRECIOUS: build/bpf/tests/%.o
.PHONY: test-bpf
test-bpf: $(BPF_TESTS:%=build/bpf/tests/%) ## BPF tests over PROG_TEST_RUN (root)
	@Tests/bpf/run $(BPF_TESTS)

-include $(wildcard build/bpf/tests/*.d)
