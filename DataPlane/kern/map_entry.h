/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of a map: written, taken away. */
#ifndef BNG_MAP_ENTRY_H
#define BNG_MAP_ENTRY_H

#include <bpf/bpf.h>
#include <errno.h>

/* Whatever was there. 0, or an error number below zero. */
static inline int bng_map_put(int map, const void *key, const void *value)
{
	return bpf_map_update_elem(map, key, value, BPF_ANY) ? -errno : 0;
}

/* What is not there is no error. */
static inline int bng_map_drop(int map, const void *key)
{
	return bpf_map_delete_elem(map, key) && errno != ENOENT ? -errno : 0;
}

#endif
