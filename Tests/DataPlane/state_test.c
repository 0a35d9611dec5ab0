// SPDX-License-Identifier: Apache-2.0
// The rules of docs/contract.md, section 5 and 7, on the model: generations, references, uniqueness, use,
// limits, digests, memory.
#include "test.h"

#include "audit.h"
#include "objects.h"
#include "state_scene.h"

#include <errno.h>

TEST(generations_are_compared_before_anything_else)
{
	union bng_any_object one = test_session(7, 0x64400101);

	begin(10);
	one.head.generation = 5;
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	one.head.generation = 4;
	one.session.line.s_vlan = 9999;
	assert_refused(one, BNG_STALE_GENERATION, "2");
	one.head.generation = 5;
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	one.head.digest[3]++;
	assert_refused(one, BNG_GENERATION_REUSED, "2");
	one.head.generation = 6;
	assert_refused(one, BNG_INVALID, "17.1.2");
	one.head.generation = 0;
	assert_refused(one, BNG_INVALID, "2");
	one.head.id = 0;
	assert_refused(one, BNG_INVALID, "1");
	assert_int_equal(bng_state_get(&state, BNG_FAMILY_SESSION, 7)->generation, 5);
	end();
}

TEST(a_line_and_an_address_belong_to_one_session)
{
	union bng_any_object one = test_session(1, 0x64400101), two = test_session(2, 0x64400102), copy;

	begin(10);
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	copy = two;
	memcpy(copy.session.line.mac, one.session.line.mac, 6);
	assert_refused(copy, BNG_CONFLICT, "17.1");
	copy = two;
	copy.session.address = one.session.address;
	assert_refused(copy, BNG_CONFLICT, "17.4.1");
	copy.session.address = inet_addr("100.64.0.1");
	assert_refused(copy, BNG_CONFLICT, "17.4.1");
	/* TPIDs are not part of the line: the same line with the other TPID is the same line. */
	one.session.line.s_vlan = 5;
	one.session.line.s_tpid = 0x8100;
	one.head.generation = 2;
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	copy = two;
	copy.session.line = one.session.line;
	copy.session.line.s_tpid = 0x88a8;
	assert_refused(copy, BNG_CONFLICT, "17.1");
	/* The address moves on once the first has let it go. */
	one.head.generation = 3;
	one.session.address = htonl(0x64400199);
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	two.session.address = htonl(0x64400101);
	assert_int_equal(test_apply(&state, &two, &refusal), BNG_OK);
	assert_int_equal(state.addresses.count, 2);
	assert_int_equal(state.lines.count, 2);
	end();
}

TEST(sessions_need_their_domain_and_template_in_the_same_vrf)
{
	union bng_any_object one = test_session(1, 0x64400101);

	begin(10);
	one.session.line.access_domain_id = 2;
	assert_refused(one, BNG_UNKNOWN_REFERENCE, "17.1.1");
	one.session.line.access_domain_id = 1;
	one.session.template_id = 9;
	assert_refused(one, BNG_UNKNOWN_REFERENCE, "17.4.2");
	one.session.template_id = 1;
	one.session.vrf = 3;
	assert_refused(one, BNG_INVALID, "17.2");
	end();
}

TEST(what_others_refer_to_stays)
{
	union bng_any_object one = test_session(1, 0x64400101),
			     port = test_port(1, "access0", BNG_ROLE_ACCESS, 2),
			     template = test_template(1, 1, "100.64.0.1"),
			     identity = test_identity(1, "100.64.0.1");

	begin(10);
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_PORT, 1, 9), BNG_IN_USE);
	assert_int_equal(test_remove(&state, BNG_FAMILY_SERVER_IDENTITY, 1, 9), BNG_IN_USE);
	assert_int_equal(test_remove(&state, BNG_FAMILY_POOL_TEMPLATE, 1, 9), BNG_IN_USE);
	assert_int_equal(test_remove(&state, BNG_FAMILY_NEXT_HOP, 1, 9), BNG_IN_USE);
	port.head.generation = template.head.generation = identity.head.generation = 2;
	assert_refused(port, BNG_IN_USE, "11");
	identity.identity.vrf = 1;
	assert_refused(identity, BNG_IN_USE, "12.1");
	/* A replaced object keeps those who refer to it. */
	identity.identity.vrf = 0;
	identity.identity.address = inet_addr("100.64.0.2");
	assert_int_equal(test_apply(&state, &identity, &refusal), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_SERVER_IDENTITY, 1, 9), BNG_IN_USE);
	assert_int_equal(test_remove(&state, BNG_FAMILY_SESSION, 1, 1), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_PORT, 1, 9), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_POOL_TEMPLATE, 1, 9), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_SERVER_IDENTITY, 1, 9), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_ROUTE, 1, 1), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_NEXT_HOP, 1, 1), BNG_OK);
	assert_int_equal(state.own.count, 0);
	end();
}

TEST(a_filter_stays_while_sessions_refer_to_it)
{
	union bng_any_object one = test_session(1, 0x64400101), filter = test_filter(9);

	begin(10);
	one.session.filter_id = 9;
	assert_refused(one, BNG_UNKNOWN_REFERENCE, "17.8");
	assert_int_equal(test_apply(&state, &filter, &refusal), BNG_OK);
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_FILTER, 9, 9), BNG_IN_USE);
	filter.head.generation = 2;
	filter.filter.rule_count = 0;
	assert_int_equal(test_apply(&state, &filter, &refusal), BNG_OK);
	one.head.generation = 2;
	one.session.filter_id = 0;
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_FILTER, 9, 9), BNG_OK);
	assert_int_equal(state.filters.count, 0);
	end();
}

TEST(a_framed_route_belongs_to_one_session_and_is_no_route_or_address_of_others)
{
	union bng_any_object one = test_session(1, 0x64400101), two = test_session(2, 0x64400102),
			     route = test_route(9, "203.0.113.0", 24, 0), copy;

	begin(10);
	test_add_framed(&one, "203.0.113.0", 24);
	test_add_framed(&one, "198.51.100.7", 32);
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	assert_int_equal(state.prefixes.count, 3);
	assert_refused(route, BNG_CONFLICT, "15.2");
	copy = two;
	test_add_framed(&copy, "203.0.113.0", 24);
	assert_refused(copy, BNG_CONFLICT, "17.4.7.1");
	copy = two;
	test_add_framed(&copy, "0.64.64.100", 32);
	copy.session.framed[0].prefix = one.session.address;
	assert_refused(copy, BNG_CONFLICT, "17.4.7.1");
	copy.session.framed[0].prefix = inet_addr("100.64.0.1");
	assert_refused(copy, BNG_CONFLICT, "17.4.7.1");
	copy = two;
	copy.session.address = inet_addr("198.51.100.7");
	assert_refused(copy, BNG_CONFLICT, "17.4.1");
	/* Another prefix length is another route, and other sessions may sit inside one. */
	copy = two;
	test_add_framed(&copy, "203.0.113.0", 25);
	assert_int_equal(test_apply(&state, &copy, &refusal), BNG_OK);
	/* What a session lets go of is free. */
	one.head.generation = 2;
	one.session.framed_count = 0;
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	assert_int_equal(test_apply(&state, &route, &refusal), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_SESSION, 2, 1), BNG_OK);
	assert_int_equal(state.prefixes.count, 2);
	end();
}

TEST(deletes_respect_generations_and_are_idempotent)
{
	union bng_any_object one = test_session(1, 0x64400101);

	begin(10);
	one.head.generation = 5;
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_SESSION, 1, 4), BNG_STALE_GENERATION);
	assert_int_equal(test_remove(&state, BNG_FAMILY_SESSION, 1, 0), BNG_INVALID);
	assert_int_equal(test_remove(&state, BNG_FAMILY_SESSION, 1, 5), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_SESSION, 1, 5), BNG_OK);
	end();
}

TEST(own_addresses_have_one_server_and_any_gateways_and_no_session_or_route)
{
	struct bng_address_key key = {.ipv4 = inet_addr("100.64.0.1")};
	union bng_any_object identity = test_identity(2, "100.64.0.1"),
			     host = test_route(9, "100.64.0.1", 32, 0),
			     second = test_template(2, 1, "100.65.0.1"), one = test_session(1, 0x64410001);

	begin(10);
	assert_int_equal(bng_state_own_flags(&state, &key, NULL), BNG_OWN_GATEWAY | BNG_OWN_SERVER);
	assert_refused(identity, BNG_CONFLICT, "12.2");
	assert_refused(host, BNG_CONFLICT, "15.2");
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	assert_refused(second, BNG_CONFLICT, "13.3");
	assert_int_equal(test_remove(&state, BNG_FAMILY_SESSION, 1, 1), BNG_OK);
	assert_int_equal(test_apply(&state, &second, &refusal), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_POOL_TEMPLATE, 1, 1), BNG_OK);
	assert_int_equal(bng_state_own_flags(&state, &key, NULL), BNG_OWN_SERVER);
	end();
}

TEST(ports_are_those_of_the_agent_in_their_role_each_held_once)
{
	union bng_any_object port = test_port(5, "access9", BNG_ROLE_ACCESS, 5);

	begin(10);
	assert_refused(port, BNG_UNKNOWN_REFERENCE, "11.1");
	port = test_port(5, "core0", BNG_ROLE_ACCESS, 5);
	assert_refused(port, BNG_INVALID, "11.2");
	port = test_port(5, "access0", BNG_ROLE_ACCESS, 5);
	assert_refused(port, BNG_CONFLICT, "11.1");
	port = test_port(5, "access1", BNG_ROLE_ACCESS, 1);
	assert_refused(port, BNG_CONFLICT, "11.3");
	port.port.access_domain_id = 0;
	assert_refused(port, BNG_INVALID, "11.3");
	port = test_port(5, "access1", BNG_ROLE_ACCESS, 2);
	assert_int_equal(test_apply(&state, &port, &refusal), BNG_OK);
	assert_int_equal(bng_state_get(&state, BNG_FAMILY_PORT, 5)->index, 3);
	end();
}

TEST(sessions_stop_at_their_limit_and_slots_rest_before_they_return)
{
	union bng_any_object it;
	uint32_t first, i;

	begin(4);
	for (i = 1; i <= 4; i++) {
		it = test_session(i, 0x64400100 + i);
		assert_int_equal(test_apply(&state, &it, &refusal), BNG_OK);
	}
	it = test_session(5, 0x64400105);
	assert_refused(it, BNG_LIMIT, "17");
	first = bng_state_get(&state, BNG_FAMILY_SESSION, 1)->index;
	assert_int_equal(test_remove(&state, BNG_FAMILY_SESSION, 1, 1), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_SESSION, 3, 1), BNG_OK);
	assert_int_equal(test_apply(&state, &it, &refusal), BNG_OK);
	assert_int_equal(bng_state_get(&state, BNG_FAMILY_SESSION, 5)->index, first);
	assert_ptr_equal(state.by_slot[first], bng_state_get(&state, BNG_FAMILY_SESSION, 5));
	end();
}

TEST(an_adopted_index_is_kept_if_it_is_free)
{
	union bng_any_object it = test_session(1, 0x64400101);

	begin(10);
	it.head.index = 7;
	assert_int_equal(test_apply(&state, &it, &refusal), BNG_OK);
	assert_int_equal(bng_state_get(&state, BNG_FAMILY_SESSION, 1)->index, 7);
	it = test_session(2, 0x64400102);
	it.head.index = 7;
	assert_int_equal(test_apply(&state, &it, &refusal), BNG_OK);
	assert_int_not_equal(bng_state_get(&state, BNG_FAMILY_SESSION, 2)->index, 7);
	end();
}

TEST(an_aborted_change_leaves_nothing)
{
	const struct bng_refusal good = {.code = BNG_OK};
	union bng_any_object it = test_session(1, 0x64400101);
	struct bng_change change;
	uint8_t before[16], after[16];

	begin(10);
	bng_digest_sum_bytes(&state.digests[BNG_FAMILY_SESSION], before);
	assert_int_equal(bng_state_prepare(&state, &it, &good, &change, &refusal), 0);
	bng_state_abort(&state, &change);
	bng_digest_sum_bytes(&state.digests[BNG_FAMILY_SESSION], after);
	assert_memory_equal(before, after, 16);
	assert_int_equal(state.slots.count, 0);
	assert_int_equal(state.lines.count, 0);
	end();
}

TEST(family_digests_return_to_zero_and_do_not_depend_on_order)
{
	static const uint8_t zero[16];
	union bng_any_object it;
	uint8_t forward[16], backward[16];
	uint64_t id;

	begin(10);
	for (id = 1; id <= 5; id++) {
		it = test_session(id, 0x64400100 + (uint32_t)id);
		memset(it.head.digest, 0xf0 + (int)id, 16);
		assert_int_equal(test_apply(&state, &it, &refusal), BNG_OK);
	}
	bng_digest_sum_bytes(&state.digests[BNG_FAMILY_SESSION], forward);
	for (id = 1; id <= 5; id++)
		assert_int_equal(test_remove(&state, BNG_FAMILY_SESSION, id, 1), BNG_OK);
	bng_digest_sum_bytes(&state.digests[BNG_FAMILY_SESSION], backward);
	assert_memory_equal(backward, zero, 16);
	for (id = 5; id >= 1; id--) {
		it = test_session(id, 0x64400100 + (uint32_t)id);
		memset(it.head.digest, 0xf0 + (int)id, 16);
		assert_int_equal(test_apply(&state, &it, &refusal), BNG_OK);
	}
	bng_digest_sum_bytes(&state.digests[BNG_FAMILY_SESSION], backward);
	assert_memory_equal(forward, backward, 16);
	end();
}

TEST(every_failing_allocation_leaves_the_state_as_it_was)
{
	const struct bng_refusal good = {.code = BNG_OK};
	union bng_any_object it;
	struct bng_change change;
	size_t held = 0;
	uint64_t id;
	long n;
	int err;

	begin(1000);
	for (id = 1; id <= 300; id++) {
		it = test_session(id, 0x64410000 + (uint32_t)id);
		for (n = 0;; n++) {
			bng_test_fail_allocation(n);
			err = bng_state_prepare(&state, &it, &good, &change, &refusal);
			bng_test_fail_allocation(-1);
			if (!err)
				break;
			assert_int_equal(err, -ENOMEM);
			assert_int_equal(state.by_id[BNG_FAMILY_SESSION].count, held);
			assert_int_equal(state.slots.count, held);
		}
		/* A commit never allocates. */
		bng_test_fail_allocation(0);
		assert_non_null(bng_state_commit(&state, &change));
		bng_test_fail_allocation(-1);
		held++;
	}
	end();
	for (n = 0; n < 4; n++) {
		bng_test_fail_allocation(n);
		assert_int_equal(bng_state_init(&state, 100, test_seed), -ENOMEM);
		bng_test_fail_allocation(-1);
		assert_int_equal(bng_test_live_blocks(), 0);
	}
}

TEST(audit_pages_are_in_order_and_follow_changes)
{
	static const uint64_t ids[] = {30, 10, 20};
	const struct bng_object *const *page;
	struct bng_audit audit = {0};
	union bng_any_object it;
	size_t count, i;

	begin(10);
	for (i = 0; i < 3; i++) {
		it = test_session(ids[i], 0x64400100 + (uint32_t)ids[i]);
		assert_int_equal(test_apply(&state, &it, &refusal), BNG_OK);
	}
	assert_int_equal(bng_audit_page(&audit, &state, BNG_FAMILY_SESSION, 10, &page, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(page[0]->id, 20);
	assert_int_equal(test_remove(&state, BNG_FAMILY_SESSION, 20, 1), BNG_OK);
	assert_int_equal(bng_audit_page(&audit, &state, BNG_FAMILY_SESSION, 0, &page, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(page[1]->id, 30);
	bng_audit_done(&audit);
	end();
}

TEST(kernel_next_hops_serve_the_default_vrf_only)
{
	union bng_any_object route = test_route(2, "10.0.0.0", 8, 1), hop = test_kernel_hop(2);

	begin(10);
	route.route.vrf = 1;
	assert_refused(route, BNG_INVALID, "15.5");
	hop.next_hop.kind = BNG_NEXT_HOP_GATEWAY;
	strcpy(hop.next_hop.port, "core0");
	hop.next_hop.address = inet_addr("192.0.2.1");
	assert_int_equal(test_apply(&state, &hop, &refusal), BNG_OK);
	route.route.next_hop_id = 2;
	assert_int_equal(test_apply(&state, &route, &refusal), BNG_OK);
	hop = test_kernel_hop(2);
	hop.head.generation = 2;
	assert_refused(hop, BNG_INVALID, "14.1");
	end();
}

TEST(sessions_of_one_line_are_told_apart_by_their_pppoe_id)
{
	union bng_any_object first = test_pppoe_session(1, 0x64400102, 5),
			     second = test_pppoe_session(2, 0x64400103, 6),
			     ipoe = test_session(3, 0x64400104);
	struct bng_refusal refusal;

	test_state_init(&state, 10);
	test_apply_base(&state);
	memcpy(ipoe.session.line.mac, first.session.line.mac, 6);
	assert_int_equal(test_apply(&state, &first, &refusal), BNG_OK);
	assert_int_equal(test_apply(&state, &ipoe, &refusal), BNG_OK);
	second.session.line.pppoe_id = 5;
	assert_int_equal(test_apply(&state, &second, &refusal), BNG_CONFLICT);
	assert_string_equal(refusal.path, "17.1");
	second.session.line.pppoe_id = 6;
	assert_int_equal(test_apply(&state, &second, &refusal), BNG_OK);
	bng_state_done(&state);
}

TEST(an_access_domain_has_one_pppoe_service_with_or_without_a_port)
{
	union bng_any_object first = test_pppoe_service(1, 7), second = test_pppoe_service(2, 7);
	struct bng_refusal refusal;

	test_state_init(&state, 10);
	assert_int_equal(test_apply(&state, &first, &refusal), BNG_OK);
	assert_int_equal(test_apply(&state, &second, &refusal), BNG_CONFLICT);
	assert_string_equal(refusal.path, "19.1");
	first.head.generation++;
	first.pppoe_service.access_domain_id = 8;
	assert_int_equal(test_apply(&state, &first, &refusal), BNG_OK);
	assert_int_equal(test_apply(&state, &second, &refusal), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_PPPOE_SERVICE, 2, 9), BNG_OK);
	assert_int_equal(state.services.count, 1);
	bng_state_done(&state);
}
