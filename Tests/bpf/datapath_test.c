// SPDX-License-Identifier: Apache-2.0
// xdp_access and xdp_core packet by packet: verdict, packet out, counters, map state. Every reason of
// bng_abi.h has a case here or in the conformance vectors; the last test holds the list against what was
// seen.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "bed.h"
#include "scene.h"

static void dhcp(struct packet_layers layers, const char *options, uint32_t length)
{
	packet_dhcp(&p, &layers, layers.from, NULL, options, length);
}

static struct packet_layers dhcp_from_a(void)
{
	struct packet_layers layers = from_a("255.255.255.255");

	layers.to = broadcast;
	layers.source = "0.0.0.0";
	return layers;
}

/* ---- Ethernet ---- */

static void a_frame_shorter_than_its_tags_is_malformed(void **state)
{
	(void)state;
	udp(from_a("203.0.113.9"), 20);
	p.length = 17; /* 14 bytes are the least PROG_TEST_RUN takes */
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_malformed_ethernet);
}

static void three_tags_are_too_many(void **state)
{
	(void)state;
	packet_ethernet(&p, bed_port_mac, mac_a, 0x88a8, 10, 20, 0x8100);
	p.length += 40;
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_too_many_tags);
}

static void a_frame_to_another_mac_is_dropped(void **state)
{
	struct packet_layers layers = from_a("203.0.113.9");

	(void)state;
	layers.to = mac_b;
	udp(layers, 20);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_not_for_us);
}

static void a_core_frame_to_another_mac_is_dropped(void **state)
{
	struct packet_layers layers = from_core("100.64.1.2");

	(void)state;
	layers.to = mac_b;
	udp(layers, 20);
	run(BED_CORE);
	expect(BED_CORE, BNG_DROP_not_for_us);
}

static void other_protocols_of_a_line_have_each_a_reason(void **state)
{
	static const struct {
		uint16_t type;
		int reason;
	} cases[] = {{0x88cc, BNG_DROP_unknown_ethertype}, {0x86dd, BNG_DROP_ipv6_not_enabled},
		{0x8863, BNG_DROP_malformed_pppoe}, {0x8864, BNG_DROP_malformed_pppoe}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		scene(state);
		packet_ethernet(&p, bed_port_mac, mac_a, 0, 10, 0, cases[i].type);
		p.length += 46;
		run(BED_ACCESS);
		expect(BED_ACCESS, cases[i].reason);
	}
}

static void nothing_passes_a_port_without_policy(void **state)
{
	(void)state;
	change_port(BED_ACCESS, 0, 0, BNG_PORT_CONFIGURED, NULL);
	udp(from_a("203.0.113.9"), 20);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_port_not_configured);
}

/* ---- ARP ---- */

static void arp_for_the_gateway_is_answered(void **state)
{
	(void)state;
	packet_arp(&p, broadcast, mac_stranger, 7, 1, "0.0.0.0", "100.64.0.1");
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_arp_reply);
	check_line(out.frame, mac_stranger, "\x81\x00\x00\x07", 4);
	assert_memory_equal(out.frame + 18 + 6, "\x00\x02\x02\x00\x5e\x00\x53\x01\x64\x40\x00\x01", 12);
	assert_memory_equal(out.frame + 18 + 18, mac_stranger, 6);
	assert_memory_equal(out.frame + 18 + 24, "\x00\x00\x00\x00", 4);
}

static void arp_for_another_live_subscriber_is_answered_with_our_mac(void **state)
{
	(void)state;
	packet_ethernet(&p, broadcast, mac_a, 0x88a8, 10, 20, 0x0806);
	memcpy(p.bytes + 22, "\x00\x01\x08\x00\x06\x04\x00\x01\x02\x00\x5e\xa1\xa2\xa3\x64\x40\x01\x02", 18);
	memcpy(p.bytes + 22 + 24, "\x64\x40\x03\x04", 4);
	p.length = 22 + 28;
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_arp_reply);
	assert_memory_equal(out.frame + 22 + 14, "\x64\x40\x03\x04", 4);
	assert_memory_equal(out.frame + 22 + 8, bed_port_mac, 6);
}

static void arp_for_a_lapsed_subscriber_is_not_answered(void **state)
{
	(void)state;
	put(&line_b, session_b(), -1);
	packet_ethernet(&p, broadcast, mac_a, 0x88a8, 10, 20, 0x0806);
	memcpy(p.bytes + 22, "\x00\x01\x08\x00\x06\x04\x00\x01\x02\x00\x5e\xa1\xa2\xa3\x64\x40\x01\x02", 18);
	memcpy(p.bytes + 22 + 24, "\x64\x40\x03\x04", 4);
	p.length = 22 + 28;
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_arp_not_ours);
}

static void arp_probe_for_the_own_address_is_left_alone(void **state)
{
	(void)state;
	packet_ethernet(&p, broadcast, mac_a, 0x88a8, 10, 20, 0x0806);
	memcpy(p.bytes + 22, "\x00\x01\x08\x00\x06\x04\x00\x01\x02\x00\x5e\xa1\xa2\xa3\x00\x00\x00\x00", 18);
	memcpy(p.bytes + 22 + 24, "\x64\x40\x01\x02", 4);
	p.length = 22 + 28;
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_arp_not_ours);
}

static void arp_of_an_unknown_line_is_punted(void **state)
{
	(void)state;
	packet_arp(&p, broadcast, mac_stranger, 7, 1, "10.0.0.9", "10.0.0.1");
	run(BED_ACCESS);
	expect_punt(BNG_PUNT_REASON_arp_unknown, BNG_PUNT_ARP, 0);
}

static void arp_whose_sender_is_not_the_frame_is_malformed(void **state)
{
	(void)state;
	packet_arp(&p, broadcast, mac_stranger, 7, 1, "0.0.0.0", "100.64.0.1");
	p.bytes[18 + 8] ^= 4;
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_malformed_arp);
}

/* ---- DHCP: what the vectors leave out ---- */

static void discover_of_a_qinq_line_asks_for_router_before_mask(void **state)
{
	uint8_t length;
	const uint8_t *mask, *router;

	(void)state;
	dhcp(dhcp_from_a(), "\x35\x01\x01\x37\x03\x03\x0f\x01", 8);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_dhcp_offer);
	mask = packet_dhcp_option(out.frame, out.length, 1, &length);
	router = packet_dhcp_option(out.frame, out.length, 3, &length);
	assert_non_null(mask);
	assert_non_null(router);
	assert_true(mask < router); /* RFC 2132 3.3 */
	assert_non_null(packet_dhcp_option(out.frame, out.length, 15, &length));
	assert_null(packet_dhcp_option(out.frame, out.length, 6, &length));
}

static void a_changed_template_is_used_at_once(void **state)
{
	struct bng_dhcp_template template;
	uint32_t index = BED_TEMPLATE;
	uint8_t length;

	(void)state;
	dhcp(dhcp_from_a(), "\x35\x01\x01\x37\x01\x0f", 6);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_dhcp_offer);
	bed_template(&template);
	memcpy(template.bytes + template.options[3].offset + 2, "EXAMPLE.ORG", 11);
	bed_put(bed.access->maps.dhcp_templates, &index, &template);
	run(BED_ACCESS);
	assert_memory_equal(packet_dhcp_option(out.frame, out.length, 15, &length), "EXAMPLE.ORG", 11);
	template.version = 0; /* half written: nothing is composed from it */
	bed_put(bed.access->maps.dhcp_templates, &index, &template);
	run(BED_ACCESS);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_PUNT_REASON_dhcp_options_unusual), 1);
	seen[BNG_PUNT_REASON_dhcp_options_unusual] = true;
}

static void the_lease_ends_with_the_session(void **state)
{
	struct bng_session session = session_a();
	struct bng_session_state after;
	uint8_t length;
	const uint8_t *lease;
	uint64_t now = bed_now_ns();

	(void)state;
	session.ends_ns = now + 100000000000ULL;
	put(&line_a, session, 50);
	dhcp(dhcp_from_a(), "\x35\x01\x03\x32\x04\x64\x40\x01\x02", 9);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_dhcp_ack);
	lease = packet_dhcp_option(out.frame, out.length, 51, &length);
	assert_non_null(lease);
	assert_in_range(lease[2] << 8 | lease[3], 95, 100);
	bed_session_state(&bed, SLOT_A, &after);
	assert_true(after.expires_ns <= session.ends_ns);
	assert_int_equal(after.renewals, 1);
	assert_int_equal(after.dhcp_replies, 1);
}

static void a_padded_request_gets_a_reply_without_padding(void **state)
{
	const uint8_t *ip;

	(void)state;
	dhcp(dhcp_from_a(), "\x35\x01\x01", 3);
	p.length += 200;
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_dhcp_offer);
	ip = out.frame + packet_l2_length(out.frame);
	assert_int_equal(out.length - (ip - out.frame), ip[2] << 8 | ip[3]);
}

static void a_line_without_fast_path_is_punted(void **state)
{
	struct bng_session session = session_a();

	(void)state;
	session.flags = 0;
	put(&line_a, session, 600);
	dhcp(dhcp_from_a(), "\x35\x01\x01", 3);
	run(BED_ACCESS);
	expect_punt(BNG_PUNT_REASON_dhcp_slow_line, BNG_PUNT_DHCPV4, 0xa);
}

static void a_session_without_template_is_dropped(void **state)
{
	struct bng_session session = session_a();

	(void)state;
	session.template_index = 77;
	put(&line_a, session, 600);
	dhcp(dhcp_from_a(), "\x35\x01\x01", 3);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_no_template);
}

static void other_messages_and_releases_are_punted(void **state)
{
	static const struct {
		const char *options;
		uint32_t length;
		int reason;
	} cases[] = {{"\x35\x01\x0a", 3, BNG_PUNT_REASON_dhcp_other_message},
		{"\x35\x01\x04", 3, BNG_PUNT_REASON_dhcp_decline},
		{"\x35\x01\x07", 3, BNG_PUNT_REASON_dhcp_release},
		{"\x35\x01\x01\x3d\x02\x01\x02", 7, BNG_PUNT_REASON_dhcp_client_id_changed}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		scene(state);
		dhcp(dhcp_from_a(), cases[i].options, cases[i].length);
		run(BED_ACCESS);
		expect_punt(cases[i].reason, BNG_PUNT_DHCPV4, 0xa);
	}
}

static void a_dhcp_udp_header_that_lies_is_malformed(void **state)
{
	(void)state;
	dhcp(dhcp_from_a(), "\x35\x01\x01", 3);
	p.bytes[p.ip_at + 24] = 0x7f;
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_malformed_udp);
}

static void a_relay_that_moved_is_the_controllers(void **state)
{
	struct packet_layers layers = {.to = broadcast,
		.from = mac_stranger,
		.source = "100.64.255.254",
		.destination = "192.0.2.1"};
	struct bng_relay_key relay = {.port = BED_ACCESS, .giaddr = bed_ip("100.64.255.254")};
	uint32_t one = 1;

	(void)state;
	change_port(BED_ACCESS, 0, BNG_PORT_TRUST_RELAYS | BNG_PORT_TRUST_OPTION82, 0, NULL);
	bed_put(bed.access->maps.trusted_relays, &relay, &one);
	layers.to = bed_port_mac;
	packet_dhcp(&p, &layers, line_r.mac, NULL, "\x35\x01\x01", 3);
	memcpy(p.bytes + p.ip_at + 28 + 24, &relay.giaddr, 4);
	run(BED_ACCESS);
	expect_punt(BNG_PUNT_REASON_dhcp_relay_moved, BNG_PUNT_DHCPV4, 0xc);
}

static void a_slot_of_another_session_is_never_served(void **state)
{
	struct bng_session_state other = {.session_id = 99, .expires_ns = bed_now_ns() + 60000000000ULL};
	uint32_t slot = SLOT_A;

	(void)state;
	bed_put(bed.access->maps.session_state, &slot, &other);
	dhcp(dhcp_from_a(), "\x35\x01\x01", 3);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_internal_lookup);
}

/* ---- punting ---- */

static void one_line_cannot_spend_the_ports_budget(void **state)
{
	struct bng_guard_rate rate = {.line_pps = 1, .line_burst = 2, .port_pps = 1000, .port_burst = 100};
	uint32_t class = BNG_PUNT_DHCPV4;

	bed_put(bed.access->maps.guard_rates, &class, &rate);
	packet_dhcp(&p,
		&(struct packet_layers){.to = broadcast,
			.from = mac_stranger,
			.tags = {9},
			.source = "0.0.0.0",
			.destination = "255.255.255.255"},
		mac_stranger, NULL, "\x35\x01\x01", 3);
	for (int i = 0; i < 5; i++)
		run(BED_ACCESS);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_PUNT_REASON_dhcp_unknown_line), 2);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_DROP_guard_line), 3);
	p.bytes[15] = 11; /* another line is not affected */
	run(BED_ACCESS);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_PUNT_REASON_dhcp_unknown_line), 3);
	seen[BNG_DROP_guard_line] = true;
	(void)state;
}

static void the_port_has_a_budget(void **state)
{
	struct bng_guard_rate rate = {.line_pps = 1000, .line_burst = 100, .port_pps = 1, .port_burst = 3};
	uint32_t class = BNG_PUNT_DHCPV4;

	bed_put(bed.access->maps.guard_rates, &class, &rate);
	for (uint8_t i = 1; i <= 5; i++) {
		packet_dhcp(&p,
			&(struct packet_layers){.to = broadcast,
				.from = mac_stranger,
				.tags = {i},
				.source = "0.0.0.0",
				.destination = "255.255.255.255"},
			mac_stranger, NULL, "\x35\x01\x01", 3);
		run(BED_ACCESS);
	}
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_PUNT_REASON_dhcp_unknown_line), 3);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_DROP_guard_port), 2);
	seen[BNG_DROP_guard_port] = true;
	(void)state;
}

static void a_full_ring_is_counted(void **state)
{
	uint32_t taken = 0;

	(void)state;
	packet_arp(&p, broadcast, mac_stranger, 7, 1, "10.0.0.9", "10.0.0.1");
	while (!bed_counter(&bed, BED_ACCESS, BNG_DROP_punt_ring_full) && taken++ < 20000)
		run(BED_ACCESS);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_DROP_punt_ring_full), 1);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_PUNT_REASON_arp_unknown), taken - 1);
	assert_int_equal(bed_drain_punts(&bed), taken - 1);
	run(BED_ACCESS);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_PUNT_REASON_arp_unknown), taken);
	seen[BNG_DROP_punt_ring_full] = true;
}

static void a_frame_too_long_to_punt_is_dropped(void **state)
{
	(void)state;
	packet_arp(&p, broadcast, mac_stranger, 7, 1, "10.0.0.9", "10.0.0.1");
	p.length = 2300;
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_punt_too_long);
}

/* ---- upstream ---- */

static void data_of_a_qinq_line_goes_to_the_core_untagged(void **state)
{
	struct bng_session_counters counters;

	(void)state;
	udp(from_a("203.0.113.9"), 100);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_up);
	assert_int_equal(out.length, p.length - 8);
	assert_memory_equal(out.frame, bed_gateway_mac, 6);
	assert_memory_equal(out.frame + 6, bed_core_mac, 6);
	assert_memory_equal(out.frame + 12, "\x08\x00", 2);
	assert_int_equal(out.frame[14 + 8], 63);
	assert_memory_equal(out.frame + 14 + 12, p.bytes + p.ip_at + 12, p.length - p.ip_at - 12);
	bed_session_counters(&bed, SLOT_A, &counters);
	assert_int_equal(counters.up_packets, 1);
	assert_int_equal(counters.up_bytes, 128);
}

static void the_kernels_fib_serves_as_next_hop(void **state)
{
	(void)state;
	udp(from_a("203.0.113.200"), 100);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_up);
	assert_memory_equal(out.frame, bed_gateway_mac, 6);
	assert_memory_equal(out.frame + 6, bed_core_mac, 6);
	run(BED_ACCESS); /* again, from what is remembered */
	assert_int_equal(out.verdict, XDP_REDIRECT);
	assert_memory_equal(out.frame, bed_gateway_mac, 6);
	assert_memory_equal(out.frame + 6, bed_core_mac, 6);
}

static void ip_options_are_forwarded(void **state)
{
	struct packet_layers layers = from_a("203.0.113.9");

	(void)state;
	layers.option_words = 3;
	udp(layers, 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_up);
}

static void a_wrong_checksum_or_length_is_malformed(void **state)
{
	for (int i = 0; i < 4; i++) {
		struct packet_layers layers = from_a("203.0.113.9");

		scene(state);
		layers.option_words = i == 3 ? 2 : 0;
		udp(layers, 40);
		if (i == 0)
			p.bytes[p.ip_at + 10] ^= 0x10;
		if (i == 1)
			p.length -= 4;
		if (i == 2)
			p.bytes[p.ip_at] = 0x44;
		if (i == 3)
			p.bytes[p.ip_at + 21] ^= 0x40;
		run(BED_ACCESS);
		expect(BED_ACCESS, BNG_DROP_malformed_ipv4);
	}
}

static void an_unknown_source_is_dropped(void **state)
{
	struct packet_layers layers = from_a("203.0.113.9");

	(void)state;
	layers.from = mac_stranger;
	udp(layers, 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_no_session);
}

static void the_right_address_on_the_wrong_tag_is_dropped(void **state)
{
	struct packet_layers layers = from_a("203.0.113.9");

	(void)state;
	layers.tags[1] = 21;
	udp(layers, 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_no_session);
}

static void a_spoofed_source_is_dropped_and_blamed(void **state)
{
	struct packet_layers layers = from_a("203.0.113.9");
	struct bng_session_counters counters;
	struct bng_session_state after;

	(void)state;
	layers.source = "2.1.64.100"; /* the address with its bytes reversed */
	udp(layers, 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_spoofed_source);
	bed_session_counters(&bed, SLOT_A, &counters);
	bed_session_state(&bed, SLOT_A, &after);
	assert_int_equal(counters.dropped_packets, 1);
	assert_int_equal(counters.up_packets, 0);
	assert_int_equal(after.last_drop_reason, BNG_DROP_spoofed_source);
	assert_true(after.last_drop_ns > 0);
}

static void a_spoofed_source_passes_where_the_policy_logs(void **state)
{
	struct bng_session session = session_a();
	struct packet_layers layers = from_a("203.0.113.9");

	(void)state;
	session.flags |= BNG_SESSION_SPOOF_LOG;
	put(&line_a, session, 600);
	layers.source = "100.64.77.77";
	udp(layers, 40);
	run(BED_ACCESS);
	assert_int_equal(out.verdict, XDP_REDIRECT);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_DROP_spoofed_source), 1);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_TX_forward_up), 1);
}

static void a_relayed_clients_data_is_known_by_its_address(void **state)
{
	struct packet_layers layers = {
		.to = bed_port_mac, .from = mac_relay, .source = "100.64.5.6", .destination = "203.0.113.9"};

	udp(layers, 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_up);
	scene(state);
	layers.from = mac_stranger;
	udp(layers, 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_no_session);
}

static void martian_destinations_are_dropped(void **state)
{
	static const char *const addresses[] = {
		"224.0.0.1", "127.0.0.1", "0.1.2.3", "255.255.255.255", "240.0.0.1"};

	for (size_t i = 0; i < 5; i++) {
		scene(state);
		udp(from_a(addresses[i]), 40);
		run(BED_ACCESS);
		expect(BED_ACCESS, BNG_DROP_martian_destination);
	}
}

static void a_lapsed_lease_or_session_forwards_nothing(void **state)
{
	struct bng_session ended = session_a();

	put(&line_a, session_a(), -1);
	udp(from_a("203.0.113.9"), 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_session_lapsed);
	scene(state);
	ended.ends_ns = bed_now_ns() - 20000000;
	put(&line_a, ended, 600);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_session_lapsed);
}

static void a_server_on_a_line_is_silenced(void **state)
{
	struct packet_layers layers = from_a("100.64.3.4");
	uint8_t bootp[300] = {2, 1, 6};

	(void)state;
	packet_udp(&p, &layers, 67, 68, bootp, sizeof(bootp));
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_dhcp_from_server);
}

static void data_to_another_line_is_retagged(void **state)
{
	struct bng_session_counters a, b;

	(void)state;
	udp(from_a("100.64.3.4"), 100);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_line_to_line);
	check_line(out.frame, mac_b, "\x81\x00\x00\x1e\x08\x00", 6);
	assert_int_equal(out.length, p.length - 4);
	assert_int_equal(out.frame[18 + 8], 63);
	bed_session_counters(&bed, SLOT_A, &a);
	bed_session_counters(&bed, SLOT_B, &b);
	assert_int_equal(a.up_packets, 1);
	assert_int_equal(b.down_packets, 1);
	assert_int_equal(b.down_bytes, 128);
}

static void the_gateway_answers_echo(void **state)
{
	struct packet_layers layers = from_a("100.64.0.1");

	(void)state;
	layers.ttl = 1;
	packet_echo(&p, &layers, 8, 57);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_icmp_echo_reply);
	check_line(out.frame, mac_a, "\x88\xa8\x00\x0a\x81\x00\x00\x14\x08\x00", 10);
	assert_memory_equal(out.frame + 22 + 12, "\x64\x40\x00\x01\x64\x40\x01\x02", 8);
	assert_int_equal(out.frame[22 + 20], 0);
	assert_memory_equal(out.frame + 22 + 24, p.bytes + 22 + 24, 61);
}

static void what_else_is_sent_to_us_is_dropped(void **state)
{
	(void)state;
	udp(from_a("100.64.0.1"), 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_own_address_unhandled);
}

/* ---- ICMP errors ---- */

static void expect_icmp(
	int port, int reason, uint8_t type, uint8_t code, const char *source, const uint8_t *to_mac)
{
	const uint8_t *ip, *quote;
	char text[INET_ADDRSTRLEN];
	uint32_t l2 = packet_l2_length(out.frame);

	expect(port, reason);
	ip = out.frame + l2;
	quote = ip + 28;
	assert_int_equal(l2, p.ip_at);
	assert_memory_equal(out.frame, to_mac, 6);
	assert_memory_equal(out.frame + 12, p.bytes + 12, l2 - 12);
	assert_string_equal(inet_ntop(AF_INET, ip + 12, text, sizeof(text)), source);
	assert_memory_equal(ip + 16, p.bytes + p.ip_at + 12, 4);
	assert_int_equal(ip[20], type);
	assert_int_equal(ip[21], code);
	assert_memory_equal(quote, p.bytes + p.ip_at, out.length - l2 - 28);
	assert_true(out.length - l2 >= 28 + 28 && out.length - l2 <= 576);
}

static void an_expired_ttl_is_reported_to_the_line(void **state)
{
	struct packet_layers layers = from_a("203.0.113.9");

	(void)state;
	layers.ttl = 1;
	udp(layers, 33);
	run(BED_ACCESS);
	expect_icmp(BED_ACCESS, BNG_TX_icmp_ttl_exceeded, 11, 0, "100.64.0.1", mac_a);
}

static void an_expired_ttl_is_reported_to_the_core(void **state)
{
	struct packet_layers layers = from_core("100.64.1.2");

	(void)state;
	layers.ttl = 1;
	udp(layers, 900);
	run(BED_CORE);
	expect_icmp(BED_CORE, BNG_TX_icmp_ttl_exceeded, 11, 0, "192.0.2.129", bed_gateway_mac);
	assert_int_equal(out.length, 14 + 28 + 512);
}

static void no_error_answers_an_error_or_a_fragment(void **state)
{
	struct packet_layers layers = from_a("203.0.113.9");

	layers.ttl = 1;
	packet_echo(&p, &layers, 3, 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_ttl_expired);
	scene(state);
	layers.fragment = 100;
	udp(layers, 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_ttl_expired);
}

static void icmp_errors_are_rate_limited(void **state)
{
	struct packet_layers layers = from_a("203.0.113.9");

	(void)state;
	layers.ttl = 1;
	udp(layers, 40);
	for (int i = 0; i < 200; i++)
		run(BED_ACCESS);
	assert_in_range(bed_counter(&bed, BED_ACCESS, BNG_TX_icmp_ttl_exceeded), 40, 100);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_TX_icmp_ttl_exceeded) +
				 bed_counter(&bed, BED_ACCESS, BNG_DROP_icmp_not_sent),
		200);
	seen[BNG_DROP_icmp_not_sent] = true;
}

static void too_big_with_df_is_reported_with_the_mtu(void **state)
{
	struct packet_layers layers = from_core("100.64.1.2");

	(void)state;
	change_port(BED_ACCESS, 1000, 0, 0, NULL);
	layers.fragment = 0x4000;
	udp(layers, 1200);
	run(BED_CORE);
	expect_icmp(BED_CORE, BNG_TX_icmp_too_big, 3, 4, "192.0.2.129", bed_gateway_mac);
	assert_memory_equal(out.frame + 14 + 24, "\x00\x00\x03\xe8", 4);
}

static void too_big_without_df_is_the_agents_to_cut(void **state)
{
	struct packet_layers layers = from_core("100.64.1.2");
	struct bng_session_counters counters;
	const struct bng_punt *punt;

	change_port(BED_ACCESS, 1000, 0, 0, NULL);
	udp(layers, 1200);
	run(BED_CORE);
	punt = expect_handed_over(BED_CORE, BNG_PUNT_REASON_fragmented, BNG_PUNT_FRAGMENT, BED_ACCESS, 1000);
	assert_int_equal(punt->session_id, 0xa);
	assert_int_equal(punt->frame_length, 22 + 1228);
	check_line(punt->frame, mac_a, "\x88\xa8\x00\x0a\x81\x00\x00\x14\x08\x00", 10);
	assert_true(packet_checksums_hold(punt->frame, punt->frame_length));
	assert_int_equal(punt->frame[22 + 8], 63);
	bed_session_counters(&bed, SLOT_A, &counters);
	assert_int_equal(counters.down_packets, 1);
	assert_int_equal(counters.down_bytes, 1228);

	scene(state);
	change_port(BED_ACCESS, 1000, 0, 0, NULL);
	udp(layers, 2018 - 28 + 1); /* with the largest head over what a record holds */
	run(BED_CORE);
	expect(BED_CORE, BNG_DROP_too_big);
}

static void the_routes_mtu_holds_upstream(void **state)
{
	struct packet_layers layers = from_a("203.0.116.9");

	(void)state;
	layers.fragment = 0x4000;
	udp(layers, 1200);
	run(BED_ACCESS);
	expect_icmp(BED_ACCESS, BNG_TX_icmp_too_big, 3, 4, "100.64.0.1", mac_a);
	assert_memory_equal(out.frame + 22 + 24, "\x00\x00\x03\xe8", 4);
}

static void a_remembered_next_hop_keeps_its_mtu(void **state)
{
	struct packet_layers layers = from_a("203.0.113.9");

	(void)state;
	change_port(BED_CORE, 900, 0, 0, NULL);
	layers.fragment = 0x4000;
	for (int i = 0; i < 2; i++) {
		udp(layers, 100);
		run(BED_ACCESS);
		assert_int_equal(out.verdict, XDP_REDIRECT);
		udp(layers, 1000);
		run(BED_ACCESS);
		assert_int_equal(out.verdict, XDP_TX);
		assert_memory_equal(out.frame + 22 + 24, "\x00\x00\x03\x84", 4);
	}
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_TX_forward_up), 2);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_TX_icmp_too_big), 2);
}

static void no_route_and_no_subscriber_are_reported(void **state)
{
	udp(from_a("8.8.8.8"), 40);
	run(BED_ACCESS);
	expect_icmp(BED_ACCESS, BNG_TX_icmp_unreachable, 3, 0, "100.64.0.1", mac_a);
	scene(state);
	udp(from_a("100.64.99.99"), 40);
	run(BED_ACCESS);
	expect_icmp(BED_ACCESS, BNG_TX_icmp_unreachable, 3, 1, "100.64.0.1", mac_a);
	scene(state);
	udp(from_core("100.64.99.99"), 40);
	run(BED_CORE);
	expect_icmp(BED_CORE, BNG_TX_icmp_unreachable, 3, 1, "192.0.2.129", bed_gateway_mac);
}

static void the_causes_of_errors_that_may_not_be_sent_are_counted(void **state)
{
	static const struct {
		const char *destination;
		int reason;
	} cases[] = {{"8.8.8.8", BNG_DROP_no_route}, {"100.64.99.99", BNG_DROP_no_subscriber},
		{"203.0.115.9", BNG_DROP_route_unreachable}};

	for (size_t i = 0; i < 3; i++) {
		struct packet_layers layers = from_a(cases[i].destination);

		scene(state);
		layers.fragment = 64;
		udp(layers, 40);
		run(BED_ACCESS);
		expect(BED_ACCESS, cases[i].reason);
	}
}

static void an_unreachable_route_is_reported(void **state)
{
	(void)state;
	udp(from_a("203.0.115.9"), 40);
	run(BED_ACCESS);
	expect_icmp(BED_ACCESS, BNG_TX_icmp_unreachable, 3, 1, "100.64.0.1", mac_a);
}

static void blackholes_are_silent(void **state)
{
	udp(from_a("198.18.0.1"), 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_route_blackhole);
	scene(state);
	udp(from_a("203.0.114.9"), 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_route_blackhole);
}

static void an_unresolved_neighbor_is_punted(void **state)
{
	(void)state;
	udp(from_a("198.51.100.9"), 40);
	run(BED_ACCESS);
	expect_punt(BNG_PUNT_REASON_neighbor_unresolved, BNG_PUNT_NEIGHBOR, 0xa);
}

static void an_unresolved_neighbor_of_a_vrf_is_dropped(void **state)
{
	struct bng_session session = session_a();
	struct bng_route_key key = {.prefix_bits = 56, .vrf = htonl(9), .ipv4 = bed_ip("203.0.113.0")};
	struct bng_route route = {.kind = BNG_ROUTE_NEXT_HOP, .next_hop = 9};
	struct bng_next_hop hop = {
		.kind = BNG_NEXT_HOP_GATEWAY, .port = BED_CORE, .ipv4 = bed_ip("192.0.2.201")};
	uint32_t index = 9;

	(void)state;
	session.vrf = 9;
	put(&line_a, session, 600);
	bed_put(bed.access->maps.routes4, &key, &route);
	bed_put(bed.access->maps.next_hops, &index, &hop);
	udp(from_a("203.0.113.9"), 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_no_neighbor);
}

static void routes_of_another_vrf_are_not_used(void **state)
{
	struct bng_session session = session_a();
	struct packet_layers layers = from_a("203.0.113.9");

	(void)state;
	session.vrf = 8;
	put(&line_a, session, 600);
	layers.fragment = 64;
	udp(layers, 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_no_route);
}

static void a_port_that_cannot_send_is_counted(void **state)
{
	uint32_t index = BED_CORE;

	(void)state;
	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(bed.access->maps.tx_ports), &index), 0);
	udp(from_a("203.0.113.9"), 40);
	bed_run(&bed, BED_ACCESS, p.bytes, p.length, &out);
	assert_int_equal(out.verdict, XDP_DROP);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_DROP_redirect_failed), 1);
	assert_int_equal(bed_all_counters(&bed), 1);
	seen[BNG_DROP_redirect_failed] = true;
}

/* ---- downstream ---- */

static void core_data_is_tagged_for_its_line(void **state)
{
	struct bng_session_counters counters;

	udp(from_core("100.64.1.2"), 100);
	run(BED_CORE);
	expect(BED_CORE, BNG_TX_forward_down);
	check_line(out.frame, mac_a, "\x88\xa8\x00\x0a\x81\x00\x00\x14\x08\x00", 10);
	assert_int_equal(out.length, p.length + 8);
	assert_int_equal(out.frame[22 + 8], 63);
	assert_memory_equal(out.frame + 22 + 12, p.bytes + 14 + 12, p.length - 26);
	bed_session_counters(&bed, SLOT_A, &counters);
	assert_int_equal(counters.down_packets, 1);
	assert_int_equal(counters.down_bytes, 128);
	scene(state);
	udp(from_core("100.64.5.6"), 100);
	run(BED_CORE);
	expect(BED_CORE, BNG_TX_forward_down);
	check_line(out.frame, mac_relay, "\x08\x00", 2);
}

static void core_data_for_a_lapsed_lease_is_unreachable(void **state)
{
	(void)state;
	put(&line_a, session_a(), -1);
	udp(from_core("100.64.1.2"), 40);
	run(BED_CORE);
	expect_icmp(BED_CORE, BNG_TX_icmp_unreachable, 3, 1, "192.0.2.129", bed_gateway_mac);
}

static void the_kernel_gets_what_is_its_own(void **state)
{
	static const char *const addresses[] = {
		"192.0.2.129", "192.0.2.1", "100.64.0.1", "224.0.0.5", "8.8.8.8"};

	for (size_t i = 0; i < 5; i++) {
		scene(state);
		udp(from_core(addresses[i]), 40);
		run(BED_CORE);
		expect(BED_CORE, BNG_TX_pass_kernel);
	}
	scene(state);
	packet_arp(&p, broadcast, bed_gateway_mac, 0, 1, "192.0.2.254", "192.0.2.129");
	run(BED_CORE);
	expect(BED_CORE, BNG_TX_pass_kernel);
}

static void without_a_source_no_error_is_sent(void **state)
{
	(void)state;
	change_port(BED_CORE, 0, 0, 0, "");
	udp(from_core("100.64.99.99"), 40);
	run(BED_CORE);
	expect(BED_CORE, BNG_DROP_icmp_not_sent);
}

/*
 * The reasons the conformance vectors and other files cover, and the one PROG_TEST_RUN cannot
 * bring about: the kernel there always has room to resize a frame.
 */
static const int elsewhere[] = {BNG_DROP_malformed_dhcp, BNG_DROP_dhcp_other_server, BNG_DROP_forged_option82,
	BNG_DROP_untrusted_relay, BNG_PUNT_REASON_dhcp_unknown_line, BNG_PUNT_REASON_dhcp_lapsed,
	BNG_PUNT_REASON_dhcp_option82_changed, BNG_TX_dhcp_nak, BNG_TX_dhcp_inform_ack,
	BNG_DROP_internal_adjust,
	/* service_test.c */ BNG_DROP_filtered, BNG_DROP_policed_up, BNG_DROP_policed_down,
	/* pppoe_test.c */ BNG_DROP_pppoe_not_enabled, BNG_DROP_pppoe_unknown_service,
	BNG_DROP_pppoe_cookie_missing, BNG_DROP_pppoe_cookie_bad, BNG_DROP_pppoe_cookie_stale,
	BNG_DROP_pppoe_forged_circuit, BNG_DROP_pppoe_repeated, BNG_DROP_pppoe_from_server,
	BNG_PUNT_REASON_pppoe_padr, BNG_PUNT_REASON_pppoe_padt, BNG_PUNT_REASON_pppoe_held, BNG_TX_pppoe_pado,
	/* ppp_test.c */ BNG_DROP_ppp_discarded, BNG_DROP_ppp_echo_heard, BNG_PUNT_REASON_ppp_control,
	BNG_PUNT_REASON_ppp_unknown_session, BNG_TX_ppp_echo_reply,
	/* ipv6_test.c */ BNG_DROP_malformed_ipv6, BNG_DROP_ipv6_routing_header, BNG_DROP_ipv6_refused_header,
	BNG_DROP_ipv6_header_chain, BNG_DROP_ipv6_local_scope, BNG_TX_icmpv6_echo_reply,
	BNG_TX_icmpv6_time_exceeded, BNG_TX_icmpv6_too_big, BNG_TX_icmpv6_unreachable,
	/* nd_test.c */ BNG_DROP_malformed_nd, BNG_DROP_nd_not_ours, BNG_DROP_nd_advertisement,
	BNG_DROP_nd_from_router, BNG_PUNT_REASON_nd_router_solicitation, BNG_TX_nd_neighbor_advertisement,
	BNG_TX_nd_router_advertisement,
	/* dhcp6_test.c */ BNG_DROP_malformed_dhcpv6, BNG_DROP_dhcpv6_from_server,
	BNG_PUNT_REASON_dhcpv6_unknown_line, BNG_PUNT_REASON_dhcpv6_lapsed, BNG_PUNT_REASON_dhcpv6_slow_line,
	BNG_PUNT_REASON_dhcpv6_other_message, BNG_PUNT_REASON_dhcpv6_relayed,
	BNG_PUNT_REASON_dhcpv6_identity_changed, BNG_PUNT_REASON_dhcpv6_associations_changed,
	BNG_PUNT_REASON_dhcpv6_options_unusual, BNG_TX_dhcpv6_reply,
	/* nat_test.c */ BNG_DROP_nat_no_block, BNG_DROP_nat_no_port, BNG_DROP_nat_table_full,
	BNG_DROP_nat_too_many_flows, BNG_DROP_nat_protocol, BNG_DROP_nat_malformed, BNG_DROP_nat_no_mapping,
	BNG_DROP_nat_filtered, BNG_DROP_nat_no_connection, BNG_DROP_nat_icmp_unrelated,
	BNG_DROP_nat_fragment_lost, BNG_DROP_nat_internal, BNG_PUNT_REASON_nat_ports_low,
	BNG_PUNT_REASON_nat_fragment_early, /* nat_alg_test.c */ BNG_PUNT_REASON_nat_alg,
	/* nat_pcp_test.c */ BNG_PUNT_REASON_pcp_request};

static void every_reason_has_a_case(void **state)
{
	int missing = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		seen[elsewhere[i]] = true;
	for (int i = 1; i < BNG_REASONS; i++)
		if (!seen[i]) {
			print_error("no case for %s\n", bed_reason_name(i));
			missing++;
		}
	assert_int_equal(missing, 0);
}

#define CASE(f) cmocka_unit_test_setup(f, scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_frame_shorter_than_its_tags_is_malformed),
		CASE(three_tags_are_too_many),
		CASE(a_frame_to_another_mac_is_dropped),
		CASE(a_core_frame_to_another_mac_is_dropped),
		CASE(other_protocols_of_a_line_have_each_a_reason),
		CASE(nothing_passes_a_port_without_policy),
		CASE(arp_for_the_gateway_is_answered),
		CASE(arp_for_another_live_subscriber_is_answered_with_our_mac),
		CASE(arp_for_a_lapsed_subscriber_is_not_answered),
		CASE(arp_probe_for_the_own_address_is_left_alone),
		CASE(arp_of_an_unknown_line_is_punted),
		CASE(arp_whose_sender_is_not_the_frame_is_malformed),
		CASE(discover_of_a_qinq_line_asks_for_router_before_mask),
		CASE(a_changed_template_is_used_at_once),
		CASE(the_lease_ends_with_the_session),
		CASE(a_padded_request_gets_a_reply_without_padding),
		CASE(a_line_without_fast_path_is_punted),
		CASE(a_session_without_template_is_dropped),
		CASE(other_messages_and_releases_are_punted),
		CASE(a_dhcp_udp_header_that_lies_is_malformed),
		CASE(a_relay_that_moved_is_the_controllers),
		CASE(a_slot_of_another_session_is_never_served),
		CASE(one_line_cannot_spend_the_ports_budget),
		CASE(the_port_has_a_budget),
		CASE(a_full_ring_is_counted),
		CASE(a_frame_too_long_to_punt_is_dropped),
		CASE(data_of_a_qinq_line_goes_to_the_core_untagged),
		CASE(the_kernels_fib_serves_as_next_hop),
		CASE(ip_options_are_forwarded),
		CASE(a_wrong_checksum_or_length_is_malformed),
		CASE(an_unknown_source_is_dropped),
		CASE(the_right_address_on_the_wrong_tag_is_dropped),
		CASE(a_spoofed_source_is_dropped_and_blamed),
		CASE(a_spoofed_source_passes_where_the_policy_logs),
		CASE(a_relayed_clients_data_is_known_by_its_address),
		CASE(martian_destinations_are_dropped),
		CASE(a_lapsed_lease_or_session_forwards_nothing),
		CASE(a_server_on_a_line_is_silenced),
		CASE(data_to_another_line_is_retagged),
		CASE(the_gateway_answers_echo),
		CASE(what_else_is_sent_to_us_is_dropped),
		CASE(an_expired_ttl_is_reported_to_the_line),
		CASE(an_expired_ttl_is_reported_to_the_core),
		CASE(no_error_answers_an_error_or_a_fragment),
		CASE(icmp_errors_are_rate_limited),
		CASE(too_big_with_df_is_reported_with_the_mtu),
		CASE(too_big_without_df_is_the_agents_to_cut),
		CASE(the_routes_mtu_holds_upstream),
		CASE(a_remembered_next_hop_keeps_its_mtu),
		CASE(no_route_and_no_subscriber_are_reported),
		CASE(the_causes_of_errors_that_may_not_be_sent_are_counted),
		CASE(an_unreachable_route_is_reported),
		CASE(blackholes_are_silent),
		CASE(an_unresolved_neighbor_is_punted),
		CASE(an_unresolved_neighbor_of_a_vrf_is_dropped),
		CASE(routes_of_another_vrf_are_not_used),
		CASE(a_port_that_cannot_send_is_counted),
		CASE(core_data_is_tagged_for_its_line),
		CASE(core_data_for_a_lapsed_lease_is_unreachable),
		CASE(the_kernel_gets_what_is_its_own),
		CASE(without_a_source_no_error_is_sent),
		cmocka_unit_test(every_reason_has_a_case),
	};

	if (geteuid() != 0)
		return 77;
	if (bed_network(&bed) || bed_load(&bed, 64)) {
		fprintf(stderr, "cannot set up the bed\n");
		return 1;
	}
	return cmocka_run_group_tests_name("datapath", tests, NULL, NULL);
}
