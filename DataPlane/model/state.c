// SPDX-License-Identifier: Apache-2.0
// Life of the state, and the two steps of a change: prepare, then commit or abort.
#include "state.h"

#include "alloc.h"
#include "state_internal.h"
#include "validate.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

static const size_t sizes[BNG_FAMILIES] = {
	[BNG_FAMILY_PORT] = sizeof(struct bng_port_object),
	[BNG_FAMILY_SERVER_IDENTITY] = sizeof(struct bng_identity_object),
	[BNG_FAMILY_POOL_TEMPLATE] = sizeof(struct bng_template_object),
	[BNG_FAMILY_NEXT_HOP] = sizeof(struct bng_next_hop_object),
	[BNG_FAMILY_ROUTE] = sizeof(struct bng_route_object),
	[BNG_FAMILY_GUARD_RATES] = sizeof(struct bng_guard_object),
	[BNG_FAMILY_SESSION] = sizeof(struct bng_session_object),
	[BNG_FAMILY_FILTER] = sizeof(struct bng_filter_object),
	[BNG_FAMILY_PPPOE_SERVICE] = sizeof(struct bng_pppoe_service_object),
	[BNG_FAMILY_NAT_POLICY] = sizeof(struct bng_nat_policy_object),
};

size_t bng_object_size(const struct bng_object *object)
{
	const struct bng_session_object *session = (const void *)object;

	if (object->family != BNG_FAMILY_SESSION)
		return sizes[object->family];
	if (!session->has_ipv6)
		return offsetof(struct bng_session_object, ipv6);
	return offsetof(struct bng_session_object, ipv6.bytes) + session->ipv6.advertisement_length +
	       session->ipv6.reply_length;
}

int bng_state_init(struct bng_state *state, uint32_t max_sessions, const uint64_t seed[2])
{
	int family;

	*state = (struct bng_state){.max_sessions = max_sessions};
	for (family = 1; family < BNG_FAMILIES; family++)
		bng_hash_table_init(&state->by_id[family], sizeof(uint64_t), seed);
	bng_hash_table_init(&state->lines, sizeof(struct bng_line_identity), seed);
	bng_hash_table_init(&state->addresses, sizeof(struct bng_address_key), seed);
	bng_hash_table_init(&state->own, sizeof(struct bng_address_key), seed);
	bng_hash_table_init(&state->services, sizeof(uint32_t), seed);
	bng_hash_table_init(&state->prefixes, sizeof(struct bng_route_key), seed);
	bng_hash_table_init(&state->prefixes6, sizeof(struct bng_route6_key), seed);
	bng_hash_table_init(&state->nat_pieces, sizeof(struct bng_nat_piece), seed);
	bng_hash_table_init(&state->nat_addresses, sizeof(struct bng_address_key), seed);
	bng_hash_table_init(&state->own6, sizeof(struct bng_address6_key), seed);
	state->by_slot = bng_alloc_zero((size_t)max_sessions + 1, sizeof(struct bng_session_object *));
	if (!state->by_slot || bng_index_pool_init(&state->templates, BNG_MAX_TEMPLATES - 1) ||
		bng_index_pool_init(&state->next_hops, BNG_MAX_NEXT_HOPS - 1) ||
		bng_index_pool_init(&state->filters, BNG_MAX_FILTERS - 1) ||
		bng_index_pool_init(&state->nat_policies, BNG_MAX_NAT_POLICIES - 1) ||
		bng_index_pool_init(&state->slots, max_sessions)) {
		bng_state_done(state);
		return -ENOMEM;
	}
	return 0;
}

void bng_state_done(struct bng_state *state)
{
	const void *key;
	uint64_t value;
	size_t cursor;
	int family;

	for (family = 1; family < BNG_FAMILIES; family++) {
		cursor = 0;
		while (bng_hash_table_next(&state->by_id[family], &cursor, &key, &value))
			bng_free(bng_pointer_of(value));
		bng_hash_table_done(&state->by_id[family]);
	}
	bng_hash_table_done(&state->lines);
	bng_hash_table_done(&state->addresses);
	bng_hash_table_done(&state->own);
	bng_hash_table_done(&state->services);
	bng_hash_table_done(&state->prefixes);
	bng_hash_table_done(&state->prefixes6);
	bng_hash_table_done(&state->nat_pieces);
	bng_hash_table_done(&state->nat_addresses);
	bng_hash_table_done(&state->own6);
	bng_index_pool_done(&state->templates);
	bng_index_pool_done(&state->next_hops);
	bng_index_pool_done(&state->filters);
	bng_index_pool_done(&state->nat_policies);
	bng_index_pool_done(&state->slots);
	bng_free(state->by_slot);
	state->by_slot = NULL;
}

int bng_state_add_port(struct bng_state *state, const char *name, uint32_t role)
{
	struct bng_local_port *port;

	if (state->port_count + 1 >= BNG_MAX_PORTS)
		return -ENOSPC;
	if (strlen(name) >= sizeof(port->name) || bng_state_port_index(state, name))
		return -EINVAL;
	port = &state->ports[++state->port_count];
	*port = (struct bng_local_port){.role = role};
	memcpy(port->name, name, strlen(name));
	return 0;
}

uint32_t bng_state_port_index(const struct bng_state *state, const char *name)
{
	uint32_t i;

	for (i = 1; i <= state->port_count; i++)
		if (!strcmp(state->ports[i].name, name))
			return i;
	return 0;
}

struct bng_object *bng_state_get(const struct bng_state *state, enum bng_family family, uint64_t id)
{
	uint64_t value;

	return bng_hash_table_get(&state->by_id[family], &id, &value) ? bng_pointer_of(value) : NULL;
}

static struct bng_index_pool *pool_of(struct bng_state *state, enum bng_family family)
{
	switch (family) {
	case BNG_FAMILY_POOL_TEMPLATE:
		return &state->templates;
	case BNG_FAMILY_NEXT_HOP:
		return &state->next_hops;
	case BNG_FAMILY_FILTER:
		return &state->filters;
	case BNG_FAMILY_NAT_POLICY:
		return &state->nat_policies;
	case BNG_FAMILY_SESSION:
		return &state->slots;
	default:
		return NULL;
	}
}

/* Steps 2 and 3 of docs/contract.md, section 5. Returns 1 if there is nothing to do. */
static int check_generation(
	const struct bng_object *held, const struct bng_object *next, struct bng_refusal *refusal)
{
	if (!next->id)
		return bng_refuse(refusal, BNG_INVALID, "1", "object_id is 0");
	if (!next->generation)
		return bng_refuse(refusal, BNG_INVALID, "2", "generation is 0");
	if (!held || held->generation < next->generation)
		return 0;
	if (held->generation > next->generation)
		return bng_refuse(refusal, BNG_STALE_GENERATION, "2", "generation %" PRIu64 " is held",
			held->generation);
	if (memcmp(held->digest, next->digest, BNG_DIGEST_SIZE) != 0)
		return bng_refuse(
			refusal, BNG_GENERATION_REUSED, "2", "this generation is held with other content");
	return 1;
}

static int check_all(const struct bng_state *state, const struct bng_object *held, union bng_any_object *next,
	const struct bng_refusal *malformed, struct bng_refusal *refusal)
{
	int err;

	if (malformed->code != BNG_OK) {
		*refusal = *malformed;
		return -EINVAL;
	}
	err = bng_validate(next, refusal);
	return err ? err : bng_state_check(state, held, next, refusal);
}

/* Gives the new object its index and its place in memory. */
static int build(struct bng_state *state, union bng_any_object *next, struct bng_change *ret,
	struct bng_refusal *refusal)
{
	struct bng_index_pool *pool = pool_of(state, next->head.family);

	if (bng_state_make_room(state))
		return -ENOMEM;
	ret->next = bng_duplicate(next, bng_object_size(&next->head));
	if (!ret->next)
		return -ENOMEM;
	if (ret->held) {
		ret->next->references = ret->held->references;
		if (pool)
			ret->next->index = ret->held->index;
	} else if (pool) {
		ret->next->index = bng_index_pool_take(pool, next->head.index);
		if (!ret->next->index) {
			bng_free(ret->next);
			ret->next = NULL;
			return bng_refuse(
				refusal, BNG_LIMIT, "", "at most %u objects of this family", pool->limit);
		}
	}
	return 0;
}

int bng_state_prepare(struct bng_state *state, const union bng_any_object *next,
	const struct bng_refusal *malformed, struct bng_change *ret_change, struct bng_refusal *refusal)
{
	struct bng_change change = {.held = bng_state_get(state, next->head.family, next->head.id)};
	union bng_any_object resolved;
	int err;

	err = check_generation(change.held, &next->head, refusal);
	if (err > 0) {
		*ret_change = change;
		return 0;
	}
	if (err)
		return err;
	memcpy(&resolved, next, sizes[next->head.family]);
	resolved.head.references = 0;
	err = check_all(state, change.held, &resolved, malformed, refusal);
	if (err)
		return err;
	err = build(state, &resolved, &change, refusal);
	if (err)
		return err;
	change.kind = change.held ? BNG_CHANGE_REPLACE : BNG_CHANGE_INSERT;
	*ret_change = change;
	return 0;
}

int bng_state_prepare_removal(struct bng_state *state, enum bng_family family, uint64_t id,
	uint64_t generation, struct bng_change *ret_change, struct bng_refusal *refusal)
{
	struct bng_object *held = bng_state_get(state, family, id);

	if (!generation)
		return bng_refuse(refusal, BNG_INVALID, "3", "generation is 0");
	if (held && held->generation > generation)
		return bng_refuse(refusal, BNG_STALE_GENERATION, "3", "generation %" PRIu64 " is held",
			held->generation);
	if (held && held->references)
		return bng_refuse(refusal, BNG_IN_USE, "2", "%u objects refer to it", held->references);
	*ret_change = (struct bng_change){.kind = held ? BNG_CHANGE_REMOVE : BNG_CHANGE_NONE, .held = held};
	return 0;
}

struct bng_object *bng_state_commit(struct bng_state *state, struct bng_change *change)
{
	struct bng_object *held = change->held, *next = change->next, *result = held;
	enum bng_family family;

	if (change->kind == BNG_CHANGE_NONE)
		return held;
	family = held ? held->family : next->family;
	state->changes[family]++;
	if (held)
		bng_state_unlink(state, held);
	if (held && next && family == BNG_FAMILY_SESSION) {
		/* Nobody refers to it by address, and the new one may be longer. */
		bng_free(held);
		result = next;
	} else if (held && next) {
		/* References to the old object stay good: its place holds the new one. */
		memcpy(held, next, bng_object_size(next));
		bng_free(next);
	} else if (next) {
		result = next;
	} else {
		if (pool_of(state, family))
			bng_index_pool_give(pool_of(state, family), held->index);
		bng_free(held);
		result = NULL;
	}
	if (result)
		bng_state_link(state, result);
	*change = (struct bng_change){0};
	return result;
}

void bng_state_abort(struct bng_state *state, struct bng_change *change)
{
	struct bng_object *next = change->next;

	if (change->kind == BNG_CHANGE_INSERT && pool_of(state, next->family))
		bng_index_pool_give(pool_of(state, next->family), next->index);
	if (next)
		bng_free(next);
	*change = (struct bng_change){0};
}
