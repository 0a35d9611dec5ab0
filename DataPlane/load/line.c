// SPDX-License-Identifier: Apache-2.0
// Who the subscribers are: addresses and tags by index, and their leases on disk.

#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

void load_line_mac(const struct load_options *o, uint32_t index, uint8_t mac[6])
{
	uint64_t value = o->mac_base + index / o->per_mac;

	for (int i = 5; i >= 0; i--, value >>= 8)
		mac[i] = (uint8_t)value;
}

static void put_tag(uint8_t *to, uint16_t tpid, uint16_t vid)
{
	to[0] = (uint8_t)(tpid >> 8);
	to[1] = (uint8_t)tpid;
	to[2] = (uint8_t)(vid >> 8);
	to[3] = (uint8_t)vid;
}

size_t load_line_tags(const struct load_options *o, uint32_t index, uint8_t tags[8])
{
	index /= o->per_mac;
	switch (o->tags) {
	case LOAD_SINGLE:
		put_tag(tags, 0x8100, o->s_first);
		return 4;
	case LOAD_QINQ:
		put_tag(tags, o->s_tpid, (uint16_t)(o->s_first + index / o->c_count));
		put_tag(tags + 4, 0x8100, (uint16_t)(o->c_first + index % o->c_count));
		return 8;
	default:
		return 0;
	}
}

bool load_line_tags_match(const struct load_options *o, uint32_t index, const struct load_packet *p)
{
	uint8_t tags[8] = {0};
	size_t n = load_line_tags(o, index, tags);

	if (n == 0)
		return !p->tagged;
	if (!p->tagged || (p->tci & 0xfff) != (tags[2] << 8 | tags[3]))
		return false;
	/* The kernel has taken the outer tag off; the inner one is still there. */
	return n != 8 || (p->length >= 18 && memcmp(p->frame + 12, tags + 4, 4) == 0);
}

int load_leases_write(const struct load_lines *lines, const char *path)
{
	FILE *f = fopen(path, "w");
	uint8_t mac[6], tags[8] = {0};

	if (!f)
		return -errno;
	for (uint32_t i = 0; i < lines->count; i++) {
		const struct load_line *l = &lines->line[i];
		char address[16], server[16];
		size_t n = load_line_tags(lines->options, i, tags);

		if (!l->address || (l->state != LOAD_BOUND && l->state != LOAD_RENEWING))
			continue;
		load_line_mac(lines->options, i, mac);
		inet_ntop(AF_INET, &l->address, address, sizeof(address));
		inet_ntop(AF_INET, &l->server, server, sizeof(server));
		fprintf(f, "%u,%02x:%02x:%02x:%02x:%02x:%02x,%d,%d,%s,%s\n", i, mac[0], mac[1], mac[2],
			mac[3], mac[4], mac[5], n >= 4 ? tags[2] << 8 | tags[3] : 0,
			n == 8 ? tags[6] << 8 | tags[7] : 0, address, server);
	}
	return fclose(f) ? -errno : 0;
}

int load_leases_read(struct load_lines *lines, const char *path)
{
	FILE *f = fopen(path, "r");
	char text[200], address[40], server[40];
	unsigned int index;
	int err = 0;

	if (!f)
		return -errno;
	while (fgets(text, sizeof(text), f)) {
		if (sscanf(text, "%u,%*[0-9a-f:],%*d,%*d,%39[0-9.],%39[0-9.]", &index, address, server) !=
				3 ||
			index >= lines->count ||
			inet_pton(AF_INET, address, &lines->line[index].address) != 1 ||
			inet_pton(AF_INET, server, &lines->line[index].server) != 1) {
			err = -EINVAL;
			break;
		}
		lines->line[index].state = LOAD_BOUND;
	}
	(void)fclose(f);
	return err;
}
