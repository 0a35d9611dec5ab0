/* SPDX-License-Identifier: Apache-2.0 */
/* Memory with one life time and a budget: what a decoder may spend on one message. */
#ifndef BNG_ARENA_H
#define BNG_ARENA_H

#include <stddef.h>

struct bng_arena_chunk;

struct bng_arena {
	struct bng_arena_chunk *chunks;
	size_t budget;
	size_t spent;
};

void bng_arena_init(struct bng_arena *arena, size_t budget);
void bng_arena_done(struct bng_arena *arena);

/* Forgets all allocations, keeps one chunk for the next message. */
void bng_arena_reset(struct bng_arena *arena);

/* Aligned for any type; NULL past the budget or out of memory. */
void *bng_arena_alloc(struct bng_arena *arena, size_t size);

#endif
