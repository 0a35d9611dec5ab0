/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Refusing an IPv6 packet that we could not forward: the session's counters, and the ICMPv6 error (RFC 4443)
 * in place of the packet, sent back where it came from, quoting up to 512 bytes. Also echo replies.
 */
#ifndef BNG_ICMP6_H
#define BNG_ICMP6_H

#include "answer6.h"
#include "icmp.h"

enum {
	BNG_ICMPV6_UNREACHABLE = 1,
	BNG_ICMPV6_TOO_BIG = 2,
	BNG_ICMPV6_TIME_EXCEEDED = 3,
	BNG_ICMPV6_ECHO = 128,
	BNG_ICMPV6_ECHO_REPLY = 129,
	BNG_ICMPV6_REDIRECT = 137,
	BNG_UNREACHABLE6_NO_ROUTE = 0,
	BNG_UNREACHABLE6_ADDRESS = 3,
};

struct bng_icmp6 {
	__u8 type;
	__u8 code;
	__be16 check;
	__be32 mtu; /* of Packet Too Big, otherwise unused */
};

/* RFC 4443 2.4 (e): never about errors, redirects and groups, or to what is not one host. */
static __always_inline int icmp6_error_is_allowed(struct xdp_md *ctx, struct bng_scratch *s)
{
	if (s->destination_is_group || is_martian6(&s->source6) || is_local_scope6(&s->source6) ||
		is_martian6(&s->destination6) || is_local_scope6(&s->destination6))
		return 0;
	if (s->protocol != BNG_IPPROTO_ICMPV6)
		return 1;
	if ((s->fragment & BNG_IP_OFFSET) ||
		bpf_xdp_load_bytes(ctx, s->l2_length + s->ip_header_length, s->header, 1))
		return 0;
	return s->header[0] >= BNG_ICMPV6_ECHO && s->header[0] != BNG_ICMPV6_REDIRECT;
}

static __always_inline int write_icmp6_error(
	struct xdp_md *ctx, struct bng_scratch *s, const struct bng_port *port, __u32 quoted, __u32 quote_sum)
{
	void *end = packet_end(ctx);
	void *data = packet_start(ctx);
	struct bng_ipv6 *ip = any_network_header(ctx, s->l2_length);
	struct bng_icmp6 *icmp = (void *)(ip + 1);
	__u32 payload = sizeof(*icmp) + quoted;

	if ((void *)(icmp + 1) > end || data + 14 > end)
		return drop(s, BNG_DROP_internal_adjust);
	answer_ethernet(data, port->mac);
	write_answer_head(
		s, ip, payload, BNG_IPPROTO_ICMPV6, BNG_ANSWER_HOP_LIMIT, &s->icmp.source6, &s->source6);
	icmp->type = (__u8)s->icmp.type;
	icmp->code = (__u8)s->icmp.code;
	icmp->check = 0;
	icmp->mtu = bpf_htonl(s->icmp.mtu);
	icmp->check = (__be16)~checksum_fold(
		sum_pseudo_header(&s->icmp.source6, &s->source6, payload, BNG_IPPROTO_ICMPV6) + quote_sum +
		BNG_LOAD(__u32, icmp) + BNG_LOAD(__u32, &icmp->mtu));
	if (bpf_xdp_store_bytes(ctx, s->l2_length + BNG_IPV6_BYTES + sizeof(*icmp), s->quote, quoted))
		return drop(s, BNG_DROP_internal_adjust);
	return sent(s, s->icmp.sent);
}

/* Lines know the port's link-local address; the core has to be answered from one it can reach. */
static __always_inline void choose_source6(struct bng_scratch *s, const struct bng_port *port)
{
	s->icmp.source6 = port->ipv6;
	if (is_unspecified6(&s->icmp.source6) && (port->flags & BNG_PORT_IPV6))
		s->icmp.source6 = port->link_local;
}

static __always_inline int icmp6_error(struct xdp_md *ctx, struct bng_scratch *s, __u32 cause)
{
	struct bng_port *port = bpf_map_lookup_elem(&ports, (const void *)&bng_port_index);

	if (!port)
		return drop(s, BNG_DROP_internal_lookup);
	if (!icmp6_error_is_allowed(ctx, s))
		return drop(s, cause);
	choose_source6(s, port);
	s->now_ns = bpf_ktime_get_boot_ns();
	if (is_unspecified6(&s->icmp.source6) ||
		guard_rate(s, BNG_PUNT_NONE, bng_icmp_line_pps, bng_icmp_line_pps, bng_icmp_port_pps,
			bng_icmp_port_pps))
		return drop(s, BNG_DROP_icmp_not_sent);

	__u64 quoted = s->ip_length;

	if (quoted > BNG_QUOTE_MAX)
		quoted = BNG_QUOTE_MAX;
	quoted = forget(s, (__u32)quoted);
	if (quoted < BNG_IPV6_BYTES || quoted > BNG_QUOTE_MAX ||
		bpf_xdp_load_bytes(ctx, s->l2_length, s->quote, (__u32)quoted))
		return drop(s, BNG_DROP_malformed_ipv6);
	*(__u32 *)(s->quote + quoted) = 0;
	__u32 quote_sum = (__u32)bpf_csum_diff(NULL, 0, (void *)s->quote, (__u32)((quoted + 3) & 1020), 0);

	if (resize_frame(ctx, s->l2_length + BNG_IPV6_BYTES + sizeof(struct bng_icmp6) + (__u32)quoted))
		return drop(s, BNG_DROP_internal_adjust);
	return write_icmp6_error(ctx, s, port, (__u32)quoted, quote_sum);
}

static __always_inline void error6_of_cause(struct bng_scratch *s, __u32 cause)
{
	s->icmp.sent = BNG_TX_icmpv6_unreachable;
	s->icmp.type = BNG_ICMPV6_UNREACHABLE;
	s->icmp.code = 0;
	if (cause != BNG_DROP_too_big)
		s->icmp.mtu = 0;
	switch (cause) {
	case BNG_DROP_ttl_expired:
		s->icmp.sent = BNG_TX_icmpv6_time_exceeded;
		s->icmp.type = BNG_ICMPV6_TIME_EXCEEDED;
		break;
	case BNG_DROP_too_big:
		s->icmp.sent = BNG_TX_icmpv6_too_big;
		s->icmp.type = BNG_ICMPV6_TOO_BIG;
		break;
	case BNG_DROP_no_route:
		s->icmp.code = BNG_UNREACHABLE6_NO_ROUTE;
		break;
	case BNG_DROP_no_subscriber:
	case BNG_DROP_session_lapsed:
	case BNG_DROP_route_unreachable:
		s->icmp.code = BNG_UNREACHABLE6_ADDRESS;
		break;
	default:
		s->icmp.sent = BNG_REASON_NONE;
	}
}

/* As refuse(), of an IPv6 packet. */
__noinline int refuse6(struct xdp_md *ctx, __u32 cause)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	if (s->session_is_known)
		blame_session(s, cause);
	error6_of_cause(s, cause);
	if (s->icmp.sent == BNG_REASON_NONE)
		return drop(s, cause);
	return icmp6_error(ctx, s, cause);
}

/* An echo request for one of our addresses, answered in place: what is swapped does not change the sum. */
static __always_inline int answer_echo6(struct xdp_md *ctx, struct bng_scratch *s)
{
	void *end = packet_end(ctx);
	void *data = packet_start(ctx);
	struct bng_ipv6 *ip = any_network_header(ctx, s->l2_length);
	struct bng_icmp6 *icmp = (void *)(ip + 1);

	if (s->protocol != BNG_IPPROTO_ICMPV6 || s->ip_header_length != BNG_IPV6_BYTES ||
		s->destination_is_group || (void *)(icmp + 1) > end || data + 14 > end ||
		s->ip_length < BNG_IPV6_BYTES + sizeof(*icmp) || icmp->type != BNG_ICMPV6_ECHO || icmp->code)
		return drop(s, BNG_DROP_own_address_unhandled);
	answer_ethernet(data, s->port_mac);
	ip->source = s->destination6;
	ip->destination = s->source6;
	ip->hop_limit = BNG_ANSWER_HOP_LIMIT;
	icmp->type = BNG_ICMPV6_ECHO_REPLY;
	icmp->check = checksum_update(
		icmp->check, bpf_htons(BNG_ICMPV6_ECHO << 8), bpf_htons(BNG_ICMPV6_ECHO_REPLY << 8));
	return sent(s, BNG_TX_icmpv6_echo_reply);
}

#endif
