# SPDX-License-Identifier: Apache-2.0
# The programs on the oldest kernel we support, and what the build machine's kernel refuses.

build/bpf/pass.bpf.o: Tests/labs/pass.bpf.c bpf/rules.mk
	@mkdir -p $(@D)
	$(CLANG_BPF) $(BPF_CFLAGS) -c $< -o $@

.PHONY: test-kernels
test-kernels: bpf agent build/bpf/pass.bpf.o $(BPF_TESTS:%=build/bpf/tests/%) ## BPF tests and attach = shared in a guest with Debian's 6.1 kernel (qemu, emulated)
	Tests/kernels/run
