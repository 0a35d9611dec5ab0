# SPDX-License-Identifier: Apache-2.0
# Fuzzers of both languages: `make fuzz T=dhcpv4 S=60`; without T every one, S seconds each.

S ?= 60
SWIFT_FUZZERS := $(patsubst Tests/fuzz/fuzz-%,%,$(wildcard Tests/fuzz/fuzz-*))

.PHONY: fuzz-swift fuzz-replay-swift
fuzz-swift: ## Run the Swift fuzzers (T=target, S=seconds)
	@for target in $(or $(filter $(SWIFT_FUZZERS),$(T)),$(if $(T),,$(SWIFT_FUZZERS))); do \
		Tests/fuzz/run-swift $$target $(S) || exit 1; done

fuzz-replay-swift: ## Run the Swift fuzzers over vectors and corpora only
	@for target in $(SWIFT_FUZZERS); do Tests/fuzz/run-swift $$target 0 || exit 1; done
