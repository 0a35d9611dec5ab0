// SPDX-License-Identifier: Apache-2.0
// IPv6 leases, one by one: those that activity renews go on, renewals and lapses become events.
#include "agent.h"

#include "map_session6.h"

/*
 * A line that is always active is renewed, and reported, twice in its lease's time: when half of it would be
 * gained. One that was active early in it is renewed shortly before its end.
 */
static void renew_by_activity(
	const struct bng_session_object *session, struct bng_session6_state *state, uint64_t now_ns)
{
	uint64_t valid_ns = session->ipv6.valid_seconds * 1000000000ULL;
	uint64_t expires_ns = __atomic_load_n(&state->expires_ns, __ATOMIC_RELAXED);
	uint64_t active_ns = __atomic_load_n(&state->active_ns, __ATOMIC_RELAXED);
	uint64_t wanted_ns = active_ns + valid_ns;

	if (!session->ipv6.activity_renews || !expires_ns || !active_ns || wanted_ns <= now_ns ||
		wanted_ns <= expires_ns)
		return;
	if (wanted_ns - expires_ns < valid_ns / 2 && expires_ns > now_ns + valid_ns / 8)
		return;
	bng_map_session6_extend(state, wanted_ns);
	(void)__atomic_add_fetch(&state->renewals, 1, __ATOMIC_RELEASE);
}

static int push(struct bng_agent *agent, enum bng_event_kind kind, const struct bng_session_object *session,
	uint32_t renewals, const struct bng_clock *clock)
{
	struct bng_event event = bng_sweep_event(kind, session, clock);

	event.is_ipv6 = true;
	event.renewals = renewals;
	event.expires_utc_ms = bng_map_session6_expires_ms(&agent->kern, session, clock);
	event.cause = kind == BNG_EVENT_SESSION_LAPSED ? "ipv6_lease_expired" : NULL;
	return bng_event_queue_push(&agent->link.events, &event);
}

int bng_sweep6_slot(
	struct bng_agent *agent, const struct bng_session_object *session, const struct bng_clock *clock)
{
	uint32_t slot = session->head.index, renewals;
	struct bng_session6_state *state = &agent->kern.session6_state[slot];
	uint64_t expires_ns;
	int err = 0;

	if (!session->has_ipv6) {
		agent->lapse6_queued[slot] = 0;
		return 0;
	}
	renew_by_activity(session, state, clock->boot_ns);
	renewals = __atomic_load_n(&state->renewals, __ATOMIC_ACQUIRE);
	expires_ns = __atomic_load_n(&state->expires_ns, __ATOMIC_RELAXED);
	if (renewals != state->renewals_reported && renewals != agent->renewals6_queued[slot]) {
		err = push(agent, BNG_EVENT_LEASE_RENEWED, session, renewals, clock);
		if (!err)
			agent->renewals6_queued[slot] = renewals;
	}
	if (!expires_ns || expires_ns > clock->boot_ns) {
		state->lapse_reported = 0;
		agent->lapse6_queued[slot] = 0;
	} else if (!err && !state->lapse_reported && !agent->lapse6_queued[slot]) {
		err = push(agent, BNG_EVENT_SESSION_LAPSED, session, 0, clock);
		agent->lapse6_queued[slot] = !err;
	}
	return err;
}
