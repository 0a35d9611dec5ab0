// SPDX-License-Identifier: Apache-2.0
// The IPv6 lease of one session under the sweep of every second, without a kernel: what activity does to it,
// and what is told of it.
#include "test.h"

#include "agent.h"
#include "objects.h"

#define SECOND_NS 1000000000ULL

enum { SLOT = 1, VALID_S = 3600 };

static struct bng_agent agent;
static struct bng_session6_state states[2];
static union bng_any_object session;
static struct bng_clock now;

static void begin(bool activity_renews, uint64_t expires_in_s)
{
	static uint32_t renewals_queued[2];
	static uint8_t lapse_queued[2];

	memset(states, 0, sizeof(states));
	renewals_queued[SLOT] = lapse_queued[SLOT] = 0;
	agent = (struct bng_agent){.kern.session6_state = states,
		.renewals6_queued = renewals_queued,
		.lapse6_queued = lapse_queued};
	bng_event_queue_init(&agent.link.events);
	session = test_session(77, 0x64400101);
	session.head.index = SLOT;
	test_add_ipv6(&session, "2001:db8:1::", 56);
	session.session.ipv6.activity_renews = activity_renews;
	now = (struct bng_clock){.boot_ns = 1000000 * SECOND_NS, .utc_ms = 1800000000000ULL};
	states[SLOT] = (struct bng_session6_state){
		.session_id = 77, .expires_ns = now.boot_ns + expires_in_s * SECOND_NS};
}

static void end(void)
{
	bng_event_queue_done(&agent.link.events);
	assert_int_equal(bng_test_live_blocks(), 0);
}

/* So many seconds of sweeps, active in each or in none. */
static void run(unsigned seconds, bool active)
{
	while (seconds--) {
		now.boot_ns += SECOND_NS;
		now.utc_ms += 1000;
		if (active)
			states[SLOT].active_ns = now.boot_ns;
		assert_int_equal(bng_sweep6_slot(&agent, &session.session, &now), 0);
	}
}

/* The oldest event, taken and acknowledged. */
static struct bng_event take(void)
{
	struct bng_event event;

	assert_true(agent.link.events.count > 0);
	agent.link.events.sent = agent.link.events.count;
	assert_true(bng_event_queue_pop(&agent.link.events, agent.link.events.first_sequence, &event));
	if (event.kind == BNG_EVENT_LEASE_RENEWED)
		states[SLOT].renewals_reported = event.renewals;
	else
		states[SLOT].lapse_reported = 1;
	return event;
}

TEST(a_busy_line_is_renewed_twice_in_its_leases_time)
{
	struct bng_event event;

	begin(true, VALID_S);
	run(VALID_S / 2 - 1, true);
	assert_int_equal(agent.link.events.count, 0);
	run(1, true);
	event = take();
	assert_int_equal(event.kind, BNG_EVENT_LEASE_RENEWED);
	assert_true(event.is_ipv6 && event.session_id == 77);
	assert_true(event.expires_utc_ms == now.utc_ms + VALID_S * 1000ULL);
	run(VALID_S * 10, true);
	assert_int_equal(states[SLOT].renewals, 1 + 20);
	assert_true(states[SLOT].expires_ns > now.boot_ns + (VALID_S / 2 - 1) * SECOND_NS);
	end();
}

TEST(a_line_that_was_active_early_keeps_its_lease_as_long_as_that_gives)
{
	begin(true, VALID_S);
	run(100, true);
	run(VALID_S - 101, false);
	assert_int_equal(states[SLOT].renewals, 1);
	assert_true(states[SLOT].expires_ns == now.boot_ns + 101 * SECOND_NS);
	assert_int_equal(take().kind, BNG_EVENT_LEASE_RENEWED);
	run(100, false);
	assert_int_equal(agent.link.events.count, 0);
	run(1, false);
	assert_string_equal(take().cause, "ipv6_lease_expired");
	/* Once. */
	run(100, false);
	assert_int_equal(agent.link.events.count, 0);
	end();
}

TEST(a_line_that_says_nothing_loses_its_lease)
{
	begin(true, 60);
	run(59, false);
	assert_int_equal(agent.link.events.count, 0);
	run(1, false);
	assert_int_equal(take().kind, BNG_EVENT_SESSION_LAPSED);
	/* What the programs renew lives again, and its next end is told again. */
	states[SLOT].expires_ns = now.boot_ns + 60 * SECOND_NS;
	states[SLOT].renewals++;
	run(1, false);
	assert_int_equal(take().renewals, 1);
	run(60, false);
	assert_int_equal(take().kind, BNG_EVENT_SESSION_LAPSED);
	end();
}

TEST(activity_renews_only_where_it_may)
{
	begin(false, 60);
	run(60, true);
	assert_int_equal(take().kind, BNG_EVENT_SESSION_LAPSED);
	end();
	/* A lease that never ran is not begun by it, and one that never ends is left alone. */
	begin(true, 0);
	states[SLOT].expires_ns = 0;
	run(60, true);
	assert_true(states[SLOT].expires_ns == 0);
	states[SLOT].expires_ns = UINT64_MAX;
	run(60, true);
	assert_int_equal(agent.link.events.count + states[SLOT].renewals, 0);
	end();
}

TEST(a_session_that_loses_its_ipv6_has_nothing_to_tell)
{
	begin(true, 1);
	agent.lapse6_queued[SLOT] = 1;
	session.session.has_ipv6 = false;
	run(10, false);
	assert_int_equal(agent.link.events.count, 0);
	assert_int_equal(agent.lapse6_queued[SLOT], 0);
	end();
}
