/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Refusing a packet that we could not forward: the session's counters, and the ICMP error (RFC 792, RFC
 * 1812 4.3) in place of the packet, sent back where it came from, quoting up to 512 bytes. Also echo replies.
 */
#ifndef BNG_ICMP_H
#define BNG_ICMP_H

#include "guard.h"
#include "ipv4.h"

enum {
	BNG_ICMP_ECHO_REPLY = 0,
	BNG_ICMP_UNREACHABLE = 3,
	BNG_ICMP_ECHO = 8,
	BNG_ICMP_TIME_EXCEEDED = 11,
	BNG_UNREACHABLE_NET = 0,
	BNG_UNREACHABLE_HOST = 1,
	BNG_UNREACHABLE_FRAGMENTATION_NEEDED = 4,
	BNG_UNREACHABLE_PROHIBITED = 13,
};

struct bng_icmp {
	__u8 type;
	__u8 code;
	__be16 check;
	__be16 unused;
	__be16 mtu;
};

/* RFC 1812 4.3.2.7: never about ICMP errors, broadcasts, later fragments, or to what is not one host. */
static __always_inline int icmp_error_is_allowed(struct xdp_md *ctx, struct bng_scratch *s)
{
	if (s->destination_is_group || (s->fragment & BNG_IP_OFFSET) || is_martian(s->source) ||
		is_martian(s->destination))
		return 0;
	if (s->protocol != BNG_IPPROTO_ICMP)
		return 1;
	if (bpf_xdp_load_bytes(ctx, s->l2_length + s->ip_header_length, s->header, 1))
		return 0;
	__u8 type = s->header[0];

	return type == BNG_ICMP_ECHO_REPLY || type == BNG_ICMP_ECHO || (type >= 13 && type <= 18);
}

static __always_inline int write_icmp_error(
	struct xdp_md *ctx, struct bng_scratch *s, const struct bng_port *port, __u32 quoted, __u32 quote_sum)
{
	void *end = packet_end(ctx);
	void *data = packet_start(ctx);
	struct bng_ipv4 *ip = any_network_header(ctx, s->l2_length);
	struct bng_icmp *icmp = (void *)(ip + 1);
	__u64 sum = 0;

	if ((void *)(icmp + 1) > end || data + 14 > end)
		return drop(s, BNG_DROP_internal_adjust);
	answer_ethernet(data, port->mac);
	if (s->line.pppoe_id)
		BNG_STORE(__be16, (void *)ip - 4, bpf_htons((__u16)(30 + quoted)));
	ip->version_ihl = 0x45;
	ip->tos = 0xc0; /* RFC 1812 4.3.2.5 */
	ip->length = bpf_htons((__u16)(28 + quoted));
	ip->id = 0;
	ip->fragment = 0;
	ip->ttl = 64;
	ip->protocol = BNG_IPPROTO_ICMP;
	ip->check = 0;
	ip->source = s->icmp.source;
	ip->destination = s->source;
#pragma clang loop unroll(full)
	for (int i = 0; i < 5; i++)
		sum += BNG_LOAD(__u32, (void *)ip + 4 * i);
	ip->check = (__be16)~checksum_fold(sum);

	icmp->type = (__u8)s->icmp.type;
	icmp->code = (__u8)s->icmp.code;
	icmp->check = 0;
	icmp->unused = 0;
	icmp->mtu = bpf_htons((__u16)s->icmp.mtu);
	sum = (__u64)quote_sum + BNG_LOAD(__u32, icmp) + BNG_LOAD(__u32, (void *)icmp + 4);
	icmp->check = (__be16)~checksum_fold(sum);
	if (bpf_xdp_store_bytes(ctx, s->l2_length + 28, s->quote, (__u32)quoted))
		return drop(s, BNG_DROP_internal_adjust);
	return sent(s, s->icmp.sent);
}

static __always_inline int icmp_error(struct xdp_md *ctx, struct bng_scratch *s, __u32 cause)
{
	struct bng_port *port = bpf_map_lookup_elem(&ports, (const void *)&bng_port_index);

	if (!port)
		return drop(s, BNG_DROP_internal_lookup);
	if (!icmp_error_is_allowed(ctx, s))
		return drop(s, cause);

	struct bng_dhcp_template *template = bpf_map_lookup_elem(&dhcp_templates, &s->template_index);

	s->icmp.source = s->template_index && template && template->gateway ? template->gateway : port->ipv4;
	s->now_ns = bpf_ktime_get_boot_ns();
	if (!s->icmp.source || guard_rate(s, BNG_PUNT_NONE, bng_icmp_line_pps, bng_icmp_line_pps,
				       bng_icmp_port_pps, bng_icmp_port_pps))
		return drop(s, BNG_DROP_icmp_not_sent);

	__u64 quoted = s->ip_length;

	if (quoted > BNG_QUOTE_MAX)
		quoted = BNG_QUOTE_MAX;
	quoted = forget(s, (__u32)quoted);
	if (quoted < 20 || quoted > BNG_QUOTE_MAX)
		return drop(s, BNG_DROP_malformed_ipv4);
	if (bpf_xdp_load_bytes(ctx, s->l2_length, s->quote, (__u32)quoted))
		return drop(s, BNG_DROP_malformed_ipv4);
	*(__u32 *)(s->quote + quoted) = 0;
	__u32 quote_sum = (__u32)bpf_csum_diff(NULL, 0, (void *)s->quote, (__u32)((quoted + 3) & 1020), 0);

	int change = (int)(s->l2_length + 28 + (__u32)quoted) - (int)s->frame_length;

	if (change && bpf_xdp_adjust_tail(ctx, change))
		return drop(s, BNG_DROP_internal_adjust);
	return write_icmp_error(ctx, s, port, (__u32)quoted, quote_sum);
}

static __always_inline void error_of_cause(struct bng_scratch *s, __u32 cause)
{
	s->icmp.sent = BNG_TX_icmp_unreachable;
	s->icmp.type = BNG_ICMP_UNREACHABLE;
	switch (cause) {
	case BNG_DROP_ttl_expired:
		s->icmp.sent = BNG_TX_icmp_ttl_exceeded;
		s->icmp.type = BNG_ICMP_TIME_EXCEEDED;
		s->icmp.code = 0;
		s->icmp.mtu = 0;
		break;
	case BNG_DROP_too_big:
		/* RFC 1191: only a packet that may not be fragmented. */
		s->icmp.sent = s->fragment & BNG_IP_DF ? BNG_TX_icmp_too_big : BNG_REASON_NONE;
		s->icmp.code = BNG_UNREACHABLE_FRAGMENTATION_NEEDED;
		break;
	case BNG_DROP_no_route:
		s->icmp.code = BNG_UNREACHABLE_NET;
		s->icmp.mtu = 0;
		break;
	case BNG_DROP_nat_no_block: /* RFC 5508 REQ-8 */
	case BNG_DROP_nat_no_port:
	case BNG_DROP_nat_table_full:
	case BNG_DROP_nat_too_many_flows:
		s->icmp.code = BNG_UNREACHABLE_PROHIBITED;
		s->icmp.mtu = 0;
		break;
	case BNG_DROP_no_subscriber:
	case BNG_DROP_session_lapsed:
	case BNG_DROP_route_unreachable:
		s->icmp.code = BNG_UNREACHABLE_HOST;
		s->icmp.mtu = 0;
		break;
	default:
		s->icmp.sent = BNG_REASON_NONE;
	}
}

/*
 * Global, so that the verifier sees it once and callers keep few registers. Counts one reason: the ICMP error
 * sent, or why the packet ended without one.
 */
__noinline int refuse(struct xdp_md *ctx, __u32 cause)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	if (s->session_is_known)
		blame_session(s, cause);
	error_of_cause(s, cause);
	if (s->icmp.sent == BNG_REASON_NONE)
		return drop(s, cause);
	return icmp_error(ctx, s, cause);
}

/* The same without an error: what a hostile sender must not get an answer to. */
__noinline int refuse_silently(__u32 cause)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	if (s->session_is_known)
		blame_session(s, cause);
	return drop(s, cause);
}

/* An echo request for one of our addresses, answered in place. */
static __always_inline int answer_echo(struct xdp_md *ctx, struct bng_scratch *s)
{
	void *end = packet_end(ctx);
	void *data = packet_start(ctx);
	struct bng_ipv4 *ip = any_network_header(ctx, s->l2_length);
	struct bng_icmp *icmp = (void *)(ip + 1);

	if (s->protocol != BNG_IPPROTO_ICMP || s->ip_header_length != 20 ||
		(s->fragment & (BNG_IP_MF | BNG_IP_OFFSET)) || s->destination_is_group ||
		(void *)(icmp + 1) > end || data + 14 > end || s->ip_length < 28 ||
		icmp->type != BNG_ICMP_ECHO || icmp->code)
		return drop(s, BNG_DROP_own_address_unhandled);

	__u16 before = BNG_LOAD(__u16, &ip->ttl);

	answer_ethernet(data, s->port_mac);
	ip->source = s->destination;
	ip->destination = s->source;
	ip->ttl = 64;
	ip->check = checksum_update(ip->check, before, BNG_LOAD(__u16, &ip->ttl));
	icmp->type = BNG_ICMP_ECHO_REPLY;
	icmp->check = checksum_update(icmp->check, bpf_htons(BNG_ICMP_ECHO << 8), 0);
	return sent(s, BNG_TX_icmp_echo_reply);
}

#endif
