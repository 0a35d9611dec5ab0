// SPDX-License-Identifier: Apache-2.0
// The association machine by event lists: order of hellos, lanes, heartbeat, re-dial, refusals, credits,
// events.
#include "test.h"

#include "frame.h"
#include "link.h"

#include <errno.h>

#define SECOND_NS  1000000000ULL
#define CODE(name) BNG__AGENT__V1__ERROR_CODE__ERROR_CODE_##name

static struct bng_link link_;
static struct bng_link_actions actions;
static uint64_t now;

static void begin(void)
{
	static const uint8_t boot[16] = {1, 2, 3};

	now = SECOND_NS;
	bng_link_init(&link_, boot, 42);
}

static void end(void)
{
	bng_link_done(&link_);
	assert_int_equal(bng_test_live_blocks(), 0);
}

static void event(enum bng_link_event_kind kind, enum bng_lane lane)
{
	struct bng_link_event it = {.kind = kind, .lane = lane};

	bng_link_handle(&link_, &it, now, &actions);
}

static void feed(enum bng_lane lane, const Bng__Agent__V1__ControllerFrame *frame)
{
	uint8_t bytes[4096];
	struct bng_link_event it = {.kind = BNG_LINK_FRAME, .lane = lane};

	it.body = (struct bng_bytes){bytes, bng__agent__v1__controller_frame__pack(frame, bytes)};
	bng_link_handle(&link_, &it, now, &actions);
}

static int has(enum bng_link_action_kind kind, enum bng_lane lane)
{
	size_t i;

	for (i = 0; i < actions.count; i++)
		if (actions.list[i].kind == kind && actions.list[i].lane == lane)
			return 1;
	return 0;
}

/* The code of the last notice in a lane's output; empties it. */
static int noticed(enum bng_lane lane)
{
	struct bng_buffer *out = &link_.lanes[lane].out;
	Bng__Agent__V1__AgentFrame *frame;
	struct bng_bytes body;
	int code = 0;

	while (bng_frame_next((struct bng_bytes){bng_buffer_front(out), bng_buffer_size(out)}, &body) == 1) {
		frame = bng__agent__v1__agent_frame__unpack(NULL, body.size, body.data);
		assert_non_null(frame);
		if (frame->body_case == BNG__AGENT__V1__AGENT_FRAME__BODY_ERROR)
			code = (int)frame->error->code;
		bng__agent__v1__agent_frame__free_unpacked(frame, NULL);
		bng_buffer_consume(out, 4 + body.size);
	}
	return code;
}

static void reply(uint32_t interval_ms, uint32_t timeout_ms, size_t id_size, uint32_t minor)
{
	static uint8_t id[16] = {9};
	Bng__Agent__V1__HelloReply hello = BNG__AGENT__V1__HELLO_REPLY__INIT;
	Bng__Agent__V1__ControllerFrame frame = BNG__AGENT__V1__CONTROLLER_FRAME__INIT;

	hello.association_id = (ProtobufCBinaryData){id_size, id};
	hello.heartbeat_interval_ms = interval_ms;
	hello.heartbeat_timeout_ms = timeout_ms;
	hello.protocol_minor = minor;
	frame.body_case = BNG__AGENT__V1__CONTROLLER_FRAME__BODY_HELLO_REPLY;
	frame.hello_reply = &hello;
	feed(BNG_LANE_STATE, &frame);
}

static void lane_reply(enum bng_lane lane, uint32_t named)
{
	Bng__Agent__V1__LaneHelloReply hello = BNG__AGENT__V1__LANE_HELLO_REPLY__INIT;
	Bng__Agent__V1__ControllerFrame frame = BNG__AGENT__V1__CONTROLLER_FRAME__INIT;

	hello.lane = (Bng__Agent__V1__Lane)named;
	frame.body_case = BNG__AGENT__V1__CONTROLLER_FRAME__BODY_LANE_HELLO_REPLY;
	frame.lane_hello_reply = &hello;
	feed(lane, &frame);
}

static void greet_state(void)
{
	event(BNG_LINK_START, BNG_LANE_STATE);
	assert_true(has(BNG_LINK_DIAL, BNG_LANE_STATE));
	event(BNG_LINK_CONNECTED, BNG_LANE_STATE);
	assert_true(has(BNG_LINK_SEND_HELLO, BNG_LANE_STATE));
}

static void challenge(size_t nonce_size, bool with_kind)
{
	static uint8_t nonce[33] = {7};
	Bng__Agent__V1__PSKChallenge psk = BNG__AGENT__V1__PSKCHALLENGE__INIT;
	Bng__Agent__V1__Challenge body = BNG__AGENT__V1__CHALLENGE__INIT;
	Bng__Agent__V1__ControllerFrame frame = BNG__AGENT__V1__CONTROLLER_FRAME__INIT;

	body.challenge_id = 1;
	body.nonce = (ProtobufCBinaryData){nonce_size, nonce};
	if (with_kind) {
		body.kind_case = BNG__AGENT__V1__CHALLENGE__KIND_PSK;
		body.psk = &psk;
	}
	frame.body_case = BNG__AGENT__V1__CONTROLLER_FRAME__BODY_CHALLENGE;
	frame.challenge = &body;
	feed(BNG_LANE_STATE, &frame);
}

static int send_proof(void)
{
	Bng__Agent__V1__Proof proof = BNG__AGENT__V1__PROOF__INIT;
	Bng__Agent__V1__AgentFrame frame = BNG__AGENT__V1__AGENT_FRAME__INIT;

	frame.body_case = BNG__AGENT__V1__AGENT_FRAME__BODY_PROOF;
	frame.proof = &proof;
	return bng_link_send(&link_, BNG_LANE_STATE, &frame);
}

static void associate(void)
{
	greet_state();
	reply(1000, 5000, 16, 0);
	assert_true(has(BNG_LINK_ASSOCIATED, BNG_LANE_STATE));
	assert_true(has(BNG_LINK_DIAL, BNG_LANE_PUNT) && has(BNG_LINK_DIAL, BNG_LANE_TELEMETRY));
	event(BNG_LINK_CONNECTED, BNG_LANE_PUNT);
	lane_reply(BNG_LANE_PUNT, 2);
	event(BNG_LINK_CONNECTED, BNG_LANE_TELEMETRY);
	lane_reply(BNG_LANE_TELEMETRY, 3);
	assert_true(bng_link_is_open(&link_, BNG_LANE_PUNT) && bng_link_is_open(&link_, BNG_LANE_TELEMETRY));
}

static void feed_simple(
	enum bng_lane lane, Bng__Agent__V1__ControllerFrame__BodyCase body, ProtobufCMessage *message)
{
	Bng__Agent__V1__ControllerFrame frame = BNG__AGENT__V1__CONTROLLER_FRAME__INIT;

	frame.body_case = body;
	frame.error = (void *)message;
	feed(lane, &frame);
}

static void feed_batch(enum bng_lane lane)
{
	Bng__Agent__V1__Batch batch = BNG__AGENT__V1__BATCH__INIT;

	feed_simple(lane, BNG__AGENT__V1__CONTROLLER_FRAME__BODY_BATCH, &batch.base);
}

static void feed_ack(uint64_t sequence)
{
	Bng__Agent__V1__EventAck ack = BNG__AGENT__V1__EVENT_ACK__INIT;

	ack.sequence = sequence;
	feed_simple(BNG_LANE_TELEMETRY, BNG__AGENT__V1__CONTROLLER_FRAME__BODY_EVENT_ACK, &ack.base);
}

static void feed_credit(uint32_t class, uint32_t credits)
{
	Bng__Agent__V1__PuntCredit credit = BNG__AGENT__V1__PUNT_CREDIT__INIT;

	credit.punt_class = (Bng__Agent__V1__PuntClass) class;
	credit.credits = credits;
	feed_simple(BNG_LANE_PUNT, BNG__AGENT__V1__CONTROLLER_FRAME__BODY_PUNT_CREDIT, &credit.base);
}

TEST(a_challenge_is_answered_before_the_hello_is_and_at_any_time_later)
{
	begin();
	greet_state();
	assert_int_equal(send_proof(), -ENOTCONN); /* nobody asked */
	challenge(32, true);
	assert_true(has(BNG_LINK_CHALLENGED, BNG_LANE_STATE));
	assert_int_equal(send_proof(), 0);
	reply(1000, 5000, 16, 1);
	assert_true(has(BNG_LINK_ASSOCIATED, BNG_LANE_STATE));
	assert_int_equal(link_.minor, 1);
	challenge(32, true);
	assert_true(has(BNG_LINK_CHALLENGED, BNG_LANE_STATE));
	assert_int_equal(send_proof(), 0);
	end();
}

TEST(challenges_that_are_none_or_too_many_end_the_lane)
{
	int i;

	begin();
	greet_state();
	challenge(31, true);
	assert_int_equal(noticed(BNG_LANE_STATE), CODE(MALFORMED));
	end();
	begin();
	greet_state();
	challenge(32, false);
	assert_int_equal(noticed(BNG_LANE_STATE), CODE(MALFORMED));
	end();
	begin();
	greet_state();
	for (i = 0; i < BNG_LINK_CHALLENGES; i++)
		challenge(32, true);
	challenge(32, true);
	assert_int_equal(noticed(BNG_LANE_STATE), CODE(UNEXPECTED));
	end();
}

TEST(lanes_are_dialled_after_the_hello_and_open_in_any_order)
{
	begin();
	associate();
	feed_batch(BNG_LANE_STATE);
	assert_true(has(BNG_LINK_BATCH, BNG_LANE_STATE));
	end();
}

TEST(bad_hello_replies_are_refused_by_name_and_dialled_again)
{
	static const struct {
		uint32_t interval, timeout;
		size_t id;
		uint32_t minor;
		int code;
	} cases[] = {
		{1000, 5000, 15, 0, CODE(MALFORMED)},
		{1000, 5000, 16, BNG_LINK_MINOR + 1, CODE(VERSION)},
		{1000, 1999, 16, 0, CODE(UNEXPECTED)},
		{9, 5000, 16, 0, CODE(UNEXPECTED)},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin();
		greet_state();
		reply(cases[i].interval, cases[i].timeout, cases[i].id, cases[i].minor);
		assert_int_equal(noticed(BNG_LANE_STATE), cases[i].code);
		assert_true(has(BNG_LINK_CLOSE, BNG_LANE_STATE));
		now += SECOND_NS;
		event(BNG_LINK_TICK, 0);
		assert_true(has(BNG_LINK_DIAL, BNG_LANE_STATE));
		end();
	}
}

TEST(nothing_but_the_answer_may_come_before_the_hello_is_answered)
{
	begin();
	greet_state();
	feed_batch(BNG_LANE_STATE);
	assert_int_equal(noticed(BNG_LANE_STATE), CODE(UNEXPECTED));
	assert_false(has(BNG_LINK_BATCH, BNG_LANE_STATE));
	end();
}

TEST(the_wrong_lane_is_closed_alone_and_dialled_again)
{
	begin();
	associate();
	feed_batch(BNG_LANE_PUNT);
	assert_int_equal(noticed(BNG_LANE_PUNT), CODE(UNEXPECTED));
	assert_true(has(BNG_LINK_CLOSE, BNG_LANE_PUNT));
	assert_true(bng_link_is_open(&link_, BNG_LANE_STATE) && bng_link_is_open(&link_, BNG_LANE_TELEMETRY));
	now += SECOND_NS / 2;
	event(BNG_LINK_TICK, 0);
	assert_true(has(BNG_LINK_DIAL, BNG_LANE_PUNT));
	end();
}

TEST(losing_the_state_lane_closes_the_others)
{
	begin();
	associate();
	event(BNG_LINK_CLOSED, BNG_LANE_STATE);
	assert_true(has(BNG_LINK_CLOSE, BNG_LANE_PUNT) && has(BNG_LINK_CLOSE, BNG_LANE_TELEMETRY));
	assert_false(bng_link_take_credit(&link_, BNG_PUNT_DHCPV4));
	end();
}

TEST(a_silent_controller_is_left_after_the_timeout_and_heartbeats_go_out_until_then)
{
	int heartbeats = 0;

	begin();
	associate();
	while (bng_link_is_open(&link_, BNG_LANE_STATE)) {
		now += SECOND_NS / 10;
		event(BNG_LINK_TICK, 0);
		heartbeats += has(BNG_LINK_SEND_HEARTBEAT, BNG_LANE_STATE);
		assert_true(now < 8 * SECOND_NS);
	}
	assert_int_equal(noticed(BNG_LANE_STATE), CODE(HEARTBEAT_LOST));
	assert_int_equal(heartbeats, 5);
	end();
}

TEST(any_frame_is_a_sign_of_life)
{
	int i;

	begin();
	associate();
	for (i = 0; i < 100; i++) {
		now += SECOND_NS;
		feed_batch(BNG_LANE_STATE);
		event(BNG_LINK_TICK, 0);
		assert_true(bng_link_is_open(&link_, BNG_LANE_STATE));
		noticed(BNG_LANE_STATE);
	}
	end();
}

TEST(redials_are_spaced_out_to_a_bound_and_reset_by_an_answer)
{
	uint64_t waited, start;
	uint32_t expected = 100;
	int i;

	begin();
	event(BNG_LINK_START, BNG_LANE_STATE);
	for (i = 0; i < 8; i++) {
		event(BNG_LINK_CLOSED, BNG_LANE_STATE);
		for (start = now; !has(BNG_LINK_DIAL, BNG_LANE_STATE); now += 1000000)
			event(BNG_LINK_TICK, 0);
		waited = (now - start) / 1000000;
		assert_in_range(waited, expected / 2, expected + 2);
		expected = expected * 2 > 3200 ? 3200 : expected * 2;
	}
	event(BNG_LINK_CONNECTED, BNG_LANE_STATE);
	reply(1000, 5000, 16, 0);
	assert_int_equal(link_.lanes[BNG_LANE_STATE].delay_ms, 0);
	end();
}

TEST(a_controller_that_never_answers_the_hello_is_left)
{
	begin();
	greet_state();
	now += 11 * SECOND_NS;
	event(BNG_LINK_TICK, 0);
	assert_true(has(BNG_LINK_CLOSE, BNG_LANE_STATE) && has(BNG_LINK_LANE_LOST, BNG_LANE_STATE));
	end();
}

TEST(credits_start_at_zero_add_up_saturate_and_end_with_the_lane)
{
	begin();
	associate();
	assert_false(bng_link_take_credit(&link_, BNG_PUNT_DHCPV4));
	feed_credit(BNG_PUNT_DHCPV4, 2);
	feed_credit(BNG_PUNT_ARP, 1);
	assert_true(bng_link_take_credit(&link_, BNG_PUNT_DHCPV4));
	assert_true(bng_link_take_credit(&link_, BNG_PUNT_DHCPV4));
	assert_false(bng_link_take_credit(&link_, BNG_PUNT_DHCPV4));
	feed_credit(BNG_PUNT_ARP, UINT32_MAX);
	assert_int_equal(link_.credits[BNG_PUNT_ARP], UINT32_MAX);
	feed_credit(77, 1);
	assert_int_equal(noticed(BNG_LANE_PUNT), CODE(INVALID));
	assert_true(bng_link_is_open(&link_, BNG_LANE_PUNT));
	event(BNG_LINK_CLOSED, BNG_LANE_PUNT);
	assert_int_equal(link_.credits[BNG_PUNT_ARP], 0);
	end();
}

TEST(events_are_sent_again_from_the_last_acknowledgement)
{
	struct bng_event it = {.kind = BNG_EVENT_PORT_CHANGED}, popped;
	int i;

	begin();
	associate();
	for (i = 0; i < 5; i++)
		assert_int_equal(bng_event_queue_push(&link_.events, &it), 0);
	link_.events.sent = 4;
	feed_ack(2);
	assert_true(has(BNG_LINK_EVENTS_ACKED, BNG_LANE_TELEMETRY));
	while (bng_event_queue_pop(&link_.events, 2, &popped))
		;
	assert_int_equal(link_.events.first_sequence, 3);
	feed_ack(1);
	assert_true(bng_link_is_open(&link_, BNG_LANE_TELEMETRY));
	event(BNG_LINK_CLOSED, BNG_LANE_TELEMETRY);
	assert_int_equal(link_.events.sent, 0);
	assert_int_equal(link_.events.count, 3);
	end();
}

TEST(acknowledging_what_was_not_sent_is_unexpected)
{
	struct bng_event it = {.kind = BNG_EVENT_PORT_CHANGED};

	begin();
	associate();
	assert_int_equal(bng_event_queue_push(&link_.events, &it), 0);
	feed_ack(1);
	assert_int_equal(noticed(BNG_LANE_TELEMETRY), CODE(UNEXPECTED));
	assert_false(bng_link_is_open(&link_, BNG_LANE_TELEMETRY));
	end();
}

TEST(the_event_queue_is_bounded)
{
	struct bng_event it = {.kind = BNG_EVENT_PORT_CHANGED};
	int i;

	begin();
	for (i = 0; i < BNG_EVENTS_MAX; i++)
		assert_int_equal(bng_event_queue_push(&link_.events, &it), 0);
	assert_int_equal(bng_event_queue_push(&link_.events, &it), -ENOBUFS);
	end();
}

TEST(nonsense_is_malformed_and_unknown_bodies_are_named)
{
	static const uint8_t truncated[] = {0x2a, 5}, unknown[] = {0x7a, 0};
	struct bng_link_event it = {.kind = BNG_LINK_FRAME, .lane = BNG_LANE_STATE, .body = {truncated, 2}};

	begin();
	associate();
	noticed(BNG_LANE_STATE);
	bng_link_handle(&link_, &it, now, &actions);
	assert_int_equal(noticed(BNG_LANE_STATE), CODE(MALFORMED));
	end();
	begin();
	associate();
	it.lane = BNG_LANE_TELEMETRY;
	it.body.data = unknown;
	bng_link_handle(&link_, &it, now, &actions);
	assert_int_equal(noticed(BNG_LANE_TELEMETRY), CODE(UNKNOWN_MESSAGE));
	assert_true(bng_link_is_open(&link_, BNG_LANE_STATE));
	it = (struct bng_link_event){.kind = BNG_LINK_BAD_LENGTH, .lane = BNG_LANE_PUNT, .error = -EMSGSIZE};
	bng_link_handle(&link_, &it, now, &actions);
	assert_int_equal(noticed(BNG_LANE_PUNT), CODE(FRAME_TOO_LARGE));
	end();
}

TEST(out_of_memory_while_decoding_is_malformed_not_a_crash)
{
	begin();
	associate();
	noticed(BNG_LANE_STATE);
	bng_arena_done(&link_.lanes[BNG_LANE_STATE].arena);
	bng_test_fail_allocation(0);
	feed_batch(BNG_LANE_STATE);
	bng_test_fail_allocation(-1);
	assert_false(has(BNG_LINK_BATCH, BNG_LANE_STATE));
	assert_true(has(BNG_LINK_CLOSE, BNG_LANE_STATE));
	end();
}
