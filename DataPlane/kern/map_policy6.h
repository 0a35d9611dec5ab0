/* SPDX-License-Identifier: Apache-2.0 */
/* The IPv6 half of the small maps: own_addresses6, the routes of routes6 that are no session's, and where
 * ICMPv6 errors of a port come from. */
#ifndef BNG_MAP_POLICY6_H
#define BNG_MAP_POLICY6_H

#include "kern.h"

/* Own addresses of an identity, their /128 routes, and the ports of the VRFs whose own address this changes.
 */
int bng_map_own6_write(struct bng_kern *kern, const struct bng_state *state, const struct bng_change *change);

/* Only what of the two is of IPv6. */
int bng_map_route6_write(
	struct bng_kern *kern, const struct bng_route_object *held, const struct bng_route_object *next);

/* Where a packet to this address goes: next hop entry of its route; -ENOENT without one. */
int bng_map_route6_lookup(
	const struct bng_kern *kern, uint32_t vrf, const struct bng_ip6 *address, struct bng_next_hop *ret);

/* After adoption: removes what the state does not know, prefixes of sessions included. */
int bng_map_policy6_sweep(struct bng_kern *kern, const struct bng_state *state, uint32_t *ret_repaired);

#endif
