/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking a controller for a certificate, as a machine: dial, ask, answer what has to be proven, take the
 * answer, and dial again until it is a yes (docs/contract.md, section 14). Like link.h: events, bytes and
 * time go in, actions and one buffer come out.
 */
#ifndef BNG_ENROL_H
#define BNG_ENROL_H

#include "link.h"

enum bng_enrol_state { BNG_ENROL_IDLE, BNG_ENROL_DIALLING, BNG_ENROL_ASKING };

enum {
	BNG_ENROL_ANSWER_MS = 30000, /* for each frame of the controller */
	BNG_ENROL_RETRY_MIN_MS = 1000,
	BNG_ENROL_RETRY_MAX_MS = 60000,
	BNG_ENROL_REFUSED_MS = 60000, /* an operator may change his mind */
};

struct bng_enrol {
	enum bng_enrol_state state;
	uint64_t deadline_ns; /* IDLE: ask then (0: not at all); else: give up */
	uint32_t delay_ms;
	uint32_t challenges;
	struct bng_buffer out;
	struct bng_arena arena;
};

enum bng_enrol_event_kind {
	BNG_ENROL_START,
	BNG_ENROL_CONNECTED,
	BNG_ENROL_CLOSED,
	BNG_ENROL_FRAME,
	BNG_ENROL_TICK
};

struct bng_enrol_event {
	enum bng_enrol_event_kind kind;
	struct bng_bytes body;
};

enum bng_enrol_action_kind {
	BNG_ENROL_NOTHING,
	BNG_ENROL_DIAL,
	BNG_ENROL_SEND_REQUEST, /* bng_enrol_send() a request */
	BNG_ENROL_CHALLENGED,   /* bng_enrol_send() a proof, now or soon */
	BNG_ENROL_ANSWERED,     /* frame->enrol_reply: pending, refused or approved; then close */
	BNG_ENROL_FAILED,       /* text, or frame->error; then close */
};

struct bng_enrol_action {
	enum bng_enrol_action_kind kind;
	const char *text;
	/* Valid until the next FRAME. */
	const Bng__Agent__V1__ControllerFrame *frame;
};

void bng_enrol_init(struct bng_enrol *enrol);
void bng_enrol_done(struct bng_enrol *enrol);
struct bng_enrol_action bng_enrol_handle(
	struct bng_enrol *enrol, const struct bng_enrol_event *event, uint64_t now_ns);

/* -ENOTCONN if it is not the time; else as bng_link_send(). */
int bng_enrol_send(struct bng_enrol *enrol, const Bng__Agent__V1__AgentFrame *frame);

#endif
