/* SPDX-License-Identifier: Apache-2.0 */
/* Frames: a 4-byte big-endian length, then one message (docs/contract.md, section 1). */
#ifndef BNG_FRAME_H
#define BNG_FRAME_H

#include "arena.h"
#include "buffer.h"
#include "bytes.h"

#include <protobuf-c/protobuf-c.h>

enum { BNG_FRAME_BYTES_MAX = 1024 * 1024, BNG_FRAME_HEAD = 4, BNG_DECODE_BUDGET = 64 * 1024 * 1024 };

/*
 * The first frame in data. 1: *ret_body is its message (consume BNG_FRAME_HEAD + size); 0: not complete yet;
 * -EBADMSG: length 0; -EMSGSIZE: over the limit, judged from the head alone.
 */
int bng_frame_next(struct bng_bytes data, struct bng_bytes *ret_body);

/* Appends a message as a frame. -EMSGSIZE over the limit, else as bng_buffer_reserve(). */
int bng_frame_append(struct bng_buffer *out, const ProtobufCMessage *message);

/* Decodes into the arena; NULL if malformed or over the arena's budget. */
ProtobufCMessage *bng_frame_decode(
	const ProtobufCMessageDescriptor *type, struct bng_arena *arena, struct bng_bytes body);

#endif
