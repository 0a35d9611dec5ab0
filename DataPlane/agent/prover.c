// SPDX-License-Identifier: Apache-2.0
// A proof is computed over the connection the challenge came by (docs/contract.md, section 14).
#include "prover.h"

#include "log.h"

#include <sys/random.h>

static void send_proof(Bng__Agent__V1__Proof *proof, bng_prover_send send, void *owner)
{
	Bng__Agent__V1__AgentFrame frame = BNG__AGENT__V1__AGENT_FRAME__INIT;

	frame.body_case = BNG__AGENT__V1__AGENT_FRAME__BODY_PROOF;
	frame.proof = proof;
	send(owner, &frame);
}

static void send_failure(uint64_t challenge_id, const char *why, bng_prover_send send, void *owner)
{
	Bng__Agent__V1__Proof proof = BNG__AGENT__V1__PROOF__INIT;

	bng_log("error", "identity_not_proven", "reason=%s", bng_quote(why).text);
	proof.challenge_id = challenge_id;
	proof.kind_case = BNG__AGENT__V1__PROOF__KIND_FAILURE;
	proof.failure = (char *)(uintptr_t)why;
	send_proof(&proof, send, owner);
}

static void prove_psk(struct bng_prover *prover, const struct bng_tls *tls,
	const Bng__Agent__V1__Challenge *challenge, bng_prover_send send, void *owner)
{
	Bng__Agent__V1__Proof proof = BNG__AGENT__V1__PROOF__INIT;
	Bng__Agent__V1__PSKProof psk = BNG__AGENT__V1__PSKPROOF__INIT;
	uint8_t nonce[BNG_PSK_NONCE], mac[BNG_PSK_MAC];
	struct bng_tls_binding binding;

	if (!prover->psk.size) {
		send_failure(
			challenge->challenge_id, "this node has no pre-shared key (psk = FILE)", send, owner);
		return;
	}
	if (bng_tls_bind(tls, &binding) || getrandom(nonce, sizeof(nonce), 0) != sizeof(nonce) ||
		bng_psk_prove(&prover->psk, &binding, challenge->nonce.data, nonce, mac)) {
		send_failure(challenge->challenge_id, "the proof could not be computed", send, owner);
		return;
	}
	psk.nonce = (ProtobufCBinaryData){.len = sizeof(nonce), .data = nonce};
	psk.mac = (ProtobufCBinaryData){.len = sizeof(mac), .data = mac};
	proof.challenge_id = challenge->challenge_id;
	proof.kind_case = BNG__AGENT__V1__PROOF__KIND_PSK;
	proof.psk = &psk;
	send_proof(&proof, send, owner);
}

void bng_prover_answer(struct bng_prover *prover, const struct bng_tls *tls,
	const Bng__Agent__V1__Challenge *challenge, bng_prover_send send, void *owner)
{
	if (challenge->kind_case == BNG__AGENT__V1__CHALLENGE__KIND_PSK)
		prove_psk(prover, tls, challenge, send, owner);
	else
		send_failure(challenge->challenge_id, "this node has no TPM (tpm = TCTI)", send, owner);
}
