/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines on stderr: time, level, event, then key=value pairs. */
#ifndef BNG_LOG_H
#define BNG_LOG_H

/* format holds the pairs: bng_log("info", "lane_open", "lane=%s", name). Quote values that may hold spaces
 * with %s of bng_quote(). */
__attribute__((format(printf, 3, 4))) void bng_log(
	const char *level, const char *event, const char *format, ...);

struct bng_quoted {
	char text[600];
};

/* In double quotes, quotes and backslashes escaped, control characters replaced. */
struct bng_quoted bng_quote(const char *text);

#endif
