// SPDX-License-Identifier: Apache-2.0
// Runs the registered tests of one binary; counts allocations, and makes them fail on demand.
#include "test.h"

#include <errno.h>
#include <stdio.h>

static struct CMUnitTest tests[256];
static size_t count;
static long until_failure = -1, live;

void bng_test_add(const char *name, void (*test)(void **))
{
	tests[count++] = (struct CMUnitTest){.name = name, .test_func = test};
}

static void *allocate(size_t size)
{
	void *p;

	if (until_failure == 0)
		return NULL;
	if (until_failure > 0)
		until_failure--;
	p = malloc(size);
	live += p != NULL;
	return p;
}

static void *reallocate(void *old, size_t size)
{
	void *p;

	if (until_failure == 0)
		return NULL;
	if (until_failure > 0)
		until_failure--;
	p = realloc(old, size);
	live += p && !old;
	return p;
}

static void release(void *p)
{
	live -= p != NULL;
	free(p);
}

void bng_test_fail_allocation(long n)
{
	until_failure = n;
}

long bng_test_live_blocks(void)
{
	return live;
}

int main(void)
{
	static const struct bng_allocator counting = {allocate, reallocate, release};

	bng_allocator_set(&counting);
	return _cmocka_run_group_tests(program_invocation_short_name, tests, count, NULL, NULL);
}
