/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* IPv4 data from a line: session, anti-spoof, lease, route, filter, policer, then core, another line, or
 * ourselves. */
#ifndef BNG_UPSTREAM_H
#define BNG_UPSTREAM_H

#include "clock.h"
#include "downstream.h"
#include "nat_translate.h"
#include "punt.h"
#include "route.h"
#include "session6.h"

enum { BNG_PCP_PORT = 5351 };

/* What is counted here is what accounting bills, and what keeps the session from being idle. */
static __always_inline void count_upstream(struct bng_scratch *s)
{
	/* Looked up again: the register it would stay in is spilled, and the spill costs more. */
	struct bng_session_state *state = bpf_map_lookup_elem(&session_state, &s->slot);

	if (state && clock_again(s) - state->active_ns >= BNG_ACTIVITY_NS)
		state->active_ns = clock_again(s);

	struct bng_session_counters *counters = bpf_map_lookup_elem(&session_counters, &s->slot);

	if (counters) {
		counters->up_packets += 1;
		counters->up_bytes += s->ip_length;
	}
}

/*
 * Copied, because it is looked at twice: a 6.1 verifier follows the second test of one pointer against NULL
 * into the branch that cannot be taken.
 */
static __always_inline void find_route(struct bng_scratch *s, __u32 vrf)
{
	struct bng_route *route = route_of(s, vrf, s->destination);

	s->toward.kind = BNG_ROUTE_NONE;
	if (route) {
		s->toward.next_hop = route->next_hop;
		s->toward.session = route->session;
		s->toward.kind = route->kind;
	}
}

/* 0, or why the packet does not leave the line. What is sent to the BNG itself is not filtered. */
static __always_inline __u32 withheld_up(
	struct xdp_md *ctx, struct bng_scratch *s, struct bng_session *session)
{
	if (session->filter_index && s->toward.kind != BNG_ROUTE_OWN) {
		__u32 refused = filter_packet(ctx, s, session->filter_index, BNG_WAY_UP, BNG_FAMILY_IPV4);

		if (refused)
			return refused;
	}
	if (session->flags & BNG_SESSION_POLICED_UP)
		return police(s, session, &session->rate_up, BNG_UP, BNG_DROP_policed_up);
	return 0;
}

static __always_inline int toward_subscribers(struct xdp_md *ctx, struct bng_scratch *s, __u32 vrf)
{
	if (s->ttl <= 1)
		return refuse(ctx, BNG_DROP_ttl_expired);
	struct bng_line_key *line = line_of(s, vrf, s->toward.session);

	if (!line)
		return refuse(ctx, BNG_DROP_no_subscriber);
	return send_to_line(ctx, s, line, BNG_TX_forward_line_to_line);
}

/* A request for the PCP server, of a session that is translated by a policy with PCP; hop by hop like DHCP.
 */
static __always_inline int is_pcp(struct xdp_md *ctx, struct bng_scratch *s, struct bng_session *session)
{
	if (!(session->flags & BNG_SESSION_NAT) || s->protocol != BNG_IPPROTO_UDP ||
		(s->fragment & (BNG_IP_MF | BNG_IP_OFFSET)) || nat_parse(ctx, s) ||
		s->nat.old_destination_port != bpf_htons(BNG_PCP_PORT))
		return 0;
	struct bng_nat_session *grant = bpf_map_lookup_elem(&nat_sessions, &s->slot);

	if (!grant || grant->session_id != session->session_id)
		return 0;
	struct bng_nat_policy *policy = bpf_map_lookup_elem(&nat_policies, &grant->policy);

	return policy && (policy->flags & BNG_NAT_PCP);
}

/* Global, so that the verifier sees it once. */
__noinline int handle_own(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	struct bng_session *session = bpf_map_lookup_elem(&sessions, &s->line);

	if (!session)
		return drop(s, BNG_DROP_internal_lookup);
	if (!is_pcp(ctx, s, session))
		return answer_echo(ctx, s);
	s->session_id = session->session_id;
	s->generation = session->generation;
	return punt(ctx, BNG_PUNT_PCP, BNG_PUNT_REASON_pcp_request);
}

static __always_inline int route_upstream(
	struct xdp_md *ctx, struct bng_scratch *s, struct bng_session *session)
{
	switch (s->toward.kind) {
	case BNG_ROUTE_OWN:
		return handle_own(ctx);
	case BNG_ROUTE_SUBSCRIBERS:
		s->toward.session = s->destination;
		return toward_subscribers(ctx, s, session->vrf);
	case BNG_ROUTE_SESSION:
		return toward_subscribers(ctx, s, session->vrf);
	case BNG_ROUTE_NAT:
		s->toward.session = s->nat.session;
		return toward_subscribers(ctx, s, session->vrf);
	case BNG_ROUTE_BLACKHOLE:
		return refuse_silently(BNG_DROP_route_blackhole);
	case BNG_ROUTE_NEXT_HOP:
	case BNG_ROUTE_UNTRANSLATED:
		break;
	default:
		return refuse(ctx, BNG_DROP_no_route);
	}
	if (s->ttl <= 1)
		return refuse(ctx, BNG_DROP_ttl_expired);

	__u32 refused = resolve_next_hop(ctx, s, s->toward.next_hop, session->vrf);

	if (refused == BNG_PUNT_REASON_neighbor_unresolved) {
		/* The kernel sends it on: as it is to leave. */
		if (s->nat.changes && nat_rewrite(ctx))
			return drop(s, BNG_DROP_nat_internal);
		s->session_id = session->session_id;
		s->generation = session->generation;
		if (s->nat.changes & BNG_NAT_BY_AGENT) {
			s->hand_over_port = s->hand_over_detail = 0;
			return punt(ctx, BNG_PUNT_NAT_ALG, refused);
		}
		return punt(ctx, BNG_PUNT_NEIGHBOR, refused);
	}
	if (refused)
		return refuse(ctx, refused);
	return forward_untagged(ctx, s, BNG_TX_forward_up, BNG_FAMILY_IPV4);
}

/* What translate_upstream() needs of the session, which it would have to look up again. */
static __always_inline void note_nat_sender(struct bng_scratch *s, const struct bng_session *session)
{
	s->sender.flags = session->flags;
	s->nat.vrf = session->vrf;
	s->nat.sender_id = session->session_id;
	s->nat.session_id = session->session_id;
	s->nat.session = session->ipv4;
	s->nat.slot = session->slot;
}

/*
 * Source NAT of what leaves the lines' world, and its way back in of what goes to a public address of ours.
 * Nothing of a session that is to be translated passes by it. note_nat_sender() has been called. 0, a drop
 * reason, or BNG_PUNT_REASON_nat_fragment_early. Global: see handle_arp.
 */
__noinline int translate_upstream(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return BNG_DROP_internal_lookup;
	if ((s->sender.flags & BNG_SESSION_NAT) && (s->source == s->nat.session || is_private(s->source))) {
		int refused = nat_from_inside(ctx, !!(s->sender.flags & BNG_SESSION_NAT_STATIC));

		if (refused)
			return refused;
	}
	return s->toward.kind == BNG_ROUTE_NAT ? nat_from_outside(ctx) : 0;
}

/* The frame holds the whole packet. Global: see handle_arp. */
__noinline int handle_data(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	struct bng_session *session = bpf_map_lookup_elem(&sessions, &s->line);

	if (!session) {
		if (!s->line.pppoe_id && is_behind_relay())
			session = bpf_map_lookup_elem(&sessions, &s->line);
		if (!session)
			return drop(s, BNG_DROP_no_session);
	}
	s->slot = session->slot;
	s->session_is_known = 1;
	s->template_index = session->template_index;
	if (!is_source_of(session, s->source)) {
		if (!(session->flags & BNG_SESSION_SPOOF_LOG) || is_martian(s->source))
			return refuse_silently(BNG_DROP_spoofed_source);
		count(s, BNG_DROP_spoofed_source);
	}
	if (is_martian(s->destination) || s->destination_is_group)
		return refuse_silently(BNG_DROP_martian_destination);

	(void)clock_now(s);

	struct bng_session_state *state = state_of(session);

	if (!state)
		return drop(s, BNG_DROP_internal_lookup);
	__u32 lapse = session_lapse(session, state, clock_again(s));

	if (lapse)
		return refuse_silently(lapse);
	find_route(s, session->vrf);

	__u32 withheld = withheld_up(ctx, s, session);

	if (withheld)
		return refuse_silently(withheld);
	if (s->toward.kind == BNG_ROUTE_NAT ||
		(s->toward.kind == BNG_ROUTE_NEXT_HOP && (session->flags & BNG_SESSION_NAT))) {
		if (s->ttl <= 1)
			return refuse(ctx, BNG_DROP_ttl_expired);
		note_nat_sender(s, session);
		int refused = translate_upstream(ctx);

		if (refused == BNG_PUNT_REASON_nat_fragment_early) {
			s->session_id = s->nat.sender_id;
			s->generation = session->generation;
			return punt(ctx, BNG_PUNT_NAT_FRAGMENT, (__u32)refused);
		}
		if (refused)
			return refuse(ctx, (__u32)refused);
	}
	count_upstream(s);
	if (session->flags & BNG_SESSION_CLAMP_MSS)
		clamp_mss(ctx, s, session->mtu, BNG_IPV4_TCP_HEADERS);
	return route_upstream(ctx, s, session);
}

#endif
