// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Takes mappings and flows away that the agent has found expired, unless a packet has been there since, and
// makes those that its gateways need: run by PROG_TEST_RUN on a list of struct bng_nat_reap, never attached.
#include "clock.h"
#include "nat_flow.h"

static __always_inline int take(__u64 *seen_ns, __u64 expected)
{
	return __sync_val_compare_and_swap(seen_ns, expected, BNG_NAT_DEAD) == expected;
}

/* Whether w->in leads to w->out still: a forward may have taken the port. */
static __always_inline int owns_port(const struct bng_nat_work *w)
{
	const struct bng_nat_reverse *reverse = bpf_map_lookup_elem(&nat_in, &w->in);

	return reverse && reverse->session_id == w->session_id && reverse->address == w->out.address &&
	       reverse->port == w->out.port && !((reverse->flags ^ w->flags) & BNG_NAT_FORWARD);
}

static __always_inline int reap_mapping(struct bng_scratch *s, const struct bng_nat_reap *record)
{
	struct bng_nat_work *w = &s->nat;

	w->out = record->mapping;
	struct bng_nat_mapping *mapping = bpf_map_lookup_elem(&nat_out, &w->out);

	if (!mapping || !take(&mapping->seen_ns, record->seen_ns))
		return 0;
	w->in.vrf = w->out.vrf;
	w->in.protocol = w->out.protocol;
	w->in.address = mapping->address;
	w->in.port = mapping->port;
	w->slot = mapping->slot;
	w->session_id = mapping->session_id;
	w->flags = mapping->flags;
	(void)bpf_map_delete_elem(&nat_out, &w->out);
	if (owns_port(w))
		(void)bpf_map_delete_elem(&nat_in, &w->in);
	if (!(w->flags & BNG_NAT_FORWARD))
		nat_count_down(s, w->slot, w->session_id);
	return 1;
}

static __always_inline int reap_flow(struct bng_scratch *s, const struct bng_nat_reap *record)
{
	struct bng_nat_work *w = &s->nat;

	w->flow = record->flow;
	struct bng_nat_flow *flow = bpf_map_lookup_elem(&nat_flows, &w->flow);

	if (!flow || !take(&flow->seen_ns, record->seen_ns))
		return 0;
	w->out.vrf = w->flow.vrf;
	w->out.protocol = w->flow.protocol;
	w->out.address = flow->inside;
	w->out.port = flow->inside_port;
	w->slot = flow->slot;
	w->session_id = flow->session_id;
	(void)bpf_map_delete_elem(&nat_flows, &w->flow);

	struct bng_nat_mapping *mapping = bpf_map_lookup_elem(&nat_out, &w->out);

	if (mapping && mapping->session_id == w->session_id)
		__sync_fetch_and_add(&mapping->flows, -1);
	struct bng_nat_state *state = bpf_map_lookup_elem(&nat_state, &w->slot);

	if (state && state->session_id == w->session_id)
		__sync_fetch_and_add(&state->flows, -1);
	return 1;
}

/* As a packet from inside to any port of the peer would do it. Global: see handle_arp. */
__noinline int open_mapping(void)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return 0;
	struct bng_nat_work *w = &s->nat;
	const struct bng_nat_reap *record = (void *)s->options;

	(void)clock_now(s);
	w->out = record->opening.inside;
	w->vrf = w->out.vrf;
	w->protocol = BNG_NAT_TCP;
	w->session = record->opening.session;
	w->session_id = record->session_id;
	w->slot = record->slot;
	if (nat_map())
		return 0;
	w->flow.address = w->mapping.address;
	w->flow.port = w->mapping.port;
	nat_flow_key(s, record->opening.peer, 0);

	struct bng_nat_flow *flow = nat_flow_find(s);

	return (flow && nat_touch(s, &flow->seen_ns)) || !nat_flow_begin(s, 0);
}

static long reap_one(__u32 index, void *context)
{
	struct bng_scratch *s = scratch_of_this_cpu();
	struct xdp_md *ctx = *(struct xdp_md **)context;

	if (!s)
		return 1;
	struct bng_nat_reap *record = (void *)s->options;
	__u32 at = index * sizeof(*record);

	if (bpf_xdp_load_bytes(ctx, at, record, sizeof(*record)))
		return 1;
	if (record->kind == BNG_NAT_REAP_MAPPING)
		record->done = (__u32)reap_mapping(s, record);
	else if (record->kind == BNG_NAT_REAP_FLOW)
		record->done = (__u32)reap_flow(s, record);
	else if (record->kind == BNG_NAT_OPEN)
		record->done = (__u32)open_mapping();
	return bpf_xdp_store_bytes(ctx, at, record, sizeof(*record)) ? 1 : 0;
}

SEC("xdp")
int xdp_nat_reap(struct xdp_md *ctx)
{
	(void)bpf_loop(BNG_NAT_REAP_MAX, reap_one, &ctx, 0);
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
