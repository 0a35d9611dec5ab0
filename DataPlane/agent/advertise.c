// SPDX-License-Identifier: Apache-2.0
// Router Advertisements nobody asked for (RFC 4861 6.2.4), to the line's MAC address alone (RFC 6085), spread
// over their interval. No controller is needed, so that no default route ends for want of one.
#include "agent.h"

#include "ipv6_packet.h"

enum {
	SECOND_TICKS = 20,
	IPV6 = 0x86dd,
	PPP_IPV6 = 0x0057,
	FRAME_MIN = 60,
	FRAME_MAX = BNG_LINE_HEAD_MAX + BNG_IPV6_HEADER + BNG_ADVERTISEMENT_MAX,
};

struct advertisement_frames {
	struct bng_frame_run run;
	uint8_t bytes[BNG_PACKET_BATCH][FRAME_MAX];
};

/* Padded, as Ethernet wants it; the frame's size. */
static size_t compose(
	const struct bng_agent *agent, const struct bng_session_object *session, uint8_t ret[FRAME_MAX])
{
	static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};
	const struct bng_ipv6_object *ipv6 = &session->ipv6;
	size_t packet = BNG_IPV6_HEADER + ipv6->advertisement_length, head;

	memset(ret, 0, FRAME_MIN);
	head = bng_line_head(agent, session, IPV6, PPP_IPV6, packet, ret);
	bng_icmpv6_put(ret + head, (const uint8_t *)&session->port->link_local, all_nodes,
		(struct bng_bytes){ipv6->bytes, ipv6->advertisement_length});
	return head + packet < FRAME_MIN ? FRAME_MIN : head + packet;
}

static void send_to(struct bng_agent *agent, const struct bng_session_object *session,
	struct advertisement_frames *frames)
{
	struct bng_frame_run *run = &frames->run;
	uint32_t port = session->port->head.index;
	uint8_t *frame;

	/* Here, and not when it is added: its bytes lie where the run will have room. */
	if (run->count == BNG_PACKET_BATCH || run->port != port)
		bng_frame_run_flush(agent, run);
	frame = frames->bytes[run->count];
	if (bng_frame_run_add(agent, run, port, (struct bng_bytes){frame, compose(agent, session, frame)}))
		agent->advertisers[session->head.index].sent++;
}

static bool is_alive(const struct bng_agent *agent, const struct bng_session_object *session, uint64_t now_ns)
{
	const struct bng_session6_state *state = &agent->kern.session6_state[session->head.index];

	if (session->ends_ns && session->ends_ns <= now_ns)
		return false;
	return __atomic_load_n(&state->expires_ns, __ATOMIC_RELAXED) > now_ns;
}

static void visit(struct bng_agent *agent, const struct bng_session_object *session, uint64_t now_ns,
	struct advertisement_frames *frames)
{
	uint64_t interval_ns = session->ipv6.advertisement_interval_seconds * 1000000000ULL;
	struct bng_advertiser *advertiser = &agent->advertisers[session->head.index];

	if (!advertiser->due_ns || advertiser->due_ns > now_ns + interval_ns)
		advertiser->due_ns = bng_line_first_due(now_ns, interval_ns, session->head.index);
	if (now_ns < advertiser->due_ns)
		return;
	advertiser->due_ns += interval_ns;
	if (advertiser->due_ns < now_ns)
		advertiser->due_ns = now_ns + interval_ns;
	if (is_alive(agent, session, now_ns))
		send_to(agent, session, frames);
}

void bng_advertise_tick(struct bng_agent *agent)
{
	static struct advertisement_frames frames;
	uint64_t now_ns = bng_clock_now().boot_ns;
	uint32_t slot = 1 + agent->advertise_phase;

	agent->advertise_phase = (agent->advertise_phase + 1) % SECOND_TICKS;
	frames.run = (struct bng_frame_run){.counter = BNG_COUNT_adv_sent};
	for (; slot <= agent->options.max_sessions; slot += SECOND_TICKS) {
		const struct bng_session_object *session = agent->state.by_slot[slot];

		if (session && session->has_ipv6 && session->ipv6.advertisement_interval_seconds)
			visit(agent, session, now_ns, &frames);
	}
	bng_frame_run_flush(agent, &frames.run);
}
