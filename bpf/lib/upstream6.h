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
static __always_inline void find_route6(struct bng_scratch *s)
{
	struct bng_route6 *route = route6_of(s, s->sender.vrf, &s->destination6);

	s->toward6.kind = BNG_ROUTE_NONE;
	if (route) {
		s->toward6.next_hop = route->next_hop;
		s->toward_line = route->line;
		s->toward6.kind = route->kind;
	}
}

static __always_inline int send_to_core6(struct xdp_md *ctx, struct bng_scratch *s)
{
	__u32 refused = resolve_next_hop6(ctx, s);

	if (!refused)
		return forward_untagged(ctx, s, BNG_TX_forward_up, BNG_FAMILY_IPV6);
	if (refused == BNG_PUNT_REASON_neighbor_unresolved)
		return punt(ctx, BNG_PUNT_NEIGHBOR, refused);
	return refuse6(ctx, refused);
}

static __always_inline int route_upstream6(struct xdp_md *ctx, struct bng_scratch *s)
{
	__u32 kind = s->toward6.kind;

	if (kind == BNG_ROUTE_OWN)
		return answer_echo6(ctx, s);
	if (kind == BNG_ROUTE_BLACKHOLE)
		return refuse_silently(BNG_DROP_route_blackhole);
	if (kind != BNG_ROUTE_NEXT_HOP && kind != BNG_ROUTE_SESSION && kind != BNG_ROUTE_SUBSCRIBERS)
		return refuse6(ctx, BNG_DROP_no_route);
	if (s->ttl <= 1)
		return refuse6(ctx, BNG_DROP_ttl_expired);
	if (kind == BNG_ROUTE_NEXT_HOP)
		return send_to_core6(ctx, s);
	if (kind == BNG_ROUTE_SESSION)
		return send_to_line6(ctx, BNG_TX_forward_line_to_line);
	return refuse6(ctx, BNG_DROP_no_subscriber);
}

static __always_inline void note_sender(struct bng_scratch *s, const struct bng_session *session)
{
	s->slot = session->slot;
	s->session_id = session->session_id;
	s->generation = session->generation;
	s->session_is_known = 1;
	s->sender.flags = session->flags;
	s->sender.vrf = session->vrf;
	s->sender.filter_index = session->filter_index;
	s->sender.overhead = session->overhead;
	s->sender.mtu = session->mtu;
	s->rate = session->rate_up;
}

/*
 * As is_behind_relay(): every prefix of a session is a route that names its line, so one lookup finds it.
 * 1: s->line is that line. Global: see handle_arp.
 */
__noinline int is_behind_relay6(void)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s || s->line.pppoe_id || !(s->port_flags & BNG_PORT_TRUST_RELAYS))
		return 0;
	struct bng_route6 *route = route6_of(s, s->port_vrf, &s->source6);

	if (!route || route->kind != BNG_ROUTE_SESSION || route->line.port != s->line.port ||
		route->line.s_vlan != s->line.s_vlan || route->line.c_vlan != s->line.c_vlan)
		return 0;
	s->toward_line = route->line;
	struct bng_session *session = bpf_map_lookup_elem(&sessions, &s->toward_line);

	if (!session || !(session->flags & BNG_SESSION_RELAYED) || !same_mac(session->frame_mac, s->line.mac))
		return 0;
	s->line = s->toward_line;
	return 1;
}

/* Fills s->sender. 0, or why the line's packet is dropped, wherever it goes. Global: see handle_arp. */
__noinline int judge_sender6(void)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return BNG_DROP_internal_lookup;
	struct bng_session *session = bpf_map_lookup_elem(&sessions, &s->line);

	if (!session)
		return BNG_DROP_no_session;
	if (!(session->flags & BNG_SESSION_IPV6))
		return BNG_DROP_ipv6_not_enabled;
	note_sender(s, session);
	struct bng_session6_state *state = state6_of(session);

	if (!state)
		return BNG_DROP_internal_lookup;
	__u32 lapse = session6_lapse(session, state, clock_now(s));
	int known = is_source6(s, s->sender.vrf);

	if (known < 0)
		return BNG_DROP_internal_lookup;
	if (!known) {
		if (!(s->sender.flags & BNG_SESSION_SPOOF_LOG))
			return BNG_DROP_spoofed_source;
		count(s, BNG_DROP_spoofed_source);
	}
	if (is_martian6(&s->destination6) || s->destination_is_group)
		return BNG_DROP_martian_destination;
	return (int)lapse;
}

/* As withheld_up(). */
static __always_inline __u32 withheld_up6(struct xdp_md *ctx, struct bng_scratch *s)
{
	if (s->sender.filter_index && s->toward6.kind != BNG_ROUTE_OWN) {
		__u32 refused = filter_packet(ctx, s, s->sender.filter_index, BNG_WAY_UP, BNG_FAMILY_IPV6);

		if (refused)
			return refused;
	}
	if (s->sender.flags & BNG_SESSION_POLICED_UP)
		return police_by_rate(s, s->slot, s->sender.overhead, BNG_UP, BNG_DROP_policed_up);
	return 0;
}

/* The frame holds the whole packet, and its addresses are no link-local ones. Global: see handle_arp. */
__noinline int handle_data6(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	__u32 refused = (__u32)judge_sender6();

	/* Last, because lines are many and relays few; a relay may have a session of its own. */
	if ((refused == BNG_DROP_no_session || refused == BNG_DROP_spoofed_source ||
		    refused == BNG_DROP_ipv6_not_enabled) &&
		is_behind_relay6())
		refused = (__u32)judge_sender6();
	if (refused)
		return refuse_silently(refused);
	find_route6(s);
	refused = withheld_up6(ctx, s);
	if (refused)
		return refuse_silently(refused);
	note_activity6(s);
	count_upstream6(s);
	if (s->sender.flags & BNG_SESSION_CLAMP_MSS)
		clamp_mss(ctx, s, s->sender.mtu, BNG_IPV6_TCP_HEADERS);
	return route_upstream6(ctx, s);
}

#endif
