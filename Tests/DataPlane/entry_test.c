// SPDX-License-Identifier: Apache-2.0
// Objects as map entries: byte order, flags, padding, and a template's options as ready TLVs.
#include "test.h"

#include "entry.h"
#include "objects.h"

static struct bng_state state;
static struct bng_refusal refusal;

static const struct bng_session_object *a_session(void)
{
	union bng_any_object it = test_session(0x0001000000000007ULL, 0x64400102);

	test_state_init(&state, 10);
	test_apply_base(&state);
	it.session.line.s_vlan = 0x0102;
	it.session.line.s_tpid = 0x88a8;
	it.session.line.c_vlan = 7;
	it.session.line.c_tpid = 0x8100;
	it.session.has_option82 = true;
	it.session.option82_hash = 99;
	assert_int_equal(test_apply(&state, &it, &refusal), BNG_OK);
	return (const void *)bng_state_get(&state, BNG_FAMILY_SESSION, it.head.id);
}

TEST(session_entries_keep_network_order_and_zero_padding)
{
	static const uint8_t address[4] = {100, 64, 1, 2}, tpid[2] = {0x88, 0xa8};
	const struct bng_session_object *session = a_session();
	struct bng_line_key key = bng_entry_line_key(session);
	struct bng_session value;

	memset(&value, 0xff, sizeof(value));
	bng_entry_session(session, &value);
	assert_int_equal(key.port, 1);
	assert_int_equal(key.s_vlan, 0x0102);
	assert_int_equal(key.c_vlan, 7);
	assert_int_equal(key.pppoe_id, 0);
	assert_memory_equal(key.mac, session->line.mac, 6);
	assert_memory_equal(&value.ipv4, address, 4);
	assert_memory_equal(&value.s_tpid, tpid, 2);
	assert_int_equal(value.flags, BNG_SESSION_FAST_DHCP | BNG_SESSION_HAS_OPTION82);
	assert_int_equal(value.template_index, 1);
	assert_int_equal(value.slot, session->head.index);
	assert_memory_equal(value.frame_mac, session->line.mac, 6);
	assert_int_equal(value.filter_index | value.overhead | value.mtu | value.magic, 0);
	assert_int_equal(value.rate_up.multiplier | value.rate_down.tolerance, 0);
	bng_state_done(&state);
}

TEST(a_pppoe_session_is_keyed_by_its_id_and_carries_its_link)
{
	static const uint8_t magic[4] = {0xca, 0xfe, 0xf0, 0x0d};
	union bng_any_object it = test_pppoe_session(1, 0x64400102, 0x0a05);
	struct bng_session value;
	struct bng_line_key key;

	test_state_init(&state, 10);
	test_apply_base(&state);
	it.session.ppp.local_magic = 0xcafef00d;
	it.session.ppp.clamp_mss = true;
	assert_int_equal(test_apply(&state, &it, &refusal), BNG_OK);
	bng_entry_session((const void *)bng_state_get(&state, BNG_FAMILY_SESSION, 1), &value);
	key = bng_entry_line_key((const void *)bng_state_get(&state, BNG_FAMILY_SESSION, 1));
	assert_int_equal(key.pppoe_id, 0x0a05);
	assert_int_equal(value.flags, BNG_SESSION_PPPOE | BNG_SESSION_CLAMP_MSS);
	assert_int_equal(value.mtu, 1492);
	assert_memory_equal(&value.magic, magic, 4);
	bng_state_done(&state);
}

TEST(a_pppoe_service_lies_as_ready_tags)
{
	union bng_any_object it = test_pppoe_service(1, 7);
	struct bng_pppoe_service value;

	bng_entry_pppoe_service(&it.pppoe_service, &value);
	assert_int_equal(value.access_domain_id, 7);
	assert_int_equal(value.flags | value.delay_ms | value.max_payload, 0);
	assert_int_equal(value.ac_name_bytes, 8);
	assert_memory_equal(value.ac_name,
		"\x01\x02\0\x04"
		"edge",
		8);
	assert_int_equal(value.name_count, 2);
	assert_int_equal(value.offered_bytes, 12 + 8);
	assert_memory_equal(value.offered,
		"\x01\x01\0\x08"
		"internet"
		"\x01\x01\0\x04"
		"voip",
		20);
	assert_int_equal(value.names[1].at, 12);
	assert_int_equal(value.names[1].bytes, 8);
	assert_true(value.names[1].hash == bng_bytes_hash((const uint8_t *)"voip", 4));
	assert_true(value.key[0] == 0x3736353433323130ULL && value.key[1] == 0x6665646362613938ULL);
	/* Without a previous key the same one stands twice: no cookie costs less. */
	assert_memory_equal(value.previous_key, value.key, 16);
	it.pppoe_service.has_previous_key = true;
	it.pppoe_service.any_service = true;
	it.pppoe_service.max_payload_bytes = 1500;
	it.pppoe_service.pado_delay_ms = 250;
	bng_entry_pppoe_service(&it.pppoe_service, &value);
	assert_int_equal(value.flags, BNG_PPPOE_ANY_SERVICE);
	assert_int_equal(value.max_payload, 1500);
	assert_int_equal(value.delay_ms, 250);
	assert_int_equal(value.previous_key[0], 0);
}

TEST(what_a_session_is_granted_is_in_its_entries)
{
	static const uint8_t prefix[4] = {203, 0, 113, 0}, vrf[4] = {0, 0, 0, 0};
	union bng_any_object it = test_session(1, 0x64400102), filter = test_filter(5);
	struct bng_session value;
	struct bng_route_key key;
	struct bng_route route;
	struct bng_filter rules;

	test_state_init(&state, 10);
	test_apply_base(&state);
	filter.filter.rules[0].prefix = inet_addr("192.0.2.0");
	filter.filter.rules[0].prefix_length = 24;
	filter.filter.rules[0].families = BNG_FAMILY_IPV4;
	assert_int_equal(test_apply(&state, &filter, &refusal), BNG_OK);
	it.session.filter_id = 5;
	it.session.rate_down =
		(struct bng_rate_object){.present = true, .bits_per_second = 8000000, .burst_bytes = 100000};
	test_add_framed(&it, "203.0.113.0", 29);
	assert_int_equal(test_apply(&state, &it, &refusal), BNG_OK);
	bng_entry_session((const void *)bng_state_get(&state, BNG_FAMILY_SESSION, 1), &value);
	assert_int_equal(
		value.flags, BNG_SESSION_FAST_DHCP | BNG_SESSION_POLICED_DOWN | BNG_SESSION_HAS_ROUTES);
	assert_int_equal(value.filter_index, 1);
	/* 8 Mbit/s: a byte takes 1,000 ns, 100,000 bytes 0.1 s. */
	assert_int_equal(value.rate_down.multiplier, 1000ULL << 24);
	assert_int_equal(value.rate_down.tolerance, 100000000ULL << 8);
	assert_int_equal(value.rate_up.multiplier, 0);
	key = bng_entry_framed_key((const void *)bng_state_get(&state, BNG_FAMILY_SESSION, 1), 0);
	route = bng_entry_framed((const void *)bng_state_get(&state, BNG_FAMILY_SESSION, 1));
	assert_int_equal(key.prefix_bits, 32 + 29);
	assert_memory_equal(&key.vrf, vrf, 4);
	assert_memory_equal(&key.ipv4, prefix, 4);
	assert_int_equal(route.kind, BNG_ROUTE_SESSION);
	assert_int_equal(route.session, it.session.address);
	memset(&rules, 0xff, sizeof(rules));
	bng_entry_filter((const void *)bng_state_get(&state, BNG_FAMILY_FILTER, 5), &rules);
	assert_int_equal(rules.rule_count, 1);
	assert_int_equal(rules.permits_rest, 1);
	assert_int_equal(rules.rules[0].remote, inet_addr("192.0.2.0"));
	assert_int_equal(rules.rules[0].mask, inet_addr("255.255.255.0"));
	assert_int_equal(rules.rules[0].families, 1);
	assert_int_equal(rules.rules[0].permits, 0);
	assert_int_equal(rules.rules[0].ways, BNG_WAY_UP);
	assert_int_equal(rules.rules[0].port_first, 25);
	assert_int_equal(rules.rules[1].remote | rules.rules[1].mask | rules.rules[31].ways, 0);
	bng_state_done(&state);
}

TEST(relayed_sessions_carry_the_relays_mac)
{
	union bng_any_object it = test_session(1, 0x64400102);
	struct bng_session value;
	struct bng_line_key key;

	test_state_init(&state, 10);
	test_apply_base(&state);
	it.session.line.relay_address = inet_addr("100.64.255.254");
	memcpy(it.session.line.relay_mac, "\2\0\0\0\xff\xfe", 6);
	assert_int_equal(test_apply(&state, &it, &refusal), BNG_OK);
	bng_entry_session((const void *)bng_state_get(&state, BNG_FAMILY_SESSION, 1), &value);
	key = bng_entry_line_key((const void *)bng_state_get(&state, BNG_FAMILY_SESSION, 1));
	assert_true(value.flags & BNG_SESSION_RELAYED);
	assert_memory_equal(value.frame_mac, it.session.line.relay_mac, 6);
	assert_memory_equal(key.mac, it.session.line.mac, 6);
	assert_int_equal(key.giaddr, inet_addr("100.64.255.254"));
	bng_state_done(&state);
}

TEST(template_options_are_tlvs_in_order_with_mask_and_router_among_them)
{
	static const uint8_t expected[] = {
		1, 4, 255, 255, 0, 0, 2, 1, 9, 3, 4, 100, 64, 0, 1, 6, 2, 7, 8, 80, 0};
	union bng_any_object it = test_template(1, 1, "100.64.0.1");
	struct bng_dhcp_template value;

	it.template.option_count = 3;
	it.template.options[0] = (typeof(it.template.options[0])){.code = 2, .length = 1, .offset = 0};
	it.template.options[1] = (typeof(it.template.options[0])){.code = 6, .length = 2, .offset = 1};
	it.template.options[2] = (typeof(it.template.options[0])){.code = 80, .length = 0, .offset = 3};
	memcpy(it.template.data, "\x09\x07\x08", 3);
	bng_entry_template(&it.template, inet_addr("100.64.0.9"), 42, &value);
	assert_int_equal(value.option_count, 5);
	assert_int_equal(value.option_bytes, sizeof(expected));
	assert_memory_equal(value.bytes, expected, sizeof(expected));
	assert_int_equal(value.slot_of_code[1], 1);
	assert_int_equal(value.slot_of_code[3], 3);
	assert_int_equal(value.slot_of_code[80], 5);
	assert_int_equal(value.slot_of_code[4], 0);
	assert_int_equal(value.options[3].offset, 15);
	assert_int_equal(value.version, 42);
	assert_int_equal(value.netmask, inet_addr("255.255.0.0"));
}

TEST(a_full_template_fits)
{
	union bng_any_object it = test_template(1, 1, "100.64.0.1");
	struct bng_dhcp_template value;
	uint16_t i;

	it.template.option_count = BNG_TEMPLATE_OPTIONS_MAX;
	for (i = 0; i < BNG_TEMPLATE_OPTIONS_MAX; i++)
		it.template.options[i] = (typeof(it.template.options[0])){.code = 100U + i,
			.length = i ? 8 : 255,
			.offset = i ? (uint16_t)(255 + 8 * (i - 1)) : 0};
	bng_entry_template(&it.template, 1, 1, &value);
	assert_int_equal(value.option_count, BNG_MAX_TEMPLATE_OPTIONS);
	assert_true(value.option_bytes <= BNG_TEMPLATE_BYTES);
}

TEST(guard_rates_fall_back_to_the_agents_own)
{
	struct bng_guard_object guard = {0};
	struct bng_guard_rate rate;

	bng_entry_guard_rate(NULL, BNG_PUNT_DHCPV4, &rate);
	assert_int_equal(rate.line_pps, 20);
	guard.present[BNG_PUNT_DHCPV4] = true;
	bng_entry_guard_rate(&guard, BNG_PUNT_DHCPV4, &rate);
	assert_int_equal(rate.line_pps, 0);
	bng_entry_guard_rate(&guard, BNG_PUNT_ARP, &rate);
	assert_int_equal(rate.line_pps, 10);
}

TEST(route_keys_count_the_vrfs_bits_and_put_it_in_network_order)
{
	union bng_any_object it = test_route(1, "10.0.0.0", 8, 0);
	struct bng_route_key key;

	it.route.vrf = 5;
	key = bng_entry_route_key(&it.route);
	assert_int_equal(key.prefix_bits, 40);
	assert_memory_equal(&key.vrf, "\0\0\0\5", 4);
	assert_memory_equal(&key.ipv4, "\x0a\0\0\0", 4);
}

TEST(the_ipv6_of_a_session_is_in_its_entries)
{
	static const uint8_t prefix[16] = {0x20, 1, 0x0d, 0xb8, 0, 1, 0x20},
			     mask[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf0};
	union bng_any_object port = test_port(1, "access0", BNG_ROLE_ACCESS, 1),
			     it = test_session(1, 0x64400102);
	const struct bng_session_object *session;
	struct bng_session value;
	struct bng_session6 value6;
	struct bng_route6_key key;
	struct bng_route6 route;
	uint32_t i;

	test_state_init(&state, 10);
	test_apply_base(&state);
	test_enable_ipv6(&port);
	port.head.generation = 2;
	assert_int_equal(test_apply(&state, &port, &refusal), BNG_OK);
	test_add_ipv6(&it, "2001:db8:1:2000::", 52);
	test_add_ipv6(&it, "2001:db8:2::2", 128);
	it.session.ipv6.activity_renews = true;
	assert_int_equal(test_apply(&state, &it, &refusal), BNG_OK);
	session = (const void *)bng_state_get(&state, BNG_FAMILY_SESSION, 1);
	bng_entry_session(session, &value);
	assert_int_equal(value.flags, BNG_SESSION_FAST_DHCP | BNG_SESSION_IPV6);
	memset(&value6, 0xff, sizeof(value6));
	bng_entry_session6(session, &value6);
	assert_int_equal(value6.session_id, 1);
	assert_true(value6.valid_ns == 3600000000000ULL);
	assert_int_equal(value6.flags, BNG_SESSION6_ACTIVITY_RENEWS);
	assert_int_equal(value6.prefix_count, 2);
	assert_memory_equal(&value6.prefixes[0].address, prefix, 16);
	assert_memory_equal(&value6.prefixes[0].mask, mask, 16);
	assert_true(value6.prefixes[1].mask.high == ~0ULL && value6.prefixes[1].mask.low == ~0ULL);
	assert_true(value6.prefixes[2].mask.high == 0);
	key = bng_entry_prefix6_key(session, 0);
	bng_entry_prefix6(session, 0, &route);
	assert_int_equal(key.prefix_bits, 32 + 52);
	assert_memory_equal(&key.ipv6, prefix, 16);
	assert_int_equal(route.kind, BNG_ROUTE_SESSION);
	assert_int_equal(route.length, 52);
	assert_int_equal(route.line.port, 1);
	assert_memory_equal(route.line.mac, it.session.line.mac, 6);
	/* Five prefixes: four beside the session, all of them as routes. */
	it.head.generation = 2;
	for (i = 3; i <= 5; i++)
		test_add_ipv6(&it, i == 3 ? "2001:db8:3::" : i == 4 ? "2001:db8:4::" : "2001:db8:5::", 64);
	test_add_services6(&it);
	assert_int_equal(test_apply(&state, &it, &refusal), BNG_OK);
	bng_entry_session6((const void *)bng_state_get(&state, BNG_FAMILY_SESSION, 1), &value6);
	assert_int_equal(value6.prefix_count, BNG_INLINE_PREFIXES);
	assert_int_equal(value6.flags, BNG_SESSION6_ACTIVITY_RENEWS | BNG_SESSION6_MORE_PREFIXES |
					       BNG_SESSION6_ADVERTISES | BNG_SESSION6_DHCP);
	bng_state_done(&state);
}

TEST(what_the_node_says_by_itself_lies_ready_with_its_sum)
{
	static const uint8_t iaid[4] = {0, 0, 0, 7};
	union bng_any_object it = test_session(1, 0x64400102);
	struct bng_advertisement advertisement;
	struct bng_dhcp6_reply reply;
	uint32_t words[2] = {0};

	test_add_ipv6(&it, "2001:db8:1::", 56);
	test_add_services6(&it);
	memset(it.session.ipv6.bytes + 8, 0xff, 8);
	bng_entry_advertisement(&it.session, &advertisement);
	assert_int_equal(advertisement.length, 16);
	assert_memory_equal(advertisement.bytes, it.session.ipv6.bytes, 16);
	assert_int_equal(advertisement.bytes[16] | advertisement.bytes[511], 0);
	/* Twice all ones is nothing to a sum with the carry around its end. */
	memcpy(words, it.session.ipv6.bytes, 8);
	assert_true((uint64_t)advertisement.sum % UINT32_MAX == ((uint64_t)words[0] + words[1]) % UINT32_MAX);
	bng_entry_dhcp6_reply(&it.session, &reply);
	assert_int_equal(reply.client_id_hash, 1);
	assert_int_equal(reply.server_id_hash, 2);
	assert_int_equal(reply.association_count, 1);
	assert_int_equal(reply.associations[0].kind, BNG_IA_PD);
	assert_int_equal(reply.associations[0].length, 56);
	assert_memory_equal(&reply.associations[0].iaid, iaid, 4);
	assert_int_equal(reply.reply_length, 5);
	assert_memory_equal(reply.reply, "\0\x07\0\1\xff\0", 6);
	memcpy(words, reply.reply, 8);
	assert_true(reply.sum == words[0] + words[1]);
}

TEST(a_port_says_what_ipv6_it_serves)
{
	union bng_any_object it = test_port(1, "access0", BNG_ROLE_ACCESS, 1),
			     hop = test_gateway6(1, "fe80::2"), filter = test_filter(5);
	struct bng_filter rules;
	struct bng_next_hop next_hop;
	struct bng_port value;

	bng_entry_port(&it.port, &value);
	assert_int_equal(value.flags & BNG_PORT_IPV6, 0);
	test_enable_ipv6(&it);
	it.port.refused_count = 3;
	it.port.refused[0] = 0;
	it.port.refused[1] = 43;
	it.port.refused[2] = 255;
	bng_entry_port(&it.port, &value);
	assert_true(value.flags & BNG_PORT_IPV6);
	assert_memory_equal(&value.link_local, &it.port.link_local, 16);
	assert_true(
		value.refused_headers[0] == (1ULL | 1ULL << 43) && value.refused_headers[3] == 1ULL << 63);
	bng_entry_next_hop(&hop.next_hop, 2, &next_hop);
	assert_int_equal(next_hop.ipv4, 0);
	assert_memory_equal(&next_hop.ipv6, &hop.next_hop.ipv6, 16);
	filter.filter.rules[0].families = BNG_FAMILY_IPV6;
	filter.filter.rules[0].prefix6 = test_ip6("2001:db8::");
	filter.filter.rules[0].prefix_length = 32;
	bng_entry_filter(&filter.filter, &rules);
	assert_int_equal(rules.rules[0].families, 2);
	assert_int_equal(rules.rules[0].mask, 0);
	assert_true(
		rules.rules[0].mask6.low == 0 && rules.rules[0].mask6.high == htobe64(0xffffffff00000000));
}
