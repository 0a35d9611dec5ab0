// SPDX-License-Identifier: Apache-2.0
// After adoption: the small maps become what the state says. Right entries are left alone, templates above
// all (their version keeps replies composed earlier).
#include "map_nat.h"
#include "map_policy.h"

#include "entry.h"
#include "map_policy6.h"
#include "map_pppoe.h"
#include "state_internal.h"
#include "walk.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

struct sweep {
	struct bng_kern *kern;
	const struct bng_state *state;
	uint32_t *repaired;
};

static int drop(struct sweep *sweep, enum bng_map map, const void *key)
{
	(*sweep->repaired)++;
	return bpf_map_delete_elem(sweep->kern->maps[map], key) && errno != ENOENT ? -errno : 0;
}

static int sweep_route(void *context, const void *key, const void *value)
{
	struct sweep *sweep = context;
	const struct bng_route_key *route = key;
	struct bng_address_key own = {.vrf = ntohl(route->vrf), .ipv4 = route->ipv4};
	uint64_t unused;

	(void)value;
	if (bng_hash_table_get(&sweep->state->prefixes, key, &unused))
		return 0;
	if (route->prefix_bits == 64 && bng_hash_table_get(&sweep->state->own, &own, &unused))
		return 0;
	return drop(sweep, BNG_MAP_routes4, key);
}

static int sweep_own(void *context, const void *key, const void *value)
{
	struct sweep *sweep = context;
	uint64_t unused;

	(void)value;
	return bng_hash_table_get(&sweep->state->own, key, &unused) ? 0
								    : drop(sweep, BNG_MAP_own_addresses, key);
}

static int sweep_relay(void *context, const void *key, const void *value)
{
	struct sweep *sweep = context;
	const struct bng_relay_key *relay = key;
	const struct bng_port_object *port;
	uint32_t i;

	(void)value;
	port = relay->port < BNG_MAX_PORTS ? sweep->state->ports[relay->port].object : NULL;
	for (i = 0; port && i < port->relay_count; i++)
		if (port->relays[i] == relay->giaddr)
			return 0;
	return drop(sweep, BNG_MAP_trusted_relays, key);
}

static const void *object_with_index(const struct bng_state *state, enum bng_family family, uint32_t index)
{
	size_t cursor = 0;
	const void *key;
	uint64_t value;

	while (bng_hash_table_next(&state->by_id[family], &cursor, &key, &value)) {
		const struct bng_object *object = bng_pointer_of(value);

		if (object->index == index)
			return object;
	}
	return NULL;
}

static int sweep_filter(void *context, const void *key, const void *value)
{
	struct sweep *sweep = context;
	uint32_t index;

	(void)value;
	memcpy(&index, key, sizeof(index));
	return object_with_index(sweep->state, BNG_FAMILY_FILTER, index) ? 0
									 : drop(sweep, BNG_MAP_filters, key);
}

static bool is_template_right(const struct bng_kern *kern, const struct bng_template_object *template)
{
	struct bng_dhcp_template held, wanted;
	uint32_t index = template->head.index;

	if (bpf_map_lookup_elem(kern->maps[BNG_MAP_dhcp_templates], &index, &held) || !held.version)
		return false;
	bng_entry_template(template, template->identity->address, held.version, &wanted);
	return !memcmp(&held, &wanted, sizeof(held));
}

static int write_family(struct sweep *sweep, enum bng_family family)
{
	size_t cursor = 0;
	const void *key;
	uint64_t value;
	int err = 0;

	while (!err && bng_hash_table_next(&sweep->state->by_id[family], &cursor, &key, &value)) {
		struct bng_change change = {.next = bng_pointer_of(value)};

		if (family == BNG_FAMILY_ROUTE)
			err = bng_map_route_write(sweep->kern, NULL, bng_pointer_of(value));
		else if (family == BNG_FAMILY_NEXT_HOP)
			err = bng_map_next_hop_write(sweep->kern, NULL, bng_pointer_of(value));
		else if (family == BNG_FAMILY_PORT)
			err = bng_map_port_write(sweep->kern, sweep->state, &change);
		else if (family == BNG_FAMILY_SERVER_IDENTITY)
			err = bng_map_identity_write(sweep->kern, sweep->state, &change);
		else if (family == BNG_FAMILY_FILTER)
			err = bng_map_filter_write(sweep->kern, NULL, bng_pointer_of(value));
		else if (family == BNG_FAMILY_NAT_POLICY)
			err = bng_map_nat_policy_write(sweep->kern, NULL, bng_pointer_of(value));
		else if (!is_template_right(sweep->kern, bng_pointer_of(value)))
			err = bng_map_template_write(sweep->kern, sweep->state, &change);
	}
	return err;
}

/* Entries of ports that exist are right once the ports are written. */
static int sweep_service(void *context, const void *key, const void *value)
{
	struct sweep *sweep = context;
	uint32_t port;

	(void)value;
	memcpy(&port, key, sizeof(port));
	return port >= 1 && port <= sweep->state->port_count ? 0 : drop(sweep, BNG_MAP_pppoe_services, key);
}

static int free_indices(struct sweep *sweep)
{
	struct bng_dhcp_template template;
	struct bng_next_hop hop, none = {0};
	uint32_t i;
	int err = 0;

	for (i = 1; i < BNG_MAX_TEMPLATES && !err; i++) {
		if (bpf_map_lookup_elem(sweep->kern->maps[BNG_MAP_dhcp_templates], &i, &template) ||
			!template.server_id)
			continue;
		if (object_with_index(sweep->state, BNG_FAMILY_POOL_TEMPLATE, i))
			continue;
		memset(&template, 0, sizeof(template));
		err = bpf_map_update_elem(sweep->kern->maps[BNG_MAP_dhcp_templates], &i, &template, BPF_ANY)
			      ? -errno
			      : 0;
	}
	for (i = 1; i < BNG_MAX_NEXT_HOPS && !err; i++) {
		if (bpf_map_lookup_elem(sweep->kern->maps[BNG_MAP_next_hops], &i, &hop) || !hop.kind)
			continue;
		if (!object_with_index(sweep->state, BNG_FAMILY_NEXT_HOP, i))
			err = bpf_map_update_elem(sweep->kern->maps[BNG_MAP_next_hops], &i, &none, BPF_ANY)
				      ? -errno
				      : 0;
	}
	return err;
}

int bng_map_policy_reconcile(struct bng_kern *kern, const struct bng_state *state, uint32_t *ret_repaired)
{
	static const enum bng_family families[] = {BNG_FAMILY_PORT, BNG_FAMILY_SERVER_IDENTITY,
		BNG_FAMILY_POOL_TEMPLATE, BNG_FAMILY_NEXT_HOP, BNG_FAMILY_ROUTE, BNG_FAMILY_FILTER,
		BNG_FAMILY_NAT_POLICY};
	struct sweep sweep = {.kern = kern, .state = state, .repaired = ret_repaired};
	uint32_t index;
	size_t i;
	int err = 0;

	for (index = 1; index < BNG_MAX_PORTS && !err; index++)
		if (index > kern->port_count || !state->ports[index].object)
			err = bng_map_port_refresh(kern, state, NULL, index, NULL);
	for (i = 0; i < sizeof(families) / sizeof(families[0]) && !err; i++)
		err = write_family(&sweep, families[i]);
	if (!err)
		err = bng_map_guard_write(
			kern, (const void *)bng_state_get(state, BNG_FAMILY_GUARD_RATES, 1));
	if (!err)
		err = bng_walk_keys(kern->maps[BNG_MAP_routes4], sizeof(struct bng_route_key),
			sizeof(struct bng_route), sweep_route, &sweep);
	if (!err)
		err = bng_walk_keys(kern->maps[BNG_MAP_own_addresses], sizeof(struct bng_address_key),
			sizeof(struct bng_own_address), sweep_own, &sweep);
	if (!err)
		err = bng_map_policy6_sweep(kern, state, ret_repaired);
	if (!err)
		err = bng_walk_keys(kern->maps[BNG_MAP_trusted_relays], sizeof(struct bng_relay_key),
			sizeof(uint32_t), sweep_relay, &sweep);
	if (!err)
		err = bng_walk_keys(kern->maps[BNG_MAP_filters], sizeof(uint32_t), sizeof(struct bng_filter),
			sweep_filter, &sweep);
	if (!err)
		err = bng_map_pppoe_service_write(kern, state, &(struct bng_change){0});
	if (!err)
		err = bng_walk_keys(kern->maps[BNG_MAP_pppoe_services], sizeof(uint32_t),
			sizeof(struct bng_pppoe_service), sweep_service, &sweep);
	return err ? err : free_indices(&sweep);
}
