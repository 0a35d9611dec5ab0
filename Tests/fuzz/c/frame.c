// SPDX-License-Identifier: Apache-2.0
// Frames of a hostile controller, cut anywhere: the first byte picks lane and step; the rest goes through the
// link machine.
#include "frame.h"
#include "link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hand_over(struct bng_link *link, struct bng_link_event event)
{
	struct bng_link_actions actions;

	bng_link_handle(link, &event, 1000000000, &actions);
}

static void open_lane(struct bng_link *link, enum bng_lane lane)
{
	link->lanes[lane].state = BNG_LANE_OPEN;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t boot[16];
	struct bng_link_event event = {.kind = BNG_LINK_FRAME};
	struct bng_bytes rest;
	struct bng_link link;
	int lane, result;

	if (size < 2)
		return 0;
	bng_link_init(&link, boot, 1);
	for (lane = 1; lane < BNG_LANES; lane++)
		open_lane(&link, (enum bng_lane)lane);
	event.lane = (enum bng_lane)(1 + data[0] % 3);
	if (data[0] & 0x80)
		link.lanes[event.lane].state = BNG_LANE_GREETING;
	rest = (struct bng_bytes){data + 1, size - 1};
	while ((result = bng_frame_next(rest, &event.body)) > 0) {
		hand_over(&link, event);
		rest.data += BNG_FRAME_HEAD + event.body.size;
		rest.size -= BNG_FRAME_HEAD + event.body.size;
	}
	if (result < 0)
		hand_over(&link, (struct bng_link_event){
					 .kind = BNG_LINK_BAD_LENGTH, .lane = event.lane, .error = result});
	bng_link_done(&link);
	return 0;
}
