// SPDX-License-Identifier: Apache-2.0
// RFC 791's procedure: all options in the first fragment, those with the copied flag in the others, data in
// units of 8 bytes. A fragment may be cut again.
#include "ipv4_fragment.h"

#include "frame_head.h"
#include "inet_sum.h"
#include "option_walk.h"

#include <errno.h>

enum {
	IP_HEADER = 20,
	MORE_FRAGMENTS = 0x2000,
	DONT_FRAGMENT = 0x4000,
	OFFSET = 0x1fff,
	UNIT = 8,
	OPTION_COPIED = 0x80,
};

size_t bng_frame_ipv4_at(struct bng_bytes frame)
{
	size_t at = bng_frame_packet_at(frame, 0x0800, 0x0021), total;

	if (!at || frame.size - at < IP_HEADER || frame.data[at] >> 4 != 4)
		return 0;
	total = bng_get_be16(frame.data + at + 2);
	return total >= IP_HEADER && total <= frame.size - at ? at : 0;
}

int bng_fragmenter_init(struct bng_fragmenter *fragmenter, struct bng_bytes frame, uint32_t mtu)
{
	size_t at = bng_frame_ipv4_at(frame), header, total;
	uint16_t flags;

	if (!at)
		return -EINVAL;
	header = ((size_t)frame.data[at] & 15) * 4;
	total = bng_get_be16(frame.data + at + 2);
	flags = bng_get_be16(frame.data + at + 6);
	if (header < IP_HEADER || header > total || flags & DONT_FRAGMENT)
		return -EINVAL;
	if ((size_t)(flags & OFFSET) * UNIT + total > UINT16_MAX)
		return -EINVAL;
	if (mtu < header + UNIT)
		return -EMSGSIZE;
	*fragmenter = (struct bng_fragmenter){
		.frame = frame, .ip_at = at, .header = header, .payload = total - header, .mtu = mtu};
	return 0;
}

/* The options of every fragment but the first, padded to words; their size. What is malformed ends them. */
static size_t copy_options(const uint8_t *options, size_t size, uint8_t *to)
{
	size_t at, out = 0, length;

	for (at = 0; (length = bng_option_next(options, size, &at)); at += length)
		if (options[at] & OPTION_COPIED) {
			memcpy(to + out, options + at, length);
			out += length;
		}
	while (out % 4)
		to[out++] = BNG_OPTION_END;
	return out;
}

/* The IP header at `to`; its size. */
static size_t put_header(const struct bng_fragmenter *fragmenter, uint8_t *to)
{
	const uint8_t *ip = fragmenter->frame.data + fragmenter->ip_at;
	size_t header = fragmenter->header;

	memcpy(to, ip, IP_HEADER);
	if (fragmenter->done)
		header = IP_HEADER + copy_options(ip + IP_HEADER, header - IP_HEADER, to + IP_HEADER);
	else
		memcpy(to + IP_HEADER, ip + IP_HEADER, header - IP_HEADER);
	to[0] = (uint8_t)(0x40 | header / 4);
	return header;
}

size_t bng_fragmenter_next(struct bng_fragmenter *fragmenter, uint8_t *to)
{
	const uint8_t *ip = fragmenter->frame.data + fragmenter->ip_at;
	size_t left = fragmenter->payload - fragmenter->done, header, size;
	uint16_t flags = bng_get_be16(ip + 6), offset;
	bool last;

	if (!left)
		return 0;
	memcpy(to, fragmenter->frame.data, fragmenter->ip_at);
	to += fragmenter->ip_at;
	header = put_header(fragmenter, to);
	last = header + left <= fragmenter->mtu;
	size = last ? left : (fragmenter->mtu - header) / UNIT * UNIT;
	offset = (uint16_t)((flags & OFFSET) + fragmenter->done / UNIT);
	bng_put_be16(to + 2, (uint16_t)(header + size));
	bng_put_be16(
		to + 6, (uint16_t)((last ? flags & MORE_FRAGMENTS : MORE_FRAGMENTS) | (offset & OFFSET)));
	bng_put_be16(to + 10, 0);
	bng_put_be16(to + 10, (uint16_t)~bng_inet_fold(bng_inet_add(0, to, header)));
	memcpy(to + header, ip + fragmenter->header + fragmenter->done, size);
	if (bng_get_be16(to - 2) == 0x0021) /* RFC 2516 4: PPP's protocol is in PPPoE's length */
		bng_put_be16(to - 4, (uint16_t)(header + size + 2));
	fragmenter->done += size;
	return fragmenter->ip_at + header + size;
}
