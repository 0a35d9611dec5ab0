# SPDX-License-Identifier: Apache-2.0
# The programs on the oldest kernel we support.

.PHONY: test-kernels
test-kernels: bpf $(BPF_TESTS:%=build/bpf/tests/%) ## BPF tests in a guest with Debian's 6.1 kernel (qemu, emulated)
	Tests/kernels/run
