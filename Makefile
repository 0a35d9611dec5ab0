# SPDX-License-Identifier: Apache-2.0
# One entry for people and CI: `make help`.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := all
MAKEFLAGS += --no-print-directory

.PHONY: all
all: bpf agent controller ## Build everything (bpf, skeletons, agent, controller)

include bpf/rules.mk
-include DataPlane/rules.mk
include DataPlane/load/rules.mk
