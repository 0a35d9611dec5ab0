// SPDX-License-Identifier: Apache-2.0
// Ranges of a filter and its rules.
#include "validate.h"

static bool has_ports(uint32_t protocol)
{
	enum { TCP = 6, UDP = 17, DCCP = 33, SCTP = 132, UDP_LITE = 136 };

	return protocol == TCP || protocol == UDP || protocol == DCCP || protocol == SCTP ||
	       protocol == UDP_LITE;
}

static int check_rule_ports(const struct bng_filter_object_rule *rule, struct bng_refusal *refusal)
{
	if (!rule->port_first && !rule->port_last)
		return 0;
	if (!has_ports(rule->protocol))
		return bng_refuse(refusal, BNG_INVALID, "18.1.6",
			"ports need a protocol that has them: 6, 17, 33, 132 or 136");
	if (!rule->port_first || rule->port_first > UINT16_MAX)
		return bng_refuse(refusal, BNG_INVALID, "18.1.6", "a port is 1 to 65535");
	if (rule->port_last < rule->port_first || rule->port_last > UINT16_MAX)
		return bng_refuse(refusal, BNG_INVALID, "18.1.7",
			"the last port is at most 65535 and not below the first");
	return 0;
}

static int check_rule(const struct bng_filter_object_rule *rule, struct bng_refusal *refusal)
{
	if (rule->action != BNG_ACTION_PERMIT && rule->action != BNG_ACTION_DENY)
		return bng_refuse(refusal, BNG_INVALID, "18.1.1", "action is missing");
	if (rule->direction < BNG_WAY_UP || rule->direction > BNG_WAY_BOTH)
		return bng_refuse(refusal, BNG_INVALID, "18.1.2", "direction is missing");
	if (rule->prefix_length > (rule->families == BNG_FAMILY_IPV6 ? 128 : 32))
		return bng_refuse(
			refusal, BNG_INVALID, "18.1.4", "remote_prefix_length is at most 32, in IPv6 128");
	if (rule->families == BNG_FAMILY_IPV6 ? bng_has_host_bits6(&rule->prefix6, rule->prefix_length)
					      : (rule->prefix & bng_host_bits(rule->prefix_length)) != 0)
		return bng_refuse(refusal, BNG_INVALID, "18.1.3", "host bits are not zero");
	if (rule->protocol > UINT8_MAX)
		return bng_refuse(refusal, BNG_INVALID, "18.1.5", "an IP protocol number is 0 to 255");
	return check_rule_ports(rule, refusal);
}

int bng_validate_filter(const struct bng_filter_object *filter, struct bng_refusal *refusal)
{
	uint32_t i;
	int err;

	for (i = 0; i < filter->rule_count; i++) {
		err = check_rule(&filter->rules[i], refusal);
		if (err)
			return err;
	}
	if (filter->default_action != BNG_ACTION_PERMIT && filter->default_action != BNG_ACTION_DENY)
		return bng_refuse(refusal, BNG_INVALID, "18.2", "default_action is missing");
	return 0;
}
