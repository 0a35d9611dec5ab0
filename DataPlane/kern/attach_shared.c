// SPDX-License-Identifier: Apache-2.0
// attach = shared: the program is one of several behind libxdp's dispatcher. A new version is added, then the
// old one removed, so that at least one of them always runs.
#include "attach.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <xdp/libxdp.h>

bool bng_kern_has_extensions(void)
{
	return libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_EXT, NULL) == 1;
}

static bool is_ours(struct xdp_program *other, const char *name)
{
	return !strcmp(xdp_program__name(other), name);
}

/* Removes programs of our name from the port's dispatcher, but for keep. */
static int remove_older(uint32_t ifindex, const char *name, uint32_t keep_id, bool *ret_any)
{
	struct xdp_multiprog *all = xdp_multiprog__get_from_ifindex((int)ifindex);
	struct xdp_program *p = NULL, *old[8];
	size_t count = 0, i;
	int err = 0;

	*ret_any = false;
	if (libxdp_get_error(all))
		return 0;
	while ((p = xdp_multiprog__next_prog(p, all)) && count < 8)
		if (is_ours(p, name) && xdp_program__id(p) != keep_id)
			old[count++] = p;
	for (i = 0; i < count && !err; i++) {
		err = xdp_program__detach(old[i], (int)ifindex, xdp_multiprog__attach_mode(all), 0);
		*ret_any = true;
	}
	xdp_multiprog__close(all);
	return err;
}

int bng_attach_shared(
	struct bng_kern *kern, uint32_t port, const struct bng_program *program, struct bng_words *words)
{
	struct bng_kern_port *p = &kern->ports[port];
	struct xdp_program *xdp;
	bool any;
	int err;

	if (!bng_kern_has_extensions()) {
		bng_say(words,
			"%s: attach = shared needs libxdp's dispatcher, but this kernel refuses programs of "
			"type EXT; "
			"use attach = auto",
			p->name);
		return -EOPNOTSUPP;
	}
	xdp = xdp_program__from_bpf_obj(program->object, bpf_program__section_name(program->program));
	err = (int)libxdp_get_error(xdp);
	if (!err) {
		err = xdp_program__attach(xdp, (int)p->interface.index, XDP_MODE_NATIVE, 0);
		if (err == -EOPNOTSUPP) {
			err = xdp_program__attach(xdp, (int)p->interface.index, XDP_MODE_SKB, 0);
			p->fell_back = !err;
		}
	}
	if (!err)
		err = remove_older(p->interface.index, program->section_program, xdp_program__id(xdp), &any);
	if (err) {
		bng_say(words, "%s: libxdp cannot attach: %s", p->name,
			strerrordesc_np(err < 0 ? -err : err));
		return err < 0 ? err : -err;
	}
	p->mode = BNG_XDP_SHARED;
	(void)memcpy(&p->program_tag, xdp_program__tag(xdp), sizeof(p->program_tag));
	p->program_tag = __builtin_bswap64(p->program_tag);
	return 0;
}
