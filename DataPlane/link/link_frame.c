// SPDX-License-Identifier: Apache-2.0
// What a controller's frame means, by lane and state; wrong lane, wrong time and nonsense are refused by
// name.
#include "link_internal.h"

#include "frame.h"

#include <errno.h>
#include <string.h>

#define CODE(name) BNG__AGENT__V1__ERROR_CODE__ERROR_CODE_##name
#define BODY(name) BNG__AGENT__V1__CONTROLLER_FRAME__BODY_##name

enum {
	INTERVAL_MIN_MS = 10,
	INTERVAL_MAX_MS = 60000,
	TIMEOUT_MAX_MS = 600000,
	PAGE_MAX = 4096,
	COUNTER_IDS_MAX = 4096,
};

static enum bng_lane lane_of(Bng__Agent__V1__ControllerFrame__BodyCase body)
{
	switch (body) {
	case BODY(PUNT_CREDIT):
	case BODY(INJECTS):
		return BNG_LANE_PUNT;
	case BODY(EVENT_ACK):
	case BODY(SESSION_COUNTERS_REQUEST):
		return BNG_LANE_TELEMETRY;
	default:
		return BNG_LANE_STATE;
	}
}

static void lane_is_open(struct bng_link *link, enum bng_lane lane, struct bng_link_actions *actions)
{
	link->lanes[lane].state = BNG_LANE_OPEN;
	link->lanes[lane].deadline_ns = 0;
	link->lanes[lane].delay_ms = 0;
	bng_link_act(actions, BNG_LINK_LANE_OPEN, lane);
}

static void associated(struct bng_link *link, const Bng__Agent__V1__ControllerFrame *frame, uint64_t now_ns,
	struct bng_link_actions *actions)
{
	const Bng__Agent__V1__HelloReply *reply = frame->hello_reply;
	uint32_t interval = reply->heartbeat_interval_ms, timeout = reply->heartbeat_timeout_ms;

	if (reply->association_id.len != sizeof(link->association_id)) {
		bng_link_refuse(link, BNG_LANE_STATE, CODE(MALFORMED), "association_id is not 16 bytes",
			now_ns, actions);
		return;
	}
	if (reply->protocol_minor > BNG_LINK_MINOR) {
		bng_link_refuse(
			link, BNG_LANE_STATE, CODE(VERSION), "a minor that was not offered", now_ns, actions);
		return;
	}
	if (interval < INTERVAL_MIN_MS || interval > INTERVAL_MAX_MS || timeout > TIMEOUT_MAX_MS ||
		timeout / 2 < interval) {
		bng_link_refuse(link, BNG_LANE_STATE, CODE(UNEXPECTED), "heartbeat times out of range",
			now_ns, actions);
		return;
	}
	link->minor = reply->protocol_minor;
	memcpy(link->association_id, reply->association_id.data, sizeof(link->association_id));
	link->heartbeat_interval_ns = interval * 1000000ULL;
	link->heartbeat_timeout_ns = timeout * 1000000ULL;
	link->next_heartbeat_ns = now_ns + link->heartbeat_interval_ns;
	link->last_heard_ns = now_ns;
	link->heartbeat_sequence = 0;
	link->punts_dropped = 0;
	lane_is_open(link, BNG_LANE_STATE, actions);
	bng_link_act(actions, BNG_LINK_ASSOCIATED, BNG_LANE_STATE)->frame = frame;
	bng_link_open_lanes(link, now_ns, actions);
}

static void challenged(struct bng_link *link, const Bng__Agent__V1__ControllerFrame *frame, uint64_t now_ns,
	struct bng_link_actions *actions)
{
	if (frame->challenge->nonce.len != 32 ||
		frame->challenge->kind_case == BNG__AGENT__V1__CHALLENGE__KIND__NOT_SET) {
		bng_link_refuse(link, BNG_LANE_STATE, CODE(MALFORMED),
			"a challenge has a nonce of 32 bytes and a kind this version knows", now_ns, actions);
		return;
	}
	if (link->lanes[BNG_LANE_STATE].state == BNG_LANE_GREETING) {
		if (link->challenges++ == BNG_LINK_CHALLENGES) {
			bng_link_refuse(link, BNG_LANE_STATE, CODE(UNEXPECTED),
				"more challenges than one hello is worth", now_ns, actions);
			return;
		}
		link->lanes[BNG_LANE_STATE].deadline_ns = now_ns + BNG_LINK_HELLO_MS * 1000000ULL;
	}
	bng_link_act(actions, BNG_LINK_CHALLENGED, BNG_LANE_STATE)->frame = frame;
}

/* The answer to our hello, what has to be proven before it, or an error notice; nothing else. */
static void greeting(struct bng_link *link, enum bng_lane lane, const Bng__Agent__V1__ControllerFrame *frame,
	uint64_t now_ns, struct bng_link_actions *actions)
{
	if (lane == BNG_LANE_STATE && frame->body_case == BODY(HELLO_REPLY))
		associated(link, frame, now_ns, actions);
	else if (lane == BNG_LANE_STATE && frame->body_case == BODY(CHALLENGE))
		challenged(link, frame, now_ns, actions);
	else if (lane != BNG_LANE_STATE && frame->body_case == BODY(LANE_HELLO_REPLY) &&
		 (enum bng_lane)frame->lane_hello_reply->lane == lane)
		lane_is_open(link, lane, actions);
	else
		bng_link_refuse(link, lane, CODE(UNEXPECTED), "not the answer to a hello", now_ns, actions);
}

static void add_credit(struct bng_link *link, const Bng__Agent__V1__PuntCredit *credit)
{
	uint32_t class = (uint32_t)credit->punt_class;

	if (class == BNG_PUNT_NONE || class >= BNG_PUNT_CLASSES) {
		bng_link_notify(link, BNG_LANE_PUNT, CODE(INVALID), "credit of an unknown class");
		return;
	}
	if (credit->credits > UINT32_MAX - link->credits[class])
		link->credits[class] = UINT32_MAX;
	else
		link->credits[class] += credit->credits;
}

static bool is_page_request_good(const Bng__Agent__V1__AuditPageRequest *request)
{
	return request->limit >= 1 && request->limit <= PAGE_MAX && (int)request->family >= 1 &&
	       (int)request->family < BNG_FAMILIES;
}

static void open_frame(struct bng_link *link, enum bng_lane lane,
	const Bng__Agent__V1__ControllerFrame *frame, uint64_t now_ns, struct bng_link_actions *actions)
{
	struct bng_link_action *action;

	switch (frame->body_case) {
	case BODY(HEARTBEAT):
		break;
	case BODY(BATCH):
		bng_link_act(actions, BNG_LINK_BATCH, lane)->frame = frame;
		break;
	case BODY(CHALLENGE):
		challenged(link, frame, now_ns, actions);
		break;
	case BODY(AUDIT_REQUEST):
		bng_link_act(actions, BNG_LINK_AUDIT, lane)->frame = frame;
		break;
	case BODY(AUDIT_PAGE_REQUEST):
		if (is_page_request_good(frame->audit_page_request))
			bng_link_act(actions, BNG_LINK_AUDIT_PAGE, lane)->frame = frame;
		else
			bng_link_notify(
				link, lane, CODE(INVALID), "audit page: family or limit out of range");
		break;
	case BODY(PUNT_CREDIT):
		add_credit(link, frame->punt_credit);
		break;
	case BODY(INJECTS):
		bng_link_act(actions, BNG_LINK_INJECTS, lane)->frame = frame;
		break;
	case BODY(EVENT_ACK):
		if (!bng_event_queue_knows(&link->events, frame->event_ack->sequence)) {
			bng_link_refuse(link, lane, CODE(UNEXPECTED),
				"acknowledges events that were not sent", now_ns, actions);
			break;
		}
		action = bng_link_act(actions, BNG_LINK_EVENTS_ACKED, lane);
		action->number = frame->event_ack->sequence;
		break;
	case BODY(SESSION_COUNTERS_REQUEST):
		if (frame->session_counters_request->n_session_ids <= COUNTER_IDS_MAX)
			bng_link_act(actions, BNG_LINK_COUNTERS_WANTED, lane)->frame = frame;
		else
			bng_link_notify(link, lane, CODE(INVALID), "more than 4,096 session ids");
		break;
	default:
		bng_link_refuse(link, lane, CODE(UNEXPECTED), "not at this time", now_ns, actions);
		break;
	}
}

void bng_link_frame(struct bng_link *link, enum bng_lane lane, struct bng_bytes body, uint64_t now_ns,
	struct bng_link_actions *actions)
{
	struct bng_link_lane *l = &link->lanes[lane];
	const Bng__Agent__V1__ControllerFrame *frame;
	struct bng_link_action *action;

	bng_arena_reset(&l->arena);
	frame = (const void *)bng_frame_decode(
		&bng__agent__v1__controller_frame__descriptor, &l->arena, body);
	if (!frame) {
		bng_link_refuse(link, lane, CODE(MALFORMED), "not a ControllerFrame", now_ns, actions);
		return;
	}
	if (frame->body_case == BNG__AGENT__V1__CONTROLLER_FRAME__BODY__NOT_SET || !frame->error) {
		bng_link_refuse(
			link, lane, CODE(UNKNOWN_MESSAGE), "no body this version knows", now_ns, actions);
		return;
	}
	if (lane == BNG_LANE_STATE)
		link->last_heard_ns = now_ns;
	if (frame->body_case == BODY(ERROR)) {
		action = bng_link_act(actions, BNG_LINK_NOTICE, lane);
		action->code = (uint32_t)frame->error->code;
		action->frame = frame;
	} else if (l->state == BNG_LANE_GREETING) {
		greeting(link, lane, frame, now_ns, actions);
	} else if (lane_of(frame->body_case) != lane) {
		bng_link_refuse(link, lane, CODE(UNEXPECTED), "wrong lane", now_ns, actions);
	} else {
		open_frame(link, lane, frame, now_ns, actions);
	}
}
