/* SPDX-License-Identifier: Apache-2.0 */
/* A prepared change written to the kernel: data maps first, the stored object last; removals the other way
 * round. */
#ifndef BNG_APPLY_H
#define BNG_APPLY_H

#include "bytes.h"
#include "kern.h"
#include "store.h"

/*
 * Between bng_state_prepare() and bng_state_commit(). packed: the object as it came. On error what was
 * written is undone as far as the kernel lets us; the audit finds the rest.
 */
int bng_kern_upsert(struct bng_kern *kern, const struct bng_state *state, const struct bng_change *change,
	struct bng_bytes packed, const struct bng_clock *clock);

/* *ret_final is filled for sessions. */
int bng_kern_remove(struct bng_kern *kern, const struct bng_state *state, const struct bng_change *change,
	const struct bng_clock *clock, struct bng_final *ret_final);

#endif
