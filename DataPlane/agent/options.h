/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's configuration file and command line. */
#ifndef BNG_OPTIONS_H
#define BNG_OPTIONS_H

#include "connection.h"
#include "kern.h"

enum {
	BNG_OPTION_SIZE = 256,
	BNG_SESSIONS_DEFAULT = 65536,
	BNG_SESSIONS_MAX = 4 * 1024 * 1024,
	BNG_NAT_MAPPINGS_MIN = 1024,
	BNG_NAT_MAPPINGS_MAX = 64 * 1024 * 1024
};

struct bng_options {
	char node[BNG_OPTION_SIZE];
	struct bng_endpoint controller;
	char discover[BNG_PORT_NAME_SIZE]; /* interface to ask for a controller on; empty: it is configured */
	char tls_certificate[BNG_OPTION_SIZE];
	char tls_key[BNG_OPTION_SIZE];
	char tls_authority[BNG_OPTION_SIZE];
	char psk[BNG_OPTION_SIZE];   /* file of a pre-shared key; empty: none */
	char state[BNG_OPTION_SIZE]; /* directory of what enrolment gives; empty: none */
	char serial[64];             /* what the host says it is when it enrols; empty: its machine-id */
	char tpm[BNG_OPTION_SIZE];   /* TCTI of the TPM; empty: none */
	bool has_pin;
	uint8_t pin[BNG_TLS_HASH]; /* of the controller's certificate, or of one that signs it */
	char pins[BNG_OPTION_SIZE];
	enum bng_attach_mode attach;
	uint32_t max_sessions;
	uint32_t nat_mappings; /* room for so many, and for so many flows */
	uint32_t port_count;
	struct {
		char name[BNG_PORT_NAME_SIZE];
		uint32_t role;
	} ports[BNG_MAX_PORTS];
};

/* text: a whole file. -EINVAL with "file:line: what was expected" in error. */
int bng_options_parse(const char *file, const char *text, size_t size, struct bng_options *ret_options,
	char *error, size_t error_size);

/* Adds the node's name and ports from what enrolment has written, where the file has none of its own. */
int bng_options_enrolled(struct bng_options *options, char *error, size_t error_size);

/* "sha256:" and 64 hexadecimal digits. */
bool bng_options_pin(const char *text, uint8_t ret_pin[BNG_TLS_HASH]);

int bng_options_read(const char *file, struct bng_options *ret_options, char *error, size_t error_size);

#endif
