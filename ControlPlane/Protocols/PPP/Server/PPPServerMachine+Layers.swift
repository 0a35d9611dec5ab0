// SPDX-License-Identifier: Apache-2.0
// Carries out what the automata say: sends, counts restarts, sets timers, and moves the link from phase to phase.

import BNGCore

extension PPPServerMachine {
    typealias Actions = ActionBuffer<Action>

    subscript(layer: Layer) -> ControlLayer {
        get {
            switch layer {
            case .lcp: self.lcp
            case .ipcp: self.ipcp
            case .ipv6cp: self.ipv6cp
            }
        }
        set {
            switch layer {
            case .lcp: self.lcp = newValue
            case .ipcp: self.ipcp = newValue
            case .ipv6cp: self.ipv6cp = newValue
            }
        }
    }

    func request(_ layer: Layer) -> [PPPOption] {
        switch layer {
        case .lcp: self.lcpOptions.request
        case .ipcp: self.ipcpOptions?.request ?? []
        case .ipv6cp: self.ipv6cpOptions.request
        }
    }

    /// One event of one automaton. `reply` is the packet that sca, scn, sta, scj or ser sends.
    mutating func step(
        _ layer: Layer, _ event: PPPAutomaton.Event, reply: PPPControlPacket? = nil, _ actions: inout Actions
    ) {
        let todo = self[layer].automaton.handle(event)
        for action in todo where !self.isFinished {
            switch action {
            case .irc:
                self[layer].restarts =
                    todo.contains(.str) ? self.configuration.maxTerminate : self.configuration.maxConfigure
            case .zrc:
                self[layer].restarts = 0
                self.start(layer.timer, self.configuration.restart, &actions)
            case .scr: self.sendRequest(layer, isAgain: event == .timeout, &actions)
            case .str: self.sendTerminate(layer, &actions)
            case .sca, .scn, .sta, .scj, .ser:
                if let reply { self.send(layer, reply, &actions) }
            case .tlu: self.opened(layer, &actions)
            case .tld: self.closed(layer, &actions)
            case .tlf: self.ended(layer, &actions)
            default: break  // tls: the lower layer is always there
            }
        }
        if layer == .lcp, self.lcp.state != .stopped { self.isListening = false }
        if !self[layer].state.isTimed, !(layer == .lcp && self.isListening) { self.cancel(layer.timer, &actions) }
    }

    mutating func restartTimerFired(_ layer: Layer, _ actions: inout Actions) {
        let isLast = self[layer].restarts == 0
        if !isLast {
            actions.append(.count(.retransmitted))
            if layer == .ipcp { self.repeatAnswer(&actions) }
        }
        self.step(layer, isLast ? .timeoutLast : .timeout, &actions)
    }

    // MARK: Sending

    func send(_ layer: Layer, _ packet: PPPControlPacket, _ actions: inout Actions) {
        let frame = PPPCodec.encode(packet, of: layer.number)
        actions.append(layer == .ipcp && self.confirmation == .confirmed ? .sendConfirmed(frame) : .send(frame))
    }

    /// A retransmission keeps its identifier, so that a late reply still fits (RFC 1661 5.1).
    private mutating func sendRequest(_ layer: Layer, isAgain: Bool, _ actions: inout Actions) {
        if !isAgain { self[layer].identifier &+= 1 }
        self[layer].isAnswered = false
        self.countRestart(layer, &actions)
        let data = PPPCodec.encode(self.request(layer))
        let packet = PPPControlPacket(
            code: PPPCode.configureRequest, identifier: self[layer].identifier, data: data)
        self.send(layer, packet, &actions)
    }

    private mutating func sendTerminate(_ layer: Layer, _ actions: inout Actions) {
        self[layer].identifier &+= 1
        self.countRestart(layer, &actions)
        self.send(
            layer, PPPControlPacket(code: PPPCode.terminateRequest, identifier: self[layer].identifier), &actions)
    }

    private mutating func countRestart(_ layer: Layer, _ actions: inout Actions) {
        if self[layer].restarts > 0 { self[layer].restarts -= 1 }
        self.start(layer.timer, self.configuration.restart, &actions)
    }

    /// A Code-Reject or Protocol-Reject, cut to what the peer can receive (RFC 1661 5.6, 5.7).
    mutating func rejection(_ code: UInt8, of bytes: [UInt8]) -> PPPControlPacket {
        self.rejectIdentifier &+= 1
        let room = max(0, Int(self.lcpOptions.peerMRU) - PPPCodec.headLength)
        return PPPControlPacket(
            code: code, identifier: self.rejectIdentifier, data: Array(bytes.prefix(room)))
    }

    // MARK: This-Layer-Up, -Down, -Finished

    private mutating func opened(_ layer: Layer, _ actions: inout Actions) {
        self[layer].naksSent = 0
        self[layer].naksReceived = 0
        self[layer].repeats = 0
        switch layer {
        case .lcp:
            self.loops = 0
            self.authenticate(&actions)
        case .ipcp:
            self.cancel(.phase, &actions)
            self.login.forget()
            actions.append(.ipv4Opened)
        case .ipv6cp: actions.append(.ipv6Opened(peerInterfaceID: self.ipv6cpOptions.peer))
        }
    }

    private mutating func closed(_ layer: Layer, _ actions: inout Actions) {
        switch (layer, self.phase) {
        case (.lcp, .authenticate):
            self.phase = .establish
            self.login.restart()
            self.early = []
            self.cancel(.authentication, &actions)
            self.start(.phase, self.configuration.authenticationLimit, &actions)
        case (.ipcp, .network): self.start(.phase, self.configuration.networkLimit, &actions)
        default: break
        }
    }

    private mutating func ended(_ layer: Layer, _ actions: inout Actions) {
        switch layer {
        case .lcp: self.finish(.negotiationFailed, &actions)
        case .ipcp: self.close(.networkTimeout, &actions)
        case .ipv6cp: break
        }
    }

    /// The network phase begins (RFC 1661 3.6).
    mutating func openNetwork(_ addresses: PPPAddresses, _ actions: inout Actions) {
        self.phase = .network
        self.ipcpOptions = IPCPOptions(addresses)
        self.start(.phase, self.configuration.networkLimit, &actions)
        let layers: [Layer] = self.configuration.ipv6cp ? [.ipcp, .ipv6cp] : [.ipcp]
        for layer in layers {
            self.step(layer, .open, &actions)
            self.step(layer, .up, &actions)
        }
        let early = self.early
        self.early = []
        for request in early where self.phase == .network {
            self.receivedControl(request.layer, request.packet, &actions)
        }
    }
}
