// SPDX-License-Identifier: Apache-2.0
// A connection on which a node asks for a certificate: perhaps its TPM is looked at first, then one answer, and it closes.

import AgentContract
import AgentProto
import BNGCore
import Fleet
import Foundation
import NIOCore

final class EnrolmentConversation {
    private var request: EnrolmentRequest
    private let check: IdentityCheck
    private let lane: LaneHandler
    private let trust: any NodeTrust

    init(
        _ request: Wire.EnrolRequest, binding: ChannelBinding, certifiedNames: Set<String>, address: String,
        on lane: LaneHandler, trust: any NodeTrust
    ) {
        self.request = EnrolmentRequest(
            name: String(request.nodeID.prefix(64)), serial: String(request.serial.prefix(128)),
            signingRequest: [UInt8](request.signingRequest), agentVersion: String(request.agentVersion.prefix(64)),
            kernelRelease: String(request.kernelRelease.prefix(64)),
            interfaces: request.interfaces.prefix(lane.core.configuration.limits.ports).map(PortStatus.init),
            key: binding.agentKey, address: address, certifiedNames: certifiedNames)
        self.check = IdentityCheck(core: lane.core, node: nil, binding: binding)
        self.lane = lane
        self.trust = trust
    }

    func begin() {
        let loop = self.lane.core.loop
        let back = NIOLoopBound(self, eventLoop: loop)
        self.trust.enrol(self.request) { answer in
            loop.execute { back.value.answer(answer) }
        }
    }

    func received(_ proof: Wire.Proof) {
        self.check.received(proof) { step in
            switch step {
            case .ask(let challenge): self.ask(challenge)
            case .refused(let error): self.lane.close(with: error)
            case .proven(let tpm):
                self.request.tpm = tpm
                self.begin()
            }
        }
    }

    private func ask(_ challenge: Wire.Challenge) {
        self.lane.send(.challenge(challenge))
        self.lane.flush()
    }

    private func answer(_ answer: EnrolmentAnswer) {
        switch answer {
        case .quote(let registers):
            // A policy that is not content with what it asked for must say so, not ask for ever.
            guard self.request.tpm == nil else { return self.reply { $0.status = .refused } }
            self.ask(self.check.askQuote(registers))
        case .pending(let words, let retryAfterMs):
            self.reply {
                $0.status = .pending
                $0.message = words
                $0.retryAfterMs = retryAfterMs
            }
        case .refused(let words):
            self.reply {
                $0.status = .refused
                $0.message = words
            }
        case .approved(let node, let certificates, let authority, let ports):
            self.reply {
                $0.status = .approved
                $0.nodeID = node
                $0.certificates = certificates.map { Data($0) }
                $0.authority = Data(authority)
                $0.ports = ports.map { port in
                    .with {
                        $0.interface = port.name
                        $0.role = port.role == .access ? .access : .core
                    }
                }
            }
        }
    }

    private func reply(_ fill: (inout Wire.EnrolReply) -> Void) {
        var reply = Wire.EnrolReply()
        fill(&reply)
        self.lane.send(.enrolReply(reply))
        self.lane.flush()
        self.lane.closeQuietly()
    }
}
