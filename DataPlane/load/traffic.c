// SPDX-License-Identifier: Apache-2.0
// UDP both ways between bound lines and a peer behind the core port, each packet numbered and timed.

#include "ppp.h"

#include <arpa/inet.h>
#include <string.h>

enum { MAGIC = 0x626e676c, PORT = 5001 };

struct stamp {
	uint32_t magic;
	uint32_t line;
	uint64_t sent_ns;
	uint32_t direction; /* 0 up, 1 down */
	uint32_t _pad;
};

static const struct load_session *session_of(const struct load_lines *lines, uint32_t index)
{
	return lines->session && lines->session[index].stage == LOAD_OPEN ? &lines->session[index] : NULL;
}

/* Ethernet and tags and, on a line that has dialled, PPPoE and PPP. */
static uint8_t *put_up_head(const struct load_lines *lines, uint32_t index, uint8_t *frame, uint32_t length)
{
	const struct load_options *o = lines->options;
	const struct load_session *s = session_of(lines, index);
	uint8_t mac[6], tags[8] = {0}, *p;
	size_t n = load_line_tags(o, index, tags);

	load_line_mac(o, index, mac);
	if (!s)
		return load_head_put(frame, o->gateway_mac, mac, tags, n, 0x0800);
	p = load_head_put(frame, s->ac_mac, mac, tags, n, 0x8864);
	memcpy(p,
		(const uint8_t[8]){0x11, 0, (uint8_t)(s->id >> 8), (uint8_t)s->id,
			(uint8_t)((length + 2) >> 8), (uint8_t)(length + 2), 0, PPP_IPV4},
		8);
	return p + 8;
}

static void send_one(struct load_lines *lines, struct load_ring *ring, uint32_t index, bool down)
{
	const struct load_options *o = lines->options;
	const struct load_line *l = &lines->line[index];
	uint8_t payload[1472] = {0}, *frame = load_ring_slot(ring), *packet;
	struct stamp stamp = {.magic = MAGIC, .line = index, .sent_ns = load_now_ns(), .direction = down};
	struct load_udp u = {.saddr = down ? o->peer.s_addr : l->address,
		.daddr = down ? l->address : o->peer.s_addr,
		.sport = PORT,
		.dport = PORT,
		.payload = payload,
		.length = o->payload};

	memcpy(payload, &stamp, sizeof(stamp));
	packet = down ? load_head_put(frame, o->core_mac, o->peer_mac, NULL, 0, 0x0800)
		      : put_up_head(lines, index, frame, 28 + o->payload);
	load_ring_commit(ring, (uint32_t)(packet - frame) + load_udp_put(packet, &u));
}

static void receive(struct load_lines *lines, struct load_ring *ring, struct load_direction *d, bool down)
{
	struct load_packet packet;
	struct load_udp u;
	struct stamp stamp;

	while (load_ring_next(ring, &packet)) {
		if (!load_udp_parse(&packet, &u) || u.dport != PORT || u.length < sizeof(stamp))
			continue;
		memcpy(&stamp, u.payload, sizeof(stamp));
		if (stamp.magic != MAGIC || stamp.line >= lines->count || stamp.direction != (uint32_t)down)
			continue;
		const struct load_session *s = session_of(lines, stamp.line);

		if ((down ? u.daddr : u.saddr) != lines->line[stamp.line].address ||
			u.pppoe_id != (down && s ? s->id : 0))
			continue;
		d->received++;
		d->bytes += u.length + 28;
		load_histogram_add(&d->latency, load_now_ns() - stamp.sent_ns);
	}
}

int load_run_traffic(struct load_lines *lines, struct load_ring *access, struct load_ring *core,
	struct load_direction *up, struct load_direction *down)
{
	const struct load_options *o = lines->options;
	uint64_t began = load_now_ns(), end = began + (uint64_t)(o->duration_s * 1e9), drain = 0;
	double rate = o->rate > 0 ? o->rate : 50000;
	uint32_t next = 0;

	for (;;) {
		uint64_t now = load_now_ns();
		uint64_t due = (uint64_t)((double)((now < end ? now : end) - began) / 1e9 * rate);

		for (uint32_t scanned = 0, n = 0; up->sent < due && n < LOAD_BATCH && scanned < lines->count;
			scanned++) {
			uint32_t i = next++ % lines->count;

			if (lines->line[i].state != LOAD_BOUND)
				continue;
			send_one(lines, access, i, false);
			send_one(lines, core, i, true);
			up->sent++;
			down->sent++;
			n++;
		}
		load_ring_flush(access);
		load_ring_flush(core);
		receive(lines, access, down, true);
		receive(lines, core, up, false);
		if (now >= end && !drain)
			drain = now + 500000000u;
		if (drain && (now >= drain || (up->received >= up->sent && down->received >= down->sent)))
			break;
	}
	return up->received < up->sent || down->received < down->sent;
}
