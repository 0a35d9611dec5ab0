/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* route.h of IPv6: the kernel's FIB and neighbour table, asked for a next hop or a destination. */
#ifndef BNG_ROUTE6_H
#define BNG_ROUTE6_H

#include "ipv6.h"
#include "route.h"

enum { BNG_AF_INET6 = 10 };

/* 100::/64, which nobody routes (RFC 6666), as a 64-bit half of an address. */
#define BNG_DISCARD_PREFIX bpf_cpu_to_be64(0x0100000000000000ULL)

/* As struct bng_hop. */
struct bng_hop6 {
	__u64 resolved_ns;
	struct bng_ip6 toward;
	__u32 next_hop;
	__u32 out_port;
	__u32 mtu;
	__u8 mac[12];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BNG_HOP_CACHE);
	__type(key, __u32);
	__type(value, struct bng_hop6);
} hop6_cache SEC(".maps");

/* 1: s->out_port and s->next_mac are filled. The key is s->route6.ipv6. */
static __always_inline int hop6_is_fresh(struct bng_scratch *s, __u32 next_hop)
{
	const struct bng_ip6 *toward = &s->route6.ipv6;

	s->hop_slot =
		(__u32)(((toward->high ^ toward->low) * 0x9e3779b97f4a7c15ULL + next_hop * 0x9e3779b1u) >>
			56);
	struct bng_hop6 *hop = bpf_map_lookup_elem(&hop6_cache, &s->hop_slot);

	if (!hop || hop->next_hop != next_hop || !same_ip6(&hop->toward, toward) || s->ip_length > hop->mtu ||
		s->clock_ns - hop->resolved_ns > BNG_HOP_FRESH_NS)
		return 0;
	s->out_port = hop->out_port;
	BNG_STORE(__u64, s->next_mac, BNG_LOAD(__u64, hop->mac));
	BNG_STORE(__u32, s->next_mac + 8, BNG_LOAD(__u32, hop->mac + 8));
	return 1;
}

static __always_inline void remember_hop6(struct bng_scratch *s, __u32 next_hop)
{
	struct bng_hop6 *hop = bpf_map_lookup_elem(&hop6_cache, &s->hop_slot);

	if (!hop)
		return;
	hop->next_hop = next_hop;
	hop->toward = s->route6.ipv6;
	hop->out_port = s->out_port;
	hop->mtu = s->fib.mtu_result < s->hop_mtu ? s->fib.mtu_result : s->hop_mtu;
	BNG_STORE(__u64, hop->mac, BNG_LOAD(__u64, s->next_mac));
	BNG_STORE(__u32, hop->mac + 8, BNG_LOAD(__u32, s->next_mac + 8));
	hop->resolved_ns = s->clock_ns;
}

static __always_inline void copy_to_fib(__u32 *words, const struct bng_ip6 *address)
{
	words[0] = (__u32)address->high;
	words[1] = (__u32)(address->high >> 32);
	words[2] = (__u32)address->low;
	words[3] = (__u32)(address->low >> 32);
}

/*
 * The kernel does not look up link-local destinations. What it says of 100:: with the same interface
 * identifier stands for such a gateway, as long as that route goes through the gateway: it is the default
 * route, or one for this purpose.
 */
static __always_inline void ask_for_gateway(struct bng_scratch *s)
{
	struct bng_ip6 asked = s->route6.ipv6;

	if (is_link_local6(&asked))
		asked.high = BNG_DISCARD_PREFIX;
	copy_to_fib(s->fib.ipv6_dst, &asked);
}

static __always_inline int is_gateway_found(const struct bng_scratch *s)
{
	return !is_link_local6(&s->route6.ipv6) || same_ip6((const void *)s->fib.ipv6_dst, &s->route6.ipv6);
}

/* Fills s->fib toward s->route6.ipv6. 0, or a drop reason. */
static __always_inline __u32 prepare_fib6(
	struct xdp_md *ctx, struct bng_scratch *s, const struct bng_next_hop *hop, __u32 vrf)
{
	struct bpf_fib_lookup *fib = &s->fib;
	__u64 *words = (__u64 *)fib;

#pragma clang loop unroll(full)
	for (__u32 i = 0; i < sizeof(*fib) / 8; i++)
		words[i] = 0;
	fib->family = BNG_AF_INET6;
	fib->tot_len = (__u16)s->ip_length;
	copy_to_fib(fib->ipv6_src, &s->source6);
	ask_for_gateway(s);
	s->out_port = hop->port;
	s->hop_mtu = 0xffff;
	if (hop->kind != BNG_NEXT_HOP_GATEWAY) {
		__u32 ifindex = ctx->ingress_ifindex;

		BNG_OPAQUE(ifindex); /* see resolve_next_hop */
		fib->ifindex = ifindex;
		return vrf ? BNG_DROP_no_route : 0;
	}
	struct bng_port *out = bpf_map_lookup_elem(&ports, &s->out_port);

	if (!out || out->role != BNG_ROLE_CORE)
		return BNG_DROP_no_route;
	if (out->mtu)
		s->hop_mtu = out->mtu;
	fib->ifindex = out->ifindex;
	if (s->ip_length <= s->hop_mtu)
		return 0;
	s->icmp.mtu = s->hop_mtu;
	return BNG_DROP_too_big;
}

/* What the cache does not know of s->route6.ipv6. 0, or the reason. Global: its spills are not the cache's.
 */
__noinline int ask_kernel6(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return BNG_DROP_internal_lookup;
	__u32 vrf = s->sender.vrf;

	struct bng_next_hop *hop = bpf_map_lookup_elem(&next_hops, &s->toward6.next_hop);

	if (!hop)
		return BNG_DROP_internal_lookup;
	__u32 kind = hop->kind, port = hop->port;
	__u32 refused = prepare_fib6(ctx, s, hop, vrf);

	if (refused)
		return (int)refused;
	long result = bpf_fib_lookup(
		ctx, &s->fib, sizeof(s->fib), kind == BNG_NEXT_HOP_GATEWAY ? BPF_FIB_LOOKUP_OUTPUT : 0);

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
		s->icmp.mtu = s->fib.mtu_result;
		return BNG_DROP_too_big;
	default:
		return BNG_DROP_route_unreachable;
	}
	if (!is_gateway_found(s) || !find_core_port(s, port, s->fib.ifindex))
		return BNG_DROP_no_route;
	copy_mac(s->next_mac, s->fib.dmac);
	copy_mac(s->next_mac + 6, s->fib.smac);
	remember_hop6(s, s->toward6.next_hop);
	return 0;
}

/*
 * As resolve_next_hop(), from s->sender to s->destination6 by s->toward6: fills s->out_port and s->next_mac.
 * 0, or the reason: a drop reason, or BNG_PUNT_REASON_neighbor_unresolved. Too big: s->icmp.mtu.
 */
static __always_inline __u32 resolve_next_hop6(struct xdp_md *ctx, struct bng_scratch *s)
{
	struct bng_next_hop *hop = bpf_map_lookup_elem(&next_hops, &s->toward6.next_hop);

	if (!hop || hop->kind == BNG_NEXT_HOP_NONE)
		return BNG_DROP_no_route;
	__be64 high = s->destination6.high, low = s->destination6.low;

	if (hop->kind == BNG_NEXT_HOP_GATEWAY) {
		high = hop->ipv6.high;
		low = hop->ipv6.low;
	}
	s->route6.ipv6.high = high;
	s->route6.ipv6.low = low;
	if (!(s->sender.vrf && hop->kind == BNG_NEXT_HOP_KERNEL) && hop6_is_fresh(s, s->toward6.next_hop))
		return 0;
	return (__u32)ask_kernel6(ctx);
}

#endif
