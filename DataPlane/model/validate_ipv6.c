// SPDX-License-Identifier: Apache-2.0
// Ranges of what IPv6 adds: addresses and prefixes, the IPv6 part of ports, and that of sessions.
#include "validate.h"

#include <string.h>

enum {
	VALID_MIN = 60,
	ADVERTISEMENT_MIN = 16, /* RFC 4861 4.2: without options */
	INTERVAL_MIN = 4,       /* RFC 4861 6.2.1: MaxRtrAdvInterval */
	INTERVAL_MAX = 1800,
};

bool bng_is_link_local(const struct bng_ip6 *address)
{
	return be64toh(address->high) >> 54 == 0xfe80 >> 6;
}

bool bng_is_routable(const struct bng_ip6 *address)
{
	uint64_t first = be64toh(address->high) >> 56;

	return first != 0 && first != 0xff && !bng_is_link_local(address);
}

bool bng_has_host_bits6(const struct bng_ip6 *address, uint32_t length)
{
	struct bng_ip6 mask = bng_mask6(length);

	return ((address->high & ~mask.high) | (address->low & ~mask.low)) != 0;
}

int bng_validate_port_ipv6(const struct bng_port_object *port, struct bng_refusal *refusal)
{
	uint32_t i;

	if (port->role == BNG_ROLE_CORE && port->has_link_local)
		return bng_refuse(refusal, BNG_INVALID, "11.8", "ipv6_link_local belongs to access ports");
	if (port->role == BNG_ROLE_CORE && port->refused_count)
		return bng_refuse(
			refusal, BNG_INVALID, "11.9", "refused_extension_headers belong to access ports");
	if (port->has_link_local && !bng_is_link_local(&port->link_local))
		return bng_refuse(refusal, BNG_INVALID, "11.8", "not in fe80::/10");
	for (i = 0; i < port->refused_count; i++)
		if (port->refused[i] > UINT8_MAX || (i && port->refused[i] <= port->refused[i - 1]))
			return bng_refuse(refusal, BNG_INVALID, "11.9",
				"next-header values are at most %d, and ascend", UINT8_MAX);
	return 0;
}

static bool is_same(const struct bng_prefix6_object *a, const struct bng_prefix6_object *b)
{
	return a->length == b->length && !memcmp(&a->address, &b->address, sizeof(a->address));
}

static int check_prefix(const struct bng_ipv6_object *ipv6, uint32_t i, struct bng_refusal *refusal)
{
	const struct bng_prefix6_object *prefix = &ipv6->prefixes[i];
	struct bng_ip6 last = prefix->address, mask;
	uint32_t j;

	if (prefix->length < 1 || prefix->length > 128)
		return bng_refuse(
			refusal, BNG_INVALID, "17.11.1", "the length of prefix %u is not 1 to 128", i);
	if (bng_has_host_bits6(&prefix->address, prefix->length))
		return bng_refuse(refusal, BNG_INVALID, "17.11.1", "prefix %u has host bits", i);
	mask = bng_mask6(prefix->length);
	last.high |= ~mask.high;
	last.low |= ~mask.low;
	if (!bng_is_routable(&prefix->address) || !bng_is_routable(&last))
		return bng_refuse(refusal, BNG_INVALID, "17.11.1",
			"prefix %u holds addresses that are not routable", i);
	for (j = 0; j < i; j++)
		if (is_same(&ipv6->prefixes[j], prefix))
			return bng_refuse(refusal, BNG_INVALID, "17.11.1", "prefix %u stands twice", i);
	return 0;
}

static int check_advertisement(const struct bng_ipv6_object *ipv6, struct bng_refusal *refusal)
{
	uint32_t length = ipv6->advertisement_length, interval = ipv6->advertisement_interval_seconds;

	if (length && (length < ADVERTISEMENT_MIN || memcmp(ipv6->bytes, "\x86\0\0\0", 4) != 0))
		return bng_refuse(refusal, BNG_INVALID, "17.11.5",
			"an advertisement is %d to %d bytes that begin with 134, 0, 0, 0", ADVERTISEMENT_MIN,
			BNG_ADVERTISEMENT_MAX);
	if (interval && (!length || interval < INTERVAL_MIN || interval > INTERVAL_MAX))
		return bng_refuse(refusal, BNG_INVALID, "17.11.6",
			"the interval is 0 or %d to %d s, and 0 without an advertisement", INTERVAL_MIN,
			INTERVAL_MAX);
	return 0;
}

static bool is_of_session(const struct bng_ipv6_object *ipv6, const struct bng_prefix6_object *resource)
{
	uint32_t i;

	for (i = 0; i < ipv6->prefix_count; i++)
		if (is_same(&ipv6->prefixes[i], resource))
			return true;
	return false;
}

static int check_association(const struct bng_ipv6_object *ipv6, uint32_t i, struct bng_refusal *refusal)
{
	const struct bng_association_object *all = ipv6->associations, *one = &all[i];
	const char *path = "17.11.7.3";
	uint32_t j;

	if (one->kind != BNG_IA_NA && one->kind != BNG_IA_PD)
		return bng_refuse(
			refusal, BNG_INVALID, path, "kind is %d (IA_NA) or %d (IA_PD)", BNG_IA_NA, BNG_IA_PD);
	if (one->kind == BNG_IA_NA && one->resource.length != 128)
		return bng_refuse(refusal, BNG_INVALID, path, "the resource of an IA_NA has a length of 128");
	if (!is_of_session(ipv6, &one->resource))
		return bng_refuse(refusal, BNG_INVALID, path,
			"the resource of association %u is none of the prefixes", i);
	for (j = 0; j < i; j++)
		if (all[j].kind == one->kind && all[j].iaid == one->iaid)
			return bng_refuse(refusal, BNG_INVALID, path, "association %u stands twice", i);
	return 0;
}

static int check_dhcp(const struct bng_ipv6_object *ipv6, struct bng_refusal *refusal)
{
	uint32_t i;
	int err = 0;

	if (!ipv6->association_count)
		return bng_refuse(refusal, BNG_INVALID, "17.11.7.3", "associations are 1 to %d",
			BNG_DHCP6_ASSOCIATIONS_MAX);
	for (i = 0; i < ipv6->association_count && !err; i++)
		err = check_association(ipv6, i, refusal);
	if (!err && !ipv6->reply_length)
		err = bng_refuse(refusal, BNG_INVALID, "17.11.7.4", "reply_options are 1 to %d bytes",
			BNG_DHCP6_REPLY_MAX);
	return err;
}

/* The node sees the relay on the line, and neither its client's solicitations nor its Renews. */
static int check_relayed(const struct bng_ipv6_object *ipv6, struct bng_refusal *refusal)
{
	if (ipv6->advertisement_length)
		return bng_refuse(refusal, BNG_INVALID, "17.11.5",
			"behind a layer-3 relay there is no line to advertise to");
	if (ipv6->has_dhcp)
		return bng_refuse(refusal, BNG_INVALID, "17.11.7",
			"behind a layer-3 relay the controller answers every Renew");
	return 0;
}

int bng_validate_session_ipv6(const struct bng_session_object *session, struct bng_refusal *refusal)
{
	const struct bng_ipv6_object *ipv6 = &session->ipv6;
	uint32_t i;
	int err = 0;

	if (!ipv6->prefix_count)
		return bng_refuse(
			refusal, BNG_INVALID, "17.11.1", "prefixes are 1 to %d", BNG_SESSION_PREFIXES_MAX);
	for (i = 0; i < ipv6->prefix_count && !err; i++)
		err = check_prefix(ipv6, i, refusal);
	if (!err && ipv6->valid_seconds < VALID_MIN)
		err = bng_refuse(refusal, BNG_INVALID, "17.11.3", "valid_seconds is at least %d", VALID_MIN);
	if (!err)
		err = check_advertisement(ipv6, refusal);
	if (!err && ipv6->has_dhcp)
		err = check_dhcp(ipv6, refusal);
	if (!err && session->line.relay_address)
		err = check_relayed(ipv6, refusal);
	return err;
}
