// SPDX-License-Identifier: Apache-2.0
// NAT44: ICMP queries and errors (RFC 5508), from outside, from inside and between lines.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "nat_scene.h"

enum { WHOLE = 500, UDP = 17, TCP = 6, ICMP = 1 };

static struct bng_nat_mapping mapping;
static struct bed_result sent; // a frame that an error is about

static const uint8_t *quote_in(const uint8_t *frame)
{
	const uint8_t *ip = frame + packet_l2_length(frame);

	return ip + (ip[0] & 15u) * 4 + 8;
}

static uint16_t word(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* The quote is what the other side sent or was sent: that frame's packet, with its sums. */
static void check_quote(const uint8_t *original, uint32_t upper_bytes)
{
	const uint8_t *quote = quote_in(out.frame), *ip = original + packet_l2_length(original);
	uint32_t header = (ip[0] & 15u) * 4, sum = 0;

	assert_memory_equal(quote + 12, ip + 12, header - 12); /* addresses and options */
	for (uint32_t i = 0; i < header; i += 2)
		sum += word(quote + i);
	sum = (sum & 0xffff) + (sum >> 16);
	assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
	assert_memory_equal(quote + header, ip + header, upper_bytes);
}

/* A packet of A to the peer, in `p` and, as it left, in `sent`. */
static void send_from_a(struct packet *ret_original, uint8_t protocol, uint8_t options)
{
	struct packet_layers layers = from_a(NAT_PEER);

	layers.option_words = options;
	if (protocol == UDP)
		nat_udp(layers, 5001, 33434, 40);
	else if (protocol == TCP)
		nat_tcp(layers, 5001, 80, NAT_SYN, 40);
	else
		nat_icmp(layers, 8, 5001, 40);
	*ret_original = p;
	nat_passes(BED_ACCESS, BNG_TX_forward_up);
	sent = out;
}

static void queries_are_translated_by_identifier(void **state)
{
	static const uint8_t types[] = {8, 0, 13, 14};

	(void)state;
	for (int i = 0; i < 4; i += 2) {
		uint16_t port;

		nat_scene(NULL);
		nat_icmp(from_a(NAT_PEER), types[i], 0x1234, 56);
		port = nat_passes(BED_ACCESS, BNG_TX_forward_up).from;
		assert_in_range(port, NAT_BLOCK_A, NAT_BLOCK_A + NAT_BLOCK_PORTS - 1);
		assert_int_equal(nat_mapping("100.64.1.2", 0x1234, ICMP, &mapping), port);
		nat_icmp(from_core(NAT_PUBLIC), types[i + 1], port, 56);
		struct nat_seen back = nat_passes(BED_CORE, BNG_TX_forward_down);

		assert_string_equal(back.destination, "100.64.1.2");
		assert_int_equal(back.from, 0x1234);
		/* A question to the mapped identifier is none of ours. */
		nat_icmp(from_core(NAT_PUBLIC), types[i], port, 56);
		nat_refused(BED_CORE, BNG_DROP_nat_no_mapping);
	}
	nat_icmp(from_a(NAT_PEER), 0, 7, 20);
	nat_refused(BED_ACCESS, BNG_DROP_nat_protocol);
	nat_icmp(from_a(NAT_PEER), 5, 7, 20);
	nat_refused(BED_ACCESS, BNG_DROP_nat_protocol);
}

static void errors_from_outside_show_what_the_inside_sent(void **state)
{
	static const uint8_t protocols[] = {UDP, TCP, ICMP}, types[] = {3, 11, 12};
	static const uint32_t lengths[] = {8, WHOLE};

	(void)state;
	for (int i = 0; i < 3; i++)
		for (int whole = 0; whole < 2; whole++)
			for (uint8_t options = 0; options <= 10; options += 5) {
				struct packet_layers layers = from_core(NAT_PUBLIC);
				struct packet original;
				uint32_t upper = lengths[whole] == 8 ? 8 : protocols[i] == TCP ? 60 : 48;

				nat_scene(NULL);
				send_from_a(&original, protocols[i], options);
				layers.source = "203.0.113.200"; /* a router on the way */
				layers.option_words = options / 5;
				nat_error(layers, types[i], sent.frame, lengths[whole]);
				nat_again();
				run(BED_CORE);
				expect(BED_CORE, BNG_TX_forward_down);
				const uint8_t *ip = out.frame + packet_l2_length(out.frame);

				assert_memory_equal(ip + 16, "\x64\x40\x01\x02", 4);
				assert_int_equal(ip[(ip[0] & 15) * 4], types[i]);
				/* ICMP's and UDP's sums are in the first 8 bytes, and hold again */
				check_quote(original.bytes, upper);
				assert_int_equal(
					quote_in(out.frame)[8], original.bytes[original.ip_at + 8] - 1);
				check_line(out.frame, mac_a, "\x88\xa8\x00\x0a\x81\x00\x00\x14", 8);
			}
}

static void errors_about_nothing_do_not_come_in(void **state)
{
	struct packet original;

	(void)state;
	send_from_a(&original, UDP, 0);
	nat_error(from_core(NAT_PUBLIC), 3, sent.frame, 8);
	p.bytes[p.ip_at + 48] ^= 1; /* another port */
	nat_refused(BED_CORE, BNG_DROP_nat_icmp_unrelated);
	nat_error(from_core("203.0.120.2"), 3, sent.frame, 8); /* sent to another address than it quotes */
	nat_refused(BED_CORE, BNG_DROP_nat_icmp_unrelated);
	nat_error(from_core(NAT_PUBLIC), 3, sent.frame, 8);
	p.bytes[p.ip_at + 28 + 9] = 47;
	nat_refused(BED_CORE, BNG_DROP_nat_icmp_unrelated);
	nat_error(from_core(NAT_PUBLIC), 3, sent.frame, 8);
	p.bytes[p.ip_at + 28 + 7] = 9; /* a later fragment */
	nat_refused(BED_CORE, BNG_DROP_nat_icmp_unrelated);
	nat_error(from_core(NAT_PUBLIC), 3, sent.frame, 7);
	nat_refused(BED_CORE, BNG_DROP_nat_malformed);
	nat_error(from_core(NAT_PUBLIC), 3, sent.frame, 8);
	p.bytes[p.ip_at + 28] = 0x4f; /* a header longer than the quote */
	nat_refused(BED_CORE, BNG_DROP_nat_malformed);
	nat_error(from_core(NAT_PUBLIC), 3, sent.frame, 8);
	p.bytes[p.ip_at + 28] = 0x65;
	nat_refused(BED_CORE, BNG_DROP_nat_malformed);
}

static void errors_keep_no_mapping_and_make_none(void **state)
{
	struct bng_nat_key key = {.address = bed_ip("100.64.1.2"), .port = htons(5001), .protocol = UDP};
	struct packet original;

	(void)state;
	nat_policy(BNG_NAT_INBOUND_REFRESH, 100);
	send_from_a(&original, UDP, 0);
	nat_mapping("100.64.1.2", 5001, UDP, &mapping);
	mapping.seen_ns -= 5000000000ULL;
	bed_put(bed.access->maps.nat_out, &key, &mapping);
	nat_error(from_core(NAT_PUBLIC), 3, sent.frame, 8);
	nat_again();
	run(BED_CORE);
	expect(BED_CORE, BNG_TX_forward_down);
	uint64_t old = mapping.seen_ns;

	nat_mapping("100.64.1.2", 5001, UDP, &mapping);
	assert_int_equal(mapping.seen_ns, old);
	assert_int_equal(nat_state_of(SLOT_A).created, 1);
}

static void errors_from_inside_show_what_the_outside_sent(void **state)
{
	(void)state;
	for (int tcp = 0; tcp < 2; tcp++) {
		struct packet original, outside;

		nat_scene(NULL);
		send_from_a(&original, tcp ? TCP : UDP, 0);
		if (tcp)
			nat_tcp(from_core(NAT_PUBLIC), 80, nat_seen().from, NAT_SYN | NAT_ACK, 30);
		else
			nat_udp(from_core(NAT_PUBLIC), 33434, nat_seen().from, 30);
		outside = p;
		nat_passes(BED_CORE, BNG_TX_forward_down);
		sent = out;
		nat_error(from_a(NAT_PEER), 3, sent.frame, tcp ? 50 : 38);
		nat_again();
		run(BED_ACCESS);
		expect(BED_ACCESS, BNG_TX_forward_up);
		assert_string_equal(nat_seen().source, NAT_PUBLIC);
		check_quote(outside.bytes, tcp ? 50 : 38);
		/* About a packet it was never sent, or in another's name. */
		nat_error(from_a(NAT_PEER), 3, sent.frame, 8);
		p.bytes[p.ip_at + 28 + 22] ^= 1;
		nat_refused(BED_ACCESS, BNG_DROP_nat_icmp_unrelated);
		nat_error(from_b(NAT_PEER), 3, sent.frame, 8);
		nat_refused(BED_ACCESS, BNG_DROP_nat_icmp_unrelated);
	}
	assert_int_equal(nat_state_of(SLOT_B).created, 0);
}

static void errors_between_lines_are_translated_twice(void **state)
{
	struct packet asked;
	uint16_t port_b;

	(void)state;
	nat_udp(from_b(NAT_PEER), 7000, 53, 20);
	port_b = nat_passes(BED_ACCESS, BNG_TX_forward_up).from;
	nat_udp(from_a(NAT_PUBLIC), 5001, port_b, 64);
	asked = p;
	nat_passes(BED_ACCESS, BNG_TX_forward_line_to_line);
	sent = out;
	nat_error(from_b(NAT_PUBLIC), 3, sent.frame, 72);
	nat_again();
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_line_to_line);
	assert_string_equal(nat_seen().source, NAT_PUBLIC);
	assert_string_equal(nat_seen().destination, "100.64.1.2");
	check_quote(asked.bytes, 72);
	check_line(out.frame, mac_a, "\x88\xa8\x00\x0a\x81\x00\x00\x14", 8);
}

static void errors_of_one_to_one_sessions(void **state)
{
	struct packet original, outside;

	(void)state;
	nat_static_a();
	send_from_a(&original, UDP, 0);
	nat_error(from_core(NAT_WHOLE), 3, sent.frame, 48);
	nat_again();
	run(BED_CORE);
	expect(BED_CORE, BNG_TX_forward_down);
	check_quote(original.bytes, 48);
	nat_error(from_core("203.0.120.2"), 3, sent.frame, 48);
	nat_refused(BED_CORE, BNG_DROP_nat_icmp_unrelated);
	nat_udp(from_core(NAT_WHOLE), 999, 4444, 30);
	outside = p;
	nat_passes(BED_CORE, BNG_TX_forward_down);
	sent = out;
	nat_error(from_a(NAT_PEER), 3, sent.frame, 38);
	nat_again();
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_up);
	assert_string_equal(nat_seen().source, NAT_WHOLE);
	check_quote(outside.bytes, 38);
	nat_error(from_a(NAT_PEER), 3, sent.frame, 38);
	p.bytes[p.ip_at + 28 + 19] ^= 1; /* about a packet to another host */
	nat_refused(BED_ACCESS, BNG_DROP_nat_icmp_unrelated);
	/* Asked from outside, it answers. */
	nat_icmp(from_core(NAT_WHOLE), 8, 77, 20);
	assert_int_equal(nat_passes(BED_CORE, BNG_TX_forward_down).from, 77);
	nat_icmp(from_a(NAT_PEER), 0, 77, 20);
	assert_int_equal(nat_passes(BED_ACCESS, BNG_TX_forward_up).from, 77);
	/* From a line behind ports. */
	nat_icmp(from_b(NAT_WHOLE), 8, 99, 20);
	uint16_t id = nat_passes(BED_ACCESS, BNG_TX_forward_line_to_line).from;

	assert_in_range(id, NAT_BLOCK_B, NAT_BLOCK_B + 63);
	nat_icmp(from_a(NAT_PUBLIC), 0, id, 20);
	assert_int_equal(nat_passes(BED_ACCESS, BNG_TX_forward_line_to_line).from, 99);
	assert_string_equal(nat_seen().destination, "100.64.3.4");
}

static void what_is_too_big_for_the_line_is_told_the_sender_in_its_own_words(void **state)
{
	struct packet_layers layers = from_core(NAT_PUBLIC);
	struct packet original;

	(void)state;
	change_port(BED_ACCESS, 1000, 0, 0, NULL);
	send_from_a(&original, UDP, 0);
	layers.fragment = 0x4000;
	nat_udp(layers, 33434, nat_seen().from, 1200);
	original = p;
	nat_again();
	run(BED_CORE);
	expect(BED_CORE, BNG_TX_icmp_too_big);
	assert_memory_equal(quote_in(out.frame), original.bytes + original.ip_at, 28);
}

#define CASE(f) cmocka_unit_test_setup(f, nat_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(queries_are_translated_by_identifier),
		CASE(errors_from_outside_show_what_the_inside_sent),
		CASE(errors_about_nothing_do_not_come_in),
		CASE(errors_keep_no_mapping_and_make_none),
		CASE(errors_from_inside_show_what_the_outside_sent),
		CASE(errors_between_lines_are_translated_twice),
		CASE(errors_of_one_to_one_sessions),
		CASE(what_is_too_big_for_the_line_is_told_the_sender_in_its_own_words),
	};

	if (geteuid() != 0)
		return 77;
	if (bed_network(&bed) || bed_load(&bed, 64)) {
		fprintf(stderr, "cannot set up the bed\n");
		return 1;
	}
	return cmocka_run_group_tests_name("nat_icmp", tests, NULL, NULL);
}
