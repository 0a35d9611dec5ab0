// SPDX-License-Identifier: Apache-2.0
// Asking for a certificate: the answers, the waits between, and what is no answer.
#include "test.h"

#include "enrol.h"
#include "frame.h"

#include <errno.h>

#define MS 1000000ULL

static struct bng_enrol enrol;
static struct bng_enrol_action action;
static uint64_t now;

static void event(enum bng_enrol_event_kind kind)
{
	action = bng_enrol_handle(&enrol, &(struct bng_enrol_event){.kind = kind}, now);
}

static void feed(const Bng__Agent__V1__ControllerFrame *frame)
{
	static uint8_t bytes[4096];
	size_t size = bng__agent__v1__controller_frame__pack(frame, bytes);

	action = bng_enrol_handle(
		&enrol, &(struct bng_enrol_event){.kind = BNG_ENROL_FRAME, .body = {bytes, size}}, now);
}

static void answer(int status, uint32_t retry_after_ms)
{
	Bng__Agent__V1__EnrolReply reply = BNG__AGENT__V1__ENROL_REPLY__INIT;
	Bng__Agent__V1__ControllerFrame frame = BNG__AGENT__V1__CONTROLLER_FRAME__INIT;

	reply.status = (Bng__Agent__V1__EnrolStatus)status;
	reply.retry_after_ms = retry_after_ms;
	frame.body_case = BNG__AGENT__V1__CONTROLLER_FRAME__BODY_ENROL_REPLY;
	frame.enrol_reply = &reply;
	feed(&frame);
}

static void ask(void)
{
	bng_enrol_init(&enrol);
	now = 5 * MS;
	event(BNG_ENROL_START);
	assert_int_equal(action.kind, BNG_ENROL_DIAL);
	event(BNG_ENROL_CONNECTED);
	assert_int_equal(action.kind, BNG_ENROL_SEND_REQUEST);
}

/* It asks again after so long, and not before. */
static void asks_again_after(uint64_t ms)
{
	now += ms * MS - 1;
	event(BNG_ENROL_TICK);
	assert_int_equal(action.kind, BNG_ENROL_NOTHING);
	now += 1;
	event(BNG_ENROL_TICK);
	assert_int_equal(action.kind, BNG_ENROL_DIAL);
	bng_enrol_done(&enrol);
}

TEST(an_approval_ends_it)
{
	ask();
	answer(2, 0);
	assert_int_equal(action.kind, BNG_ENROL_ANSWERED);
	now += 1000000 * MS;
	event(BNG_ENROL_TICK);
	assert_int_equal(action.kind, BNG_ENROL_NOTHING);
	event(BNG_ENROL_CLOSED);
	assert_int_equal(action.kind, BNG_ENROL_NOTHING);
	bng_enrol_done(&enrol);
}

TEST(who_has_to_wait_asks_again_when_told_within_bounds)
{
	static const struct {
		int status;
		uint32_t told_ms, waits_ms;
	} cases[] = {{1, 5000, 5000}, {1, 0, 1000}, {1, 4000000000, 60000}, {3, 1, 60000}};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ask();
		answer(cases[i].status, cases[i].told_ms);
		assert_int_equal(action.kind, BNG_ENROL_ANSWERED);
		asks_again_after(cases[i].waits_ms);
	}
}

TEST(what_is_no_answer_is_a_failure_and_failures_wait_longer_each_time)
{
	Bng__Agent__V1__ControllerFrame frame = BNG__AGENT__V1__CONTROLLER_FRAME__INIT;
	Bng__Agent__V1__ControllerHeartbeat beat = BNG__AGENT__V1__CONTROLLER_HEARTBEAT__INIT;
	uint64_t expected = 1000;
	int i;

	ask();
	for (i = 0; i < 8; i++) {
		if (i % 3 == 0) {
			frame.body_case = BNG__AGENT__V1__CONTROLLER_FRAME__BODY_HEARTBEAT;
			frame.heartbeat = &beat;
			feed(&frame);
		} else if (i % 3 == 1) {
			answer(99, 0);
		} else {
			event(BNG_ENROL_CLOSED);
		}
		assert_int_equal(action.kind, BNG_ENROL_FAILED);
		/* An answer, even a strange one, comes from a controller that is there. */
		expected = i % 3 == 1 ? 1000 : expected;
		now += expected * MS - 1;
		event(BNG_ENROL_TICK);
		assert_int_equal(action.kind, BNG_ENROL_NOTHING);
		now += 1;
		event(BNG_ENROL_TICK);
		assert_int_equal(action.kind, BNG_ENROL_DIAL);
		event(BNG_ENROL_CONNECTED);
		expected = expected * 2 > 60000 ? 60000 : expected * 2;
	}
	bng_enrol_done(&enrol);
}

TEST(a_controller_that_says_nothing_is_given_up)
{
	ask();
	now += BNG_ENROL_ANSWER_MS * MS - 1;
	event(BNG_ENROL_TICK);
	assert_int_equal(action.kind, BNG_ENROL_NOTHING);
	now += 1;
	event(BNG_ENROL_TICK);
	assert_int_equal(action.kind, BNG_ENROL_FAILED);
	bng_enrol_done(&enrol);
}

TEST(challenges_are_bounded_and_nothing_is_sent_when_nobody_listens)
{
	static uint8_t nonce[32];
	Bng__Agent__V1__QuoteChallenge quote = BNG__AGENT__V1__QUOTE_CHALLENGE__INIT;
	Bng__Agent__V1__Challenge challenge = BNG__AGENT__V1__CHALLENGE__INIT;
	Bng__Agent__V1__ControllerFrame frame = BNG__AGENT__V1__CONTROLLER_FRAME__INIT;
	Bng__Agent__V1__AgentFrame out = BNG__AGENT__V1__AGENT_FRAME__INIT;
	Bng__Agent__V1__Proof proof = BNG__AGENT__V1__PROOF__INIT;
	int i;

	challenge.nonce = (ProtobufCBinaryData){32, nonce};
	challenge.kind_case = BNG__AGENT__V1__CHALLENGE__KIND_QUOTE;
	challenge.quote = &quote;
	frame.body_case = BNG__AGENT__V1__CONTROLLER_FRAME__BODY_CHALLENGE;
	frame.challenge = &challenge;
	out.body_case = BNG__AGENT__V1__AGENT_FRAME__BODY_PROOF;
	out.proof = &proof;
	ask();
	for (i = 0; i < 4; i++) {
		feed(&frame);
		assert_int_equal(action.kind, BNG_ENROL_CHALLENGED);
		assert_int_equal(bng_enrol_send(&enrol, &out), 0);
	}
	feed(&frame);
	assert_int_equal(action.kind, BNG_ENROL_FAILED);
	assert_int_equal(bng_enrol_send(&enrol, &out), -ENOTCONN);
	bng_enrol_done(&enrol);
}
