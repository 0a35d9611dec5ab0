// SPDX-License-Identifier: Apache-2.0
// The IPv6 part of sessions, and IPv6 routes, as keys and values of maps; every byte of the result is set.
#include "entry.h"

#include "state_internal.h"
#include "validate.h"

#include <string.h>

void bng_entry_session6(const struct bng_session_object *session, struct bng_session6 *ret)
{
	const struct bng_ipv6_object *ipv6 = &session->ipv6;
	uint32_t i;

	memset(ret, 0, sizeof(*ret));
	ret->session_id = session->head.id;
	ret->valid_ns = ipv6->valid_seconds * 1000000000ULL;
	ret->flags = (ipv6->activity_renews ? BNG_SESSION6_ACTIVITY_RENEWS : 0) |
		     (ipv6->prefix_count > BNG_INLINE_PREFIXES ? BNG_SESSION6_MORE_PREFIXES : 0) |
		     (ipv6->advertisement_length ? BNG_SESSION6_ADVERTISES : 0) |
		     (ipv6->has_dhcp ? BNG_SESSION6_DHCP : 0);
	ret->prefix_count =
		ipv6->prefix_count < BNG_INLINE_PREFIXES ? ipv6->prefix_count : BNG_INLINE_PREFIXES;
	for (i = 0; i < ret->prefix_count; i++)
		ret->prefixes[i] = (struct bng_prefix6){
			.address = ipv6->prefixes[i].address,
			.mask = bng_mask6(ipv6->prefixes[i].length),
		};
}

/* What bpf_csum_diff() makes of the bytes: words as they lie in memory, carries around the end. size: a
 * multiple of 4. */
static uint32_t sum_of(const uint8_t *bytes, size_t size)
{
	uint64_t sum = 0;
	uint32_t word;
	size_t i;

	for (i = 0; i < size; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		sum += word;
	}
	sum = (sum & UINT32_MAX) + (sum >> 32);
	return (uint32_t)((sum & UINT32_MAX) + (sum >> 32));
}

void bng_entry_advertisement(const struct bng_session_object *session, struct bng_advertisement *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->length = session->ipv6.advertisement_length;
	memcpy(ret->bytes, session->ipv6.bytes, ret->length);
	ret->sum = sum_of(ret->bytes, sizeof(ret->bytes));
}

void bng_entry_dhcp6_reply(const struct bng_session_object *session, struct bng_dhcp6_reply *ret)
{
	const struct bng_ipv6_object *ipv6 = &session->ipv6;
	uint32_t i;

	memset(ret, 0, sizeof(*ret));
	ret->client_id_hash = ipv6->client_id_hash;
	ret->server_id_hash = ipv6->server_id_hash;
	ret->association_count = ipv6->association_count;
	for (i = 0; i < ipv6->association_count; i++)
		ret->associations[i] = (struct bng_dhcp6_association){
			.kind = (uint16_t)ipv6->associations[i].kind,
			.length = (uint16_t)ipv6->associations[i].resource.length,
			.iaid = htonl(ipv6->associations[i].iaid),
			.address = ipv6->associations[i].resource.address,
		};
	ret->reply_length = ipv6->reply_length;
	memcpy(ret->reply, ipv6->bytes + ipv6->advertisement_length, ret->reply_length);
	ret->sum = sum_of(ret->reply, sizeof(ret->reply));
}

struct bng_route6_key bng_entry_prefix6_key(const struct bng_session_object *session, uint32_t i)
{
	return bng_prefix6_key_of(session, i);
}

void bng_entry_prefix6(const struct bng_session_object *session, uint32_t i, struct bng_route6 *ret)
{
	*ret = (struct bng_route6){
		.kind = BNG_ROUTE_SESSION,
		.line = bng_entry_line_key(session),
		.length = session->ipv6.prefixes[i].length,
	};
}

struct bng_route6_key bng_entry_route6_key(const struct bng_route_object *route)
{
	return bng_route6_key_of(route);
}

void bng_entry_route6(const struct bng_route_object *route, struct bng_route6 *ret)
{
	*ret = (struct bng_route6){
		.kind = route->kind,
		.next_hop = route->next_hop ? route->next_hop->head.index : 0,
		.length = route->prefix_length,
	};
}
