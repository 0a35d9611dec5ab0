// SPDX-License-Identifier: Apache-2.0
// A bitmap searched word by word, next fit.
#include "index_pool.h"

#include "alloc.h"

#include <assert.h>
#include <errno.h>

static inline bool is_used(const struct bng_index_pool *pool, uint32_t index)
{
	return pool->used[index / 64] >> (index % 64) & 1;
}

int bng_index_pool_init(struct bng_index_pool *pool, uint32_t limit)
{
	*pool = (struct bng_index_pool){.limit = limit};
	pool->used = bng_alloc_zero(limit / 64 + 1, sizeof(uint64_t));
	if (!pool->used)
		return -ENOMEM;
	pool->used[0] = 1; /* 0 means "none" everywhere */
	return 0;
}

void bng_index_pool_done(struct bng_index_pool *pool)
{
	bng_free(pool->used);
	pool->used = NULL;
}

static uint32_t first_free_from(const struct bng_index_pool *pool, uint32_t from)
{
	uint32_t word = from / 64;
	uint64_t free = ~pool->used[word] & (UINT64_MAX << (from % 64));

	while (!free && ++word <= pool->limit / 64)
		free = ~pool->used[word];
	if (!free)
		return 0;
	from = word * 64 + (uint32_t)__builtin_ctzll(free);
	return from <= pool->limit ? from : 0;
}

uint32_t bng_index_pool_take(struct bng_index_pool *pool, uint32_t wanted)
{
	uint32_t index = wanted;

	if (!wanted || wanted > pool->limit || is_used(pool, wanted)) {
		if (pool->count == pool->limit)
			return 0;
		index = pool->last < pool->limit ? first_free_from(pool, pool->last + 1) : 0;
		if (!index)
			index = first_free_from(pool, 1);
		pool->last = index;
	}
	pool->used[index / 64] |= 1ULL << (index % 64);
	pool->count++;
	return index;
}

void bng_index_pool_give(struct bng_index_pool *pool, uint32_t index)
{
	assert(index >= 1 && index <= pool->limit && is_used(pool, index));
	pool->used[index / 64] &= ~(1ULL << (index % 64));
	pool->count--;
}
