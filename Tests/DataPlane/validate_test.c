// SPDX-License-Identifier: Apache-2.0
// Ranges of single objects, as a table: one change to a good object, the path that must be named.
#include "test.h"

#include "objects.h"
#include "validate.h"

static struct bng_refusal refusal;

#define accepted(object)                                                                                     \
	do {                                                                                                 \
		refusal.code = BNG_OK;                                                                       \
		assert_int_equal(bng_validate(&(object), &refusal), 0);                                      \
	} while (0)
#define refused(object, where)                                                                               \
	do {                                                                                                 \
		assert_true(bng_validate(&(object), &refusal) < 0);                                          \
		assert_int_equal(refusal.code, BNG_INVALID);                                                 \
		assert_string_equal(refusal.path, where);                                                    \
	} while (0)

/* Each case starts from the good object again. */
#define with(object, change, where)                                                                          \
	do {                                                                                                 \
		union bng_any_object it = object;                                                            \
		accepted(it);                                                                                \
		change;                                                                                      \
		refused(it, where);                                                                          \
	} while (0)

TEST(ports_are_checked)
{
	union bng_any_object good = test_port(1, "access0", BNG_ROLE_ACCESS, 1);

	with(good, it.port.role = 0, "11.2");
	with(good, it.port.relay_trust = 0, "11.5");
	with(good, it.port.mtu_bytes = 575, "11.7");
	with(good, it.port.mtu_bytes = 65536, "11.7");
	with(good, (it.port.relay_count = 1, it.port.relays[0] = inet_addr("10.0.0.1")), "11.6");
	good.port.relay_trust = BNG_TRUST_RELAYS;
	with(good, (it.port.relay_count = 1, it.port.relays[0] = inet_addr("224.0.0.1")), "11.6");
	with(good, (it.port.relay_count = 2, it.port.relays[0] = it.port.relays[1] = inet_addr("10.0.0.1")),
		"11.6");
	good = test_port(1, "core0", BNG_ROLE_CORE, 0);
	with(good, it.port.relay_trust = BNG_TRUST_NONE, "11.5");
	with(good, it.port.access_domain_id = 1, "11.3");
}

TEST(templates_are_checked)
{
	union bng_any_object good = test_template(1, 1, "100.64.0.1");
	static const uint8_t wrong[] = {0, 1, 3, 50, 53, 61, 82, 255};
	size_t i;

	with(good, it.template.gateway = 0, "13.3");
	with(good, it.template.prefix_length = 0, "13.4");
	with(good, it.template.prefix_length = 33, "13.4");
	with(good, it.template.lease_seconds = 59, "13.5");
	with(good, it.template.renewal_seconds = 0, "13.6");
	with(good, it.template.renewal_seconds = 3150, "13.6");
	with(good, it.template.rebinding_seconds = 3600, "13.7");
	for (i = 0; i < sizeof(wrong); i++)
		with(good, (it.template.option_count = 1, it.template.options[0].code = wrong[i]), "13.8.1");
	with(good,
		(it.template.option_count = 2, it.template.options[0].code = 6,
			it.template.options[1].code = 6),
		"13.8.1");
}

TEST(next_hops_and_routes_are_checked)
{
	union bng_any_object hop = test_kernel_hop(1), route = test_route(1, "10.0.0.0", 8, 1);

	with(hop, it.next_hop.kind = 0, "14.1");
	with(hop, it.next_hop.address = 1, "14.3");
	with(hop, strcpy(it.next_hop.port, "core0"), "14.2");
	with(hop, it.next_hop.kind = BNG_NEXT_HOP_GATEWAY, "14.2");
	with(route, it.route.prefix = inet_addr("10.0.0.1"), "15.2");
	with(route, it.route.prefix_length = 33, "15.3");
	with(route, it.route.kind = 0, "15.4");
	with(route, it.route.next_hop_id = 0, "15.5");
	with(route, it.route.kind = BNG_ROUTE_BLACKHOLE, "15.5");
	with(route, (it.route.kind = BNG_ROUTE_OBJECT_UNTRANSLATED, it.route.next_hop_id = 0), "15.5");
	with(route,
		(it.route.kind = BNG_ROUTE_OBJECT_UNTRANSLATED, it.route.is_ipv6 = true, it.route.prefix = 0),
		"15.4");
	with(route, it.route.kind = BNG_ROUTE_OBJECT_UNTRANSLATED + 1, "15.4");
	route.route.kind = BNG_ROUTE_OBJECT_UNTRANSLATED;
	accepted(route);
	route = test_route(1, "0.0.0.0", 0, 1);
	accepted(route);
	with(route, it.route.prefix = inet_addr("128.0.0.0"), "15.2");
	route = test_route(1, "10.0.0.1", 32, 1);
	accepted(route);
}

TEST(lines_are_checked)
{
	union bng_any_object good = test_session(1, 0x64400101);

	with(good, it.session.has_line = false, "17.1");
	with(good, it.session.line.access_domain_id = 0, "17.1.1");
	with(good, it.session.line.s_vlan = 4095, "17.1.2");
	with(good, it.session.line.c_vlan = 5, "17.1.3");
	with(good, it.session.line.s_vlan = 5, "17.1.4");
	with(good, it.session.line.s_tpid = 0x8100, "17.1.4");
	with(good, (it.session.line.s_vlan = 5, it.session.line.s_tpid = 0x9100), "17.1.4");
	with(good, it.session.line.c_tpid = 0x8100, "17.1.5");
	with(good, it.session.line.mac[0] = 3, "17.1.6");
	with(good, memset(it.session.line.mac, 0, 6), "17.1.6");
	with(good, it.session.line.relay_address = inet_addr("127.0.0.1"), "17.1.7");
	with(good, it.session.line.relay_address = inet_addr("10.0.0.1"), "17.1.8");
	with(good, it.session.line.relay_mac[5] = 1, "17.1.8");
	with(good, it.session.anti_spoof = 0, "17.3");
	with(good, it.session.address = 0, "17.4.1");
	with(good, it.session.template_id = 0, "17.4.2");
	good.session.line.s_vlan = 4094;
	good.session.line.s_tpid = 0x88a8;
	good.session.line.c_vlan = 4094;
	good.session.line.c_tpid = 0x8100;
	with(good, it.session.line.c_tpid = 0x88a8, "17.1.5");
}

TEST(rates_and_framed_routes_are_checked)
{
	union bng_any_object good = test_session(1, 0x64400101);
	uint32_t i;

	good.session.rate_up = good.session.rate_down =
		(struct bng_rate_object){.present = true, .bits_per_second = 64000, .burst_bytes = 1600};
	with(good, it.session.rate_up.bits_per_second = 63999, "17.6.1");
	with(good, it.session.rate_up.burst_bytes = 1599, "17.6.2");
	with(good, it.session.rate_down.bits_per_second = 100000000001, "17.7.1");
	with(good, it.session.rate_down.burst_bytes = 0, "17.7.2");
	good.session.rate_up = (struct bng_rate_object){0};
	good.session.rate_down.bits_per_second = 100000000000;
	accepted(good);
	with(good, test_add_framed(&it, "203.0.113.0", 0), "17.4.7.2");
	with(good, test_add_framed(&it, "203.0.113.0", 33), "17.4.7.2");
	with(good, test_add_framed(&it, "203.0.113.1", 24), "17.4.7.1");
	with(good, test_add_framed(&it, "0.0.0.0", 8), "17.4.7.1");
	with(good, test_add_framed(&it, "64.0.0.0", 2), "17.4.7.1");
	with(good, test_add_framed(&it, "224.0.0.0", 24), "17.4.7.1");
	for (i = 0; i < BNG_FRAMED_ROUTES_MAX; i++)
		test_add_framed(&good, "203.0.113.0", 24 + i % 9);
	good.session.framed_count = 9;
	accepted(good);
	with(good, it.session.framed_count = 10, "17.4.7.1");
}

TEST(filters_are_checked)
{
	union bng_any_object good = test_filter(1);

	accepted(good);
	with(good, it.filter.default_action = 0, "18.2");
	with(good, it.filter.rules[0].action = 0, "18.1.1");
	with(good, it.filter.rules[0].direction = 0, "18.1.2");
	good.filter.rules[0].families = BNG_FAMILY_IPV4;
	with(good, it.filter.rules[0].prefix = inet_addr("192.0.2.0"), "18.1.3");
	with(good, it.filter.rules[0].prefix_length = 33, "18.1.4");
	with(good, it.filter.rules[0].protocol = 256, "18.1.5");
	with(good, it.filter.rules[0].protocol = 1, "18.1.6");
	with(good, it.filter.rules[0].protocol = 0, "18.1.6");
	with(good, it.filter.rules[0].port_first = 0, "18.1.6");
	with(good, it.filter.rules[0].port_last = 24, "18.1.7");
	with(good, it.filter.rules[0].port_last = 65536, "18.1.7");
	good.filter.rules[0].port_last = 65535;
	good.filter.rules[0].prefix = inet_addr("192.0.2.1");
	good.filter.rules[0].prefix_length = 32;
	accepted(good);
	good.filter.rules[0] = (struct bng_filter_object_rule){.action = BNG_ACTION_PERMIT,
		.direction = BNG_WAY_BOTH,
		.families = BNG_FAMILY_IPV6,
		.prefix6 = test_ip6("2001:db8::"),
		.prefix_length = 33};
	with(good, it.filter.rules[0].prefix_length = 129, "18.1.4");
	with(good, it.filter.rules[0].prefix_length = 28, "18.1.3");
}

TEST(guard_rates_are_checked)
{
	union bng_any_object good;

	memset(&good, 0, sizeof(good));
	good.head = (struct bng_object){.family = BNG_FAMILY_GUARD_RATES, .id = 1, .generation = 1};
	with(good, it.head.id = 2, "1");
	with(good, it.guard.rates[BNG_PUNT_ARP].line_pps = 1, "16.1.3");
	with(good, it.guard.rates[BNG_PUNT_ARP].port_pps = 1, "16.1.5");
}

TEST(pppoe_sessions_are_checked)
{
	union bng_any_object good = test_pppoe_session(1, 0x64400102, 1);

	with(good, it.session.line.pppoe_id = 0, "17.10.1");
	with(good, it.session.line.pppoe_id = 65535, "17.10.1");
	with(good, it.session.ppp.mtu_bytes = 63, "17.10.2");
	with(good, it.session.ppp.mtu_bytes = 65536, "17.10.2");
	with(good, it.session.ppp.echo_interval_seconds = 3601, "17.10.4");
	with(good, it.session.ppp.echo_interval_seconds = 30, "17.10.5");
	with(good, it.session.ppp.echo_failures = 1, "17.10.5");
	with(good, (it.session.line.relay_address = inet_addr("10.0.0.1"), it.session.line.relay_mac[0] = 2),
		"17.1.7");
	with(good, it.session.dhcp_fast_path = true, "17.4.3");
	good.session.line.pppoe_id = 65534;
	good.session.ppp.echo_interval_seconds = 3600;
	good.session.ppp.echo_failures = 255;
	with(good, it.session.ppp.echo_failures = 256, "17.10.5");
	good.session.has_ipv4 = false;
	accepted(good);
}

TEST(pppoe_services_are_checked)
{
	union bng_any_object good = test_pppoe_service(1, 7);

	with(good, it.pppoe_service.access_domain_id = 0, "19.1");
	with(good, it.pppoe_service.ac_name.length = 0, "19.2");
	with(good, it.pppoe_service.names[1].length = 0, "19.3");
	with(good, it.pppoe_service.names[1] = it.pppoe_service.names[0], "19.3");
	with(good, it.pppoe_service.max_payload_bytes = 1492, "19.5");
	with(good, it.pppoe_service.max_payload_bytes = 9001, "19.5");
	with(good, it.pppoe_service.pado_delay_ms = 10001, "19.6");
	good.pppoe_service.name_count = 0;
	good.pppoe_service.max_payload_bytes = 9000;
	good.pppoe_service.pado_delay_ms = 10000;
	accepted(good);
}

TEST(ipv6_of_ports_identities_hops_and_routes_is_checked)
{
	union bng_any_object port = test_port(1, "access0", BNG_ROLE_ACCESS, 1),
			     core = test_port(1, "core0", BNG_ROLE_CORE, 0),
			     identity = test_identity(1, "100.64.0.1"), hop = test_gateway6(1, "fe80::2"),
			     route = test_route6(1, "2001:db8::", 32, 1);

	test_enable_ipv6(&port);
	port.port.refused_count = 2;
	port.port.refused[0] = 0;
	port.port.refused[1] = 255;
	with(port, it.port.link_local = test_ip6("fec0::1"), "11.8");
	with(port, it.port.refused[1] = 256, "11.9");
	with(port, it.port.refused[0] = 255, "11.9");
	with(core, test_enable_ipv6(&it), "11.8");
	with(core, it.port.refused_count = 1, "11.9");
	identity.identity.has_ipv6 = true;
	identity.identity.ipv6 = test_ip6("2001:db8::1");
	with(identity, it.identity.ipv6 = test_ip6("fe80::1"), "12.3");
	with(identity, it.identity.ipv6 = test_ip6("ff02::1"), "12.3");
	with(identity, it.identity.ipv6 = test_ip6("::1"), "12.3");
	with(hop, it.next_hop.address = inet_addr("192.0.2.1"), "14.4");
	with(hop, it.next_hop.kind = BNG_NEXT_HOP_KERNEL, "14.2");
	with(hop, (it.next_hop.kind = BNG_NEXT_HOP_KERNEL, it.next_hop.port[0] = 0), "14.4");
	with(hop, it.next_hop.ipv6 = test_ip6("ff02::2"), "14.4");
	with(hop, it.next_hop.has_ipv6 = false, "14.3");
	hop.next_hop.ipv6 = test_ip6("2001:db8::2");
	accepted(hop);
	with(route, it.route.prefix_length = 129, "15.3");
	with(route, it.route.prefix_length = 28, "15.2");
	with(route, it.route.prefix6 = test_ip6("2001:db8:8000::"), "15.2");
	route.route.prefix_length = 128;
	accepted(route);
	route = test_route6(1, "::", 0, 1);
	accepted(route);
}

TEST(ipv6_of_sessions_is_checked)
{
	union bng_any_object good = test_session(1, 0x64400101), relayed;
	struct bng_ipv6_object *ipv6 = &good.session.ipv6;
	uint32_t i;

	test_add_ipv6(&good, "2001:db8:1::", 56);
	test_add_services6(&good);
	ipv6->advertisement_interval_seconds = 4;
	with(good, it.session.ipv6.prefix_count = 0, "17.11.1");
	with(good, it.session.ipv6.prefixes[0].length = 0, "17.11.1");
	with(good, it.session.ipv6.prefixes[0].length = 129, "17.11.1");
	with(good, it.session.ipv6.prefixes[0].length = 47, "17.11.1");
	with(good, it.session.ipv6.prefixes[0].address = test_ip6("fe80::"), "17.11.1");
	with(good, it.session.ipv6.prefixes[0].address = test_ip6("::"), "17.11.1");
	/* All of fc00::/6: its last address is a group's. */
	with(good,
		(it.session.ipv6.prefixes[0].address = test_ip6("fc00::"),
			it.session.ipv6.prefixes[0].length = 6),
		"17.11.1");
	with(good, test_add_ipv6(&it, "2001:db8:1::", 56), "17.11.1");
	with(good, it.session.ipv6.valid_seconds = 59, "17.11.3");
	with(good, it.session.ipv6.advertisement_length = 15, "17.11.5");
	for (i = 0; i < 4; i++)
		with(good, it.session.ipv6.bytes[i]++, "17.11.5");
	with(good, it.session.ipv6.advertisement_interval_seconds = 3, "17.11.6");
	with(good, it.session.ipv6.advertisement_interval_seconds = 1801, "17.11.6");
	with(good, it.session.ipv6.advertisement_length = 0, "17.11.6");
	with(good, it.session.ipv6.association_count = 0, "17.11.7.3");
	with(good, it.session.ipv6.associations[0].kind = 4, "17.11.7.3");
	with(good, it.session.ipv6.associations[0].kind = BNG_IA_NA, "17.11.7.3");
	with(good, it.session.ipv6.associations[0].resource.length = 57, "17.11.7.3");
	with(good,
		(it.session.ipv6.association_count = 2,
			it.session.ipv6.associations[1] = it.session.ipv6.associations[0]),
		"17.11.7.3");
	with(good, it.session.ipv6.reply_length = 0, "17.11.7.4");
	relayed = good;
	relayed.session.line.relay_address = inet_addr("10.0.0.1");
	relayed.session.line.relay_mac[0] = 2;
	refused(relayed, "17.11.5");
	relayed.session.ipv6.advertisement_length = relayed.session.ipv6.advertisement_interval_seconds = 0;
	refused(relayed, "17.11.7");
	relayed.session.ipv6.has_dhcp = false;
	accepted(relayed);
	test_add_ipv6(&good, "2001:db8:2::9", 128);
	ipv6->associations[1] =
		(struct bng_association_object){.kind = BNG_IA_NA, .iaid = 7, .resource = ipv6->prefixes[1]};
	ipv6->association_count = 2;
	ipv6->advertisement_interval_seconds = 1800;
	accepted(good);
	good.session.has_ipv4 = good.session.dhcp_fast_path = false;
	accepted(good);
}
