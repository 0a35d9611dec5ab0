// SPDX-License-Identifier: Apache-2.0
// PPPoE services, and the PPPoE part of sessions, from the wire to the model.
#include "desired_internal.h"

#include <string.h>

void bng_take_pppoe(const Bng__Agent__V1__SessionPPPoE *message, struct bng_session_object *session)
{
	session->has_pppoe = message != NULL;
	if (!message)
		return;
	session->line.pppoe_id = message->pppoe_id;
	session->ppp = (struct bng_ppp_object){
		.mtu_bytes = message->mtu_bytes,
		.local_magic = message->local_magic,
		.echo_interval_seconds = message->echo_interval_seconds,
		.echo_failures = message->echo_failures,
		.clamp_mss = message->clamp_mss,
	};
}

static void take_name(
	const char *text, const char *path, struct bng_pppoe_name *ret, struct bng_refusal *malformed)
{
	size_t length = text ? strlen(text) : 0;

	if (length > BNG_PPPOE_NAME_MAX) {
		complain(malformed, BNG_INVALID, path, "a name has 1 to %d bytes, not %zu",
			BNG_PPPOE_NAME_MAX, length);
		return;
	}
	ret->length = (uint32_t)length;
	if (length)
		memcpy(ret->bytes, text, length);
}

/* What is wrong with a key is said without the key. */
static void take_key(ProtobufCBinaryData bytes, const char *path, uint8_t ret[BNG_COOKIE_KEY_SIZE],
	struct bng_refusal *malformed)
{
	if (bytes.len == BNG_COOKIE_KEY_SIZE)
		memcpy(ret, bytes.data, BNG_COOKIE_KEY_SIZE);
	else
		complain(malformed, BNG_INVALID, path, "a key has %d bytes, not %zu", BNG_COOKIE_KEY_SIZE,
			bytes.len);
}

void bng_take_pppoe_service(const Bng__Agent__V1__PPPoEService *message,
	struct bng_pppoe_service_object *service, struct bng_refusal *malformed)
{
	size_t i;

	service->access_domain_id = message->access_domain_id;
	take_name(message->ac_name, "19.2", &service->ac_name, malformed);
	service->any_service = message->any_service;
	service->max_payload_bytes = message->max_payload_bytes;
	service->pado_delay_ms = message->pado_delay_ms;
	if (message->n_service_names > BNG_PPPOE_NAMES_MAX) {
		complain(malformed, BNG_INVALID, "19.3", "at most %d service names", BNG_PPPOE_NAMES_MAX);
		return;
	}
	service->name_count = (uint32_t)message->n_service_names;
	for (i = 0; i < message->n_service_names; i++)
		take_name(message->service_names[i], "19.3", &service->names[i], malformed);
	take_key(message->cookie_key, "19.7", service->cookie_key, malformed);
	service->has_previous_key = message->previous_cookie_key.len != 0;
	if (service->has_previous_key)
		take_key(message->previous_cookie_key, "19.8", service->previous_cookie_key, malformed);
}
