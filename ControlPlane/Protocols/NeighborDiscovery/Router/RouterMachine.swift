// SPDX-License-Identifier: Apache-2.0
// The router's side of one line: when which advertisement is sent.
//
// Objects: one machine per line. It knows what the line has been told and by which address its host asked; it owns no
// packet, clock or prefix. The driver puts the line's own MAC address on every frame, also of advertisements to ff02::1
// (RFC 6085), so that lines which share a link never see each other's prefix (RFC 8273).
//
//   idle ──start──► serving ──stop──► idle
//                    │  ▲ change: what has gone is advertised with lifetimes of zero for two hours
//                    └──┘ solicited: answered at once; periodic: before anything expires
//
// Deviations: answers are not delayed by up to half a second (RFC 4861 6.2.6), since a line has one router; one final
// advertisement is sent instead of up to three (6.2.5), since the line usually goes with its session.
//
// Supported standards: RFC 4861 6.2, RFC 4191, RFC 8106, RFC 8273, RFC 8781.

import BNGCore

/// The advertising automaton of one line.
public struct RouterMachine: Machine, Equatable {
    public enum Timer: UInt8, Equatable, Sendable {
        case periodic
        /// An advertisement to all nodes that had to wait.
        case postponed
    }

    public enum Event: Sendable {
        case start(RouterConfiguration)
        /// A valid Router Solicitation came from this address, perhaps ::.
        case solicited(from: IPv6Address)
        case change(RouterConfiguration)
        case stop
        case timerFired(Timer)
    }

    public enum Counter: String, Sendable, CaseIterable {
        case rateLimited = "rate_limited"
        case ignored
    }

    public enum Action: Equatable, Sendable {
        case send(RouterAdvertisement, to: IPv6Address)
        case startTimer(Timer, after: Duration)
        case cancelTimer(Timer)
        case count(Counter)
    }

    /// MIN_DELAY_BETWEEN_RAS (RFC 4861 10), of advertisements to all nodes.
    public static let minimumDelay: Duration = .seconds(3)
    /// MAX_INITIAL_RTR_ADVERT_INTERVAL and MAX_INITIAL_RTR_ADVERTISEMENTS.
    static let initialInterval: Duration = .seconds(16)
    static let initialCount = 3
    /// Unicast answers within `minimumDelay`; hosts ask three times in twelve seconds.
    public static let answerLimit = 10
    /// RFC 4862 5.5.3 e: hosts keep a prefix that long whatever they are told.
    static let staleTime: Duration = .seconds(7_200)
    static let staleLimit = 8

    struct Stale: Equatable, Sendable {
        var prefix: IPv6Prefix
        var until: ContinuousClock.Instant
    }

    struct Serving: Equatable, Sendable {
        var configuration: RouterConfiguration
        /// Where the host was heard; ff02::1 before.
        var peer = IPv6Address.allNodes
        var stale: [Stale] = []
        var lastToAll: ContinuousClock.Instant?
        var isPostponed = false
        var windowStart: ContinuousClock.Instant
        var answers = 0
        var sent = 0
    }

    private enum State: Equatable, Sendable {
        case idle
        case serving(Serving)
    }

    private var state: State = .idle
    private var random: UInt64

    /// - Parameter seed: spreads the periodic advertisements of many lines.
    public init(seed: UInt64) {
        self.random = seed
    }

    public var isIdle: Bool { self.state == .idle }

    public mutating func handle(
        _ event: Event, at now: ContinuousClock.Instant, into actions: inout ActionBuffer<Action>
    ) {
        switch (self.state, event) {
        case (.idle, .start(let configuration)):
            self.start(configuration, now, &actions)
        case (.serving(let serving), .start(let configuration)), (.serving(let serving), .change(let configuration)):
            self.change(serving, to: configuration, now, &actions)
        case (.serving(let serving), .solicited(let source)):
            self.answer(serving, source, now, &actions)
        case (.serving(let serving), .timerFired(let timer)):
            self.fired(serving, timer, now, &actions)
        case (.serving(let serving), .stop):
            self.stop(serving, now, &actions)
        case (.idle, _):
            actions.append(.count(.ignored))
        }
    }

    // MARK: Transitions

    private mutating func start(
        _ configuration: RouterConfiguration, _ now: ContinuousClock.Instant, _ actions: inout ActionBuffer<Action>
    ) {
        var serving = Serving(configuration: configuration, windowStart: now)
        self.advertise(&serving, to: serving.peer, now, &actions)
        self.scheduleNext(&serving, &actions)
        self.state = .serving(serving)
    }

    private mutating func change(
        _ old: Serving, to configuration: RouterConfiguration, _ now: ContinuousClock.Instant,
        _ actions: inout ActionBuffer<Action>
    ) {
        var serving = old
        let kept = Set(configuration.prefixes.map(\.prefix))
        let gone = old.configuration.prefixes.map(\.prefix).filter { !kept.contains($0) }
        serving.stale.removeAll { kept.contains($0.prefix) || gone.contains($0.prefix) }
        serving.stale += gone.map { Stale(prefix: $0, until: now + Self.staleTime) }
        serving.stale = serving.stale.suffix(Self.staleLimit)
        serving.configuration = configuration
        serving.sent = 0
        self.advertise(&serving, to: serving.peer, now, &actions)
        self.scheduleNext(&serving, &actions)
        self.state = .serving(serving)
    }

    private mutating func answer(
        _ old: Serving, _ source: IPv6Address, _ now: ContinuousClock.Instant, _ actions: inout ActionBuffer<Action>
    ) {
        guard source.isUnspecified || source.isUnicast else { return actions.append(.count(.ignored)) }
        var serving = old
        if now - serving.windowStart >= Self.minimumDelay { (serving.windowStart, serving.answers) = (now, 0) }
        serving.answers += 1
        guard serving.answers <= Self.answerLimit else { return actions.append(.count(.rateLimited)) }
        if source.isUnspecified {
            self.advertise(&serving, to: .allNodes, now, &actions)
        } else {
            serving.peer = source
            self.advertise(&serving, to: source, now, &actions)
        }
        self.state = .serving(serving)
    }

    private mutating func fired(
        _ old: Serving, _ timer: Timer, _ now: ContinuousClock.Instant, _ actions: inout ActionBuffer<Action>
    ) {
        var serving = old
        switch timer {
        case .periodic:
            self.advertise(&serving, to: serving.peer, now, &actions)
            self.scheduleNext(&serving, &actions)
        case .postponed:
            guard serving.isPostponed else { return }
            serving.isPostponed = false
            self.advertise(&serving, to: .allNodes, now, &actions)
        }
        self.state = .serving(serving)
    }

    private mutating func stop(
        _ old: Serving, _ now: ContinuousClock.Instant, _ actions: inout ActionBuffer<Action>
    ) {
        actions.append(.cancelTimer(.periodic))
        if old.isPostponed { actions.append(.cancelTimer(.postponed)) }
        // The last word does not wait: nobody would be there to say it.
        let stale = old.stale.filter { $0.until > now }.map(\.prefix)
        actions.append(.send(old.configuration.withdrawn.advertisement(stale: stale), to: old.peer))
        self.state = .idle
    }

    // MARK: Sending

    private func advertise(
        _ serving: inout Serving, to destination: IPv6Address, _ now: ContinuousClock.Instant,
        _ actions: inout ActionBuffer<Action>
    ) {
        if destination.isMulticast {
            if let last = serving.lastToAll, now - last < Self.minimumDelay {
                guard !serving.isPostponed else { return }
                serving.isPostponed = true
                return actions.append(.startTimer(.postponed, after: Self.minimumDelay - (now - last)))
            }
            serving.lastToAll = now
        }
        serving.stale.removeAll { $0.until <= now }
        let message = serving.configuration.advertisement(stale: serving.stale.map(\.prefix))
        actions.append(.send(message, to: destination))
    }

    /// The first few follow each other quickly, in case one is lost (RFC 4861 6.2.4).
    private mutating func scheduleNext(_ serving: inout Serving, _ actions: inout ActionBuffer<Action>) {
        serving.sent += 1
        var interval = serving.configuration.effectiveInterval
        if serving.sent < Self.initialCount { interval = min(interval, Self.initialInterval) }
        serving.sent = min(serving.sent, Self.initialCount)
        // Between three quarters and the whole, so that lines which began together part.
        let part = Int64(self.nextRandom() >> 56)
        actions.append(.startTimer(.periodic, after: max(Self.minimumDelay, interval * Int(768 + part) / 1_024)))
    }

    /// SplitMix64.
    private mutating func nextRandom() -> UInt64 {
        self.random &+= 0x9e37_79b9_7f4a_7c15
        var z = self.random
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
