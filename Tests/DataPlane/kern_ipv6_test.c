// SPDX-License-Identifier: Apache-2.0
// The IPv6 half of what kern/ writes: entries and prefixes come, change and go with their session, leases are
// their own, a crash between any two writes is repaired.
#include "test.h"

#include "kern_world.h"
#include "map_session6.h"
#include "objects.h"
#include "walk.h"

#include <bpf/bpf.h>
#include <errno.h>

#define SECOND_NS 1000000000ULL

static void begin(void)
{
	union bng_any_object port = test_port(1, "access0", BNG_ROLE_ACCESS, 1);

	world_begin();
	world_upsert_base();
	test_enable_ipv6(&port);
	port.head.generation = 2;
	world_upsert(&port);
}

static uint32_t adopt(const union bng_any_object *session)
{
	union bng_any_object port = test_port(1, "access0", BNG_ROLE_ACCESS, 1);
	struct bng_refusal refusal;

	world_unload();
	world_load();
	test_enable_ipv6(&port);
	assert_int_equal(test_apply(&state, &port, &refusal), BNG_OK);
	return world_adopt(session);
}

static union bng_any_object a_session(void)
{
	union bng_any_object it = test_session(1, 0x64400101);

	test_add_ipv6(&it, "2001:db8:1::", 56);
	test_add_ipv6(&it, "2001:db8:2::2", 128);
	test_add_services6(&it);
	it.session.ipv6.lease_expires_unix_ms = world_clock.utc_ms + 1000;
	return it;
}

static uint32_t slot_of(uint64_t id)
{
	return bng_state_get(&state, BNG_FAMILY_SESSION, id)->index;
}

static bool holds(enum bng_map map, uint32_t slot)
{
	static uint8_t value[1024];

	return !bpf_map_lookup_elem(kern.maps[map], &slot, value);
}

static struct bng_route6 route_of(const char *prefix, uint32_t length)
{
	struct bng_route6_key key = {.prefix_bits = 32 + length, .ipv6 = test_ip6(prefix)};
	struct bng_route6 route = {0};

	(void)bpf_map_lookup_elem(kern.maps[BNG_MAP_routes6], &key, &route);
	return route;
}

static int count_one(void *context, const void *key, const void *value)
{
	(void)key;
	(void)value;
	++*(uint32_t *)context;
	return 0;
}

static uint32_t routes(void)
{
	uint32_t count = 0;

	assert_int_equal(bng_walk_keys(kern.maps[BNG_MAP_routes6], sizeof(struct bng_route6_key),
				 sizeof(struct bng_route6), count_one, &count),
		0);
	return count;
}

TEST(the_ipv6_of_a_session_comes_changes_and_goes)
{
	union bng_any_object one = a_session();
	struct bng_session6_state *lease;
	struct bng_final final;
	uint32_t slot;

	begin();
	world_upsert(&one);
	slot = slot_of(1);
	lease = &kern.session6_state[slot];
	assert_true(holds(BNG_MAP_sessions6, slot) && holds(BNG_MAP_advertisements, slot) &&
		    holds(BNG_MAP_dhcp6_replies, slot));
	assert_int_equal(routes(), 2);
	assert_int_equal(route_of("2001:db8:1::", 56).kind, BNG_ROUTE_SESSION);
	assert_int_equal(route_of("2001:db8:2::2", 128).length, 128);
	assert_true(lease->session_id == 1 && lease->expires_ns == world_clock.boot_ns + SECOND_NS);
	/* Another line, one prefix goes, one comes, and the node answers nothing any more. */
	one.head.generation = 2;
	one.session.line.s_vlan = 5;
	one.session.line.s_tpid = 0x8100;
	one.session.ipv6.prefixes[0].address = test_ip6("2001:db8:3::");
	one.session.ipv6.advertisement_length = 0;
	one.session.ipv6.has_dhcp = false;
	world_upsert(&one);
	assert_false(holds(BNG_MAP_advertisements, slot) || holds(BNG_MAP_dhcp6_replies, slot));
	assert_int_equal(routes(), 2);
	assert_int_equal(route_of("2001:db8:1::", 56).kind, BNG_ROUTE_NONE);
	assert_int_equal(route_of("2001:db8:3::", 56).line.s_vlan, 5);
	assert_int_equal(route_of("2001:db8:2::2", 128).line.s_vlan, 5);
	/* IPv4 goes on without it. */
	lease->advertisements = 3;
	one.head.generation = 3;
	one.session.has_ipv6 = false;
	world_upsert(&one);
	assert_false(holds(BNG_MAP_sessions6, slot));
	assert_int_equal(routes(), 0);
	assert_true(lease->session_id == 0 && lease->expires_ns == 0);
	world_remove_session(1, &final);
	assert_int_equal(final.advertisements, 3);
	assert_int_equal(lease->advertisements, 0);
	world_end();
}

TEST(the_later_ipv6_lease_stays_while_a_prefix_does)
{
	union bng_any_object one = a_session(), dialled = test_pppoe_session(2, 0x64400102, 7);
	struct bng_session6_state *lease;

	begin();
	world_upsert(&one);
	lease = &kern.session6_state[slot_of(1)];
	lease->expires_ns += 9 * SECOND_NS; /* a renewal of the programs */
	one.head.generation = 2;
	one.session.ipv6.prefix_count = 1;
	one.session.address = htonl(0x64400105);
	world_upsert(&one);
	assert_true(lease->expires_ns == world_clock.boot_ns + 10 * SECOND_NS);
	one.head.generation = 3;
	one.session.ipv6.lease_expires_unix_ms = world_clock.utc_ms + 20000;
	world_upsert(&one);
	assert_true(lease->expires_ns == world_clock.boot_ns + 20 * SECOND_NS);
	one.head.generation = 4;
	one.session.ipv6.prefixes[0].address = test_ip6("2001:db8:9::");
	one.session.ipv6.associations[0].resource = one.session.ipv6.prefixes[0];
	one.session.ipv6.lease_expires_unix_ms = 0;
	world_upsert(&one);
	assert_true(lease->expires_ns == 0 && lease->session_id == 1);
	test_add_ipv6(&dialled, "2001:db8:7::", 64);
	world_upsert(&dialled);
	assert_true(kern.session6_state[slot_of(2)].expires_ns == UINT64_MAX);
	assert_int_equal(bng_map_session6_expires_ms(&kern,
				 (const void *)bng_state_get(&state, BNG_FAMILY_SESSION, 2), &world_clock),
		0);
	world_end();
}

TEST(final_counters_carry_ipv6)
{
	union bng_any_object one = a_session();
	struct bng_session6_counters *each = calloc(kern.cpus + 256, sizeof(*each));
	struct bng_final final;
	uint32_t slot, cpu;

	begin();
	world_upsert(&one);
	slot = slot_of(1);
	for (cpu = 0; cpu < kern.cpus; cpu++)
		each[cpu] = (struct bng_session6_counters){.up_packets = 1, .down_bytes = 5};
	assert_int_equal(bpf_map_update_elem(kern.maps[BNG_MAP_session6_counters], &slot, each, 0), 0);
	kern.session6_state[slot].dhcp_replies = 4;
	world_remove_session(1, &final);
	assert_int_equal(final.counters6.up_packets, kern.cpus);
	assert_int_equal(final.counters6.down_bytes, 5 * kern.cpus);
	assert_int_equal(final.counters.up_packets, 0);
	assert_int_equal(final.dhcp6_replies, 4);
	assert_int_equal(final.expires6_unix_ms, world_clock.utc_ms + 1000);
	assert_int_equal(bng_map_session6_counters(&kern, slot, each), 0);
	assert_int_equal(each->up_packets, 0);
	free(each);
	world_end();
}

TEST(own_ipv6_addresses_are_answered_and_are_where_errors_come_from)
{
	union bng_any_object high = test_identity(9, "100.64.0.9"), low = test_identity(7, "100.64.0.7");
	struct bng_address6_key key = {.ipv6 = test_ip6("2001:db8::9")};
	struct bng_ip6 none = {0};
	struct bng_own_address own;
	struct bng_refusal refusal;
	struct bng_change change;
	struct bng_port port;
	uint32_t index = 1;

	begin();
	high.identity.has_ipv6 = low.identity.has_ipv6 = true;
	high.identity.ipv6 = key.ipv6;
	low.identity.ipv6 = test_ip6("2001:db8::7");
	world_upsert(&high);
	assert_int_equal(bpf_map_lookup_elem(kern.maps[BNG_MAP_own_addresses6], &key, &own), 0);
	assert_int_equal(own.flags, BNG_OWN_SERVER);
	assert_int_equal(route_of("2001:db8::9", 128).kind, BNG_ROUTE_OWN);
	assert_int_equal(bpf_map_lookup_elem(kern.maps[BNG_MAP_ports], &index, &port), 0);
	assert_memory_equal(&port.ipv6, &key.ipv6, 16);
	assert_true(port.flags & BNG_PORT_IPV6);
	world_upsert(&low);
	assert_int_equal(bpf_map_lookup_elem(kern.maps[BNG_MAP_ports], &index, &port), 0);
	assert_memory_equal(&port.ipv6, &low.identity.ipv6, 16);
	assert_int_equal(
		bng_state_prepare_removal(&state, BNG_FAMILY_SERVER_IDENTITY, 7, 99, &change, &refusal), 0);
	assert_int_equal(world_remove(&change), 0);
	assert_int_equal(bpf_map_lookup_elem(kern.maps[BNG_MAP_ports], &index, &port), 0);
	assert_memory_equal(&port.ipv6, &key.ipv6, 16);
	/* The same identity without IPv6. */
	high.head.generation = 2;
	high.identity.has_ipv6 = false;
	world_upsert(&high);
	assert_int_equal(bpf_map_lookup_elem(kern.maps[BNG_MAP_own_addresses6], &key, &own), -ENOENT);
	assert_int_equal(routes(), 0);
	assert_int_equal(bpf_map_lookup_elem(kern.maps[BNG_MAP_ports], &index, &port), 0);
	assert_memory_equal(&port.ipv6, &none, 16);
	world_end();
}

TEST(a_route_may_change_its_family)
{
	union bng_any_object route = test_route6(9, "2001:db8:8::", 48, 1);

	begin();
	world_upsert(&route);
	assert_int_equal(route_of("2001:db8:8::", 48).kind, BNG_ROUTE_NEXT_HOP);
	assert_int_equal(route_of("2001:db8:8::", 48).length, 48);
	route = test_route(9, "10.0.0.0", 8, 1);
	route.head.generation = 2;
	world_upsert(&route);
	assert_int_equal(routes(), 0);
	world_end();
}

TEST(adoption_keeps_ipv6_leases_and_repairs_what_a_crash_left)
{
	union bng_any_object one = a_session();
	struct bng_route6_key stray = {.prefix_bits = 32 + 64, .ipv6 = test_ip6("2001:db8:99::")};
	struct bng_route6 route = {.kind = BNG_ROUTE_SESSION, .length = 64};
	struct bng_address6_key own = {.ipv6 = test_ip6("2001:db8::5")};
	struct bng_own_address flags = {.flags = BNG_OWN_SERVER};
	struct bng_session6 value = {.session_id = 77};
	uint32_t slot, other;

	begin();
	world_upsert(&one);
	slot = slot_of(1);
	other = slot + 1;
	one.head.index = slot;
	kern.session6_state[slot].expires_ns += 5;
	kern.session6_state[slot].renewals = 3;
	assert_int_equal(adopt(&one), 0);
	assert_true(kern.session6_state[slot].expires_ns == world_clock.boot_ns + SECOND_NS + 5);
	assert_int_equal(kern.session6_state[slot].renewals, 3);
	/* Wrong, too much, and missing. */
	assert_int_equal(bpf_map_update_elem(kern.maps[BNG_MAP_sessions6], &slot, &value, 0), 0);
	assert_int_equal(bpf_map_update_elem(kern.maps[BNG_MAP_sessions6], &other, &value, 0), 0);
	assert_int_equal(bpf_map_update_elem(kern.maps[BNG_MAP_routes6], &stray, &route, 0), 0);
	assert_int_equal(bpf_map_update_elem(kern.maps[BNG_MAP_own_addresses6], &own, &flags, 0), 0);
	kern.session6_state[other].session_id = 77;
	assert_int_equal(adopt(&one), 5);
	assert_int_equal(routes(), 2);
	assert_false(holds(BNG_MAP_sessions6, other));
	assert_int_equal(kern.session6_state[other].session_id, 0);
	stray.ipv6 = test_ip6("2001:db8:1::");
	stray.prefix_bits = 32 + 56;
	assert_int_equal(bpf_map_delete_elem(kern.maps[BNG_MAP_routes6], &stray), 0);
	assert_int_equal(bpf_map_delete_elem(kern.maps[BNG_MAP_dhcp6_replies], &slot), 0);
	assert_int_equal(adopt(&one), 2);
	assert_true(holds(BNG_MAP_dhcp6_replies, slot));
	assert_int_equal(route_of("2001:db8:1::", 56).kind, BNG_ROUTE_SESSION);
	assert_int_equal(adopt(&one), 0);
	/* The session is gone: nothing of it stays. */
	assert_true(adopt(NULL) > 0);
	assert_int_equal(routes(), 0);
	assert_false(holds(BNG_MAP_sessions6, slot) || holds(BNG_MAP_advertisements, slot));
	world_end();
}
