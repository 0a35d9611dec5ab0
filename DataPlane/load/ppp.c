// SPDX-License-Identifier: Apache-2.0
// The packets of a session: to whom each goes, what LCP answers by itself, and the order of the stages.

#include "ppp.h"

#include <string.h>

static void begin_network(struct load_dialler *d, uint32_t index)
{
	load_enter(d, index, LOAD_NETWORK);
	load_configure_begin(d, index, LOAD_CP_IPCP);
	if (d->o->ipv6cp)
		load_configure_begin(d, index, LOAD_CP_IPV6CP);
	load_wait(d, index);
}

static bool network_done(const struct load_dialler *d, const struct load_session *s)
{
	const struct load_cp *v6 = &s->cp[LOAD_CP_IPV6CP];

	return load_configure_open(&s->cp[LOAD_CP_IPCP]) &&
	       (!d->o->ipv6cp || v6->refused || load_configure_open(v6));
}

void load_ppp_advance(struct load_dialler *d, uint32_t index)
{
	struct load_session *s = &d->lines->session[index];

	switch (s->stage) {
	case LOAD_LINK:
		if (!load_configure_open(&s->cp[LOAD_CP_LCP]))
			return;
		if (!s->auth) {
			begin_network(d, index);
			return;
		}
		load_enter(d, index, LOAD_AUTHENTICATE);
		load_auth_begin(d, index);
		return;
	case LOAD_AUTHENTICATE:
		if (!s->auth)
			begin_network(d, index);
		return;
	case LOAD_NETWORK:
		if (network_done(d, s))
			load_opened(d, index);
		return;
	default:
		return;
	}
}

void load_ppp_again(struct load_dialler *d, uint32_t index)
{
	struct load_session *s = &d->lines->session[index];

	switch (s->stage) {
	case LOAD_LINK:
		if (!s->cp[LOAD_CP_LCP].acked)
			load_configure_send(d, index, LOAD_CP_LCP);
		break;
	case LOAD_AUTHENTICATE:
		if (s->auth == PPP_PAP)
			load_pap_send(d, index);
		else if (s->responded)
			load_chap_send(d, index); /* RFC 1994 4.2: the Success may have been lost */
		break;
	case LOAD_NETWORK:
		if (!s->cp[LOAD_CP_IPCP].acked)
			load_configure_send(d, index, LOAD_CP_IPCP);
		if (d->o->ipv6cp && !s->cp[LOAD_CP_IPV6CP].acked && !s->cp[LOAD_CP_IPV6CP].refused)
			load_configure_send(d, index, LOAD_CP_IPV6CP);
		break;
	default:
		load_ppp_send(d, index, PPP_LCP, LCP_TERMINATE_REQUEST, ++s->cp[LOAD_CP_LCP].id, NULL, 0);
	}
	load_wait(d, index);
}

static void got_echo_request(
	struct load_dialler *d, uint32_t index, uint8_t id, const uint8_t *data, uint32_t length)
{
	const struct load_session *s = &d->lines->session[index];
	uint8_t reply[LOAD_FRAME_MAX];

	if (!load_configure_open(&s->cp[LOAD_CP_LCP]) || length < 4 || length > 1400) {
		d->r->unexpected++;
		return;
	}
	memcpy(reply, &s->magic, 4);
	memcpy(reply + 4, data + 4, length - 4);
	load_ppp_send(d, index, PPP_LCP, LCP_ECHO_REPLY, id, reply, length);
	d->r->echo_requests++;
}

static void got_protocol_reject(struct load_dialler *d, uint32_t index, const uint8_t *data, uint32_t length)
{
	struct load_session *s = &d->lines->session[index];
	uint16_t protocol = length < 2 ? 0 : (uint16_t)(data[0] << 8 | data[1]);

	d->r->protocol_rejects++;
	if (protocol == PPP_IPV6CP) {
		s->cp[LOAD_CP_IPV6CP].refused = true;
		load_ppp_advance(d, index);
	} else if (protocol == PPP_IPCP || protocol == PPP_LCP) {
		load_ended(d, index, true);
	}
}

/* Code-Reject and Protocol-Reject carry a copy of what they refuse (RFC 1661 5.6, 5.7). */
static void reject(struct load_dialler *d, uint32_t index, uint8_t code, const uint8_t *copy, uint32_t length)
{
	struct load_cp *lcp = &d->lines->session[index].cp[LOAD_CP_LCP];

	if (code == LCP_PROTOCOL_REJECT && !load_configure_open(lcp))
		return;
	load_ppp_send(d, index, PPP_LCP, code, ++lcp->id, copy, length > 1400 ? 1400 : length);
}

static void got_lcp(struct load_dialler *d, uint32_t index, const uint8_t *packet, uint32_t length)
{
	struct load_session *s = &d->lines->session[index];
	const uint8_t *data = packet + 4;
	uint8_t code = packet[0], id = packet[1];

	switch (code) {
	case LCP_TERMINATE_REQUEST:
		d->r->terminates++;
		load_ppp_send(d, index, PPP_LCP, LCP_TERMINATE_ACK, id, NULL, 0);
		load_ended(d, index, true);
		return;
	case LCP_TERMINATE_ACK:
		if (s->stage == LOAD_CLOSING)
			load_ended(d, index, true);
		return;
	case LCP_ECHO_REQUEST:
		got_echo_request(d, index, id, data, length - 4);
		return;
	case LCP_ECHO_REPLY:
		d->r->echo_replies += length >= 8 && memcmp(data, &s->peer_magic, 4) == 0;
		return;
	case LCP_PROTOCOL_REJECT:
		got_protocol_reject(d, index, data, length - 4);
		return;
	case LCP_CODE_REJECT:
		d->r->unexpected++;
		return;
	case LCP_DISCARD_REQUEST:
		return;
	default:
		reject(d, index, LCP_CODE_REJECT, packet, length);
	}
}

/* The network layers know no codes but those of Configure and Terminate. */
static void got_network(struct load_dialler *d, uint32_t index, uint16_t protocol, uint8_t code, uint8_t id)
{
	if (code != LCP_TERMINATE_REQUEST) {
		d->r->unexpected++;
		return;
	}
	load_ppp_send(d, index, protocol, LCP_TERMINATE_ACK, id, NULL, 0);
	if (protocol == PPP_IPCP)
		load_ended(d, index, true);
}

static void got_control(
	struct load_dialler *d, uint32_t index, uint16_t protocol, const uint8_t *packet, uint32_t length)
{
	const struct load_session *s = &d->lines->session[index];
	int cp = protocol == PPP_LCP ? LOAD_CP_LCP : protocol == PPP_IPCP ? LOAD_CP_IPCP : LOAD_CP_IPV6CP;

	if (protocol == PPP_PAP || protocol == PPP_CHAP) {
		load_auth_received(d, index, protocol, packet[0], packet[1], packet + 4, length - 4);
	} else if (cp != LOAD_CP_LCP && s->stage != LOAD_NETWORK && s->stage != LOAD_OPEN) {
		d->r->late++;
	} else if (packet[0] >= CP_REQUEST && packet[0] <= CP_REJECT) {
		load_configure_received(d, index, cp, packet[0], packet[1], packet + 4, length - 4);
	} else if (cp == LOAD_CP_LCP) {
		got_lcp(d, index, packet, length);
	} else {
		got_network(d, index, protocol, packet[0], packet[1]);
	}
}

void load_ppp_received(struct load_dialler *d, uint32_t index, const struct load_pppoe *f)
{
	uint16_t protocol = f->length < 2 ? 0 : (uint16_t)(f->payload[0] << 8 | f->payload[1]);
	uint32_t length = f->length < 6 ? 0 : (uint32_t)f->payload[4] << 8 | f->payload[5];

	switch (protocol) {
	case PPP_IPV4:
	case PPP_IPV6:
		return;
	case PPP_IPV6CP:
		if (!d->o->ipv6cp)
			break;
		[[fallthrough]];
	case PPP_LCP:
	case PPP_PAP:
	case PPP_CHAP:
	case PPP_IPCP:
		if (length < 4 || length > f->length - 2)
			d->r->unexpected++;
		else
			got_control(d, index, protocol, f->payload + 2, length);
		return;
	default:
		break;
	}
	reject(d, index, LCP_PROTOCOL_REJECT, f->payload, f->length);
}
