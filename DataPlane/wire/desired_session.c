// SPDX-License-Identifier: Apache-2.0
// Sessions and filters from the wire to the model.
#include "desired_internal.h"

#include <string.h>

_Static_assert((int)BNG__AGENT__V1__ANTI_SPOOF__ANTI_SPOOF_LOG == (int)BNG_ANTI_SPOOF_LOG, "anti-spoof");
_Static_assert((int)BNG__AGENT__V1__FILTER_ACTION__FILTER_ACTION_DENY == (int)BNG_ACTION_DENY, "actions");
_Static_assert(
	(int)BNG__AGENT__V1__FILTER_DIRECTION__FILTER_DIRECTION_BOTH == (int)BNG_WAY_BOTH, "directions");

static void take_mac(ProtobufCBinaryData bytes, bool optional, const char *path, uint8_t ret[6],
	struct bng_refusal *malformed)
{
	memset(ret, 0, 6);
	if (optional && !bytes.len)
		return;
	if (bytes.len == 6)
		memcpy(ret, bytes.data, 6);
	else
		complain(malformed, BNG_INVALID, path, "a MAC address has 6 bytes, not %zu", bytes.len);
}

static void take_line(
	const Bng__Agent__V1__Line *message, struct bng_line *line, struct bng_refusal *malformed)
{
	line->access_domain_id = message->access_domain_id;
	line->s_vlan = message->s_vlan;
	line->c_vlan = message->c_vlan;
	line->s_tpid = message->s_tpid;
	line->c_tpid = message->c_tpid;
	take_mac(message->mac, false, "17.1.6", line->mac, malformed);
	bng_take_ip4(message->relay_address, true, "17.1.7", &line->relay_address, malformed);
	take_mac(message->relay_mac, true, "17.1.8", line->relay_mac, malformed);
}

static uint64_t take_hash(
	ProtobufCBinaryData bytes, const char *path, bool *ret_present, struct bng_refusal *malformed)
{
	*ret_present = bytes.len != 0;
	if (bytes.len > BNG_MAX_OPTION82) {
		complain(malformed, BNG_INVALID, path, "at most %d bytes", BNG_MAX_OPTION82);
		return 0;
	}
	return bytes.len ? bng_bytes_hash(bytes.data, (uint32_t)bytes.len) : 0;
}

static void take_rate(const Bng__Agent__V1__Rate *message, struct bng_rate_object *rate)
{
	rate->present = message != NULL;
	if (!message)
		return;
	rate->bits_per_second = message->bits_per_second;
	rate->burst_bytes = message->burst_bytes;
}

static void take_framed_routes(const Bng__Agent__V1__SessionIPv4 *message, struct bng_session_object *session,
	struct bng_refusal *malformed)
{
	uint32_t i;

	if (message->n_framed_routes > BNG_FRAMED_ROUTES_MAX) {
		complain(malformed, BNG_INVALID, "17.4.7", "at most %d framed routes", BNG_FRAMED_ROUTES_MAX);
		return;
	}
	session->framed_count = (uint32_t)message->n_framed_routes;
	for (i = 0; i < session->framed_count; i++) {
		bng_take_ip4(message->framed_routes[i]->prefix, false, "17.4.7.1", &session->framed[i].prefix,
			malformed);
		session->framed[i].length = message->framed_routes[i]->prefix_length;
	}
}

void bng_take_session(const Bng__Agent__V1__Session *message, struct bng_session_object *session,
	struct bng_refusal *malformed)
{
	const Bng__Agent__V1__SessionIPv4 *ipv4 = message->ipv4;

	session->has_line = message->line != NULL;
	if (message->line)
		take_line(message->line, &session->line, malformed);
	session->vrf = message->vrf;
	session->anti_spoof = (uint32_t)message->anti_spoof;
	session->ends_unix_ms = message->ends_unix_ms;
	take_rate(message->rate_up, &session->rate_up);
	take_rate(message->rate_down, &session->rate_down);
	session->filter_id = message->filter_id;
	session->idle_timeout_seconds = message->idle_timeout_seconds;
	bng_take_pppoe(message->pppoe, session);
	bng_take_session_ipv6(message->ipv6, session, malformed);
	session->has_ipv4 = ipv4 != NULL;
	if (!ipv4)
		return;
	bng_take_ip4(ipv4->address, false, "17.4.1", &session->address, malformed);
	session->template_id = ipv4->pool_template_id;
	session->dhcp_fast_path = ipv4->dhcp_fast_path;
	session->client_id_hash = take_hash(ipv4->client_id, "17.4.4", &session->has_client_id, malformed);
	session->option82_hash = take_hash(ipv4->option82, "17.4.5", &session->has_option82, malformed);
	session->lease_expires_unix_ms = ipv4->lease_expires_unix_ms;
	take_framed_routes(ipv4, session, malformed);
	bng_take_session_nat(ipv4->nat, session, malformed);
}

static void take_rule(const Bng__Agent__V1__FilterRule *message, struct bng_filter_object_rule *rule,
	struct bng_refusal *malformed)
{
	ProtobufCBinaryData prefix = message->remote_prefix;

	rule->action = (uint32_t)message->action;
	rule->direction = (uint32_t)message->direction;
	rule->families = BNG_FAMILY_BOTH;
	if (prefix.len == sizeof(rule->prefix6)) {
		rule->families = BNG_FAMILY_IPV6;
		bng_take_ip6(prefix, "18.1.3", &rule->prefix6, malformed);
	} else if (prefix.len == sizeof(rule->prefix)) {
		rule->families = BNG_FAMILY_IPV4;
		bng_take_ip4(prefix, false, "18.1.3", &rule->prefix, malformed);
	} else if (prefix.len) {
		complain(malformed, BNG_INVALID, "18.1.3", "a prefix has 4 or 16 bytes, not %zu", prefix.len);
	}
	rule->prefix_length = message->remote_prefix_length;
	if ((prefix.len != 0) != (rule->prefix_length != 0))
		complain(malformed, BNG_INVALID, "18.1.4",
			"remote_prefix_length is 1 to 32, or 128, with a prefix, 0 without");
	rule->protocol = message->protocol;
	rule->port_first = message->remote_port_first;
	rule->port_last = message->remote_port_last;
}

void bng_take_filter(const Bng__Agent__V1__Filter *message, struct bng_filter_object *filter,
	struct bng_refusal *malformed)
{
	uint32_t i;

	filter->default_action = (uint32_t)message->default_action;
	if (message->n_rules > BNG_MAX_FILTER_RULES) {
		complain(malformed, BNG_INVALID, "18.1", "at most %d rules", BNG_MAX_FILTER_RULES);
		return;
	}
	filter->rule_count = (uint32_t)message->n_rules;
	for (i = 0; i < filter->rule_count; i++)
		take_rule(message->rules[i], &filter->rules[i], malformed);
}
