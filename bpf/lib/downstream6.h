/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* downstream.h's way to a line, of IPv6 packets: the route has named the line. Nothing is ever cut (RFC
 * 8200 4.5). */
#ifndef BNG_DOWNSTREAM6_H
#define BNG_DOWNSTREAM6_H

#include "downstream.h"
#include "icmp6.h"
#include "session6.h"

/* Sums up what a session got; its IPv4 is counted elsewhere. */
static __always_inline void count_downstream6(struct bng_scratch *s)
{
	struct bng_session6_counters *counters = bpf_map_lookup_elem(&session6_counters, &s->slot);

	if (counters) {
		counters->down_packets += 1;
		counters->down_bytes += s->ip_length;
	}
}

/* To the line s->toward_line. The caller has looked at the clock. Global: see handle_arp. */
__noinline int send_to_line6(struct xdp_md *ctx, __u32 reason)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	struct bng_session *session = bpf_map_lookup_elem(&sessions, &s->toward_line);

	if (!session || !(session->flags & BNG_SESSION_IPV6))
		return refuse6(ctx, BNG_DROP_no_subscriber);
	s->out_port = s->toward_line.port;
	struct bng_port *port = bpf_map_lookup_elem(&ports, &s->out_port);
	struct bng_session6_state *state = state6_of(session);

	if (!port || !state)
		return drop(s, BNG_DROP_internal_lookup);

	__u32 lapse = session6_lapse(session, state, clock_again(s));

	s->slot = session->slot;
	s->session_is_known = 1;
	if (lapse)
		return refuse6(ctx, lapse);
	if (carries_refused(s, port))
		return refuse_silently(BNG_DROP_ipv6_refused_header);
	if (s->ttl <= 1)
		return refuse6(ctx, BNG_DROP_ttl_expired);
	__u32 mtu = line_mtu(session, port);

	if (mtu && s->ip_length > mtu) {
		s->icmp.mtu = mtu;
		return refuse6(ctx, BNG_DROP_too_big);
	}

	__u32 withheld = withheld_down(ctx, s, session, BNG_FAMILY_IPV6);

	if (withheld)
		return refuse_silently(withheld);
	count_downstream6(s);
	if (session->flags & BNG_SESSION_CLAMP_MSS)
		clamp_mss(ctx, s, session->mtu, BNG_IPV6_TCP_HEADERS);
	return forward_to_line(ctx, s, session, &s->toward_line, port, reason, BNG_FAMILY_IPV6);
}

#endif
