// SPDX-License-Identifier: Apache-2.0
// What is kept of control connections lives in a pinned map, so that they outlive the agent; it is read and
// written here alone.
#include "map_nat_alg.h"

#include "map_entry.h"
#include "map_nat.h"
#include "walk.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#define LINGER_NS 10000000000ULL /* for what comes again after the end */

bool bng_map_nat_outside(const struct bng_kern *kern, const struct bng_nat_key *inside, uint64_t session_id,
	struct bng_nat_key *ret)
{
	struct bng_nat_mapping mapping;

	if (bpf_map_lookup_elem(kern->maps[BNG_MAP_nat_out], inside, &mapping) ||
		mapping.session_id != session_id)
		return false;
	*ret = *inside;
	ret->address = mapping.address;
	ret->port = mapping.port;
	return true;
}

bool bng_map_nat_inside(const struct bng_kern *kern, const struct bng_nat_key *outside, uint64_t session_id,
	struct bng_nat_reverse *ret)
{
	struct bng_nat_reverse reverse;

	if (bpf_map_lookup_elem(kern->maps[BNG_MAP_nat_in], outside, &reverse) ||
		reverse.session_id != session_id)
		return false;
	*ret = reverse;
	return true;
}

int bng_map_nat_open(struct bng_kern *kern, const struct bng_nat_opening *opening, uint32_t slot,
	uint64_t session_id, __be16 *ret_port)
{
	struct bng_nat_reap record = {
		.kind = BNG_NAT_OPEN, .opening = *opening, .slot = slot, .session_id = session_id};
	struct bng_nat_key outside;
	int done = bng_map_nat_reap(kern, &record, 1);

	if (done < 0)
		return done;
	if (!done || !bng_map_nat_outside(kern, &opening->inside, session_id, &outside))
		return -ENOSPC;
	*ret_port = outside.port;
	return 0;
}

bool bng_map_nat_alg_get(
	const struct bng_kern *kern, const struct bng_nat_flow_key *key, struct bng_nat_alg *ret)
{
	return !bpf_map_lookup_elem(kern->maps[BNG_MAP_nat_algs], key, ret);
}

int bng_map_nat_alg_put(
	struct bng_kern *kern, const struct bng_nat_flow_key *key, const struct bng_nat_alg *alg)
{
	return bng_map_put(kern->maps[BNG_MAP_nat_algs], key, alg);
}

void bng_map_nat_alg_drop(struct bng_kern *kern, const struct bng_nat_flow_key *key)
{
	(void)bng_map_drop(kern->maps[BNG_MAP_nat_algs], key);
}

struct sweep {
	struct bng_kern *kern;
	uint8_t *counts;
	uint64_t now_ns;
};

static bool has_ended(const struct bng_nat_flow *flow, uint64_t now_ns)
{
	return bng_nat_flow_is_closed(flow->state) && flow->seen_ns < now_ns &&
	       now_ns - flow->seen_ns > LINGER_NS;
}

static int sweep_one(void *context, const void *key, const void *value)
{
	struct sweep *sweep = context;
	struct bng_nat_alg alg;
	struct bng_nat_flow flow;

	memcpy(&alg, value, sizeof(alg));
	if (bpf_map_lookup_elem(sweep->kern->maps[BNG_MAP_nat_flows], key, &flow) ||
		flow.session_id != alg.session_id || has_ended(&flow, sweep->now_ns) ||
		alg.slot > sweep->kern->max_sessions)
		return bng_map_drop(sweep->kern->maps[BNG_MAP_nat_algs], key);
	if (sweep->counts[alg.slot] < UINT8_MAX)
		sweep->counts[alg.slot]++;
	return 0;
}

void bng_map_nat_alg_sweep(struct bng_kern *kern, uint64_t now_ns, uint8_t *ret_counts)
{
	struct sweep sweep = {.kern = kern, .counts = ret_counts, .now_ns = now_ns};

	memset(ret_counts, 0, (size_t)kern->max_sessions + 1);
	(void)bng_walk_keys(kern->maps[BNG_MAP_nat_algs], sizeof(struct bng_nat_flow_key),
		sizeof(struct bng_nat_alg), sweep_one, &sweep);
}
