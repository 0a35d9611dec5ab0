// SPDX-License-Identifier: Apache-2.0
// Reads strictly: what a server might understand in another way is not touched.
#include "ftp_command.h"

#include <stdio.h>
#include <strings.h>

enum { VERB = 5 /* with its space */, PORT_FIELDS = 6, ADDRESS_FIELDS = 4 };

struct cursor {
	const uint8_t *at;
	const uint8_t *end;
};

static bool take_byte(struct cursor *cursor, char wanted)
{
	if (cursor->at == cursor->end || *cursor->at != (uint8_t)wanted)
		return false;
	cursor->at++;
	return true;
}

/* One to `digits` decimal digits. False: there are none, or the number is larger. */
static bool take_number(struct cursor *cursor, unsigned digits, uint32_t max, uint32_t *ret)
{
	uint32_t number = 0;
	unsigned i;

	for (i = 0; i < digits && cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; i++)
		number = number * 10 + (uint32_t)(*cursor->at++ - '0');
	if (!i || number > max)
		return false;
	*ret = number;
	return true;
}

static bool take_bytes(struct cursor *cursor, char separator, unsigned count, uint8_t *ret)
{
	uint32_t number = 0;
	unsigned i;

	for (i = 0; i < count; i++) {
		if ((i && !take_byte(cursor, separator)) || !take_number(cursor, 3, 255, &number))
			return false;
		ret[i] = (uint8_t)number;
	}
	return true;
}

/* h1,h2,h3,h4,p1,p2 */
static bool read_port(struct cursor *cursor, struct bng_ftp_command *command)
{
	uint8_t fields[PORT_FIELDS];

	if (!take_bytes(cursor, ',', PORT_FIELDS, fields))
		return false;
	memcpy(command->address, fields, ADDRESS_FIELDS);
	command->port = bng_get_be16(fields + ADDRESS_FIELDS);
	return true;
}

/* Behind |1|: address|port| */
static bool read_extended(struct cursor *cursor, struct bng_ftp_command *command)
{
	uint32_t port = 0;

	if (!take_bytes(cursor, '.', ADDRESS_FIELDS, command->address) ||
		!take_byte(cursor, command->delimiter) || !take_number(cursor, 5, UINT16_MAX, &port) ||
		!take_byte(cursor, command->delimiter))
		return false;
	command->port = (uint16_t)port;
	return true;
}

static bool is_delimiter(uint8_t byte)
{
	return byte >= 33 && byte <= 126 && (byte < '0' || byte > '9') && byte != '.';
}

static enum bng_ftp_line read_argument(
	struct cursor cursor, bool is_extended, struct bng_ftp_command *command)
{
	if (is_extended) {
		if (cursor.end - cursor.at < 3 || !is_delimiter(*cursor.at) || cursor.at[2] != *cursor.at)
			return BNG_FTP_MALFORMED;
		if (cursor.at[1] != '1')
			return BNG_FTP_OTHER;
		command->delimiter = (char)*cursor.at;
		cursor.at += 3;
	}
	if (!(is_extended ? read_extended(&cursor, command) : read_port(&cursor, command)) ||
		cursor.at != cursor.end)
		return BNG_FTP_MALFORMED;
	return BNG_FTP_LISTEN;
}

enum bng_ftp_line bng_ftp_read(struct bng_bytes line, struct bng_ftp_command *ret_command)
{
	struct bng_ftp_command command = {.argument_at = VERB};
	enum bng_ftp_line kind;
	bool is_extended;
	size_t size = line.size;

	if (size < VERB || line.data[VERB - 1] != ' ')
		return BNG_FTP_OTHER;
	is_extended = !strncasecmp((const char *)line.data, "EPRT", VERB - 1);
	if (!is_extended && strncasecmp((const char *)line.data, "PORT", VERB - 1) != 0)
		return BNG_FTP_OTHER;
	if (line.data[size - 1] != '\n')
		return BNG_FTP_CUT;
	size--;
	if (size > VERB && line.data[size - 1] == '\r')
		size--;
	command.argument_size = size - VERB;
	kind = read_argument((struct cursor){line.data + VERB, line.data + size}, is_extended, &command);
	if (kind == BNG_FTP_LISTEN)
		*ret_command = command;
	return kind;
}

size_t bng_ftp_write_argument(const struct bng_ftp_command *command, const uint8_t address[4], uint16_t port,
	uint8_t to[BNG_FTP_ARGUMENT_MAX + 1])
{
	char d = command->delimiter, *text = (char *)to;
	int size = d ? snprintf(text, BNG_FTP_ARGUMENT_MAX + 1, "%c1%c%u.%u.%u.%u%c%u%c", d, d, address[0],
			       address[1], address[2], address[3], d, port, d)
		     : snprintf(text, BNG_FTP_ARGUMENT_MAX + 1, "%u,%u,%u,%u,%u,%u", address[0], address[1],
			       address[2], address[3], port >> 8, port & 255u);

	return (size_t)size;
}
