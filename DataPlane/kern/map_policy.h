/* SPDX-License-Identifier: Apache-2.0 */
/* Typed access to the small maps: ports, relays, own addresses, templates, next hops, routes, guard rates. */
#ifndef BNG_MAP_POLICY_H
#define BNG_MAP_POLICY_H

#include "kern.h"

/* Each writes next in place of held; either may be NULL. */
int bng_map_port_write(struct bng_kern *kern, const struct bng_state *state, const struct bng_change *change);
int bng_map_identity_write(
	struct bng_kern *kern, const struct bng_state *state, const struct bng_change *change);
int bng_map_template_write(
	struct bng_kern *kern, const struct bng_state *state, const struct bng_change *change);
int bng_map_next_hop_write(struct bng_kern *kern, const struct bng_next_hop_object *held,
	const struct bng_next_hop_object *next);
int bng_map_route_write(
	struct bng_kern *kern, const struct bng_route_object *held, const struct bng_route_object *next);

int bng_map_filter_write(
	struct bng_kern *kern, const struct bng_filter_object *held, const struct bng_filter_object *next);

/* NULL: every class has the default. */
int bng_map_guard_write(struct bng_kern *kern, const struct bng_guard_object *guard);

/* ports and tx_ports from the interface alone (no policy yet) or with the object's policy. change: what is
 * about to be committed, NULL if nothing is. */
int bng_map_port_refresh(struct bng_kern *kern, const struct bng_state *state,
	const struct bng_change *change, uint32_t index, const struct bng_port_object *object);

/* Where a packet to this address goes: next hop entry of its route; -ENOENT without one. */
int bng_map_route_lookup(
	const struct bng_kern *kern, uint32_t vrf, bng_ip4 address, struct bng_next_hop *ret);

/* Makes the maps equal to the state after adoption. */
int bng_map_policy_reconcile(struct bng_kern *kern, const struct bng_state *state, uint32_t *ret_repaired);

#endif
