// SPDX-License-Identifier: Apache-2.0
// Ports and services come in any order: each port's entry is worked out anew from both.
#include "map_pppoe.h"

#include "entry.h"
#include "state_internal.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

/* 0: none, or no port object. */
static uint32_t domain_after(const struct bng_state *state, uint32_t port, const struct bng_change *change)
{
	const struct bng_port_object *held = (const void *)change->held, *next = (const void *)change->next,
				     *object = state->ports[port].object;

	if (next && next->head.family == BNG_FAMILY_PORT && next->head.index == port)
		return next->access_domain_id;
	if (held && object == held)
		return 0;
	return object ? object->access_domain_id : 0;
}

static const struct bng_pppoe_service_object *service_after(
	const struct bng_state *state, uint32_t domain, const struct bng_change *change)
{
	const struct bng_pppoe_service_object *next = (const void *)change->next;
	uint64_t value;

	if (!domain)
		return NULL;
	if (next && next->head.family == BNG_FAMILY_PPPOE_SERVICE && next->access_domain_id == domain)
		return next;
	if (!bng_hash_table_get(&state->services, &domain, &value) || bng_pointer_of(value) == change->held)
		return NULL;
	return bng_pointer_of(value);
}

static int write_port(struct bng_kern *kern, uint32_t port, const struct bng_pppoe_service_object *service)
{
	struct bng_pppoe_service wanted, held;
	int map = kern->maps[BNG_MAP_pppoe_services];

	if (!service)
		return bpf_map_delete_elem(map, &port) && errno != ENOENT ? -errno : 0;
	bng_entry_pppoe_service(service, &wanted);
	if (!bpf_map_lookup_elem(map, &port, &held) && !memcmp(&held, &wanted, sizeof(held)))
		return 0;
	return bpf_map_update_elem(map, &port, &wanted, BPF_ANY) ? -errno : 0;
}

int bng_map_pppoe_service_write(
	struct bng_kern *kern, const struct bng_state *state, const struct bng_change *change)
{
	uint32_t port;
	int err = 0;

	for (port = 1; port <= state->port_count && !err; port++)
		err = write_port(kern, port, service_after(state, domain_after(state, port, change), change));
	return err;
}
