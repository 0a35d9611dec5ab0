/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pinned maps that only the agent uses: applied objects as they came, terms, epochs, final counters, layouts.
 * What a restarted agent knows, it knows from here.
 */
#ifndef BNG_STORE_H
#define BNG_STORE_H

#include "bytes.h"
#include "kern.h"

enum { BNG_SCOPE_SIZE = 32, BNG_CHUNK_BYTES = 240, BNG_OBJECT_BYTES_MAX = 8192 };

/* Counters of a deleted session, waiting for acknowledge_final. */
struct bng_final {
	uint64_t generation;
	uint64_t expires_unix_ms;
	uint64_t last_drop_unix_ms;
	uint32_t last_drop_reason;
	uint32_t _pad;
	uint64_t dhcp_replies;
	uint64_t echoes_answered;
	uint64_t echo_replies;
	struct bng_session_counters counters;
	struct bng_session6_counters counters6;
	uint64_t expires6_unix_ms;
	uint64_t advertisements; /* solicitations answered */
	uint64_t dhcp6_replies;
};

/* Opens or creates the maps. Sets kern->fresh and kern->epoch. */
int bng_store_open(struct bng_kern *kern, uint64_t epoch_seed, struct bng_words *words);
void bng_store_close(struct bng_kern *kern);

/* -ENOENT; a name is at most BNG_SCOPE_SIZE - 1 bytes. */
int bng_store_get_schema(const struct bng_kern *kern, const char *name, uint64_t *ret_hash);
int bng_store_put_schema(const struct bng_kern *kern, const char *name, uint64_t hash);

int bng_store_put_term(struct bng_kern *kern, const char *scope, uint64_t term);
int bng_store_get_term(const struct bng_kern *kern, const char *scope, uint64_t *ret_term);

/* A packed object in chunks; the first chunk is written last and makes it valid. -E2BIG when full or too
 * long. */
int bng_store_put_object(
	struct bng_kern *kern, const struct bng_object *object, struct bng_bytes packed, bool replaces);
int bng_store_remove_object(struct bng_kern *kern, enum bng_family family, uint64_t id);

struct bng_stored_object {
	uint64_t id;
	enum bng_family family;
	uint32_t index;
	uint32_t size;
	uint8_t *packed;
};

/* All whole objects, those referred to before those that refer; remnants of broken ones are removed. Free
 * with bng_stored_objects_free(). */
int bng_store_read_objects(struct bng_kern *kern, struct bng_stored_object **ret_objects, size_t *ret_count);
void bng_stored_objects_free(struct bng_stored_object *objects, size_t count);

int bng_store_get_final(const struct bng_kern *kern, uint64_t session_id, struct bng_final *ret);
int bng_store_put_final(struct bng_kern *kern, uint64_t session_id, const struct bng_final *final);
int bng_store_remove_final(struct bng_kern *kern, uint64_t session_id);

#endif
