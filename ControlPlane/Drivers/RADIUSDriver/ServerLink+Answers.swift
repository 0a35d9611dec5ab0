// SPDX-License-Identifier: Apache-2.0
// What a server says: only what is genuine and answers a request in flight is believed, everything else is counted.

import BNGCore
import NIOCore
import RADIUS
import RADIUSContract
import Subscribers

extension ServerLink {
    func received(_ bytes: [UInt8], lane: Int) {
        guard let packet = try? RADIUSCodec.decode(bytes.span), let length = try? RADIUSCodec.length(bytes.span) else {
            return self.receivedGarbage()
        }
        guard let exchange = self.pending[RequestPlace(lane: lane, identifier: packet.identifier)],
            case .sent(_, let attempt) = exchange.stage
        else {
            self.counters.late += 1
            return
        }
        guard exchange.isAnswered(by: packet.code) else {
            self.counters.unexpected += 1
            return
        }
        guard self.isGenuine(packet, Array(bytes.prefix(length)), attempt) else { return }
        if attempt.schedule.transmissions == 1 {
            let time = NIODeadline.now() - attempt.firstSent
            self.latency.add(microseconds: UInt64(max(0, time.nanoseconds / 1_000)))
        }
        self.release(exchange)
        self.handle(.answered)
        self.core.finish(exchange, self.verdict(packet, exchange.question))
    }

    func receivedGarbage() {
        self.counters.malformed += 1
        self.warn("malformed", "a RADIUS server sent a malformed packet")
    }

    func receivedFromElsewhere() {
        self.counters.wrongSource += 1
        self.warn("source", "an answer for a RADIUS server's port came from another address")
    }

    /// A packet that is not genuine is ignored: the true answer may still come.
    private func isGenuine(_ packet: RADIUSPacket, _ bytes: [UInt8], _ attempt: Exchange.Attempt) -> Bool {
        switch self.secret.check(answer: bytes, to: attempt.authenticator) {
        case .badAuthenticator:
            self.counters.badAuthenticator += 1
            self.warn("authenticator", "a RADIUS answer is not genuine: expected the same secret on both sides")
            return false
        case .badMessageAuthenticator:
            self.counters.badMessageAuthenticator += 1
            self.warn("signature", "a RADIUS answer has a wrong Message-Authenticator")
            return false
        case .genuine(let signed):
            if signed || packet.code == .accountingResponse || !self.server.requiresMessageAuthenticator { return true }
            self.counters.missingMessageAuthenticator += 1
            self.warn("unsigned", "a RADIUS answer without Message-Authenticator is ignored (CVE-2024-3596)")
            return false
        }
    }

    private func verdict(_ packet: RADIUSPacket, _ question: Exchange.Question) -> Verdict {
        guard case .authorize(let request, _) = question else {
            if case .probe = question {
                self.counters.probeAnswers += 1
            } else {
                self.counters.accountingResponses += 1
            }
            return .recorded
        }
        switch packet.code {
        case .accessAccept:
            return .decided(self.accept(packet.attributes, request))
        case .accessChallenge:
            self.counters.challenges += 1
            self.warn("challenge", "a RADIUS server sent a challenge, which nobody on a line can answer")
            return .decided(.reject(message: "challenge not answerable"))
        default:
            self.counters.rejects += 1
            return .decided(.reject(message: self.core.configuration.mapping.refusal(packet.attributes)))
        }
    }

    private func accept(_ attributes: RADIUSAttributes, _ request: AuthorizationRequest) -> AuthorizationOutcome {
        self.counters.accepts += 1
        do {
            let mapped = try self.core.configuration.mapping.grant(answering: request, attributes)
            for key in mapped.ignored {
                self.counters.ignoredAttributes += 1
                self.warn("attribute/\(key)", "a malformed attribute in an Access-Accept is ignored", "\(key)")
            }
            return .accept(mapped.grant)
        } catch {
            self.counters.refusedAccepts += 1
            self.warn("refused/\(error.attribute)", "an Access-Accept cannot be served", "\(error)")
            return .reject(message: "\(error)")
        }
    }

    private func warn(_ subject: String, _ message: String, _ detail: String? = nil) {
        self.core.log.warning(
            "\(subject)/\(self.server.name)/\(self.role)", "\(message)",
            ["server": "\(self.server.name)", "role": "\(self.role)"].merging(
                detail.map { ["detail": "\($0)"] } ?? [:], uniquingKeysWith: { $1 }))
    }
}
