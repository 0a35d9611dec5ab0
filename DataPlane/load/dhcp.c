// SPDX-License-Identifier: Apache-2.0
// The DHCPv4 client side of a line: its messages, and what the answers to them lead to.

#include "exchange.h"

#include <arpa/inet.h>
#include <string.h>

enum { DISCOVER = 1, OFFER = 2, REQUEST = 3, ACK = 5, NAK = 6, RELEASE = 7 };
enum { XID_BITS = 22 }; /* low bits of the xid: the line; high bits: the attempt */

static uint8_t *put_option(uint8_t *p, uint8_t code, uint8_t length, const void *data)
{
	*p++ = code;
	*p++ = length;
	memcpy(p, data, length);
	return p + length;
}

/* Builds and queues one message of a line. */
static void send_message(struct load_exchange *run, uint32_t index, uint8_t type)
{
	static const uint8_t list[] = {1, 3, 6, 15, 51, 58, 59};
	static const uint8_t everyone[6] = {255, 255, 255, 255, 255, 255};
	struct load_line *l = &run->lines->line[index];
	const struct load_options *o = run->o;
	uint8_t m[320] = {1, 1, 6, 0}, mac[6], tags[8] = {0}, *p = m + 240;
	bool unicast = l->state == LOAD_RENEWING || type == RELEASE;
	uint32_t xid = htonl((uint32_t)++l->attempt << XID_BITS | index);
	size_t tag_bytes = load_line_tags(o, index, tags);

	load_line_mac(o, index, mac);
	memcpy(m + 4, &xid, 4);
	m[10] = o->broadcast ? 0x80 : 0;
	if (unicast)
		memcpy(m + 12, &l->address, 4);
	memcpy(m + 28, mac, 6);
	memcpy(m + 236, "\x63\x82\x53\x63", 4);
	p = put_option(p, 53, 1, &type);
	if (type == REQUEST && !unicast)
		p = put_option(p, 50, 4, &l->address);
	if ((type == REQUEST && !unicast) || type == RELEASE)
		p = put_option(p, 54, 4, &l->server);
	if (type != RELEASE)
		p = put_option(p, 55, sizeof(list), list);
	*p++ = 255;
	uint32_t length = (uint32_t)(p - m) < 300 ? 300 : (uint32_t)(p - m);
	uint8_t *frame = load_ring_slot(run->ring);
	uint8_t *packet =
		load_head_put(frame, unicast ? o->gateway_mac : everyone, mac, tags, tag_bytes, 0x0800);
	uint32_t size = load_udp_put(packet, &(struct load_udp){.saddr = unicast ? l->address : 0,
						     .daddr = unicast ? l->server : 0xffffffff,
						     .sport = 68,
						     .dport = 67,
						     .payload = m,
						     .length = length});

	load_ring_commit(run->ring, (uint32_t)(packet - frame) + size);
	l->sent_ns = load_now_ns();
	run->r->sent++;
}

static const uint8_t *find_option(const struct load_udp *u, uint8_t code, uint8_t length)
{
	for (uint32_t i = 240; i + 1 < u->length && u->payload[i] != 255;) {
		if (u->payload[i] == 0) {
			i++;
			continue;
		}
		if (i + 2u + u->payload[i + 1] > u->length)
			return NULL;
		if (u->payload[i] == code)
			return u->payload[i + 1] == length ? u->payload + i + 2 : NULL;
		i += 2u + u->payload[i + 1];
	}
	return NULL;
}

static void got_offer(struct load_exchange *run, uint32_t index, const struct load_udp *u, uint64_t now)
{
	struct load_line *l = &run->lines->line[index];
	const uint8_t *server = find_option(u, 54, 4);

	if (l->state != LOAD_DISCOVERING || !server) {
		run->r->unexpected++;
		return;
	}
	load_histogram_add(&run->r->offer, now - l->sent_ns);
	memcpy(&l->address, u->payload + 16, 4);
	memcpy(&l->server, server, 4);
	load_exchange_enter(run, index, LOAD_REQUESTING);
}

static void got_ack(struct load_exchange *run, uint32_t index, const struct load_udp *u, uint64_t now)
{
	struct load_line *l = &run->lines->line[index];

	if ((l->state != LOAD_REQUESTING && l->state != LOAD_RENEWING) ||
		memcmp(&l->address, u->payload + 16, 4) != 0) {
		run->r->unexpected++;
		return;
	}
	load_histogram_add(&run->r->ack, now - l->sent_ns);
	if (run->dual)
		load_exchange_enter(run, index, LOAD_SOLICITING_ROUTER);
	else
		load_exchange_finish(run, index, LOAD_BOUND, false);
}

static void got_nak(struct load_exchange *run, uint32_t index)
{
	struct load_line *l = &run->lines->line[index];

	run->r->naks++;
	if (l->state == LOAD_RENEWING) {
		l->address = 0;
		load_exchange_finish(run, index, LOAD_FAILED, true);
	} else if (l->state == LOAD_REQUESTING) {
		l->state = LOAD_DISCOVERING;
		send_message(run, index, DISCOVER);
	}
}

/* True for a reply whose client, tags and transaction are the line's latest. */
static bool belongs(const struct load_exchange *run, const struct load_packet *p, const struct load_udp *u,
	uint32_t *ret_index)
{
	uint8_t mac[6];
	uint32_t xid;

	if (u->sport != 67 || u->dport != 68 || u->length < 241 || u->payload[0] != 2)
		return false;
	memcpy(&xid, u->payload + 4, 4);
	xid = ntohl(xid);
	uint32_t index = xid & ((1u << XID_BITS) - 1);

	if (index >= run->lines->count || (run->lines->line[index].attempt & 0x3ff) != xid >> XID_BITS)
		return false;
	load_line_mac(run->o, index, mac);
	*ret_index = index;
	return load_line_tags_match(run->o, index, p) && memcmp(u->payload + 28, mac, 6) == 0;
}

bool load_dhcp_heard(struct load_exchange *run, const struct load_packet *packet)
{
	struct load_udp u;
	uint32_t index;

	if (!load_udp_parse(packet, &u))
		return false;
	if (!belongs(run, packet, &u, &index)) {
		run->r->unexpected++;
		return true;
	}
	const uint8_t *type = find_option(&u, 53, 1);
	uint64_t now = load_now_ns();

	if (type && *type == OFFER)
		got_offer(run, index, &u, now);
	else if (type && *type == ACK)
		got_ack(run, index, &u, now);
	else if (type && *type == NAK)
		got_nak(run, index);
	else
		run->r->unexpected++;
	return true;
}

void load_dhcp_say(struct load_exchange *run, uint32_t index)
{
	send_message(run, index, run->lines->line[index].state == LOAD_DISCOVERING ? DISCOVER : REQUEST);
}

int load_run_release(struct load_lines *lines, struct load_ring *ring, struct load_result *r)
{
	struct load_exchange run = {.lines = lines, .ring = ring, .r = r, .o = lines->options};

	r->began_ns = load_now_ns();
	for (uint32_t i = 0; i < lines->count; i++) {
		if (lines->line[i].state != LOAD_BOUND)
			continue;
		while (run.o->rate > 0 &&
			(double)r->completed > (double)(load_now_ns() - r->began_ns) / 1e9 * run.o->rate)
			load_ring_flush(ring);
		send_message(&run, i, RELEASE);
		lines->line[i].state = LOAD_IDLE;
		lines->line[i].address = 0;
		r->completed++;
	}
	load_ring_flush(ring);
	r->ended_ns = load_now_ns();
	return 0;
}
