/* SPDX-License-Identifier: Apache-2.0 */
/* What stands before the packet of a frame. */
#ifndef BNG_FRAME_HEAD_H
#define BNG_FRAME_HEAD_H

#include "bytes.h"

/* Where the packet of this kind begins: behind up to two tags, and PPPoE with PPP. 0: the frame has none. */
size_t bng_frame_packet_at(struct bng_bytes frame, uint16_t ethertype, uint16_t ppp_protocol);

#endif
