/* SPDX-License-Identifier: Apache-2.0 */
/* Between link.c (lanes, timers) and link_frame.c (what a frame means). */
#ifndef BNG_LINK_INTERNAL_H
#define BNG_LINK_INTERNAL_H

#include "link.h"

struct bng_link_action *bng_link_act(
	struct bng_link_actions *actions, enum bng_link_action_kind kind, enum bng_lane lane);

/* Sends a notice, closes the lane, and does what losing it entails. */
void bng_link_refuse(struct bng_link *link, enum bng_lane lane, uint32_t code, const char *text,
	uint64_t now_ns, struct bng_link_actions *actions);

void bng_link_open_lanes(struct bng_link *link, uint64_t now_ns, struct bng_link_actions *actions);

void bng_link_frame(struct bng_link *link, enum bng_lane lane, struct bng_bytes body, uint64_t now_ns,
	struct bng_link_actions *actions);

#endif
