// SPDX-License-Identifier: Apache-2.0
// The configuration parser: any bytes are accepted or refused with a line.
#include "options.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bng_options options;
	char error[512] = "";

	if (bng_options_parse("fuzz", (const char *)data, size, &options, error, sizeof(error)) && !error[0])
		abort();
	return 0;
}
