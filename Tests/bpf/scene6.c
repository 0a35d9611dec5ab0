// SPDX-License-Identifier: Apache-2.0
// IPv6 on the scene; see scene6.h.
#include "scene6.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct subscriber6 subscribers6[LINE_B + 1];

struct bng_ip6 ip6(const char *text)
{
	struct bng_ip6 address;

	assert_int_equal(inet_pton(AF_INET6, text, &address), 1);
	return address;
}

static struct bng_ip6 mask6(uint32_t bits)
{
	uint8_t bytes[16] = {0};
	struct bng_ip6 mask;

	for (uint32_t i = 0; i < bits; i++)
		bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	memcpy(&mask, bytes, sizeof(mask));
	return mask;
}

void change_port6(int index, const char *link_local, const char *ipv6)
{
	uint32_t key = (uint32_t)index;
	struct bng_port port;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(bed.access->maps.ports), &key, &port), 0);
	port.flags = (uint8_t)(link_local ? port.flags | BNG_PORT_IPV6 : port.flags & ~BNG_PORT_IPV6);
	port.link_local = ip6(link_local ? link_local : "::");
	port.ipv6 = ip6(ipv6 ? ipv6 : "::");
	bed_put(bed.access->maps.ports, &key, &port);
}

void refuse_header(int index, uint8_t next)
{
	uint32_t key = (uint32_t)index;
	struct bng_port port;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(bed.access->maps.ports), &key, &port), 0);
	port.refused_headers[next / 64] |= 1ULL << next % 64;
	bed_put(bed.access->maps.ports, &key, &port);
}

void put_route6(const char *prefix, uint32_t bits, struct bng_route6 route)
{
	struct bng_route6_key key = {.prefix_bits = 32 + bits, .ipv6 = ip6(prefix)};

	route.length = bits;
	bed_put(bed.access->maps.routes6, &key, &route);
}

void add_prefix6(struct subscriber6 *subscriber, const char *prefix, uint32_t bits)
{
	struct bng_session6 *ipv6 = &subscriber->ipv6;
	struct bng_route6 route = {.kind = BNG_ROUTE_SESSION, .line = subscriber->line};

	if (ipv6->prefix_count < BNG_INLINE_PREFIXES)
		ipv6->prefixes[ipv6->prefix_count++] = (struct bng_prefix6){ip6(prefix), mask6(bits)};
	else
		ipv6->flags |= BNG_SESSION6_MORE_PREFIXES;
	put_route6(prefix, bits, route);
}

void put6(const struct subscriber6 *subscriber, int64_t seconds_left)
{
	const struct bng_session *session = &subscriber->session;
	struct bng_session6_state state = {.session_id = session->session_id,
		.expires_ns = bed_now_ns() + (uint64_t)(seconds_left * 1000000000LL)};

	bed_put(bed.access->maps.session6_state, &session->slot, &state);
	bed_put(bed.access->maps.sessions6, &session->slot, &subscriber->ipv6);
	put(&subscriber->line, *session, 600);
}

struct bng_session6_state state6(uint32_t slot)
{
	struct bng_session6_state state;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(bed.access->maps.session6_state), &slot, &state), 0);
	return state;
}

struct bng_session6_counters counters6(uint32_t slot)
{
	struct bng_session6_counters values[256], sum = {0};
	int cpus = libbpf_num_possible_cpus();

	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(bed.access->maps.session6_counters), &slot, values), 0);
	for (int i = 0; i < cpus; i++) {
		sum.up_packets += values[i].up_packets;
		sum.up_bytes += values[i].up_bytes;
		sum.down_packets += values[i].down_packets;
		sum.down_bytes += values[i].down_bytes;
	}
	return sum;
}

static void make_subscriber(enum line6 place, struct bng_line_key line, struct bng_session session)
{
	static const struct {
		const char *address, *prefix, *host, *head;
		uint32_t l2;
	} all[] = {{"2001:db8:1::1", "2001:db8:a001::", "2001:db8:a001:7::9", "\x86\xdd", 14},
		{"2001:db8:1::2", "2001:db8:a002::", "2001:db8:a002:7::9", "\x81\x00\x00\x0a\x86\xdd", 18},
		{"2001:db8:1::3", "2001:db8:a003::", "2001:db8:a003:7::9",
			"\x88\xa8\x00\x0a\x81\x00\x00\x14\x86\xdd", 22},
		{"2001:db8:1::4", "2001:db8:a004::", "2001:db8:a004:7::9",
			"\x88\xa8\x00\x0a\x81\x00\x00\x14\x88\x64", 30},
		{"2001:db8:1::5", "2001:db8:a005::", "2001:db8:a005:7::9", "\x81\x00\x00\x1e\x86\xdd", 18}};
	struct subscriber6 *s = &subscribers6[place];

	session.flags |= BNG_SESSION_IPV6;
	*s = (struct subscriber6){.line = line,
		.session = session,
		.ipv6 = {.session_id = session.session_id, .valid_ns = 3600000000000ULL},
		.address = all[place].address,
		.prefix = all[place].prefix,
		.host = all[place].host,
		.head = all[place].head,
		.l2 = all[place].l2};
	add_prefix6(s, s->address, 128);
	add_prefix6(s, s->prefix, 48);
	put6(s, 600);
}

static void put_subscribers(void)
{
	struct bng_line_key line = line_a;
	struct bng_session session = session_a();

	session.flags = 0;
	session.session_id = 0x11;
	session.slot = SLOT_U;
	session.ipv4 = bed_ip("100.64.8.1");
	session.s_tpid = session.c_tpid = 0;
	line.s_vlan = line.c_vlan = 0;
	make_subscriber(LINE_U, line, session);

	session.session_id = 0x12;
	session.slot = SLOT_T;
	session.ipv4 = bed_ip("100.64.8.2");
	session.s_tpid = htons(0x8100);
	line.s_vlan = 10;
	make_subscriber(LINE_T, line, session);

	make_subscriber(LINE_Q, line_a, session_a());

	session = session_a();
	line = line_a;
	session.session_id = 0x13;
	session.slot = SLOT_P;
	session.ipv4 = bed_ip("100.64.8.3");
	session.flags = BNG_SESSION_PPPOE;
	session.mtu = 1492;
	line.pppoe_id = ID_P;
	make_subscriber(LINE_P, line, session);

	make_subscriber(LINE_B, line_b, session_b());
}

int scene6(void **state)
{
	struct bng_next_hop gateway = {
		.kind = BNG_NEXT_HOP_GATEWAY, .port = BED_CORE, .ipv6 = ip6("2001:db8:ffff::254")};
	struct bng_address6_key own = {.ipv6 = ip6(OWN6)};
	struct bng_own_address flags = {.flags = BNG_OWN_GATEWAY};
	uint32_t hop = BED_HOP6;

	scene(state);
	change_port6(BED_ACCESS, LINK_LOCAL, NULL);
	change_port6(BED_ACCESS2, LINK_LOCAL, NULL);
	change_port6(BED_CORE, NULL, "2001:db8:ffff::129");
	bed_put(bed.access->maps.own_addresses6, &own, &flags);
	bed_put(bed.access->maps.next_hops, &hop, &gateway);
	put_route6(OWN6, 128, (struct bng_route6){.kind = BNG_ROUTE_OWN});
	put_route6("2001:db8:1::", 64, (struct bng_route6){.kind = BNG_ROUTE_SUBSCRIBERS});
	put_route6(
		"2001:db8:113::", 48, (struct bng_route6){.kind = BNG_ROUTE_NEXT_HOP, .next_hop = BED_HOP6});
	for (int i = 0x114; i < 0x120; i++) {
		char prefix[40];

		snprintf(prefix, sizeof(prefix), "2001:db8:%x::", i);
		put_route6(prefix, 48,
			(struct bng_route6){.kind = BNG_ROUTE_NEXT_HOP, .next_hop = BED_HOP_KERNEL});
	}
	put_route6("2001:db8:dead::", 48, (struct bng_route6){.kind = BNG_ROUTE_BLACKHOLE});
	put_subscribers();
	return 0;
}

struct packet_layers from6(enum line6 line, const char *source, const char *destination)
{
	const struct bng_line_key *key = &subscribers6[line].line;

	return (struct packet_layers){.to = bed_port_mac,
		.from = subscribers6[line].session.frame_mac,
		.outer_type = ntohs(subscribers6[line].session.s_tpid),
		.tags = {key->s_vlan, key->c_vlan},
		.source = source,
		.destination = destination,
		.ttl = 64};
}

struct packet_layers from_core6(const char *destination)
{
	return (struct packet_layers){.to = bed_core_mac,
		.from = bed_gateway_mac,
		.source = REMOTE6,
		.destination = destination,
		.ttl = 64};
}

void send6(
	enum line6 line, struct packet_layers layers, uint8_t protocol, const void *payload, uint32_t length)
{
	layers.protocol = protocol;
	packet_ipv6(&p, &layers, payload, length);
	if (subscribers6[line].line.pppoe_id && layers.to == bed_port_mac)
		packet_into_pppoe(&p, subscribers6[line].line.pppoe_id);
	run(layers.to == bed_core_mac ? BED_CORE : BED_ACCESS);
}

void udp6(enum line6 line, struct packet_layers layers, uint32_t length)
{
	static uint8_t segment[2900] = {0x13, 0x89, 0x13, 0x8a};

	segment[4] = (uint8_t)((8 + length) >> 8);
	segment[5] = (uint8_t)(8 + length);
	send6(line, layers, 17, segment, 8 + length);
}

void check_line6(enum line6 line, uint32_t ip_length)
{
	const struct subscriber6 *s = &subscribers6[line];
	const uint8_t pppoe[8] = {0x11, 0, ID_P >> 8, ID_P & 255, (uint8_t)((ip_length + 2) >> 8),
		(uint8_t)(ip_length + 2), 0, 0x57};
	uint32_t head = s->l2 - 12 - (s->line.pppoe_id ? 8 : 0);

	assert_int_equal(out.length, s->l2 + ip_length);
	check_line(out.frame, s->session.frame_mac, s->head, head);
	if (s->line.pppoe_id)
		assert_memory_equal(out.frame + s->l2 - 8, pppoe, 8);
}
