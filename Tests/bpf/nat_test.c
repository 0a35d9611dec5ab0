// SPDX-License-Identifier: Apache-2.0
// NAT44 packet by packet (RFC 4787, 5382, 5508, 6888, 7857): what leaves, what comes back, what is never let
// out.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "nat_scene.h"

static struct bng_nat_mapping mapping;

static struct nat_seen expect_up(void)
{
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_up);

	struct nat_seen left = nat_seen();

	assert_string_equal(left.source, "203.0.120.1");
	assert_true(left.sums_hold);
	return left;
}

static void again(void)
{
	for (uint32_t i = 0; i < 4 * BNG_REASON_STRIDE; i++) {
		uint64_t zeros[256] = {0};

		bed_put(bed.access->maps.reason_counters, &i, zeros);
	}
}

static void udp_leaves_with_a_port_of_its_block_and_comes_back(void **state)
{
	struct nat_seen left, back;

	(void)state;
	nat_udp(from_a("203.0.113.9"), 5001, 53, 100);
	left = expect_up();
	assert_string_equal(left.destination, "203.0.113.9");
	assert_in_range(left.from, NAT_BLOCK_A, NAT_BLOCK_A + NAT_BLOCK_PORTS - 1);
	assert_int_equal(left.to, 53);
	assert_int_equal(left.ttl, 63);
	assert_int_equal(nat_mapping("100.64.1.2", 5001, 17, &mapping), left.from);
	assert_int_equal(nat_state_of(SLOT_A).mappings[BNG_NAT_UDP], 1);

	again();
	nat_udp(from_core("203.0.120.1"), 53, left.from, 200);
	run(BED_CORE);
	expect(BED_CORE, BNG_TX_forward_down);
	back = nat_seen();
	assert_string_equal(back.source, "203.0.113.9");
	assert_string_equal(back.destination, "100.64.1.2");
	assert_int_equal(back.from, 53);
	assert_int_equal(back.to, 5001);
	assert_true(back.sums_hold);
	check_line(out.frame, mac_a, "\x88\xa8\x00\x0a\x81\x00\x00\x14", 8);
}

static void a_mapping_is_the_same_for_every_peer(void **state)
{
	uint16_t port;

	(void)state;
	nat_udp(from_a("203.0.113.9"), 5001, 53, 10);
	port = expect_up().from;
	again();
	nat_udp(from_a("203.0.113.10"), 5001, 99, 10);
	assert_int_equal(expect_up().from, port);
	again();
	nat_udp(from_a("203.0.113.9"), 5002, 53, 10);
	assert_int_not_equal(expect_up().from, port);
}

static void tcp_is_translated_both_ways(void **state)
{
	struct nat_seen left, back;

	(void)state;
	nat_tcp(from_a("203.0.113.9"), 40000, 443, 0x02, 0);
	left = expect_up();
	assert_int_equal(left.to, 443);
	again();
	nat_tcp(from_core("203.0.120.1"), 443, left.from, 0x12, 0);
	run(BED_CORE);
	expect(BED_CORE, BNG_TX_forward_down);
	back = nat_seen();
	assert_string_equal(back.destination, "100.64.1.2");
	assert_int_equal(back.to, 40000);
	assert_true(back.sums_hold);
	assert_int_equal(nat_state_of(SLOT_A).flows, 1);
}

static void an_echo_and_its_reply_are_translated_by_identifier(void **state)
{
	struct packet_layers layers = from_core("203.0.120.1");
	struct nat_seen left, back;

	(void)state;
	struct packet_layers up = from_a("203.0.113.9");
	packet_echo(&p, &up, 8, 56);
	left = expect_up();
	assert_in_range(left.from, NAT_BLOCK_A, NAT_BLOCK_A + NAT_BLOCK_PORTS - 1);
	again();
	packet_echo(&p, &layers, 0, 56);
	p.bytes[p.ip_at + 24] = (uint8_t)(left.from >> 8);
	p.bytes[p.ip_at + 25] = (uint8_t)left.from;
	/* the sum of the old identifier is 0x1234 */
	uint32_t sum = (uint16_t) ~(p.bytes[p.ip_at + 22] << 8 | p.bytes[p.ip_at + 23]);

	sum += (uint16_t)~0x1234 + left.from;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	p.bytes[p.ip_at + 22] = (uint8_t)(~sum >> 8);
	p.bytes[p.ip_at + 23] = (uint8_t)~sum;
	run(BED_CORE);
	expect(BED_CORE, BNG_TX_forward_down);
	back = nat_seen();
	assert_string_equal(back.destination, "100.64.1.2");
	assert_int_equal(back.from, 0x1234);
	assert_true(back.sums_hold);
}

static void lines_on_one_address_reach_each_other_by_it(void **state)
{
	struct packet_layers b = from_a("203.0.113.9");
	uint16_t port_b;
	struct nat_seen seen_by_b;

	(void)state;
	/* B opens a mapping toward the core. */
	b.from = mac_b;
	b.source = "100.64.3.4";
	b.outer_type = 0;
	b.tags[0] = 30;
	b.tags[1] = 0;
	(void)b;
	struct bng_nat_key out_key = {.address = bed_ip("100.64.3.4"), .port = htons(7000), .protocol = 17};
	struct bng_nat_mapping out_b = {.session_id = 0xb,
		.seen_ns = bed_now_ns(),
		.address = bed_ip("203.0.120.1"),
		.port = htons(NAT_BLOCK_B + 5),
		.slot = SLOT_B};
	struct bng_nat_key in_key = {
		.address = bed_ip("203.0.120.1"), .port = htons(NAT_BLOCK_B + 5), .protocol = 17};
	struct bng_nat_reverse in_b = {.session_id = 0xb,
		.address = bed_ip("100.64.3.4"),
		.port = htons(7000),
		.session = bed_ip("100.64.3.4"),
		.slot = SLOT_B};

	bed_put(bed.access->maps.nat_out, &out_key, &out_b);
	bed_put(bed.access->maps.nat_in, &in_key, &in_b);
	port_b = NAT_BLOCK_B + 5;
	nat_udp(from_a("203.0.120.1"), 5001, port_b, 64);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_line_to_line);
	seen_by_b = nat_seen();
	assert_string_equal(seen_by_b.source, "203.0.120.1");
	assert_in_range(seen_by_b.from, NAT_BLOCK_A, NAT_BLOCK_A + NAT_BLOCK_PORTS - 1);
	assert_string_equal(seen_by_b.destination, "100.64.3.4");
	assert_int_equal(seen_by_b.to, 7000);
	assert_true(seen_by_b.sums_hold);
}

static void what_is_not_mapped_does_not_come_in(void **state)
{
	(void)state;
	nat_udp(from_core("203.0.120.1"), 53, NAT_BLOCK_A, 20);
	run(BED_CORE);
	expect(BED_CORE, BNG_DROP_nat_no_mapping);
}

static void what_cannot_be_translated_never_leaves(void **state)
{
	static const struct {
		uint8_t protocol;
		uint32_t length;
		int reason;
	} cases[] = {{47, 40, BNG_DROP_nat_protocol}, {132, 40, BNG_DROP_nat_protocol},
		{17, 7, BNG_DROP_nat_malformed}, {6, 19, BNG_DROP_nat_malformed},
		{1, 7, BNG_DROP_nat_malformed}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet_layers layers = from_a("203.0.113.9");
		uint8_t payload[64] = {0};

		nat_scene(state);
		layers.protocol = cases[i].protocol;
		packet_ipv4(&p, &layers, payload, cases[i].length);
		run(BED_ACCESS);
		expect(BED_ACCESS, cases[i].reason);
	}
}

#define CASE(f) cmocka_unit_test_setup(f, nat_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(udp_leaves_with_a_port_of_its_block_and_comes_back),
		CASE(a_mapping_is_the_same_for_every_peer),
		CASE(tcp_is_translated_both_ways),
		CASE(an_echo_and_its_reply_are_translated_by_identifier),
		CASE(lines_on_one_address_reach_each_other_by_it),
		CASE(what_is_not_mapped_does_not_come_in),
		CASE(what_cannot_be_translated_never_leaves),
	};

	if (geteuid() != 0)
		return 77;
	if (bed_network(&bed) || bed_load(&bed, 64)) {
		fprintf(stderr, "cannot set up the bed\n");
		return 1;
	}
	return cmocka_run_group_tests_name("nat", tests, NULL, NULL);
}
