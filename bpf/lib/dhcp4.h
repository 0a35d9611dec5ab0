/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * DHCPv4 for known lines, answered where the packet arrives; the rest goes to the controller, unmodified.
 *
 * A session holds one address for one line. Its lease lives in session_state, where only a REQUEST that is
 * ACKed here extends it: expires_ns and renewals, which the agent reports upstream. An OFFER promises nothing
 * new. Identity is (port, tags, chaddr, giaddr) plus client identifier and option 82, if the controller knows
 * any: a line that comes with another identity is the controller's. A relayed client's unicast renewal
 * carries neither giaddr nor its MAC address in the frame: it is found by ciaddr.
 *
 * Deviations: the UDP checksum of requests is not verified (the link's checksum was), that of replies is 0;
 * long options in parts (RFC 3396) and lists over 64 codes are left to the controller.
 *
 * Supported standards: RFC 2131 4.1, 4.3; RFC 2132; RFC 3046 2.1, 2.2; RFC 6842.
 */
#ifndef BNG_DHCP4_H
#define BNG_DHCP4_H

#include "dhcp4_reply.h"
#include "icmp.h"
#include "punt.h"

/* RFC 2131 4.4.5: a relayed client renews by unicast, straight to us. */
static __always_inline struct bng_session *renewing_session(struct bng_scratch *s)
{
	const struct bng_dhcp_request *r = &s->request;

	if (r->giaddr || !r->ciaddr || r->ciaddr != s->source)
		return NULL;
	s->address.vrf = s->port_vrf;
	s->address.ipv4 = r->ciaddr;
	struct bng_line_key *line = bpf_map_lookup_elem(&session_addresses, &s->address);

	if (!line || line->port != s->line.port || line->s_vlan != s->line.s_vlan ||
		line->c_vlan != s->line.c_vlan || !same_mac(line->mac, s->line.mac))
		return NULL;
	struct bng_session *session = bpf_map_lookup_elem(&sessions, line);

	if (!session || !(session->flags & BNG_SESSION_RELAYED) ||
		!same_mac(session->frame_mac, s->frame_source))
		return NULL;
	return session;
}

static __always_inline __u32 unknown_line(struct bng_scratch *s)
{
	const struct bng_dhcp_request *r = &s->request;

	/* RFC 2131 4.3.2: what names another server is that server's. */
	if (r->type == BNG_DHCP_REQUEST && (r->seen & BNG_SEEN_SERVER) &&
		!own_address_flags(s, s->port_vrf, r->server))
		return BNG_DROP_dhcp_other_server;
	return BNG_PUNT_REASON_dhcp_unknown_line;
}

/* 0: the request is sound and not forged; or a reason. */
__noinline int read_dhcp(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return BNG_DROP_internal_lookup;
	*(__u64 *)s->frame_source = *(__u64 *)s->line.mac; /* and the PPPoE id, 0 */
	s->session_id = 0;
	s->generation = 0;
	__u32 reason = read_bootp(ctx, s);

	if (!reason)
		reason = read_options(ctx, s);
	if (reason && reason < BNG_PUNT_REASON_dhcp_unknown_line)
		return (int)reason;
	/* Not even a controller should look at what is forged. */
	__u32 forged = judge_relay(s);

	return forged ? (int)forged : (int)reason;
}

/* 0: s->answer holds the answer; or a reason. Nothing is written but to the scratch. */
__noinline int decide_dhcp(__u32 unused)
{
	struct bng_scratch *s = scratch_of_this_cpu();
	struct bng_session *session;

	(void)unused;
	if (!s)
		return BNG_DROP_internal_lookup;
	if (s->request.giaddr || same_mac(s->frame_source, s->line.mac)) {
		session = bpf_map_lookup_elem(&sessions, &s->line);
		if (!session)
			return unknown_line(s);
	} else {
		session = renewing_session(s);
		if (!session)
			return BNG_DROP_malformed_dhcp;
	}
	s->session_is_known = 1;
	return (int)decide(s, session);
}

static __always_inline void grant(struct bng_scratch *s)
{
	struct bng_session_state *state = bpf_map_lookup_elem(&session_state, &s->slot);

	if (!state)
		return;
	state->dhcp_replies += 1;
	if (s->answer.reply != BNG_TX_dhcp_ack)
		return;
	state->expires_ns = s->now_ns + s->answer.lease_ns;
	state->renewed_ns = s->now_ns;
	state->renewals += 1;
}

/* The stages are global functions: the verifier sees each once, and each has its own registers. */
static __always_inline int handle_dhcp4(struct xdp_md *ctx, struct bng_scratch *s)
{
	__u32 reason = (__u32)read_dhcp(ctx);

	if (!reason)
		reason = (__u32)decide_dhcp(0);
	if (reason >= BNG_PUNT_REASON_dhcp_unknown_line)
		return punt(ctx, BNG_PUNT_DHCPV4, reason);
	if (reason)
		return refuse_silently(reason);
	int verdict = write_reply(ctx);

	if (verdict != XDP_TX)
		return verdict;
	grant(s);
	return sent(s, s->answer.reply);
}

#endif
