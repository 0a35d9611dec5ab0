// SPDX-License-Identifier: Apache-2.0
// The scene of the NAT tests; see nat_scene.h.
#include "nat_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>

static uint32_t add(uint32_t sum, const uint8_t *bytes, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Sum over the upper layer with its pseudo-header: 0xffff when it holds. */
static uint16_t upper_sum(const uint8_t *ip, uint32_t header, uint32_t length)
{
	uint32_t sum = add(0, ip + header, length);

	if (ip[9] != 1)
		sum += (uint32_t)(ip[9] + length) + add(0, ip + 12, 8);
	return fold(sum);
}

void nat_policy(uint32_t flags, uint32_t flows_per_session)
{
	struct bng_nat_policy policy = {.flags = flags, .flows_per_session = flows_per_session};
	uint32_t index = NAT_POLICY;

	bed_put(bed.access->maps.nat_policies, &index, &policy);
}

void nat_grant(uint32_t slot, uint64_t session_id, const char *address, uint16_t first_port, uint16_t ports)
{
	struct bng_nat_session grant = {.session_id = session_id,
		.address = bed_ip(address),
		.policy = NAT_POLICY,
		.block_count = 1,
		.block_ports = ports,
		.first_ports = {first_port}};
	struct bng_nat_state fresh = {.session_id = session_id};

	bed_put(bed.access->maps.nat_sessions, &slot, &grant);
	bed_put(bed.access->maps.nat_state, &slot, &fresh);
}

int nat_scene(void **state)
{
	struct bng_session a = session_a(), b = session_b();
	struct bng_route_key pool = {.prefix_bits = 32 + 24, .ipv4 = bed_ip("203.0.120.0")};
	struct bng_route route = {.kind = BNG_ROUTE_NAT};

	scene(state);
	a.flags |= BNG_SESSION_NAT;
	b.flags |= BNG_SESSION_NAT;
	put(&line_a, a, 600);
	put(&line_b, b, 600);
	bed_put(bed.access->maps.routes4, &pool, &route);
	nat_policy(0, 1000);
	nat_grant(SLOT_A, 0xa, "203.0.120.1", NAT_BLOCK_A, NAT_BLOCK_PORTS);
	nat_grant(SLOT_B, 0xb, "203.0.120.1", NAT_BLOCK_B, NAT_BLOCK_PORTS);
	return 0;
}

static void finish(uint32_t check_at)
{
	uint8_t *ip = p.bytes + p.ip_at;
	uint32_t header = (ip[0] & 15u) * 4, length = (uint32_t)(ip[2] << 8 | ip[3]) - header;
	uint16_t sum;

	ip[header + check_at] = ip[header + check_at + 1] = 0;
	sum = (uint16_t)~upper_sum(ip, header, length);
	if (!sum)
		sum = 0xffff;
	ip[header + check_at] = (uint8_t)(sum >> 8);
	ip[header + check_at + 1] = (uint8_t)sum;
}

void nat_udp(struct packet_layers layers, uint16_t from, uint16_t to, uint32_t length)
{
	static uint8_t payload[2900];

	for (uint32_t i = 0; i < length; i++)
		payload[i] = (uint8_t)(i * 7);
	packet_udp(&p, &layers, from, to, payload, length);
	finish(6);
}

void nat_tcp(struct packet_layers layers, uint16_t from, uint16_t to, uint8_t flags, uint32_t length)
{
	uint8_t segment[1500] = {(uint8_t)(from >> 8), (uint8_t)from, (uint8_t)(to >> 8), (uint8_t)to};

	segment[12] = 0x50;
	segment[13] = flags;
	for (uint32_t i = 0; i < length; i++)
		segment[20 + i] = (uint8_t)(i * 5);
	layers.protocol = 6;
	packet_ipv4(&p, &layers, segment, 20 + length);
	finish(16);
}

struct nat_seen nat_seen(void)
{
	struct nat_seen seen_now = {0};
	const uint8_t *ip = out.frame + packet_l2_length(out.frame);
	uint32_t header = (ip[0] & 15u) * 4, length = (uint32_t)(ip[2] << 8 | ip[3]) - header;

	inet_ntop(AF_INET, ip + 12, seen_now.source, sizeof(seen_now.source));
	inet_ntop(AF_INET, ip + 16, seen_now.destination, sizeof(seen_now.destination));
	seen_now.from = seen_now.to = (uint16_t)(ip[header + 4] << 8 | ip[header + 5]);
	if (ip[9] != 1) {
		seen_now.from = (uint16_t)(ip[header] << 8 | ip[header + 1]);
		seen_now.to = (uint16_t)(ip[header + 2] << 8 | ip[header + 3]);
	}
	seen_now.ttl = ip[8];
	seen_now.protocol = ip[9];
	seen_now.sums_hold = fold(add(0, ip, header)) == 0xffff && upper_sum(ip, header, length) == 0xffff;
	return seen_now;
}

uint16_t nat_mapping(const char *inside, uint16_t port, uint8_t protocol, struct bng_nat_mapping *ret)
{
	struct bng_nat_key key = {.address = bed_ip(inside), .port = htons(port), .protocol = protocol};

	if (bpf_map_lookup_elem(bpf_map__fd(bed.access->maps.nat_out), &key, ret))
		return 0;
	return ntohs(ret->port);
}

struct bng_nat_state nat_state_of(uint32_t slot)
{
	struct bng_nat_state ret;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(bed.access->maps.nat_state), &slot, &ret), 0);
	return ret;
}
