// SPDX-License-Identifier: Apache-2.0
// Batches of any content against the model: decode, digest, validate, apply, then every invariant that must
// still hold.
#include "desired.h"
#include "entry.h"
#include "frame.h"
#include "state.h"

#include "bng/agent/v1/session.pb-c.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint64_t seed[2] = {1, 2};

static void require(int condition)
{
	if (!condition)
		abort();
}

static void enter_session(const struct bng_session_object *session)
{
	struct bng_advertisement advertisement;
	struct bng_dhcp6_reply reply;
	struct bng_session6 entry6;
	struct bng_session entry;

	bng_entry_session(session, &entry);
	if (!session->has_ipv6)
		return;
	bng_entry_session6(session, &entry6);
	bng_entry_advertisement(session, &advertisement);
	bng_entry_dhcp6_reply(session, &reply);
}

static void upsert(
	struct bng_state *state, struct bng_digester *digester, const Bng__Agent__V1__Object *message)
{
	static union bng_any_object object;
	struct bng_refusal malformed, refusal = {.code = BNG_OK};
	struct bng_change change;
	const struct bng_object *held;
	struct bng_port port;
	struct bng_dhcp_template template;
	struct bng_filter filter;

	if (bng_desired_object(message, digester, &object, &malformed, &refusal) ||
		bng_state_prepare(state, &object, &malformed, &change, &refusal)) {
		require(refusal.code != BNG_OK);
		return;
	}
	if (change.next && message->object_id % 7 == 3) {
		bng_state_abort(state, &change);
		return;
	}
	held = bng_state_commit(state, &change);
	require(held && held->generation == message->generation);
	if (held->family == BNG_FAMILY_SESSION)
		enter_session((const void *)held);
	if (held->family == BNG_FAMILY_PORT)
		bng_entry_port((const void *)held, &port);
	if (held->family == BNG_FAMILY_POOL_TEMPLATE)
		bng_entry_template((const void *)held, 1, 1, &template);
	if (held->family == BNG_FAMILY_FILTER)
		bng_entry_filter((const void *)held, &filter);
}

static void remove_object(struct bng_state *state, const Bng__Agent__V1__Delete *message)
{
	struct bng_refusal refusal = {.code = BNG_OK};
	struct bng_change change;

	if ((int)message->family < 1 || (int)message->family >= BNG_FAMILIES)
		return;
	if (!bng_state_prepare_removal(state, (enum bng_family)message->family, message->object_id,
		    message->generation, &change, &refusal))
		(void)bng_state_commit(state, &change);
}

static void check(const struct bng_state *state)
{
	size_t sessions = state->by_id[BNG_FAMILY_SESSION].count;
	size_t framed = 0, prefixes6 = 0;
	uint32_t slot;
	int family;

	require(state->lines.count == sessions && state->addresses.count <= sessions &&
		state->slots.count == sessions);
	for (slot = 1; slot <= state->max_sessions; slot++) {
		const struct bng_session_object *session = state->by_slot[slot];

		framed += session ? session->framed_count : 0;
		prefixes6 += session && session->has_ipv6 ? session->ipv6.prefix_count : 0;
	}
	require(state->prefixes.count + state->prefixes6.count ==
		state->by_id[BNG_FAMILY_ROUTE].count + framed + prefixes6);
	require(state->own6.count <= state->by_id[BNG_FAMILY_SERVER_IDENTITY].count);
	for (family = 1; family < BNG_FAMILIES; family++)
		require(state->digests[family].count == state->by_id[family].count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const Bng__Agent__V1__ControllerFrame *frame;
	static struct bng_digester digester;
	struct bng_arena arena;
	struct bng_state state;
	size_t i;

	if (!digester.context)
		require(!bng_digester_init(&digester));
	bng_arena_init(&arena, BNG_DECODE_BUDGET);
	frame = (const void *)bng_frame_decode(
		&bng__agent__v1__controller_frame__descriptor, &arena, (struct bng_bytes){data, size});
	if (frame && frame->body_case == BNG__AGENT__V1__CONTROLLER_FRAME__BODY_BATCH && frame->batch) {
		require(!bng_state_init(&state, 8, seed));
		require(!bng_state_add_port(&state, "access0", BNG_ROLE_ACCESS));
		require(!bng_state_add_port(&state, "core0", BNG_ROLE_CORE));
		require(!bng_state_add_port(&state, "access1", BNG_ROLE_ACCESS));
		for (i = 0; i < frame->batch->n_items; i++) {
			const Bng__Agent__V1__BatchItem *item = frame->batch->items[i];

			if (item->action_case == BNG__AGENT__V1__BATCH_ITEM__ACTION_UPSERT && item->upsert)
				upsert(&state, &digester, item->upsert);
			else if (item->action_case == BNG__AGENT__V1__BATCH_ITEM__ACTION_DELETE &&
				 item->delete_)
				remove_object(&state, item->delete_);
			check(&state);
		}
		bng_state_done(&state);
	}
	bng_arena_done(&arena);
	return 0;
}
