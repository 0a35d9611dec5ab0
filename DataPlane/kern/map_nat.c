// SPDX-License-Identifier: Apache-2.0
// The maps of NAT as far as they are the agent's. Mappings and flows are the programs', and go by
// xdp_nat_reap alone.
#include "map_nat.h"

#include "entry.h"
#include "map_entry.h"
#include "walk.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

enum { FRAGMENT_MARGIN_NS = 1000000000, FORWARD_TRIES = 16 };

int bng_map_nat_policy_write(struct bng_kern *kern, const struct bng_nat_policy_object *held,
	const struct bng_nat_policy_object *next)
{
	struct bng_nat_policy value = {0};
	uint32_t index = (next ? &next->head : &held->head)->index;

	if (next)
		value = bng_entry_nat_policy(next);
	return bng_map_put(kern->maps[BNG_MAP_nat_policies], &index, &value);
}

int bng_map_nat_put(struct bng_kern *kern, const struct bng_session_object *session)
{
	uint32_t slot = session->head.index;
	struct bng_nat_session value;

	if (!session->has_nat)
		return 0;
	value = bng_entry_nat_session(session);
	return bng_map_put(kern->maps[BNG_MAP_nat_sessions], &slot, &value);
}

int bng_map_nat_reap(struct bng_kern *kern, const struct bng_nat_reap *records, uint32_t count)
{
	struct bng_nat_reap done[BNG_NAT_REAP_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = records,
		.data_size_in = count * (uint32_t)sizeof(*records), .data_out = done,
		.data_size_out = sizeof(done), .repeat = 1);
	int taken = 0;
	uint32_t i;

	if (!count)
		return 0;
	if (bpf_prog_test_run_opts(kern->reaper, &options))
		return -errno;
	for (i = 0; i < count; i++)
		taken += done[i].done == 1;
	return taken;
}

/* A mapping that a packet has just been at is tried again. */
static int reap_mapping(struct bng_kern *kern, const struct bng_nat_key *out)
{
	struct bng_nat_reap record = {.kind = BNG_NAT_REAP_MAPPING, .mapping = *out};
	struct bng_nat_mapping mapping;
	int tries, taken;

	for (tries = 0; tries < FORWARD_TRIES; tries++) {
		if (bpf_map_lookup_elem(kern->maps[BNG_MAP_nat_out], out, &mapping))
			return errno == ENOENT ? 0 : -errno;
		if (mapping.flags & BNG_NAT_FORWARD)
			return 0;
		record.seen_ns = mapping.seen_ns;
		taken = bng_map_nat_reap(kern, &record, 1);
		if (taken)
			return taken < 0 ? taken : 0;
	}
	return -EBUSY;
}

/*
 * The forward takes its port, then whoever the programs had given it to goes: in this order nobody gets the
 * port in between.
 */
static int take_port(
	struct bng_kern *kern, const struct bng_nat_key *in, const struct bng_nat_reverse *forward)
{
	struct bng_nat_key other = {.vrf = in->vrf, .protocol = in->protocol};
	struct bng_nat_reverse before;
	bool was_taken = !bpf_map_lookup_elem(kern->maps[BNG_MAP_nat_in], in, &before) &&
			 !(before.flags & BNG_NAT_FORWARD);
	int err = bng_map_put(kern->maps[BNG_MAP_nat_in], in, forward);

	if (err || !was_taken)
		return err;
	other.address = before.address;
	other.port = before.port;
	return reap_mapping(kern, &other);
}

/* The inside of a forward is mapped to its port, and to no other that the programs gave it. */
static int take_inside(
	struct bng_kern *kern, const struct bng_nat_key *out, const struct bng_nat_mapping *mapping)
{
	struct bng_nat_mapping there;
	int tries, err;

	for (tries = 0; tries < FORWARD_TRIES; tries++) {
		err = reap_mapping(kern, out);
		if (err)
			return err;
		if (!bpf_map_lookup_elem(kern->maps[BNG_MAP_nat_out], out, &there)) {
			if (!(there.flags & BNG_NAT_FORWARD))
				continue;
			/* Its flows go on being counted where they are. */
			if (there.session_id == mapping->session_id && there.address == mapping->address &&
				there.port == mapping->port && there.flags == mapping->flags)
				return 0;
			return bng_map_put(kern->maps[BNG_MAP_nat_out], out, mapping);
		}
		if (!bpf_map_update_elem(kern->maps[BNG_MAP_nat_out], out, mapping, BPF_NOEXIST))
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
	return -EBUSY;
}

int bng_map_nat_put_forwards(struct bng_kern *kern, const struct bng_session_object *session)
{
	uint32_t count = bng_nat_forward_count(session), i;
	struct bng_nat_mapping mapping;
	struct bng_nat_reverse reverse;
	struct bng_nat_key out, in;
	int err = 0;

	for (i = 0; i < count && !err; i++) {
		bng_entry_nat_forward(session, i, &out, &mapping, &in, &reverse);
		if (reverse.flags & BNG_NAT_STATIC) {
			err = bng_map_put(kern->maps[BNG_MAP_nat_in], &in, &reverse);
			continue;
		}
		err = take_port(kern, &in, &reverse);
		if (!err)
			err = take_inside(kern, &out, &mapping);
	}
	return err;
}

static bool has_forward(const struct bng_session_object *session, const struct bng_nat_key *wanted_out,
	const struct bng_nat_key *wanted_in)
{
	uint32_t count = bng_nat_forward_count(session), i;
	struct bng_nat_mapping mapping;
	struct bng_nat_reverse reverse;
	struct bng_nat_key out, in;

	for (i = 0; i < count; i++) {
		bng_entry_nat_forward(session, i, &out, &mapping, &in, &reverse);
		if (!memcmp(&out, wanted_out, sizeof(out)) && !memcmp(&in, wanted_in, sizeof(in)))
			return true;
	}
	return false;
}

static int drop_forward(struct bng_kern *kern, const struct bng_nat_key *out, const struct bng_nat_key *in,
	uint64_t session_id)
{
	struct bng_nat_reverse reverse;
	struct bng_nat_mapping mapping;
	int err = 0;

	/* Another session may have got the port since. */
	if (!bpf_map_lookup_elem(kern->maps[BNG_MAP_nat_out], out, &mapping) &&
		mapping.session_id == session_id && (mapping.flags & BNG_NAT_FORWARD) &&
		mapping.address == in->address && mapping.port == in->port)
		err = bng_map_drop(kern->maps[BNG_MAP_nat_out], out);
	if (!err && !bpf_map_lookup_elem(kern->maps[BNG_MAP_nat_in], in, &reverse) &&
		reverse.session_id == session_id && (reverse.flags & BNG_NAT_FORWARD))
		err = bng_map_drop(kern->maps[BNG_MAP_nat_in], in);
	return err;
}

int bng_map_nat_drop(
	struct bng_kern *kern, const struct bng_session_object *held, const struct bng_session_object *next)
{
	uint32_t count = bng_nat_forward_count(held), slot = held->head.index, i;
	struct bng_nat_mapping mapping;
	struct bng_nat_reverse reverse;
	struct bng_nat_key out, in;
	int err = 0;

	for (i = 0; i < count && !err; i++) {
		bng_entry_nat_forward(held, i, &out, &mapping, &in, &reverse);
		if (!has_forward(next, &out, &in))
			err = drop_forward(kern, &out, &in, held->head.id);
	}
	if (!err && held->has_nat && !(next && next->has_nat))
		err = bng_map_drop(kern->maps[BNG_MAP_nat_sessions], &slot);
	return err;
}

void bng_map_nat_wipe(struct bng_kern *kern, uint32_t slot, uint64_t owner)
{
	kern->nat_state[slot] = (struct bng_nat_state){0};
	__atomic_store_n(&kern->nat_state[slot].session_id, owner, __ATOMIC_RELEASE);
}

int bng_map_nat_reinject(struct bng_kern *kern, uint32_t port, const uint8_t *frame, uint32_t size)
{
	struct xdp_md context = {.data_end = size, .ingress_ifindex = kern->ports[port].interface.index};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = size, .ctx_in = &context,
		.ctx_size_in = sizeof(context), .repeat = 1, .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
		.batch_size = 1);

	return bpf_prog_test_run_opts(kern->ports[port].program, &options) ? -errno : 0;
}

bool bng_map_nat_has_fragment(const struct bng_kern *kern, const struct bng_nat_fragment_key *key,
	uint64_t sender_id, uint64_t now_ns)
{
	struct bng_nat_fragment first;

	/* Else the program would hand the frame back, again and again. */
	return !bpf_map_lookup_elem(kern->maps[BNG_MAP_nat_fragments], key, &first) &&
	       first.sender_id == sender_id &&
	       (int64_t)(now_ns - first.seen_ns) < (int64_t)BNG_NAT_FRAGMENT_NS - FRAGMENT_MARGIN_NS;
}

struct sweep {
	struct bng_kern *kern;
	const struct bng_state *state;
	uint32_t *repaired;
};

static int sweep_grant(void *context, const void *key, const void *value)
{
	struct sweep *sweep = context;
	const struct bng_session_object *session;
	uint32_t slot;

	(void)value;
	memcpy(&slot, key, sizeof(slot));
	session = slot <= sweep->kern->max_sessions ? sweep->state->by_slot[slot] : NULL;
	if (session && session->has_nat)
		return 0;
	(*sweep->repaired)++;
	return bng_map_drop(sweep->kern->maps[BNG_MAP_nat_sessions], key);
}

int bng_map_nat_reconcile(struct bng_kern *kern, const struct bng_state *state, uint32_t *ret_repaired)
{
	struct sweep sweep = {.kern = kern, .state = state, .repaired = ret_repaired};
	uint32_t slot;
	int err = bng_walk_keys(kern->maps[BNG_MAP_nat_sessions], sizeof(uint32_t),
		sizeof(struct bng_nat_session), sweep_grant, &sweep);

	for (slot = 1; slot <= kern->max_sessions && !err; slot++) {
		const struct bng_session_object *session = state->by_slot[slot];
		struct bng_nat_session held, wanted;
		uint64_t owner = session ? session->head.id : 0;

		if (kern->nat_state[slot].session_id != owner)
			bng_map_nat_wipe(kern, slot, owner);
		if (!session || !session->has_nat)
			continue;
		wanted = bng_entry_nat_session(session);
		if (bpf_map_lookup_elem(kern->maps[BNG_MAP_nat_sessions], &slot, &held) ||
			memcmp(&held, &wanted, sizeof(held)) != 0) {
			err = bng_map_nat_put(kern, session);
			(*ret_repaired)++;
		}
		if (!err)
			err = bng_map_nat_put_forwards(kern, session);
	}
	return err;
}
