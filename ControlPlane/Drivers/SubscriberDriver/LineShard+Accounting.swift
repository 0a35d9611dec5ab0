// SPDX-License-Identifier: Apache-2.0
// Accounting records of a shard's sessions and the clock that makes them: starts and stops go to the disk with the session
// itself, interims are spread evenly over their interval.

import BNGCore
import Fleet
import NIOCore
import Subscribers

extension LineShard {
    /// Adds a record to what is due for the store.
    func account(_ kind: AccountingRecord.Kind, _ record: SessionRecord, at time: UTCTime) {
        guard let outlet = self.world.configuration.aaa.accounting else { return }
        if kind == .interim, !outlet.acceptsInterim() { return }
        let profile = self.world.profile(of: record)
        var entry = AccountingRecord(
            sequence: self.world.nextAccountingSequence(), kind: kind, accountingID: record.id.description,
            session: record.id.rawValue, userName: record.grant.userName, facts: record.facts(),
            address: record.address, classes: record.grant.classes, at: time, sessionStarted: record.started,
            totals: record.counters, cause: kind == .stop ? record.cause : nil, plan: profile?.plan ?? "")
        entry.chargeableUser = record.grant.chargeableUser
        (entry.ipv6, entry.interfaceID) = (
            record.ipv6, record.ppp.map(\.link.peerInterfaceID).flatMap { $0 == 0 ? nil : $0 }
        )
        switch kind {
        case .start: self.count(.accountingStarts)
        case .stop: self.count(.accountingStops)
        default: self.count(.accountingInterims)
        }
        self.due.operations.append(.account(entry))
        self.due.accounting.append(entry)
    }

    /// Accounting hears at once what a session holds more or less than it was told (RFC 6911 2.3 leaves the when open).
    func accountIfChanged(_ entry: LineEntry) {
        guard let record = entry.session?.record, record.isAccounted, record.holdings != entry.accounted else { return }
        entry.accounted = record.holdings
        self.account(.interim, record, at: self.world.utcNow())
    }

    // MARK: Deadlines

    func startTicking() {
        self.loop.preconditionInEventLoop()
        let pause = TimeAmount(self.world.configuration.tick)
        self.ticker = self.loop.scheduleRepeatedTask(initialDelay: pause, delay: pause) { _ in self.tick() }
    }

    /// Sets the deadlines of an active session anew.
    func schedule(_ entry: LineEntry) {
        guard let record = entry.session?.record,
            let profile = self.world.profile(of: record)
        else { return }
        let now = self.world.utcNow().milliseconds / 1_000
        let interval = record.isAccounted ? Int64(profile.interimInterval.value) : 0
        if interval > 0 {
            // Each session has a phase of its own, so that a hundred thousand that came up at once do not report at once.
            let phase = Int64(Self.scatter(record.id) % UInt64(interval))
            entry.interimDue = now + 1 + phase
            self.wheel.add((record.id, .interim), at: entry.interimDue)
        } else {
            entry.interimDue = 0
        }
        entry.reauthenticationDue = 0
        guard record.ends != .zero, record.grant.terminationAction == .reauthenticate, entry.ppp?.isProven != true
        else { return }
        // Early enough for AAA's answer to be in force before the data plane stops the session.
        let lead = min(5, Int64(profile.sessionTimeout.value) / 2)
        entry.reauthenticationDue = max(now + 1, record.ends.milliseconds / 1_000 - lead)
        self.wheel.add((record.id, .reauthentication), at: entry.reauthenticationDue)
    }

    private static func scatter(_ id: SessionID) -> UInt64 {
        var hash = StableHash()
        hash.mix(id.rawValue)
        return hash.value
    }

    func tick() {
        let now = self.world.utcNow()
        let second = now.milliseconds / 1_000
        if second >= self.lockoutsPruned + 60 {
            self.lockouts.prune(at: now)
            self.lockoutsPruned = second
            self.resting.prune(at: second)
        }
        self.fireTimers(upTo: second)
        var reports: [NodeName: [SessionID]] = [:]
        for (id, kind) in self.wheel.take(upTo: second) {
            guard let entry = self.byID[id], let session = entry.session, !session.isEnding else { continue }
            switch kind {
            case .interim:
                guard entry.interimDue != 0, entry.interimDue <= second else { continue }
                self.scheduleNextInterim(entry, after: second)
                reports[session.record.node, default: []].append(id)
            case .reauthentication:
                guard entry.reauthenticationDue != 0, entry.reauthenticationDue <= second else { continue }
                entry.reauthenticationDue = 0
                self.reauthenticate(entry)
            case .forwards:
                guard entry.forwardsDue != 0, entry.forwardsDue <= second else { continue }
                self.expireForwards(entry, at: now)
            }
        }
        for (node, ids) in reports { self.reportInterims(node, ids) }
        self.flush()
    }

    private func scheduleNextInterim(_ entry: LineEntry, after second: Int64) {
        guard let record = entry.session?.record,
            let profile = self.world.profile(of: record)
        else { return }
        let interval = Int64(profile.interimInterval.value)
        // From when it was due, not from now: the phase stays.
        let next = entry.interimDue + interval
        entry.interimDue = interval == 0 ? 0 : next > second ? next : second + interval
        if interval > 0 { self.wheel.add((record.id, .interim), at: entry.interimDue) }
    }

    private func reportInterims(_ node: NodeName, _ ids: [SessionID]) {
        for start in stride(from: 0, to: ids.count, by: 4_096) {
            let page = Array(ids[start..<min(start + 4_096, ids.count)])
            self.world.link.counters(node: node, ids: page) { totals in
                self.onLoop { self.counted(page, totals) }
            }
        }
    }

    private func counted(_ ids: [SessionID], _ totals: [SessionID: SessionTotals]?) {
        if totals == nil { self.count(.countersUnavailable) }
        let now = self.world.utcNow()
        for id in ids {
            guard let entry = self.byID[id], entry.session?.isEnding == false else { continue }
            // A node that is away: the session goes on, and the record says what is known.
            if let reported = totals?[id] { self.perform(entry, .session(.counted(reported))) }
            guard let record = entry.session?.record else { continue }
            self.due.operations.append(.count(id, record.counters, base: record.counterBase))
            self.account(.interim, record, at: now)
        }
        self.flush()
    }
}

extension SessionRecord {
    /// Hash of the addresses and prefixes it holds; for this process.
    var holdings: Int {
        var hasher = Hasher()
        hasher.combine(self.address)
        hasher.combine(self.ipv6?.resources ?? [])
        return hasher.finalize()
    }
}
