/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Working memory of one packet: what the parsers found, look-up keys, and the copy of variable-length parts.
 * It is a per-CPU map value because, without CAP_PERFMON, the verifier allows variable offsets into map
 * values but not into packets.
 */
#ifndef BNG_SCRATCH_H
#define BNG_SCRATCH_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "tunables.h"

enum {
	BNG_NEXT = -1,         /* a stage's verdict: go on with the next stage */
	BNG_OPTIONS_MAX = 512, /* bytes of the DHCP options field the fast path takes */
	BNG_FILE_AT = 512,     /* where file and sname are copied when option 52 says so */
	BNG_SNAME_AT = 768,
	BNG_OPTIONS_MASK = 1023,
	BNG_OPTIONS_SLACK = 1096, /* one TLV, of DHCP or of PPPoE, and one word past the mask */
	BNG_PRL_MAX = 64,
	BNG_QUOTE_MAX = 512, /* bpf_csum_diff takes no more */
};

struct bng_dhcp_request {
	__be32 ciaddr;
	__be32 giaddr;
	__be32 requested;
	__be32 server;
	__u32 options_length;
	__u32 seen;             /* enum bng_dhcp_seen */
	__u32 client_id_at;     /* of the TLV in options[] */
	__u32 client_id_length; /* of the data */
	__u32 option82_at;
	__u32 option82_length;
	__u32 prl_at;
	__u32 prl_length;
	__u32 max_message;
	__u32 bad; /* an option has the wrong length */
	__u8 type;
	__u8 broadcast;
	__u8 unicast; /* sent to one of our addresses */
	__u8 _pad;
};

/* What a reply will be; filled by the decision, carried out by the writer. */
struct bng_dhcp_answer {
	__u64 lease_ns;
	__be32 yiaddr;
	__be32 destination;
	__u32 lease_s;
	__u32 renewal_s;
	__u32 rebinding_s;
	__u32 template_index;
	__u32 slot;
	__u32 blob; /* index into dhcp_blobs */
	__u32 blob_length;
	__u32 reply; /* enum bng_reason */
	__be32 server_id;
	__u32 head_length; /* options before the block */
	__u32 ip_length;
	__u8 type;
	__u8 broadcast; /* to the broadcast MAC address */
	__u8 _pad[2];
};

/* How far the composing of a block of options has come. */
struct bng_compose {
	__u64 emitted; /* slots, as bits */
	__u32 taken;   /* codes of the list */
	__u32 from;    /* in the template's bytes */
	__u32 left;
	__u32 out; /* in the block */
	__u32 done;
	__u32 _pad;
};

/* What a discovery packet says (RFC 2516); tags lie in options[]. */
enum bng_pppoe_seen {
	BNG_SEEN_SERVICE = 1 << 0,
	BNG_SEEN_HOST = 1 << 1,
	BNG_SEEN_COOKIE = 1 << 2,
	BNG_SEEN_RELAY_SESSION = 1 << 3,
	BNG_SEEN_MAX_PAYLOAD = 1 << 4,
	BNG_SEEN_CIRCUIT = 1 << 5,
	BNG_SEEN_OTHER = 1 << 6, /* a tag that is not returned as it came */
};
struct bng_tag_place {
	__u32 at; /* of the tag's head */
	__u32 length;
};
struct bng_discovery {
	__u32 code;
	__u32 session_id;
	__u32 length; /* of all tags */
	__u32 at;     /* of the walk */
	__u32 seen;   /* enum bng_pppoe_seen */
	__u32 bad;
	struct bng_tag_place service;
	struct bng_tag_place host;
	struct bng_tag_place cookie;
	struct bng_tag_place relay_session;
	__u32 max_payload;
	__u32 out;           /* in the frame */
	__u32 offered_at;    /* of the offer that was asked for, which is not offered twice */
	__u32 offered_bytes; /* its length; 0: none was */
	__u32 slice;         /* of the time that cookies count */
	__u32 _pad;
};

/* The walk over TCP's header, which lies in options[]. */
struct bng_mss {
	__u32 at;
	__u32 end;
	__u32 found; /* of the value; 0: not there */
	__be16 value;
	__u16 check;
};

/* What SipHash is asked. */
struct bng_siphash {
	__u64 key[2];
	__u64 words[3];
};

struct bng_icmp_due {
	__u32 type;
	__u32 code;
	__u32 mtu; /* set by whoever finds the packet too big */
	__be32 source;
	struct bng_ip6 source6;
	__u32 sent; /* tx reason, 0: the cause calls for no error */
};

/* What a filter's rules are held against. */
struct bng_packet_facts {
	__u32 way; /* enum bng_way */
	__u32 protocol;
	__be32 remote;
	__u32 port; /* of the remote side, 0: not seen */
	struct bng_ip6 remote6;
};

/* The walk over IPv6's extension headers, which lie in options[]. */
struct bng_chain {
	__u32 at;
	__u32 end;     /* of the packet, behind the IPv6 header */
	__u32 next;    /* header at `at` */
	__u32 refused; /* enum bng_reason */
	__u64 seen[4]; /* next-header values, a bit each */
};

/* A solicitation, which lies in options[], and what answers it. */
struct bng_solicitation {
	struct bng_ip6 target;
	struct bng_ip6 answer_to;
	__u32 length; /* of the ICMPv6 message */
	__u32 at;     /* of the walk over its options */
	__u32 bad;
	__u32 has_link_layer; /* the sender's link-layer address was among them */
	__u32 flags;          /* of a Neighbor Advertisement, in its first word */
	__u32 _pad;
};

/* The walk over a DHCPv6 message, which lies in options[] with its UDP header. */
struct bng_dhcp6_place {
	__u32 at; /* of the data */
	__u32 length;
};
struct bng_dhcp6_walk {
	__u32 at;
	__u32 end;
	__u32 refused; /* enum bng_reason */
	__u32 done;
	__u32 associations; /* met, each an expected one */
	__u32 matched;      /* of the expected ones, as bits */
	struct bng_dhcp6_place client_id;
	struct bng_dhcp6_place server_id;
	struct bng_dhcp6_association association; /* the one looked at */
};

/*
 * What of a session counts for a packet it sends: the session's pointer, kept while others are looked up,
 * would be spilled.
 */
struct bng_sender {
	__u32 flags; /* enum bng_session_flags */
	__u32 vrf;
	__u32 filter_index;
	__u32 overhead;
	__u32 mtu;
	__u32 _pad;
};

/* What NAT makes of a packet: decided first, carried out when all else has let it pass. */
enum bng_nat_changes {
	BNG_NAT_SOURCE = 1 << 0,
	BNG_NAT_DESTINATION = 1 << 1,
	BNG_NAT_UPPER =
		1 << 2, /* the packet has the upper layer's header: ports and checksum change with it */
	BNG_NAT_QUOTED_SOURCE = 1 << 3, /* an ICMP error: what it quotes changes, too */
	BNG_NAT_QUOTED_DESTINATION = 1 << 4,
	BNG_NAT_BY_AGENT = 1 << 5, /* translated, it leaves by the agent, which may change its contents */
};
struct bng_nat_work {
	/* how the packet leaves */
	__u32 changes; /* enum bng_nat_changes; 0: as it came */
	__be32 source;
	__be32 destination;
	__be16 source_port; /* or the identifier of an ICMP query */
	__be16 destination_port;
	__be32 quoted_source; /* of the quote */
	__be32 quoted_destination;
	__be16 quoted_source_port; /* or the identifier */
	__be16 quoted_destination_port;
	__u8 icmp_type;
	__u8 _pad[3];
	__u64 sender_id; /* session a line's packet came from, 0: it came from the core */
	/* the session, of the side that is inside */
	__u64 session_id;
	__be32 session;
	__u32 vrf;
	__u32 slot;
	/* how it came */
	__be16 old_source_port;
	__be16 old_destination_port;
	__u32 tcp_flags;
	__u32 protocol; /* index, enum bng_nat_protocol */
	__u32 flags;    /* enum bng_nat_mapping_flags, of the mapping in hand */
	__u32 step;
	__u32 start;
	__u32 refused;
	struct bng_nat_key out;
	struct bng_nat_key in;
	struct bng_nat_flow_key flow;
	struct bng_nat_fragment_key fragment;
	struct bng_nat_mapping mapping;
	struct bng_nat_reverse reverse;
	struct bng_nat_flow fresh_flow;
	struct bng_nat_fragment fresh_fragment;
	struct bng_nat_session grant;
};

struct bng_scratch {
	/* First, so that its address is the scratch's and needs no register of its own. */
	union {
		__u8 options[BNG_OPTIONS_MASK + 1 + BNG_OPTIONS_SLACK];
		__u8 quote[BNG_QUOTE_MAX + 8];
		__u8 header[64];
	};

	/* the frame */
	__u32 index; /* of the counter being bumped */
	__u32 forgotten;
	__u16 check; /* a checksum on its way into the frame */
	__u32 frame_length;
	__u32 l2_length; /* 14, 18 or 22 */
	__u16 ethertype; /* behind the tags, host order */
	__u8 destination_is_group;
	__u8 _pad;
	__u32 ip_header_length; /* with the extension headers of IPv6 */
	__u32 ip_length;
	__u32 port_vrf;
	__u32 port_flags;
	__u8 port_mac[8];
	__u8 frame_source[8];
	__be32 source;
	__be32 destination;
	__u32 ppp_length; /* behind PPP's protocol */
	__u16 fragment;   /* host order: flags and offset, of both families as IPv4 has them */
	__u8 protocol;    /* of the upper layer, behind extension headers */
	__u8 ttl;         /* or hop limit */
	struct bng_ip6 source6;
	struct bng_ip6 destination6;
	__u32 slot;             /* of the session to blame when the packet is refused */
	__u32 template_index;   /* whose gateway ICMP errors come from; 0: the port's address */
	__u32 session_is_known; /* slot is meaningful */
	__u32 out_port;
	__u32 hop_slot; /* index into hop_cache */
	__u32 hop_mtu;  /* of the core port toward a GATEWAY */
	struct bng_packet_facts facts;
	__u32 filter;  /* index of the session's */
	__u32 policer; /* index into policers */
	__u32 rate_bytes;
	__u32 hand_over_port; /* of a record of the classes HELD, FRAGMENT and NAT_ALG */
	__u32 hand_over_detail;
	struct bng_rate rate; /* the session's, of one direction */
	__u8 front[96];       /* Ethernet to giaddr and chaddr, while the frame grows in front */

	struct bng_line_key line;
	struct bng_line_key toward_line; /* of a packet to be cut, or of IPv6 */
	struct bng_address_key address;
	struct bng_route_key route;
	struct bng_route toward;  /* the route of the packet's destination */
	struct bng_sender sender; /* of IPv6 */
	struct bng_route6_key route6;
	struct bng_route6 toward6;
	struct bng_address6_key address6;
	struct bng_relay_key relay;
	struct bng_guard_key guard;
	__u64 clock_jiffies; /* of this CPU, not of the packet */
	__u64 clock_ns;
	__u64 now_ns;
	__u64 session_id; /* of the punted packet's line */
	__u64 generation;
	__u8 next_mac[12]; /* destination and source toward the next hop */

	struct bng_nat_work nat;
	struct bpf_fib_lookup fib;
	struct bng_icmp_due icmp;
	struct bng_chain chain;
	struct bng_solicitation solicitation;
	struct bng_dhcp6_walk dhcp6;
	struct bng_discovery discovery;
	struct bng_siphash siphash;
	struct bng_padr_key padr;
	struct bng_mss mss;
	__u8 max_payload_tag[8];
	__u8 own_tags[128]; /* AC-Cookie, AC-Name, and zeros for ever */
	struct bng_dhcp_request request;
	struct bng_dhcp_answer answer;
	__u64 prl[BNG_PRL_MAX / 8]; /* the asked codes, padded with zeros */
	__u64 prl_hash;
	__u64 hash;
	struct bng_compose compose;
	__u64 walk;           /* +1 per request, so that option_at needs no clearing */
	__u64 last_code;      /* where the walk stopped */
	__u64 repeated;       /* not 0: an option came twice */
	__u64 option_at[256]; /* by code: walk << 16 | BNG_OPTION_NOTED | offset in options[] */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bng_scratch);
} scratch SEC(".maps");

static __always_inline struct bng_scratch *scratch_of_this_cpu(void)
{
	return bpf_map_lookup_elem(&scratch, (const void *)&bng_zero);
}

/*
 * The value, without what the verifier knew of it: without CAP_PERFMON an offset that is a constant on one
 * path and a range on another may not be added to a map value.
 */
static __always_inline __u32 forget(struct bng_scratch *s, __u32 value)
{
	volatile __u32 *memory = &s->forgotten;

	*memory = value;
	return *memory;
}

#endif
