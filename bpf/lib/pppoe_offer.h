/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The PADO (RFC 2516 5.2) in place of the PADI: what is returned as it came, the other names offered,
 * PPP-Max-Payload, AC-Cookie and AC-Name. Each piece costs a call: tags that may stay stay where they are.
 */
#ifndef BNG_PPPOE_OFFER_H
#define BNG_PPPOE_OFFER_H

#include "clock.h"
#include "count.h"
#include "pppoe_tags.h"
#include "siphash.h"

enum {
	BNG_COOKIE_SLICE_BITS = 36, /* of boot nanoseconds: 68.7 s */
	BNG_COOKIE_BYTES = 12,
	BNG_DISCOVERY_MAX = 1484, /* RFC 2516 5.2 */
	BNG_MAX_PAYLOAD_PLAIN = 1492,
	BNG_FRAME_MIN = 60,
};

static __always_inline __u32 cookie_slice(struct bng_scratch *s)
{
	return (__u32)(clock_now(s) >> BNG_COOKIE_SLICE_BITS);
}

static __always_inline __u64 cookie_hash(
	struct bng_scratch *s, const __u64 *key, __u32 slice, __u32 access_domain_id)
{
	__u64 port_mac = *(__u64 *)s->port_mac;

	s->siphash.key[0] = key[0];
	s->siphash.key[1] = key[1];
	s->siphash.words[0] = access_domain_id | (__u64) * (__u32 *)&s->line.s_vlan << 32;
	s->siphash.words[1] = *(__u64 *)s->line.mac | port_mac << 48; /* the PPPoE id is 0 */
	s->siphash.words[2] = (port_mac >> 16 & 0xffffffff) | (__u64)slice << 32;
	return siphash(0);
}

/* The whole tag into s->own_tags. */
static __always_inline void make_cookie(struct bng_scratch *s, const struct bng_pppoe_service *service)
{
	__u32 slice = cookie_slice(s);

	BNG_STORE(__u32, s->own_tags, bpf_htonl(BNG_TAG_AC_COOKIE << 16 | BNG_COOKIE_BYTES));
	BNG_STORE(__u32, s->own_tags + 4, bpf_htonl(slice));
	BNG_STORE(__u64, s->own_tags + 8, cookie_hash(s, service->key, slice, service->access_domain_id));
}

/* Is the name asked for one we serve? Notes which of the offered ones it is. */
static __always_inline int is_offered(struct bng_scratch *s, const struct bng_pppoe_service *service)
{
	struct bng_discovery *d = &s->discovery;

	d->offered_at = 0;
	d->offered_bytes = 0;
	if (!d->service.length)
		return 1;
	if (d->service.length <= BNG_PPPOE_NAME_MAX) {
		__u64 hash = option_hash(d->service.at + BNG_TAG_HEAD, d->service.length);

#pragma clang loop unroll(full)
		for (__u32 i = 0; i < BNG_PPPOE_NAMES_MAX; i++) {
			__u64 place = BNG_LOAD(__u32, &service->names[i].at);

			BNG_OPAQUE(place); /* see is_permitted */
			if (i >= service->name_count)
				break;
			if (service->names[i].hash == hash) {
				d->offered_at = place & 0xffff;
				d->offered_bytes = (__u32)place >> 16;
				return 1;
			}
		}
	}
	return service->flags & BNG_PPPOE_ANY_SERVICE;
}

/* A piece of the PADO; none of 0 bytes. 0: done. */
static __always_inline int append(struct xdp_md *ctx, struct bng_scratch *s, void *from, __u64 length)
{
	if (!BNG_IS_LENGTH(length, BNG_PPPOE_OFFERED_BYTES))
		return length != 0;
	if (bpf_xdp_store_bytes(ctx, s->discovery.out, from, (__u32)length))
		return -1;
	s->discovery.out += (__u32)length;
	return 0;
}

static __always_inline int append_tag(
	struct xdp_md *ctx, struct bng_scratch *s, const struct bng_tag_place *place)
{
	return append(ctx, s, s->options + (forget(s, place->at) & BNG_OPTIONS_MASK),
		forget(s, place->length) + BNG_TAG_HEAD);
}

static __always_inline int append_offered(
	struct xdp_md *ctx, struct bng_scratch *s, struct bng_pppoe_service *service, __u32 from, __u32 bytes)
{
	__u64 at = forget(s, from), length = forget(s, bytes);

	if (at >= BNG_PPPOE_OFFERED_BYTES)
		return length != 0;
	return append(ctx, s, service->offered + at, length);
}

/* What is longer than 1,492 is said to whom asks for it, in answer only: RFC 4638 4. The tag's length. */
static __always_inline __u32 make_max_payload(struct bng_scratch *s, const struct bng_pppoe_service *service)
{
	__u32 asked = s->discovery.max_payload, ours = service->max_payload;

	if (!(s->discovery.seen & BNG_SEEN_MAX_PAYLOAD) || asked <= BNG_MAX_PAYLOAD_PLAIN || !ours)
		return 0;
	BNG_STORE(__u32, s->max_payload_tag, bpf_htonl(BNG_TAG_MAX_PAYLOAD << 16 | 2));
	BNG_STORE(__u16, s->max_payload_tag + 4, bpf_htons((__u16)(asked < ours ? asked : ours)));
	return 6;
}

/*
 * Room in front instead: behind a frame that came from a socket (veth, generic XDP) there may be none. What
 * is kept of the request, its Ethernet and PPPoE headers, moves along. 0: done; 1: and the tags did not move.
 */
static __always_inline int resize(struct xdp_md *ctx, struct bng_scratch *s, __u32 wanted)
{
	int longer = (int)wanted - (int)s->frame_length;
	__u64 head = s->l2_length + BNG_PPPOE_HEADER;

	if (!longer || !bpf_xdp_adjust_tail(ctx, longer))
		return 0;
	BNG_OPAQUE(head);
	if (longer < 0 || head < 20 || head > 28)
		return -1;
	if (bpf_xdp_load_bytes(ctx, 0, s->front, (__u32)head) || bpf_xdp_adjust_head(ctx, -longer))
		return -1;
	return bpf_xdp_store_bytes(ctx, 0, s->front, (__u32)head) ? -1 : 1;
}

static __always_inline int write_pado_head(struct xdp_md *ctx, struct bng_scratch *s, __u32 tags)
{
	void *end = packet_end(ctx);
	void *data = packet_start(ctx);
	void *pppoe = network_header(ctx, s->l2_length);

	if (pppoe + BNG_PPPOE_HEADER > end || data + 14 > end)
		return -1;
	answer_ethernet(data, s->port_mac);
	BNG_STORE(__u32, pppoe, bpf_htonl(0x11000000 | BNG_PADO << 16));
	BNG_STORE(__u16, pppoe + 4, bpf_htons((__u16)tags));
	s->discovery.out = s->l2_length + BNG_PPPOE_HEADER;
	return 0;
}

static __always_inline __u32 tag_bytes(
	const struct bng_discovery *d, __u32 seen, const struct bng_tag_place *place)
{
	return d->seen & seen ? place->length + BNG_TAG_HEAD : 0;
}

static __always_inline int append_others(
	struct xdp_md *ctx, struct bng_scratch *s, struct bng_pppoe_service *service)
{
	const struct bng_discovery *d = &s->discovery;
	__u32 behind = d->offered_at + d->offered_bytes;

	if (append_offered(ctx, s, service, 0, d->offered_at))
		return -1;
	return append_offered(ctx, s, service, behind, service->offered_bytes - behind);
}

/* The tags that are returned as they came; all there are need not be moved. */
static __always_inline int keep_returned(struct xdp_md *ctx, struct bng_scratch *s, int left_behind)
{
	struct bng_discovery *d = &s->discovery;

	if (!(d->seen & BNG_SEEN_OTHER)) {
		if (left_behind)
			return append(ctx, s, s->options, forget(s, d->at));
		d->out += d->at;
		return 0;
	}
	if (append_tag(ctx, s, &d->service) || ((d->seen & BNG_SEEN_HOST) && append_tag(ctx, s, &d->host)))
		return -1;
	return (d->seen & BNG_SEEN_RELAY_SESSION) && append_tag(ctx, s, &d->relay_session) ? -1 : 0;
}

/* Behind the cookie, which is made, the AC-Name; what lies behind both is zero. */
static __always_inline void add_ac_name(struct bng_scratch *s, const struct bng_pppoe_service *service)
{
#pragma clang loop unroll(full)
	for (int i = 0; i < BNG_PPPOE_AC_NAME_BYTES / 4; i++)
		BNG_STORE(__u32, s->own_tags + 4 + BNG_COOKIE_BYTES + 4 * i,
			BNG_LOAD(__u32, service->ac_name + 4 * i));
}

/* The cookie is made. 0: the PADI has become the PADO. Global: see handle_arp. */
__noinline int write_pado(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();
	struct bng_pppoe_service *service =
		bpf_map_lookup_elem(&pppoe_services, (const void *)&bng_port_index);

	if (!s || !service)
		return -1;
	const struct bng_discovery *d = &s->discovery;
	__u32 own = 4 + BNG_COOKIE_BYTES + service->ac_name_bytes, max_payload = make_max_payload(s, service);
	__u32 others = service->offered_bytes - d->offered_bytes;
	__u32 tags = BNG_TAG_HEAD + d->service.length + own + max_payload +
		     tag_bytes(d, BNG_SEEN_HOST, &d->host) +
		     tag_bytes(d, BNG_SEEN_RELAY_SESSION, &d->relay_session);

	/* What was asked for is answered; the others are told only as far as there is room. */
	if (tags + others > BNG_DISCOVERY_MAX)
		others = 0;
	__u32 frame = s->l2_length + BNG_PPPOE_HEADER + tags + others;

	add_ac_name(s, service);
	if (frame < BNG_FRAME_MIN) {
		own += BNG_FRAME_MIN - frame;
		frame = BNG_FRAME_MIN;
	}
	int resized = resize(ctx, s, frame);

	if (resized < 0 || write_pado_head(ctx, s, tags + others) || keep_returned(ctx, s, resized))
		return -1;
	if (others && append_others(ctx, s, service))
		return -1;
	if (max_payload && append(ctx, s, s->max_payload_tag, 6))
		return -1;
	return append(ctx, s, s->own_tags, forget(s, own) & 127);
}

#endif
