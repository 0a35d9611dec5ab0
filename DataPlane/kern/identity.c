// SPDX-License-Identifier: Apache-2.0
// Constants of a program are not part of its tag: the port index compiled into it is kept beside the schemas.
#include "identity.h"

#include "bytes.h"
#include "store.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>

enum { MAPS_MAX = 64 };

int bng_program_identity(int fd, uint64_t *ret_tag, uint32_t *ret_id)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	*ret_tag = bng_get_be64(info.tag);
	*ret_id = info.id;
	return 0;
}

bool bng_program_uses_map(int program, int map)
{
	struct bpf_prog_info info = {0};
	struct bpf_map_info map_info = {0};
	uint32_t ids[MAPS_MAX], size = sizeof(info), map_size = sizeof(map_info), i;

	info.nr_map_ids = MAPS_MAX;
	info.map_ids = (uint64_t)(uintptr_t)ids;
	if (bpf_obj_get_info_by_fd(program, &info, &size) ||
		bpf_obj_get_info_by_fd(map, &map_info, &map_size))
		return false;
	for (i = 0; i < info.nr_map_ids && i < MAPS_MAX; i++)
		if (ids[i] == map_info.id)
			return true;
	return false;
}

static char *index_name(const struct bng_kern *kern, uint32_t port, char name[BNG_SCOPE_SIZE])
{
	(void)snprintf(name, BNG_SCOPE_SIZE, "port:%s", kern->ports[port].name);
	return name;
}

bool bng_program_is_equal(const struct bng_kern *kern, uint32_t port, int old, int new)
{
	char name[BNG_SCOPE_SIZE];
	uint64_t old_tag, new_tag, index;
	uint32_t id;

	return !bng_program_identity(old, &old_tag, &id) && !bng_program_identity(new, &new_tag, &id) &&
	       old_tag == new_tag && !bng_store_get_schema(kern, index_name(kern, port, name), &index) &&
	       index == port && bng_program_uses_map(old, kern->maps[BNG_MAP_ports]);
}

int bng_program_remember(const struct bng_kern *kern, uint32_t port)
{
	char name[BNG_SCOPE_SIZE];

	return bng_store_put_schema(kern, index_name(kern, port, name), port);
}
