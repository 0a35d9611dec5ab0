// SPDX-License-Identifier: Apache-2.0
// PPPoE frames and tags (RFC 2516 4) as a client builds and reads them.

#include "ppp.h"

#include <string.h>

bool load_pppoe_parse(const struct load_packet *p, struct load_pppoe *ret)
{
	const uint8_t *at = p->frame + 12, *end = p->frame + p->length;
	uint32_t length;

	while (at + 4 <= end && ((at[0] == 0x81 && at[1] == 0) || (at[0] == 0x88 && at[1] == 0xa8)))
		at += 4;
	if (at + 8 > end || at[0] != 0x88 || (at[1] != 0x63 && at[1] != 0x64) || at[2] != 0x11)
		return false;
	length = (uint32_t)at[6] << 8 | at[7];
	if (at + 8 + length > end)
		return false;
	*ret = (struct load_pppoe){.source = p->frame + 6,
		.payload = at + 8,
		.length = length,
		.id = (uint16_t)(at[4] << 8 | at[5]),
		.code = at[3],
		.discovery = at[1] == 0x63};
	return true;
}

const uint8_t *load_pppoe_tag(
	const struct load_pppoe *f, uint16_t type, uint16_t *ret_length, bool *ret_whole)
{
	uint32_t i = 0;

	*ret_whole = true;
	while (i + 4 <= f->length) {
		const uint8_t *tag = f->payload + i;
		uint16_t length = (uint16_t)(tag[2] << 8 | tag[3]);

		if (tag[0] == 0 && tag[1] == 0)
			return NULL;
		if (i + 4 + length > f->length)
			break;
		if ((tag[0] << 8 | tag[1]) == type) {
			*ret_length = length;
			return tag + 4;
		}
		i += 4u + length;
	}
	*ret_whole = i == f->length;
	return NULL;
}

uint8_t *load_pppoe_put_tag(uint8_t *p, uint16_t type, uint16_t length, const void *value)
{
	*p++ = (uint8_t)(type >> 8);
	*p++ = (uint8_t)type;
	*p++ = (uint8_t)(length >> 8);
	*p++ = (uint8_t)length;
	if (length)
		memcpy(p, value, length);
	return p + length;
}

uint32_t load_expand(char *to, size_t size, const char *template, uint32_t index)
{
	const char *mark = strstr(template, "%d");
	int n = mark ? snprintf(to, size, "%.*s%u%s", (int)(mark - template), template, index, mark + 2)
		     : snprintf(to, size, "%s", template);

	return n < 0 ? 0 : (size_t)n < size ? (uint32_t)n : (uint32_t)size - 1;
}

static uint8_t *put_pppoe(
	struct load_dialler *d, uint32_t index, uint8_t *frame, uint8_t code, uint32_t length)
{
	static const uint8_t everyone[6] = {255, 255, 255, 255, 255, 255};
	const struct load_session *s = &d->lines->session[index];
	bool discovery = code != 0;
	uint8_t mac[6], tags[8] = {0}, *p;
	uint16_t id = code == 0 || code == PPPOE_PADT ? s->id : 0;

	load_line_mac(d->o, index, mac);
	p = load_head_put(frame, code == PPPOE_PADI ? everyone : s->ac_mac, mac, tags,
		load_line_tags(d->o, index, tags), discovery ? 0x8863 : 0x8864);
	*p++ = 0x11;
	*p++ = code;
	*p++ = (uint8_t)(id >> 8);
	*p++ = (uint8_t)id;
	*p++ = (uint8_t)(length >> 8);
	*p++ = (uint8_t)length;
	return p;
}

/* With --duplicate everything goes out twice. */
static void commit(struct load_dialler *d, const uint8_t *frame, const uint8_t *end)
{
	uint32_t length = (uint32_t)(end - frame);
	uint8_t copy[LOAD_FRAME_MAX];

	if (!d->o->duplicate) {
		load_ring_commit(d->ring, length);
		d->r->sent++;
		return;
	}
	memcpy(copy, frame, length);
	load_ring_commit(d->ring, length);
	memcpy(load_ring_slot(d->ring), copy, length);
	load_ring_commit(d->ring, length);
	d->r->sent += 2;
}

void load_pppoe_send(
	struct load_dialler *d, uint32_t index, uint8_t code, const uint8_t *payload, uint32_t length)
{
	uint8_t *frame = load_ring_slot(d->ring);
	uint8_t *p = put_pppoe(d, index, frame, code, length);

	if (length)
		memcpy(p, payload, length);
	commit(d, frame, p + length);
}

void load_ppp_send(struct load_dialler *d, uint32_t index, uint16_t protocol, uint8_t code, uint8_t id,
	const uint8_t *data, uint32_t length)
{
	uint8_t *frame = load_ring_slot(d->ring);
	uint8_t *p = put_pppoe(d, index, frame, 0, length + 6);

	*p++ = (uint8_t)(protocol >> 8);
	*p++ = (uint8_t)protocol;
	*p++ = code;
	*p++ = id;
	*p++ = (uint8_t)((length + 4) >> 8);
	*p++ = (uint8_t)(length + 4);
	if (length)
		memcpy(p, data, length);
	commit(d, frame, p + length);
}
