// SPDX-License-Identifier: Apache-2.0
// Range checks per family; of sessions, filters and PPPoE services in files of their own. Enum values are
// known by now (wire/ refuses unknown ones), but may be UNSPECIFIED.
#include "validate.h"

#include <arpa/inet.h>

enum { MTU_MIN = 576, MTU_MAX = 65535, LEASE_MIN = 60 };

bool bng_is_unicast(bng_ip4 address)
{
	uint32_t first = ntohl(address) >> 24;

	return first != 0 && first != 127 && first < 224;
}

static int check_relays(const struct bng_port_object *port, struct bng_refusal *refusal)
{
	uint32_t i, j;

	if (port->relay_count && port->relay_trust != BNG_TRUST_RELAYS)
		return bng_refuse(
			refusal, BNG_INVALID, "11.6", "relays listed, but relay_trust is not RELAYS");
	for (i = 0; i < port->relay_count; i++) {
		if (!bng_is_unicast(port->relays[i]))
			return bng_refuse(
				refusal, BNG_INVALID, "11.6", "relay %u is not a unicast address", i);
		for (j = 0; j < i; j++)
			if (port->relays[i] == port->relays[j])
				return bng_refuse(
					refusal, BNG_INVALID, "11.6", "relay %u is listed twice", i);
	}
	return 0;
}

static int check_port(const struct bng_port_object *port, struct bng_refusal *refusal)
{
	bool access = port->role == BNG_ROLE_ACCESS;
	int err;

	if (port->role != BNG_ROLE_ACCESS && port->role != BNG_ROLE_CORE)
		return bng_refuse(refusal, BNG_INVALID, "11.2", "role is neither access nor core");
	if (access != (port->access_domain_id != 0))
		return bng_refuse(refusal, BNG_INVALID, "11.3",
			"an access domain belongs to access ports, and each has one");
	if (access != (port->relay_trust != 0))
		return bng_refuse(refusal, BNG_INVALID, "11.5",
			"relay_trust belongs to access ports, and each has one");
	if (port->mtu_bytes && (port->mtu_bytes < MTU_MIN || port->mtu_bytes > MTU_MAX))
		return bng_refuse(
			refusal, BNG_INVALID, "11.7", "mtu_bytes is 0 or %d to %d", MTU_MIN, MTU_MAX);
	err = bng_validate_port_ipv6(port, refusal);
	return err ? err : check_relays(port, refusal);
}

static int check_identity(const struct bng_identity_object *identity, struct bng_refusal *refusal)
{
	if (!bng_is_unicast(identity->address))
		return bng_refuse(refusal, BNG_INVALID, "12.2", "not a unicast address");
	if (identity->has_ipv6 && !bng_is_routable(&identity->ipv6))
		return bng_refuse(refusal, BNG_INVALID, "12.3", "not a routable address");
	return 0;
}

static bool is_option_allowed(uint32_t code)
{
	return code >= 1 && code <= 254 && code != 1 && code != 3 && code != 82 && (code < 50 || code > 61);
}

static int check_options(const struct bng_template_object *template, struct bng_refusal *refusal)
{
	uint32_t i;

	for (i = 0; i < template->option_count; i++) {
		uint32_t code = template->options[i].code;

		if (!is_option_allowed(code))
			return bng_refuse(
				refusal, BNG_INVALID, "13.8.1", "option %u is not a template's", code);
		if (i && code <= template->options[i - 1].code)
			return bng_refuse(
				refusal, BNG_INVALID, "13.8.1", "options must ascend, %u does not", code);
	}
	return 0;
}

static int check_template(const struct bng_template_object *template, struct bng_refusal *refusal)
{
	if (!bng_is_unicast(template->gateway))
		return bng_refuse(refusal, BNG_INVALID, "13.3", "not a unicast address");
	if (template->prefix_length < 1 || template->prefix_length > 32)
		return bng_refuse(refusal, BNG_INVALID, "13.4", "prefix_length is 1 to 32");
	if (template->lease_seconds < LEASE_MIN)
		return bng_refuse(refusal, BNG_INVALID, "13.5", "lease_seconds is at least %d", LEASE_MIN);
	if (template->renewal_seconds < 1 || template->renewal_seconds >= template->rebinding_seconds)
		return bng_refuse(refusal, BNG_INVALID, "13.6",
			"renewal_seconds is above 0 and below rebinding_seconds");
	if (template->rebinding_seconds >= template->lease_seconds)
		return bng_refuse(refusal, BNG_INVALID, "13.7", "rebinding_seconds is below lease_seconds");
	return check_options(template, refusal);
}

static int check_next_hop(const struct bng_next_hop_object *hop, struct bng_refusal *refusal)
{
	bool gateway = hop->kind == BNG_NEXT_HOP_GATEWAY;

	if (!gateway && hop->kind != BNG_NEXT_HOP_KERNEL)
		return bng_refuse(refusal, BNG_INVALID, "14.1", "kind is neither gateway nor kernel");
	if (gateway != (hop->port[0] != 0))
		return bng_refuse(
			refusal, BNG_INVALID, "14.2", "a port belongs to gateways, and each has one");
	if (hop->has_ipv6 ? !gateway || hop->address != 0
		: gateway ? !bng_is_unicast(hop->address)
			  : hop->address != 0)
		return bng_refuse(refusal, BNG_INVALID, hop->has_ipv6 ? "14.4" : "14.3",
			"a unicast address belongs to gateways, and each has one, of one family");
	if (hop->has_ipv6 && !bng_is_routable(&hop->ipv6) && !bng_is_link_local(&hop->ipv6))
		return bng_refuse(
			refusal, BNG_INVALID, "14.4", "neither a routable nor a link-local address");
	return 0;
}

static int check_route(const struct bng_route_object *route, struct bng_refusal *refusal)
{
	if (route->prefix_length > (route->is_ipv6 ? 128 : 32))
		return bng_refuse(refusal, BNG_INVALID, "15.3", "prefix_length is 0 to 32, in IPv6 to 128");
	if (route->is_ipv6 ? bng_has_host_bits6(&route->prefix6, route->prefix_length)
			   : (route->prefix & bng_host_bits(route->prefix_length)) != 0)
		return bng_refuse(refusal, BNG_INVALID, "15.2", "host bits are not zero");
	if (route->kind < BNG_ROUTE_NEXT_HOP || route->kind > BNG_ROUTE_OBJECT_UNTRANSLATED)
		return bng_refuse(refusal, BNG_INVALID, "15.4", "kind is missing");
	if (route->kind >= BNG_ROUTE_OBJECT_NAT && route->is_ipv6)
		return bng_refuse(refusal, BNG_INVALID, "15.4", "NAT is of IPv4");
	if (bng_route_has_next_hop(route) != (route->next_hop_id != 0))
		return bng_refuse(refusal, BNG_INVALID, "15.5",
			"next_hop_id belongs to routes by next hop, and each has one");
	return 0;
}

static int check_guard(const struct bng_guard_object *guard, struct bng_refusal *refusal)
{
	int class;

	if (guard->head.id != 1)
		return bng_refuse(refusal, BNG_INVALID, "1", "guard rates are a singleton with id 1");
	for (class = 1; class < BNG_PUNT_CLASSES; class ++) {
		const struct bng_guard_rate *rate = &guard->rates[class];

		if (rate->line_pps && !rate->line_burst)
			return bng_refuse(refusal, BNG_INVALID, "16.1.3",
				"class %d: a burst of 0 passes nothing", class);
		if (rate->port_pps && !rate->port_burst)
			return bng_refuse(refusal, BNG_INVALID, "16.1.5",
				"class %d: a burst of 0 passes nothing", class);
	}
	return 0;
}

int bng_validate(const union bng_any_object *object, struct bng_refusal *refusal)
{
	switch (object->head.family) {
	case BNG_FAMILY_PORT:
		return check_port(&object->port, refusal);
	case BNG_FAMILY_SERVER_IDENTITY:
		return check_identity(&object->identity, refusal);
	case BNG_FAMILY_POOL_TEMPLATE:
		return check_template(&object->template, refusal);
	case BNG_FAMILY_NEXT_HOP:
		return check_next_hop(&object->next_hop, refusal);
	case BNG_FAMILY_ROUTE:
		return check_route(&object->route, refusal);
	case BNG_FAMILY_GUARD_RATES:
		return check_guard(&object->guard, refusal);
	case BNG_FAMILY_SESSION:
		return bng_validate_session(&object->session, refusal);
	case BNG_FAMILY_FILTER:
		return bng_validate_filter(&object->filter, refusal);
	case BNG_FAMILY_PPPOE_SERVICE:
		return bng_validate_pppoe_service(&object->pppoe_service, refusal);
	case BNG_FAMILY_NAT_POLICY:
		return bng_validate_nat_policy(&object->nat_policy, refusal);
	case BNG_FAMILIES:
		break;
	}
	return bng_refuse(refusal, BNG_UNSUPPORTED, "", "unknown family");
}
