/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * PPPoE discovery (RFC 2516): a PADI is answered in place and leaves no state behind. What a PADO promises
 * lies in its cookie, keyed, over the line and a slice of 68.7 s; only a PADR that brings one of this slice
 * or the one before goes to the controller, and only once in a quarter of a second.
 *
 * Supported standards: RFC 2516 4, 5, 7; RFC 4638 4; TR-101 3.9.1 (trust in the circuit tag).
 */
#ifndef BNG_PPPOE_H
#define BNG_PPPOE_H

#include "pppoe_offer.h"
#include "punt.h"

enum { BNG_PADR_ONCE_NS = 250000000 };

/* 0, or why the request is refused. */
static __always_inline __u32 judge_request(struct bng_scratch *s, const struct bng_pppoe_service *service)
{
	const struct bng_discovery *d = &s->discovery;

	/* RFC 2516 5.1, 5.3: exactly one Service-Name. */
	if (d->session_id || !(d->seen & BNG_SEEN_SERVICE))
		return BNG_DROP_malformed_pppoe;
	if (!service)
		return BNG_DROP_pppoe_not_enabled;
	if ((d->seen & BNG_SEEN_CIRCUIT) && !(s->port_flags & BNG_PORT_TRUST_OPTION82))
		return BNG_DROP_pppoe_forged_circuit;
	return 0;
}

static __always_inline int is_broadcast(const __u8 *mac)
{
	return BNG_LOAD(__u32, mac) == 0xffffffff && BNG_LOAD(__u16, mac + 4) == 0xffff;
}

/* Global: see handle_arp. */
__noinline int handle_padi(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	void *end = packet_end(ctx);
	struct bng_eth *eth = packet_start(ctx);

	if ((void *)(eth + 1) > end)
		return drop(s, BNG_DROP_malformed_pppoe);
	if (s->destination_is_group && !is_broadcast(eth->destination))
		return drop(s, BNG_DROP_not_for_us);
	struct bng_pppoe_service *service =
		bpf_map_lookup_elem(&pppoe_services, (const void *)&bng_port_index);
	__u32 refused = judge_request(s, service);

	if (refused)
		return drop(s, refused);
	if (!service || !is_offered(s, service))
		return drop(s, BNG_DROP_pppoe_unknown_service);
	make_cookie(s, service);
	if (write_pado(ctx))
		return drop(s, BNG_DROP_internal_adjust);
	if (!service->delay_ms)
		return sent(s, BNG_TX_pppoe_pado);
	s->hand_over_port = bng_port_index;
	s->hand_over_detail = service->delay_ms;
	return punt(ctx, BNG_PUNT_HELD, BNG_PUNT_REASON_pppoe_held);
}

/* 0: ours, and fresh; or a drop reason. Every cookie of the right length costs the same. */
static __always_inline __u32 judge_cookie(struct bng_scratch *s, const struct bng_pppoe_service *service)
{
	const struct bng_discovery *d = &s->discovery;

	if (!(d->seen & BNG_SEEN_COOKIE) || !d->cookie.length)
		return BNG_DROP_pppoe_cookie_missing;
	if (d->cookie.length != BNG_COOKIE_BYTES)
		return BNG_DROP_pppoe_cookie_bad;

	const __u8 *tag = s->options + (forget(s, d->cookie.at) & BNG_OPTIONS_MASK);
	__u32 slice = bpf_ntohl(BNG_LOAD(__be32, tag + BNG_TAG_HEAD));
	__u64 hash = BNG_LOAD(__u64, tag + BNG_TAG_HEAD + 4);
	__u64 difference = cookie_hash(s, service->key, slice, service->access_domain_id) ^ hash;
	__u64 other = cookie_hash(s, service->previous_key, slice, service->access_domain_id) ^ hash;

	if (difference && other)
		return BNG_DROP_pppoe_cookie_bad;
	return cookie_slice(s) - slice > 1 ? BNG_DROP_pppoe_cookie_stale : 0;
}

static __always_inline int was_just_punted(struct bng_scratch *s)
{
	__u64 length = s->discovery.length;

	BNG_OPAQUE(length);
	if (length > BNG_QUOTE_MAX) /* bpf_csum_diff takes no more */
		length = BNG_QUOTE_MAX;
	s->padr.line = s->line;
	s->padr.sum = (__u32)bpf_csum_diff(
		NULL, 0, (void *)s->options, (__u32)((length + 3) & 1020), s->discovery.length);
	s->now_ns = clock_now(s);

	__u64 *punted = bpf_map_lookup_elem(&pppoe_requests, &s->padr);

	if (punted && s->now_ns - *punted < BNG_PADR_ONCE_NS)
		return 1;
	(void)bpf_map_update_elem(&pppoe_requests, &s->padr, &s->now_ns, BPF_ANY);
	return 0;
}

/* Global: see handle_arp. */
__noinline int handle_padr(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	if (s->destination_is_group)
		return drop(s, BNG_DROP_malformed_pppoe);
	struct bng_pppoe_service *service =
		bpf_map_lookup_elem(&pppoe_services, (const void *)&bng_port_index);
	__u32 refused = judge_request(s, service);

	if (!refused && service)
		refused = judge_cookie(s, service);
	if (refused)
		return drop(s, refused);
	if (was_just_punted(s))
		return drop(s, BNG_DROP_pppoe_repeated);
	return punt(ctx, BNG_PUNT_PPPOE, BNG_PUNT_REASON_pppoe_padr);
}

static __always_inline int handle_padt(struct xdp_md *ctx, struct bng_scratch *s)
{
	if (s->destination_is_group || !s->discovery.session_id || s->discovery.session_id == 0xffff)
		return drop(s, BNG_DROP_malformed_pppoe);
	s->line.pppoe_id = (__u16)s->discovery.session_id;
	struct bng_session *session = bpf_map_lookup_elem(&sessions, &s->line);

	if (session) {
		s->session_id = session->session_id;
		s->generation = session->generation;
	}
	return punt(ctx, BNG_PUNT_PPPOE, BNG_PUNT_REASON_pppoe_padt);
}

/* Global: see handle_arp. */
__noinline int handle_discovery(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	s->session_id = 0;
	s->generation = 0;
	if (read_discovery(ctx))
		return drop(s, BNG_DROP_malformed_pppoe);
	switch (s->discovery.code) {
	case BNG_PADI:
		return handle_padi(ctx);
	case BNG_PADR:
		return handle_padr(ctx);
	case BNG_PADT:
		return handle_padt(ctx, s);
	case BNG_PADO:
	case BNG_PADS:
		return drop(s, BNG_DROP_pppoe_from_server);
	default:
		return drop(s, BNG_DROP_malformed_pppoe);
	}
}

#endif
