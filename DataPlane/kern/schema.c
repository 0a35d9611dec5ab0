// SPDX-License-Identifier: Apache-2.0
// FNV-1a over a walk of the BTF types; pointers are not followed (map layouts have none).
#include "schema.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <string.h>

enum { DEEPEST = 16 };

static uint64_t mix(uint64_t hash, const void *data, size_t size)
{
	const uint8_t *p = data;

	while (size--)
		hash = (hash ^ *p++) * 0x100000001b3ULL;
	return hash;
}

static uint64_t mix_number(uint64_t hash, uint64_t number)
{
	return mix(hash, &number, sizeof(number));
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
	return text ? mix(hash, text, strlen(text) + 1) : hash;
}

static uint64_t mix_type(uint64_t hash, const struct btf *btf, uint32_t id, int depth)
{
	const struct btf_type *type = btf__type_by_id(btf, id);
	uint32_t i;

	while (type && (btf_is_typedef(type) || btf_is_mod(type)))
		type = btf__type_by_id(btf, type->type);
	if (!type || depth > DEEPEST)
		return mix_number(hash, 0);
	hash = mix_number(hash, btf_kind(type));
	if (btf_is_array(type)) {
		hash = mix_number(hash, btf_array(type)->nelems);
		return mix_type(hash, btf, btf_array(type)->type, depth + 1);
	}
	hash = mix_number(hash, type->size);
	for (i = 0; btf_is_composite(type) && i < btf_vlen(type); i++) {
		const struct btf_member *member = btf_members(type) + i;

		hash = mix_text(hash, btf__name_by_offset(btf, member->name_off));
		hash = mix_number(hash, btf_member_bit_offset(type, i));
		hash = mix_type(hash, btf, member->type, depth + 1);
	}
	return hash;
}

uint64_t bng_schema_hash(const struct btf *btf, const struct bpf_map *map)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	hash = mix_number(hash, bpf_map__type(map));
	hash = mix_number(hash, bpf_map__key_size(map));
	hash = mix_number(hash, bpf_map__value_size(map));
	hash = mix_number(hash, bpf_map__map_flags(map));
	hash = mix_type(hash, btf, bpf_map__btf_key_type_id(map), 0);
	return mix_type(hash, btf, bpf_map__btf_value_type_id(map), 0);
}
