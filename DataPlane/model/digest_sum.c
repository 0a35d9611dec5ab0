// SPDX-License-Identifier: Apache-2.0
// 128-bit big-endian addition.
#include "digest_sum.h"

#include "bytes.h"

static unsigned __int128 number_of(const uint8_t digest[BNG_DIGEST_SIZE])
{
	return ((unsigned __int128)bng_get_be64(digest) << 64) | bng_get_be64(digest + 8);
}

void bng_digest_sum_add(struct bng_digest_sum *sum, const uint8_t digest[BNG_DIGEST_SIZE])
{
	sum->sum += number_of(digest);
	sum->count++;
}

void bng_digest_sum_remove(struct bng_digest_sum *sum, const uint8_t digest[BNG_DIGEST_SIZE])
{
	sum->sum -= number_of(digest);
	sum->count--;
}

void bng_digest_sum_bytes(const struct bng_digest_sum *sum, uint8_t ret_digest[BNG_DIGEST_SIZE])
{
	bng_put_be64(ret_digest, (uint64_t)(sum->sum >> 64));
	bng_put_be64(ret_digest + 8, (uint64_t)sum->sum);
}
