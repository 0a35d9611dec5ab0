/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What all answers over IPv6 need: a frame of another length, the header, the sum over the pseudo header. */
#ifndef BNG_ANSWER6_H
#define BNG_ANSWER6_H

#include "ipv6.h"

enum {
	BNG_ANSWER_CLASS_FLOW = 0x6c000000, /* CS6, as the errors of RFC 1812 4.3.2.5 */
	BNG_ANSWER_HOP_LIMIT = 64,
	BNG_ND_HOP_LIMIT = 255,
};

/* The Ethernet header, tags and PPPoE header lie in the first 30 of these; the rest is written anew. */
enum { BNG_FRONT_KEPT = 54 };

/*
 * Gives the frame that many bytes; what stood behind its head is lost. Behind a frame that came from a socket
 * (veth, generic XDP) there may be no room, but then there is in front. 0: done; -1: the frame is as it was.
 * Global: see handle_arp.
 */
__noinline int resize_frame(struct xdp_md *ctx, __u32 length)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return -1;
	int longer = (int)length - (int)bpf_xdp_get_buff_len(ctx);

	if (!longer || !bpf_xdp_adjust_tail(ctx, longer))
		return 0;
	if (longer < 0 || bpf_xdp_load_bytes(ctx, 0, s->front, BNG_FRONT_KEPT) ||
		bpf_xdp_adjust_head(ctx, -longer))
		return -1;
	return bpf_xdp_store_bytes(ctx, 0, s->front, BNG_FRONT_KEPT) ? -1 : 0;
}

/* Not folded. */
static __always_inline __u64 sum_ip6(const struct bng_ip6 *address)
{
	return (address->high & 0xffffffff) + (address->high >> 32) + (address->low & 0xffffffff) +
	       (address->low >> 32);
}

/* RFC 8200 8.1. Not folded. */
static __always_inline __u64 sum_pseudo_header(
	const struct bng_ip6 *source, const struct bng_ip6 *destination, __u32 length, __u32 protocol)
{
	return sum_ip6(source) + sum_ip6(destination) + bpf_htonl(length) + bpf_htonl(protocol);
}

/* The header of an answer, and the length in the PPPoE header before it. The caller has checked 40 bytes. */
static __always_inline void write_answer_head(const struct bng_scratch *s, struct bng_ipv6 *ip, __u32 payload,
	__u32 protocol, __u32 hop_limit, const struct bng_ip6 *source, const struct bng_ip6 *destination)
{
	if (s->line.pppoe_id)
		BNG_STORE(__be16, (void *)ip - 4, bpf_htons((__u16)(2 + BNG_IPV6_BYTES + payload)));
	BNG_STORE(__be32, ip, bpf_htonl(BNG_ANSWER_CLASS_FLOW));
	BNG_STORE(__be32, (void *)ip + 4, bpf_htonl(payload << 16 | protocol << 8 | hop_limit));
	ip->source = *source;
	ip->destination = *destination;
}

#endif
