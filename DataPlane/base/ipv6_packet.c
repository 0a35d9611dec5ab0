// SPDX-License-Identifier: Apache-2.0
// Finding and composing IPv6 packets.
#include "ipv6_packet.h"

#include "frame_head.h"
#include "inet_sum.h"

enum { IPV6 = 0x86dd, PPP_IPV6 = 0x0057, ICMPV6 = 58, HOP_LIMIT = 255, CHECKSUM_AT = 2 };

size_t bng_frame_ipv6_at(struct bng_bytes frame)
{
	size_t at = bng_frame_packet_at(frame, IPV6, PPP_IPV6);

	if (!at || frame.size - at < BNG_IPV6_HEADER || frame.data[at] >> 4 != 6)
		return 0;
	return bng_get_be16(frame.data + at + 4) <= frame.size - at - BNG_IPV6_HEADER ? at : 0;
}

void bng_icmpv6_put(
	uint8_t *to, const uint8_t source[16], const uint8_t destination[16], struct bng_bytes message)
{
	uint8_t *icmp = to + BNG_IPV6_HEADER;
	uint32_t sum;

	bng_put_be32(to, 6u << 28);
	bng_put_be16(to + 4, (uint16_t)message.size);
	to[6] = ICMPV6;
	to[7] = HOP_LIMIT;
	memcpy(to + 8, source, 16);
	memcpy(to + 24, destination, 16);
	memcpy(icmp, message.data, message.size);
	bng_put_be16(icmp + CHECKSUM_AT, 0);
	/* RFC 8200 8.1: the pseudo-header's addresses, length and next header. */
	sum = bng_inet_add((uint32_t)message.size + ICMPV6, to + 8, 32);
	sum = bng_inet_add(sum, icmp, message.size);
	bng_put_be16(icmp + CHECKSUM_AT, (uint16_t)~bng_inet_fold(sum));
}
