/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The policers: a bucket per session and direction, moved by compare-and-swap, so that several CPUs spend
 * from it as one (GCRA). The clock is read only when the tick's time does not suffice: an idle bucket may
 * therefore give what its rate makes in one tick beyond its burst, and a busy one is exact.
 */
#ifndef BNG_POLICE_H
#define BNG_POLICE_H

#include "bng_rate.h"
#include "clock.h"
#include "maps.h"

enum { BNG_POLICE_TRIES = 4 };

/*
 * The rate has changed since the last packet: what the bucket lacks is the same number of bytes as before.
 * One CPU does it; what others charge meanwhile is lost or doubled for a packet or two.
 */
static __always_inline void adopt_rate(struct bng_scratch *s, struct bng_policer *policer, __u64 now)
{
	__u64 before = *(volatile __u64 *)&policer->multiplier;
	__u64 full_at = *(volatile __u64 *)&policer->full_at;
	__u64 multiplier = s->rate.multiplier;

	if (__sync_val_compare_and_swap(&policer->multiplier, before, multiplier) != before)
		return;
	__u64 owed = 0; /* the slot's first packet */

	if (before)
		owed = bng_rate_convert(bng_rate_owed(full_at, now), before, multiplier);
	if (owed > s->rate.tolerance)
		owed = s->rate.tolerance;
	(void)__sync_val_compare_and_swap(&policer->full_at, full_at, now + owed);
}

/* What the first try of is_within_rate() did not settle: another rate, a lost race, or no room by the tick's
 * time. */
__noinline int is_within_rate_now(void)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return -1;
	struct bng_policer *policer = bpf_map_lookup_elem(&policers, &s->policer);

	if (!policer)
		return -1;
	s->clock_ns = bpf_ktime_get_boot_ns();

	__u64 now = bng_rate_time(s->clock_ns);
	__u64 cost = bng_rate_cost(s->rate.multiplier, s->rate_bytes);

	if (policer->multiplier != s->rate.multiplier)
		adopt_rate(s, policer, now);
	for (__u32 i = 0; i < BNG_POLICE_TRIES; i++) {
		__u64 full_at = *(volatile __u64 *)&policer->full_at;
		__u64 after = bng_rate_after(full_at, now, cost);

		if (after - now > s->rate.tolerance) {
			if (after - cost - now > s->rate.tolerance + BNG_RATE_SLACK)
				(void)__sync_val_compare_and_swap(
					&policer->full_at, full_at, now + s->rate.tolerance);
			return 0;
		}
		if (__sync_val_compare_and_swap(&policer->full_at, full_at, after) == full_at)
			return 1;
	}
	/* Others were faster each time. Nothing is let through uncharged. */
	__sync_fetch_and_add(&policer->full_at, cost);
	return 1;
}

/*
 * 1: s->rate has room for s->rate_bytes, and they are charged to the bucket s->policer. 0: it has none.
 * -1: no such bucket. Global, as
 * handle_arp, and so short that no register is spilled.
 */
__noinline int is_within_rate(void)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return -1;
	struct bng_policer *policer = bpf_map_lookup_elem(&policers, &s->policer);

	if (!policer)
		return -1;
	if (policer->multiplier != s->rate.multiplier)
		return is_within_rate_now();

	__u64 now = bng_rate_time(s->clock_ns);
	__u64 full_at = *(volatile __u64 *)&policer->full_at;
	__u64 after = bng_rate_after(full_at, now, bng_rate_cost(s->rate.multiplier, s->rate_bytes));

	if (after - now > s->rate.tolerance ||
		__sync_val_compare_and_swap(&policer->full_at, full_at, after) != full_at)
		return is_within_rate_now();
	return 1;
}

/* By s->rate. 0, or why the packet is dropped: above, or the bucket is missing. */
static __always_inline __u32 police_by_rate(
	struct bng_scratch *s, __u32 slot, __u32 overhead, __u32 direction, __u32 above)
{
	s->rate_bytes = s->ip_length + overhead;
	s->policer = slot * BNG_DIRECTIONS + direction;

	int within = is_within_rate();

	if (within == 1)
		return 0;
	return within ? BNG_DROP_internal_lookup : above;
}

static __always_inline __u32 police(struct bng_scratch *s, const struct bng_session *session,
	const struct bng_rate *rate, __u32 direction, __u32 above)
{
	s->rate.multiplier = rate->multiplier;
	s->rate.tolerance = rate->tolerance;
	return police_by_rate(s, session->slot, session->overhead, direction, above);
}

#endif
