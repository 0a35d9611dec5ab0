# SPDX-License-Identifier: Apache-2.0
# bng-load: built apart from the agent, with no include path into it.

LOAD_SOURCES := $(wildcard DataPlane/load/*.c)
LOAD_CFLAGS := -std=gnu2x -O2 -g -Wall -Wextra -Wshadow -Wmissing-prototypes -Wconversion -Werror

build/bin/bng-load: $(LOAD_SOURCES) $(wildcard DataPlane/load/*.h)
	@mkdir -p $(@D)
	$(CC) $(LOAD_CFLAGS) -o $@ $(LOAD_SOURCES) -lcrypto

.PHONY: load
load: build/bin/bng-load ## Build bng-load, the subscriber generator
