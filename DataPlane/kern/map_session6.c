// SPDX-License-Identifier: Apache-2.0
// Writers of the IPv6 half of sessions. Its lease is a lease of its own beside the IPv4 one.
#include "map_session6.h"

#include "entry.h"
#include "map_entry.h"
#include "state_internal.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

static bool advertises(const struct bng_session_object *session)
{
	return session && session->has_ipv6 && session->ipv6.advertisement_length;
}

static bool has_dhcp(const struct bng_session_object *session)
{
	return session && session->has_ipv6 && session->ipv6.has_dhcp;
}

int bng_map_session6_put(struct bng_kern *kern, const struct bng_session_object *session)
{
	uint32_t slot = session->head.index;
	struct bng_advertisement advertisement;
	struct bng_dhcp6_reply reply;
	struct bng_session6 value;
	int err = 0;

	if (!session->has_ipv6)
		return 0;
	if (advertises(session)) {
		bng_entry_advertisement(session, &advertisement);
		err = bng_map_put(kern->maps[BNG_MAP_advertisements], &slot, &advertisement);
	}
	if (!err && has_dhcp(session)) {
		bng_entry_dhcp6_reply(session, &reply);
		err = bng_map_put(kern->maps[BNG_MAP_dhcp6_replies], &slot, &reply);
	}
	bng_entry_session6(session, &value);
	return err ? err : bng_map_put(kern->maps[BNG_MAP_sessions6], &slot, &value);
}

int bng_map_session6_put_routes(struct bng_kern *kern, const struct bng_session_object *session)
{
	struct bng_route6_key key;
	struct bng_route6 value;
	uint32_t i;
	int err = 0;

	for (i = 0; i < bng_prefix6_count(session) && !err; i++) {
		key = bng_entry_prefix6_key(session, i);
		bng_entry_prefix6(session, i, &value);
		err = bng_map_put(kern->maps[BNG_MAP_routes6], &key, &value);
	}
	return err;
}

static bool has_prefix(const struct bng_session_object *session, const struct bng_route6_key *key)
{
	struct bng_route6_key own;
	uint32_t i;

	for (i = 0; i < bng_prefix6_count(session); i++) {
		own = bng_entry_prefix6_key(session, i);
		if (!memcmp(&own, key, sizeof(own)))
			return true;
	}
	return false;
}

int bng_map_session6_drop_routes(
	struct bng_kern *kern, const struct bng_session_object *held, const struct bng_session_object *next)
{
	struct bng_route6_key key;
	uint32_t i;
	int err = 0;

	for (i = 0; i < bng_prefix6_count(held) && !err; i++) {
		key = bng_entry_prefix6_key(held, i);
		if (!has_prefix(next, &key))
			err = bng_map_drop(kern->maps[BNG_MAP_routes6], &key);
	}
	return err;
}

int bng_map_session6_drop(
	struct bng_kern *kern, const struct bng_session_object *held, const struct bng_session_object *next)
{
	uint32_t slot = held->head.index;
	int err = 0;

	if (held->has_ipv6 && !(next && next->has_ipv6))
		err = bng_map_drop(kern->maps[BNG_MAP_sessions6], &slot);
	if (!err && advertises(held) && !advertises(next))
		err = bng_map_drop(kern->maps[BNG_MAP_advertisements], &slot);
	if (!err && has_dhcp(held) && !has_dhcp(next))
		err = bng_map_drop(kern->maps[BNG_MAP_dhcp6_replies], &slot);
	return err;
}

int bng_map_session6_wipe(struct bng_kern *kern, uint32_t slot)
{
	memset(&kern->session6_state[slot], 0, sizeof(kern->session6_state[slot]));
	memset(kern->counter_scratch, 0, kern->cpus * sizeof(struct bng_session6_counters));
	return bng_map_put(kern->maps[BNG_MAP_session6_counters], &slot, kern->counter_scratch);
}

static uint64_t lease_ns(const struct bng_session_object *session, const struct bng_clock *clock)
{
	return session->has_pppoe ? UINT64_MAX : bng_boot_ns(clock, session->ipv6.lease_expires_unix_ms);
}

static bool shares_prefix(const struct bng_session_object *a, const struct bng_session_object *b)
{
	struct bng_route6_key key;
	uint32_t i;

	for (i = 0; i < bng_prefix6_count(a); i++) {
		key = bng_entry_prefix6_key(a, i);
		if (has_prefix(b, &key))
			return true;
	}
	return false;
}

void bng_map_session6_extend(struct bng_session6_state *state, uint64_t expires_ns)
{
	__u64 held = __atomic_load_n(&state->expires_ns, __ATOMIC_RELAXED);

	while (held < expires_ns && !__atomic_compare_exchange_n(&state->expires_ns, &held, expires_ns, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static void give_lease(struct bng_session6_state *state, uint64_t owner, uint64_t expires_ns)
{
	__atomic_store_n(&state->expires_ns, expires_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&state->session_id, owner, __ATOMIC_RELEASE);
}

/* What was counted of a session that loses its IPv6 is still to be reported. */
static void end_lease(struct bng_session6_state *state)
{
	give_lease(state, 0, 0);
	state->renewals_reported = __atomic_load_n(&state->renewals, __ATOMIC_RELAXED);
	state->lapse_reported = 0;
	__atomic_store_n(&state->active_ns, 0, __ATOMIC_RELAXED);
}

struct bng_session6_lease bng_map_session6_lease(const struct bng_kern *kern, uint32_t slot)
{
	const struct bng_session6_state *state = &kern->session6_state[slot];

	return (struct bng_session6_lease){.owner = state->session_id,
		.expires_ns = __atomic_load_n(&state->expires_ns, __ATOMIC_RELAXED)};
}

void bng_map_session6_set_lease(struct bng_kern *kern, const struct bng_session_object *held,
	const struct bng_session_object *next, const struct bng_clock *clock)
{
	struct bng_session6_state *state = &kern->session6_state[next->head.index];

	if (!next->has_ipv6)
		end_lease(state);
	else if (held && shares_prefix(held, next) && held->has_pppoe == next->has_pppoe)
		bng_map_session6_extend(state, lease_ns(next, clock));
	else
		give_lease(state, next->head.id, lease_ns(next, clock));
}

void bng_map_session6_restore_lease(
	struct bng_kern *kern, uint32_t slot, const struct bng_session6_lease *lease)
{
	give_lease(&kern->session6_state[slot], lease->owner, lease->expires_ns);
}

uint64_t bng_map_session6_expires_ms(
	const struct bng_kern *kern, const struct bng_session_object *session, const struct bng_clock *clock)
{
	const struct bng_session6_state *state = &kern->session6_state[session->head.index];

	return !session->has_ipv6 || session->has_pppoe
		       ? 0
		       : bng_utc_ms(clock, __atomic_load_n(&state->expires_ns, __ATOMIC_RELAXED));
}

int bng_map_session6_counters(struct bng_kern *kern, uint32_t slot, struct bng_session6_counters *ret)
{
	const struct bng_session6_counters *each = kern->counter_scratch;
	uint32_t cpu;

	if (bpf_map_lookup_elem(kern->maps[BNG_MAP_session6_counters], &slot, kern->counter_scratch))
		return -errno;
	memset(ret, 0, sizeof(*ret));
	for (cpu = 0; cpu < kern->cpus; cpu++) {
		ret->up_packets += each[cpu].up_packets;
		ret->up_bytes += each[cpu].up_bytes;
		ret->down_packets += each[cpu].down_packets;
		ret->down_bytes += each[cpu].down_bytes;
	}
	return 0;
}
