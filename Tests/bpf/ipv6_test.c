// SPDX-License-Identifier: Apache-2.0
// IPv6 data packet by packet: both ways over every kind of line, who may send what, extension headers,
// errors, filters, policers, counters, and the corpus of malformed packets.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "bed.h"
#include "bng_rate.h"
#include "scene6.h"

static struct subscriber6 *of(enum line6 line)
{
	return &subscribers6[line];
}

static uint32_t slot_of(enum line6 line)
{
	return of(line)->session.slot;
}

static void up(enum line6 line, const char *source, const char *destination, int reason)
{
	udp6(line, from6(line, source, destination), 100);
	expect(BED_ACCESS, reason);
}

static void down(const char *destination, int reason)
{
	udp6(LINE_U, from_core6(destination), 100);
	expect(BED_CORE, reason);
}

/* ---- forwarding ---- */

static void data_of_every_line_goes_to_the_core_bare(void **state)
{
	for (int line = 0; line < LINES6; line++) {
		const char *sources[] = {of(line)->address, of(line)->host};

		for (int i = 0; i < 2; i++) {
			scene6(state);
			up(line, of(line)->address, REMOTE6, BNG_TX_forward_up);
			scene6(state);
			up(line, sources[i], REMOTE6, BNG_TX_forward_up);
			assert_int_equal(out.length, 14 + 148);
			assert_memory_equal(out.frame, bed_gateway_mac, 6);
			assert_memory_equal(out.frame + 6, bed_core_mac, 6);
			assert_memory_equal(out.frame + 12, "\x86\xdd", 2);
			assert_memory_equal(out.frame + 14, p.bytes + p.ip_at, 7);
			assert_int_equal(out.frame[14 + 7], 63);
			assert_memory_equal(out.frame + 14 + 8, p.bytes + p.ip_at + 8, 140);
		}
	}
}

static void core_data_is_put_on_its_line(void **state)
{
	for (int line = 0; line <= LINE_B; line++) {
		const char *destinations[] = {of(line)->address, of(line)->host};

		for (int i = 0; i < 2; i++) {
			scene6(state);
			down(destinations[i], BNG_TX_forward_down);
			check_line6(line, 148);
			assert_int_equal(out.frame[of(line)->l2 + 7], 63);
			assert_memory_equal(out.frame + of(line)->l2 + 8, p.bytes + 14 + 8, 140);
		}
	}
}

static void lines_reach_each_other(void **state)
{
	for (int from = 0; from < LINES6; from++)
		for (int to = 0; to <= LINE_B; to++) {
			if (from == to)
				continue;
			scene6(state);
			up(from, of(from)->address, of(to)->host, BNG_TX_forward_line_to_line);
			check_line6(to, 148);
			assert_int_equal(out.frame[of(to)->l2 + 7], 63);
		}
}

static void what_stands_behind_the_packet_is_not_its_length(void **state)
{
	(void)state;
	udp6(LINE_Q, from6(LINE_Q, of(LINE_Q)->address, REMOTE6), 4);
	memset(p.bytes + p.length, 0, 10);
	p.length += 10; /* padding of the frame */
	scene6(state);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_up);
	assert_int_equal(counters6(SLOT_A).up_bytes, 52);
}

static void a_next_hop_may_be_link_local(void **state)
{
	struct bng_next_hop gateway = {
		.kind = BNG_NEXT_HOP_GATEWAY, .port = BED_CORE, .ipv6 = ip6("fe80::254")};
	uint32_t index = BED_HOP6;

	(void)state;
	bed_put(bed.access->maps.next_hops, &index, &gateway);
	up(LINE_Q, of(LINE_Q)->address, REMOTE6, BNG_TX_forward_up);
	assert_memory_equal(out.frame, bed_gateway_mac, 6);
	for (int i = 2; i < 4; i++) { /* the kernel's route goes elsewhere, or there is none */
		scene6(state);
		gateway.ipv6 = ip6(i == 2 ? "fe80::252" : "fe80::253");
		bed_put(bed.access->maps.next_hops, &index, &gateway);
		up(LINE_Q, of(LINE_Q)->address, REMOTE6, BNG_TX_icmpv6_unreachable);
	}
}

/* Of 1,024 destinations that the kernel refuses some share their place in the cache with one it has just
 * resolved. */
static void a_resolved_hop_is_remembered_by_its_whole_address(void **state)
{
	struct packet_layers good = from6(LINE_Q, of(LINE_Q)->address, "2001:db8:117::1");

	(void)state;
	for (int i = 0; i < 1024; i++) {
		char refused[40];

		snprintf(refused, sizeof(refused), "2001:db8:115::%x", i);
		udp6(LINE_Q, good, 10);
		assert_int_equal(out.verdict, XDP_REDIRECT);
		assert_memory_equal(out.frame, bed_gateway_mac, 6);
		udp6(LINE_Q, from6(LINE_Q, of(LINE_Q)->address, refused), 10);
		assert_int_equal(out.verdict, XDP_DROP);
	}
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_DROP_route_blackhole), 1024);
}

/* ---- who may send ---- */

static void a_source_must_lie_in_the_lines_prefixes(void **state)
{
	static const char *const spoofed[] = {"2001:db8:1::5", "2001:db8:a005:7::9", "2001:db8:1::99",
		"2001:db8:a004::", "2001:db8:a002:ffff:ffff:ffff:ffff:ffff", "2001:db8:ffff::254", OWN6,
		"::ffff:100.64.1.2", "64:ff9b::1"};

	for (size_t i = 0; i < sizeof(spoofed) / sizeof(spoofed[0]); i++) {
		scene6(state);
		up(LINE_Q, spoofed[i], REMOTE6, BNG_DROP_spoofed_source);
	}
	scene6(state);
	up(LINE_Q, "2001:db8:a003::", REMOTE6, BNG_TX_forward_up);
	scene6(state);
	up(LINE_Q, "2001:db8:a003:ffff:ffff:ffff:ffff:ffff", REMOTE6, BNG_TX_forward_up);
}

static void logging_lets_a_foreign_source_pass_and_no_impossible_one(void **state)
{
	static const char *const never[] = {"::1", "ff02::1", "ff0e::5", "::ffff:1.2.3.4"};
	struct bng_session_state session;

	(void)state;
	of(LINE_Q)->session.flags |= BNG_SESSION_SPOOF_LOG;
	put6(of(LINE_Q), 600);
	udp6(LINE_Q, from6(LINE_Q, "2001:db8:1::99", REMOTE6), 10);
	assert_int_equal(out.verdict, XDP_REDIRECT);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_DROP_spoofed_source), 1);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_TX_forward_up), 1);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		scene6(state);
		of(LINE_Q)->session.flags |= BNG_SESSION_SPOOF_LOG;
		put6(of(LINE_Q), 600);
		up(LINE_Q, never[i], REMOTE6, BNG_DROP_spoofed_source);
		bed_session_state(&bed, SLOT_A, &session);
		assert_int_equal(session.last_drop_reason, 0);
	}
}

static void prefixes_beyond_the_inline_ones_are_found_by_their_route(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		char prefix[40];

		snprintf(prefix, sizeof(prefix), "2001:db8:b00%d::", i);
		add_prefix6(of(LINE_Q), prefix, 56);
	}
	put6(of(LINE_Q), 600);
	assert_true(of(LINE_Q)->ipv6.flags & BNG_SESSION6_MORE_PREFIXES);
	up(LINE_Q, "2001:db8:b001:ff::1", REMOTE6, BNG_TX_forward_up);
	scene6(state);
	for (int i = 0; i < 4; i++) {
		char prefix[40];

		snprintf(prefix, sizeof(prefix), "2001:db8:b00%d::", i);
		add_prefix6(of(LINE_Q), prefix, 56);
	}
	put6(of(LINE_Q), 600);
	up(LINE_Q, "2001:db8:b003:ff::1", REMOTE6, BNG_TX_forward_up);
	bed_reset(&bed);
	scene6(state);
	of(LINE_Q)->ipv6.flags |= BNG_SESSION6_MORE_PREFIXES;
	put6(of(LINE_Q), 600);
	up(LINE_Q, of(LINE_T)->host, REMOTE6, BNG_DROP_spoofed_source); /* routed, but to another line */
}

static void a_line_without_a_session_sends_nothing(void **state)
{
	struct packet_layers layers = from6(LINE_Q, of(LINE_Q)->address, REMOTE6);

	(void)state;
	layers.tags[1] = 21;
	udp6(LINE_Q, layers, 10);
	expect(BED_ACCESS, BNG_DROP_no_session);
	scene6(state);
	layers = from6(LINE_P, of(LINE_P)->address, REMOTE6);
	of(LINE_P)->line.pppoe_id++;
	udp6(LINE_P, layers, 10);
	expect(BED_ACCESS, BNG_DROP_no_session);
	scene6(state); /* the address of the PPPoE session, beside it */
	layers = from6(LINE_Q, of(LINE_P)->address, REMOTE6);
	udp6(LINE_Q, layers, 10);
	expect(BED_ACCESS, BNG_DROP_spoofed_source);
}

static void ipv6_must_be_granted_by_port_and_session(void **state)
{
	(void)state;
	put(&of(LINE_Q)->line, session_a(), 600); /* IPv4 only */
	up(LINE_Q, of(LINE_Q)->address, REMOTE6, BNG_DROP_ipv6_not_enabled);
	scene6(state);
	put(&of(LINE_Q)->line, session_a(), 600);
	down(of(LINE_Q)->address, BNG_TX_icmpv6_unreachable);
	scene6(state);
	change_port6(BED_ACCESS, NULL, NULL);
	up(LINE_Q, of(LINE_Q)->address, REMOTE6, BNG_DROP_ipv6_not_enabled);
	scene6(state);
	change_port6(BED_ACCESS, NULL, NULL);
	up(LINE_P, of(LINE_P)->address, REMOTE6, BNG_DROP_ipv6_not_enabled);
}

static void a_lapsed_lease_holds_both_ways(void **state)
{
	struct bng_session_state session;

	for (int line = 0; line < LINES6; line++) {
		scene6(state);
		put6(of(line), -1);
		up(line, of(line)->address, REMOTE6, BNG_DROP_session_lapsed);
		bed_session_state(&bed, slot_of(line), &session);
		assert_int_equal(session.last_drop_reason, BNG_DROP_session_lapsed);
		scene6(state);
		put6(of(line), -1);
		down(of(line)->address, BNG_TX_icmpv6_unreachable);
		assert_int_equal(out.frame[14 + 40], 1);
		assert_int_equal(out.frame[14 + 41], 3);
	}
}

static void no_lease_and_an_ended_session_are_lapsed(void **state)
{
	struct bng_session6_state none = {.session_id = 0x11};
	uint32_t slot = SLOT_U;

	(void)state;
	bed_put(bed.access->maps.session6_state, &slot, &none);
	up(LINE_U, of(LINE_U)->address, REMOTE6, BNG_DROP_session_lapsed);
	scene6(state);
	of(LINE_U)->session.ends_ns = bed_now_ns() - 1000000000;
	put6(of(LINE_U), 600);
	up(LINE_U, of(LINE_U)->address, REMOTE6, BNG_DROP_session_lapsed);
	scene6(state); /* a slot of another session */
	none.session_id = 0x99;
	none.expires_ns = UINT64_MAX;
	bed_put(bed.access->maps.session6_state, &slot, &none);
	up(LINE_U, of(LINE_U)->address, REMOTE6, BNG_DROP_internal_lookup);
}

static void the_leases_of_the_families_run_apart(void **state)
{
	(void)state;
	put(&of(LINE_Q)->line, of(LINE_Q)->session, -1);
	up(LINE_Q, of(LINE_Q)->address, REMOTE6, BNG_TX_forward_up);
	scene6(state);
	put6(of(LINE_Q), -1);
	udp(from_a("203.0.113.9"), 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_up);
}

/* ---- destinations ---- */

static void what_no_router_forwards_ends_here(void **state)
{
	static const struct {
		const char *source, *destination;
		int reason;
	} cases[] = {{NULL, "ff02::fb", BNG_DROP_ipv6_local_scope},
		{NULL, "ff0e::1", BNG_DROP_ipv6_local_scope}, {NULL, "fe80::2", BNG_DROP_ipv6_local_scope},
		{NULL, "febf::2", BNG_DROP_ipv6_local_scope}, {"fe80::2", REMOTE6, BNG_DROP_ipv6_local_scope},
		{"::", REMOTE6, BNG_DROP_ipv6_local_scope}, {NULL, "::1", BNG_DROP_martian_destination},
		{NULL, "::", BNG_DROP_martian_destination},
		{NULL, "::ffff:192.0.2.1", BNG_DROP_martian_destination}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		scene6(state);
		up(LINE_Q, cases[i].source ? cases[i].source : of(LINE_Q)->address, cases[i].destination,
			cases[i].reason);
	}
}

static void a_frame_to_a_group_carries_no_unicast(void **state)
{
	struct packet_layers layers = from6(LINE_Q, of(LINE_Q)->address, REMOTE6);
	static const uint8_t group[6] = {0x33, 0x33, 0, 0, 0, 1};

	(void)state;
	layers.to = group;
	layers.protocol = 59;
	packet_ipv6(&p, &layers, NULL, 0);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_martian_destination);
}

static void a_frame_from_a_group_is_malformed(void **state)
{
	struct packet_layers layers = from6(LINE_Q, of(LINE_Q)->address, REMOTE6);
	static const uint8_t group[6] = {0x03, 0x00, 0x5e, 0, 0, 1};

	(void)state;
	layers.from = group;
	udp6(LINE_Q, layers, 10);
	expect(BED_ACCESS, BNG_DROP_malformed_ethernet);
}

static void routes_decide(void **state)
{
	static const struct {
		const char *destination;
		int reason, type, code;
	} cases[] = {{"2001:db8:dead::1", BNG_DROP_route_blackhole, 0, 0},
		{"2001:db8:115::1", BNG_DROP_route_blackhole, 0, 0},
		{"2001:db8:116::1", BNG_TX_icmpv6_unreachable, 1, 3},
		{"3fff::1", BNG_TX_icmpv6_unreachable, 1, 0},
		{"2001:db8:118::1", BNG_TX_icmpv6_unreachable, 1, 0},
		{"2001:db8:1::77", BNG_TX_icmpv6_unreachable, 1, 3}};

	for (int line = 0; line < LINES6; line++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			uint32_t at = of(line)->l2 + 40;

			scene6(state);
			up(line, of(line)->address, cases[i].destination, cases[i].reason);
			if (!cases[i].type)
				continue;
			assert_int_equal(out.frame[at], cases[i].type);
			assert_int_equal(out.frame[at + 1], cases[i].code);
		}
}

static void an_unresolved_neighbour_is_the_agents(void **state)
{
	(void)state;
	udp6(LINE_P, from6(LINE_P, of(LINE_P)->address, "2001:db8:114::1"), 10);
	expect_punt(BNG_PUNT_REASON_neighbor_unresolved, BNG_PUNT_NEIGHBOR, 0x13);
	scene6(state);
	udp6(LINE_Q, from6(LINE_Q, of(LINE_Q)->address, "2001:db8:114::1"), 10);
	expect_punt(BNG_PUNT_REASON_neighbor_unresolved, BNG_PUNT_NEIGHBOR, 0xa);
}

static void vrfs_have_their_own_prefixes(void **state)
{
	struct bng_route6_key key = {.prefix_bits = 32 + 48, .vrf = htonl(7), .ipv6 = ip6("2001:db8:113::")};
	struct bng_route6 route = {.kind = BNG_ROUTE_NEXT_HOP, .next_hop = BED_HOP6, .length = 48};

	of(LINE_Q)->session.vrf = 7;
	put6(of(LINE_Q), 600);
	up(LINE_Q, of(LINE_Q)->address, REMOTE6, BNG_TX_icmpv6_unreachable);
	scene6(state);
	of(LINE_Q)->session.vrf = 7;
	put6(of(LINE_Q), 600);
	bed_put(bed.access->maps.routes6, &key, &route);
	up(LINE_Q, of(LINE_Q)->address, REMOTE6, BNG_TX_forward_up);
	scene6(state); /* the kernel's FIB is the default VRF's */
	of(LINE_Q)->session.vrf = 7;
	put6(of(LINE_Q), 600);
	route.next_hop = BED_HOP_KERNEL;
	bed_put(bed.access->maps.routes6, &key, &route);
	up(LINE_Q, of(LINE_Q)->address, REMOTE6, BNG_TX_icmpv6_unreachable);
}

static void the_kernel_keeps_what_is_not_a_subscribers(void **state)
{
	static const struct {
		const char *source, *destination;
		int reason;
	} cases[] = {{REMOTE6, OWN6, BNG_TX_pass_kernel}, {REMOTE6, "2001:db8:113::1", BNG_TX_pass_kernel},
		{REMOTE6, "3fff::1", BNG_TX_pass_kernel}, {"fe80::254", "fe80::129", BNG_TX_pass_kernel},
		{REMOTE6, "ff02::1:ff00:129", BNG_TX_pass_kernel}, {REMOTE6, "::1", BNG_TX_pass_kernel},
		{REMOTE6, "2001:db8:dead::1", BNG_DROP_route_blackhole},
		{REMOTE6, "2001:db8:1::77", BNG_TX_icmpv6_unreachable},
		{"fe80::254", "2001:db8:1::3", BNG_DROP_ipv6_local_scope},
		{"::1", "2001:db8:1::3", BNG_DROP_ipv6_local_scope},
		{"ff02::1", "2001:db8:1::3", BNG_DROP_ipv6_local_scope},
		{"fe80::254", "2001:db8:1::77", BNG_DROP_ipv6_local_scope},
		{"64:ff9b::c000:201", "2001:db8:1::3", BNG_TX_forward_down}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet_layers layers = from_core6(cases[i].destination);

		scene6(state);
		layers.source = cases[i].source;
		udp6(LINE_U, layers, 10);
		expect(BED_CORE, cases[i].reason);
	}
}

/* ---- errors ---- */

static void hop_limits_end_with_an_error(void **state)
{
	const struct bng_ip6 link_local = ip6(LINK_LOCAL), core = ip6("2001:db8:ffff::129");

	for (int line = 0; line < LINES6; line++)
		for (uint8_t hops = 0; hops < 2; hops++) {
			struct packet_layers layers = from6(line, of(line)->address, REMOTE6);
			uint32_t at = of(line)->l2;

			scene6(state);
			layers.ttl = 1;
			udp6(line, layers, 1000);
			p.bytes[p.ip_at + 7] = hops;
			scene6(state);
			run(BED_ACCESS);
			expect(BED_ACCESS, BNG_TX_icmpv6_time_exceeded);
			check_line6(line, 48 + 512);
			assert_memory_equal(out.frame + at, "\x6c\x00\x00\x00\x02\x08\x3a\x40", 8);
			assert_memory_equal(out.frame + at + 8, &link_local, 16);
			assert_memory_equal(out.frame + at + 24, p.bytes + p.ip_at + 8, 16);
			assert_memory_equal(out.frame + at + 40, "\x03\x00", 2);
			assert_memory_equal(out.frame + at + 44, "\x00\x00\x00\x00", 4);
			assert_memory_equal(out.frame + at + 48, p.bytes + p.ip_at, 512);
		}
	for (int line = 0; line < LINES6; line++) {
		struct packet_layers layers = from_core6(of(line)->host);

		scene6(state);
		layers.ttl = 1;
		udp6(line, layers, 11); /* an odd quotation */
		expect(BED_CORE, BNG_TX_icmpv6_time_exceeded);
		assert_int_equal(out.length, 14 + 48 + 59);
		assert_memory_equal(out.frame, bed_gateway_mac, 6);
		assert_memory_equal(out.frame + 14 + 8, &core, 16);
		assert_memory_equal(out.frame + 14 + 48, p.bytes + 14, 59);
		scene6(state);
		layers = from6(line, of(line)->address, of(LINE_B)->address);
		layers.ttl = 1;
		udp6(line, layers, 11);
		expect(BED_ACCESS, BNG_TX_icmpv6_time_exceeded);
	}
}

static void a_ports_own_address_speaks_before_the_link_local_one(void **state)
{
	struct packet_layers layers = from6(LINE_Q, of(LINE_Q)->address, REMOTE6);
	struct bng_ip6 own = ip6(OWN6);

	(void)state;
	change_port6(BED_ACCESS, LINK_LOCAL, OWN6);
	layers.ttl = 1;
	udp6(LINE_Q, layers, 10);
	expect(BED_ACCESS, BNG_TX_icmpv6_time_exceeded);
	assert_memory_equal(out.frame + 22 + 8, &own, 16);
	scene6(state);
	change_port6(BED_CORE, NULL, NULL);
	layers = from_core6(of(LINE_Q)->address);
	layers.ttl = 1;
	udp6(LINE_Q, layers, 10);
	expect(BED_CORE, BNG_DROP_icmp_not_sent);
}

static void check_too_big(int port, uint32_t l2, uint32_t mtu)
{
	expect(port, BNG_TX_icmpv6_too_big);
	assert_memory_equal(out.frame + l2 + 40, "\x02\x00", 2);
	assert_int_equal(out.frame[l2 + 46] << 8 | out.frame[l2 + 47], mtu);
	assert_int_equal(out.frame[l2 + 44] | out.frame[l2 + 45], 0);
}

static void what_does_not_fit_is_reported_whatever_its_way(void **state)
{
	static const uint32_t mtus[] = {1500, 1500, 1500, 1492};

	for (int line = 0; line < LINES6; line++) {
		scene6(state);
		udp6(line, from_core6(of(line)->address), mtus[line] - 48);
		expect(BED_CORE, BNG_TX_forward_down);
		check_line6(line, mtus[line]);
		scene6(state);
		udp6(line, from_core6(of(line)->address), mtus[line] - 47);
		check_too_big(BED_CORE, 14, mtus[line]);
		scene6(state);
		change_port(BED_CORE, 1400, 0, 0, NULL);
		udp6(line, from6(line, of(line)->address, REMOTE6), 1353);
		check_too_big(BED_ACCESS, of(line)->l2, 1400);
		scene6(state);
		udp6(line, from6(line, of(line)->address, "2001:db8:117::1"), 1253);
		check_too_big(BED_ACCESS, of(line)->l2, 1300);
		scene6(state);
		udp6(line, from6(line, of(line)->address, "2001:db8:117::1"), 1252);
		expect(BED_ACCESS, BNG_TX_forward_up);
	}
	scene6(state);
	udp6(LINE_Q, from6(LINE_Q, of(LINE_Q)->address, of(LINE_P)->address), 1445);
	check_too_big(BED_ACCESS, 22, 1492);
}

static void no_error_answers_an_error(void **state)
{
	static const uint8_t types[][2] = {
		{1, 0}, {2, 0}, {3, 0}, {4, 0}, {127, 0}, {128, 1}, {129, 1}, {200, 1}};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct packet_layers layers = from_core6(of(LINE_Q)->address);
		uint8_t message[16] = {types[i][0]};

		scene6(state);
		layers.ttl = 1;
		send6(LINE_Q, layers, 58, message, sizeof(message));
		expect(BED_CORE, types[i][1] ? BNG_TX_icmpv6_time_exceeded : BNG_DROP_ttl_expired);
	}
	for (size_t i = 0; i < 2; i++) { /* behind an extension header, and in a later fragment */
		static const uint8_t chains[2][24] = {
			{58, 0, 1, 4, 0, 0, 0, 0, 1}, {58, 0, 0, 8, 0, 0, 0, 0, 128}};
		struct packet_layers layers = from_core6(of(LINE_Q)->address);

		scene6(state);
		layers.ttl = 1;
		send6(LINE_Q, layers, i ? 44 : 60, chains[i], 24);
		expect(BED_CORE, BNG_DROP_ttl_expired);
	}
}

static void errors_are_limited_like_those_of_ipv4(void **state)
{
	struct packet_layers layers = from6(LINE_Q, of(LINE_Q)->address, REMOTE6);
	uint64_t answered, limited;

	(void)state;
	layers.ttl = 1;
	for (int i = 0; i < 200; i++)
		udp6(LINE_Q, layers, 10);
	answered = bed_counter(&bed, BED_ACCESS, BNG_TX_icmpv6_time_exceeded);
	limited = bed_counter(&bed, BED_ACCESS, BNG_DROP_icmp_not_sent);
	assert_int_equal(answered + limited, 200);
	assert_true(answered >= 50 && answered < 100);
}

static void our_addresses_answer_echoes(void **state)
{
	static const char *const targets[] = {OWN6, LINK_LOCAL};
	uint8_t echo[64] = {128, 0, 0, 0, 0x12, 0x34, 0, 1, 0xaa, 0xbb};

	for (int line = 0; line < LINES6; line++)
		for (int i = 0; i < 2; i++) {
			const char *source = i ? "fe80::1234" : of(line)->address;
			uint32_t at = of(line)->l2;

			scene6(state);
			send6(line, from6(line, source, targets[i]), 58, echo, sizeof(echo));
			expect(BED_ACCESS, BNG_TX_icmpv6_echo_reply);
			check_line6(line, 40 + 64);
			assert_int_equal(out.frame[at + 7], 64);
			assert_memory_equal(out.frame + at + 8, p.bytes + p.ip_at + 24, 16);
			assert_memory_equal(out.frame + at + 24, p.bytes + p.ip_at + 8, 16);
			assert_int_equal(out.frame[at + 40], 129);
			assert_memory_equal(out.frame + at + 44, echo + 4, 60);
		}
}

static void our_addresses_answer_nothing_else(void **state)
{
	uint8_t message[64] = {128};
	struct packet_layers layers;

	scene6(state);
	up(LINE_Q, of(LINE_Q)->address, OWN6, BNG_DROP_own_address_unhandled);
	scene6(state);
	up(LINE_Q, "fe80::7", LINK_LOCAL, BNG_DROP_own_address_unhandled);
	scene6(state);
	message[0] = 129;
	send6(LINE_Q, from6(LINE_Q, of(LINE_Q)->address, OWN6), 58, message, 64);
	expect(BED_ACCESS, BNG_DROP_own_address_unhandled);
	scene6(state);
	message[0] = 128;
	send6(LINE_Q, from6(LINE_Q, of(LINE_Q)->address, OWN6), 58, message, 7);
	expect(BED_ACCESS, BNG_DROP_own_address_unhandled);
	scene6(state); /* a part of one */
	send6(LINE_Q, from6(LINE_Q, of(LINE_Q)->address, OWN6), 44,
		"\x3a\x00\x00\x01\x00\x00\x00\x00\x80\x00\x00\x00\x00\x00\x00\x00", 16);
	expect(BED_ACCESS, BNG_DROP_own_address_unhandled);
	scene6(state);
	send6(LINE_Q, from6(LINE_Q, "::", LINK_LOCAL), 58, message, 64);
	expect(BED_ACCESS, BNG_DROP_ipv6_local_scope);
	scene6(state); /* nobody is known there */
	layers = from6(LINE_Q, "fe80::9", LINK_LOCAL);
	layers.from = mac_stranger;
	send6(LINE_Q, layers, 58, message, 64);
	expect(BED_ACCESS, BNG_DROP_no_session);
}

/* ---- extension headers ---- */

static void chain(enum line6 line, uint8_t first, const void *bytes, uint32_t length, int reason)
{
	send6(line, from6(line, of(line)->address, REMOTE6), first, bytes, length);
	expect(BED_ACCESS, reason);
}

static void chains_of_headers_are_walked_to_their_end(void **state)
{
	static const struct {
		uint8_t first;
		const char *bytes;
		uint32_t length;
		int reason;
	} cases[] = {
		{0, "\x3b\x00\x01\x04\x00\x00\x00\x00", 8, BNG_TX_forward_up},
		{60,
			"\x11\x00\x01\x04\x00\x00\x00\x00"
			"\x00\x01\x00\x02\x00\x08\x00\x00",
			16, BNG_TX_forward_up},
		{43, "\x3b\x00\x04\x00\x00\x00\x00\x00", 8, BNG_TX_forward_up}, /* segment routing */
		{43, "\x3b\x00\x00\x00\x00\x00\x00\x00", 8, BNG_DROP_ipv6_routing_header},
		{43, "\x3b\x00\x00\x01\x00\x00\x00\x00", 8, BNG_DROP_ipv6_routing_header},
		{60,
			"\x2b\x00\x01\x04\x00\x00\x00\x00"
			"\x3b\x00\x00\x01\x00\x00\x00\x00",
			16, BNG_DROP_ipv6_routing_header},
		{51,
			"\x3b\x02\x00\x00\x00\x00\x00\x00"
			"\x00\x00\x00\x00\x00\x00\x00\x00",
			16, BNG_TX_forward_up},
		{51,
			"\x3b\x03\x00\x00\x00\x00\x00\x00"
			"\x00\x00\x00\x00\x00\x00\x00\x00",
			16, BNG_DROP_malformed_ipv6},
		{135, "\x3b\x00\x01\x04\x00\x00\x00\x00", 8, BNG_TX_forward_up},
		{139, "\x3b\x00\x01\x04\x00\x00\x00\x00", 8, BNG_TX_forward_up},
		{140, "\x3b\x00\x01\x04\x00\x00\x00\x00", 8, BNG_TX_forward_up},
		{60,
			"\x00\x00\x01\x04\x00\x00\x00\x00"
			"\x3b\x00\x01\x04\x00\x00\x00\x00",
			16, BNG_DROP_malformed_ipv6},
		{60, "\x3b\x01\x01\x04\x00\x00\x00\x00", 8, BNG_DROP_malformed_ipv6},
		{60, "\x3b\x00\x01\x04\x00\x00\x00", 7, BNG_DROP_malformed_ipv6},
		{60, "", 0, BNG_DROP_malformed_ipv6},
		{50, "\x00\x00\x00\x01\x00\x00\x00\x00", 8, BNG_TX_forward_up}, /* ESP is an end */
		{59, "", 0, BNG_TX_forward_up},
		{253, "\x00\x00\x00\x01\x00\x00\x00\x00", 8, BNG_TX_forward_up},
		{44,
			"\x11\x00\x00\x01\x00\x00\x00\x07"
			"\x00\x01\x00\x02\x00\x10\x00\x00",
			16, BNG_TX_forward_up},
		{44, "\x11\x00\x00\x01\x00\x00\x00\x07", 8, BNG_DROP_ipv6_header_chain},
		{44,
			"\x3c\x00\x00\x01\x00\x00\x00\x07"
			"\x11\x00\x01\x04\x00\x00\x00\x00",
			16, BNG_DROP_ipv6_header_chain},
		{44,
			"\x3c\x00\x05\xa9\x00\x00\x00\x07"
			"\xff\xff\xff\xff\xff\xff\xff\xff",
			16, BNG_TX_forward_up},
		{44,
			"\x11\x00\x05\xa8\x00\x00\x00\x07"
			"\xff",
			9, BNG_TX_forward_up},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		scene6(state);
		chain(LINE_Q, cases[i].first, cases[i].bytes, cases[i].length, cases[i].reason);
		if (cases[i].reason == BNG_TX_forward_up)
			assert_memory_equal(out.frame + 14 + 40, cases[i].bytes, cases[i].length);
		scene6(state);
		chain(LINE_P, cases[i].first, cases[i].bytes, cases[i].length, cases[i].reason);
		/* Nor does it reach a line from the core. */
		scene6(state);
		send6(LINE_Q, from_core6(of(LINE_Q)->address), cases[i].first, cases[i].bytes,
			cases[i].length);
		expect(BED_CORE,
			cases[i].reason == BNG_TX_forward_up ? BNG_TX_forward_down : cases[i].reason);
	}
}

static void too_many_headers_are_not_followed(void **state)
{
	uint8_t bytes[1200] = {0};

	for (uint32_t count = 7; count <= 9; count++) {
		memset(bytes, 0, sizeof(bytes));
		for (uint32_t i = 0; i < count; i++) {
			bytes[8 * i] = i + 1 == count ? 59 : 60;
			bytes[8 * i + 2] = 1;
			bytes[8 * i + 3] = 4;
		}
		scene6(state);
		chain(LINE_Q, 60, bytes, 8 * count,
			count <= 8 ? BNG_TX_forward_up : BNG_DROP_ipv6_header_chain);
	}
	for (uint32_t words = 60; words <= 66; words++) { /* one long one, then one more */
		memset(bytes, 0, sizeof(bytes));
		bytes[0] = 60;
		bytes[1] = (uint8_t)(words - 1);
		bytes[8 * words] = 59;
		scene6(state);
		chain(LINE_Q, 60, bytes, 8 * words + 8,
			words < 64 ? BNG_TX_forward_up : BNG_DROP_ipv6_header_chain);
	}
}

static void refused_headers_pass_in_no_place_and_no_direction(void **state)
{
	static const char behind[] = "\x2b\x00\x01\x04\x00\x00\x00\x00"
				     "\x3b\x00\x04\x00\x00\x00\x00\x00";

	scene6(state);
	refuse_header(BED_ACCESS, 43);
	chain(LINE_Q, 60, behind, 16, BNG_DROP_ipv6_refused_header);
	scene6(state);
	refuse_header(BED_ACCESS, 43);
	chain(LINE_Q, 43, behind + 8, 8, BNG_DROP_ipv6_refused_header);
	scene6(state);
	refuse_header(BED_ACCESS, 43);
	chain(LINE_P, 60, "\x3b\x00\x01\x04\x00\x00\x00\x00", 8, BNG_TX_forward_up);
	scene6(state);
	refuse_header(BED_ACCESS, 253);
	chain(LINE_Q, 253, "", 0, BNG_DROP_ipv6_refused_header);
	scene6(state);
	refuse_header(BED_ACCESS, 50);
	chain(LINE_Q, 50, "\x00\x00\x00\x01", 4, BNG_DROP_ipv6_refused_header);
	scene6(state);
	refuse_header(BED_ACCESS, 43);
	send6(LINE_Q, from_core6(of(LINE_Q)->address), 60, behind, 16);
	expect(BED_CORE, BNG_DROP_ipv6_refused_header);
}

static void every_truncation_is_malformed(void **state)
{
	static const uint8_t payload[] = "\x2b\x00\x01\x04\x00\x00\x00\x00"
					 "\x3b\x00\x04\x00\x00\x00\x00\x00";

	for (int line = 0; line < LINES6; line++) {
		struct packet whole;

		scene6(state);
		chain(line, 60, payload, 16, BNG_TX_forward_up);
		whole = p;
		for (uint32_t length = of(line)->l2; length < whole.length; length++) {
			scene6(state);
			p = whole;
			p.length = length;
			run(BED_ACCESS);
			expect(BED_ACCESS,
				line == LINE_P ? BNG_DROP_malformed_pppoe : BNG_DROP_malformed_ipv6);
			if (line != LINE_P)
				continue;
			scene6(state); /* PPPoE that says how short it is */
			p.bytes[of(line)->l2 - 4] = 0;
			p.bytes[of(line)->l2 - 3] = (uint8_t)(length - of(line)->l2 + 2);
			run(BED_ACCESS);
			expect(BED_ACCESS, BNG_DROP_malformed_ipv6);
		}
	}
	for (int version = 0; version < 16; version++) {
		if (version == 6)
			continue;
		scene6(state);
		udp6(LINE_Q, from6(LINE_Q, of(LINE_Q)->address, REMOTE6), 10);
		scene6(state);
		p.bytes[p.ip_at] = (uint8_t)(version << 4);
		run(BED_ACCESS);
		expect(BED_ACCESS, BNG_DROP_malformed_ipv6);
	}
}

/* Base frames of the next test: data, chains, neighbour discovery, DHCPv6, echo. */
static void base_frame(int which, enum line6 line)
{
	static const char chain_bytes[] = "\x2b\x00\x01\x04\x00\x00\x00\x00"
					  "\x2c\x00\x04\x00\x00\x00\x00\x00"
					  "\x11\x00\x00\x01\x00\x00\x00\x07"
					  "\x00\x01\x00\x02\x00\x10\x00\x00";
	static const uint8_t solicitation[32] = {135, [8] = 0xfe, 0x80, [23] = 1, 1, 1};
	static const uint8_t renew[60] = {
		2, 34, 2, 35, 0, 60, 0, 0, 5, 1, 2, 3, 0, 1, 0, 4, [20] = 0, 3, 0, 12};
	struct packet_layers layers = from6(line, "fe80::77", "ff02::1:2");

	if (which == 0)
		udp6(line, from6(line, of(line)->address, REMOTE6), 33);
	else if (which == 1)
		send6(line, from6(line, of(line)->host, of(LINE_B)->host), 60, chain_bytes, 32);
	else if (which == 2)
		send6(line, (layers.ttl = 255, layers), 58, solicitation, 32);
	else if (which == 3)
		send6(line, layers, 17, renew, 60);
	else
		send6(line, from6(line, of(line)->address, OWN6), 58, "\x80\x00\x00\x00\x00\x00\x00\x01", 8);
}

/* Some bytes of any packet spoiled, or its end cut off: one reason, and what does not leave is as it came. */
static void whatever_is_spoiled_is_counted_once(void **state)
{
	uint32_t random = 20260000; /* the seed */
	uint64_t counted;

	(void)state;
	for (int i = 0; i < 4000; i++) {
		enum line6 line = (enum line6)(i % LINES6);

		base_frame(i / LINES6 % 5, line);
		for (int flips = 0; flips < 1 + i % 3; flips++) {
			random = random * 1664525 + 1013904223;
			p.bytes[12 + (random >> 8) % (p.length - 12)] ^= (uint8_t)(1 << (random >> 29));
		}
		if (i % 7 == 0)
			p.length = 14 + (random >> 8) % (p.length - 14);
		counted = bed_all_counters(&bed);
		run(BED_ACCESS);
		assert_int_equal(bed_all_counters(&bed), counted + 1);
		assert_int_not_equal(out.verdict, XDP_ABORTED);
		if (out.verdict == XDP_DROP) {
			assert_int_equal(out.length, p.length);
			assert_memory_equal(out.frame, p.bytes, p.length);
		}
	}
}

/* ---- what is granted ---- */

static struct bng_filter filter;

static void use_filter(enum line6 line)
{
	uint32_t index = 3;

	bed_put(bed.access->maps.filters, &index, &filter);
	of(line)->session.filter_index = index;
	put6(of(line), 600);
}

static void one_rule(struct bng_filter_rule rule, uint8_t permits_rest)
{
	filter = (struct bng_filter){.rule_count = 1, .permits_rest = permits_rest, .rules = {rule}};
}

static const struct bng_ip6 all_ones = {~0ULL, ~0ULL};

static void filters_match_by_family_and_prefix(void **state)
{
	const struct {
		struct bng_filter_rule rule;
		int up, down;
	} cases[] = {
		{{.families = 3, .ways = 3}, 0, 0},
		{{.families = 2, .ways = 3}, 0, 0},
		{{.families = 1, .ways = 3}, 1, 1}, /* an IPv4 rule */
		{{.families = 1, .ways = 3, .remote = 0, .mask = 0, .protocol = 17}, 1, 1},
		{{.families = 2, .ways = 1}, 0, 1},
		{{.families = 2, .ways = 2}, 1, 0},
		{{.families = 2, .ways = 3, .remote6 = ip6(REMOTE6), .mask6 = all_ones}, 0, 0},
		{{.families = 2, .ways = 3, .remote6 = ip6("2001:db8:113::8"), .mask6 = all_ones}, 1, 1},
		{{.families = 2,
			 .ways = 3,
			 .remote6 = ip6("2001:db8:113::"),
			 .mask6 = ip6("ffff:ffff:ffff::")},
			0, 0},
		{{.families = 2,
			 .ways = 3,
			 .remote6 = ip6("2001:db8:112::"),
			 .mask6 = ip6("ffff:ffff:ffff::")},
			1, 1},
		{{.families = 2, .ways = 3, .protocol = 17}, 0, 0},
		{{.families = 2, .ways = 3, .protocol = 6}, 1, 1},
		{{.families = 2, .ways = 1, .protocol = 17, .port_first = 5002, .port_last = 5002}, 0, 1},
		{{.families = 2, .ways = 2, .protocol = 17, .port_first = 5001, .port_last = 5001}, 1, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int line = LINE_Q; line <= LINE_P; line++) {
			scene6(state);
			one_rule(cases[i].rule, 1);
			use_filter(line);
			up(line, of(line)->address, REMOTE6,
				cases[i].up ? BNG_TX_forward_up : BNG_DROP_filtered);
			scene6(state);
			use_filter(line);
			down(of(line)->host, cases[i].down ? BNG_TX_forward_down : BNG_DROP_filtered);
		}
}

static void an_ipv6_rule_means_no_ipv4_packet(void **state)
{
	scene6(state);
	one_rule((struct bng_filter_rule){.families = 2, .ways = 3}, 1);
	use_filter(LINE_Q);
	udp(from_a("203.0.113.9"), 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_up);
	scene6(state);
	one_rule((struct bng_filter_rule){.families = 3, .ways = 3}, 1);
	use_filter(LINE_Q);
	udp(from_a("203.0.113.9"), 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_filtered);
}

static void ports_are_seen_behind_extension_headers(void **state)
{
	static const char behind[] = "\x11\x00\x01\x04\x00\x00\x00\x00"
				     "\x13\x89\x13\x8a\x00\x08\x00\x00";
	static const char later[] = "\x11\x00\x00\x08\x00\x00\x00\x07"
				    "\x13\x89\x13\x8a\x00\x08\x00\x00";

	one_rule(
		(struct bng_filter_rule){
			.families = 2, .ways = 1, .protocol = 17, .port_first = 5002, .port_last = 5002},
		1);
	use_filter(LINE_Q);
	chain(LINE_Q, 60, behind, 16, BNG_DROP_filtered);
	scene6(state);
	use_filter(LINE_Q);
	chain(LINE_Q, 44, later, 16, BNG_TX_forward_up);
	scene6(state); /* nothing but its protocol is known of a later fragment */
	filter.rules[0].port_first = filter.rules[0].port_last = 0;
	use_filter(LINE_Q);
	chain(LINE_Q, 44, later, 16, BNG_DROP_filtered);
}

static void what_is_sent_to_us_is_not_filtered(void **state)
{
	uint8_t echo[16] = {128};

	(void)state;
	filter = (struct bng_filter){.rule_count = 0, .permits_rest = 0};
	use_filter(LINE_Q);
	send6(LINE_Q, from6(LINE_Q, of(LINE_Q)->address, OWN6), 58, echo, 16);
	expect(BED_ACCESS, BNG_TX_icmpv6_echo_reply);
}

static void both_families_spend_from_one_bucket(void **state)
{
	const uint64_t multiplier = (8000000000ULL << 24) / 64000;
	struct bng_session *session = &of(LINE_Q)->session;
	uint64_t forwarded;

	(void)state;
	session->flags |= BNG_SESSION_POLICED_UP | BNG_SESSION_POLICED_DOWN;
	session->rate_up = session->rate_down = (struct bng_rate){
		.multiplier = multiplier, .tolerance = 1600 * multiplier >> BNG_RATE_FRACTION_BITS};
	put6(of(LINE_Q), 600);
	for (int i = 0; i < 10; i++) {
		udp6(LINE_Q, from6(LINE_Q, of(LINE_Q)->address, REMOTE6), 252); /* 300 bytes */
		udp(from_a("203.0.113.9"), 272);
		run(BED_ACCESS);
	}
	forwarded = bed_counter(&bed, BED_ACCESS, BNG_TX_forward_up);
	assert_true(forwarded >= 5 && forwarded <= 6);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_DROP_policed_up), 20 - forwarded);
	for (int i = 0; i < 10; i++)
		udp6(LINE_Q, from_core6(of(LINE_Q)->address), 252);
	forwarded = bed_counter(&bed, BED_CORE, BNG_TX_forward_down);
	assert_true(forwarded >= 5 && forwarded <= 6);
}

static void each_family_counts_for_itself(void **state)
{
	struct bng_session_counters counters;

	(void)state;
	udp6(LINE_Q, from6(LINE_Q, of(LINE_Q)->address, REMOTE6), 100);
	udp6(LINE_Q, from_core6(of(LINE_Q)->address), 200);
	udp6(LINE_Q, from6(LINE_Q, "2001:db8:1::99", REMOTE6), 100);
	udp(from_a("203.0.113.9"), 40);
	run(BED_ACCESS);
	bed_session_counters(&bed, SLOT_A, &counters);
	assert_int_equal(counters.up_packets, 1);
	assert_int_equal(counters.up_bytes, 68);
	assert_int_equal(counters.down_packets, 0);
	assert_int_equal(counters.dropped_packets, 1);
	assert_int_equal(counters6(SLOT_A).up_packets, 1);
	assert_int_equal(counters6(SLOT_A).up_bytes, 148);
	assert_int_equal(counters6(SLOT_A).down_packets, 1);
	assert_int_equal(counters6(SLOT_A).down_bytes, 248);
}

static void what_is_taken_from_a_line_is_activity(void **state)
{
	struct bng_session_state session;

	(void)state;
	up(LINE_Q, of(LINE_Q)->address, REMOTE6, BNG_TX_forward_up);
	bed_session_state(&bed, SLOT_A, &session);
	assert_true(session.active_ns > bed_now_ns() - 5000000000ULL);
	assert_int_equal(state6(SLOT_A).active_ns, session.active_ns);
	scene6(state);
	up(LINE_Q, "2001:db8:1::99", REMOTE6, BNG_DROP_spoofed_source);
	assert_int_equal(state6(SLOT_A).active_ns, 0);
	scene6(state);
	down(of(LINE_Q)->address, BNG_TX_forward_down);
	assert_int_equal(state6(SLOT_A).active_ns, 0);
}

static void a_syn_of_either_side_is_told_what_the_session_holds(void **state)
{
	uint8_t syn[24] = {
		0x30, 0x39, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x60, 2, 0, 0, 0, 0, 0, 0, 2, 4, 0x05, 0xb4};
	uint8_t behind[32] = {6, 0, 1, 4};

	(void)state;
	for (int i = 0; i < 3; i++) {
		uint32_t at = 0, tcp = 40;

		scene6(state);
		of(LINE_P)->session.flags |= BNG_SESSION_CLAMP_MSS;
		put6(of(LINE_P), 600);
		memcpy(behind + 8, syn, 24);
		if (i == 0)
			send6(LINE_P, from6(LINE_P, of(LINE_P)->address, REMOTE6), 6, syn, 24);
		if (i == 1)
			send6(LINE_P, from_core6(of(LINE_P)->address), 6, syn, 24);
		if (i == 2) {
			send6(LINE_P, from_core6(of(LINE_P)->address), 60, behind, 32);
			tcp += 8;
		}
		expect(i ? BED_CORE : BED_ACCESS, i ? BNG_TX_forward_down : BNG_TX_forward_up);
		at = (i ? 30 : 14) + tcp;
		assert_memory_equal(out.frame + at + 20, "\x02\x04\x05\x98", 4); /* 1492 - 60 */
	}
}

#define CASE(f) cmocka_unit_test_setup(f, scene6)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(data_of_every_line_goes_to_the_core_bare),
		CASE(core_data_is_put_on_its_line),
		CASE(lines_reach_each_other),
		CASE(what_stands_behind_the_packet_is_not_its_length),
		CASE(a_next_hop_may_be_link_local),
		CASE(a_resolved_hop_is_remembered_by_its_whole_address),
		CASE(a_source_must_lie_in_the_lines_prefixes),
		CASE(logging_lets_a_foreign_source_pass_and_no_impossible_one),
		CASE(prefixes_beyond_the_inline_ones_are_found_by_their_route),
		CASE(a_line_without_a_session_sends_nothing),
		CASE(ipv6_must_be_granted_by_port_and_session),
		CASE(a_lapsed_lease_holds_both_ways),
		CASE(no_lease_and_an_ended_session_are_lapsed),
		CASE(the_leases_of_the_families_run_apart),
		CASE(what_no_router_forwards_ends_here),
		CASE(a_frame_to_a_group_carries_no_unicast),
		CASE(a_frame_from_a_group_is_malformed),
		CASE(routes_decide),
		CASE(an_unresolved_neighbour_is_the_agents),
		CASE(vrfs_have_their_own_prefixes),
		CASE(the_kernel_keeps_what_is_not_a_subscribers),
		CASE(hop_limits_end_with_an_error),
		CASE(a_ports_own_address_speaks_before_the_link_local_one),
		CASE(what_does_not_fit_is_reported_whatever_its_way),
		CASE(no_error_answers_an_error),
		CASE(errors_are_limited_like_those_of_ipv4),
		CASE(our_addresses_answer_echoes),
		CASE(our_addresses_answer_nothing_else),
		CASE(chains_of_headers_are_walked_to_their_end),
		CASE(too_many_headers_are_not_followed),
		CASE(refused_headers_pass_in_no_place_and_no_direction),
		CASE(every_truncation_is_malformed),
		CASE(whatever_is_spoiled_is_counted_once),
		CASE(filters_match_by_family_and_prefix),
		CASE(an_ipv6_rule_means_no_ipv4_packet),
		CASE(ports_are_seen_behind_extension_headers),
		CASE(what_is_sent_to_us_is_not_filtered),
		CASE(both_families_spend_from_one_bucket),
		CASE(each_family_counts_for_itself),
		CASE(what_is_taken_from_a_line_is_activity),
		CASE(a_syn_of_either_side_is_told_what_the_session_holds),
	};

	if (geteuid() != 0)
		return 77;
	if (bed_network(&bed) || bed_load(&bed, 64)) {
		fprintf(stderr, "cannot set up the bed\n");
		return 1;
	}
	int failed = cmocka_run_group_tests_name("ipv6", tests, NULL, NULL);

	bed_done(&bed);
	return failed;
}
