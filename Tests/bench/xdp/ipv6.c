// SPDX-License-Identifier: Apache-2.0
// IPv6 on the bench: forwarding both ways beside the IPv4 rows, and what the node answers by itself: a
// neighbour solicitation, a router solicitation, a Renew.
#include <arpa/inet.h>
#include <string.h>

#include "bench.h"

enum { ID = 5, GOAL_NS = 150, HOP6 = 5, ICMP6 = 58, UDP = 17 };

#define LINK_LOCAL "fe80::1"
#define ADDRESS    "2001:db8:1::1"
#define PREFIX     "2001:db8:a001::"
#define REMOTE     "2001:db8:113::9"

static const uint8_t client_mac[6] = {0x02, 0x00, 0x5e, 0x40, 0x00, 0x00};
static const uint8_t duid[14] = {0, 1, 0, 1, 0x2a, 1, 2, 3, 2, 0, 0x5e, 0x40, 0, 0};
static const uint8_t server_duid[10] = {0, 3, 0, 1, 2, 0, 0x5e, 0, 0x53, 1};

static struct bng_ip6 ip6(const char *text)
{
	struct bng_ip6 address;

	if (inet_pton(AF_INET6, text, &address) != 1)
		die(text);
	return address;
}

static struct packet_layers line_layers(const char *source, const char *destination, uint8_t hops)
{
	return (struct packet_layers){.to = bed_port_mac,
		.from = client_mac,
		.outer_type = 0x88a8,
		.tags = {1, 1},
		.source = source,
		.destination = destination,
		.ttl = hops};
}

static void put_route6(const char *prefix, uint32_t bits, struct bng_route6 route)
{
	struct bng_route6_key key = {.prefix_bits = 32 + bits, .ipv6 = ip6(prefix)};

	route.length = bits;
	bed_put(bed.access->maps.routes6, &key, &route);
}

static void put_network6(void)
{
	struct bng_next_hop hop = {
		.kind = BNG_NEXT_HOP_GATEWAY, .port = BED_CORE, .ipv6 = ip6("2001:db8:ffff::254")};
	uint32_t index = BED_ACCESS, hop_index = HOP6;
	struct bng_port port;

	if (bpf_map_lookup_elem(bpf_map__fd(bed.access->maps.ports), &index, &port))
		die("ports");
	port.flags |= BNG_PORT_IPV6;
	port.link_local = ip6(LINK_LOCAL);
	bed_put(bed.access->maps.ports, &index, &port);
	bed_put(bed.access->maps.next_hops, &hop_index, &hop);
	put_route6("::", 0, (struct bng_route6){.kind = BNG_ROUTE_NEXT_HOP, .next_hop = HOP6});
}

static uint32_t sum_of(const uint8_t *bytes, uint32_t length)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < length; i += 4) {
		uint32_t word;

		memcpy(&word, bytes + i, 4);
		sum += word;
	}
	while (sum >> 32)
		sum = (sum & 0xffffffff) + (sum >> 32);
	return (uint32_t)sum;
}

/* What the node answers with: sizes of a usual advertisement (prefix, MTU, RDNSS) and reply. */
static void put_answers(void)
{
	struct bng_advertisement advertisement = {.length = 80, .bytes = {134}};
	struct bng_dhcp6_reply reply = {.client_id_hash = bng_bytes_hash(duid, sizeof(duid)),
		.server_id_hash = bng_bytes_hash(server_duid, sizeof(server_duid)),
		.association_count = 2,
		.reply_length = 140,
		.associations = {{.kind = 3, .length = 128, .iaid = htonl(1), .address = ip6(ADDRESS)},
			{.kind = 25, .length = 48, .iaid = htonl(2), .address = ip6(PREFIX)}}};
	uint32_t slot = 0;

	memset(reply.reply, 7, reply.reply_length);
	reply.sum = sum_of(reply.reply, reply.reply_length);
	advertisement.sum = sum_of(advertisement.bytes, advertisement.length);
	bed_put(bed.access->maps.advertisements, &slot, &advertisement);
	bed_put(bed.access->maps.dhcp6_replies, &slot, &reply);
}

/* One session with an address and a delegated prefix, on QinQ, in PPPoE if it has an id. */
static void put_line6(uint16_t pppoe_id)
{
	struct bng_line_key line = {.port = BED_ACCESS, .s_vlan = 1, .c_vlan = 1, .pppoe_id = pppoe_id};
	struct bng_session session = {.session_id = 1000,
		.generation = 1,
		.template_index = BED_TEMPLATE,
		.s_tpid = htons(0x88a8),
		.c_tpid = htons(0x8100),
		.flags = (uint16_t)(BNG_SESSION_IPV6 | (pppoe_id ? BNG_SESSION_PPPOE : 0)),
		.mtu = 1492};
	struct bng_session6 session6 = {.session_id = 1000,
		.valid_ns = 3600000000000ULL,
		.flags = BNG_SESSION6_ADVERTISES | BNG_SESSION6_DHCP,
		.prefix_count = 2,
		.prefixes = {{ip6(ADDRESS), {~0ULL, ~0ULL}}, {ip6(PREFIX), ip6("ffff:ffff:ffff::")}}};
	struct bng_session6_state state = {
		.session_id = 1000, .expires_ns = bed_now_ns() + 86400000000000ULL};
	struct bng_route6 route = {.kind = BNG_ROUTE_SESSION};

	bed_reset(&bed);
	put_network6();
	memcpy(line.mac, client_mac, 6);
	memcpy(session.frame_mac, client_mac, 6);
	session.ipv4 = bed_ip("100.64.0.0");
	bed_put(bed.access->maps.session6_state, &session.slot, &state);
	bed_put(bed.access->maps.sessions6, &session.slot, &session6);
	route.line = line;
	put_route6(ADDRESS, 128, route);
	put_route6(PREFIX, 48, route);
	put_answers();
	bed_put_session(&bed, &line, &session, UINT64_MAX);
}

static struct traffic up_traffic6(uint16_t pppoe_id)
{
	static const uint8_t payload[SMALL];
	static struct traffic t;
	struct packet_layers layers = line_layers("2001:db8:a001:1::2", REMOTE, 64);

	memset(&t, 0, sizeof(t));
	packet_udp6(&t.packet, &layers, 5000, 6000, payload, SMALL);
	if (pppoe_id)
		packet_into_pppoe(&t.packet, pppoe_id);
	return t;
}

static struct traffic down_traffic6(void)
{
	static const uint8_t payload[SMALL];
	static struct traffic t;
	struct packet_layers layers = {.to = bed_core_mac,
		.from = bed_gateway_mac,
		.source = REMOTE,
		.destination = "2001:db8:a001:1::2",
		.ttl = 64};

	memset(&t, 0, sizeof(t));
	t.downstream = true;
	packet_udp6(&t.packet, &layers, 5000, 6000, payload, SMALL);
	return t;
}

static struct traffic nd_traffic(uint8_t type)
{
	uint8_t message[32] = {type};
	uint32_t at = type == 135 ? 24 : 8;
	struct bng_ip6 target = ip6(LINK_LOCAL);
	struct packet_layers layers =
		line_layers("fe80::77", type == 135 ? "ff02::1:ff00:1" : "ff02::2", 255);
	static struct traffic t;

	memset(&t, 0, sizeof(t));
	if (type == 135)
		memcpy(message + 8, &target, 16);
	message[at] = 1;
	message[at + 1] = 1;
	memcpy(message + at + 2, client_mac, 6);
	layers.protocol = ICMP6;
	packet_ipv6(&t.packet, &layers, message, at + 8);
	return t;
}

static uint32_t put_option(uint8_t *to, uint16_t code, const void *bytes, uint16_t length)
{
	const uint8_t head[4] = {
		(uint8_t)(code >> 8), (uint8_t)code, (uint8_t)(length >> 8), (uint8_t)length};

	memcpy(to, head, 4);
	memcpy(to + 4, bytes, length);
	return 4u + length;
}

/* As dhcpcd sends it, an address and a prefix in one. */
static struct traffic renew_traffic(void)
{
	struct bng_ip6 address = ip6(ADDRESS), prefix = ip6(PREFIX);
	uint8_t na[40] = {0, 0, 0, 1, [13] = 5, [15] = 24},
		pd[41] = {0, 0, 0, 2, [13] = 26, [15] = 25, [24] = 48};
	uint8_t message[256] = {5, 0xab, 0xcd, 0xef};
	struct packet_layers layers = line_layers("fe80::77", "ff02::1:2", 1);
	static struct traffic t;
	uint32_t length = 4;

	memset(&t, 0, sizeof(t));
	memcpy(na + 16, &address, 16);
	memcpy(pd + 25, &prefix, 16);
	length += put_option(message + length, 1, duid, sizeof(duid));
	length += put_option(message + length, 2, server_duid, sizeof(server_duid));
	length += put_option(message + length, 8, "\0\0", 2);
	length += put_option(message + length, 6, "\0\27\0\30\0\122\0\123", 8);
	length += put_option(message + length, 3, na, sizeof(na));
	length += put_option(message + length, 25, pd, sizeof(pd));
	packet_udp6(&t.packet, &layers, 546, 547, message, length);
	return t;
}

void time_ipv6(double floor)
{
	struct bpf_program *access = bed.access->progs.xdp_access, *core = bed.core->progs.xdp_core;

	put_line6(0);
	time_path("F2.ns.up.qinq6", "line to core, QinQ, IPv6 of a delegated prefix", access, up_traffic6(0),
		"access0", "access0p", GOAL_NS, floor);
	time_path("F2.ns.down.qinq6", "core to line, QinQ, IPv6 of a delegated prefix", core, down_traffic6(),
		"core0", "core0p", GOAL_NS, floor);
	time_path("A7.ns.ra", "Router Solicitation to Advertisement", access, nd_traffic(133), "access0",
		"access0p", 2 * GOAL_NS, floor);
	time_path("A7.ns.na", "Neighbor Solicitation to Advertisement", access, nd_traffic(135), "access0",
		"access0p", 2 * GOAL_NS, floor);
	time_path("A8.ns.renew", "DHCPv6 Renew to Reply, an address and a prefix", access, renew_traffic(),
		"access0", "access0p", 2 * GOAL_NS, floor);
	put_line6(ID);
	time_path("F5.ns.up.pppoe6", "line to core, QinQ and PPPoE, IPv6", access, up_traffic6(ID), "access0",
		"access0p", GOAL_NS, floor);
	time_path("F5.ns.down.pppoe6", "core to line, QinQ and PPPoE, IPv6", core, down_traffic6(), "core0",
		"core0p", GOAL_NS, floor);
}

void compare_ipv6(void)
{
	put_line6(0);
	compare("A7.ra", "Router Solicitation to Advertisement, one line, against a bare XDP echo",
		nd_traffic(133), 0.3, 0.6);
	compare("A7.na", "Neighbor Solicitation to Advertisement, one line", nd_traffic(135), 0.3, 0.6);
	compare("A8.renew", "DHCPv6 Renew to Reply, one line", renew_traffic(), 0.2, 0.5);
}
