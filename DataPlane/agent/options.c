// SPDX-License-Identifier: Apache-2.0
// "key = value" per line, # comments. A wrong key or value is refused with its line and what was expected.
#include "options.h"

#include "discover.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_MAX = 64 * 1024 };

struct parser {
	const char *file;
	int line;
	struct bng_options *options;
	char *error;
	size_t error_size;
};

__attribute__((format(printf, 2, 3))) static int complain(struct parser *parser, const char *format, ...)
{
	int used = snprintf(parser->error, parser->error_size, "%s:%d: ", parser->file, parser->line);
	va_list arguments;

	va_start(arguments, format);
	if (used >= 0 && (size_t)used < parser->error_size)
		(void)vsnprintf(parser->error + used, parser->error_size - (size_t)used, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static int take_text(struct parser *parser, const char *value, char *ret, size_t size, const char *what)
{
	if (strlen(value) >= size)
		return complain(parser, "expected %s of at most %zu characters", what, size - 1);
	memcpy(ret, value, strlen(value) + 1);
	return 0;
}

static int take_path(struct parser *parser, const char *value, char *ret, size_t size, const char *what)
{
	if (value[0] != '/')
		return complain(parser, "expected %s as an absolute path, not '%s'", what, value);
	return take_text(parser, value, ret, size, what);
}

static bool is_number(const char *text, unsigned long max, unsigned long *ret)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*ret = strtoul(text, &end, 10);
	return !errno && !*end && *ret <= max;
}

static int take_controller(struct parser *parser, const char *value)
{
	struct bng_options *o = parser->options;

	o->controller = (struct bng_endpoint){0};
	o->discover[0] = 0;
	if (!strncmp(value, "unix:", 5))
		return take_path(
			parser, value + 5, o->controller.path, sizeof(o->controller.path), "a socket");
	if (!strncmp(value, "discover:", 9) && value[9])
		return take_text(parser, value + 9, o->discover, sizeof(o->discover), "an interface");
	if (!bng_endpoint_parse(value, &o->controller))
		return complain(parser,
			"expected unix:/path, tls:host:port with a port from 1 to 65535, or "
			"discover:interface, "
			"not '%s'",
			value);
	return 0;
}

bool bng_options_pin(const char *text, uint8_t ret_pin[BNG_TLS_HASH])
{
	unsigned int byte;
	int i, used;

	if (strncmp(text, "sha256:", 7) != 0 || strlen(text) != 7 + 2 * BNG_TLS_HASH)
		return false;
	for (i = 0; i < BNG_TLS_HASH; i++) {
		if (sscanf(text + 7 + 2 * i, "%2x%n", &byte, &used) != 1 || used != 2)
			return false;
		ret_pin[i] = (uint8_t)byte;
	}
	return true;
}

static int take_pin(struct parser *parser, const char *value)
{
	if (!bng_options_pin(value, parser->options->pin))
		return complain(parser, "expected sha256: and 64 hexadecimal digits, not '%s'", value);
	parser->options->has_pin = true;
	return 0;
}

static int take_attach(struct parser *parser, const char *value)
{
	static const char *const names[] = {"auto", "native", "generic", "shared"};
	int i;

	for (i = 0; i < 4; i++)
		if (!strcmp(value, names[i])) {
			parser->options->attach = (enum bng_attach_mode)i;
			return 0;
		}
	return complain(parser, "expected attach = auto, native, generic or shared, not '%s'", value);
}

static int take_port(struct parser *parser, const char *value)
{
	struct bng_options *options = parser->options;
	char name[64], role[16], rest;
	uint32_t i;

	if (sscanf(value, "%63s %15s %c", name, role, &rest) != 2)
		return complain(parser, "expected port = INTERFACE access|core, not '%s'", value);
	if (strlen(name) >= BNG_PORT_NAME_SIZE || strchr(name, '/'))
		return complain(
			parser, "expected an interface name of at most 15 characters, not '%s'", name);
	if (strcmp(role, "access") != 0 && strcmp(role, "core") != 0)
		return complain(parser, "expected the role access or core, not '%s'", role);
	for (i = 1; i <= options->port_count; i++)
		if (!strcmp(options->ports[i].name, name))
			return complain(parser, "port %s stands here twice", name);
	if (options->port_count + 1 >= BNG_MAX_PORTS)
		return complain(parser, "expected at most %d ports", BNG_MAX_PORTS - 1);
	options->port_count++;
	memcpy(options->ports[options->port_count].name, name, strlen(name) + 1);
	options->ports[options->port_count].role = !strcmp(role, "access") ? BNG_ROLE_ACCESS : BNG_ROLE_CORE;
	return 0;
}

static int take_sessions(struct parser *parser, const char *value)
{
	unsigned long number;

	if (!is_number(value, BNG_SESSIONS_MAX, &number) || !number)
		return complain(
			parser, "expected max-sessions from 1 to %d, not '%s'", BNG_SESSIONS_MAX, value);
	parser->options->max_sessions = (uint32_t)number;
	return 0;
}

static int take_mappings(struct parser *parser, const char *value)
{
	unsigned long number;

	if (!is_number(value, BNG_NAT_MAPPINGS_MAX, &number) || number < BNG_NAT_MAPPINGS_MIN)
		return complain(parser, "expected nat-mappings from %d to %d, not '%s'", BNG_NAT_MAPPINGS_MIN,
			BNG_NAT_MAPPINGS_MAX, value);
	parser->options->nat_mappings = (uint32_t)number;
	return 0;
}

static int take(struct parser *parser, const char *key, const char *value)
{
	struct bng_options *o = parser->options;

	if (!strcmp(key, "node"))
		return take_text(parser, value, o->node, sizeof(o->node), "a node name");
	if (!strcmp(key, "controller"))
		return take_controller(parser, value);
	if (!strcmp(key, "tls-certificate"))
		return take_path(
			parser, value, o->tls_certificate, sizeof(o->tls_certificate), "a certificate");
	if (!strcmp(key, "tls-key"))
		return take_path(parser, value, o->tls_key, sizeof(o->tls_key), "a key");
	if (!strcmp(key, "tls-authority"))
		return take_path(parser, value, o->tls_authority, sizeof(o->tls_authority), "a certificate");
	if (!strcmp(key, "psk"))
		return take_path(parser, value, o->psk, sizeof(o->psk), "a key's file");
	if (!strcmp(key, "controller-pin"))
		return take_pin(parser, value);
	if (!strcmp(key, "state"))
		return take_path(parser, value, o->state, sizeof(o->state), "a directory");
	if (!strcmp(key, "serial"))
		return take_text(parser, value, o->serial, sizeof(o->serial), "a serial number");
	if (!strcmp(key, "tpm"))
		return take_text(parser, value, o->tpm, sizeof(o->tpm), "a TCTI such as device:/dev/tpmrm0");
	if (!strcmp(key, "pins"))
		return take_path(parser, value, o->pins, sizeof(o->pins), "a directory");
	if (!strcmp(key, "attach"))
		return take_attach(parser, value);
	if (!strcmp(key, "port"))
		return take_port(parser, value);
	if (!strcmp(key, "max-sessions"))
		return take_sessions(parser, value);
	if (!strcmp(key, "nat-mappings"))
		return take_mappings(parser, value);
	return complain(parser,
		"unknown key '%s'; expected node, controller, controller-pin, tls-certificate, tls-key, "
		"tls-authority, psk, state, serial, tpm, pins, attach, port, max-sessions or nat-mappings",
		key);
}

static char *trim(char *text)
{
	char *end;

	text += strspn(text, " \t\r");
	end = text + strlen(text);
	while (end > text && strchr(" \t\r", end[-1]))
		*--end = 0;
	return text;
}

static int take_line(struct parser *parser, char *line)
{
	char *hash = strchr(line, '#'), *equals, *key, *value;

	if (hash)
		*hash = 0;
	line = trim(line);
	if (!*line)
		return 0;
	equals = strchr(line, '=');
	if (!equals)
		return complain(parser, "expected key = value, not '%s'", line);
	*equals = 0;
	key = trim(line);
	value = trim(equals + 1);
	if (!*value)
		return complain(parser, "expected a value for '%s'", key);
	return take(parser, key, value);
}

/* Over TLS: a certificate of ours and who signs the controller's, a pre-shared key and a pin, or what
 * enrolment gives. */
static int check_trust(struct parser *parser)
{
	const struct bng_options *o = parser->options;
	bool any = o->tls_certificate[0] || o->tls_key[0] || o->tls_authority[0];
	bool all = o->tls_certificate[0] && o->tls_key[0] && o->tls_authority[0];

	if (any && !all)
		return complain(parser, "expected tls-certificate, tls-key and tls-authority together");
	if ((o->psk[0] != 0) + (o->state[0] != 0) + all != 1)
		return complain(parser, "expected, with a tls: controller, one of: tls-certificate, tls-key "
					"and tls-authority; "
					"psk; state");
	if (o->psk[0] && !o->has_pin)
		return complain(
			parser, "expected controller-pin with psk: it says who may ask for the proof");
	return 0;
}

static int check_whole(struct parser *parser)
{
	const struct bng_options *o = parser->options;

	if (!o->node[0] && !o->state[0])
		return complain(parser, "expected node = NAME");
	if (!o->pins[0])
		return complain(parser, "expected pins = DIRECTORY on a BPF file system");
	if (!o->port_count && !o->state[0])
		return complain(parser, "expected at least one port = INTERFACE access|core");
	if (!o->controller.path[0] && !o->controller.host[0] && !o->discover[0])
		return complain(
			parser, "expected controller = unix:/path, tls:host:port or discover:interface");
	if (o->discover[0] && !o->state[0])
		return complain(parser, "expected state = DIRECTORY with controller = discover:interface");
	return o->controller.host[0] || o->discover[0] ? check_trust(parser) : 0;
}

static int parse_lines(struct parser *parser, const char *text, size_t size)
{
	size_t at = 0, length;
	char line[1024];
	int err = 0;

	while (at < size && !err) {
		const char *end = memchr(text + at, '\n', size - at);

		length = end ? (size_t)(end - text) - at : size - at;
		parser->line++;
		if (length >= sizeof(line) || memchr(text + at, 0, length))
			return complain(
				parser, "expected text lines of at most %zu characters", sizeof(line) - 1);
		memcpy(line, text + at, length);
		line[length] = 0;
		err = take_line(parser, line);
		at += length + 1;
	}
	return err;
}

int bng_options_parse(const char *file, const char *text, size_t size, struct bng_options *ret_options,
	char *error, size_t error_size)
{
	struct bng_options options = {
		.max_sessions = BNG_SESSIONS_DEFAULT, .nat_mappings = BNG_NAT_MAPPINGS_DEFAULT};
	struct parser parser = {.file = file, .options = &options, .error = error, .error_size = error_size};
	int err = parse_lines(&parser, text, size);

	if (!err)
		err = check_whole(&parser);
	if (!err)
		*ret_options = options;
	return err;
}

static int read_file(
	const char *file, char text[FILE_MAX + 1], size_t *ret_size, char *error, size_t error_size)
{
	FILE *stream = fopen(file, "re");

	if (!stream) {
		(void)snprintf(error, error_size, "%s: %s", file, strerrordesc_np(errno));
		return -EINVAL;
	}
	*ret_size = fread(text, 1, FILE_MAX + 1, stream);
	(void)fclose(stream);
	if (*ret_size > FILE_MAX) {
		(void)snprintf(error, error_size, "%s: expected at most %d bytes", file, FILE_MAX);
		return -EINVAL;
	}
	return 0;
}

static char file_text[FILE_MAX + 1];

int bng_options_enrolled(struct bng_options *options, char *error, size_t error_size)
{
	char path[BNG_OPTION_SIZE + 16];
	struct bng_options found = *options;
	struct parser parser = {.file = path, .options = &found, .error = error, .error_size = error_size};
	size_t size;
	int err;

	(void)snprintf(path, sizeof(path), "%s/node.conf", options->state);
	if (options->port_count)
		found.port_count = 0;
	err = read_file(path, file_text, &size, error, error_size);
	if (!err)
		err = parse_lines(&parser, file_text, size);
	if (err)
		return err;
	if (options->discover[0])
		options->controller = found.controller;
	if (options->node[0] && strcmp(options->node, found.node) != 0)
		return complain(&parser, "the controller enrolled this host as %s, its own file says %s",
			found.node, options->node);
	memcpy(options->node, found.node, sizeof(options->node));
	if (!options->port_count) {
		options->port_count = found.port_count;
		memcpy(options->ports, found.ports, sizeof(options->ports));
	}
	if (!options->port_count)
		return complain(&parser, "the controller gave this node no ports");
	return 0;
}

int bng_options_read(const char *file, struct bng_options *ret_options, char *error, size_t error_size)
{
	size_t size;
	int err = read_file(file, file_text, &size, error, error_size);

	return err ? err : bng_options_parse(file, file_text, size, ret_options, error, error_size);
}
