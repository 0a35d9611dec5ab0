/* SPDX-License-Identifier: Apache-2.0 */
/* Family digest: the sum of object digests modulo 2^128, kept as objects come and go. */
#ifndef BNG_DIGEST_SUM_H
#define BNG_DIGEST_SUM_H

#include <stdint.h>

#include "object.h"

struct bng_digest_sum {
	unsigned __int128 sum;
	uint64_t count;
};

void bng_digest_sum_add(struct bng_digest_sum *sum, const uint8_t digest[BNG_DIGEST_SIZE]);
void bng_digest_sum_remove(struct bng_digest_sum *sum, const uint8_t digest[BNG_DIGEST_SIZE]);
void bng_digest_sum_bytes(const struct bng_digest_sum *sum, uint8_t ret_digest[BNG_DIGEST_SIZE]);

#endif
