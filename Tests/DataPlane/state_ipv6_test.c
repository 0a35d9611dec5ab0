// SPDX-License-Identifier: Apache-2.0
// The rules of docs/contract.md, section 7, about IPv6: whose a prefix is, what needs a link-local address,
// whose family a gateway has, which own address is a VRF's.
#include "test.h"

#include "objects.h"
#include "state_scene.h"

static void begin6(void)
{
	union bng_any_object port = test_port(1, "access0", BNG_ROLE_ACCESS, 1);

	begin(10);
	test_enable_ipv6(&port);
	port.head.generation = 2;
	assert_int_equal(test_apply(&state, &port, &refusal), BNG_OK);
}

TEST(an_ipv6_prefix_belongs_to_one_session_route_or_the_bng)
{
	union bng_any_object one = test_session(1, 0x64400101), two = test_session(2, 0x64400102), copy,
			     route = test_route6(5, "2001:db8:5::", 48, 0),
			     identity = test_identity(2, "100.64.0.2");

	begin6();
	identity.identity.has_ipv6 = true;
	identity.identity.ipv6 = test_ip6("2001:db8::1");
	assert_int_equal(test_apply(&state, &identity, &refusal), BNG_OK);
	identity = test_identity(3, "100.64.0.3");
	identity.identity.has_ipv6 = true;
	identity.identity.ipv6 = test_ip6("2001:db8::1");
	assert_refused(identity, BNG_CONFLICT, "12.3");
	test_add_ipv6(&one, "2001:db8:1::", 56);
	test_add_ipv6(&one, "2001:db8:2::2", 128);
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	assert_int_equal(test_apply(&state, &route, &refusal), BNG_OK);
	copy = two;
	test_add_ipv6(&copy, "2001:db8:1::", 56);
	assert_refused(copy, BNG_CONFLICT, "17.11.1");
	copy = two;
	test_add_ipv6(&copy, "2001:db8:5::", 48);
	assert_refused(copy, BNG_CONFLICT, "17.11.1");
	copy = two;
	test_add_ipv6(&copy, "2001:db8::1", 128);
	assert_refused(copy, BNG_CONFLICT, "17.11.1");
	identity.identity.ipv6 = test_ip6("2001:db8:2::2");
	assert_refused(identity, BNG_CONFLICT, "12.3");
	route = test_route6(6, "2001:db8:1::", 56, 0);
	assert_refused(route, BNG_CONFLICT, "15.2");
	route = test_route6(6, "2001:db8::1", 128, 0);
	assert_refused(route, BNG_CONFLICT, "15.2");
	/* Overlaps are allowed, and another VRF is another world. */
	test_add_ipv6(&two, "2001:db8:1::", 57);
	assert_int_equal(test_apply(&state, &two, &refusal), BNG_OK);
	route = test_route6(6, "2001:db8:1::", 56, 0);
	route.route.vrf = 4;
	assert_int_equal(test_apply(&state, &route, &refusal), BNG_OK);
	assert_int_equal(state.prefixes6.count, 5);
	assert_int_equal(state.own6.count, 1);
	/* What a session lets go is free; what it keeps stays its own, however long it gets. */
	one.head.generation = 2;
	one.session.ipv6.prefix_count = 0;
	test_add_ipv6(&one, "2001:db8:2::2", 128);
	test_add_services6(&one);
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	two.head.generation = 2;
	test_add_ipv6(&two, "2001:db8:1::", 56);
	assert_int_equal(test_apply(&state, &two, &refusal), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_SESSION, 1, 2), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_SESSION, 2, 2), BNG_OK);
	assert_int_equal(test_remove(&state, BNG_FAMILY_SERVER_IDENTITY, 2, 1), BNG_OK);
	assert_int_equal(state.prefixes6.count, 2);
	assert_int_equal(state.own6.count, 0);
	end();
}

TEST(ipv6_needs_the_ports_link_local_address_as_long_as_a_session_has_it)
{
	union bng_any_object port = test_port(1, "access0", BNG_ROLE_ACCESS, 1),
			     one = test_session(1, 0x64400101);

	begin(10);
	test_add_ipv6(&one, "2001:db8:1::", 56);
	assert_refused(one, BNG_INVALID, "17.11");
	test_enable_ipv6(&port);
	port.head.generation = 2;
	assert_int_equal(test_apply(&state, &port, &refusal), BNG_OK);
	one.session.has_ipv4 = one.session.dhcp_fast_path = false;
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	assert_int_equal(state.addresses.count, 0);
	port.head.generation = 3;
	port.port.has_link_local = false;
	assert_refused(port, BNG_IN_USE, "11.8");
	/* A replaced port still knows them. */
	test_enable_ipv6(&port);
	assert_int_equal(test_apply(&state, &port, &refusal), BNG_OK);
	port.head.generation = 4;
	port.port.has_link_local = false;
	assert_refused(port, BNG_IN_USE, "11.8");
	one.head.generation = 2;
	one.session.has_ipv6 = false;
	assert_int_equal(test_apply(&state, &one, &refusal), BNG_OK);
	assert_int_equal(test_apply(&state, &port, &refusal), BNG_OK);
	end();
}

TEST(a_gateway_is_of_its_routes_family)
{
	union bng_any_object hop = test_gateway6(2, "fe80::2"), route = test_route6(2, "2001:db8::", 32, 2),
			     old = test_route(3, "10.0.0.0", 8, 2), hop4 = hop;

	begin6();
	hop4.next_hop.has_ipv6 = false;
	hop4.next_hop.address = inet_addr("192.0.2.1");
	hop4.head.generation = 2;
	assert_int_equal(test_apply(&state, &hop, &refusal), BNG_OK);
	assert_refused(old, BNG_INVALID, "15.5");
	assert_int_equal(test_apply(&state, &route, &refusal), BNG_OK);
	assert_refused(hop4, BNG_INVALID, "14.3");
	assert_int_equal(test_remove(&state, BNG_FAMILY_NEXT_HOP, 2, 2), BNG_IN_USE);
	assert_int_equal(test_remove(&state, BNG_FAMILY_ROUTE, 2, 1), BNG_OK);
	assert_int_equal(test_apply(&state, &hop4, &refusal), BNG_OK);
	assert_refused(route, BNG_INVALID, "15.5");
	assert_int_equal(test_apply(&state, &old, &refusal), BNG_OK);
	hop.head.generation = 3;
	assert_refused(hop, BNG_INVALID, "14.4");
	/* The kernel knows both families. */
	route = test_route6(2, "::", 0, 1);
	assert_int_equal(test_apply(&state, &route, &refusal), BNG_OK);
	route.head.generation = 2;
	route.route.vrf = 3;
	assert_refused(route, BNG_INVALID, "15.5");
	end();
}

TEST(the_bngs_ipv6_address_in_a_vrf_is_that_of_the_lowest_identity)
{
	union bng_any_object low = test_identity(7, "100.64.0.7"), high = test_identity(9, "100.64.0.9");
	struct bng_change change;
	struct bng_ip6 address, seven = test_ip6("2001:db8::7"), nine = test_ip6("2001:db8::9");

	begin6();
	low.identity.has_ipv6 = high.identity.has_ipv6 = true;
	low.identity.ipv6 = seven;
	high.identity.ipv6 = nine;
	assert_false(bng_state_own_ipv6(&state, 0, NULL, &address));
	assert_int_equal(test_apply(&state, &high, &refusal), BNG_OK);
	assert_true(bng_state_own_ipv6(&state, 0, NULL, &address));
	assert_memory_equal(&address, &nine, sizeof(nine));
	assert_false(bng_state_own_ipv6(&state, 1, NULL, &address));
	change = (struct bng_change){.next = &low.head};
	assert_true(bng_state_own_ipv6(&state, 0, &change, &address));
	assert_memory_equal(&address, &seven, sizeof(seven));
	assert_int_equal(test_apply(&state, &low, &refusal), BNG_OK);
	change = (struct bng_change){.held = bng_state_get(&state, BNG_FAMILY_SERVER_IDENTITY, 7)};
	assert_true(bng_state_own_ipv6(&state, 0, &change, &address));
	assert_memory_equal(&address, &nine, sizeof(nine));
	end();
}
