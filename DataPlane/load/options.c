// SPDX-License-Identifier: Apache-2.0
// Command line of bng-load: every value checked, the error naming what was expected.

#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: bng-load --interface IF --lines N [--phases LIST] [options]\n"
	"  --interface IF         where the subscribers attach\n"
	"  --lines N              subscribers, 1 to 4194304\n"
	"  --phases LIST          what to do, in order: dora or dual, renew, renew6, release; pppoe, hold, "
	"padt, abandon, "
	"padi-flood; "
	"traffic (default dora)\n"
	"  --rate R               exchanges (packets, for traffic) per second; 0: as fast as answers come "
	"(default)\n"
	"  --window N             exchanges under way at most (default 256)\n"
	"  --duration S           seconds of renew, renew6, hold, padi-flood and traffic (default 5)\n"
	"  --timeout S            seconds until a message is sent again (default 1)\n"
	"  --retries N            messages per exchange before it counts as failed (default 4)\n"
	"  --mac-base MAC         first client's address, counting up (default 02:00:00:00:00:01)\n"
	"  --tags T               none | single:VID | qinq:S:C:COUNT, lines spread over C..C+COUNT-1, then "
	"S+1 (default none)\n"
	"  --s-tpid 0x8100|0x88a8 outer tag of qinq (default 0x88a8)\n"
	"  --per-mac N            PPPoE lines that share a MAC address and its tags (default 1)\n"
	"  --auth any|none|pap|chap  what the peer may ask for (default any: PAP or CHAP with MD5)\n"
	"  --user NAME --password WORD  %d in them is the line's index (default user%d, secret)\n"
	"  --service NAME         Service-Name asked for (default empty)\n"
	"  --circuit-id TEXT      a TR-101 circuit id in PADI and PADR, as an access node adds; %d as above\n"
	"  --mru N                MRU asked for, 64 to 1500; above 1492 with PPP-Max-Payload (default 1492)\n"
	"  --ipv6cp               negotiate IPv6CP too\n"
	"  --duplicate            send every PPPoE frame twice\n"
	"  --terminate            padt: LCP Terminate-Request first\n"
	"  --broadcast            set the broadcast flag in DHCP messages\n"
	"  --gateway-mac MAC      the BNG's access port: unicast renewals and traffic need it\n"
	"  --leases-out FILE      write every lease held at the end: index,mac,s,c,address,server\n"
	"  --leases-in FILE       start with the leases of such a file\n"
	"  --core-interface IF --core-netns PATH --core-mac MAC --peer-mac MAC --peer ADDRESS\n"
	"                         the far end of traffic; both directions are sent and counted\n"
	"  --payload BYTES        UDP payload of traffic, 24 to 1472 (default 64)\n"
	"Prints one JSON object. Exit status 0: everything completed; 1: something failed or was lost; 2: "
	"usage.\n";

static int bad(const char *option, const char *value, const char *expected)
{
	fprintf(stderr, "bng-load: --%s %s: expected %s\n", option, value, expected);
	return -EINVAL;
}

static int parse_number(const char *option, const char *text, double low, double high, double *ret)
{
	char expected[80], *end;
	double value = strtod(text, &end);

	if (end == text || *end || value < low || value > high) {
		snprintf(expected, sizeof(expected), "a number from %g to %g", low, high);
		return bad(option, text, expected);
	}
	*ret = value;
	return 0;
}

static int parse_mac(const char *option, const char *text, uint8_t ret[6])
{
	unsigned int b[6];
	char rest;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &rest) != 6)
		return bad(option, text, "six hexadecimal bytes with colons");
	for (int i = 0; i < 6; i++)
		ret[i] = (uint8_t)b[i];
	return 0;
}

static int parse_tags(const char *text, struct load_options *o)
{
	unsigned int s = 0, c = 0, n = 0;
	char rest;

	if (strcmp(text, "none") == 0) {
		o->tags = LOAD_UNTAGGED;
	} else if (sscanf(text, "single:%u%c", &s, &rest) == 1 && s >= 1 && s <= 4094) {
		o->tags = LOAD_SINGLE;
		o->s_first = (uint16_t)s;
	} else if (sscanf(text, "qinq:%u:%u:%u%c", &s, &c, &n, &rest) == 3 && s >= 1 && c >= 1 && n >= 1 &&
		   s <= 4094 && c + n <= 4095) {
		o->tags = LOAD_QINQ;
		o->s_first = (uint16_t)s;
		o->c_first = (uint16_t)c;
		o->c_count = (uint16_t)n;
	} else {
		return bad("tags", text, "none, single:VID or qinq:S:C:COUNT with ids from 1 to 4094");
	}
	return 0;
}

enum {
	O_INTERFACE = 256,
	O_LINES,
	O_PHASES,
	O_RATE,
	O_WINDOW,
	O_DURATION,
	O_TIMEOUT,
	O_RETRIES,
	O_MAC,
	O_TAGS,
	O_TPID,
	O_BROADCAST,
	O_GATEWAY,
	O_OUT,
	O_IN,
	O_CORE,
	O_NETNS,
	O_COREMAC,
	O_PEERMAC,
	O_PEER,
	O_PAYLOAD,
	O_PERMAC,
	O_AUTH,
	O_USER,
	O_PASSWORD,
	O_SERVICE,
	O_CIRCUIT,
	O_MRU,
	O_IPV6CP,
	O_DUPLICATE,
	O_TERMINATE,
	O_HELP
};

static const struct option table[] = {
	{"interface", 1, NULL, O_INTERFACE},
	{"lines", 1, NULL, O_LINES},
	{"phases", 1, NULL, O_PHASES},
	{"rate", 1, NULL, O_RATE},
	{"window", 1, NULL, O_WINDOW},
	{"duration", 1, NULL, O_DURATION},
	{"timeout", 1, NULL, O_TIMEOUT},
	{"retries", 1, NULL, O_RETRIES},
	{"mac-base", 1, NULL, O_MAC},
	{"tags", 1, NULL, O_TAGS},
	{"s-tpid", 1, NULL, O_TPID},
	{"broadcast", 0, NULL, O_BROADCAST},
	{"gateway-mac", 1, NULL, O_GATEWAY},
	{"leases-out", 1, NULL, O_OUT},
	{"leases-in", 1, NULL, O_IN},
	{"core-interface", 1, NULL, O_CORE},
	{"core-netns", 1, NULL, O_NETNS},
	{"core-mac", 1, NULL, O_COREMAC},
	{"peer-mac", 1, NULL, O_PEERMAC},
	{"peer", 1, NULL, O_PEER},
	{"payload", 1, NULL, O_PAYLOAD},
	{"per-mac", 1, NULL, O_PERMAC},
	{"auth", 1, NULL, O_AUTH},
	{"user", 1, NULL, O_USER},
	{"password", 1, NULL, O_PASSWORD},
	{"service", 1, NULL, O_SERVICE},
	{"circuit-id", 1, NULL, O_CIRCUIT},
	{"mru", 1, NULL, O_MRU},
	{"ipv6cp", 0, NULL, O_IPV6CP},
	{"duplicate", 0, NULL, O_DUPLICATE},
	{"terminate", 0, NULL, O_TERMINATE},
	{"help", 0, NULL, O_HELP},
	{NULL, 0, NULL, 0},
};

static int apply_number(struct load_options *o, int key)
{
	double v = 0;
	int err;

	switch (key) {
	case O_LINES:
		err = parse_number("lines", optarg, 1, LOAD_MAX_LINES, &v);
		o->lines = (uint32_t)v;
		return err;
	case O_RATE:
		return parse_number("rate", optarg, 0, 1e8, &o->rate);
	case O_WINDOW:
		err = parse_number("window", optarg, 1, 65536, &v);
		o->window = (uint32_t)v;
		return err;
	case O_DURATION:
		return parse_number("duration", optarg, 0.01, 86400, &o->duration_s);
	case O_TIMEOUT:
		return parse_number("timeout", optarg, 0.01, 60, &o->timeout_s);
	case O_RETRIES:
		err = parse_number("retries", optarg, 1, 255, &v);
		o->retries = (uint32_t)v;
		return err;
	case O_PERMAC:
		err = parse_number("per-mac", optarg, 1, 1024, &v);
		o->per_mac = (uint32_t)v;
		return err;
	case O_MRU:
		err = parse_number("mru", optarg, 64, 1500, &v);
		o->mru = (uint16_t)v;
		return err;
	default:
		err = parse_number("payload", optarg, 24, 1472, &v);
		o->payload = (uint32_t)v;
		return err;
	}
}

static int parse_auth(const char *text, enum load_auth *ret)
{
	static const char *const names[] = {"any", "none", "pap", "chap"};

	for (int i = 0; i < 4; i++) {
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum load_auth)i;
			return 0;
		}
	}
	return bad("auth", text, "any, none, pap or chap");
}

/* Options of PPPoE lines; the rest are numbers. */
static int apply_ppp(struct load_options *o, int key)
{
	switch (key) {
	case O_AUTH:
		return parse_auth(optarg, &o->auth);
	case O_USER:
		o->user = optarg;
		return 0;
	case O_PASSWORD:
		o->password = optarg;
		return 0;
	case O_SERVICE:
		o->service = optarg;
		return strlen(optarg) <= 64 ? 0 : bad("service", optarg, "at most 64 bytes");
	case O_CIRCUIT:
		o->circuit_id = optarg;
		return 0;
	case O_IPV6CP:
		o->ipv6cp = true;
		return 0;
	case O_DUPLICATE:
		o->duplicate = true;
		return 0;
	case O_TERMINATE:
		o->terminate = true;
		return 0;
	default:
		return apply_number(o, key);
	}
}

static int apply(struct load_options *o, int key)
{
	uint8_t mac[6] = {0};
	int err;

	switch (key) {
	case O_INTERFACE:
		o->interface = optarg;
		return 0;
	case O_PHASES:
		o->phases = optarg;
		return 0;
	case O_OUT:
		o->leases_out = optarg;
		return 0;
	case O_IN:
		o->leases_in = optarg;
		return 0;
	case O_CORE:
		o->core_interface = optarg;
		return 0;
	case O_NETNS:
		o->core_netns = optarg;
		return 0;
	case O_BROADCAST:
		o->broadcast = true;
		return 0;
	case O_TAGS:
		return parse_tags(optarg, o);
	case O_MAC:
		err = parse_mac("mac-base", optarg, mac);
		o->mac_base = 0;
		for (int i = 0; i < 6; i++)
			o->mac_base = o->mac_base << 8 | mac[i];
		return err;
	case O_TPID:
		if (strcmp(optarg, "0x8100") != 0 && strcmp(optarg, "0x88a8") != 0)
			return bad("s-tpid", optarg, "0x8100 or 0x88a8");
		o->s_tpid = strcmp(optarg, "0x8100") == 0 ? 0x8100 : 0x88a8;
		return 0;
	case O_GATEWAY:
		o->has_gateway_mac = true;
		return parse_mac("gateway-mac", optarg, o->gateway_mac);
	case O_COREMAC:
		o->has_core_mac = true;
		return parse_mac("core-mac", optarg, o->core_mac);
	case O_PEERMAC:
		return parse_mac("peer-mac", optarg, o->peer_mac);
	case O_PEER:
		return inet_aton(optarg, &o->peer) ? 0 : bad("peer", optarg, "an IPv4 address");
	case O_HELP:
		fputs(usage, stdout);
		exit(0);
	default:
		return apply_ppp(o, key);
	}
}

int load_options_parse(struct load_options *o, int argc, char **argv)
{
	int key;

	*o = (struct load_options){.phases = "dora",
		.window = 256,
		.duration_s = 5,
		.timeout_s = 1,
		.retries = 4,
		.mac_base = 0x020000000001,
		.per_mac = 1,
		.user = "user%d",
		.password = "secret",
		.service = "",
		.mru = 1492,
		.s_tpid = 0x88a8,
		.payload = 64};
	while ((key = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (key == '?' || apply(o, key)) {
			fputs(usage, stderr);
			return -EINVAL;
		}
	}
	if (!o->interface || !o->lines || optind != argc) {
		fputs(usage, stderr);
		return -EINVAL;
	}
	if ((strstr(o->phases, "dual") || strstr(o->phases, "renew6")) && o->per_mac != 1) {
		fprintf(stderr,
			"bng-load: dual and renew6 need a MAC address for every line: no --per-mac\n");
		return -EINVAL;
	}
	if (strstr(o->phases, "traffic") && (!o->core_interface || !o->peer.s_addr || !o->has_core_mac ||
						    (!o->has_gateway_mac && !strstr(o->phases, "pppoe")))) {
		fprintf(stderr,
			"bng-load: traffic needs --core-interface, --core-mac, --peer and (without pppoe) "
			"--gateway-mac\n");
		return -EINVAL;
	}
	return 0;
}
