# SPDX-License-Identifier: Apache-2.0
# BPF objects and skeletons. Included by the top Makefile; paths are from the root.

CLANG_BPF ?= clang-16
BPFTOOL ?= /usr/sbin/bpftool
# -mcpu=v2: with 32-bit registers come 32-bit spills, and without CAP_PERFMON a 6.1 verifier refuses a narrow store to a stack slot
# that has held anything it tracks.
BPF_CFLAGS := -target bpf -mcpu=v2 -O2 -g -fno-strict-aliasing -Wall -Wextra -Werror -Ibpf/include -Ibpf/lib \
	-I/usr/include/$(shell gcc -print-multiarch)

BPF_PROGRAMS := $(patsubst bpf/prog/%.bpf.c,%,$(wildcard bpf/prog/*.bpf.c))
BPF_OBJECTS := $(BPF_PROGRAMS:%=build/bpf/%.bpf.o)
BPF_SKELETONS := $(BPF_PROGRAMS:%=build/bpf/%.skel.h)

build/bpf/%.bpf.o: bpf/prog/%.bpf.c $(wildcard bpf/lib/*.h) bpf/include/bng_abi.h bpf/rules.mk
	@mkdir -p $(@D)
	$(CLANG_BPF) $(BPF_CFLAGS) -c $< -o $@.tmp
	@mv $@.tmp $@

build/bpf/%.skel.h: build/bpf/%.bpf.o
	$(BPFTOOL) gen skeleton $< name $* >$@.tmp
	@mv $@.tmp $@

.PHONY: bpf
bpf: $(BPF_OBJECTS) $(BPF_SKELETONS) ## Compile the XDP programs and their skeletons
