// SPDX-License-Identifier: Apache-2.0
// Pure conversions to map layouts (those of sessions and filters in entry_session.c, of PPPoE services in
// entry_pppoe.c, of IPv6 in entry_ipv6.c); every byte of the result is set, padding to zero.
#include "entry.h"

#include "state_internal.h"

#include <arpa/inet.h>
#include <string.h>

/* docs/contract.md, section 7 */
static const struct bng_guard_rate default_rates[BNG_PUNT_CLASSES] = {
	[BNG_PUNT_DHCPV4] = {.line_pps = 20, .line_burst = 40, .port_pps = 20000, .port_burst = 20000},
	[BNG_PUNT_ARP] = {.line_pps = 10, .line_burst = 20, .port_pps = 2000, .port_burst = 2000},
	[BNG_PUNT_NEIGHBOR] = {.line_pps = 50, .line_burst = 100, .port_pps = 1000, .port_burst = 1000},
	[BNG_PUNT_PPPOE] = {.line_pps = 20, .line_burst = 40, .port_pps = 20000, .port_burst = 20000},
	[BNG_PUNT_PPP] = {.line_pps = 50, .line_burst = 100, .port_pps = 100000, .port_burst = 100000},
	[BNG_PUNT_HELD] = {.line_pps = 20, .line_burst = 40, .port_pps = 20000, .port_burst = 20000},
	[BNG_PUNT_FRAGMENT] = {.line_pps = 10000,
		.line_burst = 10000,
		.port_pps = 50000,
		.port_burst = 50000},
	[BNG_PUNT_ND] = {.line_pps = 10, .line_burst = 20, .port_pps = 20000, .port_burst = 20000},
	[BNG_PUNT_DHCPV6] = {.line_pps = 20, .line_burst = 40, .port_pps = 20000, .port_burst = 20000},
	[BNG_PUNT_NAT_PORTS] = {.line_pps = 10, .line_burst = 10, .port_pps = 10000, .port_burst = 10000},
	[BNG_PUNT_NAT_FRAGMENT] = {.line_pps = 1000,
		.line_burst = 1000,
		.port_pps = 20000,
		.port_burst = 20000},
	[BNG_PUNT_NAT_ALG] = {.line_pps = 200, .line_burst = 400, .port_pps = 10000, .port_burst = 10000},
	[BNG_PUNT_PCP] = {.line_pps = 10, .line_burst = 64, .port_pps = 2000, .port_burst = 2000},
};

void bng_entry_port(const struct bng_port_object *port, struct bng_port *ret)
{
	uint8_t flags = BNG_PORT_CONFIGURED;
	uint32_t i;

	if (port->relay_trust == BNG_TRUST_ACCESS_NODE || port->relay_trust == BNG_TRUST_RELAYS)
		flags |= BNG_PORT_TRUST_OPTION82;
	if (port->relay_trust == BNG_TRUST_RELAYS)
		flags |= BNG_PORT_TRUST_RELAYS;
	memset(ret, 0, sizeof(*ret));
	ret->vrf = port->vrf;
	ret->mtu = (uint16_t)port->mtu_bytes;
	ret->role = (uint8_t)port->role;
	ret->flags = flags | (port->has_link_local ? BNG_PORT_IPV6 : 0);
	ret->link_local = port->link_local;
	for (i = 0; i < port->refused_count; i++)
		ret->refused_headers[port->refused[i] / 64] |= 1ULL << (port->refused[i] % 64);
}

static void add_option(struct bng_dhcp_template *ret, uint8_t code, const void *data, uint8_t length)
{
	uint16_t at = ret->option_bytes, i = ret->option_count;

	ret->options[i] = (struct bng_template_option){.code = code, .length = length, .offset = at};
	ret->bytes[at] = code;
	ret->bytes[at + 1] = length;
	memcpy(ret->bytes + at + 2, data, length);
	ret->option_bytes = (uint16_t)(at + 2 + length);
	ret->option_count = (uint16_t)(i + 1);
	ret->slot_of_code[code] = (uint8_t)(i + 1);
}

_Static_assert(BNG_TEMPLATE_OPTIONS_MAX + 2 <= BNG_MAX_TEMPLATE_OPTIONS, "options 1 and 3 fit");
_Static_assert(
	BNG_TEMPLATE_DATA_MAX + 2 * BNG_TEMPLATE_OPTIONS_MAX + 12 <= BNG_TEMPLATE_BYTES, "their bytes fit");

void bng_entry_template(const struct bng_template_object *template, bng_ip4 server_id, uint64_t version,
	struct bng_dhcp_template *ret)
{
	enum { SUBNET_MASK = 1, ROUTER = 3 };
	bool router_done = false;
	uint32_t i;

	memset(ret, 0, sizeof(*ret));
	ret->server_id = server_id;
	ret->gateway = template->gateway;
	ret->netmask = htonl(UINT32_MAX << (32 - template->prefix_length));
	ret->lease_s = template->lease_seconds;
	ret->renewal_s = template->renewal_seconds;
	ret->rebinding_s = template->rebinding_seconds;
	ret->vrf = template->vrf;
	ret->version = version;
	add_option(ret, SUBNET_MASK, &ret->netmask, sizeof(ret->netmask));
	for (i = 0; i <= template->option_count; i++) {
		if (!router_done && (i == template->option_count || template->options[i].code > ROUTER)) {
			add_option(ret, ROUTER, &ret->gateway, sizeof(ret->gateway));
			router_done = true;
		}
		if (i < template->option_count)
			add_option(ret, (uint8_t) template->options[i].code,
				template->data + template->options[i].offset,
				(uint8_t) template->options[i].length);
	}
}

void bng_entry_next_hop(const struct bng_next_hop_object *hop, uint32_t first_core, struct bng_next_hop *ret)
{
	*ret = (struct bng_next_hop){
		.kind = hop->kind,
		.port = hop->kind == BNG_NEXT_HOP_KERNEL ? first_core : hop->port_index,
		.ipv4 = hop->address,
		.ipv6 = hop->ipv6,
	};
}

struct bng_route_key bng_entry_route_key(const struct bng_route_object *route)
{
	return bng_route_key_of(route);
}

static uint32_t kind_of(const struct bng_route_object *route)
{
	switch (route->kind) {
	case BNG_ROUTE_OBJECT_NAT:
		return BNG_ROUTE_NAT;
	case BNG_ROUTE_OBJECT_UNTRANSLATED:
		return BNG_ROUTE_UNTRANSLATED;
	default:
		return route->kind;
	}
}

void bng_entry_route(const struct bng_route_object *route, struct bng_route *ret)
{
	*ret = (struct bng_route){
		.kind = kind_of(route),
		.next_hop = route->next_hop ? route->next_hop->head.index : 0,
	};
}

void bng_entry_guard_rate(const struct bng_guard_object *guard, uint32_t class, struct bng_guard_rate *ret)
{
	*ret = guard && guard->present[class] ? guard->rates[class] : default_rates[class];
}
