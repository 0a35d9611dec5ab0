/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* NAT44: TCP connections (RFC 5382, RFC 7857 2) and the peers that address-dependent filtering lets in. */
#ifndef BNG_NAT_FLOW_H
#define BNG_NAT_FLOW_H

#include "nat.h"

static __always_inline __u64 nat_flow_bits(__u32 tcp_flags, int is_inside)
{
	__u64 bits = 0;

	if (tcp_flags & BNG_TCP_SYN)
		bits |= is_inside ? BNG_NAT_SYN_INSIDE : BNG_NAT_SYN_OUTSIDE;
	else if (!(tcp_flags & BNG_TCP_RST))
		bits |= is_inside ? BNG_NAT_DATA_INSIDE : BNG_NAT_DATA_OUTSIDE;
	if (tcp_flags & BNG_TCP_FIN)
		bits |= is_inside ? BNG_NAT_FIN_INSIDE : BNG_NAT_FIN_OUTSIDE;
	if (tcp_flags & BNG_TCP_RST)
		bits |= BNG_NAT_RST;
	return bits;
}

/*
 * A SYN on a closed connection begins another one; data after a RST says that the RST was not believed (RFC
 * 7857 2.2). Tried twice: up and down run on different CPUs.
 */
static __always_inline void nat_flow_advance(struct bng_nat_flow *flow, __u32 tcp_flags, int is_inside)
{
	__u64 bits = nat_flow_bits(tcp_flags, is_inside);

#pragma clang loop unroll(full)
	for (int i = 0; i < 2; i++) {
		__u64 before = *(volatile __u64 *)&flow->state;
		__u64 after = before | bits;

		if ((bits & (BNG_NAT_SYN_INSIDE | BNG_NAT_SYN_OUTSIDE)) && bng_nat_flow_is_closed(before))
			after = bits;
		else if ((before & BNG_NAT_RST) && !(bits & BNG_NAT_RST))
			after &= ~(__u64)BNG_NAT_RST;
		if (after == before || __sync_val_compare_and_swap(&flow->state, before, after) == before)
			return;
	}
}

/* w->flow, as a new entry with this state. 0, or the drop reason. */
static __always_inline __u32 nat_flow_begin(struct bng_scratch *s, __u64 tcp_state)
{
	struct bng_nat_work *w = &s->nat;
	struct bng_nat_state *state = nat_find_grant(s);

	if (!state)
		return w->refused;
	struct bng_nat_policy *policy = bpf_map_lookup_elem(&nat_policies, &w->grant.policy);

	if (!policy)
		return BNG_DROP_nat_internal;
	if (state->flows >= policy->flows_per_session)
		return nat_refuse(state, BNG_DROP_nat_too_many_flows);
	struct bng_nat_mapping *mapping = bpf_map_lookup_elem(&nat_out, &w->out);

	if (!mapping || mapping->session_id != w->session_id || !nat_touch(s, &mapping->seen_ns))
		return BNG_DROP_nat_internal;
	w->fresh_flow.session_id = w->session_id;
	w->fresh_flow.seen_ns = clock_again(s);
	w->fresh_flow.inside = w->out.address;
	w->fresh_flow.inside_port = w->out.port;
	w->fresh_flow.state = tcp_state;
	w->fresh_flow.slot = w->slot;

	int error = (int)bpf_map_update_elem(&nat_flows, &w->flow, &w->fresh_flow, BPF_NOEXIST);

	if (error == -BNG_EEXIST)
		return 0; /* another CPU was faster */
	if (error)
		return nat_refuse(state, BNG_DROP_nat_table_full);
	__sync_fetch_and_add(&mapping->flows, 1);
	__sync_fetch_and_add(&state->flows, 1);
	return 0;
}

/* The live entry of w->flow, of w's session; NULL: there is none. */
static __always_inline struct bng_nat_flow *nat_flow_find(struct bng_scratch *s)
{
	struct bng_nat_flow *flow = bpf_map_lookup_elem(&nat_flows, &s->nat.flow);

	if (!flow || flow->session_id != s->nat.session_id)
		return NULL;
	return flow;
}

static __always_inline void nat_flow_key(struct bng_scratch *s, __be32 peer, __be16 peer_port)
{
	struct bng_nat_work *w = &s->nat;

	w->flow.vrf = w->vrf;
	w->flow.peer = peer;
	w->flow.peer_port = peer_port;
	w->flow.protocol = w->out.protocol;
}

/*
 * A packet from inside on a mapping whose peers are kept. w->flow.address and port are the mapping's. 0, or
 * the drop reason. Global: see handle_arp.
 */
__noinline int nat_flow_from_inside(void)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return BNG_DROP_internal_lookup;
	struct bng_nat_work *w = &s->nat;
	int is_tcp = w->protocol == BNG_NAT_TCP;

	nat_flow_key(s, s->destination, is_tcp ? w->old_destination_port : 0);
	struct bng_nat_flow *flow = nat_flow_find(s);

	if (flow && nat_touch(s, &flow->seen_ns)) {
		if (is_tcp)
			nat_flow_advance(flow, w->tcp_flags, 1);
		return 0;
	}
	__u32 refused = nat_flow_begin(s, is_tcp ? nat_flow_bits(w->tcp_flags, 1) : 0);

	if (refused || !is_tcp || !(w->flags & BNG_NAT_FILTERED))
		return (int)refused;
	/* The peer may begin connections of its own from other ports. */
	w->flow.peer_port = 0;
	flow = nat_flow_find(s);
	if (!flow || !nat_touch(s, &flow->seen_ns))
		(void)nat_flow_begin(s, 0);
	return 0;
}

/* The same from outside: s->source, or of a hairpin the public address of the sender, is in w->flow.peer. */
__noinline int nat_flow_from_outside(void)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return BNG_DROP_internal_lookup;
	struct bng_nat_work *w = &s->nat;
	int is_tcp = w->protocol == BNG_NAT_TCP;
	struct bng_nat_flow *flow;

	if (is_tcp) {
		flow = nat_flow_find(s);
		if (flow && nat_touch(s, &flow->seen_ns)) {
			nat_flow_advance(flow, w->tcp_flags, 0);
			return 0;
		}
		/* RFC 5382 4: only a SYN begins a connection. */
		if ((w->tcp_flags & (BNG_TCP_SYN | BNG_TCP_ACK | BNG_TCP_RST | BNG_TCP_FIN)) != BNG_TCP_SYN)
			return BNG_DROP_nat_no_connection;
	}
	if (w->flags & BNG_NAT_FILTERED) {
		__be16 peer_port = w->flow.peer_port;

		w->flow.peer_port = 0;
		flow = nat_flow_find(s);
		if (!flow || *(volatile __u64 *)&flow->seen_ns == BNG_NAT_DEAD)
			return BNG_DROP_nat_filtered;
		if ((w->flags & BNG_NAT_REFRESHED) && !nat_touch(s, &flow->seen_ns))
			return BNG_DROP_nat_filtered;
		w->flow.peer_port = peer_port;
	}
	return is_tcp ? (int)nat_flow_begin(s, BNG_NAT_SYN_OUTSIDE) : 0;
}

#endif
