/* SPDX-License-Identifier: Apache-2.0 */
/* Commands by which an FTP client says where it listens: PORT (RFC 959 4.1.2) and EPRT (RFC 2428 2). */
#ifndef BNG_FTP_COMMAND_H
#define BNG_FTP_COMMAND_H

#include "bytes.h"

enum {
	BNG_FTP_ARGUMENT_MAX = 25, /* |1|255.255.255.255|65535| */
};

enum bng_ftp_line {
	BNG_FTP_OTHER,     /* another command, or EPRT of another family */
	BNG_FTP_CUT,       /* a line that says PORT or EPRT and goes on in the next segment */
	BNG_FTP_MALFORMED, /* one whose argument is not the RFC's */
	BNG_FTP_LISTEN,
};

struct bng_ftp_command {
	size_t argument_at; /* in the line */
	size_t argument_size;
	char delimiter; /* of EPRT; 0: PORT */
	uint8_t address[4];
	uint16_t port;
};

/* A line with its end, or without if that has not come. ret_command is filled for BNG_FTP_LISTEN alone. */
enum bng_ftp_line bng_ftp_read(struct bng_bytes line, struct bng_ftp_command *ret_command);

/* The argument of the same command with another address and port; its size. */
size_t bng_ftp_write_argument(const struct bng_ftp_command *command, const uint8_t address[4], uint16_t port,
	uint8_t to[BNG_FTP_ARGUMENT_MAX + 1]);

#endif
