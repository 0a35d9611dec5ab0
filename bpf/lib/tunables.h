/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Values the agent sets before a program is loaded. One program instance is loaded per port. */
#ifndef BNG_TUNABLES_H
#define BNG_TUNABLES_H

#include "bng_abi.h"

const volatile __u32 bng_port_index = 0; /* of the port this instance is attached to; 0 is never loaded */

/* ICMP errors sent, per line (or core port) and per port. */
const volatile __u32 bng_icmp_line_pps = 50;
const volatile __u32 bng_icmp_port_pps = 1000;

/*
 * Keys of array look-ups are read from here or from the scratch: without CAP_PERFMON the kernel puts an
 * lfence after the first write to each stack slot, which costs more than the look-up.
 */
const volatile __u32 bng_zero = 0;
const volatile struct bng_guard_bucket bng_empty_bucket = {0};

#endif
