/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Packet pointers at the possible depths of the network header. Without CAP_PERFMON only constants may
 * be added to a packet pointer, and the compiler would merge the branches into a register: hence the
 * assembler.
 */
#ifndef BNG_CURSOR_H
#define BNG_CURSOR_H

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>

/* Loads and stores at any alignment: of packed types clang makes byte accesses. Built with
 * -fno-strict-aliasing. */
#define BNG_LOAD(type, p)     (*(const type *)(p))
#define BNG_STORE(type, p, v) (*(type *)(p) = (v))

/* Each load gives a pointer of unknown range: it must happen here, not where the compiler would sink it to,
 * behind the check. */
static __always_inline void *packet_start(struct xdp_md *ctx)
{
	void *p = (void *)(long)ctx->data;

	asm volatile("" : "+r"(p));
	return p;
}

static __always_inline void *packet_end(struct xdp_md *ctx)
{
	return (void *)(long)ctx->data_end;
}

static __always_inline void *network_header(struct xdp_md *ctx, __u32 l2_length)
{
	void *p = packet_start(ctx);

	asm volatile("%0 += 14" : "+r"(p));
	if (l2_length != 14) {
		asm volatile("%0 += 4" : "+r"(p));
		if (l2_length != 18)
			asm volatile("%0 += 4" : "+r"(p));
	}
	return p;
}

/* The same behind a PPPoE header and PPP's protocol: l2_length is 22, 26 or 30. */
static __always_inline void *pppoe_network_header(struct xdp_md *ctx, __u32 l2_length)
{
	void *p = packet_start(ctx);

	asm volatile("%0 += 22" : "+r"(p));
	if (l2_length != 22) {
		asm volatile("%0 += 4" : "+r"(p));
		if (l2_length != 26)
			asm volatile("%0 += 4" : "+r"(p));
	}
	return p;
}

/* Either: what both kinds of lines come to. */
static __always_inline void *any_network_header(struct xdp_md *ctx, __u32 l2_length)
{
	if (l2_length > 22)
		return pppoe_network_header(ctx, l2_length);
	return network_header(ctx, l2_length);
}

/* A value the compiler must not trace back, so that a bound checked here is the bound the verifier sees. */
#define BNG_OPAQUE(x) asm volatile("" : "+r"(x))

/*
 * Is 1 <= x <= high? Not `x != 0`, from which a 6.1 verifier learns no lower bound; x must be 64 bits wide,
 * or the bound is one of a shifted copy.
 */
#define BNG_IS_LENGTH(x, high)                                                                               \
	({                                                                                                   \
		__u64 low_ = 1;                                                                              \
		asm volatile("" : "+r"(low_), "+r"(x));                                                      \
		(x) >= low_ && (x) <= (high);                                                                \
	})

#endif
