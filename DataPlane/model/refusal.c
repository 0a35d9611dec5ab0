// SPDX-License-Identifier: Apache-2.0
// Fills refusals.
#include "refusal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int bng_refuse(struct bng_refusal *refusal, enum bng_code code, const char *path, const char *format, ...)
{
	va_list arguments;

	refusal->code = code;
	(void)snprintf(refusal->path, sizeof(refusal->path), "%s", path);
	va_start(arguments, format);
	(void)vsnprintf(refusal->text, sizeof(refusal->text), format, arguments);
	va_end(arguments);
	return -EINVAL;
}
