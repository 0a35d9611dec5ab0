// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Passes everything. On the far end of a port's veth: the kernel delivers what XDP sends back (XDP_TX) into a
// veth at once only if the other end has a program too; with GRO alone such frames wait in the ring until
// something else arrives.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
