/* SPDX-License-Identifier: Apache-2.0 */
/* One instance of a program for one port, from skeleton to loaded. */
#ifndef BNG_PROGRAM_H
#define BNG_PROGRAM_H

#include "kern.h"

struct bpf_object;
struct bpf_program;
struct bpf_map;

struct bng_program {
	struct bpf_object *object;
	struct bpf_program *program;
	struct bpf_map *maps[BNG_MAP_COUNT];
	void *skeleton;
	void (*destroy)(void *skeleton);
	const char *section_program; /* its name, for libxdp */
};

/* Opens the skeleton for a role, sets the port index and the sizes of maps. */
int bng_program_open(const struct bng_kern *kern, uint32_t port, struct bng_program *ret);
/* Loads xdp_nat_reap over the maps that are open; kern->reaper. */
int bng_program_load_reaper(struct bng_kern *kern);
void bng_program_close(struct bng_program *program);

#endif
