// SPDX-License-Identifier: Apache-2.0
// One batched look-up for all reasons of all ports.
#include "map_counters.h"

#include "alloc.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

enum { REASON_SLOTS = BNG_MAX_PORTS * BNG_REASON_STRIDE };

static const char *const names[BNG_REASON_STRIDE] = {
#define DROP_NAME(name) [BNG_DROP_##name] = "drop." #name,
#define PUNT_NAME(name) [BNG_PUNT_REASON_##name] = "punt." #name,
#define TX_NAME(name)   [BNG_TX_##name] = "tx." #name,
	BNG_DROP_REASONS(DROP_NAME) BNG_PUNT_REASONS(PUNT_NAME) BNG_TX_REASONS(TX_NAME)};

const char *bng_reason_name(uint32_t reason)
{
	return reason < BNG_REASON_STRIDE ? names[reason] : NULL;
}

const char *bng_reason_short_name(uint32_t reason)
{
	const char *name = bng_reason_name(reason);

	return name ? strchr(name, '.') + 1 : NULL;
}

int bng_map_reasons_read(const struct bng_kern *kern, uint64_t *ret_sums)
{
	uint32_t *keys = bng_alloc_zero(REASON_SLOTS, sizeof(*keys)), count = REASON_SLOTS, cursor, i, cpu;
	uint64_t *values = bng_alloc_zero((size_t)REASON_SLOTS * kern->cpus, sizeof(*values));
	int err = keys && values ? 0 : -ENOMEM;

	if (!err &&
		bpf_map_lookup_batch(
			kern->maps[BNG_MAP_reason_counters], NULL, &cursor, keys, values, &count, NULL) &&
		errno != ENOENT)
		err = -errno;
	for (i = 0; !err && i < REASON_SLOTS; i++)
		ret_sums[i] = 0;
	for (i = 0; !err && i < count; i++)
		for (cpu = 0; cpu < kern->cpus; cpu++)
			ret_sums[keys[i]] += values[(size_t)i * kern->cpus + cpu];
	bng_free(keys);
	bng_free(values);
	return err;
}
