// SPDX-License-Identifier: Apache-2.0
// One lease of one outside DHCP server, as its client: acquired, kept alive, given back. The same for an IPv4 address, an IPv6
// address and a delegated prefix: families differ in their messages, which the driver builds and reads, not in this.
//
//   idle ─begin─► selecting ─offered─► requesting ─granted─► bound ◄──────────────┐
//                    │ silent, refused      │ silent, refused   │ T1, T2            │ granted, or silent for now
//                    ▼                      ▼                   ▼                   │
//                   over ◄──────────────────────────────── extending ──────────────┘
//                            release, decline, refused, expired
//
// An exchange is sent, and sent again by RFC 5080's schedule, to one server after the other; which ones, the driver knows. T1 asks
// the server that granted (RENEWING), T2 any server (REBINDING). An extension that nobody answered is tried again after half the
// time that is left to T2 or to the end, at least 10 s (RFC 2131 4.4.5 says 60 s, which is long for leases of a few minutes). A lease
// resumed after a restart of ours knows neither its server nor its end: it is extended at once by REBINDING and held until the time
// its user has been promised.
//
// The lease must be at least `minimum` long, so that what we promise to our own clients fits into it. One that is shorter is given
// back.
//
// Supported standards: RFC 2131 (4.4: the client; INIT-REBOOT is not used), RFC 8415 (18.2: Solicit to Rebind, Release, Decline).

import BNGCore

/// The client of one lease.
public struct LeaseMachine<Resource: Hashable & Sendable>: Machine, Equatable {
    /// How it behaves.
    public struct Settings: Equatable, Sendable {
        public var schedule = RetransmissionSchedule.Limits(initialMs: 1_000, maximumMs: 4_000, transmissions: 3)
        /// Seconds a lease must last at least.
        public var minimum: UInt32

        public init(minimum: UInt32) {
            self.minimum = minimum
        }
    }

    public enum Event: Sendable {
        case begin(wish: Resource?, isExact: Bool)
        /// A lease of a life before this one; held at least until then.
        case resume(Resource, until: ContinuousClock.Instant)
        case answered(LeaseAnswer<Resource>, from: Int)
        case timerFired
        case release
        /// Somebody else was found to use it.
        case decline
    }

    public enum Action: Equatable, Sendable {
        case send(LeaseRequest<Resource>, to: LeaseRecipient)
        /// The one timer; started again, it forgets what it was set to.
        case startTimer(after: Duration)
        case acquired(GrantedLease<Resource>)
        case extended(GrantedLease<Resource>)
        case failed(LeaseFailure)
        case lost(LeaseLoss)
        /// An answer that does not fit what was asked.
        case ignored
    }

    struct Held: Equatable, Sendable {
        var resource: Resource
        /// nil: not known, the lease was resumed.
        var server: [UInt8]?
        var index: Int?
        var renewsAt: ContinuousClock.Instant
        var rebindsAt: ContinuousClock.Instant
        var endsAt: ContinuousClock.Instant
    }

    struct Wish: Equatable, Sendable {
        var resource: Resource?
        var isExact: Bool
    }

    struct Offer: Equatable, Sendable {
        var resource: Resource
        var server: [UInt8]
        var index: Int
    }

    enum State: Equatable, Sendable {
        case idle
        case selecting(Wish)
        case requesting(Offer)
        case bound(Held)
        case extending(Held)
        case over
    }

    var state = State.idle
    /// Of the exchange under way.
    var schedule: RetransmissionSchedule
    var jitter: JitterSource
    let settings: Settings

    /// - Parameter seed: of the jitter.
    public init(_ settings: Settings, seed: UInt64) {
        self.settings = settings
        self.schedule = RetransmissionSchedule(settings.schedule)
        self.jitter = JitterSource(state: seed)
    }

    /// An answer is awaited.
    public var isExchanging: Bool {
        switch self.state {
        case .selecting, .requesting, .extending: true
        case .idle, .bound, .over: false
        }
    }

    public var isOver: Bool { self.state == .over }

    /// What is held, whether or not it is being extended.
    public var resource: Resource? { self.held?.resource }

    var held: Held? {
        switch self.state {
        case .bound(let held), .extending(let held): held
        default: nil
        }
    }

    public mutating func handle(
        _ event: Event, at now: ContinuousClock.Instant, into actions: inout ActionBuffer<Action>
    ) {
        switch (self.state, event) {
        case (.idle, .begin(let wish, let isExact)):
            self.begin(.selecting(Wish(resource: wish, isExact: isExact)), now, &actions)
        case (.idle, .resume(let resource, let until)): self.resume(resource, until, now, &actions)
        case (.selecting(let wish), .answered(.offered(let resource, let server), let index)):
            self.offered(Offer(resource: resource, server: server, index: index), wish, now, &actions)
        case (.selecting(let wish), .answered(.granted(let lease), let index)):
            // RFC 8415 18.2.1: Rapid Commit.
            self.granted(lease, wish.isExact ? wish.resource : nil, index, now, &actions)
        case (.requesting(let offer), .answered(.granted(let lease), let index)):
            self.granted(lease, offer.resource, index, now, &actions)
        case (.selecting, .answered(.refused, _)), (.requesting, .answered(.refused, _)):
            self.fail(.refused, &actions)
        case (.extending(let held), .answered(.granted(let lease), let index)):
            self.extended(held, lease, index, now, &actions)
        case (.extending, .answered(.refused, _)): self.lose(.refused, &actions)
        case (.selecting, .timerFired), (.requesting, .timerFired): self.transmit(now, &actions)
        case (.bound(let held), .timerFired): self.extend(held, now, &actions)
        case (.extending(let held), .timerFired):
            if now >= held.endsAt { self.lose(.expired, &actions) } else { self.transmit(now, &actions) }
        case (_, .answered): actions.append(.ignored)
        case (_, .release): self.release(&actions)
        case (_, .decline): self.decline(&actions)
        case (_, .begin), (_, .resume), (_, .timerFired): break
        }
    }

    // MARK: Exchanges

    mutating func begin(_ state: State, _ now: ContinuousClock.Instant, _ actions: inout ActionBuffer<Action>) {
        self.state = state
        self.schedule = RetransmissionSchedule(self.settings.schedule)
        self.transmit(now, &actions)
    }

    /// The first time, or again.
    private mutating func transmit(_ now: ContinuousClock.Instant, _ actions: inout ActionBuffer<Action>) {
        let turn = self.schedule.transmissions
        guard let waitMs = self.schedule.sent(using: &self.jitter) else { return self.silence(now, &actions) }
        switch self.state {
        case .selecting(let wish): actions.append(.send(.discover(wish: wish.resource), to: .turn(turn)))
        case .requesting(let offer):
            actions.append(.send(.request(offer.resource, server: offer.server), to: .server(offer.index)))
        case .extending(let held):
            if let server = held.server, let index = held.index, now < held.rebindsAt {
                actions.append(.send(.renew(held.resource, server: server), to: .server(index)))
            } else {
                actions.append(.send(.rebind(held.resource), to: .turn(turn)))
            }
        case .idle, .bound, .over: return
        }
        actions.append(.startTimer(after: .milliseconds(waitMs)))
    }

    private mutating func silence(_ now: ContinuousClock.Instant, _ actions: inout ActionBuffer<Action>) {
        guard case .extending(let held) = self.state else { return self.fail(.silent, &actions) }
        self.state = .bound(held)
        let next = now < held.rebindsAt ? held.rebindsAt : held.endsAt
        let wait = max(now.duration(to: next) / 2, .seconds(10))
        actions.append(.startTimer(after: min(wait, now.duration(to: held.endsAt))))
    }

    private mutating func fail(_ failure: LeaseFailure, _ actions: inout ActionBuffer<Action>) {
        self.state = .over
        actions.append(.failed(failure))
    }

    // MARK: Acquiring

    private mutating func offered(
        _ offer: Offer, _ wish: Wish, _ now: ContinuousClock.Instant, _ actions: inout ActionBuffer<Action>
    ) {
        // What is not asked for lapses at the server by itself.
        if wish.isExact, wish.resource != offer.resource { return self.fail(.otherOffered, &actions) }
        self.begin(.requesting(offer), now, &actions)
    }

    private mutating func granted(
        _ lease: GrantedLease<Resource>, _ expected: Resource?, _ index: Int, _ now: ContinuousClock.Instant,
        _ actions: inout ActionBuffer<Action>
    ) {
        if let expected, expected != lease.resource {
            actions.append(.send(.release(lease.resource, server: lease.server), to: .server(index)))
            return self.fail(.otherOffered, &actions)
        }
        guard lease.lifetime >= self.settings.minimum else {
            actions.append(.send(.release(lease.resource, server: lease.server), to: .server(index)))
            return self.fail(.tooShort(lease.lifetime), &actions)
        }
        self.hold(lease, index, now, &actions)
        actions.append(.acquired(lease))
    }

    // MARK: Giving back

    private mutating func release(_ actions: inout ActionBuffer<Action>) {
        if let held = self.held {
            let request = LeaseRequest.release(held.resource, server: held.server)
            actions.append(.send(request, to: held.index.map { .server($0) } ?? .all))
        } else if case .requesting(let offer) = self.state {
            // The server may have granted it already.
            actions.append(.send(.release(offer.resource, server: offer.server), to: .server(offer.index)))
        }
        self.state = .over
    }

    private mutating func decline(_ actions: inout ActionBuffer<Action>) {
        // Without a server's identifier nobody may be told (RFC 2131 table 5); the lease is given back.
        guard let held = self.held, let server = held.server, let index = held.index else {
            return self.release(&actions)
        }
        actions.append(.send(.decline(held.resource, server: server), to: .server(index)))
        self.state = .over
    }
}
