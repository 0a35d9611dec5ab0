// SPDX-License-Identifier: Apache-2.0
// Keeping a lease: T1, T2, the end; and taking up one of a life before this one.

import BNGCore

extension LeaseMachine {
    /// A server that says less is asked no more often than this.
    static var shortestRenewal: UInt32 { 5 }

    /// The lease holds from now on.
    mutating func hold(
        _ lease: GrantedLease<Resource>, _ index: Int, _ now: ContinuousClock.Instant,
        _ actions: inout ActionBuffer<Action>
    ) {
        // RFC 2131 4.4.5, RFC 8415 21.4: a half and seven eighths, unless the server says something that makes sense.
        var (renewal, rebinding) = (UInt64(lease.lifetime) / 2, UInt64(lease.lifetime) * 7 / 8)
        if let t2 = lease.rebinding, t2 > Self.shortestRenewal, t2 < lease.lifetime { rebinding = UInt64(t2) }
        if let t1 = lease.renewal, t1 > 0, t1 < rebinding { renewal = UInt64(max(t1, Self.shortestRenewal)) }
        renewal = min(renewal, rebinding)
        // Up to a tenth earlier, so that leases granted together are not renewed together.
        let early = Int64.random(in: 0...max(Int64(renewal) * 100, 1), using: &self.jitter)
        let renewsIn = Duration.milliseconds(Int64(renewal) * 1_000 - early)
        let held = Held(
            resource: lease.resource, server: lease.server, index: index, renewsAt: now + renewsIn,
            rebindsAt: now + .seconds(rebinding), endsAt: now + .seconds(UInt64(lease.lifetime)))
        self.state = .bound(held)
        actions.append(.startTimer(after: renewsIn))
    }

    mutating func resume(
        _ resource: Resource, _ until: ContinuousClock.Instant, _ now: ContinuousClock.Instant,
        _ actions: inout ActionBuffer<Action>
    ) {
        self.state = .bound(
            Held(resource: resource, server: nil, index: nil, renewsAt: now, rebindsAt: now, endsAt: until))
        actions.append(.startTimer(after: .zero))
    }

    mutating func extend(
        _ held: Held, _ now: ContinuousClock.Instant, _ actions: inout ActionBuffer<Action>
    ) {
        guard now < held.endsAt else { return self.lose(.expired, &actions) }
        self.begin(.extending(held), now, &actions)
    }

    mutating func extended(
        _ held: Held, _ lease: GrantedLease<Resource>, _ index: Int, _ now: ContinuousClock.Instant,
        _ actions: inout ActionBuffer<Action>
    ) {
        guard lease.lifetime > 0 else { return actions.append(.ignored) }
        guard lease.resource == held.resource else {
            // RFC 8415 18.2.10.1: something else in place of what was held; our client has the old one and is to ask anew.
            actions.append(.send(.release(lease.resource, server: lease.server), to: .server(index)))
            return self.lose(.refused, &actions)
        }
        self.hold(lease, index, now, &actions)
        actions.append(.extended(lease))
    }

    mutating func lose(_ loss: LeaseLoss, _ actions: inout ActionBuffer<Action>) {
        self.state = .over
        actions.append(.lost(loss))
    }
}
