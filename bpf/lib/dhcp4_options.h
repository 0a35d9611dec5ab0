/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * DHCPv4 options (RFC 2132): walks the copy of a request's options in the scratch and gathers what the fast
 * path needs. Order does not matter; what is repeated (RFC 3396) or too long is left to the controller.
 */
#ifndef BNG_DHCP4_OPTIONS_H
#define BNG_DHCP4_OPTIONS_H

#include "count.h"
#include "option_hash.h"

enum {
	BNG_DHCP_OPTIONS_WALKED = 32,
	BNG_OPTION_PAD = 0,
	BNG_OPTION_REQUESTED_ADDRESS = 50,
	BNG_OPTION_LEASE_TIME = 51,
	BNG_OPTION_OVERLOAD = 52,
	BNG_OPTION_MESSAGE_TYPE = 53,
	BNG_OPTION_SERVER_ID = 54,
	BNG_OPTION_PARAMETER_LIST = 55,
	BNG_OPTION_MAX_MESSAGE = 57,
	BNG_OPTION_RENEWAL_TIME = 58,
	BNG_OPTION_REBINDING_TIME = 59,
	BNG_OPTION_CLIENT_ID = 61,
	BNG_OPTION_RELAY = 82,
	BNG_OPTION_END = 255,
	BNG_OPTION_NOTED = 0x8000,
};

enum bng_dhcp_seen {
	BNG_SEEN_REQUESTED = 1 << 0,
	BNG_SEEN_OVERLOAD = 1 << 1,
	BNG_SEEN_SERVER = 1 << 2,
	BNG_SEEN_PRL = 1 << 3,
	BNG_SEEN_CLIENT_ID = 1 << 4,
	BNG_SEEN_RELAY = 1 << 5,
};

/* 1 or 0 by arithmetic: the compiler's branch would double the verifier's states at each option. */
static __always_inline __u64 is_zero(__u64 x)
{
	__u64 less = x - 1;

	BNG_OPAQUE(less);
	return (less & ~x) >> 63;
}

/*
 * Walks options[from, to) of the scratch and notes in option_at[] where each option's data lies. 0, a drop
 * reason, or BNG_PUNT_REASON_dhcp_options_unusual. Unrolled here and below: without CAP_PERFMON the verifier
 * also follows what a mispredicted loop counter would do, which has no end.
 */
static __always_inline int walk_options(struct bng_scratch *s, __u32 from, __u32 to)
{
	/* Masked each time: a verifier that knows the same of every step follows one of them, not their
	 * combinations. */
	__u64 at = forget(s, from) & BNG_OPTIONS_MASK;
	__u64 last = to & BNG_OPTIONS_MASK;

	s->options[last] = BNG_OPTION_END;
#pragma clang loop unroll(full)
	for (int i = 0; i < BNG_DHCP_OPTIONS_WALKED; i++) {
		const __u8 *option = s->options + at;
		__u64 code = option[0];

		s->last_code = code;
		if (code == BNG_OPTION_END)
			break;
		__u64 *noted = s->option_at + code;
		__u64 not_pad = is_zero(code) - 1;

		BNG_OPAQUE(not_pad);
		s->repeated |= not_pad & is_zero((*noted >> 16) ^ s->walk);
		*noted = s->walk << 16 | BNG_OPTION_NOTED | at;
		__u64 next = at + 1 + (not_pad & (1 + option[1]));

		if (next > last)
			return BNG_DROP_malformed_dhcp;
		BNG_OPAQUE(next);
		at = next & BNG_OPTIONS_MASK;
	}
	s->repeated |= s->last_code ^ BNG_OPTION_END;
	return s->repeated ? BNG_PUNT_REASON_dhcp_options_unusual : 0;
}

/* Where an option's TLV lies in options[], with BNG_OPTION_NOTED; 0: it was not there. */
static __always_inline __u32 find_option(const struct bng_scratch *s, __u32 code)
{
	__u64 noted = s->option_at[code];

	return noted >> 16 == s->walk ? noted & 0xffff : 0;
}

static __always_inline const __u8 *option_tlv(const struct bng_scratch *s, __u32 at)
{
	return s->options + (at & BNG_OPTIONS_MASK);
}

/* The option's data when it is there; r->bad when it has not `length` bytes. */
static __always_inline const __u8 *fixed_option(struct bng_scratch *s, __u32 code, __u32 length)
{
	__u32 at = find_option(s, code);

	if (!at)
		return NULL;
	const __u8 *option = option_tlv(s, at);

	s->request.bad |= option[1] ^ length;
	return option + 2;
}

/* The codes asked for, and a hash of them, into s->prl. */
static __always_inline void read_list(struct bng_scratch *s, __u64 at, __u64 length)
{
	s->prl_hash = length;
#pragma clang loop unroll(full)
	for (int i = 0; i < BNG_PRL_MAX / 8; i++)
		s->prl[i] = 0;
#pragma clang loop unroll(full)
	for (int i = 0; i < BNG_PRL_MAX / 8; i++) {
		if (length < 8) {
			s->prl[i] = option_tail(s, at, length);
			s->prl_hash = bng_hash_word(s->prl_hash, s->prl[i]);
			return;
		}
		s->prl[i] = option_word(s, at);
		s->prl_hash = bng_hash_word(s->prl_hash, s->prl[i]);
		BNG_OPAQUE(at);
		at = (at + 8) & BNG_OPTIONS_MASK;
		BNG_OPAQUE(length);
		length = (length - 8) & 511;
	}
}

/*
 * What the decision needs, into s->request. 0 or a drop reason. Sums up in memory, not in registers, of which
 * there are too few: without CAP_PERFMON every spill costs an lfence.
 */
static __always_inline __u32 gather_options(struct bng_scratch *s)
{
	struct bng_dhcp_request *r = &s->request;
	const __u8 *data;
	__u32 at;

	data = fixed_option(s, BNG_OPTION_MESSAGE_TYPE, 1);
	r->type = data ? data[0] : 0;
	r->requested = 0;
	data = fixed_option(s, BNG_OPTION_REQUESTED_ADDRESS, 4);
	if (data) {
		r->requested = BNG_LOAD(__be32, data);
		r->seen |= BNG_SEEN_REQUESTED;
	}
	data = fixed_option(s, BNG_OPTION_SERVER_ID, 4);
	if (data) {
		r->server = BNG_LOAD(__be32, data);
		r->seen |= BNG_SEEN_SERVER;
	}
	data = fixed_option(s, BNG_OPTION_MAX_MESSAGE, 2);
	r->max_message = data ? bpf_ntohs(BNG_LOAD(__be16, data)) : 0;

	r->prl_length = 0;
	r->prl_at = 0;
	at = find_option(s, BNG_OPTION_PARAMETER_LIST);
	if (at) {
		r->prl_at = (at & BNG_OPTIONS_MASK) + 2;
		r->prl_length = option_tlv(s, at)[1];
		r->seen |= BNG_SEEN_PRL;
	}
	read_list(s, forget(s, r->prl_at), r->prl_length);
	at = find_option(s, BNG_OPTION_CLIENT_ID);
	if (at) {
		r->client_id_at = at & BNG_OPTIONS_MASK;
		r->client_id_length = option_tlv(s, at)[1];
		r->bad |= r->client_id_length ? 0 : 1;
		r->seen |= BNG_SEEN_CLIENT_ID;
	}
	at = find_option(s, BNG_OPTION_RELAY);
	if (at) {
		r->option82_at = at & BNG_OPTIONS_MASK;
		r->option82_length = option_tlv(s, at)[1];
		r->seen |= BNG_SEEN_RELAY;
	}
	/* Plain BOOTP, and what only servers say, is not served. */
	if (r->bad || !r->type || r->type == 2 || r->type == 5 || r->type == 6)
		return BNG_DROP_malformed_dhcp;
	return 0;
}

#endif
