/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Turns a DHCPv4 request into its reply in place. Layout of the options: 53, 54, (51, 58, 59,) the block the
 * client asked for, 61, 82, end; zeros to the frame's end. The UDP checksum is 0, as RFC 768 allows.
 */
#ifndef BNG_DHCP4_REPLY_H
#define BNG_DHCP4_REPLY_H

#include "dhcp4_decide.h"

static __always_inline void store_option4(__u8 *to, __u8 code, __be32 value)
{
	BNG_STORE(__u16, to, (__u16)(code | 4 << 8));
	BNG_STORE(__be32, to + 2, value);
}

static __always_inline void write_ip_udp(
	struct bng_ipv4 *ip, const struct bng_dhcp_answer *a, __u32 ip_length, int relayed)
{
	struct bng_udp *udp = (void *)(ip + 1);
	__u64 sum = 0;

	BNG_STORE(__u32, ip, bpf_htonl(0x45c00000u | ip_length));
	BNG_STORE(__u32, (void *)ip + 4, 0);
	BNG_STORE(__u32, (void *)ip + 8, bpf_htonl(64u << 24 | BNG_IPPROTO_UDP << 16));
	ip->source = a->server_id;
	ip->destination = a->destination;
	sum = (__u64)bpf_htonl(0x45c00000u | ip_length) + bpf_htonl(64u << 24 | BNG_IPPROTO_UDP << 16) +
	      a->server_id + a->destination;
	ip->check = (__be16)~checksum_fold(sum);
	BNG_STORE(__u32, udp, relayed ? bpf_htonl(67u << 16 | 67) : bpf_htonl(67u << 16 | 68));
	BNG_STORE(__u32, (void *)udp + 4, bpf_htonl((ip_length - 20) << 16));
}

static __always_inline void write_bootp(struct bng_bootp *bootp, const struct bng_dhcp_answer *a)
{
	BNG_STORE(__u32, bootp, bpf_htonl(0x02010600));
	bootp->seconds = 0;
	if (a->type == BNG_DHCP_NAK) {
		bootp->ciaddr = 0;
		/* RFC 2131 4.3.2: a relay must broadcast a NAK. */
		if (bootp->giaddr)
			bootp->flags = bpf_htons(0x8000);
	} else if (a->type == BNG_DHCP_OFFER) {
		bootp->ciaddr = 0;
	}
	bootp->yiaddr = a->yiaddr;
	bootp->siaddr = 0;
#pragma clang loop unroll(full)
	for (int i = 0; i < 24; i++)
		BNG_STORE(__u64, bootp->sname + 8 * i, 0);
	bootp->cookie = bpf_htonl(BNG_DHCP_COOKIE);
}

/* Copies the block in steps of 32 bytes behind a head of constant length. 0: done. */
static __always_inline int copy_blob(const struct bng_blob *blob, __u8 *to, const void *end, __u32 length)
{
#pragma clang loop unroll(full)
	for (int i = 0; i < BNG_BLOB_MAX / 32 + 1; i++) {
		if (32 * i >= BNG_BLOB_COPIED_MIN && 32u * i >= length + 1)
			return 0;
		if ((void *)to + 32 * i + 32 > end)
			return -1;
#pragma clang loop unroll(full)
		for (int j = 0; j < 4; j++)
			BNG_STORE(__u64, to + 32 * i + 8 * j, BNG_LOAD(__u64, blob->bytes + 32 * i + 8 * j));
	}
	return 0;
}

/* No block at all: the end, and zeros. 0: done. */
static __always_inline int clear_blob(__u8 *to, const void *end)
{
	if ((void *)to + BNG_BLOB_COPIED_MIN > end)
		return -1;
#pragma clang loop unroll(full)
	for (int i = 0; i < BNG_BLOB_COPIED_MIN / 8; i++)
		BNG_STORE(__u64, to + 8 * i, i ? 0 : BNG_OPTION_END);
	return 0;
}

/* 61, 82 and the end, at an offset only the helper may write to. 0: done. */
__noinline int store_tail(struct xdp_md *ctx, __u32 at)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return -1;
	const struct bng_dhcp_request *r = &s->request;
	__u32 seen = r->seen;

	if (seen & BNG_SEEN_CLIENT_ID) {
		__u64 length = r->client_id_length + 2;
		__u8 *option = s->options + (r->client_id_at & BNG_OPTIONS_MASK);

		/* The end replaces whatever option stood behind; 82 would be read after this. */
		if (!(seen & BNG_SEEN_RELAY)) {
			s->options[(r->client_id_at + length) & BNG_OPTIONS_MASK] = BNG_OPTION_END;
			length += 1;
		}
		if (!BNG_IS_LENGTH(length, 258) || bpf_xdp_store_bytes(ctx, at, option, (__u32)length))
			return -1;
		at += (__u32)length;
	}
	if (seen & BNG_SEEN_RELAY) {
		__u64 length = r->option82_length + 3;
		__u8 *option = s->options + (r->option82_at & BNG_OPTIONS_MASK);

		s->options[(r->option82_at + length - 1) & BNG_OPTIONS_MASK] = BNG_OPTION_END;
		if (!BNG_IS_LENGTH(length, 258) || bpf_xdp_store_bytes(ctx, at, option, (__u32)length))
			return -1;
	}
	return 0;
}

static __always_inline void write_ethernet(struct bng_eth *eth, const struct bng_scratch *s)
{
	if (s->answer.broadcast) {
		BNG_STORE(__u32, eth->destination, 0xffffffff);
		BNG_STORE(__u16, eth->destination + 4, 0xffff);
	} else {
		copy_mac(eth->destination, eth->source);
	}
	copy_mac(eth->source, s->port_mac);
}

/* The options that are always there; where the block begins. */
static __always_inline __u8 *write_head(__u8 *options, const struct bng_dhcp_answer *a)
{
	BNG_STORE(__u16, options, BNG_OPTION_MESSAGE_TYPE | 1 << 8);
	options[2] = a->type;
	store_option4(options + 3, BNG_OPTION_SERVER_ID, a->server_id);
	__u8 *to = options + BNG_HEAD_PLAIN;

	if (a->head_length == BNG_HEAD_LEASE) {
		store_option4(options + 9, BNG_OPTION_LEASE_TIME, bpf_htonl(a->lease_s));
		store_option4(options + 15, BNG_OPTION_RENEWAL_TIME, bpf_htonl(a->renewal_s));
		store_option4(options + 21, BNG_OPTION_REBINDING_TIME, bpf_htonl(a->rebinding_s));
		asm volatile("%0 += 18" : "+r"(to));
	}
	return to;
}

/*
 * Makes room in front instead: behind a frame that came from a socket (veth, generic XDP) there may be none.
 * What is kept of the request, all of it before sname, moves along. 0: done; the frame is not touched
 * otherwise.
 */
static __always_inline int grow_in_front(struct xdp_md *ctx, struct bng_scratch *s, int by)
{
	if (bpf_xdp_load_bytes(ctx, 0, s->front, sizeof(s->front)) || bpf_xdp_adjust_head(ctx, -by))
		return -1;
	return bpf_xdp_store_bytes(ctx, 0, s->front, sizeof(s->front));
}

/* Writes the reply; the frame is not touched when resizing fails. Global: a stage of its own keeps its few
 * registers. */
__noinline int write_reply(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	struct bng_blob *blob = bpf_map_lookup_elem(&dhcp_blobs, &s->answer.blob);

	if (!blob)
		return drop(s, BNG_DROP_internal_lookup);
	int longer = (int)(s->l2_length + s->answer.ip_length) - (int)bpf_xdp_get_buff_len(ctx);

	if (bpf_xdp_adjust_tail(ctx, longer) && (longer < 0 || grow_in_front(ctx, s, longer)))
		return drop(s, BNG_DROP_internal_adjust);

	void *data = packet_start(ctx), *end = packet_end(ctx);
	struct bng_ipv4 *ip = network_header(ctx, s->l2_length);
	struct bng_bootp *bootp = (void *)ip + 28;

	if ((void *)bootp->options + BNG_HEAD_LEASE > end || data + 14 > end)
		return drop(s, BNG_DROP_internal_adjust);
	write_ethernet(data, s);
	write_ip_udp(ip, &s->answer, s->answer.ip_length, s->request.giaddr != 0);
	write_bootp(bootp, &s->answer);
	__u8 *to = write_head(bootp->options, &s->answer);

	if (s->answer.type == BNG_DHCP_NAK ? clear_blob(to, end)
					   : copy_blob(blob, to, end, s->answer.blob_length))
		return drop(s, BNG_DROP_internal_adjust);
	if (s->request.seen & (BNG_SEEN_CLIENT_ID | BNG_SEEN_RELAY)) {
		if (store_tail(ctx, s->l2_length + 28 + BNG_BOOTP_BYTES + s->answer.head_length +
					    s->answer.blob_length))
			return drop(s, BNG_DROP_internal_adjust);
	}
	return XDP_TX;
}

#endif
