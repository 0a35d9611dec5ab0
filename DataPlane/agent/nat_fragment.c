// SPDX-License-Identifier: Apache-2.0
// Fragments that came before the first one of their packet, which has the ports: they wait for it, then go
// through the program again. At most 64 of a line's wait at a time, none longer than two seconds.
#include "agent.h"

#include "alloc.h"
#include "frame_head.h"
#include "map_nat.h"

#include <stddef.h>

enum {
	LOOK_NS = 20000000,
	WAIT_NS = 2000000000,
	PER_LINE_MAX = 64,
	ADDRESS_AT = 12,
	ETHERTYPE_IPV4 = 0x0800,
	PPP_IPV4 = 0x0021,
};

/* What waits: the frame as it came, behind who sent it. */
struct early {
	uint64_t since_ns;
	uint64_t session_id; /* 0: it came from the core */
	uint32_t vrf;
	uint32_t line; /* of the table of those that wait */
	uint8_t frame[];
};

static uint32_t place_of(const struct bng_punt *punt)
{
	uint64_t hash = (punt->session_id ^ punt->port) * 0x9e3779b97f4a7c15ULL;

	return (uint32_t)(hash >> 40) % BNG_EARLY_LINES;
}

static void lose(struct bng_agent *agent)
{
	agent->counters[BNG_COUNT_nat_early_lost]++;
}

/* Who the first fragment would have been noted under. False: not an IPv4 frame. */
static bool key_of(const struct bng_agent *agent, uint32_t port, uint32_t vrf, const uint8_t *frame,
	size_t size, struct bng_nat_fragment_key *ret)
{
	size_t at = bng_frame_packet_at((struct bng_bytes){frame, size}, ETHERTYPE_IPV4, PPP_IPV4);
	const uint8_t *ip = frame + at;

	if (!at || size < at + 20)
		return false;
	*ret = (struct bng_nat_fragment_key){
		.vrf = vrf,
		.protocol = ip[9],
		.is_downstream = agent->kern.ports[port].role == BNG_ROLE_CORE,
	};
	memcpy(&ret->id, ip + 4, sizeof(ret->id));
	memcpy(&ret->source, ip + ADDRESS_AT, sizeof(ret->source));
	memcpy(&ret->destination, ip + ADDRESS_AT + 4, sizeof(ret->destination));
	return true;
}

void bng_nat_fragment_take(struct bng_agent *agent, const struct bng_punt *punt)
{
	const struct bng_session_object *session =
		(const void *)bng_state_get(&agent->state, BNG_FAMILY_SESSION, punt->session_id);
	uint32_t line = place_of(punt);
	struct early *early;

	if (punt->port >= BNG_MAX_PORTS || !agent->state.ports[punt->port].object ||
		agent->early_of_line[line] >= PER_LINE_MAX) {
		lose(agent);
		return;
	}
	early = bng_alloc(sizeof(*early) + punt->frame_length);
	if (!early) {
		lose(agent);
		return;
	}
	early->since_ns = punt->received_ns;
	early->session_id = punt->session_id;
	early->vrf = session ? bng_session_vrf(session) : agent->state.ports[punt->port].object->vrf;
	early->line = line;
	memcpy(early->frame, punt->frame, punt->frame_length);
	if (bng_delay_queue_push(&agent->early, punt->received_ns, punt->port,
		    (struct bng_bytes){(const uint8_t *)early, sizeof(*early) + punt->frame_length}))
		lose(agent);
	else
		agent->early_of_line[line]++;
	bng_free(early);
}

static void settle(struct bng_agent *agent, const struct bng_delayed *due, uint64_t now_ns)
{
	const struct early *early = (const void *)due->frame;
	size_t size = due->size - offsetof(struct early, frame);
	struct bng_nat_fragment_key key;

	agent->early_of_line[early->line]--;
	if (!key_of(agent, due->port, early->vrf, early->frame, size, &key) ||
		now_ns - early->since_ns > WAIT_NS) {
		lose(agent);
		return;
	}
	if (bng_map_nat_has_fragment(&agent->kern, &key, early->session_id, now_ns)) {
		if (bng_map_nat_reinject(&agent->kern, due->port, early->frame, (uint32_t)size))
			lose(agent);
		else
			agent->counters[BNG_COUNT_nat_early_sent]++;
		return;
	}
	if (bng_delay_queue_push(
		    &agent->early, now_ns + LOOK_NS, due->port, (struct bng_bytes){due->frame, due->size}))
		lose(agent);
	else
		agent->early_of_line[early->line]++;
}

void bng_nat_fragment_tick(struct bng_agent *agent)
{
	struct bng_delayed due;
	uint64_t now_ns;

	if (!agent->early.count)
		return;
	now_ns = bng_clock_now().boot_ns;
	while (bng_delay_queue_pop(&agent->early, now_ns, &due)) {
		settle(agent, &due, now_ns);
		bng_free(due.frame);
	}
}
