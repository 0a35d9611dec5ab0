// SPDX-License-Identifier: Apache-2.0
// From nothing, or from pins, to loaded maps and attached programs; and the way back for --detach.
#include "kern.h"

#include "alloc.h"
#include "attach.h"
#include "pins.h"
#include "program.h"
#include "schema.h"
#include "store.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

void bng_kern_init(
	struct bng_kern *kern, const char *pins, enum bng_attach_mode attach, uint32_t max_sessions)
{
	int i;

	*kern = (struct bng_kern){.attach = attach,
		.max_sessions = max_sessions,
		.nat_mappings = BNG_NAT_MAPPINGS_DEFAULT,
		.lock = -1,
		.schema = -1,
		.objects = -1,
		.terms = -1,
		.epochs = -1,
		.finals = -1,
		.reaper = -1};
	(void)snprintf(kern->pins, sizeof(kern->pins), "%s", pins);
	for (i = 0; i < BNG_MAP_COUNT; i++)
		kern->maps[i] = -1;
	for (i = 0; i < BNG_MAX_PORTS; i++)
		kern->ports[i].program = -1;
}

static size_t state_bytes(const struct bng_kern *kern)
{
	return ((size_t)kern->max_sessions + 1) * sizeof(struct bng_session_state);
}

static size_t policer_bytes(const struct bng_kern *kern)
{
	return ((size_t)kern->max_sessions + 1) * BNG_DIRECTIONS * sizeof(struct bng_policer);
}

static size_t ppp_bytes(const struct bng_kern *kern)
{
	return ((size_t)kern->max_sessions + 1) * sizeof(struct bng_ppp_state);
}

static size_t state6_bytes(const struct bng_kern *kern)
{
	return ((size_t)kern->max_sessions + 1) * sizeof(struct bng_session6_state);
}

static size_t nat_bytes(const struct bng_kern *kern)
{
	return ((size_t)kern->max_sessions + 1) * sizeof(struct bng_nat_state);
}

void bng_kern_done(struct bng_kern *kern)
{
	int i;

	if (kern->session_state)
		(void)munmap(kern->session_state, state_bytes(kern));
	if (kern->policers)
		(void)munmap(kern->policers, policer_bytes(kern));
	if (kern->ppp_state)
		(void)munmap(kern->ppp_state, ppp_bytes(kern));
	if (kern->session6_state)
		(void)munmap(kern->session6_state, state6_bytes(kern));
	if (kern->nat_state)
		(void)munmap(kern->nat_state, nat_bytes(kern));
	kern->nat_state = NULL;
	kern->session_state = NULL;
	kern->policers = NULL;
	kern->ppp_state = NULL;
	kern->session6_state = NULL;
	bng_free(kern->counter_scratch);
	kern->counter_scratch = NULL;
	for (i = 0; i < BNG_MAP_COUNT; i++) {
		if (kern->maps[i] >= 0)
			(void)close(kern->maps[i]);
		kern->maps[i] = -1;
	}
	for (i = 0; i < BNG_MAX_PORTS; i++) {
		if (kern->ports[i].program >= 0)
			(void)close(kern->ports[i].program);
		kern->ports[i].program = -1;
	}
	if (kern->reaper >= 0)
		(void)close(kern->reaper);
	kern->reaper = -1;
	bng_store_close(kern);
	if (kern->lock >= 0)
		(void)close(kern->lock);
	kern->lock = -1;
}

/* A pinned map with another layout or size must not be used, nor silently replaced. */
static int check_pinned(const struct bng_kern *kern, const struct bpf_map *map, uint64_t hash, int fd,
	struct bng_words *words)
{
	const char *name = bpf_map__name(map);
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	uint64_t pinned;

	if (bng_store_get_schema(kern, name, &pinned) || pinned != hash) {
		bng_say(words,
			"pinned map %s has another layout than these programs; this version cannot migrate "
			"it "
			"(bng-agent --detach removes the pins, and all sessions with them)",
			name);
		return -EPROTO;
	}
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	if (info.max_entries != bpf_map__max_entries(map)) {
		bng_say(words,
			"pinned map %s has room for %u entries, the configuration asks for %u (bng-agent "
			"--detach "
			"removes the pins, and all sessions with them)",
			name, info.max_entries, bpf_map__max_entries(map));
		return -EPROTO;
	}
	return 0;
}

/*
 * The pinned map takes the place of the one to be created. Not left to libbpf's pin_path: the kernel adds
 * BPF_F_RDONLY_PROG to a devmap, and libbpf then finds it incompatible with itself.
 */
static int adopt_map(
	struct bng_kern *kern, const struct bng_program *program, enum bng_map i, struct bng_words *words)
{
	struct bpf_map *map = program->maps[i];
	struct bng_pin_path path = bng_pin_path(kern, "maps", bpf_map__name(map));
	uint64_t hash = bng_schema_hash(bpf_object__btf(program->object), map);
	int fd = bpf_obj_get(path.text), err;

	if (fd < 0)
		return errno == ENOENT ? bng_store_put_schema(kern, bpf_map__name(map), hash) : -errno;
	err = check_pinned(kern, map, hash, fd, words);
	if (!err)
		err = bpf_map__reuse_fd(map, fd);
	(void)close(fd);
	return err;
}

/* Keeps the loaded maps, and pins those that are new. */
static int keep_maps(struct bng_kern *kern, const struct bng_program *program)
{
	int i;

	for (i = 0; i < BNG_MAP_COUNT; i++) {
		struct bng_pin_path path = bng_pin_path(kern, "maps", bpf_map__name(program->maps[i]));

		if (kern->maps[i] >= 0)
			continue;
		kern->maps[i] = fcntl(bpf_map__fd(program->maps[i]), F_DUPFD_CLOEXEC, 3);
		if (kern->maps[i] < 0 || (access(path.text, F_OK) && bpf_obj_pin(kern->maps[i], path.text)))
			return -errno;
	}
	return 0;
}

static int open_port(
	struct bng_kern *kern, uint32_t port, struct bng_program *program, struct bng_words *words)
{
	int err = bng_program_open(kern, port, program), i;

	for (i = 0; i < BNG_MAP_COUNT && !err; i++)
		err = adopt_map(kern, program, (enum bng_map)i, words);
	return err;
}

static int load_port(
	struct bng_kern *kern, uint32_t port, struct bng_program *program, struct bng_words *words)
{
	int err = open_port(kern, port, program, words);

	if (err)
		return err;
	err = bpf_object__load(program->object);
	if (err) {
		bng_say(words, "%s: the kernel refuses the program: %s", kern->ports[port].name,
			strerrordesc_np(-err));
		return err;
	}
	if (kern->ports[port].program >= 0)
		(void)close(kern->ports[port].program);
	kern->ports[port].program = fcntl(bpf_program__fd(program->program), F_DUPFD_CLOEXEC, 3);
	return kern->ports[port].program < 0 ? -errno : keep_maps(kern, program);
}

static int attach_port(
	struct bng_kern *kern, uint32_t port, const struct bng_program *program, struct bng_words *words)
{
	struct bng_program unloaded = {0};
	int err;

	if (kern->attach != BNG_ATTACH_SHARED)
		return bng_attach(kern, port, program, words);
	err = open_port(kern, port, &unloaded, words);
	if (!err)
		err = bng_attach_shared(kern, port, program, &unloaded, words);
	bng_program_close(&unloaded);
	return err;
}

/* Nothing is attached before every program has been accepted by the kernel. */
static int load_ports(struct bng_kern *kern, struct bng_words *words)
{
	struct bng_program *programs = bng_alloc_zero(kern->port_count + 1, sizeof(*programs));
	int err = programs ? 0 : -ENOMEM;
	uint32_t port;

	for (port = 1; port <= kern->port_count && !err; port++)
		err = load_port(kern, port, &programs[port], words);
	for (port = 1; port <= kern->port_count && !err; port++)
		err = attach_port(kern, port, &programs[port], words);
	for (port = 1; port <= kern->port_count && programs; port++)
		bng_program_close(&programs[port]);
	bng_free(programs);
	return err;
}

int bng_kern_reattach(struct bng_kern *kern, uint32_t port, struct bng_words *words)
{
	struct bng_program program = {0};
	int err = load_port(kern, port, &program, words);

	if (!err)
		err = attach_port(kern, port, &program, words);
	bng_program_close(&program);
	return err;
}

static void *map_array(const struct bng_kern *kern, enum bng_map map, size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, kern->maps[map], 0);

	return at == MAP_FAILED ? NULL : at;
}

static int map_state(struct bng_kern *kern)
{
	kern->session_state = map_array(kern, BNG_MAP_session_state, state_bytes(kern));
	kern->policers = map_array(kern, BNG_MAP_policers, policer_bytes(kern));
	kern->ppp_state = map_array(kern, BNG_MAP_ppp_state, ppp_bytes(kern));
	kern->session6_state = map_array(kern, BNG_MAP_session6_state, state6_bytes(kern));
	kern->nat_state = map_array(kern, BNG_MAP_nat_state, nat_bytes(kern));
	if (!kern->session_state || !kern->policers || !kern->ppp_state || !kern->session6_state ||
		!kern->nat_state)
		return -errno;
	kern->counter_scratch = bng_alloc_zero(kern->cpus, sizeof(struct bng_session_counters));
	return kern->counter_scratch ? 0 : -ENOMEM;
}

int bng_kern_load(struct bng_kern *kern, uint64_t epoch_seed, struct bng_words *words)
{
	int cpus = libbpf_num_possible_cpus(), err;
	struct timespec now;

	if (cpus < 0)
		return cpus;
	kern->cpus = (uint32_t)cpus;
	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	kern->template_version = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	err = bng_pins_open(kern, words);
	if (!err)
		err = bng_store_open(kern, epoch_seed, words);
	if (!err)
		err = load_ports(kern, words);
	if (!err)
		err = bng_program_load_reaper(kern);
	return err ? err : map_state(kern);
}

int bng_kern_detach(struct bng_kern *kern, struct bng_words *words)
{
	static const char *const folders[] = {"shared", "links", "programs", "maps"};
	int err = bng_pins_lock(kern, words), failed;
	size_t i;

	if (err == -ENOENT)
		return 0;
	if (err)
		return err;
	err = bng_detach_shared(kern, words);
	if (err) /* without its pins a program could not be told from a stranger's */
		return err;
	err = bng_attach_remove_all(kern, words);
	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		failed = bng_pins_remove_folder(kern, folders[i]);
		if (failed && !err)
			err = failed;
	}
	if (!err && rmdir(kern->pins))
		err = -errno;
	return err;
}

uint64_t bng_boot_ns(const struct bng_clock *clock, uint64_t utc_ms)
{
	uint64_t ahead;

	if (!utc_ms)
		return 0;
	if (utc_ms >= clock->utc_ms) {
		ahead = utc_ms - clock->utc_ms;
		return ahead > (UINT64_MAX - clock->boot_ns) / 1000000 ? UINT64_MAX
								       : clock->boot_ns + ahead * 1000000;
	}
	ahead = clock->utc_ms - utc_ms;
	return ahead >= clock->boot_ns / 1000000 ? 1 : clock->boot_ns - ahead * 1000000;
}

uint64_t bng_utc_ms(const struct bng_clock *clock, uint64_t boot_ns)
{
	if (!boot_ns)
		return 0;
	if (boot_ns >= clock->boot_ns)
		return clock->utc_ms + (boot_ns - clock->boot_ns) / 1000000;
	return clock->utc_ms - (clock->boot_ns - boot_ns) / 1000000;
}
