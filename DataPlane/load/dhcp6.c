// SPDX-License-Identifier: Apache-2.0
// The IPv6 client side of a line: Router Solicitation, DHCPv6 Solicit with Rapid Commit for an address and a
// prefix, Renew.

#include "exchange.h"

#include <string.h>

enum { SOLICIT = 1, RENEW = 5, REPLY = 7, ROUTER_ADVERTISEMENT = 134 };
enum { OPT_CLIENT = 1, OPT_SERVER, OPT_NA, OPT_ADDRESS = 5, OPT_REQUEST, OPT_ELAPSED = 8, OPT_RAPID = 14 };
enum { OPT_PD = 25, OPT_PREFIX = 26, IA_HEAD = 12, DUID_LENGTH = 10, XID_INDEX_BITS = 22 };

static const uint8_t all_routers[16] = {0xff, 2, [15] = 2};
static const uint8_t all_servers[16] = {0xff, 2, [13] = 1, [15] = 2};

static uint8_t *put_option(uint8_t *p, uint16_t code, size_t length, const void *data)
{
	memcpy(p, (uint8_t[]){(uint8_t)(code >> 8), (uint8_t)code, (uint8_t)(length >> 8), (uint8_t)length},
		4);
	if (length)
		memcpy(p + 4, data, length);
	return p + 4 + length;
}

/* DUID-LL: the line's MAC address. */
static void duid_of(const struct load_options *o, uint32_t index, uint8_t duid[DUID_LENGTH])
{
	memcpy(duid, (uint8_t[]){0, 3, 0, 1}, 4);
	load_line_mac(o, index, duid + 4);
}

/* Both associations; when renewing with what the line holds in them. */
static uint8_t *put_associations(uint8_t *p, const struct load_ipv6 *held, bool renewing)
{
	uint8_t na[IA_HEAD + 28] = {[3] = 1}, pd[IA_HEAD + 29] = {[3] = 2};
	uint8_t address[24] = {0}, prefix[25] = {0};

	memcpy(address, held->address, 16);
	prefix[8] = held->prefix_length;
	memcpy(prefix + 9, held->prefix, 16);
	(void)put_option(na + IA_HEAD, OPT_ADDRESS, sizeof(address), address);
	(void)put_option(pd + IA_HEAD, OPT_PREFIX, sizeof(prefix), prefix);
	p = put_option(p, OPT_NA, renewing ? sizeof(na) : IA_HEAD, na);
	return put_option(p, OPT_PD, renewing ? sizeof(pd) : IA_HEAD, pd);
}

static uint32_t put_dhcpv6(uint8_t *m, struct load_exchange *run, uint32_t index)
{
	struct load_line *l = &run->lines->line[index];
	uint32_t xid = (uint32_t)(++l->attempt & 3) << XID_INDEX_BITS | index;
	bool renewing = l->state == LOAD_RENEWING6;
	uint8_t duid[DUID_LENGTH], *p = m + 4;

	memcpy(m,
		(uint8_t[]){
			renewing ? RENEW : SOLICIT, (uint8_t)(xid >> 16), (uint8_t)(xid >> 8), (uint8_t)xid},
		4);
	duid_of(run->o, index, duid);
	p = put_option(p, OPT_CLIENT, sizeof(duid), duid);
	if (renewing)
		p = put_option(p, OPT_SERVER, run->lines->server.length, run->lines->server.bytes);
	else
		p = put_option(p, OPT_RAPID, 0, NULL);
	p = put_option(p, OPT_ELAPSED, 2, (uint8_t[]){0, 0});
	p = put_option(p, OPT_REQUEST, 2, (uint8_t[]){0, 23});
	return (uint32_t)(put_associations(p, &run->lines->ipv6[index], renewing) - m);
}

void load_ipv6_say(struct load_exchange *run, uint32_t index)
{
	static const uint8_t solicitation[8] = {133};
	struct load_line *l = &run->lines->line[index];
	uint8_t m[400], *frame = load_ring_slot(run->ring);
	uint32_t length;

	if (l->state == LOAD_SOLICITING_ROUTER)
		length = load_ipv6_put(
			frame, run->o, index, all_routers, 58, solicitation, sizeof(solicitation));
	else
		length = load_ipv6_put(frame, run->o, index, all_servers, 17, m, put_dhcpv6(m, run, index));
	load_ring_commit(run->ring, length);
	l->sent_ns = load_now_ns();
	run->r->sent++;
}

/* Finds an option among `length` bytes of them; at least `least` bytes long. */
static const uint8_t *find_option(
	const uint8_t *p, uint32_t length, uint16_t code, uint32_t least, uint32_t *ret_length)
{
	for (uint32_t i = 0; i + 4 <= length;) {
		uint32_t size = (uint32_t)p[i + 2] << 8 | p[i + 3];

		if (i + 4 + size > length)
			return NULL;
		if ((p[i] << 8 | p[i + 1]) == code) {
			*ret_length = size;
			return size >= least ? p + i + 4 : NULL;
		}
		i += 4 + size;
	}
	return NULL;
}

/* Both associations with something that is valid in them. */
static bool read_associations(const uint8_t *p, uint32_t length, struct load_ipv6 *ret)
{
	static const uint8_t never[4];
	uint32_t na_length = 0, pd_length = 0, size;
	const uint8_t *na = find_option(p, length, OPT_NA, IA_HEAD, &na_length);
	const uint8_t *pd = find_option(p, length, OPT_PD, IA_HEAD, &pd_length);
	const uint8_t *address, *prefix;

	if (!na || !pd)
		return false;
	address = find_option(na + IA_HEAD, na_length - IA_HEAD, OPT_ADDRESS, 24, &size);
	prefix = find_option(pd + IA_HEAD, pd_length - IA_HEAD, OPT_PREFIX, 25, &size);
	if (!address || !prefix || memcmp(address + 20, never, 4) == 0 || memcmp(prefix + 4, never, 4) == 0)
		return false;
	memcpy(ret->address, address, 16);
	ret->prefix_length = prefix[8];
	memcpy(ret->prefix, prefix + 9, 16);
	return true;
}

static void got_advertisement(struct load_exchange *run, uint32_t index, const struct load_ipv6_packet *p)
{
	struct load_line *l = &run->lines->line[index];

	if (l->state != LOAD_SOLICITING_ROUTER) {
		run->r->advertisements++;
		return;
	}
	for (uint32_t i = 16; i + 2 <= p->length && p->payload[i + 1]; i += 8u * p->payload[i + 1]) {
		if (p->payload[i] != 3 || p->payload[i + 1] != 4 || i + 32 > p->length)
			continue;
		memcpy(run->lines->ipv6[index].link, p->payload + i + 16, 16);
		load_histogram_add(&run->r->router, load_now_ns() - l->sent_ns);
		load_exchange_enter(run, index, LOAD_SOLICITING);
		return;
	}
	run->r->unexpected++; /* without a prefix */
}

static void got_reply(struct load_exchange *run, uint32_t index, const struct load_ipv6_packet *p)
{
	struct load_line *l = &run->lines->line[index];
	uint32_t xid = (uint32_t)p->payload[1] << 16 | (uint32_t)p->payload[2] << 8 | p->payload[3], length;
	const uint8_t *server = find_option(p->payload + 4, p->length - 4, OPT_SERVER, 3, &length);

	if ((l->state != LOAD_SOLICITING && l->state != LOAD_RENEWING6) || p->payload[0] != REPLY ||
		xid != ((uint32_t)(l->attempt & 3) << XID_INDEX_BITS | index) || !server ||
		length > LOAD_DUID_MAX ||
		!read_associations(p->payload + 4, p->length - 4, &run->lines->ipv6[index])) {
		run->r->unexpected++;
		return;
	}
	memcpy(run->lines->server.bytes, server, length);
	run->lines->server.length = (uint16_t)length;
	load_histogram_add(&run->r->reply6, load_now_ns() - l->sent_ns);
	load_exchange_finish(run, index, LOAD_BOUND, false);
}

bool load_ipv6_heard(struct load_exchange *run, const struct load_packet *packet)
{
	struct load_ipv6_packet p;
	uint64_t mac = 0;

	if (!load_ipv6_parse(packet, &p))
		return false;
	for (int i = 0; i < 6; i++)
		mac = mac << 8 | p.mac[i];
	uint32_t index = (uint32_t)(mac - run->o->mac_base);
	bool ours = mac - run->o->mac_base < run->lines->count && load_line_tags_match(run->o, index, packet);

	if (ours && !p.port && p.payload[0] == ROUTER_ADVERTISEMENT)
		got_advertisement(run, index, &p);
	else if (ours && p.port == 546 && p.length >= 4)
		got_reply(run, index, &p);
	else
		run->r->unexpected++;
	return true;
}
