// SPDX-License-Identifier: Apache-2.0
// Digests are made up from (id, generation): the model never looks into them.
#include "objects.h"

#include "test.h"

void test_state_init(struct bng_state *state, uint32_t max_sessions)
{
	assert_int_equal(bng_state_init(state, max_sessions, test_seed), 0);
	assert_int_equal(bng_state_add_port(state, "access0", BNG_ROLE_ACCESS), 0);
	assert_int_equal(bng_state_add_port(state, "core0", BNG_ROLE_CORE), 0);
	assert_int_equal(bng_state_add_port(state, "access1", BNG_ROLE_ACCESS), 0);
}

static union bng_any_object object(enum bng_family family, uint64_t id)
{
	union bng_any_object it;

	memset(&it, 0, sizeof(it));
	it.head.family = family;
	it.head.id = id;
	it.head.generation = 1;
	it.head.digest[0] = (uint8_t)family;
	memcpy(it.head.digest + 8, &id, sizeof(id));
	return it;
}

union bng_any_object test_port(uint64_t id, const char *name, uint32_t role, uint32_t access_domain_id)
{
	union bng_any_object it = object(BNG_FAMILY_PORT, id);

	strcpy(it.port.name, name);
	it.port.role = role;
	it.port.access_domain_id = access_domain_id;
	it.port.relay_trust = role == BNG_ROLE_ACCESS ? BNG_TRUST_NONE : 0;
	return it;
}

union bng_any_object test_identity(uint64_t id, const char *address)
{
	union bng_any_object it = object(BNG_FAMILY_SERVER_IDENTITY, id);

	it.identity.address = inet_addr(address);
	return it;
}

union bng_any_object test_template(uint64_t id, uint64_t identity_id, const char *gateway)
{
	union bng_any_object it = object(BNG_FAMILY_POOL_TEMPLATE, id);

	it.template.identity_id = identity_id;
	it.template.gateway = inet_addr(gateway);
	it.template.prefix_length = 16;
	it.template.lease_seconds = 3600;
	it.template.renewal_seconds = 1800;
	it.template.rebinding_seconds = 3150;
	return it;
}

union bng_any_object test_kernel_hop(uint64_t id)
{
	union bng_any_object it = object(BNG_FAMILY_NEXT_HOP, id);

	it.next_hop.kind = BNG_NEXT_HOP_KERNEL;
	return it;
}

union bng_any_object test_route(uint64_t id, const char *prefix, uint32_t length, uint64_t next_hop_id)
{
	union bng_any_object it = object(BNG_FAMILY_ROUTE, id);

	it.route.prefix = inet_addr(prefix);
	it.route.prefix_length = length;
	it.route.kind = next_hop_id ? BNG_ROUTE_NEXT_HOP : BNG_ROUTE_SUBSCRIBERS;
	it.route.next_hop_id = next_hop_id;
	return it;
}

union bng_any_object test_session(uint64_t id, uint32_t address)
{
	union bng_any_object it = object(BNG_FAMILY_SESSION, id);

	it.session.has_line = true;
	it.session.line.access_domain_id = 1;
	it.session.line.mac[0] = 2;
	memcpy(it.session.line.mac + 1, (uint8_t *)&id, 5);
	it.session.anti_spoof = BNG_ANTI_SPOOF_STRICT;
	it.session.has_ipv4 = true;
	it.session.address = htonl(address);
	it.session.template_id = 1;
	it.session.dhcp_fast_path = true;
	return it;
}

union bng_any_object test_pppoe_session(uint64_t id, uint32_t address, uint32_t pppoe_id)
{
	union bng_any_object it = test_session(id, address);

	memcpy(it.session.line.mac, "\x02\0\0\0\0\x77", 6);
	it.session.line.pppoe_id = pppoe_id;
	it.session.dhcp_fast_path = false;
	it.session.has_pppoe = true;
	it.session.ppp = (struct bng_ppp_object){.mtu_bytes = 1492, .local_magic = 1};
	return it;
}

static struct bng_pppoe_name name_of(const char *text)
{
	struct bng_pppoe_name name = {.length = (uint32_t)strlen(text)};

	memcpy(name.bytes, text, name.length);
	return name;
}

union bng_any_object test_pppoe_service(uint64_t id, uint32_t access_domain_id)
{
	union bng_any_object it = object(BNG_FAMILY_PPPOE_SERVICE, id);

	it.pppoe_service.access_domain_id = access_domain_id;
	it.pppoe_service.ac_name = name_of("edge");
	it.pppoe_service.name_count = 2;
	it.pppoe_service.names[0] = name_of("internet");
	it.pppoe_service.names[1] = name_of("voip");
	memcpy(it.pppoe_service.cookie_key, "0123456789abcdef", BNG_COOKIE_KEY_SIZE);
	return it;
}

union bng_any_object test_filter(uint64_t id)
{
	union bng_any_object it = object(BNG_FAMILY_FILTER, id);

	it.filter.default_action = BNG_ACTION_PERMIT;
	it.filter.rule_count = 1;
	it.filter.rules[0] = (struct bng_filter_object_rule){
		.action = BNG_ACTION_DENY,
		.direction = BNG_WAY_UP,
		.families = BNG_FAMILY_BOTH,
		.protocol = 6,
		.port_first = 25,
		.port_last = 25,
	};
	return it;
}

void test_add_framed(union bng_any_object *session, const char *prefix, uint32_t length)
{
	session->session.framed[session->session.framed_count++] =
		(struct bng_framed_route){.prefix = inet_addr(prefix), .length = length};
}

union bng_any_object test_nat_policy(uint64_t id)
{
	union bng_any_object it = object(BNG_FAMILY_NAT_POLICY, id);

	it.nat_policy.filtering = BNG_FILTERING_ENDPOINT_INDEPENDENT;
	it.nat_policy.tcp_established_seconds = 7440;
	it.nat_policy.tcp_transitory_seconds = 240;
	it.nat_policy.udp_seconds = 300;
	it.nat_policy.icmp_seconds = 60;
	it.nat_policy.flows_per_session = 1000;
	return it;
}

void test_add_nat(union bng_any_object *session, const char *address, uint32_t first_port, uint32_t ports)
{
	struct bng_nat_object *nat = &session->session.nat;

	session->session.has_nat = true;
	nat->policy_id = 1;
	nat->address = inet_addr(address);
	nat->block_ports = ports;
	nat->first_ports[nat->block_count++] = first_port;
}

void test_add_nat_forward(
	union bng_any_object *session, uint32_t protocol, uint32_t outside_port, uint32_t inside_port)
{
	struct bng_nat_object *nat = &session->session.nat;

	nat->forwards[nat->forward_count++] = (struct bng_nat_forward){.inside = session->session.address,
		.outside_port = outside_port,
		.inside_port = inside_port,
		.protocol = protocol};
}

struct bng_ip6 test_ip6(const char *text)
{
	struct bng_ip6 address;

	assert_int_equal(inet_pton(AF_INET6, text, &address), 1);
	return address;
}

void test_enable_ipv6(union bng_any_object *port)
{
	port->port.has_link_local = true;
	port->port.link_local = test_ip6("fe80::1");
}

void test_add_ipv6(union bng_any_object *session, const char *prefix, uint32_t length)
{
	struct bng_ipv6_object *ipv6 = &session->session.ipv6;

	session->session.has_ipv6 = true;
	ipv6->valid_seconds = 3600;
	ipv6->prefixes[ipv6->prefix_count++] =
		(struct bng_prefix6_object){.address = test_ip6(prefix), .length = length};
}

void test_add_services6(union bng_any_object *session)
{
	struct bng_ipv6_object *ipv6 = &session->session.ipv6;

	ipv6->advertisement_length = 16;
	memcpy(ipv6->bytes, "\x86\0\0\0\x40\0\x07\x08\0\0\0\0\0\0\0\0", 16);
	ipv6->has_dhcp = true;
	ipv6->client_id_hash = 1;
	ipv6->server_id_hash = 2;
	ipv6->association_count = 1;
	ipv6->associations[0] =
		(struct bng_association_object){.kind = BNG_IA_PD, .iaid = 7, .resource = ipv6->prefixes[0]};
	ipv6->reply_length = 5;
	memcpy(ipv6->bytes + 16, "\0\x07\0\1\xff", 5);
}

union bng_any_object test_route6(uint64_t id, const char *prefix, uint32_t length, uint64_t next_hop_id)
{
	union bng_any_object it = test_route(id, "0.0.0.0", length, next_hop_id);

	it.route.is_ipv6 = true;
	it.route.prefix6 = test_ip6(prefix);
	return it;
}

union bng_any_object test_gateway6(uint64_t id, const char *address)
{
	union bng_any_object it = test_kernel_hop(id);

	it.next_hop.kind = BNG_NEXT_HOP_GATEWAY;
	strcpy(it.next_hop.port, "core0");
	it.next_hop.has_ipv6 = true;
	it.next_hop.ipv6 = test_ip6(address);
	return it;
}

enum bng_code test_apply(
	struct bng_state *state, const union bng_any_object *next, struct bng_refusal *refusal)
{
	const struct bng_refusal good = {.code = BNG_OK};
	struct bng_change change;
	int err;

	*refusal = good;
	err = bng_state_prepare(state, next, &good, &change, refusal);
	assert_true(!err == (refusal->code == BNG_OK));
	if (!err)
		bng_state_commit(state, &change);
	return refusal->code;
}

enum bng_code test_remove(struct bng_state *state, enum bng_family family, uint64_t id, uint64_t generation)
{
	struct bng_refusal refusal = {.code = BNG_OK};
	struct bng_change change;

	if (!bng_state_prepare_removal(state, family, id, generation, &change, &refusal))
		bng_state_commit(state, &change);
	return refusal.code;
}

void test_apply_base(struct bng_state *state)
{
	union bng_any_object all[] = {
		test_port(1, "access0", BNG_ROLE_ACCESS, 1),
		test_identity(1, "100.64.0.1"),
		test_template(1, 1, "100.64.0.1"),
		test_kernel_hop(1),
		test_route(1, "0.0.0.0", 0, 1),
	};
	struct bng_refusal refusal;
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_int_equal(test_apply(state, &all[i], &refusal), BNG_OK);
}
