/* SPDX-License-Identifier: Apache-2.0 */
/* A hash of a map's layout taken from BTF: decides whether a pinned map may be adopted. */
#ifndef BNG_SCHEMA_H
#define BNG_SCHEMA_H

#include <stdint.h>

struct btf;
struct bpf_map;

/* Covers map type, sizes, and names, offsets and types of all members of key and value; not max_entries. */
uint64_t bng_schema_hash(const struct btf *btf, const struct bpf_map *map);

#endif
