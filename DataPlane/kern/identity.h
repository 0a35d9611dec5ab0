/* SPDX-License-Identifier: Apache-2.0 */
/* When a program that is attached already need not be replaced. */
#ifndef BNG_IDENTITY_H
#define BNG_IDENTITY_H

#include "kern.h"

/* The tag the kernel computed over the instructions; and the id. */
int bng_program_identity(int fd, uint64_t *ret_tag, uint32_t *ret_id);

/* A program using other maps (pins removed under it) is not ours, whatever its name and tag. */
bool bng_program_uses_map(int program, int map);

/* Equal instructions, equal constants, our maps. */
bool bng_program_is_equal(const struct bng_kern *kern, uint32_t port, int old, int new);

/* Keeps the constants of the program that was attached last. */
int bng_program_remember(const struct bng_kern *kern, uint32_t port);

#endif
