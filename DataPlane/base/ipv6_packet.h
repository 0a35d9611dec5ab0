/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 packets (RFC 8200) in frames, and ICMPv6 ones of our own (RFC 4443). */
#ifndef BNG_IPV6_PACKET_H
#define BNG_IPV6_PACKET_H

#include "bytes.h"

enum { BNG_IPV6_HEADER = 40 };

/* Where the IPv6 header of a frame stands: behind up to two tags, and PPPoE with PPP. 0: there is none that
 * is whole. */
size_t bng_frame_ipv6_at(struct bng_bytes frame);

/* An ICMPv6 packet with hop limit 255 to `to`, which has room for BNG_IPV6_HEADER and the message; the
 * checksum is filled in, whatever stands there. */
void bng_icmpv6_put(
	uint8_t *to, const uint8_t source[16], const uint8_t destination[16], struct bng_bytes message);

#endif
