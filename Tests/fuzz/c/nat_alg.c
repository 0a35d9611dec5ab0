// SPDX-License-Identifier: Apache-2.0
// The gateway for FTP: any line is read or left, and any packet goes through any edits, up and down, without
// leaving its room.
#include "ftp_command.h"
#include "nat_alg.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_line(const uint8_t *data, size_t size)
{
	uint8_t text[BNG_FTP_ARGUMENT_MAX + 1];
	struct bng_ftp_command command;
	size_t written;

	if (bng_ftp_read((struct bng_bytes){data, size}, &command) != BNG_FTP_LISTEN)
		return;
	written = bng_ftp_write_argument(&command, command.address, command.port, text);
	if (written > BNG_FTP_ARGUMENT_MAX || command.argument_size > BNG_FTP_ARGUMENT_MAX ||
		command.argument_at + command.argument_size > size)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t packet[BNG_FRAME_MAX];
	struct bng_nat_alg alg = {0};
	size_t room, i;
	uint8_t *to;
	int out;

	read_line(data, size);
	/* First a byte for the room, then the edits: number, sequence, sizes. */
	if (size < 2)
		return 0;
	room = data[0] * 8u;
	for (i = data[1] & 7u, data += 2, size -= 2; i && size >= 6; i--, data += 6, size -= 6) {
		struct bng_nat_edit edit = {.seq = bng_get_be32(data),
			.was = data[4] % BNG_NAT_EDIT_MAX,
			.is = data[5] % BNG_NAT_EDIT_MAX};

		if (bng_nat_alg_is_new(&alg, edit.seq))
			bng_nat_alg_add(&alg, &edit);
	}
	if (size > sizeof(packet))
		size = sizeof(packet);
	to = malloc(room + 1);
	if (!to)
		return 0;
	out = bng_nat_alg_rewrite_up(&alg, (struct bng_bytes){data, size}, to, room);
	if (out > (int)room)
		abort();
	free(to);
	memcpy(packet, data, size);
	(void)bng_nat_alg_rewrite_down(&alg, packet, size);
	return 0;
}
