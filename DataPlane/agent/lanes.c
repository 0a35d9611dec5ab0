// SPDX-License-Identifier: Apache-2.0
// Between connections and the link machine: bytes become frames and events, actions become calls.
#include "agent.h"

#include "frame.h"
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <stdlib.h>

static const char *const lane_names[BNG_LANES] = {"", "state", "punt", "telemetry"};

static const char *code_name(uint32_t code)
{
	const ProtobufCEnumValue *value =
		protobuf_c_enum_descriptor_get_value(&bng__agent__v1__error_code__descriptor, (int)code);

	return value ? value->name + sizeof("ERROR_CODE_") - 1 : "unknown";
}

static void on_news(struct bng_connection *connection, enum bng_connection_news news)
{
	struct bng_lane_connection *lane = (struct bng_lane_connection *)connection;
	struct bng_link_event event = {.lane = lane->lane};

	switch (news) {
	case BNG_NEWS_OPEN:
		event.kind = BNG_LINK_CONNECTED;
		bng_lanes_event(lane->agent, &event);
		break;
	case BNG_NEWS_DATA:
		bng_lanes_pump(lane->agent, lane->lane);
		break;
	case BNG_NEWS_CLOSED:
		event.kind = BNG_LINK_CLOSED;
		bng_lanes_event(lane->agent, &event);
		break;
	case BNG_NEWS_WRITABLE:
		break;
	}
}

int bng_lanes_init(struct bng_agent *agent, struct bng_words *words)
{
	int err = bng_identity_init(agent, words), lane;

	if (err)
		return err;
	for (lane = 1; lane < BNG_LANES; lane++) {
		agent->lanes[lane].agent = agent;
		agent->lanes[lane].lane = (enum bng_lane)lane;
		bng_connection_init(&agent->lanes[lane].connection, &agent->loop, &agent->options.controller,
			agent->tls_context, on_news);
	}
	return 0;
}

void bng_lanes_done(struct bng_agent *agent)
{
	int lane;

	for (lane = 1; lane < BNG_LANES; lane++)
		if (agent->lanes[lane].agent)
			bng_connection_done(&agent->lanes[lane].connection);
	bng_identity_done(agent);
}

static void flush_lane(struct bng_agent *agent, enum bng_lane lane)
{
	bng_connection_write(&agent->lanes[lane].connection, &agent->link.lanes[lane].out);
}

void bng_lanes_flush(struct bng_agent *agent)
{
	int lane;

	for (lane = 1; lane < BNG_LANES; lane++)
		flush_lane(agent, (enum bng_lane)lane);
}

static void associated(struct bng_agent *agent, const Bng__Agent__V1__HelloReply *reply)
{
	int64_t skew = (int64_t)(reply->utc_unix_ms - bng_clock_now().utc_ms);

	bng_log("info", "associated", "controller=%s term=%" PRIu64 " heartbeat_ms=%u timeout_ms=%u",
		bng_quote(reply->controller_id).text, reply->node_term, reply->heartbeat_interval_ms,
		reply->heartbeat_timeout_ms);
	if (llabs(skew) > 1000)
		bng_log("warning", "clock_skew", "skew_ms=%" PRId64, skew);
	if (reply->node_term <= agent->node_term)
		return;
	if (!bng_store_put_term(&agent->kern, "node", reply->node_term))
		agent->node_term = reply->node_term;
}

static void dial_failed(struct bng_lane_connection *lane)
{
	if (strcmp(lane->failure, lane->connection.reason) == 0)
		return;
	_Static_assert(sizeof(lane->failure) == sizeof(lane->connection.reason), "copied whole");
	memcpy(lane->failure, lane->connection.reason, sizeof(lane->failure));
	bng_log("warning", "dial_failed", "lane=%s reason=%s again=quietly", lane_names[lane->lane],
		bng_quote(lane->failure).text);
}

static void lane_lost(struct bng_agent *agent, enum bng_lane lane, bool was_open)
{
	if (lane == BNG_LANE_STATE) {
		bng_batch_forget(agent);
		agent->counters[BNG_COUNT_association_lost] += was_open;
	}
	if (lane == BNG_LANE_TELEMETRY || lane == BNG_LANE_STATE)
		bng_session_counters_forget(agent);
	if (was_open)
		bng_log("warning", "lane_lost", "lane=%s reason=%s", lane_names[lane],
			bng_quote(agent->lanes[lane].connection.reason).text);
	else
		dial_failed(&agent->lanes[lane]);
}

static void lane_open(struct bng_agent *agent, enum bng_lane lane)
{
	bng_log("info", "lane_open", "lane=%s", lane_names[lane]);
	agent->lanes[lane].failure[0] = 0;
	if (lane != BNG_LANE_TELEMETRY)
		return;
	bng_counters_send(agent);
	bng_events_send(agent);
}

static void act(struct bng_agent *agent, const struct bng_link_action *action)
{
	switch (action->kind) {
	case BNG_LINK_DIAL:
		bng_connection_dial(&agent->lanes[action->lane].connection);
		break;
	case BNG_LINK_CLOSE:
		flush_lane(agent, action->lane);
		bng_connection_close(&agent->lanes[action->lane].connection);
		break;
	case BNG_LINK_SEND_HELLO:
		bng_hello_send(agent);
		break;
	case BNG_LINK_SEND_HEARTBEAT:
		bng_heartbeat_send(agent);
		break;
	case BNG_LINK_CHALLENGED:
		bng_identity_challenged(agent, action->frame->challenge);
		break;
	case BNG_LINK_ASSOCIATED:
		associated(agent, action->frame->hello_reply);
		break;
	case BNG_LINK_LANE_OPEN:
		lane_open(agent, action->lane);
		break;
	case BNG_LINK_LANE_LOST:
		lane_lost(agent, action->lane, action->code != 0);
		break;
	case BNG_LINK_BATCH:
		bng_batch_begin(agent, action->frame->batch);
		break;
	case BNG_LINK_AUDIT:
		bng_audit_summary_send(agent, action->frame->audit_request->request_id);
		break;
	case BNG_LINK_AUDIT_PAGE:
		bng_audit_page_send(agent, action->frame->audit_page_request);
		break;
	case BNG_LINK_INJECTS:
		bng_inject(agent, action->frame->injects);
		break;
	case BNG_LINK_EVENTS_ACKED:
		bng_events_acknowledged(agent, action->number);
		break;
	case BNG_LINK_COUNTERS_WANTED:
		bng_session_counters_begin(agent, action->frame->session_counters_request);
		break;
	case BNG_LINK_NOTICE:
		bng_log("warning", "notice_received", "lane=%s code=%s text=%s path=%s",
			lane_names[action->lane], code_name(action->code),
			bng_quote(action->frame->error->message).text,
			bng_quote(action->frame->error->field_path).text);
		break;
	case BNG_LINK_REFUSED:
		bng_log("warning", "peer_refused", "lane=%s code=%s text=%s", lane_names[action->lane],
			code_name(action->code), bng_quote(action->text).text);
		break;
	}
}

/* An action may bring news (a dial that fails at once), and news an event: one level of it is all there is.
 */
void bng_lanes_event(struct bng_agent *agent, const struct bng_link_event *event)
{
	struct bng_link_actions actions;
	size_t i;

	bng_link_handle(&agent->link, event, bng_monotonic_ns(), &actions);
	for (i = 0; i < actions.count; i++)
		act(agent, &actions.list[i]);
}

void bng_lanes_tick(struct bng_agent *agent)
{
	struct bng_link_event tick = {.kind = BNG_LINK_TICK};
	int lane;

	for (lane = 1; lane < BNG_LANES; lane++) {
		bng_connection_tick(&agent->lanes[lane].connection);
		bng_lanes_event(agent, &tick);
	}
}

void bng_lanes_pump(struct bng_agent *agent, enum bng_lane lane)
{
	struct bng_connection *connection = &agent->lanes[lane].connection;
	struct bng_link_event event = {.kind = BNG_LINK_FRAME, .lane = lane};
	int result = 1;

	while (connection->state == BNG_CONNECTION_OPEN && !(lane == BNG_LANE_STATE && agent->batch.batch)) {
		struct bng_bytes data = {bng_buffer_front(&connection->in), bng_buffer_size(&connection->in)};

		result = bng_frame_next(data, &event.body);
		if (result <= 0)
			break;
		bng_lanes_event(agent, &event);
		/* The lane may be gone, and its buffer with it. */
		if (connection->state == BNG_CONNECTION_OPEN)
			bng_buffer_consume(&connection->in, BNG_FRAME_HEAD + event.body.size);
	}
	if (result < 0 && connection->state == BNG_CONNECTION_OPEN) {
		event = (struct bng_link_event){.kind = BNG_LINK_BAD_LENGTH, .lane = lane, .error = result};
		bng_lanes_event(agent, &event);
	}
	bng_connection_resume(connection);
}

void bng_lanes_send(struct bng_agent *agent, enum bng_lane lane, const Bng__Agent__V1__AgentFrame *frame)
{
	struct bng_link_event closed = {.kind = BNG_LINK_CLOSED, .lane = BNG_LANE_STATE};
	int err = bng_link_send(&agent->link, lane, frame);

	if (!err || err == -ENOTCONN)
		return;
	bng_log("warning", "frame_not_sent", "lane=%s body=%d reason=%s", lane_names[lane],
		(int)frame->body_case, bng_quote(strerrordesc_np(-err)).text);
	/* An answer that cannot be given on the state lane must not just be missing: the controller starts
	 * anew. */
	if (lane == BNG_LANE_STATE) {
		bng_connection_close(&agent->lanes[lane].connection);
		bng_lanes_event(agent, &closed);
	}
}
