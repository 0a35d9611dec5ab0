/* SPDX-License-Identifier: Apache-2.0 */
/* Packet reasons: their names, and their counters summed over CPUs. */
#ifndef BNG_MAP_COUNTERS_H
#define BNG_MAP_COUNTERS_H

#include "kern.h"

/* BNG_MAX_PORTS * BNG_REASON_STRIDE sums, by port * BNG_REASON_STRIDE + reason. */
int bng_map_reasons_read(const struct bng_kern *kern, uint64_t *ret_sums);

/* "drop.spoofed_source", "punt.arp_unknown", "tx.dhcp_ack"; NULL for no reason. */
const char *bng_reason_name(uint32_t reason);

/* The same without its kind: "spoofed_source". */
const char *bng_reason_short_name(uint32_t reason);

#endif
