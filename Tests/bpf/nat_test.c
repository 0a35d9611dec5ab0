// SPDX-License-Identifier: Apache-2.0
// NAT44: mappings and their ports (RFC 4787, 6888): what leaves, what comes back, what is never let out.
// Peers and connections are nat_peer_test.c's.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "nat_scene.h"

enum { ENTRIES = 2048 };

static struct bng_nat_mapping mapping;

static struct nat_seen up(uint16_t from, uint16_t to)
{
	struct nat_seen left;

	nat_udp(from_a(NAT_PEER), from, to, 20);
	left = nat_passes(BED_ACCESS, BNG_TX_forward_up);
	assert_string_equal(left.source, NAT_PUBLIC);
	assert_int_equal(left.to, to);
	return left;
}

/* The error a line gets when it cannot have a mapping (RFC 5508 REQ-8). */
static void refused_with_13(void)
{
	nat_refused(BED_ACCESS, BNG_TX_icmp_unreachable);
	const uint8_t *ip = out.frame + packet_l2_length(out.frame);

	assert_int_equal(ip[20], 3);
	assert_int_equal(ip[21], 13);
	assert_memory_equal(ip + 16, p.bytes + p.ip_at + 12, 4);
	assert_memory_equal(ip + 28, p.bytes + p.ip_at, 20); /* quoted as it came */
}

static void udp_leaves_with_a_port_of_its_block_and_comes_back(void **state)
{
	struct nat_seen left, back;

	(void)state;
	left = up(5001, 53);
	assert_string_equal(left.destination, NAT_PEER);
	assert_in_range(left.from, NAT_BLOCK_A, NAT_BLOCK_A + NAT_BLOCK_PORTS - 1);
	assert_int_equal(left.ttl, 63);
	assert_int_equal(nat_mapping("100.64.1.2", 5001, 17, &mapping), left.from);
	assert_int_equal(nat_state_of(SLOT_A).mappings[BNG_NAT_UDP], 1);
	assert_int_equal(nat_state_of(SLOT_A).created, 1);

	nat_udp(from_core(NAT_PUBLIC), 53, left.from, 200);
	back = nat_passes(BED_CORE, BNG_TX_forward_down);
	assert_string_equal(back.source, NAT_PEER);
	assert_string_equal(back.destination, "100.64.1.2");
	assert_int_equal(back.from, 53);
	assert_int_equal(back.to, 5001);
	assert_int_equal(back.ttl, 63);
	check_line(out.frame, mac_a, "\x88\xa8\x00\x0a\x81\x00\x00\x14", 8);
}

static void a_mapping_is_the_same_for_every_peer(void **state)
{
	uint16_t port = up(5001, 53).from;

	(void)state;
	nat_udp(from_a("203.0.113.10"), 5001, 99, 10);
	assert_int_equal(nat_passes(BED_ACCESS, BNG_TX_forward_up).from, port);
	assert_int_not_equal(up(5002, 53).from, port);
}

static void protocols_have_ports_of_their_own(void **state)
{
	uint16_t udp_port = up(5001, 53).from, tcp_port;

	(void)state;
	nat_tcp(from_a(NAT_PEER), 5001, 53, NAT_SYN, 0);
	tcp_port = nat_passes(BED_ACCESS, BNG_TX_forward_up).from;
	assert_int_equal(nat_mapping("100.64.1.2", 5001, 6, &mapping), tcp_port);
	assert_int_equal(nat_mapping("100.64.1.2", 5001, 17, &mapping), udp_port);
	assert_int_equal(nat_state_of(SLOT_A).mappings[BNG_NAT_TCP], 1);
	assert_int_equal(nat_state_of(SLOT_A).mappings[BNG_NAT_UDP], 1);
}

static void ports_are_taken_at_random(void **state)
{
	uint32_t in_order = 0;
	uint16_t before = 0;

	for (int i = 0; i < 24; i++) {
		uint16_t port;

		nat_scene(state);
		port = up(5001, 53).from;
		in_order += port == before || port == before + 1;
		before = port;
	}
	assert_true(in_order < 8);
}

static void every_port_of_a_block_is_used_once_then_none_is_left(void **state)
{
	bool used[NAT_BLOCK_PORTS] = {false};
	union {
		struct bng_punt punt;
		uint8_t bytes[4096];
	} record;

	(void)state;
	for (uint16_t i = 0; i < NAT_BLOCK_PORTS; i++) {
		nat_udp(from_a(NAT_PEER), (uint16_t)(5000 + i), 53, 20);
		nat_again();
		run(BED_ACCESS);
		assert_int_equal(out.verdict, XDP_REDIRECT);
		uint16_t at = (uint16_t)(nat_seen().from - NAT_BLOCK_A);

		assert_in_range(at, 0, NAT_BLOCK_PORTS - 1);
		assert_false(used[at]);
		used[at] = true;
		/* At three quarters the agent is told, once. */
		assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_PUNT_REASON_nat_ports_low), i == 48);
		if (i == 48) {
			assert_true(bed_take_punt(&bed, &record, sizeof(record)) > 0);
			assert_int_equal(record.punt.punt_class, BNG_PUNT_NAT_PORTS);
			assert_int_equal(record.punt.session_id, 0xa);
			assert_int_equal(record.punt.frame_length, 0);
			seen[BNG_PUNT_REASON_nat_ports_low] = true;
		}
	}
	nat_udp(from_a(NAT_PEER), 6000, 53, 20);
	refused_with_13();
	assert_int_equal(nat_state_of(SLOT_A).refused, 1);
	assert_int_equal(nat_state_of(SLOT_A).mappings[BNG_NAT_UDP], 64);
	/* What is mapped goes on; so do TCP and the other session. */
	up(5000, 53);
	nat_tcp(from_a(NAT_PEER), 6000, 80, NAT_SYN, 0);
	nat_passes(BED_ACCESS, BNG_TX_forward_up);
	nat_udp(from_b(NAT_PEER), 6000, 53, 20);
	assert_in_range(nat_passes(BED_ACCESS, BNG_TX_forward_up).from, NAT_BLOCK_B, NAT_BLOCK_B + 63);
}

static void a_second_block_is_used_too(void **state)
{
	struct bng_nat_session grant = {.session_id = 0xa,
		.address = bed_ip(NAT_PUBLIC),
		.policy = NAT_POLICY,
		.block_count = 2,
		.block_ports = 64,
		.first_ports = {2048, 65536 - 64}};
	uint32_t slot = SLOT_A, low = 0, high = 0;

	(void)state;
	bed_put(bed.access->maps.nat_sessions, &slot, &grant);
	for (uint16_t i = 0; i < 128; i++) {
		nat_udp(from_a(NAT_PEER), (uint16_t)(5000 + i), 53, 20);
		nat_again();
		run(BED_ACCESS);
		assert_int_equal(out.verdict, XDP_REDIRECT);
		low += nat_seen().from >= 2048 && nat_seen().from < 2112;
		high += nat_seen().from >= 65472;
	}
	assert_int_equal(low, 64);
	assert_int_equal(high, 64);
}

static void parity_is_kept_while_there_are_such_ports(void **state)
{
	uint32_t same = 0;

	(void)state;
	nat_policy(BNG_NAT_PARITY, 1000);
	for (uint16_t i = 0; i < 32; i++) {
		nat_udp(from_a(NAT_PEER), (uint16_t)(5000 + 2 * i), 53, 20);
		nat_again();
		run(BED_ACCESS);
		assert_int_equal(out.verdict, XDP_REDIRECT);
		same += !(nat_seen().from & 1);
	}
	assert_int_equal(same, 32);
	assert_int_equal(up(5001, 53).from & 1, 1);
	/* All even ones are taken. */
	assert_int_equal(up(6000, 53).from & 1, 1);
}

static void without_a_grant_nothing_leaves(void **state)
{
	uint32_t slot = SLOT_A;

	(void)state;
	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(bed.access->maps.nat_sessions), &slot), 0);
	nat_udp(from_a(NAT_PEER), 5001, 53, 20);
	refused_with_13();
	assert_int_equal(nat_mapping("100.64.1.2", 5001, 17, &mapping), 0);
	/* The grant of a session that was there before is no better. */
	nat_grant(SLOT_A, 0xa1, NAT_PUBLIC, NAT_BLOCK_A, 64);
	refused_with_13();
	nat_grant(SLOT_A, 0xa, NAT_PUBLIC, NAT_BLOCK_A, 0);
	refused_with_13();
}

static void fill(struct bpf_map *map, const void *value)
{
	for (uint32_t i = 0; i < ENTRIES; i++) {
		struct bng_nat_key key = {.vrf = 7, .address = i, .protocol = 17};

		if (bpf_map_update_elem(bpf_map__fd(map), &key, value, BPF_ANY))
			return;
	}
}

static void a_full_table_refuses_new_mappings_and_takes_no_port(void **state)
{
	struct bpf_map *maps[] = {bed.access->maps.nat_in, bed.access->maps.nat_out};
	struct bng_nat_mapping filler = {.session_id = 0x99};

	for (int i = 0; i < 2; i++) {
		uint16_t port;

		nat_scene(state);
		port = up(5000, 53).from;
		fill(maps[i], &filler);
		nat_udp(from_a(NAT_PEER), 5001, 53, 20);
		refused_with_13();
		assert_int_equal(nat_mapping("100.64.1.2", 5001, 17, &mapping), 0);
		assert_int_equal(nat_state_of(SLOT_A).mappings[BNG_NAT_UDP], 1);
		assert_int_equal(nat_state_of(SLOT_A).refused, 1);
		for (uint16_t q = NAT_BLOCK_A; q < NAT_BLOCK_A + 64; q++) {
			struct bng_nat_key key = {
				.address = bed_ip(NAT_PUBLIC), .port = htons(q), .protocol = 17};
			struct bng_nat_reverse reverse;

			assert_int_equal(
				!bpf_map_lookup_elem(bpf_map__fd(bed.access->maps.nat_in), &key, &reverse),
				q == port);
		}
		assert_int_equal(up(5000, 53).from, port);
	}
}

static void a_udp_sum_of_zero_stays_and_one_that_becomes_zero_is_ffff(void **state)
{
	uint8_t *udp_at;
	uint32_t check, sum;
	const uint8_t *left;

	(void)state;
	nat_udp(from_a(NAT_PEER), 5001, 53, 20);
	udp_at = p.bytes + p.ip_at + 20;
	udp_at[6] = udp_at[7] = 0;
	nat_passes(BED_ACCESS, BNG_TX_forward_up);
	left = out.frame + packet_l2_length(out.frame) + 20;
	assert_int_equal(left[6] | left[7], 0);

	/* Added to the payload, the sum it leaves with makes it leave with 0, which is sent as 0xffff (RFC
	 * 768). */
	nat_udp(from_a(NAT_PEER), 5001, 53, 2);
	nat_passes(BED_ACCESS, BNG_TX_forward_up);
	check = (uint32_t)(left[6] << 8 | left[7]);
	nat_udp(from_a(NAT_PEER), 5001, 53, 2);
	sum = (uint16_t) ~(udp_at[6] << 8 | udp_at[7]) + check;
	sum = (sum & 0xffff) + (sum >> 16);
	check += (uint32_t)(udp_at[8] << 8 | udp_at[9]);
	check = (check & 0xffff) + (check >> 16);
	udp_at[6] = (uint8_t)(~sum >> 8);
	udp_at[7] = (uint8_t)~sum;
	udp_at[8] = (uint8_t)(check >> 8);
	udp_at[9] = (uint8_t)check;
	nat_passes(BED_ACCESS, BNG_TX_forward_up);
	assert_int_equal(left[6] << 8 | left[7], 0xffff);
}

static void a_wrong_sum_stays_wrong(void **state)
{
	(void)state;
	nat_udp(from_a(NAT_PEER), 5001, 53, 20);
	p.bytes[p.ip_at + 27] ^= 0x40;
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_up);
	assert_false(nat_seen().sums_hold);
}

static void ip_options_do_not_hinder(void **state)
{
	struct packet_layers layers = from_a(NAT_PEER), down = from_core(NAT_PUBLIC);
	struct nat_seen left;

	(void)state;
	layers.option_words = down.option_words = 10;
	for (int i = 0; i < 2; i++) {
		uint8_t protocol = i ? 6 : 17;

		if (i)
			nat_tcp(layers, 5001, 80, NAT_SYN, 40);
		else
			nat_udp(layers, 5001, 80, 40);
		left = nat_passes(BED_ACCESS, BNG_TX_forward_up);
		assert_string_equal(left.source, NAT_PUBLIC);
		assert_int_equal(nat_mapping("100.64.1.2", 5001, protocol, &mapping), left.from);
		if (i)
			nat_tcp(down, 80, left.from, NAT_SYN | NAT_ACK, 40);
		else
			nat_udp(down, 80, left.from, 40);
		left = nat_passes(BED_CORE, BNG_TX_forward_down);
		assert_string_equal(left.destination, "100.64.1.2");
		assert_int_equal(left.to, 5001);
	}
}

static void lines_on_one_address_reach_each_other_by_it(void **state)
{
	struct nat_seen at_b, at_a;
	uint16_t port_b, port_a;

	(void)state;
	nat_udp(from_b(NAT_PEER), 7000, 53, 20);
	port_b = nat_passes(BED_ACCESS, BNG_TX_forward_up).from;
	nat_udp(from_a(NAT_PUBLIC), 5001, port_b, 64);
	at_b = nat_passes(BED_ACCESS, BNG_TX_forward_line_to_line);
	assert_string_equal(at_b.source, NAT_PUBLIC);
	assert_in_range(at_b.from, NAT_BLOCK_A, NAT_BLOCK_A + NAT_BLOCK_PORTS - 1);
	assert_string_equal(at_b.destination, "100.64.3.4");
	assert_int_equal(at_b.to, 7000);
	check_line(out.frame, mac_b, "\x81\x00\x00\x1e", 4);
	port_a = at_b.from;
	/* The answer, and one from another port: filtering is endpoint-independent. */
	nat_udp(from_b(NAT_PUBLIC), 7000, port_a, 64);
	at_a = nat_passes(BED_ACCESS, BNG_TX_forward_line_to_line);
	assert_string_equal(at_a.destination, "100.64.1.2");
	assert_int_equal(at_a.to, 5001);
	assert_int_equal(at_a.from, port_b);
	/* To oneself. */
	nat_udp(from_a(NAT_PUBLIC), 5002, port_a, 64);
	at_a = nat_passes(BED_ACCESS, BNG_TX_forward_line_to_line);
	assert_string_equal(at_a.destination, "100.64.1.2");
	nat_udp(from_a(NAT_PUBLIC), 5002, NAT_BLOCK_B + 63 - (port_b == NAT_BLOCK_B + 63), 64);
	nat_refused(BED_ACCESS, BNG_DROP_nat_no_mapping);
}

static void what_is_not_mapped_does_not_come_in(void **state)
{
	(void)state;
	nat_udp(from_core(NAT_PUBLIC), 53, NAT_BLOCK_A, 20);
	nat_refused(BED_CORE, BNG_DROP_nat_no_mapping);
	nat_icmp(from_core(NAT_PUBLIC), 8, 7, 20);
	nat_refused(BED_CORE, BNG_DROP_nat_no_mapping);
	nat_udp(from_core("203.0.120.77"), 53, NAT_BLOCK_A, 20);
	nat_refused(BED_CORE, BNG_DROP_nat_no_mapping);
}

static void what_cannot_be_translated_never_leaves(void **state)
{
	static const struct {
		uint8_t protocol;
		uint32_t length;
		int reason;
	} cases[] = {{47, 40, BNG_DROP_nat_protocol}, {132, 40, BNG_DROP_nat_protocol},
		{17, 7, BNG_DROP_nat_malformed}, {17, 0, BNG_DROP_nat_malformed},
		{6, 19, BNG_DROP_nat_malformed}, {1, 7, BNG_DROP_nat_malformed}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet_layers layers = from_a(NAT_PEER);
		uint8_t payload[64] = {0};

		nat_scene(state);
		layers.protocol = cases[i].protocol;
		packet_ipv4(&p, &layers, payload, cases[i].length);
		nat_refused(BED_ACCESS, cases[i].reason);
	}
}

static void a_packet_that_is_not_forwarded_makes_no_mapping(void **state)
{
	struct packet_layers layers = from_a(NAT_PEER);

	(void)state;
	layers.ttl = 1;
	nat_udp(layers, 5001, 53, 20);
	nat_refused(BED_ACCESS, BNG_TX_icmp_ttl_exceeded);
	nat_udp(from_a("224.0.0.1"), 5001, 53, 20);
	nat_refused(BED_ACCESS, BNG_DROP_martian_destination);
	nat_udp(from_a("198.18.0.1"), 5001, 53, 20);
	nat_refused(BED_ACCESS, BNG_DROP_route_blackhole);
	layers = from_a(NAT_PEER);
	layers.source = "100.64.77.77";
	nat_udp(layers, 5001, 53, 20);
	nat_refused(BED_ACCESS, BNG_DROP_spoofed_source);
	assert_int_equal(nat_state_of(SLOT_A).created, 0);
	assert_int_equal(nat_mapping("100.64.1.2", 5001, 17, &mapping), 0);
}

static void among_subscribers_there_is_no_translation(void **state)
{
	(void)state;
	nat_udp(from_a("100.64.3.4"), 5001, 53, 20);
	assert_string_equal(nat_passes(BED_ACCESS, BNG_TX_forward_line_to_line).source, "100.64.1.2");
	assert_int_equal(nat_state_of(SLOT_A).created, 0);
}

/* RFC 6888 REQ-6. */
static void toward_an_exempt_prefix_nothing_is_translated(void **state)
{
	struct bng_route_key key = {.prefix_bits = 64, .ipv4 = bed_ip(NAT_PEER)};
	struct packet_layers down = from_core("100.64.1.2");
	struct bng_route route;
	struct nat_seen left;

	(void)state;
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(bed.access->maps.routes4), &key, &route), 0);
	assert_int_equal(route.kind, BNG_ROUTE_NEXT_HOP);
	route.kind = BNG_ROUTE_UNTRANSLATED;
	bed_put(bed.access->maps.routes4, &key, &route);
	nat_udp(from_a(NAT_PEER), 5001, 53, 20);
	left = nat_passes(BED_ACCESS, BNG_TX_forward_up);
	assert_string_equal(left.source, "100.64.1.2");
	assert_int_equal(left.from, 5001);
	assert_int_equal(nat_state_of(SLOT_A).created, 0);
	nat_udp(down, 53, 5001, 20);
	assert_string_equal(nat_passes(BED_CORE, BNG_TX_forward_down).destination, "100.64.1.2");
	/* To all others as ever. */
	nat_udp(from_a("203.0.113.10"), 5001, 53, 20);
	assert_string_equal(nat_passes(BED_ACCESS, BNG_TX_forward_up).source, NAT_PUBLIC);
}

static void private_sources_behind_a_session_are_translated_public_ones_are_not(void **state)
{
	struct bng_route route = {.kind = BNG_ROUTE_SESSION, .session = bed_ip("100.64.1.2")};
	struct bng_route_key private = {.prefix_bits = 32 + 24, .ipv4 = bed_ip("192.168.7.0")},
			     public = {.prefix_bits = 32 + 29, .ipv4 = bed_ip("203.0.121.8")};
	struct packet_layers layers = from_a(NAT_PEER);
	struct bng_session a = session_a();
	struct nat_seen left;

	(void)state;
	a.flags |= BNG_SESSION_NAT | BNG_SESSION_HAS_ROUTES;
	put(&line_a, a, 600);
	bed_put(bed.access->maps.routes4, &private, &route);
	bed_put(bed.access->maps.routes4, &public, &route);
	layers.source = "192.168.7.5";
	nat_udp(layers, 5001, 53, 20);
	left = nat_passes(BED_ACCESS, BNG_TX_forward_up);
	assert_string_equal(left.source, NAT_PUBLIC);
	nat_udp(from_core(NAT_PUBLIC), 53, left.from, 20);
	left = nat_passes(BED_CORE, BNG_TX_forward_down);
	assert_string_equal(left.destination, "192.168.7.5");
	check_line(out.frame, mac_a, "\x88\xa8\x00\x0a\x81\x00\x00\x14", 8);
	layers.source = "203.0.121.9";
	nat_udp(layers, 5001, 53, 20);
	left = nat_passes(BED_ACCESS, BNG_TX_forward_up);
	assert_string_equal(left.source, "203.0.121.9");
	assert_int_equal(left.from, 5001);
	/* Through one address for all there is no way back to others behind. */
	nat_static_a();
	a.flags |= BNG_SESSION_NAT_STATIC;
	put(&line_a, a, 600);
	layers.source = "192.168.7.5";
	nat_udp(layers, 5001, 53, 20);
	nat_refused(BED_ACCESS, BNG_TX_icmp_unreachable);
}

static void a_spoofed_private_source_of_a_lenient_line_is_translated(void **state)
{
	struct bng_session a = session_a();
	struct packet_layers layers = from_a(NAT_PEER);

	(void)state;
	a.flags |= BNG_SESSION_NAT | BNG_SESSION_SPOOF_LOG;
	put(&line_a, a, 600);
	layers.source = "172.16.9.9";
	nat_udp(layers, 5001, 53, 20);
	run(BED_ACCESS);
	assert_int_equal(out.verdict, XDP_REDIRECT);
	assert_string_equal(nat_seen().source, NAT_PUBLIC);
}

static void what_another_session_left_behind_is_replaced(void **state)
{
	struct bng_nat_key out_key = {.address = bed_ip("100.64.1.2"), .port = htons(5001), .protocol = 17};
	uint16_t old = up(5001, 53).from;
	struct bng_nat_state before;

	(void)state;
	assert_int_not_equal(nat_mapping("100.64.1.2", 5001, 17, &mapping), 0);
	/* As if B had had the address; it is still there, and counts one less. */
	mapping.session_id = 0xb;
	mapping.slot = SLOT_B;
	bed_put(bed.access->maps.nat_out, &out_key, &mapping);
	before = nat_state_of(SLOT_B);
	before.mappings[BNG_NAT_UDP] = 5;
	uint32_t slot = SLOT_B;

	bed_put(bed.access->maps.nat_state, &slot, &before);
	up(5001, 53);
	nat_mapping("100.64.1.2", 5001, 17, &mapping);
	assert_int_equal(mapping.session_id, 0xa);
	assert_int_equal(nat_state_of(SLOT_B).mappings[BNG_NAT_UDP], 4);
	if (ntohs(mapping.port) != old) {
		nat_udp(from_core(NAT_PUBLIC), 53, old, 20);
		nat_refused(BED_CORE, BNG_DROP_nat_no_mapping);
	}
	/* One that the reaper has in hand is not to be used. */
	mapping.seen_ns = BNG_NAT_DEAD;
	bed_put(bed.access->maps.nat_out, &out_key, &mapping);
	nat_udp(from_a(NAT_PEER), 5001, 53, 20);
	nat_refused(BED_ACCESS, BNG_DROP_nat_internal);
}

static void a_mapping_of_a_session_that_was_leads_to_no_one(void **state)
{
	uint16_t port = up(5001, 53).from;
	struct bng_session a = session_a();

	(void)state;
	a.session_id = 0xd;
	a.flags |= BNG_SESSION_NAT;
	put(&line_a, a, 600); /* the address is another session's now */
	nat_udp(from_core(NAT_PUBLIC), 53, port, 20);
	nat_refused(BED_CORE, BNG_DROP_nat_no_mapping);
	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(bed.access->maps.session_addresses),
				 &(struct bng_address_key){.ipv4 = bed_ip("100.64.1.2")}),
		0);
	nat_refused(BED_CORE, BNG_DROP_nat_no_mapping);
}

static void what_waits_for_a_neighbor_is_already_translated(void **state)
{
	struct bng_punt *punt;
	const uint8_t *ip;

	(void)state;
	nat_udp(from_a("198.51.100.7"), 5001, 53, 20);
	run(BED_ACCESS);
	punt = expect_handed_over(BED_ACCESS, BNG_PUNT_REASON_neighbor_unresolved, BNG_PUNT_NEIGHBOR, 0, 0);
	memcpy(out.frame, punt->frame, punt->frame_length);
	ip = out.frame + packet_l2_length(out.frame);
	assert_int_equal(ip[8], 64);
	assert_string_equal(nat_seen().source, NAT_PUBLIC);
	assert_true(nat_seen().sums_hold);
}

static void a_pppoe_line_is_translated_both_ways(void **state)
{
	struct bng_line_key line = line_a;
	struct bng_session a = session_a();
	struct nat_seen left;

	(void)state;
	line.pppoe_id = 7;
	a.flags |= BNG_SESSION_NAT | BNG_SESSION_PPPOE | BNG_SESSION_CLAMP_MSS;
	a.mtu = 1492;
	put(&line, a, 600);
	nat_tcp(from_a(NAT_PEER), 5001, 80, NAT_SYN, 100);
	packet_into_pppoe(&p, 7);
	left = nat_passes(BED_ACCESS, BNG_TX_forward_up);
	assert_string_equal(left.source, NAT_PUBLIC);
	nat_tcp(from_core(NAT_PUBLIC), 80, left.from, NAT_SYN | NAT_ACK, 1000);
	left = nat_passes(BED_CORE, BNG_TX_forward_down);
	assert_string_equal(left.destination, "100.64.1.2");
	assert_int_equal(left.to, 5001);
	assert_memory_equal(out.frame + 20, "\x88\x64\x11\x00\x00\x07", 6);
}

static void one_to_one_every_protocol_passes_with_its_ports(void **state)
{
	static const uint8_t protocols[] = {17, 6, 47, 50};

	(void)state;
	nat_static_a();
	for (size_t i = 0; i < sizeof(protocols); i++) {
		struct packet_layers layers = from_a(NAT_PEER), down = from_core(NAT_WHOLE);
		uint8_t payload[40] = {7};

		layers.protocol = down.protocol = protocols[i];
		for (int way = 0; way < 2; way++) {
			struct packet_layers *l = way ? &down : &layers;

			if (protocols[i] == 17)
				nat_udp(*l, 5001, 5002, 30);
			else if (protocols[i] == 6)
				nat_tcp(*l, 5001, 5002, NAT_ACK, 30);
			else
				packet_ipv4(&p, l, payload, sizeof(payload));
			nat_again();
			run(way ? BED_CORE : BED_ACCESS);
			expect(way ? BED_CORE : BED_ACCESS, way ? BNG_TX_forward_down : BNG_TX_forward_up);
			assert_string_equal(nat_seen().source, way ? NAT_PEER : NAT_WHOLE);
			assert_string_equal(nat_seen().destination, way ? "100.64.1.2" : NAT_PEER);
			assert_true(nat_seen().sums_hold || protocols[i] > 17);
			if (protocols[i] <= 17)
				assert_int_equal(nat_seen().from << 16 | nat_seen().to, 5001 << 16 | 5002);
			else
				assert_memory_equal(out.frame + packet_l2_length(out.frame) + 20, payload,
					sizeof(payload));
		}
	}
	assert_int_equal(nat_mapping("100.64.1.2", 5001, 17, &mapping), 0);
}

static void one_to_one_lines_reach_each_other_and_those_behind_ports(void **state)
{
	struct packet_layers layers = from_a(NAT_WHOLE);
	uint8_t payload[40] = {0};
	struct nat_seen left;
	uint16_t port_b;

	(void)state;
	nat_static_a();
	nat_udp(from_b(NAT_PEER), 7000, 53, 20);
	port_b = nat_passes(BED_ACCESS, BNG_TX_forward_up).from;
	nat_udp(from_a(NAT_PUBLIC), 5001, port_b, 20);
	left = nat_passes(BED_ACCESS, BNG_TX_forward_line_to_line);
	assert_string_equal(left.source, NAT_WHOLE);
	assert_string_equal(left.destination, "100.64.3.4");
	assert_int_equal(left.to, 7000);
	nat_udp(from_b(NAT_WHOLE), 7000, 5001, 20);
	left = nat_passes(BED_ACCESS, BNG_TX_forward_line_to_line);
	assert_string_equal(left.source, NAT_PUBLIC);
	assert_string_equal(left.destination, "100.64.1.2");
	assert_int_equal(left.to, 5001);
	/* An error has been here, then a protocol without ports: nothing of the one may count for the other.
	 */
	nat_error(from_a(NAT_PEER), 3, out.frame, 8);
	nat_again();
	run(BED_ACCESS);
	layers.protocol = 47;
	packet_ipv4(&p, &layers, payload, sizeof(payload));
	nat_again();
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_line_to_line);
	assert_string_equal(nat_seen().source, NAT_WHOLE);
	assert_string_equal(nat_seen().destination, "100.64.1.2");
}

#define CASE(f) cmocka_unit_test_setup(f, nat_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(udp_leaves_with_a_port_of_its_block_and_comes_back),
		CASE(a_mapping_is_the_same_for_every_peer),
		CASE(protocols_have_ports_of_their_own),
		CASE(ports_are_taken_at_random),
		CASE(every_port_of_a_block_is_used_once_then_none_is_left),
		CASE(a_second_block_is_used_too),
		CASE(parity_is_kept_while_there_are_such_ports),
		CASE(without_a_grant_nothing_leaves),
		CASE(a_full_table_refuses_new_mappings_and_takes_no_port),
		CASE(a_udp_sum_of_zero_stays_and_one_that_becomes_zero_is_ffff),
		CASE(a_wrong_sum_stays_wrong),
		CASE(ip_options_do_not_hinder),
		CASE(lines_on_one_address_reach_each_other_by_it),
		CASE(what_is_not_mapped_does_not_come_in),
		CASE(what_cannot_be_translated_never_leaves),
		CASE(a_packet_that_is_not_forwarded_makes_no_mapping),
		CASE(among_subscribers_there_is_no_translation),
		CASE(toward_an_exempt_prefix_nothing_is_translated),
		CASE(private_sources_behind_a_session_are_translated_public_ones_are_not),
		CASE(a_spoofed_private_source_of_a_lenient_line_is_translated),
		CASE(what_another_session_left_behind_is_replaced),
		CASE(a_mapping_of_a_session_that_was_leads_to_no_one),
		CASE(what_waits_for_a_neighbor_is_already_translated),
		CASE(a_pppoe_line_is_translated_both_ways),
		CASE(one_to_one_every_protocol_passes_with_its_ports),
		CASE(one_to_one_lines_reach_each_other_and_those_behind_ports),
	};

	if (geteuid() != 0)
		return 77;
	bed.nat_entries = ENTRIES;
	if (bed_network(&bed) || bed_load(&bed, 64)) {
		fprintf(stderr, "cannot set up the bed\n");
		return 1;
	}
	return cmocka_run_group_tests_name("nat", tests, NULL, NULL);
}
