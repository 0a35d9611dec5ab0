// SPDX-License-Identifier: Apache-2.0
// Sorts a family's objects by id and finds a page in them.
#include "audit.h"

#include "alloc.h"
#include "state_internal.h"

#include <errno.h>
#include <stdlib.h>

static int by_id(const void *a, const void *b)
{
	uint64_t x = (*(const struct bng_object *const *)a)->id,
		 y = (*(const struct bng_object *const *)b)->id;

	return (x > y) - (x < y);
}

void bng_audit_done(struct bng_audit *audit)
{
	bng_free(audit->objects);
	*audit = (struct bng_audit){0};
}

static int sort(struct bng_audit *audit, const struct bng_state *state, enum bng_family family)
{
	const struct bng_hash_table *table = &state->by_id[family];
	size_t cursor = 0;
	const void *key;
	uint64_t value;

	bng_audit_done(audit);
	audit->objects = bng_alloc_zero(table->count, sizeof(*audit->objects));
	if (!audit->objects)
		return -ENOMEM;
	while (bng_hash_table_next(table, &cursor, &key, &value))
		audit->objects[audit->count++] = bng_pointer_of(value);
	qsort(audit->objects, audit->count, sizeof(*audit->objects), by_id);
	audit->family = family;
	audit->change = state->changes[family];
	return 0;
}

int bng_audit_page(struct bng_audit *audit, const struct bng_state *state, enum bng_family family,
	uint64_t after_id, const struct bng_object *const **ret_first, size_t *ret_count)
{
	size_t low = 0, high, middle;
	int err;

	if (audit->family != family || audit->change != state->changes[family]) {
		err = sort(audit, state, family);
		if (err)
			return err;
	}
	for (high = audit->count; low < high;) {
		middle = low + (high - low) / 2;
		if (audit->objects[middle]->id <= after_id)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_first = audit->objects + low;
	*ret_count = audit->count - low;
	return 0;
}
