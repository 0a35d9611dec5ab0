// SPDX-License-Identifier: Apache-2.0
// NAT44: fragments (RFC 4787 11) in order and out of it, both ways, between lines, one to one.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "nat_scene.h"

enum { MORE = 0x2000, SECOND = 0x2000 | 100, LAST = 200 };

static struct packet first, second, last; // 808, 800 and 400 bytes of one datagram of UDP

static void cut(struct packet_layers layers, uint16_t from, uint16_t to)
{
	static uint8_t datagram[2008];

	nat_udp(layers, from, to, 2000);
	memcpy(datagram, p.bytes + p.ip_at + 20, sizeof(datagram));
	layers.protocol = 17;
	layers.fragment = MORE;
	packet_ipv4(&first, &layers, datagram, 800);
	layers.fragment = SECOND;
	packet_ipv4(&second, &layers, datagram + 800, 800);
	layers.fragment = LAST;
	packet_ipv4(&last, &layers, datagram + 1600, sizeof(datagram) - 1600);
}

static void passes(const struct packet *fragment, int port, int reason)
{
	p = *fragment;
	nat_passes(port, reason);
}

static struct bng_punt *early(const struct packet *fragment, int port, uint64_t session_id)
{
	struct bng_punt *punt;

	p = *fragment;
	nat_again();
	run(port);
	punt = expect_handed_over(port, BNG_PUNT_REASON_nat_fragment_early, BNG_PUNT_NAT_FRAGMENT, 0, 0);
	assert_int_equal(punt->session_id, session_id);
	assert_int_equal(punt->frame_length, fragment->length);
	assert_memory_equal(punt->frame, fragment->bytes, fragment->length);
	return punt;
}

/* Addresses as wanted, the payload as it was. */
static void check(const struct packet *fragment, const char *source, const char *destination, int has_ports)
{
	const uint8_t *ip = out.frame + packet_l2_length(out.frame);
	uint32_t skipped = has_ports ? 28 : 20;

	assert_string_equal(nat_seen().source, source);
	assert_string_equal(nat_seen().destination, destination);
	assert_memory_equal(ip + skipped, fragment->bytes + fragment->ip_at + skipped,
		fragment->length - fragment->ip_at - skipped);
	assert_memory_equal(ip + 4, fragment->bytes + fragment->ip_at + 4, 4);
}

static void check_whole_sum(const uint8_t *first_out)
{
	/* The sum over the datagram as it leaves: the first fragment's, with the payload of all. */
	const uint8_t *ip = first_out + packet_l2_length(first_out);
	uint32_t sum = 17 + 2008;

	for (uint32_t i = 12; i < 20; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	for (uint32_t i = 20; i < 820; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	for (uint32_t i = 20; i < 820; i += 2)
		sum += (uint32_t)(second.bytes[second.ip_at + i] << 8 | second.bytes[second.ip_at + i + 1]);
	for (uint32_t i = 20; i < 20 + 408; i += 2)
		sum += (uint32_t)(last.bytes[last.ip_at + i] << 8 | last.bytes[last.ip_at + i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
}

static void fragments_follow_the_first_one_up_and_down(void **state)
{
	uint16_t port;

	(void)state;
	cut(from_a(NAT_PEER), 5001, 53);
	passes(&first, BED_ACCESS, BNG_TX_forward_up);
	check(&first, NAT_PUBLIC, NAT_PEER, 1);
	check_whole_sum(out.frame);
	port = nat_seen().from;
	passes(&last, BED_ACCESS, BNG_TX_forward_up);
	check(&last, NAT_PUBLIC, NAT_PEER, 0);
	passes(&second, BED_ACCESS, BNG_TX_forward_up);
	check(&second, NAT_PUBLIC, NAT_PEER, 0);
	cut(from_core(NAT_PUBLIC), 53, port);
	passes(&first, BED_CORE, BNG_TX_forward_down);
	check(&first, NAT_PEER, "100.64.1.2", 1);
	check_whole_sum(out.frame);
	passes(&second, BED_CORE, BNG_TX_forward_down);
	check(&second, NAT_PEER, "100.64.1.2", 0);
	check_line(out.frame, mac_a, "\x88\xa8\x00\x0a\x81\x00\x00\x14", 8);
	passes(&last, BED_CORE, BNG_TX_forward_down);
	check(&last, NAT_PEER, "100.64.1.2", 0);
}

static void one_before_the_first_waits(void **state)
{
	(void)state;
	cut(from_a(NAT_PEER), 5001, 53);
	early(&last, BED_ACCESS, 0xa);
	passes(&first, BED_ACCESS, BNG_TX_forward_up);
	passes(&last, BED_ACCESS, BNG_TX_forward_up);
	check(&last, NAT_PUBLIC, NAT_PEER, 0);
	/* From outside, to a public address. */
	cut(from_core(NAT_PUBLIC), 53, nat_seen().from);
	assert_int_equal(early(&second, BED_CORE, 0)->port, BED_CORE);
}

static void fragments_of_another_do_not_follow(void **state)
{
	struct packet_layers layers = from_b(NAT_PEER);
	struct bng_nat_fragment_key key = {.source = bed_ip("100.64.1.2"),
		.destination = bed_ip(NAT_PEER),
		.id = htons(0x1234),
		.protocol = 17};
	struct bng_nat_fragment noted;

	(void)state;
	cut(from_a(NAT_PEER), 5001, 53);
	passes(&first, BED_ACCESS, BNG_TX_forward_up);
	/* Another id, destination, protocol. */
	last.bytes[last.ip_at + 5] ^= 1;
	last.bytes[last.ip_at + 11] ^= 1;
	p = last;
	nat_again();
	run(BED_ACCESS);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_DROP_malformed_ipv4) +
				 bed_counter(&bed, BED_ACCESS, BNG_PUNT_REASON_nat_fragment_early),
		1);
	cut(layers, 5001, 53);
	early(&last, BED_ACCESS, 0xb);
	/* A's name in B's mouth. */
	struct bng_session b = session_b();

	b.flags |= BNG_SESSION_NAT | BNG_SESSION_SPOOF_LOG;
	put(&nat_line_b, b, 600);
	layers.source = "100.64.1.2";
	cut(layers, 5001, 53);
	p = last;
	nat_again();
	run(BED_ACCESS);
	assert_int_equal(out.verdict, XDP_DROP);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_PUNT_REASON_nat_fragment_early), 1);
	/* One that is 30 s old leads no more. */
	cut(from_a(NAT_PEER), 5001, 53);
	passes(&last, BED_ACCESS, BNG_TX_forward_up);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(bed.access->maps.nat_fragments), &key, &noted), 0);
	noted.seen_ns -= 31000000000ULL;
	bed_put(bed.access->maps.nat_fragments, &key, &noted);
	early(&last, BED_ACCESS, 0xa);
}

static void the_first_one_of_a_refused_packet_leads_nobody(void **state)
{
	(void)state;
	cut(from_core(NAT_PUBLIC), 53, NAT_BLOCK_A);
	p = first;
	nat_refused(BED_CORE, BNG_DROP_nat_no_mapping);
	early(&last, BED_CORE, 0);
	/* The way out is found, the way in to the other line is not. */
	cut(from_a(NAT_PUBLIC), 5001, NAT_BLOCK_B);
	p = first;
	nat_refused(BED_ACCESS, BNG_DROP_nat_no_mapping);
	p = last;
	nat_refused(BED_ACCESS, BNG_DROP_nat_fragment_lost);
}

static void fragments_between_lines_are_translated_twice(void **state)
{
	uint16_t port_b;

	(void)state;
	nat_udp(from_b(NAT_PEER), 7000, 53, 20);
	port_b = nat_passes(BED_ACCESS, BNG_TX_forward_up).from;
	cut(from_a(NAT_PUBLIC), 5001, port_b);
	early(&last, BED_ACCESS, 0xa);
	passes(&first, BED_ACCESS, BNG_TX_forward_line_to_line);
	check(&first, NAT_PUBLIC, "100.64.3.4", 1);
	check_whole_sum(out.frame);
	passes(&last, BED_ACCESS, BNG_TX_forward_line_to_line);
	check(&last, NAT_PUBLIC, "100.64.3.4", 0);
	check_line(out.frame, mac_b, "\x81\x00\x00\x1e", 4);
}

static void a_line_that_is_not_translated_sends_to_one_that_is(void **state)
{
	uint16_t port_b;

	(void)state;
	nat_udp(from_b(NAT_PEER), 7000, 53, 20);
	port_b = nat_passes(BED_ACCESS, BNG_TX_forward_up).from;
	put(&line_a, session_a(), 600);
	cut(from_a(NAT_PUBLIC), 5001, port_b);
	early(&last, BED_ACCESS, 0xa);
	passes(&first, BED_ACCESS, BNG_TX_forward_line_to_line);
	struct bng_nat_fragment_key key = {.source = bed_ip("100.64.1.2"),
		.destination = bed_ip(NAT_PUBLIC),
		.id = htons(0x1234),
		.protocol = 17};
	struct bng_nat_fragment noted;

	/* Where the agent looks for it: not as what comes from the core. */
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(bed.access->maps.nat_fragments), &key, &noted), 0);
	passes(&last, BED_ACCESS, BNG_TX_forward_line_to_line);
	check(&last, "100.64.1.2", "100.64.3.4", 0);
	/* It becomes one that is: what was noted before is not good enough. */
	struct bng_session a = session_a();

	a.flags |= BNG_SESSION_NAT;
	put(&line_a, a, 600);
	p = last;
	nat_refused(BED_ACCESS, BNG_DROP_nat_fragment_lost);
}

static void one_to_one_needs_no_first_one(void **state)
{
	uint16_t port_b;

	(void)state;
	nat_static_a();
	cut(from_a(NAT_PEER), 5001, 53);
	passes(&last, BED_ACCESS, BNG_TX_forward_up);
	check(&last, NAT_WHOLE, NAT_PEER, 0);
	passes(&first, BED_ACCESS, BNG_TX_forward_up);
	check_whole_sum(out.frame);
	cut(from_core(NAT_WHOLE), 53, 5001);
	passes(&last, BED_CORE, BNG_TX_forward_down);
	check(&last, NAT_PEER, "100.64.1.2", 0);
	passes(&first, BED_CORE, BNG_TX_forward_down);
	check_whole_sum(out.frame);
	/* To and from a line behind ports. */
	nat_udp(from_b(NAT_PEER), 7000, 53, 20);
	port_b = nat_passes(BED_ACCESS, BNG_TX_forward_up).from;
	cut(from_a(NAT_PUBLIC), 5001, port_b);
	early(&last, BED_ACCESS, 0xa);
	passes(&first, BED_ACCESS, BNG_TX_forward_line_to_line);
	passes(&last, BED_ACCESS, BNG_TX_forward_line_to_line);
	check(&last, NAT_WHOLE, "100.64.3.4", 0);
	cut(from_b(NAT_WHOLE), 7000, 5001);
	passes(&first, BED_ACCESS, BNG_TX_forward_line_to_line);
	passes(&last, BED_ACCESS, BNG_TX_forward_line_to_line);
	check(&last, NAT_PUBLIC, "100.64.1.2", 0);
}

static void fragments_of_a_ping(void **state)
{
	struct packet_layers layers = from_a(NAT_PEER);

	(void)state;
	nat_icmp(layers, 8, 0x1234, 1400);
	struct packet whole = p;

	layers.protocol = 1;
	layers.fragment = MORE;
	packet_ipv4(&first, &layers, whole.bytes + whole.ip_at + 20, 800);
	layers.fragment = 100;
	packet_ipv4(&last, &layers, whole.bytes + whole.ip_at + 820, 608);
	nat_again();
	p = first;
	run(BED_ACCESS);
	assert_int_equal(out.verdict, XDP_REDIRECT);
	check(&first, NAT_PUBLIC, NAT_PEER, 1);
	nat_again();
	p = last;
	run(BED_ACCESS);
	assert_int_equal(out.verdict, XDP_REDIRECT);
	check(&last, NAT_PUBLIC, NAT_PEER, 0);
}

#define CASE(f) cmocka_unit_test_setup(f, nat_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(fragments_follow_the_first_one_up_and_down),
		CASE(one_before_the_first_waits),
		CASE(fragments_of_another_do_not_follow),
		CASE(the_first_one_of_a_refused_packet_leads_nobody),
		CASE(fragments_between_lines_are_translated_twice),
		CASE(a_line_that_is_not_translated_sends_to_one_that_is),
		CASE(one_to_one_needs_no_first_one),
		CASE(fragments_of_a_ping),
	};

	if (geteuid() != 0)
		return 77;
	if (bed_network(&bed) || bed_load(&bed, 64)) {
		fprintf(stderr, "cannot set up the bed\n");
		return 1;
	}
	return cmocka_run_group_tests_name("nat_fragment", tests, NULL, NULL);
}
