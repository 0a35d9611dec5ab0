// SPDX-License-Identifier: Apache-2.0
// Whose an IPv6 prefix or address may be: a session's, a route's or the BNG's own, and only one's.
#include "state_internal.h"

#include <inttypes.h>

static size_t prefixes_max(const struct bng_state *state)
{
	return BNG_ROUTES6_MAX + (size_t)BNG_ROUTES6_PER_SESSION * state->max_sessions;
}

static bool is_own(const struct bng_state *state, const struct bng_route6_key *prefix)
{
	struct bng_address6_key key = {.vrf = ntohl(prefix->vrf), .ipv6 = prefix->ipv6};

	return prefix->prefix_bits == 32 + 128 && bng_state_holder(&state->own6, &key, NULL) != NULL;
}

static int check_free(const struct bng_state *state, const struct bng_route6_key *prefix, const void *self,
	const char *path, struct bng_refusal *refusal)
{
	const struct bng_object *holder = bng_state_holder(&state->prefixes6, prefix, self);

	if (holder)
		return bng_refuse(refusal, BNG_CONFLICT, path, "the prefix is held by %s %" PRIu64,
			holder->family == BNG_FAMILY_SESSION ? "session" : "route", holder->id);
	if (is_own(state, prefix))
		return bng_refuse(refusal, BNG_CONFLICT, path, "the prefix is the BNG's own address");
	return 0;
}

int bng_state_check_session_ipv6(const struct bng_state *state, const struct bng_session_object *held,
	const struct bng_session_object *next, struct bng_refusal *refusal)
{
	size_t others = state->prefixes6.count - bng_prefix6_count(held);
	struct bng_route6_key key;
	uint32_t i;
	int err = 0;

	if (!next->port->has_link_local)
		return bng_refuse(
			refusal, BNG_INVALID, "17.11", "port %s has no ipv6_link_local", next->port->name);
	for (i = 0; i < next->ipv6.prefix_count && !err; i++) {
		key = bng_prefix6_key_of(next, i);
		err = check_free(state, &key, held, "17.11.1", refusal);
	}
	if (!err && others + next->ipv6.prefix_count > prefixes_max(state))
		err = bng_refuse(refusal, BNG_LIMIT, "17.11.1", "at most %zu IPv6 routes and prefixes",
			prefixes_max(state));
	return err;
}

int bng_state_check_route6(const struct bng_state *state, const struct bng_route_object *held,
	const struct bng_route_object *next, struct bng_refusal *refusal)
{
	struct bng_route6_key key = bng_route6_key_of(next);
	int err = check_free(state, &key, held, "15.2", refusal);

	if (!err && !(held && held->is_ipv6) && state->prefixes6.count >= prefixes_max(state))
		err = bng_refuse(refusal, BNG_LIMIT, "15", "at most %zu IPv6 routes and prefixes",
			prefixes_max(state));
	return err;
}

int bng_state_check_own6(const struct bng_state *state, const struct bng_identity_object *held,
	const struct bng_identity_object *next, struct bng_refusal *refusal)
{
	struct bng_address6_key key = bng_own6_key_of(next);
	struct bng_route6_key host = bng_host6_key_of(&key);
	const struct bng_object *holder;

	if (!next->has_ipv6)
		return 0;
	holder = bng_state_holder(&state->own6, &key, held);
	if (holder)
		return bng_refuse(refusal, BNG_CONFLICT, "12.3",
			"server identity %" PRIu64 " has this address", holder->id);
	holder = bng_state_holder(&state->prefixes6, &host, NULL);
	if (holder)
		return bng_refuse(refusal, BNG_CONFLICT, "12.3",
			"%s %" PRIu64 " has this address as its prefix",
			holder->family == BNG_FAMILY_SESSION ? "session" : "route", holder->id);
	if (!(held && held->has_ipv6) && state->own6.count >= BNG_OWN_ADDRESSES_MAX)
		return bng_refuse(
			refusal, BNG_LIMIT, "12.3", "at most %d own addresses", BNG_OWN_ADDRESSES_MAX);
	return 0;
}
