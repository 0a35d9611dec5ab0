/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The IPv4 header: validation (RFC 1812 5.2.2), kinds of addresses, the hop's own changes. */
#ifndef BNG_IPV4_H
#define BNG_IPV4_H

#include "checksum.h"
#include "ethernet.h"

enum {
	BNG_IPPROTO_ICMP = 1,
	BNG_IPPROTO_UDP = 17,
	BNG_IP_DF = 0x4000,
	BNG_IP_MF = 0x2000,
	BNG_IP_OFFSET = 0x1fff,
};

struct bng_ipv4 {
	__u8 version_ihl;
	__u8 tos;
	__be16 length;
	__be16 id;
	__be16 fragment;
	__u8 ttl;
	__u8 protocol;
	__be16 check;
	__be32 source;
	__be32 destination;
};

struct bng_udp {
	__be16 source;
	__be16 destination;
	__be16 length;
	__be16 check;
};

static __always_inline int ipv4_header_is_sound(struct xdp_md *ctx, struct bng_scratch *s, const void *ip)
{
	__u64 sum = 0;

	if (s->ip_header_length == 20) {
#pragma clang loop unroll(full)
		for (int i = 0; i < 5; i++)
			sum += BNG_LOAD(__u32, ip + 4 * i);
		return checksum_fold(sum) == 0xffff;
	}

	__u64 length = s->ip_header_length;

	BNG_OPAQUE(length);
	if (length < 24 || length > 60 || bpf_xdp_load_bytes(ctx, s->l2_length, s->header, (__u32)length))
		return 0;
	sum = (__u32)bpf_csum_diff(NULL, 0, (void *)s->header, (__u32)(length & 60), 0);
	return checksum_fold(sum) == 0xffff;
}

/*
 * The frame holds what the header says. Apart from the rest, because the length costs a helper's call that
 * DHCP, which copies its bytes under their own check, can do without.
 */
static __always_inline int ipv4_is_whole(struct xdp_md *ctx, struct bng_scratch *s)
{
	s->frame_length = (__u32)bpf_xdp_get_buff_len(ctx);
	return s->l2_length + s->ip_length <= s->frame_length;
}

/* Fills the IP part of the scratch from the header at ip, which stands at s->l2_length. */
static __always_inline int parse_ipv4(struct xdp_md *ctx, struct bng_scratch *s, struct bng_ipv4 *ip)
{
	void *end = packet_end(ctx);

	if ((void *)(ip + 1) > end)
		return drop(s, BNG_DROP_malformed_ipv4);
	__u32 header_length = (ip->version_ihl & 15u) * 4;
	__u32 length = bpf_ntohs(ip->length);

	if (ip->version_ihl >> 4 != 4 || header_length < 20 || length < header_length)
		return drop(s, BNG_DROP_malformed_ipv4);
	s->ip_header_length = (__u8)header_length;
	s->ip_length = length;
	s->source = ip->source;
	s->destination = ip->destination;
	s->fragment = bpf_ntohs(ip->fragment);
	s->protocol = ip->protocol;
	s->ttl = ip->ttl;
	s->nat.changes = 0;
	if (!ipv4_header_is_sound(ctx, s, ip))
		return drop(s, BNG_DROP_malformed_ipv4);
	return BNG_NEXT;
}

static __always_inline __u8 first_octet(__be32 address)
{
	return (__u8)(bpf_ntohl(address) >> 24);
}

/* No host has it and no router forwards it: 0/8, 127/8, 224/4, 240/4 (RFC 1122 3.2.1.3, RFC 1812 5.3.7). */
static __always_inline int is_martian(__be32 address)
{
	__u8 octet = first_octet(address);

	return octet == 0 || octet == 127 || octet >= 224;
}

/* RFC 1918 3, RFC 6598 7. */
static __always_inline int is_private(__be32 address)
{
	__u32 host = bpf_ntohl(address);

	return host >> 24 == 10 || host >> 20 == 0xac1 || host >> 16 == 0xc0a8 || host >> 22 == 0x191;
}

/* Source and destination port of the packet in host order, source in the upper half; 0 when it has none. */
static __always_inline __u32 udp_ports(struct xdp_md *ctx, struct bng_scratch *s)
{
	if (s->protocol != BNG_IPPROTO_UDP || (s->fragment & BNG_IP_OFFSET) ||
		s->ip_length < s->ip_header_length + sizeof(struct bng_udp))
		return 0;
	if (s->ip_header_length == 20) {
		void *end = packet_end(ctx);
		void *ip = network_header(ctx, s->l2_length);

		if (ip + 28 > end)
			return 0;
		return bpf_ntohl(BNG_LOAD(__be32, ip + 20));
	}
	if (bpf_xdp_load_bytes(ctx, s->l2_length + s->ip_header_length, s->header, 4))
		return 0;
	return bpf_ntohl(*(__be32 *)s->header);
}

static __always_inline void decrement_ttl(struct bng_ipv4 *ip)
{
	/* RFC 1624: TTL is the upper byte of its word. */
	__u32 check = ip->check + bpf_htons(0x0100);

	ip->check = (__be16)(check + (check >= 0xffff));
	ip->ttl -= 1;
}

#endif
