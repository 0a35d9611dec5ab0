/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash table from a fixed-size key to a 64-bit value. Open addressing, linear probing, keyed SipHash-1-3,
 * because keys hold what subscribers choose (MAC addresses).
 */
#ifndef BNG_HASH_TABLE_H
#define BNG_HASH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BNG_HASH_KEY_MAX = 24 };

struct bng_hash_table {
	uint8_t *cells;  /* capacity cells of: value, used flag, key */
	size_t capacity; /* power of two, or 0 */
	size_t count;
	size_t key_size;
	size_t cell_size;
	uint64_t seed[2];
};

/* Keys are compared as bytes: padding in them must be zero. */
void bng_hash_table_init(struct bng_hash_table *table, size_t key_size, const uint64_t seed[2]);
void bng_hash_table_done(struct bng_hash_table *table);

bool bng_hash_table_get(const struct bng_hash_table *table, const void *key, uint64_t *ret_value);

/* Makes room so that the next puts of so many new keys cannot fail. -ENOMEM. */
int bng_hash_table_reserve(struct bng_hash_table *table, size_t more);

/* Inserts or replaces. -ENOMEM (never after a reserve). */
int bng_hash_table_put(struct bng_hash_table *table, const void *key, uint64_t value);
bool bng_hash_table_remove(struct bng_hash_table *table, const void *key);

/* Walks the cells: start with *cursor = 0, ends with false. Not across changes. */
bool bng_hash_table_next(
	const struct bng_hash_table *table, size_t *cursor, const void **ret_key, uint64_t *ret_value);

uint64_t bng_siphash(const uint64_t seed[2], const void *data, size_t size);

#endif
