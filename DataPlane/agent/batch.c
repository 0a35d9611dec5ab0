// SPDX-License-Identifier: Apache-2.0
// Batches: term and scope once, then item by item, so many per turn of the loop; one result for all.
#include "agent.h"

#include "critical.h"
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum { TURN_NS = 2000000, CLOCK_EVERY = 32, RETRY_MS = 1000 };

#define CODE(name) BNG__AGENT__V1__ERROR_CODE__ERROR_CODE_##name
_Static_assert((int)CODE(OK) == (int)BNG_OK && (int)CODE(UNSUPPORTED) == (int)BNG_UNSUPPORTED &&
		       (int)CODE(INVALID) == (int)BNG_INVALID &&
		       (int)CODE(STALE_GENERATION) == (int)BNG_STALE_GENERATION &&
		       (int)CODE(GENERATION_REUSED) == (int)BNG_GENERATION_REUSED &&
		       (int)CODE(UNKNOWN_REFERENCE) == (int)BNG_UNKNOWN_REFERENCE &&
		       (int)CODE(CONFLICT) == (int)BNG_CONFLICT && (int)CODE(LIMIT) == (int)BNG_LIMIT &&
		       (int)CODE(IN_USE) == (int)BNG_IN_USE && (int)CODE(KERNEL) == (int)BNG_KERNEL,
	"codes");

static void send_result(struct bng_agent *agent, Bng__Agent__V1__BatchResult *result)
{
	Bng__Agent__V1__AgentFrame frame = BNG__AGENT__V1__AGENT_FRAME__INIT;

	frame.body_case = BNG__AGENT__V1__AGENT_FRAME__BODY_BATCH_RESULT;
	frame.batch_result = result;
	bng_lanes_send(agent, BNG_LANE_STATE, &frame);
}

static void refuse_batch(struct bng_agent *agent, const Bng__Agent__V1__Batch *batch,
	Bng__Agent__V1__ErrorCode code, const char *path, const char *text)
{
	Bng__Agent__V1__BatchResult result = BNG__AGENT__V1__BATCH_RESULT__INIT;
	Bng__Agent__V1__ErrorNotice notice = BNG__AGENT__V1__ERROR_NOTICE__INIT;

	notice.code = code;
	notice.message = (char *)(uintptr_t)text;
	notice.field_path = (char *)(uintptr_t)path;
	notice.retry_after_ms = code == CODE(OVERLOAD) ? RETRY_MS : 0;
	result.batch_id = batch->batch_id;
	result.error = &notice;
	bng_log("warning", "batch_refused", "batch=%" PRIu64 " code=%d text=%s", batch->batch_id, (int)code,
		bng_quote(text).text);
	send_result(agent, &result);
}

/* A newer term is stored before anything of the batch is applied. */
static bool is_term_good(struct bng_agent *agent, const Bng__Agent__V1__Batch *batch)
{
	char text[96];

	if (strcmp(batch->scope, "node") != 0) {
		refuse_batch(agent, batch, CODE(UNKNOWN_SCOPE), "", "this agent has no such scope");
		return false;
	}
	if (batch->term < agent->node_term) {
		(void)snprintf(text, sizeof(text), "term %" PRIu64 " is older than %" PRIu64, batch->term,
			agent->node_term);
		refuse_batch(agent, batch, CODE(STALE_TERM), "", text);
		return false;
	}
	if (batch->term > agent->node_term) {
		if (bng_store_put_term(&agent->kern, "node", batch->term)) {
			refuse_batch(agent, batch, CODE(OVERLOAD), "", "the term cannot be stored");
			return false;
		}
		agent->node_term = batch->term;
	}
	return true;
}

void bng_batch_begin(struct bng_agent *agent, const Bng__Agent__V1__Batch *batch)
{
	struct bng_batch_run *run = &agent->batch;
	char path[BNG_PATH_SIZE], full[BNG_PATH_SIZE + 4];

	if (bng_critical_check_shallow(&batch->base, path)) {
		(void)snprintf(full, sizeof(full), "5.%s", path);
		refuse_batch(agent, batch, CODE(UNSUPPORTED), full, "unknown critical field");
		return;
	}
	if (!is_term_good(agent, batch))
		return;
	if (batch->n_items > BNG_BATCH_ITEMS_MAX) {
		refuse_batch(agent, batch, CODE(LIMIT), "5.4", "more than 4,096 items");
		return;
	}
	bng_arena_reset(&run->arena);
	/* All results before the first item: what is refused for want of memory is refused whole. */
	run->results = bng_arena_alloc(&run->arena, (batch->n_items + 1) * sizeof(*run->results));
	run->items = bng_arena_alloc(&run->arena, (batch->n_items + 1) * sizeof(*run->items));
	if (!run->results || !run->items) {
		refuse_batch(agent, batch, CODE(OVERLOAD), "", "out of memory");
		return;
	}
	run->batch = batch;
	run->next = 0;
}

static char *keep_text(struct bng_agent *agent, const char *text)
{
	size_t size = strlen(text) + 1;
	char *kept = bng_arena_alloc(&agent->batch.arena, size);

	return kept ? memcpy(kept, text, size) : (char *)protobuf_c_empty_string;
}

static void fill_refusal(
	struct bng_agent *agent, const struct bng_refusal *refusal, Bng__Agent__V1__ItemResult *result)
{
	result->code = (Bng__Agent__V1__ErrorCode)refusal->code;
	if (refusal->path[0])
		result->field_path = keep_text(agent, refusal->path);
	if (refusal->text[0])
		result->message = keep_text(agent, refusal->text);
}

static void refuse_by_kernel(int err, struct bng_refusal *refusal)
{
	if (err == -E2BIG)
		(void)bng_refuse(
			refusal, BNG_LIMIT, "", "a table of the kernel is full, or the object is too large");
	else
		(void)bng_refuse(refusal, BNG_KERNEL, "", "%s", strerrordesc_np(-err));
}

static struct bng_bytes pack(const Bng__Agent__V1__Object *message, uint8_t *scratch)
{
	size_t size = bng__agent__v1__object__get_packed_size(message);

	if (size > BNG_OBJECT_BYTES_MAX)
		return (struct bng_bytes){0};
	return (struct bng_bytes){.data = scratch, .size = bng__agent__v1__object__pack(message, scratch)};
}

/* bpf_fib_lookup obeys it, as for IPv4. */
static void warn_of_forwarding(const struct bng_object *object)
{
	const struct bng_port_object *port = (const void *)object;

	if (object->family == BNG_FAMILY_PORT && port->has_link_local &&
		!bng_interface_forwards(port->name, true))
		bng_log("warning", "forwarding_is_off", "port=%s hint=%s", port->name,
			bng_quote("sysctl net.ipv6.conf.all.forwarding=1").text);
}

/* 0 or -EINVAL with *refusal. */
static int upsert(struct bng_agent *agent, const Bng__Agent__V1__Object *message,
	const struct bng_clock *clock, struct bng_refusal *refusal)
{
	static union bng_any_object object;
	static uint8_t scratch[BNG_OBJECT_BYTES_MAX];
	struct bng_refusal malformed;
	struct bng_change change;
	int err = bng_desired_object(message, &agent->digester, &object, &malformed, refusal);

	if (!err)
		err = bng_state_prepare(&agent->state, &object, &malformed, &change, refusal);
	if (err == -EINVAL || (!err && change.kind == BNG_CHANGE_NONE))
		return err;
	if (!err) {
		bool is_new_session =
			change.kind == BNG_CHANGE_INSERT && change.next->family == BNG_FAMILY_SESSION;
		uint32_t slot = change.next->index;

		err = bng_kern_upsert(&agent->kern, &agent->state, &change, pack(message, scratch), clock);
		if (err) {
			bng_state_abort(&agent->state, &change);
		} else {
			warn_of_forwarding(bng_state_commit(&agent->state, &change));
			if (is_new_session)
				bng_sweep_forget_slot(agent, slot);
		}
	}
	if (!err)
		return 0;
	refuse_by_kernel(err, refusal);
	return -EINVAL;
}

static void report_final(struct bng_agent *agent, uint64_t session_id, uint32_t slot,
	const struct bng_final *final, Bng__Agent__V1__ItemResult *result)
{
	Bng__Agent__V1__SessionCounters *counters = bng_arena_alloc(&agent->batch.arena, sizeof(*counters));

	if (!counters)
		return;
	bng_final_counters_fill(agent, session_id, slot, final, counters);
	result->final_counters = counters;
}

static int remove_object(struct bng_agent *agent, const Bng__Agent__V1__Delete *delete,
	const struct bng_clock *clock, Bng__Agent__V1__ItemResult *result, struct bng_refusal *refusal)
{
	char path[BNG_PATH_SIZE];
	struct bng_change change;
	struct bng_final final;
	uint32_t slot;
	int err;

	if (bng_critical_check(&delete->base, path))
		return bng_refuse(refusal, BNG_UNSUPPORTED, path, "unknown critical field or enum value");
	if (!delete->family)
		return bng_refuse(refusal, BNG_INVALID, "1", "family is missing");
	err = bng_state_prepare_removal(&agent->state, (enum bng_family) delete->family, delete->object_id,
		delete->generation, &change, refusal);
	if (err)
		return err;
	if (change.kind == BNG_CHANGE_NONE) {
		if ((int)delete->family == BNG_FAMILY_SESSION &&
			!bng_store_get_final(&agent->kern, delete->object_id, &final))
			report_final(agent, delete->object_id, 0, &final, result);
		return 0;
	}
	slot = change.held->index;
	err = bng_kern_remove(&agent->kern, &agent->state, &change, clock, &final);
	if (err) {
		refuse_by_kernel(err, refusal);
		return -EINVAL;
	}
	if ((int)delete->family == BNG_FAMILY_SESSION) {
		report_final(agent, delete->object_id, slot, &final, result);
		bng_sweep_forget_slot(agent, slot);
	}
	(void)bng_state_commit(&agent->state, &change);
	return 0;
}

static void fill_held_generation(const struct bng_agent *agent, Bng__Agent__V1__ItemResult *result)
{
	const struct bng_object *held = NULL;

	if ((int)result->family >= 1 && (int)result->family < BNG_FAMILIES)
		held = bng_state_get(&agent->state, (enum bng_family)result->family, result->object_id);
	result->generation = held ? held->generation : 0;
}

static void apply_item(struct bng_agent *agent, const Bng__Agent__V1__BatchItem *item,
	const struct bng_clock *clock, Bng__Agent__V1__ItemResult *result)
{
	struct bng_refusal refusal = {.code = BNG_OK};
	char path[BNG_PATH_SIZE];
	int err = 0;

	if (bng_critical_check_shallow(&item->base, path)) {
		(void)bng_refuse(&refusal, BNG_UNSUPPORTED, path, "unknown critical field");
	} else if (item->action_case == BNG__AGENT__V1__BATCH_ITEM__ACTION_UPSERT && item->upsert) {
		result->family = (Bng__Agent__V1__Family)bng_desired_family(item->upsert);
		result->object_id = item->upsert->object_id;
		(void)upsert(agent, item->upsert, clock, &refusal);
	} else if (item->action_case == BNG__AGENT__V1__BATCH_ITEM__ACTION_DELETE && item->delete_) {
		result->family = item->delete_->family;
		result->object_id = item->delete_->object_id;
		(void)remove_object(agent, item->delete_, clock, result, &refusal);
	} else if (item->action_case == BNG__AGENT__V1__BATCH_ITEM__ACTION_ACKNOWLEDGE_FINAL) {
		result->family = BNG__AGENT__V1__FAMILY__FAMILY_SESSION;
		result->object_id = item->acknowledge_final;
		err = bng_store_remove_final(&agent->kern, item->acknowledge_final);
		if (err)
			refuse_by_kernel(err, &refusal);
	} else {
		(void)bng_refuse(&refusal, BNG_UNSUPPORTED, "", "no action this version knows");
	}
	fill_refusal(agent, &refusal, result);
	fill_held_generation(agent, result);
}

static void finish(struct bng_agent *agent)
{
	Bng__Agent__V1__BatchResult result = BNG__AGENT__V1__BATCH_RESULT__INIT;
	struct bng_batch_run *run = &agent->batch;

	result.batch_id = run->batch->batch_id;
	result.n_results = run->next;
	result.results = run->results;
	send_result(agent, &result);
	run->batch = NULL;
}

void bng_batch_work(struct bng_agent *agent)
{
	struct bng_batch_run *run = &agent->batch;
	struct bng_clock clock = bng_clock_now();
	uint64_t end_ns = bng_monotonic_ns() + TURN_NS;

	while (run->next < run->batch->n_items) {
		Bng__Agent__V1__ItemResult *result;

		if (run->next % CLOCK_EVERY == 0 && bng_monotonic_ns() > end_ns)
			return;
		result = &run->items[run->next];
		bng__agent__v1__item_result__init(result);
		apply_item(agent, run->batch->items[run->next], &clock, result);
		run->results[run->next++] = result;
	}
	finish(agent);
}

void bng_batch_forget(struct bng_agent *agent)
{
	agent->batch.batch = NULL;
}
