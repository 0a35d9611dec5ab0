/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The IPv6 header (RFC 8200) and the walk over its extension headers, of which there are few or the packet is
 * dropped (RFC 7045 2.1, RFC 8504 5.3); kinds of addresses.
 */
#ifndef BNG_IPV6_H
#define BNG_IPV6_H

#include "ipv4.h"

enum {
	BNG_IPPROTO_HOP_BY_HOP = 0,
	BNG_IPPROTO_ROUTING = 43,
	BNG_IPPROTO_FRAGMENT = 44,
	BNG_IPPROTO_AH = 51,
	BNG_IPPROTO_ICMPV6 = 58,
	BNG_IPPROTO_OPTIONS = 60,
	BNG_IPPROTO_MOBILITY = 135,
	BNG_IPPROTO_HIP = 139,
	BNG_IPPROTO_SHIM6 = 140,
	BNG_IPV6_BYTES = 40,
	BNG_CHAIN_HEADERS = 8,
	BNG_CHAIN_BYTES = 512,
};

struct bng_ipv6 {
	__be32 version_class_flow;
	__be16 payload_length;
	__u8 next_header;
	__u8 hop_limit;
	struct bng_ip6 source;
	struct bng_ip6 destination;
};

static __always_inline int same_ip6(const struct bng_ip6 *a, const struct bng_ip6 *b)
{
	return a->high == b->high && a->low == b->low;
}

static __always_inline int is_unspecified6(const struct bng_ip6 *address)
{
	return !(address->high | address->low);
}

/* ::/64: unspecified, loopback, and the forms of IPv4 addresses that no packet carries (RFC 4291 2.5, RFC
 * 6890). */
static __always_inline int is_martian6(const struct bng_ip6 *address)
{
	return !address->high;
}

static __always_inline int is_group6(const struct bng_ip6 *address)
{
	return *(const __u8 *)address == 0xff;
}

static __always_inline int is_link_local6(const struct bng_ip6 *address)
{
	return (bpf_be64_to_cpu(address->high) >> 54) == 0xfe80 >> 6;
}

/* RFC 4291 2.5.6, 2.7: what no router forwards. */
static __always_inline int is_local_scope6(const struct bng_ip6 *address)
{
	return is_group6(address) || is_link_local6(address);
}

static __always_inline int is_extension_header(__u32 next)
{
	return next == BNG_IPPROTO_HOP_BY_HOP || next == BNG_IPPROTO_ROUTING ||
	       next == BNG_IPPROTO_FRAGMENT || next == BNG_IPPROTO_AH || next == BNG_IPPROTO_OPTIONS ||
	       next == BNG_IPPROTO_MOBILITY || next == BNG_IPPROTO_HIP || next == BNG_IPPROTO_SHIM6;
}

static __always_inline void note_header(struct bng_scratch *s, __u32 next)
{
	s->chain.seen[forget(s, next >> 6) & 3] |= 1ULL << (next & 63);
}

static __always_inline long end_chain(struct bng_chain *chain, __u32 refused)
{
	chain->refused = refused;
	return 1;
}

/* One header (RFC 8200 4.2 to 4.6, RFC 4302 2). Ends the walk when it returns 1. */
static long walk_header(__u32 index, void *context)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	(void)context;
	if (!s)
		return 1;
	struct bng_chain *chain = &s->chain;
	__u32 next = chain->next, left = chain->end - chain->at;

	note_header(s, next);
	if (!is_extension_header(next))
		return end_chain(chain, 0);
	if (index >= BNG_CHAIN_HEADERS || chain->at > BNG_CHAIN_BYTES - 8)
		return end_chain(chain, BNG_DROP_ipv6_header_chain);
	if (left < 8 || (next == BNG_IPPROTO_HOP_BY_HOP && index))
		return end_chain(chain, BNG_DROP_malformed_ipv6);

	const __u8 *header = s->options + (forget(s, chain->at) & BNG_OPTIONS_MASK);
	__u32 length = (header[1] + 1u) * 8;

	if (next == BNG_IPPROTO_AH)
		length = (header[1] + 2u) * 4;
	if (next == BNG_IPPROTO_ROUTING && header[2] == 0)
		return end_chain(chain, BNG_DROP_ipv6_routing_header);
	if (next == BNG_IPPROTO_FRAGMENT) {
		__u32 field = bpf_ntohs(BNG_LOAD(__be16, header + 2));

		length = 8;
		s->fragment = (__u16)(field >> 3 | (field & 1 ? BNG_IP_MF : 0));
	}
	if (length > left)
		return end_chain(chain, BNG_DROP_malformed_ipv6);
	chain->at += length;
	chain->next = header[0];
	/* What follows in a later fragment is not a header. */
	if (s->fragment & BNG_IP_OFFSET)
		return end_chain(chain, 0);
	return 0;
}

/* From s->protocol on, to the upper layer's header. 0, or a drop reason. Global: see handle_arp. */
__noinline int walk_chain(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return BNG_DROP_internal_lookup;
	struct bng_chain *chain = &s->chain;
	__u64 copied = s->ip_length - BNG_IPV6_BYTES;

	chain->at = 0;
	chain->end = (__u32)copied;
	chain->next = s->protocol;
	chain->refused = BNG_DROP_ipv6_header_chain;
	if (copied > BNG_CHAIN_BYTES)
		copied = BNG_CHAIN_BYTES;
	copied = forget(s, (__u32)copied);
	if (!BNG_IS_LENGTH(copied, BNG_CHAIN_BYTES) ||
		bpf_xdp_load_bytes(ctx, s->l2_length + BNG_IPV6_BYTES, s->options, (__u32)copied))
		return BNG_DROP_malformed_ipv6;
	(void)bpf_loop(BNG_CHAIN_HEADERS + 1, walk_header, NULL, 0);
	if (chain->refused)
		return (int)chain->refused;
	/* RFC 7112 5: the first fragment shows all headers. */
	if (s->fragment == BNG_IP_MF && chain->at == chain->end)
		return BNG_DROP_ipv6_header_chain;
	s->protocol = (__u8)chain->next;
	s->ip_header_length = BNG_IPV6_BYTES + chain->at;
	return 0;
}

/*
 * Fills the IP part of the scratch from the header at ip, which stands at s->l2_length; `room` bytes of the
 * frame are the packet's at most. 0, or a drop reason.
 */
static __always_inline __u32 parse_ipv6(
	struct xdp_md *ctx, struct bng_scratch *s, const struct bng_ipv6 *ip, __u32 room)
{
	void *end = packet_end(ctx);

	if ((void *)(ip + 1) > end || *(const __u8 *)ip >> 4 != 6)
		return BNG_DROP_malformed_ipv6;
	s->ip_length = BNG_IPV6_BYTES + bpf_ntohs(ip->payload_length);
	if (s->ip_length > room)
		return BNG_DROP_malformed_ipv6;
	s->ip_header_length = BNG_IPV6_BYTES;
	s->source6 = ip->source;
	s->destination6 = ip->destination;
	s->fragment = 0;
	s->protocol = ip->next_header;
	s->ttl = ip->hop_limit;
	s->chain.seen[0] = s->chain.seen[1] = s->chain.seen[2] = s->chain.seen[3] = 0;
	if (is_extension_header(s->protocol))
		return (__u32)walk_chain(ctx);
	note_header(s, s->protocol);
	return 0;
}

/* As udp_ports(). */
static __always_inline __u32 udp_ports6(struct xdp_md *ctx, struct bng_scratch *s)
{
	if (s->protocol != BNG_IPPROTO_UDP || (s->fragment & BNG_IP_OFFSET) ||
		s->ip_length < s->ip_header_length + sizeof(struct bng_udp))
		return 0;
	if (s->ip_header_length == BNG_IPV6_BYTES) {
		void *end = packet_end(ctx);
		void *udp = any_network_header(ctx, s->l2_length) + BNG_IPV6_BYTES;

		return udp + 4 > end ? 0 : bpf_ntohl(BNG_LOAD(__be32, udp));
	}
	if (bpf_xdp_load_bytes(ctx, s->l2_length + s->ip_header_length, s->header, 4))
		return 0;
	return bpf_ntohl(*(__be32 *)s->header);
}

/* Does the packet carry a header that no packet of that port may? */
static __always_inline int carries_refused(const struct bng_scratch *s, const struct bng_port *port)
{
	return ((s->chain.seen[0] & port->refused_headers[0]) |
		       (s->chain.seen[1] & port->refused_headers[1]) |
		       (s->chain.seen[2] & port->refused_headers[2]) |
		       (s->chain.seen[3] & port->refused_headers[3])) != 0;
}

#endif
