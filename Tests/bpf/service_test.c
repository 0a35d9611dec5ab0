// SPDX-License-Identifier: Apache-2.0
// What AAA grants, packet by packet: rates, filters, framed routes, and the activity that keeps a session
// from being idle.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "bng_rate.h"
#include "scene.h"

enum { FILTER = 7, TCP = 6, UDP = 17 };

/* ---- rates ---- */

static struct bng_rate rate_of(uint64_t bits_per_second, uint32_t burst)
{
	uint64_t multiplier = (8000000000ULL << 24) / bits_per_second;

	return (struct bng_rate){multiplier, burst * multiplier >> BNG_RATE_FRACTION_BITS};
}

static struct bng_session policed(struct bng_session session, struct bng_rate up, struct bng_rate down)
{
	session.rate_up = up;
	session.rate_down = down;
	session.flags |= BNG_SESSION_POLICED_UP | BNG_SESSION_POLICED_DOWN;
	return session;
}

static uint32_t policer_index(uint32_t slot, int direction)
{
	return slot * BNG_DIRECTIONS + (uint32_t)direction;
}

static struct bng_policer policer(uint32_t slot, int direction)
{
	struct bng_policer ret;
	uint32_t key = policer_index(slot, direction);

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(bed.access->maps.policers), &key, &ret), 0);
	return ret;
}

/* The bucket owes so much time. */
static void owe(uint32_t slot, int direction, uint64_t multiplier, uint64_t owed)
{
	struct bng_policer value = {.full_at = bng_rate_time(bed_now_ns()) + owed, .multiplier = multiplier};
	uint32_t key = policer_index(slot, direction);

	bed_put(bed.access->maps.policers, &key, &value);
}

/* At 64 kbit/s a bucket does not fill by a packet within a test. */
static struct bng_rate slow(void)
{
	return rate_of(64000, 1600);
}

static void expect_counters(uint32_t slot, uint64_t up, uint64_t down, uint64_t dropped, int reason)
{
	struct bng_session_counters counters;
	struct bng_session_state state;

	bed_session_counters(&bed, slot, &counters);
	bed_session_state(&bed, slot, &state);
	assert_int_equal(counters.up_packets, up);
	assert_int_equal(counters.down_packets, down);
	assert_int_equal(counters.dropped_packets, dropped);
	assert_int_equal(state.last_drop_reason, reason);
	if (!up)
		assert_int_equal(counters.up_bytes, 0);
	if (!down)
		assert_int_equal(counters.down_bytes, 0);
}

static void a_packet_within_the_rate_passes_and_is_charged(void **state)
{
	uint64_t cost = bng_rate_cost(slow().multiplier, 1428), owed;

	(void)state;
	put(&line_a, policed(session_a(), slow(), slow()), 600);
	udp(from_a("203.0.113.9"), 1400);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_up);
	owed = bng_rate_owed(policer(SLOT_A, BNG_UP).full_at, bng_rate_time(bed_now_ns()));
	assert_true(owed > cost / 2 && owed <= cost);
	assert_int_equal(policer(SLOT_A, BNG_DOWN).full_at, 0);
	expect_counters(SLOT_A, 1, 0, 0, 0);
}

static void what_lies_around_a_packet_is_charged_with_it(void **state)
{
	struct bng_session session = policed(session_a(), slow(), slow());
	uint64_t owed;

	(void)state;
	session.overhead = 1000;
	put(&line_a, session, 600);
	udp(from_a("203.0.113.9"), 100);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_up);
	owed = bng_rate_owed(policer(SLOT_A, BNG_UP).full_at, bng_rate_time(bed_now_ns()));
	assert_true(owed > bng_rate_cost(slow().multiplier, 600));
}

static void a_packet_above_the_rate_is_dropped_silently_and_blamed(void **state)
{
	put(&line_a, policed(session_a(), slow(), slow()), 600);
	owe(SLOT_A, BNG_UP, slow().multiplier, slow().tolerance);
	udp(from_a("203.0.113.9"), 100);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_policed_up);
	expect_counters(SLOT_A, 0, 0, 1, BNG_DROP_policed_up);

	scene(state);
	put(&line_a, policed(session_a(), slow(), slow()), 600);
	owe(SLOT_A, BNG_DOWN, slow().multiplier, slow().tolerance);
	udp(from_core("100.64.1.2"), 100);
	run(BED_CORE);
	expect(BED_CORE, BNG_DROP_policed_down);
	expect_counters(SLOT_A, 0, 0, 1, BNG_DROP_policed_down);
}

static void the_directions_have_a_bucket_each(void **state)
{
	(void)state;
	put(&line_a, policed(session_a(), slow(), slow()), 600);
	owe(SLOT_A, BNG_DOWN, slow().multiplier, slow().tolerance);
	udp(from_a("203.0.113.9"), 100);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_up);
}

static void between_lines_both_rates_count(void **state)
{
	(void)state;
	put(&line_b, policed(session_b(), slow(), slow()), 600);
	owe(SLOT_B, BNG_DOWN, slow().multiplier, slow().tolerance);
	udp(from_a("100.64.3.4"), 100);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_policed_down);
	expect_counters(SLOT_A, 1, 0, 0, 0);
	expect_counters(SLOT_B, 0, 0, 1, BNG_DROP_policed_down);
}

static void an_echo_to_the_gateway_is_policed_too(void **state)
{
	struct packet_layers layers = from_a("100.64.0.1");

	(void)state;
	put(&line_a, policed(session_a(), slow(), slow()), 600);
	owe(SLOT_A, BNG_UP, slow().multiplier, slow().tolerance);
	packet_echo(&p, &layers, 8, 57);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_policed_up);
}

/* 1,600 bytes owed at 64 kbit/s are 1,600 bytes owed at 128 kbit/s: half the time. */
static void a_new_rate_finds_the_same_bytes_owed(void **state)
{
	struct bng_rate faster = rate_of(128000, 3000);
	uint64_t owed;

	put(&line_a, policed(session_a(), faster, faster), 600);
	owe(SLOT_A, BNG_UP, slow().multiplier, slow().tolerance);
	udp(from_a("203.0.113.9"), 1000);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_up);
	owed = bng_rate_owed(policer(SLOT_A, BNG_UP).full_at, bng_rate_time(bed_now_ns()));
	assert_int_equal(policer(SLOT_A, BNG_UP).multiplier, faster.multiplier);
	assert_true(owed <= bng_rate_cost(faster.multiplier, 1600 + 1028));
	assert_true(owed > bng_rate_cost(faster.multiplier, 2000));

	/* Back again, a bucket of 1,600 bytes owes them all: no burst is won by changing. */
	scene(state);
	put(&line_a, policed(session_a(), slow(), slow()), 600);
	owe(SLOT_A, BNG_UP, faster.multiplier, faster.tolerance);
	udp(from_a("203.0.113.9"), 1000);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_policed_up);
	owed = bng_rate_owed(policer(SLOT_A, BNG_UP).full_at, bng_rate_time(bed_now_ns()));
	assert_true(owed <= slow().tolerance && owed > slow().tolerance / 2);
}

static void a_smaller_bucket_does_not_stop_the_line(void **state)
{
	struct bng_rate rate = rate_of(8000000, 16000);
	uint64_t owed;

	(void)state;
	put(&line_a, policed(session_a(), rate, rate), 600);
	owe(SLOT_A, BNG_UP, rate.multiplier, bng_rate_time(3600ULL * 1000000000));
	udp(from_a("203.0.113.9"), 100);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_policed_up);
	owed = bng_rate_owed(policer(SLOT_A, BNG_UP).full_at, bng_rate_time(bed_now_ns()));
	assert_true(owed <= rate.tolerance);
}

/* ---- filters ---- */

static void filter(struct bng_filter value)
{
	uint32_t key = FILTER;

	bed_put(bed.access->maps.filters, &key, &value);
}

static struct bng_session filtered(struct bng_session session)
{
	session.filter_index = FILTER;
	return session;
}

static struct bng_filter_rule rule(bool permits, uint8_t ways, const char *remote, const char *mask,
	uint8_t protocol, uint16_t first, uint16_t last)
{
	return (struct bng_filter_rule){.remote = bed_ip(remote),
		.mask = bed_ip(mask),
		.families = BNG_FAMILY_IPV4,
		.port_first = first,
		.port_last = last,
		.protocol = protocol,
		.ways = ways,
		.permits = permits};
}

/* A packet between port 5001 of the line and port 25 of the remote side, or the other way round. */
static void packet_with(uint8_t way, uint8_t protocol, uint16_t fragment, uint8_t option_words)
{
	struct packet_layers layers = way == BNG_WAY_UP ? from_a("203.0.113.9") : from_core("100.64.1.2");
	uint16_t ports[12] = {htons(5001), htons(25)};

	if (way == BNG_WAY_DOWN) {
		ports[0] = htons(25);
		ports[1] = htons(5001);
	}
	layers.protocol = protocol;
	layers.fragment = fragment;
	layers.option_words = option_words;
	packet_ipv4(&p, &layers, ports, sizeof(ports));
}

struct filter_case {
	const char *name;
	struct bng_filter_rule rules[3];
	uint32_t rule_count;
	bool permits_rest;
	uint8_t way, protocol;
	uint16_t fragment;
	uint8_t option_words;
	bool passes;
};

static void the_first_rule_that_matches_decides(void **state)
{
	const struct bng_filter_rule no_smtp = rule(false, BNG_WAY_UP, "0.0.0.0", "0.0.0.0", TCP, 25, 25);
	const struct bng_filter_rule smtp =
		rule(true, BNG_WAY_BOTH, "203.0.113.0", "255.255.255.0", TCP, 1, 25);
	const struct bng_filter_rule nothing = rule(false, BNG_WAY_BOTH, "0.0.0.0", "0.0.0.0", 0, 0, 0);
	const struct filter_case cases[] = {
		{"no rule, permitted", {}, 0, true, BNG_WAY_UP, TCP, 0, 0, true},
		{"no rule, denied", {}, 0, false, BNG_WAY_UP, TCP, 0, 0, false},
		{"denied by port", {no_smtp}, 1, true, BNG_WAY_UP, TCP, 0, 0, false},
		{"denied by port behind IP options", {no_smtp}, 1, true, BNG_WAY_UP, TCP, 0, 2, false},
		{"another protocol", {no_smtp}, 1, true, BNG_WAY_UP, UDP, 0, 0, true},
		{"the other way", {no_smtp}, 1, true, BNG_WAY_DOWN, TCP, 0, 0, true},
		{"a first fragment shows its ports", {no_smtp}, 1, true, BNG_WAY_UP, TCP, 0x2000, 0, false},
		{"a later one does not", {no_smtp}, 1, true, BNG_WAY_UP, TCP, 0x2001, 0, true},
		{"an earlier permit wins", {smtp, no_smtp}, 2, false, BNG_WAY_UP, TCP, 0, 0, true},
		{"an earlier deny wins", {no_smtp, smtp}, 2, true, BNG_WAY_UP, TCP, 0, 0, false},
		{"down, the remote side is the source", {smtp}, 1, false, BNG_WAY_DOWN, TCP, 0, 0, true},
		{"above the range", {rule(true, BNG_WAY_BOTH, "0.0.0.0", "0.0.0.0", TCP, 1, 24)}, 1, false,
			BNG_WAY_UP, TCP, 0, 0, false},
		{"below the range", {rule(true, BNG_WAY_BOTH, "0.0.0.0", "0.0.0.0", TCP, 26, 65535)}, 1,
			false, BNG_WAY_UP, TCP, 0, 0, false},
		{"another prefix", {rule(true, BNG_WAY_UP, "203.0.112.0", "255.255.255.0", 0, 0, 0)}, 1,
			false, BNG_WAY_UP, TCP, 0, 0, false},
		{"a host", {rule(true, BNG_WAY_UP, "203.0.113.9", "255.255.255.255", 0, 0, 0), nothing}, 2,
			true, BNG_WAY_UP, UDP, 0, 0, true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct filter_case *c = &cases[i];
		struct bng_filter value = {.rule_count = c->rule_count, .permits_rest = c->permits_rest};
		int port = c->way == BNG_WAY_UP ? BED_ACCESS : BED_CORE;
		int passed = c->way == BNG_WAY_UP ? BNG_TX_forward_up : BNG_TX_forward_down;

		scene(state);
		memcpy(value.rules, c->rules, sizeof(c->rules));
		filter(value);
		put(&line_a, filtered(session_a()), 600);
		packet_with(c->way, c->protocol, c->fragment, c->option_words);
		run(port);
		if (bed_counter(&bed, port, c->passes ? passed : BNG_DROP_filtered) != 1)
			print_error("%s\n", c->name);
		expect(port, c->passes ? passed : BNG_DROP_filtered);
		if (!c->passes)
			expect_counters(SLOT_A, 0, 0, 1, BNG_DROP_filtered);
	}
}

static void the_last_of_32_rules_is_reached(void **state)
{
	struct bng_filter value = {.rule_count = BNG_MAX_FILTER_RULES, .permits_rest = 1};

	(void)state;
	for (int i = 0; i < BNG_MAX_FILTER_RULES; i++)
		value.rules[i] = rule(false, BNG_WAY_DOWN, "0.0.0.0", "0.0.0.0", 0, 0, 0);
	value.rules[BNG_MAX_FILTER_RULES - 1].ways = BNG_WAY_UP;
	filter(value);
	put(&line_a, filtered(session_a()), 600);
	packet_with(BNG_WAY_UP, TCP, 0, 0);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_filtered);
}

static void a_filter_that_is_not_there_lets_nothing_through(void **state)
{
	(void)state;
	put(&line_a, filtered(session_a()), 600);
	packet_with(BNG_WAY_UP, TCP, 0, 0);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_internal_lookup);
}

static void what_is_sent_to_the_bng_itself_is_not_filtered(void **state)
{
	struct packet_layers layers = from_a("100.64.0.1");
	static const uint8_t discover[] = {53, 1, 1, 55, 2, 3, 1};

	filter((struct bng_filter){.permits_rest = 0});
	put(&line_a, filtered(session_a()), 600);
	packet_echo(&p, &layers, 8, 57);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_icmp_echo_reply);

	scene(state);
	put(&line_a, filtered(session_a()), 600);
	layers = from_a("255.255.255.255");
	layers.to = broadcast;
	layers.source = "0.0.0.0";
	packet_dhcp(&p, &layers, mac_a, NULL, discover, sizeof(discover));
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_dhcp_offer);
}

static void what_a_filter_drops_is_not_charged(void **state)
{
	(void)state;
	filter((struct bng_filter){.permits_rest = 0});
	put(&line_a, filtered(policed(session_a(), slow(), slow())), 600);
	packet_with(BNG_WAY_UP, TCP, 0, 0);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_filtered);
	assert_int_equal(policer(SLOT_A, BNG_UP).full_at, 0);
}

/* ---- framed routes ---- */

static void route_to(const char *prefix, uint32_t bits, uint32_t session, uint32_t vrf)
{
	struct bng_route_key key = {.prefix_bits = 32 + bits, .vrf = htonl(vrf), .ipv4 = bed_ip(prefix)};
	struct bng_route route = {.kind = BNG_ROUTE_SESSION, .session = session};

	bed_put(bed.access->maps.routes4, &key, &route);
}

static struct bng_session routed(struct bng_session session)
{
	session.flags |= BNG_SESSION_HAS_ROUTES;
	return session;
}

static void core_data_to_a_framed_route_goes_to_its_line(void **state)
{
	(void)state;
	put(&line_a, routed(session_a()), 600);
	route_to("198.51.100.64", 27, session_a().ipv4, 0);
	udp(from_core("198.51.100.70"), 100);
	run(BED_CORE);
	expect(BED_CORE, BNG_TX_forward_down);
	check_line(out.frame, mac_a, "\x88\xa8\x00\x0a\x81\x00\x00\x14\x08\x00", 10);
	expect_counters(SLOT_A, 0, 1, 0, 0);
}

static void line_data_to_a_framed_route_goes_to_its_line(void **state)
{
	(void)state;
	put(&line_b, routed(session_b()), 600);
	route_to("198.51.100.64", 27, session_b().ipv4, 0);
	udp(from_a("198.51.100.70"), 100);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_line_to_line);
	check_line(out.frame, mac_b, "\x81\x00\x00\x1e\x08\x00", 6);
}

static void a_framed_route_without_its_session_is_unreachable(void **state)
{
	route_to("198.51.100.64", 27, bed_ip("100.64.9.9"), 0);
	udp(from_core("198.51.100.70"), 100);
	run(BED_CORE);
	expect(BED_CORE, BNG_TX_icmp_unreachable);
	scene(state);
	route_to("198.51.100.64", 27, bed_ip("100.64.9.9"), 0);
	udp(from_a("198.51.100.70"), 100);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_icmp_unreachable);
}

static void a_session_sends_from_its_framed_routes_and_no_others(void **state)
{
	static const struct {
		const char *source;
		bool has_routes;
		int reason;
	} cases[] = {
		{"198.51.100.70", true, BNG_TX_forward_up},
		{"198.51.100.96", true, BNG_DROP_spoofed_source}, /* outside the prefix */
		{"198.51.100.80", true, BNG_DROP_spoofed_source}, /* in a longer one of B */
		{"100.64.3.4", true, BNG_DROP_spoofed_source},    /* B's address */
		{"198.51.100.70", false, BNG_DROP_spoofed_source},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet_layers layers = from_a("203.0.113.9");

		scene(state);
		put(&line_a, cases[i].has_routes ? routed(session_a()) : session_a(), 600);
		route_to("198.51.100.64", 27, session_a().ipv4, 0);
		route_to("198.51.100.80", 28, session_b().ipv4, 0);
		route_to("198.51.100.96", 27, session_a().ipv4, 9);
		layers.source = cases[i].source;
		udp(layers, 100);
		run(BED_ACCESS);
		expect(BED_ACCESS, cases[i].reason);
	}
}

static void a_framed_address_may_ask_by_arp(void **state)
{
	const struct bng_line_key line = {
		.port = BED_ACCESS, .s_vlan = 10, .mac = {0x02, 0x00, 0x5e, 0xa1, 0xa2, 0xa3}};

	put(&line, routed(session_a()), 600);
	route_to("198.51.100.64", 27, session_a().ipv4, 0);
	packet_arp(&p, broadcast, mac_a, 10, 1, "198.51.100.65", "100.64.0.1");
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_arp_reply);
	scene(state);
	put(&line, routed(session_a()), 600);
	packet_arp(&p, broadcast, mac_a, 10, 1, "198.51.100.65", "100.64.0.1");
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_spoofed_source);
}

static void a_client_behind_a_relay_sends_from_its_framed_route(void **state)
{
	struct packet_layers layers = {.to = bed_port_mac,
		.from = mac_relay,
		.source = "198.51.100.70",
		.destination = "203.0.113.9"};

	put(&line_r, routed(session_r()), 600);
	change_port(BED_ACCESS, 0, BNG_PORT_TRUST_RELAYS, 0, NULL);
	route_to("198.51.100.64", 27, session_r().ipv4, 0);
	udp(layers, 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_up);

	scene(state);
	put(&line_r, routed(session_r()), 600);
	change_port(BED_ACCESS, 0, BNG_PORT_TRUST_RELAYS, 0, NULL);
	route_to("198.51.100.64", 27, session_r().ipv4, 0);
	layers.from = mac_stranger;
	udp(layers, 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_no_session);
}

/* ---- activity ---- */

static uint64_t active_ns(uint32_t slot)
{
	struct bng_session_state state;

	bed_session_state(&bed, slot, &state);
	return state.active_ns;
}

static void only_what_is_taken_from_the_line_is_activity(void **state)
{
	udp(from_core("100.64.1.2"), 100);
	run(BED_CORE);
	assert_int_equal(active_ns(SLOT_A), 0);
	udp(from_a("203.0.113.9"), 100);
	run(BED_ACCESS);
	assert_true(active_ns(SLOT_A) + 5000000000ULL > bed_now_ns() && active_ns(SLOT_A) <= bed_now_ns());

	scene(state);
	filter((struct bng_filter){.permits_rest = 0});
	put(&line_a, filtered(session_a()), 600);
	udp(from_a("203.0.113.9"), 100);
	run(BED_ACCESS);
	assert_int_equal(active_ns(SLOT_A), 0);
}

#define CASE(f) cmocka_unit_test_setup(f, scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_packet_within_the_rate_passes_and_is_charged),
		CASE(what_lies_around_a_packet_is_charged_with_it),
		CASE(a_packet_above_the_rate_is_dropped_silently_and_blamed),
		CASE(the_directions_have_a_bucket_each),
		CASE(between_lines_both_rates_count),
		CASE(an_echo_to_the_gateway_is_policed_too),
		CASE(a_new_rate_finds_the_same_bytes_owed),
		CASE(a_smaller_bucket_does_not_stop_the_line),
		CASE(the_first_rule_that_matches_decides),
		CASE(the_last_of_32_rules_is_reached),
		CASE(a_filter_that_is_not_there_lets_nothing_through),
		CASE(what_is_sent_to_the_bng_itself_is_not_filtered),
		CASE(what_a_filter_drops_is_not_charged),
		CASE(core_data_to_a_framed_route_goes_to_its_line),
		CASE(line_data_to_a_framed_route_goes_to_its_line),
		CASE(a_framed_route_without_its_session_is_unreachable),
		CASE(a_session_sends_from_its_framed_routes_and_no_others),
		CASE(a_framed_address_may_ask_by_arp),
		CASE(a_client_behind_a_relay_sends_from_its_framed_route),
		CASE(only_what_is_taken_from_the_line_is_activity),
	};

	if (geteuid() != 0)
		return 77;
	if (bed_network(&bed) || bed_load(&bed, 64)) {
		fprintf(stderr, "cannot set up the bed\n");
		return 1;
	}
	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
