// SPDX-License-Identifier: Apache-2.0
// Counters on the telemetry lane: all names every two seconds, sessions on request.
#include "agent.h"

#include "alloc.h"
#include "log.h"
#include "map_counters.h"
#include "map_session.h"
#include "map_session6.h"

#include <errno.h>

enum { SESSIONS_PER_REPLY = 1024, COUNTERS_MAX = 4096, OUT_PAUSE = 2 * 1024 * 1024 };

static const char *const agent_counter_names[] = {
#define NAME(name, text) [BNG_COUNT_##name] = text,
	BNG_AGENT_COUNTERS(NAME)};

struct counter_list {
	Bng__Agent__V1__NamedCounter items[COUNTERS_MAX];
	Bng__Agent__V1__NamedCounter *list[COUNTERS_MAX];
	size_t count;
};

static void add_counter(struct counter_list *list, const char *name, const char *port, uint64_t value)
{
	Bng__Agent__V1__NamedCounter *item = &list->items[list->count];

	if (!value || list->count == COUNTERS_MAX)
		return;
	bng__agent__v1__named_counter__init(item);
	item->name = (char *)(uintptr_t)name;
	if (port)
		item->port = (char *)(uintptr_t)port;
	item->value = value;
	list->list[list->count++] = item;
}

static void add_reasons(struct bng_agent *agent, struct counter_list *list)
{
	uint32_t port, reason;

	if (bng_map_reasons_read(&agent->kern, agent->reasons))
		return;
	for (port = 0; port <= agent->kern.port_count; port++)
		for (reason = 1; reason < BNG_REASON_STRIDE; reason++)
			if (bng_reason_name(reason))
				add_counter(list, bng_reason_name(reason),
					port ? agent->kern.ports[port].name : NULL,
					agent->reasons[port * BNG_REASON_STRIDE + reason]);
}

void bng_counters_send(struct bng_agent *agent)
{
	static struct counter_list counters;
	Bng__Agent__V1__CounterReport report = BNG__AGENT__V1__COUNTER_REPORT__INIT;
	Bng__Agent__V1__AgentFrame frame = BNG__AGENT__V1__AGENT_FRAME__INIT;
	Bng__Agent__V1__PortInfo ports[BNG_MAX_PORTS], *port_list[BNG_MAX_PORTS];
	uint32_t i;

	if (!bng_link_is_open(&agent->link, BNG_LANE_TELEMETRY) ||
		bng_buffer_size(&agent->link.lanes[BNG_LANE_TELEMETRY].out) > OUT_PAUSE)
		return;
	counters.count = 0;
	add_reasons(agent, &counters);
	for (i = 0; i < BNG_AGENT_COUNTER_COUNT; i++)
		add_counter(&counters, agent_counter_names[i], NULL, agent->counters[i]);
	add_counter(&counters, "nat.mappings", NULL, agent->nat.last_mappings);
	add_counter(&counters, "nat.flows", NULL, agent->nat.last_flows);
	for (i = 1; i <= agent->kern.port_count; i++) {
		bng_port_info(
			agent, i, &agent->kern.ports[i].interface, agent->kern.ports[i].mode, &ports[i]);
		port_list[i - 1] = &ports[i];
	}
	report.utc_unix_ms = bng_clock_now().utc_ms;
	report.n_counters = counters.count;
	report.counters = counters.list;
	report.n_ports = agent->kern.port_count;
	report.ports = port_list;
	frame.body_case = BNG__AGENT__V1__AGENT_FRAME__BODY_COUNTERS;
	frame.counters = &report;
	bng_lanes_send(agent, BNG_LANE_TELEMETRY, &frame);
}

void bng_session_traffic_fill(const struct bng_session_counters *ipv4,
	const struct bng_session6_counters *ipv6, Bng__Agent__V1__SessionCounters *ret)
{
	ret->up_packets = ipv4->up_packets + ipv6->up_packets;
	ret->up_bytes = ipv4->up_bytes + ipv6->up_bytes;
	ret->down_packets = ipv4->down_packets + ipv6->down_packets;
	ret->down_bytes = ipv4->down_bytes + ipv6->down_bytes;
	ret->dropped_packets = ipv4->dropped_packets;
	ret->ipv6_up_packets = ipv6->up_packets;
	ret->ipv6_up_bytes = ipv6->up_bytes;
	ret->ipv6_down_packets = ipv6->down_packets;
	ret->ipv6_down_bytes = ipv6->down_bytes;
}

int bng_session_counters_fill(struct bng_agent *agent, const struct bng_session_object *session,
	const struct bng_clock *clock, Bng__Agent__V1__SessionCounters *ret)
{
	const struct bng_session_state *state = &agent->kern.session_state[session->head.index];
	const struct bng_ppp_state *ppp = &agent->kern.ppp_state[session->head.index];
	const struct bng_session6_state *state6 = &agent->kern.session6_state[session->head.index];
	const struct bng_nat_state *nat = &agent->kern.nat_state[session->head.index];
	struct bng_session_counters counters;
	struct bng_session6_counters counters6;
	const char *reason = bng_reason_short_name(state->last_drop_reason);
	int err = bng_map_session_counters(&agent->kern, session->head.index, &counters);

	if (!err)
		err = bng_map_session6_counters(&agent->kern, session->head.index, &counters6);
	if (err)
		return err;
	bng__agent__v1__session_counters__init(ret);
	ret->session_id = session->head.id;
	bng_session_traffic_fill(&counters, &counters6, ret);
	ret->dhcp_fast_path_replies = state->dhcp_replies;
	if (reason) {
		ret->last_drop_reason = (char *)(uintptr_t)reason;
		ret->last_drop_unix_ms = bng_utc_ms(clock, state->last_drop_ns);
	}
	ret->generation = session->head.generation;
	ret->lease_expires_unix_ms = bng_map_session_expires_ms(&agent->kern, session, clock);
	ret->ppp_echoes_answered = ppp->echoes_answered;
	ret->ppp_echoes_sent = agent->echoes[session->head.index].sent;
	ret->ppp_echo_replies = ppp->echo_replies;
	ret->ipv6_lease_expires_unix_ms = bng_map_session6_expires_ms(&agent->kern, session, clock);
	ret->router_advertisements = state6->advertisements + agent->advertisers[session->head.index].sent;
	ret->dhcpv6_fast_path_replies = state6->dhcp_replies;
	ret->nat_mappings =
		nat->mappings[BNG_NAT_TCP] + nat->mappings[BNG_NAT_UDP] + nat->mappings[BNG_NAT_ICMP];
	ret->nat_flows = nat->flows;
	ret->nat_mappings_created = nat->created;
	ret->nat_refused = nat->refused;
	return 0;
}

void bng_final_counters_fill(const struct bng_agent *agent, uint64_t session_id, uint32_t slot,
	const struct bng_final *final, Bng__Agent__V1__SessionCounters *ret)
{
	const char *reason = bng_reason_short_name(final->last_drop_reason);

	bng__agent__v1__session_counters__init(ret);
	ret->session_id = session_id;
	bng_session_traffic_fill(&final->counters, &final->counters6, ret);
	ret->dhcp_fast_path_replies = final->dhcp_replies;
	ret->ppp_echoes_answered = final->echoes_answered;
	ret->ppp_echoes_sent = agent->echoes[slot].sent;
	ret->ppp_echo_replies = final->echo_replies;
	if (reason)
		ret->last_drop_reason = (char *)(uintptr_t)reason;
	ret->last_drop_unix_ms = final->last_drop_unix_ms;
	ret->generation = final->generation;
	ret->lease_expires_unix_ms = final->expires_unix_ms;
	ret->ipv6_lease_expires_unix_ms = final->expires6_unix_ms;
	ret->router_advertisements = final->advertisements + agent->advertisers[slot].sent;
	ret->dhcpv6_fast_path_replies = final->dhcp6_replies;
}

void bng_session_counters_begin(
	struct bng_agent *agent, const Bng__Agent__V1__SessionCountersRequest *request)
{
	struct bng_counters_run run = {.all = !request->n_session_ids, .request_id = request->request_id};

	if (agent->counters_run_count < BNG_COUNTERS_WAITING_MAX)
		run.ids = bng_duplicate(request->session_ids, request->n_session_ids * sizeof(uint64_t));
	if (!run.ids) {
		bng_link_notify(&agent->link, BNG_LANE_TELEMETRY,
			BNG__AGENT__V1__ERROR_CODE__ERROR_CODE_OVERLOAD,
			"too many session counters requests at a time");
		return;
	}
	run.id_count = request->n_session_ids;
	agent->counters_runs[agent->counters_run_count++] = run;
}

static void finish_run(struct bng_agent *agent)
{
	struct bng_counters_run *runs = agent->counters_runs;

	bng_free(runs[0].ids);
	agent->counters_run_count--;
	memmove(runs, runs + 1, agent->counters_run_count * sizeof(*runs));
}

void bng_session_counters_forget(struct bng_agent *agent)
{
	while (agent->counters_run_count)
		finish_run(agent);
}

static const struct bng_session_object *next_session(struct bng_agent *agent)
{
	struct bng_counters_run *run = &agent->counters_runs[0];
	const struct bng_session_object *session = NULL;

	while (!session && run->next < (run->all ? (size_t)agent->options.max_sessions : run->id_count)) {
		if (run->all)
			session = agent->state.by_slot[run->next + 1];
		else
			session = (const void *)bng_state_get(
				&agent->state, BNG_FAMILY_SESSION, run->ids[run->next]);
		run->next++;
	}
	return session;
}

bool bng_session_counters_work(struct bng_agent *agent)
{
	static Bng__Agent__V1__SessionCounters sessions[SESSIONS_PER_REPLY], *list[SESSIONS_PER_REPLY];
	Bng__Agent__V1__SessionCountersReply reply = BNG__AGENT__V1__SESSION_COUNTERS_REPLY__INIT;
	Bng__Agent__V1__AgentFrame frame = BNG__AGENT__V1__AGENT_FRAME__INIT;
	const struct bng_session_object *session = NULL;
	struct bng_clock clock = bng_clock_now();

	if (bng_buffer_size(&agent->link.lanes[BNG_LANE_TELEMETRY].out) > OUT_PAUSE)
		return false;
	while (reply.n_sessions < SESSIONS_PER_REPLY && (session = next_session(agent))) {
		list[reply.n_sessions] = &sessions[reply.n_sessions];
		if (!bng_session_counters_fill(agent, session, &clock, &sessions[reply.n_sessions]))
			reply.n_sessions++;
	}
	reply.request_id = agent->counters_runs[0].request_id;
	reply.sessions = list;
	reply.last = !session;
	frame.body_case = BNG__AGENT__V1__AGENT_FRAME__BODY_SESSION_COUNTERS;
	frame.session_counters = &reply;
	bng_lanes_send(agent, BNG_LANE_TELEMETRY, &frame);
	if (reply.last)
		finish_run(agent);
	return agent->counters_run_count != 0;
}
