// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// perfdhcp has many DUIDs and one MAC address; to a BNG a line is a MAC address. On its interface: what it
// sends by DHCPv6 gets the source address that its client's DUID holds (LLT or LL), what comes for any of
// them is for its host.
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum { ETHERTYPE = 12, NEXT_HEADER = 20, PORT = 56, OPTION = 66, DUID = 70, SOURCE = 6 };

SEC("from_host")
int own(struct __sk_buff *skb)
{
	unsigned char mac[6];
	__be16 ethertype, port, option, kind;
	__u8 next_header;

	/* perfdhcp writes options in the order of their codes: the Client Identifier is the first. */
	if (bpf_skb_load_bytes(skb, ETHERTYPE, &ethertype, 2) || ethertype != bpf_htons(0x86dd) ||
		bpf_skb_load_bytes(skb, NEXT_HEADER, &next_header, 1) || next_header != 17 ||
		bpf_skb_load_bytes(skb, PORT, &port, 2) || port != bpf_htons(547) ||
		bpf_skb_load_bytes(skb, OPTION, &option, 2) || option != bpf_htons(1) ||
		bpf_skb_load_bytes(skb, DUID, &kind, 2))
		return TC_ACT_OK;
	if (bpf_skb_load_bytes(skb, DUID + (kind == bpf_htons(1) ? 8 : 4), mac, 6) ||
		bpf_skb_store_bytes(skb, SOURCE, mac, 6, 0))
		return TC_ACT_SHOT;
	return TC_ACT_OK;
}

SEC("to_host")
int any(struct __sk_buff *skb)
{
	static const unsigned char mac[6] = {HOST_MAC};
	__u8 first;

	if (bpf_skb_load_bytes(skb, 0, &first, 1) || first & 1)
		return TC_ACT_OK;
	if (bpf_skb_store_bytes(skb, 0, mac, 6, 0) || bpf_skb_change_type(skb, PACKET_HOST))
		return TC_ACT_SHOT;
	return TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
