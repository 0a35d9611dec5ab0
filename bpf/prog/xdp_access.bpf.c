// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Placeholder until the programs land.
#include "maps.h"
#include "tunables.h"

SEC("xdp")
int xdp_access(struct xdp_md *ctx)
{
	(void)ctx;
	__u32 port = bng_port_index;
	struct bng_port *p = bpf_map_lookup_elem(&ports, &port);

	return p ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
