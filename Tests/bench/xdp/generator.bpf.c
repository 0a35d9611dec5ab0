// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// The bench's own programs: a generator that writes its template into every live frame, the bare echo the
// fast path is compared with, and a counter at the end of the wire.
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum { TEMPLATE_MAX = 512, LINES = 65536 };

/* Set before a run. Offsets are 0 where the frame has no such field. */
__u8 template_bytes[TEMPLATE_MAX];
__u32 line_mask = 0;  // 0: one line; LINES - 1: all of them, in an order that is not the tables'
__u32 chaddr_at = 0;  // where BOOTP repeats the MAC address
__u32 address_at = 0; // the IPv4 address that goes with the line
__u32 mac_at = 6;     // 6: the line sends; 0: nothing of the line is in the Ethernet header
__u32 tagged = 0;     // QinQ
__u32 tail_at = 0;    // of the template's last 8 bytes: its length may be any
__u32 sequence = 0;
__u64 received = 0;

SEC("xdp")
int generate(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 line = (sequence++ * 40503) & line_mask;

	if (data + 64 > end)
		return XDP_DROP;
	for (__u32 i = 0; i < TEMPLATE_MAX / 8; i++) {
		if (data + 8 * i + 8 > end)
			break;
		*(__u64 *)(data + 8 * i) = *(__u64 *)(template_bytes + 8 * i);
	}
	__u64 last = tail_at;

	if (last <= TEMPLATE_MAX - 8 && data + last + 8 <= end)
		*(__u64 *)(data + last) = *(__u64 *)(template_bytes + last);
	if (mac_at)
		*(__be16 *)(data + 10) = bpf_htons(line);
	if (tagged) {
		*(__be16 *)(data + 14) = bpf_htons(1 + (line >> 11));
		*(__be16 *)(data + 18) = bpf_htons(1 + (line & 2047));
	}
	if (chaddr_at) {
		__u8 *p = data + (chaddr_at & 127);

		if (p + 6 <= end)
			*(__be16 *)(p + 4) = bpf_htons(line);
	}
	if (address_at) {
		__u8 *p = data + (address_at & 127);

		if (p + 4 <= end)
			*(__be16 *)(p + 2) = bpf_htons(line);
	}
	return XDP_TX;
}

SEC("xdp")
int echo(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 l3 = 14;

	if (data + 50 > end)
		return XDP_DROP;
	if (*(__be16 *)(data + 12) != bpf_htons(0x0800))
		l3 = 22;
	__u8 *ip = data + l3;

	if (ip + 28 > end)
		return XDP_DROP;
	__u32 mac = *(__u32 *)data;
	__u16 tail = *(__u16 *)(data + 4);

	*(__u32 *)data = *(__u32 *)(data + 6);
	*(__u16 *)(data + 4) = *(__u16 *)(data + 10);
	*(__u32 *)(data + 6) = mac;
	*(__u16 *)(data + 10) = tail;
	__be32 address = *(__be32 *)(ip + 12);

	*(__be32 *)(ip + 12) = *(__be32 *)(ip + 16);
	*(__be32 *)(ip + 16) = address;
	__be16 port = *(__be16 *)(ip + 20);

	*(__be16 *)(ip + 20) = *(__be16 *)(ip + 22);
	*(__be16 *)(ip + 22) = port;
	return XDP_TX;
}

/* For what the kernel forwards: without a program a veth takes no frames of XDP's. */
SEC("xdp")
int up_the_stack(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

SEC("xdp")
int count(struct xdp_md *ctx)
{
	(void)ctx;
	received++;
	return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
