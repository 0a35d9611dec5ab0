// SPDX-License-Identifier: Apache-2.0
// Chooses the family's writer and keeps the order of data and stored object.
#include "apply.h"

#include "map_nat.h"
#include "map_policy.h"
#include "map_pppoe.h"
#include "map_session.h"

#include <errno.h>

static int write_data(struct bng_kern *kern, const struct bng_state *state, const struct bng_change *change,
	const struct bng_clock *clock)
{
	switch (change->held ? change->held->family : change->next->family) {
	case BNG_FAMILY_PORT:
		return bng_map_port_write(kern, state, change);
	case BNG_FAMILY_SERVER_IDENTITY:
		return bng_map_identity_write(kern, state, change);
	case BNG_FAMILY_POOL_TEMPLATE:
		return bng_map_template_write(kern, state, change);
	case BNG_FAMILY_NEXT_HOP:
		return bng_map_next_hop_write(kern, (const void *)change->held, (const void *)change->next);
	case BNG_FAMILY_ROUTE:
		return bng_map_route_write(kern, (const void *)change->held, (const void *)change->next);
	case BNG_FAMILY_GUARD_RATES:
		return bng_map_guard_write(kern, (const void *)change->next);
	case BNG_FAMILY_SESSION:
		return bng_map_session_write(kern, (void *)change->held, (void *)change->next, clock);
	case BNG_FAMILY_FILTER:
		return bng_map_filter_write(kern, (const void *)change->held, (const void *)change->next);
	case BNG_FAMILY_PPPOE_SERVICE:
		return bng_map_pppoe_service_write(kern, state, change);
	case BNG_FAMILY_NAT_POLICY:
		return bng_map_nat_policy_write(kern, (const void *)change->held, (const void *)change->next);
	case BNG_FAMILIES:
		break;
	}
	return -EINVAL;
}

int bng_kern_upsert(struct bng_kern *kern, const struct bng_state *state, const struct bng_change *change,
	struct bng_bytes packed, const struct bng_clock *clock)
{
	struct bng_change back = {.held = change->next, .next = change->held};
	int err = write_data(kern, state, change, clock);

	if (!err)
		err = bng_store_put_object(kern, change->next, packed, change->held != NULL);
	if (err && !change->held)
		(void)write_data(kern, state, &back, clock);
	return err;
}

int bng_kern_remove(struct bng_kern *kern, const struct bng_state *state, const struct bng_change *change,
	const struct bng_clock *clock, struct bng_final *ret_final)
{
	const struct bng_object *held = change->held;
	struct bng_final earlier = {0};
	int err;

	/* The counters are safe before the object goes, and exact after its entries have gone. */
	if (held->family == BNG_FAMILY_SESSION) {
		err = bng_map_session_keep_final(kern, (const void *)held, clock, &earlier, ret_final);
		if (err)
			return err;
	}
	err = bng_store_remove_object(kern, held->family, held->id);
	if (!err)
		err = write_data(kern, state, change, clock);
	if (!err && held->family == BNG_FAMILY_SESSION)
		err = bng_map_session_release(kern, (const void *)held, clock, &earlier, ret_final);
	return err;
}
