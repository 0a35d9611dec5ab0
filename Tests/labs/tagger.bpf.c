// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// What a tagging access switch does, on kernels without 8021q: tags pushed on what a host sends, the same
// tags taken off what is for it, everything else dropped. On the switch's end of the host's veth; compiled
// once per host with its ids.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

SEC("from_host")
int push(struct __sk_buff *skb)
{
	if (C_VID && bpf_skb_vlan_push(skb, bpf_htons(0x8100), C_VID))
		return TC_ACT_SHOT;
	if (S_VID && bpf_skb_vlan_push(skb, bpf_htons(S_TPID), S_VID))
		return TC_ACT_SHOT;
	return TC_ACT_OK;
}

SEC("to_host")
int pop(struct __sk_buff *skb)
{
	if (!S_VID)
		return skb->vlan_present ? TC_ACT_SHOT : TC_ACT_OK;
	if (!skb->vlan_present || (skb->vlan_tci & 0xfff) != S_VID || bpf_skb_vlan_pop(skb))
		return TC_ACT_SHOT;
	if (C_VID && (!skb->vlan_present || (skb->vlan_tci & 0xfff) != C_VID || bpf_skb_vlan_pop(skb)))
		return TC_ACT_SHOT;
	return skb->vlan_present ? TC_ACT_SHOT : TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
