# SPDX-License-Identifier: Apache-2.0
# One entry for people and CI: `make help`.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := all
MAKEFLAGS += --no-print-directory

# One flag set for everything Swift (SWIFT.md: another set means building every dependency again).
SWIFT_FLAGS := -c release --explicit-target-dependency-import-check error -Xswiftc -enable-testing
SWIFT_PATHS := ControlPlane Tests/ControlPlane Tests/support Package.swift
PIP_TOOLS := clang-format==18.1.8 clang-tidy==18.1.8
VENV := build/venv
C_STYLE_FILES = $(shell git ls-files 'bpf/*.[ch]' 'DataPlane/*.[ch]' 'Tests/*.[ch]' | grep -v /gen/)

.PHONY: all
all: bpf agent load controller ## Build everything: programs, skeletons, agent, bng-load, controller, bngctl

.PHONY: help
help: ## List targets
	@grep -hE '^[a-z][a-zA-Z0-9_-]*:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

include bpf/rules.mk
include DataPlane/rules.mk
include DataPlane/load/rules.mk
-include Tests/bpf/rules.mk
-include Tests/kernels/rules.mk
-include Tests/bench/rules.mk
-include Tests/bench/xdp/rules.mk
-include Tests/contract/rules.mk
-include Tests/fuzz/rules.mk

.PHONY: setup
setup: ## Install Debian packages (daemons are not started) and pinned Python tools
	@.ci/setup all
	@[ -x $(VENV)/bin/clang-tidy ] || { /usr/bin/python3 -m venv $(VENV) && $(VENV)/bin/pip -q install --no-deps $(PIP_TOOLS); }

.PHONY: controller
controller: ## Build bng-controller, bngctl and the Swift tests
	@mkdir -p build/bin build/logs
	@echo "  SWIFT   bng-controller bngctl and tests (the first build compiles the dependencies: minutes)"
	@swift build $(SWIFT_FLAGS) --build-tests >build/logs/swift-build.log 2>&1 || \
		{ grep -E 'error|\*\*\*' build/logs/swift-build.log || tail -n 40 build/logs/swift-build.log; exit 1; }
	@for b in bng-controller bngctl bng-sim; do ln -sf ../../.build/release/$$b build/bin/$$b; done
	@ln -sf ../agent/bng-agent build/bin/bng-agent

.PHONY: test-swift
test-swift: controller ## Swift unit tests
	swift test $(SWIFT_FLAGS) --skip-build --disable-xctest

.PHONY: lab
lab: all ## Labs with real peers (T=word runs those whose name holds the word)
	Tests/labs/run $(if $(T),-k '$(T)')

.PHONY: demo
demo: setup ## README's first command: build, bring up real subscribers, kill both planes, show what happened
	@$(MAKE) -s all
	@Tests/labs/run --demo

.PHONY: test
test: ## README's second command: install what is missing, build, run every kind of test
	@.ci/test

.PHONY: check
check: fmt-check tree test-c test-swift ## The loop before each commit

.PHONY: fuzz fuzz-replay asan tsan
fuzz: ## Fuzz every decoder (T=target: frame nat_alg objects options contract dhcpv4 dhcpv6 nd ppp pppoe radius; S=seconds each)
	@$(MAKE) -s $(if $(T),$(if $(filter $(SWIFT_FUZZERS),$(T)),fuzz-swift,fuzz-c),fuzz-c fuzz-swift)

fuzz-replay: fuzz-replay-c ## Replay seeds and findings through the fuzzers of C (Swift's: fuzz-replay-swift, minutes to build)

asan: asan-c ## C unit and contract tests under ASan and UBSan; Swift codecs, AAA and store under ASan
	BNG_AGENT=$(CURDIR)/build/agent-asan/bng-agent Tests/contract/run
	swift build --sanitize=address --scratch-path .build-asan --build-tests >build/logs/swift-asan.log 2>&1 || { tail -n 30 build/logs/swift-asan.log; exit 1; }
	LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/support/leaks.txt \
		swift test --sanitize=address --scratch-path .build-asan --skip-build --disable-xctest --filter '$(SANITIZED)'
	LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/support/leaks.txt \
		swift test --sanitize=address --scratch-path .build-asan --skip-build --disable-xctest --no-parallel --filter '$(TIMED)'

SANITIZED := BNGCoreTests|DHCPv4Tests|DHCPv6Tests|NeighborDiscoveryTests|EthernetTests|RADIUSTests|RADIUSContractTests|AddressingTests|SubscribersTests|LocalAAATests|AccountingDriverTests|AgentContractTests|StoreTests
# What waits for real time-outs goes one at a time: sanitizers are slow. TSan is too slow for thousands in flight at once.
TIMED := RADIUSDriverTests

tsan: ## Swift codecs, AAA, store and subscriber plane under TSan
	swift build --sanitize=thread --scratch-path .build-tsan --build-tests >build/logs/swift-tsan.log 2>&1 || { tail -n 30 build/logs/swift-tsan.log; exit 1; }
	TSAN_OPTIONS=suppressions=$(CURDIR)/Tests/support/races.txt \
		swift test --sanitize=thread --scratch-path .build-tsan --skip-build --disable-xctest --filter '$(SANITIZED)'
	TSAN_OPTIONS=suppressions=$(CURDIR)/Tests/support/races.txt \
		swift test --sanitize=thread --scratch-path .build-tsan --skip-build --disable-xctest --no-parallel --filter '$(TIMED)|SubscriberDriverTests' --skip 'four thousand'

.PHONY: vectors
vectors: ## Rewrite the DHCPv4 conformance vectors
	/usr/bin/python3 Tests/support/make_dhcp_vectors.py

.PHONY: gen gen-check
gen: gen-c ## Regenerate protobuf code of both languages (the Swift generator builds once, about a minute)
	@test -d .build/checkouts/swift-protobuf || swift package resolve
	swift build -c release --package-path .build/checkouts/swift-protobuf --scratch-path .build-protoc --product protoc-gen-swift
	protoc -Iproto --plugin=protoc-gen-swift=.build-protoc/release/protoc-gen-swift --swift_opt=Visibility=Public \
		--swift_opt=FileNaming=DropPath --swift_out=ControlPlane/Contract/AgentContract/Generated proto/bng/agent/v1/*.proto
	sha256sum proto/bng/agent/v1/*.proto >ControlPlane/Contract/AgentContract/Generated/stamp

gen-check: gen-check-c ## Committed generated code belongs to proto/ as it is
	sha256sum --quiet -c ControlPlane/Contract/AgentContract/Generated/stamp

.PHONY: tree
tree: ## Top-level names, layers, links in docs
	@/usr/bin/python3 .ci/tree

.PHONY: fmt fmt-check lint
fmt: ## Format Swift and C in place
	swift format format --configuration .swift-format -i -r $(SWIFT_PATHS)
	$(VENV)/bin/clang-format -i $(C_STYLE_FILES)

fmt-check: ## Check formatting
	swift format lint --configuration .swift-format --strict -r $(SWIFT_PATHS)
	$(VENV)/bin/clang-format --dry-run --Werror $(C_STYLE_FILES)

lint: fmt-check ## Formatting, clang-tidy, gcc -fanalyzer, shellcheck
	shellcheck -x $(shell git grep -lE '^#!/(usr/)?bin/(env )?(ba)?sh' -- .ci Tests)
	$(VENV)/bin/clang-tidy --quiet $(filter-out DataPlane/load/%,$(shell git ls-files 'DataPlane/*.c' | grep -v /gen/)) -- \
		-std=gnu2x -D_GNU_SOURCE -DBNG_VERSION='"lint"' $(C_INC_agent) -isystem build/bpf
	$(VENV)/bin/clang-tidy --quiet DataPlane/load/*.c -- -std=gnu2x
	$(MAKE) -s agent C_BUILD=build/analyzer C_CC=gcc C_SANITIZE=-fanalyzer

.PHONY: clean
clean: ## Remove what the build made (Swift dependencies stay; remove .build for those)
	rm -rf build
