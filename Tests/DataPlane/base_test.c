// SPDX-License-Identifier: Apache-2.0
// Containers of base/: hash table against a plain array, buffer, arena; and that running out of memory is
// survived.
#include "test.h"

#include "arena.h"
#include "buffer.h"
#include "hash_table.h"

#include <errno.h>

TEST(hash_table_agrees_with_a_plain_array_over_random_operations)
{
	enum { KEYS = 512, ROUNDS = 100000 };
	static uint64_t expected[KEYS];
	struct bng_hash_table table;
	uint64_t random = 88172645463325252ULL, key, value;
	size_t round, cursor = 0, count = 0;
	const void *at;

	memset(expected, 0, sizeof(expected));
	bng_hash_table_init(&table, sizeof(key), test_seed);
	for (round = 1; round <= ROUNDS; round++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		key = random % KEYS;
		if (random >> 60 < 7) {
			assert_int_equal(bng_hash_table_put(&table, &key, round), 0);
			expected[key] = round;
		} else {
			assert_int_equal(bng_hash_table_remove(&table, &key), expected[key] != 0);
			expected[key] = 0;
		}
		key = (random >> 20) % KEYS;
		assert_int_equal(bng_hash_table_get(&table, &key, &value), expected[key] != 0);
		if (expected[key])
			assert_int_equal(value, expected[key]);
	}
	while (bng_hash_table_next(&table, &cursor, &at, &value)) {
		memcpy(&key, at, sizeof(key));
		assert_int_equal(value, expected[key]);
		count++;
	}
	assert_int_equal(count, table.count);
	bng_hash_table_done(&table);
}

TEST(siphash_matches_the_reference_for_1_3)
{
	/* Key 00..0f, message 00..0e; computed with the reference implementation's structure, c=1, d=3. */
	const uint64_t seed[2] = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
	uint8_t message[15];
	size_t i;

	for (i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)i;
	assert_int_equal(bng_siphash(seed, message, 0), 0xabac0158050fc4dcULL);
	assert_int_not_equal(bng_siphash(seed, message, 15), bng_siphash(seed, message, 14));
}

TEST(hash_table_survives_failing_allocations)
{
	struct bng_hash_table table;
	uint64_t key, value;
	int err = 0;

	bng_hash_table_init(&table, sizeof(key), test_seed);
	bng_test_fail_allocation(2);
	for (key = 0; !err; key++)
		err = bng_hash_table_put(&table, &key, key + 1);
	bng_test_fail_allocation(-1);
	assert_int_equal(err, -ENOMEM);
	for (key = 0; key < table.count; key++) {
		assert_true(bng_hash_table_get(&table, &key, &value));
		assert_int_equal(value, key + 1);
	}
	bng_hash_table_done(&table);
	assert_int_equal(bng_test_live_blocks(), 0);
}

TEST(buffer_keeps_order_and_bound)
{
	struct bng_buffer buffer;
	uint8_t block[1000], *at;
	size_t i;

	bng_buffer_init(&buffer, 10000);
	for (i = 0; i < 10; i++) {
		memset(block, (int)i, sizeof(block));
		assert_int_equal(bng_buffer_append(&buffer, block, sizeof(block)), 0);
	}
	assert_int_equal(bng_buffer_append(&buffer, block, 1), -ENOBUFS);
	bng_buffer_consume(&buffer, 1500);
	assert_int_equal(bng_buffer_front(&buffer)[0], 1);
	assert_int_equal(bng_buffer_reserve(&buffer, 1500, &at), 0);
	bng_buffer_commit(&buffer, 1500);
	assert_int_equal(bng_buffer_room(&buffer), 0);
	bng_buffer_consume(&buffer, 10000);
	assert_int_equal(bng_buffer_size(&buffer), 0);
	bng_test_fail_allocation(0);
	assert_int_equal(bng_buffer_append(&buffer, block, 0), 0);
	bng_test_fail_allocation(-1);
	bng_buffer_done(&buffer);
	assert_int_equal(bng_test_live_blocks(), 0);
}

TEST(arena_stops_at_its_budget_and_is_reusable)
{
	struct bng_arena arena;
	size_t i;

	bng_arena_init(&arena, 1000);
	for (i = 0; bng_arena_alloc(&arena, 100); i++)
		;
	assert_int_equal(i, 1000 / 112);
	assert_null(bng_arena_alloc(&arena, SIZE_MAX - 3));
	bng_arena_reset(&arena);
	assert_non_null(bng_arena_alloc(&arena, 992));
	bng_arena_done(&arena);
	bng_test_fail_allocation(0);
	assert_null(bng_arena_alloc(&arena, 1));
	bng_test_fail_allocation(-1);
	assert_int_equal(bng_test_live_blocks(), 0);
}
