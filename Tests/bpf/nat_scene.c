// SPDX-License-Identifier: Apache-2.0
// The scene of the NAT tests; see nat_scene.h.
#include "nat_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>

const struct bng_line_key nat_line_b = {
	.port = BED_ACCESS, .s_vlan = 30, .mac = {0x02, 0x00, 0x5e, 0xb1, 0xb2, 0xb3}};

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
	put(&nat_line_b, b, 600);
	bed_put(bed.access->maps.routes4, &pool, &route);
	nat_policy(0, 1000);
	nat_grant(SLOT_A, 0xa, NAT_PUBLIC, NAT_BLOCK_A, NAT_BLOCK_PORTS);
	nat_grant(SLOT_B, 0xb, NAT_PUBLIC, NAT_BLOCK_B, NAT_BLOCK_PORTS);
	return 0;
}

void nat_static_a(void)
{
	struct bng_session a = session_a();
	struct bng_nat_session grant = {.session_id = 0xa, .address = bed_ip(NAT_WHOLE)};
	struct bng_nat_key in = {.address = bed_ip(NAT_WHOLE)};
	struct bng_nat_reverse reverse = {.session_id = 0xa,
		.address = a.ipv4,
		.flags = BNG_NAT_FORWARD | BNG_NAT_STATIC,
		.session = a.ipv4,
		.slot = SLOT_A};
	uint32_t slot = SLOT_A;

	a.flags |= BNG_SESSION_NAT | BNG_SESSION_NAT_STATIC;
	bed_put(bed.access->maps.nat_sessions, &slot, &grant);
	bed_put(bed.access->maps.nat_in, &in, &reverse);
	put(&line_a, a, 600);
}

void nat_forward(uint32_t slot, uint64_t session_id, const char *inside, uint8_t protocol, uint16_t port,
	uint16_t outside)
{
	struct bng_nat_key out_key = {.address = bed_ip(inside), .port = htons(port), .protocol = protocol};
	struct bng_nat_key in_key = {
		.address = bed_ip(NAT_PUBLIC), .port = htons(outside), .protocol = protocol};
	uint8_t flags = (uint8_t)(BNG_NAT_FORWARD | (protocol == 6 ? BNG_NAT_FLOWS : 0));
	struct bng_nat_mapping mapping = {.session_id = session_id,
		.address = in_key.address,
		.port = in_key.port,
		.flags = flags,
		.slot = slot};
	struct bng_nat_reverse reverse = {.session_id = session_id,
		.address = out_key.address,
		.port = out_key.port,
		.flags = flags,
		.session = slot == SLOT_A ? session_a().ipv4 : session_b().ipv4,
		.slot = slot};

	bed_put(bed.access->maps.nat_in, &in_key, &reverse);
	bed_put(bed.access->maps.nat_out, &out_key, &mapping);
}

struct packet_layers from_b(const char *destination)
{
	return (struct packet_layers){.to = bed_port_mac,
		.from = mac_b,
		.tags = {30},
		.source = "100.64.3.4",
		.destination = destination,
		.ttl = 64};
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

void nat_icmp(struct packet_layers layers, uint8_t type, uint16_t identifier, uint32_t length)
{
	uint8_t message[2900] = {type, 0, 0, 0, (uint8_t)(identifier >> 8), (uint8_t)identifier, 0, 1};

	for (uint32_t i = 0; i < length; i++)
		message[8 + i] = (uint8_t)(i * 3);
	layers.protocol = 1;
	packet_ipv4(&p, &layers, message, 8 + length);
	finish(2);
}

void nat_error(struct packet_layers layers, uint8_t type, const uint8_t *frame, uint32_t upper_bytes)
{
	uint8_t message[700] = {type, type == 3 ? 3 : 0};
	const uint8_t *ip = frame + packet_l2_length(frame);
	uint32_t header = (ip[0] & 15u) * 4, whole = (uint32_t)(ip[2] << 8 | ip[3]);
	uint32_t length = header + upper_bytes < whole ? header + upper_bytes : whole;

	memcpy(message + 8, ip, length);
	layers.protocol = 1;
	packet_ipv4(&p, &layers, message, 8 + length);
	finish(2);
}

void nat_again(void)
{
	for (uint32_t i = 0; i < 4 * BNG_REASON_STRIDE; i++) {
		uint64_t zeros[256] = {0};

		bed_put(bed.access->maps.reason_counters, &i, zeros);
	}
	bed_drain_punts(&bed);
}

struct nat_seen nat_passes(int port, int reason)
{
	struct nat_seen ret;
	uint32_t fragment;

	nat_again();
	run(port);
	expect(port, reason);
	ret = nat_seen();
	fragment = (uint32_t)(out.frame[packet_l2_length(out.frame) + 6] << 8 |
			      out.frame[packet_l2_length(out.frame) + 7]);
	assert_true(ret.sums_hold || (fragment & 0x3fff));
	return ret;
}

void nat_refused(int port, int reason)
{
	nat_again();
	run(port);
	expect(port, reason);
}

struct nat_seen nat_seen(void)
{
	struct nat_seen seen_now;
	const uint8_t *ip = out.frame + packet_l2_length(out.frame);
	uint32_t header = (ip[0] & 15u) * 4, length = (uint32_t)(ip[2] << 8 | ip[3]) - header;

	memset(&seen_now, 0, sizeof(seen_now));
	inet_ntop(AF_INET, ip + 12, seen_now.source, sizeof(seen_now.source));
	inet_ntop(AF_INET, ip + 16, seen_now.destination, sizeof(seen_now.destination));
	seen_now.from = seen_now.to = (uint16_t)(ip[header + 4] << 8 | ip[header + 5]);
	if (ip[9] != 1) {
		seen_now.from = (uint16_t)(ip[header] << 8 | ip[header + 1]);
		seen_now.to = (uint16_t)(ip[header + 2] << 8 | ip[header + 3]);
	}
	seen_now.ttl = ip[8];
	seen_now.protocol = ip[9];
	seen_now.sums_hold = fold(add(0, ip, header)) == 0xffff &&
			     (upper_sum(ip, header, length) == 0xffff ||
				     (ip[9] == 17 && !ip[header + 6] && !ip[header + 7]));
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

int64_t nat_flow(uint16_t port, const char *peer, uint16_t peer_port, uint8_t protocol)
{
	struct bng_nat_flow_key key = {.address = bed_ip(NAT_PUBLIC),
		.peer = bed_ip(peer),
		.port = htons(port),
		.peer_port = htons(peer_port),
		.protocol = protocol};
	struct bng_nat_flow flow;

	if (bpf_map_lookup_elem(bpf_map__fd(bed.access->maps.nat_flows), &key, &flow))
		return -1;
	return (int64_t)flow.state;
}
