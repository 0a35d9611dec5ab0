// SPDX-License-Identifier: Apache-2.0
// The audit: compares family digests, reads the pages of families that differ, repairs what is missing or different and
// quarantines sessions nobody here knows (docs/contract.md section 11, DESIGN section 2).

import AgentContract
import BNGCore
import Fleet
import NIOCore

/// The state of a node's audits.
struct AuditRun {
    /// An audit is to begin as soon as nothing waits to be sent.
    var due = false
    var requestID: UInt64 = 0
    var running = false
    /// Intended digests and counts when the request went out.
    var expected: [ObjectFamily: (digest: ObjectDigest, count: Int)] = [:]
    /// Objects changed since then.
    var changed: Set<ObjectKey> = []
    var toRead: [ObjectFamily] = []
    var comparison: AuditComparison?
    var results: [AuditComparison] = []
    var outcomes: [AuditOutcome] = []
    /// This audit follows a repair: it is not followed by another one if it too finds differences.
    var followsRepair = false
    var next: NIODeadline = .uptimeNanoseconds(0)

    mutating func touched(_ key: ObjectKey) {
        if self.running { self.changed.insert(key) }
    }

    mutating func reset() {
        self = AuditRun()
    }
}

extension NodeLink {
    func beginAuditIfDue() {
        guard self.audit.due, !self.audit.running, self.queue.isEmpty else { return }
        self.beginAudit()
    }

    func beginAudit() {
        guard let association = self.association else { return }
        self.audit.due = false
        self.audit.running = true
        self.audit.requestID = self.nextRequestID
        self.nextRequestID += 1
        self.audit.changed.removeAll()
        self.audit.results.removeAll()
        self.audit.outcomes.removeAll()
        for family in ObjectFamily.allCases {
            self.audit.expected[family] = (self.intended.digest(family), self.intended.count(family))
        }
        association.state.send(.auditRequest(.with { $0.requestID = self.audit.requestID }))
        association.state.flush()
    }

    func received(_ summary: Wire.AuditSummary, _ association: Association) throws(ContractError) {
        guard self.audit.running, summary.requestID == self.audit.requestID, self.audit.comparison == nil else {
            throw ContractError(.unexpected, "audit_summary without a request")
        }
        var held: [ObjectFamily: (ObjectDigest, UInt64)] = [:]
        for entry in summary.families {
            guard let family = entry.family.family else { continue }
            guard let digest = ObjectDigest(entry.digest) else {
                throw ContractError(.malformed, "a digest has 16 bytes", path: "6.2.3")
            }
            held[family] = (digest, entry.count)
        }
        for family in ObjectFamily.allCases.sorted() {
            let (digest, count) = held[family] ?? (ObjectDigest(), 0)
            let (wanted, intended) = self.audit.expected[family] ?? (ObjectDigest(), 0)
            if digest == wanted, count == UInt64(intended) {
                self.audit.outcomes.append(AuditOutcome(family: family, intended: intended, installed: intended))
            } else {
                self.audit.toRead.append(family)
            }
        }
        self.readNextFamily(association)
    }

    private func readNextFamily(_ association: Association) {
        guard !self.audit.toRead.isEmpty else { return self.finishAudit(association) }
        let comparison = AuditComparison(self.audit.toRead.removeFirst(), of: self.intended)
        self.audit.comparison = comparison
        self.requestPage(comparison, association)
    }

    private func requestPage(_ comparison: AuditComparison, _ association: Association) {
        association.state.send(
            .auditPageRequest(
                .with {
                    $0.requestID = self.audit.requestID
                    $0.family = Wire.Family(comparison.family)
                    $0.afterObjectID = comparison.after
                    $0.limit = Wire.auditPageLimit
                }))
        association.state.flush()
    }

    func received(_ page: Wire.AuditPage, _ association: Association) throws(ContractError) {
        guard var comparison = self.audit.comparison, page.requestID == self.audit.requestID,
            page.family == Wire.Family(comparison.family)
        else { throw ContractError(.unexpected, "audit_page without a request") }
        guard page.entries.count <= Int(Wire.auditPageLimit) else {
            throw ContractError(.malformed, "an audit page of \(page.entries.count) entries")
        }
        var entries: [HeldObject] = []
        entries.reserveCapacity(page.entries.count)
        for entry in page.entries { entries.append(try HeldObject(entry)) }
        let family = comparison.family
        let changed = self.audit.changed
        try comparison.add(entries, last: page.last, state: self.intended) { changed.contains(ObjectKey(family, $0)) }
        guard page.last else {
            self.audit.comparison = comparison
            return self.requestPage(comparison, association)
        }
        self.audit.comparison = nil
        self.audit.outcomes.append(comparison.outcome(intended: self.intended.count(family)))
        self.audit.results.append(comparison)
        self.readNextFamily(association)
    }

    private func finishAudit(_ association: Association) {
        let first = association.phase == .auditing
        let outcomes = self.audit.outcomes.sorted { $0.family < $1.family }
        let differences = outcomes.reduce(0) { $0 + $1.differences }
        self.snapshot.audit = outcomes
        self.snapshot.auditedAt = self.core.utcNow()
        self.snapshot.audits += 1
        // What an empty or long-gone node lacks on connect is expected, not an alarm.
        if !first { self.snapshot.unequalAudits = differences == 0 ? 0 : self.snapshot.unequalAudits + 1 }
        let results = self.audit.results
        let followed = self.audit.followsRepair
        // Asked for while this one ran.
        let again = self.audit.due
        self.audit.reset()
        self.audit.due = again
        self.audit.next = .now() + .milliseconds(self.core.configuration.auditIntervalMs)
        self.logger.log(
            level: differences == 0 ? .info : .notice, "audit",
            metadata: [
                "missing": "\(outcomes.reduce(0) { $0 + $1.missing })",
                "extra": "\(outcomes.reduce(0) { $0 + $1.extra })",
                "different": "\(outcomes.reduce(0) { $0 + $1.different })",
                "sessions": "\(self.intended.count(.session))",
            ])
        if first { association.phase = .open }
        self.repair(results, first: first)
        if differences > 0, !followed {
            self.audit.due = true
            self.audit.followsRepair = true
        }
        self.core.needsFlush(self)
    }

    private func repair(_ results: [AuditComparison], first: Bool) {
        var upserts: [SendItem] = []
        var sessionUpserts: [SendItem] = []
        self.quarantine.removeAll()
        for result in results.sorted(by: { $0.family < $1.family }) {
            var items = result.missing.map { SendItem.upsert(ObjectKey(result.family, $0)) }
            for held in result.ahead {
                let key = ObjectKey(result.family, held.id)
                self.intended.adopt(key, generation: held.generation)
                self.rememberGeneration(key, held.generation)
            }
            for held in result.different {
                let key = ObjectKey(result.family, held.id)
                if held.generation >= self.intended.generation(key) ?? 0 {
                    self.raise(key, above: held.generation)
                } else {
                    items.append(.upsert(key))
                }
            }
            if result.family == .session {
                sessionUpserts += items
                for held in result.extra { self.quarantine[held.id] = held }
            } else {
                upserts += items
                for held in result.extra {
                    self.intended.delete(ObjectKey(result.family, held.id), generation: held.generation)
                }
            }
        }
        if !self.quarantine.isEmpty {
            self.logger.warning(
                "sessions nobody here knows are left installed", metadata: ["count": "\(self.quarantine.count)"])
        }
        // Addresses and lines are freed before they are used again; what is referred to goes last.
        let pending = self.intended.pendingDeletes.keys.sorted(by: >)
        let pendingSessions = pending.filter { $0.family == .session }.map { SendItem.delete($0) }
        let pendingObjects = pending.filter { $0.family != .session }.map { SendItem.delete($0) }
        let finals = self.finalsToAcknowledge.map { SendItem.acknowledgeFinal($0) }
        self.queue.prepend(upserts + pendingSessions + finals + sessionUpserts)
        for item in pendingObjects { self.queue.append(item) }
        if first { self.answerSettledWaiters() }
    }

    /// Deletes the sessions nobody here knows. Returns how many.
    func clearQuarantine() -> Int {
        let held = Array(self.quarantine.values)
        self.cleared.formUnion(held.map(\.id))
        self.quarantine.removeAll()
        for object in held { self.delete(ObjectKey(.session, object.id), generation: object.generation, waiter: nil) }
        return held.count
    }
}
