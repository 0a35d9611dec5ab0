/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * DHCPv6 options (RFC 8415 21): walks the copy of a message in the scratch and holds its associations against
 * those the session has. Order does not matter; what is repeated or authenticated is left to the controller.
 */
#ifndef BNG_DHCP6_OPTIONS_H
#define BNG_DHCP6_OPTIONS_H

#include "count.h"
#include "option_hash.h"

enum {
	BNG_DHCP6_MAX = 512, /* bytes of UDP that are looked at: bpf_csum_diff takes no more */
	BNG_DHCP6_OPTIONS_WALKED = 24,
	BNG_DHCP6_OPTION_HEAD = 4,
	BNG_DHCP6_CLIENT_ID = 1,
	BNG_DHCP6_SERVER_ID = 2,
	BNG_DHCP6_IA_NA = 3,
	BNG_DHCP6_IA_TA = 4,
	BNG_DHCP6_IAADDR = 5,
	BNG_DHCP6_RELAY_MESSAGE = 9,
	BNG_DHCP6_AUTH = 11,
	BNG_DHCP6_IA_PD = 25,
	BNG_DHCP6_IAPREFIX = 26,
	BNG_DHCP6_IA_BYTES = 12,     /* IAID, T1, T2 */
	BNG_DHCP6_RESOURCE_AT = 16,  /* in the association, behind the resource's head */
	BNG_DHCP6_PREFIX_AT = 9,     /* behind the lifetimes and its length */
	BNG_DHCP6_IAADDR_BYTES = 24, /* without options of its own */
	BNG_DHCP6_IAPREFIX_BYTES = 25,
};

static __always_inline const __u8 *dhcp6_bytes(struct bng_scratch *s, __u32 at)
{
	return s->options + (forget(s, at) & BNG_OPTIONS_MASK);
}

/*
 * RFC 8415 21.4, 21.6, 21.21, 21.22: the one resource of an association of `length` bytes, into s->dhcp6. 0:
 * it is read.
 */
static __always_inline int read_association(struct bng_scratch *s, __u32 code, __u32 at, __u32 length)
{
	struct bng_dhcp6_association *ret = &s->dhcp6.association;
	const __u8 *ia = dhcp6_bytes(s, at);
	__u32 is_prefix = code == BNG_DHCP6_IA_PD;
	__u32 bytes = is_prefix ? BNG_DHCP6_IAPREFIX_BYTES : BNG_DHCP6_IAADDR_BYTES;
	__u32 head = (is_prefix ? BNG_DHCP6_IAPREFIX : BNG_DHCP6_IAADDR) << 16 | bytes;

	if (length != BNG_DHCP6_RESOURCE_AT + bytes ||
		bpf_ntohl(BNG_LOAD(__be32, ia + BNG_DHCP6_IA_BYTES)) != head)
		return -1;
	ret->kind = (__u16)code;
	ret->iaid = BNG_LOAD(__be32, ia);
	ret->length = is_prefix ? ia[BNG_DHCP6_RESOURCE_AT + BNG_DHCP6_PREFIX_AT - 1] : 128;
	ia = dhcp6_bytes(s, at + BNG_DHCP6_RESOURCE_AT + (is_prefix ? BNG_DHCP6_PREFIX_AT : 0));
	ret->address.high = BNG_LOAD(__be64, ia);
	ret->address.low = BNG_LOAD(__be64, ia + 8);
	return 0;
}

/* Which of the session's associations it is, as a bit; 0: none. */
static __always_inline __u32 match_association(
	const volatile struct bng_dhcp6_association *asked, const struct bng_dhcp6_reply *reply)
{
	__u32 matched = 0;

#pragma clang loop unroll(full)
	for (__u32 i = 0; i < BNG_DHCP6_ASSOCIATIONS_MAX; i++) {
		const struct bng_dhcp6_association *expected = &reply->associations[i];
		__u64 difference = (asked->address.high ^ expected->address.high) |
				   (asked->address.low ^ expected->address.low) |
				   (asked->iaid ^ expected->iaid) | (__u32)(asked->kind ^ expected->kind) |
				   (__u32)(asked->length ^ expected->length);

		if (i < reply->association_count && !difference)
			matched |= 1u << i;
	}
	return matched;
}

/* 0, or the punt reason. */
static __always_inline __u32 take_association(struct bng_scratch *s, __u32 code, __u32 at, __u32 length)
{
	struct bng_dhcp6_walk *walk = &s->dhcp6;
	struct bng_dhcp6_reply *reply = bpf_map_lookup_elem(&dhcp6_replies, &s->slot);

	if (!reply || read_association(s, code, at, length))
		return BNG_PUNT_REASON_dhcpv6_associations_changed;
	__u32 matched = match_association(&walk->association, reply);

	if (!matched || (walk->matched & matched))
		return BNG_PUNT_REASON_dhcpv6_associations_changed;
	walk->matched |= matched;
	walk->associations += 1;
	return 0;
}

static __always_inline __u32 take_identifier(struct bng_dhcp6_place *place, __u32 at, __u32 length)
{
	if (place->at)
		return BNG_PUNT_REASON_dhcpv6_options_unusual;
	place->at = at;
	place->length = length;
	return 0;
}

/* 0, or a reason. What is not known is ignored (RFC 8415 16). */
static __always_inline __u32 take_option6(struct bng_scratch *s, __u32 code, __u32 at, __u32 length)
{
	struct bng_dhcp6_walk *walk = &s->dhcp6;

	switch (code) {
	case BNG_DHCP6_CLIENT_ID:
		return take_identifier(&walk->client_id, at, length);
	case BNG_DHCP6_SERVER_ID:
		return take_identifier(&walk->server_id, at, length);
	case BNG_DHCP6_IA_NA:
	case BNG_DHCP6_IA_PD:
		return take_association(s, code, at, length);
	case BNG_DHCP6_IA_TA:
		return BNG_PUNT_REASON_dhcpv6_associations_changed;
	case BNG_DHCP6_AUTH:
	case BNG_DHCP6_RELAY_MESSAGE:
		return BNG_PUNT_REASON_dhcpv6_options_unusual;
	default:
		return 0;
	}
}

/* Ends the walk when it returns 1. */
static long read_option6(__u32 index, void *context)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	(void)index;
	(void)context;
	if (!s)
		return 1;
	struct bng_dhcp6_walk *walk = &s->dhcp6;
	__u32 left = walk->end - walk->at, at = walk->at;

	if (!left) {
		walk->done = 1;
		return 1;
	}
	__u32 head = bpf_ntohl(BNG_LOAD(__be32, dhcp6_bytes(s, at)));
	__u32 length = head & 0xffff;

	if (left < BNG_DHCP6_OPTION_HEAD || length > left - BNG_DHCP6_OPTION_HEAD) {
		walk->refused = BNG_DROP_malformed_dhcpv6;
		return 1;
	}
	at += BNG_DHCP6_OPTION_HEAD;
	walk->at = at + length;
	__u32 refused = take_option6(s, head >> 16, at, length);

	/* A punt is only what a message without faults deserves: the walk goes on. */
	if (!walk->refused)
		walk->refused = refused;
	return 0;
}

/* The options in options[from, to). 0, or a reason. */
static __always_inline __u32 read_options6(struct bng_scratch *s, __u32 from, __u32 to)
{
	struct bng_dhcp6_walk *walk = &s->dhcp6;

	walk->at = from;
	walk->end = to;
	walk->refused = 0;
	walk->done = 0;
	walk->associations = 0;
	walk->matched = 0;
	walk->client_id.at = 0;
	walk->server_id.at = 0;
	(void)bpf_loop(BNG_DHCP6_OPTIONS_WALKED + 1, read_option6, NULL, 0);
	if (walk->refused)
		return walk->refused;
	return walk->done ? 0 : BNG_PUNT_REASON_dhcpv6_options_unusual;
}

#endif
