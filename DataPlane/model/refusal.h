/* SPDX-License-Identifier: Apache-2.0 */
/* Why an object is refused: a stable code, the field (numbers from Object down) and a sentence. */
#ifndef BNG_REFUSAL_H
#define BNG_REFUSAL_H

#include <stdint.h>

/* The numbers are those of ErrorCode in proto/; wire/ asserts that. */
enum bng_code {
	BNG_OK = 1,
	BNG_UNSUPPORTED = 10,
	BNG_INVALID = 11,
	BNG_STALE_GENERATION = 12,
	BNG_GENERATION_REUSED = 13,
	BNG_UNKNOWN_REFERENCE = 14,
	BNG_CONFLICT = 15,
	BNG_LIMIT = 16,
	BNG_IN_USE = 17,
	BNG_KERNEL = 18,
};

struct bng_refusal {
	enum bng_code code; /* BNG_OK: not refused */
	char path[40];
	char text[112];
};

/* Fills *refusal and returns -EINVAL, so that a check can end with it. */
__attribute__((format(printf, 4, 5))) int bng_refuse(
	struct bng_refusal *refusal, enum bng_code code, const char *path, const char *format, ...);

#endif
