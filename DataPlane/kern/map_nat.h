/* SPDX-License-Identifier: Apache-2.0 */
/* Typed access to the maps of NAT: what sessions are granted, their forwards, policies; and taking away what
 * has ended. */
#ifndef BNG_MAP_NAT_H
#define BNG_MAP_NAT_H

#include "kern.h"

/* Either may be NULL. */
int bng_map_nat_policy_write(struct bng_kern *kern, const struct bng_nat_policy_object *held,
	const struct bng_nat_policy_object *next);

/* The grant: before the session's entry says that it is translated. */
int bng_map_nat_put(struct bng_kern *kern, const struct bng_session_object *session);
/* Its forwards, or the whole address: after it. A mapping that the programs made and that stands in the way
 * of one goes. */
int bng_map_nat_put_forwards(struct bng_kern *kern, const struct bng_session_object *session);
/* What held has and next (NULL: none) has not. */
int bng_map_nat_drop(
	struct bng_kern *kern, const struct bng_session_object *held, const struct bng_session_object *next);
/* The slot's counts start anew. */
void bng_map_nat_wipe(struct bng_kern *kern, uint32_t slot, uint64_t owner);

/*
 * Takes away the entries (at most BNG_NAT_REAP_MAX) that have not been used since seen_ns was read. How many
 * it were, or a negative errno.
 */
int bng_map_nat_reap(struct bng_kern *kern, const struct bng_nat_reap *records, uint32_t count);

/* A frame through the program of a port, as if it had come in there. */
int bng_map_nat_reinject(struct bng_kern *kern, uint32_t port, const uint8_t *frame, uint32_t size);
/* Whether the first fragment of that sender (0: the core) has been seen, and not too long ago to be followed.
 */
bool bng_map_nat_has_fragment(const struct bng_kern *kern, const struct bng_nat_fragment_key *key,
	uint64_t sender_id, uint64_t now_ns);

/* Makes grants, policies and forwards equal to the state after adoption. Mappings are the sweep's. */
int bng_map_nat_reconcile(struct bng_kern *kern, const struct bng_state *state, uint32_t *ret_repaired);

#endif
