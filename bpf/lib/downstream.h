/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The way to a line, shared by packets from the core and from other lines: session by address, lease, TTL,
 * MTU, filter,
 * policer, encapsulation. */
#ifndef BNG_DOWNSTREAM_H
#define BNG_DOWNSTREAM_H

#include "filter.h"
#include "forward.h"
#include "icmp.h"
#include "mss.h"
#include "police.h"
#include "punt.h"
#include "session.h"

/* 0, or why the session does not get the packet. */
static __always_inline __u32 withheld_down(
	struct xdp_md *ctx, struct bng_scratch *s, struct bng_session *session, enum bng_families family)
{
	if (session->filter_index) {
		__u32 refused = filter_packet(ctx, s, session->filter_index, BNG_WAY_DOWN, family);

		if (refused)
			return refused;
	}
	if (session->flags & BNG_SESSION_POLICED_DOWN)
		return police(s, session, &session->rate_down, BNG_DOWN, BNG_DROP_policed_down);
	return 0;
}

/* The largest IP packet the line takes; 0: of any size. */
static __always_inline __u32 line_mtu(const struct bng_session *session, const struct bng_port *port)
{
	__u32 mtu = port->mtu;

	if (!(session->flags & BNG_SESSION_PPPOE))
		return mtu;
	/* The port may have got smaller than what the client was told. */
	if (mtu && mtu < session->mtu + (__u32)BNG_PPPOE_MTU_COST)
		return mtu - BNG_PPPOE_MTU_COST;
	return session->mtu;
}

static __always_inline void count_downstream(struct bng_scratch *s, struct bng_session *session)
{
	struct bng_session_counters *counters = counters_of(session);

	if (counters) {
		counters->down_packets += 1;
		counters->down_bytes += s->ip_length;
	}
}

/*
 * What is left to do for a packet larger than s->hand_over_detail: all checks but the size have their turn,
 * the frame is made, and the agent cuts it (RFC 791). Global: see handle_arp.
 */
__noinline int hand_over_for_cutting(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	struct bng_session *session = bpf_map_lookup_elem(&sessions, &s->toward_line);
	struct bng_port *port = bpf_map_lookup_elem(&ports, &s->out_port);

	if (!session || !port)
		return drop(s, BNG_DROP_internal_lookup);
	__u32 withheld = withheld_down(ctx, s, session, BNG_FAMILY_IPV4);

	if (withheld)
		return refuse_silently(withheld);
	count_downstream(s, session);
	if (encapsulate(ctx, s, session, &s->toward_line, port, BNG_FAMILY_IPV4))
		return drop(s, BNG_DROP_internal_adjust);
	s->hand_over_port = s->out_port;
	s->line = s->toward_line; /* the guard's line */
	s->session_id = session->session_id;
	s->generation = session->generation;
	if (s->nat.changes & BNG_NAT_BY_AGENT)
		return punt(ctx, BNG_PUNT_NAT_ALG, BNG_PUNT_REASON_nat_alg);
	return punt(ctx, BNG_PUNT_FRAGMENT, BNG_PUNT_REASON_fragmented);
}

/* RFC 791, RFC 1191: what may not be cut is reported. */
static __always_inline int too_big_for_line(
	struct xdp_md *ctx, struct bng_scratch *s, const struct bng_line_key *line, __u32 mtu)
{
	s->icmp.mtu = mtu;
	if ((s->fragment & BNG_IP_DF) || s->ip_length + BNG_HEAD_MAX > BNG_FRAME_MAX)
		return refuse(ctx, BNG_DROP_too_big);
	s->hand_over_detail = mtu;
	s->toward_line = *line;
	return hand_over_for_cutting(ctx);
}

/* The caller has looked at the clock. */
static __always_inline int send_to_line(
	struct xdp_md *ctx, struct bng_scratch *s, struct bng_line_key *line, __u32 reason)
{
	struct bng_session *session = bpf_map_lookup_elem(&sessions, line);

	if (!session)
		return refuse(ctx, BNG_DROP_no_subscriber);
	s->out_port = line->port;
	struct bng_port *port = bpf_map_lookup_elem(&ports, &s->out_port);
	struct bng_session_state *state = state_of(session);

	if (!port || !state)
		return drop(s, BNG_DROP_internal_lookup);

	__u32 lapse = session_lapse(session, state, clock_again(s));

	/* A mapping of a session that was, whose address another one has: the agent is about to remove it. */
	if ((s->nat.changes & BNG_NAT_DESTINATION) && session->session_id != s->nat.session_id)
		return refuse_silently(BNG_DROP_nat_no_mapping);
	s->slot = session->slot;
	s->session_is_known = 1;
	if (lapse)
		return refuse(ctx, lapse);
	if (s->ttl <= 1)
		return refuse(ctx, BNG_DROP_ttl_expired);
	__u32 mtu = line_mtu(session, port);

	if (mtu && s->ip_length > mtu)
		return too_big_for_line(ctx, s, line, mtu);

	__u32 withheld = withheld_down(ctx, s, session, BNG_FAMILY_IPV4);

	if (withheld)
		return refuse_silently(withheld);

	count_downstream(s, session);
	if (session->flags & BNG_SESSION_CLAMP_MSS)
		clamp_mss(ctx, s, session->mtu, BNG_IPV4_TCP_HEADERS);
	return forward_to_line(ctx, s, session, line, port, reason, BNG_FAMILY_IPV4);
}

#endif
