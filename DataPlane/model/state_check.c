// SPDX-License-Identifier: Apache-2.0
// What an object must be in view of the others: references, uniqueness, dependents, room (docs/contract.md,
// section 7).
#include "state_internal.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

static bool is_other(const struct bng_hash_table *table, const void *key, const void *self)
{
	return bng_state_holder(table, key, self) != NULL;
}

static int check_port(const struct bng_state *state, const struct bng_port_object *held,
	struct bng_port_object *next, struct bng_refusal *refusal)
{
	uint32_t index = bng_state_port_index(state, next->name), i;
	uint32_t relays = state->relay_count - (held ? held->relay_count : 0);
	bool moves = held && (held->head.index != index || held->access_domain_id != next->access_domain_id ||
				     held->vrf != next->vrf);

	if (!index)
		return bng_refuse(
			refusal, BNG_UNKNOWN_REFERENCE, "11.1", "this agent has no port of that name");
	if (state->ports[index].role != next->role)
		return bng_refuse(
			refusal, BNG_INVALID, "11.2", "the agent is configured with the other role");
	if (state->ports[index].object && state->ports[index].object != held)
		return bng_refuse(refusal, BNG_CONFLICT, "11.1", "port is held by object %" PRIu64,
			state->ports[index].object->head.id);
	for (i = 1; i <= state->port_count; i++) {
		const struct bng_port_object *other = state->ports[i].object;

		if (other && other != held && next->access_domain_id &&
			other->access_domain_id == next->access_domain_id)
			return bng_refuse(refusal, BNG_CONFLICT, "11.3", "access domain is bound to port %s",
				other->name);
	}
	if (moves && held->head.references)
		return bng_refuse(refusal, BNG_IN_USE, "11", "%u sessions sit in its access domain",
			held->head.references);
	if (held && held->ipv6_sessions && !next->has_link_local)
		return bng_refuse(refusal, BNG_IN_USE, "11.8",
			"%u sessions with IPv6 sit in its access domain", held->ipv6_sessions);
	if (relays + next->relay_count > BNG_RELAYS_MAX)
		return bng_refuse(
			refusal, BNG_LIMIT, "11.6", "at most %d trusted relays in all", BNG_RELAYS_MAX);
	next->head.index = index;
	next->ipv6_sessions = held ? held->ipv6_sessions : 0;
	return 0;
}

static int check_own_address(const struct bng_state *state, const struct bng_object *next, const char *path,
	struct bng_refusal *refusal)
{
	struct bng_address_key key;
	struct bng_route_key host;
	uint64_t weight;

	if (!bng_own_address_of(next, &key, &weight))
		return 0;
	host = (struct bng_route_key){.prefix_bits = 64, .vrf = htonl(key.vrf), .ipv4 = key.ipv4};
	if (is_other(&state->addresses, &key, NULL))
		return bng_refuse(refusal, BNG_CONFLICT, path, "a session holds this address");
	if (bng_state_nat_holders(state, &key))
		return bng_refuse(refusal, BNG_CONFLICT, path, "sessions hold ports of this address by NAT");
	if (is_other(&state->prefixes, &host, NULL))
		return bng_refuse(refusal, BNG_CONFLICT, path, "a route has this address as its prefix");
	if (!bng_state_own_count(state, &key) && state->own.count >= BNG_OWN_ADDRESSES_MAX)
		return bng_refuse(
			refusal, BNG_LIMIT, path, "at most %d own addresses", BNG_OWN_ADDRESSES_MAX);
	return 0;
}

static int check_identity(const struct bng_state *state, const struct bng_identity_object *held,
	struct bng_identity_object *next, struct bng_refusal *refusal)
{
	struct bng_address_key key = {.vrf = next->vrf, .ipv4 = next->address};
	bool same = held && held->vrf == next->vrf && held->address == next->address;
	int err;

	if (!same && bng_state_own_count(state, &key) >= BNG_OWN_ONE_SERVER)
		return bng_refuse(refusal, BNG_CONFLICT, "12.2", "another server identity has this address");
	if (held && held->vrf != next->vrf && held->head.references)
		return bng_refuse(
			refusal, BNG_IN_USE, "12.1", "%u pool templates refer to it", held->head.references);
	err = check_own_address(state, &next->head, "12.2", refusal);
	return err ? err : bng_state_check_own6(state, held, next, refusal);
}

static int check_template(const struct bng_state *state, const struct bng_template_object *held,
	struct bng_template_object *next, struct bng_refusal *refusal)
{
	next->identity = (void *)bng_state_get(state, BNG_FAMILY_SERVER_IDENTITY, next->identity_id);
	if (!next->identity)
		return bng_refuse(refusal, BNG_UNKNOWN_REFERENCE, "13.2", "no server identity %" PRIu64,
			next->identity_id);
	if (next->identity->vrf != next->vrf)
		return bng_refuse(refusal, BNG_INVALID, "13.1", "its server identity is in vrf %u",
			next->identity->vrf);
	if (held && held->vrf != next->vrf && held->head.references)
		return bng_refuse(
			refusal, BNG_IN_USE, "13.1", "%u sessions refer to it", held->head.references);
	return check_own_address(state, &next->head, "13.3", refusal);
}

static int check_next_hop(const struct bng_state *state, const struct bng_next_hop_object *held,
	struct bng_next_hop_object *next, struct bng_refusal *refusal)
{
	if (next->kind == BNG_NEXT_HOP_GATEWAY) {
		next->port_index = bng_state_port_index(state, next->port);
		if (!next->port_index)
			return bng_refuse(refusal, BNG_UNKNOWN_REFERENCE, "14.2",
				"this agent has no port of that name");
		if (state->ports[next->port_index].role != BNG_ROLE_CORE)
			return bng_refuse(refusal, BNG_INVALID, "14.2", "not a core port");
	}
	next->references_outside_default = held ? held->references_outside_default : 0;
	next->references_ipv6 = held ? held->references_ipv6 : 0;
	if (next->has_ipv6 && held && held->head.references > held->references_ipv6)
		return bng_refuse(refusal, BNG_INVALID, "14.4", "IPv4 routes use it");
	if (next->address && next->references_ipv6)
		return bng_refuse(refusal, BNG_INVALID, "14.3", "IPv6 routes use it");
	if (next->kind == BNG_NEXT_HOP_KERNEL && next->references_outside_default)
		return bng_refuse(refusal, BNG_INVALID, "14.1",
			"routes outside vrf 0 use it, the kernel serves vrf 0 only");
	return 0;
}

static int check_route(const struct bng_state *state, const struct bng_route_object *held,
	struct bng_route_object *next, struct bng_refusal *refusal)
{
	struct bng_route_key key = bng_route_key_of(next);
	struct bng_address_key own = {.vrf = next->vrf, .ipv4 = next->prefix};

	if (next->next_hop_id) {
		next->next_hop = (void *)bng_state_get(state, BNG_FAMILY_NEXT_HOP, next->next_hop_id);
		if (!next->next_hop)
			return bng_refuse(refusal, BNG_UNKNOWN_REFERENCE, "15.5", "no next hop %" PRIu64,
				next->next_hop_id);
		if (next->vrf && next->next_hop->kind == BNG_NEXT_HOP_KERNEL)
			return bng_refuse(refusal, BNG_INVALID, "15.5", "the kernel serves vrf 0 only");
		if (next->next_hop->kind == BNG_NEXT_HOP_GATEWAY && next->next_hop->has_ipv6 != next->is_ipv6)
			return bng_refuse(refusal, BNG_INVALID, "15.5", "its gateway is of the other family");
	}
	if (next->is_ipv6)
		return bng_state_check_route6(state, held, next, refusal);
	if (is_other(&state->prefixes, &key, held))
		return bng_refuse(
			refusal, BNG_CONFLICT, "15.2", "another route or a session has this prefix");
	if (next->prefix_length == 32 && bng_state_own_count(state, &own))
		return bng_refuse(refusal, BNG_CONFLICT, "15.2", "the BNG's own address");
	if ((!held || held->is_ipv6) && state->prefixes.count >= BNG_ROUTES_MAX)
		return bng_refuse(
			refusal, BNG_LIMIT, "15", "at most %d routes, framed ones included", BNG_ROUTES_MAX);
	return 0;
}

static int check_pppoe_service(const struct bng_state *state, const struct bng_pppoe_service_object *held,
	const struct bng_pppoe_service_object *next, struct bng_refusal *refusal)
{
	const struct bng_object *holder = bng_state_holder(&state->services, &next->access_domain_id, held);

	if (holder)
		return bng_refuse(refusal, BNG_CONFLICT, "19.1",
			"access domain has the PPPoE service %" PRIu64, holder->id);
	return 0;
}

int bng_state_check(const struct bng_state *state, const struct bng_object *held, union bng_any_object *next,
	struct bng_refusal *refusal)
{
	switch (next->head.family) {
	case BNG_FAMILY_PORT:
		return check_port(state, (const void *)held, &next->port, refusal);
	case BNG_FAMILY_SERVER_IDENTITY:
		return check_identity(state, (const void *)held, &next->identity, refusal);
	case BNG_FAMILY_POOL_TEMPLATE:
		return check_template(state, (const void *)held, &next->template, refusal);
	case BNG_FAMILY_NEXT_HOP:
		return check_next_hop(state, (const void *)held, &next->next_hop, refusal);
	case BNG_FAMILY_ROUTE:
		return check_route(state, (const void *)held, &next->route, refusal);
	case BNG_FAMILY_SESSION:
		return bng_state_check_session(state, (const void *)held, &next->session, refusal);
	case BNG_FAMILY_PPPOE_SERVICE:
		return check_pppoe_service(state, (const void *)held, &next->pppoe_service, refusal);
	case BNG_FAMILY_GUARD_RATES:
	case BNG_FAMILY_FILTER:
	case BNG_FAMILY_NAT_POLICY:
	case BNG_FAMILIES:
		break;
	}
	return 0;
}
