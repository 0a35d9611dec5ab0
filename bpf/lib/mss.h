/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Lowers the MSS option of a TCP SYN to what a session's packets hold, for those who do not hear of path MTU
 * (RFC 4459 3.2). What is not a sound SYN passes as it is.
 */
#ifndef BNG_MSS_H
#define BNG_MSS_H

#include "ipv4.h"

enum {
	BNG_IPPROTO_TCP = 6,
	BNG_TCP_HEADER = 20,
	BNG_TCP_CHECK_AT = 16,
	BNG_TCP_SYN = 2,
	BNG_TCP_END = 0,
	BNG_TCP_NOP = 1,
	BNG_TCP_MSS = 2,
	BNG_TCP_OPTIONS_MAX = 40,
	BNG_IPV4_TCP_HEADERS = 40,
	BNG_IPV6_TCP_HEADERS = 60,
};

/* Ends the walk when it returns 1. */
static long find_mss(__u32 index, void *context)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	(void)index;
	(void)context;
	if (!s)
		return 1;
	struct bng_mss *walk = &s->mss;
	__u64 at = walk->at & 63;
	__u32 left = walk->end - walk->at;

	if (walk->at >= walk->end || s->options[at] == BNG_TCP_END)
		return 1;
	if (s->options[at] == BNG_TCP_NOP) {
		walk->at += 1;
		return 0;
	}
	__u32 length = s->options[at + 1];

	if (left < 2 || length < 2 || length > left)
		return 1;
	if (s->options[at] == BNG_TCP_MSS) {
		walk->found = length == 4 ? (__u32)at + 2 : 0;
		return 1;
	}
	walk->at += length;
	return 0;
}

/* Checksum after the value at this offset changed: at an odd one its bytes lie in two words, swapped. */
static __always_inline __u16 mss_checksum(__u16 check, __u32 at, __be16 before, __be16 after)
{
	if (at & 1)
		return checksum_update(check, __builtin_bswap16(before), __builtin_bswap16(after));
	return checksum_update(check, before, after);
}

/* Of the segment at tcp_at in the frame. Global: see handle_arp. */
__noinline int clamp_syn(struct xdp_md *ctx, __u32 tcp_at, __u32 limit)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s || bpf_xdp_load_bytes(ctx, tcp_at, s->options, BNG_TCP_HEADER))
		return 0;
	__u64 options = (s->options[12] >> 4) * 4u - BNG_TCP_HEADER;

	if (!(s->options[13] & BNG_TCP_SYN) || s->ip_header_length + BNG_TCP_HEADER + options > s->ip_length)
		return 0;
	if (!BNG_IS_LENGTH(options, BNG_TCP_OPTIONS_MAX) ||
		bpf_xdp_load_bytes(ctx, tcp_at + BNG_TCP_HEADER, s->options + BNG_TCP_HEADER, (__u32)options))
		return 0;
	s->mss.at = BNG_TCP_HEADER;
	s->mss.end = BNG_TCP_HEADER + (__u32)options;
	s->mss.found = 0;
	(void)bpf_loop(BNG_TCP_OPTIONS_MAX, find_mss, NULL, 0);
	__u64 found = s->mss.found & 63;

	if (!s->mss.found)
		return 0;
	__be16 before = BNG_LOAD(__be16, s->options + found);

	if (bpf_ntohs(before) <= limit)
		return 0;
	s->mss.value = bpf_htons((__u16)limit);
	s->mss.check = mss_checksum(
		BNG_LOAD(__u16, s->options + BNG_TCP_CHECK_AT), (__u32)found, before, s->mss.value);
	(void)bpf_xdp_store_bytes(ctx, tcp_at + (__u32)found, &s->mss.value, 2);
	(void)bpf_xdp_store_bytes(ctx, tcp_at + BNG_TCP_CHECK_AT, &s->mss.check, 2);
	return 1;
}

/* Seen at once, for nearly all segments are none, and have an IP header without options. */
static __always_inline int is_surely_no_syn(struct xdp_md *ctx, struct bng_scratch *s, __u32 ip_header)
{
	void *end = packet_end(ctx);
	__u8 *tcp = any_network_header(ctx, s->l2_length) + ip_header;

	return s->ip_header_length == ip_header && (void *)(tcp + 14) <= end && !(tcp[13] & BNG_TCP_SYN);
}

/* `headers`: bytes of the IP and TCP headers without options. */
static __always_inline void clamp_mss(struct xdp_md *ctx, struct bng_scratch *s, __u32 mtu, __u32 headers)
{
	if (s->protocol == BNG_IPPROTO_TCP && !(s->fragment & BNG_IP_OFFSET) && mtu > headers &&
		!is_surely_no_syn(ctx, s, headers - BNG_TCP_HEADER))
		(void)clamp_syn(ctx, s->l2_length + s->ip_header_length, mtu - headers);
}

#endif
