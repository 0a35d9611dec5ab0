// SPDX-License-Identifier: Apache-2.0
// A link and its program are pinned per port. The swap names the program it expects, so nobody else's is ever
// replaced.
#include "attach.h"

#include "identity.h"
#include "pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <unistd.h>

static void close_fd(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

static int link_info(int fd, struct bpf_link_info *ret)
{
	uint32_t size = sizeof(*ret);

	*ret = (struct bpf_link_info){0};
	return bpf_obj_get_info_by_fd(fd, ret, &size) ? -errno : 0;
}

static struct bng_pin_path program_path(const struct bng_kern *kern, uint32_t port, const char *suffix)
{
	char name[BNG_PORT_NAME_SIZE + 8];

	(void)snprintf(name, sizeof(name), "%s%s", kern->ports[port].name, suffix);
	return bng_pin_path(kern, "programs", name);
}

static enum bng_xdp_mode mode_of(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	if (bpf_xdp_query((int)ifindex, 0, &query) || !query.attach_mode)
		return BNG_XDP_DETACHED;
	return query.attach_mode == XDP_ATTACHED_SKB ? BNG_XDP_GENERIC : BNG_XDP_NATIVE;
}

/* The pinned program the link runs now: the current pin, or the new one of a swap that was cut short. */
static int running_program(const struct bng_kern *kern, uint32_t port, uint32_t id)
{
	static const char *const suffixes[] = {"", "~new"};
	uint64_t tag;
	uint32_t found;
	size_t i;
	int fd;

	for (i = 0; i < 2; i++) {
		struct bng_pin_path path = program_path(kern, port, suffixes[i]);

		fd = bpf_obj_get(path.text);
		if (fd >= 0 && !bng_program_identity(fd, &tag, &found) && found == id)
			return fd;
		close_fd(fd);
	}
	return -ENOENT;
}

/* Pins the new program beside, swaps, then moves the pin over: at any moment a pin of the running one exists.
 */
static int swap(struct bng_kern *kern, uint32_t port, int link, int old, int new)
{
	LIBBPF_OPTS(bpf_link_update_opts, options, .flags = BPF_F_REPLACE, .old_prog_fd = (uint32_t)old);
	struct bng_pin_path path = program_path(kern, port, ""), fresh = program_path(kern, port, "~new");

	if (unlink(fresh.text) && errno != ENOENT)
		return -errno;
	if (bpf_obj_pin(new, fresh.text))
		return -errno;
	if (bpf_link_update(link, new, &options)) {
		int err = -errno;

		(void)unlink(fresh.text);
		return err;
	}
	if (unlink(path.text) && errno != ENOENT)
		return -errno;
	return rename(fresh.text, path.text) ? -errno : 0;
}

static int take_over(struct bng_kern *kern, uint32_t port, int link, const struct bpf_link_info *info,
	int new, struct bng_words *words)
{
	struct bng_kern_port *p = &kern->ports[port];
	int old = running_program(kern, port, info->prog_id), err = 0;

	if (old < 0) {
		bng_say(words,
			"%s: the pinned link runs program %u, which is not pinned here; bng-agent --detach "
			"removes it",
			p->name, info->prog_id);
		return -EPERM;
	}
	p->adopted = bng_program_is_equal(kern, port, old, new);
	if (!p->adopted) {
		err = swap(kern, port, link, old, new);
		if (err)
			bng_say(words, "%s: cannot swap the program: %s", p->name, strerrordesc_np(-err));
	}
	close_fd(old);
	return err;
}

static int create_link(struct bng_kern *kern, uint32_t port, int program, uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
	int fd = bpf_link_create(program, (int)kern->ports[port].interface.index, BPF_XDP, &options);

	return fd < 0 ? -errno : fd;
}

static int create_in_mode(struct bng_kern *kern, uint32_t port, int program, struct bng_words *words)
{
	struct bng_kern_port *p = &kern->ports[port];
	int link = -EOPNOTSUPP, native;

	if (kern->attach != BNG_ATTACH_GENERIC)
		link = create_link(kern, port, program, XDP_FLAGS_DRV_MODE);
	native = link;
	if (link < 0 && link != -EBUSY && kern->attach != BNG_ATTACH_NATIVE) {
		link = create_link(kern, port, program, XDP_FLAGS_SKB_MODE);
		p->fell_back = link >= 0 && kern->attach == BNG_ATTACH_AUTO;
	}
	if (link == -EBUSY)
		bng_say(words, "%s: another XDP program is attached (attach = shared lives beside others)",
			p->name);
	else if (link < 0)
		bng_say(words, "%s: cannot attach: %s", p->name, strerrordesc_np(-link));
	else if (p->fell_back)
		bng_say(words, "%s: the driver refuses native XDP (%s)", p->name, strerrordesc_np(-native));
	return link;
}

static int attach_new(struct bng_kern *kern, uint32_t port, int program, struct bng_words *words)
{
	struct bng_pin_path path = program_path(kern, port, "");
	struct bng_pin_path link_path = bng_pin_path(kern, "links", kern->ports[port].name);
	int link, err;

	/* The program's pin first: a link without one could not be told from a stranger's. */
	if ((unlink(path.text) && errno != ENOENT) || bpf_obj_pin(program, path.text))
		return -errno;
	link = create_in_mode(kern, port, program, words);
	if (link < 0)
		return link;
	err = bpf_obj_pin(link, link_path.text) ? -errno : 0;
	close_fd(link);
	return err;
}

int bng_attach(
	struct bng_kern *kern, uint32_t port, const struct bng_program *program, struct bng_words *words)
{
	struct bng_kern_port *p = &kern->ports[port];
	struct bng_pin_path link_path = bng_pin_path(kern, "links", p->name);
	int fd = bpf_program__fd(program->program), link = bpf_obj_get(link_path.text), err;
	struct bpf_link_info info;
	uint32_t id;

	if (link >= 0 && (link_info(link, &info) || info.xdp.ifindex != p->interface.index)) {
		/* The interface is gone, or is another one of the same name: the link is dead. */
		(void)unlink(link_path.text);
		close_fd(link);
		link = -1;
	}
	err = link >= 0 ? take_over(kern, port, link, &info, fd, words) : attach_new(kern, port, fd, words);
	close_fd(link);
	if (err)
		return err;
	p->mode = mode_of(p->interface.index);
	err = bng_program_identity(fd, &p->program_tag, &id);
	return err ? err : bng_program_remember(kern, port);
}

int bng_attach_remove_all(struct bng_kern *kern, struct bng_words *words)
{
	struct bng_pin_path folder = bng_pin_path(kern, "links", NULL);
	DIR *directory = opendir(folder.text);
	struct dirent *entry;
	char path[PATH_MAX + 256];
	int err = 0, fd;

	if (!directory)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder.text, entry->d_name);
		fd = bpf_obj_get(path);
		if (fd < 0 || (bpf_link_detach(fd) && errno != ENOLINK)) {
			err = -errno;
			bng_say(words, "%s: %s", path, strerrordesc_np(errno));
		}
		close_fd(fd);
	}
	(void)closedir(directory);
	return err;
}
