/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of one object's own fields (docs/contract.md, section 7, column INVALID), without looking at others.
 */
#ifndef BNG_VALIDATE_H
#define BNG_VALIDATE_H

#include "object.h"
#include "refusal.h"

#include <arpa/inet.h>
#include <endian.h>

/* 0, or -EINVAL with *refusal filled. */
int bng_validate(const union bng_any_object *object, struct bng_refusal *refusal);

int bng_validate_session(const struct bng_session_object *session, struct bng_refusal *refusal);
int bng_validate_session_pppoe(const struct bng_session_object *session, struct bng_refusal *refusal);
int bng_validate_pppoe_service(const struct bng_pppoe_service_object *service, struct bng_refusal *refusal);
int bng_validate_nat_policy(const struct bng_nat_policy_object *policy, struct bng_refusal *refusal);
int bng_validate_session_nat(const struct bng_session_object *session, struct bng_refusal *refusal);
int bng_validate_filter(const struct bng_filter_object *filter, struct bng_refusal *refusal);

int bng_validate_port_ipv6(const struct bng_port_object *port, struct bng_refusal *refusal);
int bng_validate_session_ipv6(const struct bng_session_object *session, struct bng_refusal *refusal);

/* "unicast" and "routable" of docs/contract.md, section 7. */
bool bng_is_unicast(bng_ip4 address);
bool bng_is_routable(const struct bng_ip6 *address);
bool bng_is_link_local(const struct bng_ip6 *address);
/* length is at most 128. */
bool bng_has_host_bits6(const struct bng_ip6 *address, uint32_t length);

/* Bits of an address that a prefix of this length (at most 32) does not cover, network order. */
static inline bng_ip4 bng_host_bits(uint32_t length)
{
	return htonl(length ? UINT32_MAX >> (length - 1) >> 1 : UINT32_MAX);
}

static inline uint64_t bng_high_bits(uint32_t count)
{
	return count ? UINT64_MAX << (64 - count) : 0;
}

/* Bits of an IPv6 address that a prefix of this length (at most 128) covers, network order. */
static inline struct bng_ip6 bng_mask6(uint32_t length)
{
	return (struct bng_ip6){
		.high = htobe64(bng_high_bits(length < 64 ? length : 64)),
		.low = htobe64(bng_high_bits(length < 64 ? 0 : length - 64)),
	};
}

#endif
