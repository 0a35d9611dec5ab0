// SPDX-License-Identifier: Apache-2.0
// Creation and single entries of the agent's own maps; objects in chunks are in store_object.c.
#include "store.h"

#include "pins.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { OWN_LAYOUT = 1, SCOPES_MAX = 1024, SCHEMAS_MAX = 256 };

struct scope_key {
	char name[BNG_SCOPE_SIZE];
};

struct own_map {
	const char *name;
	int *fd;
	uint32_t key_size;
	uint32_t value_size;
	uint32_t max_entries;
};

static int check_size(const struct own_map *map, struct bng_words *words)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(*map->fd, &info, &size))
		return -errno;
	if (info.key_size == map->key_size && info.value_size == map->value_size &&
		info.max_entries == map->max_entries)
		return 0;
	bng_say(words,
		"pinned map %s has %u entries of %u+%u bytes, this agent wants %u of %u+%u (max-sessions "
		"changed? "
		"bng-agent --detach removes the pins, and all sessions with them)",
		map->name, info.max_entries, info.key_size, info.value_size, map->max_entries, map->key_size,
		map->value_size);
	return -EPROTO;
}

static int open_map(
	struct bng_kern *kern, const struct own_map *map, bool *ret_created, struct bng_words *words)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
	struct bng_pin_path path = bng_pin_path(kern, "maps", map->name);

	*map->fd = bpf_obj_get(path.text);
	*ret_created = *map->fd < 0;
	if (*map->fd >= 0)
		return check_size(map, words);
	*map->fd = bpf_map_create(
		BPF_MAP_TYPE_HASH, map->name, map->key_size, map->value_size, map->max_entries, &options);
	if (*map->fd < 0 || bpf_obj_pin(*map->fd, path.text)) {
		int err = -errno;

		bng_say(words, "map %s: %s", map->name, strerrordesc_np(-err));
		return err;
	}
	return 0;
}

/* One epoch per family, drawn when first asked for: a family added by a later version gets its own. */
static int open_epochs(struct bng_kern *kern, uint64_t seed)
{
	uint32_t family;

	for (family = 1; family < BNG_FAMILIES; family++) {
		kern->epoch[family] = (seed ^ ((uint64_t)family * 0x9e3779b97f4a7c15ULL)) | 1;
		if (!bpf_map_lookup_elem(kern->epochs, &family, &kern->epoch[family]))
			continue;
		if (bpf_map_update_elem(kern->epochs, &family, &kern->epoch[family], BPF_NOEXIST))
			return -errno;
	}
	return 0;
}

int bng_store_open(struct bng_kern *kern, uint64_t epoch_seed, struct bng_words *words)
{
	uint32_t finals = kern->max_sessions * 2;
	/* A session of both families is 4 or 5 chunks long, an advertisement and a reply among them. */
	uint32_t objects =
		kern->max_sessions * 5 + BNG_ROUTES_MAX + BNG_ROUTES6_MAX + 4 * BNG_MAX_TEMPLATES + 8192;
	struct own_map maps[] = {
		{"schema", &kern->schema, sizeof(struct scope_key), 8, SCHEMAS_MAX},
		{"epochs", &kern->epochs, 4, 8, 64},
		{"terms", &kern->terms, sizeof(struct scope_key), 8, SCOPES_MAX},
		{"finals", &kern->finals, 8, sizeof(struct bng_final), finals},
		{"objects", &kern->objects, 16, 16 + BNG_CHUNK_BYTES, objects},
	};
	uint64_t layout = OWN_LAYOUT;
	bool created;
	size_t i;
	int err;

	for (i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		err = open_map(kern, &maps[i], &created, words);
		if (err)
			return err;
		kern->fresh = created;
	}
	err = bng_store_get_schema(kern, "agent", &layout);
	if (err == -ENOENT)
		err = bng_store_put_schema(kern, "agent", layout);
	if (err)
		return err;
	if (layout != OWN_LAYOUT) {
		bng_say(words, "pins were written in layout %llu, this agent knows %d",
			(unsigned long long)layout, OWN_LAYOUT);
		return -EPROTO;
	}
	return open_epochs(kern, epoch_seed);
}

void bng_store_close(struct bng_kern *kern)
{
	int *fds[] = {&kern->schema, &kern->epochs, &kern->terms, &kern->finals, &kern->objects};
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			(void)close(*fds[i]);
		*fds[i] = -1;
	}
}

static struct scope_key key_of(const char *name)
{
	struct scope_key key = {0};

	(void)snprintf(key.name, sizeof(key.name), "%s", name);
	return key;
}

int bng_store_get_schema(const struct bng_kern *kern, const char *name, uint64_t *ret_hash)
{
	struct scope_key key = key_of(name);

	return bpf_map_lookup_elem(kern->schema, &key, ret_hash) ? -errno : 0;
}

int bng_store_put_schema(const struct bng_kern *kern, const char *name, uint64_t hash)
{
	struct scope_key key = key_of(name);

	return bpf_map_update_elem(kern->schema, &key, &hash, BPF_ANY) ? -errno : 0;
}

int bng_store_get_term(const struct bng_kern *kern, const char *scope, uint64_t *ret_term)
{
	struct scope_key key = key_of(scope);

	return bpf_map_lookup_elem(kern->terms, &key, ret_term) ? -errno : 0;
}

int bng_store_put_term(struct bng_kern *kern, const char *scope, uint64_t term)
{
	struct scope_key key = key_of(scope);

	return bpf_map_update_elem(kern->terms, &key, &term, BPF_ANY) ? -errno : 0;
}

int bng_store_get_final(const struct bng_kern *kern, uint64_t session_id, struct bng_final *ret)
{
	return bpf_map_lookup_elem(kern->finals, &session_id, ret) ? -errno : 0;
}

int bng_store_put_final(struct bng_kern *kern, uint64_t session_id, const struct bng_final *final)
{
	return bpf_map_update_elem(kern->finals, &session_id, final, BPF_ANY) ? -errno : 0;
}

int bng_store_remove_final(struct bng_kern *kern, uint64_t session_id)
{
	return bpf_map_delete_elem(kern->finals, &session_id) && errno != ENOENT ? -errno : 0;
}
