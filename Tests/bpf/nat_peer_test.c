// SPDX-License-Identifier: Apache-2.0
// NAT44: who may answer (RFC 4787 5), TCP connections (RFC 5382, RFC 7857 2), forwards, and the reaper.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "nat_scene.h"

#define STRANGER "203.0.113.77"

enum { ENTRIES = 1024 };

static struct bng_nat_mapping mapping;

static struct packet_layers from_stranger(void)
{
	struct packet_layers layers = from_core(NAT_PUBLIC);

	layers.source = STRANGER;
	return layers;
}

static uint16_t tcp_up(uint16_t from, uint16_t to, uint8_t flags)
{
	struct nat_seen left;

	nat_tcp(from_a(NAT_PEER), from, to, flags, 10);
	left = nat_passes(BED_ACCESS, BNG_TX_forward_up);
	assert_string_equal(left.source, NAT_PUBLIC);
	return left.from;
}

static void tcp_down(uint16_t from, uint16_t to, uint8_t flags)
{
	nat_tcp(from_core(NAT_PUBLIC), from, to, flags, 10);
	assert_string_equal(nat_passes(BED_CORE, BNG_TX_forward_down).destination, "100.64.1.2");
}

static void endpoint_independent_filtering_lets_everyone_in(void **state)
{
	uint16_t port;

	(void)state;
	nat_udp(from_a(NAT_PEER), 5001, 53, 20);
	port = nat_passes(BED_ACCESS, BNG_TX_forward_up).from;
	nat_udp(from_stranger(), 999, port, 20);
	assert_string_equal(nat_passes(BED_CORE, BNG_TX_forward_down).source, STRANGER);
	port = tcp_up(5001, 80, NAT_SYN);
	nat_tcp(from_stranger(), 999, port, NAT_SYN, 0);
	nat_passes(BED_CORE, BNG_TX_forward_down);
	assert_int_equal(nat_flow(port, STRANGER, 999, 6), BNG_NAT_SYN_OUTSIDE);
}

static void address_dependent_filtering_lets_in_who_was_sent_to(void **state)
{
	uint16_t port;

	(void)state;
	nat_policy(BNG_NAT_ADDRESS_DEPENDENT, 1000);
	nat_udp(from_a(NAT_PEER), 5001, 53, 20);
	port = nat_passes(BED_ACCESS, BNG_TX_forward_up).from;
	assert_int_equal(nat_state_of(SLOT_A).flows, 1);
	nat_udp(from_stranger(), 53, port, 20);
	nat_refused(BED_CORE, BNG_DROP_nat_filtered);
	nat_udp(from_core(NAT_PUBLIC), 999, port, 20); /* another port of the known one */
	nat_passes(BED_CORE, BNG_TX_forward_down);
	nat_udp(from_a(STRANGER), 5001, 53, 20);
	assert_int_equal(nat_passes(BED_ACCESS, BNG_TX_forward_up).from, port);
	nat_udp(from_stranger(), 4000, port, 20);
	nat_passes(BED_CORE, BNG_TX_forward_down);
	/* Of queries, too. */
	nat_icmp(from_a(NAT_PEER), 8, 77, 20);
	port = nat_passes(BED_ACCESS, BNG_TX_forward_up).from;
	nat_icmp(from_stranger(), 0, port, 20);
	nat_refused(BED_CORE, BNG_DROP_nat_filtered);
	nat_icmp(from_core(NAT_PUBLIC), 0, port, 20);
	nat_passes(BED_CORE, BNG_TX_forward_down);
}

static void address_dependent_filtering_of_tcp(void **state)
{
	uint16_t port;

	(void)state;
	nat_policy(BNG_NAT_ADDRESS_DEPENDENT, 1000);
	port = tcp_up(5001, 80, NAT_SYN);
	assert_int_equal(nat_state_of(SLOT_A).flows, 2); /* the connection, and the peer */
	tcp_down(80, port, NAT_SYN | NAT_ACK);
	tcp_down(999, port, NAT_SYN); /* from another port of the known one */
	nat_tcp(from_core(NAT_PUBLIC), 998, port, NAT_ACK, 0);
	nat_refused(BED_CORE, BNG_DROP_nat_no_connection);
	nat_tcp(from_stranger(), 999, port, NAT_SYN, 0);
	nat_refused(BED_CORE, BNG_DROP_nat_filtered);
	assert_int_equal(nat_state_of(SLOT_A).flows, 3);
}

static void connections_go_through_their_states(void **state)
{
	const int64_t both_syn = BNG_NAT_SYN_INSIDE | BNG_NAT_SYN_OUTSIDE;
	const int64_t both_data = BNG_NAT_DATA_INSIDE | BNG_NAT_DATA_OUTSIDE;
	uint16_t port = tcp_up(5001, 80, NAT_SYN);

	(void)state;
	assert_int_equal(nat_flow(port, NAT_PEER, 80, 6), BNG_NAT_SYN_INSIDE);
	tcp_down(80, port, NAT_SYN | NAT_ACK);
	assert_int_equal(nat_flow(port, NAT_PEER, 80, 6), both_syn);
	tcp_up(5001, 80, NAT_ACK);
	tcp_down(80, port, NAT_ACK);
	assert_int_equal(nat_flow(port, NAT_PEER, 80, 6), both_syn | both_data);
	tcp_up(5001, 80, NAT_FIN | NAT_ACK);
	assert_int_equal(nat_flow(port, NAT_PEER, 80, 6), both_syn | both_data | BNG_NAT_FIN_INSIDE);
	tcp_down(80, port, NAT_FIN | NAT_ACK);
	tcp_up(5001, 80, NAT_ACK);
	assert_int_equal(nat_flow(port, NAT_PEER, 80, 6),
		both_syn | both_data | BNG_NAT_FIN_INSIDE | BNG_NAT_FIN_OUTSIDE);
	/* The same ports again. */
	assert_int_equal(tcp_up(5001, 80, NAT_SYN), port);
	assert_int_equal(nat_flow(port, NAT_PEER, 80, 6), BNG_NAT_SYN_INSIDE);
	assert_int_equal(nat_state_of(SLOT_A).flows, 1);
}

static void a_reset_ends_a_connection_unless_data_follows(void **state)
{
	uint16_t port = tcp_up(5001, 80, NAT_SYN);

	(void)state;
	tcp_down(80, port, NAT_RST | NAT_ACK);
	assert_int_equal(nat_flow(port, NAT_PEER, 80, 6), BNG_NAT_SYN_INSIDE | BNG_NAT_RST);
	tcp_up(5001, 80, NAT_ACK);
	assert_int_equal(nat_flow(port, NAT_PEER, 80, 6), BNG_NAT_SYN_INSIDE | BNG_NAT_DATA_INSIDE);
	tcp_down(80, port, NAT_RST);
	tcp_up(5001, 80, NAT_RST);
	assert_true(nat_flow(port, NAT_PEER, 80, 6) & BNG_NAT_RST);
	tcp_up(5001, 80, NAT_SYN);
	assert_int_equal(nat_flow(port, NAT_PEER, 80, 6), BNG_NAT_SYN_INSIDE);
}

static void a_simultaneous_open_and_a_connection_met_in_its_middle(void **state)
{
	uint16_t port = tcp_up(5001, 80, NAT_SYN);

	(void)state;
	tcp_down(80, port, NAT_SYN);
	tcp_down(80, port, NAT_SYN | NAT_ACK);
	tcp_up(5001, 80, NAT_SYN | NAT_ACK);
	assert_int_equal(nat_flow(port, NAT_PEER, 80, 6), BNG_NAT_SYN_INSIDE | BNG_NAT_SYN_OUTSIDE);
	/* One that began before we were there. */
	port = tcp_up(5002, 80, NAT_ACK);
	assert_int_equal(nat_flow(port, NAT_PEER, 80, 6), BNG_NAT_DATA_INSIDE);
	tcp_down(80, port, NAT_ACK);
	assert_int_equal(nat_flow(port, NAT_PEER, 80, 6), BNG_NAT_DATA_INSIDE | BNG_NAT_DATA_OUTSIDE);
}

static void from_outside_only_a_syn_begins_a_connection(void **state)
{
	static const uint8_t others[] = {0, NAT_ACK, NAT_FIN, NAT_RST, NAT_SYN | NAT_ACK, NAT_SYN | NAT_FIN,
		NAT_SYN | NAT_RST, NAT_RST | NAT_ACK};
	uint16_t port = tcp_up(5001, 80, NAT_SYN);

	(void)state;
	for (size_t i = 0; i < sizeof(others); i++) {
		nat_tcp(from_core(NAT_PUBLIC), 81, port, others[i], 0);
		nat_refused(BED_CORE, BNG_DROP_nat_no_connection);
	}
	assert_int_equal(nat_state_of(SLOT_A).flows, 1);
	nat_tcp(from_core(NAT_PUBLIC), 80, port ^ 1, NAT_SYN, 0);
	nat_refused(BED_CORE, BNG_DROP_nat_no_mapping);
}

static void a_session_has_so_many_connections_and_no_more(void **state)
{
	uint16_t port = 0;

	(void)state;
	nat_policy(0, 3);
	for (uint16_t i = 0; i < 3; i++)
		port = tcp_up(5001, (uint16_t)(80 + i), NAT_SYN);
	nat_tcp(from_a(NAT_PEER), 5001, 90, NAT_SYN, 0);
	nat_refused(BED_ACCESS, BNG_TX_icmp_unreachable);
	assert_int_equal(out.frame[packet_l2_length(out.frame) + 21], 13);
	/* Nor from outside, who gets no answer. */
	nat_tcp(from_core(NAT_PUBLIC), 91, port, NAT_SYN, 0);
	nat_refused(BED_CORE, BNG_DROP_nat_too_many_flows);
	tcp_up(5001, 80, NAT_ACK);
	tcp_down(82, port, NAT_SYN | NAT_ACK);
	assert_int_equal(nat_state_of(SLOT_A).flows, 3);
	assert_int_equal(nat_state_of(SLOT_A).refused, 2);
	/* Others have theirs; UDP needs none. */
	nat_tcp(from_b(NAT_PEER), 5001, 90, NAT_SYN, 0);
	nat_passes(BED_ACCESS, BNG_TX_forward_up);
	nat_udp(from_a(NAT_PEER), 5001, 90, 0);
	nat_passes(BED_ACCESS, BNG_TX_forward_up);
}

static void a_full_table_refuses_new_connections(void **state)
{
	struct bng_nat_flow filler = {.session_id = 0x99};

	(void)state;
	tcp_up(5001, 80, NAT_SYN);
	for (uint32_t i = 0; i < ENTRIES; i++) {
		struct bng_nat_flow_key key = {.vrf = 7, .peer = i};

		if (bpf_map_update_elem(bpf_map__fd(bed.access->maps.nat_flows), &key, &filler, BPF_ANY))
			break;
	}
	nat_tcp(from_a(NAT_PEER), 5001, 81, NAT_SYN, 0);
	nat_refused(BED_ACCESS, BNG_TX_icmp_unreachable);
	tcp_up(5001, 80, NAT_ACK);
}

static void a_forward_leads_in_and_its_host_out_by_it(void **state)
{
	uint16_t low = 443;

	(void)state;
	nat_forward(SLOT_A, 0xa, "100.64.1.2", 6, 8443, low);
	nat_forward(SLOT_A, 0xa, "100.64.1.2", 17, 51820, 500);
	nat_tcp(from_stranger(), 40000, low, NAT_SYN, 0);
	assert_int_equal(nat_passes(BED_CORE, BNG_TX_forward_down).to, 8443);
	assert_int_equal(nat_flow(low, STRANGER, 40000, 6), BNG_NAT_SYN_OUTSIDE);
	nat_tcp(from_a(STRANGER), 8443, 40000, NAT_SYN | NAT_ACK, 0);
	assert_int_equal(nat_passes(BED_ACCESS, BNG_TX_forward_up).from, low);
	assert_int_equal(nat_flow(low, STRANGER, 40000, 6), BNG_NAT_SYN_INSIDE | BNG_NAT_SYN_OUTSIDE);
	nat_tcp(from_stranger(), 40001, low, NAT_ACK, 0);
	nat_refused(BED_CORE, BNG_DROP_nat_no_connection);
	nat_udp(from_stranger(), 40000, 500, 10);
	assert_int_equal(nat_passes(BED_CORE, BNG_TX_forward_down).to, 51820);
	nat_udp(from_a(NAT_PEER), 51820, 53, 10);
	assert_int_equal(nat_passes(BED_ACCESS, BNG_TX_forward_up).from, 500);
	assert_int_equal(nat_state_of(SLOT_A).created, 0);
}

static void connections_between_lines_are_kept_on_both_sides(void **state)
{
	uint16_t port_a;

	(void)state;
	nat_forward(SLOT_B, 0xb, "100.64.3.4", 6, 80, 80);
	nat_tcp(from_a(NAT_PUBLIC), 5001, 80, NAT_SYN, 0);
	port_a = nat_passes(BED_ACCESS, BNG_TX_forward_line_to_line).from;
	assert_int_equal(nat_flow(port_a, NAT_PUBLIC, 80, 6), BNG_NAT_SYN_INSIDE);
	assert_int_equal(nat_flow(80, NAT_PUBLIC, port_a, 6), BNG_NAT_SYN_OUTSIDE);
	nat_tcp(from_b(NAT_PUBLIC), 80, port_a, NAT_SYN | NAT_ACK, 0);
	struct nat_seen at_a = nat_passes(BED_ACCESS, BNG_TX_forward_line_to_line);

	assert_string_equal(at_a.source, NAT_PUBLIC);
	assert_int_equal(at_a.from, 80);
	assert_int_equal(at_a.to, 5001);
	assert_int_equal(nat_flow(port_a, NAT_PUBLIC, 80, 6), BNG_NAT_SYN_INSIDE | BNG_NAT_SYN_OUTSIDE);
	assert_int_equal(nat_flow(80, NAT_PUBLIC, port_a, 6), BNG_NAT_SYN_INSIDE | BNG_NAT_SYN_OUTSIDE);
	assert_int_equal(nat_state_of(SLOT_A).flows, 1);
	assert_int_equal(nat_state_of(SLOT_B).flows, 1);
}

static uint64_t last_seen(uint16_t port)
{
	assert_int_not_equal(nat_mapping("100.64.1.2", port, 17, &mapping), 0);
	return mapping.seen_ns;
}

static void what_keeps_a_mapping(void **state)
{
	struct bng_nat_key key = {.address = bed_ip("100.64.1.2"), .port = htons(5001), .protocol = 17};
	uint64_t old = bed_now_ns() - 5000000000ULL;

	(void)state;
	for (int refresh = 0; refresh < 2; refresh++) {
		uint16_t port;

		nat_scene(NULL);
		nat_policy(refresh ? BNG_NAT_INBOUND_REFRESH : 0, 100);
		nat_udp(from_a(NAT_PEER), 5001, 53, 20);
		port = nat_passes(BED_ACCESS, BNG_TX_forward_up).from;
		last_seen(5001);
		mapping.seen_ns = old;
		bed_put(bed.access->maps.nat_out, &key, &mapping);
		nat_udp(from_core(NAT_PUBLIC), 53, port, 20);
		nat_passes(BED_CORE, BNG_TX_forward_down);
		assert_int_equal(last_seen(5001) > old, refresh);
		nat_error(from_core(NAT_PUBLIC), 3, p.bytes, 8); /* about nothing: it keeps nothing */
		nat_again();
		run(BED_CORE);
		mapping.seen_ns = old;
		bed_put(bed.access->maps.nat_out, &key, &mapping);
		nat_udp(from_a(NAT_PEER), 5001, 53, 20);
		nat_passes(BED_ACCESS, BNG_TX_forward_up);
		assert_true(last_seen(5001) > old);
	}
}

/* One record through the reaper; whether it was taken away. */
static uint32_t reap(struct bng_nat_reap record)
{
	struct bng_nat_reap records[2] = {record, {.kind = BNG_NAT_REAP_MAPPING, .seen_ns = 1}},
			    done[2] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = records, .data_size_in = sizeof(records),
		.data_out = done, .data_size_out = sizeof(done), .repeat = 1);

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(bed.reap->progs.xdp_nat_reap), &options), 0);
	assert_int_equal(done[1].done, 0);
	return done[0].done;
}

static void the_reaper_takes_what_is_unchanged_and_leaves_what_was_used(void **state)
{
	struct bng_nat_reap record = {.kind = BNG_NAT_REAP_MAPPING,
		.mapping = {.address = bed_ip("100.64.1.2"), .port = htons(5001), .protocol = 17}};
	uint16_t port;

	(void)state;
	nat_udp(from_a(NAT_PEER), 5001, 53, 20);
	port = nat_passes(BED_ACCESS, BNG_TX_forward_up).from;
	record.seen_ns = last_seen(5001) - 1; /* a packet has come since */
	assert_int_equal(reap(record), 0);
	nat_udp(from_core(NAT_PUBLIC), 53, port, 20);
	nat_passes(BED_CORE, BNG_TX_forward_down);
	record.seen_ns = last_seen(5001);
	assert_int_equal(reap(record), 1);
	assert_int_equal(nat_mapping("100.64.1.2", 5001, 17, &mapping), 0);
	assert_int_equal(nat_state_of(SLOT_A).mappings[BNG_NAT_UDP], 0);
	assert_int_equal(nat_state_of(SLOT_A).created, 1);
	nat_udp(from_core(NAT_PUBLIC), 53, port, 20);
	nat_refused(BED_CORE, BNG_DROP_nat_no_mapping);
	assert_int_equal(reap(record), 0);
	/* A forward counts nowhere. */
	nat_forward(SLOT_A, 0xa, "100.64.1.2", 17, 5001, 500);
	record.seen_ns = 0;
	assert_int_equal(reap(record), 1);
	assert_int_equal(nat_state_of(SLOT_A).mappings[BNG_NAT_UDP], 0);
}

static void the_reaper_counts_connections_down(void **state)
{
	struct bng_nat_reap record = {.kind = BNG_NAT_REAP_FLOW,
		.flow = {.address = bed_ip(NAT_PUBLIC),
			.peer = bed_ip(NAT_PEER),
			.peer_port = htons(80),
			.protocol = 6}};
	struct bng_nat_flow flow;
	uint16_t port = tcp_up(5001, 80, NAT_SYN);

	(void)state;
	tcp_up(5001, 81, NAT_SYN);
	nat_mapping("100.64.1.2", 5001, 6, &mapping);
	assert_int_equal(mapping.flows, 2);
	record.flow.port = htons(port);
	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(bed.access->maps.nat_flows), &record.flow, &flow), 0);
	record.seen_ns = flow.seen_ns;
	assert_int_equal(reap(record), 1);
	assert_int_equal(nat_flow(port, NAT_PEER, 80, 6), -1);
	assert_int_equal(nat_state_of(SLOT_A).flows, 1);
	nat_mapping("100.64.1.2", 5001, 6, &mapping);
	assert_int_equal(mapping.flows, 1);
	nat_tcp(from_core(NAT_PUBLIC), 80, port, NAT_ACK, 0);
	nat_refused(BED_CORE, BNG_DROP_nat_no_connection);
	tcp_down(81, port, NAT_SYN | NAT_ACK);
}

#define CASE(f) cmocka_unit_test_setup(f, nat_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(endpoint_independent_filtering_lets_everyone_in),
		CASE(address_dependent_filtering_lets_in_who_was_sent_to),
		CASE(address_dependent_filtering_of_tcp),
		CASE(connections_go_through_their_states),
		CASE(a_reset_ends_a_connection_unless_data_follows),
		CASE(a_simultaneous_open_and_a_connection_met_in_its_middle),
		CASE(from_outside_only_a_syn_begins_a_connection),
		CASE(a_session_has_so_many_connections_and_no_more),
		CASE(a_full_table_refuses_new_connections),
		CASE(a_forward_leads_in_and_its_host_out_by_it),
		CASE(connections_between_lines_are_kept_on_both_sides),
		CASE(what_keeps_a_mapping),
		CASE(the_reaper_takes_what_is_unchanged_and_leaves_what_was_used),
		CASE(the_reaper_counts_connections_down),
	};

	if (geteuid() != 0)
		return 77;
	bed.nat_entries = ENTRIES;
	if (bed_network(&bed) || bed_load(&bed, 64)) {
		fprintf(stderr, "cannot set up the bed\n");
		return 1;
	}
	return cmocka_run_group_tests_name("nat_peer", tests, NULL, NULL);
}
