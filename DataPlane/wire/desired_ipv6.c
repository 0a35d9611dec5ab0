// SPDX-License-Identifier: Apache-2.0
// IPv6 addresses and the IPv6 part of sessions, from the wire to the model.
#include "desired_internal.h"

#include <string.h>

enum { DUID_MIN = 3, DUID_MAX = 130 }; /* RFC 8415 11.1, with the type's two bytes */

void bng_take_ip6(
	ProtobufCBinaryData bytes, const char *path, struct bng_ip6 *ret, struct bng_refusal *malformed)
{
	*ret = (struct bng_ip6){0};
	if (bytes.len == sizeof(*ret))
		memcpy(ret, bytes.data, sizeof(*ret));
	else
		complain(malformed, BNG_INVALID, path, "an IPv6 address has 16 bytes, not %zu", bytes.len);
}

bool bng_take_optional_ip6(
	ProtobufCBinaryData bytes, const char *path, struct bng_ip6 *ret, struct bng_refusal *malformed)
{
	if (!bytes.len)
		return false;
	bng_take_ip6(bytes, path, ret, malformed);
	return true;
}

static void take_prefix(const Bng__Agent__V1__IPv6Prefix *message, const char *path,
	struct bng_prefix6_object *prefix, struct bng_refusal *malformed)
{
	bng_take_ip6(message->address, path, &prefix->address, malformed);
	prefix->length = message->length;
}

static void take_prefixes(const Bng__Agent__V1__SessionIPv6 *message, struct bng_ipv6_object *ipv6,
	struct bng_refusal *malformed)
{
	uint32_t i;

	if (message->n_prefixes > BNG_SESSION_PREFIXES_MAX) {
		complain(malformed, BNG_INVALID, "17.11.1", "at most %d prefixes", BNG_SESSION_PREFIXES_MAX);
		return;
	}
	ipv6->prefix_count = (uint32_t)message->n_prefixes;
	for (i = 0; i < ipv6->prefix_count; i++)
		take_prefix(message->prefixes[i], "17.11.1", &ipv6->prefixes[i], malformed);
}

static uint32_t take_bytes(
	ProtobufCBinaryData bytes, const char *path, size_t limit, uint8_t *to, struct bng_refusal *malformed)
{
	if (bytes.len > limit) {
		complain(malformed, BNG_INVALID, path, "at most %zu bytes, not %zu", limit, bytes.len);
		return 0;
	}
	if (bytes.len)
		memcpy(to, bytes.data, bytes.len);
	return (uint32_t)bytes.len;
}

static uint64_t take_duid(ProtobufCBinaryData bytes, const char *path, struct bng_refusal *malformed)
{
	if (bytes.len < DUID_MIN || bytes.len > DUID_MAX) {
		complain(malformed, BNG_INVALID, path, "a DUID has %d to %d bytes, not %zu", DUID_MIN,
			DUID_MAX, bytes.len);
		return 0;
	}
	return bng_bytes_hash(bytes.data, (uint32_t)bytes.len);
}

static void take_associations(const Bng__Agent__V1__SessionDHCPv6 *message, struct bng_ipv6_object *ipv6,
	struct bng_refusal *malformed)
{
	const char *path = "17.11.7.3";
	uint32_t i;

	if (message->n_associations > BNG_DHCP6_ASSOCIATIONS_MAX) {
		complain(malformed, BNG_INVALID, path, "at most %d associations", BNG_DHCP6_ASSOCIATIONS_MAX);
		return;
	}
	ipv6->association_count = (uint32_t)message->n_associations;
	for (i = 0; i < ipv6->association_count; i++) {
		const Bng__Agent__V1__DHCPv6Association *association = message->associations[i];

		ipv6->associations[i].kind = association->kind;
		ipv6->associations[i].iaid = association->iaid;
		if (association->resource)
			take_prefix(association->resource, path, &ipv6->associations[i].resource, malformed);
		else
			complain(malformed, BNG_INVALID, path, "association %u has no resource", i);
	}
}

void bng_take_session_ipv6(const Bng__Agent__V1__SessionIPv6 *message, struct bng_session_object *session,
	struct bng_refusal *malformed)
{
	struct bng_ipv6_object *ipv6 = &session->ipv6;

	session->has_ipv6 = message != NULL;
	if (!message)
		return;
	take_prefixes(message, ipv6, malformed);
	ipv6->lease_expires_unix_ms = message->lease_expires_unix_ms;
	ipv6->valid_seconds = message->valid_seconds;
	ipv6->activity_renews = message->activity_renews;
	ipv6->advertisement_interval_seconds = message->advertisement_interval_seconds;
	ipv6->advertisement_length = take_bytes(
		message->router_advertisement, "17.11.5", BNG_ADVERTISEMENT_MAX, ipv6->bytes, malformed);
	ipv6->has_dhcp = message->dhcpv6 != NULL;
	if (!message->dhcpv6)
		return;
	ipv6->client_id_hash = take_duid(message->dhcpv6->client_id, "17.11.7.1", malformed);
	ipv6->server_id_hash = take_duid(message->dhcpv6->server_id, "17.11.7.2", malformed);
	take_associations(message->dhcpv6, ipv6, malformed);
	ipv6->reply_length = take_bytes(message->dhcpv6->reply_options, "17.11.7.4", BNG_DHCP6_REPLY_MAX,
		ipv6->bytes + ipv6->advertisement_length, malformed);
}
