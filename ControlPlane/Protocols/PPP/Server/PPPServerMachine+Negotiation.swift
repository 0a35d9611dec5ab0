// SPDX-License-Identifier: Apache-2.0
// Configure-Request, -Ack, -Nak and -Reject (RFC 1661 5.1-5.4), and the Configure-Ack that is held until the address
// is confirmed.

import BNGCore

extension PPPServerMachine {
    // MARK: The peer's requests

    mutating func receivedRequest(_ layer: Layer, _ packet: PPPControlPacket, _ actions: inout Actions) {
        guard let options = try? PPPCodec.decodeOptions(packet.data.span) else {
            return actions.append(.count(.malformed))
        }
        let isOwn = layer == .lcp && self.lcpOptions.sees(ownMagicIn: options)
        if isOwn { self.looped(&actions) }
        guard !self.isFinished else { return }
        // RFC 1661 6.4: what may be our own packet is answered with another number, and nothing else.
        let verdict: RequestVerdict =
            isOwn ? (PPPCode.configureNak, [self.lcpOptions.betterMagic]) : self.judge(layer, options)
        if verdict.code == PPPCode.configureAck, self.isRepeated(layer, packet, options) {
            self[layer].repeats = self[layer].repeats == .max ? .max : self[layer].repeats + 1
            return self.send(layer, Self.acknowledgement(of: packet), &actions)
        }
        if layer == .lcp, self.lcp.state == .opened, self.phase == .network || self.login.stage == .asked {
            return self.close(.renegotiated, &actions)
        }
        if verdict.code == PPPCode.configureAck {
            self.receivedGoodRequest(layer, packet, options, &actions)
        } else {
            self.receivedBadRequest(layer, packet, verdict, &actions)
        }
    }

    private func judge(_ layer: Layer, _ options: [PPPOption]) -> RequestVerdict {
        let mayNak = self[layer].naksSent < self.configuration.maxFailure
        switch layer {
        case .lcp: return self.lcpOptions.judge(options, mayNak: mayNak)
        case .ipcp: return self.ipcpOptions?.judge(options, mayNak: mayNak) ?? (PPPCode.configureReject, options)
        case .ipv6cp: return self.ipv6cpOptions.judge(options, mayNak: mayNak)
        }
    }

    private static func acknowledgement(of packet: PPPControlPacket) -> PPPControlPacket {
        PPPControlPacket(code: PPPCode.configureAck, identifier: packet.identifier, data: packet.data)
    }

    /// The request that was acknowledged has come again: our Configure-Ack was lost, or the network doubles.
    private func isRepeated(_ layer: Layer, _ packet: PPPControlPacket, _ options: [PPPOption]) -> Bool {
        guard self[layer].state == .opened else { return false }
        let isSameIdentifier = self[layer].acknowledged == packet.identifier
        switch layer {
        case .lcp:
            guard self.lcpOptions.hasAgreed(to: options) else { return false }
            return isSameIdentifier || self.lcpOptions.peerMagic != 0 && !self.peerHasOpened
        case .ipcp:
            return isSameIdentifier && self.ipcp.repeats < self.configuration.maxFailure
        case .ipv6cp:
            var other = self.ipv6cpOptions
            other.agree(to: options)
            return isSameIdentifier && other == self.ipv6cpOptions
                && self.ipv6cp.repeats < self.configuration.maxFailure
        }
    }

    /// It has shown that our Configure-Ack of LCP reached it: a new identifier is a new negotiation.
    private var peerHasOpened: Bool {
        self.phase == .network && (self.lcpOptions.authentication != nil || self.ipcp.state == .opened)
    }

    private mutating func receivedGoodRequest(
        _ layer: Layer, _ packet: PPPControlPacket, _ options: [PPPOption], _ actions: inout Actions
    ) {
        switch layer {
        case .lcp: self.lcpOptions.agree(to: options)
        case .ipv6cp: self.ipv6cpOptions.agree(to: options)
        case .ipcp:
            // Max-Failure took the address out of the request: there is nothing left to agree on.
            guard IPCPOptions.namesAddress(options) else { return self.close(.negotiationFailed, &actions) }
            guard self.confirmation == .confirmed else { return self.hold(packet, &actions) }
        }
        self.acknowledge(layer, packet, &actions)
    }

    private mutating func acknowledge(_ layer: Layer, _ packet: PPPControlPacket, _ actions: inout Actions) {
        self[layer].acknowledged = packet.identifier
        self.step(layer, .goodRequest, reply: Self.acknowledgement(of: packet), &actions)
    }

    private mutating func receivedBadRequest(
        _ layer: Layer, _ packet: PPPControlPacket, _ verdict: RequestVerdict, _ actions: inout Actions
    ) {
        if verdict.code == PPPCode.configureNak, self[layer].naksSent < .max { self[layer].naksSent += 1 }
        if layer == .ipcp, case .asked = self.confirmation { self.confirmation = .asked(nil) }
        let reply = PPPControlPacket(
            code: verdict.code, identifier: packet.identifier, data: PPPCodec.encode(verdict.options))
        self.step(layer, .badRequest, reply: reply, &actions)
    }

    // MARK: The address

    /// The latest request is the one to be answered.
    private mutating func hold(_ packet: PPPControlPacket, _ actions: inout Actions) {
        if self.confirmation == .none { actions.append(.confirm) }
        self.confirmation = .asked(packet)
    }

    mutating func confirmed(_ actions: inout Actions) {
        guard case .asked(let held) = self.confirmation else { return }
        self.confirmation = .confirmed
        if let held { self.acknowledge(.ipcp, held, &actions) }
    }

    // MARK: Replies to our requests

    mutating func receivedReply(_ layer: Layer, _ packet: PPPControlPacket, _ actions: inout Actions) {
        // RFC 1661 5.2-5.4: another identifier, or a second reply, is not one to our request.
        guard packet.identifier == self[layer].identifier, !self[layer].isAnswered else {
            return actions.append(.count(.unexpected))
        }
        if packet.code == PPPCode.configureAck {
            guard packet.data == PPPCodec.encode(self.request(layer)) else {
                return actions.append(.count(.malformed))
            }
            self[layer].isAnswered = true
            return self.step(layer, .ack, &actions)
        }
        guard let options = try? PPPCodec.decodeOptions(packet.data.span) else {
            return actions.append(.count(.malformed))
        }
        self[layer].isAnswered = true
        self[layer].naksReceived += 1
        let canGoOn = self.takeRefusal(layer, packet.code, options)
        guard canGoOn, self[layer].naksReceived <= self.configuration.maxConfigure else {
            return layer == .ipv6cp
                ? self.step(.ipv6cp, .fatalReject, &actions) : self.close(.negotiationFailed, &actions)
        }
        self.step(layer, .nak, &actions)
    }

    private mutating func takeRefusal(_ layer: Layer, _ code: UInt8, _ options: [PPPOption]) -> Bool {
        let (times, limit) = (self[layer].naksReceived, self.configuration.maxFailure)
        let isNak = code == PPPCode.configureNak
        switch layer {
        case .lcp:
            return isNak
                ? self.lcpOptions.nakked(options, times: times, limit: limit) : self.lcpOptions.rejected(options)
        case .ipcp:
            guard var rules = self.ipcpOptions else { return false }
            defer { self.ipcpOptions = rules }
            return isNak ? rules.nakked(options, times: times, limit: limit) : rules.rejected(options)
        case .ipv6cp:
            return isNak
                ? self.ipv6cpOptions.nakked(options, times: times, limit: limit)
                : self.ipv6cpOptions.rejected(options)
        }
    }
}
