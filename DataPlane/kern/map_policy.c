// SPDX-License-Identifier: Apache-2.0
// Writers of the small maps. Own addresses also stand as /32 routes, so that the programs need one look-up
// (bng_abi.h).
#include "map_policy.h"

#include "entry.h"
#include "map_entry.h"
#include "map_policy6.h"
#include "map_pppoe.h"
#include "state_internal.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

int bng_map_port_refresh(struct bng_kern *kern, const struct bng_state *state,
	const struct bng_change *change, uint32_t index, const struct bng_port_object *object)
{
	const struct bng_kern_port *local = &kern->ports[index];
	struct bng_port value = {.role = (uint8_t)local->role};
	int err;

	if (object) {
		bng_entry_port(object, &value);
		(void)bng_state_own_ipv6(state, object->vrf, change, &value.ipv6);
	}
	value.ifindex = local->interface.index;
	value.ipv4 = local->interface.ipv4;
	if (!value.mtu)
		value.mtu = local->interface.mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)local->interface.mtu;
	memcpy(value.mac, local->interface.mac, sizeof(value.mac));
	err = bng_map_put(kern->maps[BNG_MAP_ports], &index, &value);
	if (err)
		return err;
	return local->interface.index
		       ? bng_map_put(kern->maps[BNG_MAP_tx_ports], &index, &local->interface.index)
		       : bng_map_drop(kern->maps[BNG_MAP_tx_ports], &index);
}

static bool has_relay(const struct bng_port_object *port, uint32_t index, bng_ip4 relay)
{
	uint32_t i;

	if (!port || port->head.index != index)
		return false;
	for (i = 0; i < port->relay_count; i++)
		if (port->relays[i] == relay)
			return true;
	return false;
}

static int write_relays(
	struct bng_kern *kern, const struct bng_port_object *held, const struct bng_port_object *next)
{
	int map = kern->maps[BNG_MAP_trusted_relays], err = 0;
	struct bng_relay_key key;
	uint32_t one = 1, i;

	for (i = 0; next && i < next->relay_count && !err; i++) {
		key = (struct bng_relay_key){.port = next->head.index, .giaddr = next->relays[i]};
		err = bng_map_put(map, &key, &one);
	}
	for (i = 0; held && i < held->relay_count && !err; i++) {
		key = (struct bng_relay_key){.port = held->head.index, .giaddr = held->relays[i]};
		if (!has_relay(next, key.port, key.giaddr))
			err = bng_map_drop(map, &key);
	}
	return err;
}

int bng_map_port_write(struct bng_kern *kern, const struct bng_state *state, const struct bng_change *change)
{
	const struct bng_port_object *held = (const void *)change->held, *next = (const void *)change->next;
	int err = write_relays(kern, held, next);

	if (!err)
		err = bng_map_pppoe_service_write(kern, state, change);

	if (!err && next)
		err = bng_map_port_refresh(kern, state, NULL, next->head.index, next);
	if (!err && held && !(next && next->head.index == held->head.index))
		err = bng_map_port_refresh(kern, state, NULL, held->head.index, NULL);
	return err;
}

/* One own address as it will be after the change. */
static int write_own(struct bng_kern *kern, const struct bng_state *state, const struct bng_address_key *key,
	const struct bng_change *change)
{
	struct bng_own_address value = {.flags = bng_state_own_flags(state, key, change)};
	struct bng_route_key host = {.prefix_bits = 64, .vrf = htonl(key->vrf), .ipv4 = key->ipv4};
	struct bng_route route = {.kind = BNG_ROUTE_OWN};
	int err;

	if (!value.flags) {
		err = bng_map_drop(kern->maps[BNG_MAP_routes4], &host);
		return err ? err : bng_map_drop(kern->maps[BNG_MAP_own_addresses], key);
	}
	err = bng_map_put(kern->maps[BNG_MAP_own_addresses], key, &value);
	return err ? err : bng_map_put(kern->maps[BNG_MAP_routes4], &host, &route);
}

static int write_own_addresses(
	struct bng_kern *kern, const struct bng_state *state, const struct bng_change *change)
{
	struct bng_address_key key;
	uint64_t weight;
	int err = 0;

	if (bng_own_address_of(change->next, &key, &weight))
		err = write_own(kern, state, &key, change);
	if (!err && bng_own_address_of(change->held, &key, &weight))
		err = write_own(kern, state, &key, change);
	return err;
}

/* Zero first, then whole, with a version of its own (bng_abi.h, dhcp_templates). */
static int put_template(struct bng_kern *kern, const struct bng_template_object *template, bng_ip4 server_id)
{
	static const struct bng_dhcp_template none;
	struct bng_dhcp_template value;
	uint32_t index = template->head.index;
	int err;

	bng_entry_template(template, server_id, ++kern->template_version, &value);
	err = bng_map_put(kern->maps[BNG_MAP_dhcp_templates], &index, &none);
	return err ? err : bng_map_put(kern->maps[BNG_MAP_dhcp_templates], &index, &value);
}

int bng_map_identity_write(
	struct bng_kern *kern, const struct bng_state *state, const struct bng_change *change)
{
	const struct bng_identity_object *held = (const void *)change->held,
					 *next = (const void *)change->next;
	const void *key;
	uint64_t value;
	size_t cursor = 0;
	int err = write_own_addresses(kern, state, change);

	if (!err)
		err = bng_map_own6_write(kern, state, change);
	if (err || !held || !next || held->address == next->address)
		return err;
	while (!err && bng_hash_table_next(&state->by_id[BNG_FAMILY_POOL_TEMPLATE], &cursor, &key, &value)) {
		const struct bng_template_object *template = bng_pointer_of(value);

		if (template->identity == held)
			err = put_template(kern, template, next->address);
	}
	return err;
}

int bng_map_template_write(
	struct bng_kern *kern, const struct bng_state *state, const struct bng_change *change)
{
	static const struct bng_dhcp_template none;
	const struct bng_template_object *held = (const void *)change->held,
					 *next = (const void *)change->next;
	int err = 0;

	if (next)
		err = write_own_addresses(kern, state, change);
	if (err)
		return err;
	if (next)
		return put_template(kern, next, next->identity->address);
	err = bng_map_put(kern->maps[BNG_MAP_dhcp_templates], &held->head.index, &none);
	return err ? err : write_own_addresses(kern, state, change);
}

static uint32_t first_core(const struct bng_kern *kern)
{
	uint32_t i;

	for (i = 1; i <= kern->port_count; i++)
		if (kern->ports[i].role == BNG_ROLE_CORE)
			return i;
	return 0;
}

int bng_map_next_hop_write(
	struct bng_kern *kern, const struct bng_next_hop_object *held, const struct bng_next_hop_object *next)
{
	struct bng_next_hop value = {0};
	uint32_t index = (next ? next : held)->head.index;

	if (next)
		bng_entry_next_hop(next, first_core(kern), &value);
	return bng_map_put(kern->maps[BNG_MAP_next_hops], &index, &value);
}

int bng_map_route_write(
	struct bng_kern *kern, const struct bng_route_object *held, const struct bng_route_object *next)
{
	struct bng_route_key key, old;
	struct bng_route value;
	int err;

	memset(&key, 0, sizeof(key));
	err = bng_map_route6_write(kern, held, next);
	if (!err && next && !next->is_ipv6) {
		key = bng_entry_route_key(next);
		bng_entry_route(next, &value);
		err = bng_map_put(kern->maps[BNG_MAP_routes4], &key, &value);
	}
	if (err || !held || held->is_ipv6)
		return err;
	old = bng_entry_route_key(held);
	return memcmp(&old, &key, sizeof(old)) ? bng_map_drop(kern->maps[BNG_MAP_routes4], &old) : 0;
}

int bng_map_filter_write(
	struct bng_kern *kern, const struct bng_filter_object *held, const struct bng_filter_object *next)
{
	struct bng_filter value;

	if (!next)
		return bng_map_drop(kern->maps[BNG_MAP_filters], &held->head.index);
	bng_entry_filter(next, &value);
	return bng_map_put(kern->maps[BNG_MAP_filters], &next->head.index, &value);
}

int bng_map_guard_write(struct bng_kern *kern, const struct bng_guard_object *guard)
{
	struct bng_guard_rate rate;
	uint32_t class;
	int err = 0;

	for (class = 1; class < BNG_PUNT_CLASSES && !err; class ++) {
		bng_entry_guard_rate(guard, class, &rate);
		err = bng_map_put(kern->maps[BNG_MAP_guard_rates], &class, &rate);
	}
	return err;
}

int bng_map_route_lookup(const struct bng_kern *kern, uint32_t vrf, bng_ip4 address, struct bng_next_hop *ret)
{
	struct bng_route_key key = {.prefix_bits = 64, .vrf = htonl(vrf), .ipv4 = address};
	struct bng_route route;

	if (bpf_map_lookup_elem(kern->maps[BNG_MAP_routes4], &key, &route))
		return -errno;
	if (route.kind != BNG_ROUTE_NEXT_HOP && route.kind != BNG_ROUTE_UNTRANSLATED)
		return -ENOENT;
	return bpf_map_lookup_elem(kern->maps[BNG_MAP_next_hops], &route.next_hop, ret) ? -errno : 0;
}
