// SPDX-License-Identifier: Apache-2.0
// NAT44: which packets leave by the agent for its gateways, as what, and mappings that the agent asks for.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "nat_scene.h"

enum { CONTROL = 5001, FTP = 21, LISTENING = 6001 };

static struct bng_nat_mapping mapping;

/* A segment of A to or from the server that goes to the agent, translated, to be sent by that port. */
static struct bng_punt *handed_over(int port, int out_port, uint16_t from, uint16_t to, uint8_t flags)
{
	struct bng_punt *punt;

	nat_tcp(port == BED_ACCESS ? from_a(NAT_PEER) : from_core(NAT_PUBLIC), from, to, flags, 10);
	nat_again();
	run(port);
	punt = expect_handed_over(port, BNG_PUNT_REASON_nat_alg, BNG_PUNT_NAT_ALG, out_port, 0);
	assert_int_equal(punt->session_id, 0xa);
	/* What was handed over is what would have left. */
	memcpy(out.frame, punt->frame, punt->frame_length);
	assert_true(nat_seen().sums_hold);
	assert_int_equal(nat_seen().ttl, 63);
	return punt;
}

static void a_control_connection_leaves_by_the_agent_translated(void **state)
{
	struct nat_seen there;
	uint16_t public;

	(void)state;
	nat_policy(BNG_NAT_FTP, 1000);
	handed_over(BED_ACCESS, BED_CORE, CONTROL, FTP, NAT_SYN);
	there = nat_seen();
	public = nat_mapping("100.64.1.2", CONTROL, 6, &mapping);
	assert_true(mapping.flags & BNG_NAT_ALG);
	assert_string_equal(there.source, NAT_PUBLIC);
	assert_int_equal(there.from, public);
	handed_over(BED_CORE, BED_ACCESS, FTP, public, NAT_SYN | NAT_ACK);
	assert_string_equal(nat_seen().destination, "100.64.1.2");
	assert_int_equal(nat_seen().to, CONTROL);
	handed_over(BED_ACCESS, BED_CORE, CONTROL, FTP, NAT_ACK);
}

static void other_connections_do_not(void **state)
{
	uint16_t public;

	(void)state;
	nat_policy(BNG_NAT_FTP, 1000);
	nat_tcp(from_a(NAT_PEER), CONTROL, 80, NAT_SYN, 0);
	public = nat_passes(BED_ACCESS, BNG_TX_forward_up).from;
	nat_tcp(from_core(NAT_PUBLIC), 80, public, NAT_SYN | NAT_ACK, 0);
	nat_passes(BED_CORE, BNG_TX_forward_down);
	/* A data connection of the server. */
	nat_tcp(from_core(NAT_PUBLIC), 20, public, NAT_SYN, 0);
	nat_passes(BED_CORE, BNG_TX_forward_down);
	nat_udp(from_a(NAT_PEER), CONTROL, FTP, 20);
	nat_passes(BED_ACCESS, BNG_TX_forward_up);
	nat_mapping("100.64.1.2", CONTROL, 17, &mapping);
	assert_false(mapping.flags & BNG_NAT_ALG);
}

static void without_the_policy_nothing_does(void **state)
{
	uint16_t public;

	(void)state;
	nat_tcp(from_a(NAT_PEER), CONTROL, FTP, NAT_SYN, 0);
	public = nat_passes(BED_ACCESS, BNG_TX_forward_up).from;
	nat_tcp(from_core(NAT_PUBLIC), FTP, public, NAT_SYN | NAT_ACK, 0);
	nat_passes(BED_CORE, BNG_TX_forward_down);
	/* Nor a mapping that was there before the policy said so. */
	nat_policy(BNG_NAT_FTP, 1000);
	nat_tcp(from_a(NAT_PEER), CONTROL, FTP, NAT_ACK, 0);
	nat_passes(BED_ACCESS, BNG_TX_forward_up);
}

static void between_lines_nothing_does(void **state)
{
	uint16_t public;

	(void)state;
	nat_policy(BNG_NAT_FTP, 1000);
	nat_forward(SLOT_B, 0xb, "100.64.3.4", 6, FTP, FTP);
	nat_tcp(from_a(NAT_PUBLIC), CONTROL, FTP, NAT_SYN, 0);
	nat_passes(BED_ACCESS, BNG_TX_forward_line_to_line);
	public = nat_mapping("100.64.1.2", CONTROL, 6, &mapping);
	nat_tcp(from_b(NAT_PUBLIC), FTP, public, NAT_SYN | NAT_ACK, 0);
	nat_passes(BED_ACCESS, BNG_TX_forward_line_to_line);
}

static void an_unknown_next_hop_is_the_agents_too(void **state)
{
	struct bng_punt *punt;

	(void)state;
	nat_policy(BNG_NAT_FTP, 1000);
	nat_tcp(from_a("198.51.100.7"), CONTROL, FTP, NAT_SYN, 0);
	nat_again();
	run(BED_ACCESS);
	punt = expect_handed_over(BED_ACCESS, BNG_PUNT_REASON_neighbor_unresolved, BNG_PUNT_NAT_ALG, 0, 0);
	assert_int_equal(punt->session_id, 0xa);
	memcpy(out.frame, punt->frame, punt->frame_length);
	assert_string_equal(nat_seen().source, NAT_PUBLIC);
	assert_true(nat_seen().sums_hold);
}

static void one_too_large_for_the_line_is_handed_over_with_the_size(void **state)
{
	struct packet_layers layers = from_core(NAT_PUBLIC);
	uint32_t index = BED_ACCESS;
	struct bng_port port;
	uint16_t public;

	(void)state;
	nat_policy(BNG_NAT_FTP, 1000);
	handed_over(BED_ACCESS, BED_CORE, CONTROL, FTP, NAT_SYN);
	public = nat_seen().from;
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(bed.access->maps.ports), &index, &port), 0);
	port.mtu = 600;
	bed_put(bed.access->maps.ports, &index, &port);
	nat_tcp(layers, FTP, public, NAT_SYN | NAT_ACK, 1000);
	nat_again();
	run(BED_CORE);
	(void)expect_handed_over(BED_CORE, BNG_PUNT_REASON_nat_alg, BNG_PUNT_NAT_ALG, BED_ACCESS, 600);
	port.mtu = 1500;
	bed_put(bed.access->maps.ports, &index, &port);
}

static uint32_t open_for(uint16_t port, const char *peer)
{
	struct bng_nat_reap record = {.kind = BNG_NAT_OPEN,
		.opening = {.inside = {.address = bed_ip("100.64.1.2"), .port = htons(port), .protocol = 6},
			.peer = bed_ip(peer),
			.session = session_a().ipv4},
		.slot = SLOT_A,
		.session_id = 0xa};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = &record, .data_size_in = sizeof(record),
		.data_out = &record, .data_size_out = sizeof(record), .repeat = 1);

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(bed.reap->progs.xdp_nat_reap), &options), 0);
	return record.done;
}

static void an_opening_lets_one_peer_in_and_counts_as_any_mapping(void **state)
{
	uint16_t public;

	(void)state;
	nat_policy(BNG_NAT_FTP | BNG_NAT_ADDRESS_DEPENDENT, 1000);
	assert_int_equal(open_for(LISTENING, NAT_PEER), 1);
	public = nat_mapping("100.64.1.2", LISTENING, 6, &mapping);
	assert_true(public >= NAT_BLOCK_A && public < NAT_BLOCK_A + NAT_BLOCK_PORTS);
	assert_int_equal(mapping.flows, 1);
	assert_int_equal(nat_state_of(SLOT_A).mappings[BNG_NAT_TCP], 1);
	assert_int_equal(nat_state_of(SLOT_A).flows, 1);
	/* The same again is the same mapping. */
	assert_int_equal(open_for(LISTENING, NAT_PEER), 1);
	assert_int_equal(nat_mapping("100.64.1.2", LISTENING, 6, &mapping), public);
	assert_int_equal(mapping.flows, 1);
	assert_int_equal(nat_state_of(SLOT_A).mappings[BNG_NAT_TCP], 1);

	nat_tcp(from_core(NAT_PUBLIC), 20, public, NAT_SYN, 0);
	assert_int_equal(nat_passes(BED_CORE, BNG_TX_forward_down).to, LISTENING);
	struct packet_layers other = from_core(NAT_PUBLIC);

	other.source = "203.0.113.10";
	nat_tcp(other, 20, public, NAT_SYN, 0);
	nat_refused(BED_CORE, BNG_DROP_nat_filtered);
	/* Not beyond the session's blocks. */
	for (int i = 0; i < NAT_BLOCK_PORTS - 1; i++)
		assert_int_equal(open_for((uint16_t)(7000 + i), NAT_PEER), 1);
	assert_int_equal(open_for(8000, NAT_PEER), 0);
	assert_int_equal(nat_mapping("100.64.1.2", 8000, 6, &mapping), 0);
}

static void an_opening_of_another_session_or_too_many_flows_is_refused(void **state)
{
	(void)state;
	nat_policy(BNG_NAT_FTP, 1);
	assert_int_equal(open_for(LISTENING, NAT_PEER), 1);
	assert_int_equal(open_for(LISTENING + 1, NAT_PEER), 0);
	nat_grant(SLOT_A, 0xb, NAT_PUBLIC, NAT_BLOCK_A, NAT_BLOCK_PORTS);
	assert_int_equal(open_for(LISTENING + 2, NAT_PEER), 0);
	assert_int_equal(nat_mapping("100.64.1.2", LISTENING + 2, 6, &mapping), 0);
}

#define CASE(f) cmocka_unit_test_setup(f, nat_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_control_connection_leaves_by_the_agent_translated),
		CASE(other_connections_do_not),
		CASE(without_the_policy_nothing_does),
		CASE(between_lines_nothing_does),
		CASE(an_unknown_next_hop_is_the_agents_too),
		CASE(one_too_large_for_the_line_is_handed_over_with_the_size),
		CASE(an_opening_lets_one_peer_in_and_counts_as_any_mapping),
		CASE(an_opening_of_another_session_or_too_many_flows_is_refused),
	};

	if (geteuid() != 0)
		return 77;
	if (bed_network(&bed) || bed_load(&bed, 64)) {
		fprintf(stderr, "cannot set up the bed\n");
		return 1;
	}
	return cmocka_run_group_tests_name("nat_alg", tests, NULL, NULL);
}
