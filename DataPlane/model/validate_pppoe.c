// SPDX-License-Identifier: Apache-2.0
// Ranges of what PPPoE adds: the service of an access domain, and the PPP part of a session.
#include "validate.h"

#include <string.h>

enum {
	MAX_PAYLOAD_MIN = 1493, /* RFC 4638: the tag is for more than 1,492 */
	MAX_PAYLOAD_MAX = 9000,
	DELAY_MAX_MS = 10000,
	ID_MAX = 65534, /* RFC 2516 4: 0xffff is reserved */
	MTU_MIN = 64,
	MTU_MAX = 65535,
	ECHO_INTERVAL_MAX = 3600,
	ECHO_FAILURES_MAX = 255,
};

static bool is_same(const struct bng_pppoe_name *a, const struct bng_pppoe_name *b)
{
	return a->length == b->length && !memcmp(a->bytes, b->bytes, a->length);
}

static int check_names(const struct bng_pppoe_service_object *service, struct bng_refusal *refusal)
{
	uint32_t i, j;

	if (!service->ac_name.length)
		return bng_refuse(
			refusal, BNG_INVALID, "19.2", "ac_name is 1 to %d bytes", BNG_PPPOE_NAME_MAX);
	for (i = 0; i < service->name_count; i++) {
		if (!service->names[i].length)
			return bng_refuse(refusal, BNG_INVALID, "19.3",
				"the empty service name is always offered, and never listed");
		for (j = 0; j < i; j++)
			if (is_same(&service->names[i], &service->names[j]))
				return bng_refuse(
					refusal, BNG_INVALID, "19.3", "service name %u stands twice", i);
	}
	return 0;
}

int bng_validate_pppoe_service(const struct bng_pppoe_service_object *service, struct bng_refusal *refusal)
{
	if (!service->access_domain_id)
		return bng_refuse(refusal, BNG_INVALID, "19.1", "access_domain_id is missing");
	if (service->max_payload_bytes && (service->max_payload_bytes < MAX_PAYLOAD_MIN ||
						  service->max_payload_bytes > MAX_PAYLOAD_MAX))
		return bng_refuse(refusal, BNG_INVALID, "19.5", "max_payload_bytes is 0 or %d to %d",
			MAX_PAYLOAD_MIN, MAX_PAYLOAD_MAX);
	if (service->pado_delay_ms > DELAY_MAX_MS)
		return bng_refuse(refusal, BNG_INVALID, "19.6", "pado_delay_ms is at most %d", DELAY_MAX_MS);
	return check_names(service, refusal);
}

int bng_validate_session_pppoe(const struct bng_session_object *session, struct bng_refusal *refusal)
{
	const struct bng_ppp_object *ppp = &session->ppp;

	if (session->line.pppoe_id < 1 || session->line.pppoe_id > ID_MAX)
		return bng_refuse(refusal, BNG_INVALID, "17.10.1", "pppoe_id is 1 to %d", ID_MAX);
	if (ppp->mtu_bytes < MTU_MIN || ppp->mtu_bytes > MTU_MAX)
		return bng_refuse(refusal, BNG_INVALID, "17.10.2", "mtu_bytes is %d to %d", MTU_MIN, MTU_MAX);
	if (ppp->echo_interval_seconds > ECHO_INTERVAL_MAX)
		return bng_refuse(refusal, BNG_INVALID, "17.10.4", "echo_interval_seconds is at most %d",
			ECHO_INTERVAL_MAX);
	if (ppp->echo_interval_seconds ? ppp->echo_failures < 1 || ppp->echo_failures > ECHO_FAILURES_MAX
				       : ppp->echo_failures != 0)
		return bng_refuse(refusal, BNG_INVALID, "17.10.5",
			"echo_failures is 1 to %d with an interval, 0 without", ECHO_FAILURES_MAX);
	if (session->line.relay_address)
		return bng_refuse(refusal, BNG_INVALID, "17.1.7", "no relay stands between PPPoE peers");
	if (session->has_ipv4 && session->dhcp_fast_path)
		return bng_refuse(refusal, BNG_INVALID, "17.4.3", "PPPoE has no DHCP fast path");
	return 0;
}
