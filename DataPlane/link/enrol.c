// SPDX-License-Identifier: Apache-2.0
// IDLE -(deadline)-> DIALLING -(connected)-> ASKING -(answer)-> IDLE. An approval ends it; anything else sets
// the next deadline.
#include "enrol.h"

#include "frame.h"

#include <errno.h>
#include <string.h>

#define MS_NS 1000000ULL

enum { CHALLENGES_MAX = 4, OUT_MAX = 1024 * 1024 };

void bng_enrol_init(struct bng_enrol *enrol)
{
	memset(enrol, 0, sizeof(*enrol));
	bng_buffer_init(&enrol->out, OUT_MAX);
	bng_arena_init(&enrol->arena, BNG_DECODE_BUDGET);
}

void bng_enrol_done(struct bng_enrol *enrol)
{
	bng_buffer_done(&enrol->out);
	bng_arena_done(&enrol->arena);
}

static void rest(struct bng_enrol *enrol, uint64_t now_ns, uint32_t after_ms)
{
	enrol->state = BNG_ENROL_IDLE;
	enrol->deadline_ns = now_ns + after_ms * MS_NS;
}

static struct bng_enrol_action fail(struct bng_enrol *enrol, uint64_t now_ns, const char *text,
	const Bng__Agent__V1__ControllerFrame *frame)
{
	enrol->delay_ms = enrol->delay_ms ? enrol->delay_ms * 2 : BNG_ENROL_RETRY_MIN_MS;
	if (enrol->delay_ms > BNG_ENROL_RETRY_MAX_MS)
		enrol->delay_ms = BNG_ENROL_RETRY_MAX_MS;
	rest(enrol, now_ns, enrol->delay_ms);
	return (struct bng_enrol_action){.kind = BNG_ENROL_FAILED, .text = text, .frame = frame};
}

static struct bng_enrol_action answered(
	struct bng_enrol *enrol, const Bng__Agent__V1__ControllerFrame *frame, uint64_t now_ns)
{
	const Bng__Agent__V1__EnrolReply *reply = frame->enrol_reply;
	uint32_t after = reply->retry_after_ms;

	enrol->delay_ms = 0;
	switch (reply->status) {
	case BNG__AGENT__V1__ENROL_STATUS__ENROL_STATUS_APPROVED:
		enrol->state = BNG_ENROL_IDLE;
		enrol->deadline_ns = 0;
		break;
	case BNG__AGENT__V1__ENROL_STATUS__ENROL_STATUS_PENDING:
		after = after < BNG_ENROL_RETRY_MIN_MS ? BNG_ENROL_RETRY_MIN_MS : after;
		rest(enrol, now_ns, after > BNG_ENROL_RETRY_MAX_MS ? BNG_ENROL_RETRY_MAX_MS : after);
		break;
	case BNG__AGENT__V1__ENROL_STATUS__ENROL_STATUS_REFUSED:
		rest(enrol, now_ns, BNG_ENROL_REFUSED_MS);
		break;
	default:
		return fail(enrol, now_ns, "an answer of a status this version does not know", NULL);
	}
	return (struct bng_enrol_action){.kind = BNG_ENROL_ANSWERED, .frame = frame};
}

static struct bng_enrol_action receive(struct bng_enrol *enrol, struct bng_bytes body, uint64_t now_ns)
{
	const Bng__Agent__V1__ControllerFrame *frame;

	if (enrol->state != BNG_ENROL_ASKING)
		return (struct bng_enrol_action){0};
	bng_arena_reset(&enrol->arena);
	frame = (const void *)bng_frame_decode(
		&bng__agent__v1__controller_frame__descriptor, &enrol->arena, body);
	if (!frame)
		return fail(enrol, now_ns, "not a ControllerFrame", NULL);
	switch (frame->body_case) {
	case BNG__AGENT__V1__CONTROLLER_FRAME__BODY_ERROR:
		return fail(enrol, now_ns, NULL, frame);
	case BNG__AGENT__V1__CONTROLLER_FRAME__BODY_ENROL_REPLY:
		return answered(enrol, frame, now_ns);
	case BNG__AGENT__V1__CONTROLLER_FRAME__BODY_CHALLENGE:
		if (enrol->challenges++ == CHALLENGES_MAX || frame->challenge->nonce.len != 32)
			return fail(enrol, now_ns, "a challenge out of bounds", NULL);
		enrol->deadline_ns = now_ns + BNG_ENROL_ANSWER_MS * MS_NS;
		return (struct bng_enrol_action){.kind = BNG_ENROL_CHALLENGED, .frame = frame};
	default:
		return fail(enrol, now_ns, "not an answer to an enrolment", NULL);
	}
}

static struct bng_enrol_action dial(struct bng_enrol *enrol, uint64_t now_ns)
{
	enrol->state = BNG_ENROL_DIALLING;
	enrol->deadline_ns = now_ns + BNG_ENROL_ANSWER_MS * MS_NS;
	return (struct bng_enrol_action){.kind = BNG_ENROL_DIAL};
}

static struct bng_enrol_action tick(struct bng_enrol *enrol, uint64_t now_ns)
{
	if (!enrol->deadline_ns || now_ns < enrol->deadline_ns)
		return (struct bng_enrol_action){0};
	return enrol->state == BNG_ENROL_IDLE ? dial(enrol, now_ns)
					      : fail(enrol, now_ns, "the controller does not answer", NULL);
}

struct bng_enrol_action bng_enrol_handle(
	struct bng_enrol *enrol, const struct bng_enrol_event *event, uint64_t now_ns)
{
	switch (event->kind) {
	case BNG_ENROL_START:
		if (enrol->state == BNG_ENROL_IDLE)
			return dial(enrol, now_ns);
		break;
	case BNG_ENROL_CONNECTED:
		if (enrol->state != BNG_ENROL_DIALLING)
			break;
		enrol->state = BNG_ENROL_ASKING;
		enrol->challenges = 0;
		enrol->deadline_ns = now_ns + BNG_ENROL_ANSWER_MS * MS_NS;
		bng_buffer_clear(&enrol->out);
		return (struct bng_enrol_action){.kind = BNG_ENROL_SEND_REQUEST};
	case BNG_ENROL_CLOSED:
		if (enrol->state != BNG_ENROL_IDLE)
			return fail(enrol, now_ns, NULL, NULL);
		break;
	case BNG_ENROL_FRAME:
		return receive(enrol, event->body, now_ns);
	case BNG_ENROL_TICK:
		return tick(enrol, now_ns);
	}
	return (struct bng_enrol_action){0};
}

int bng_enrol_send(struct bng_enrol *enrol, const Bng__Agent__V1__AgentFrame *frame)
{
	if (enrol->state != BNG_ENROL_ASKING)
		return -ENOTCONN;
	return bng_frame_append(&enrol->out, &frame->base);
}
