// SPDX-License-Identifier: Apache-2.0
// What a DHCP server answers to a host that looks for its controller: any bytes are refused, or texts within
// bounds.
#include "dhcp_inform.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct bng_dhcp_inform inform = {.mac = {2, 0, 0, 0, 0, 1}, .xid = 7};
	struct bng_dhcp_answer answer;
	uint8_t *frame;

	if (size > 2048)
		return 0;
	/* Of its exact size, so that the sanitizer sees a byte too far. */
	frame = malloc(size ? size : 1);
	if (!frame)
		return 0;
	memcpy(frame, data, size);
	/* Past the head, or the fuzzer would have to guess it. */
	if (size >= 282) {
		bng_put_be16(frame + 12, 0x0800);
		frame[14] = 0x45;
		frame[23] = 17;
		bng_put_be16(frame + 34, 67);
		bng_put_be16(frame + 36, 68);
		frame[42] = 2;
		bng_put_be32(frame + 46, 7);
		memcpy(frame + 70, inform.mac, 6);
		bng_put_be32(frame + 278, 0x63825363);
	}
	if (!bng_dhcp_inform_read(&inform, (struct bng_bytes){frame, size}, &answer) &&
		(strlen(answer.controllers) >= BNG_DHCP_TEXT || strlen(answer.domain) >= BNG_DHCP_TEXT))
		abort();
	free(frame);
	return 0;
}
