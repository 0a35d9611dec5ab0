// SPDX-License-Identifier: Apache-2.0
// Punted packets: to the controller as far as it gave credit; or to where the agent itself sends them, which
// is the kernel's own forwarding for an unresolved neighbour.
#include "agent.h"

#include "ipv4_fragment.h"
#include "map_counters.h"
#include "map_policy.h"

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

/* The IPv4 packet in a frame, without Ethernet's padding. */
static bool find_ipv4(const struct bng_punt *punt, struct bng_bytes *ret_packet)
{
	size_t at = bng_frame_ipv4_at((struct bng_bytes){punt->frame, punt->frame_length});

	if (at)
		*ret_packet = (struct bng_bytes){punt->frame + at, bng_get_be16(punt->frame + at + 2)};
	return at != 0;
}

/* The TTL goes down by one as in any forwarding; the kernel sends the packet once its neighbour has answered.
 */
void bng_neighbor_send(struct bng_agent *agent, const struct bng_punt *punt)
{
	uint8_t copy[BNG_FRAME_MAX];
	struct bng_next_hop hop = {0};
	struct bng_bytes packet;
	bng_ip4 destination;
	uint32_t ifindex = 0;

	agent->counters[BNG_COUNT_neighbor_failed]++;
	if (!find_ipv4(punt, &packet))
		return;
	memcpy(copy, packet.data, packet.size);
	if (copy[8] <= 1)
		return;
	copy[8]--;
	memcpy(&destination, copy + 16, sizeof(destination));
	/* The kernel serves VRF 0 only; a gateway's route is followed even if the kernel's own says
	 * otherwise. */
	(void)bng_map_route_lookup(&agent->kern, 0, destination, &hop);
	if (hop.kind == BNG_NEXT_HOP_GATEWAY && hop.port >= 1 && hop.port <= agent->kern.port_count)
		ifindex = agent->kern.ports[hop.port].interface.index;
	packet.data = copy;
	if (bng_raw_ip_send(agent->raw_ip, packet, hop.kind == BNG_NEXT_HOP_GATEWAY ? hop.ipv4 : 0, ifindex))
		return;
	agent->counters[BNG_COUNT_neighbor_failed]--;
	agent->counters[BNG_COUNT_neighbor_sent]++;
}
