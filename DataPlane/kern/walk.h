/* SPDX-License-Identifier: Apache-2.0 */
/* Reading whole hash maps and tries. */
#ifndef BNG_WALK_H
#define BNG_WALK_H

#include <stddef.h>
#include <stdint.h>

/* Calls visit for every entry in batches (hash maps). A negative return ends the walk with it. The map must
 * not be changed meanwhile. */
int bng_walk_map(int fd, uint32_t key_size, uint32_t value_size,
	int (*visit)(void *context, const void *key, const void *value), void *context);

/* The same key by key, for map types without batches (LPM tries). visit may delete the entry it is given. */
int bng_walk_keys(int fd, uint32_t key_size, uint32_t value_size,
	int (*visit)(void *context, const void *key, const void *value), void *context);

#endif
