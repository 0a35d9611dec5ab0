// SPDX-License-Identifier: Apache-2.0
// IPv6 of a client behind a layer-3 relay: its frames carry the relay's MAC address, so its session is found
// by what it sends from.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "bed.h"
#include "scene6.h"

#define ADDRESS "2001:db8:1::c"
#define PREFIX  "2001:db8:a00c::"
#define HOST    "2001:db8:a00c:7::9" // within it

static struct subscriber6 relayed;

/* scene6() with line_r in both families, on a port that trusts relays; also with tags. */
static void relayed_scene(void **state, uint16_t s_vlan, uint16_t c_vlan)
{
	struct bng_session session = session_r();

	scene6(state);
	change_port(BED_ACCESS, 0, BNG_PORT_TRUST_RELAYS, 0, NULL);
	session.flags |= BNG_SESSION_IPV6;
	session.s_tpid = s_vlan ? htons(0x88a8) : 0;
	session.c_tpid = c_vlan ? htons(0x8100) : 0;
	relayed = (struct subscriber6){.line = line_r,
		.session = session,
		.ipv6 = {.session_id = session.session_id, .valid_ns = 3600000000000ULL}};
	relayed.line.s_vlan = s_vlan;
	relayed.line.c_vlan = c_vlan;
	add_prefix6(&relayed, ADDRESS, 128);
	add_prefix6(&relayed, PREFIX, 48);
	put6(&relayed, 600);
}

static int scene_r(void **state)
{
	relayed_scene(state, 0, 0);
	return 0;
}

static struct packet_layers from_relay(const char *source)
{
	return (struct packet_layers){
		.to = bed_port_mac, .from = mac_relay, .source = source, .destination = REMOTE6, .ttl = 64};
}

static void up(struct packet_layers layers, int reason)
{
	udp6(LINE_U, layers, 100);
	expect(BED_ACCESS, reason);
}

static void its_data_is_known_by_its_address_or_its_prefix(void **state)
{
	static const char *const sources[] = {
		ADDRESS, HOST, PREFIX, "2001:db8:a00c:ffff:ffff:ffff:ffff:ffff"};

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		scene_r(state);
		up(from_relay(sources[i]), BNG_TX_forward_up);
		assert_memory_equal(out.frame, bed_gateway_mac, 6);
		assert_int_equal(out.frame[14 + 7], 63);
		assert_int_equal(counters6(SLOT_R).up_packets, 1);
		assert_int_equal(counters6(SLOT_R).up_bytes, 148);
		assert_true(state6(SLOT_R).active_ns > 0);
	}
}

static void what_nobody_behind_the_relay_holds_is_refused(void **state)
{
	static const char *const sources[] = {"2001:db8:1::d", "2001:db8:a00d::9", "2001:db8:1::1",
		"2001:db8:a003:7::9", "2001:db8:113::9", OWN6};

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		scene_r(state);
		up(from_relay(sources[i]), BNG_DROP_no_session);
	}
	scene_r(state); /* what no packet carries is seen before */
	up(from_relay("::1"), BNG_DROP_spoofed_source);
}

static void nobody_but_the_relay_sends_for_its_clients(void **state)
{
	struct packet_layers layers = from_relay(ADDRESS);

	(void)state;
	layers.from = mac_stranger;
	up(layers, BNG_DROP_no_session);
	scene_r(state); /* the client itself, on the relay's link */
	layers.from = relayed.line.mac;
	up(layers, BNG_DROP_no_session);
	scene_r(state); /* another session, which has a line of its own */
	up(from6(LINE_U, HOST, REMOTE6), BNG_DROP_spoofed_source);
	scene_r(state);
	layers = from_relay(HOST);
	layers.outer_type = 0x8100;
	layers.tags[0] = 10;
	up(layers, BNG_DROP_no_session);
}

static void the_relay_may_have_a_session_of_its_own(void **state)
{
	struct subscriber6 own = {.line = line_r, .session = session_r()};

	for (int speaks6 = 0; speaks6 < 2; speaks6++) {
		scene_r(state);
		own.line.giaddr = 0;
		memcpy(own.line.mac, mac_relay, 6);
		own.session.session_id = 0xd;
		own.session.slot = SLOT_P;
		own.session.ipv4 = bed_ip("100.64.9.9");
		own.session.flags = speaks6 ? BNG_SESSION_IPV6 : 0;
		own.ipv6 = (struct bng_session6){.session_id = 0xd, .valid_ns = 3600000000000ULL};
		add_prefix6(&own, "2001:db8:a00e::", 48);
		put6(&own, 600);
		up(from_relay(HOST), BNG_TX_forward_up);
		assert_int_equal(counters6(SLOT_R).up_packets, 1);
		assert_int_equal(counters6(SLOT_P).up_packets, 0);
	}
	scene_r(state);
	put6(&own, 600);
	add_prefix6(&own, "2001:db8:a00e::", 48);
	up(from_relay("2001:db8:a00e::9"), BNG_TX_forward_up);
	assert_int_equal(counters6(SLOT_P).up_packets, 1);
}

static void a_session_on_its_own_line_is_not_behind_the_relay(void **state)
{
	(void)state;
	relayed.session.flags &= (__u16)~BNG_SESSION_RELAYED;
	put6(&relayed, 600);
	up(from_relay(ADDRESS), BNG_DROP_no_session);
}

static void a_port_without_relays_has_nobody_behind_one(void **state)
{
	(void)state;
	change_port(BED_ACCESS, 0, BNG_PORT_TRUST_OPTION82, BNG_PORT_TRUST_RELAYS, NULL);
	up(from_relay(ADDRESS), BNG_DROP_no_session);
}

static void a_lapsed_lease_holds_both_ways(void **state)
{
	put6(&relayed, -1);
	up(from_relay(HOST), BNG_DROP_session_lapsed);
	scene_r(state);
	put6(&relayed, -1);
	udp6(LINE_U, from_core6(HOST), 100);
	expect(BED_CORE, BNG_TX_icmpv6_unreachable);
}

static void what_is_sent_to_it_goes_to_the_relay(void **state)
{
	static const char *const destinations[] = {ADDRESS, HOST};

	for (int i = 0; i < 2; i++) {
		scene_r(state);
		udp6(LINE_U, from_core6(destinations[i]), 100);
		expect(BED_CORE, BNG_TX_forward_down);
		check_line(out.frame, mac_relay, "\x86\xdd", 2);
		assert_int_equal(out.length, 14 + 148);
		assert_int_equal(out.frame[14 + 7], 63);
		assert_int_equal(counters6(SLOT_R).down_packets, 1);
	}
}

static void the_tags_are_the_relays(void **state)
{
	struct packet_layers layers = from_relay(HOST);

	relayed_scene(state, 10, 20);
	layers.outer_type = 0x88a8;
	layers.tags[0] = 10;
	layers.tags[1] = 20;
	up(layers, BNG_TX_forward_up);
	relayed_scene(state, 10, 20);
	layers.tags[1] = 21;
	up(layers, BNG_DROP_no_session);
	relayed_scene(state, 10, 20);
	udp6(LINE_U, from_core6(HOST), 100);
	expect(BED_CORE, BNG_TX_forward_down);
	check_line(out.frame, mac_relay, "\x88\xa8\x00\x0a\x81\x00\x00\x14\x86\xdd", 10);
}

static void it_reaches_other_lines_and_they_reach_it(void **state)
{
	struct packet_layers layers = from_relay(HOST);

	(void)state;
	layers.destination = subscribers6[LINE_Q].host;
	up(layers, BNG_TX_forward_line_to_line);
	check_line6(LINE_Q, 148);
	scene_r(state);
	up(from6(LINE_U, subscribers6[LINE_U].address, HOST), BNG_TX_forward_line_to_line);
	check_line(out.frame, mac_relay, "\x86\xdd", 2);
}

static void errors_and_echoes_go_back_through_the_relay(void **state)
{
	static const uint8_t echo[8] = {128};
	struct packet_layers layers = from_relay(HOST);

	(void)state;
	layers.ttl = 1;
	up(layers, BNG_TX_icmpv6_time_exceeded);
	assert_memory_equal(out.frame, mac_relay, 6);
	scene_r(state);
	layers = from_relay(ADDRESS);
	layers.destination = OWN6;
	send6(LINE_U, layers, 58, echo, sizeof(echo));
	expect(BED_ACCESS, BNG_TX_icmpv6_echo_reply);
	assert_memory_equal(out.frame, mac_relay, 6);
}

#define CASE(f) cmocka_unit_test_setup(f, scene_r)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(its_data_is_known_by_its_address_or_its_prefix),
		CASE(what_nobody_behind_the_relay_holds_is_refused),
		CASE(nobody_but_the_relay_sends_for_its_clients),
		CASE(the_relay_may_have_a_session_of_its_own),
		CASE(a_session_on_its_own_line_is_not_behind_the_relay),
		CASE(a_port_without_relays_has_nobody_behind_one),
		CASE(a_lapsed_lease_holds_both_ways),
		CASE(what_is_sent_to_it_goes_to_the_relay),
		CASE(the_tags_are_the_relays),
		CASE(it_reaches_other_lines_and_they_reach_it),
		CASE(errors_and_echoes_go_back_through_the_relay),
	};

	if (geteuid() != 0)
		return 77;
	if (bed_network(&bed) || bed_load(&bed, 64)) {
		fprintf(stderr, "cannot set up the bed\n");
		return 1;
	}
	int failed = cmocka_run_group_tests_name("relay6", tests, NULL, NULL);

	bed_done(&bed);
	return failed;
}
