// SPDX-License-Identifier: Apache-2.0
// Ethernet, IEEE 802.1Q and RFC 2516, as far as a packet's beginning.
#include "frame_head.h"

enum { ETHERNET = 14, TAG = 4, PPPOE = 8 /* with PPP's protocol */, PPPOE_SESSION = 0x8864 };

static bool is_tag(uint16_t ethertype)
{
	return ethertype == 0x8100 || ethertype == 0x88a8;
}

size_t bng_frame_packet_at(struct bng_bytes frame, uint16_t ethertype, uint16_t ppp_protocol)
{
	size_t at = ETHERNET, tags;
	uint16_t type;

	for (tags = 0; tags < 2 && at + TAG <= frame.size && is_tag(bng_get_be16(frame.data + at - 2));
		tags++)
		at += TAG;
	if (at >= frame.size)
		return 0;
	type = bng_get_be16(frame.data + at - 2);
	if (type == ethertype)
		return at;
	if (type != PPPOE_SESSION || at + PPPOE >= frame.size)
		return 0;
	return bng_get_be16(frame.data + at + PPPOE - 2) == ppp_protocol ? at + PPPOE : 0;
}
