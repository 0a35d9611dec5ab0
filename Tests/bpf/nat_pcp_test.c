// SPDX-License-Identifier: Apache-2.0
// PCP and NAT-PMP (RFC 6887 7, RFC 6886 3): requests to our own address go up if the session's NAT policy
// says so, nothing else does.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "nat_scene.h"

enum { PCP = 5351 };

static void request(const char *to, uint16_t port)
{
	nat_again();
	nat_udp(from_a(to), 40000, port, 80);
	run(BED_ACCESS);
}

static void requests_go_up_if_the_policy_says_so(void **state)
{
	nat_scene(state);
	nat_policy(BNG_NAT_PCP, 1000);
	request("100.64.0.1", PCP);
	expect_punt(BNG_PUNT_REASON_pcp_request, BNG_PUNT_PCP, 0xa);
}

/* Behind two tags and PPPoE the ports lie deepest. */
static void requests_inside_pppoe_go_up(void **state)
{
	struct bng_line_key line = line_a;
	struct bng_session a = session_a();

	nat_scene(state);
	nat_policy(BNG_NAT_PCP, 1000);
	line.pppoe_id = 7;
	a.flags |= BNG_SESSION_NAT | BNG_SESSION_PPPOE;
	a.mtu = 1492;
	put(&line, a, 600);
	nat_udp(from_a("100.64.0.1"), 40000, PCP, 80);
	packet_into_pppoe(&p, 7);
	run(BED_ACCESS);
	expect_punt(BNG_PUNT_REASON_pcp_request, BNG_PUNT_PCP, 0xa);
}

static void without_the_policy_nothing_goes_up(void **state)
{
	struct bng_session a = session_a();

	nat_scene(state);
	request("100.64.0.1", PCP);
	expect(BED_ACCESS, BNG_DROP_own_address_unhandled);

	nat_policy(BNG_NAT_PCP, 1000);
	put(&line_a, a, 600); /* a session that is not translated */
	request("100.64.0.1", PCP);
	expect(BED_ACCESS, BNG_DROP_own_address_unhandled);
}

static void only_requests_go_up(void **state)
{
	nat_scene(state);
	nat_policy(BNG_NAT_PCP, 1000);
	request("100.64.0.1", PCP - 1); /* replies and announcements are the clients' port */
	expect(BED_ACCESS, BNG_DROP_own_address_unhandled);

	nat_again();
	nat_tcp(from_a("100.64.0.1"), 40000, PCP, NAT_SYN, 20);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_own_address_unhandled);

	nat_again();
	nat_udp(from_a(NAT_PEER), 40000, PCP, 80); /* somebody else's server: translated like all else */
	nat_passes(BED_ACCESS, BNG_TX_forward_up);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_go_up_if_the_policy_says_so),
		cmocka_unit_test(requests_inside_pppoe_go_up),
		cmocka_unit_test(without_the_policy_nothing_goes_up),
		cmocka_unit_test(only_requests_go_up),
	};

	if (geteuid() != 0)
		return 77;
	if (bed_network(&bed) || bed_load(&bed, 64)) {
		fprintf(stderr, "cannot set up the bed\n");
		return 1;
	}
	return cmocka_run_group_tests_name("nat_pcp", tests, NULL, NULL);
}
