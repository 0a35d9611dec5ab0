/* SPDX-License-Identifier: Apache-2.0 */
/* The options of IPv4 (RFC 791 3.1) and TCP (RFC 9293 3.1), which have one form: type, length, data. */
#ifndef BNG_OPTION_WALK_H
#define BNG_OPTION_WALK_H

#include "bytes.h"

enum { BNG_OPTION_END = 0, BNG_OPTION_NOP = 1 };

/*
 * The length of the option at *at, or of the first one behind it that is no padding, to which *at is moved.
 * 0: there is none; what is malformed ends them.
 */
static inline size_t bng_option_next(const uint8_t *options, size_t size, size_t *at)
{
	size_t length;

	while (*at < size && options[*at] == BNG_OPTION_NOP)
		(*at)++;
	if (*at >= size || options[*at] == BNG_OPTION_END)
		return 0;
	length = *at + 1 < size ? options[*at + 1] : 0;
	return length < 2 || length > size - *at ? 0 : length;
}

#endif
