/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A known client's Renew (RFC 8415 18.2.4), answered as 18.3.4 says with what the controller has prepared,
 * and the IPv6 lease extended. Whatever differs from what the controller knows of the session is the
 * controller's.
 */
#ifndef BNG_DHCP6_RENEW_H
#define BNG_DHCP6_RENEW_H

#include "answer6.h"
#include "dhcp6_options.h"
#include "punt.h"
#include "session6.h"

enum {
	BNG_DHCPV6_CLIENT_PORT = 546,
	BNG_DHCPV6_SERVER_PORT = 547,
	BNG_DHCPV6_HEAD = 4, /* type and transaction id */
	BNG_DHCPV6_REPLY = 7,
};

/* The UDP datagram into s->options, and its options read. 0, or a reason. */
static __always_inline __u32 read_renew(struct xdp_md *ctx, struct bng_scratch *s, __u32 udp_length)
{
	__u64 length = forget(s, udp_length);

	if (!BNG_IS_LENGTH(length, BNG_DHCP6_MAX))
		return BNG_PUNT_REASON_dhcpv6_options_unusual;
	if (bpf_xdp_load_bytes(ctx, s->l2_length + BNG_IPV6_BYTES, s->options, (__u32)length))
		return BNG_DROP_malformed_dhcpv6;
	*(__u32 *)(s->options + length) = 0;
	__u64 sum = (__u32)bpf_csum_diff(NULL, 0, (void *)s->options, (__u32)((length + 3) & 1020), 0);

	sum += sum_pseudo_header(&s->source6, &s->destination6, udp_length, BNG_IPPROTO_UDP);
	/* RFC 8200 8.1: there must be a checksum. */
	if (checksum_fold(sum) != 0xffff || !BNG_LOAD(__u16, s->options + 6))
		return BNG_DROP_malformed_dhcpv6;
	return read_options6(s, sizeof(struct bng_udp) + BNG_DHCPV6_HEAD, udp_length);
}

/* Does the message come from the client and go to the server that the session knows, about just what it has?
 */
static __always_inline __u32 judge_renew(struct bng_scratch *s, const struct bng_dhcp6_reply *reply)
{
	const struct bng_dhcp6_walk *walk = &s->dhcp6;

	if (!walk->client_id.at || !walk->server_id.at ||
		option_hash(walk->client_id.at, walk->client_id.length) != reply->client_id_hash ||
		option_hash(walk->server_id.at, walk->server_id.length) != reply->server_id_hash)
		return BNG_PUNT_REASON_dhcpv6_identity_changed;
	if (walk->associations != reply->association_count)
		return BNG_PUNT_REASON_dhcpv6_associations_changed;
	return 0;
}

/* May the session of s->slot be answered here at all? 0, or a reason. */
static __always_inline __u32 judge_session6(
	struct bng_scratch *s, struct bng_session *session, const struct bng_session6 *session6)
{
	struct bng_session6_state *state = state6_of(session);

	if (!(session->flags & BNG_SESSION_IPV6) || !session6 || !(session6->flags & BNG_SESSION6_DHCP))
		return BNG_PUNT_REASON_dhcpv6_slow_line;
	if (s->ip_header_length != BNG_IPV6_BYTES || !is_link_local6(&s->source6))
		return BNG_PUNT_REASON_dhcpv6_options_unusual;
	__u32 lapse = state ? session6_lapse(session, state, clock_now(s)) : BNG_DROP_internal_lookup;

	if (lapse)
		return lapse == BNG_DROP_session_lapsed ? BNG_PUNT_REASON_dhcpv6_lapsed : lapse;
	/* The lease would outlive the session. */
	if (session->ends_ns && session->ends_ns - clock_again(s) < session6->valid_ns)
		return BNG_PUNT_REASON_dhcpv6_options_unusual;
	return 0;
}

/* 0: s->slot's reply is the answer; or a reason. Nothing is written but to the scratch. Global: see
 * handle_arp. */
__noinline int decide_renew(struct xdp_md *ctx, __u32 udp_length)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return BNG_DROP_internal_lookup;
	struct bng_session *session = bpf_map_lookup_elem(&sessions, &s->line);

	if (!session)
		return BNG_DROP_internal_lookup;
	s->slot = session->slot;
	__u32 refused = judge_session6(s, session, bpf_map_lookup_elem(&sessions6, &s->slot));

	if (!refused)
		refused = read_renew(ctx, s, udp_length);
	if (refused)
		return (int)refused;
	struct bng_dhcp6_reply *reply = bpf_map_lookup_elem(&dhcp6_replies, &s->slot);

	return reply ? (int)judge_renew(s, reply) : BNG_DROP_internal_lookup;
}

/* Those of PPPoE run with their session. */
static __always_inline void extend_lease6(struct bng_scratch *s, const struct bng_session *session)
{
	struct bng_session6 *session6 = bpf_map_lookup_elem(&sessions6, &s->slot);
	struct bng_session6_state *state = bpf_map_lookup_elem(&session6_state, &s->slot);

	if (!session6 || !state)
		return;
	state->dhcp_replies += 1;
	if (session->flags & BNG_SESSION_PPPOE)
		return;
	__u64 expires_ns = clock_again(s) + session6->valid_ns;

	if (state->expires_ns < expires_ns)
		state->expires_ns = expires_ns;
	state->renewals += 1;
}

/* `transaction`: type and id of the request. The frame has its length already. 0: written. */
static __always_inline int write_reply6(struct xdp_md *ctx, struct bng_scratch *s,
	const struct bng_port *port, const struct bng_dhcp6_reply *reply, __u64 length, __be32 transaction)
{
	__u32 udp_length = sizeof(struct bng_udp) + BNG_DHCPV6_HEAD + (__u32)length;
	__be32 head = (transaction & bpf_htonl(0xffffff)) | bpf_htonl((__u32)BNG_DHCPV6_REPLY << 24);
	__be32 ports_of_reply = bpf_htonl(BNG_DHCPV6_SERVER_PORT << 16 | BNG_DHCPV6_CLIENT_PORT);
	__u64 sum = sum_pseudo_header(&port->link_local, &s->source6, udp_length, BNG_IPPROTO_UDP) +
		    ports_of_reply + bpf_htonl(udp_length << 16) + head + reply->sum;
	__u16 check = (__u16)~checksum_fold(sum);
	void *end = packet_end(ctx);
	void *data = packet_start(ctx);
	struct bng_ipv6 *ip = any_network_header(ctx, s->l2_length);
	void *udp = ip + 1;

	if (udp + sizeof(struct bng_udp) + BNG_DHCPV6_HEAD > end || data + 14 > end)
		return -1;
	answer_ethernet(data, port->mac);
	write_answer_head(
		s, ip, udp_length, BNG_IPPROTO_UDP, BNG_ANSWER_HOP_LIMIT, &port->link_local, &s->source6);
	BNG_STORE(__be32, udp, ports_of_reply);
	BNG_STORE(__be16, udp + 4, bpf_htons((__u16)udp_length));
	BNG_STORE(__u16, udp + 6, check ? check : 0xffff);
	BNG_STORE(__be32, udp + 8, head);
	return (int)bpf_xdp_store_bytes(ctx,
		s->l2_length + BNG_IPV6_BYTES + sizeof(struct bng_udp) + BNG_DHCPV6_HEAD,
		(void *)reply->reply, (__u32)length);
}

/* The reply of s->slot, to the Renew in s->options. Global: see handle_arp. */
__noinline int answer_renew(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();
	struct bng_port *port = bpf_map_lookup_elem(&ports, (const void *)&bng_port_index);

	if (!s || !port)
		return XDP_ABORTED;
	struct bng_session *session = bpf_map_lookup_elem(&sessions, &s->line);
	struct bng_dhcp6_reply *reply = bpf_map_lookup_elem(&dhcp6_replies, &s->slot);

	if (!session || !reply)
		return drop(s, BNG_DROP_internal_lookup);
	__u64 length = forget(s, reply->reply_length);
	__be32 transaction = BNG_LOAD(__be32, s->options + sizeof(struct bng_udp));

	if (!BNG_IS_LENGTH(length, BNG_DHCP6_REPLY_MAX))
		return drop(s, BNG_DROP_internal_lookup);
	/* Where the frame has no room, the controller finds some. */
	if (resize_frame(ctx,
		    s->l2_length + BNG_IPV6_BYTES + sizeof(struct bng_udp) + BNG_DHCPV6_HEAD + (__u32)length))
		return punt(ctx, BNG_PUNT_DHCPV6, BNG_PUNT_REASON_dhcpv6_options_unusual);
	if (write_reply6(ctx, s, port, reply, length, transaction))
		return drop(s, BNG_DROP_internal_adjust);
	extend_lease6(s, session);
	return sent(s, BNG_TX_dhcpv6_reply);
}

#endif
