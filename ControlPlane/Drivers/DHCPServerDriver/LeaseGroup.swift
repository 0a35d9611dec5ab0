// SPDX-License-Identifier: Apache-2.0
// One group of servers in one family: its leases, the exchanges under way, whose turn it is. LeaseGroup+Exchange sends and receives.
//
// An exchange needs a place; there are `outstanding` of them, so that neither a thousand clients at once nor a restart with all its
// renewals drowns a server. Acquisitions come before renewals, which have time.

import BNGCore
import LeaseClient
import Logging
import NIOCore

final class LeaseGroup: @unchecked Sendable {
    // Confined to `loop`, hence @unchecked.

    /// Acquisitions that may wait for a place.
    static let queueLimit = 8_192
    /// How long a lease waits for another one of its identity to be given back.
    static let patience = Duration.seconds(3)

    let settings: DHCPServerGroup
    let family: any LeaseFamily
    let loop: any EventLoop
    let logger: Logger
    let lost: @Sendable (LeaseKey, LeaseLoss) -> Void
    var transmit: ((_ bytes: [UInt8], _ index: Int) -> Void)?
    var leases: [LeaseKey: Lease] = [:]
    var transactions: [UInt32: Lease] = [:]
    var health: [ServerHealth]
    var counters: [DHCPGroupCounter: UInt64] = [:]
    var failures: [AcquireFailure: UInt64] = [:]
    var actions = ActionBuffer<LeaseMachine<IPPrefix>.Action>()
    private(set) var outstanding = 0
    /// By what they hold.
    private var held: [Holding: Lease] = [:]
    private var identities: [LeaseOrder.Identity: Lease] = [:]
    private var waiters: [LeaseOrder.Identity: Lease] = [:]
    private var urgent = CircularBuffer<Lease>()
    private var patient = CircularBuffer<Lease>()
    private var wheel = DeadlineWheel<Lease>()
    private let epoch = ContinuousClock.now
    private var ticker: RepeatedTask?
    var random = SystemRandomNumberGenerator()
    var warned: [String: ContinuousClock.Instant] = [:]

    init(
        _ settings: DHCPServerGroup, family: any LeaseFamily, loop: any EventLoop, logger: Logger,
        lost: @escaping @Sendable (LeaseKey, LeaseLoss) -> Void
    ) {
        self.settings = settings
        self.family = family
        self.loop = loop
        self.logger = logger
        self.lost = lost
        self.health = settings.servers.map { _ in ServerHealth() }
    }

    func start() {
        self.ticker = self.loop.scheduleRepeatedTask(
            initialDelay: .milliseconds(100), delay: .milliseconds(100)
        ) { _ in self.tick() }
    }

    private struct Holding: Hashable {
        var session: UInt64
        var resource: IPPrefix
    }

    /// What a lease holds has changed.
    func note(_ lease: Lease, heldBefore: IPPrefix?) {
        let session = lease.order.key.session
        guard heldBefore != lease.machine.resource else { return }
        if let heldBefore { self.held[Holding(session: session, resource: heldBefore)] = nil }
        if let resource = lease.machine.resource { self.held[Holding(session: session, resource: resource)] = lease }
    }

    func stop() {
        self.ticker?.cancel()
        for lease in self.leases.values { lease.finish(.failure(.unavailable)) }
        (self.leases, self.held) = ([:], [:])
        self.transmit = nil
    }

    var status: DHCPGroupStatus {
        DHCPGroupStatus(
            name: self.settings.name, family: self.settings.family,
            servers: zip(self.settings.servers, self.health).map { address, health in
                .init(
                    address: address.text, isAlive: !health.isSilent, sent: health.sent, answered: health.answered,
                    unanswered: health.unanswered, silences: health.silences)
            },
            outstanding: self.outstanding, waiting: self.urgent.count + self.patient.count + self.waiters.count,
            held: self.held.count, counters: self.counters,
            failures: self.failures)
    }

    func count(_ counter: DHCPGroupCounter) { self.counters[counter, default: 0] += 1 }

    // MARK: Asked from outside

    func acquire(_ order: LeaseOrder, then done: @escaping (Result<AcquiredLease, AcquireFailure>) -> Void) {
        let lease = self.newLease(order)
        lease.done = done
        guard self.transmit != nil else { return self.fail(lease, .unavailable) }
        guard self.urgent.count < Self.queueLimit else { return self.fail(lease, .busy) }
        guard self.leases[order.key] == nil else { return self.fail(lease, .identityInUse) }
        if self.identities[order.identity] != nil {
            guard self.waiters[order.identity] == nil else { return self.fail(lease, .identityInUse) }
            self.leases[order.key] = lease
            self.waiters[order.identity] = lease
            lease.isWaiting = true
            return self.setTimer(lease, Self.patience)
        }
        self.leases[order.key] = lease
        self.identities[order.identity] = lease
        self.enqueue(lease)
    }

    /// A lease of a life before this one; it is extended when its turn comes.
    func resume(_ order: LeaseOrder, _ resource: IPPrefix, until: ContinuousClock.Instant) {
        guard self.leases[order.key] == nil, self.identities[order.identity] == nil else { return }
        let lease = self.newLease(order)
        self.leases[order.key] = lease
        self.identities[order.identity] = lease
        self.count(.resumed)
        self.handle(lease, .resume(resource, until: until))
    }

    func release(_ resource: IPPrefix, session: UInt64, declined: Bool) {
        guard let lease = self.held[Holding(session: session, resource: resource)] else { return }
        self.count(declined ? .declined : .released)
        self.handle(lease, declined ? .decline : .release)
        self.pump()
    }

    private func newLease(_ order: LeaseOrder) -> Lease {
        var settings = LeaseMachine<IPPrefix>.Settings(minimum: order.minimum.value)
        settings.schedule = .init(
            initialMs: self.settings.timeoutMs, maximumMs: 8 * self.settings.timeoutMs,
            transmissions: self.settings.retries + 1)
        return Lease(order, LeaseMachine(settings, seed: self.random.next()))
    }

    func fail(_ lease: Lease, _ failure: AcquireFailure) {
        self.failures[failure, default: 0] += 1
        lease.finish(.failure(failure))
    }

    // MARK: Turns

    func enqueue(_ lease: Lease) {
        guard !lease.isQueued else { return }
        lease.isQueued = true
        if lease.machine.resource == nil { self.urgent.append(lease) } else { self.patient.append(lease) }
        self.pump()
    }

    func pump() {
        while self.outstanding < self.settings.outstanding,
            let lease = self.urgent.popFirst() ?? self.patient.popFirst()
        {
            lease.isQueued = false
            guard self.leases[lease.order.key] === lease else { continue }
            let order = lease.order
            let isNew = lease.machine.resource == nil
            self.handle(lease, isNew ? .begin(wish: order.wish, isExact: order.isExact) : .timerFired)
        }
    }

    /// The machine is done: nothing is left of it here.
    func remove(_ lease: Lease) {
        let identity = lease.order.identity
        if self.leases[lease.order.key] === lease { self.leases[lease.order.key] = nil }
        if lease.isWaiting {
            if self.waiters[identity] === lease { self.waiters[identity] = nil }
            return
        }
        guard self.identities[identity] === lease else { return }
        self.identities[identity] = nil
        guard let next = self.waiters.removeValue(forKey: identity) else { return }
        (next.isWaiting, next.deadline) = (false, nil)
        self.identities[identity] = next
        self.enqueue(next)
    }

    func beganExchange() { self.outstanding += 1 }
    func endedExchange() { self.outstanding -= 1 }

    // MARK: Time

    func setTimer(_ lease: Lease, _ delay: Duration) {
        let deadline = ContinuousClock.now + delay
        lease.deadline = deadline
        self.wheel.add(lease, at: self.tick(of: deadline) + 1)
    }

    private func tick(of instant: ContinuousClock.Instant) -> Int64 {
        Int64(self.epoch.duration(to: instant) / .milliseconds(100))
    }

    private func tick() {
        let now = ContinuousClock.now
        for lease in self.wheel.take(upTo: self.tick(of: now)) {
            guard let deadline = lease.deadline, deadline <= now, self.leases[lease.order.key] === lease else {
                continue
            }
            lease.deadline = nil
            self.timerFired(lease, now)
        }
        self.pump()
    }

    private func timerFired(_ lease: Lease, _ now: ContinuousClock.Instant) {
        if lease.isWaiting {
            self.remove(lease)
            return self.fail(lease, .identityInUse)
        }
        guard lease.machine.isExchanging else { return self.enqueue(lease) }
        if let asked = lease.asked {
            let died = self.health[asked].gotNone(at: now, holdDown: .milliseconds(self.settings.holdDownMs))
            if died { self.logger.warning("a DHCP server is silent", metadata: self.metadata(of: asked)) }
            lease.asked = nil
        }
        self.handle(lease, .timerFired)
    }

    func metadata(of server: Int) -> Logger.Metadata {
        ["group": "\(self.settings.name)", "server": "\(self.settings.servers[server].text)"]
    }
}

extension SocketAddress {
    /// `192.0.2.1:67`
    var text: String {
        let port = self.port.map { ":\($0)" } ?? ""
        let address = self.ipAddress ?? ""
        return address.contains(":") ? "[\(address)]\(port)" : "\(address)\(port)"
    }
}
