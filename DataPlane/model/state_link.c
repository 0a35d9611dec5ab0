// SPDX-License-Identifier: Apache-2.0
// Enters objects into the state's tables and takes them out: identities, uniqueness, reference counts,
// digests.
#include "state_internal.h"

#include <arpa/inet.h>
#include <string.h>

struct bng_line_identity bng_line_identity_of(const struct bng_line *line)
{
	struct bng_line_identity identity = {
		.access_domain_id = line->access_domain_id,
		.s_vlan = (uint16_t)line->s_vlan,
		.c_vlan = (uint16_t)line->c_vlan,
		.relay_address = line->relay_address,
		.pppoe_id = (uint16_t)line->pppoe_id,
	};

	memcpy(identity.mac, line->mac, sizeof(identity.mac));
	return identity;
}

struct bng_address_key bng_session_address_key(const struct bng_session_object *session)
{
	return (struct bng_address_key){.vrf = bng_session_vrf(session), .ipv4 = session->address};
}

struct bng_route_key bng_route_key_of(const struct bng_route_object *route)
{
	return (struct bng_route_key){
		.prefix_bits = 32 + route->prefix_length,
		.vrf = htonl(route->vrf),
		.ipv4 = route->prefix,
	};
}

struct bng_route_key bng_framed_key_of(const struct bng_session_object *session, uint32_t i)
{
	return (struct bng_route_key){
		.prefix_bits = 32 + session->framed[i].length,
		.vrf = htonl(bng_session_vrf(session)),
		.ipv4 = session->framed[i].prefix,
	};
}

struct bng_route6_key bng_route6_key_of(const struct bng_route_object *route)
{
	return (struct bng_route6_key){
		.prefix_bits = 32 + route->prefix_length,
		.vrf = htonl(route->vrf),
		.ipv6 = route->prefix6,
	};
}

struct bng_route6_key bng_prefix6_key_of(const struct bng_session_object *session, uint32_t i)
{
	return (struct bng_route6_key){
		.prefix_bits = 32 + session->ipv6.prefixes[i].length,
		.vrf = htonl(bng_session_vrf(session)),
		.ipv6 = session->ipv6.prefixes[i].address,
	};
}

struct bng_address6_key bng_own6_key_of(const struct bng_identity_object *identity)
{
	return (struct bng_address6_key){.vrf = identity->vrf, .ipv6 = identity->ipv6};
}

bool bng_own_address_of(
	const struct bng_object *object, struct bng_address_key *ret_key, uint64_t *ret_weight)
{
	if (object && object->family == BNG_FAMILY_SERVER_IDENTITY) {
		const struct bng_identity_object *identity = (const void *)object;

		*ret_key = (struct bng_address_key){.vrf = identity->vrf, .ipv4 = identity->address};
		*ret_weight = BNG_OWN_ONE_SERVER;
		return true;
	}
	if (object && object->family == BNG_FAMILY_POOL_TEMPLATE) {
		const struct bng_template_object *template = (const void *)object;

		*ret_key = (struct bng_address_key){.vrf = template->vrf, .ipv4 = template->gateway};
		*ret_weight = BNG_OWN_ONE_GATEWAY;
		return true;
	}
	return false;
}

int bng_state_make_room(struct bng_state *state)
{
	struct bng_hash_table *tables[] = {
		&state->lines, &state->addresses, &state->own, &state->own6, &state->services};
	int family, err = bng_hash_table_reserve(&state->prefixes, BNG_FRAMED_ROUTES_MAX);
	size_t i;

	if (!err)
		err = bng_hash_table_reserve(&state->prefixes6, BNG_SESSION_PREFIXES_MAX);
	if (!err)
		err = bng_state_nat_make_room(state);
	if (err)
		return err;

	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		err = bng_hash_table_reserve(tables[i], 1);
		if (err)
			return err;
	}
	for (family = 1; family < BNG_FAMILIES; family++) {
		err = bng_hash_table_reserve(&state->by_id[family], 1);
		if (err)
			return err;
	}
	return 0;
}

static void count_own(struct bng_state *state, const struct bng_object *object, bool add)
{
	struct bng_address_key key;
	uint64_t weight, counts = 0;

	if (!bng_own_address_of(object, &key, &weight))
		return;
	(void)bng_hash_table_get(&state->own, &key, &counts);
	counts = add ? counts + weight : counts - weight;
	if (counts)
		(void)bng_hash_table_put(&state->own, &key, counts);
	else
		(void)bng_hash_table_remove(&state->own, &key);
}

static void count_references(struct bng_object *object, int by)
{
	struct bng_template_object *template = (void *)object;
	struct bng_route_object *route = (void *)object;
	struct bng_session_object *session = (void *)object;

	switch (object->family) {
	case BNG_FAMILY_POOL_TEMPLATE:
		template->identity->head.references += (uint32_t)by;
		break;
	case BNG_FAMILY_ROUTE:
		if (!route->next_hop)
			break;
		route->next_hop->head.references += (uint32_t)by;
		if (route->vrf)
			route->next_hop->references_outside_default += (uint32_t)by;
		if (route->is_ipv6)
			route->next_hop->references_ipv6 += (uint32_t)by;
		break;
	case BNG_FAMILY_SESSION:
		session->port->head.references += (uint32_t)by;
		if (session->has_ipv6)
			session->port->ipv6_sessions += (uint32_t)by;
		if (session->template)
			session->template->head.references += (uint32_t)by;
		if (session->filter)
			session->filter->head.references += (uint32_t)by;
		if (session->nat.policy)
			session->nat.policy->head.references += (uint32_t)by;
		break;
	default:
		break;
	}
}

static void link_session(struct bng_state *state, struct bng_session_object *session)
{
	struct bng_line_identity line = bng_line_identity_of(&session->line);
	struct bng_address_key address = bng_session_address_key(session);
	struct bng_route6_key route6;
	struct bng_route_key route;
	uint32_t i;

	(void)bng_hash_table_put(&state->lines, &line, (uintptr_t)session);
	if (session->has_ipv4)
		(void)bng_hash_table_put(&state->addresses, &address, (uintptr_t)session);
	for (i = 0; i < session->framed_count; i++) {
		route = bng_framed_key_of(session, i);
		(void)bng_hash_table_put(&state->prefixes, &route, (uintptr_t)session);
	}
	for (i = 0; i < bng_prefix6_count(session); i++) {
		route6 = bng_prefix6_key_of(session, i);
		(void)bng_hash_table_put(&state->prefixes6, &route6, (uintptr_t)session);
	}
	bng_state_nat_link(state, session);
	state->by_slot[session->head.index] = session;
}

static void unlink_session(struct bng_state *state, struct bng_session_object *session)
{
	struct bng_line_identity line = bng_line_identity_of(&session->line);
	struct bng_address_key address = bng_session_address_key(session);
	struct bng_route6_key route6;
	struct bng_route_key route;
	uint32_t i;

	(void)bng_hash_table_remove(&state->lines, &line);
	if (session->has_ipv4)
		(void)bng_hash_table_remove(&state->addresses, &address);
	for (i = 0; i < session->framed_count; i++) {
		route = bng_framed_key_of(session, i);
		(void)bng_hash_table_remove(&state->prefixes, &route);
	}
	for (i = 0; i < bng_prefix6_count(session); i++) {
		route6 = bng_prefix6_key_of(session, i);
		(void)bng_hash_table_remove(&state->prefixes6, &route6);
	}
	bng_state_nat_unlink(state, session);
	state->by_slot[session->head.index] = NULL;
}

static void link_route(struct bng_state *state, struct bng_route_object *route)
{
	struct bng_route_key key = bng_route_key_of(route);
	struct bng_route6_key key6 = bng_route6_key_of(route);

	if (route->is_ipv6)
		(void)bng_hash_table_put(&state->prefixes6, &key6, (uintptr_t)route);
	else
		(void)bng_hash_table_put(&state->prefixes, &key, (uintptr_t)route);
}

static void unlink_route(struct bng_state *state, const struct bng_route_object *route)
{
	struct bng_route_key key = bng_route_key_of(route);
	struct bng_route6_key key6 = bng_route6_key_of(route);

	if (route->is_ipv6)
		(void)bng_hash_table_remove(&state->prefixes6, &key6);
	else
		(void)bng_hash_table_remove(&state->prefixes, &key);
}

void bng_state_link(struct bng_state *state, struct bng_object *object)
{
	struct bng_port_object *port = (void *)object;
	struct bng_pppoe_service_object *service = (void *)object;
	struct bng_identity_object *identity = (void *)object;
	struct bng_address6_key own;

	(void)bng_hash_table_put(&state->by_id[object->family], &object->id, (uintptr_t)object);
	bng_digest_sum_add(&state->digests[object->family], object->digest);
	count_references(object, 1);
	count_own(state, object, true);
	if (object->family == BNG_FAMILY_SESSION)
		link_session(state, (void *)object);
	if (object->family == BNG_FAMILY_ROUTE)
		link_route(state, (void *)object);
	if (object->family == BNG_FAMILY_SERVER_IDENTITY && identity->has_ipv6) {
		own = bng_own6_key_of(identity);
		(void)bng_hash_table_put(&state->own6, &own, (uintptr_t)object);
	}
	if (object->family == BNG_FAMILY_PPPOE_SERVICE)
		(void)bng_hash_table_put(&state->services, &service->access_domain_id, (uintptr_t)service);
	if (object->family == BNG_FAMILY_PORT) {
		state->ports[object->index].object = port;
		state->relay_count += port->relay_count;
	}
}

void bng_state_unlink(struct bng_state *state, struct bng_object *object)
{
	struct bng_port_object *port = (void *)object;
	struct bng_pppoe_service_object *service = (void *)object;
	struct bng_identity_object *identity = (void *)object;
	struct bng_address6_key own;

	(void)bng_hash_table_remove(&state->by_id[object->family], &object->id);
	bng_digest_sum_remove(&state->digests[object->family], object->digest);
	count_references(object, -1);
	count_own(state, object, false);
	if (object->family == BNG_FAMILY_SESSION)
		unlink_session(state, (void *)object);
	if (object->family == BNG_FAMILY_ROUTE)
		unlink_route(state, (void *)object);
	if (object->family == BNG_FAMILY_SERVER_IDENTITY && identity->has_ipv6) {
		own = bng_own6_key_of(identity);
		(void)bng_hash_table_remove(&state->own6, &own);
	}
	if (object->family == BNG_FAMILY_PPPOE_SERVICE)
		(void)bng_hash_table_remove(&state->services, &service->access_domain_id);
	if (object->family == BNG_FAMILY_PORT) {
		state->ports[object->index].object = NULL;
		state->relay_count -= port->relay_count;
	}
}
