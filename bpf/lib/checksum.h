/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Internet checksums (RFC 1071) and their incremental update (RFC 1624). Words are taken as they lie in
 * memory. */
#ifndef BNG_CHECKSUM_H
#define BNG_CHECKSUM_H

#include <linux/types.h>

static __always_inline __u16 checksum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)sum;
}

/* New checksum after the 16-bit word `before` became `after`. */
static __always_inline __u16 checksum_update(__u16 check, __u16 before, __u16 after)
{
	return (__u16)~checksum_fold((__u64)(__u16)~check + (__u16)~before + after);
}

#endif
