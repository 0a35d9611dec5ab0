/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's side of the contract as a machine: three lanes, their hellos, heartbeat, credits, what may come
 * when. Events, bytes and time go in; actions come out, and frames into one output buffer per lane.
 */
#ifndef BNG_LINK_H
#define BNG_LINK_H

#include "arena.h"
#include "buffer.h"
#include "bytes.h"
#include "event_queue.h"
#include "object.h"

#include "bng/agent/v1/session.pb-c.h"

/* The numbers are those of Lane in proto/. */
enum bng_lane { BNG_LANE_STATE = 1, BNG_LANE_PUNT = 2, BNG_LANE_TELEMETRY = 3, BNG_LANES = 4 };

enum bng_lane_state { BNG_LANE_IDLE, BNG_LANE_DIALLING, BNG_LANE_GREETING, BNG_LANE_OPEN };

enum {
	BNG_LINK_OUT_MAX = 8 * 1024 * 1024, /* unsent bytes per lane */
	BNG_LINK_HELLO_MS = 10000,          /* dialling and greeting together */
	BNG_LINK_REDIAL_MIN_MS = 100,
	BNG_LINK_REDIAL_MAX_MS = 3200,
	BNG_BATCH_ITEMS_MAX = 4096,
	BNG_LINK_MINOR =
		1, /* the newest minor version of the contract this agent speaks; it speaks all before */
	BNG_LINK_CHALLENGES = 4, /* before the hello is answered */
};

struct bng_link_lane {
	enum bng_lane_state state;
	uint64_t deadline_ns; /* IDLE: dial then (0: not at all); DIALLING, GREETING: give up */
	uint32_t delay_ms;
	struct bng_buffer out;
	struct bng_arena arena; /* the message last handed out */
};

struct bng_link {
	uint8_t boot_id[16];
	uint8_t association_id[16];
	struct bng_link_lane lanes[BNG_LANES];
	uint64_t random;
	uint64_t heartbeat_interval_ns;
	uint64_t heartbeat_timeout_ns;
	uint64_t next_heartbeat_ns;
	uint64_t last_heard_ns;
	uint64_t heartbeat_sequence;
	uint32_t minor;      /* agreed on */
	uint32_t challenges; /* asked on this connection of the state lane before the hello was answered */
	uint32_t credits[BNG_PUNT_CLASSES];
	uint64_t punts_dropped; /* since the association began */
	struct bng_event_queue events;
};

enum bng_link_event_kind {
	BNG_LINK_START,
	BNG_LINK_CONNECTED,
	BNG_LINK_CLOSED, /* by the peer, or the dial failed */
	BNG_LINK_FRAME,
	BNG_LINK_BAD_LENGTH, /* error: -EBADMSG or -EMSGSIZE of bng_frame_next() */
	BNG_LINK_TICK,
};

struct bng_link_event {
	enum bng_link_event_kind kind;
	enum bng_lane lane;
	struct bng_bytes body;
	int error;
};

enum bng_link_action_kind {
	BNG_LINK_DIAL,
	BNG_LINK_CLOSE,      /* once its output is flushed; no CLOSED event follows */
	BNG_LINK_SEND_HELLO, /* call bng_link_send() with a hello */
	BNG_LINK_SEND_HEARTBEAT,
	BNG_LINK_CHALLENGED, /* prove who we are: bng_link_send() with a proof, now or soon */
	BNG_LINK_ASSOCIATED, /* hello_reply */
	BNG_LINK_LANE_OPEN,
	BNG_LINK_LANE_LOST,
	BNG_LINK_BATCH, /* batch: do not feed this lane until it is answered */
	BNG_LINK_AUDIT,
	BNG_LINK_AUDIT_PAGE,
	BNG_LINK_INJECTS,
	BNG_LINK_EVENTS_ACKED, /* pop them */
	BNG_LINK_COUNTERS_WANTED,
	BNG_LINK_NOTICE,  /* the peer's error notice */
	BNG_LINK_REFUSED, /* our own: code and text, for the log */
};

struct bng_link_action {
	enum bng_link_action_kind kind;
	enum bng_lane lane;
	uint32_t code;
	uint64_t number; /* EVENTS_ACKED: the sequence; ASSOCIATED: the round trip's UTC of the peer */
	const char *text;
	/* Valid until the next FRAME of the same lane. */
	const Bng__Agent__V1__ControllerFrame *frame;
};

enum { BNG_LINK_ACTIONS_MAX = 8 };

struct bng_link_actions {
	struct bng_link_action list[BNG_LINK_ACTIONS_MAX];
	size_t count;
};

/* seed feeds the jitter. */
void bng_link_init(struct bng_link *link, const uint8_t boot_id[16], uint64_t seed);
void bng_link_done(struct bng_link *link);

/* Fills *ret_actions anew. */
void bng_link_handle(struct bng_link *link, const struct bng_link_event *event, uint64_t now_ns,
	struct bng_link_actions *ret_actions);

/* Appends a frame to a lane's output. -ENOTCONN if the lane is not ready for it; -ENOBUFS when full;
 * -EMSGSIZE. */
int bng_link_send(struct bng_link *link, enum bng_lane lane, const Bng__Agent__V1__AgentFrame *frame);

/* Takes one credit of a class, if the punt lane is open and has one. */
bool bng_link_take_credit(struct bng_link *link, uint32_t punt_class);

/* A notice that leaves the lane open. */
void bng_link_notify(struct bng_link *link, enum bng_lane lane, uint32_t code, const char *text);

bool bng_link_is_open(const struct bng_link *link, enum bng_lane lane);

#endif
