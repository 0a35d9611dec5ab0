/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* upstream.h's way from a line, of IPv6 data. */
#ifndef BNG_UPSTREAM6_H
#define BNG_UPSTREAM6_H

#include "downstream6.h"
#include "route6.h"
#include "upstream.h"

static __always_inline void count_upstream6(struct bng_scratch *s)
{
	struct bng_session6_counters *counters = bpf_map_lookup_elem(&session6_counters, &s->slot);

	if (counters) {
		counters->up_packets += 1;
		counters->up_bytes += s->ip_length;
	}
}

/* Copied: see find_route. */
static __always_inline void find_route6(struct bng_scratch *s, __u32 vrf)
{
	struct bng_route6 *route = route6_of(s, vrf, &s->destination6);

	s->toward6.kind = BNG_ROUTE_NONE;
	if (route) {
		s->toward6.next_hop = route->next_hop;
		s->toward_line = route->line;
		s->toward6.kind = route->kind;
	}
}

static __always_inline int route_upstream6(
	struct xdp_md *ctx, struct bng_scratch *s, struct bng_session *session)
{
	switch (s->toward6.kind) {
	case BNG_ROUTE_OWN:
		return answer_echo6(ctx, s);
	case BNG_ROUTE_SESSION:
	case BNG_ROUTE_SUBSCRIBERS:
	case BNG_ROUTE_NEXT_HOP:
		break;
	case BNG_ROUTE_BLACKHOLE:
		return refuse_silently(BNG_DROP_route_blackhole);
	default:
		return refuse6(ctx, BNG_DROP_no_route);
	}
	if (s->ttl <= 1)
		return refuse6(ctx, BNG_DROP_ttl_expired);
	if (s->toward6.kind == BNG_ROUTE_SUBSCRIBERS)
		return refuse6(ctx, BNG_DROP_no_subscriber);
	if (s->toward6.kind == BNG_ROUTE_SESSION)
		return send_to_line6(ctx, BNG_TX_forward_line_to_line);

	__u32 refused = (__u32)resolve_next_hop6(ctx, s->toward6.next_hop, session->vrf);

	if (refused == BNG_PUNT_REASON_neighbor_unresolved) {
		s->session_id = session->session_id;
		s->generation = session->generation;
		return punt(ctx, BNG_PUNT_NEIGHBOR, refused);
	}
	if (refused)
		return refuse6(ctx, refused);
	return forward_untagged(ctx, s, BNG_TX_forward_up, BNG_FAMILY_IPV6);
}

/* 0, or why the session's packet is dropped before it is looked where it goes. */
static __always_inline __u32 judge_sender6(struct bng_scratch *s, struct bng_session *session)
{
	int known = is_source6(session->vrf);

	if (known < 0)
		return BNG_DROP_internal_lookup;
	if (!known) {
		if (!(session->flags & BNG_SESSION_SPOOF_LOG))
			return BNG_DROP_spoofed_source;
		count(s, BNG_DROP_spoofed_source);
	}
	if (is_martian6(&s->destination6) || s->destination_is_group)
		return BNG_DROP_martian_destination;

	struct bng_session6_state *state = state6_of(session);

	(void)clock_now(s);
	return state ? session6_lapse(session, state, clock_again(s)) : BNG_DROP_internal_lookup;
}

/* The frame holds the whole packet, and its addresses are no link-local ones. Global: see handle_arp. */
__noinline int handle_data6(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	struct bng_session *session = bpf_map_lookup_elem(&sessions, &s->line);

	if (!session)
		return drop(s, BNG_DROP_no_session);
	if (!(session->flags & BNG_SESSION_IPV6))
		return drop(s, BNG_DROP_ipv6_not_enabled);
	s->slot = session->slot;
	s->session_is_known = 1;
	__u32 refused = judge_sender6(s, session);

	if (refused)
		return refuse_silently(refused);
	find_route6(s, session->vrf);
	refused = withheld_up(ctx, s, session, BNG_FAMILY_IPV6);
	if (refused)
		return refuse_silently(refused);
	note_activity6(s);
	count_upstream6(s);
	if (session->flags & BNG_SESSION_CLAMP_MSS)
		clamp_mss(ctx, s, session, BNG_IPV6_TCP_HEADERS);
	return route_upstream6(ctx, s, session);
}

#endif
