/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * NAT44: ICMP errors (RFC 5508 4, 5), found by the packet they quote. From outside that is one the inside
 * sent; from inside, one it was sent.
 */
#ifndef BNG_NAT_ERROR_H
#define BNG_NAT_ERROR_H

#include "nat.h"

enum {
	BNG_NAT_QUOTE_AT = 8, /* behind the ICMP header */
	BNG_NAT_QUOTED_UPPER =
		32, /* of the scratch's header: behind the quoted IP header's 20 bytes and a gap */
};

/*
 * Reads the quote: the IP header to s->header, 8 bytes behind it to s->header + BNG_NAT_QUOTED_UPPER. 0, or
 * the drop reason.
 */
static __always_inline __u32 nat_load_quote(struct xdp_md *ctx, struct bng_scratch *s)
{
	__u32 at = s->l2_length + s->ip_header_length + BNG_NAT_QUOTE_AT;

	if (s->ip_length < s->ip_header_length + BNG_NAT_QUOTE_AT + 28u ||
		bpf_xdp_load_bytes(ctx, at, s->header, 20))
		return BNG_DROP_nat_malformed;
	__u32 quoted_length = (s->header[0] & 15u) * 4;

	if (s->header[0] >> 4 != 4 || quoted_length < 20 ||
		s->ip_length < s->ip_header_length + BNG_NAT_QUOTE_AT + quoted_length + 8)
		return BNG_DROP_nat_malformed;
	/* RFC 5508 REQ-3 asks for a quote that is whole; one of a later fragment shows no ports. */
	if (BNG_LOAD(__be16, s->header + 6) & bpf_htons(BNG_IP_OFFSET))
		return BNG_DROP_nat_icmp_unrelated;
	if (bpf_xdp_load_bytes(ctx, at + quoted_length, s->header + BNG_NAT_QUOTED_UPPER, 8))
		return BNG_DROP_nat_malformed;
	return 0;
}

/* Address and port of one side of the quoted packet, into `key`. 0, or the drop reason. */
static __always_inline __u32 nat_quoted_end(struct bng_scratch *s, struct bng_nat_key *key, int is_source)
{
	const __u8 *upper = s->header + BNG_NAT_QUOTED_UPPER;
	__u8 protocol = s->header[9];

	__be16 port = BNG_LOAD(__be16, upper), other = BNG_LOAD(__be16, upper + 2);
	__be16 identifier = BNG_LOAD(__be16, upper + 4);
	__be32 address = BNG_LOAD(__be32, s->header + 12), far = BNG_LOAD(__be32, s->header + 16);

	/* Read all, or what is chosen between becomes addresses in the scratch. */
	BNG_OPAQUE(port);
	BNG_OPAQUE(other);
	BNG_OPAQUE(identifier);
	BNG_OPAQUE(address);
	BNG_OPAQUE(far);
	if (!is_source) {
		port = other;
		address = far;
	}
	if (protocol == BNG_IPPROTO_ICMP)
		port = identifier;
	else if (protocol != BNG_IPPROTO_TCP && protocol != BNG_IPPROTO_UDP)
		return BNG_DROP_nat_icmp_unrelated;
	key->vrf = s->nat.vrf;
	key->protocol = protocol;
	key->address = address;
	key->port = port;
	return 0;
}

/* From inside, of the session in w. 0, or the drop reason. Global: see handle_arp. */
__noinline int nat_error_from_inside(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return BNG_DROP_internal_lookup;
	struct bng_nat_work *w = &s->nat;
	__u32 refused = nat_load_quote(ctx, s);

	if (!refused)
		refused = nat_quoted_end(s, &w->out, 0);
	if (refused)
		return (int)refused;
	struct bng_nat_mapping *mapping = bpf_map_lookup_elem(&nat_out, &w->out);

	/* RFC 5508 REQ-5: what is not about one of its mappings is dropped. */
	if (!mapping || mapping->session_id != w->session_id || mapping->seen_ns == BNG_NAT_DEAD)
		return BNG_DROP_nat_icmp_unrelated;
	w->source = mapping->address;
	w->quoted_destination = mapping->address;
	w->quoted_destination_port = mapping->port;
	w->changes = BNG_NAT_SOURCE | BNG_NAT_QUOTED_DESTINATION;
	return 0;
}

/*
 * From outside, or of a hairpin (RFC 5508 REQ-7) after nat_error_from_inside(). 0: w->session is the one it
 * is for; or the drop reason. Global: see handle_arp.
 */
__noinline int nat_error_from_outside(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return BNG_DROP_internal_lookup;
	struct bng_nat_work *w = &s->nat;
	__u32 refused = nat_load_quote(ctx, s);

	if (!refused)
		refused = nat_quoted_end(s, &w->in, 1);
	if (refused)
		return (int)refused;
	/* A host sends errors to where the packet came from, which is where it quotes it from. */
	if (w->in.address != s->destination)
		return BNG_DROP_nat_icmp_unrelated;
	struct bng_nat_reverse *reverse = bpf_map_lookup_elem(&nat_in, &w->in);

	if (!reverse)
		return BNG_DROP_nat_icmp_unrelated;
	w->session_id = reverse->session_id;
	w->session = reverse->session;
	w->destination = reverse->address;
	w->quoted_source = reverse->address;
	w->quoted_source_port = reverse->port;
	w->changes |= BNG_NAT_DESTINATION | BNG_NAT_QUOTED_SOURCE;
	return 0;
}

#endif
