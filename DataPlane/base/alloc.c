// SPDX-License-Identifier: Apache-2.0
// The allocator hook; malloc unless a test says otherwise.
#include "alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct bng_allocator system_allocator = {malloc, realloc, free};
static const struct bng_allocator *current = &system_allocator;

void bng_allocator_set(const struct bng_allocator *allocator)
{
	current = allocator ? allocator : &system_allocator;
}

void *bng_alloc(size_t size)
{
	return current->allocate(size ? size : 1);
}

void *bng_alloc_zero(size_t count, size_t size)
{
	void *p;

	if (size && count > SIZE_MAX / size)
		return NULL;
	p = bng_alloc(count * size);
	if (p)
		memset(p, 0, count * size);
	return p;
}

void *bng_realloc(void *p, size_t size)
{
	return current->reallocate(p, size ? size : 1);
}

void *bng_duplicate(const void *data, size_t size)
{
	void *p = bng_alloc(size);

	if (p && size)
		memcpy(p, data, size);
	return p;
}

void bng_free(void *p)
{
	current->release(p);
}
