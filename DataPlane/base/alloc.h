/* SPDX-License-Identifier: Apache-2.0 */
/* The process's allocator, replaceable as a whole so that tests can make any allocation fail. */
#ifndef BNG_ALLOC_H
#define BNG_ALLOC_H

#include <stddef.h>

struct bng_allocator {
	void *(*allocate)(size_t size);
	void *(*reallocate)(void *p, size_t size);
	void (*release)(void *p);
};

/* Installs an allocator; NULL restores malloc. Not while objects of another allocator live. */
void bng_allocator_set(const struct bng_allocator *allocator);

/* All return NULL when out of memory; zero-sized requests are allowed. */
void *bng_alloc(size_t size);
void *bng_alloc_zero(size_t count, size_t size);
void *bng_realloc(void *p, size_t size);
void *bng_duplicate(const void *data, size_t size);
void bng_free(void *p);

#endif
