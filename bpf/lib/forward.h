/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The last step: TTL or hop limit, the new Ethernet header and tags, the redirect. All checks have passed
 * before. */
#ifndef BNG_FORWARD_H
#define BNG_FORWARD_H

#include "ipv6.h"
#include "nat_rewrite.h"

static __always_inline __u16 ethertype_of(enum bng_families family)
{
	return family == BNG_FAMILY_IPV4 ? BNG_ETH_IPV4 : BNG_ETH_IPV6;
}

static __always_inline __u32 header_of(enum bng_families family)
{
	return family == BNG_FAMILY_IPV4 ? sizeof(struct bng_ipv4) : sizeof(struct bng_ipv6);
}

/* RFC 1812 5.2.1.2, RFC 8200 3. The caller has checked the header's length. */
static __always_inline void count_hop(void *ip, enum bng_families family)
{
	if (family == BNG_FAMILY_IPV4)
		decrement_ttl(ip);
	else
		((struct bng_ipv6 *)ip)->hop_limit -= 1;
}

static __always_inline int redirect_to(struct bng_scratch *s, __u32 port, __u32 reason)
{
	int verdict = (int)bpf_redirect_map(&tx_ports, port, XDP_DROP);

	if (verdict != XDP_REDIRECT)
		return drop(s, BNG_DROP_redirect_failed);
	count(s, reason);
	return XDP_REDIRECT;
}

/* NAT, before the header moves. 0: done, or nothing to do. */
static __always_inline int translate(struct xdp_md *ctx, struct bng_scratch *s, enum bng_families family)
{
	return family == BNG_FAMILY_IPV4 && s->nat.changes ? nat_rewrite(ctx) : 0;
}

/* The frame is as it is to leave by s->out_port, and leaves by the agent; s->line is the guard's line.
 * Global: see handle_arp. */
__noinline int leave_by_agent(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	s->session_id = s->nat.session_id;
	s->generation = 0;
	s->hand_over_port = s->out_port;
	s->hand_over_detail = 0;
	return punt(ctx, BNG_PUNT_NAT_ALG, BNG_PUNT_REASON_nat_alg);
}

/* Replaces an Ethernet header of s->l2_length bytes by an untagged one with s->next_mac, and counts the
 * hop. */
static __always_inline int forward_untagged(
	struct xdp_md *ctx, struct bng_scratch *s, __u32 reason, enum bng_families family)
{
	if (translate(ctx, s, family))
		return drop(s, BNG_DROP_nat_internal);
	if (s->l2_length != 14 && bpf_xdp_adjust_head(ctx, (int)s->l2_length - 14))
		return drop(s, BNG_DROP_internal_adjust);

	void *end = packet_end(ctx);
	struct bng_eth *eth = packet_start(ctx);
	void *ip = eth + 1;

	if (ip + header_of(family) > end)
		return drop(s, BNG_DROP_internal_adjust);
	BNG_STORE(__u64, eth, *(__u64 *)s->next_mac);
	BNG_STORE(__u32, eth->source + 2, *(__u32 *)(s->next_mac + 8));
	eth->type = bpf_htons(ethertype_of(family));
	count_hop(ip, family);
	if (family == BNG_FAMILY_IPV4 && (s->nat.changes & BNG_NAT_BY_AGENT))
		return leave_by_agent(ctx);
	return redirect_to(s, s->out_port, reason);
}

/* The types of the tags and what they hold; the last type, behind them, is the caller's. */
static __always_inline void write_tags(
	struct bng_eth *eth, const struct bng_session *session, const struct bng_line_key *line)
{
	struct bng_tag *tags = (void *)(eth + 1);

	eth->type = session->s_tpid;
	tags[0].tci = bpf_htons(line->s_vlan);
	if (session->c_tpid) {
		tags[0].type = session->c_tpid;
		tags[1].tci = bpf_htons(line->c_vlan);
	}
}

/* Likewise with the PPPoE header (RFC 2516 4) and PPP's protocol: no field compression, no HDLC framing. */
static __always_inline int encapsulate_pppoe(struct xdp_md *ctx, struct bng_scratch *s,
	const struct bng_session *session, const struct bng_line_key *line, const struct bng_port *port,
	enum bng_families family)
{
	__u32 l2_length = session->c_tpid ? 30 : session->s_tpid ? 26 : 22;
	int change = (int)s->l2_length - (int)l2_length;

	if (change && bpf_xdp_adjust_head(ctx, change))
		return -1;

	void *end = packet_end(ctx);
	void *ip = pppoe_network_header(ctx, l2_length);
	struct bng_eth *eth = packet_start(ctx);

	if (ip + header_of(family) > end)
		return -1;
	count_hop(ip, family);
	BNG_STORE(__be16, ip - 10, bpf_htons(BNG_ETH_PPPOE_SESSION));
	BNG_STORE(__be64, ip - 8,
		bpf_cpu_to_be64(0x1100ULL << 48 | (__u64)line->pppoe_id << 32 |
				(__u64)(s->ip_length + 2) << 16 |
				(family == BNG_FAMILY_IPV4 ? BNG_PPP_IPV4 : BNG_PPP_IPV6)));
	if (l2_length != 22)
		write_tags(eth, session, line);
	copy_mac(eth->destination, session->frame_mac);
	copy_mac(eth->source, port->mac);
	return 0;
}

/* Replaces the Ethernet header by the one of a line: tags, its MAC address, the port's MAC address; and
 * counts the hop. 0: done. */
static __always_inline int encapsulate(struct xdp_md *ctx, struct bng_scratch *s,
	const struct bng_session *session, const struct bng_line_key *line, const struct bng_port *port,
	enum bng_families family)
{
	if (translate(ctx, s, family))
		return -1;
	if (session->flags & BNG_SESSION_PPPOE)
		return encapsulate_pppoe(ctx, s, session, line, port, family);
	__u32 l2_length = session->c_tpid ? 22 : session->s_tpid ? 18 : 14;
	int change = (int)s->l2_length - (int)l2_length;

	if (change && bpf_xdp_adjust_head(ctx, change))
		return -1;

	void *end = packet_end(ctx);
	void *ip = network_header(ctx, l2_length);
	struct bng_eth *eth = packet_start(ctx);

	if (ip + header_of(family) > end)
		return -1;
	count_hop(ip, family);
	BNG_STORE(__be16, ip - 2, bpf_htons(ethertype_of(family)));
	if (l2_length != 14)
		write_tags(eth, session, line);
	copy_mac(eth->destination, session->frame_mac);
	copy_mac(eth->source, port->mac);
	return 0;
}

static __always_inline int forward_to_line(struct xdp_md *ctx, struct bng_scratch *s,
	const struct bng_session *session, const struct bng_line_key *line, const struct bng_port *port,
	__u32 reason, enum bng_families family)
{
	if (encapsulate(ctx, s, session, line, port, family))
		return drop(s, BNG_DROP_internal_adjust);
	if (family == BNG_FAMILY_IPV4 && (s->nat.changes & BNG_NAT_BY_AGENT)) {
		s->line = *line;
		return leave_by_agent(ctx);
	}
	return redirect_to(s, s->out_port, reason);
}

#endif
