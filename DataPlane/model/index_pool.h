/* SPDX-License-Identifier: Apache-2.0 */
/* Indices 1..limit of a map. The search goes on from the last one given, so a freed index rests as long as
 * possible. */
#ifndef BNG_INDEX_POOL_H
#define BNG_INDEX_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bng_index_pool {
	uint64_t *used;
	uint32_t limit;
	uint32_t last;
	uint32_t count;
};

int bng_index_pool_init(struct bng_index_pool *pool, uint32_t limit);
void bng_index_pool_done(struct bng_index_pool *pool);

/* Takes wanted if that is free and not 0, else any; 0 if all are taken. */
uint32_t bng_index_pool_take(struct bng_index_pool *pool, uint32_t wanted);
void bng_index_pool_give(struct bng_index_pool *pool, uint32_t index);

#endif
