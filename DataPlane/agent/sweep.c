// SPDX-License-Identifier: Apache-2.0
// Once a second over the leases and the activity the programs keep: renewals and lapses become events. What
// is not acknowledged stays marked in the pinned map, so nothing is lost with the process.
#include "agent.h"

#include "log.h"
#include "map_policy.h"
#include "map_session.h"

#include <errno.h>
#include <unistd.h>

enum { OUT_PAUSE = 2 * 1024 * 1024 };

/* The programs note activity once a second: so much later than it happened at most. */
static bool is_idle(const struct bng_session_object *session, uint64_t active_ns, uint64_t now_ns)
{
	uint64_t allowed_ns = ((uint64_t)session->idle_timeout_seconds + 1) * 1000000000;

	return session->idle_timeout_seconds && active_ns <= now_ns && now_ns - active_ns >= allowed_ns;
}

static const char *lapse_cause(const struct bng_session_object *session,
	const struct bng_session_state *state, bool is_lost, uint64_t expires_ns, uint64_t now_ns)
{
	if (session->ends_ns && session->ends_ns <= now_ns)
		return "session_timeout";
	if (expires_ns && expires_ns <= now_ns)
		return "lease_expired";
	if (session->ppp.echo_interval_seconds && is_lost)
		return "lost_carrier";
	return is_idle(session, __atomic_load_n(&state->active_ns, __ATOMIC_RELAXED), now_ns) ? "idle_timeout"
											      : NULL;
}

struct bng_event bng_sweep_event(
	enum bng_event_kind kind, const struct bng_session_object *session, const struct bng_clock *clock)
{
	return (struct bng_event){
		.kind = kind,
		.slot = session->head.index,
		.utc_ms = clock->utc_ms,
		.session_id = session->head.id,
		.generation = session->head.generation,
	};
}

static int push(struct bng_agent *agent, enum bng_event_kind kind, const struct bng_session_object *session,
	uint32_t renewals, const char *cause, const struct bng_clock *clock)
{
	struct bng_event event = bng_sweep_event(kind, session, clock);

	event.renewals = renewals;
	event.expires_utc_ms = bng_map_session_expires_ms(&agent->kern, session, clock);
	event.cause = cause;
	return bng_event_queue_push(&agent->link.events, &event);
}

/* Negative when the queue is full: the rest waits in the map. */
static int sweep_slot(
	struct bng_agent *agent, const struct bng_session_object *session, const struct bng_clock *clock)
{
	uint32_t slot = session->head.index;
	struct bng_session_state *state = &agent->kern.session_state[slot];
	uint32_t renewals = __atomic_load_n(&state->renewals, __ATOMIC_ACQUIRE);
	uint64_t expires_ns = __atomic_load_n(&state->expires_ns, __ATOMIC_RELAXED);
	const char *cause =
		lapse_cause(session, state, agent->echoes[slot].is_lost, expires_ns, clock->boot_ns);
	int err = 0;

	if (renewals != state->renewals_reported && renewals != agent->renewals_queued[slot]) {
		err = push(agent, BNG_EVENT_LEASE_RENEWED, session, renewals, NULL, clock);
		if (!err)
			agent->renewals_queued[slot] = renewals;
	}
	if (!cause) {
		if (!bng_echo_is_undecided(agent, session))
			state->lapse_reported = 0;
		agent->lapse_queued[slot] = 0;
	} else if (!err && !state->lapse_reported && !agent->lapse_queued[slot]) {
		err = push(agent, BNG_EVENT_SESSION_LAPSED, session, 0, cause, clock);
		agent->lapse_queued[slot] = !err;
	}
	return err ? err : bng_sweep6_slot(agent, session, clock);
}

void bng_sweep(struct bng_agent *agent)
{
	struct bng_clock clock = bng_clock_now();
	uint32_t slot;

	for (slot = 1; slot <= agent->options.max_sessions; slot++)
		if (agent->state.by_slot[slot] && sweep_slot(agent, agent->state.by_slot[slot], &clock))
			return;
}

void bng_sweep_forget_slot(struct bng_agent *agent, uint32_t slot)
{
	agent->renewals_queued[slot] = 0;
	agent->renewals6_queued[slot] = 0;
	agent->lapse_queued[slot] = 0;
	agent->lapse6_queued[slot] = 0;
	agent->echoes[slot] = (struct bng_echo){0};
	agent->advertisers[slot] = (struct bng_advertiser){0};
}

struct event_message {
	Bng__Agent__V1__Event event;
	Bng__Agent__V1__LeaseRenewed renewed;
	Bng__Agent__V1__SessionLapsed lapsed;
	Bng__Agent__V1__PortChanged changed;
	Bng__Agent__V1__PortInfo port;
	Bng__Agent__V1__NATPortsLow ports_low;
};

static void compose(
	struct bng_agent *agent, const struct bng_event *event, uint64_t sequence, struct event_message *ret)
{
	bng__agent__v1__event__init(&ret->event);
	ret->event.sequence = sequence;
	ret->event.utc_unix_ms = event->utc_ms;
	switch (event->kind) {
	case BNG_EVENT_LEASE_RENEWED:
		bng__agent__v1__lease_renewed__init(&ret->renewed);
		ret->renewed.session_id = event->session_id;
		ret->renewed.session_generation = event->generation;
		if (event->is_ipv6)
			ret->renewed.ipv6_expires_unix_ms = event->expires_utc_ms;
		else
			ret->renewed.expires_unix_ms = event->expires_utc_ms;
		ret->event.body_case = BNG__AGENT__V1__EVENT__BODY_LEASE_RENEWED;
		ret->event.lease_renewed = &ret->renewed;
		break;
	case BNG_EVENT_SESSION_LAPSED:
		bng__agent__v1__session_lapsed__init(&ret->lapsed);
		ret->lapsed.session_id = event->session_id;
		ret->lapsed.session_generation = event->generation;
		ret->lapsed.cause = (char *)(uintptr_t)event->cause;
		ret->event.body_case = BNG__AGENT__V1__EVENT__BODY_SESSION_LAPSED;
		ret->event.session_lapsed = &ret->lapsed;
		break;
	case BNG_EVENT_PORT_CHANGED:
		bng__agent__v1__port_changed__init(&ret->changed);
		bng_port_info(agent, event->port, &event->interface, event->mode, &ret->port);
		ret->changed.port = &ret->port;
		ret->event.body_case = BNG__AGENT__V1__EVENT__BODY_PORT_CHANGED;
		ret->event.port_changed = &ret->changed;
		break;
	case BNG_EVENT_NAT_PORTS_LOW:
		bng__agent__v1__natports_low__init(&ret->ports_low);
		ret->ports_low.session_id = event->session_id;
		ret->ports_low.session_generation = event->generation;
		ret->ports_low.ports_used = event->ports_used;
		ret->ports_low.ports_granted = event->ports_granted;
		ret->event.body_case = BNG__AGENT__V1__EVENT__BODY_NAT_PORTS_LOW;
		ret->event.nat_ports_low = &ret->ports_low;
		break;
	}
}

static int send_some(struct bng_agent *agent)
{
	static struct event_message messages[BNG_EVENTS_PER_BATCH];
	static Bng__Agent__V1__Event *list[BNG_EVENTS_PER_BATCH];
	struct bng_event_queue *queue = &agent->link.events;
	Bng__Agent__V1__EventBatch batch = BNG__AGENT__V1__EVENT_BATCH__INIT;
	Bng__Agent__V1__AgentFrame frame = BNG__AGENT__V1__AGENT_FRAME__INIT;
	size_t first = queue->sent;
	int err;

	for (; batch.n_events < BNG_EVENTS_PER_BATCH && first + batch.n_events < queue->count;
		batch.n_events++) {
		size_t i = first + batch.n_events;

		compose(agent, bng_event_queue_at(queue, i), queue->first_sequence + i,
			&messages[batch.n_events]);
		list[batch.n_events] = &messages[batch.n_events].event;
	}
	batch.events = list;
	batch.lost = queue->lost;
	frame.body_case = BNG__AGENT__V1__AGENT_FRAME__BODY_EVENTS;
	frame.events = &batch;
	err = bng_link_send(&agent->link, BNG_LANE_TELEMETRY, &frame);
	if (!err)
		queue->sent += batch.n_events;
	return err;
}

void bng_events_send(struct bng_agent *agent)
{
	while (bng_link_is_open(&agent->link, BNG_LANE_TELEMETRY) &&
		agent->link.events.sent < agent->link.events.count &&
		bng_buffer_size(&agent->link.lanes[BNG_LANE_TELEMETRY].out) < OUT_PAUSE)
		if (send_some(agent))
			return;
}

static void acknowledged6(struct bng_agent *agent, const struct bng_event *event)
{
	struct bng_session6_state *state = &agent->kern.session6_state[event->slot];

	if (state->session_id != event->session_id)
		return;
	if (event->kind == BNG_EVENT_LEASE_RENEWED)
		state->renewals_reported = event->renewals;
	else if (agent->lapse6_queued[event->slot])
		state->lapse_reported = 1;
}

static void acknowledged(struct bng_agent *agent, const struct bng_event *event)
{
	struct bng_session_state *state = &agent->kern.session_state[event->slot];

	if (event->is_ipv6) {
		acknowledged6(agent, event);
		return;
	}
	/* The slot may have got another owner since. */
	if (event->kind == BNG_EVENT_PORT_CHANGED || event->kind == BNG_EVENT_NAT_PORTS_LOW ||
		state->session_id != event->session_id)
		return;
	if (event->kind == BNG_EVENT_LEASE_RENEWED)
		state->renewals_reported = event->renewals;
	else if (agent->lapse_queued[event->slot])
		state->lapse_reported = 1;
}

void bng_events_acknowledged(struct bng_agent *agent, uint64_t sequence)
{
	struct bng_event event;

	while (bng_event_queue_pop(&agent->link.events, sequence, &event))
		acknowledged(agent, &event);
	bng_events_send(agent);
}

static void port_changed(struct bng_agent *agent, uint32_t index)
{
	const struct bng_kern_port *port = &agent->kern.ports[index];
	struct bng_event event = {
		.kind = BNG_EVENT_PORT_CHANGED,
		.port = index,
		.utc_ms = bng_clock_now().utc_ms,
		.mode = port->mode,
		.interface = port->interface,
	};

	bng_log("warning", "port_changed", "port=%s ifindex=%u link=%s mtu=%u", port->name,
		port->interface.index, port->interface.link_up ? "up" : "down", port->interface.mtu);
	if (bng_event_queue_push(&agent->link.events, &event)) {
		agent->link.events.lost++;
		agent->counters[BNG_COUNT_event_lost]++;
	}
}

/* Another interface of the same name has no program yet, and its own send socket. */
static void take_interface(struct bng_agent *agent, uint32_t index)
{
	struct bng_kern_port *port = &agent->kern.ports[index];
	struct bng_words words = {0};
	int err;

	port->mode = BNG_XDP_DETACHED;
	if (agent->packet[index] >= 0)
		(void)close(agent->packet[index]);
	agent->packet[index] = -1;
	if (!port->interface.index)
		return;
	err = bng_kern_reattach(&agent->kern, index, &words);
	if (!err) {
		agent->packet[index] = bng_packet_open(port->interface.index);
		err = agent->packet[index] < 0 ? agent->packet[index] : 0;
	}
	bng_log(err ? "error" : "warning", err ? "port_not_attached" : "port_attached_again",
		"port=%s reason=%s", port->name,
		bng_quote(err ? (words.text[0] ? words.text : strerrordesc_np(-err)) : "new interface").text);
}

void bng_ports_check(struct bng_agent *agent)
{
	struct bng_interface now;
	uint32_t i, before;

	for (i = 1; i <= agent->kern.port_count; i++) {
		struct bng_kern_port *port = &agent->kern.ports[i];

		(void)bng_interface_query(port->name, &now);
		if (bng_interface_equal(&now, &port->interface))
			continue;
		before = port->interface.index;
		port->interface = now;
		if (now.index != before)
			take_interface(agent, i);
		if (bng_map_port_refresh(&agent->kern, &agent->state, NULL, i, agent->state.ports[i].object))
			bng_log("error", "port_not_refreshed", "port=%s", port->name);
		port_changed(agent, i);
	}
	bng_events_send(agent);
}
