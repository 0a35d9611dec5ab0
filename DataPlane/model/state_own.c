// SPDX-License-Identifier: Apache-2.0
// What the BNG's own addresses will be once a change is committed.
#include "state_internal.h"

#include <string.h>

uint32_t bng_state_own_flags(
	const struct bng_state *state, const struct bng_address_key *key, const struct bng_change *change)
{
	struct bng_address_key touched;
	uint64_t counts = 0, weight;

	(void)bng_hash_table_get(&state->own, key, &counts);
	if (change && bng_own_address_of(change->held, &touched, &weight) &&
		!memcmp(&touched, key, sizeof(touched)))
		counts -= weight;
	if (change && bng_own_address_of(change->next, &touched, &weight) &&
		!memcmp(&touched, key, sizeof(touched)))
		counts += weight;
	return (uint32_t)((counts & UINT32_MAX ? BNG_OWN_GATEWAY : 0) | (counts >> 32 ? BNG_OWN_SERVER : 0));
}

bool bng_state_own_ipv6(
	const struct bng_state *state, uint32_t vrf, const struct bng_change *change, struct bng_ip6 *ret)
{
	const struct bng_identity_object *best = NULL, *next = change ? (const void *)change->next : NULL;
	const void *key;
	uint64_t value;
	size_t cursor = 0;

	if (next && next->head.family == BNG_FAMILY_SERVER_IDENTITY && next->has_ipv6 && next->vrf == vrf)
		best = next;
	while (bng_hash_table_next(&state->by_id[BNG_FAMILY_SERVER_IDENTITY], &cursor, &key, &value)) {
		const struct bng_identity_object *identity = bng_pointer_of(value);

		if (identity->has_ipv6 && identity->vrf == vrf &&
			!(change && change->held == &identity->head) &&
			(!best || identity->head.id < best->head.id))
			best = identity;
	}
	if (best)
		*ret = best->ipv6;
	return best != NULL;
}
