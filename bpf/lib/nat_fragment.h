/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * NAT44: fragments (RFC 4787 11). The first one has the ports and says how all
 * are translated; one that comes before it goes to the agent, which brings it again. Only headers change.
 */
#ifndef BNG_NAT_FRAGMENT_H
#define BNG_NAT_FRAGMENT_H

#include "nat.h"

/* w->fragment, of the packet as it came. */
static __always_inline int nat_fragment_key(struct xdp_md *ctx, struct bng_scratch *s)
{
	struct bng_nat_work *w = &s->nat;

	if (bpf_xdp_load_bytes(ctx, s->l2_length + 4, s->header, 2))
		return -1;
	w->fragment.vrf = w->vrf;
	w->fragment.source = s->source;
	w->fragment.destination = s->destination;
	w->fragment.id = BNG_LOAD(__be16, s->header);
	w->fragment.protocol = s->protocol;
	w->fragment.is_downstream = !w->sender_id;
	return 0;
}

/* A first fragment, with its translation decided: for those behind it. Global: see handle_arp. */
__noinline int nat_fragment_note(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s || nat_fragment_key(ctx, s))
		return BNG_DROP_nat_internal;
	struct bng_nat_work *w = &s->nat;

	w->fresh_fragment.seen_ns = clock_again(s);
	w->fresh_fragment.sender_id = w->sender_id;
	w->fresh_fragment.session_id = w->session_id;
	w->fresh_fragment.source = *(volatile __be32 *)&s->source;
	if (w->changes & BNG_NAT_SOURCE)
		w->fresh_fragment.source = *(volatile __be32 *)&w->source;
	w->fresh_fragment.destination = *(volatile __be32 *)&s->destination;
	if (w->changes & BNG_NAT_DESTINATION)
		w->fresh_fragment.destination = *(volatile __be32 *)&w->destination;
	w->fresh_fragment.session = w->session;
	if (bpf_map_update_elem(&nat_fragments, &w->fragment, &w->fresh_fragment, BPF_ANY))
		return BNG_DROP_nat_table_full;
	return 0;
}

/*
 * A fragment behind the first one. 0: translated as that was; BNG_PUNT_REASON_nat_fragment_early; or the drop
 * reason. Global: see handle_arp.
 */
__noinline int nat_fragment_follow(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s || nat_fragment_key(ctx, s))
		return BNG_DROP_nat_internal;
	struct bng_nat_work *w = &s->nat;
	struct bng_nat_fragment *first = bpf_map_lookup_elem(&nat_fragments, &w->fragment);

	if (!first || first->sender_id != w->sender_id ||
		(__s64)(clock_again(s) - first->seen_ns) > (__s64)BNG_NAT_FRAGMENT_NS)
		return BNG_PUNT_REASON_nat_fragment_early;
	w->session_id = first->session_id;
	w->session = first->session;
	w->source = first->source;
	w->destination = first->destination;
	w->changes = 0;
	if (w->source != s->source)
		w->changes |= BNG_NAT_SOURCE;
	if (w->destination != s->destination)
		w->changes |= BNG_NAT_DESTINATION;
	return 0;
}

#endif
