/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of one object's own fields (docs/contract.md, section 7, column INVALID), without looking at others.
 */
#ifndef BNG_VALIDATE_H
#define BNG_VALIDATE_H

#include "object.h"
#include "refusal.h"

#include <arpa/inet.h>

/* 0, or -EINVAL with *refusal filled. */
int bng_validate(const union bng_any_object *object, struct bng_refusal *refusal);

int bng_validate_session(const struct bng_session_object *session, struct bng_refusal *refusal);
int bng_validate_session_pppoe(const struct bng_session_object *session, struct bng_refusal *refusal);
int bng_validate_pppoe_service(const struct bng_pppoe_service_object *service, struct bng_refusal *refusal);
int bng_validate_filter(const struct bng_filter_object *filter, struct bng_refusal *refusal);

bool bng_is_unicast(bng_ip4 address);

/* Bits of an address that a prefix of this length (at most 32) does not cover, network order. */
static inline bng_ip4 bng_host_bits(uint32_t length)
{
	return htonl(length ? UINT32_MAX >> (length - 1) >> 1 : UINT32_MAX);
}

#endif
