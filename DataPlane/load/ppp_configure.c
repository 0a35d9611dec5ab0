// SPDX-License-Identifier: Apache-2.0
// The exchange of Configure packets (RFC 1661 5.1-5.4), the same for LCP, IPCP and IPv6CP.

#include "ppp.h"

#include <string.h>

enum { OPTIONS_MAX = 256, EXCHANGES_MAX = 20 };

static const uint16_t protocols[LOAD_CPS] = {PPP_LCP, PPP_IPCP, PPP_IPV6CP};

void load_configure_send(struct load_dialler *d, uint32_t index, int cp)
{
	struct load_session *s = &d->lines->session[index];
	uint8_t options[OPTIONS_MAX];
	uint32_t length = load_options_put(s, cp, options);

	load_ppp_send(d, index, protocols[cp], CP_REQUEST, s->cp[cp].id, options, length);
}

void load_configure_begin(struct load_dialler *d, uint32_t index, int cp)
{
	struct load_cp *c = &d->lines->session[index].cp[cp];

	*c = (struct load_cp){.id = (uint8_t)(c->id + 1)};
	load_configure_send(d, index, cp);
}

/* Options lie end to end, each with a length that holds its head (RFC 1661 6). */
static bool whole(const uint8_t *data, uint32_t length)
{
	uint32_t i = 0;

	while (i + 2 <= length && data[i + 1] >= 2 && i + data[i + 1] <= length)
		i += data[i + 1];
	return i == length && length <= OPTIONS_MAX;
}

/* The options that get this verdict, as they are to be sent back; returns their length. */
static uint32_t select_options(struct load_session *s, const struct load_options *o, int cp,
	enum load_verdict verdict, const uint8_t *data, uint32_t length, uint8_t *to)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < length; i += data[i + 1]) {
		uint8_t better[12];

		if (load_option_judge(s, o, cp, data + i, better) != verdict)
			continue;
		const uint8_t *from = verdict == LOAD_SUGGEST ? better : data + i;

		if (n + from[1] > OPTIONS_MAX)
			break;
		memcpy(to + n, from, from[1]);
		n += from[1];
	}
	return n;
}

/* A new request of a peer whose negotiation was over: it has begun again, and so must we. */
static void start_over(struct load_dialler *d, uint32_t index, int cp)
{
	struct load_session *s = &d->lines->session[index];

	d->r->renegotiations++;
	if (cp == LOAD_CP_LCP) {
		s->cp[LOAD_CP_IPCP] = s->cp[LOAD_CP_IPV6CP] = (struct load_cp){0};
		s->auth = 0;
		s->responded = false;
	}
	load_enter(d, index, cp == LOAD_CP_LCP ? LOAD_LINK : LOAD_NETWORK);
	load_configure_begin(d, index, cp);
	load_wait(d, index);
}

static void got_request(
	struct load_dialler *d, uint32_t index, int cp, uint8_t id, const uint8_t *data, uint32_t length)
{
	struct load_session *s = &d->lines->session[index];
	struct load_cp *c = &s->cp[cp];
	uint8_t back[OPTIONS_MAX], code = CP_REJECT;
	uint32_t n;

	/* The same id again is a repetition: our Ack was lost or late. */
	if (load_configure_open(c) && id != c->peer_id)
		start_over(d, index, cp);
	if (cp == LOAD_CP_LCP)
		s->auth = 0;
	n = select_options(s, d->o, cp, LOAD_REFUSE, data, length, back);
	if (!n) {
		code = CP_NAK;
		n = select_options(s, d->o, cp, LOAD_SUGGEST, data, length, back);
	}
	if (n) {
		load_ppp_send(d, index, protocols[cp], code, id, back, n);
		if (++c->exchanges > EXCHANGES_MAX)
			load_ended(d, index, true);
		return;
	}
	load_ppp_send(d, index, protocols[cp], CP_ACK, id, data, length);
	c->acking = true;
	c->peer_id = id;
	load_ppp_advance(d, index);
}

static void got_refusal(
	struct load_dialler *d, uint32_t index, int cp, uint8_t code, const uint8_t *data, uint32_t length)
{
	struct load_session *s = &d->lines->session[index];

	for (uint32_t i = 0; i < length; i += data[i + 1]) {
		if (code == CP_NAK)
			load_option_naked(d, s, cp, data + i);
		else
			load_option_rejected(s, cp, data + i);
	}
	if (++s->cp[cp].exchanges > EXCHANGES_MAX) {
		load_ended(d, index, true);
		return;
	}
	s->cp[cp].id++;
	s->tries = 1;
	load_configure_send(d, index, cp);
	load_wait(d, index);
}

void load_configure_received(struct load_dialler *d, uint32_t index, int cp, uint8_t code, uint8_t id,
	const uint8_t *data, uint32_t length)
{
	struct load_session *s = &d->lines->session[index];
	uint8_t ours[OPTIONS_MAX];

	if (!whole(data, length)) {
		d->r->unexpected++;
		return;
	}
	if (code == CP_REQUEST) {
		got_request(d, index, cp, id, data, length);
		return;
	}
	if (id != s->cp[cp].id || s->cp[cp].acked) {
		d->r->duplicates++;
		return;
	}
	if (code != CP_ACK) {
		got_refusal(d, index, cp, code, data, length);
	} else if (load_options_put(s, cp, ours) != length || memcmp(ours, data, length) != 0) {
		d->r->unexpected++; /* RFC 1661 5.2: an Ack repeats the options exactly */
	} else {
		s->cp[cp].acked = true;
		load_ppp_advance(d, index);
	}
}
