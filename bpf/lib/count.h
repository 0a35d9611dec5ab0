/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Where packets end: every function here counts one reason and returns the XDP verdict that goes with it. */
#ifndef BNG_COUNT_H
#define BNG_COUNT_H

#include "clock.h"
#include "maps.h"

static __always_inline void count(struct bng_scratch *s, __u32 reason)
{
	s->index = bng_port_index * BNG_REASON_STRIDE + reason;
	__u64 *counter = bpf_map_lookup_elem(&reason_counters, &s->index);

	if (counter)
		*counter += 1;
}

static __always_inline int drop(struct bng_scratch *s, __u32 reason)
{
	count(s, reason);
	return XDP_DROP;
}

static __always_inline int sent(struct bng_scratch *s, __u32 reason)
{
	count(s, reason);
	return XDP_TX;
}

/* A session's own counters show its drops, too. s->slot is the session's. */
static __always_inline void blame_session(struct bng_scratch *s, __u32 reason)
{
	struct bng_session_counters *counters = bpf_map_lookup_elem(&session_counters, &s->slot);
	struct bng_session_state *state = bpf_map_lookup_elem(&session_state, &s->slot);

	if (counters)
		counters->dropped_packets += 1;
	if (state) {
		state->last_drop_ns = clock_now(s);
		state->last_drop_reason = reason;
	}
}

#endif
