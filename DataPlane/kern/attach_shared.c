// SPDX-License-Identifier: Apache-2.0
// attach = shared: the program is one of several behind libxdp's dispatcher. A new version is added, then the
// old one removed, and each step replaces the whole dispatcher atomically: one of ours always runs. Which of
// them are ours is told by the map they use; <pins>/shared/<ifindex> is a pin of that map, made before the
// first attachment and removed after the last.
#include "attach.h"

#include "identity.h"
#include "pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xdp/libxdp.h>

/* libxdp's dispatcher has as many places. */
enum { PLACES = 10 };

struct dispatcher {
	struct xdp_multiprog *all; /* NULL: nothing is attached */
	struct xdp_program *ours[PLACES];
	size_t count;
};

static int say_libxdp(struct bng_words *words, const char *where, const char *what, int err)
{
	char text[128] = "";

	err = err < 0 ? err : -err;
	(void)libxdp_strerror(err, text, sizeof(text));
	bng_say(words, "%s: libxdp cannot %s: %s", where, what, text);
	return err;
}

/* A dispatcher whose pins libxdp cannot read is none to it either. */
static bool is_dispatcher(const struct xdp_multiprog *all)
{
	const struct xdp_program *main_program = xdp_multiprog__main_prog(all);

	return main_program && !strcmp(xdp_program__name(main_program), "xdp_dispatcher");
}

/* Sorts out who is behind the dispatcher: those that use the map are ours. -EBUSY in words without one. */
static int open_dispatcher(
	uint32_t ifindex, const char *where, int map, struct dispatcher *ret, struct bng_words *words)
{
	struct dispatcher found = {.all = xdp_multiprog__get_from_ifindex((int)ifindex)};
	struct xdp_program *p = NULL;
	int err = (int)libxdp_get_error(found.all);

	*ret = (struct dispatcher){0};
	if (err == -ENOENT || err == -ENODEV)
		return 0;
	if (err)
		return say_libxdp(words, where, "read what is attached", err);
	if (xdp_multiprog__is_legacy(found.all)) {
		err = is_dispatcher(found.all) ? -EIO : -EBUSY;
		xdp_multiprog__close(found.all);
		if (err == -EIO)
			return say_libxdp(words, where, "read the pins of its dispatcher", err);
		bng_say(words,
			"%s: an XDP program is attached without libxdp's dispatcher; unload it "
			"(bng-agent --detach if it is this agent's, under another attach mode)",
			where);
		return -EBUSY;
	}
	while ((p = xdp_multiprog__next_prog(p, found.all)))
		if (found.count < PLACES && bng_program_uses_map(xdp_program__fd(p), map))
			found.ours[found.count++] = p;
	*ret = found;
	return 0;
}

static bool is_known(const struct dispatcher *dispatcher, const struct xdp_program *program)
{
	size_t i;

	for (i = 0; i < dispatcher->count; i++)
		if (dispatcher->ours[i] == program)
			return true;
	return false;
}

/* Two programs of this kind would each do the work: left by removed pins, or another agent's. */
static int refuse_double(
	const struct dispatcher *dispatcher, const char *port, const char *name, struct bng_words *words)
{
	struct xdp_program *p = NULL;

	while (dispatcher->all && (p = xdp_multiprog__next_prog(p, dispatcher->all)))
		if (!strcmp(xdp_program__name(p), name) && !is_known(dispatcher, p)) {
			bng_say(words,
				"%s: program %u behind the dispatcher is another agent's, or its pins were "
				"removed "
				"(xdp-loader unload %s --id %u)",
				port, xdp_program__id(p), port, xdp_program__id(p));
			return -EBUSY;
		}
	return 0;
}

/* Removes ours, but for one, in one replacement of the dispatcher. */
static int remove_ours(struct dispatcher *dispatcher, uint32_t ifindex, const char *where, uint32_t keep_id,
	struct bng_words *words)
{
	struct xdp_program *old[PLACES];
	size_t count = 0, i;
	int err;

	for (i = 0; i < dispatcher->count; i++)
		if (xdp_program__id(dispatcher->ours[i]) != keep_id)
			old[count++] = dispatcher->ours[i];
	if (!count)
		return 0;
	err = xdp_program__detach_multi(
		old, count, (int)ifindex, xdp_multiprog__attach_mode(dispatcher->all), 0);
	return err ? say_libxdp(words, where, "detach", err) : 0;
}

static struct bng_pin_path marker_path(const struct bng_kern *kern, uint32_t ifindex)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "%u", ifindex);
	return bng_pin_path(kern, "shared", name);
}

static int mark(const struct bng_kern *kern, uint32_t ifindex)
{
	struct bng_pin_path folder = bng_pin_path(kern, "shared", NULL), path = marker_path(kern, ifindex);

	if (mkdir(folder.text, 0700) && errno != EEXIST)
		return -errno;
	return bpf_obj_pin(kern->maps[BNG_MAP_ports], path.text) && errno != EEXIST ? -errno : 0;
}

/* Calls for each marked interface until one fails. */
static int for_each_marked(const struct bng_kern *kern,
	int (*call)(const struct bng_kern *, uint32_t ifindex, struct bng_words *), struct bng_words *words)
{
	struct bng_pin_path folder = bng_pin_path(kern, "shared", NULL);
	DIR *directory = opendir(folder.text);
	struct dirent *entry;
	int err = 0;

	if (!directory)
		return errno == ENOENT ? 0 : -errno;
	while (!err && (entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			err = call(kern, (uint32_t)strtoul(entry->d_name, NULL, 10), words);
	(void)closedir(directory);
	return err;
}

/* libxdp's pins of a dispatcher outlive its interface, and keep programs and maps. */
static int forget_if_gone(const struct bng_kern *kern, uint32_t ifindex, struct bng_words *words)
{
	struct bng_pin_path path = marker_path(kern, ifindex);
	char name[IF_NAMESIZE];

	(void)words;
	if (if_indextoname(ifindex, name))
		return 0;
	(void)libxdp_clean_references((int)ifindex);
	return unlink(path.text) ? -errno : 0;
}

static int detach_marked(const struct bng_kern *kern, uint32_t ifindex, struct bng_words *words)
{
	struct bng_pin_path path = marker_path(kern, ifindex);
	struct bng_words ignored = {0};
	struct dispatcher dispatcher;
	char where[IF_NAMESIZE];
	int map, err;

	if (!if_indextoname(ifindex, where))
		return forget_if_gone(kern, ifindex, words);
	map = bpf_obj_get(path.text);
	if (map < 0)
		return -errno;
	err = open_dispatcher(ifindex, where, map, &dispatcher, &ignored);
	if (err == -EBUSY) /* a stranger's, without a dispatcher: nothing of ours can be there */
		err = 0;
	else if (err)
		bng_say(words, "%s", ignored.text);
	else
		err = remove_ours(&dispatcher, ifindex, where, 0, words);
	xdp_multiprog__close(dispatcher.all);
	(void)close(map);
	return err ? err : unlink(path.text) ? -errno : 0;
}

int bng_detach_shared(const struct bng_kern *kern, struct bng_words *words)
{
	return for_each_marked(kern, detach_marked, words);
}

/* In the mode of the dispatcher that is there; a new one native, or else generic, which is said. */
static int add_in_mode(struct bng_kern_port *port, struct xdp_program *xdp, const struct dispatcher *there,
	struct bng_words *words)
{
	enum xdp_attach_mode mode = there->all ? xdp_multiprog__attach_mode(there->all) : XDP_MODE_NATIVE;
	int err = xdp_program__attach(xdp, (int)port->interface.index, mode, 0);

	if (err == -EOPNOTSUPP && !there->all) {
		mode = XDP_MODE_SKB;
		err = xdp_program__attach(xdp, (int)port->interface.index, mode, 0);
	}
	port->fell_back = !err && mode == XDP_MODE_SKB;
	if (port->fell_back)
		bng_say(words, "%s: the dispatcher runs in generic mode%s", port->name,
			there->all ? ", in which another program was attached"
				   : ", the driver refuses native XDP");
	return err;
}

/* Where the dispatcher does not work, libxdp attaches the program alone, and could then not swap it. */
static int refuse_alone(const struct bng_kern_port *port, struct xdp_program *xdp, struct bng_words *words)
{
	struct xdp_multiprog *all = xdp_multiprog__get_from_ifindex((int)port->interface.index);
	int err = (int)libxdp_get_error(all);

	if (err)
		return say_libxdp(words, port->name, "read what is attached", err);
	if (xdp_multiprog__is_legacy(all)) {
		(void)xdp_program__detach(
			xdp, (int)port->interface.index, xdp_multiprog__attach_mode(all), 0);
		bng_say(words, "%s: libxdp's dispatcher does not work here; use attach = auto", port->name);
		err = -EOPNOTSUPP;
	}
	xdp_multiprog__close(all);
	return err;
}

static int add(struct bng_kern_port *port, const struct bng_program *program, const struct dispatcher *there,
	uint32_t *ret_id, struct bng_words *words)
{
	struct xdp_program *xdp =
		xdp_program__from_bpf_obj(program->object, bpf_program__section_name(program->program));
	int err = (int)libxdp_get_error(xdp);

	if (err)
		return say_libxdp(words, port->name, "take the program", err);
	err = add_in_mode(port, xdp, there, words);
	if (err)
		err = say_libxdp(words, port->name, "attach", err);
	else
		err = refuse_alone(port, xdp, words);
	if (!err)
		*ret_id = xdp_program__id(xdp);
	xdp_program__close(xdp);
	return err;
}

static uint32_t equal_id(
	const struct bng_kern *kern, uint32_t port, const struct dispatcher *there, int program)
{
	size_t i;

	for (i = 0; i < there->count; i++)
		if (bng_program_is_equal(kern, port, xdp_program__fd(there->ours[i]), program))
			return xdp_program__id(there->ours[i]);
	return 0;
}

static int attach_behind(struct bng_kern *kern, uint32_t port, const struct bng_program *loaded,
	const struct bng_program *unloaded, struct dispatcher *there, struct bng_words *words)
{
	struct bng_kern_port *p = &kern->ports[port];
	uint32_t ifindex = p->interface.index, keep;
	int err = refuse_double(there, p->name, loaded->section_program, words);

	if (err)
		return err;
	keep = equal_id(kern, port, there, bpf_program__fd(loaded->program));
	p->adopted = keep != 0;
	if (!keep)
		err = add(p, unloaded, there, &keep, words);
	return err ? err : remove_ours(there, ifindex, p->name, keep, words);
}

int bng_attach_shared(struct bng_kern *kern, uint32_t port, const struct bng_program *loaded,
	const struct bng_program *unloaded, struct bng_words *words)
{
	struct bng_kern_port *p = &kern->ports[port];
	struct dispatcher there;
	uint32_t id;
	int err;

	if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_EXT, NULL) != 1) {
		bng_say(words,
			"%s: attach = shared needs libxdp's dispatcher, but this kernel refuses programs of "
			"type EXT; use attach = auto",
			p->name);
		return -EOPNOTSUPP;
	}
	err = for_each_marked(kern, forget_if_gone, words);
	if (!err)
		err = mark(kern, p->interface.index);
	if (!err)
		err = open_dispatcher(p->interface.index, p->name, kern->maps[BNG_MAP_ports], &there, words);
	if (err)
		return err;
	err = attach_behind(kern, port, loaded, unloaded, &there, words);
	xdp_multiprog__close(there.all);
	if (err)
		return err;
	p->mode = BNG_XDP_SHARED;
	err = bng_program_identity(bpf_program__fd(loaded->program), &p->program_tag, &id);
	return err ? err : bng_program_remember(kern, port);
}
