/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts the IPv4 packet of a frame into fragments (RFC 791 2.3, 3.2), each behind the same layer-2 head. */
#ifndef BNG_IPV4_FRAGMENT_H
#define BNG_IPV4_FRAGMENT_H

#include "bytes.h"

enum { BNG_IPV4_HEADER_MAX = 60, BNG_FRAME_HEAD_MAX = 30 /* Ethernet, two tags, PPPoE, PPP */ };

struct bng_fragmenter {
	struct bng_bytes frame;
	size_t ip_at;
	size_t header;  /* of the packet, options included */
	size_t payload; /* bytes of it */
	size_t done;    /* of the payload */
	size_t mtu;
};

/* Where the IPv4 header of a frame stands: behind up to two tags, and PPPoE with PPP. 0: there is none that
 * is whole. */
size_t bng_frame_ipv4_at(struct bng_bytes frame);

/* The frame stays the caller's while it is cut. -EINVAL: no whole packet, or one that says DF; -EMSGSIZE: the
 * mtu has no room for its header and 8 bytes. */
int bng_fragmenter_init(struct bng_fragmenter *fragmenter, struct bng_bytes frame, uint32_t mtu);

/* The next frame into `to`, which has room for BNG_FRAME_HEAD_MAX and the mtu; its size, 0: that was all. */
size_t bng_fragmenter_next(struct bng_fragmenter *fragmenter, uint8_t *to);

#endif
