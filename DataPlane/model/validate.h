/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of one object's own fields (docs/contract.md, section 7, column INVALID), without looking at others.
 */
#ifndef BNG_VALIDATE_H
#define BNG_VALIDATE_H

#include "object.h"
#include "refusal.h"

/* 0, or -EINVAL with *refusal filled. */
int bng_validate(const union bng_any_object *object, struct bng_refusal *refusal);

bool bng_is_unicast(bng_ip4 address);

#endif
