/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of one family in ascending id, for audit pages; sorted once, again only after a change. */
#ifndef BNG_AUDIT_H
#define BNG_AUDIT_H

#include "state.h"

struct bng_audit {
	const struct bng_object **objects;
	size_t count;
	enum bng_family family; /* 0: nothing sorted yet */
	uint64_t change;
};

void bng_audit_done(struct bng_audit *audit);

/*
 * The objects after after_id, *ret_first of *ret_count, valid until the next commit. -ENOMEM.
 */
int bng_audit_page(struct bng_audit *audit, const struct bng_state *state, enum bng_family family,
	uint64_t after_id, const struct bng_object *const **ret_first, size_t *ret_count);

#endif
