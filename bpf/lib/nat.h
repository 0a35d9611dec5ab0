/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * NAT44: mappings (RFC 4787 4). A mapping belongs to a protocol, an inside address and port, whatever the
 * peer; its port is one of the session's blocks. Nothing here touches the packet: nat_rewrite.h does, when
 * all else has let the packet pass.
 */
#ifndef BNG_NAT_H
#define BNG_NAT_H

#include "mss.h"
#include "punt.h"
#include "session.h"

enum {
	BNG_NAT_TRIES = 128, /* ports looked at for a new mapping */
	BNG_NAT_TOUCH_NS = 1000000000,
	BNG_EEXIST = 17,
	BNG_ICMP_PARAMETER_PROBLEM = 12,
	BNG_ICMP_TIMESTAMP = 13,
	BNG_ICMP_TIMESTAMP_REPLY = 14,
	BNG_TCP_FIN = 1,
	BNG_TCP_RST = 4,
	BNG_TCP_ACK = 16,
};

/* An entry is in use until the reaper takes it, which is decided here, by whoever is first. 0: it is gone. */
static __always_inline int nat_touch(struct bng_scratch *s, __u64 *seen_ns)
{
	__u64 seen = *(volatile __u64 *)seen_ns;
	__u64 now = clock_again(s);

	if (seen == BNG_NAT_DEAD)
		return 0;
	if ((__s64)(now - seen) < BNG_NAT_TOUCH_NS)
		return 1;
	return __sync_val_compare_and_swap(seen_ns, seen, now) != BNG_NAT_DEAD;
}

/*
 * The first `size` bytes of the upper layer's header into s->header, of a TCP header only the first 16. Read
 * where they stand unless IP options or a frame in pieces are in the way: a helper's call costs 15 ns. 0, or
 * -1: the packet is shorter.
 */
static __always_inline int nat_load_upper(struct xdp_md *ctx, struct bng_scratch *s, __u32 size)
{
	if (s->ip_header_length == 20) {
		void *end = packet_end(ctx);
		void *upper = any_network_header(ctx, s->l2_length) + 20;

		if (upper + size <= end) {
			BNG_STORE(__u64, s->header, BNG_LOAD(__u64, upper));
			if (size > 8)
				BNG_STORE(__u64, s->header + 8, BNG_LOAD(__u64, upper + 8));
			return 0;
		}
	}
	return bpf_xdp_load_bytes(ctx, s->l2_length + s->ip_header_length, s->header, size) ? -1 : 0;
}

/* What the upper layer's header says, for the protocols there are ports of. 0, or the drop reason. */
static __always_inline __u32 nat_parse(struct xdp_md *ctx, struct bng_scratch *s)
{
	struct bng_nat_work *w = &s->nat;
	__u32 length = s->ip_length - s->ip_header_length;

	if (s->protocol == BNG_IPPROTO_UDP) {
		if (length < 8 || nat_load_upper(ctx, s, 8))
			return BNG_DROP_nat_malformed;
		w->protocol = BNG_NAT_UDP;
	} else if (s->protocol == BNG_IPPROTO_TCP) {
		if (length < BNG_TCP_HEADER || nat_load_upper(ctx, s, BNG_TCP_HEADER))
			return BNG_DROP_nat_malformed;
		w->protocol = BNG_NAT_TCP;
		w->tcp_flags = s->header[13];
	} else if (s->protocol == BNG_IPPROTO_ICMP) {
		if (length < 8 || nat_load_upper(ctx, s, 8))
			return BNG_DROP_nat_malformed;
		w->protocol = BNG_NAT_ICMP;
		w->icmp_type = s->header[0];
		w->old_source_port = w->old_destination_port = BNG_LOAD(__be16, s->header + 4);
		return 0;
	} else {
		return BNG_DROP_nat_protocol;
	}
	w->old_source_port = BNG_LOAD(__be16, s->header);
	w->old_destination_port = BNG_LOAD(__be16, s->header + 2);
	return 0;
}

static __always_inline int is_icmp_error(__u32 type)
{
	return type == 3 || type == 11 || type == BNG_ICMP_PARAMETER_PROBLEM;
}

/*
 * One port of the session's blocks: the start-th, counted through all blocks, and those in steps from it.
 * Side by side they would form runs longer than there are tries, with ports free elsewhere.
 */
static long nat_try_port(__u32 index, void *context)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	(void)context;
	if (!s)
		return 1;
	struct bng_nat_work *w = &s->nat;
	__u32 total = w->grant.block_count * w->grant.block_ports;
	__u32 place = w->start + index * w->step;

	if (!total)
		return 1;
	place %= total;

	__u64 block = place / (w->grant.block_ports | !w->grant.block_ports);

	block &= BNG_NAT_BLOCKS_MAX - 1;
	w->in.port = bpf_htons((__u16)(w->grant.first_ports[block] + (place & (w->grant.block_ports - 1u))));
	/* An int: before 6.4 the upper half of the register is not the sign's. */
	int error = (int)bpf_map_update_elem(&nat_in, &w->in, &w->reverse, BPF_NOEXIST);

	if (error == -BNG_EEXIST)
		return 0;
	w->refused = error ? BNG_DROP_nat_table_full : 0;
	return 1;
}

/* Asks the agent, once for each number of blocks, before they are used up. */
static __always_inline void nat_ask_for_ports(struct bng_scratch *s, struct bng_nat_state *state)
{
	struct bng_punt *record;

	if (state->asked >= s->nat.grant.block_count)
		return;
	record = bpf_ringbuf_reserve(&punts, sizeof(*record), 0);
	if (!record)
		return;
	state->asked = s->nat.grant.block_count;
	record->received_ns = s->clock_ns;
	record->session_id = s->nat.session_id;
	record->generation = 0;
	record->port = bng_port_index;
	record->punt_class = BNG_PUNT_NAT_PORTS;
	record->reason = BNG_PUNT_REASON_nat_ports_low;
	record->frame_length = 0;
	record->out_port = 0;
	record->detail = 0;
	bpf_ringbuf_submit(record, 0);
	count(s, BNG_PUNT_REASON_nat_ports_low);
}

/* The grant of the session w->slot, into w->grant; NULL: there is none, w->refused says so. */
static __always_inline struct bng_nat_state *nat_find_grant(struct bng_scratch *s)
{
	struct bng_nat_work *w = &s->nat;
	struct bng_nat_session *grant = bpf_map_lookup_elem(&nat_sessions, &w->slot);
	struct bng_nat_state *state = bpf_map_lookup_elem(&nat_state, &w->slot);

	w->refused = BNG_DROP_nat_no_block;
	if (!grant || !state || grant->session_id != w->session_id || state->session_id != w->session_id)
		return NULL;
	w->grant = *grant;
	return state;
}

static __always_inline __u32 nat_refuse(struct bng_nat_state *state, __u32 reason)
{
	__sync_fetch_and_add(&state->refused, 1);
	return reason;
}

/* Finds a free port and fills w->reverse's entry of nat_in. w->refused: 0, or why there is none. */
static __always_inline void nat_take_port(struct bng_scratch *s, const struct bng_nat_policy *policy)
{
	struct bng_nat_work *w = &s->nat;
	__u32 random = bpf_get_prandom_u32();
	__u32 tries = w->grant.block_count * w->grant.block_ports;

	if (tries > BNG_NAT_TRIES)
		tries = BNG_NAT_TRIES;
	w->start = random & 0x7ffff;
	w->refused = BNG_DROP_nat_no_port;
	/* Odd: of a power of two it reaches every port. */
	w->step = (random >> 19) | 1;
	if (policy->flags & BNG_NAT_PARITY) {
		w->start = (w->start & ~1u) | (bpf_ntohs(w->out.port) & 1);
		w->step *= 2;
		(void)bpf_loop(tries / 2, nat_try_port, NULL, 0);
		if (w->refused != BNG_DROP_nat_no_port)
			return;
		w->step /= 2;
	}
	(void)bpf_loop(tries, nat_try_port, NULL, 0);
}

/* A mapping of w->out less in what `slot` counts, if that is still the session's. */
static __always_inline void nat_count_down(struct bng_scratch *s, __u32 slot, __u64 session_id)
{
	s->index = slot;
	struct bng_nat_state *state = bpf_map_lookup_elem(&nat_state, &s->index);

	if (!state || state->session_id != session_id)
		return;
	if (s->nat.out.protocol == BNG_IPPROTO_TCP)
		__sync_fetch_and_add(&state->mappings[BNG_NAT_TCP], -1);
	else if (s->nat.out.protocol == BNG_IPPROTO_UDP)
		__sync_fetch_and_add(&state->mappings[BNG_NAT_UDP], -1);
	else if (s->nat.out.protocol == BNG_IPPROTO_ICMP)
		__sync_fetch_and_add(&state->mappings[BNG_NAT_ICMP], -1);
}

enum bng_nat_found { BNG_NAT_FREE = 0, BNG_NAT_THERE = 1, BNG_NAT_BUSY = 2 };

/*
 * What stands in the way of a mapping of w->out: nothing; one of this session, which another CPU has made
 * since (it is in w->mapping); or another session's, who had the inside address before: that one is removed.
 */
static __always_inline enum bng_nat_found nat_clear_stale(struct bng_scratch *s)
{
	struct bng_nat_work *w = &s->nat;
	struct bng_nat_mapping *stale = bpf_map_lookup_elem(&nat_out, &w->out);

	if (!stale)
		return BNG_NAT_FREE;
	__u64 seen = *(volatile __u64 *)&stale->seen_ns;

	if (seen == BNG_NAT_DEAD)
		return BNG_NAT_BUSY; /* the reaper is at it */
	if (stale->session_id == w->session_id) {
		w->mapping = *stale;
		return BNG_NAT_THERE;
	}
	if (__sync_val_compare_and_swap(&stale->seen_ns, seen, BNG_NAT_DEAD) != seen)
		return BNG_NAT_BUSY;
	w->mapping = *stale;
	w->in.vrf = w->vrf;
	w->in.address = stale->address;
	w->in.port = stale->port;
	w->in.protocol = w->out.protocol;
	(void)bpf_map_delete_elem(&nat_out, &w->out);
	(void)bpf_map_delete_elem(&nat_in, &w->in);
	if (!(w->mapping.flags & BNG_NAT_FORWARD))
		nat_count_down(s, w->mapping.slot, w->mapping.session_id);
	return BNG_NAT_FREE;
}

/*
 * A mapping for w->out, of the session w->slot, into w->mapping. 0, or the drop reason. Global: see
 * handle_arp.
 */
__noinline int nat_map(void)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return BNG_DROP_internal_lookup;
	struct bng_nat_work *w = &s->nat;
	struct bng_nat_state *state = nat_find_grant(s);

	if (!state)
		return w->refused;
	struct bng_nat_policy *policy = bpf_map_lookup_elem(&nat_policies, &w->grant.policy);
	__u64 protocol = w->protocol;
	__u32 total = w->grant.block_count * w->grant.block_ports;

	BNG_OPAQUE(protocol);
	if (!policy || protocol >= BNG_NAT_PROTOCOLS)
		return BNG_DROP_nat_internal;
	if (!total)
		return nat_refuse(state, BNG_DROP_nat_no_block);

	enum bng_nat_found found = nat_clear_stale(s);

	if (found == BNG_NAT_BUSY)
		return BNG_DROP_nat_internal;
	if (found == BNG_NAT_THERE) {
		w->flags = w->mapping.flags;
		return 0;
	}
	__u32 used = state->mappings[protocol];

	if (used >= total - total / 4)
		nat_ask_for_ports(s, state);
	if (used >= total)
		return nat_refuse(state, BNG_DROP_nat_no_port);
	w->flags = protocol == BNG_NAT_TCP ? BNG_NAT_FLOWS : 0;
	if (policy->flags & BNG_NAT_ADDRESS_DEPENDENT)
		w->flags |= BNG_NAT_FLOWS | BNG_NAT_FILTERED;
	if (policy->flags & BNG_NAT_INBOUND_REFRESH)
		w->flags |= BNG_NAT_REFRESHED;
	if (protocol == BNG_NAT_TCP && (policy->flags & BNG_NAT_FTP))
		w->flags |= BNG_NAT_ALG;
	w->reverse.session_id = w->session_id;
	w->reverse.address = w->out.address;
	w->reverse.port = w->out.port;
	w->reverse.flags = (__u8)w->flags;
	w->reverse.session = w->session;
	w->reverse.slot = w->slot;
	w->in.vrf = w->vrf;
	w->in.address = w->grant.address;
	w->in.protocol = w->out.protocol;
	nat_take_port(s, policy);
	if (w->refused)
		return nat_refuse(state, w->refused);

	w->mapping.session_id = w->session_id;
	w->mapping.seen_ns = clock_again(s);
	w->mapping.address = w->grant.address;
	w->mapping.port = w->in.port;
	w->mapping.flags = (__u8)w->flags;
	w->mapping.slot = w->slot;
	w->mapping.flows = 0;
	if (bpf_map_update_elem(&nat_out, &w->out, &w->mapping, BPF_NOEXIST)) {
		(void)bpf_map_delete_elem(&nat_in, &w->in);
		/* Another CPU was faster, or there is no room. */
		struct bng_nat_mapping *theirs = bpf_map_lookup_elem(&nat_out, &w->out);

		if (!theirs || theirs->session_id != w->session_id)
			return nat_refuse(state, BNG_DROP_nat_table_full);
		w->mapping = *theirs;
		w->flags = theirs->flags;
		return 0;
	}
	__sync_fetch_and_add(&state->mappings[protocol], 1);
	__sync_fetch_and_add(&state->created, 1);
	return 0;
}

#endif
