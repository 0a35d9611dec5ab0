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

uint32_t load_udp_frame(uint8_t *frame, const uint8_t dst[6], const uint8_t src[6], const uint8_t *tags,
	size_t tag_bytes, uint32_t saddr, uint32_t daddr, uint16_t sport, uint16_t dport,
	const uint8_t *payload, uint32_t payload_length)
{
	uint8_t *p = frame;
	struct iphdr ip = {
		.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP, .saddr = saddr, .daddr = daddr};
	struct udphdr udp = {.source = htons(sport), .dest = htons(dport)};
	uint32_t sum;

	memcpy(p, dst, 6);
	memcpy(p + 6, src, 6);
	memcpy(p + 12, tags, tag_bytes);
	p += 12 + tag_bytes;
	*p++ = 0x08;
	*p++ = 0x00;
	ip.tot_len = htons((uint16_t)(28 + payload_length));
	ip.check = htons(fold(sum16((const uint8_t *)&ip, 20, 0)));
	udp.len = htons((uint16_t)(8 + payload_length));
	memcpy(p, &ip, 20);
	memcpy(p + 20, &udp, 8);
	memcpy(p + 28, payload, payload_length);
	sum = sum16(p + 12, 8, 17u + 8 + payload_length);
	udp.check = htons(fold(sum16(p + 20, 8 + payload_length, sum)));
	if (!udp.check)
		udp.check = 0xffff;
	memcpy(p + 20, &udp, 8);
	return (uint32_t)(p - frame) + 28 + payload_length;
}

bool load_udp_parse(const struct load_packet *p, struct load_udp *ret)
{
	const uint8_t *at = p->frame + 12, *end = p->frame + p->length;
	struct iphdr ip;
	struct udphdr udp;

	while (at + 4 <= end && ((at[0] == 0x81 && at[1] == 0) || (at[0] == 0x88 && at[1] == 0xa8)))
		at += 4;
	if (at + 2 + 28 > end || at[0] != 8 || at[1] != 0)
		return false;
	at += 2;
	memcpy(&ip, at, 20);
	if (ip.version != 4 || ip.ihl != 5 || ip.protocol != IPPROTO_UDP || fold(sum16(at, 20, 0)) != 0)
		return false;
	memcpy(&udp, at + 20, 8);
	if (ntohs(udp.len) < 8 || at + 20 + ntohs(udp.len) > end)
		return false;
	*ret = (struct load_udp){.saddr = ip.saddr,
		.daddr = ip.daddr,
		.sport = ntohs(udp.source),
		.dport = ntohs(udp.dest),
		.payload = at + 28,
		.length = ntohs(udp.len) - 8u};
	return true;
}
