// SPDX-License-Identifier: Apache-2.0
// kern/ against the real kernel (support/kern_world.h): what an upsert writes, what a removal leaves,
// adoption after each kind of crash, and the swap of a program.
#include "test.h"

#include "apply.h"
#include "attach.h"
#include "kern_world.h"
#include "map_counters.h"
#include "map_policy.h"
#include "map_session.h"
#include "objects.h"
#include "pins.h"
#include "ring.h"
#include "walk.h"
#include "watch.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int count_entry(void *context, const void *key, const void *value)
{
	(void)key;
	(void)value;
	++*(int *)context;
	return 0;
}

static int entries(enum bng_map map, uint32_t key_size, uint32_t value_size)
{
	int count = 0;

	assert_int_equal(bng_walk_map(kern.maps[map], key_size, value_size, count_entry, &count), 0);
	return count;
}

static int session_entries(void)
{
	return entries(BNG_MAP_sessions, sizeof(struct bng_line_key), sizeof(struct bng_session));
}

static int address_entries(void)
{
	return entries(
		BNG_MAP_session_addresses, sizeof(struct bng_address_key), sizeof(struct bng_line_key));
}

static struct bng_session stored_session(const union bng_any_object *session)
{
	struct bng_line_key key = {.port = 1, .s_vlan = (uint16_t)session->session.line.s_vlan};
	struct bng_session value;

	memcpy(key.mac, session->session.line.mac, 6);
	assert_int_equal(bng_map_session_get(&kern, &key, &value), 0);
	return value;
}

TEST(a_session_has_one_entry_per_key_and_its_old_keys_go)
{
	union bng_any_object one = test_session(1, 0x64400101);
	struct bng_final final;

	world_begin();
	world_upsert_base();
	one.session.lease_expires_unix_ms = world_clock.utc_ms + 1000;
	one.session.ends_unix_ms = world_clock.utc_ms + 5000;
	world_upsert(&one);
	assert_int_equal(stored_session(&one).ends_ns, world_clock.boot_ns + 5000000000ULL);
	assert_int_equal(kern.session_state[stored_session(&one).slot].expires_ns,
		world_clock.boot_ns + 1000000000ULL);
	one.head.generation = 2;
	one.session.line.s_vlan = 5;
	one.session.line.s_tpid = 0x8100;
	one.session.address = htonl(0x64400102);
	world_upsert(&one);
	assert_int_equal(session_entries(), 1);
	assert_int_equal(address_entries(), 1);
	assert_int_equal(stored_session(&one).generation, 2);
	world_remove_session(1, &final);
	assert_int_equal(session_entries() + address_entries(), 0);
	world_end();
}

/* Framed routes of sessions in the kernel's table. */
static int count_framed(void *context, const void *key, const void *value)
{
	const struct bng_route *route = value;

	(void)key;
	*(uint32_t *)context += route->kind == BNG_ROUTE_SESSION;
	return 0;
}

static uint32_t framed_entries(void)
{
	uint32_t count = 0;

	assert_int_equal(bng_walk_keys(kern.maps[BNG_MAP_routes4], sizeof(struct bng_route_key),
				 sizeof(struct bng_route), count_framed, &count),
		0);
	return count;
}

static struct bng_route route_of(const char *prefix, uint32_t length)
{
	struct bng_route_key key = {.prefix_bits = 32 + length, .ipv4 = inet_addr(prefix)};
	struct bng_route route = {0};

	assert_int_equal(bpf_map_lookup_elem(kern.maps[BNG_MAP_routes4], &key, &route), 0);
	return route;
}

TEST(framed_routes_come_change_and_go_with_their_session)
{
	union bng_any_object one = test_session(1, 0x64400101);
	struct bng_final final;

	world_begin();
	world_upsert_base();
	test_add_framed(&one, "203.0.113.0", 29);
	test_add_framed(&one, "198.51.100.0", 24);
	world_upsert(&one);
	assert_int_equal(framed_entries(), 2);
	assert_int_equal(route_of("203.0.113.0", 29).session, one.session.address);
	/* One stays and leads to the new address, one goes, one comes. */
	one.head.generation = 2;
	one.session.address = htonl(0x64400102);
	one.session.framed[1].prefix = inet_addr("198.51.101.0");
	world_upsert(&one);
	assert_int_equal(framed_entries(), 2);
	assert_int_equal(route_of("203.0.113.0", 29).session, one.session.address);
	assert_int_equal(route_of("198.51.101.0", 24).kind, BNG_ROUTE_SESSION);
	assert_int_equal(route_of("198.51.100.0", 24).kind, BNG_ROUTE_NEXT_HOP);
	world_remove_session(1, &final);
	assert_int_equal(framed_entries(), 0);
	world_end();
}

TEST(filters_stand_in_their_map_while_they_are_held)
{
	union bng_any_object filter = test_filter(9);
	struct bng_refusal refusal;
	struct bng_change change;
	struct bng_filter value;
	uint32_t index = 1;

	world_begin();
	world_upsert(&filter);
	assert_int_equal(bpf_map_lookup_elem(kern.maps[BNG_MAP_filters], &index, &value), 0);
	assert_int_equal(value.rules[0].port_last, 25);
	assert_int_equal(bng_state_prepare_removal(&state, BNG_FAMILY_FILTER, 9, 99, &change, &refusal), 0);
	assert_int_equal(bng_kern_remove(&kern, &state, &change, &world_clock, NULL), 0);
	bng_state_commit(&state, &change);
	assert_int_equal(bpf_map_lookup_elem(kern.maps[BNG_MAP_filters], &index, &value), -ENOENT);
	world_end();
}

TEST(a_slot_starts_with_full_buckets_and_active)
{
	union bng_any_object one = test_session(1, 0x64400101);
	struct bng_policer *policers;
	struct bng_final final;

	world_begin();
	world_upsert_base();
	world_upsert(&one);
	policers = &kern.policers[stored_session(&one).slot * BNG_DIRECTIONS];
	assert_int_equal(kern.session_state[stored_session(&one).slot].active_ns, world_clock.boot_ns);
	policers[BNG_UP].full_at = policers[BNG_DOWN].multiplier = 77;
	/* A change of content is no new slot. */
	one.head.generation = 2;
	world_upsert(&one);
	assert_int_equal(policers[BNG_UP].full_at, 77);
	world_remove_session(1, &final);
	assert_int_equal(policers[BNG_UP].full_at | policers[BNG_DOWN].multiplier, 0);
	world_end();
}

TEST(adoption_restores_routes_and_filters_a_crash_left_out)
{
	union bng_any_object one = test_session(1, 0x64400101);
	struct bng_route_key key = {.prefix_bits = 32 + 29, .ipv4 = inet_addr("203.0.113.0")};
	struct bng_route wrong = {.kind = BNG_ROUTE_SESSION, .session = 1};
	struct bng_filter value = {.rule_count = 1};
	uint32_t index = 5;

	world_begin();
	world_upsert_base();
	test_add_framed(&one, "203.0.113.0", 29);
	world_upsert(&one);
	one.head.index = stored_session(&one).slot;
	world_unload();
	world_load();
	assert_int_equal(world_adopt(&one), 0);
	assert_int_equal(framed_entries(), 1);
	assert_int_equal(bpf_map_update_elem(kern.maps[BNG_MAP_routes4], &key, &wrong, 0), 0);
	key.ipv4 = inet_addr("203.0.114.0");
	assert_int_equal(bpf_map_update_elem(kern.maps[BNG_MAP_routes4], &key, &wrong, 0), 0);
	assert_int_equal(bpf_map_update_elem(kern.maps[BNG_MAP_filters], &index, &value, 0), 0);
	world_unload();
	world_load();
	assert_int_equal(world_adopt(&one), 3);
	assert_int_equal(framed_entries(), 1);
	assert_int_equal(route_of("203.0.113.0", 29).session, one.session.address);
	assert_int_equal(bpf_map_lookup_elem(kern.maps[BNG_MAP_filters], &index, &value), -ENOENT);
	world_end();
}

TEST(final_counters_are_kept_summed_and_the_slot_is_wiped)
{
	union bng_any_object one = test_session(1, 0x64400101);
	struct bng_session_counters *each = calloc(kern.cpus + 256, sizeof(*each)), now;
	struct bng_final final, again;
	uint32_t slot, cpu;

	world_begin();
	world_upsert_base();
	world_upsert(&one);
	slot = stored_session(&one).slot;
	for (cpu = 0; cpu < kern.cpus; cpu++)
		each[cpu].up_packets = 10;
	assert_int_equal(bpf_map_update_elem(kern.maps[BNG_MAP_session_counters], &slot, each, 0), 0);
	world_remove_session(1, &final);
	assert_int_equal(final.counters.up_packets, 10 * kern.cpus);
	assert_int_equal(bng_map_session_counters(&kern, slot, &now), 0);
	assert_int_equal(now.up_packets, 0);
	assert_int_equal(kern.session_state[slot].session_id, 0);
	world_upsert(&one);
	slot = stored_session(&one).slot;
	assert_int_equal(bpf_map_update_elem(kern.maps[BNG_MAP_session_counters], &slot, each, 0), 0);
	world_remove_session(1, &final);
	assert_int_equal(final.counters.up_packets, 20 * kern.cpus);
	assert_int_equal(bng_store_get_final(&kern, 1, &again), 0);
	assert_memory_equal(&final, &again, sizeof(final));
	assert_int_equal(bng_store_remove_final(&kern, 1), 0);
	assert_int_equal(bng_store_get_final(&kern, 1, &again), -ENOENT);
	free(each);
	world_end();
}

TEST(stored_objects_come_back_whole_and_broken_ones_are_dropped)
{
	static uint8_t packed[1000];
	struct bng_object object = {.id = 5, .family = BNG_FAMILY_POOL_TEMPLATE, .generation = 3, .index = 9};
	struct bng_stored_object *objects;
	struct {
		uint64_t id;
		uint16_t family, chunk;
		uint32_t pad;
	} key = {5, BNG_FAMILY_POOL_TEMPLATE, 2, 0};
	size_t count, i;

	world_begin();
	for (i = 0; i < sizeof(packed); i++)
		packed[i] = (uint8_t)(i * 3);
	assert_int_equal(
		bng_store_put_object(&kern, &object, (struct bng_bytes){packed, sizeof(packed)}, false), 0);
	assert_int_equal(bng_store_read_objects(&kern, &objects, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(objects[0].size, sizeof(packed));
	assert_int_equal(objects[0].index, 9);
	assert_memory_equal(objects[0].packed, packed, sizeof(packed));
	bng_stored_objects_free(objects, count);
	/* A shorter one leaves no chunk behind. */
	assert_int_equal(bng_store_put_object(&kern, &object, (struct bng_bytes){packed, 500}, true), 0);
	assert_int_equal(bng_store_read_objects(&kern, &objects, &count), 0);
	assert_int_equal(objects[0].size, 500);
	bng_stored_objects_free(objects, count);
	/* A crash between two chunks. */
	assert_int_equal(bpf_map_delete_elem(kern.objects, &key), 0);
	assert_int_equal(bng_store_read_objects(&kern, &objects, &count), 0);
	assert_int_equal(count, 0);
	bng_stored_objects_free(objects, count);
	world_end();
}

TEST(adoption_leaves_what_is_right_and_repairs_what_a_crash_left)
{
	union bng_any_object one = test_session(1, 0x64400101);
	struct bng_line_key stray = {.port = 1, .s_vlan = 77};
	struct bng_session value;
	struct bng_address_key address = {.ipv4 = inet_addr("100.64.9.9")};
	struct bng_dhcp_template before, after;
	uint32_t index = 1, slot;

	world_begin();
	world_upsert_base();
	one.session.lease_expires_unix_ms = world_clock.utc_ms + 1000;
	world_upsert(&one);
	slot = stored_session(&one).slot;
	kern.session_state[slot].renewals = 4;
	assert_int_equal(bpf_map_lookup_elem(kern.maps[BNG_MAP_dhcp_templates], &index, &before), 0);
	world_unload();
	world_load();
	assert_true(kern.ports[1].adopted && kern.ports[2].adopted && kern.ports[3].adopted);
	assert_false(kern.fresh);
	one.head.index = slot;
	assert_int_equal(world_adopt(&one), 0);
	assert_int_equal(kern.session_state[slot].renewals, 4);
	assert_int_equal(bpf_map_lookup_elem(kern.maps[BNG_MAP_dhcp_templates], &index, &after), 0);
	assert_memory_equal(&before, &after, sizeof(before));
	/* Entries written without their object (crash before the last write), and an entry lost (crash in a
	 * removal). */
	value = stored_session(&one);
	value.session_id = 99;
	assert_int_equal(bpf_map_update_elem(kern.maps[BNG_MAP_sessions], &stray, &value, 0), 0);
	assert_int_equal(bpf_map_update_elem(kern.maps[BNG_MAP_session_addresses], &address, &stray, 0), 0);
	address.ipv4 = one.session.address;
	assert_int_equal(bpf_map_delete_elem(kern.maps[BNG_MAP_session_addresses], &address), 0);
	kern.session_state[50].session_id = 99;
	world_unload();
	world_load();
	assert_true(world_adopt(&one) >= 4);
	assert_int_equal(session_entries(), 1);
	assert_int_equal(address_entries(), 1);
	assert_int_equal(kern.session_state[50].session_id, 0);
	world_end();
}

TEST(a_different_program_is_swapped_on_the_live_link)
{
	struct bpf_link_info info = {0};
	uint32_t size = sizeof(info), before;
	struct bng_pin_path path;
	int link;

	world_begin();
	path = bng_pin_path(&kern, "links", "access1");
	link = bpf_obj_get(path.text);
	assert_true(link >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(link, &info, &size), 0);
	before = info.prog_id;
	world_unload();
	/* Another index compiled into the program is another program, though its tag is the same. */
	world_load();
	assert_true(kern.ports[3].adopted);
	assert_int_equal(bng_store_put_schema(&kern, "port:access1", 9), 0);
	world_unload();
	world_load();
	assert_false(kern.ports[3].adopted);
	assert_true(kern.ports[1].adopted);
	size = sizeof(info);
	assert_int_equal(bpf_obj_get_info_by_fd(link, &info, &size), 0);
	assert_int_not_equal(info.prog_id, before);
	assert_int_equal(info.xdp.ifindex, kern.ports[3].interface.index);
	close(link);
	world_unload();
	world_load();
	assert_true(kern.ports[3].adopted);
	world_end();
}

TEST(another_layout_is_refused_in_words)
{
	world_begin();
	assert_int_equal(bng_store_put_schema(&kern, "sessions", 1), 0);
	world_unload();
	test_state_init(&state, 100);
	words.text[0] = 0;
	bng_kern_init(&kern, pins, BNG_ATTACH_AUTO, 100);
	kern.port_count = 1;
	strcpy(kern.ports[1].name, "access0");
	kern.ports[1].role = BNG_ROLE_ACCESS;
	assert_int_equal(bng_interface_query("access0", &kern.ports[1].interface), 0);
	assert_int_equal(bng_kern_load(&kern, 1, &words), -EPROTO);
	assert_non_null(strstr(words.text, "pinned map sessions has another layout"));
	world_end();
}

TEST(a_foreign_program_is_never_replaced)
{
	struct bpf_insn pass[] = {{.code = 0xb7, .dst_reg = 0, .imm = 2}, {.code = 0x95}};
	int program, link;

	world_begin();
	world_end();
	program = bpf_prog_load(BPF_PROG_TYPE_XDP, "stranger", "GPL", pass, 2, NULL);
	assert_true(program >= 0);
	link = bpf_link_create(program, (int)if_nametoindex("access0"), BPF_XDP, NULL);
	assert_true(link >= 0);
	test_state_init(&state, 100);
	words.text[0] = 0;
	bng_kern_init(&kern, pins, BNG_ATTACH_AUTO, 100);
	kern.port_count = 1;
	strcpy(kern.ports[1].name, "access0");
	kern.ports[1].role = BNG_ROLE_ACCESS;
	assert_int_equal(bng_interface_query("access0", &kern.ports[1].interface), 0);
	assert_int_equal(bng_kern_load(&kern, 1, &words), -EBUSY);
	assert_non_null(strstr(words.text, "another XDP program is attached"));
	close(link);
	close(program);
	world_end();
}

TEST(clocks_convert_there_and_back_and_never_wrap)
{
	assert_int_equal(bng_boot_ns(&world_clock, 0), 0);
	assert_int_equal(bng_boot_ns(&world_clock, 1), 1);
	assert_int_equal(bng_boot_ns(&world_clock, UINT64_MAX), UINT64_MAX);
	assert_int_equal(bng_utc_ms(&world_clock, bng_boot_ns(&world_clock, world_clock.utc_ms + 12345)),
		world_clock.utc_ms + 12345);
	assert_int_equal(bng_utc_ms(&world_clock, bng_boot_ns(&world_clock, world_clock.utc_ms - 12345)),
		world_clock.utc_ms - 12345);
}

TEST(every_reason_has_a_name)
{
	uint32_t reason;

	assert_null(bng_reason_name(0));
	assert_null(bng_reason_name(BNG_REASONS));
	for (reason = 1; reason < BNG_REASONS; reason++)
		assert_non_null(bng_reason_name(reason));
	assert_string_equal(bng_reason_name(BNG_DROP_spoofed_source), "drop.spoofed_source");
	assert_string_equal(bng_reason_short_name(BNG_TX_dhcp_ack), "dhcp_ack");
}

static int pppoe_service_of(uint32_t port, struct bng_pppoe_service *ret)
{
	return bpf_map_lookup_elem(kern.maps[BNG_MAP_pppoe_services], &port, ret);
}

TEST(a_pppoe_service_follows_its_access_domain_from_port_to_port)
{
	union bng_any_object service = test_pppoe_service(1, 7),
			     first = test_port(1, "access0", BNG_ROLE_ACCESS, 7),
			     other = test_port(2, "access1", BNG_ROLE_ACCESS, 8);
	struct bng_refusal refusal;
	struct bng_change change;
	struct bng_pppoe_service value;

	world_begin();
	world_upsert(&service);
	assert_int_equal(pppoe_service_of(1, &value), -ENOENT);
	world_upsert(&first);
	world_upsert(&other);
	assert_int_equal(pppoe_service_of(1, &value), 0);
	assert_memory_equal(value.ac_name + 4, "edge", 4);
	assert_int_equal(pppoe_service_of(3, &value), -ENOENT);
	service.head.generation++;
	service.pppoe_service.access_domain_id = 8;
	world_upsert(&service);
	assert_int_equal(pppoe_service_of(1, &value), -ENOENT);
	assert_int_equal(pppoe_service_of(3, &value), 0);
	other.head.generation++;
	other.port.access_domain_id = 9;
	world_upsert(&other);
	assert_int_equal(pppoe_service_of(3, &value), -ENOENT);
	first.head.generation++;
	first.port.access_domain_id = 8;
	world_upsert(&first);
	assert_int_equal(pppoe_service_of(1, &value), 0);
	assert_int_equal(
		bng_state_prepare_removal(&state, BNG_FAMILY_PPPOE_SERVICE, 1, 99, &change, &refusal), 0);
	assert_int_equal(bng_kern_remove(&kern, &state, &change, &world_clock, NULL), 0);
	bng_state_commit(&state, &change);
	assert_int_equal(pppoe_service_of(1, &value), -ENOENT);
	world_end();
}

TEST(adoption_repairs_pppoe_services)
{
	union bng_any_object service = test_pppoe_service(1, 1);
	struct bng_pppoe_service value;
	struct bng_refusal refusal;
	uint32_t port = 1, stale = 40, repaired = 0;

	world_begin();
	world_upsert_base();
	world_upsert(&service);
	assert_int_equal(pppoe_service_of(1, &value), 0);
	assert_int_equal(bpf_map_update_elem(kern.maps[BNG_MAP_pppoe_services], &stale, &value, BPF_ANY), 0);
	assert_int_equal(bpf_map_delete_elem(kern.maps[BNG_MAP_pppoe_services], &port), 0);
	world_unload();
	world_load();
	assert_int_equal(test_apply(&state, &service, &refusal), BNG_OK);
	test_apply_base(&state);
	assert_int_equal(bng_map_policy_reconcile(&kern, &state, &repaired), 0);
	assert_int_equal(pppoe_service_of(1, &value), 0);
	assert_int_equal(pppoe_service_of(40, &value), -ENOENT);
	world_end();
}

TEST(a_pppoe_session_never_expires_and_its_echoes_are_final)
{
	union bng_any_object one = test_pppoe_session(1, 0x64400101, 5);
	struct bng_ppp_state *ppp;
	struct bng_final final;
	uint32_t slot;

	world_begin();
	world_upsert_base();
	one.session.lease_expires_unix_ms = 1;
	world_upsert(&one);
	slot = bng_state_get(&state, BNG_FAMILY_SESSION, 1)->index;
	ppp = &kern.ppp_state[slot];
	assert_true(kern.session_state[slot].expires_ns == UINT64_MAX);
	ppp->echoes_answered = 3;
	ppp->echo_replies = 4;
	one.head.generation++;
	world_upsert(&one);
	assert_int_equal(ppp->echo_replies, 4);
	world_remove_session(1, &final);
	assert_int_equal(final.echoes_answered, 3);
	assert_int_equal(final.echo_replies, 4);
	assert_int_equal(final.expires_unix_ms, 0);
	assert_int_equal(ppp->echoes_answered, 0);
	world_end();
}
