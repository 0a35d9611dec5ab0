// SPDX-License-Identifier: Apache-2.0
// One write per line, so that lines of several processes do not mix.
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

struct bng_quoted bng_quote(const char *text)
{
	struct bng_quoted quoted;
	size_t at = 0;

	quoted.text[at++] = '"';
	for (; text && *text && at + 4 < sizeof(quoted.text); text++) {
		if (*text == '"' || *text == '\\')
			quoted.text[at++] = '\\';
		quoted.text[at++] = (unsigned char)*text < 0x20 ? ' ' : *text;
	}
	quoted.text[at++] = '"';
	quoted.text[at] = 0;
	return quoted;
}

void bng_log(const char *level, const char *event, const char *format, ...)
{
	struct timespec now;
	struct tm utc;
	char line[1500];
	va_list arguments;
	size_t used;
	int added;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &utc);
	used = strftime(line, sizeof(line), "time=%Y-%m-%dT%H:%M:%S", &utc);
	used += (size_t)snprintf(line + used, sizeof(line) - used, ".%03ldZ level=%s event=%s%s",
		now.tv_nsec / 1000000, level, event, format[0] ? " " : "");
	va_start(arguments, format);
	added = vsnprintf(line + used, sizeof(line) - used - 1, format, arguments);
	va_end(arguments);
	used += added < 0 ? 0 : (size_t)added;
	if (used > sizeof(line) - 2)
		used = sizeof(line) - 2;
	line[used++] = '\n';
	if (write(STDERR_FILENO, line, used) < 0)
		return;
}
