/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of desired state as values. Addresses are in network order (bng_ip4, struct bng_ip6),
 * everything else in host order. */
#ifndef BNG_OBJECT_H
#define BNG_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bng_abi.h"

/* The numbers are those of Family in proto/. */
enum bng_family {
	BNG_FAMILY_PORT = 1,
	BNG_FAMILY_SERVER_IDENTITY = 2,
	BNG_FAMILY_POOL_TEMPLATE = 3,
	BNG_FAMILY_NEXT_HOP = 4,
	BNG_FAMILY_ROUTE = 5,
	BNG_FAMILY_GUARD_RATES = 6,
	BNG_FAMILY_SESSION = 7,
	BNG_FAMILY_FILTER = 8,
	BNG_FAMILY_PPPOE_SERVICE = 9,
	BNG_FAMILY_NAT_POLICY = 10,
	BNG_FAMILIES = 11, /* array size: index 0 is unused */
};

enum {
	BNG_PORT_NAME_SIZE = 16, /* IFNAMSIZ */
	BNG_PORT_RELAYS_MAX = 64,
	BNG_RELAYS_MAX = 1024,
	BNG_OWN_ADDRESSES_MAX = 4096,
	BNG_ROUTES_MAX = 65536,
	BNG_ROUTES6_MAX = 65536, /* and BNG_ROUTES6_PER_SESSION for each session there may be */
	BNG_ROUTES6_PER_SESSION = 3,
	BNG_REFUSED_HEADERS_MAX = 8,
	BNG_TEMPLATE_OPTIONS_MAX = 24,
	BNG_TEMPLATE_DATA_MAX = 448,
	BNG_FRAMED_ROUTES_MAX = 16,   /* of one session */
	BNG_NAT_BLOCK_PORTS_MIN = 64, /* and what every block is a multiple of */
	BNG_NAT_BLOCK_PORTS_MAX = 16384,
	BNG_COOKIE_KEY_SIZE = 16,
	BNG_DIGEST_SIZE = 16,
};

typedef uint32_t bng_ip4; /* four bytes as on the wire */

/* Head of every object. */
struct bng_object {
	uint64_t id;
	uint64_t generation;
	uint8_t digest[BNG_DIGEST_SIZE];
	enum bng_family family;
	uint32_t index;      /* in the family's map: port, template, next hop, session slot; 0: none */
	uint32_t references; /* objects that name this one */
};

enum bng_relay_trust { BNG_TRUST_NONE = 1, BNG_TRUST_ACCESS_NODE = 2, BNG_TRUST_RELAYS = 3 };

struct bng_port_object {
	struct bng_object head;
	char name[BNG_PORT_NAME_SIZE];
	uint32_t role;
	uint32_t access_domain_id;
	uint32_t vrf;
	uint32_t relay_trust;
	uint32_t mtu_bytes;
	uint32_t relay_count;
	bng_ip4 relays[BNG_PORT_RELAYS_MAX];
	bool has_link_local;
	struct bng_ip6 link_local;
	uint32_t refused_count;
	uint32_t refused[BNG_REFUSED_HEADERS_MAX]; /* IPv6 next-header values, ascending */
	uint32_t ipv6_sessions;                    /* of those in its access domain */
};

struct bng_identity_object {
	struct bng_object head;
	uint32_t vrf;
	bng_ip4 address;
	bool has_ipv6;
	struct bng_ip6 ipv6;
};

struct bng_template_object {
	struct bng_object head;
	uint32_t vrf;
	uint64_t identity_id;
	struct bng_identity_object *identity;
	bng_ip4 gateway;
	uint32_t prefix_length;
	uint32_t lease_seconds;
	uint32_t renewal_seconds;
	uint32_t rebinding_seconds;
	uint32_t option_count;
	struct {
		uint32_t code;
		uint16_t length;
		uint16_t offset; /* of the data in data[] */
	} options[BNG_TEMPLATE_OPTIONS_MAX];
	uint8_t data[BNG_TEMPLATE_DATA_MAX];
};

struct bng_next_hop_object {
	struct bng_object head;
	uint32_t kind;
	char port[BNG_PORT_NAME_SIZE];
	uint32_t port_index;
	bng_ip4 address; /* 0: none */
	bool has_ipv6;
	struct bng_ip6 ipv6;
	uint32_t references_outside_default; /* from routes of VRFs other than 0 */
	uint32_t references_ipv6;            /* from IPv6 routes */
};

/* RouteKind of proto/: the first three are enum bng_route_kind, whose 4 is the agent's own. */
enum { BNG_ROUTE_OBJECT_NAT = 4, BNG_ROUTE_OBJECT_UNTRANSLATED = 5 };

struct bng_route_object {
	struct bng_object head;
	uint32_t vrf;
	bool is_ipv6;
	bng_ip4 prefix;         /* of an IPv4 route */
	struct bng_ip6 prefix6; /* of an IPv6 one */
	uint32_t prefix_length;
	uint32_t kind;
	uint64_t next_hop_id;
	struct bng_next_hop_object *next_hop;
};

static inline bool bng_route_has_next_hop(const struct bng_route_object *route)
{
	return route->kind == BNG_ROUTE_NEXT_HOP || route->kind == BNG_ROUTE_OBJECT_UNTRANSLATED;
}

struct bng_guard_object {
	struct bng_object head;
	bool present[BNG_PUNT_CLASSES];
	struct bng_guard_rate rates[BNG_PUNT_CLASSES];
};

struct bng_line {
	uint32_t access_domain_id;
	uint32_t s_vlan;
	uint32_t c_vlan;
	uint32_t s_tpid;
	uint32_t c_tpid;
	uint8_t mac[6];
	uint8_t relay_mac[6];
	bng_ip4 relay_address; /* 0: no relay */
	uint32_t pppoe_id;     /* 0: IPoE */
};

/* The numbers are those of FilterAction in proto/; directions are enum bng_way. */
enum bng_filter_action { BNG_ACTION_PERMIT = 1, BNG_ACTION_DENY = 2 };

struct bng_filter_object_rule {
	uint32_t action;
	uint32_t direction;
	uint32_t families; /* enum bng_families; BOTH without a prefix */
	bng_ip4 prefix;
	struct bng_ip6 prefix6;
	uint32_t prefix_length; /* 0: any address */
	uint32_t protocol;      /* 0: any */
	uint32_t port_first;    /* 0: any port */
	uint32_t port_last;
};

struct bng_filter_object {
	struct bng_object head;
	uint32_t default_action;
	uint32_t rule_count;
	struct bng_filter_object_rule rules[BNG_MAX_FILTER_RULES];
};

/* bits_per_second is 0 where a direction is not policed. */
struct bng_rate_object {
	bool present;
	uint32_t burst_bytes;
	uint64_t bits_per_second;
};

struct bng_framed_route {
	bng_ip4 prefix;
	uint32_t length;
};

/* Of a session whose line has a pppoe_id. */
struct bng_ppp_object {
	uint32_t mtu_bytes;
	uint32_t local_magic;
	uint32_t echo_interval_seconds; /* 0: no echoes are sent */
	uint32_t echo_failures;
	bool clamp_mss;
};

struct bng_prefix6_object {
	struct bng_ip6 address; /* host bits zero */
	uint32_t length;
};

/* The numbers are option codes (RFC 8415 21). */
enum bng_association_kind { BNG_IA_NA = 3, BNG_IA_PD = 25 };

struct bng_association_object {
	uint32_t kind;
	uint32_t iaid;
	struct bng_prefix6_object resource;
};

/* Of a session with has_ipv6. The advertisement lies in bytes[], the DHCPv6 reply behind it. */
struct bng_ipv6_object {
	uint64_t lease_expires_unix_ms;
	uint32_t valid_seconds;
	bool activity_renews;
	bool has_dhcp;
	uint32_t advertisement_interval_seconds; /* 0: it is not sent unasked */
	uint32_t prefix_count;
	struct bng_prefix6_object prefixes[BNG_SESSION_PREFIXES_MAX];
	uint64_t client_id_hash;
	uint64_t server_id_hash;
	uint32_t association_count;
	struct bng_association_object associations[BNG_DHCP6_ASSOCIATIONS_MAX];
	uint32_t advertisement_length; /* 0: none */
	uint32_t reply_length;
	uint8_t bytes[BNG_ADVERTISEMENT_MAX + BNG_DHCP6_REPLY_MAX];
};

/* The numbers are those of NATFiltering in proto/. */
enum bng_nat_filtering { BNG_FILTERING_ENDPOINT_INDEPENDENT = 1, BNG_FILTERING_ADDRESS_DEPENDENT = 2 };

struct bng_nat_policy_object {
	struct bng_object head;
	uint32_t filtering;
	uint32_t tcp_established_seconds;
	uint32_t tcp_transitory_seconds;
	uint32_t udp_seconds;
	uint32_t icmp_seconds;
	uint32_t flows_per_session;
	bool inbound_refresh;
	bool port_parity;
	bool is_ftp_alg;
	bool pcp;
};

struct bng_nat_forward {
	bng_ip4 inside;
	uint32_t outside_port;
	uint32_t inside_port;
	uint32_t protocol;
};

/* Of a session with has_nat. */
struct bng_nat_object {
	uint64_t policy_id;
	struct bng_nat_policy_object *policy; /* NULL: one to one */
	bng_ip4 address;
	bool one_to_one;
	uint32_t block_ports;
	uint32_t block_count;
	uint32_t first_ports[BNG_NAT_BLOCKS_MAX];
	uint32_t forward_count;
	struct bng_nat_forward forwards[BNG_NAT_FORWARDS_MAX];
};

enum bng_anti_spoof { BNG_ANTI_SPOOF_STRICT = 1, BNG_ANTI_SPOOF_LOG = 2 };

struct bng_session_object {
	struct bng_object head;
	struct bng_line line;
	struct bng_port_object *port;
	uint32_t vrf; /* as sent; 0: the port's */
	uint32_t anti_spoof;
	bool has_line;
	bool has_ipv4;
	bool has_ipv6;
	bool has_pppoe;
	bool has_nat;
	bool dhcp_fast_path;
	bool has_client_id;
	bool has_option82;
	bng_ip4 address;
	uint64_t template_id;
	struct bng_template_object *template;
	uint64_t client_id_hash;
	uint64_t option82_hash;
	uint64_t lease_expires_unix_ms;
	uint64_t ends_unix_ms;
	uint64_t ends_ns; /* boot time; set by who applies it */
	struct bng_rate_object rate_up;
	struct bng_rate_object rate_down;
	uint64_t filter_id;
	struct bng_filter_object *filter;
	uint32_t idle_timeout_seconds;
	uint32_t framed_count;
	struct bng_framed_route framed[BNG_FRAMED_ROUTES_MAX];
	struct bng_ppp_object ppp;
	struct bng_nat_object nat;
	struct bng_ipv6_object
		ipv6; /* last: of a held session only as much is there as has_ipv6 and bytes need */
};

/* A name of RFC 2516: bytes, not text. */
struct bng_pppoe_name {
	uint32_t length;
	uint8_t bytes[BNG_PPPOE_NAME_MAX];
};

struct bng_pppoe_service_object {
	struct bng_object head;
	uint32_t access_domain_id;
	struct bng_pppoe_name ac_name;
	uint32_t name_count;
	struct bng_pppoe_name names[BNG_PPPOE_NAMES_MAX];
	bool any_service;
	bool has_previous_key;
	uint32_t max_payload_bytes;
	uint32_t pado_delay_ms;
	uint8_t cookie_key[BNG_COOKIE_KEY_SIZE];
	uint8_t previous_cookie_key[BNG_COOKIE_KEY_SIZE];
};

/* Room for any of them: what a decoder fills. */
union bng_any_object {
	struct bng_object head;
	struct bng_port_object port;
	struct bng_identity_object identity;
	struct bng_template_object template;
	struct bng_next_hop_object next_hop;
	struct bng_route_object route;
	struct bng_guard_object guard;
	struct bng_session_object session;
	struct bng_filter_object filter;
	struct bng_pppoe_service_object pppoe_service;
	struct bng_nat_policy_object nat_policy;
};

static inline uint32_t bng_session_vrf(const struct bng_session_object *session)
{
	return session->vrf ? session->vrf : session->port->vrf;
}

#endif
