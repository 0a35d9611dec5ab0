// SPDX-License-Identifier: Apache-2.0
// Punted packets: to the controller as far as it gave credit, or to where the agent itself sends them.
#include "agent.h"

#include "map_counters.h"

enum { PUNTS_MAX = 256, BATCH_BYTES = 512 * 1024, OUT_PAUSE = 4 * 1024 * 1024 };

static void drop(struct bng_agent *agent, enum bng_agent_counter counter)
{
	agent->counters[counter]++;
	agent->link.punts_dropped++;
}

static const char *port_name(const struct bng_agent *agent, uint32_t port)
{
	return port >= 1 && port <= agent->kern.port_count ? agent->kern.ports[port].name : "";
}

static Bng__Agent__V1__Punt *compose(struct bng_agent *agent, const struct bng_punt *punt)
{
	struct bng_arena *arena = &agent->punts.arena;
	Bng__Agent__V1__Punt *message = bng_arena_alloc(arena, sizeof(*message));
	uint8_t *frame = bng_arena_alloc(arena, punt->frame_length);
	const char *reason = bng_reason_short_name(punt->reason);
	struct bng_clock clock;

	if (!message || !frame)
		return NULL;
	clock = bng_clock_now();
	memcpy(frame, punt->frame, punt->frame_length);
	bng__agent__v1__punt__init(message);
	message->punt_class = (Bng__Agent__V1__PuntClass)punt->punt_class;
	message->reason = (char *)(uintptr_t)(reason ? reason : "");
	message->port = (char *)(uintptr_t)port_name(agent, punt->port);
	if (punt->port < BNG_MAX_PORTS && agent->state.ports[punt->port].object)
		message->access_domain_id = agent->state.ports[punt->port].object->access_domain_id;
	message->frame = (ProtobufCBinaryData){.len = punt->frame_length, .data = frame};
	message->session_id = punt->session_id;
	message->session_generation = punt->generation;
	message->received_unix_ms = bng_utc_ms(&clock, punt->received_ns);
	return message;
}

void bng_punt_take(void *context, const struct bng_punt *punt)
{
	struct bng_agent *agent = context;
	struct bng_punt_batch *batch = &agent->punts;
	Bng__Agent__V1__Punt *message;

	switch (punt->punt_class) {
	case BNG_PUNT_NEIGHBOR:
		bng_neighbor_send(agent, punt);
		return;
	case BNG_PUNT_HELD:
		bng_held_take(agent, punt);
		return;
	case BNG_PUNT_FRAGMENT:
		bng_fragment_send(agent, punt);
		return;
	case BNG_PUNT_NAT_PORTS:
		bng_nat_ports_low(agent, punt);
		return;
	case BNG_PUNT_NAT_FRAGMENT:
		bng_nat_fragment_take(agent, punt);
		return;
	case BNG_PUNT_NAT_ALG:
		bng_nat_alg_take(agent, punt);
		return;
	default:
		break;
	}
	if (!bng_link_is_open(&agent->link, BNG_LANE_PUNT)) {
		drop(agent, BNG_COUNT_punt_dropped_lane);
		return;
	}
	if (bng_buffer_size(&agent->link.lanes[BNG_LANE_PUNT].out) > OUT_PAUSE) {
		drop(agent, BNG_COUNT_punt_dropped_queue);
		return;
	}
	if (!bng_link_take_credit(&agent->link, punt->punt_class)) {
		drop(agent, BNG_COUNT_punt_dropped_credit);
		return;
	}
	message = compose(agent, punt);
	if (!message) {
		drop(agent, BNG_COUNT_punt_dropped_queue);
		return;
	}
	batch->punts[batch->count++] = message;
	batch->bytes += punt->frame_length;
	if (batch->count == PUNTS_MAX || batch->bytes > BATCH_BYTES)
		bng_punt_flush(agent);
}

void bng_punt_flush(struct bng_agent *agent)
{
	Bng__Agent__V1__PuntBatch batch = BNG__AGENT__V1__PUNT_BATCH__INIT;
	Bng__Agent__V1__AgentFrame frame = BNG__AGENT__V1__AGENT_FRAME__INIT;

	if (!agent->punts.count)
		return;
	batch.n_punts = agent->punts.count;
	batch.punts = agent->punts.punts;
	batch.dropped = agent->link.punts_dropped;
	frame.body_case = BNG__AGENT__V1__AGENT_FRAME__BODY_PUNTS;
	frame.punts = &batch;
	bng_lanes_send(agent, BNG_LANE_PUNT, &frame);
	agent->counters[BNG_COUNT_punt_sent] += agent->punts.count;
	agent->punts.count = agent->punts.bytes = 0;
	bng_arena_reset(&agent->punts.arena);
}
