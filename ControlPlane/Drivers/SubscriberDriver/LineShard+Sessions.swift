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
        case .prepare: self.prepareLink(entry)
        case .admitted: self.admitted(entry)
        case .persist(let record): self.persist(record, entry)
        case .persistEnding(let record): self.due.operations.append(.put(record))
        case .persistRenewal(let id, let ipv4, let ipv6):
            if let ipv4 { self.due.operations.append(.renew(id, until: ipv4)) }
            if let ipv6 { self.due.operations.append(.renewIPv6(id, until: ipv6)) }
        case .install(let record): self.install(record, entry, answers: true)
        case .remove(let record): self.remove(record)
        case .recordEnd(let record): self.recordEnd(record, entry)
        case .granted(let address):
            if let record = entry.session?.record { self.sessionIndex.add(record) }
            if entry.ppp != nil { return self.admit(entry, to: address) }
            self.perform(entry, .dhcp(.addressGranted(address)))
        case .addressDenied:
            self.denyAddress(entry)
            self.abandonIfQuiet(entry)
        case .refused: self.refuseAll(entry)
        case .confirmed:
            self.perform(entry, entry.ppp == nil ? .dhcp(.leaseGranted) : .ppp(.confirmed))
            self.cameIntoForce(entry)
        case .confirmationFailed:
            self.perform(entry, entry.ppp == nil ? .dhcp(.leaseDenied) : .ppp(.confirmationFailed))
            self.nextChange(entry)
        case .confirmedIPv6:
            if self.hasWhatClientAwaits(entry) { self.perform(entry, .dhcpv6(.confirmed)) }
            self.cameIntoForce(entry)
        case .confirmationFailedIPv6:
            self.perform(entry, .dhcpv6(.confirmationFailed))
            self.nextChange(entry)
        case .settled: self.cameIntoForce(entry)
        case .changed(let inForce):
            self.changed(entry, inForce)
            if inForce { self.advertiseIfChanged(entry) }
        case .droppedIPv4: self.perform(entry, .dhcp(.leaseEnded))
        case .droppedIPv6: self.endIPv6(entry)
        case .ended(let cause):
            self.refuseChanges(entry)
            self.endIPv6(entry)
            if entry.ppp != nil { return self.sessionEnded(entry, cause) }
            self.perform(entry, .dhcp(.leaseEnded))
        case .releaseAddress(let address, let pool, let declined, let used):
            self.giveBack(address, pool: pool, declined: declined, used: used, entry)
        case .releaseIPv6(let resources): self.giveBack(resources, entry)
        case .releaseNAT(let grant, let used): self.giveBack(grant, used: used, entry)
        case .extensionRefused(let grant): self.refuse(grant, entry)
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
        if record.generation == 1, record.isAccounted {
            self.account(.start, record, at: record.started)
            entry.accounted = record.holdings
        }
    }

    func install(_ record: SessionRecord, _ entry: LineEntry, answers: Bool) {
        guard let profile = self.world.profile(of: record) else {
            if answers { self.perform(entry, .session(.installed(false))) }
            return
        }
        var session = InstalledSession(record, profile, templateID: entry.templateID, pool: entry.pool)
        session.ipv6 = self.attachment(record, profile)
        entry.announcement = session.ipv6.map { (record.generation, $0.routerAdvertisement) }
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
        let declined = record.cause == .addressDeclined
        var sticky: StickyBinding?
        if record.address != .zero, self.world.pools[record.pool]?.external == nil {
            let until = self.restUntil(
                used: record.generation > 0, declined: declined, pool: self.world.pools[record.pool], record)
            sticky = StickyBinding(
                line: record.line.withoutPPPoE, vrf: record.vrf, pool: record.pool, address: record.address,
                reservedUntil: until, declined: declined)
        }
        let prefixes = self.bindings(
            record.ipv6?.resources.filter { self.world.prefixPools[$0.pool]?.external == nil } ?? [], record,
            declined: entry.dhcpv6?.declined ?? [])
        self.due.operations.append(.end(record, sticky: sticky, prefixes: prefixes))
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
        // Without this a REQUEST would wait for a session that is gone.
        if session.record.generation == 0, entry.dhcp?.isIdle == false {
            self.perform(entry, .dhcp(.offerLost))
            self.perform(entry, .forget)
        }
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
        if cause == .ipv6LeaseExpired {
            guard let ipv6 = session.record.ipv6, ipv6.expires <= now + 1 else { return false }
        }
        // The node's word crossed a longer Session-Timeout.
        if cause == .sessionTimeout, session.record.ends == .zero || session.record.ends > now + 1 { return false }
        switch cause {
        case .leaseExpired: self.perform(entry, .session(.dropIPv4(cause, at: now)))
        case .ipv6LeaseExpired: self.perform(entry, .session(.dropIPv6(keeping: nil, cause, at: now)))
        default: self.perform(entry, .session(.end(cause, at: now)))
        }
        self.flush()
        return true
    }

    /// Renewals the data plane granted.
    func renewed(_ renewals: [SessionRenewal], then done: @escaping @Sendable (Bool) -> Void) {
        self.loop.preconditionInEventLoop()
        for renewal in renewals {
            guard let entry = self.byID[renewal.id] else { continue }
            self.count(.renewedByDataPlane)
            self.perform(entry, .session(.renewedByDataPlane(ipv4: renewal.ipv4, ipv6: renewal.ipv6)))
        }
        self.flush(then: done)
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
    init(_ record: SessionRecord, _ profile: ServiceProfile, templateID: UInt64?, pool: PoolPolicy?) {
        self.init(
            line: record.line, tags: record.tags, relayMAC: record.relayMAC, vrf: record.vrf, address: record.address,
            poolTemplateID: templateID ?? pool?.templateID ?? 0, dhcpFastPath: templateID != nil,
            clientID: record.clientID,
            option82: record.option82, leaseExpires: record.leaseExpires, ends: record.ends, rateUp: profile.rateUp,
            rateDown: profile.rateDown,
            filterID: profile.filter.isEmpty ? 0 : namedObjectID(.filter, profile.filter),
            idleTimeout: profile.idleTimeout, framedRoutes: profile.routes)
        self.nat = record.nat?.attachment
    }

    /// As a PPPoE session: no DHCP, no lease.
    mutating func serve(_ attachment: PPPoEAttachment) {
        self.pppoe = attachment
        self.dhcpFastPath = false
        (self.clientID, self.option82) = ([], [])
    }
}
