// SPDX-License-Identifier: Apache-2.0
// The only file that sees the skeletons. Both hold every shared map (bpf/lib/maps.h).
#include "program.h"

#include "xdp_access.skel.h"
#include "xdp_core.skel.h"
#include "xdp_nat_reap.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>

#define TAKE_MAP(name) ret->maps[BNG_MAP_##name] = skeleton->maps.name;
#define DEFINE_OPEN(stem)                                                                                    \
	static void destroy_##stem(void *skeleton)                                                           \
	{                                                                                                    \
		stem##__destroy(skeleton);                                                                   \
	}                                                                                                    \
	static int open_##stem(uint32_t port, struct bng_program *ret)                                       \
	{                                                                                                    \
		struct stem *skeleton = stem##__open();                                                      \
                                                                                                             \
		if (!skeleton)                                                                               \
			return -errno;                                                                       \
		skeleton->rodata->bng_port_index = port;                                                     \
		*ret = (struct bng_program){.object = skeleton->obj,                                         \
			.program = skeleton->progs.stem,                                                     \
			.skeleton = skeleton,                                                                \
			.destroy = destroy_##stem,                                                           \
			.section_program = #stem};                                                           \
		BNG_MAPS(TAKE_MAP)                                                                           \
		return 0;                                                                                    \
	}

DEFINE_OPEN(xdp_access)
DEFINE_OPEN(xdp_core)
DEFINE_OPEN(xdp_nat_reap)

static uint32_t size_of(const struct bng_kern *kern, enum bng_map map, uint32_t declared)
{
	switch (map) {
	case BNG_MAP_sessions:
	case BNG_MAP_session_addresses:
	case BNG_MAP_session_state:
	case BNG_MAP_session_counters:
	case BNG_MAP_ppp_state:
	case BNG_MAP_sessions6:
	case BNG_MAP_session6_state:
	case BNG_MAP_session6_counters:
	case BNG_MAP_advertisements:
	case BNG_MAP_dhcp6_replies:
		return kern->max_sessions +
		       1; /* slot 0 is nobody's; a moving session holds two keys for a moment */
	case BNG_MAP_nat_sessions:
	case BNG_MAP_nat_state:
		return kern->max_sessions + 1;
	case BNG_MAP_nat_out:
	case BNG_MAP_nat_in:
	case BNG_MAP_nat_flows:
		return kern->nat_mappings;
	case BNG_MAP_policers:
		return BNG_DIRECTIONS * (kern->max_sessions + 1);
	case BNG_MAP_own_addresses:
	case BNG_MAP_own_addresses6:
		return BNG_OWN_ADDRESSES_MAX;
	case BNG_MAP_trusted_relays:
		return BNG_RELAYS_MAX;
	case BNG_MAP_routes4:
		/* A session that changes its prefixes holds both sets for a moment. */
		return BNG_ROUTES_MAX + BNG_OWN_ADDRESSES_MAX + BNG_FRAMED_ROUTES_MAX;
	case BNG_MAP_routes6:
		return BNG_ROUTES6_MAX + BNG_ROUTES6_PER_SESSION * kern->max_sessions +
		       BNG_OWN_ADDRESSES_MAX + BNG_SESSION_PREFIXES_MAX;
	default:
		return declared;
	}
}

int bng_program_open(const struct bng_kern *kern, uint32_t port, struct bng_program *ret)
{
	int err = kern->ports[port].role == BNG_ROLE_ACCESS ? open_xdp_access(port, ret)
							    : open_xdp_core(port, ret);
	int i;

	for (i = 0; i < BNG_MAP_COUNT && !err; i++) {
		struct bpf_map *map = ret->maps[i];

		err = bpf_map__set_max_entries(
			map, size_of(kern, (enum bng_map)i, bpf_map__max_entries(map)));
		if (err)
			bng_program_close(ret);
	}
	return err;
}

int bng_program_load_reaper(struct bng_kern *kern)
{
	struct bng_program reaper = {0};
	int err = open_xdp_nat_reap(0, &reaper), i;

	for (i = 0; i < BNG_MAP_COUNT && !err; i++)
		err = bpf_map__reuse_fd(reaper.maps[i], kern->maps[i]);
	if (!err)
		err = bpf_object__load(reaper.object);
	if (!err) {
		kern->reaper = fcntl(bpf_program__fd(reaper.program), F_DUPFD_CLOEXEC, 3);
		err = kern->reaper < 0 ? -errno : 0;
	}
	bng_program_close(&reaper);
	return err;
}

void bng_program_close(struct bng_program *program)
{
	if (program->skeleton)
		program->destroy(program->skeleton);
	*program = (struct bng_program){0};
}
