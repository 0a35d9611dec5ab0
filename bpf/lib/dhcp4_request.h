/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Reads a DHCPv4 request (RFC 2131 2) into s->request and judges what is forged before anybody believes it.
 */
#ifndef BNG_DHCP4_REQUEST_H
#define BNG_DHCP4_REQUEST_H

#include "dhcp4_options.h"
#include "ipv4.h"
#include "session.h"

enum {
	BNG_DHCP_DISCOVER = 1,
	BNG_DHCP_OFFER = 2,
	BNG_DHCP_REQUEST = 3,
	BNG_DHCP_DECLINE = 4,
	BNG_DHCP_ACK = 5,
	BNG_DHCP_NAK = 6,
	BNG_DHCP_RELEASE = 7,
	BNG_DHCP_INFORM = 8,
	BNG_DHCP_COOKIE = 0x63825363,
	BNG_BOOTP_BYTES = 240, /* with the cookie */
};

struct bng_bootp {
	__u8 op;
	__u8 hardware;
	__u8 hardware_length;
	__u8 hops;
	__be32 xid;
	__be16 seconds;
	__be16 flags;
	__be32 ciaddr;
	__be32 yiaddr;
	__be32 siaddr;
	__be32 giaddr;
	__u8 chaddr[16];
	__u8 sname[64];
	__u8 file[128];
	__be32 cookie;
	__u8 options[];
};
_Static_assert(sizeof(struct bng_bootp) == BNG_BOOTP_BYTES, "bng_bootp");

/* RFC 2131 4.1: first file, then sname, as option 52 says. 0 or a reason. Global, to keep the usual path's
 * registers. */
__noinline int read_overloaded(struct xdp_md *ctx, __u32 overload)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return BNG_DROP_internal_lookup;
	__u32 bootp_at = s->l2_length + 28;
	__u32 refused = 0;

	if (overload < 1 || overload > 3)
		return BNG_DROP_malformed_dhcp;
	if (overload & 1) {
		if (bpf_xdp_load_bytes(ctx, bootp_at + 108, s->options + BNG_FILE_AT, 128))
			return BNG_DROP_malformed_dhcp;
		refused = (__u32)walk_options(s, BNG_FILE_AT, BNG_FILE_AT + 128);
	}
	if (!refused && (overload & 2)) {
		if (bpf_xdp_load_bytes(ctx, bootp_at + 44, s->options + BNG_SNAME_AT, 64))
			return BNG_DROP_malformed_dhcp;
		refused = (__u32)walk_options(s, BNG_SNAME_AT, BNG_SNAME_AT + 64);
	}
	return (int)refused;
}

/*
 * The options field into the scratch, by words: the helper's call and returns cost 20 ns where returns are
 * mitigated. The helper serves odd lengths, and says no when the frame holds less than the UDP header says.
 * 0: `length` bytes were there.
 */
static __always_inline int copy_options(struct xdp_md *ctx, struct bng_scratch *s, __u64 length)
{
	void *end = packet_end(ctx);
	void *from = network_header(ctx, s->l2_length) + 28 + BNG_BOOTP_BYTES;
	__u64 copied = BNG_OPTIONS_MAX;

#pragma clang loop unroll(full)
	for (int i = 0; i < BNG_OPTIONS_MAX; i += 4) {
		if (from + i + 4 > end) {
			copied = (__u64)i;
			break;
		}
		BNG_STORE(__u32, s->options + i, BNG_LOAD(__u32, from + i));
	}
	if (copied >= length)
		return 0;
	length &= 2 * BNG_OPTIONS_MAX - 1;
	if (!BNG_IS_LENGTH(length, BNG_OPTIONS_MAX))
		return -1;
	return (int)bpf_xdp_load_bytes(ctx, s->l2_length + 28 + BNG_BOOTP_BYTES, s->options, (__u32)length);
}

/* Copies the options and walks them. 0 or a reason. */
static __always_inline __u32 read_options(struct xdp_md *ctx, struct bng_scratch *s)
{
	__u32 length = s->request.options_length;

	if (length < 1 || length > BNG_OPTIONS_MAX)
		return BNG_PUNT_REASON_dhcp_options_unusual;
	if (copy_options(ctx, s, length))
		return BNG_DROP_malformed_dhcp;
	s->walk += 1;
	s->repeated = 0;
	__u32 refused = (__u32)walk_options(s, 0, s->request.options_length);

	if (refused)
		return refused;
	const __u8 *overload = fixed_option(s, BNG_OPTION_OVERLOAD, 1);

	if (overload && !s->request.bad) {
		refused = (__u32)read_overloaded(ctx, overload[0]);
		if (refused)
			return refused;
	}
	return gather_options(s);
}

/* The fixed part, into the request and the line key. 0 or a drop reason. */
static __always_inline __u32 read_bootp(struct xdp_md *ctx, struct bng_scratch *s)
{
	struct bng_dhcp_request *r = &s->request;
	void *end = packet_end(ctx);
	void *ip = network_header(ctx, s->l2_length);
	struct bng_udp *udp = ip + 20;
	struct bng_bootp *bootp = ip + 28;

	if ((void *)(bootp + 1) > end)
		return BNG_DROP_malformed_dhcp;
	__u32 udp_length = bpf_ntohs(udp->length);

	if (udp_length > s->ip_length - 20)
		return BNG_DROP_malformed_udp;
	if (udp_length < 8 + BNG_BOOTP_BYTES || (s->fragment & (BNG_IP_MF | BNG_IP_OFFSET)))
		return BNG_DROP_malformed_dhcp;
	if (bootp->op == 2)
		return BNG_DROP_dhcp_from_server;
	if (bootp->op != 1 || bootp->hardware != 1 || bootp->hardware_length != 6 ||
		bootp->cookie != bpf_htonl(BNG_DHCP_COOKIE))
		return BNG_DROP_malformed_dhcp;
	r->options_length = udp_length - 8 - BNG_BOOTP_BYTES;
	r->ciaddr = bootp->ciaddr;
	r->giaddr = bootp->giaddr;
	r->broadcast = ((__u8 *)&bootp->flags)[0] >> 7;
	r->seen = 0;
	r->bad = 0;
	r->type = 0;
	r->unicast = s->destination != 0xffffffff;
	s->line.giaddr = bootp->giaddr;
	copy_mac(s->line.mac, bootp->chaddr);
	return 0;
}

/* RFC 3046 2.1.1, 5: relay information is believed only where the port's policy says so. 0 or a drop reason.
 */
static __always_inline __u32 judge_relay(struct bng_scratch *s)
{
	const struct bng_dhcp_request *r = &s->request;

	if (r->giaddr) {
		if (!(s->port_flags & BNG_PORT_TRUST_RELAYS) || !is_trusted_relay(s, r->giaddr))
			return BNG_DROP_untrusted_relay;
		return 0;
	}
	if ((r->seen & BNG_SEEN_RELAY) && !(s->port_flags & BNG_PORT_TRUST_OPTION82))
		return BNG_DROP_forged_option82;
	return 0;
}

#endif
