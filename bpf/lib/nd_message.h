/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A solicitation's form (RFC 4861 4.1, 4.3, 4.6): read into s->options and s->solicitation, and judged sound
 * or not. */
#ifndef BNG_ND_MESSAGE_H
#define BNG_ND_MESSAGE_H

#include "answer6.h"
#include "count.h"

enum {
	BNG_ND_ROUTER_SOLICITATION = 133,
	BNG_ND_NEIGHBOR_SOLICITATION = 135,
	BNG_ND_NEIGHBOR_ADVERTISEMENT = 136,
	BNG_ND_REDIRECT = 137,
	BNG_ND_MAX = 512, /* bytes of a message that is looked at: bpf_csum_diff takes no more */
	BNG_ND_ROUTER_BYTES = 8,
	BNG_ND_NEIGHBOR_BYTES = 24,
	BNG_ND_OPTION_BYTES = 8,
	BNG_ND_SOURCE_LINK_LAYER = 1,
	BNG_ND_TARGET_LINK_LAYER = 2,
};

/* One option (RFC 4861 4.6). Ends the walk when it returns 1. */
static long read_nd_option(__u32 index, void *context)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	(void)index;
	(void)context;
	if (!s)
		return 1;
	struct bng_solicitation *n = &s->solicitation;
	__u32 left = n->length - n->at;

	if (!left)
		return 1;
	const __u8 *option = s->options + (forget(s, n->at) & (BNG_ND_MAX - 1));
	__u32 length = option[1] * 8u;

	if (left < BNG_ND_OPTION_BYTES || !length || length > left) {
		n->bad = 1;
		return 1;
	}
	n->has_link_layer |= option[0] == BNG_ND_SOURCE_LINK_LAYER;
	n->at += length;
	return 0;
}

/* RFC 4861 6.1.1, 7.1.1: the message into s->options. 0: it is sound. */
static __always_inline int read_nd(struct xdp_md *ctx, struct bng_scratch *s)
{
	struct bng_solicitation *n = &s->solicitation;
	__u64 length = s->ip_length - BNG_IPV6_BYTES;

	if (s->ttl != BNG_ND_HOP_LIMIT || s->ip_header_length != BNG_IPV6_BYTES)
		return -1;
	n->length = (__u32)length;
	length = forget(s, (__u32)length);
	if (!BNG_IS_LENGTH(length, BNG_ND_MAX) ||
		bpf_xdp_load_bytes(ctx, s->l2_length + BNG_IPV6_BYTES, s->options, (__u32)length))
		return -1;
	*(__u32 *)(s->options + length) = 0;
	__u64 sum = (__u32)bpf_csum_diff(NULL, 0, (void *)s->options, (__u32)((length + 3) & 1020), 0);

	sum += sum_pseudo_header(&s->source6, &s->destination6, n->length, BNG_IPPROTO_ICMPV6);
	if (checksum_fold(sum) != 0xffff || s->options[1])
		return -1;
	n->at = s->options[0] == BNG_ND_NEIGHBOR_SOLICITATION ? BNG_ND_NEIGHBOR_BYTES : BNG_ND_ROUTER_BYTES;
	if (n->length < n->at)
		return -1;
	n->bad = 0;
	n->has_link_layer = 0;
	(void)bpf_loop(BNG_ND_MAX / BNG_ND_OPTION_BYTES + 1, read_nd_option, NULL, 0);
	return n->bad || (n->has_link_layer && is_unspecified6(&s->source6)) ? -1 : 0;
}

static __always_inline void set_answer_to(struct bng_scratch *s)
{
	s->solicitation.answer_to = s->source6;
	if (is_unspecified6(&s->source6)) {
		s->solicitation.answer_to.high = bpf_cpu_to_be64(0xff02ULL << 48); /* ff02::1 */
		s->solicitation.answer_to.low = bpf_cpu_to_be64(1);
	}
}

/* ff02::1:ff00:0/104 */
static __always_inline int is_solicited_node(const struct bng_ip6 *address)
{
	return address->high == bpf_cpu_to_be64(0xff02ULL << 48) &&
	       bpf_be64_to_cpu(address->low) >> 24 == 0x1ff;
}

#endif
