/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Ethernet with no tag, one tag, or QinQ: fills the frame part of the scratch and the line key. */
#ifndef BNG_ETHERNET_H
#define BNG_ETHERNET_H

#include "count.h"
#include "cursor.h"

enum {
	BNG_ETH_IPV4 = 0x0800,
	BNG_ETH_ARP = 0x0806,
	BNG_ETH_VLAN = 0x8100,
	BNG_ETH_IPV6 = 0x86dd,
	BNG_ETH_PPPOE_DISCOVERY = 0x8863,
	BNG_ETH_PPPOE_SESSION = 0x8864,
	BNG_ETH_QINQ = 0x88a8,
	BNG_PPPOE_HEADER = 6,
	BNG_PPPOE_MTU_COST = 8, /* with PPP's protocol */
	BNG_PPP_IPV4 = 0x0021,
	BNG_PPP_IPV6 = 0x0057,
	BNG_HEAD_MAX = 30, /* Ethernet, two tags, PPPoE, PPP */
};

struct bng_eth {
	__u8 destination[6];
	__u8 source[6];
	__be16 type;
};

struct bng_tag {
	__be16 tci;
	__be16 type;
};

static __always_inline int parse_ethernet(struct xdp_md *ctx, struct bng_scratch *s)
{
	s->session_is_known = 0;
	s->template_index = 0;

	void *data = packet_start(ctx), *end = packet_end(ctx);
	struct bng_eth *eth = data;

	if (data + 14 > end)
		return drop(s, BNG_DROP_malformed_ethernet);

	__u16 type = bpf_ntohs(eth->type);
	__u32 tags = 0; /* S-VLAN in the low half, C-VLAN in the high half, as they lie in the key */

	s->destination_is_group = eth->destination[0] & 1;
	s->line.port = bng_port_index;
	s->line.giaddr = 0;
	BNG_STORE(__u32, s->line.mac, BNG_LOAD(__u32, eth->source));
	/* The upper half is the PPPoE id: 0. */
	*(__u32 *)(s->line.mac + 4) = BNG_LOAD(__u16, eth->source + 4);
	s->l2_length = 14;
	if (type == BNG_ETH_VLAN || type == BNG_ETH_QINQ) {
		struct bng_tag *tag = data + 14;

		if (data + 18 > end)
			return drop(s, BNG_DROP_malformed_ethernet);
		tags = bpf_ntohs(tag->tci) & 0xfff;
		type = bpf_ntohs(tag->type);
		s->l2_length = 18;
		if (type == BNG_ETH_VLAN) {
			tag = data + 18;
			if (data + 22 > end)
				return drop(s, BNG_DROP_malformed_ethernet);
			tags |= (bpf_ntohs(tag->tci) & 0xfffu) << 16;
			type = bpf_ntohs(tag->type);
			s->l2_length = 22;
		}
		if (type == BNG_ETH_VLAN || type == BNG_ETH_QINQ)
			return drop(s, BNG_DROP_too_many_tags);
	}
	*(__u32 *)&s->line.s_vlan = tags;
	s->ethertype = type;
	return BNG_NEXT;
}

static __always_inline int same_mac(const __u8 *a, const __u8 *b)
{
	return BNG_LOAD(__u32, a) == BNG_LOAD(__u32, b) && BNG_LOAD(__u16, a + 4) == BNG_LOAD(__u16, b + 4);
}

static __always_inline void copy_mac(__u8 *to, const __u8 *from)
{
	BNG_STORE(__u32, to, BNG_LOAD(__u32, from));
	BNG_STORE(__u16, to + 4, BNG_LOAD(__u16, from + 4));
}

/* Turns the frame round toward its sender; tags stay. The caller has checked 14 bytes. */
static __always_inline void answer_ethernet(void *data, const __u8 *own_mac)
{
	struct bng_eth *eth = data;

	copy_mac(eth->destination, eth->source);
	copy_mac(eth->source, own_mac);
}

#endif
