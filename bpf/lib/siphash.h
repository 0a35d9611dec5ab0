/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* SipHash-2-4 (Aumasson, Bernstein) of 24 bytes: what makes a cookie one that only we can have given. */
#ifndef BNG_SIPHASH_H
#define BNG_SIPHASH_H

#include "scratch.h"

struct bng_sip {
	__u64 v0, v1, v2, v3;
};

static __always_inline __u64 rotate_left(__u64 x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static __always_inline void sip_rounds(struct bng_sip *v, int rounds)
{
#pragma clang loop unroll(full)
	for (int i = 0; i < rounds; i++) {
		v->v0 += v->v1;
		v->v1 = rotate_left(v->v1, 13) ^ v->v0;
		v->v0 = rotate_left(v->v0, 32);
		v->v2 += v->v3;
		v->v3 = rotate_left(v->v3, 16) ^ v->v2;
		v->v0 += v->v3;
		v->v3 = rotate_left(v->v3, 21) ^ v->v0;
		v->v2 += v->v1;
		v->v1 = rotate_left(v->v1, 17) ^ v->v2;
		v->v2 = rotate_left(v->v2, 32);
	}
}

static __always_inline void sip_absorb(struct bng_sip *v, __u64 word)
{
	v->v3 ^= word;
	sip_rounds(v, 2);
	v->v0 ^= word;
}

/* Of s->siphash. Global, so that its registers are its own. */
__noinline __u64 siphash(__u32 unused)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	(void)unused;
	if (!s)
		return 0;
	const struct bng_siphash *in = &s->siphash;
	struct bng_sip v = {in->key[0] ^ 0x736f6d6570736575ULL, in->key[1] ^ 0x646f72616e646f6dULL,
		in->key[0] ^ 0x6c7967656e657261ULL, in->key[1] ^ 0x7465646279746573ULL};

	sip_absorb(&v, in->words[0]);
	sip_absorb(&v, in->words[1]);
	sip_absorb(&v, in->words[2]);
	sip_absorb(&v, 24ULL << 56);
	v.v2 ^= 0xff;
	sip_rounds(&v, 4);
	return v.v0 ^ v.v1 ^ v.v2 ^ v.v3;
}

#endif
