/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a known line's DHCPv4 message deserves (RFC 2131 4.3): an answer into s->answer, a punt, or a drop.
 * Nothing is written to the packet or to the lease here.
 */
#ifndef BNG_DHCP4_DECIDE_H
#define BNG_DHCP4_DECIDE_H

#include "clock.h"
#include "dhcp4_blob.h"
#include "dhcp4_request.h"

enum {
	BNG_DHCP_MESSAGE_MIN = 576,
	BNG_HEAD_LEASE = 27, /* 53, 54, 51, 58, 59 */
	BNG_HEAD_PLAIN = 9,  /* 53, 54 */
	BNG_BLOB_COPIED_MIN = 64,
};

/* The line is known by MAC and tags; its identity must be as the controller knows it. 0 or a reason. */
static __always_inline __u32 judge_identity(struct bng_scratch *s, const struct bng_session *session)
{
	const struct bng_dhcp_request *r = &s->request;

	if (r->seen & BNG_SEEN_CLIENT_ID) {
		if (!(session->flags & BNG_SESSION_HAS_CLIENT_ID) ||
			option_hash(r->client_id_at + 2, r->client_id_length) != session->client_id_hash)
			return BNG_PUNT_REASON_dhcp_client_id_changed;
	} else if (session->flags & BNG_SESSION_HAS_CLIENT_ID) {
		return BNG_PUNT_REASON_dhcp_client_id_changed;
	}
	if (r->seen & BNG_SEEN_RELAY) {
		if (!(session->flags & BNG_SESSION_HAS_OPTION82) ||
			option_hash(r->option82_at + 2, r->option82_length) != session->option82_hash)
			return BNG_PUNT_REASON_dhcp_option82_changed;
	} else if ((session->flags & BNG_SESSION_HAS_OPTION82) && !r->unicast) {
		/* RFC 3046 2.1: a unicast renewal passes the relay by. */
		return BNG_PUNT_REASON_dhcp_option82_changed;
	}
	return 0;
}

/* RFC 2131 4.3.2. Fills type and reply. 0 or a reason. */
static __always_inline __u32 decide_request(
	struct bng_scratch *s, const struct bng_session *session, __be32 server_id)
{
	const struct bng_dhcp_request *r = &s->request;
	struct bng_dhcp_answer *a = &s->answer;
	__be32 wanted = r->ciaddr ? r->ciaddr : r->requested;

	if ((r->seen & BNG_SEEN_SERVER) && r->server != server_id)
		return BNG_DROP_dhcp_other_server;
	if (!wanted)
		return BNG_DROP_malformed_dhcp;
	if (wanted != session->ipv4 || ((r->seen & BNG_SEEN_REQUESTED) && r->requested != wanted)) {
		a->type = BNG_DHCP_NAK;
		a->reply = BNG_TX_dhcp_nak;
		a->yiaddr = 0;
		return 0;
	}
	a->type = BNG_DHCP_ACK;
	a->reply = BNG_TX_dhcp_ack;
	return 0;
}

static __always_inline __u32 decide_type(
	struct bng_scratch *s, const struct bng_session *session, __be32 server_id)
{
	const struct bng_dhcp_request *r = &s->request;
	struct bng_dhcp_answer *a = &s->answer;

	a->yiaddr = session->ipv4;
	switch (r->type) {
	case BNG_DHCP_DISCOVER:
		a->type = BNG_DHCP_OFFER;
		a->reply = BNG_TX_dhcp_offer;
		return 0;
	case BNG_DHCP_REQUEST:
		return decide_request(s, session, server_id);
	case BNG_DHCP_INFORM:
		if (r->ciaddr != session->ipv4)
			return BNG_PUNT_REASON_dhcp_other_message;
		a->type = BNG_DHCP_ACK;
		a->reply = BNG_TX_dhcp_inform_ack;
		a->yiaddr = 0; /* RFC 2131 4.3.5 */
		return 0;
	case BNG_DHCP_DECLINE:
		return BNG_PUNT_REASON_dhcp_decline;
	case BNG_DHCP_RELEASE:
		return BNG_PUNT_REASON_dhcp_release;
	default:
		return BNG_PUNT_REASON_dhcp_other_message;
	}
}

/* RFC 2131 4.1, table in 4.3.1: where the answer is sent. */
static __always_inline void decide_destination(struct bng_scratch *s)
{
	const struct bng_dhcp_request *r = &s->request;
	struct bng_dhcp_answer *a = &s->answer;

	a->broadcast = 0;
	if (r->giaddr)
		a->destination = r->giaddr;
	else if (a->type == BNG_DHCP_NAK)
		a->destination = 0xffffffff;
	else if (r->ciaddr && a->type == BNG_DHCP_ACK)
		a->destination = r->ciaddr;
	else if (r->broadcast)
		a->destination = 0xffffffff;
	else
		a->destination = a->yiaddr;
	if (a->destination == 0xffffffff)
		a->broadcast = 1;
}

/* The lease ends with the session (Session-Timeout). 0 or a reason. */
static __always_inline __u32 decide_lease(
	struct bng_scratch *s, const struct bng_session *session, const struct bng_dhcp_template *template)
{
	struct bng_dhcp_answer *a = &s->answer;

	a->lease_s = template->lease_s;
	a->renewal_s = template->renewal_s;
	a->rebinding_s = template->rebinding_s;
	if (session->ends_ns) {
		__u64 left_s = (session->ends_ns - s->now_ns) / 1000000000ULL;

		if (left_s < a->lease_s) {
			if (!left_s)
				return BNG_PUNT_REASON_dhcp_lapsed;
			a->lease_s = (__u32)left_s;
			a->renewal_s = a->lease_s / 2;
			a->rebinding_s = a->lease_s - a->lease_s / 8;
		}
	}
	a->lease_ns = a->lease_s * 1000000000ULL;
	return 0;
}

/* 61 (RFC 6842), 82 (RFC 3046 2.2) and the end follow the block of asked options, which is copied in steps of
 * 32 bytes. 0 or a reason. */
static __always_inline __u32 decide_length(struct bng_scratch *s)
{
	const struct bng_dhcp_request *r = &s->request;
	struct bng_dhcp_answer *a = &s->answer;
	__u32 limit = r->max_message > BNG_DHCP_MESSAGE_MIN ? r->max_message : BNG_DHCP_MESSAGE_MIN;
	__u32 copied = (a->blob_length + 32) & ~31u;
	__u32 exact = a->blob_length + 1;

	a->head_length = a->reply == BNG_TX_dhcp_offer || a->reply == BNG_TX_dhcp_ack ? BNG_HEAD_LEASE
										      : BNG_HEAD_PLAIN;
	if (r->seen & BNG_SEEN_CLIENT_ID)
		exact += 2 + r->client_id_length;
	if (28 + BNG_BOOTP_BYTES + a->head_length + exact > limit)
		return BNG_PUNT_REASON_dhcp_options_unusual;
	/* Who inserted option 82 takes it out again: it does not count against the client's limit. */
	if (r->seen & BNG_SEEN_RELAY)
		exact += 2 + r->option82_length;
	if (copied < BNG_BLOB_COPIED_MIN)
		copied = BNG_BLOB_COPIED_MIN;
	a->ip_length = 28 + BNG_BOOTP_BYTES + a->head_length + (copied > exact ? copied : exact);
	return 0;
}

static __always_inline __u32 decide(struct bng_scratch *s, struct bng_session *session)
{
	struct bng_dhcp_answer *a = &s->answer;

	s->session_id = session->session_id;
	s->generation = session->generation;
	s->slot = session->slot;
	if (!same_mac(session->frame_mac, s->frame_source))
		return BNG_PUNT_REASON_dhcp_relay_moved;
	if (!(session->flags & BNG_SESSION_FAST_DHCP) || !session->ipv4)
		return BNG_PUNT_REASON_dhcp_slow_line;
	__u32 refused = judge_identity(s, session);

	if (refused)
		return refused;

	a->template_index = session->template_index;
	struct bng_dhcp_template *template = bpf_map_lookup_elem(&dhcp_templates, &a->template_index);

	if (!template || !template->server_id)
		return BNG_DROP_no_template;
	a->server_id = template->server_id;
	refused = decide_type(s, session, template->server_id);
	if (refused)
		return refused;

	struct bng_session_state *state = state_of(session);

	s->now_ns = clock_now(s);
	if (!state)
		return BNG_DROP_internal_lookup;
	refused = session_lapse(session, state, s->now_ns);
	if (refused == BNG_DROP_session_lapsed)
		return BNG_PUNT_REASON_dhcp_lapsed;
	if (refused)
		return refused;
	refused = decide_lease(s, session, template);
	if (refused)
		return refused;
	a->blob_length = 0;
	if (a->type != BNG_DHCP_NAK) {
		refused = choose_blob(s, template);
		if (refused)
			return refused;
	}
	decide_destination(s);
	return decide_length(s);
}

#endif
