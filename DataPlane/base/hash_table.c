// SPDX-License-Identifier: Apache-2.0
// Linear probing with backward-shift deletion (no tombstones), at most three quarters full.
#include "hash_table.h"

#include "alloc.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { FIRST_CAPACITY = 16, VALUE_AT = 0, USED_AT = 8, KEY_AT = 9 };

static inline uint64_t rotate(uint64_t x, int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t bng_siphash(const uint64_t seed[2], const void *data, size_t size)
{
	uint64_t v[4] = {seed[0] ^ 0x736f6d6570736575ULL, seed[1] ^ 0x646f72616e646f6dULL,
		seed[0] ^ 0x6c7967656e657261ULL, seed[1] ^ 0x7465646279746573ULL};
	const uint8_t *p = data;
	uint64_t word, last = (uint64_t)size << 56;
	size_t i;

	for (; size >= 8; size -= 8, p += 8) {
		memcpy(&word, p, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	for (i = 0; i < size; i++)
		last |= (uint64_t)p[i] << (8 * i);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static inline uint8_t *cell_at(const struct bng_hash_table *table, size_t i)
{
	return table->cells + (i & (table->capacity - 1)) * table->cell_size;
}

static inline size_t home_of(const struct bng_hash_table *table, const void *key)
{
	return (size_t)bng_siphash(table->seed, key, table->key_size) & (table->capacity - 1);
}

/* The cell holding key, or the free cell where it would go. */
static uint8_t *probe(const struct bng_hash_table *table, const void *key, size_t *ret_index)
{
	size_t i = home_of(table, key);
	uint8_t *cell;

	for (;; i++) {
		cell = cell_at(table, i);
		if (!cell[USED_AT] || !memcmp(cell + KEY_AT, key, table->key_size))
			break;
	}
	*ret_index = i & (table->capacity - 1);
	return cell;
}

void bng_hash_table_init(struct bng_hash_table *table, size_t key_size, const uint64_t seed[2])
{
	assert(key_size > 0 && key_size <= BNG_HASH_KEY_MAX);
	*table = (struct bng_hash_table){
		.key_size = key_size,
		.cell_size = (KEY_AT + key_size + 7) & ~(size_t)7,
		.seed = {seed[0], seed[1]},
	};
}

void bng_hash_table_done(struct bng_hash_table *table)
{
	bng_free(table->cells);
	table->cells = NULL;
	table->capacity = table->count = 0;
}

bool bng_hash_table_get(const struct bng_hash_table *table, const void *key, uint64_t *ret_value)
{
	uint8_t *cell;
	size_t i;

	if (!table->count)
		return false;
	cell = probe(table, key, &i);
	if (!cell[USED_AT])
		return false;
	memcpy(ret_value, cell + VALUE_AT, sizeof(*ret_value));
	return true;
}

static int grow(struct bng_hash_table *table)
{
	struct bng_hash_table old = *table;
	size_t i, unused;

	table->capacity = old.capacity ? old.capacity * 2 : FIRST_CAPACITY;
	table->cells = bng_alloc_zero(table->capacity, table->cell_size);
	if (!table->cells) {
		*table = old;
		return -ENOMEM;
	}
	for (i = 0; i < old.capacity; i++) {
		const uint8_t *cell = old.cells + i * old.cell_size;

		if (cell[USED_AT])
			memcpy(probe(table, cell + KEY_AT, &unused), cell, table->cell_size);
	}
	bng_free(old.cells);
	return 0;
}

int bng_hash_table_reserve(struct bng_hash_table *table, size_t more)
{
	int err = 0;

	while (!err && (table->count + more) * 4 > table->capacity * 3)
		err = grow(table);
	return err;
}

int bng_hash_table_put(struct bng_hash_table *table, const void *key, uint64_t value)
{
	uint8_t *cell;
	size_t i;
	int err = bng_hash_table_reserve(table, 1);

	if (err)
		return err;
	cell = probe(table, key, &i);
	if (!cell[USED_AT]) {
		cell[USED_AT] = 1;
		memcpy(cell + KEY_AT, key, table->key_size);
		table->count++;
	}
	memcpy(cell + VALUE_AT, &value, sizeof(value));
	return 0;
}

bool bng_hash_table_remove(struct bng_hash_table *table, const void *key)
{
	size_t hole, i, home;
	uint8_t *cell;

	if (!table->count)
		return false;
	cell = probe(table, key, &hole);
	if (!cell[USED_AT])
		return false;
	for (i = hole + 1;; i++) {
		cell = cell_at(table, i);
		if (!cell[USED_AT])
			break;
		home = home_of(table, cell + KEY_AT);
		if (((i - home) & (table->capacity - 1)) < ((i - hole) & (table->capacity - 1)))
			continue;
		memcpy(cell_at(table, hole), cell, table->cell_size);
		hole = i;
	}
	memset(cell_at(table, hole), 0, table->cell_size);
	table->count--;
	return true;
}

bool bng_hash_table_next(
	const struct bng_hash_table *table, size_t *cursor, const void **ret_key, uint64_t *ret_value)
{
	for (; *cursor < table->capacity; (*cursor)++) {
		const uint8_t *cell = table->cells + *cursor * table->cell_size;

		if (!cell[USED_AT])
			continue;
		*ret_key = cell + KEY_AT;
		memcpy(ret_value, cell + VALUE_AT, sizeof(*ret_value));
		(*cursor)++;
		return true;
	}
	return false;
}
