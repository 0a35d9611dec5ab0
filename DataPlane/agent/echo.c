// SPDX-License-Identifier: Apache-2.0
// LCP echoes to PPPoE lines that are silent (RFC 1661 5.8), spread over their interval; who answers none of
// so many has lost the carrier.
#include "agent.h"

enum { SECOND_TICKS = 20, LCP_ECHO = 8, FRAME_MIN = 60 };

struct echo_frames {
	struct bng_frame_run run;
	uint8_t bytes[BNG_PACKET_BATCH][FRAME_MIN];
};

/* Where the programs note that something came; before that, when the session or the agent began. */
static uint64_t heard_ns(const struct bng_agent *agent, uint32_t slot)
{
	uint64_t active = __atomic_load_n(&agent->kern.session_state[slot].active_ns, __ATOMIC_RELAXED);
	uint64_t echoed = __atomic_load_n(&agent->kern.ppp_state[slot].heard_ns, __ATOMIC_RELAXED);

	return active > echoed ? active : echoed;
}

/* Padded, as Ethernet wants it. */
static void compose(const struct bng_agent *agent, const struct bng_session_object *session, uint8_t id,
	uint8_t ret[FRAME_MIN])
{
	enum { ECHO_REQUEST = 9, LCP = 0xc021 };
	uint8_t *at = ret;

	memset(ret, 0, FRAME_MIN);
	at += bng_line_head(agent, session, 0, LCP, LCP_ECHO, ret);
	at[0] = ECHO_REQUEST;
	at[1] = id;
	bng_put_be16(at + 2, LCP_ECHO);
	bng_put_be32(at + 4, session->ppp.local_magic);
}

static void send_echo(struct bng_agent *agent, const struct bng_session_object *session,
	struct bng_echo *echo, struct echo_frames *frames)
{
	uint8_t *frame;

	/* Here, and not when it is added: its bytes lie where the run will have room. */
	if (frames->run.count == BNG_PACKET_BATCH || frames->run.port != session->port->head.index)
		bng_frame_run_flush(agent, &frames->run);
	frame = frames->bytes[frames->run.count];
	compose(agent, session, (uint8_t)++echo->sent, frame);
	(void)bng_frame_run_add(
		agent, &frames->run, session->port->head.index, (struct bng_bytes){frame, FRAME_MIN});
}

static void visit(struct bng_agent *agent, const struct bng_session_object *session, uint64_t now_ns,
	struct echo_frames *frames)
{
	uint32_t slot = session->head.index;
	uint64_t interval_ns = session->ppp.echo_interval_seconds * 1000000000ULL,
		 heard = heard_ns(agent, slot);
	struct bng_echo *echo = &agent->echoes[slot];
	bool is_silent = heard + interval_ns <= now_ns;

	echo->was_heard = echo->was_heard || heard > agent->started_ns;
	if (!is_silent) {
		echo->unanswered = 0;
		echo->is_lost = false;
	}
	if (!echo->due_ns || echo->due_ns > now_ns + interval_ns)
		echo->due_ns = bng_line_first_due(now_ns, interval_ns, slot);
	if (now_ns < echo->due_ns)
		return;
	echo->due_ns += interval_ns;
	if (echo->due_ns < now_ns)
		echo->due_ns = now_ns + interval_ns;
	if (!is_silent)
		return;
	if (echo->unanswered >= session->ppp.echo_failures)
		echo->is_lost = true;
	else
		echo->unanswered++;
	send_echo(agent, session, echo, frames);
}

void bng_echo_tick(struct bng_agent *agent)
{
	static struct echo_frames frames;
	uint64_t now_ns = bng_clock_now().boot_ns;
	uint32_t slot = 1 + agent->echo_phase;

	agent->echo_phase = (agent->echo_phase + 1) % SECOND_TICKS;
	frames.run = (struct bng_frame_run){.counter = BNG_COUNT_echo_sent};
	for (; slot <= agent->options.max_sessions; slot += SECOND_TICKS) {
		const struct bng_session_object *session = agent->state.by_slot[slot];

		if (session && session->ppp.echo_interval_seconds)
			visit(agent, session, now_ns, &frames);
	}
	bng_frame_run_flush(agent, &frames.run);
}

bool bng_echo_is_undecided(const struct bng_agent *agent, const struct bng_session_object *session)
{
	const struct bng_echo *echo = &agent->echoes[session->head.index];

	return session->ppp.echo_interval_seconds && !echo->was_heard && !echo->is_lost;
}
