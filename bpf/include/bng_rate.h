/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The arithmetic of policers, for the programs, the agent and the tests alike. Times are units of 2^-8 ns and
 * compared by their difference, so that they may wrap. A byte's time carries 16 more bits of fraction: a
 * packet's cost is exact to half a unit, 0.04 % of the smallest packet at 100 Gbit/s.
 */
#ifndef BNG_RATE_H
#define BNG_RATE_H

#include "bng_abi.h"

enum {
	BNG_RATE_UNIT_BITS = 8,
	BNG_RATE_FRACTION_BITS = 16,
	/* CPUs disagree on now by less: what is owed beyond the bucket and this is owed to another one. */
	BNG_RATE_SLACK = 1000000 << BNG_RATE_UNIT_BITS,
	BNG_RATE_OWED_BYTES_MAX = 1 << 30,
};

static inline __u64 bng_rate_time(__u64 ns)
{
	return ns << BNG_RATE_UNIT_BITS;
}

static inline __u64 bng_rate_cost(__u64 multiplier, __u32 bytes)
{
	return (bytes * multiplier + (1u << (BNG_RATE_FRACTION_BITS - 1))) >> BNG_RATE_FRACTION_BITS;
}

/* What a bucket lacks to be full. */
static inline __u64 bng_rate_owed(__u64 full_at, __u64 now)
{
	__u64 owed = full_at - now;

	return (__s64)owed > 0 ? owed : 0;
}

/* Where the bucket stands once a packet is charged; the packet is within the rate if that is no more than the
 * tolerance from now. */
static inline __u64 bng_rate_after(__u64 full_at, __u64 now, __u64 cost)
{
	return now + bng_rate_owed(full_at, now) + cost;
}

/* The same number of bytes owed under another rate. */
static inline __u64 bng_rate_convert(__u64 owed, __u64 from_multiplier, __u64 to_multiplier)
{
	__u64 bytes = owed >> 47 ? owed / ((from_multiplier >> BNG_RATE_FRACTION_BITS) + 1)
				 : (owed << BNG_RATE_FRACTION_BITS) / from_multiplier;

	if (bytes > BNG_RATE_OWED_BYTES_MAX)
		bytes = BNG_RATE_OWED_BYTES_MAX;
	return (bytes * (to_multiplier >> 8)) >> (BNG_RATE_FRACTION_BITS - 8);
}

#endif
