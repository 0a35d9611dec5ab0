/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Reads a discovery packet (RFC 2516 4, 5): header, then the tags, copied to the scratch and walked one by
 * one. Nothing is judged here but the form.
 */
#ifndef BNG_PPPOE_TAGS_H
#define BNG_PPPOE_TAGS_H

#include "ethernet.h"
#include "option_hash.h"

enum {
	BNG_PADI = 0x09,
	BNG_PADO = 0x07,
	BNG_PADR = 0x19,
	BNG_PADS = 0x65,
	BNG_PADT = 0xa7,
	BNG_TAG_END_OF_LIST = 0x0000,
	BNG_TAG_SERVICE_NAME = 0x0101,
	BNG_TAG_HOST_UNIQ = 0x0103,
	BNG_TAG_AC_COOKIE = 0x0104,
	BNG_TAG_VENDOR = 0x0105,
	BNG_TAG_RELAY_SESSION = 0x0110,
	BNG_TAG_MAX_PAYLOAD = 0x0120,
	BNG_TAG_HEAD = 4,
	BNG_TAGS_MAX = 1024, /* bytes of tags that are looked at */
	BNG_RELAY_SESSION_MAX = 12,
	BNG_VENDOR_BROADBAND_FORUM = 3561,
};

/* A tag that may stand once. */
static __always_inline void note_tag(
	struct bng_discovery *d, __u32 seen, struct bng_tag_place *place, __u32 at, __u32 length)
{
	d->bad |= d->seen & seen;
	d->seen |= seen;
	place->at = at;
	place->length = length;
}

static __always_inline void take_tag(
	struct bng_scratch *s, const __u8 *tag, __u32 type, __u32 at, __u32 length)
{
	struct bng_discovery *d = &s->discovery;

	switch (type) {
	case BNG_TAG_SERVICE_NAME:
		note_tag(d, BNG_SEEN_SERVICE, &d->service, at, length);
		break;
	case BNG_TAG_HOST_UNIQ:
		note_tag(d, BNG_SEEN_HOST, &d->host, at, length);
		break;
	case BNG_TAG_AC_COOKIE:
		d->seen |= BNG_SEEN_OTHER;
		note_tag(d, BNG_SEEN_COOKIE, &d->cookie, at, length);
		break;
	case BNG_TAG_RELAY_SESSION:
		note_tag(d, BNG_SEEN_RELAY_SESSION, &d->relay_session, at, length);
		d->bad |= length > BNG_RELAY_SESSION_MAX;
		break;
	case BNG_TAG_MAX_PAYLOAD:
		d->bad |= (d->seen & BNG_SEEN_MAX_PAYLOAD) || length != 2;
		d->seen |= BNG_SEEN_MAX_PAYLOAD | BNG_SEEN_OTHER;
		d->max_payload = bpf_ntohs(BNG_LOAD(__be16, tag + BNG_TAG_HEAD));
		break;
	case BNG_TAG_VENDOR:
		d->seen |= BNG_SEEN_OTHER;
		d->bad |= length < 4;
		if (BNG_LOAD(__be32, tag + BNG_TAG_HEAD) == bpf_htonl(BNG_VENDOR_BROADBAND_FORUM))
			d->seen |= BNG_SEEN_CIRCUIT;
		break;
	default: /* RFC 2516 5: what is not known is ignored */
		d->seen |= BNG_SEEN_OTHER;
		break;
	}
}

/* Ends the walk when it returns 1. */
static long read_tag(__u32 index, void *context)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	(void)index;
	(void)context;
	if (!s)
		return 1;
	struct bng_discovery *d = &s->discovery;
	__u32 left = d->length - d->at;

	if (left < BNG_TAG_HEAD) {
		d->bad |= left;
		return 1;
	}
	__u64 at = d->at & BNG_OPTIONS_MASK;
	const __u8 *tag = s->options + at;
	__u32 type = bpf_ntohs(BNG_LOAD(__be16, tag)), length = bpf_ntohs(BNG_LOAD(__be16, tag + 2));

	if (type == BNG_TAG_END_OF_LIST) {
		d->bad |= length; /* RFC 2516, appendix A */
		return 1;
	}
	if (length > left - BNG_TAG_HEAD) {
		d->bad = 1;
		return 1;
	}
	take_tag(s, tag, type, (__u32)at, length);
	d->at += BNG_TAG_HEAD + length;
	return d->bad != 0;
}

/* 0: s->discovery is filled. Global: see handle_arp. */
__noinline int read_discovery(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return -1;
	struct bng_discovery *d = &s->discovery;
	void *end = packet_end(ctx);
	void *pppoe = network_header(ctx, s->l2_length);

	if (pppoe + BNG_PPPOE_HEADER > end)
		return -1;
	__u32 head = bpf_ntohl(BNG_LOAD(__be32, pppoe));
	__u64 length = bpf_ntohs(BNG_LOAD(__be16, pppoe + 4)), frame = bpf_xdp_get_buff_len(ctx);
	__u64 client = *(__u64 *)s->line.mac; /* and the PPPoE id, 0 */

	if (head >> 24 != 0x11 || !client || (client & 1) || length > BNG_TAGS_MAX ||
		s->l2_length + BNG_PPPOE_HEADER + length > frame)
		return -1;
	s->frame_length = (__u32)frame;
	d->code = head >> 16 & 0xff;
	d->session_id = head & 0xffff;
	d->length = (__u32)length;
	d->at = 0;
	d->seen = 0;
	d->bad = 0;
	length = forget(s, (__u32)length);
	if (BNG_IS_LENGTH(length, BNG_TAGS_MAX)) {
		if (bpf_xdp_load_bytes(ctx, s->l2_length + BNG_PPPOE_HEADER, s->options, (__u32)length))
			return -1;
		BNG_STORE(__u32, s->options + length, 0);
	}
	(void)bpf_loop(BNG_TAGS_MAX / BNG_TAG_HEAD + 1, read_tag, NULL, 0);
	return d->bad ? -1 : 0;
}

#endif
