/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Sends a packet up through the guard and the ring: byte for byte as it came, or, to be sent by the agent, as
 * it is to leave. */
#ifndef BNG_PUNT_H
#define BNG_PUNT_H

#include "cursor.h"
#include "guard.h"

enum { BNG_PUNT_SMALL = 472 }; /* with its head 512: most control packets */

static __always_inline int punt_record(struct xdp_md *ctx, struct bng_scratch *s, struct bng_punt *record,
	__u64 length, __u32 class, __u32 reason)
{
	record->received_ns = s->now_ns;
	record->session_id = s->session_id;
	record->generation = s->generation;
	record->port = bng_port_index;
	record->punt_class = (__u16) class;
	record->reason = (__u16)reason;
	record->frame_length = (__u32)length;
	record->out_port = 0;
	record->detail = 0;
	if (class == BNG_PUNT_HELD || class == BNG_PUNT_FRAGMENT || class == BNG_PUNT_NAT_ALG) {
		record->out_port = (__u16)s->hand_over_port;
		record->detail = (__u16)s->hand_over_detail;
	}
	if (bpf_xdp_load_bytes(ctx, 0, record->frame, (__u32)length)) {
		bpf_ringbuf_discard(record, 0);
		return drop(s, BNG_DROP_internal_lookup);
	}
	bpf_ringbuf_submit(record, 0);
	return drop(s, reason);
}

/* Global, so that the verifier sees it once. The verdict is XDP_DROP: the packet leaves through the ring. */
__noinline int punt(struct xdp_md *ctx, __u32 class, __u32 reason)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	__u64 length = bpf_xdp_get_buff_len(ctx);

	if (length < 14 || length > BNG_FRAME_MAX)
		return drop(s, BNG_DROP_punt_too_long);
	s->now_ns = bpf_ktime_get_boot_ns();
	s->index = class;
	struct bng_guard_rate *rate = bpf_map_lookup_elem(&guard_rates, &s->index);

	if (!rate)
		return drop(s, BNG_DROP_internal_lookup);
	__u32 refused =
		guard_rate(s, class, rate->line_pps, rate->line_burst, rate->port_pps, rate->port_burst);

	if (refused)
		return drop(s, refused);

	struct bng_punt *record;

	BNG_OPAQUE(length);
	if (length <= BNG_PUNT_SMALL) {
		record = bpf_ringbuf_reserve(&punts, sizeof(*record) + BNG_PUNT_SMALL, 0);
		if (!record)
			return drop(s, BNG_DROP_punt_ring_full);
		return punt_record(ctx, s, record, length, class, reason);
	}
	if (length > BNG_FRAME_MAX)
		return drop(s, BNG_DROP_punt_too_long);
	record = bpf_ringbuf_reserve(&punts, sizeof(*record) + BNG_FRAME_MAX, 0);
	if (!record)
		return drop(s, BNG_DROP_punt_ring_full);
	return punt_record(ctx, s, record, length, class, reason);
}

#endif
