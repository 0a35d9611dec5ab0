// SPDX-License-Identifier: Apache-2.0
// The questions put to one connection about who it is, and what its answers are worth. A nonce is asked about once: whatever
// comes uses it up.

import AgentContract
import AgentProto
import BNGCore
import Fleet
import Foundation
import NIOCore

final class IdentityCheck {
    /// What to do next.
    enum Step {
        case ask(Wire.Challenge)
        case proven(AttestedTPM?)
        case refused(ContractError)
    }

    private enum Expected {
        case nothing
        case psk(key: [UInt8], nonce: [UInt8])
        case quote(registers: [UInt32], nonce: [UInt8])
        case activation(secret: [UInt8], tpm: AttestedTPM)
        /// Somebody else judges the evidence.
        case verdict
    }

    private let core: ServerCore
    private let node: NodeName?
    private let binding: ChannelBinding
    private var expected = Expected.nothing
    private var challenge: UInt64 = 0

    init(core: ServerCore, node: NodeName?, binding: ChannelBinding) {
        self.core = core
        self.node = node
        self.binding = binding
    }

    var isIdle: Bool {
        if case .nothing = self.expected { return true }
        return false
    }

    func askPSK(_ key: [UInt8]) -> Wire.Challenge {
        let nonce = self.core.randomBytes(IdentityProof.nonceBytes)
        self.expected = .psk(key: key, nonce: nonce)
        return self.next(nonce) { $0.psk = .init() }
    }

    func askQuote(_ registers: [UInt32]) -> Wire.Challenge {
        let nonce = self.core.randomBytes(IdentityProof.nonceBytes)
        self.expected = .quote(registers: registers, nonce: nonce)
        return self.next(nonce) { $0.quote.pcrs = registers }
    }

    private func next(_ nonce: [UInt8], _ fill: (inout Wire.Challenge) -> Void) -> Wire.Challenge {
        self.challenge += 1
        return .with {
            $0.challengeID = self.challenge
            $0.nonce = Data(nonce)
            fill(&$0)
        }
    }

    /// `then` is called once, on the loop, now or later.
    func received(_ proof: Wire.Proof, then: @escaping (Step) -> Void) {
        let expected = self.expected
        self.expected = .nothing
        guard proof.challengeID == self.challenge, let kind = proof.kind else {
            return then(.refused(ContractError(.unexpected, "a proof nobody asked for")))
        }
        switch (expected, kind) {
        case (.psk(let key, let nonce), .psk(let answer)): then(self.judge(answer, key, nonce))
        case (.quote(let registers, let nonce), .quote(let evidence)):
            self.judge(evidence, registers, nonce, then: then)
        case (.activation(let secret, let tpm), .activationSecret(let found)):
            guard found.count == secret.count, secret.elementsEqual(found) else {
                return then(Self.refused("ak_not_of_ek: the TPM did not find the secret"))
            }
            if let node = self.node { self.core.configuration.trust?.activated(tpm, node: node) }
            then(.proven(tpm))
        case (.nothing, _), (.verdict, _):
            then(.refused(ContractError(.unexpected, "a proof nobody asked for")))
        case (_, .failure(let why)):
            then(Self.refused("no_proof: the node says \(String(why.prefix(200)).debugDescription)"))
        default: then(.refused(ContractError(.unexpected, "another kind of proof than was asked for")))
        }
    }

    private static func refused(_ reason: String) -> Step { .refused(ContractError(.attestation, reason)) }

    private func judge(_ answer: Wire.PSKProof, _ key: [UInt8], _ nonce: [UInt8]) -> Step {
        let isValid =
            answer.nonce.count == IdentityProof.nonceBytes
            && IdentityProof.isValidPSK(
                mac: [UInt8](answer.mac), key: key, binding: self.binding, serverNonce: nonce,
                agentNonce: [UInt8](answer.nonce))
        return isValid
            ? .proven(nil)
            : Self.refused("psk_wrong: not the key, or a proof of another connection")
    }

    private func judge(
        _ evidence: Wire.QuoteEvidence, _ registers: [UInt32], _ nonce: [UInt8], then: @escaping (Step) -> Void
    ) {
        guard let trust = self.core.configuration.trust else {
            return then(Self.refused("no_policy: this controller judges no TPM"))
        }
        self.expected = .verdict
        let back = NIOLoopBound(then, eventLoop: self.core.loop)
        let check = NIOLoopBound(self, eventLoop: self.core.loop)
        let loop = self.core.loop
        let question = NodeEvidence(
            node: self.node, keyHash: self.binding.agentKeyHash,
            qualifyingData: IdentityProof.quoteData(binding: self.binding, serverNonce: nonce), registers: registers,
            endorsementKey: [UInt8](evidence.ekPublic), endorsementCertificate: [UInt8](evidence.ekCertificate),
            attestationKey: [UInt8](evidence.akPublic), attest: [UInt8](evidence.attest),
            signature: [UInt8](evidence.signature), eventLog: [UInt8](evidence.eventLog))
        trust.judge(question) { verdict in
            loop.execute { back.value(check.value.judged(verdict)) }
        }
    }

    private func judged(_ verdict: AttestationVerdict) -> Step {
        self.expected = .nothing
        switch verdict {
        case .refused(let reason): return Self.refused(reason)
        case .proven(let tpm): return .proven(tpm)
        case .activate(let blob, let encrypted, let secret, let tpm):
            self.expected = .activation(secret: secret, tpm: tpm)
            return .ask(
                self.next(self.core.randomBytes(IdentityProof.nonceBytes)) {
                    $0.activation.credentialBlob = Data(blob)
                    $0.activation.encryptedSecret = Data(encrypted)
                })
        }
    }
}
