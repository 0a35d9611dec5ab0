/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Hashes of values of any length that were copied into the scratch. */
#ifndef BNG_OPTION_HASH_H
#define BNG_OPTION_HASH_H

#include "cursor.h"
#include "scratch.h"

static __always_inline __u64 option_word(struct bng_scratch *s, __u64 at)
{
	return BNG_LOAD(__u64, s->options + (at & BNG_OPTIONS_MASK));
}

/* The last, incomplete word. */
static __always_inline __u64 option_tail(struct bng_scratch *s, __u64 at, __u64 left)
{
	return option_word(s, at) & ((1ULL << (8 * (left & 7))) - 1);
}

/* bng_bytes_hash() of options[at, at + length). Global, so that the verifier sees it once. */
__noinline __u64 option_hash(__u32 from, __u32 length)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return 0;
	__u64 at = from & BNG_OPTIONS_MASK, left = length & 511;

	s->hash = bng_hash_start(length);
#pragma clang loop unroll(full)
	for (int i = 0; i < 32; i++) {
		if (left < 8)
			return left ? bng_hash_word(s->hash, option_tail(s, at, left)) : s->hash;
		s->hash = bng_hash_word(s->hash, option_word(s, at));
		BNG_OPAQUE(at);
		at = (at + 8) & BNG_OPTIONS_MASK;
		BNG_OPAQUE(left);
		left = (left - 8) & 511;
	}
	return s->hash;
}

#endif
