// SPDX-License-Identifier: Apache-2.0
// UDP both ways between bound lines and a peer behind the core port, each packet numbered and timed.

#include "load.h"

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

static void send_one(struct load_lines *lines, struct load_ring *ring, uint32_t index, bool down)
{
	const struct load_options *o = lines->options;
	struct load_line *l = &lines->line[index];
	uint8_t payload[1400] = {0}, mac[6], tags[8] = {0};
	struct stamp stamp = {.magic = MAGIC, .line = index, .sent_ns = load_now_ns(), .direction = down};
	uint32_t length;

	memcpy(payload, &stamp, sizeof(stamp));
	load_line_mac(o, index, mac);
	if (down)
		length = load_udp_frame(load_ring_slot(ring), o->core_mac, o->peer_mac, tags, 0,
			o->peer.s_addr, l->address, PORT, PORT, payload, o->payload);
	else
		length = load_udp_frame(load_ring_slot(ring), o->gateway_mac, mac, tags,
			load_line_tags(o, index, tags), l->address, o->peer.s_addr, PORT, PORT, payload,
			o->payload);
	load_ring_commit(ring, length);
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
		uint32_t address = lines->line[stamp.line].address;

		if ((down ? u.daddr : u.saddr) != address)
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
