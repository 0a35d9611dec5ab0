// SPDX-License-Identifier: Apache-2.0
// Sessions, their framed routes and their filters as keys and values of maps; every byte of the result is
// set.
#include "entry.h"

#include "bng_rate.h"
#include "state_internal.h"
#include "validate.h"

#include <arpa/inet.h>
#include <string.h>

struct bng_line_key bng_entry_line_key(const struct bng_session_object *session)
{
	struct bng_line_key key;

	memset(&key, 0, sizeof(key));
	key.port = session->port->head.index;
	key.s_vlan = (uint16_t)session->line.s_vlan;
	key.c_vlan = (uint16_t)session->line.c_vlan;
	key.giaddr = session->line.relay_address;
	memcpy(key.mac, session->line.mac, sizeof(key.mac));
	key.pppoe_id = (uint16_t)session->line.pppoe_id;
	return key;
}

struct bng_address_key bng_entry_address_key(const struct bng_session_object *session)
{
	return bng_session_address_key(session);
}

static uint16_t session_flags(const struct bng_session_object *session)
{
	return (uint16_t)((session->dhcp_fast_path ? BNG_SESSION_FAST_DHCP : 0) |
			  (session->anti_spoof == BNG_ANTI_SPOOF_LOG ? BNG_SESSION_SPOOF_LOG : 0) |
			  (session->line.relay_address ? BNG_SESSION_RELAYED : 0) |
			  (session->has_option82 ? BNG_SESSION_HAS_OPTION82 : 0) |
			  (session->has_client_id ? BNG_SESSION_HAS_CLIENT_ID : 0) |
			  (session->rate_up.present ? BNG_SESSION_POLICED_UP : 0) |
			  (session->rate_down.present ? BNG_SESSION_POLICED_DOWN : 0) |
			  (session->framed_count ? BNG_SESSION_HAS_ROUTES : 0) |
			  (session->has_pppoe ? BNG_SESSION_PPPOE : 0) |
			  (session->ppp.clamp_mss ? BNG_SESSION_CLAMP_MSS : 0) |
			  (session->has_ipv6 ? BNG_SESSION_IPV6 : 0) |
			  (session->has_nat ? BNG_SESSION_NAT : 0) |
			  (session->has_nat && session->nat.one_to_one ? BNG_SESSION_NAT_STATIC : 0));
}

struct bng_rate bng_entry_rate(const struct bng_rate_object *rate)
{
	/* Of one byte: 8 bits of 10^9 ns, as bng_rate.h counts them. */
	const uint64_t byte_second = 8000000000ULL << (BNG_RATE_UNIT_BITS + BNG_RATE_FRACTION_BITS);
	uint64_t multiplier;

	if (!rate->present)
		return (struct bng_rate){0};
	multiplier = (byte_second + rate->bits_per_second / 2) / rate->bits_per_second;
	return (struct bng_rate){
		.multiplier = multiplier,
		.tolerance = (uint64_t)(((unsigned __int128)rate->burst_bytes * multiplier) >>
					BNG_RATE_FRACTION_BITS),
	};
}

void bng_entry_session(const struct bng_session_object *session, struct bng_session *ret)
{
	const uint8_t *frame_mac = session->line.relay_address ? session->line.relay_mac : session->line.mac;

	memset(ret, 0, sizeof(*ret));
	ret->session_id = session->head.id;
	ret->generation = session->head.generation;
	ret->ends_ns = session->ends_ns;
	ret->option82_hash = session->option82_hash;
	ret->client_id_hash = session->client_id_hash;
	ret->slot = session->head.index;
	ret->vrf = bng_session_vrf(session);
	ret->ipv4 = session->has_ipv4 ? session->address : 0;
	ret->template_index = session->template ? session->template->head.index : 0;
	ret->s_tpid = htons((uint16_t)session->line.s_tpid);
	ret->c_tpid = htons((uint16_t)session->line.c_tpid);
	ret->flags = session_flags(session);
	memcpy(ret->frame_mac, frame_mac, sizeof(ret->frame_mac));
	ret->filter_index = session->filter ? session->filter->head.index : 0;
	ret->rate_up = bng_entry_rate(&session->rate_up);
	ret->rate_down = bng_entry_rate(&session->rate_down);
	ret->mtu = (uint16_t)session->ppp.mtu_bytes;
	ret->magic = htonl(session->ppp.local_magic);
}

struct bng_route_key bng_entry_framed_key(const struct bng_session_object *session, uint32_t i)
{
	return bng_framed_key_of(session, i);
}

struct bng_route bng_entry_framed(const struct bng_session_object *session)
{
	return (struct bng_route){.kind = BNG_ROUTE_SESSION, .session = session->address};
}

void bng_entry_filter(const struct bng_filter_object *filter, struct bng_filter *ret)
{
	uint32_t i;

	memset(ret, 0, sizeof(*ret));
	ret->rule_count = filter->rule_count;
	ret->permits_rest = filter->default_action == BNG_ACTION_PERMIT;
	for (i = 0; i < filter->rule_count; i++) {
		const struct bng_filter_object_rule *rule = &filter->rules[i];

		ret->rules[i] = (struct bng_filter_rule){
			.remote6 = rule->prefix6,
			.remote = rule->prefix,
			.port_first = (uint16_t)rule->port_first,
			.port_last = (uint16_t)rule->port_last,
			.protocol = (uint8_t)rule->protocol,
			.ways = (uint8_t)rule->direction,
			.permits = rule->action == BNG_ACTION_PERMIT,
			.families = (uint8_t)rule->families,
		};
		if (rule->families == BNG_FAMILY_IPV4)
			ret->rules[i].mask = ~bng_host_bits(rule->prefix_length);
		if (rule->families == BNG_FAMILY_IPV6)
			ret->rules[i].mask6 = bng_mask6(rule->prefix_length);
	}
}
