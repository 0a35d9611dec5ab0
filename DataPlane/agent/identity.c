// SPDX-License-Identifier: Apache-2.0
// How this agent shows who it is: its TLS context, and what it answers to a challenge (docs/contract.md,
// section 14).
#include "agent.h"

#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int say(struct bng_words *words, const char *text)
{
	bng_say(words, "%s", text);
	return -EINVAL;
}

static void *new_context(const struct bng_options *options, char *text, size_t size)
{
	char certificate[BNG_OPTION_SIZE + 32], key[BNG_OPTION_SIZE + 32], authority[BNG_OPTION_SIZE + 32];
	struct bng_tls_files files = {
		.certificate = options->tls_certificate,
		.key = options->tls_key,
		.authority = options->tls_authority,
	};

	if (options->psk[0])
		files = (struct bng_tls_files){.pin = options->pin};
	if (options->state[0]) {
		(void)snprintf(certificate, sizeof(certificate), "%s/certificate.pem", options->state);
		(void)snprintf(key, sizeof(key), "%s/key.pem", options->state);
		(void)snprintf(authority, sizeof(authority), "%s/authority.pem", options->state);
		files = (struct bng_tls_files){
			.certificate = certificate, .key = key, .authority = authority};
	}
	return bng_tls_context_new(&files, false, text, size);
}

int bng_identity_init(struct bng_agent *agent, struct bng_words *words)
{
	const struct bng_options *options = &agent->options;
	char text[512];

	if (!options->controller.host[0])
		return 0;
	if (options->psk[0] && bng_psk_read(options->psk, &agent->prover.psk, text, sizeof(text)))
		return say(words, text);
	agent->tls_context = new_context(options, text, sizeof(text));
	if (!agent->tls_context)
		return say(words, text);
	if (options->state[0]) {
		bng_enroller_init(&agent->enroller, &agent->loop, &agent->options, &agent->prover);
		agent->renew_at_ms = bng_enroller_renew_at(options);
	}
	return 0;
}

void bng_identity_done(struct bng_agent *agent)
{
	bng_enroller_done(&agent->enroller);
	if (agent->tls_context)
		bng_tls_context_free(agent->tls_context);
	agent->tls_context = NULL;
	explicit_bzero(&agent->prover, sizeof(agent->prover));
}

static void send_on_state_lane(void *owner, const Bng__Agent__V1__AgentFrame *frame)
{
	bng_lanes_send(owner, BNG_LANE_STATE, frame);
}

void bng_identity_challenged(struct bng_agent *agent, const Bng__Agent__V1__Challenge *challenge)
{
	bng_prover_answer(&agent->prover, &agent->lanes[BNG_LANE_STATE].connection.tls, challenge,
		send_on_state_lane, agent);
}

/* Lanes that are up keep what they were opened with. */
static void use_new_certificate(struct bng_agent *agent)
{
	char text[512];
	void *fresh = new_context(&agent->options, text, sizeof(text)), *old = agent->tls_context;
	int lane;

	agent->enroller.approved = false;
	agent->renew_at_ms = bng_enroller_renew_at(&agent->options);
	if (!fresh) {
		bng_log("error", "certificate_unusable", "reason=%s", bng_quote(text).text);
		return;
	}
	agent->tls_context = fresh;
	for (lane = 1; lane < BNG_LANES; lane++)
		agent->lanes[lane].connection.tls_context = fresh;
	bng_tls_context_free(old);
	bng_log("info", "certificate_renewed", "renew_again_unix_ms=%llu",
		(unsigned long long)agent->renew_at_ms);
}

void bng_identity_tick(struct bng_agent *agent)
{
	if (!agent->renew_at_ms)
		return;
	bng_enroller_tick(&agent->enroller);
	if (agent->enroller.approved)
		use_new_certificate(agent);
	else if (bng_clock_now().utc_ms >= agent->renew_at_ms)
		bng_enroller_start(&agent->enroller);
}
