// SPDX-License-Identifier: Apache-2.0
// After adoption: what a crash between two writes left in the session maps is repaired, without touching
// entries that are right.
#include "map_session.h"

#include "alloc.h"
#include "entry.h"
#include "map_nat.h"
#include "map_session6.h"
#include "state_internal.h"
#include "walk.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

struct entries {
	uint8_t *items; /* key and value, one after the other */
	size_t item_size;
	size_t key_size;
	size_t count;
	size_t capacity;
};

static int keep_item(void *context, const void *key, const void *value)
{
	struct entries *entries = context;

	if (entries->count == entries->capacity) {
		size_t capacity = entries->capacity ? entries->capacity * 2 : 1024;
		uint8_t *items = bng_realloc(entries->items, capacity * entries->item_size);

		if (!items)
			return -ENOMEM;
		entries->items = items;
		entries->capacity = capacity;
	}
	memcpy(entries->items + entries->count * entries->item_size, key, entries->key_size);
	memcpy(entries->items + entries->count * entries->item_size + entries->key_size, value,
		entries->item_size - entries->key_size);
	entries->count++;
	return 0;
}

static int read_all(int map, struct entries *entries, size_t key_size, size_t value_size)
{
	*entries = (struct entries){.item_size = key_size + value_size, .key_size = key_size};
	return bng_walk_map(map, (uint32_t)key_size, (uint32_t)value_size, keep_item, entries);
}

/* Marks the sessions whose entry stands under the right key, and removes all others. Adopts their end time.
 */
static int check_sessions(struct bng_kern *kern, struct bng_state *state, uint8_t *right, uint32_t *repaired)
{
	int map = kern->maps[BNG_MAP_sessions];
	struct entries entries;
	size_t i;
	int err = read_all(map, &entries, sizeof(struct bng_line_key), sizeof(struct bng_session));

	for (i = 0; i < entries.count && !err; i++) {
		uint8_t *item = entries.items + i * entries.item_size;
		struct bng_session_object *session;
		struct bng_line_key expected;
		struct bng_session value, wanted;

		memcpy(&value, item + sizeof(expected), sizeof(value));
		session = (void *)bng_state_get(state, BNG_FAMILY_SESSION, value.session_id);
		if (session)
			expected = bng_entry_line_key(session);
		if (!session || memcmp(&expected, item, sizeof(expected)) != 0) {
			err = bpf_map_delete_elem(map, item) && errno != ENOENT ? -errno : 0;
			(*repaired)++;
			continue;
		}
		if (value.generation == session->head.generation)
			session->ends_ns = value.ends_ns;
		bng_entry_session(session, &wanted);
		right[session->head.index] = !memcmp(&wanted, &value, sizeof(wanted));
	}
	bng_free(entries.items);
	return err;
}

static int check_addresses(struct bng_kern *kern, struct bng_state *state, uint8_t *right, uint32_t *repaired)
{
	int map = kern->maps[BNG_MAP_session_addresses];
	struct entries entries;
	size_t i;
	int err = read_all(map, &entries, sizeof(struct bng_address_key), sizeof(struct bng_line_key));

	for (i = 0; i < entries.count && !err; i++) {
		uint8_t *item = entries.items + i * entries.item_size;
		struct bng_session_object *session;
		struct bng_line_key expected;
		uint64_t holder;

		if (!bng_hash_table_get(&state->addresses, item, &holder)) {
			err = bpf_map_delete_elem(map, item) && errno != ENOENT ? -errno : 0;
			(*repaired)++;
			continue;
		}
		session = bng_pointer_of(holder);
		expected = bng_entry_line_key(session);
		right[session->head.index] =
			!memcmp(&expected, item + sizeof(struct bng_address_key), sizeof(expected));
	}
	bng_free(entries.items);
	return err;
}

static int rewrite(struct bng_kern *kern, struct bng_session_object *session, const struct bng_clock *clock)
{
	struct bng_line_key line = bng_entry_line_key(session);
	struct bng_address_key address = bng_entry_address_key(session);
	struct bng_session value;

	if (!session->ends_ns)
		session->ends_ns = bng_boot_ns(clock, session->ends_unix_ms);
	bng_entry_session(session, &value);
	if (bpf_map_update_elem(kern->maps[BNG_MAP_sessions], &line, &value, BPF_ANY))
		return -errno;
	if (session->has_ipv4 &&
		bpf_map_update_elem(kern->maps[BNG_MAP_session_addresses], &address, &line, BPF_ANY))
		return -errno;
	return 0;
}

/* Written in any case: a look-up answers with the longest prefix, which may be another one that is right. */
static int check_framed(struct bng_kern *kern, const struct bng_session_object *session, uint32_t *repaired)
{
	struct bng_route wanted = bng_entry_framed(session), value;
	int map = kern->maps[BNG_MAP_routes4];
	uint32_t i;

	for (i = 0; i < session->framed_count; i++) {
		struct bng_route_key key = bng_entry_framed_key(session, i);

		if (bpf_map_lookup_elem(map, &key, &value) || memcmp(&value, &wanted, sizeof(value)) != 0)
			(*repaired)++;
		if (bpf_map_update_elem(map, &key, &wanted, BPF_ANY))
			return -errno;
	}
	return 0;
}

/* A slot with another owner than the session that should have it starts from the object's own lease. */
static bool check_slot(struct bng_kern *kern, const struct bng_session_object *session, uint32_t slot,
	const struct bng_clock *clock)
{
	const struct bng_session_state *state = &kern->session_state[slot];
	uint64_t owner = session ? session->head.id : 0;

	if (state->session_id == owner)
		return true;
	(void)bng_map_session_wipe(
		kern, slot, owner, session ? bng_map_session_lease_ns(session, clock) : 0, clock);
	return false;
}

int bng_map_session_reconcile(
	struct bng_kern *kern, struct bng_state *state, const struct bng_clock *clock, uint32_t *ret_repaired)
{
	uint8_t *lines = bng_alloc_zero((size_t)kern->max_sessions + 1, 1);
	uint8_t *addresses = bng_alloc_zero((size_t)kern->max_sessions + 1, 1);
	uint32_t slot;
	int err = lines && addresses ? 0 : -ENOMEM;

	if (!err)
		err = check_sessions(kern, state, lines, ret_repaired);
	if (!err)
		err = check_addresses(kern, state, addresses, ret_repaired);
	for (slot = 1; slot <= kern->max_sessions && !err; slot++) {
		struct bng_session_object *session = state->by_slot[slot];

		if (!check_slot(kern, session, slot, clock))
			(*ret_repaired)++;
		if (!session)
			continue;
		if (!lines[slot] || (!addresses[slot] && session->has_ipv4)) {
			err = rewrite(kern, session, clock);
			(*ret_repaired)++;
		}
		if (!err)
			err = check_framed(kern, session, ret_repaired);
	}
	if (!err)
		err = bng_map_session6_reconcile(kern, state, clock, ret_repaired);
	if (!err)
		err = bng_map_nat_reconcile(kern, state, ret_repaired);
	bng_free(lines);
	bng_free(addresses);
	return err;
}
