/* SPDX-License-Identifier: Apache-2.0 */
/* TEST(sentence_in_snake_case) { ... } registers itself; test.c holds main(). */
#ifndef BNG_TEST_H
#define BNG_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"

void bng_test_add(const char *name, void (*test)(void **));

#define TEST(name)                                                                                           \
	static void name(void **unused);                                                                     \
	__attribute__((constructor)) static void register_##name(void)                                       \
	{                                                                                                    \
		bng_test_add(#name, name);                                                                   \
	}                                                                                                    \
	static void name(__attribute__((unused)) void **unused)

/* From now on the n-th allocation (from 0) fails, and all after it; negative: none does. */
void bng_test_fail_allocation(long n);

/* Blocks allocated through base/alloc.h and not released. */
long bng_test_live_blocks(void);

static const uint64_t test_seed[2] = {0x0123456789abcdefULL, 0xfedcba9876543210ULL};

#endif
