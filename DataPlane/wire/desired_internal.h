/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of desired: how values are taken over, and how the first that is wrong is kept. */
#ifndef BNG_DESIRED_INTERNAL_H
#define BNG_DESIRED_INTERNAL_H

#include "object.h"
#include "refusal.h"

#include "bng/agent/v1/desired.pb-c.h"

/* Keeps the first complaint. */
#define complain(malformed, ...)                                                                             \
	do {                                                                                                 \
		if ((malformed)->code == BNG_OK)                                                             \
			(void)bng_refuse((malformed), __VA_ARGS__);                                          \
	} while (0)

void bng_take_ip4(ProtobufCBinaryData bytes, bool optional, const char *path, bng_ip4 *ret,
	struct bng_refusal *malformed);

void bng_take_ip6(
	ProtobufCBinaryData bytes, const char *path, struct bng_ip6 *ret, struct bng_refusal *malformed);
/* False, and *ret is left alone, if there are no bytes. */
bool bng_take_optional_ip6(
	ProtobufCBinaryData bytes, const char *path, struct bng_ip6 *ret, struct bng_refusal *malformed);

void bng_take_session(const Bng__Agent__V1__Session *message, struct bng_session_object *session,
	struct bng_refusal *malformed);
void bng_take_pppoe(const Bng__Agent__V1__SessionPPPoE *message, struct bng_session_object *session);
void bng_take_session_ipv6(const Bng__Agent__V1__SessionIPv6 *message, struct bng_session_object *session,
	struct bng_refusal *malformed);
void bng_take_pppoe_service(const Bng__Agent__V1__PPPoEService *message,
	struct bng_pppoe_service_object *service, struct bng_refusal *malformed);
void bng_take_nat_policy(const Bng__Agent__V1__NATPolicy *message, struct bng_nat_policy_object *policy,
	struct bng_refusal *malformed);
void bng_take_session_nat(const Bng__Agent__V1__SessionNAT *message, struct bng_session_object *session,
	struct bng_refusal *malformed);
void bng_take_filter(const Bng__Agent__V1__Filter *message, struct bng_filter_object *filter,
	struct bng_refusal *malformed);

#endif
