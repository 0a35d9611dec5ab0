/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A session's filter: stateless rules on the side that is not the subscriber, the first that matches decides.
 */
#ifndef BNG_FILTER_H
#define BNG_FILTER_H

#include "ipv6.h"
#include "maps.h"

/* 0: the packet shows none, and no rule with ports matches it. */
static __always_inline __u32 remote_port(struct xdp_md *ctx, struct bng_scratch *s, __u32 way)
{
	if ((s->fragment & BNG_IP_OFFSET) || s->ip_length < s->ip_header_length + 4u ||
		bpf_xdp_load_bytes(ctx, s->l2_length + s->ip_header_length, s->header, 4))
		return 0;
	__u32 ports_of_packet = bpf_ntohl(*(__be32 *)s->header);

	return way == BNG_WAY_UP ? ports_of_packet & 0xffff : ports_of_packet >> 16;
}

/*
 * What the packet shows is read from the scratch anew for each rule: what a verifier learnt of it from one
 * rule would make another state of all that follow.
 */
static __always_inline int matches(const volatile struct bng_packet_facts *packet,
	const struct bng_filter_rule *rule, enum bng_families family)
{
	if (!(rule->ways & packet->way) || !(rule->families & family))
		return 0;
	if (family == BNG_FAMILY_IPV4 && ((packet->remote ^ rule->remote) & rule->mask))
		return 0;
	if (family == BNG_FAMILY_IPV6 &&
		(((packet->remote6.high ^ rule->remote6.high) & rule->mask6.high) |
			((packet->remote6.low ^ rule->remote6.low) & rule->mask6.low)))
		return 0;
	return (!rule->protocol || rule->protocol == packet->protocol) &&
	       (!rule->port_first || (packet->port >= rule->port_first && packet->port <= rule->port_last));
}

static __always_inline int try_rules(
	struct xdp_md *ctx, struct bng_scratch *s, __u32 way, enum bng_families family)
{
	struct bng_filter *filter = bpf_map_lookup_elem(&filters, &s->filter);

	if (!filter)
		return -1;
	__u32 count = filter->rule_count;

	s->facts.way = way;
	s->facts.protocol = s->protocol;
	s->facts.port = remote_port(ctx, s, way);
	if (family == BNG_FAMILY_IPV4) {
		s->facts.remote = s->source;
		if (way == BNG_WAY_UP)
			s->facts.remote = s->destination;
		else if (s->nat.changes & BNG_NAT_SOURCE)
			s->facts.remote = *(volatile __be32 *)&s->nat.source; /* as the line will see it */
	} else {
		s->facts.remote6 = way == BNG_WAY_UP ? s->destination6 : s->source6;
	}
#pragma clang loop unroll(full)
	for (__u32 i = 0; i < BNG_MAX_FILTER_RULES; i++) {
		const struct bng_filter_rule *rule = &filter->rules[i];
		__u32 permits = rule->permits;

		BNG_OPAQUE(permits); /* loaded here, or every exit would leave its index to one load behind
					them */
		if (i >= count)
			break;
		if (matches(&s->facts, rule, family))
			return permits;
	}
	return filter->permits_rest;
}

/* 1: the filter s->filter lets the packet go this way (one of enum bng_way). 0: it does not. -1: no such
 * filter. Global: see handle_arp. */
__noinline int is_permitted(struct xdp_md *ctx, __u32 way)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	return s ? try_rules(ctx, s, way, BNG_FAMILY_IPV4) : -1;
}

/* The same for IPv6. */
__noinline int is_permitted6(struct xdp_md *ctx, __u32 way)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	return s ? try_rules(ctx, s, way, BNG_FAMILY_IPV6) : -1;
}

/* 0, or why the packet is dropped. */
static __always_inline __u32 filter_packet(
	struct xdp_md *ctx, struct bng_scratch *s, __u32 filter, __u32 way, enum bng_families family)
{
	s->filter = filter;

	int permitted = family == BNG_FAMILY_IPV4 ? is_permitted(ctx, way) : is_permitted6(ctx, way);

	if (permitted == 1)
		return 0;
	return permitted ? BNG_DROP_internal_lookup : BNG_DROP_filtered;
}

#endif
