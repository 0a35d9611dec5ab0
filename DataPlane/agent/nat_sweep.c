// SPDX-License-Identifier: Apache-2.0
// Looks at every mapping and flow once a round, a few milliseconds of each tick, and has those taken away
// whose time has passed or whose session is no more. The programs are asked to do it: a packet may have come
// since.
#include "agent.h"

#include "alloc.h"
#include "entry.h"
#include "map_nat.h"
#include "nat_expiry.h"

#include <bpf/bpf.h>
#include <errno.h>

enum {
	BATCH_MAX = 4096, /* a bucket of the map has to fit */
	TURN_NS = 3000000,
	ROUND_NS = 2000000000,
	SECOND_NS = 1000000000,
	ASK_AGAIN_SECONDS = 60,
	KEY_SIZE = sizeof(struct bng_nat_flow_key),
	VALUE_SIZE = sizeof(struct bng_nat_flow),
};

_Static_assert(KEY_SIZE >= (int)sizeof(struct bng_nat_key), "keys");
_Static_assert(VALUE_SIZE >= (int)sizeof(struct bng_nat_mapping), "values");

int bng_nat_sweep_init(struct bng_agent *agent)
{
	agent->nat.keys = bng_alloc_zero(BATCH_MAX, KEY_SIZE);
	agent->nat.values = bng_alloc_zero(BATCH_MAX, VALUE_SIZE);
	agent->nat_asked = bng_alloc_zero((size_t)agent->options.max_sessions + 1, sizeof(uint32_t));
	agent->nat_algs = bng_alloc_zero((size_t)agent->options.max_sessions + 1, sizeof(uint8_t));
	return agent->nat.keys && agent->nat.values && agent->nat_asked && agent->nat_algs ? 0 : -ENOMEM;
}

void bng_nat_sweep_done(struct bng_agent *agent)
{
	bng_free(agent->nat.keys);
	bng_free(agent->nat.values);
	bng_free(agent->nat_asked);
	bng_free(agent->nat_algs);
}

/* The session a mapping or flow belongs to; NULL: it is no more. */
static const struct bng_session_object *session_of(
	const struct bng_agent *agent, uint32_t slot, uint64_t session_id)
{
	const struct bng_session_object *session =
		slot <= agent->options.max_sessions ? agent->state.by_slot[slot] : NULL;

	return session && session->head.id == session_id && session->has_nat ? session : NULL;
}

static void reap(struct bng_agent *agent)
{
	int taken = bng_map_nat_reap(&agent->kern, agent->nat.records, agent->nat.record_count);

	if (taken > 0)
		agent->counters[BNG_COUNT_nat_reaped] += (uint64_t)taken;
	agent->nat.record_count = 0;
}

static void look_at(struct bng_agent *agent, uint32_t i, uint64_t now_ns)
{
	struct bng_nat_sweep *sweep = &agent->nat;
	struct bng_nat_reap record = {0};

	if (sweep->over_flows) {
		const struct bng_nat_flow_key *key = (const void *)(sweep->keys + (size_t)i * sizeof(*key));
		const struct bng_nat_flow *flow = (const void *)(sweep->values + (size_t)i * sizeof(*flow));

		sweep->flows++;
		if (flow->seen_ns == BNG_NAT_DEAD ||
			!bng_nat_flow_has_ended(
				session_of(agent, flow->slot, flow->session_id), key, flow, now_ns))
			return;
		record = (struct bng_nat_reap){
			.seen_ns = flow->seen_ns, .kind = BNG_NAT_REAP_FLOW, .flow = *key};
	} else {
		const struct bng_nat_key *key = (const void *)(sweep->keys + (size_t)i * sizeof(*key));
		const struct bng_nat_mapping *mapping =
			(const void *)(sweep->values + (size_t)i * sizeof(*mapping));

		sweep->mappings++;
		if (mapping->seen_ns == BNG_NAT_DEAD ||
			!bng_nat_mapping_has_ended(
				session_of(agent, mapping->slot, mapping->session_id), key, mapping, now_ns))
			return;
		record = (struct bng_nat_reap){
			.seen_ns = mapping->seen_ns, .kind = BNG_NAT_REAP_MAPPING, .mapping = *key};
	}
	sweep->records[sweep->record_count++] = record;
	if (sweep->record_count == BNG_NAT_REAP_MAX)
		reap(agent);
}

/* Whoever got no more ports may ask again; so may who has asked in vain: the event was lost, or the agent
 * ended that had sent it. */
static void let_ask_again(struct bng_agent *agent)
{
	uint32_t now = (uint32_t)(bng_clock_now().boot_ns / SECOND_NS), slot;

	for (slot = 1; slot <= agent->options.max_sessions; slot++) {
		uint32_t *asked = &agent->kern.nat_state[slot].asked;

		if (!agent->nat_asked[slot]) {
			if (agent->state.by_slot[slot] && __atomic_load_n(asked, __ATOMIC_RELAXED))
				agent->nat_asked[slot] = now;
		} else if (now - agent->nat_asked[slot] >= ASK_AGAIN_SECONDS) {
			agent->nat_asked[slot] = 0;
			__atomic_store_n(asked, 0, __ATOMIC_RELAXED);
		}
	}
}

static void end_of_map(struct bng_agent *agent)
{
	struct bng_nat_sweep *sweep = &agent->nat;

	sweep->has_begun = false;
	if (!sweep->over_flows) {
		sweep->over_flows = true;
		return;
	}
	sweep->over_flows = false;
	sweep->last_mappings = sweep->mappings;
	sweep->last_flows = sweep->flows;
	sweep->mappings = sweep->flows = 0;
	let_ask_again(agent);
}

/* Reads on from the cursor. 0, or the error's number below zero: -ENOENT with the last entries of the map. */
static int read_batch(struct bng_nat_sweep *sweep, int map, uint8_t *next, uint32_t *count)
{
	void *from = sweep->has_begun ? sweep->cursor : NULL;

	return bpf_map_lookup_batch(map, from, next, sweep->keys, sweep->values, count, NULL) ? -errno : 0;
}

/* One batch; false when the round is over. */
static bool sweep_some(struct bng_agent *agent, uint64_t now_ns)
{
	struct bng_nat_sweep *sweep = &agent->nat;
	int map = agent->kern.maps[sweep->over_flows ? BNG_MAP_nat_flows : BNG_MAP_nat_out];
	uint32_t count = BATCH_MAX / 4, i;
	uint8_t next[sizeof(sweep->cursor)] = {0};
	int err = read_batch(sweep, map, next, &count);

	if (err == -ENOSPC) {
		/* A bucket larger than that: all the room there is. */
		count = BATCH_MAX;
		err = read_batch(sweep, map, next, &count);
	}
	if (err && err != -ENOENT)
		count = 0;
	for (i = 0; i < count; i++)
		look_at(agent, i, now_ns);
	memcpy(sweep->cursor, next, sizeof(next));
	sweep->has_begun = true;
	if (err)
		end_of_map(agent);
	return !err || sweep->over_flows;
}

void bng_nat_sweep_tick(struct bng_agent *agent)
{
	uint64_t end_ns = bng_monotonic_ns() + TURN_NS, now_ns = bng_clock_now().boot_ns;
	struct bng_nat_sweep *sweep = &agent->nat;

	if (!sweep->round_ns || now_ns < sweep->round_ns)
		sweep->round_ns = now_ns;
	else if (!sweep->has_begun && !sweep->over_flows && now_ns - sweep->round_ns < ROUND_NS)
		return;
	while (sweep_some(agent, now_ns) && bng_monotonic_ns() < end_ns)
		;
	reap(agent);
	if (!sweep->has_begun && !sweep->over_flows)
		sweep->round_ns = now_ns;
}

void bng_nat_ports_low(struct bng_agent *agent, const struct bng_punt *punt)
{
	const struct bng_session_object *session =
		(const void *)bng_state_get(&agent->state, BNG_FAMILY_SESSION, punt->session_id);
	struct bng_clock clock = bng_clock_now();
	const struct bng_nat_state *state;
	struct bng_event event;
	uint32_t i;

	if (!session || !session->has_nat)
		return;
	state = &agent->kern.nat_state[session->head.index];
	event = bng_sweep_event(BNG_EVENT_NAT_PORTS_LOW, session, &clock);
	event.ports_granted = session->nat.block_count * session->nat.block_ports;
	for (i = 0; i < BNG_NAT_PROTOCOLS; i++)
		if (state->mappings[i] > event.ports_used)
			event.ports_used = state->mappings[i];
	if (bng_event_queue_push(&agent->link.events, &event)) {
		agent->link.events.lost++;
		agent->counters[BNG_COUNT_event_lost]++;
		return;
	}
	agent->nat_asked[session->head.index] = (uint32_t)(clock.boot_ns / SECOND_NS);
	bng_events_send(agent);
}
