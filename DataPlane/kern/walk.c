// SPDX-License-Identifier: Apache-2.0
// Batched look-ups; a bucket larger than the batch makes the kernel answer ENOSPC, then the batch grows.
#include "walk.h"

#include "alloc.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { FIRST_BATCH = 1024, LARGEST_BATCH = 1024 * 1024, CURSOR_BYTES = 64 };

static int walk(int fd, uint32_t key_size, uint32_t value_size, uint32_t batch,
	int (*visit)(void *context, const void *key, const void *value), void *context)
{
	uint8_t *keys = bng_alloc_zero(batch, key_size), *values = bng_alloc_zero(batch, value_size);
	uint8_t in[CURSOR_BYTES], out[CURSOR_BYTES];
	bool first = true, last = false;
	uint32_t count, i;
	int err = keys && values ? 0 : -ENOMEM;

	while (!err && !last) {
		count = batch;
		if (bpf_map_lookup_batch(fd, first ? NULL : in, out, keys, values, &count, NULL)) {
			err = errno == ENOENT ? 0 : -errno;
			last = true;
		}
		for (i = 0; i < count && !err; i++)
			err = visit(context, keys + (size_t)i * key_size, values + (size_t)i * value_size);
		memcpy(in, out, sizeof(in));
		first = false;
	}
	bng_free(keys);
	bng_free(values);
	return err;
}

struct counting {
	int (*visit)(void *context, const void *key, const void *value);
	void *context;
	uint64_t visited;
};

static int count_and_visit(void *context, const void *key, const void *value)
{
	struct counting *counting = context;

	counting->visited++;
	return counting->visit(counting->context, key, value);
}

int bng_walk_map(int fd, uint32_t key_size, uint32_t value_size,
	int (*visit)(void *context, const void *key, const void *value), void *context)
{
	struct counting counting = {.visit = visit, .context = context};
	uint32_t batch = FIRST_BATCH;
	int err;

	do {
		err = walk(fd, key_size, value_size, batch, count_and_visit, &counting);
		batch *= 4;
		/* Only a walk that has shown nothing yet may start again. */
	} while (err == -ENOSPC && !counting.visited && batch <= LARGEST_BATCH);
	return err;
}

int bng_walk_keys(int fd, uint32_t key_size, uint32_t value_size,
	int (*visit)(void *context, const void *key, const void *value), void *context)
{
	uint8_t *key = bng_alloc(key_size), *next = bng_alloc(key_size), *value = bng_alloc(value_size),
		*swap;
	int err = key && next && value ? 0 : -ENOMEM;
	bool more = !err && !bpf_map_get_next_key(fd, NULL, key);

	while (more && !err) {
		more = !bpf_map_get_next_key(fd, key, next);
		if (!bpf_map_lookup_elem(fd, key, value))
			err = visit(context, key, value);
		swap = key;
		key = next;
		next = swap;
	}
	bng_free(key);
	bng_free(next);
	bng_free(value);
	return err;
}
