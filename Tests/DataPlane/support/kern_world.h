/* SPDX-License-Identifier: Apache-2.0 */
/* kern/ against the real kernel, in namespaces of its own (Tests/DataPlane/run). One test at a time. */
#ifndef BNG_KERN_WORLD_H
#define BNG_KERN_WORLD_H

#include "kern.h"
#include "store.h"

enum { WORLD_PINS_SIZE = 96 };

extern const struct bng_clock world_clock;
extern char pins[WORLD_PINS_SIZE];
extern struct bng_kern kern;
extern struct bng_state state;
extern struct bng_words words;

/* Ports access0, core0, access1 with programs attached, room for 100 sessions; and nothing left of it. */
void world_begin(void);
void world_end(void);

/* A process ends, the next begins: maps stay. */
void world_unload(void);
void world_load(void);

void world_upsert(const union bng_any_object *object);
void world_upsert_base(void);
/* What bng_state_prepare_removal() gave, but no session. */
int world_remove(struct bng_change *change);
void world_remove_session(uint64_t id, struct bng_final *final);

/* What adopt.c does, without the wire: the same objects into a fresh state, then the two reconciliations. How
 * much was repaired. */
uint32_t world_adopt(const union bng_any_object *session);

#endif
