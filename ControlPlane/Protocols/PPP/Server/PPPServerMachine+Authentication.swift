// SPDX-License-Identifier: Apache-2.0
// The authentication phase: PAP (RFC 1334 2), CHAP with MD5 (RFC 1994) and MS-CHAPv2 (RFC 2759), as authenticator.
// What a proof is worth others decide.

import BNGCore

extension PPPServerMachine {
    /// LCP is open.
    mutating func authenticate(_ actions: inout Actions) {
        self.phase = .authenticate
        self.start(.phase, self.configuration.authenticationLimit, &actions)
        switch self.lcpOptions.authentication {
        case nil:
            self.login.stage = .asked
            actions.append(.authenticate(name: [], .none))
        case .pap: break
        case .chapMD5, .msChapV2:
            self.login.identifier &+= 1
            self.login.tries = self.configuration.maxConfigure
            self.challenge(&actions)
        }
    }

    // MARK: CHAP

    /// A retransmission is the same challenge with the same identifier (RFC 1994 4.1).
    private mutating func challenge(_ actions: inout Actions) {
        if self.login.tries > 0 { self.login.tries -= 1 }
        let data = CHAPCodec.encodeValue(self.login.challenge, name: Array(self.configuration.hostName.utf8))
        self.answer(.chap, CHAPCodec.challenge, data, &actions)
        self.start(.authentication, self.configuration.restart, &actions)
    }

    mutating func challengeAgain(_ actions: inout Actions) {
        guard self.phase == .authenticate, self.login.stage == .waiting else { return }
        guard self.login.tries > 0 else {
            actions.append(.count(.authenticationTimeout))
            return self.close(.authenticationTimeout, &actions)
        }
        actions.append(.count(.retransmitted))
        self.challenge(&actions)
    }

    mutating func receivedCHAP(_ packet: PPPControlPacket, _ actions: inout Actions) {
        // RFC 1994 4.1: an identifier that is not the challenge's is discarded.
        guard packet.code == CHAPCodec.response, self.usesCHAP, packet.identifier == self.login.identifier,
            !self.login.challenge.isEmpty
        else { return actions.append(.count(.unexpected)) }
        switch (self.phase, self.login.stage) {
        case (.authenticate, .waiting): self.receivedResponse(packet.data, &actions)
        case (.authenticate, .asked): break  // the answer is on its way
        case (.network, .admitted): self.answer(.chap, CHAPCodec.success, self.login.message, &actions)
        case (.terminate, .denied): self.answer(.chap, CHAPCodec.failure, self.login.message, &actions)
        default: actions.append(.count(.unexpected))
        }
    }

    private var usesCHAP: Bool {
        self.lcpOptions.authentication == .chapMD5 || self.lcpOptions.authentication == .msChapV2
    }

    private mutating func receivedResponse(_ data: [UInt8], _ actions: inout Actions) {
        let isMicrosoft = self.lcpOptions.authentication == .msChapV2
        let count = isMicrosoft ? CHAPCodec.msChapV2ResponseCount : 16
        guard let response = try? CHAPCodec.decodeValue(data.span), response.value.count == count else {
            return actions.append(.count(.malformed))
        }
        self.login.stage = .asked
        self.cancel(.authentication, &actions)
        let (identifier, challenge) = (self.login.identifier, self.login.challenge)
        let proof =
            isMicrosoft
            ? Proof.msChapV2(identifier: identifier, challenge: challenge, response: response.value)
            : Proof.chap(identifier: identifier, challenge: challenge, response: response.value)
        actions.append(.authenticate(name: response.name, proof))
    }

    // MARK: PAP

    mutating func receivedPAP(_ packet: PPPControlPacket, _ actions: inout Actions) {
        guard packet.code == PAPCodec.request, self.lcpOptions.authentication == .pap else {
            return actions.append(.count(.unexpected))
        }
        guard let request = try? PAPCodec.decodeRequest(packet.data.span) else {
            return actions.append(.count(.malformed))
        }
        switch (self.phase, self.login.stage) {
        case (.authenticate, .waiting):
            self.login.stage = .asked
            self.login.identifier = packet.identifier
            actions.append(.authenticate(name: request.name, .password(request.password)))
        case (.authenticate, .asked): self.login.identifier = packet.identifier
        // RFC 1334 2.2.1: the same reply as the first time.
        case (.network, .admitted), (.terminate, .denied):
            self.login.identifier = packet.identifier
            self.answerLogin(&actions)
        default: actions.append(.count(.unexpected))
        }
    }

    // MARK: The authority's answer

    mutating func admitted(_ addresses: PPPAddresses, _ message: [UInt8], _ actions: inout Actions) {
        guard self.login.stage == .asked else { return }
        self.login.stage = .admitted
        self.login.message = message
        self.answerLogin(&actions)
        self.openNetwork(addresses, &actions)
    }

    mutating func denied(_ message: [UInt8], _ actions: inout Actions) {
        guard self.login.stage == .asked else { return }
        self.login.stage = .denied
        self.login.message =
            self.lcpOptions.authentication == .msChapV2
            ? CHAPCodec.msChapV2Failure(message, challenge: self.login.challenge) : message
        self.answerLogin(&actions)
        self.close(.authenticationFailed, &actions)
    }

    private mutating func answerLogin(_ actions: inout Actions) {
        let isYes = self.login.stage == .admitted
        switch self.lcpOptions.authentication {
        case nil: break
        case .pap:
            let data = PAPCodec.encodeMessage(self.login.message)
            self.answer(.pap, isYes ? PAPCodec.ack : PAPCodec.nak, data, &actions)
        case .chapMD5, .msChapV2:
            self.answer(.chap, isYes ? CHAPCodec.success : CHAPCodec.failure, self.login.message, &actions)
        }
    }

    /// A client that says nothing of IPCP has perhaps not heard that it is let in; nobody asks for a CHAP Success twice.
    mutating func repeatAnswer(_ actions: inout Actions) {
        guard self.usesCHAP, self.ipcp.state == .reqSent, self.confirmation == .none else { return }
        self.answerLogin(&actions)
    }

    private func answer(_ number: PPPProtocol, _ code: UInt8, _ data: [UInt8], _ actions: inout Actions) {
        let room = max(0, Int(self.lcpOptions.peerMRU) - PPPCodec.headLength)
        let packet = PPPControlPacket(code: code, identifier: self.login.identifier, data: Array(data.prefix(room)))
        actions.append(.send(PPPCodec.encode(packet, of: number)))
    }
}
