// SPDX-License-Identifier: Apache-2.0
// Changes of what a living session is granted: by CoA, by AAA asked again, by an operator. One at a time for each session; the
// answer is given after the data plane's.

import BNGCore
import Subscribers

extension LineShard {
    /// Queues a change; `done` is called once, on this loop.
    func change(
        _ entry: LineEntry, _ what: GrantChange.What,
        then done: @escaping @Sendable (DynamicAuthorizationResult) -> Void
    ) {
        guard let session = entry.session, !session.isEnding else {
            return done(.refused(.sessionContextNotFound, "the session is ending"))
        }
        guard entry.changes.count < 16 else {
            return done(.refused(.resourcesUnavailable, "too many changes of this session are waiting"))
        }
        entry.changes.append(GrantChange(what: what, done: done))
        self.nextChange(entry)
    }

    /// Begins the next change if the session is at rest.
    func nextChange(_ entry: LineEntry) {
        while !entry.isChanging, let change = entry.changes.first, let session = entry.session, session.isActive {
            let record = session.record
            if case .forwards(let edit, _) = change.what {
                self.begin(edit, on: record, entry)
                continue
            }
            let grant: ServiceGrant
            let ends: UTCTime
            do throws(ProfileProblem) {
                (grant, ends) = try self.outcome(of: change.what, on: record)
            } catch {
                entry.changes.removeFirst()
                self.count(.changesRefused)
                change.done(.refused(.invalidAttributeValue, error.description))
                continue
            }
            if grant == record.grant, ends == record.ends {
                entry.changes.removeFirst()
                change.done(.done)
                continue
            }
            entry.isChanging = true
            self.perform(entry, .session(.regrant(grant, ends: ends)))
        }
    }

    /// The first change of the line, which is of its forwards.
    private func begin(
        _ edit: (NATGrant) -> Result<[NATGrant.Forward], PortForwardProblem>, on record: SessionRecord,
        _ entry: LineEntry
    ) {
        var problem = PortForwardProblem("the session is not translated")
        if let nat = record.nat {
            switch edit(nat) {
            case .success(let forwards) where forwards != nat.forwards:
                entry.isChanging = true
                return self.perform(entry, .session(.forward(forwards)))
            case .success: return entry.changes.removeFirst().done(.done)
            case .failure(let found): problem = found
            }
        }
        entry.changes.removeFirst().done(.refused(.invalidAttributeValue, problem.description))
    }

    /// What the session would be granted, and when it would end. Session-Timeout counts from the session's start, of a new
    /// answer of AAA from now.
    private func outcome(
        of what: GrantChange.What, on record: SessionRecord
    ) throws(ProfileProblem) -> (ServiceGrant, UTCTime) {
        var grant: ServiceGrant
        var from = record.started
        switch what {
        case .forwards: return (record.grant, record.ends)
        case .change(let change):
            grant = record.grant.changed(by: change)
            if record.ends != .zero, let old = self.world.profile(of: record), old.sessionTimeout > 0 {
                // The session has been authenticated again since it started.
                from = UTCTime(milliseconds: record.ends.milliseconds - Int64(old.sessionTimeout.value) * 1_000)
            }
        case .grant(let new):
            grant = new
            from = self.world.utcNow()
            // A living session keeps its address and the name it is accounted under.
            (grant.userName, grant.requestedName) = (record.grant.userName, record.grant.requestedName)
            (grant.address, grant.pool) = (record.grant.address, record.grant.pool)
            (grant.prefixLength, grant.dns, grant.routes, grant.ipv6) = (
                record.grant.prefixLength, record.grant.dns, record.grant.routes, record.grant.ipv6
            )
        }
        let timeout = try self.world.configuration.aaa.catalog.profile(of: grant).sessionTimeout
        return (grant, timeout == 0 ? .zero : from + timeout)
    }

    /// The change under way is in force, or the session is as it was.
    func changed(_ entry: LineEntry, _ inForce: Bool) {
        guard entry.isChanging, !entry.changes.isEmpty, let record = entry.session?.record else { return }
        entry.isChanging = false
        let change = entry.changes.removeFirst()
        if case .forwards = change.what {
            self.scheduleForwards(entry)
            change.done(inForce ? .done : .refused(.resourcesUnavailable, "the node or the store refused the change"))
            return self.nextChange(entry)
        }
        self.count(inForce ? .changes : .changesRefused)
        if inForce {
            let kind: SessionNote.Kind = if case .grant = change.what { .reauthenticated } else { .changed }
            let now = self.world.utcNow()
            self.due.operations.append(
                .note(SessionNote(session: record.id, at: now, kind: kind, text: Self.words(record))))
            self.schedule(entry)
            self.forwardForAAA(entry)
            change.done(.done)
        } else {
            self.world.configuration.aaa.report(.changeRefused(record.id))
            change.done(.refused(.resourcesUnavailable, "the node or the store refused the change"))
        }
        self.nextChange(entry)
    }

    func refuseChanges(_ entry: LineEntry) {
        let changes = entry.changes
        (entry.changes, entry.isChanging) = ([], false)
        (entry.portRequests, entry.forwardsDue) = ([], 0)
        for change in changes { change.done(.refused(.sessionContextNotFound, "the session has ended")) }
    }

    private static func words(_ record: SessionRecord) -> String {
        let grant = record.grant
        var parts = ["source=\(grant.source.rawValue)"]
        if let plan = grant.plan { parts.append("plan=\(plan)") }
        if let filter = grant.filter { parts.append("filter=\(filter)") }
        if let rate = grant.rateUp { parts.append("up=\(rate.bitsPerSecond)") }
        if let rate = grant.rateDown { parts.append("down=\(rate.bitsPerSecond)") }
        if record.ends != .zero { parts.append("ends=\(record.ends.milliseconds)") }
        return parts.joined(separator: " ")
    }

    // MARK: RFC 5176

    /// Sessions here that match everything the target gives.
    func matches(_ target: DynamicAuthorization.Target) -> [SessionID] {
        self.loop.preconditionInEventLoop()
        if let text = target.accountingID {
            return self.matching(SessionID(text).map { [$0] } ?? [], target)
        }
        return self.matching(self.sessionIndex.candidates(for: target), target)
    }

    private func matching(_ ids: [SessionID], _ target: DynamicAuthorization.Target) -> [SessionID] {
        ids.filter { id in self.record(id).map { Self.matches($0, target) } ?? false }
    }

    private static func matches(_ record: SessionRecord, _ target: DynamicAuthorization.Target) -> Bool {
        // Nothing has been promised before the first generation, so there is no session to name.
        guard record.generation > 0 else { return false }
        if let user = target.userName, user != record.grant.userName { return false }
        if let address = target.address, address != record.address { return false }
        if let ipv6 = target.ipv6, record.ipv6?.addresses.contains(ipv6) != true { return false }
        let held = Set(record.ipv6?.resources.map(\.prefix) ?? [])
        guard target.prefixes.allSatisfy(held.contains) else { return false }
        if let id = target.interfaceID, id != record.ppp?.link.peerInterfaceID { return false }
        if let mac = target.mac, mac != record.line.mac { return false }
        if let port = target.portID, port != record.facts().portID { return false }
        return true
    }

    /// Carries a request out on one session; `done` once, on this loop, after the data plane has answered.
    func apply(
        _ kind: DynamicAuthorization.Kind, to id: SessionID,
        then done: @escaping @Sendable (DynamicAuthorizationResult) -> Void
    ) {
        guard let entry = self.byID[id], entry.session?.isEnding == false else {
            return done(.refused(.sessionContextNotFound, "the session is ending"))
        }
        switch kind {
        case .change(let change):
            guard let node = entry.session?.record.node, self.world.link.isReachable(node) else {
                return done(.refused(.resourcesUnavailable, "the session's node is away; nothing was changed"))
            }
            self.change(entry, .change(change), then: done)
        case .disconnect:
            entry.removalWaiters.append { done(.done) }
            self.perform(entry, .session(.end(.adminReset, at: self.world.utcNow())))
        }
        self.flush()
    }
}
