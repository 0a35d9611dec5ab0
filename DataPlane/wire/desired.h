/* SPDX-License-Identifier: Apache-2.0 */
/* Desired-state objects from the wire to the model: criticality, digest, values. */
#ifndef BNG_DESIRED_H
#define BNG_DESIRED_H

#include "digest.h"
#include "refusal.h"

#include "bng/agent/v1/desired.pb-c.h"

/*
 * Fills *ret_object. -EINVAL with *refusal: nothing may be done with the object (UNSUPPORTED, no body).
 * *ret_malformed: a value of the wrong length, to be judged after the generation (docs/contract.md, section
 * 5).
 */
int bng_desired_object(const Bng__Agent__V1__Object *message, struct bng_digester *digester,
	union bng_any_object *ret_object, struct bng_refusal *ret_malformed, struct bng_refusal *refusal);

/* The body's family, 0 if there is none this version knows. */
enum bng_family bng_desired_family(const Bng__Agent__V1__Object *message);

#endif
