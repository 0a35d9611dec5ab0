// SPDX-License-Identifier: Apache-2.0
// What comes from the peer: which protocol it is, whether it is due, and the packets that are not about options.

import BNGCore

extension PPPServerMachine {
    mutating func received(_ frame: [UInt8], _ actions: inout Actions) {
        guard let number = try? PPPCodec.protocolField(frame.span) else {
            return actions.append(.count(.malformed))
        }
        switch number {
        case .lcp, .ipcp, .pap, .chap: self.receivedKnown(number, frame, &actions)
        case .ipv6cp where self.configuration.ipv6cp: self.receivedKnown(number, frame, &actions)
        case .ipv4, .ipv6: actions.append(.count(.unexpected))
        default: self.rejectProtocol(frame, &actions)
        }
    }

    private mutating func receivedKnown(_ number: PPPProtocol, _ frame: [UInt8], _ actions: inout Actions) {
        guard let packet = try? PPPCodec.decodePacket(frame.span) else { return actions.append(.count(.malformed)) }
        switch number {
        case .lcp: self.receivedLCP(packet, &actions)
        case .pap: self.receivedPAP(packet, &actions)
        case .chap: self.receivedCHAP(packet, &actions)
        default: self.receivedNetwork(number == .ipcp ? .ipcp : .ipv6cp, packet, &actions)
        }
    }

    /// RFC 1661 5.7: only on an open link; 3.5: and not before the peer is known.
    private mutating func rejectProtocol(_ frame: [UInt8], _ actions: inout Actions) {
        actions.append(.count(.unknownProtocol))
        guard self.phase == .network, self.lcp.state == .opened else { return }
        let packet = self.rejection(PPPCode.protocolReject, of: frame)
        self.send(.lcp, packet, &actions)
    }

    private mutating func receivedNetwork(_ layer: Layer, _ packet: PPPControlPacket, _ actions: inout Actions) {
        if self.phase == .network { return self.receivedControl(layer, packet, &actions) }
        guard self.phase == .authenticate, self.lcpOptions.authentication == nil,
            packet.code == PPPCode.configureRequest
        else { return actions.append(.count(.unexpected)) }
        guard (try? PPPCodec.decodeOptions(packet.data.span)) != nil else {
            return actions.append(.count(.malformed))
        }
        self.early.removeAll { $0.layer == layer }
        self.early.append(EarlyRequest(layer: layer, packet: packet))
    }

    // MARK: Codes of every control protocol

    mutating func receivedControl(_ layer: Layer, _ packet: PPPControlPacket, _ actions: inout Actions) {
        switch packet.code {
        case PPPCode.configureRequest: self.receivedRequest(layer, packet, &actions)
        case PPPCode.configureAck, PPPCode.configureNak, PPPCode.configureReject:
            self.receivedReply(layer, packet, &actions)
        case PPPCode.terminateRequest: self.receivedTerminate(layer, packet, &actions)
        case PPPCode.terminateAck: self.receivedTerminateAck(layer, &actions)
        case PPPCode.codeReject: self.receivedCodeReject(layer, packet, &actions)
        default: self.rejectCode(layer, packet, &actions)
        }
    }

    mutating func rejectCode(_ layer: Layer, _ packet: PPPControlPacket, _ actions: inout Actions) {
        actions.append(.count(.unknownCode))
        let copy = PPPCodec.encode(packet, of: layer.number).dropFirst(2)
        let reply = self.rejection(PPPCode.codeReject, of: Array(copy))
        self.step(layer, .unknownCode, reply: reply, &actions)
    }

    private mutating func receivedTerminate(
        _ layer: Layer, _ packet: PPPControlPacket, _ actions: inout Actions
    ) {
        let reply = PPPControlPacket(code: PPPCode.terminateAck, identifier: packet.identifier)
        if layer == .lcp {
            self.leaveForTermination(&actions)
            self.step(layer, .terminateRequest, reply: reply, &actions)
            self.finish(.userRequest, &actions)
        } else {
            self.step(layer, .terminateRequest, reply: reply, &actions)
            if layer == .ipcp { self.close(.userRequest, &actions) }
        }
    }

    private mutating func receivedTerminateAck(_ layer: Layer, _ actions: inout Actions) {
        // On an open link it says that the peer has none.
        if layer == .lcp, self.lcp.state == .opened { return self.finish(.lostCarrier, &actions) }
        self.step(layer, .terminateAck, &actions)
    }

    private mutating func receivedCodeReject(
        _ layer: Layer, _ packet: PPPControlPacket, _ actions: inout Actions
    ) {
        guard let code = packet.data.first else { return actions.append(.count(.malformed)) }
        actions.append(.count(.codeRejected))
        guard (PPPCode.configureRequest...PPPCode.terminateAck).contains(code) else {
            return self.step(layer, .permittedReject, &actions)
        }
        self.rejectedForGood(layer, &actions)
    }

    /// RXJ-: what the peer cannot do without which there is no such layer.
    private mutating func rejectedForGood(_ layer: Layer, _ actions: inout Actions) {
        switch layer {
        case .lcp:
            self.reason = self.reason ?? .negotiationFailed
            self.leaveForTermination(&actions)
            self.step(.lcp, .fatalReject, &actions)
        case .ipcp: self.close(.negotiationFailed, &actions)
        case .ipv6cp: self.step(.ipv6cp, .fatalReject, &actions)
        }
    }

    // MARK: LCP's own codes

    private mutating func receivedLCP(_ packet: PPPControlPacket, _ actions: inout Actions) {
        switch packet.code {
        case PPPCode.protocolReject: self.receivedProtocolReject(packet, &actions)
        case PPPCode.echoRequest: self.receivedEcho(packet, &actions)
        case PPPCode.echoReply, PPPCode.discardRequest, PPPCode.identification, PPPCode.timeRemaining: break
        default: self.receivedControl(.lcp, packet, &actions)
        }
    }

    private mutating func receivedProtocolReject(_ packet: PPPControlPacket, _ actions: inout Actions) {
        // RFC 1661 5.7: in no other state.
        guard self.lcp.state == .opened else { return actions.append(.count(.unexpected)) }
        guard let number = try? PPPCodec.protocolField(packet.data.span) else {
            return actions.append(.count(.malformed))
        }
        actions.append(.count(.protocolRejected))
        switch number {
        case .lcp: self.rejectedForGood(.lcp, &actions)
        case .ipcp where self.phase == .network: self.rejectedForGood(.ipcp, &actions)
        case .ipv6cp where self.phase == .network: self.rejectedForGood(.ipv6cp, &actions)
        case .pap, .chap:
            if self.phase == .authenticate { self.close(.negotiationFailed, &actions) }
        default: break
        }
    }

    private mutating func receivedEcho(_ packet: PPPControlPacket, _ actions: inout Actions) {
        guard packet.data.count >= 4 else { return actions.append(.count(.malformed)) }
        let magic = packet.data.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        // RFC 1661 6.4: our own number comes back only through a loop.
        if magic != 0, magic == self.lcpOptions.magic { return self.looped(&actions) }
        var data: [UInt8] = []
        data.appendBigEndian(self.lcpOptions.magic)
        data += packet.data.dropFirst(4)
        let reply = PPPControlPacket(code: PPPCode.echoReply, identifier: packet.identifier, data: data)
        self.step(.lcp, .echo, reply: reply, &actions)
    }

    /// Counts up to the point where the loop is certain.
    mutating func looped(_ actions: inout Actions) {
        actions.append(.count(.looped))
        if self.loops < .max { self.loops += 1 }
        if self.loops > self.configuration.maxFailure { self.finish(.looped, &actions) }
    }
}
