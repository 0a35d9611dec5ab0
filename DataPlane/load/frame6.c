// SPDX-License-Identifier: Apache-2.0
// IPv6 frames as a customer's stack builds and reads them: from its link-local address to a group, and back.

#include "exchange.h"

#include <string.h>

enum { ICMPV6 = 58, UDP = 17, HEADER = 40 };

static uint32_t sum16(const uint8_t *p, uint32_t n, uint32_t sum)
{
	for (; n > 1; p += 2, n -= 2)
		sum += (uint32_t)p[0] << 8 | p[1];
	return n ? sum + ((uint32_t)p[0] << 8) : sum;
}

/* Over the pseudo-header (RFC 8200 8.1) and what follows the IPv6 header; 0 where a checksum in it is right.
 */
static uint16_t checksum(const uint8_t *ip, uint32_t length)
{
	uint32_t sum = sum16(ip + 8, 32 + length, length + ip[6]);

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

uint32_t load_ipv6_put(uint8_t *frame, const struct load_options *o, uint32_t index, const uint8_t group[16],
	uint8_t next_header, const uint8_t *payload, uint32_t length)
{
	uint8_t mac[6], tags[8] = {0}, to[6] = {0x33, 0x33};
	uint32_t udp = next_header == UDP ? 8 : 0;

	load_line_mac(o, index, mac);
	memcpy(to + 2, group + 12, 4);
	uint8_t *ip = load_head_put(frame, to, mac, tags, load_line_tags(o, index, tags), 0x86dd);
	uint8_t *upper = ip + HEADER;

	memset(ip, 0, HEADER + udp);
	ip[0] = 0x60;
	put16(ip + 4, udp + length);
	ip[6] = next_header;
	ip[7] = 255;
	memcpy(ip + 8, (uint8_t[]){0xfe, 0x80, 0, 0, 0, 0, 0, 0}, 8);
	memcpy(ip + 16, (uint8_t[]){mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]}, 8);
	memcpy(ip + 24, group, 16);
	if (udp) {
		put16(upper, 546);
		put16(upper + 2, 547);
		put16(upper + 4, udp + length);
	}
	memcpy(upper + udp, payload, length);
	uint16_t sum = checksum(ip, udp + length);

	put16(upper + (udp ? 6 : 2), sum || !udp ? sum : 0xffff);
	return (uint32_t)(upper - frame) + udp + length;
}

bool load_ipv6_parse(const struct load_packet *p, struct load_ipv6_packet *ret)
{
	const uint8_t *at = p->frame + 12, *end = p->frame + p->length;

	while (at + 4 <= end && ((at[0] == 0x81 && at[1] == 0) || (at[0] == 0x88 && at[1] == 0xa8)))
		at += 4;
	if (at + 2 + HEADER + 8 > end || at[0] != 0x86 || at[1] != 0xdd || at[2] >> 4 != 6)
		return false;
	at += 2;
	uint32_t length = (uint32_t)at[4] << 8 | at[5];

	if (at + HEADER + length > end || length < 8 || (at[6] != ICMPV6 && at[6] != UDP) ||
		checksum(at, length) != 0)
		return false;
	uint32_t skip = at[6] == UDP ? 8 : 0;

	*ret = (struct load_ipv6_packet){.mac = p->frame,
		.payload = at + HEADER + skip,
		.length = length - skip,
		.port = skip ? (uint16_t)(at[HEADER + 2] << 8 | at[HEADER + 3]) : 0};
	return true;
}
