/* SPDX-License-Identifier: Apache-2.0 */
/* The Internet checksum (RFC 1071) over bytes in memory. */
#ifndef BNG_INET_SUM_H
#define BNG_INET_SUM_H

#include "bytes.h"

/* `sum` and the 16-bit words of the bytes, an odd one padded with zeros; of less than 65,536 words in all. */
static inline uint32_t bng_inet_add(uint32_t sum, const uint8_t *bytes, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size; i += 2)
		sum += bng_get_be16(bytes + i);
	return i < size ? sum + (uint32_t)(bytes[i] << 8) : sum;
}

static inline uint16_t bng_inet_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

#endif
