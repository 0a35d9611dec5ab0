/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Where a packet goes: our routes, then the kernel's FIB and neighbour table for the next hop's MAC
 * addresses. */
#ifndef BNG_ROUTE_H
#define BNG_ROUTE_H

#include "ipv4.h"

enum {
	BNG_AF_INET = 2,
	BNG_HOP_CACHE = 256,
	BNG_HOP_FRESH_NS = 20000000,
};

/*
 * What the kernel's FIB and neighbour table said within the last 20 ms, per CPU: asking costs 100 ns a
 * packet. By next hop, and for KERNEL hops by destination.
 */
struct bng_hop {
	__u64 resolved_ns;
	__u32 next_hop;
	__be32 toward;
	__u32 out_port;
	__u32 mtu;
	__u8 mac[12];
	__u32 _pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BNG_HOP_CACHE);
	__type(key, __u32);
	__type(value, struct bng_hop);
} hop_cache SEC(".maps");

/* 1: s->out_port and s->next_mac are filled. */
static __always_inline int hop_is_fresh(struct bng_scratch *s, __u32 next_hop, __be32 toward)
{
	s->hop_slot = (toward * 0x9e3779b1u + next_hop) >> 24;
	struct bng_hop *hop = bpf_map_lookup_elem(&hop_cache, &s->hop_slot);

	if (!hop || hop->next_hop != next_hop || hop->toward != toward || s->ip_length > hop->mtu ||
		s->clock_ns - hop->resolved_ns > BNG_HOP_FRESH_NS)
		return 0;
	s->out_port = hop->out_port;
	*(__u64 *)s->next_mac = *(__u64 *)hop->mac;
	*(__u32 *)(s->next_mac + 8) = *(__u32 *)(hop->mac + 8);
	return 1;
}

static __always_inline void remember_hop(struct bng_scratch *s, __u32 next_hop, __be32 toward)
{
	struct bng_hop *hop = bpf_map_lookup_elem(&hop_cache, &s->hop_slot);

	if (!hop)
		return;
	hop->next_hop = next_hop;
	hop->toward = toward;
	hop->out_port = s->out_port;
	hop->mtu = s->fib.mtu_result < s->hop_mtu ? s->fib.mtu_result : s->hop_mtu;
	*(__u64 *)hop->mac = *(__u64 *)s->next_mac;
	*(__u32 *)(hop->mac + 8) = *(__u32 *)(s->next_mac + 8);
	hop->resolved_ns = s->clock_ns;
}

static __always_inline int is_core_port_with(struct bng_scratch *s, __u32 index, __u32 ifindex)
{
	s->out_port = index;
	struct bng_port *port = bpf_map_lookup_elem(&ports, &s->out_port);

	return port && port->role == BNG_ROLE_CORE && port->ifindex == ifindex;
}

static long try_core_port(__u32 index, void *context)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	(void)context;
	return s && is_core_port_with(s, index, s->fib.ifindex);
}

/* The core port behind s->fib.ifindex, into s->out_port; 0: none. */
__noinline int scan_core_ports(__u32 count_of_ports)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return 0;
	(void)bpf_loop(count_of_ports, try_core_port, NULL, 0);
	return is_core_port_with(s, s->out_port, s->fib.ifindex);
}

/* Traffic never leaves through a port that is not ours. */
static __always_inline int find_core_port(struct bng_scratch *s, __u32 hint, __u32 ifindex)
{
	return is_core_port_with(s, hint, ifindex) || scan_core_ports(BNG_MAX_PORTS);
}

/*
 * Fills s->out_port and s->next_mac. 0, or the reason: a drop reason, or BNG_PUNT_REASON_neighbor_unresolved.
 * Too big: s->icmp.mtu.
 */
static __always_inline __u32 resolve_next_hop(
	struct xdp_md *ctx, struct bng_scratch *s, __u32 index, __u32 vrf)
{
	s->index = index;
	struct bng_next_hop *hop = bpf_map_lookup_elem(&next_hops, &s->index);

	if (!hop || hop->kind == BNG_NEXT_HOP_NONE)
		return BNG_DROP_no_route;
	__be32 toward = hop->kind == BNG_NEXT_HOP_GATEWAY ? hop->ipv4 : s->destination;

	if (!(vrf && hop->kind == BNG_NEXT_HOP_KERNEL) && hop_is_fresh(s, index, toward))
		return 0;

	struct bpf_fib_lookup *fib = &s->fib;
	__u64 *words = (__u64 *)fib;
	__u32 flags = 0;

#pragma clang loop unroll(full)
	for (__u32 i = 0; i < sizeof(*fib) / 8; i++)
		words[i] = 0;
	fib->family = BNG_AF_INET;
	fib->tot_len = (__u16)s->ip_length;
	__be32 source = s->source;

	BNG_OPAQUE(source); /* or the two loads become one, of a chosen address */
	if (s->nat.changes & BNG_NAT_SOURCE)
		source = s->nat.source;
	fib->ipv4_src = source;
	s->out_port = hop->port;
	s->hop_mtu = 0xffff;
	if (hop->kind == BNG_NEXT_HOP_GATEWAY) {
		struct bng_port *out = bpf_map_lookup_elem(&ports, &s->out_port);

		if (!out || out->role != BNG_ROLE_CORE)
			return BNG_DROP_no_route;
		if (out->mtu)
			s->hop_mtu = out->mtu;
		if (s->ip_length > s->hop_mtu) {
			s->icmp.mtu = s->hop_mtu;
			return BNG_DROP_too_big;
		}
		fib->ipv4_dst = hop->ipv4;
		fib->ifindex = out->ifindex;
		flags = BPF_FIB_LOOKUP_OUTPUT;
	} else {
		if (vrf)
			return BNG_DROP_no_route; /* the kernel's FIB serves the default VRF only */
		__u32 ifindex = ctx->ingress_ifindex;

		BNG_OPAQUE(ifindex); /* a load merged with the other branch's would need a modified context
					pointer */
		fib->ifindex = ifindex;
		fib->ipv4_dst = s->destination;
	}

	long result = bpf_fib_lookup(ctx, fib, sizeof(*fib), flags);

	switch (result) {
	case BPF_FIB_LKUP_RET_SUCCESS:
		break;
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		return vrf ? BNG_DROP_no_neighbor : BNG_PUNT_REASON_neighbor_unresolved;
	case BPF_FIB_LKUP_RET_BLACKHOLE:
		return BNG_DROP_route_blackhole;
	case BPF_FIB_LKUP_RET_NOT_FWDED:
		return BNG_DROP_no_route;
	case BPF_FIB_LKUP_RET_FRAG_NEEDED:
		s->icmp.mtu = fib->mtu_result;
		return BNG_DROP_too_big;
	default:
		return BNG_DROP_route_unreachable;
	}
	if (!find_core_port(s, hop->port, fib->ifindex))
		return BNG_DROP_no_route;
	copy_mac(s->next_mac, fib->dmac);
	copy_mac(s->next_mac + 6, fib->smac);
	remember_hop(s, index, toward);
	return 0;
}

#endif
