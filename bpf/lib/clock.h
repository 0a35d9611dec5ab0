/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * CLOCK_BOOTTIME, exact to a tick: read once per jiffy and CPU. Reading it costs about 40 ns where a whole
 * DHCP answer costs 200; the jiffy is a plain load.
 */
#ifndef BNG_CLOCK_H
#define BNG_CLOCK_H

#include "scratch.h"

static __always_inline __u64 clock_now(struct bng_scratch *s)
{
	__u64 jiffies = bpf_jiffies64();

	if (jiffies != s->clock_jiffies) {
		s->clock_jiffies = jiffies;
		s->clock_ns = bpf_ktime_get_boot_ns();
	}
	return s->clock_ns;
}

/* The same moment as this packet's clock_now(): read from memory, not kept in a register that would be
 * spilled. */
static __always_inline __u64 clock_again(struct bng_scratch *s)
{
	return *(volatile __u64 *)&s->clock_ns;
}

#endif
