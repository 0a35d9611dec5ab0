/* SPDX-License-Identifier: Apache-2.0 */
/* One state, what was refused last, and how a test of the model begins and ends. */
#ifndef BNG_TEST_STATE_SCENE_H
#define BNG_TEST_STATE_SCENE_H

#include "objects.h"
#include "test.h"

static struct bng_state state;
static struct bng_refusal refusal;

#define assert_refused(object, expected, where)                                                              \
	do {                                                                                                 \
		assert_int_equal(test_apply(&state, &(object), &refusal), expected);                         \
		assert_string_equal(refusal.path, where);                                                    \
	} while (0)

static void begin(uint32_t max_sessions)
{
	test_state_init(&state, max_sessions);
	test_apply_base(&state);
}

static void end(void)
{
	bng_state_done(&state);
	assert_int_equal(bng_test_live_blocks(), 0);
}

#endif
