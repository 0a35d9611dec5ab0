// SPDX-License-Identifier: Apache-2.0
// Bump allocation in chunks of 64 KiB (or one chunk per larger request).
#include "arena.h"

#include "alloc.h"

#include <stdint.h>

enum { CHUNK = 64 * 1024, ALIGNMENT = 16 };

struct bng_arena_chunk {
	struct bng_arena_chunk *next;
	size_t used;
	size_t size;
	_Alignas(ALIGNMENT) uint8_t data[];
};

void bng_arena_init(struct bng_arena *arena, size_t budget)
{
	*arena = (struct bng_arena){.budget = budget};
}

static void free_chunks(struct bng_arena_chunk *chunk)
{
	while (chunk) {
		struct bng_arena_chunk *next = chunk->next;

		bng_free(chunk);
		chunk = next;
	}
}

void bng_arena_done(struct bng_arena *arena)
{
	free_chunks(arena->chunks);
	arena->chunks = NULL;
	arena->spent = 0;
}

void bng_arena_reset(struct bng_arena *arena)
{
	struct bng_arena_chunk *kept = arena->chunks;

	arena->spent = 0;
	if (!kept)
		return;
	free_chunks(kept->next);
	kept->next = NULL;
	kept->used = 0;
	if (kept->size > CHUNK)
		bng_arena_done(arena);
}

void *bng_arena_alloc(struct bng_arena *arena, size_t size)
{
	struct bng_arena_chunk *chunk = arena->chunks;
	size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1), wanted;
	void *p;

	if (rounded < size || rounded > arena->budget - arena->spent)
		return NULL;
	if (!chunk || chunk->size - chunk->used < rounded) {
		wanted = rounded > CHUNK ? rounded : CHUNK;
		chunk = bng_alloc(sizeof(*chunk) + wanted);
		if (!chunk)
			return NULL;
		chunk->used = 0;
		chunk->size = wanted;
		chunk->next = arena->chunks;
		arena->chunks = chunk;
	}
	p = chunk->data + chunk->used;
	chunk->used += rounded;
	arena->spent += rounded;
	return p;
}
