/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * PPPoE's session stage (RFC 2516 7): IP goes the way of all data, the echoes of installed sessions end
 * here, and what PPP has to negotiate is the controller's.
 */
#ifndef BNG_PPP_H
#define BNG_PPP_H

#include "access6.h"

enum {
	BNG_PPP_CONTROL = 0x8000, /* from here on protocols negotiate, below they carry data: RFC 1661 2 */
	BNG_PPP_LCP = 0xc021,
	BNG_LCP_ECHO_REQUEST = 9,
	BNG_LCP_ECHO_REPLY = 10,
	BNG_LCP_DISCARD_REQUEST = 11,
};

struct bng_lcp {
	__u8 code;
	__u8 id;
	__be16 length;
	__be32 magic; /* of echoes */
};

static __always_inline struct bng_ppp_state *ppp_state_of(struct bng_session *session)
{
	return bpf_map_lookup_elem(&ppp_state, &session->slot);
}

/* RFC 1661 5.8: with our magic number and the data as they came. */
static __always_inline int answer_lcp_echo(
	struct xdp_md *ctx, struct bng_scratch *s, struct bng_session *session, struct bng_lcp *lcp)
{
	void *end = packet_end(ctx);
	void *data = packet_start(ctx);
	struct bng_ppp_state *state = ppp_state_of(session);

	if (data + 14 > end)
		return drop(s, BNG_DROP_malformed_pppoe);
	answer_ethernet(data, s->port_mac);
	lcp->code = BNG_LCP_ECHO_REPLY;
	lcp->magic = session->magic;
	if (state)
		state->echoes_answered += 1;
	return sent(s, BNG_TX_ppp_echo_reply);
}

static __always_inline int hear_echo(struct bng_scratch *s, struct bng_session *session)
{
	struct bng_ppp_state *state = ppp_state_of(session);

	if (state) {
		state->heard_ns = clock_now(s);
		state->echo_replies += 1;
	}
	return drop(s, BNG_DROP_ppp_echo_heard);
}

/* BNG_NEXT: it is the controller's. */
static __always_inline int serve_lcp(struct xdp_md *ctx, struct bng_scratch *s, struct bng_session *session)
{
	void *end = packet_end(ctx);
	struct bng_lcp *lcp = pppoe_network_header(ctx, s->l2_length);

	if (s->ppp_length < 4 || (void *)lcp + 4 > end)
		return drop(s, BNG_DROP_malformed_pppoe);
	__u32 length = bpf_ntohs(lcp->length);

	if (length < 4 || length > s->ppp_length)
		return drop(s, BNG_DROP_malformed_pppoe);
	if (lcp->code < BNG_LCP_ECHO_REQUEST || lcp->code > BNG_LCP_DISCARD_REQUEST)
		return BNG_NEXT;
	if (length < sizeof(*lcp) || (void *)(lcp + 1) > end)
		return drop(s, BNG_DROP_malformed_pppoe);
	if (lcp->code == BNG_LCP_DISCARD_REQUEST)
		return drop(s, BNG_DROP_ppp_discarded);
	/* Our own magic number: the link is looped back, and nobody has been heard. */
	if (session->magic && lcp->magic == session->magic)
		return BNG_NEXT;
	if (lcp->code == BNG_LCP_ECHO_REPLY)
		return hear_echo(s, session);
	return answer_lcp_echo(ctx, s, session, lcp);
}

/* Everything but IP. Global: see handle_arp. */
__noinline int handle_ppp_control(struct xdp_md *ctx, __u32 protocol)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	struct bng_session *session = bpf_map_lookup_elem(&sessions, &s->line);

	s->session_id = 0;
	s->generation = 0;
	if (!session) {
		if (protocol < BNG_PPP_CONTROL)
			return drop(s, BNG_DROP_no_session);
		return punt(ctx, BNG_PUNT_PPP, BNG_PUNT_REASON_ppp_unknown_session);
	}
	s->session_id = session->session_id;
	s->generation = session->generation;
	if (protocol == BNG_PPP_LCP) {
		int verdict = serve_lcp(ctx, s, session);

		if (verdict != BNG_NEXT)
			return verdict;
	}
	return punt(ctx, BNG_PUNT_PPP, BNG_PUNT_REASON_ppp_control);
}

static __always_inline int handle_ppp(struct xdp_md *ctx, struct bng_scratch *s)
{
	void *end = packet_end(ctx);
	void *pppoe = network_header(ctx, s->l2_length);

	if (pppoe + BNG_PPPOE_MTU_COST > end || s->destination_is_group)
		return drop(s, BNG_DROP_malformed_pppoe);
	__u64 head = bpf_be64_to_cpu(BNG_LOAD(__be64, pppoe));
	__u32 id = (__u32)(head >> 32) & 0xffff, length = (__u32)head >> 16;

	s->frame_length = (__u32)bpf_xdp_get_buff_len(ctx);
	/* RFC 2516 4: version 1, type 1, code 0; 0xffff is not an id. */
	if (head >> 48 != 0x1100 || !id || id == 0xffff || length < 2 ||
		s->l2_length + BNG_PPPOE_HEADER + length > s->frame_length)
		return drop(s, BNG_DROP_malformed_pppoe);
	s->line.pppoe_id = (__u16)id;
	s->ppp_length = length - 2;
	s->l2_length += BNG_PPPOE_MTU_COST;
	if ((head & 0xffff) == BNG_PPP_IPV6)
		return handle_ipv6(ctx, s->ppp_length);
	if ((head & 0xffff) != BNG_PPP_IPV4)
		return handle_ppp_control(ctx, head & 0xffff);

	int verdict = parse_ipv4(ctx, s, pppoe_network_header(ctx, s->l2_length));

	if (verdict != BNG_NEXT)
		return verdict;
	if (s->ip_length > s->ppp_length)
		return drop(s, BNG_DROP_malformed_ipv4);
	return handle_data(ctx);
}

#endif
