// SPDX-License-Identifier: Apache-2.0
// The policers' arithmetic (bng_rate.h), as the programs do it: exact at every rate and packet size, across
// the wrap of time, and no burst won by a change of rate.
#include "test.h"

#include "bng_rate.h"
#include "entry.h"

#include <stdio.h>

static struct bng_rate rate_of(uint64_t bits_per_second, uint32_t burst_bytes)
{
	struct bng_rate_object rate = {
		.present = true, .bits_per_second = bits_per_second, .burst_bytes = burst_bytes};

	return bng_entry_rate(&rate);
}

/* Bytes let through when packets of one size are offered at twice the rate for so many packets. */
static uint64_t passed_bytes(
	struct bng_rate rate, uint64_t bits_per_second, uint32_t size, uint64_t start_ns, uint64_t *ret_ns)
{
	const uint64_t packets = 400000;
	uint64_t full_at = bng_rate_time(start_ns), passed = 0, i, now_ns = start_ns;

	for (i = 0; i < packets; i++) {
		uint64_t after, now;

		now_ns = start_ns + (uint64_t)((unsigned __int128)i * size * 4000000000ULL / bits_per_second);
		now = bng_rate_time(now_ns);
		after = bng_rate_after(full_at, now, bng_rate_cost(rate.multiplier, size));
		if (after - now > rate.tolerance)
			continue;
		full_at = after;
		passed += size;
	}
	*ret_ns = now_ns - start_ns;
	return passed;
}

static void expect_exact(uint64_t bits_per_second, uint32_t size, uint64_t start_ns)
{
	const uint32_t burst = 20000;
	uint64_t ns,
		passed = passed_bytes(rate_of(bits_per_second, burst), bits_per_second, size, start_ns, &ns);
	uint64_t due = (uint64_t)((unsigned __int128)ns * bits_per_second / 8000000000ULL) + burst;
	/* One packet, and a thousandth for the rounding of a packet's time. */
	uint64_t slack = size + due / 1000;

	if (passed > due + slack || passed + slack < due)
		fail_msg("%llu bit/s, packets of %u: %llu bytes passed, %llu were due",
			(unsigned long long)bits_per_second, size, (unsigned long long)passed,
			(unsigned long long)due);
}

TEST(what_passes_is_the_rate_at_every_rate_and_size)
{
	static const uint64_t rates[] = {
		64000, 1000000, 33333333, 1000000000, 10000000000, 99999999999, 100000000000};
	static const uint32_t sizes[] = {28, 64, 576, 1500, 9000};
	size_t i, j;

	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		for (j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++)
			expect_exact(rates[i], sizes[j], 1000000000);
}

TEST(time_wraps_without_a_trace)
{
	/* Units wrap at 2^56 ns, 2.3 years after boot. */
	expect_exact(64000, 1500, (1ULL << 56) - 5000000000ULL);
	expect_exact(1000000000, 64, (1ULL << 56) - 50000000ULL);
}

TEST(the_largest_bucket_of_the_slowest_rate_fits)
{
	struct bng_rate rate = rate_of(64000, UINT32_MAX);

	assert_int_equal(rate.multiplier, 125000ULL << 24);
	assert_int_equal(rate.tolerance, (125000ULL << 8) * UINT32_MAX);
	assert_true(bng_rate_cost(rate.multiplier, 65535 + UINT16_MAX) == (125000ULL << 8) * 131070);
	rate = rate_of(100000000000, 1600);
	/* 128 ns, and what a byte's 80 ps lose in 2^-24 ns */
	assert_int_equal(rate.tolerance, (128 << 8) - 1);
}

TEST(a_change_of_rate_keeps_the_bytes_owed)
{
	static const uint64_t rates[] = {64000, 5000000, 1000000000, 100000000000};
	size_t i, j;

	for (i = 0; i < 4; i++)
		for (j = 0; j < 4; j++) {
			struct bng_rate from = rate_of(rates[i], 1 << 20), to = rate_of(rates[j], 1 << 20);
			uint64_t owed = bng_rate_cost(from.multiplier, 60000);
			uint64_t then = bng_rate_convert(owed, from.multiplier, to.multiplier);
			uint64_t due = bng_rate_cost(to.multiplier, 60000);

			assert_true(then <= due && then >= due - due / 1000);
			/* There and back, nothing is won but the rounding. */
			owed = bng_rate_convert(then, to.multiplier, from.multiplier);
			assert_true(owed >= bng_rate_cost(from.multiplier, 59800));
		}
	assert_int_equal(bng_rate_convert(0, rates[0], rates[1]), 0);
}

TEST(no_debt_is_too_large_to_convert)
{
	struct bng_rate slow = rate_of(64000, UINT32_MAX), fast = rate_of(100000000000, UINT32_MAX);

	/* Limited to what 2^30 bytes take, never wrapped to little. */
	assert_true(bng_rate_convert(slow.tolerance, slow.multiplier, fast.multiplier) >=
		    bng_rate_cost(fast.multiplier, 65536) * 16000);
	assert_true(bng_rate_convert(INT64_MAX, fast.multiplier, slow.multiplier) >= 1ULL << 54);
	assert_true(bng_rate_convert(slow.tolerance, slow.multiplier, slow.multiplier) <= slow.tolerance);
}
