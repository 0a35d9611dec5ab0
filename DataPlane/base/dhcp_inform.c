// SPDX-License-Identifier: Apache-2.0
// Ethernet, IPv4 without options of its own, UDP 68 to 67, BOOTP. Only text that is printable as a whole is
// taken.
#include "dhcp_inform.h"

#include "inet_sum.h"

#include <errno.h>

enum {
	ETHERNET = 14,
	IP = ETHERNET,
	UDP = IP + 20,
	BOOTP = UDP + 8,
	OPTIONS = BOOTP + 240,
	XID = BOOTP + 4,
	CLIENT_ADDRESS = BOOTP + 12,
	CLIENT_MAC = BOOTP + 28,
	COOKIE = BOOTP + 236,
	MAGIC = 0x63825363,

	OPTION_PAD = 0,
	OPTION_DOMAIN = 15,
	OPTION_VENDOR = 43,
	OPTION_TYPE = 53,
	OPTION_CONTROLLER = 224,
	OPTION_END = 255,
	VENDOR_CONTROLLER = 1,
	TYPE_ACK = 5,
};

void bng_dhcp_inform_build(const struct bng_dhcp_inform *inform, uint8_t ret_frame[BNG_DHCP_FRAME])
{
	/* Type INFORM, class "bng-agent", the options wanted. */
	static const uint8_t options[] = {53, 1, 8, 60, 9, 'b', 'n', 'g', '-', 'a', 'g', 'e', 'n', 't', 55, 3,
		OPTION_CONTROLLER, OPTION_VENDOR, OPTION_DOMAIN, OPTION_END};
	uint8_t *f = ret_frame;

	memset(f, 0, BNG_DHCP_FRAME);
	memset(f, 0xff, 6);
	memcpy(f + 6, inform->mac, 6);
	bng_put_be16(f + 12, 0x0800);
	f[IP] = 0x45;
	bng_put_be16(f + IP + 2, BNG_DHCP_FRAME - IP);
	f[IP + 8] = 64;
	f[IP + 9] = 17;
	memcpy(f + IP + 12, inform->address, 4);
	memset(f + IP + 16, 0xff, 4);
	bng_put_be16(f + IP + 10, (uint16_t)~bng_inet_fold(bng_inet_add(0, f + IP, 20)));
	bng_put_be16(f + UDP, 68);
	bng_put_be16(f + UDP + 2, 67);
	bng_put_be16(f + UDP + 4, BNG_DHCP_FRAME - UDP); /* no checksum: allowed (RFC 768) */
	f[BOOTP] = 1;
	f[BOOTP + 1] = 1;
	f[BOOTP + 2] = 6;
	bng_put_be32(f + XID, inform->xid);
	memcpy(f + CLIENT_ADDRESS, inform->address, 4);
	memcpy(f + CLIENT_MAC, inform->mac, 6);
	bng_put_be32(f + COOKIE, MAGIC);
	memcpy(f + OPTIONS, options, sizeof(options));
}

/* Appends printable text, after a space if there is some already; anything else is left out. */
static void take_text(char *ret, const uint8_t *text, size_t size)
{
	size_t used = strlen(ret), i;

	while (size && !text[size - 1])
		size--;
	if (!size || used + size + 2 > BNG_DHCP_TEXT)
		return;
	for (i = 0; i < size; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return;
	if (used)
		ret[used++] = ' ';
	memcpy(ret + used, text, size);
	ret[used + size] = 0;
}

static void take_vendor(char *ret, const uint8_t *data, size_t size)
{
	size_t at = 0;

	while (at + 2 <= size && (size_t)data[at + 1] + 2 <= size - at) {
		if (data[at] == VENDOR_CONTROLLER)
			take_text(ret, data + at + 2, data[at + 1]);
		at += (size_t)data[at + 1] + 2;
	}
}

static int read_options(const uint8_t *options, size_t size, struct bng_dhcp_answer *answer)
{
	size_t at = 0;
	bool is_ack = false;

	while (at < size && options[at] != OPTION_END) {
		const uint8_t *data = options + at + 2;

		if (options[at] == OPTION_PAD) {
			at++;
			continue;
		}
		if (size - at < 2 || (size_t)options[at + 1] + 2 > size - at)
			return -EBADMSG;
		switch (options[at]) {
		case OPTION_TYPE:
			is_ack = options[at + 1] == 1 && data[0] == TYPE_ACK;
			break;
		case OPTION_CONTROLLER:
			take_text(answer->controllers, data, options[at + 1]);
			break;
		case OPTION_VENDOR:
			take_vendor(answer->controllers, data, options[at + 1]);
			break;
		case OPTION_DOMAIN:
			take_text(answer->domain, data, options[at + 1]);
			break;
		default:
			break;
		}
		at += (size_t)options[at + 1] + 2;
	}
	return is_ack ? 0 : -EBADMSG;
}

int bng_dhcp_inform_read(
	const struct bng_dhcp_inform *inform, struct bng_bytes frame, struct bng_dhcp_answer *ret_answer)
{
	struct bng_dhcp_answer answer = {0};
	const uint8_t *f = frame.data;
	int err;

	if (frame.size < OPTIONS || bng_get_be16(f + 12) != 0x0800 || f[IP] != 0x45 || f[IP + 9] != 17 ||
		bng_get_be16(f + UDP) != 67 || bng_get_be16(f + UDP + 2) != 68 || f[BOOTP] != 2 ||
		bng_get_be32(f + XID) != inform->xid || memcmp(f + CLIENT_MAC, inform->mac, 6) != 0 ||
		bng_get_be32(f + COOKIE) != MAGIC)
		return -EBADMSG;
	err = read_options(f + OPTIONS, frame.size - OPTIONS, &answer);
	if (!err)
		*ret_answer = answer;
	return err;
}
