// SPDX-License-Identifier: Apache-2.0
// What the session machine asks for: the store, the node, the end. What became due for the store goes there in one submission.

import BNGCore
import DHCPv4
import Fleet
import NIOCore
import Subscribers

/// Operations collected while machines run, and the sessions that wait for them to be durable.
struct DueOperations: Sendable {
    var operations: [SessionOperation] = []
    var waiters: [SessionID] = []
    /// Handed on once they are on disk.
    var accounting: [AccountingRecord] = []
}

extension LineShard {
    func carryOut(_ action: SessionMachine.Action, _ entry: LineEntry) {
        switch action {
        case .authorize: self.authorize(entry)
        case .reserveAddress: self.reserveAddress(entry)
        case .persist(let record): self.persist(record, entry)
        case .persistEnding(let record): self.due.operations.append(.put(record))
        case .persistRenewal(let id, let until): self.due.operations.append(.renew(id, until: until))
        case .install(let record): self.install(record, entry, answers: true)
        case .remove(let record): self.remove(record)
        case .recordEnd(let record): self.recordEnd(record, entry)
        case .granted(let address):
            if let record = entry.session?.record { self.sessionIndex.add(record) }
            if entry.ppp != nil { return self.admit(entry, to: address) }
            self.perform(entry, .dhcp(.addressGranted(address)))
        case .refused:
            if let dial = entry.ppp { return self.perform(entry, .ppp(.denied(message: dial.setup?.message ?? []))) }
            self.perform(entry, .dhcp(.addressDenied(entry.denial)))
        case .confirmed:
            self.perform(entry, entry.ppp == nil ? .dhcp(.leaseGranted) : .ppp(.confirmed))
            self.nextChange(entry)
        case .confirmationFailed:
            self.perform(entry, entry.ppp == nil ? .dhcp(.leaseDenied) : .ppp(.confirmationFailed))
        case .changed(let inForce): self.changed(entry, inForce)
        case .ended(let cause):
            self.refuseChanges(entry)
            if entry.ppp != nil { return self.sessionEnded(entry, cause) }
            self.perform(entry, .dhcp(.leaseEnded))
        case .releaseAddress(let address, let declined): self.giveBack(address, declined: declined, entry)
        case .acknowledgeFinal(let id):
            entry.session.map { self.world.link.acknowledgeFinal(node: $0.record.node, id: id) }
        case .terminated: self.terminated(entry)
        }
    }

    // MARK: Life

    private func persist(_ record: SessionRecord, _ entry: LineEntry) {
        self.noLongerPending(entry)
        self.due.operations.append(.put(record))
        self.due.waiters.append(record.id)
        // The accounting id is promised with the session: both are on disk, or neither.
        if record.generation == 1, record.isAccounted { self.account(.start, record, at: record.started) }
    }

    func install(_ record: SessionRecord, _ entry: LineEntry, answers: Bool) {
        guard let profile = self.world.profile(of: record) else {
            if answers { self.perform(entry, .session(.installed(false))) }
            return
        }
        var session = InstalledSession(record, profile, templateID: entry.templateID, pool: entry.pool)
        if let details = record.ppp, let dial = entry.ppp { session.serve(dial.policy.attachment(details)) }
        self.world.link.upsert(node: record.node, id: record.id, generation: record.generation, session: session) {
            installed in
            guard answers else { return }
            self.onLoop { self.installed(record.id, installed) }
        }
    }

    private func installed(_ id: SessionID, _ installed: Bool) {
        guard let entry = self.byID[id] else { return }
        if !installed { self.count(.installFailed) }
        if installed, !entry.hasStarted {
            self.count(.sessionsStarted)
            entry.hasStarted = true
            self.schedule(entry)
        }
        self.perform(entry, .session(.installed(installed)))
        self.flush()
    }

    func remove(_ record: SessionRecord) {
        self.world.link.delete(node: record.node, id: record.id) { totals in
            self.onLoop {
                guard let entry = self.byID[record.id] else { return }
                self.perform(entry, .session(.removed(totals)))
                for waiter in entry.removalWaiters { waiter() }
                entry.removalWaiters = []
                self.flush()
            }
        }
    }

    private func recordEnd(_ record: SessionRecord, _ entry: LineEntry) {
        let sticky = StickyBinding(
            line: record.line.withoutPPPoE, vrf: record.vrf, pool: record.pool, address: record.address,
            reservedUntil: self.restUntil(record, entry), declined: record.cause == .addressDeclined)
        self.due.operations.append(.end(record, sticky: sticky))
        self.due.waiters.append(record.id)
        if record.isAccounted { self.account(.stop, record, at: record.ended) }
    }

    private func terminated(_ entry: LineEntry) {
        guard let session = entry.session else { return }
        self.noLongerPending(entry)
        if session.record.generation > 0 { self.count(.sessionsEnded) }
        self.sessionIndex.remove(session.record)
        self.releaseClaim(entry)
        self.refuseChanges(entry)
        self.forget(session.record.id)
        entry.session = nil
        (entry.hasStarted, entry.interimDue, entry.reauthenticationDue) = (false, 0, 0)
        self.forgetIfIdle(entry)
    }

    private func noLongerPending(_ entry: LineEntry) {
        guard entry.isPending else { return }
        entry.isPending = false
        self.pending -= 1
    }

    // MARK: Asked from outside

    /// True if the session is known here and was not ending already.
    @discardableResult
    func end(_ id: SessionID, cause: TerminateCause) -> Bool {
        self.loop.preconditionInEventLoop()
        guard let entry = self.byID[id], let session = entry.session, !session.isEnding else { return false }
        let now = self.world.utcNow()
        // The node's word crossed a renewal granted here; the upsert under way gives it the new end (1 s of skew allowed).
        if cause == .leaseExpired, session.record.leaseExpires > now + 1 { return false }
        // The node's word crossed a longer Session-Timeout.
        if cause == .sessionTimeout, session.record.ends == .zero || session.record.ends > now + 1 { return false }
        self.perform(entry, .session(.end(cause, at: now)))
        self.flush()
        return true
    }

    /// Renewals the data plane granted.
    func renewed(_ renewals: [(SessionID, UTCTime)], then done: @escaping @Sendable (Bool) -> Void) {
        self.loop.preconditionInEventLoop()
        for (id, until) in renewals {
            guard let entry = self.byID[id] else { continue }
            self.count(.renewedByDataPlane)
            self.perform(entry, .session(.renewedByDataPlane(until: until)))
        }
        self.flush(then: done)
    }

    /// The node's maps are gone and with them renewals it had not yet reported, and its counters: every lease may have been
    /// renewed up to now.
    func nodeLostState(_ node: NodeName) {
        self.loop.preconditionInEventLoop()
        let now = self.world.utcNow()
        for entry in self.byID.values where entry.session?.record.node == node && entry.session?.isActive == true {
            self.perform(entry, .session(.countersLost))
            // A PPPoE session has no lease.
            let until = entry.ppp == nil ? now + entry.pool.template.lease : .zero
            self.perform(entry, .session(.confirm(until: until, at: now)))
        }
        self.flush()
    }

    /// Puts a stored session back and wants its node to hold it, or not to.
    func restore(_ record: SessionRecord) {
        self.loop.preconditionInEventLoop()
        guard let pool = self.world.pools[record.pool] else { return }
        let active = record.phase == .active
        let entry = LineEntry(line: record.line, pool: pool, boundTo: active ? record.address : nil)
        entry.hasStarted = true
        entry.session = SessionMachine(restored: record)
        if record.line.pppoeID != 0 { self.restorePPP(entry, record) }
        entry.presentation = record.presentation
        self.add(entry, id: record.id)
        self.sessionIndex.add(record)
        guard active else { return self.remove(record) }
        guard let profile = self.world.profile(of: record), record.line.pppoeID == 0 || entry.ppp != nil else {
            // Its plan, filter, pool or PPPoE is no longer configured: it cannot be served as it was promised.
            return self.perform(entry, .session(.end(.configuration, at: self.world.utcNow())))
        }
        self.restoreClaim(entry, profile)
        self.schedule(entry)
        let variant = TemplateVariant(pool: pool.name, dns: profile.dns, prefixLength: profile.prefixLength)
        guard !variant.isPlain, entry.ppp == nil else { return self.install(record, entry, answers: false) }
        self.world.link.prepare(variant) { templateID in
            self.onLoop {
                guard let entry = self.byID[record.id] else { return }
                entry.serve(from: pool, variant, templateID: templateID)
                self.install(record, entry, answers: false)
            }
        }
    }

    // MARK: Store

    /// Hands what became due to the store in one submission; its answer goes to the sessions that wait for it.
    func flush(then done: (@Sendable (Bool) -> Void)? = nil) {
        guard !self.due.operations.isEmpty else {
            done?(true)
            return
        }
        let due = self.due
        self.due = DueOperations()
        let outlet = self.world.configuration.aaa.accounting
        self.world.store.submit(due.operations) { durable in
            done?(durable)
            if durable, !due.accounting.isEmpty { outlet?.stored(due.accounting) }
            guard !due.waiters.isEmpty || !durable else { return }
            self.onLoop { self.persisted(due.waiters, durable) }
        }
    }

    private func persisted(_ ids: [SessionID], _ durable: Bool) {
        if !durable { self.count(.storeFailed) }
        var retries: [SessionID] = []
        for id in ids {
            guard let entry = self.byID[id] else { continue }
            if !durable, entry.session?.record.phase == .terminated {
                retries.append(id)
            } else {
                self.perform(entry, .session(.persisted(durable)))
            }
        }
        self.flush()
        self.retryLater(retries)
    }

    /// An end must be recorded however often the store fails; without a pause that would be a busy loop.
    private func retryLater(_ ids: [SessionID]) {
        guard !ids.isEmpty else { return }
        self.loop.assumeIsolated().scheduleTask(in: TimeAmount(self.world.configuration.storeRetry)) {
            for id in ids {
                guard let entry = self.byID[id] else { continue }
                self.perform(entry, .session(.persisted(false)))
            }
            self.flush()
        }
    }
}

extension InstalledSession {
    /// A session as its node is to hold it.
    init(_ record: SessionRecord, _ profile: ServiceProfile, templateID: UInt64?, pool: PoolPolicy) {
        self.init(
            line: record.line, tags: record.tags, relayMAC: record.relayMAC, vrf: record.vrf, address: record.address,
            poolTemplateID: templateID ?? pool.templateID, dhcpFastPath: templateID != nil, clientID: record.clientID,
            option82: record.option82, leaseExpires: record.leaseExpires, ends: record.ends, rateUp: profile.rateUp,
            rateDown: profile.rateDown,
            filterID: profile.filter.isEmpty ? 0 : namedObjectID(.filter, profile.filter),
            idleTimeout: profile.idleTimeout, framedRoutes: profile.routes)
    }

    /// As a PPPoE session: no DHCP, no lease.
    mutating func serve(_ attachment: PPPoEAttachment) {
        self.pppoe = attachment
        self.dhcpFastPath = false
        (self.clientID, self.option82) = ([], [])
    }
}
