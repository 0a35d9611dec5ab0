/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Rate limits per class, first per line and then per port, so that one line's junk never spends the port's
 * budget. A bucket is the time at which it would be full again (GCRA). Class 0 limits the ICMP errors we
 * send.
 */
#ifndef BNG_GUARD_H
#define BNG_GUARD_H

#include "count.h"

static __always_inline int take_token(struct bng_guard_bucket *bucket, __u64 now, __u32 pps, __u32 burst)
{
	if (!pps || !burst)
		return 0;
	__u64 interval = 1000000000ULL / pps;
	__u64 full_at = bucket->full_at_ns;

	if (full_at < now)
		full_at = now;
	if (full_at - now > interval * (burst - 1))
		return 0;
	bucket->full_at_ns = full_at + interval;
	return 1;
}

/* 0, or the reason for refusing. */
static __always_inline __u32 guard_rate(struct bng_scratch *s, __u32 class, __u32 line_pps, __u32 line_burst,
	__u32 port_pps, __u32 port_burst)
{
	s->guard.port = bng_port_index;
	s->guard.s_vlan = s->line.s_vlan;
	s->guard.c_vlan = s->line.c_vlan;
	s->guard.punt_class = class;
	struct bng_guard_bucket *bucket = bpf_map_lookup_elem(&guard_lines, &s->guard);

	if (!bucket) {
		(void)bpf_map_update_elem(
			&guard_lines, &s->guard, (const void *)&bng_empty_bucket, BPF_NOEXIST);
		bucket = bpf_map_lookup_elem(&guard_lines, &s->guard);
		if (!bucket)
			return BNG_DROP_internal_lookup;
	}
	if (!take_token(bucket, s->now_ns, line_pps, line_burst))
		return BNG_DROP_guard_line;
	s->index = bng_port_index * BNG_PUNT_CLASSES + class;
	bucket = bpf_map_lookup_elem(&guard_ports, &s->index);
	if (!bucket)
		return BNG_DROP_internal_lookup;
	if (!take_token(bucket, s->now_ns, port_pps, port_burst))
		return BNG_DROP_guard_port;
	return 0;
}

#endif
