// SPDX-License-Identifier: Apache-2.0
// After adoption: the IPv6 half of sessions as the state says, whatever a crash left. Each entry is read by
// its slot, and only a wrong one is written.
#include "map_session6.h"

#include "entry.h"
#include "walk.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

struct sweep {
	struct bng_kern *kern;
	const struct bng_state *state;
	enum bng_map map;
	uint32_t *repaired;
};

static bool belongs(enum bng_map map, const struct bng_session_object *session)
{
	if (!session || !session->has_ipv6)
		return false;
	return map == BNG_MAP_advertisements  ? session->ipv6.advertisement_length != 0
	       : map == BNG_MAP_dhcp6_replies ? session->ipv6.has_dhcp
					      : true;
}

static int drop_stranger(void *context, const void *key, const void *value)
{
	struct sweep *sweep = context;
	uint32_t slot;

	(void)value;
	memcpy(&slot, key, sizeof(slot));
	if (slot <= sweep->state->max_sessions && belongs(sweep->map, sweep->state->by_slot[slot]))
		return 0;
	(*sweep->repaired)++;
	return bpf_map_delete_elem(sweep->kern->maps[sweep->map], key) && errno != ENOENT ? -errno : 0;
}

static int drop_strangers(struct sweep *sweep)
{
	static const struct {
		enum bng_map map;
		uint32_t value_size;
	} maps[] = {
		{BNG_MAP_sessions6, sizeof(struct bng_session6)},
		{BNG_MAP_advertisements, sizeof(struct bng_advertisement)},
		{BNG_MAP_dhcp6_replies, sizeof(struct bng_dhcp6_reply)},
	};
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(maps) / sizeof(maps[0]) && !err; i++) {
		sweep->map = maps[i].map;
		err = bng_walk_keys(sweep->kern->maps[sweep->map], sizeof(uint32_t), maps[i].value_size,
			drop_stranger, sweep);
	}
	return err;
}

static bool is_held(const struct bng_kern *kern, enum bng_map map, uint32_t slot, const void *wanted,
	void *scratch, size_t size)
{
	return !bpf_map_lookup_elem(kern->maps[map], &slot, scratch) && !memcmp(scratch, wanted, size);
}

static bool is_right(const struct bng_kern *kern, const struct bng_session_object *session)
{
	struct bng_advertisement advertisement, held_advertisement;
	struct bng_dhcp6_reply reply, held_reply;
	struct bng_session6 value, held;
	uint32_t slot = session->head.index;

	bng_entry_session6(session, &value);
	if (!is_held(kern, BNG_MAP_sessions6, slot, &value, &held, sizeof(value)))
		return false;
	if (belongs(BNG_MAP_advertisements, session)) {
		bng_entry_advertisement(session, &advertisement);
		if (!is_held(kern, BNG_MAP_advertisements, slot, &advertisement, &held_advertisement,
			    sizeof(advertisement)))
			return false;
	}
	if (!belongs(BNG_MAP_dhcp6_replies, session))
		return true;
	bng_entry_dhcp6_reply(session, &reply);
	return is_held(kern, BNG_MAP_dhcp6_replies, slot, &reply, &held_reply, sizeof(reply));
}

static bool are_routes_right(const struct bng_kern *kern, const struct bng_session_object *session)
{
	struct bng_route6 wanted, held;
	struct bng_route6_key key;
	uint32_t i;

	for (i = 0; i < session->ipv6.prefix_count; i++) {
		key = bng_entry_prefix6_key(session, i);
		bng_entry_prefix6(session, i, &wanted);
		if (bpf_map_lookup_elem(kern->maps[BNG_MAP_routes6], &key, &held) ||
			memcmp(&held, &wanted, sizeof(held)) != 0)
			return false;
	}
	return true;
}

/* A slot with another owner than the session that should have it starts from the object's own lease. */
static void check_lease(struct sweep *sweep, const struct bng_session_object *session, uint32_t slot,
	const struct bng_clock *clock)
{
	uint64_t owner = session && session->has_ipv6 ? session->head.id : 0;

	if (sweep->kern->session6_state[slot].session_id == owner)
		return;
	(*sweep->repaired)++;
	if (!session)
		(void)bng_map_session6_wipe(sweep->kern, slot);
	else
		bng_map_session6_set_lease(sweep->kern, NULL, session, clock);
}

int bng_map_session6_reconcile(struct bng_kern *kern, const struct bng_state *state,
	const struct bng_clock *clock, uint32_t *ret_repaired)
{
	struct sweep sweep = {.kern = kern, .state = state, .repaired = ret_repaired};
	const struct bng_session_object *session;
	uint32_t slot;
	int err = drop_strangers(&sweep);

	for (slot = 1; slot <= kern->max_sessions && !err; slot++) {
		session = state->by_slot[slot];
		check_lease(&sweep, session, slot, clock);
		if (!session || !session->has_ipv6)
			continue;
		if (!is_right(kern, session)) {
			err = bng_map_session6_put(kern, session);
			(*ret_repaired)++;
		}
		/* A value has its prefix's length: no shorter one is taken for it. */
		if (!err && !are_routes_right(kern, session)) {
			err = bng_map_session6_put_routes(kern, session);
			(*ret_repaired)++;
		}
	}
	return err;
}
