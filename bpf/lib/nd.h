/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Neighbour discovery on access ports: our own addresses and, because lines that share a prefix do not see
 * each other, those of other live sessions (RFC 4389) are answered for; a session's Router Advertisement is
 * sent to the line that solicits it, and to nobody else (RFC 6085). Nothing is learned, and no line is a
 * router to others.
 *
 * Supported standards: RFC 4861 6.1.1, 6.2.6, 7.1.1, 7.2.4; RFC 4862 5.4.3; RFC 6980 5; RFC 6105's aim, by
 * dropping.
 */
#ifndef BNG_ND_H
#define BNG_ND_H

#include "icmp6.h"
#include "nd_message.h"
#include "punt.h"
#include "session6.h"

/* In the word behind the checksum. */
#define BNG_ND_IS_ROUTER    0x80000000u
#define BNG_ND_IS_SOLICITED 0x40000000u
#define BNG_ND_OVERRIDES    0x20000000u

struct bng_neighbor_advertisement {
	__be32 type_code_check;
	__be32 flags;
	struct bng_ip6 target;
	__u8 option_type;
	__u8 option_words;
	__u8 mac[6];
};
_Static_assert(sizeof(struct bng_neighbor_advertisement) == 32, "bng_neighbor_advertisement");

/* RFC 4861 7.2.4, for s->solicitation.target. On PPPoE there is no link-layer address to tell. */
static __always_inline int write_neighbor_advertisement(
	struct xdp_md *ctx, struct bng_scratch *s, const struct bng_port *port)
{
	const struct bng_solicitation *n = &s->solicitation;
	__u32 payload = BNG_ND_NEIGHBOR_BYTES + (s->line.pppoe_id ? 0 : BNG_ND_OPTION_BYTES);

	if (resize_frame(ctx, s->l2_length + BNG_IPV6_BYTES + payload))
		return drop(s, BNG_DROP_internal_adjust);

	void *end = packet_end(ctx);
	void *data = packet_start(ctx);
	struct bng_ipv6 *ip = any_network_header(ctx, s->l2_length);
	struct bng_neighbor_advertisement *answer = (void *)(ip + 1);
	__u64 sum = sum_pseudo_header(&n->target, &n->answer_to, payload, BNG_IPPROTO_ICMPV6) +
		    bpf_htonl((__u32)BNG_ND_NEIGHBOR_ADVERTISEMENT << 24) + bpf_htonl(n->flags) +
		    sum_ip6(&n->target);

	if ((void *)answer + BNG_ND_NEIGHBOR_BYTES > end || data + 14 > end)
		return drop(s, BNG_DROP_internal_adjust);
	answer_ethernet(data, port->mac);
	write_answer_head(s, ip, payload, BNG_IPPROTO_ICMPV6, BNG_ND_HOP_LIMIT, &n->target, &n->answer_to);
	answer->flags = bpf_htonl(n->flags);
	answer->target = n->target;
	if (!s->line.pppoe_id) {
		if ((void *)(answer + 1) > end)
			return drop(s, BNG_DROP_internal_adjust);
		answer->option_type = BNG_ND_TARGET_LINK_LAYER;
		answer->option_words = 1;
		copy_mac(answer->mac, port->mac);
		sum += BNG_LOAD(__u32, &answer->option_type) + (__u64)BNG_LOAD(__u32, answer->mac + 2);
	}
	answer->type_code_check =
		bpf_htonl((__u32)BNG_ND_NEIGHBOR_ADVERTISEMENT << 24 | bpf_ntohs((__u16)~checksum_fold(sum)));
	return sent(s, BNG_TX_nd_neighbor_advertisement);
}

/* RFC 4389: a /128 of another session that lives. */
static __always_inline int is_neighbor_of(struct bng_scratch *s, const struct bng_session *session)
{
	struct bng_route6 *route = route6_of(s, session->vrf, &s->solicitation.target);

	if (!route || route->kind != BNG_ROUTE_SESSION || route->length != 128 ||
		same_line(&route->line, &s->line))
		return 0;
	s->toward_line = route->line;
	struct bng_session *other = bpf_map_lookup_elem(&sessions, &s->toward_line);
	struct bng_session6_state *state = other ? state6_of(other) : NULL;

	return state && (other->flags & BNG_SESSION_IPV6) && !session6_lapse(other, state, clock_now(s));
}

/* Is it the port's, or ours in that VRF? */
static __always_inline int is_our_target(struct bng_scratch *s, const struct bng_port *port, __u32 vrf)
{
	return same_ip6(&s->solicitation.target, &port->link_local) ||
	       is_own6(s, vrf, &s->solicitation.target);
}

/* Of a session with IPv6; as long as it lives, its solicitation keeps the lease. 0, or why there is no
 * answer. */
static __always_inline __u32 judge_solicitation(
	struct bng_scratch *s, const struct bng_port *port, struct bng_session *session)
{
	struct bng_session6_state *state = state6_of(session);

	if (!is_our_target(s, port, session->vrf)) {
		if (!is_neighbor_of(s, session))
			return BNG_DROP_nd_not_ours;
		s->solicitation.flags &= BNG_ND_IS_SOLICITED;
	}
	s->slot = session->slot;
	if (state && !session6_lapse(session, state, clock_now(s)))
		note_activity6(s);
	return 0;
}

/* Global: see handle_arp. */
__noinline int handle_neighbor_solicitation(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();
	struct bng_port *port = bpf_map_lookup_elem(&ports, (const void *)&bng_port_index);

	if (!s || !port)
		return XDP_ABORTED;
	struct bng_solicitation *n = &s->solicitation;
	struct bng_session *session = bpf_map_lookup_elem(&sessions, &s->line);
	__u32 refused;

	n->target = *(struct bng_ip6 *)(s->options + 8);
	/* RFC 4861 7.1.1 */
	if (is_group6(&n->target) || (is_unspecified6(&s->source6) && !is_solicited_node(&s->destination6)))
		return drop(s, BNG_DROP_malformed_nd);
	n->flags = BNG_ND_IS_ROUTER | BNG_ND_OVERRIDES;
	if (!is_unspecified6(&s->source6))
		n->flags |= BNG_ND_IS_SOLICITED;
	if (session && (session->flags & BNG_SESSION_IPV6))
		refused = judge_solicitation(s, port, session);
	else
		refused = is_our_target(s, port, s->port_vrf) ? 0 : BNG_DROP_nd_not_ours;
	if (refused)
		return drop(s, refused);
	set_answer_to(s);
	return write_neighbor_advertisement(ctx, s, port);
}

static __always_inline int write_router_advertisement(struct xdp_md *ctx, struct bng_scratch *s,
	const struct bng_port *port, const struct bng_advertisement *advertisement, __u64 length)
{
	const struct bng_solicitation *n = &s->solicitation;
	void *end = packet_end(ctx);
	void *data = packet_start(ctx);
	struct bng_ipv6 *ip = any_network_header(ctx, s->l2_length);
	struct bng_icmp6 *icmp = (void *)(ip + 1);
	__u64 sum = sum_pseudo_header(&port->link_local, &n->answer_to, (__u32)length, BNG_IPPROTO_ICMPV6);

	if ((void *)(icmp + 1) > end || data + 14 > end)
		return drop(s, BNG_DROP_internal_adjust);
	answer_ethernet(data, port->mac);
	write_answer_head(
		s, ip, (__u32)length, BNG_IPPROTO_ICMPV6, BNG_ND_HOP_LIMIT, &port->link_local, &n->answer_to);
	if (bpf_xdp_store_bytes(
		    ctx, s->l2_length + BNG_IPV6_BYTES, (void *)advertisement->bytes, (__u32)length))
		return drop(s, BNG_DROP_internal_adjust);
	s->check = (__u16)~checksum_fold(sum + advertisement->sum);
	(void)bpf_xdp_store_bytes(ctx, s->l2_length + BNG_IPV6_BYTES + 2, &s->check, 2);
	return sent(s, BNG_TX_nd_router_advertisement);
}

/* The session's, if it lives. NULL: the solicitation is the controller's. */
static __always_inline struct bng_advertisement *advertisement_of(
	struct bng_scratch *s, struct bng_session *session)
{
	struct bng_session6_state *state = state6_of(session);

	if (!(session->flags & BNG_SESSION_IPV6) || !state || session6_lapse(session, state, clock_now(s)))
		return NULL;
	s->slot = session->slot;
	struct bng_session6 *session6 = bpf_map_lookup_elem(&sessions6, &s->slot);

	if (!session6 || !(session6->flags & BNG_SESSION6_ADVERTISES))
		return NULL;
	return bpf_map_lookup_elem(&advertisements, &s->slot);
}

/* Global: see handle_arp. */
__noinline int handle_router_solicitation(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();
	struct bng_port *port = bpf_map_lookup_elem(&ports, (const void *)&bng_port_index);

	if (!s || !port)
		return XDP_ABORTED;
	struct bng_session *session = bpf_map_lookup_elem(&sessions, &s->line);

	struct bng_advertisement *advertisement = NULL;

	s->session_id = 0;
	s->generation = 0;
	if (session) {
		s->session_id = session->session_id;
		s->generation = session->generation;
		advertisement = advertisement_of(s, session);
	}
	if (!advertisement)
		return punt(ctx, BNG_PUNT_ND, BNG_PUNT_REASON_nd_router_solicitation);
	__u64 length = forget(s, advertisement->length);

	if (!BNG_IS_LENGTH(length, BNG_ADVERTISEMENT_MAX))
		return drop(s, BNG_DROP_internal_lookup);
	/* Where the frame has no room, the controller finds some. */
	if (resize_frame(ctx, s->l2_length + BNG_IPV6_BYTES + (__u32)length))
		return punt(ctx, BNG_PUNT_ND, BNG_PUNT_REASON_nd_router_solicitation);
	note_activity6(s);
	struct bng_session6_state *state = bpf_map_lookup_elem(&session6_state, &s->slot);

	if (state)
		state->advertisements += 1;
	set_answer_to(s);
	return write_router_advertisement(ctx, s, port, advertisement, length);
}

/* Of the types 133 to 137; the first byte of the message is in s->header. Global: see handle_arp. */
__noinline int handle_nd(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	__u32 type = s->header[0];

	if (type == BNG_ND_NEIGHBOR_ADVERTISEMENT)
		return drop(s, BNG_DROP_nd_advertisement);
	if (type != BNG_ND_ROUTER_SOLICITATION && type != BNG_ND_NEIGHBOR_SOLICITATION)
		return drop(s, BNG_DROP_nd_from_router);
	if (read_nd(ctx, s))
		return drop(s, BNG_DROP_malformed_nd);
	if (type == BNG_ND_NEIGHBOR_SOLICITATION)
		return handle_neighbor_solicitation(ctx);
	return handle_router_solicitation(ctx);
}

#endif
