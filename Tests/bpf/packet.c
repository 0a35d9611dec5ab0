// SPDX-License-Identifier: Apache-2.0
// Frames for the BPF tests; see packet.h.
#include "packet.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

static void put16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static uint32_t get16(const uint8_t *from)
{
	return (uint32_t)from[0] << 8 | from[1];
}

static uint16_t sum16(const uint8_t *bytes, uint32_t length)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < length; i++)
		sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

void packet_ethernet(struct packet *p, const uint8_t *to, const uint8_t *from, uint16_t outer_type,
	uint16_t s_vlan, uint16_t c_vlan, uint16_t type)
{
	memset(p, 0, sizeof(*p));
	memcpy(p->bytes, to, 6);
	memcpy(p->bytes + 6, from, 6);
	p->length = 12;
	if (s_vlan) {
		put16(p->bytes + p->length, outer_type ? outer_type : 0x8100);
		put16(p->bytes + p->length + 2, s_vlan);
		p->length += 4;
	}
	if (c_vlan) {
		put16(p->bytes + p->length, 0x8100);
		put16(p->bytes + p->length + 2, c_vlan);
		p->length += 4;
	}
	put16(p->bytes + p->length, type);
	p->length += 2;
	p->ip_at = p->length;
}

void packet_ipv4(struct packet *p, const struct packet_layers *layers, const void *payload, uint32_t length)
{
	packet_ethernet(
		p, layers->to, layers->from, layers->outer_type, layers->tags[0], layers->tags[1], 0x0800);
	uint8_t *ip = p->bytes + p->ip_at;
	uint32_t header = 20 + 4u * layers->option_words;

	memset(ip + 20, 1, 4u * layers->option_words);
	ip[0] = (uint8_t)(0x40 | header / 4);
	put16(ip + 2, header + length);
	put16(ip + 4, 0x1234);
	put16(ip + 6, layers->fragment);
	ip[8] = layers->ttl ? layers->ttl : 64;
	ip[9] = layers->protocol;
	inet_pton(AF_INET, layers->source, ip + 12);
	inet_pton(AF_INET, layers->destination, ip + 16);
	put16(ip + 10, (uint16_t)~sum16(ip, header));
	memcpy(ip + header, payload, length);
	p->length = p->ip_at + header + length;
}

void packet_udp(struct packet *p, const struct packet_layers *layers, uint16_t from, uint16_t to,
	const void *payload, uint32_t length)
{
	uint8_t udp[3000] = {0};
	struct packet_layers with_protocol = *layers;

	with_protocol.protocol = 17;
	put16(udp, from);
	put16(udp + 2, to);
	put16(udp + 4, 8 + length);
	memcpy(udp + 8, payload, length);
	packet_ipv4(p, &with_protocol, udp, 8 + length);
}

void packet_echo(struct packet *p, const struct packet_layers *layers, uint8_t type, uint32_t length)
{
	uint8_t icmp[2000] = {type, 0, 0, 0, 0x12, 0x34, 0, 1};
	struct packet_layers with_protocol = *layers;

	with_protocol.protocol = 1;
	for (uint32_t i = 0; i < length; i++)
		icmp[8 + i] = (uint8_t)i;
	put16(icmp + 2, (uint16_t)~sum16(icmp, 8 + length));
	packet_ipv4(p, &with_protocol, icmp, 8 + length);
}

void packet_arp(struct packet *p, const uint8_t *to, const uint8_t *from, uint16_t s_vlan, uint16_t operation,
	const char *sender, const char *target)
{
	packet_ethernet(p, to, from, 0, s_vlan, 0, 0x0806);
	uint8_t *arp = p->bytes + p->length;

	memcpy(arp, "\x00\x01\x08\x00\x06\x04", 6);
	put16(arp + 6, operation);
	memcpy(arp + 8, from, 6);
	inet_pton(AF_INET, sender, arp + 14);
	inet_pton(AF_INET, target, arp + 24);
	p->length += 28;
}

void packet_dhcp(struct packet *p, const struct packet_layers *layers, const uint8_t *mac, const char *ciaddr,
	const void *options, uint32_t length)
{
	uint8_t bootp[1400] = {1, 1, 6, 0, 0x39, 0x03, 0xf3, 0x26};
	uint32_t total = 240 + length + 1;

	if (ciaddr)
		inet_pton(AF_INET, ciaddr, bootp + 12);
	memcpy(bootp + 28, mac, 6);
	memcpy(bootp + 236, "\x63\x82\x53\x63", 4);
	memcpy(bootp + 240, options, length);
	bootp[240 + length] = 255;
	packet_udp(p, layers, 68, 67, bootp, total < 300 ? 300 : total);
}

uint32_t packet_l2_length(const uint8_t *frame)
{
	uint32_t at = 12;

	while (get16(frame + at) == 0x8100 || get16(frame + at) == 0x88a8)
		at += 4;
	return at + 2 + (get16(frame + at) == 0x8864 ? 8 : 0);
}

void packet_pppoe(struct packet *p, const struct packet_layers *layers, uint8_t code, uint16_t id,
	const void *payload, uint32_t length)
{
	packet_ethernet(p, layers->to, layers->from, layers->outer_type, layers->tags[0], layers->tags[1],
		code ? 0x8863 : 0x8864);
	uint8_t *pppoe = p->bytes + p->length;

	pppoe[0] = 0x11;
	pppoe[1] = code;
	put16(pppoe + 2, id);
	put16(pppoe + 4, length);
	memcpy(pppoe + 6, payload, length);
	p->length += 6 + length;
}

void packet_into_pppoe(struct packet *p, uint16_t id)
{
	uint8_t *ip = p->bytes + p->ip_at;
	uint32_t length = p->length - p->ip_at;

	memmove(ip + 8, ip, length);
	put16(ip - 2, 0x8864);
	put16(ip, 0x1100);
	put16(ip + 2, id);
	put16(ip + 4, length + 2);
	put16(ip + 6, ip[8] >> 4 == 6 ? 0x0057 : 0x0021);
	p->ip_at += 8;
	p->length += 8;
}

/* Of an upper layer without extension headers before it. */
static uint16_t sum_upper6(const uint8_t *ip, uint32_t length)
{
	uint8_t pseudo[40] = {0};
	uint32_t sum;

	memcpy(pseudo, ip + 8, 32);
	put16(pseudo + 34, length);
	pseudo[39] = ip[6];
	sum = (uint32_t)sum16(pseudo, 40) + sum16(ip + 40, length);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

void packet_ipv6(struct packet *p, const struct packet_layers *layers, const void *payload, uint32_t length)
{
	static const uint32_t sums[] = {[6] = 16, [17] = 6, [58] = 2}; /* where the upper layer has its sum */

	packet_ethernet(
		p, layers->to, layers->from, layers->outer_type, layers->tags[0], layers->tags[1], 0x86dd);
	uint8_t *ip = p->bytes + p->ip_at;
	uint32_t at = layers->protocol < 59 ? sums[layers->protocol] : 0;

	ip[0] = 0x60;
	put16(ip + 4, length);
	ip[6] = layers->protocol;
	ip[7] = layers->ttl ? layers->ttl : 64;
	inet_pton(AF_INET6, layers->source, ip + 8);
	inet_pton(AF_INET6, layers->destination, ip + 24);
	memcpy(ip + 40, payload, length);
	if (at && at + 2 <= length)
		put16(ip + 40 + at, (uint16_t)~sum_upper6(ip, length));
	p->length = p->ip_at + 40 + length;
}

void packet_udp6(struct packet *p, const struct packet_layers *layers, uint16_t from, uint16_t to,
	const void *payload, uint32_t length)
{
	uint8_t udp[3000] = {0};
	struct packet_layers with_protocol = *layers;

	with_protocol.protocol = 17;
	put16(udp, from);
	put16(udp + 2, to);
	put16(udp + 4, 8 + length);
	memcpy(udp + 8, payload, length);
	packet_ipv6(p, &with_protocol, udp, 8 + length);
}

static int checksums_hold6(const uint8_t *ip, uint32_t length)
{
	uint32_t payload = get16(ip + 4);

	if (40 + payload > length)
		return 0;
	return (ip[6] != 6 && ip[6] != 17 && ip[6] != 58) || sum_upper6(ip, payload) == 0xffff;
}

int packet_checksums_hold(const uint8_t *frame, uint32_t length)
{
	const uint8_t *ip = frame + packet_l2_length(frame);

	if (ip[0] >> 4 == 6)
		return checksums_hold6(ip, length - packet_l2_length(frame));
	uint32_t header = (ip[0] & 15u) * 4, total = get16(ip + 2);

	if (ip + total > frame + length || sum16(ip, header) != 0xffff)
		return 0;
	return ip[9] != 1 || sum16(ip + header, total - header) == 0xffff;
}

const uint8_t *packet_dhcp_option(const uint8_t *frame, uint32_t length, uint8_t code, uint8_t *ret_length)
{
	const uint8_t *at = frame + packet_l2_length(frame) + 28 + 240, *end = frame + length;

	while (at + 2 <= end && *at != 255) {
		if (*at == 0) {
			at++;
			continue;
		}
		if (at + 2 + at[1] > end)
			return NULL;
		if (*at == code) {
			*ret_length = at[1];
			return at + 2;
		}
		at += 2 + at[1];
	}
	return NULL;
}
