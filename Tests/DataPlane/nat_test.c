// SPDX-License-Identifier: Apache-2.0
// NAT44 in the model: ranges, who holds which ports of a public address, values of maps, and when mappings
// and connections end.
#include "test.h"

#include "entry.h"
#include "nat_expiry.h"
#include "objects.h"
#include "state_scene.h"
#include "validate.h"

enum { TCP = 6, UDP = 17, ICMP = 1 };

#define PUBLIC "203.0.113.1"

#define refused(it, where)                                                                                   \
	do {                                                                                                 \
		assert_true(bng_validate(&(it), &refusal) < 0);                                              \
		assert_int_equal(refusal.code, BNG_INVALID);                                                 \
		assert_string_equal(refusal.path, where);                                                    \
	} while (0)
#define with(object, change, where)                                                                          \
	do {                                                                                                 \
		union bng_any_object it = object;                                                            \
		assert_int_equal(bng_validate(&it, &refusal), 0);                                            \
		change;                                                                                      \
		refused(it, where);                                                                          \
	} while (0)

static void begin_nat(void)
{
	union bng_any_object policy = test_nat_policy(1);

	begin(10);
	assert_int_equal(test_apply(&state, &policy, &refusal), BNG_OK);
}

static union bng_any_object translated(uint64_t id, uint32_t first_port)
{
	union bng_any_object it = test_session(id, 0x64400100 + (uint32_t)id);

	test_add_nat(&it, PUBLIC, first_port, 64);
	return it;
}

static union bng_any_object whole(uint64_t id, const char *address)
{
	union bng_any_object it = test_session(id, 0x64400100 + (uint32_t)id);

	it.session.has_nat = it.session.nat.one_to_one = true;
	it.session.nat.address = inet_addr(address);
	return it;
}

TEST(nat_policies_are_checked)
{
	union bng_any_object good = test_nat_policy(1);

	with(good, it.nat_policy.filtering = 0, "20.1");
	with(good, it.nat_policy.filtering = 3, "20.1");
	with(good, it.nat_policy.tcp_established_seconds = 239, "20.2");
	with(good, it.nat_policy.tcp_established_seconds = 864001, "20.2");
	with(good, it.nat_policy.tcp_transitory_seconds = 59, "20.3");
	with(good, it.nat_policy.tcp_transitory_seconds = 3601, "20.3");
	with(good, it.nat_policy.udp_seconds = 29, "20.4");
	with(good, it.nat_policy.udp_seconds = 3601, "20.4");
	with(good, it.nat_policy.icmp_seconds = 29, "20.5");
	with(good, it.nat_policy.icmp_seconds = 3601, "20.5");
	with(good, it.nat_policy.flows_per_session = 15, "20.6");
	with(good, it.nat_policy.flows_per_session = 1000001, "20.6");
}

TEST(what_a_session_is_granted_is_checked)
{
	union bng_any_object good = translated(1, 1024), one = whole(1, "203.0.113.9");
	struct bng_nat_object *nat;

	with(good, it.session.nat.address = inet_addr("224.0.0.1"), "17.4.8.2");
	with(good, it.session.nat.policy_id = 0, "17.4.8.1");
	with(good, it.session.nat.block_ports = 32, "17.4.8.4");
	with(good, it.session.nat.block_ports = 96, "17.4.8.4");
	with(good, it.session.nat.block_ports = 32768, "17.4.8.4");
	with(good, it.session.nat.block_count = 0, "17.4.8.5");
	with(good, it.session.nat.first_ports[0] = 960, "17.4.8.5");
	with(good, it.session.nat.first_ports[0] = 1025, "17.4.8.5");
	with(good, it.session.nat.first_ports[0] = 65536, "17.4.8.5");
	with(good, it.session.nat.first_ports[0] = UINT32_MAX - 63, "17.4.8.5");
	with(good, (it.session.nat.block_count = 2, it.session.nat.first_ports[1] = 1024), "17.4.8.5");
	with(good, it.session.nat.one_to_one = true, "17.4.8.3");
	with(one, it.session.nat.forward_count = 1, "17.4.8.3");
	with(one, it.session.nat.policy_id = 1, "17.4.8.3");
	nat = &good.session.nat;
	nat->block_count = 2;
	nat->block_ports = 128;
	nat->first_ports[1] = 65536 - 128;
	with(good, it.session.nat.first_ports[1] = 1088, "17.4.8.5"); /* begins within the first one */
	test_add_nat_forward(&good, TCP, 443, 8443);
	with(good, it.session.nat.forwards[0].protocol = 47, "17.4.8.6.1");
	with(good, it.session.nat.forwards[0].outside_port = 0, "17.4.8.6.2");
	with(good, it.session.nat.forwards[0].outside_port = 1152, "17.4.8.6.2");
	with(good, it.session.nat.forwards[0].inside = inet_addr("192.168.1.1"), "17.4.8.6.3");
	with(good, it.session.nat.forwards[0].inside_port = 0, "17.4.8.6.4");
	with(good, it.session.nat.forwards[0].inside_port = 65536, "17.4.8.6.4");
	with(good, test_add_nat_forward(&it, TCP, 443, 1), "17.4.8.6");
	with(good, test_add_nat_forward(&it, TCP, 444, 8443), "17.4.8.6");
	test_add_nat_forward(&good, UDP, 443, 8443);
	test_add_nat_forward(&good, TCP, 1151, 22);
	test_add_framed(&good, "192.168.1.0", 24);
	good.session.nat.forwards[2].inside = inet_addr("192.168.1.9");
	assert_int_equal(bng_validate(&good, &refusal), 0);
}

TEST(a_piece_of_a_public_address_belongs_to_one_session)
{
	union bng_any_object one = translated(1, 1024), two = translated(2, 1088), it;

	begin_nat();
	it = one;
	it.session.nat.policy_id = 9;
	assert_refused(it, BNG_UNKNOWN_REFERENCE, "17.4.8.1");
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	it = translated(2, 1024);
	assert_refused(it, BNG_CONFLICT, "17.4.8.5");
	it.session.nat.block_ports = 128; /* of another size, around it */
	assert_refused(it, BNG_CONFLICT, "17.4.8.5");
	assert_int_equal(test_apply(&state, &two, &refusal), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_NAT_POLICY, 1, 9), BNG_IN_USE);
	/* Another block for one: not two's, but a free one. */
	one.head.generation = 2;
	it = one;
	test_add_nat(&it, PUBLIC, 1088, 64);
	assert_refused(it, BNG_CONFLICT, "17.4.8.5");
	test_add_nat(&one, PUBLIC, 2048, 64);
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	assert_int_equal(state.nat_pieces.count, 3);
	it = translated(3, 2048);
	assert_refused(it, BNG_CONFLICT, "17.4.8.5");
	/* What it lets go is free. */
	one.head.generation = 3;
	one.session.nat.block_count = 1;
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	assert_int_equal(test_apply(&state, &it, &refusal), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_SESSION, 1, 9), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_SESSION, 2, 9), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_SESSION, 3, 9), BNG_OK);
	assert_int_equal(state.nat_pieces.count, 0);
	assert_int_equal(state.nat_addresses.count, 0);
	assert_int_equal(test_remove(&state, BNG_FAMILY_NAT_POLICY, 1, 9), BNG_OK);
	end();
}

TEST(low_ports_are_held_one_by_one)
{
	union bng_any_object one = translated(1, 1024), two = translated(2, 1088);

	begin_nat();
	test_add_nat_forward(&one, TCP, 80, 80);
	test_add_nat_forward(&two, TCP, 80, 80);
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	assert_refused(two, BNG_CONFLICT, "17.4.8.5");
	two.session.nat.forwards[0].outside_port = 81;
	assert_int_equal(test_apply(&state, &two, &refusal), BNG_OK);
	end();
}

TEST(a_whole_address_is_nobody_elses)
{
	union bng_any_object behind = translated(1, 1024), one = whole(2, "203.0.113.9"), it;

	begin_nat();
	assert_int_equal(test_apply(&state, &behind, &refusal), BNG_OK);
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	it = whole(3, PUBLIC);
	assert_refused(it, BNG_CONFLICT, "17.4.8.2");
	it = whole(3, "203.0.113.9");
	assert_refused(it, BNG_CONFLICT, "17.4.8.2");
	it = translated(3, 2048);
	it.session.nat.address = inet_addr("203.0.113.9");
	assert_refused(it, BNG_CONFLICT, "17.4.8.2");
	/* Alone on it, a session may change over and back. */
	it = whole(1, PUBLIC);
	it.head.generation = 2;
	assert_int_equal(test_apply(&state, &it, &refusal), BNG_OK);
	behind.head.generation = 3;
	assert_int_equal(test_apply(&state, &behind, &refusal), BNG_OK);
	end();
}

TEST(a_public_address_is_no_sessions_own_nor_the_bngs)
{
	union bng_any_object one = translated(1, 1024), two = test_session(2, 0xcb007101), identity, it;

	begin_nat();
	it = one;
	it.session.nat.address = inet_addr("100.64.0.1"); /* the gateway */
	assert_refused(it, BNG_CONFLICT, "17.4.8.2");
	it.session.nat.address = it.session.address;
	assert_refused(it, BNG_CONFLICT, "17.4.8.2");
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	/* The other way about. */
	assert_refused(two, BNG_CONFLICT, "17.4.1");
	identity = test_identity(7, PUBLIC);
	assert_refused(identity, BNG_CONFLICT, "12.2");
	assert_int_equal(test_remove(&state, BNG_FAMILY_SESSION, 1, 9), BNG_OK);
	assert_int_equal(test_apply(&state, &two, &refusal), BNG_OK);
	assert_refused(one, BNG_CONFLICT, "17.4.8.2");
	end();
}

TEST(grants_and_forwards_become_values_of_maps)
{
	union bng_any_object it = translated(1, 1024);
	const struct bng_session_object *held;
	struct bng_nat_session grant;
	struct bng_nat_mapping mapping;
	struct bng_nat_reverse reverse;
	struct bng_nat_key out, in;

	begin_nat();
	test_add_nat(&it, PUBLIC, 4096, 64);
	test_add_nat_forward(&it, TCP, 80, 8080);
	test_add_nat_forward(&it, UDP, 4100, 53);
	assert_int_equal(test_apply(&state, &it, &refusal), BNG_OK);
	held = (const void *)bng_state_get(&state, BNG_FAMILY_SESSION, 1);
	grant = bng_entry_nat_session(held);
	assert_int_equal(grant.session_id, 1);
	assert_int_equal(grant.address, inet_addr(PUBLIC));
	assert_int_equal(grant.block_count, 2);
	assert_int_equal(grant.block_ports, 64);
	assert_int_equal(grant.first_ports[1], 4096);
	assert_int_equal(grant.policy, held->nat.policy->head.index);
	assert_int_not_equal(grant.policy, 0);
	assert_int_equal(bng_nat_forward_count(held), 2);
	bng_entry_nat_forward(held, 0, &out, &mapping, &in, &reverse);
	assert_int_equal(out.address, held->address);
	assert_int_equal(out.port, htons(8080));
	assert_int_equal(in.address, inet_addr(PUBLIC));
	assert_int_equal(in.port, htons(80));
	assert_int_equal(in.protocol, TCP);
	assert_int_equal(mapping.flags, BNG_NAT_FORWARD | BNG_NAT_FLOWS);
	assert_int_equal(mapping.port, in.port);
	assert_int_equal(reverse.port, out.port);
	assert_int_equal(reverse.session, held->address);
	assert_int_equal(reverse.slot, held->head.index);
	bng_entry_nat_forward(held, 1, &out, &mapping, &in, &reverse);
	assert_int_equal(mapping.flags, BNG_NAT_FORWARD);
	assert_true(bng_nat_has_port(&held->nat, 1087) && bng_nat_has_port(&held->nat, 4096));
	assert_false(bng_nat_has_port(&held->nat, 1088) || bng_nat_has_port(&held->nat, 4160));
	end();
}

static bool mapping_ended(const struct bng_session_object *session, uint8_t protocol, uint32_t port,
	uint32_t flows, uint32_t idle_seconds)
{
	struct bng_nat_key key = {.address = session ? session->address : 0, .protocol = protocol};
	struct bng_nat_mapping mapping = {.seen_ns = 1000000000000,
		.address = inet_addr(PUBLIC),
		.port = htons((uint16_t)port),
		.flows = flows};

	return bng_nat_mapping_has_ended(
		session, &key, &mapping, mapping.seen_ns + (uint64_t)idle_seconds * 1000000000);
}

TEST(mappings_end_by_time_or_with_what_the_session_holds)
{
	union bng_any_object it = translated(1, 1024), policy = test_nat_policy(1);
	struct bng_session_object *session = &it.session;

	session->nat.policy = &policy.nat_policy;
	assert_false(mapping_ended(session, UDP, 1024, 0, 299));
	assert_true(mapping_ended(session, UDP, 1024, 0, 300));
	assert_false(mapping_ended(session, ICMP, 1024, 0, 59));
	assert_true(mapping_ended(session, ICMP, 1024, 0, 60));
	assert_false(mapping_ended(session, TCP, 1087, 1, 1000000));
	assert_false(mapping_ended(session, TCP, 1087, 0, 9));
	assert_true(mapping_ended(session, TCP, 1087, 0, 10));
	assert_true(mapping_ended(session, UDP, 1088, 0, 0)); /* not its port */
	assert_true(mapping_ended(NULL, UDP, 1024, 0, 0));
	session->nat.address = inet_addr("203.0.113.2");
	assert_true(mapping_ended(session, UDP, 1024, 0, 0));
}

TEST(forwards_end_when_the_session_has_them_no_more)
{
	union bng_any_object it = translated(1, 1024), policy = test_nat_policy(1);
	struct bng_nat_key key = {.address = it.session.address, .port = htons(8080), .protocol = TCP};
	struct bng_nat_mapping mapping = {
		.address = inet_addr(PUBLIC), .port = htons(80), .flags = BNG_NAT_FORWARD};
	const uint64_t late = 1ULL << 60;

	it.session.nat.policy = &policy.nat_policy;
	test_add_nat_forward(&it, TCP, 80, 8080);
	assert_false(bng_nat_mapping_has_ended(&it.session, &key, &mapping, late));
	key.protocol = UDP;
	assert_true(bng_nat_mapping_has_ended(&it.session, &key, &mapping, late));
	key.protocol = TCP;
	mapping.port = htons(81);
	assert_true(bng_nat_mapping_has_ended(&it.session, &key, &mapping, late));
	mapping.port = htons(80);
	it.session.nat.forward_count = 0;
	assert_true(bng_nat_mapping_has_ended(&it.session, &key, &mapping, late));
}

static uint32_t lasts(
	const struct bng_session_object *session, uint8_t protocol, uint16_t peer_port, uint64_t bits)
{
	struct bng_nat_flow_key key = {
		.address = inet_addr(PUBLIC), .peer_port = htons(peer_port), .protocol = protocol};
	struct bng_nat_flow flow = {.seen_ns = 5000000000, .state = bits};
	uint32_t seconds = 0;

	while (!bng_nat_flow_has_ended(session, &key, &flow, flow.seen_ns + (uint64_t)seconds * 1000000000))
		seconds++;
	return seconds;
}

TEST(connections_last_as_their_state_says)
{
	union bng_any_object it = translated(1, 1024), policy = test_nat_policy(1);
	const uint64_t syns = BNG_NAT_SYN_INSIDE | BNG_NAT_SYN_OUTSIDE,
		       data = BNG_NAT_DATA_INSIDE | BNG_NAT_DATA_OUTSIDE,
		       fins = BNG_NAT_FIN_INSIDE | BNG_NAT_FIN_OUTSIDE;
	const struct bng_session_object *session = &it.session;

	it.session.nat.policy = &policy.nat_policy;
	assert_int_equal(lasts(session, TCP, 80, BNG_NAT_SYN_INSIDE), 240);
	assert_int_equal(lasts(session, TCP, 80, BNG_NAT_SYN_OUTSIDE), 240);
	assert_int_equal(lasts(session, TCP, 80, syns), 7440);
	assert_int_equal(lasts(session, TCP, 80, data), 7440);
	assert_int_equal(lasts(session, TCP, 80, BNG_NAT_DATA_INSIDE), 240);
	assert_int_equal(lasts(session, TCP, 80, syns | BNG_NAT_FIN_INSIDE), 7440);
	assert_int_equal(lasts(session, TCP, 80, syns | data | fins), 240);
	assert_int_equal(lasts(session, TCP, 80, syns | data | BNG_NAT_RST), 240);
	assert_int_equal(lasts(session, TCP, 0, 0), 240); /* a peer that may begin others */
	assert_int_equal(lasts(session, UDP, 0, 0), 300);
	assert_int_equal(lasts(session, ICMP, 0, 0), 60);
	assert_int_equal(lasts(NULL, TCP, 80, syns), 0);
	it.session.nat.address = inet_addr("203.0.113.2");
	assert_int_equal(lasts(session, TCP, 80, syns), 0);
}
