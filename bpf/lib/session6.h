/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The IPv6 side of sessions: prefixes, lease, activity; routes of IPv6, and our own addresses. */
#ifndef BNG_SESSION6_H
#define BNG_SESSION6_H

#include "clock.h"
#include "ipv6.h"
#include "session.h"

enum { BNG_ACTIVITY_NS = 1000000000 };

static __always_inline struct bng_route6 *route6_of(
	struct bng_scratch *s, __u32 vrf, const struct bng_ip6 *destination)
{
	s->route6.prefix_bits = 32 + 128;
	s->route6.vrf = bpf_htonl(vrf);
	s->route6.ipv6 = *destination;
	return bpf_map_lookup_elem(&routes6, &s->route6);
}

static __always_inline int same_line(const struct bng_line_key *a, const struct bng_line_key *b)
{
	__u32 difference = 0;

#pragma clang loop unroll(full)
	for (int i = 0; i < (int)sizeof(*a); i += 4)
		difference |= BNG_LOAD(__u32, (const void *)a + i) ^ BNG_LOAD(__u32, (const void *)b + i);
	return !difference;
}

/* Is the longest prefix around the address one of the line s->line? Global: see handle_arp. */
__noinline int is_routed_to_line(__u32 vrf)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return 0;
	struct bng_route6 *route = route6_of(s, vrf, &s->source6);

	return route && route->kind == BNG_ROUTE_SESSION && same_line(&route->line, &s->line);
}

/* Is s->source6 in one of the prefixes of the session in s->slot? -1: it has none. */
static __always_inline int is_source6(struct bng_scratch *s, __u32 vrf)
{
	const volatile struct bng_ip6 *source = &s->source6;
	struct bng_session6 *session = bpf_map_lookup_elem(&sessions6, &s->slot);

	if (!session)
		return -1;
#pragma clang loop unroll(full)
	for (__u32 i = 0; i < BNG_INLINE_PREFIXES; i++) {
		const struct bng_prefix6 *prefix = &session->prefixes[i];

		if (i < session->prefix_count &&
			!(((source->high ^ prefix->address.high) & prefix->mask.high) |
				((source->low ^ prefix->address.low) & prefix->mask.low)))
			return 1;
	}
	return (session->flags & BNG_SESSION6_MORE_PREFIXES) ? is_routed_to_line(vrf) : 0;
}

static __always_inline struct bng_session6_state *state6_of(struct bng_session *session)
{
	return bpf_map_lookup_elem(&session6_state, &session->slot);
}

/* 0: the IPv6 lease and the session are live; otherwise the drop reason. */
static __always_inline __u32 session6_lapse(
	const struct bng_session *session, const struct bng_session6_state *state, __u64 now)
{
	if (state->session_id != session->session_id)
		return BNG_DROP_internal_lookup;
	if (state->expires_ns <= now)
		return BNG_DROP_session_lapsed;
	if (session->ends_ns && session->ends_ns <= now)
		return BNG_DROP_session_lapsed;
	return 0;
}

/* What keeps an idle session, and a lease that activity renews. The caller has looked at the clock. */
static __always_inline void note_activity6(struct bng_scratch *s)
{
	/* Looked up again: see count_upstream. */
	struct bng_session6_state *state6 = bpf_map_lookup_elem(&session6_state, &s->slot);
	struct bng_session_state *state;

	if (!state6 || clock_again(s) - state6->active_ns < BNG_ACTIVITY_NS)
		return;
	state6->active_ns = clock_again(s);
	state = bpf_map_lookup_elem(&session_state, &s->slot);
	if (state)
		state->active_ns = clock_again(s);
}

/* Is it one of our addresses of that VRF, link-local ones not among them? */
static __always_inline int is_own6(struct bng_scratch *s, __u32 vrf, const struct bng_ip6 *address)
{
	s->address6.vrf = vrf;
	s->address6._pad = 0;
	s->address6.ipv6 = *address;
	return bpf_map_lookup_elem(&own_addresses6, &s->address6) != NULL;
}

#endif
