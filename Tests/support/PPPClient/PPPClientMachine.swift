// SPDX-License-Identifier: Apache-2.0
// The client's side of a PPP link, for tests: it follows the RFC's table to the letter, wants an address and name
// servers, and proves itself by whatever it is willing to.

import BNGCore
import PPP

/// What a client wants and knows.
public struct PPPClientSettings: Hashable, Sendable {
    public var name: [UInt8] = Array("alice".utf8)
    public var password: [UInt8] = Array("secret".utf8)
    /// Methods it accepts, best first; empty: it refuses to authenticate.
    public var methods: [PPPAuthentication] = [.chapMD5, .pap, .msChapV2]
    public var mru: UInt16? = 1_492
    public var magic: UInt32 = 0xc11e_0001
    public var interfaceID: UInt64 = 0
    public var wantsIPv6 = true
    public var wantsDNS = true
    /// Asks for this address first.
    public var address = IPv4Address.zero
    public var maxConfigure = 10

    public init() {}
}

/// A client of one link.
public struct PPPClientMachine: Equatable, Sendable {
    public enum Layer: Int, CaseIterable, Sendable { case lcp, ipcp, ipv6cp, authentication }

    public enum Action: Equatable, Sendable {
        case send([UInt8])
        case startTimer(Layer)
        case cancelTimer(Layer)
        /// RFC 1994's and RFC 2759's responses are computed by the test.
        case prove(PPPAuthentication, identifier: UInt8, challenge: [UInt8])
        case opened
        case finished
    }

    struct Control: Equatable, Sendable {
        var automaton = PPPAutomaton()
        var restarts = 0
        var identifier: UInt8 = 0
        var isAnswered = true
    }

    public let settings: PPPClientSettings
    var controls = [Control](repeating: Control(), count: 3)
    var timers: Set<Layer> = []
    var rejected: [Set<UInt8>] = [[], [], []]
    var method: PPPAuthentication?
    var response: [UInt8]?
    public internal(set) var isAuthenticated = false
    public internal(set) var message: [UInt8] = []
    public internal(set) var address: IPv4Address
    public internal(set) var dns: [IPv4Address] = [.zero, .zero]
    public internal(set) var interfaceID: UInt64
    public internal(set) var serverAddress = IPv4Address.zero
    public internal(set) var isFinished = false
    public internal(set) var echoes = 0
    public internal(set) var rejects = 0

    public init(_ settings: PPPClientSettings) {
        self.settings = settings
        self.address = settings.address
        self.interfaceID = settings.interfaceID
    }

    public func state(_ layer: Layer) -> PPPAutomaton.State { self.controls[layer.rawValue].automaton.state }
    public var isOpen: Bool { self.state(.ipcp) == .opened && !self.isFinished }
    public var hasIPv6: Bool { self.state(.ipv6cp) == .opened }
    public var hasTimers: Bool { !self.timers.isEmpty }

    // MARK: Events

    public mutating func start(_ actions: inout [Action]) {
        self.step(.lcp, .open, &actions)
        self.step(.lcp, .up, &actions)
    }

    public mutating func close(_ actions: inout [Action]) {
        guard !self.isFinished else { return }
        self.step(.lcp, .close, &actions)
    }

    /// IPCP begins anew.
    public mutating func renegotiate(_ layer: Layer, _ actions: inout [Action]) {
        self.step(layer, .down, &actions)
        self.step(layer, .up, &actions)
    }

    public mutating func timerFired(_ layer: Layer, _ actions: inout [Action]) {
        guard self.timers.remove(layer) != nil, !self.isFinished else { return }
        if layer == .authentication { return self.askPAP(&actions) }
        let isLast = self.controls[layer.rawValue].restarts == 0
        self.step(layer, isLast ? .timeoutLast : .timeout, &actions)
    }

    public mutating func received(_ frame: [UInt8], _ actions: inout [Action]) {
        guard !self.isFinished, let number = try? PPPCodec.protocolField(frame.span),
            let packet = try? PPPCodec.decodePacket(frame.span)
        else { return }
        switch number {
        case .lcp: self.receivedLCP(packet, &actions)
        case .pap: self.receivedPAP(packet, &actions)
        case .chap: self.receivedCHAP(packet, &actions)
        case .ipcp where self.isAuthenticated: self.receivedControl(.ipcp, packet, &actions)
        case .ipv6cp where self.isAuthenticated && self.settings.wantsIPv6:
            self.receivedControl(.ipv6cp, packet, &actions)
        case .ipv6cp where self.isAuthenticated:
            self.send(.lcp, PPPControlPacket(code: PPPCode.protocolReject, identifier: 1, data: frame), &actions)
        default: break
        }
    }

    /// The answer to `prove`.
    public mutating func proved(identifier: UInt8, response: [UInt8], _ actions: inout [Action]) {
        let data = CHAPCodec.encodeValue(response, name: self.settings.name)
        let packet = PPPControlPacket(code: CHAPCodec.response, identifier: identifier, data: data)
        actions.append(.send(PPPCodec.encode(packet, of: .chap)))
    }

    // MARK: Authentication

    private mutating func askPAP(_ actions: inout [Action]) {
        let data = PAPCodec.encodeRequest(name: self.settings.name, password: self.settings.password)
        let packet = PPPControlPacket(code: PAPCodec.request, identifier: 1, data: data)
        actions.append(.send(PPPCodec.encode(packet, of: .pap)))
        self.timers.insert(.authentication)
        actions.append(.startTimer(.authentication))
    }

    private mutating func receivedPAP(_ packet: PPPControlPacket, _ actions: inout [Action]) {
        guard self.method == .pap, !self.isAuthenticated, self.state(.lcp) == .opened else { return }
        self.message = Array(packet.data.dropFirst())
        if packet.code == PAPCodec.ack { self.authenticated(&actions) } else { self.close(&actions) }
    }

    private mutating func receivedCHAP(_ packet: PPPControlPacket, _ actions: inout [Action]) {
        guard let method = self.method, method != .pap, self.state(.lcp) == .opened else { return }
        switch packet.code {
        case CHAPCodec.challenge:
            guard let challenge = try? CHAPCodec.decodeValue(packet.data.span) else { return }
            actions.append(.prove(method, identifier: packet.identifier, challenge: challenge.value))
        case CHAPCodec.success where !self.isAuthenticated:
            self.message = packet.data
            self.authenticated(&actions)
        case CHAPCodec.failure:
            self.message = packet.data
            self.close(&actions)
        default: break
        }
    }

    private mutating func authenticated(_ actions: inout [Action]) {
        self.isAuthenticated = true
        if self.timers.remove(.authentication) != nil { actions.append(.cancelTimer(.authentication)) }
        let layers: [Layer] = self.settings.wantsIPv6 ? [.ipcp, .ipv6cp] : [.ipcp]
        for layer in layers {
            self.step(layer, .open, &actions)
            self.step(layer, .up, &actions)
        }
    }

    // MARK: The automata

    mutating func step(
        _ layer: Layer, _ event: PPPAutomaton.Event, reply: PPPControlPacket? = nil, _ actions: inout [Action]
    ) {
        let todo = self.controls[layer.rawValue].automaton.handle(event)
        for action in todo where !self.isFinished {
            switch action {
            case .irc: self.controls[layer.rawValue].restarts = todo.contains(.str) ? 2 : self.settings.maxConfigure
            case .zrc:
                self.controls[layer.rawValue].restarts = 0
                self.startTimer(layer, &actions)
            case .scr: self.sendRequest(layer, isAgain: event == .timeout, &actions)
            case .str:
                self.controls[layer.rawValue].restarts -= 1
                self.send(layer, PPPControlPacket(code: PPPCode.terminateRequest, identifier: 77), &actions)
                self.startTimer(layer, &actions)
            case .tlu: self.up(layer, &actions)
            case .tld: self.down(layer, &actions)
            case .tlf: if layer == .lcp || layer == .ipcp { self.finish(&actions) }
            case .tls: break
            default: if let reply { self.send(layer, reply, &actions) }
            }
        }
        if !self.state(layer).isTimed, self.timers.remove(layer) != nil { actions.append(.cancelTimer(layer)) }
    }

    private mutating func up(_ layer: Layer, _ actions: inout [Action]) {
        switch layer {
        case .lcp where self.method == nil: self.authenticated(&actions)
        case .lcp where self.method == .pap: self.askPAP(&actions)
        case .ipcp: actions.append(.opened)
        default: break
        }
    }

    private mutating func down(_ layer: Layer, _ actions: inout [Action]) {
        guard layer == .lcp else { return }
        self.isAuthenticated = false
        for other in [Layer.ipcp, .ipv6cp, .authentication] where self.timers.remove(other) != nil {
            actions.append(.cancelTimer(other))
        }
        self.controls[1] = Control()
        self.controls[2] = Control()
    }

    private mutating func finish(_ actions: inout [Action]) {
        for timer in self.timers { actions.append(.cancelTimer(timer)) }
        self.timers = []
        self.isFinished = true
        actions.append(.finished)
    }

    private mutating func startTimer(_ layer: Layer, _ actions: inout [Action]) {
        self.timers.insert(layer)
        actions.append(.startTimer(layer))
    }

    private mutating func sendRequest(_ layer: Layer, isAgain: Bool, _ actions: inout [Action]) {
        if !isAgain { self.controls[layer.rawValue].identifier &+= 1 }
        self.controls[layer.rawValue].isAnswered = false
        self.controls[layer.rawValue].restarts -= 1
        let packet = PPPControlPacket(
            code: PPPCode.configureRequest, identifier: self.controls[layer.rawValue].identifier,
            data: PPPCodec.encode(self.request(layer)))
        self.send(layer, packet, &actions)
        self.startTimer(layer, &actions)
    }

    func send(_ layer: Layer, _ packet: PPPControlPacket, _ actions: inout [Action]) {
        let numbers: [PPPProtocol] = [.lcp, .ipcp, .ipv6cp]
        actions.append(.send(PPPCodec.encode(packet, of: numbers[layer.rawValue])))
    }
}
