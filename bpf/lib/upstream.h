/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* IPv4 data from a line: session, anti-spoof, lease, route, then core, another line, or ourselves. */
#ifndef BNG_UPSTREAM_H
#define BNG_UPSTREAM_H

#include "clock.h"
#include "downstream.h"
#include "punt.h"
#include "route.h"

static __always_inline void count_upstream(struct bng_scratch *s, struct bng_session *session)
{
	struct bng_session_counters *counters = counters_of(session);

	if (counters) {
		counters->up_packets += 1;
		counters->up_bytes += s->ip_length;
	}
}

static __always_inline int toward_subscribers(
	struct xdp_md *ctx, struct bng_scratch *s, struct bng_session *session, __u64 now)
{
	if (own_address_flags(s, session->vrf, s->destination))
		return answer_echo(ctx, s);
	if (s->ttl <= 1)
		return refuse(ctx, BNG_DROP_ttl_expired);
	int verdict = send_to_line(ctx, s, now, BNG_TX_forward_line_to_line);

	if (verdict != BNG_NEXT)
		return verdict;
	return refuse(ctx, BNG_DROP_no_subscriber);
}

static __always_inline int route_upstream(
	struct xdp_md *ctx, struct bng_scratch *s, struct bng_session *session, __u64 now)
{
	struct bng_route *route = route_of(s, session->vrf, s->destination);

	if (!route)
		return refuse(ctx, BNG_DROP_no_route);
	switch (route->kind) {
	case BNG_ROUTE_OWN:
	case BNG_ROUTE_SUBSCRIBERS:
		return toward_subscribers(ctx, s, session, now);
	case BNG_ROUTE_BLACKHOLE:
		return refuse_silently(BNG_DROP_route_blackhole);
	case BNG_ROUTE_NEXT_HOP:
		break;
	default:
		return refuse(ctx, BNG_DROP_no_route);
	}
	if (s->ttl <= 1)
		return refuse(ctx, BNG_DROP_ttl_expired);

	__u32 refused = resolve_next_hop(ctx, s, route->next_hop, session->vrf);

	if (refused == BNG_PUNT_REASON_neighbor_unresolved) {
		s->session_id = session->session_id;
		s->generation = session->generation;
		return punt(ctx, BNG_PUNT_NEIGHBOR, refused);
	}
	if (refused)
		return refuse(ctx, refused);
	return forward_untagged(ctx, s, BNG_TX_forward_up);
}

/* Global: see handle_arp. */
__noinline int handle_data(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	if (!ipv4_is_whole(ctx, s))
		return drop(s, BNG_DROP_malformed_ipv4);
	struct bng_session *session = bpf_map_lookup_elem(&sessions, &s->line);

	if (!session) {
		session = session_behind_relay(s, s->port_vrf, s->source);
		if (!session)
			return drop(s, BNG_DROP_no_session);
	}
	s->slot = session->slot;
	s->session_is_known = 1;
	s->template_index = session->template_index;
	if (s->source != session->ipv4 || !session->ipv4) {
		if (!(session->flags & BNG_SESSION_SPOOF_LOG) || is_martian(s->source))
			return refuse_silently(BNG_DROP_spoofed_source);
		count(s, BNG_DROP_spoofed_source);
	}
	if (is_martian(s->destination) || s->destination_is_group)
		return refuse_silently(BNG_DROP_martian_destination);

	__u64 now = clock_now(s);
	struct bng_session_state *state = state_of(session);

	if (!state)
		return drop(s, BNG_DROP_internal_lookup);
	__u32 lapse = session_lapse(session, state, now);

	if (lapse)
		return refuse_silently(lapse);
	count_upstream(s, session);
	return route_upstream(ctx, s, session, now);
}

#endif
