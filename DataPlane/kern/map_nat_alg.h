/* SPDX-License-Identifier: Apache-2.0 */
/* Typed access to what the gateways of NAT need: who is behind a port, what was changed of a connection, and
 * mappings of their own. */
#ifndef BNG_MAP_NAT_ALG_H
#define BNG_MAP_NAT_ALG_H

#include "kern.h"

/* The public side of an inside address and port, and back. False: there is none of that session. */
bool bng_map_nat_outside(const struct bng_kern *kern, const struct bng_nat_key *inside, uint64_t session_id,
	struct bng_nat_key *ret);
bool bng_map_nat_inside(const struct bng_kern *kern, const struct bng_nat_key *outside, uint64_t session_id,
	struct bng_nat_reverse *ret);

/*
 * A mapping of TCP for `opening`, or the one there is, and a way in for its peer, by the program that makes
 * mappings; ret_port in network order. -ENOSPC: no port, connection or room is left.
 */
int bng_map_nat_open(struct bng_kern *kern, const struct bng_nat_opening *opening, uint32_t slot,
	uint64_t session_id, __be16 *ret_port);

bool bng_map_nat_alg_get(
	const struct bng_kern *kern, const struct bng_nat_flow_key *key, struct bng_nat_alg *ret);
int bng_map_nat_alg_put(
	struct bng_kern *kern, const struct bng_nat_flow_key *key, const struct bng_nat_alg *alg);
void bng_map_nat_alg_drop(struct bng_kern *kern, const struct bng_nat_flow_key *key);
/* Those whose connection is no more, or closed for 10 s, go; the others of each slot are counted. */
void bng_map_nat_alg_sweep(struct bng_kern *kern, uint64_t now_ns, uint8_t *ret_counts);

#endif
