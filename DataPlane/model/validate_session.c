// SPDX-License-Identifier: Apache-2.0
// Ranges of a session: its line, and what it is granted.
#include "validate.h"

#include <arpa/inet.h>
#include <string.h>

enum { VLAN_MAX = 4094, TPID_C = 0x8100, TPID_S = 0x88a8, BURST_MIN = 1600 };

#define RATE_MIN 64000ULL
#define RATE_MAX 100000000000ULL

static bool is_unicast_mac(const uint8_t mac[6])
{
	static const uint8_t zero[6];

	return !(mac[0] & 1) && memcmp(mac, zero, sizeof(zero)) != 0;
}

static int check_tags(const struct bng_line *line, struct bng_refusal *refusal)
{
	if (line->s_vlan > VLAN_MAX)
		return bng_refuse(refusal, BNG_INVALID, "17.1.2", "s_vlan is 0 to %d", VLAN_MAX);
	if (line->c_vlan > VLAN_MAX || (line->c_vlan && !line->s_vlan))
		return bng_refuse(
			refusal, BNG_INVALID, "17.1.3", "c_vlan is 0 to %d, and 0 without s_vlan", VLAN_MAX);
	if (line->s_vlan ? line->s_tpid != TPID_C && line->s_tpid != TPID_S : line->s_tpid != 0)
		return bng_refuse(
			refusal, BNG_INVALID, "17.1.4", "s_tpid is 0x8100 or 0x88a8 with s_vlan, 0 without");
	if (line->c_tpid != (line->c_vlan ? TPID_C : 0))
		return bng_refuse(refusal, BNG_INVALID, "17.1.5", "c_tpid is 0x8100 with c_vlan, 0 without");
	return 0;
}

static int check_line(const struct bng_line *line, struct bng_refusal *refusal)
{
	static const uint8_t no_mac[6];
	int err;

	if (!line->access_domain_id)
		return bng_refuse(refusal, BNG_INVALID, "17.1.1", "access_domain_id is missing");
	err = check_tags(line, refusal);
	if (err)
		return err;
	if (!is_unicast_mac(line->mac))
		return bng_refuse(refusal, BNG_INVALID, "17.1.6", "not a unicast MAC");
	if (line->relay_address && !bng_is_unicast(line->relay_address))
		return bng_refuse(refusal, BNG_INVALID, "17.1.7", "not a unicast address");
	if (line->relay_address ? !is_unicast_mac(line->relay_mac) : memcmp(line->relay_mac, no_mac, 6) != 0)
		return bng_refuse(
			refusal, BNG_INVALID, "17.1.8", "a unicast MAC belongs to relays, and each has one");
	return 0;
}

static int check_rate(const struct bng_rate_object *rate, const char *rate_path, const char *burst_path,
	struct bng_refusal *refusal)
{
	if (!rate->present)
		return 0;
	if (rate->bits_per_second < RATE_MIN || rate->bits_per_second > RATE_MAX)
		return bng_refuse(refusal, BNG_INVALID, rate_path, "bits_per_second is %llu to %llu",
			RATE_MIN, RATE_MAX);
	if (rate->burst_bytes < BURST_MIN)
		return bng_refuse(refusal, BNG_INVALID, burst_path, "burst_bytes is at least %d", BURST_MIN);
	return 0;
}

static int check_framed_route(
	const struct bng_session_object *session, uint32_t i, struct bng_refusal *refusal)
{
	const struct bng_framed_route *route = &session->framed[i];
	uint32_t j;

	if (route->length < 1 || route->length > 32)
		return bng_refuse(refusal, BNG_INVALID, "17.4.7.2", "prefix_length is 1 to 32");
	if (route->prefix & bng_host_bits(route->length))
		return bng_refuse(refusal, BNG_INVALID, "17.4.7.1", "prefix %u has host bits", i);
	if (!bng_is_unicast(route->prefix) || !bng_is_unicast(route->prefix | bng_host_bits(route->length)))
		return bng_refuse(refusal, BNG_INVALID, "17.4.7.1",
			"prefix %u holds addresses that are not unicast", i);
	for (j = 0; j < i; j++)
		if (session->framed[j].prefix == route->prefix && session->framed[j].length == route->length)
			return bng_refuse(refusal, BNG_INVALID, "17.4.7.1", "prefix %u stands twice", i);
	return 0;
}

static int check_service(const struct bng_session_object *session, struct bng_refusal *refusal)
{
	int err = check_rate(&session->rate_up, "17.6.1", "17.6.2", refusal);
	uint32_t i;

	if (!err)
		err = check_rate(&session->rate_down, "17.7.1", "17.7.2", refusal);
	for (i = 0; i < session->framed_count && !err; i++)
		err = check_framed_route(session, i, refusal);
	return err;
}

int bng_validate_session(const struct bng_session_object *session, struct bng_refusal *refusal)
{
	int err;

	if (!session->has_line)
		return bng_refuse(refusal, BNG_INVALID, "17.1", "line is missing");
	if (session->anti_spoof != BNG_ANTI_SPOOF_STRICT && session->anti_spoof != BNG_ANTI_SPOOF_LOG)
		return bng_refuse(refusal, BNG_INVALID, "17.3", "anti_spoof is missing");
	if (session->has_ipv4 && !bng_is_unicast(session->address))
		return bng_refuse(refusal, BNG_INVALID, "17.4.1", "not a unicast address");
	if (session->dhcp_fast_path && !session->template_id)
		return bng_refuse(refusal, BNG_INVALID, "17.4.2", "the fast path needs a pool template");
	err = check_line(&session->line, refusal);
	if (!err)
		err = check_service(session, refusal);
	if (!err && session->has_pppoe)
		err = bng_validate_session_pppoe(session, refusal);
	if (!err && session->has_nat)
		err = bng_validate_session_nat(session, refusal);
	if (!err && session->has_ipv6)
		err = bng_validate_session_ipv6(session, refusal);
	return err;
}
