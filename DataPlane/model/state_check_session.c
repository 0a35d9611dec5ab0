// SPDX-License-Identifier: Apache-2.0
// What a session must be in view of the others: its port, template and filter; its line, address and framed
// routes held by nobody else (docs/contract.md, section 7).
#include "state_internal.h"

#include <arpa/inet.h>
#include <inttypes.h>

static struct bng_port_object *port_of_domain(const struct bng_state *state, uint32_t access_domain_id)
{
	uint32_t i;

	for (i = 1; i <= state->port_count; i++)
		if (state->ports[i].object && state->ports[i].object->access_domain_id == access_domain_id)
			return state->ports[i].object;
	return NULL;
}

static int resolve(
	const struct bng_state *state, struct bng_session_object *next, struct bng_refusal *refusal)
{
	next->port = port_of_domain(state, next->line.access_domain_id);
	if (!next->port)
		return bng_refuse(refusal, BNG_UNKNOWN_REFERENCE, "17.1.1", "no port has access domain %u",
			next->line.access_domain_id);
	if (next->template_id) {
		next->template = (void *)bng_state_get(state, BNG_FAMILY_POOL_TEMPLATE, next->template_id);
		if (!next->template)
			return bng_refuse(refusal, BNG_UNKNOWN_REFERENCE, "17.4.2",
				"no pool template %" PRIu64, next->template_id);
		if (next->template->vrf != bng_session_vrf(next))
			return bng_refuse(refusal, BNG_INVALID, "17.2", "its pool template is in vrf %u",
				next->template->vrf);
	}
	if (next->filter_id) {
		next->filter = (void *)bng_state_get(state, BNG_FAMILY_FILTER, next->filter_id);
		if (!next->filter)
			return bng_refuse(refusal, BNG_UNKNOWN_REFERENCE, "17.8", "no filter %" PRIu64,
				next->filter_id);
	}
	return 0;
}

static int check_address(const struct bng_state *state, const struct bng_session_object *held,
	const struct bng_session_object *next, struct bng_refusal *refusal)
{
	struct bng_address_key key = bng_session_address_key(next);
	struct bng_route_key host = {.prefix_bits = 64, .vrf = htonl(key.vrf), .ipv4 = key.ipv4};
	const struct bng_object *holder = bng_state_holder(&state->addresses, &key, held);

	if (holder)
		return bng_refuse(
			refusal, BNG_CONFLICT, "17.4.1", "address is held by session %" PRIu64, holder->id);
	holder = bng_state_holder(&state->prefixes, &host, held);
	if (holder && holder->family == BNG_FAMILY_SESSION)
		return bng_refuse(refusal, BNG_CONFLICT, "17.4.1",
			"address is a framed route of session %" PRIu64, holder->id);
	if (bng_state_own_count(state, &key))
		return bng_refuse(refusal, BNG_CONFLICT, "17.4.1", "address is the BNG's own");
	if (bng_state_nat_holders(state, &key))
		return bng_refuse(
			refusal, BNG_CONFLICT, "17.4.1", "sessions hold ports of the address by NAT");
	return 0;
}

static int check_framed_route(const struct bng_state *state, const struct bng_session_object *held,
	const struct bng_session_object *next, uint32_t i, struct bng_refusal *refusal)
{
	struct bng_route_key key = bng_framed_key_of(next, i);
	struct bng_address_key host = {.vrf = bng_session_vrf(next), .ipv4 = key.ipv4};
	const struct bng_object *holder = bng_state_holder(&state->prefixes, &key, held);

	if (holder)
		return bng_refuse(refusal, BNG_CONFLICT, "17.4.7.1", "prefix %u is held by %s %" PRIu64, i,
			holder->family == BNG_FAMILY_SESSION ? "session" : "route", holder->id);
	if (next->framed[i].length != 32)
		return 0;
	holder = bng_state_holder(&state->addresses, &host, held);
	if (holder)
		return bng_refuse(refusal, BNG_CONFLICT, "17.4.7.1",
			"prefix %u is the address of session %" PRIu64, i, holder->id);
	if (bng_state_own_count(state, &host))
		return bng_refuse(refusal, BNG_CONFLICT, "17.4.7.1", "prefix %u is the BNG's own address", i);
	return 0;
}

static int check_framed_routes(const struct bng_state *state, const struct bng_session_object *held,
	const struct bng_session_object *next, struct bng_refusal *refusal)
{
	size_t others = state->prefixes.count - (held ? held->framed_count : 0);
	uint32_t i;
	int err = 0;

	for (i = 0; i < next->framed_count && !err; i++)
		err = check_framed_route(state, held, next, i, refusal);
	if (!err && next->framed_count && others + next->framed_count > BNG_ROUTES_MAX)
		return bng_refuse(refusal, BNG_LIMIT, "17.4.7", "at most %d routes, framed ones included",
			BNG_ROUTES_MAX);
	return err;
}

int bng_state_check_session(const struct bng_state *state, const struct bng_session_object *held,
	struct bng_session_object *next, struct bng_refusal *refusal)
{
	struct bng_line_identity line = bng_line_identity_of(&next->line);
	const struct bng_object *holder;
	int err = resolve(state, next, refusal);

	if (err)
		return err;
	holder = bng_state_holder(&state->lines, &line, held);
	if (holder)
		return bng_refuse(
			refusal, BNG_CONFLICT, "17.1", "line is held by session %" PRIu64, holder->id);
	err = next->has_ipv4 ? check_address(state, held, next, refusal) : 0;
	if (!err)
		err = check_framed_routes(state, held, next, refusal);
	if (!err && next->has_nat)
		err = bng_state_check_session_nat(state, held, next, refusal);
	if (!err && next->has_ipv6)
		err = bng_state_check_session_ipv6(state, held, next, refusal);
	if (err)
		return err;
	if (!held && state->slots.count >= state->slots.limit)
		return bng_refuse(refusal, BNG_LIMIT, "17", "at most %u sessions", state->slots.limit);
	return 0;
}
