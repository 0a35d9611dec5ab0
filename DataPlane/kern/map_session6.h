/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The IPv6 half of a session: sessions6, advertisements, dhcp6_replies, session6_state, session6_counters,
 * and its prefixes in routes6. map_session.c says when; what is missing (no IPv6) is nothing to do.
 */
#ifndef BNG_MAP_SESSION6_H
#define BNG_MAP_SESSION6_H

#include "kern.h"

/* What the session's entry in sessions leads to: before that entry. */
int bng_map_session6_put(struct bng_kern *kern, const struct bng_session_object *session);
/* And after it: the prefixes that lead to the line. */
int bng_map_session6_put_routes(struct bng_kern *kern, const struct bng_session_object *session);

/* Prefixes of held that next (may be NULL) has not; and, once the session's entry has gone or says no more
 * that there is IPv6, what it led to. */
int bng_map_session6_drop_routes(
	struct bng_kern *kern, const struct bng_session_object *held, const struct bng_session_object *next);
int bng_map_session6_drop(
	struct bng_kern *kern, const struct bng_session_object *held, const struct bng_session_object *next);

/* The slot starts anew: counters zero, no lease, nobody's. */
int bng_map_session6_wipe(struct bng_kern *kern, uint32_t slot);

/* The lease of next in place of held's (NULL: the slot is new); and what it was, to be put back. */
struct bng_session6_lease {
	uint64_t owner;
	uint64_t expires_ns;
};
struct bng_session6_lease bng_map_session6_lease(const struct bng_kern *kern, uint32_t slot);
void bng_map_session6_set_lease(struct bng_kern *kern, const struct bng_session_object *held,
	const struct bng_session_object *next, const struct bng_clock *clock);
void bng_map_session6_restore_lease(
	struct bng_kern *kern, uint32_t slot, const struct bng_session6_lease *lease);

/* The lease's end moves on, never back; the programs may do the same at the same moment. */
void bng_map_session6_extend(struct bng_session6_state *state, uint64_t expires_ns);

/* The lease's end as it stands now, UTC; 0: there is none. */
uint64_t bng_map_session6_expires_ms(
	const struct bng_kern *kern, const struct bng_session_object *session, const struct bng_clock *clock);

/* Sum over CPUs. */
int bng_map_session6_counters(struct bng_kern *kern, uint32_t slot, struct bng_session6_counters *ret);

/* Makes the maps equal to the state after adoption; leases that run are kept. */
int bng_map_session6_reconcile(struct bng_kern *kern, const struct bng_state *state,
	const struct bng_clock *clock, uint32_t *ret_repaired);

#endif
