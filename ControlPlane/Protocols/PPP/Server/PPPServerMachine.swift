// SPDX-License-Identifier: Apache-2.0
// The access concentrator's side of one PPP link.
//
// Objects: one machine per PPPoE session. It holds three automata of RFC 1661 (LCP, IPCP, IPv6CP), what their options
// came to, and, while it lasts, one authentication. It owns no address, no clock, no randomness and no packet.
//
//   dead ──start──► establish ──LCP open──► authenticate ──admitted──► network ──close──► terminate ──► dead
//                       ▲                        │                        │
//                       └── LCP begun anew ──────┘                        └── LCP begun anew: terminate
//
// An address is promised to the client by one packet only, the Configure-Ack of IPCP. When the client first asks for
// exactly its address, the machine emits `confirm` and holds the answer; the driver makes the session durable,
// installs it in the data plane and says `confirmed`. From then on everything of IPCP goes out by `sendConfirmed`,
// which must not overtake the installed session. A later Configure-Request for the same address is acknowledged at
// once.
//
// Every wait is bounded: by the Restart timer and its counter (RFC 1661 4.6), by one timer a phase, and by a bound on
// Configure-Naks in both directions. After `finished` every event is ignored and no timer runs.
//
// Deviations from RFC 1661, each because PPPoE has a PADT and a discovery of its own:
// - Our first Configure-Request follows the client's, or a second's silence: LCP begins in Stopped (the passive open of 4.2).
// - A client that begins LCP anew on an open link (4.3, RCR in Opened) ends the session; it redials. During
//   authentication, before anything was proved, the table is followed.
// - A Configure-Request with the content that was acknowledged last is a retransmission or a duplicate: it is
//   acknowledged again and nothing restarts. So is a second reply to one Configure-Request ignored.
// - After a peer's Terminate-Request the link is finished with the Terminate-Ack, without the wait of 4.4 (zrc).
// - A CHAP Success is sent again with a retransmission of IPCP's Configure-Request while the client says nothing of IPCP:
//   RFC 1994 gives a client no way to ask for one that was lost.
// - IPv4 is what a session is for: IPCP that cannot open, or closes, ends the link. IPv6CP comes and goes.
// - Without authentication a network protocol's Configure-Request that comes while the authority is asked is kept, not
//   dropped (3.5), or every such client would wait for its Restart timer.
//
// Supported standards: RFC 1661; RFC 1332 (3.3; no compression); RFC 1877 (1.1, 1.3); RFC 5072 (4.1); RFC 1334 (2);
// RFC 1994; RFC 2759 (3-6; the computations are the authority's); RFC 2433 appendix A (codes of failures); RFC 1570
// (codes known and ignored); RFC 2516 (7); RFC 4638 (MRU above 1492).

import BNGCore

/// The server automaton of one PPP link.
public struct PPPServerMachine: Machine, Equatable {
    public typealias Configuration = PPPConfiguration
    public typealias Seeds = PPPSeeds
    public typealias Addresses = PPPAddresses
    public typealias Proof = PPPProof

    public enum Timer: UInt8, CaseIterable, Sendable {
        /// Restart timers.
        case lcp, ipcp, ipv6cp
        /// The next challenge.
        case authentication
        /// The phase takes too long.
        case phase
    }

    public enum Phase: UInt8, CaseIterable, Sendable {
        case establish, authenticate, network, terminate, dead
    }

    public enum Event: Sendable {
        /// The PADS is on its way.
        case start
        /// PPP protocol field and what follows.
        case received([UInt8])
        case timerFired(Timer)
        /// The authority and the pool said yes. `message` is what a CHAP Success or an Authenticate-Ack says; of
        /// MS-CHAPv2 the authority's "S=…".
        case admitted(Addresses, message: [UInt8])
        /// The words of a CHAP Failure or an Authenticate-Nak; of MS-CHAPv2 made "E=691 …" unless they begin with
        /// "E=".
        case denied(message: [UInt8])
        /// The address is durable and installed.
        case confirmed
        case confirmationFailed
        /// This side wants the link closed.
        case close(PPPTerminateReason)
        /// A PADT came, or nobody answers any more.
        case linkLost
    }

    public enum Action: Equatable, Sendable {
        /// PPP protocol field and what follows.
        case send([UInt8])
        /// The same, but not before the session is installed.
        case sendConfirmed([UInt8])
        /// Answer `admitted` or `denied`.
        case authenticate(name: [UInt8], Proof)
        /// The client asks for exactly its address: answer `confirmed` or `confirmationFailed`.
        case confirm
        case ipv4Opened
        case ipv6Opened(peerInterfaceID: UInt64)
        case startTimer(Timer, after: Duration)
        case cancelTimer(Timer)
        /// The link is down and nothing more is sent: a PADT is due.
        case finished(PPPTerminateReason)
        case count(PPPCounter)
    }

    /// Whether the address may be promised.
    enum Confirmation: Equatable, Sendable {
        case none
        /// The latest request for it waits.
        case asked(PPPControlPacket?)
        case confirmed
    }

    let configuration: PPPConfiguration
    public internal(set) var phase = Phase.dead
    public internal(set) var isFinished = false
    var reason: PPPTerminateReason?
    var timers: Set8 = []
    var lcp: ControlLayer
    var ipcp: ControlLayer
    var ipv6cp: ControlLayer
    var lcpOptions: LCPOptions
    var ipcpOptions: IPCPOptions?
    var ipv6cpOptions: IPv6CPOptions
    var login: Login
    var confirmation = Confirmation.none
    /// Configure-Requests that came before their time, one a layer.
    var early: [EarlyRequest] = []
    /// Of the last Code-Reject or Protocol-Reject.
    var rejectIdentifier: UInt8 = 0
    /// LCP waits in Stopped for the client's first Configure-Request.
    var isListening = false
    /// Packets that carried our own magic number.
    var loops: UInt8 = 0

    /// A link that is about to begin: `start` it.
    public init(configuration: Configuration, seeds: Seeds) {
        let identifier = UInt8(truncatingIfNeeded: seeds.magic)
        self.configuration = configuration
        self.lcp = ControlLayer(identifier: identifier)
        self.ipcp = ControlLayer(identifier: identifier &+ 1)
        self.ipv6cp = ControlLayer(identifier: identifier &+ 2)
        self.lcpOptions = LCPOptions(configuration, magic: seeds.magic)
        self.ipv6cpOptions = IPv6CPOptions(local: seeds.interfaceID)
        self.login = Login(challenge: seeds.challenge, identifier: UInt8(truncatingIfNeeded: seeds.magic >> 8))
    }

    /// A link that is open, as after a restart of the controller.
    public init(restored link: PPPLink, addresses: Addresses, configuration: Configuration, seeds: Seeds) {
        self.init(configuration: configuration, seeds: seeds)
        self.phase = .network
        self.lcp.automaton = PPPAutomaton(state: .opened)
        self.ipcp.automaton = PPPAutomaton(state: .opened)
        (self.lcpOptions.magic, self.lcpOptions.peerMagic) = (link.localMagic, link.peerMagic)
        (self.lcpOptions.localMRU, self.lcpOptions.peerMRU) = (link.localMRU, link.peerMRU)
        self.lcpOptions.authentication = link.authentication
        self.ipcpOptions = IPCPOptions(addresses)
        if link.localInterfaceID != 0 {
            self.ipv6cp.automaton = PPPAutomaton(state: .opened)
            (self.ipv6cpOptions.local, self.ipv6cpOptions.peer) = (link.localInterfaceID, link.peerInterfaceID)
        } else if configuration.ipv6cp {
            // The client may ask, we do not: what it wanted of IPv6 is settled.
            self.ipv6cp.automaton = PPPAutomaton(state: .stopped)
        }
        self.login.stage = .admitted
        self.login.forget()
        self.confirmation = .confirmed
    }

    /// What negotiation has come to so far.
    public var link: PPPLink {
        var link = PPPLink()
        (link.localMagic, link.peerMagic) = (self.lcpOptions.magic, self.lcpOptions.peerMagic)
        (link.localMRU, link.peerMRU) = (self.lcpOptions.localMRU, self.lcpOptions.peerMRU)
        if self.ipv6cp.state == .opened {
            (link.localInterfaceID, link.peerInterfaceID) = (self.ipv6cpOptions.local, self.ipv6cpOptions.peer)
        }
        link.authentication = self.lcpOptions.authentication
        return link
    }

    // MARK: Events

    public mutating func handle(
        _ event: Event, at now: ContinuousClock.Instant, into actions: inout ActionBuffer<Action>
    ) {
        guard !self.isFinished else { return }
        switch (self.phase, event) {
        case (.dead, .start): self.begin(&actions)
        case (.dead, .received): actions.append(.count(.unexpected))
        case (_, .received(let frame)): self.received(frame, &actions)
        case (_, .timerFired(let timer)): self.timerFired(timer, &actions)
        case (.authenticate, .admitted(let addresses, let message)): self.admitted(addresses, message, &actions)
        case (.authenticate, .denied(let message)): self.denied(message, &actions)
        case (.network, .confirmed): self.confirmed(&actions)
        case (.network, .confirmationFailed): self.close(.confirmationFailed, &actions)
        case (.dead, .close(let reason)): self.finish(reason, &actions)
        case (_, .close(let reason)): self.close(reason, &actions)
        case (_, .linkLost): self.finish(.lostCarrier, &actions)
        case (_, .start), (_, .admitted), (_, .denied), (_, .confirmed), (_, .confirmationFailed):
            break  // answers to a question that has since been settled otherwise
        }
    }

    private mutating func begin(_ actions: inout ActionBuffer<Action>) {
        self.phase = .establish
        self.start(.phase, self.configuration.authenticationLimit, &actions)
        guard self.configuration.listen > .zero else { return self.openLCP(&actions) }
        self.lcp.automaton = PPPAutomaton(state: .stopped)
        self.isListening = true
        self.start(.lcp, self.configuration.listen, &actions)
    }

    private mutating func openLCP(_ actions: inout ActionBuffer<Action>) {
        self.lcp.automaton = PPPAutomaton()
        self.isListening = false
        self.step(.lcp, .open, &actions)
        self.step(.lcp, .up, &actions)
    }

    private mutating func timerFired(_ timer: Timer, _ actions: inout ActionBuffer<Action>) {
        guard self.timers.remove(timer.rawValue) else { return }
        switch timer {
        case .lcp where self.isListening: self.openLCP(&actions)
        case .lcp: self.restartTimerFired(.lcp, &actions)
        case .ipcp: self.restartTimerFired(.ipcp, &actions)
        case .ipv6cp: self.restartTimerFired(.ipv6cp, &actions)
        case .authentication: self.challengeAgain(&actions)
        case .phase: self.phaseTimedOut(&actions)
        }
    }

    private mutating func phaseTimedOut(_ actions: inout ActionBuffer<Action>) {
        switch self.phase {
        case .establish: self.close(.negotiationFailed, &actions)
        case .authenticate:
            actions.append(.count(.authenticationTimeout))
            self.close(.authenticationTimeout, &actions)
        case .network: self.close(.networkTimeout, &actions)
        case .terminate, .dead: break
        }
    }

    // MARK: Timers and the end

    mutating func start(_ timer: Timer, _ duration: Duration, _ actions: inout ActionBuffer<Action>) {
        self.timers.insert(timer.rawValue)
        actions.append(.startTimer(timer, after: duration))
    }

    mutating func cancel(_ timer: Timer, _ actions: inout ActionBuffer<Action>) {
        if self.timers.remove(timer.rawValue) { actions.append(.cancelTimer(timer)) }
    }

    /// Asks the peer to end the link; it has ended when it answers, or does not.
    mutating func close(_ reason: PPPTerminateReason, _ actions: inout ActionBuffer<Action>) {
        guard self.phase != .terminate else { return }
        self.reason = reason
        // Nothing was said yet: there is nothing to take back.
        if self.isListening { return self.finish(reason, &actions) }
        self.leaveForTermination(&actions)
        self.step(.lcp, .close, &actions)
    }

    mutating func leaveForTermination(_ actions: inout ActionBuffer<Action>) {
        self.phase = .terminate
        for timer in [Timer.phase, .authentication] { self.cancel(timer, &actions) }
        self.networkDown(&actions)
    }

    mutating func networkDown(_ actions: inout ActionBuffer<Action>) {
        for timer in [Timer.ipcp, .ipv6cp] { self.cancel(timer, &actions) }
        self.ipcp.automaton = PPPAutomaton()
        self.ipv6cp.automaton = PPPAutomaton()
        if case .asked = self.confirmation { self.confirmation = .none }
        self.early = []
    }

    mutating func finish(_ reason: PPPTerminateReason, _ actions: inout ActionBuffer<Action>) {
        for timer in Timer.allCases { self.cancel(timer, &actions) }
        self.networkDown(&actions)
        self.login.forget()
        self.phase = .dead
        self.isFinished = true
        actions.append(.finished(self.reason ?? reason))
    }
}

/// A Configure-Request that waits for the network phase.
struct EarlyRequest: Equatable, Sendable {
    var layer: Layer
    var packet: PPPControlPacket
}

/// A set of numbers below eight, in a byte.
struct Set8: Equatable, Sendable, ExpressibleByArrayLiteral {
    private var bits: UInt8 = 0

    init(arrayLiteral elements: UInt8...) {
        for element in elements { self.insert(element) }
    }

    mutating func insert(_ number: UInt8) { self.bits |= 1 << (number & 7) }

    /// Whether it was there.
    mutating func remove(_ number: UInt8) -> Bool {
        let bit: UInt8 = 1 << (number & 7)
        defer { self.bits &= ~bit }
        return self.bits & bit != 0
    }
}
