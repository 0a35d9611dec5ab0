// SPDX-License-Identifier: Apache-2.0
// A PPPoE service as the map's value: names as ready tags, keys as words.
#include "entry.h"

#include <string.h>

enum { SERVICE_NAME = 0x0101, AC_NAME = 0x0102, TAG_HEAD = 4 };

_Static_assert(BNG_PPPOE_AC_NAME_BYTES == TAG_HEAD + BNG_PPPOE_NAME_MAX, "the AC-Name tag fits");
_Static_assert(BNG_PPPOE_OFFERED_BYTES == BNG_PPPOE_NAMES_MAX * (TAG_HEAD + BNG_PPPOE_NAME_MAX), "names fit");

static uint16_t put_tag(uint8_t *at, uint16_t type, const struct bng_pppoe_name *name)
{
	at[0] = (uint8_t)(type >> 8);
	at[1] = (uint8_t)type;
	at[2] = (uint8_t)(name->length >> 8);
	at[3] = (uint8_t)name->length;
	memcpy(at + TAG_HEAD, name->bytes, name->length);
	return (uint16_t)(TAG_HEAD + name->length);
}

/* SipHash takes its key as little-endian words. */
static void put_key(__u64 ret[2], const uint8_t key[BNG_COOKIE_KEY_SIZE])
{
	int i;

	ret[0] = ret[1] = 0;
	for (i = 0; i < BNG_COOKIE_KEY_SIZE; i++)
		ret[i / 8] |= (__u64)key[i] << (8 * (i % 8));
}

void bng_entry_pppoe_service(const struct bng_pppoe_service_object *service, struct bng_pppoe_service *ret)
{
	uint32_t i;

	memset(ret, 0, sizeof(*ret));
	ret->access_domain_id = service->access_domain_id;
	ret->flags = service->any_service ? BNG_PPPOE_ANY_SERVICE : 0;
	ret->delay_ms = service->pado_delay_ms;
	ret->max_payload = (uint16_t)service->max_payload_bytes;
	put_key(ret->key, service->cookie_key);
	/* Two keys in any case, so that a cookie costs the same with and without a previous one. */
	put_key(ret->previous_key,
		service->has_previous_key ? service->previous_cookie_key : service->cookie_key);
	ret->ac_name_bytes = put_tag(ret->ac_name, AC_NAME, &service->ac_name);
	for (i = 0; i < service->name_count; i++) {
		const struct bng_pppoe_name *name = &service->names[i];

		ret->names[i] = (struct bng_pppoe_offer){
			.hash = bng_bytes_hash(name->bytes, name->length),
			.at = ret->offered_bytes,
			.bytes = (uint16_t)(TAG_HEAD + name->length),
		};
		ret->offered_bytes =
			(uint16_t)(ret->offered_bytes +
				   put_tag(ret->offered + ret->offered_bytes, SERVICE_NAME, name));
	}
	ret->name_count = (uint16_t)service->name_count;
}
