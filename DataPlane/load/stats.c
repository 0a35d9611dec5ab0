// SPDX-License-Identifier: Apache-2.0
// Latency histogram with bounded memory: 100 linear steps per power of two.

#include "load.h"

#include <time.h>

uint64_t load_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint32_t bucket_of(uint64_t us)
{
	uint32_t power;

	if (us < 100)
		return (uint32_t)us;
	power = 63u - (uint32_t)__builtin_clzll(us / 100) + 1;
	uint64_t low = 100ull << (power - 1);
	uint32_t bucket = power * 100 + (uint32_t)((us - low) * 100 / low);

	return bucket < LOAD_BUCKETS ? bucket : LOAD_BUCKETS - 1;
}

static uint64_t upper_edge_us(uint32_t bucket)
{
	if (bucket < 100)
		return bucket;
	uint64_t low = 100ull << (bucket / 100 - 1);

	return low + low * (bucket % 100 + 1) / 100;
}

void load_histogram_add(struct load_histogram *h, uint64_t ns)
{
	uint64_t us = ns / 1000;

	h->count++;
	h->buckets[bucket_of(us)]++;
	if (us > h->max_us)
		h->max_us = us;
}

uint64_t load_histogram_quantile_us(const struct load_histogram *h, double q)
{
	uint64_t rank = (uint64_t)((double)h->count * q), seen = 0;

	for (uint32_t i = 0; i < LOAD_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen > rank)
			return upper_edge_us(i) < h->max_us ? upper_edge_us(i) : h->max_us;
	}
	return h->max_us;
}

void load_histogram_print(FILE *out, const char *name, const struct load_histogram *h)
{
	fprintf(out,
		"\"%s\": {\"count\": %llu, \"p50_us\": %llu, \"p95_us\": %llu, \"p99_us\": %llu, \"max_us\": "
		"%llu}",
		name, (unsigned long long)h->count, (unsigned long long)load_histogram_quantile_us(h, 0.50),
		(unsigned long long)load_histogram_quantile_us(h, 0.95),
		(unsigned long long)load_histogram_quantile_us(h, 0.99), (unsigned long long)h->max_us);
}
