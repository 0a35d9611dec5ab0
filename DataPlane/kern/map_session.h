/* SPDX-License-Identifier: Apache-2.0 */
/* Typed access to sessions, session_addresses, session_state, session_counters, policers, ppp_state, and to
 * the routes of sessions in routes4. */
#ifndef BNG_MAP_SESSION_H
#define BNG_MAP_SESSION_H

#include "kern.h"
#include "store.h"

/* Writes next in place of held (either may be NULL). Sets next->ends_ns. Where it fails, what was there is
 * put back as far as the kernel lets it. */
int bng_map_session_write(struct bng_kern *kern, const struct bng_session_object *held,
	struct bng_session_object *next, const struct bng_clock *clock);

/*
 * Stores the counters so far as final ones, added to *ret_earlier: those of this id that nobody acknowledged
 * yet. -E2BIG: no room.
 */
int bng_map_session_keep_final(struct bng_kern *kern, const struct bng_session_object *session,
	const struct bng_clock *clock, struct bng_final *ret_earlier, struct bng_final *ret);

/* After its entries are gone: the exact final counters; then the slot is wiped. */
int bng_map_session_release(struct bng_kern *kern, const struct bng_session_object *session,
	const struct bng_clock *clock, const struct bng_final *earlier, struct bng_final *ret);

/* The slot starts anew: buckets full, counters zero, active now. owner 0: it is free. */
int bng_map_session_wipe(struct bng_kern *kern, uint32_t slot, uint64_t owner, uint64_t expires_ns,
	const struct bng_clock *clock);

/* When the lease of a session that is new ends, in boot time: never, without a lease to end. */
uint64_t bng_map_session_lease_ns(const struct bng_session_object *session, const struct bng_clock *clock);

/* The lease's end as it stands now; 0: there is none. */
uint64_t bng_map_session_expires_ms(
	const struct bng_kern *kern, const struct bng_session_object *session, const struct bng_clock *clock);

/* Sum over CPUs. */
int bng_map_session_counters(struct bng_kern *kern, uint32_t slot, struct bng_session_counters *ret);

/* Session of a line key in the kernel's map; -ENOENT. */
int bng_map_session_get(const struct bng_kern *kern, const struct bng_line_key *key, struct bng_session *ret);

/* Makes the maps equal to the state after adoption; keeps what the programs own (lease times, renewals). */
int bng_map_session_reconcile(struct bng_kern *kern, struct bng_state *state, const struct bng_clock *clock,
	uint32_t *ret_repaired);

#endif
