// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Core ingress: packets for subscribers are encapsulated for their line; everything that is not theirs is the
// kernel's.
#include "clock.h"
#include "downstream6.h"
#include "nat_translate.h"
#include "route.h"

static __always_inline int pass(struct bng_scratch *s)
{
	count(s, BNG_TX_pass_kernel);
	return XDP_PASS;
}

/* To a public address of NAT. Global: see handle_arp. */
__noinline int handle_nat(struct xdp_md *ctx, __u32 vrf)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	s->nat.vrf = vrf;
	s->nat.sender_id = 0;
	(void)clock_now(s);

	int refused = nat_from_outside(ctx);

	if (refused == BNG_PUNT_REASON_nat_fragment_early) {
		s->session_id = 0;
		s->generation = 0;
		return punt(ctx, BNG_PUNT_NAT_FRAGMENT, (__u32)refused);
	}
	if (refused)
		return drop(s, (__u32)refused);
	struct bng_line_key *line = line_of(s, vrf, s->nat.session);

	if (!line)
		return drop(s, BNG_DROP_nat_no_mapping);
	return send_to_line(ctx, s, line, BNG_TX_forward_down);
}

enum { BNG_NAT_SEEN = 256, BNG_NAT_SEEN_NS = 20000000 };

/*
 * Addresses that were NAT's within the last 20 ms, per CPU: two look-ups, of a session that has the address
 * and of the route, go before the one that knows the mapping. A pool's addresses stand side by side.
 */
struct bng_nat_seen {
	__u64 seen_ns;
	__u32 vrf;
	__be32 address;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BNG_NAT_SEEN);
	__type(key, __u32);
	__type(value, struct bng_nat_seen);
} nat_seen SEC(".maps");

static __always_inline struct bng_nat_seen *nat_seen_of(struct bng_scratch *s)
{
	s->index = bpf_ntohl(s->destination) % BNG_NAT_SEEN;
	return bpf_map_lookup_elem(&nat_seen, &s->index);
}

static __always_inline int was_nat(struct bng_scratch *s, __u32 vrf)
{
	struct bng_nat_seen *seen = nat_seen_of(s);

	return seen && seen->address == s->destination && seen->vrf == vrf &&
	       clock_now(s) - seen->seen_ns <= BNG_NAT_SEEN_NS;
}

static __always_inline void note_nat(struct bng_scratch *s, __u32 vrf)
{
	struct bng_nat_seen *seen = nat_seen_of(s);

	if (!seen)
		return;
	seen->seen_ns = clock_now(s);
	seen->vrf = vrf;
	seen->address = s->destination;
}

static __always_inline int handle_ipv4(struct xdp_md *ctx, struct bng_scratch *s, const struct bng_port *port)
{
	int verdict = parse_ipv4(ctx, s, network_header(ctx, s->l2_length));

	if (verdict != BNG_NEXT)
		return verdict;
	if (!ipv4_is_whole(ctx, s))
		return drop(s, BNG_DROP_malformed_ipv4);
	if (is_martian(s->destination))
		return pass(s);
	if (was_nat(s, port->vrf))
		return handle_nat(ctx, port->vrf);

	struct bng_line_key *line = line_of(s, port->vrf, s->destination);

	if (!line) {
		struct bng_route *route = route_of(s, port->vrf, s->destination);

		if (!route)
			return pass(s);
		if (route->kind == BNG_ROUTE_BLACKHOLE)
			return drop(s, BNG_DROP_route_blackhole);
		if (route->kind == BNG_ROUTE_NAT) {
			note_nat(s, port->vrf);
			return handle_nat(ctx, port->vrf);
		}
		if (route->kind == BNG_ROUTE_SESSION)
			line = line_of(s, port->vrf, route->session);
		else if (route->kind != BNG_ROUTE_SUBSCRIBERS ||
			 own_address_flags(s, port->vrf, s->destination))
			return pass(s);
		if (!line)
			return refuse(ctx, BNG_DROP_no_subscriber);
	}
	(void)clock_now(s);
	return send_to_line(ctx, s, line, BNG_TX_forward_down);
}

/* Global: see handle_arp. */
__noinline int handle_ipv6(struct xdp_md *ctx, __u32 vrf)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	s->frame_length = (__u32)bpf_xdp_get_buff_len(ctx);
	__u32 refused = parse_ipv6(ctx, s, network_header(ctx, s->l2_length), s->frame_length - s->l2_length);

	if (refused)
		return drop(s, refused);
	if (is_local_scope6(&s->destination6) || is_martian6(&s->destination6))
		return pass(s);

	struct bng_route6 *route = route6_of(s, vrf, &s->destination6);

	if (!route)
		return pass(s);
	if (route->kind == BNG_ROUTE_BLACKHOLE)
		return drop(s, BNG_DROP_route_blackhole);
	if (route->kind != BNG_ROUTE_SESSION && route->kind != BNG_ROUTE_SUBSCRIBERS)
		return pass(s);
	if (is_local_scope6(&s->source6) || is_martian6(&s->source6))
		return drop(s, BNG_DROP_ipv6_local_scope);
	if (route->kind == BNG_ROUTE_SUBSCRIBERS)
		return refuse6(ctx, BNG_DROP_no_subscriber);
	s->toward_line = route->line;
	(void)clock_now(s);
	return send_to_line6(ctx, BNG_TX_forward_down);
}

SEC("xdp")
int xdp_core(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();
	struct bng_port *port = bpf_map_lookup_elem(&ports, (const void *)&bng_port_index);

	if (!s || !port)
		return XDP_ABORTED;
	if (!(port->flags & BNG_PORT_CONFIGURED))
		return pass(s);

	int verdict = parse_ethernet(ctx, s);

	if (verdict != BNG_NEXT)
		return verdict;
	if (s->destination_is_group || s->l2_length != 14 ||
		(s->ethertype != BNG_ETH_IPV4 && s->ethertype != BNG_ETH_IPV6))
		return pass(s);

	struct bng_eth *eth = packet_start(ctx);

	if ((void *)(eth + 1) > packet_end(ctx))
		return drop(s, BNG_DROP_malformed_ethernet);
	if (!same_mac(eth->destination, port->mac))
		return drop(s, BNG_DROP_not_for_us);
	if (s->ethertype == BNG_ETH_IPV6)
		return handle_ipv6(ctx, port->vrf);
	return handle_ipv4(ctx, s, port);
}

char _license[] SEC("license") = "Dual BSD/GPL";
