// SPDX-License-Identifier: Apache-2.0
// Discovery (RFC 2516 5): PADI and PADR with what they carry, and what comes back.

#include "ppp.h"

#include <arpa/inet.h>
#include <string.h>

enum {
	TAG_SERVICE_NAME = 0x0101,
	TAG_HOST_UNIQ = 0x0103,
	TAG_AC_COOKIE = 0x0104,
	TAG_VENDOR = 0x0105,
	TAG_RELAY_SESSION_ID = 0x0110,
	TAG_MAX_PAYLOAD = 0x0120,
	TAG_SERVICE_NAME_ERROR = 0x0201,
	TAG_AC_SYSTEM_ERROR = 0x0202,
	TAG_GENERIC_ERROR = 0x0203
};

/* Whose answer it is and to which attempt: both come back in Host-Uniq. */
struct host_uniq {
	uint32_t index, attempt; /* network order */
};

/* TR-101: what an access node adds, sub-option 1 of the Broadband Forum's tag. */
static uint8_t *put_circuit_id(uint8_t *p, const struct load_options *o, uint32_t index)
{
	uint8_t value[80] = {0, 0, 0x0d, 0xe9, 1};
	uint32_t length = load_expand((char *)value + 6, 64, o->circuit_id, index);

	value[5] = (uint8_t)length;
	return load_pppoe_put_tag(p, TAG_VENDOR, (uint16_t)(6 + length), value);
}

static void send_request(struct load_dialler *d, uint32_t index, uint8_t code)
{
	const struct load_session *s = &d->lines->session[index];
	const struct load_options *o = d->o;
	struct host_uniq uniq = {htonl(index), htonl(s->attempt)};
	uint8_t payload[512], *p = payload;
	uint16_t mru = htons(o->mru);

	p = load_pppoe_put_tag(p, TAG_SERVICE_NAME, (uint16_t)strlen(o->service), o->service);
	p = load_pppoe_put_tag(p, TAG_HOST_UNIQ, sizeof(uniq), &uniq);
	if (o->mru > 1492) /* RFC 4638 */
		p = load_pppoe_put_tag(p, TAG_MAX_PAYLOAD, 2, &mru);
	if (o->circuit_id)
		p = put_circuit_id(p, o, index);
	if (code == PPPOE_PADR) {
		memcpy(p, s->echoed, s->echoed_length);
		p += s->echoed_length;
	}
	load_pppoe_send(d, index, code, payload, (uint32_t)(p - payload));
	load_wait(d, index);
}

void load_send_padi(struct load_dialler *d, uint32_t index)
{
	d->lines->session[index].attempt++;
	send_request(d, index, PPPOE_PADI);
}

void load_send_padr(struct load_dialler *d, uint32_t index)
{
	send_request(d, index, PPPOE_PADR);
}

static bool has_error(const struct load_pppoe *f)
{
	uint16_t length;
	bool whole;

	return load_pppoe_tag(f, TAG_SERVICE_NAME_ERROR, &length, &whole) ||
	       load_pppoe_tag(f, TAG_AC_SYSTEM_ERROR, &length, &whole) ||
	       load_pppoe_tag(f, TAG_GENERIC_ERROR, &length, &whole);
}

/* Copies a tag of the PADO that the PADR must carry. */
static bool keep(struct load_session *s, const struct load_pppoe *f, uint16_t type)
{
	uint16_t length = 0;
	bool whole;
	const uint8_t *value = load_pppoe_tag(f, type, &length, &whole);

	if (!value)
		return whole;
	if (s->echoed_length + 4u + length > LOAD_ECHOED_MAX)
		return false;
	load_pppoe_put_tag(s->echoed + s->echoed_length, type, length, value);
	s->echoed_length = (uint8_t)(s->echoed_length + 4 + length);
	return true;
}

static void got_pado(struct load_dialler *d, uint32_t index, const struct load_pppoe *f)
{
	struct load_session *s = &d->lines->session[index];

	if (s->stage != LOAD_PADI) {
		d->r->duplicates++;
		return;
	}
	s->echoed_length = 0;
	if (f->id != 0 || has_error(f) || !keep(s, f, TAG_AC_COOKIE) || !keep(s, f, TAG_RELAY_SESSION_ID)) {
		d->r->unexpected++;
		return;
	}
	memcpy(s->ac_mac, f->source, 6);
	load_enter(d, index, LOAD_PADR);
	load_send_padr(d, index);
}

static void got_pads(struct load_dialler *d, uint32_t index, const struct load_pppoe *f)
{
	struct load_session *s = &d->lines->session[index];
	uint16_t length = 0;
	bool whole;
	const uint8_t *granted = load_pppoe_tag(f, TAG_MAX_PAYLOAD, &length, &whole);
	uint16_t most = granted && length == 2 ? (uint16_t)(granted[0] << 8 | granted[1]) : 1492;

	if (s->stage != LOAD_PADR) {
		d->r->duplicates += s->id == f->id;
		d->r->unexpected += s->id != f->id;
		return;
	}
	if (f->id == 0 || has_error(f)) {
		d->r->refused++;
		load_ended(d, index, false);
		return;
	}
	s->id = f->id;
	s->mru = d->o->mru > most ? most : d->o->mru;
	load_histogram_add(&d->r->discovery, load_now_ns() - s->began_ns);
	load_enter(d, index, LOAD_LINK);
	load_configure_begin(d, index, LOAD_CP_LCP);
	load_wait(d, index);
}

void load_discovery_received(struct load_dialler *d, uint32_t index, const struct load_pppoe *f)
{
	struct host_uniq uniq;
	uint16_t length = 0;
	bool whole;
	const uint8_t *value = load_pppoe_tag(f, TAG_HOST_UNIQ, &length, &whole);

	if (f->code == PPPOE_PADT) {
		d->r->padts++;
		load_ended(d, index, false);
		return;
	}
	if (!value || length != sizeof(uniq) || (f->code != PPPOE_PADO && f->code != PPPOE_PADS)) {
		d->r->unexpected++;
		return;
	}
	memcpy(&uniq, value, sizeof(uniq));
	uniq.index = ntohl(uniq.index);
	if (uniq.index >= d->lines->count || uniq.index / d->o->per_mac != index / d->o->per_mac ||
		ntohl(uniq.attempt) != d->lines->session[uniq.index].attempt) {
		d->r->late++;
		return;
	}
	index = uniq.index;
	if (f->code == PPPOE_PADO)
		got_pado(d, index, f);
	else
		got_pads(d, index, f);
}
