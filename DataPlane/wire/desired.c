// SPDX-License-Identifier: Apache-2.0
// One function per family. Lengths are judged here, ranges in model/validate.c.
#include "desired.h"

#include "critical.h"
#include "desired_internal.h"
#include "state.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

_Static_assert((int)BNG__AGENT__V1__FAMILY__FAMILY_NAT_POLICY == (int)BNG_FAMILY_NAT_POLICY, "families");
_Static_assert(
	(int)BNG__AGENT__V1__OBJECT__BODY_NAT_POLICY == (int)BNG_FAMILY_NAT_POLICY + 10, "body numbers");
_Static_assert((int)BNG__AGENT__V1__PUNT_CLASS__PUNT_CLASS_NAT_ALG == (int)BNG_PUNT_NAT_ALG, "classes");
_Static_assert((int)BNG__AGENT__V1__PUNT_CLASS__PUNT_CLASS_PCP == (int)BNG_PUNT_PCP, "classes");
_Static_assert((int)BNG__AGENT__V1__PORT_ROLE__PORT_ROLE_CORE == (int)BNG_ROLE_CORE, "roles");
_Static_assert((int)BNG__AGENT__V1__RELAY_TRUST__RELAY_TRUST_RELAYS == (int)BNG_TRUST_RELAYS, "trust");
_Static_assert(
	(int)BNG__AGENT__V1__NEXT_HOP_KIND__NEXT_HOP_KIND_KERNEL == (int)BNG_NEXT_HOP_KERNEL, "next hops");
_Static_assert((int)BNG__AGENT__V1__ROUTE_KIND__ROUTE_KIND_BLACKHOLE == (int)BNG_ROUTE_BLACKHOLE, "routes");
_Static_assert((int)BNG__AGENT__V1__ROUTE_KIND__ROUTE_KIND_NAT == (int)BNG_ROUTE_OBJECT_NAT, "routes");
_Static_assert((int)BNG__AGENT__V1__ROUTE_KIND__ROUTE_KIND_UNTRANSLATED == (int)BNG_ROUTE_OBJECT_UNTRANSLATED,
	"routes");

void bng_take_ip4(ProtobufCBinaryData bytes, bool optional, const char *path, bng_ip4 *ret,
	struct bng_refusal *malformed)
{
	*ret = 0;
	if (optional && !bytes.len)
		return;
	if (bytes.len != sizeof(*ret)) {
		complain(malformed, BNG_INVALID, path, "an IPv4 address has 4 bytes, not %zu", bytes.len);
		return;
	}
	memcpy(ret, bytes.data, sizeof(*ret));
	if (optional && !*ret)
		complain(malformed, BNG_INVALID, path, "0.0.0.0 is not an address; leave it empty");
}

static void take_port_name(
	const char *name, const char *path, char ret[BNG_PORT_NAME_SIZE], struct bng_refusal *malformed)
{
	size_t length = name ? strlen(name) : 0;

	memset(ret, 0, BNG_PORT_NAME_SIZE);
	if (length < BNG_PORT_NAME_SIZE)
		memcpy(ret, name ? name : "", length);
	else
		complain(malformed, BNG_UNKNOWN_REFERENCE, path, "no port has a name of %zu bytes", length);
}

static void take_refused_headers(
	const Bng__Agent__V1__Port *message, struct bng_port_object *port, struct bng_refusal *malformed)
{
	size_t i;

	if (message->n_refused_extension_headers > BNG_REFUSED_HEADERS_MAX) {
		complain(malformed, BNG_INVALID, "11.9", "at most %d extension headers",
			BNG_REFUSED_HEADERS_MAX);
		return;
	}
	port->refused_count = (uint32_t)message->n_refused_extension_headers;
	for (i = 0; i < message->n_refused_extension_headers; i++)
		port->refused[i] = message->refused_extension_headers[i];
}

static void take_port(
	const Bng__Agent__V1__Port *message, struct bng_port_object *port, struct bng_refusal *malformed)
{
	size_t i;

	take_port_name(message->name, "11.1", port->name, malformed);
	port->role = (uint32_t)message->role;
	port->access_domain_id = message->access_domain_id;
	port->vrf = message->vrf;
	port->relay_trust = (uint32_t)message->relay_trust;
	port->mtu_bytes = message->mtu_bytes;
	port->has_link_local =
		bng_take_optional_ip6(message->ipv6_link_local, "11.8", &port->link_local, malformed);
	take_refused_headers(message, port, malformed);
	if (message->n_trusted_relays > BNG_PORT_RELAYS_MAX) {
		complain(malformed, BNG_INVALID, "11.6", "at most %d relays", BNG_PORT_RELAYS_MAX);
		return;
	}
	port->relay_count = (uint32_t)message->n_trusted_relays;
	for (i = 0; i < message->n_trusted_relays; i++)
		bng_take_ip4(message->trusted_relays[i], false, "11.6", &port->relays[i], malformed);
}

static void take_identity(const Bng__Agent__V1__ServerIdentity *message, struct bng_identity_object *identity,
	struct bng_refusal *malformed)
{
	identity->vrf = message->vrf;
	bng_take_ip4(message->ipv4_address, false, "12.2", &identity->address, malformed);
	identity->has_ipv6 = bng_take_optional_ip6(message->ipv6_address, "12.3", &identity->ipv6, malformed);
}

static void take_options(const Bng__Agent__V1__PoolTemplate *message, struct bng_template_object *template,
	struct bng_refusal *malformed)
{
	size_t i, at = 0;

	if (message->n_options > BNG_TEMPLATE_OPTIONS_MAX) {
		complain(malformed, BNG_INVALID, "13.8", "at most %d options", BNG_TEMPLATE_OPTIONS_MAX);
		return;
	}
	for (i = 0; i < message->n_options; i++) {
		const Bng__Agent__V1__DHCPOption *option = message->options[i];

		if (option->data.len > UINT8_MAX || option->data.len > sizeof(template->data) - at) {
			complain(malformed, BNG_INVALID, "13.8.2",
				"option data is at most 255 bytes, %d in all", BNG_TEMPLATE_DATA_MAX);
			return;
		}
		template->options[i].code = option->code;
		template->options[i].length = (uint16_t)option->data.len;
		template->options[i].offset = (uint16_t)at;
		if (option->data.len)
			memcpy(template->data + at, option->data.data, option->data.len);
		at += option->data.len;
	}
	template->option_count = (uint32_t)message->n_options;
}

static void take_template(const Bng__Agent__V1__PoolTemplate *message, struct bng_template_object *template,
	struct bng_refusal *malformed)
{
	template->vrf = message->vrf;
	template->identity_id = message->server_identity_id;
	bng_take_ip4(message->gateway, false, "13.3", &template->gateway, malformed);
	template->prefix_length = message->prefix_length;
	template->lease_seconds = message->lease_seconds;
	template->renewal_seconds = message->renewal_seconds;
	template->rebinding_seconds = message->rebinding_seconds;
	take_options(message, template, malformed);
}

static void take_next_hop(const Bng__Agent__V1__NextHop *message, struct bng_next_hop_object *hop,
	struct bng_refusal *malformed)
{
	hop->kind = (uint32_t)message->kind;
	take_port_name(message->port, "14.2", hop->port, malformed);
	bng_take_ip4(message->ipv4_address, true, "14.3", &hop->address, malformed);
	hop->has_ipv6 = bng_take_optional_ip6(message->ipv6_address, "14.4", &hop->ipv6, malformed);
}

static void take_route(
	const Bng__Agent__V1__Route *message, struct bng_route_object *route, struct bng_refusal *malformed)
{
	route->vrf = message->vrf;
	route->is_ipv6 = message->prefix.len == sizeof(route->prefix6);
	if (route->is_ipv6)
		bng_take_ip6(message->prefix, "15.2", &route->prefix6, malformed);
	else if (message->prefix.len == sizeof(route->prefix))
		bng_take_ip4(message->prefix, false, "15.2", &route->prefix, malformed);
	else
		complain(malformed, BNG_INVALID, "15.2", "a prefix has 4 or 16 bytes, not %zu",
			message->prefix.len);
	route->prefix_length = message->prefix_length;
	route->kind = (uint32_t)message->kind;
	route->next_hop_id = message->next_hop_id;
}

static void take_guard(const Bng__Agent__V1__GuardRates *message, struct bng_guard_object *guard,
	struct bng_refusal *malformed)
{
	size_t i;

	for (i = 0; i < message->n_rates; i++) {
		const Bng__Agent__V1__GuardRate *rate = message->rates[i];
		uint32_t class = (uint32_t)rate->punt_class;

		if (class == BNG_PUNT_NONE || class >= BNG_PUNT_CLASSES || guard->present[class]) {
			complain(malformed, BNG_INVALID, "16.1.1",
				"each class stands at most once, and never UNSPECIFIED");
			return;
		}
		guard->present[class] = true;
		guard->rates[class] = (struct bng_guard_rate){
			.line_pps = rate->line_packets_per_second,
			.line_burst = rate->line_burst_packets,
			.port_pps = rate->port_packets_per_second,
			.port_burst = rate->port_burst_packets,
		};
	}
}

static void take_body(
	const Bng__Agent__V1__Object *message, union bng_any_object *object, struct bng_refusal *malformed)
{
	switch (object->head.family) {
	case BNG_FAMILY_PORT:
		take_port(message->port, &object->port, malformed);
		break;
	case BNG_FAMILY_SERVER_IDENTITY:
		take_identity(message->server_identity, &object->identity, malformed);
		break;
	case BNG_FAMILY_POOL_TEMPLATE:
		take_template(message->pool_template, &object->template, malformed);
		break;
	case BNG_FAMILY_NEXT_HOP:
		take_next_hop(message->next_hop, &object->next_hop, malformed);
		break;
	case BNG_FAMILY_ROUTE:
		take_route(message->route, &object->route, malformed);
		break;
	case BNG_FAMILY_GUARD_RATES:
		take_guard(message->guard_rates, &object->guard, malformed);
		break;
	case BNG_FAMILY_SESSION:
		bng_take_session(message->session, &object->session, malformed);
		break;
	case BNG_FAMILY_FILTER:
		bng_take_filter(message->filter, &object->filter, malformed);
		break;
	case BNG_FAMILY_PPPOE_SERVICE:
		bng_take_pppoe_service(message->pppoe_service, &object->pppoe_service, malformed);
		break;
	case BNG_FAMILY_NAT_POLICY:
		bng_take_nat_policy(message->nat_policy, &object->nat_policy, malformed);
		break;
	case BNG_FAMILIES:
		break;
	}
}

enum bng_family bng_desired_family(const Bng__Agent__V1__Object *message)
{
	unsigned number = (unsigned)message->body_case;

	return number > 10 && number < 10 + BNG_FAMILIES ? (enum bng_family)(number - 10)
							 : (enum bng_family)0;
}

int bng_desired_object(const Bng__Agent__V1__Object *message, struct bng_digester *digester,
	union bng_any_object *ret_object, struct bng_refusal *ret_malformed, struct bng_refusal *refusal)
{
	enum bng_family family = bng_desired_family(message);
	char path[BNG_PATH_SIZE];

	if (bng_critical_check(&message->base, path))
		return bng_refuse(refusal, BNG_UNSUPPORTED, path, "unknown critical field or enum value");
	if (!family || !message->session)
		return bng_refuse(refusal, BNG_INVALID, "", "object without a body");
	memset(ret_object, 0, sizeof(*ret_object));
	ret_object->head.family = family;
	ret_object->head.id = message->object_id;
	ret_object->head.generation = message->generation;
	*ret_malformed = (struct bng_refusal){.code = BNG_OK};
	take_body(message, ret_object, ret_malformed);
	/* All members of the oneof are messages: any of the pointers is the body. */
	if (bng_digest_object(digester, family, message->object_id, message->generation,
		    &message->session->base, ret_object->head.digest))
		return -ENOMEM;
	return 0;
}
