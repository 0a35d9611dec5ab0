// SPDX-License-Identifier: Apache-2.0
// A restarted agent becomes what its predecessor was: stored objects go through the same checks as new ones,
// then the maps are compared with the result and repaired where a crash left them halfway.
#include "agent.h"

#include "log.h"
#include "map_policy.h"
#include "map_session.h"

#include <errno.h>
#include <inttypes.h>

/* 0: adopted; positive: refused, with words in the log. */
static int adopt_object(struct bng_agent *agent, const struct bng_stored_object *stored)
{
	struct bng_refusal malformed, refusal = {.code = BNG_OK};
	struct bng_change change;
	union bng_any_object object;
	Bng__Agent__V1__Object *message;
	int err;

	message = bng__agent__v1__object__unpack(NULL, stored->size, stored->packed);
	if (!message)
		return 1;
	err = bng_desired_object(message, &agent->digester, &object, &malformed, &refusal);
	bng__agent__v1__object__free_unpacked(message, NULL);
	if (!err) {
		object.head.index = stored->index;
		err = bng_state_prepare(&agent->state, &object, &malformed, &change, &refusal);
	}
	if (err == -EINVAL) {
		bng_log("warning", "object_not_adopted", "family=%d object=%" PRIu64 " path=%s reason=%s",
			(int)stored->family, stored->id, refusal.path, bng_quote(refusal.text).text);
		return 1;
	}
	if (!err)
		(void)bng_state_commit(&agent->state, &change);
	return err;
}

int bng_adopt(struct bng_agent *agent, struct bng_words *words)
{
	struct bng_clock clock = bng_clock_now();
	struct bng_stored_object *objects = NULL;
	size_t count = 0, i, refused = 0;
	uint32_t repaired = 0;
	int err = bng_store_read_objects(&agent->kern, &objects, &count), result;

	for (i = 0; i < count && !err; i++) {
		result = adopt_object(agent, &objects[i]);
		if (result > 0) {
			refused++;
			err = bng_store_remove_object(&agent->kern, objects[i].family, objects[i].id);
		} else {
			err = result;
		}
	}
	bng_stored_objects_free(objects, count);
	if (!err)
		err = bng_map_policy_reconcile(&agent->kern, &agent->state, &repaired);
	if (!err)
		err = bng_map_session_reconcile(&agent->kern, &agent->state, &clock, &repaired);
	if (err) {
		bng_say(words, "adopting the pinned maps: %s", strerrordesc_np(-err));
		return err;
	}
	(void)bng_store_get_term(&agent->kern, "node", &agent->node_term);
	bng_log("info", "adopted", "objects=%zu refused=%zu repaired=%u sessions=%zu fresh=%s term=%" PRIu64,
		count - refused, refused, repaired, agent->state.by_id[BNG_FAMILY_SESSION].count,
		agent->kern.fresh ? "yes" : "no", agent->node_term);
	return 0;
}
