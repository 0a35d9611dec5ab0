// SPDX-License-Identifier: Apache-2.0
// Own addresses also stand as /128 routes, so that the programs need one look-up (bng_abi.h).
#include "map_policy6.h"

#include "entry.h"
#include "map_entry.h"
#include "map_policy.h"
#include "state_internal.h"
#include "walk.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

static const struct bng_identity_object *with_ipv6(const struct bng_object *object)
{
	const struct bng_identity_object *identity = (const void *)object;

	return identity && identity->has_ipv6 ? identity : NULL;
}

static int put_own(struct bng_kern *kern, const struct bng_address6_key *key)
{
	struct bng_own_address value = {.flags = BNG_OWN_SERVER};
	struct bng_route6_key host = bng_host6_key_of(key);
	struct bng_route6 route = {.kind = BNG_ROUTE_OWN, .length = 128};
	int err = bng_map_put(kern->maps[BNG_MAP_own_addresses6], key, &value);

	return err ? err : bng_map_put(kern->maps[BNG_MAP_routes6], &host, &route);
}

static int drop_own(struct bng_kern *kern, const struct bng_address6_key *key)
{
	struct bng_route6_key host = bng_host6_key_of(key);
	int err = bng_map_drop(kern->maps[BNG_MAP_routes6], &host);

	return err ? err : bng_map_drop(kern->maps[BNG_MAP_own_addresses6], key);
}

/* Only where it makes a difference: most identities are not the one errors come from. */
static int refresh_ports(
	struct bng_kern *kern, const struct bng_state *state, uint32_t vrf, const struct bng_change *change)
{
	struct bng_ip6 before = {0}, after = {0};
	uint32_t i;
	int err = 0;

	(void)bng_state_own_ipv6(state, vrf, NULL, &before);
	(void)bng_state_own_ipv6(state, vrf, change, &after);
	if (!memcmp(&before, &after, sizeof(after)))
		return 0;
	for (i = 1; i <= kern->port_count && !err; i++)
		if (state->ports[i].object && state->ports[i].object->vrf == vrf)
			err = bng_map_port_refresh(kern, state, change, i, state->ports[i].object);
	return err;
}

int bng_map_own6_write(struct bng_kern *kern, const struct bng_state *state, const struct bng_change *change)
{
	const struct bng_identity_object *held = with_ipv6(change->held), *next = with_ipv6(change->next);
	struct bng_address6_key key, old;
	int err = 0;

	memset(&key, 0, sizeof(key));
	if (next) {
		key = bng_own6_key_of(next);
		err = put_own(kern, &key);
	}
	if (!err && next)
		err = refresh_ports(kern, state, next->vrf, change);
	if (!err && held)
		err = refresh_ports(kern, state, held->vrf, change);
	if (err || !held)
		return err;
	old = bng_own6_key_of(held);
	return memcmp(&old, &key, sizeof(old)) ? drop_own(kern, &old) : 0;
}

int bng_map_route6_write(
	struct bng_kern *kern, const struct bng_route_object *held, const struct bng_route_object *next)
{
	struct bng_route6_key key, old;
	struct bng_route6 value;
	int err = 0;

	memset(&key, 0, sizeof(key));
	if (next && next->is_ipv6) {
		key = bng_entry_route6_key(next);
		bng_entry_route6(next, &value);
		err = bng_map_put(kern->maps[BNG_MAP_routes6], &key, &value);
	}
	if (err || !held || !held->is_ipv6)
		return err;
	old = bng_entry_route6_key(held);
	return memcmp(&old, &key, sizeof(old)) ? bng_map_drop(kern->maps[BNG_MAP_routes6], &old) : 0;
}

int bng_map_route6_lookup(
	const struct bng_kern *kern, uint32_t vrf, const struct bng_ip6 *address, struct bng_next_hop *ret)
{
	struct bng_route6_key key = {.prefix_bits = 32 + 128, .vrf = htonl(vrf), .ipv6 = *address};
	struct bng_route6 route;

	if (bpf_map_lookup_elem(kern->maps[BNG_MAP_routes6], &key, &route))
		return -errno;
	if (route.kind != BNG_ROUTE_NEXT_HOP)
		return -ENOENT;
	return bpf_map_lookup_elem(kern->maps[BNG_MAP_next_hops], &route.next_hop, ret) ? -errno : 0;
}

struct sweep {
	struct bng_kern *kern;
	const struct bng_state *state;
	uint32_t *repaired;
};

static int remove_entry(struct sweep *sweep, enum bng_map map, const void *key)
{
	(*sweep->repaired)++;
	return bng_map_drop(sweep->kern->maps[map], key);
}

static int sweep_route(void *context, const void *key, const void *value)
{
	struct sweep *sweep = context;
	const struct bng_route6_key *route = key;
	struct bng_address6_key own = {.vrf = ntohl(route->vrf), .ipv6 = route->ipv6};
	uint64_t unused;

	(void)value;
	if (bng_hash_table_get(&sweep->state->prefixes6, key, &unused))
		return 0;
	if (route->prefix_bits == 32 + 128 && bng_hash_table_get(&sweep->state->own6, &own, &unused))
		return 0;
	return remove_entry(sweep, BNG_MAP_routes6, key);
}

static int sweep_own(void *context, const void *key, const void *value)
{
	struct sweep *sweep = context;
	uint64_t unused;

	(void)value;
	return bng_hash_table_get(&sweep->state->own6, key, &unused)
		       ? 0
		       : remove_entry(sweep, BNG_MAP_own_addresses6, key);
}

int bng_map_policy6_sweep(struct bng_kern *kern, const struct bng_state *state, uint32_t *ret_repaired)
{
	struct sweep sweep = {.kern = kern, .state = state, .repaired = ret_repaired};
	int err = bng_walk_keys(kern->maps[BNG_MAP_routes6], sizeof(struct bng_route6_key),
		sizeof(struct bng_route6), sweep_route, &sweep);

	return err ? err
		   : bng_walk_keys(kern->maps[BNG_MAP_own_addresses6], sizeof(struct bng_address6_key),
			     sizeof(struct bng_own_address), sweep_own, &sweep);
}
