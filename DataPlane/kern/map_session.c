// SPDX-License-Identifier: Apache-2.0
// A session's entries in the order that never leaves its line or address without one: new keys in, then old
// keys out.
#include "map_session.h"

#include "entry.h"
#include "map_entry.h"
#include "map_nat.h"
#include "map_session6.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

int bng_map_session_wipe(struct bng_kern *kern, uint32_t slot, uint64_t owner, uint64_t expires_ns,
	const struct bng_clock *clock)
{
	struct bng_session_state *state = &kern->session_state[slot];
	int err;

	memset(kern->counter_scratch, 0, kern->cpus * sizeof(struct bng_session_counters));
	err = bng_map_put(kern->maps[BNG_MAP_session_counters], &slot, kern->counter_scratch);
	if (!err)
		err = bng_map_session6_wipe(kern, slot);
	if (err)
		return err;
	memset(&kern->policers[(size_t)slot * BNG_DIRECTIONS], 0,
		BNG_DIRECTIONS * sizeof(struct bng_policer));
	bng_map_nat_wipe(kern, slot, owner);
	memset(&kern->ppp_state[slot], 0, sizeof(kern->ppp_state[slot]));
	memset(state, 0, sizeof(*state));
	if (!owner)
		return 0;
	state->active_ns = clock->boot_ns;
	__atomic_store_n(&state->expires_ns, expires_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&state->session_id, owner, __ATOMIC_RELEASE);
	return 0;
}

/* The programs may renew at the same moment: the later end wins. */
static void extend(struct bng_session_state *state, uint64_t expires_ns)
{
	__u64 held = __atomic_load_n(&state->expires_ns, __ATOMIC_RELAXED);

	while (held < expires_ns && !__atomic_compare_exchange_n(&state->expires_ns, &held, expires_ns, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static bool same_address(const struct bng_session_object *a, const struct bng_session_object *b)
{
	struct bng_address_key x = bng_entry_address_key(a), y = bng_entry_address_key(b);

	return a->has_ipv4 && b->has_ipv4 && !memcmp(&x, &y, sizeof(x));
}

static void set_lease(struct bng_kern *kern, const struct bng_session_object *held,
	const struct bng_session_object *next, uint64_t expires_ns)
{
	struct bng_session_state *state = &kern->session_state[next->head.index];

	/* PPPoE has no lease: neither end is the other's. */
	if (same_address(held, next) && held->has_pppoe == next->has_pppoe)
		extend(state, expires_ns);
	else
		__atomic_store_n(&state->expires_ns, expires_ns, __ATOMIC_RELAXED);
}

static int put_entries(struct bng_kern *kern, const struct bng_session_object *next)
{
	struct bng_line_key line = bng_entry_line_key(next);
	struct bng_address_key address = bng_entry_address_key(next);
	struct bng_route route = bng_entry_framed(next);
	struct bng_route_key key;
	struct bng_session value;
	uint32_t i;
	int err;

	bng_entry_session(next, &value);
	err = bng_map_session6_put(kern, next);
	if (!err)
		err = bng_map_nat_put(kern, next);
	if (!err)
		err = bng_map_put(kern->maps[BNG_MAP_sessions], &line, &value);
	if (!err && next->has_ipv4)
		err = bng_map_put(kern->maps[BNG_MAP_session_addresses], &address, &line);
	for (i = 0; i < next->framed_count && !err; i++) {
		key = bng_entry_framed_key(next, i);
		err = bng_map_put(kern->maps[BNG_MAP_routes4], &key, &route);
	}
	if (!err)
		err = bng_map_nat_put_forwards(kern, next);
	return err ? err : bng_map_session6_put_routes(kern, next);
}

static bool has_framed(const struct bng_session_object *session, const struct bng_route_key *key)
{
	struct bng_route_key own;
	uint32_t i;

	for (i = 0; session && i < session->framed_count; i++) {
		own = bng_entry_framed_key(session, i);
		if (!memcmp(&own, key, sizeof(own)))
			return true;
	}
	return false;
}

static int drop_framed(
	struct bng_kern *kern, const struct bng_session_object *held, const struct bng_session_object *next)
{
	struct bng_route_key key;
	uint32_t i;
	int err = 0;

	for (i = 0; i < held->framed_count && !err; i++) {
		key = bng_entry_framed_key(held, i);
		if (!has_framed(next, &key))
			err = bng_map_drop(kern->maps[BNG_MAP_routes4], &key);
	}
	return err;
}

static int drop_entries(
	struct bng_kern *kern, const struct bng_session_object *held, const struct bng_session_object *next)
{
	struct bng_line_key line = bng_entry_line_key(held), next_line;
	struct bng_address_key address = bng_entry_address_key(held);
	int err = bng_map_session6_drop_routes(kern, held, next);

	if (!err)
		err = drop_framed(kern, held, next);
	if (!err && held->has_ipv4 && !(next && same_address(held, next)))
		err = bng_map_drop(kern->maps[BNG_MAP_session_addresses], &address);
	if (next)
		next_line = bng_entry_line_key(next);
	if (!err && !(next && !memcmp(&line, &next_line, sizeof(line))))
		err = bng_map_drop(kern->maps[BNG_MAP_sessions], &line);
	if (!err)
		err = bng_map_nat_drop(kern, held, next);
	return err ? err : bng_map_session6_drop(kern, held, next);
}

static int replace(struct bng_kern *kern, const struct bng_session_object *held,
	struct bng_session_object *next, uint64_t expires_ns, const struct bng_clock *clock)
{
	struct bng_session_state *state = &kern->session_state[next->head.index];
	uint64_t before = __atomic_load_n(&state->expires_ns, __ATOMIC_RELAXED);
	struct bng_session6_lease before6 = bng_map_session6_lease(kern, next->head.index);
	int err;

	set_lease(kern, held, next, expires_ns);
	if (next->has_ipv6)
		bng_map_session6_set_lease(kern, held, next, clock);
	err = put_entries(kern, next);
	if (!err) {
		err = drop_entries(kern, held, next);
		if (!next->has_ipv6)
			bng_map_session6_set_lease(kern, held, next, clock);
		return err;
	}
	(void)put_entries(kern, held);
	(void)drop_entries(kern, next, held);
	__atomic_store_n(&state->expires_ns, before, __ATOMIC_RELAXED);
	bng_map_session6_restore_lease(kern, next->head.index, &before6);
	return err;
}

uint64_t bng_map_session_lease_ns(const struct bng_session_object *session, const struct bng_clock *clock)
{
	return session->has_pppoe ? UINT64_MAX : bng_boot_ns(clock, session->lease_expires_unix_ms);
}

uint64_t bng_map_session_expires_ms(
	const struct bng_kern *kern, const struct bng_session_object *session, const struct bng_clock *clock)
{
	const struct bng_session_state *state = &kern->session_state[session->head.index];

	return session->has_pppoe ? 0
				  : bng_utc_ms(clock, __atomic_load_n(&state->expires_ns, __ATOMIC_RELAXED));
}

int bng_map_session_write(struct bng_kern *kern, const struct bng_session_object *held,
	struct bng_session_object *next, const struct bng_clock *clock)
{
	uint64_t expires_ns;
	int err;

	if (!next)
		return held ? drop_entries(kern, held, NULL) : 0;
	expires_ns = bng_map_session_lease_ns(next, clock);
	next->ends_ns = bng_boot_ns(clock, next->ends_unix_ms);
	if (held)
		return replace(kern, held, next, expires_ns, clock);
	err = bng_map_session_wipe(kern, next->head.index, next->head.id, expires_ns, clock);
	if (err)
		return err;
	bng_map_session6_set_lease(kern, NULL, next, clock);
	return put_entries(kern, next);
}

int bng_map_session_counters(struct bng_kern *kern, uint32_t slot, struct bng_session_counters *ret)
{
	const struct bng_session_counters *each = kern->counter_scratch;
	uint32_t cpu;

	if (bpf_map_lookup_elem(kern->maps[BNG_MAP_session_counters], &slot, kern->counter_scratch))
		return -errno;
	memset(ret, 0, sizeof(*ret));
	for (cpu = 0; cpu < kern->cpus; cpu++) {
		ret->up_packets += each[cpu].up_packets;
		ret->up_bytes += each[cpu].up_bytes;
		ret->down_packets += each[cpu].down_packets;
		ret->down_bytes += each[cpu].down_bytes;
		ret->dropped_packets += each[cpu].dropped_packets;
	}
	return 0;
}

static void add(struct bng_session_counters *to, const struct bng_session_counters *from)
{
	to->up_packets += from->up_packets;
	to->up_bytes += from->up_bytes;
	to->down_packets += from->down_packets;
	to->down_bytes += from->down_bytes;
	to->dropped_packets += from->dropped_packets;
}

static void add6(struct bng_session6_counters *to, const struct bng_session6_counters *from)
{
	to->up_packets += from->up_packets;
	to->up_bytes += from->up_bytes;
	to->down_packets += from->down_packets;
	to->down_bytes += from->down_bytes;
}

static int store_final(struct bng_kern *kern, const struct bng_session_object *session,
	const struct bng_clock *clock, const struct bng_final *earlier, struct bng_final *ret)
{
	const struct bng_session_state *state = &kern->session_state[session->head.index];
	const struct bng_ppp_state *ppp = &kern->ppp_state[session->head.index];
	const struct bng_session6_state *state6 = &kern->session6_state[session->head.index];
	struct bng_session6_counters now6 = {0};
	struct bng_session_counters now = {0};
	struct bng_final final = *earlier;
	int err = bng_map_session_counters(kern, session->head.index, &now);

	if (!err)
		err = bng_map_session6_counters(kern, session->head.index, &now6);
	if (err)
		return err;
	add(&final.counters, &now);
	add6(&final.counters6, &now6);
	final.advertisements += state6->advertisements;
	final.dhcp6_replies += state6->dhcp_replies;
	final.expires6_unix_ms = bng_map_session6_expires_ms(kern, session, clock);
	final.dhcp_replies += state->dhcp_replies;
	final.generation = session->head.generation;
	final.echoes_answered += ppp->echoes_answered;
	final.echo_replies += ppp->echo_replies;
	final.expires_unix_ms = bng_map_session_expires_ms(kern, session, clock);
	if (state->last_drop_reason) {
		final.last_drop_reason = state->last_drop_reason;
		final.last_drop_unix_ms = bng_utc_ms(clock, state->last_drop_ns);
	}
	err = bng_store_put_final(kern, session->head.id, &final);
	if (!err)
		*ret = final;
	return err;
}

int bng_map_session_keep_final(struct bng_kern *kern, const struct bng_session_object *session,
	const struct bng_clock *clock, struct bng_final *ret_earlier, struct bng_final *ret)
{
	int err;

	*ret_earlier = (struct bng_final){0};
	err = bng_store_get_final(kern, session->head.id, ret_earlier);
	if (err && err != -ENOENT)
		return err;
	return store_final(kern, session, clock, ret_earlier, ret);
}

int bng_map_session_release(struct bng_kern *kern, const struct bng_session_object *session,
	const struct bng_clock *clock, const struct bng_final *earlier, struct bng_final *ret)
{
	int err = store_final(kern, session, clock, earlier, ret);

	if (err)
		return err;
	return bng_map_session_wipe(kern, session->head.index, 0, 0, clock);
}

int bng_map_session_get(const struct bng_kern *kern, const struct bng_line_key *key, struct bng_session *ret)
{
	return bpf_map_lookup_elem(kern->maps[BNG_MAP_sessions], key, ret) ? -errno : 0;
}
