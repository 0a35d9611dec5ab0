// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// One load generator that speaks for many DHCPv6 clients, as many lines: the Ethernet source of what a client
// sends becomes the link-layer address of its DUID (RFC 8415 11.2, 11.4), and what comes back for it goes to
// the host that all of them are. On the switch's end of that host's veth; compiled with the host's own
// address.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum {
	UDP_AT = ETH_HLEN + sizeof(struct ipv6hdr),
	OPTIONS_AT = UDP_AT + sizeof(struct udphdr) + 4,
	OPTIONS_WALKED = 16,
	CLIENT_ID = 1,
	CLIENT_PORT = 546,
	SERVER_PORT = 547,
};

static __always_inline int is_dhcp6_to(struct __sk_buff *skb, __u16 port)
{
	struct ipv6hdr ip;
	struct udphdr udp;

	return skb->protocol == bpf_htons(ETH_P_IPV6) &&
	       !bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) && ip.nexthdr == 17 &&
	       !bpf_skb_load_bytes(skb, UDP_AT, &udp, sizeof(udp)) && udp.dest == bpf_htons(port);
}

SEC("from_host")
int leave(struct __sk_buff *skb)
{
	__u32 at = OPTIONS_AT;

	if (!is_dhcp6_to(skb, SERVER_PORT))
		return TC_ACT_SHOT;
	for (int i = 0; i < OPTIONS_WALKED; i++) {
		__be16 head[2];
		__u8 mac[ETH_ALEN];

		if (bpf_skb_load_bytes(skb, at, head, sizeof(head)))
			return TC_ACT_SHOT;
		at += sizeof(head) + bpf_ntohs(head[1]);
		if (head[0] != bpf_htons(CLIENT_ID))
			continue;
		if (bpf_skb_load_bytes(skb, at - ETH_ALEN, mac, sizeof(mac)) ||
			bpf_skb_store_bytes(skb, ETH_ALEN, mac, sizeof(mac), 0))
			return TC_ACT_SHOT;
		return TC_ACT_OK;
	}
	return TC_ACT_SHOT;
}

SEC("to_host")
int arrive(struct __sk_buff *skb)
{
	static const __u8 host[ETH_ALEN] = {HOST_MAC};

	if (!is_dhcp6_to(skb, CLIENT_PORT) || bpf_skb_store_bytes(skb, 0, host, sizeof(host), 0))
		return TC_ACT_SHOT;
	return TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
