// SPDX-License-Identifier: Apache-2.0
// Whether a server is worth asking.
//
//   alive ──`unanswered` waits in a row ran out, over `zombieMs`──► dead
//     ▲                                                              │ status server: a probe every `probeMs`,
//     │                                                              │ else nothing for `deadMs`
//     └──────────────any answer, or the wait is over─────────────────┘
//
// Only waits for real requests that ran out kill a server: a port that accepts, an ICMP message or a probe of another
// protocol says nothing of it. One answer of any kind proves it alive: a server that rejects or drops one customer's requests
// while it answers others' is not dead. Probes are Status-Server packets (RFC 5997), spread by jitter (RFC 3539 3.4.1).
//
// Supported standards: RFC 3539 (3.4, in spirit: no connections with UDP), RFC 5080 (2.2.1), RFC 5997 (4.2).

import BNGCore

/// The watchdog of one server in one role.
public struct ServerLivenessMachine: Machine, Equatable {
    /// When a server counts as dead and what wakes it.
    public struct Settings: Equatable, Sendable {
        /// Waits in a row that must run out.
        public var unanswered = 3
        /// How long after the first of them, at least.
        public var zombieMs: Int64 = 3_000
        /// How long a dead server that cannot be probed is left alone.
        public var deadMs: Int64 = 30_000
        /// Between two probes.
        public var probeMs: Int64 = 5_000
        /// The server answers Status-Server.
        public var usesProbes = true

        public init() {}
    }

    public enum Timer: Equatable, Sendable { case probe, revival }

    public enum Event: Equatable, Sendable {
        /// A genuine answer, to a request or a probe.
        case answered
        /// The wait for an answer to one transmission ran out.
        case unanswered
        case timerFired(Timer)
    }

    public enum Action: Equatable, Sendable {
        case startTimer(Timer, afterMs: Int64)
        case cancelTimer(Timer)
        case sendProbe
        case died
        case revived
    }

    private enum State: Equatable, Sendable {
        case alive
        case doubtful(since: ContinuousClock.Instant, count: Int)
        case dead
    }

    private var state = State.alive
    private var jitter: JitterSource
    private let settings: Settings

    public init(_ settings: Settings, seed: UInt64) {
        self.settings = settings
        self.jitter = JitterSource(state: seed)
    }

    public var isAlive: Bool { self.state != .dead }

    /// Waits are running out; it may be dead soon.
    public var isDoubtful: Bool { if case .doubtful = self.state { true } else { false } }

    public mutating func handle(
        _ event: Event, at now: ContinuousClock.Instant, into actions: inout ActionBuffer<Action>
    ) {
        switch (self.state, event) {
        case (.alive, .unanswered):
            self.doubt(since: now, 1, now, &actions)
        case (.doubtful(let since, let count), .unanswered):
            self.doubt(since: since, count + 1, now, &actions)
        case (.doubtful, .answered):
            self.state = .alive
        case (.dead, .answered), (.dead, .timerFired(.revival)):
            self.revive(&actions)
        case (.dead, .timerFired(.probe)):
            actions.append(.sendProbe)
            actions.append(.startTimer(.probe, afterMs: self.probeDelay()))
        case (.alive, .answered), (.dead, .unanswered), (_, .timerFired):
            break
        }
    }

    private mutating func doubt(
        since: ContinuousClock.Instant, _ count: Int, _ now: ContinuousClock.Instant,
        _ actions: inout ActionBuffer<Action>
    ) {
        guard count >= self.settings.unanswered, since.duration(to: now) >= .milliseconds(self.settings.zombieMs) else {
            self.state = .doubtful(since: since, count: count)
            return
        }
        self.state = .dead
        actions.append(.died)
        if self.settings.usesProbes {
            actions.append(.startTimer(.probe, afterMs: self.probeDelay()))
        } else {
            actions.append(.startTimer(.revival, afterMs: self.settings.deadMs))
        }
    }

    private mutating func revive(_ actions: inout ActionBuffer<Action>) {
        self.state = .alive
        actions.append(.cancelTimer(self.settings.usesProbes ? .probe : .revival))
        actions.append(.revived)
    }

    private mutating func probeDelay() -> Int64 {
        let quarter = max(self.settings.probeMs / 4, 1)
        return max(1, self.settings.probeMs + Int64.random(in: -quarter...quarter, using: &self.jitter))
    }
}
