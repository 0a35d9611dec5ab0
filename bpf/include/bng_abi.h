/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The layout of every map shared by the XDP programs and the agent: keys, values, flags, limits, reasons.
 * Addresses (__be32, mac) are bytes in network order; VLAN ids, ports and counts are host order.
 * Times are CLOCK_BOOTTIME nanoseconds. Padding is named _pad and always zero.
 */
#ifndef BNG_ABI_H
#define BNG_ABI_H

#include <linux/types.h>
#include <stddef.h>

enum {
	BNG_ABI_VERSION = 1,
	BNG_MAX_PORTS = 64,            /* port indices 1..63; 0 is never a port */
	BNG_MAX_TEMPLATES = 4096,      /* template indices 1..4095; 0: none */
	BNG_MAX_NEXT_HOPS = 1024,      /* indices 1..1023; 0: none */
	BNG_MAX_TEMPLATE_OPTIONS = 26, /* 24 from the controller, and options 1 and 3 */
	BNG_TEMPLATE_BYTES = 512,
	BNG_MAX_FILTERS = 1024, /* indices 1..1023; 0: none */
	BNG_MAX_FILTER_RULES = 32,
	BNG_MAX_OPTION82 = 255,
	BNG_FRAME_MAX = 2048, /* largest frame punted or injected */
	BNG_PPPOE_NAME_MAX = 64,
	BNG_PPPOE_NAMES_MAX = 16,
	BNG_PPPOE_AC_NAME_BYTES = 68, /* with the tag's head */
	BNG_PPPOE_OFFERED_BYTES = 16 * 68,
	BNG_INLINE_PREFIXES = 4, /* of a session, beside its session6; more are looked up in routes6 */
	BNG_SESSION_PREFIXES_MAX = 16,
	BNG_DHCP6_ASSOCIATIONS_MAX = 4,
	BNG_ADVERTISEMENT_MAX = 512, /* bytes of a Router Advertisement */
	BNG_DHCP6_REPLY_MAX = 512,   /* bytes behind the transaction id */
	BNG_MAX_NAT_POLICIES = 256,  /* indices 1..255; 0: none */
	BNG_NAT_BLOCKS_MAX = 8,      /* of one session */
	BNG_NAT_FORWARDS_MAX = 32,   /* of one session */
	BNG_NAT_FIRST_PORT = 1024,   /* below are only forwards */
};

/* An IPv6 address, in network order. */
struct bng_ip6 {
	__be64 high;
	__be64 low;
};

enum bng_port_role { BNG_ROLE_NONE = 0, BNG_ROLE_ACCESS = 1, BNG_ROLE_CORE = 2 };

enum bng_port_flags {
	BNG_PORT_CONFIGURED = 1 << 0,     /* the controller has sent its policy; otherwise everything drops */
	BNG_PORT_TRUST_OPTION82 = 1 << 1, /* and TR-101's circuit tag of PPPoE */
	BNG_PORT_TRUST_RELAYS = 1 << 2,
	BNG_PORT_IPV6 = 1 << 3, /* link_local is meaningful; otherwise IPv6 from lines drops */
};

/* ports: ARRAY, by port index. */
struct bng_port {
	__u32 ifindex;
	__u32 vrf;
	__u16 mtu; /* IP MTU, 0: not enforced */
	__u8 role;
	__u8 flags;
	__u8 mac[6];
	__u8 _pad[2];
	__be32 ipv4; /* source of ICMP errors when no pool's gateway fits; 0: such errors are not sent */
	struct bng_ip6 link_local; /* access: our address on every line */
	struct bng_ip6 ipv6;       /* source of ICMPv6 errors: our address in the port's VRF; 0: none */
	__u64 refused_headers[4];  /* access: next-header values that no packet may carry, a bit each */
};
_Static_assert(sizeof(struct bng_port) == 88, "bng_port");
_Static_assert(offsetof(struct bng_port, refused_headers) == 56, "bng_port.refused_headers");
_Static_assert(offsetof(struct bng_port, mac) == 12, "bng_port.mac");
_Static_assert(offsetof(struct bng_port, ipv4) == 20, "bng_port.ipv4");

/* sessions: HASH, the upstream and DHCP key. giaddr is 0 but for clients behind a layer-3 relay. */
struct bng_line_key {
	__u32 port;
	__u16 s_vlan; /* outer or only tag, 0: untagged or priority-tagged */
	__u16 c_vlan;
	__be32 giaddr;
	__u8 mac[6];    /* client MAC (chaddr) */
	__u16 pppoe_id; /* 0: IPoE */
};
_Static_assert(sizeof(struct bng_line_key) == 20, "bng_line_key");
_Static_assert(offsetof(struct bng_line_key, mac) == 12, "bng_line_key.mac");

enum bng_session_flags {
	BNG_SESSION_FAST_DHCP = 1 << 0,     /* DHCP of this line may be answered here */
	BNG_SESSION_SPOOF_LOG = 1 << 1,     /* count a spoofed source, forward it */
	BNG_SESSION_RELAYED = 1 << 2,       /* behind a layer-3 relay: frames carry relay_mac */
	BNG_SESSION_HAS_OPTION82 = 1 << 3,  /* option82_hash is meaningful */
	BNG_SESSION_HAS_CLIENT_ID = 1 << 4, /* client_id_hash is meaningful */
	BNG_SESSION_POLICED_UP = 1 << 5,    /* rate_up is meaningful */
	BNG_SESSION_POLICED_DOWN = 1 << 6,
	BNG_SESSION_HAS_ROUTES = 1 << 7, /* prefixes of routes4 lead to it: it may send from them */
	BNG_SESSION_PPPOE = 1 << 8,      /* mtu and magic are meaningful */
	BNG_SESSION_CLAMP_MSS = 1 << 9,
	BNG_SESSION_IPV6 = 1 << 10, /* sessions6 has its slot */
	BNG_SESSION_NAT = 1 << 11,  /* translated: nat_sessions has its slot, or nothing of it is forwarded */
	BNG_SESSION_NAT_STATIC = 1 << 12, /* and that one to one */
};

/* A rate and its bucket, in the units of bng_rate.h. */
struct bng_rate {
	__u64 multiplier; /* time a byte takes */
	__u64 tolerance;  /* time the bucket's bytes take */
};
_Static_assert(sizeof(struct bng_rate) == 16, "bng_rate");

/* Value of sessions. Replaced as a whole, so that a reader sees the old or the new one. */
struct bng_session {
	__u64 session_id;
	__u64 generation;
	__u64 ends_ns;        /* Session-Timeout; 0: none */
	__u64 option82_hash;  /* bng_bytes_hash() of the whole option value */
	__u64 client_id_hash; /* bng_bytes_hash() of the whole option 61 value */
	__u32 slot;           /* index into session_state and session_counters */
	__u32 vrf;
	__be32 ipv4; /* 0: none */
	__u32 template_index;
	__be16 s_tpid; /* 0: untagged */
	__be16 c_tpid;
	__u16 flags;
	__u8 frame_mac[6];  /* layer-2 address frames to and from this session carry: client or relay */
	__u32 filter_index; /* 0: none */
	struct bng_rate rate_up;
	struct bng_rate rate_down;
	__u16 overhead; /* bytes around each IP packet that count against the rates */
	__u16 mtu;      /* largest IP packet toward the line; 0: the port's */
	__be32 magic;   /* our LCP magic number */
};
_Static_assert(sizeof(struct bng_session) == 112, "bng_session");
_Static_assert(offsetof(struct bng_session, slot) == 40, "bng_session.slot");
_Static_assert(offsetof(struct bng_session, flags) == 60, "bng_session.flags");
_Static_assert(offsetof(struct bng_session, rate_up) == 72, "bng_session.rate_up");
_Static_assert(offsetof(struct bng_session, magic) == 108, "bng_session.magic");

/*
 * session_state: ARRAY (mmapable), by slot. Survives a change of the session's content.
 * The programs write expires_ns, renewals, active_ns and the drop fields; the agent writes the rest, sets
 * expires_ns on upsert and active_ns when it gives the slot out.
 */
struct bng_session_state {
	__u64 session_id;        /* owner of the slot; 0: free */
	__u64 expires_ns;        /* lease end; data and fast path refuse at or after it; 0: no lease */
	__u32 renewals;          /* leases granted by the fast path, +1 each */
	__u32 renewals_reported; /* value of renewals when last acknowledged upstream */
	__u64 renewed_ns;
	__u64 last_drop_ns;
	__u32 last_drop_reason;
	__u32 lapse_reported; /* 1: the agent has reported this slot's end */
	__u64 dhcp_replies;   /* answered by the fast path; here, and not per CPU, to spare a cache line */
	__u64 active_ns;      /* last packet taken from the line; written once a second at most */
};
_Static_assert(sizeof(struct bng_session_state) == 64, "bng_session_state");

/*
 * ppp_state: ARRAY (mmapable), by slot, of PPPoE sessions. Only the programs write; the agent wipes it when
 * it gives the slot out.
 */
struct bng_ppp_state {
	__u64 heard_ns;        /* last Echo-Reply */
	__u64 echoes_answered; /* Echo-Requests of the client */
	__u64 echo_replies;
	__u64 _pad;
};
_Static_assert(sizeof(struct bng_ppp_state) == 32, "bng_ppp_state");

/*
 * sessions6: HASH by slot, of sessions with BNG_SESSION_IPV6; replaced as a whole, before the session in
 * sessions is.
 */
struct bng_prefix6 {
	struct bng_ip6 address; /* host bits zero */
	struct bng_ip6 mask;
};
enum bng_session6_flags {
	BNG_SESSION6_ACTIVITY_RENEWS = 1 << 0,
	BNG_SESSION6_MORE_PREFIXES = 1 << 1, /* than inline ones: routes6 knows the others */
	BNG_SESSION6_ADVERTISES = 1 << 2,    /* advertisements has the slot */
	BNG_SESSION6_DHCP = 1 << 3,          /* dhcp6_replies has the slot */
};
struct bng_session6 {
	__u64 session_id;
	__u64 valid_ns; /* what a renewal extends the lease by */
	__u32 flags;    /* enum bng_session6_flags */
	__u32 prefix_count;
	struct bng_prefix6 prefixes[BNG_INLINE_PREFIXES];
};
_Static_assert(sizeof(struct bng_session6) == 152, "bng_session6");
_Static_assert(offsetof(struct bng_session6, prefixes) == 24, "bng_session6.prefixes");

/*
 * session6_state: ARRAY (mmapable), by slot. Survives a change of the session's content. The programs write
 * expires_ns (renewals only), renewals, active_ns, advertisements and dhcp_replies; the agent writes the
 * rest, and expires_ns on upsert and when activity renews.
 */
struct bng_session6_state {
	__u64 session_id; /* owner of the slot; 0: free, or no IPv6 */
	__u64 expires_ns; /* end of the IPv6 lease; 0: none runs */
	__u32 renewals;   /* leases extended, +1 each, by either */
	__u32 renewals_reported;
	__u64 active_ns; /* last accepted IPv6 packet, or solicitation, of the line; written once a second at
			    most */
	__u32 lapse_reported;
	__u32 _pad;
	__u64 advertisements; /* solicitations answered */
	__u64 dhcp_replies;
	__u64 _pad2;
};
_Static_assert(sizeof(struct bng_session6_state) == 64, "bng_session6_state");

/* session6_counters: PERCPU_ARRAY, by slot. What is counted here is not in session_counters. */
struct bng_session6_counters {
	__u64 up_packets;
	__u64 up_bytes;
	__u64 down_packets;
	__u64 down_bytes;
};
_Static_assert(sizeof(struct bng_session6_counters) == 32, "bng_session6_counters");

/* advertisements: HASH by slot. An ICMPv6 Router Advertisement with a checksum of 0, padded with zeros. */
struct bng_advertisement {
	__u32 length;
	__u32 sum; /* bpf_csum_diff() of the bytes, not folded */
	__u8 bytes[BNG_ADVERTISEMENT_MAX];
};
_Static_assert(sizeof(struct bng_advertisement) == 520, "bng_advertisement");

/* dhcp6_replies: HASH by slot. What the Renew of a known client must say, and what it is answered with. */
struct bng_dhcp6_association {
	__u16 kind;   /* option code, host order */
	__u16 length; /* of the prefix, 128 for an address */
	__be32 iaid;
	struct bng_ip6 address;
};
struct bng_dhcp6_reply {
	__u64 client_id_hash; /* bng_bytes_hash() of the DUID */
	__u64 server_id_hash;
	__u32 association_count;
	__u32 reply_length;
	__u32 sum; /* like an advertisement's, of the reply as bytes at an even offset */
	__u32 _pad;
	struct bng_dhcp6_association associations[BNG_DHCP6_ASSOCIATIONS_MAX];
	__u8 reply[BNG_DHCP6_REPLY_MAX]; /* behind the transaction id, padded with zeros */
};
_Static_assert(sizeof(struct bng_dhcp6_association) == 24, "bng_dhcp6_association");
_Static_assert(sizeof(struct bng_dhcp6_reply) == 640, "bng_dhcp6_reply");

/*
 * policers: ARRAY (mmapable), by slot * BNG_DIRECTIONS + direction. A cache line each: up and down run on
 * different CPUs. Only the programs write; the agent wipes it when it gives the slot out.
 */
enum bng_direction { BNG_UP = 0, BNG_DOWN = 1, BNG_DIRECTIONS = 2 };
struct bng_policer {
	__u64 full_at;    /* when the bucket would be full again (GCRA's theoretical arrival time) */
	__u64 multiplier; /* of the rate it was last charged under */
	__u64 _pad[6];
};
_Static_assert(sizeof(struct bng_policer) == 64, "bng_policer");

/* session_counters: PERCPU_ARRAY, by slot. */
struct bng_session_counters {
	__u64 up_packets; /* accepted from the line; bytes are IP bytes */
	__u64 up_bytes;
	__u64 down_packets; /* sent to the line */
	__u64 down_bytes;
	__u64 dropped_packets;
	__u64 _pad[3];
};
_Static_assert(sizeof(struct bng_session_counters) == 64, "bng_session_counters");

/* session_addresses: HASH, downstream. The value leads to sessions. */
struct bng_address_key {
	__u32 vrf;
	__be32 ipv4;
};
_Static_assert(sizeof(struct bng_address_key) == 8, "bng_address_key");

/* own_addresses: HASH by bng_address_key: what the BNG answers ARP and echo for on access ports. */
enum bng_own_flags { BNG_OWN_GATEWAY = 1 << 0, BNG_OWN_SERVER = 1 << 1 };
struct bng_own_address {
	__u32 flags;
};

/* own_addresses6: HASH, likewise for neighbour discovery and ICMPv6 echo. Link-local ones are the port's. */
struct bng_address6_key {
	__u32 vrf;
	__u32 _pad;
	struct bng_ip6 ipv6;
};
_Static_assert(sizeof(struct bng_address6_key) == 24, "bng_address6_key");

/* trusted_relays: HASH; value is one __u32, always 1. */
struct bng_relay_key {
	__u32 port;
	__be32 giaddr;
};
_Static_assert(sizeof(struct bng_relay_key) == 8, "bng_relay_key");

/*
 * dhcp_templates: ARRAY, by template index. bytes[] holds ready TLVs, options 1 and 3 among them (from the
 * pool's prefix and gateway), in ascending code; 51, 53, 54, 58, 59, 61 and 82 are never there. A change is
 * written twice, first all zero and then whole: version is the last field and not 0, so what was composed
 * from a half-written template is never kept. A version is never used again for an index while the programs
 * live.
 */
struct bng_template_option {
	__u8 code;
	__u8 length;  /* of the data; the TLV in bytes[] is length + 2 */
	__u16 offset; /* of the TLV (code, length, data) in bytes[] */
};
struct bng_dhcp_template {
	__be32 server_id; /* 0: the index is free */
	__be32 gateway;
	__be32 netmask;
	__u32 lease_s;
	__u32 renewal_s;
	__u32 rebinding_s;
	__u32 vrf;
	__u16 option_count;
	__u16 option_bytes;
	struct bng_template_option options[BNG_MAX_TEMPLATE_OPTIONS];
	__u8 bytes[BNG_TEMPLATE_BYTES];
	__u8 slot_of_code[256]; /* by option code: 1 + index into options, 0: not held */
	__u64 version;
};
_Static_assert(sizeof(struct bng_template_option) == 4, "bng_template_option");
_Static_assert(sizeof(struct bng_dhcp_template) == 912, "bng_dhcp_template");
_Static_assert(offsetof(struct bng_dhcp_template, options) == 32, "bng_dhcp_template.options");
_Static_assert(offsetof(struct bng_dhcp_template, slot_of_code) == 648, "bng_dhcp_template.slot_of_code");

/*
 * filters: HASH by filter index, so that a change is seen whole or not at all. Remote is the side that is not
 * the subscriber. The first rule that matches decides.
 */
enum bng_families { BNG_FAMILY_IPV4 = 1, BNG_FAMILY_IPV6 = 2, BNG_FAMILY_BOTH = 3 };
enum bng_way { BNG_WAY_UP = 1, BNG_WAY_DOWN = 2, BNG_WAY_BOTH = 3 };
struct bng_filter_rule {
	struct bng_ip6 remote6; /* host bits zero */
	struct bng_ip6 mask6;   /* 0: any address, or an IPv4 rule */
	__be32 remote;          /* host bits zero */
	__be32 mask;            /* 0: any address, or an IPv6 rule */
	__u16 port_first;       /* of the remote side, host order; 0: any, or no ports at all */
	__u16 port_last;
	__u8 protocol; /* 0: any */
	__u8 ways;     /* enum bng_way, as bits */
	__u8 permits;
	__u8 families; /* enum bng_families, as bits */
};
struct bng_filter {
	__u32 rule_count;
	__u8 permits_rest;
	__u8 _pad[3];
	struct bng_filter_rule rules[BNG_MAX_FILTER_RULES];
};
_Static_assert(sizeof(struct bng_filter_rule) == 48, "bng_filter_rule");
_Static_assert(offsetof(struct bng_filter_rule, protocol) == 44, "bng_filter_rule.protocol");
_Static_assert(sizeof(struct bng_filter) == 8 + 48 * BNG_MAX_FILTER_RULES, "bng_filter");

/*
 * pppoe_services: HASH by port index, so that a change is seen whole or not at all. A port without an entry
 * answers no discovery. Tags of names lie ready, head included.
 */
enum bng_pppoe_flags { BNG_PPPOE_ANY_SERVICE = 1 << 0 };
struct bng_pppoe_offer {
	__u64 hash; /* bng_bytes_hash() of the name */
	__u16 at;   /* of its tag in offered[] */
	__u16 bytes;
	__u32 _pad;
};
struct bng_pppoe_service {
	__u64 key[2]; /* SipHash's k0 and k1 */
	__u64 previous_key[2];
	__u32 access_domain_id;
	__u32 flags;
	__u32 delay_ms;
	__u16 max_payload; /* 0: PPP-Max-Payload is not answered */
	__u16 name_count;
	__u16 ac_name_bytes;
	__u16 offered_bytes;
	__u32 _pad;
	struct bng_pppoe_offer names[BNG_PPPOE_NAMES_MAX];
	__u8 ac_name[BNG_PPPOE_AC_NAME_BYTES];
	__u8 offered[BNG_PPPOE_OFFERED_BYTES];
	__u8 _pad2[4 + BNG_PPPOE_OFFERED_BYTES]; /* a verifier sees any piece begin at any offset */
};
_Static_assert(sizeof(struct bng_pppoe_offer) == 16, "bng_pppoe_offer");
_Static_assert(sizeof(struct bng_pppoe_service) == 2560, "bng_pppoe_service");
_Static_assert(offsetof(struct bng_pppoe_service, names) == 56, "bng_pppoe_service.names");
_Static_assert(offsetof(struct bng_pppoe_service, ac_name) == 312, "bng_pppoe_service.ac_name");

/* pppoe_requests: LRU_HASH, when a PADR with these bytes was last punted. */
struct bng_padr_key {
	struct bng_line_key line;
	__u32 sum; /* of the payload */
};
_Static_assert(sizeof(struct bng_padr_key) == 24, "bng_padr_key");

/* routes4: LPM_TRIE. prefix_bits counts the 32 VRF bits: a /24 in any VRF is 56. */
struct bng_route_key {
	__u32 prefix_bits;
	__be32 vrf; /* big-endian, so that the trie compares it bit by bit */
	__be32 ipv4;
};
enum bng_route_kind {
	BNG_ROUTE_NONE = 0,
	BNG_ROUTE_NEXT_HOP = 1,
	BNG_ROUTE_SUBSCRIBERS = 2,
	BNG_ROUTE_BLACKHOLE = 3,
	BNG_ROUTE_OWN =
		4, /* a /32 the agent adds for every own address, so that upstream data needs one look-up */
	BNG_ROUTE_SESSION = 5,      /* a prefix behind a session */
	BNG_ROUTE_NAT = 6,          /* public addresses of NAT */
	BNG_ROUTE_UNTRANSLATED = 7, /* as NEXT_HOP, past NAT */
};
struct bng_route {
	__u32 kind;
	__u32 next_hop; /* index into next_hops, for NEXT_HOP and UNTRANSLATED */
	__be32 session; /* address of the session, for SESSION */
};
_Static_assert(sizeof(struct bng_route) == 12, "bng_route");
_Static_assert(sizeof(struct bng_route_key) == 12, "bng_route_key");

/* routes6: LPM_TRIE. Prefixes of sessions, too: they lead to the line at once. */
struct bng_route6_key {
	__u32 prefix_bits; /* with the 32 of the VRF */
	__be32 vrf;
	struct bng_ip6 ipv6;
};
struct bng_route6 {
	__u32 kind;               /* enum bng_route_kind */
	__u32 next_hop;           /* index into next_hops, for NEXT_HOP */
	struct bng_line_key line; /* for SESSION */
	__u32 length;             /* of the prefix, without the VRF */
};
_Static_assert(sizeof(struct bng_route6_key) == 24, "bng_route6_key");
_Static_assert(sizeof(struct bng_route6) == 32, "bng_route6");

/*
 * NAT44. Ports and ICMP identifiers are in network order, those of blocks in host order. Inside is the
 * session's side. A mapping is an entry of nat_out and one of nat_in, each leading to the other; nat_in is
 * made first and removed last, so that a port is never taken twice. Both, and flows, are removed by the
 * program xdp_nat_reap alone, which first sets seen_ns to BNG_NAT_DEAD by compare-and-swap: whoever finds
 * that, or a session_id that is not the session's, makes a new one.
 */
#define BNG_NAT_DEAD (~0ULL)

enum bng_nat_protocol { BNG_NAT_TCP = 0, BNG_NAT_UDP = 1, BNG_NAT_ICMP = 2, BNG_NAT_PROTOCOLS = 3 };

/* nat_policies: ARRAY, by index. Timeouts are the agent's, who sweeps. */
enum bng_nat_policy_flags {
	BNG_NAT_ADDRESS_DEPENDENT = 1 << 0, /* filtering; otherwise endpoint-independent */
	BNG_NAT_INBOUND_REFRESH = 1 << 1,
	BNG_NAT_PARITY = 1 << 2,
	BNG_NAT_PCP = 1 << 3, /* requests to port 5351 of our address are punted */
	BNG_NAT_FTP = 1 << 4, /* new mappings of TCP have BNG_NAT_ALG */
};
struct bng_nat_policy {
	__u32 flags; /* enum bng_nat_policy_flags */
	__u32 flows_per_session;
};
_Static_assert(sizeof(struct bng_nat_policy) == 8, "bng_nat_policy");

/* nat_sessions: HASH by slot, of sessions with BNG_SESSION_NAT; replaced as a whole, before the session is.
 */
struct bng_nat_session {
	__u64 session_id;
	__be32 address; /* the public one */
	__u32 policy;   /* index; 0 for a static one */
	__u16 block_count;
	__u16 block_ports;                     /* size of each, a power of two */
	__u16 first_ports[BNG_NAT_BLOCKS_MAX]; /* host order */
	__u32 _pad;
};
_Static_assert(sizeof(struct bng_nat_session) == 40, "bng_nat_session");

/*
 * nat_state: ARRAY (mmapable), by slot. Only the programs write; the agent wipes it when it gives the slot
 * out. What is counted in mappings and flows is there now.
 */
struct bng_nat_state {
	__u64 session_id;
	__u32 mappings[BNG_NAT_PROTOCOLS];
	__u32 flows;
	__u64 created; /* mappings, ever */
	__u64 refused; /* packets that needed a port, a mapping or a flow and got none */
	__u32 asked;   /* number of blocks for which more have been asked for */
	__u32 _pad;
	__u64 _pad2[2];
};
_Static_assert(sizeof(struct bng_nat_state) == 64, "bng_nat_state");

/* nat_out and nat_in: HASH. */
struct bng_nat_key {
	__u32 vrf;
	__be32 address; /* inside of nat_out, outside of nat_in */
	__be16 port;
	__u8 protocol; /* IP's number */
	__u8 _pad;
};
_Static_assert(sizeof(struct bng_nat_key) == 12, "bng_nat_key");

enum bng_nat_mapping_flags {
	BNG_NAT_FORWARD = 1 << 0,   /* stands in the session's forwards: it is not swept */
	BNG_NAT_FLOWS = 1 << 1,     /* each peer needs a flow: TCP, and address-dependent filtering */
	BNG_NAT_REFRESHED = 1 << 2, /* by what comes from outside, too */
	BNG_NAT_FILTERED = 1 << 3,  /* peers have to be known: address-dependent filtering */
	BNG_NAT_STATIC = 1 << 4, /* in nat_in, with protocol and port 0: the whole address is the session's */
	BNG_NAT_ALG = 1 << 6,    /* what goes to or comes from port 21 leaves by the agent */
};
struct bng_nat_mapping {
	__u64 session_id;
	__u64 seen_ns;  /* last packet that keeps it; written once a second at most */
	__be32 address; /* outside */
	__be16 port;
	__u8 flags; /* enum bng_nat_mapping_flags */
	__u8 _pad;
	__u32 slot;
	__u32 flows; /* that are there */
};
_Static_assert(sizeof(struct bng_nat_mapping) == 32, "bng_nat_mapping");

struct bng_nat_reverse {
	__u64 session_id;
	__be32 address; /* inside */
	__be16 port;
	__u8 flags; /* enum bng_nat_mapping_flags */
	__u8 _pad;
	__be32 session; /* address of the session, which leads to its line */
	__u32 slot;
};
_Static_assert(sizeof(struct bng_nat_reverse) == 24, "bng_nat_reverse");

/*
 * nat_flows: HASH, a TCP connection, or with peer_port 0 a peer that address-dependent filtering lets in. Of
 * a mapping with BNG_NAT_FLOWS; counted in its `flows`.
 */
struct bng_nat_flow_key {
	__u32 vrf;
	__be32 address; /* outside */
	__be32 peer;
	__be16 port; /* outside */
	__be16 peer_port;
	__u8 protocol;
	__u8 _pad[3];
};
_Static_assert(sizeof(struct bng_nat_flow_key) == 20, "bng_nat_flow_key");

enum bng_nat_flow_state {
	BNG_NAT_SYN_INSIDE = 1 << 0,  /* seen from inside */
	BNG_NAT_SYN_OUTSIDE = 1 << 1, /* both: established (RFC 5382 5) */
	BNG_NAT_FIN_INSIDE = 1 << 2,
	BNG_NAT_FIN_OUTSIDE = 1 << 3, /* both: transitory again */
	BNG_NAT_RST = 1 << 4,         /* RFC 7857 2.2: transitory, until data follows */
	BNG_NAT_DATA_INSIDE = 1 << 5, /* a connection met in its middle is established once both have sent */
	BNG_NAT_DATA_OUTSIDE = 1 << 6,
};
struct bng_nat_flow {
	__u64 session_id;
	__u64 seen_ns;
	__u64 state; /* enum bng_nat_flow_state, of TCP */
	__be32 inside;
	__be16 inside_port;
	__u16 _pad;
	__u32 slot;
	__u32 _pad2;
};
_Static_assert(sizeof(struct bng_nat_flow) == 40, "bng_nat_flow");

/* By a RST, or both sides' FIN. */
static inline int bng_nat_flow_is_closed(__u64 state)
{
	const __u64 fins = BNG_NAT_FIN_INSIDE | BNG_NAT_FIN_OUTSIDE;

	return (state & BNG_NAT_RST) || (state & fins) == fins;
}

/* nat_fragments: LRU_HASH, how the fragments behind a first one are translated; for one direction each. */
struct bng_nat_fragment_key {
	__u32 vrf;
	__be32 source; /* as it came */
	__be32 destination;
	__be16 id;
	__u8 protocol;
	__u8 is_downstream;
};
struct bng_nat_fragment {
	__u64 seen_ns;
	__u64 sender_id;  /* the session it came from, 0: from the core */
	__u64 session_id; /* the one it is for, if it is for one; else the sender */
	__be32 source;    /* as it leaves */
	__be32 destination;
	__be32 session; /* address of that session */
	__u32 _pad;
};
#define BNG_NAT_FRAGMENT_NS 30000000000ULL /* how long a first one leads the others (RFC 791 3.2) */
_Static_assert(sizeof(struct bng_nat_fragment_key) == 16, "bng_nat_fragment_key");
_Static_assert(sizeof(struct bng_nat_fragment) == 40, "bng_nat_fragment");

enum { BNG_FTP_PORT = 21 };

/*
 * nat_algs: HASH by the flow of a control connection, of those of which the agent has changed a byte. Only
 * the agent reads and writes it; it is here so that it outlives the agent.
 */
enum { BNG_NAT_EDITS = 4, BNG_NAT_EDIT_MAX = 28 };
struct bng_nat_edit {
	__u32 seq; /* of the first byte that is replaced, as the client counts */
	__u8 was;  /* bytes replaced */
	__u8 is;   /* bytes that stand there instead */
	__u8 _pad[2];
	__u8 text[BNG_NAT_EDIT_MAX];
};
struct bng_nat_alg {
	__u64 session_id;
	__u32 slot;
	__u32 moved; /* what edits that are not kept any more have added to the sequence */
	__u32 edit_count;
	__u32 _pad;
	struct bng_nat_edit edits[BNG_NAT_EDITS]; /* oldest first */
};
_Static_assert(sizeof(struct bng_nat_edit) == 36, "bng_nat_edit");
_Static_assert(sizeof(struct bng_nat_alg) == 168, "bng_nat_alg");

/*
 * xdp_nat_reap runs on these records, as the packet of a test run: the agent has found them expired, and says
 * with what seen_ns; or it wants a mapping of TCP, and a way in for one peer, as if the inside had sent
 * something to that. The program writes `done` into its copy: 1 done, 0 not.
 */
enum bng_nat_reap_kind { BNG_NAT_REAP_MAPPING = 1, BNG_NAT_REAP_FLOW = 2, BNG_NAT_OPEN = 3 };
struct bng_nat_opening {
	struct bng_nat_key inside; /* of nat_out */
	__be32 peer;
	__be32 session; /* address of the session */
};
struct bng_nat_reap {
	__u64 seen_ns;
	__u32 kind; /* enum bng_nat_reap_kind */
	__u32 done;
	union {
		struct bng_nat_key mapping; /* of nat_out */
		struct bng_nat_flow_key flow;
		struct bng_nat_opening opening;
	};
	__u32 slot; /* of an opening; so is session_id */
	__u64 session_id;
};
_Static_assert(sizeof(struct bng_nat_reap) == 48, "bng_nat_reap");
enum { BNG_NAT_REAP_MAX = 64 }; /* records of one run */

/* next_hops: ARRAY, by index. */
enum bng_next_hop_kind { BNG_NEXT_HOP_NONE = 0, BNG_NEXT_HOP_GATEWAY = 1, BNG_NEXT_HOP_KERNEL = 2 };
struct bng_next_hop {
	__u32 kind;
	__u32 port;  /* core port index, for GATEWAY; for KERNEL the one to try first */
	__be32 ipv4; /* of the gateway; 0: it has ipv6 */
	__u32 _pad;
	struct bng_ip6 ipv6;
};
_Static_assert(sizeof(struct bng_next_hop) == 32, "bng_next_hop");

/* Classes of punted packets; the numbers are those of PuntClass in proto/. */
enum bng_punt_class {
	BNG_PUNT_NONE = 0,
	BNG_PUNT_DHCPV4 = 1,
	BNG_PUNT_ARP = 2,
	BNG_PUNT_NEIGHBOR = 3,
	BNG_PUNT_PPPOE = 4,
	BNG_PUNT_PPP = 5,
	BNG_PUNT_HELD = 6,
	BNG_PUNT_FRAGMENT = 7,
	BNG_PUNT_ND = 8,
	BNG_PUNT_DHCPV6 = 9,
	BNG_PUNT_NAT_PORTS = 10, /* a record without a frame */
	BNG_PUNT_NAT_FRAGMENT = 11,
	BNG_PUNT_PCP = 12,
	BNG_PUNT_NAT_ALG = 13,
	BNG_PUNT_CLASSES = 14,
};

/* guard_rates: ARRAY, by class. */
struct bng_guard_rate {
	__u32 line_pps;
	__u32 line_burst;
	__u32 port_pps;
	__u32 port_burst;
};

/* guard_lines: LRU_HASH; guard_ports: ARRAY by port index * BNG_PUNT_CLASSES + class. Token buckets in
 * nanoseconds. */
struct bng_guard_key {
	__u32 port;
	__u16 s_vlan;
	__u16 c_vlan;
	__u32 punt_class;
};
struct bng_guard_bucket {
	__u64 full_at_ns; /* when the bucket would be full again (GCRA's theoretical arrival time) */
};

/*
 * Head of a record in the punts ring; frame_length bytes of the frame follow, unmodified but for the classes
 * HELD, FRAGMENT and NAT_ALG: theirs is the frame to be sent, out of out_port.
 */
struct bng_punt {
	__u64 received_ns;
	__u64 session_id; /* 0: unknown line */
	__u64 generation;
	__u32 port;
	__u16 punt_class;
	__u16 reason; /* enum bng_reason */
	__u32 frame_length;
	__u16 out_port;
	__u16 detail; /* HELD: milliseconds to wait; FRAGMENT, NAT_ALG: largest IP packet */
	__u8 frame[];
};
_Static_assert(sizeof(struct bng_punt) == 40, "bng_punt");

/*
 * Where packets end that are not plainly forwarded. X(name): the name goes upstream as text ("drop.<name>",
 * "punt.<name>", "tx.<name>"). Append only within a minor version; order is the index in reason_counters.
 */
#define BNG_DROP_REASONS(X)                                                                                  \
	X(malformed_ethernet)                                                                                \
	X(too_many_tags)                                                                                     \
	X(not_for_us) /* destination MAC is neither ours nor broadcast nor multicast */                      \
	X(unknown_ethertype)                                                                                 \
	X(ipv6_not_enabled)                                                                                  \
	X(pppoe_not_enabled)                                                                                 \
	X(port_not_configured)                                                                               \
	X(malformed_arp)                                                                                     \
	X(arp_not_ours)                                                                                      \
	X(malformed_ipv4)                                                                                    \
	X(malformed_udp)                                                                                     \
	X(malformed_dhcp)                                                                                    \
	X(dhcp_from_server)  /* a BOOTREPLY from a line */                                                   \
	X(dhcp_other_server) /* REQUEST names another server */                                              \
	X(forged_option82)                                                                                   \
	X(untrusted_relay)                                                                                   \
	X(no_session)                                                                                        \
	X(session_lapsed)                                                                                    \
	X(spoofed_source)                                                                                    \
	X(filtered)            /* by the session's filter */                                                 \
	X(policed_up)          /* above what the session may send */                                         \
	X(policed_down)        /* above what the session may be sent */                                      \
	X(martian_destination) /* multicast, broadcast, loopback, 0/8, 240/4 */                              \
	X(ttl_expired)                                                                                       \
	X(too_big)                                                                                           \
	X(no_route)                                                                                          \
	X(route_unreachable)                                                                                 \
	X(route_blackhole)                                                                                   \
	X(no_subscriber) /* an address of a pool without a session */                                        \
	X(no_neighbor)                                                                                       \
	X(no_template)                                                                                       \
	X(guard_line)                                                                                        \
	X(guard_port)                                                                                        \
	X(punt_ring_full)                                                                                    \
	X(punt_too_long)                                                                                     \
	X(redirect_failed)                                                                                   \
	X(own_address_unhandled)                                                                             \
	X(icmp_not_sent)   /* an ICMP error was due and allowed, but over its rate or without a source */    \
	X(internal_lookup) /* a lookup that cannot fail has failed */                                        \
	X(internal_adjust) /* the kernel refused to resize the frame */                                      \
	X(malformed_pppoe)                                                                                   \
	X(pppoe_unknown_service)                                                                             \
	X(pppoe_cookie_missing)                                                                              \
	X(pppoe_cookie_bad)                                                                                  \
	X(pppoe_cookie_stale)                                                                                \
	X(pppoe_forged_circuit)                                                                              \
	X(pppoe_repeated)    /* a PADR that has just been punted */                                          \
	X(pppoe_from_server) /* a PADO or PADS from a line */                                                \
	X(ppp_discarded)     /* Discard-Request: RFC 1661 5.9 */                                             \
	X(ppp_echo_heard)    /* Echo-Reply: noted, and at its end */                                         \
	X(malformed_ipv6)                                                                                    \
	X(ipv6_routing_header) /* of type 0: RFC 5095 */                                                     \
	X(ipv6_refused_header) /* a next-header value that the port's policy refuses */                      \
	X(ipv6_header_chain)   /* extension headers the node does not see to their end */                    \
	X(ipv6_local_scope)    /* from or to fe80::/10, or to a group, and nothing the node serves */        \
	X(malformed_nd)                                                                                      \
	X(nd_not_ours)      /* a solicitation for an address the node does not answer for */                 \
	X(nd_advertisement) /* a Neighbor Advertisement from a line: nothing is learned */                   \
	X(nd_from_router)   /* a Router Advertisement or Redirect from a line */                             \
	X(malformed_dhcpv6)                                                                                  \
	X(dhcpv6_from_server) /* what only servers say, from a line */                                       \
	X(nat_no_block)       /* to be translated, and holds no public address */                            \
	X(nat_no_port)        /* all ports of its blocks are taken */                                        \
	X(nat_table_full)                                                                                    \
	X(nat_too_many_flows) /* of one session */                                                           \
	X(nat_protocol)       /* neither TCP, UDP nor an ICMP query */                                       \
	X(nat_malformed)      /* shorter than its header, or a header that contradicts itself */             \
	X(nat_no_mapping)     /* from outside, to a port that leads nowhere */                               \
	X(nat_filtered)       /* from outside, from one whom the inside has not sent to */                   \
	X(nat_no_connection)  /* from outside, TCP that belongs to no connection and begins none */          \
	X(nat_icmp_unrelated) /* an ICMP error about nothing that was translated */                          \
	X(nat_fragment_lost)  /* a fragment whose first one never came */                                    \
	X(nat_internal)       /* a map refused what it cannot refuse */

#define BNG_PUNT_REASONS(X)                                                                                  \
	X(dhcp_unknown_line)                                                                                 \
	X(dhcp_lapsed)                                                                                       \
	X(dhcp_client_id_changed)                                                                            \
	X(dhcp_option82_changed)                                                                             \
	X(dhcp_decline)                                                                                      \
	X(dhcp_release)                                                                                      \
	X(dhcp_other_message)                                                                                \
	X(dhcp_slow_line)       /* the session forbids the fast path */                                      \
	X(dhcp_options_unusual) /* more, longer or repeated options than the fast path handles */            \
	X(dhcp_relay_moved)     /* the relay's MAC is not the session's */                                   \
	X(arp_unknown)                                                                                       \
	X(neighbor_unresolved)                                                                               \
	X(pppoe_padr)                                                                                        \
	X(pppoe_padt)                                                                                        \
	X(ppp_control)                                                                                       \
	X(ppp_unknown_session)                                                                               \
	X(pppoe_held)             /* a PADO that waits for its delay: the agent sends it */                  \
	X(fragmented)             /* over the line's MTU: the agent cuts it */                               \
	X(nd_router_solicitation) /* of an unknown line, or a session without an advertisement, or lapsed */ \
	X(dhcpv6_unknown_line)                                                                               \
	X(dhcpv6_lapsed)                                                                                     \
	X(dhcpv6_slow_line)            /* the session has no reply of its own */                             \
	X(dhcpv6_other_message)        /* neither a Renew nor relayed */                                     \
	X(dhcpv6_relayed)              /* a Relay-forward, on a port that trusts it */                       \
	X(dhcpv6_identity_changed)     /* the client's or the server's DUID is not the session's */          \
	X(dhcpv6_associations_changed) /* other associations, or others' resources, than the session's */    \
	X(dhcpv6_options_unusual)      /* more, longer or repeated options than the fast path handles */     \
	X(nat_ports_low)               /* beside a packet: three quarters of a session's ports are taken */  \
	X(nat_fragment_early)          /* a fragment before its first one: the agent brings it again */      \
	X(pcp_request)                 /* PCP or NAT-PMP of a session whose NAT policy allows it */          \
	X(nat_alg)                     /* of a control connection: the agent sends it, once it has read it */

#define BNG_TX_REASONS(X)                                                                                    \
	X(dhcp_offer)                                                                                        \
	X(dhcp_ack)                                                                                          \
	X(dhcp_nak)                                                                                          \
	X(dhcp_inform_ack)                                                                                   \
	X(arp_reply)                                                                                         \
	X(icmp_echo_reply)                                                                                   \
	X(icmp_ttl_exceeded)                                                                                 \
	X(icmp_too_big)                                                                                      \
	X(icmp_unreachable)                                                                                  \
	X(forward_up)                                                                                        \
	X(forward_down)                                                                                      \
	X(forward_line_to_line)                                                                              \
	X(pass_kernel)                                                                                       \
	X(pppoe_pado)                                                                                        \
	X(ppp_echo_reply)                                                                                    \
	X(icmpv6_echo_reply)                                                                                 \
	X(icmpv6_time_exceeded)                                                                              \
	X(icmpv6_too_big)                                                                                    \
	X(icmpv6_unreachable)                                                                                \
	X(nd_neighbor_advertisement)                                                                         \
	X(nd_router_advertisement)                                                                           \
	X(dhcpv6_reply)

#define BNG_REASON_ENUM_DROP(name) BNG_DROP_##name,
#define BNG_REASON_ENUM_PUNT(name) BNG_PUNT_REASON_##name,
#define BNG_REASON_ENUM_TX(name)   BNG_TX_##name,
enum bng_reason {
	BNG_REASON_NONE = 0,
	BNG_DROP_REASONS(BNG_REASON_ENUM_DROP) BNG_PUNT_REASONS(BNG_REASON_ENUM_PUNT)
		BNG_TX_REASONS(BNG_REASON_ENUM_TX) BNG_REASONS
};
/* reason_counters: PERCPU_ARRAY of __u64, index port * BNG_REASON_STRIDE + reason. */
enum { BNG_REASON_STRIDE = 256 };
_Static_assert((int)BNG_REASONS <= (int)BNG_REASON_STRIDE, "reasons");

/*
 * Hash of option values: the length, then little-endian 64-bit words, the last padded with zeros. Equal
 * hashes are trusted only together with an equal line, so a client can collide with itself alone.
 */
static inline __u64 bng_hash_start(__u32 length)
{
	return 0xcbf29ce484222325ULL ^ length;
}
static inline __u64 bng_hash_word(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ (hash >> 32);
}
static inline __u64 bng_bytes_hash(const __u8 *bytes, __u32 length)
{
	__u64 hash = bng_hash_start(length);
	__u64 word = 0;

	for (__u32 i = 0; i < length; i++) {
		word |= (__u64)bytes[i] << (8 * (i & 7));
		if ((i & 7) == 7 || i + 1 == length) {
			hash = bng_hash_word(hash, word);
			word = 0;
		}
	}
	return hash;
}

#endif
