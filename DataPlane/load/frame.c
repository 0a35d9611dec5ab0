// SPDX-License-Identifier: Apache-2.0
// Frames as a customer's stack builds and reads them.

#include "load.h"

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <string.h>

static uint32_t sum16(const uint8_t *p, uint32_t n, uint32_t sum)
{
	for (; n > 1; p += 2, n -= 2)
		sum += (uint32_t)p[0] << 8 | p[1];
	return n ? sum + ((uint32_t)p[0] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint8_t *load_head_put(uint8_t *frame, const uint8_t dst[6], const uint8_t src[6], const uint8_t *tags,
	size_t tag_bytes, uint16_t ethertype)
{
	uint8_t *p = frame + 12 + tag_bytes;

	memcpy(frame, dst, 6);
	memcpy(frame + 6, src, 6);
	memcpy(frame + 12, tags, tag_bytes);
	*p++ = (uint8_t)(ethertype >> 8);
	*p++ = (uint8_t)ethertype;
	return p;
}

uint32_t load_udp_put(uint8_t *p, const struct load_udp *u)
{
	struct iphdr ip = {.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = IPPROTO_UDP,
		.saddr = u->saddr,
		.daddr = u->daddr};
	struct udphdr udp = {.source = htons(u->sport), .dest = htons(u->dport)};
	uint32_t sum;

	ip.tot_len = htons((uint16_t)(28 + u->length));
	ip.check = htons(fold(sum16((const uint8_t *)&ip, 20, 0)));
	udp.len = htons((uint16_t)(8 + u->length));
	memcpy(p, &ip, 20);
	memcpy(p + 20, &udp, 8);
	memcpy(p + 28, u->payload, u->length);
	sum = sum16(p + 12, 8, 17u + 8 + u->length);
	udp.check = htons(fold(sum16(p + 20, 8 + u->length, sum)));
	if (!udp.check)
		udp.check = 0xffff;
	memcpy(p + 20, &udp, 8);
	return 28 + u->length;
}

/* Past the tags, and past PPPoE and PPP if the frame is data of a session; NULL: not IPv4. */
static const uint8_t *find_ipv4(const struct load_packet *p, uint16_t *ret_pppoe_id)
{
	const uint8_t *at = p->frame + 12, *end = p->frame + p->length;

	while (at + 4 <= end && ((at[0] == 0x81 && at[1] == 0) || (at[0] == 0x88 && at[1] == 0xa8)))
		at += 4;
	*ret_pppoe_id = 0;
	if (at + 2 + 28 > end)
		return NULL;
	if (at[0] == 8 && at[1] == 0)
		return at + 2;
	if (at + 10 + 28 > end || memcmp(at, "\x88\x64\x11\x00", 4) != 0 || at[8] != 0 || at[9] != 0x21)
		return NULL;
	*ret_pppoe_id = (uint16_t)(at[4] << 8 | at[5]);
	return at + 10;
}

bool load_udp_parse(const struct load_packet *p, struct load_udp *ret)
{
	uint16_t pppoe_id;
	const uint8_t *at = find_ipv4(p, &pppoe_id);
	struct iphdr ip;
	struct udphdr udp;

	if (!at)
		return false;
	memcpy(&ip, at, 20);
	if (ip.version != 4 || ip.ihl != 5 || ip.protocol != IPPROTO_UDP || fold(sum16(at, 20, 0)) != 0)
		return false;
	memcpy(&udp, at + 20, 8);
	if (ntohs(udp.len) < 8 || at + 20 + ntohs(udp.len) > p->frame + p->length)
		return false;
	*ret = (struct load_udp){.saddr = ip.saddr,
		.daddr = ip.daddr,
		.sport = ntohs(udp.source),
		.dport = ntohs(udp.dest),
		.pppoe_id = pppoe_id,
		.payload = at + 28,
		.length = ntohs(udp.len) - 8u};
	return true;
}
