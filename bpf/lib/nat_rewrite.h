/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * NAT44: the translation of a packet as nat.h and its like have decided it. Sums are updated by what changed
 * (RFC 1624), so that a packet that came with a wrong sum leaves with a wrong one.
 */
#ifndef BNG_NAT_REWRITE_H
#define BNG_NAT_REWRITE_H

#include "nat_error.h"

/* A sum after the words in `from` became those in `to`, both already summed. */
static __always_inline __u16 nat_sum(__u16 check, __u64 from, __u64 to)
{
	return (__u16)~checksum_fold(
		(__u64)(__u16)~check + (__u16)~checksum_fold(from) + (__u64)checksum_fold(to));
}

/* The ports at `upper`; what they add to the sums of what was and what is. */
static __always_inline void nat_rewrite_ports(struct bng_scratch *s, void *upper, __u64 *from, __u64 *to)
{
	struct bng_nat_work *w = &s->nat;

	*from += BNG_LOAD(__be16, upper);
	*from += BNG_LOAD(__be16, upper + 2);
	if (w->changes & BNG_NAT_SOURCE)
		BNG_STORE(__be16, upper, w->source_port);
	if (w->changes & BNG_NAT_DESTINATION)
		BNG_STORE(__be16, upper + 2, w->destination_port);
	*to += BNG_LOAD(__be16, upper);
	*to += BNG_LOAD(__be16, upper + 2);
}

/* `upper` has 18 bytes. */
static __always_inline void nat_rewrite_tcp(struct bng_scratch *s, void *upper, __u64 from, __u64 to)
{
	nat_rewrite_ports(s, upper, &from, &to);
	BNG_STORE(__u16, upper + BNG_TCP_CHECK_AT,
		nat_sum(BNG_LOAD(__u16, upper + BNG_TCP_CHECK_AT), from, to));
}

/* `upper` has 8 bytes. RFC 768: a sum of 0 is none, and stays so. */
static __always_inline void nat_rewrite_udp(struct bng_scratch *s, void *upper, __u64 from, __u64 to)
{
	__u16 check = BNG_LOAD(__u16, upper + 6);

	nat_rewrite_ports(s, upper, &from, &to);
	if (!check)
		return;
	check = nat_sum(check, from, to);
	BNG_STORE(__u16, upper + 6, check ? check : 0xffff);
}

/* The identifier; `upper` has 8 bytes. */
static __always_inline void nat_rewrite_icmp(struct bng_scratch *s, void *upper)
{
	__be16 before = BNG_LOAD(__be16, upper + 4), after = s->nat.destination_port;

	BNG_OPAQUE(after);
	if (s->nat.changes & BNG_NAT_SOURCE)
		after = s->nat.source_port;
	BNG_STORE(__be16, upper + 4, after);
	BNG_STORE(__u16, upper + 2, checksum_update(BNG_LOAD(__u16, upper + 2), before, after));
}

static __always_inline void nat_addresses(struct bng_scratch *s, struct bng_ipv4 *ip, __u64 *from, __u64 *to)
{
	*from = (__u64)ip->source + ip->destination;
	if (s->nat.changes & BNG_NAT_SOURCE)
		ip->source = s->nat.source;
	if (s->nat.changes & BNG_NAT_DESTINATION)
		ip->destination = s->nat.destination;
	*to = (__u64)ip->source + ip->destination;
	ip->check = nat_sum(ip->check, *from, *to);
}

/*
 * One end of what an ICMP error quotes: address, port, and the sums over them, then ICMP's own over the
 * changes. The quote's IP sum is not always right (RFC 5508 3.1), and its upper sum not always there: each is
 * updated as it is. 0, or -1. Global: see handle_arp.
 */
__noinline int nat_rewrite_quote(struct xdp_md *ctx, int is_source)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return -1;
	struct bng_nat_work *w = &s->nat;
	__u32 icmp_at = s->l2_length + s->ip_header_length;
	__u32 at = icmp_at + BNG_NAT_QUOTE_AT;

	if (bpf_xdp_load_bytes(ctx, at, s->header, 20))
		return -1;
	__u32 upper_at = at + (s->header[0] & 15u) * 4;
	__u8 *upper = s->header + BNG_NAT_QUOTED_UPPER;
	__u8 protocol = s->header[9];
	__u32 address_at = 16, port_at = 2;
	__u16 ip_check = BNG_LOAD(__u16, s->header + 10);
	__be32 address = w->quoted_destination, quoted_source = w->quoted_source;
	__be16 port = w->quoted_destination_port, quoted_source_port = w->quoted_source_port;

	BNG_OPAQUE(address); /* as in nat_quoted_end() */
	BNG_OPAQUE(quoted_source);
	BNG_OPAQUE(port);
	BNG_OPAQUE(quoted_source_port);
	if (is_source) {
		address_at = 12;
		port_at = 0;
		address = quoted_source;
		port = quoted_source_port;
	}
	if (protocol == BNG_IPPROTO_ICMP)
		port_at = 4;
	/* Read from the packet: an offset that is not a constant is no good in the scratch. */
	if (bpf_xdp_load_bytes(ctx, at + address_at, upper, 4) ||
		bpf_xdp_load_bytes(ctx, upper_at + port_at, upper + 4, 2))
		return -1;
	__be32 old = BNG_LOAD(__be32, upper);
	__be16 old_port = BNG_LOAD(__be16, upper + 4);
	__u64 from = (__u64)old + old_port, to = (__u64)address + port;
	__u16 new_ip_check = nat_sum(ip_check, old, address);

	from += ip_check;
	to += new_ip_check;
	BNG_STORE(__be32, s->options, address);
	BNG_STORE(__u16, s->options + 4, new_ip_check);
	BNG_STORE(__be16, s->options + 6, port);
	if (bpf_xdp_store_bytes(ctx, at + address_at, s->options, 4) ||
		bpf_xdp_store_bytes(ctx, at + 10, s->options + 4, 2) ||
		bpf_xdp_store_bytes(ctx, upper_at + port_at, s->options + 6, 2))
		return -1;

	__u32 check_at = protocol == BNG_IPPROTO_UDP    ? 6
			 : protocol == BNG_IPPROTO_ICMP ? 2
							: BNG_TCP_CHECK_AT;

	/* TCP's sum lies behind the 8 bytes that are always quoted. */
	if (upper_at + check_at + 2 <= s->l2_length + s->ip_length &&
		!bpf_xdp_load_bytes(ctx, upper_at + check_at, s->options + 8, 2)) {
		__u16 check = BNG_LOAD(__u16, s->options + 8);

		if (check || protocol != BNG_IPPROTO_UDP) {
			__u16 after = protocol == BNG_IPPROTO_ICMP
					      ? checksum_update(check, old_port, port)
					      : nat_sum(check, (__u64)old + old_port, (__u64)address + port);

			BNG_STORE(__u16, s->options + 8, after);
			if (bpf_xdp_store_bytes(ctx, upper_at + check_at, s->options + 8, 2))
				return -1;
			from += check;
			to += after;
		}
	}
	if (bpf_xdp_load_bytes(ctx, icmp_at + 2, s->options + 10, 2))
		return -1;
	BNG_STORE(__u16, s->options + 10, nat_sum(BNG_LOAD(__u16, s->options + 10), from, to));
	return bpf_xdp_store_bytes(ctx, icmp_at + 2, s->options + 10, 2) ? -1 : 0;
}

/* A packet whose IP header has options: by copies, for the upper layer lies where only helpers reach. */
static __always_inline int nat_rewrite_with_options(struct xdp_md *ctx, struct bng_scratch *s)
{
	__u32 at = s->l2_length + s->ip_header_length;
	void *upper = s->options + 32;
	__u64 from, to;

	if (bpf_xdp_load_bytes(ctx, s->l2_length, s->options, 20))
		return -1;
	nat_addresses(s, (void *)s->options, &from, &to);
	if (bpf_xdp_store_bytes(ctx, s->l2_length, s->options, 20))
		return -1;
	if (!(s->nat.changes & BNG_NAT_UPPER))
		return 0;
	if (s->protocol == BNG_IPPROTO_TCP) {
		if (bpf_xdp_load_bytes(ctx, at, upper, 18))
			return -1;
		nat_rewrite_tcp(s, upper, from, to);
		return bpf_xdp_store_bytes(ctx, at, upper, 18) ? -1 : 0;
	}
	if (bpf_xdp_load_bytes(ctx, at, upper, 8))
		return -1;
	if (s->protocol == BNG_IPPROTO_UDP)
		nat_rewrite_udp(s, upper, from, to);
	else
		nat_rewrite_icmp(s, upper);
	return bpf_xdp_store_bytes(ctx, at, upper, 8) ? -1 : 0;
}

/*
 * Translates the packet, whose IP header still stands at s->l2_length; s->nat.changes is not 0. 0, or -1.
 * Global: see handle_arp.
 */
__noinline int nat_rewrite(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return -1;
	if ((s->nat.changes & BNG_NAT_QUOTED_DESTINATION) && nat_rewrite_quote(ctx, 0))
		return -1;
	if ((s->nat.changes & BNG_NAT_QUOTED_SOURCE) && nat_rewrite_quote(ctx, 1))
		return -1;
	if (s->ip_header_length != 20)
		return nat_rewrite_with_options(ctx, s);

	void *end = packet_end(ctx);
	struct bng_ipv4 *ip = any_network_header(ctx, s->l2_length);
	void *upper = ip + 1;
	__u64 from, to;

	if (upper > end)
		return -1;
	nat_addresses(s, ip, &from, &to);
	if (!(s->nat.changes & BNG_NAT_UPPER))
		return 0;
	if (s->protocol == BNG_IPPROTO_TCP) {
		if (upper + 18 > end)
			return -1;
		nat_rewrite_tcp(s, upper, from, to);
		return 0;
	}
	if (upper + 8 > end)
		return -1;
	if (s->protocol == BNG_IPPROTO_UDP)
		nat_rewrite_udp(s, upper, from, to);
	else
		nat_rewrite_icmp(s, upper);
	return 0;
}

#endif
