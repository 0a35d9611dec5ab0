// SPDX-License-Identifier: Apache-2.0
// Junk: well-formed PADIs of ever new clients on ever other lines, which nobody means to follow up.

#include "ppp.h"

#include <string.h>

enum { TAG_BYTES = 4 + 6, HEAD_BYTES = 6 };

static void send_junk(struct load_dialler *d)
{
	static const uint8_t everyone[6] = {255, 255, 255, 255, 255, 255};
	static const uint8_t empty_service[] = {1, 1, 0, 0}, host_uniq[] = {1, 3, 0, 2};
	uint32_t line = load_random(d) % d->lines->count, low = load_random(d);
	uint8_t mac[6] = {0x06, (uint8_t)load_random(d)}, tags[8] = {0}, *frame = load_ring_slot(d->ring), *p;

	memcpy(mac + 2, &low, 4);
	p = load_head_put(frame, everyone, mac, tags, load_line_tags(d->o, line, tags), 0x8863);
	memset(p, 0, HEAD_BYTES + TAG_BYTES);
	p[0] = 0x11;
	p[1] = PPPOE_PADI;
	p[5] = TAG_BYTES;
	memcpy(p + 6, empty_service, 4);
	memcpy(p + 10, host_uniq, 4);
	memcpy(p + 14, &low, 2);
	load_ring_commit(d->ring, (uint32_t)(p - frame) + HEAD_BYTES + TAG_BYTES);
	d->r->padis++;
}

static void count_answers(struct load_dialler *d)
{
	struct load_packet packet;
	struct load_pppoe f;

	while (load_ring_next(d->ring, &packet))
		d->r->pados += load_pppoe_parse(&packet, &f) && f.discovery && f.code == PPPOE_PADO;
}

void load_run_padi_flood(struct load_dialler *d)
{
	uint64_t end = d->r->began_ns + (uint64_t)(d->o->duration_s * 1e9), now;

	while ((now = load_now_ns()) < end && !load_interrupted) {
		double due = (double)(now - d->r->began_ns) / 1e9 * d->o->rate;

		for (int n = 0; n < LOAD_BATCH && (d->o->rate == 0 || (double)d->r->padis < due); n++)
			send_junk(d);
		load_ring_flush(d->ring);
		count_answers(d);
	}
	d->r->sent = d->r->padis;
	d->r->completed = d->r->padis;
}
