# SPDX-License-Identifier: Apache-2.0
# bng-agent and its tests. Included by the top Makefile; paths are from the root.
# A folder sees only the include paths of the layers it may use: that is the layer check of HOUSE.md.

VERSION ?= 0.1.0
C_CC ?= gcc
C_BUILD ?= build/agent
C_SANITIZE ?=
C_OPTIMIZE ?= -O2
C_LINK ?=
C_WARNINGS := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wconversion -Werror
C_FLAGS = -std=gnu2x -D_GNU_SOURCE -g $(C_OPTIMIZE) $(C_SANITIZE) -fstack-protector-strong -MMD -MP -DBNG_VERSION='"$(VERSION)"'

C_INC_base := -IDataPlane/base
C_INC_model := $(C_INC_base) -IDataPlane/model -Ibpf/include
C_INC_wire := $(C_INC_model) -IDataPlane/wire -isystem DataPlane/wire/gen
C_INC_link := $(C_INC_wire) -IDataPlane/link
C_INC_kern := $(C_INC_model) -IDataPlane/kern -isystem build/bpf
C_INC_net := $(C_INC_base) -IDataPlane/net
C_INC_agent := $(C_INC_link) -IDataPlane/kern -IDataPlane/net -IDataPlane/agent

C_LAYERS := base model wire link kern net agent
C_SOURCES := $(foreach layer,$(C_LAYERS),$(wildcard DataPlane/$(layer)/*.c))
C_GENERATED := $(wildcard DataPlane/wire/gen/bng/agent/v1/*.c)
C_OBJECTS = $(patsubst DataPlane/%.c,$(C_BUILD)/%.o,$(C_SOURCES) $(C_GENERATED))
C_LIBRARY_OBJECTS = $(filter-out $(C_BUILD)/agent/main.o,$(C_OBJECTS))
C_LIBRARIES := -lxdp -lbpf -lelf -lz -lssl -lcrypto -lprotobuf-c -lcap -lresolv

$(C_BUILD)/wire/gen/%.o: DataPlane/wire/gen/%.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(C_CC) $(C_FLAGS) -w -IDataPlane/wire/gen -c $< -o $@

define C_LAYER_RULE
$$(C_BUILD)/$(1)/%.o: DataPlane/$(1)/%.c $(if $(filter kern,$(1)),$(BPF_SKELETONS))
	@mkdir -p $$(@D)
	@echo "  CC      $$<"
	@$$(C_CC) $$(C_FLAGS) $$(C_WARNINGS) $$(C_INC_$(1)) -c $$< -o $$@
endef
$(foreach layer,$(C_LAYERS),$(eval $(call C_LAYER_RULE,$(layer))))

$(C_BUILD)/bng-agent: $(C_OBJECTS)
	@echo "  LINK    $@"
	@$(C_CC) $(C_SANITIZE) $(C_LINK) $^ $(C_LIBRARIES) -o $@

.PHONY: agent
agent: $(C_BUILD)/bng-agent ## Build bng-agent

# Generated protobuf code: committed with the hashes of the .proto files it came from.
PROTO_FILES := $(wildcard proto/bng/agent/v1/*.proto)
.PHONY: gen-c gen-check-c
gen-c: ## Regenerate DataPlane/wire/gen from proto/
	@mkdir -p DataPlane/wire/gen
	protoc-c -Iproto --c_out=DataPlane/wire/gen $(PROTO_FILES)
	sha256sum $(PROTO_FILES) >DataPlane/wire/gen/stamp

gen-check-c: ## Check that DataPlane/wire/gen is what protoc-c makes of proto/
	sha256sum --quiet -c DataPlane/wire/gen/stamp
	@mkdir -p build/gen-check && protoc-c -Iproto --c_out=build/gen-check $(PROTO_FILES)
	diff -r -x stamp build/gen-check DataPlane/wire/gen

# Unit tests: one binary per Tests/DataPlane/<name>_test.c, linked with the real objects.
C_TESTS := $(patsubst Tests/DataPlane/%.c,%,$(wildcard Tests/DataPlane/*_test.c))
C_TEST_SUPPORT = $(patsubst Tests/DataPlane/support/%.c,$(C_BUILD)/tests/support/%.o,$(wildcard Tests/DataPlane/support/*.c))
C_TEST_INC := $(C_INC_agent) -ITests/DataPlane/support

$(C_BUILD)/tests/%.o: Tests/DataPlane/%.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(C_CC) $(C_FLAGS) -Wall -Wextra -Werror $(C_TEST_INC) -c $< -o $@

$(C_BUILD)/libagent.a: $(C_LIBRARY_OBJECTS)
	@rm -f $@
	@ar rcs $@ $^

$(C_BUILD)/tests/%_test: $(C_BUILD)/tests/%_test.o $(C_TEST_SUPPORT) $(C_BUILD)/libagent.a
	@echo "  LINK    $@"
	@$(C_CC) $(C_SANITIZE) $(C_LINK) $^ -lcmocka $(C_LIBRARIES) -o $@

.PRECIOUS: $(C_BUILD)/tests/%.o
.PHONY: test-c asan-c
test-c: $(C_TESTS:%=$(C_BUILD)/tests/%) $(C_BUILD)/bng-agent ## C unit tests (those of kern/ need root and a kernel with BPF)
	@Tests/DataPlane/run $(C_BUILD) $(C_TESTS)

asan-c: ## C unit tests under ASan and UBSan
	$(MAKE) test-c C_CC=clang C_BUILD=build/agent-asan C_OPTIMIZE=-O1 \
		C_SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=undefined" C_LINK=-fuse-ld=lld

# Fuzzers: Tests/fuzz/c/<target>.c with libFuzzer; S seconds each, T selects one.
S ?= 30
C_FUZZERS := $(patsubst Tests/fuzz/c/%.c,%,$(wildcard Tests/fuzz/c/*.c))
build/agent-fuzz/fuzz/%: Tests/fuzz/c/%.c $(wildcard DataPlane/*/*.[ch])
	@$(MAKE) build/agent-fuzz/libagent.a C_CC=clang C_BUILD=build/agent-fuzz C_OPTIMIZE=-O1 \
		C_SANITIZE="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined"
	@mkdir -p $(@D)
	clang $(C_FLAGS) $(C_TEST_INC) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -fuse-ld=lld \
		$< build/agent-fuzz/libagent.a $(C_LIBRARIES) -o $@

.PHONY: fuzz-c fuzz-replay-c
fuzz-c: $(patsubst %,build/agent-fuzz/fuzz/%,$(or $(T),$(C_FUZZERS))) ## Run the C fuzzers (T=target, S=seconds)
	@for target in $(or $(T),$(C_FUZZERS)); do Tests/fuzz/run-c $$target $(S) || exit 1; done

fuzz-replay-c: $(C_FUZZERS:%=build/agent-fuzz/fuzz/%) ## Run the C fuzzers over their corpora only
	@for target in $(C_FUZZERS); do Tests/fuzz/run-c $$target 0 || exit 1; done

-include $(C_OBJECTS:.o=.d) $(wildcard $(C_BUILD)/tests/*.d $(C_BUILD)/tests/support/*.d)
