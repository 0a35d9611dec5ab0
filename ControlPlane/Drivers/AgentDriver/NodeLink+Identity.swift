// SPDX-License-Identifier: Apache-2.0
// A node's identity as it was last shown, and the question whether it still is what it was (docs/contract.md, section 14).

import AgentContract
import AgentProto
import BNGCore
import Fleet
import NIOCore

extension NodeLink {
    private var requirement: IdentityRequirement { self.core.configuration.identities[self.name] ?? .certificate }

    func identityRefused(_ error: ContractError) {
        self.snapshot.identity.refusal = error.message
        self.snapshot.identity.refusedAt = self.core.utcNow()
        self.logger.error("the node's identity was refused", metadata: ["error": "\(error)"])
        self.core.configuration.trust?.noted(self.name, refusal: error.message)
    }

    /// - Parameter certificateEnds: nil if no certificate counted.
    func identityProven(certificateEnds: UTCTime?) {
        self.snapshot.identity.provenAt = self.core.utcNow()
        self.snapshot.identity.certificateEnds = certificateEnds ?? .zero
        self.snapshot.identity.refusal = ""
        self.core.configuration.trust?.noted(self.name, refusal: nil)
        guard let association = self.association, case .tpm(_, let interval) = self.requirement else { return }
        association.attestAt = .now() + .milliseconds(interval)
    }

    /// Returns false if it ended the association: the node did not answer.
    func attestWhenDue(_ association: Association, _ now: NIODeadline) -> Bool {
        guard case .tpm(let registers, _) = self.requirement, let check = association.identity else { return true }
        if let deadline = association.proofDeadline, now >= deadline {
            self.endUnproven(association, ContractError(.attestation, "no_proof: the node did not answer in time"))
            return false
        }
        guard let due = association.attestAt, now >= due, association.proofDeadline == nil else { return true }
        association.attestAt = nil
        self.ask(association, check.askQuote(registers))
        return true
    }

    private func ask(_ association: Association, _ challenge: Wire.Challenge) {
        association.proofDeadline = .now() + .milliseconds(self.core.configuration.limits.proofTimeoutMs)
        association.state.send(.challenge(challenge))
        association.state.flush()
    }

    func received(_ proof: Wire.Proof, _ association: Association) throws(ContractError) {
        guard let check = association.identity, association.proofDeadline != nil else {
            throw ContractError(.unexpected, "a proof nobody asked for")
        }
        check.received(proof) { step in
            guard self.association === association else { return }
            association.proofDeadline = nil
            switch step {
            case .ask(let challenge): self.ask(association, challenge)
            case .proven: self.identityProven(certificateEnds: self.snapshot.identity.certificateEnds)
            case .refused(let error): self.endUnproven(association, error)
            }
        }
    }

    /// What it holds stays and goes on forwarding; it gets nothing more.
    func endUnproven(_ association: Association, _ error: ContractError) {
        self.identityRefused(error)
        association.state.close(with: error)
        self.end(association, "identity: \(error.message)")
    }
}
