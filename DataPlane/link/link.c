// SPDX-License-Identifier: Apache-2.0
/*
 * Life of a lane: IDLE -(deadline)-> DIALLING -(connected)-> GREETING (our hello is out) -(reply)-> OPEN, and
 * back to IDLE from anywhere. The punt and telemetry lanes are dialled only while the state lane is OPEN:
 * that is the association. Losing the state lane closes them; losing one of them concerns only itself. Every
 * refusal of docs/contract.md, section 4, is made here or in link_frame.c.
 */
#include "link_internal.h"

#include "frame.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define MS_NS 1000000ULL

void bng_link_init(struct bng_link *link, const uint8_t boot_id[16], uint64_t seed)
{
	int lane;

	memset(link, 0, sizeof(*link));
	memcpy(link->boot_id, boot_id, sizeof(link->boot_id));
	link->random = seed | 1;
	bng_event_queue_init(&link->events);
	for (lane = 1; lane < BNG_LANES; lane++) {
		bng_buffer_init(&link->lanes[lane].out, BNG_LINK_OUT_MAX);
		bng_arena_init(&link->lanes[lane].arena, BNG_DECODE_BUDGET);
	}
}

void bng_link_done(struct bng_link *link)
{
	int lane;

	for (lane = 1; lane < BNG_LANES; lane++) {
		bng_buffer_done(&link->lanes[lane].out);
		bng_arena_done(&link->lanes[lane].arena);
	}
	bng_event_queue_done(&link->events);
}

struct bng_link_action *bng_link_act(
	struct bng_link_actions *actions, enum bng_link_action_kind kind, enum bng_lane lane)
{
	struct bng_link_action *action = &actions->list[actions->count++];

	assert(actions->count <= BNG_LINK_ACTIONS_MAX);
	*action = (struct bng_link_action){.kind = kind, .lane = lane};
	return action;
}

static uint64_t draw(struct bng_link *link)
{
	/* xorshift64: jitter needs no more. */
	link->random ^= link->random << 13;
	link->random ^= link->random >> 7;
	link->random ^= link->random << 17;
	return link->random;
}

static void schedule_redial(struct bng_link *link, enum bng_lane lane, uint64_t now_ns)
{
	struct bng_link_lane *l = &link->lanes[lane];
	uint64_t half;

	l->delay_ms = l->delay_ms ? l->delay_ms * 2 : BNG_LINK_REDIAL_MIN_MS;
	if (l->delay_ms > BNG_LINK_REDIAL_MAX_MS)
		l->delay_ms = BNG_LINK_REDIAL_MAX_MS;
	half = l->delay_ms * MS_NS / 2;
	l->deadline_ns = now_ns + half + draw(link) % (half + 1);
}

static void reset_lane(struct bng_link *link, enum bng_lane lane)
{
	struct bng_link_lane *l = &link->lanes[lane];

	l->state = BNG_LANE_IDLE;
	l->deadline_ns = 0;
	/* Unsent events go out again from the last acknowledgement; unspent credits are void. */
	if (lane == BNG_LANE_TELEMETRY)
		link->events.sent = 0;
	if (lane == BNG_LANE_PUNT)
		memset(link->credits, 0, sizeof(link->credits));
}

static void lose(struct bng_link *link, enum bng_lane lane, uint64_t now_ns, struct bng_link_actions *actions)
{
	bool was_open = link->lanes[lane].state == BNG_LANE_OPEN;
	int other;

	reset_lane(link, lane);
	bng_link_act(actions, BNG_LINK_LANE_LOST, lane)->code = was_open;
	if (lane == BNG_LANE_STATE) {
		for (other = BNG_LANE_PUNT; other < BNG_LANES; other++) {
			if (link->lanes[other].state != BNG_LANE_IDLE)
				bng_link_act(actions, BNG_LINK_CLOSE, (enum bng_lane)other);
			reset_lane(link, (enum bng_lane)other);
		}
		schedule_redial(link, lane, now_ns);
	} else if (link->lanes[BNG_LANE_STATE].state == BNG_LANE_OPEN) {
		schedule_redial(link, lane, now_ns);
	}
}

void bng_link_notify(struct bng_link *link, enum bng_lane lane, uint32_t code, const char *text)
{
	Bng__Agent__V1__ErrorNotice notice = BNG__AGENT__V1__ERROR_NOTICE__INIT;
	Bng__Agent__V1__AgentFrame frame = BNG__AGENT__V1__AGENT_FRAME__INIT;

	notice.code = (Bng__Agent__V1__ErrorCode)code;
	notice.message = (char *)text;
	frame.body_case = BNG__AGENT__V1__AGENT_FRAME__BODY_ERROR;
	frame.error = &notice;
	(void)bng_frame_append(&link->lanes[lane].out, &frame.base);
}

void bng_link_refuse(struct bng_link *link, enum bng_lane lane, uint32_t code, const char *text,
	uint64_t now_ns, struct bng_link_actions *actions)
{
	struct bng_link_action *action = bng_link_act(actions, BNG_LINK_REFUSED, lane);

	action->code = code;
	action->text = text;
	bng_link_notify(link, lane, code, text);
	bng_link_act(actions, BNG_LINK_CLOSE, lane);
	lose(link, lane, now_ns, actions);
}

static void send_lane_hello(struct bng_link *link, enum bng_lane lane)
{
	Bng__Agent__V1__LaneHello hello = BNG__AGENT__V1__LANE_HELLO__INIT;
	Bng__Agent__V1__AgentFrame frame = BNG__AGENT__V1__AGENT_FRAME__INIT;

	hello.lane = (Bng__Agent__V1__Lane)lane;
	hello.association_id = (ProtobufCBinaryData){.len = 16, .data = link->association_id};
	hello.boot_id = (ProtobufCBinaryData){.len = 16, .data = link->boot_id};
	frame.body_case = BNG__AGENT__V1__AGENT_FRAME__BODY_LANE_HELLO;
	frame.lane_hello = &hello;
	(void)bng_link_send(link, lane, &frame);
}

static void connected(struct bng_link *link, enum bng_lane lane, struct bng_link_actions *actions)
{
	if (link->lanes[lane].state != BNG_LANE_DIALLING)
		return;
	link->lanes[lane].state = BNG_LANE_GREETING;
	bng_buffer_clear(&link->lanes[lane].out);
	link->challenges = lane == BNG_LANE_STATE ? 0 : link->challenges;
	if (lane == BNG_LANE_STATE)
		bng_link_act(actions, BNG_LINK_SEND_HELLO, lane);
	else
		send_lane_hello(link, lane);
}

static void dial(struct bng_link *link, enum bng_lane lane, uint64_t now_ns, struct bng_link_actions *actions)
{
	link->lanes[lane].state = BNG_LANE_DIALLING;
	link->lanes[lane].deadline_ns = now_ns + BNG_LINK_HELLO_MS * MS_NS;
	bng_link_act(actions, BNG_LINK_DIAL, lane);
}

static void tick_heartbeat(struct bng_link *link, uint64_t now_ns, struct bng_link_actions *actions)
{
	if (link->lanes[BNG_LANE_STATE].state != BNG_LANE_OPEN)
		return;
	if (now_ns - link->last_heard_ns > link->heartbeat_timeout_ns) {
		bng_link_refuse(link, BNG_LANE_STATE, BNG__AGENT__V1__ERROR_CODE__ERROR_CODE_HEARTBEAT_LOST,
			"no sign of life", now_ns, actions);
		return;
	}
	if (now_ns >= link->next_heartbeat_ns) {
		link->next_heartbeat_ns = now_ns + link->heartbeat_interval_ns;
		link->heartbeat_sequence++;
		bng_link_act(actions, BNG_LINK_SEND_HEARTBEAT, BNG_LANE_STATE);
	}
}

static void tick_lane(
	struct bng_link *link, enum bng_lane lane, uint64_t now_ns, struct bng_link_actions *actions)
{
	struct bng_link_lane *l = &link->lanes[lane];

	if (l->state == BNG_LANE_OPEN || !l->deadline_ns || now_ns < l->deadline_ns)
		return;
	if (l->state == BNG_LANE_IDLE) {
		dial(link, lane, now_ns, actions);
		return;
	}
	bng_link_act(actions, BNG_LINK_CLOSE, lane)->text = "no answer to the hello";
	lose(link, lane, now_ns, actions);
}

void bng_link_open_lanes(struct bng_link *link, uint64_t now_ns, struct bng_link_actions *actions)
{
	dial(link, BNG_LANE_PUNT, now_ns, actions);
	dial(link, BNG_LANE_TELEMETRY, now_ns, actions);
}

void bng_link_handle(struct bng_link *link, const struct bng_link_event *event, uint64_t now_ns,
	struct bng_link_actions *ret_actions)
{
	ret_actions->count = 0;
	switch (event->kind) {
	case BNG_LINK_START:
		dial(link, BNG_LANE_STATE, now_ns, ret_actions);
		break;
	case BNG_LINK_CONNECTED:
		connected(link, event->lane, ret_actions);
		break;
	case BNG_LINK_CLOSED:
		if (link->lanes[event->lane].state != BNG_LANE_IDLE)
			lose(link, event->lane, now_ns, ret_actions);
		break;
	case BNG_LINK_FRAME:
		if (link->lanes[event->lane].state >= BNG_LANE_GREETING)
			bng_link_frame(link, event->lane, event->body, now_ns, ret_actions);
		break;
	case BNG_LINK_BAD_LENGTH:
		bng_link_refuse(link, event->lane,
			event->error == -EMSGSIZE ? BNG__AGENT__V1__ERROR_CODE__ERROR_CODE_FRAME_TOO_LARGE
						  : BNG__AGENT__V1__ERROR_CODE__ERROR_CODE_MALFORMED,
			event->error == -EMSGSIZE ? "frame over 1 MiB" : "frame of length 0", now_ns,
			ret_actions);
		break;
	case BNG_LINK_TICK:
		/* One lane at a time keeps the actions few; the next tick is soon. */
		tick_heartbeat(link, now_ns, ret_actions);
		if (!ret_actions->count)
			tick_lane(link, BNG_LANE_STATE, now_ns, ret_actions);
		if (!ret_actions->count)
			tick_lane(link, BNG_LANE_PUNT, now_ns, ret_actions);
		if (!ret_actions->count)
			tick_lane(link, BNG_LANE_TELEMETRY, now_ns, ret_actions);
		break;
	}
}

int bng_link_send(struct bng_link *link, enum bng_lane lane, const Bng__Agent__V1__AgentFrame *frame)
{
	struct bng_link_lane *l = &link->lanes[lane];
	bool hello = frame->body_case == BNG__AGENT__V1__AGENT_FRAME__BODY_HELLO ||
		     frame->body_case == BNG__AGENT__V1__AGENT_FRAME__BODY_LANE_HELLO;

	bool proof = frame->body_case == BNG__AGENT__V1__AGENT_FRAME__BODY_PROOF &&
		     l->state == BNG_LANE_GREETING && link->challenges;

	if (!proof && l->state != (hello ? BNG_LANE_GREETING : BNG_LANE_OPEN))
		return -ENOTCONN;
	return bng_frame_append(&l->out, &frame->base);
}

bool bng_link_take_credit(struct bng_link *link, uint32_t punt_class)
{
	if (link->lanes[BNG_LANE_PUNT].state != BNG_LANE_OPEN || punt_class >= BNG_PUNT_CLASSES ||
		!link->credits[punt_class])
		return false;
	link->credits[punt_class]--;
	return true;
}

bool bng_link_is_open(const struct bng_link *link, enum bng_lane lane)
{
	return link->lanes[lane].state == BNG_LANE_OPEN;
}
