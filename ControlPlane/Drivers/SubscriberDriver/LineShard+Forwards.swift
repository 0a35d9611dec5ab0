// SPDX-License-Identifier: Apache-2.0
// Port forwards of a living session: AAA's, an operator's, and the end of those a client has asked for. All are changes of the
// session, one after the other, and part of its record.

import BNGCore
import NIOCore
import Subscribers

extension LineShard {
    /// Pause before an end is tried again while the session's node is away, or refuses.
    private static let retry: Int64 = 10

    /// What AAA wants is there, as far as it fits; the rest is counted.
    func forwardForAAA(_ entry: LineEntry) {
        guard let record = entry.session?.record, let nat = record.nat, !nat.isOneToOne, record.generation > 0,
            record.grant.forwards != nil || nat.forwards.contains(where: { $0.origin == .aaa }),
            self.world.link.isReachable(record.node), !entry.changes.contains(where: \.isAAAForward)
        else { return }
        guard Set(self.forwards(nat, record)) != Set(nat.forwards) else { return }
        let id = record.id
        let edit = { (nat: NATGrant) -> Result<[NATGrant.Forward], PortForwardProblem> in
            guard let record = self.byID[id]?.session?.record else { return .success(nat.forwards) }
            return .success(self.forwards(nat, record))
        }
        self.change(entry, .forwards(edit, isAAA: true)) { _ in }
    }

    private func forwards(_ nat: NATGrant, _ record: SessionRecord) -> [NATGrant.Forward] {
        var result = nat.with(nat.forwards.filter { $0.origin != .aaa })
        for wanted in record.grant.forwards ?? [] {
            let held = nat.forwards.first { forward in
                forward.origin == .aaa && forward.isTCP == wanted.isTCP && forward.insidePort == wanted.insidePort
                    && forward.inside == wanted.inside ?? record.address
                    && (wanted.outsidePort == 0 || wanted.outsidePort == forward.outsidePort)
            }
            if let held {
                result = result.with(result.forwards + [held])
                continue
            }
            do throws(PortForwardProblem) {
                let forward = try result.resolve(
                    wanted, origin: .aaa, address: record.address, routes: record.grant.routes)
                result = result.with(result.forwards + [forward])
            } catch {
                self.count(.forwardRefused)
            }
        }
        return result.forwards
    }

    /// An operator's. `done` is called once, on this loop, when the node has confirmed.
    func forward(
        _ wanted: PortForward, _ entry: LineEntry,
        then done: @escaping @Sendable (Result<Void, PortForwardProblem>) -> Void
    ) {
        self.edit(entry, then: done) { nat, record in
            do throws(PortForwardProblem) {
                let forward = try nat.resolve(
                    wanted, origin: .operator, address: record.address, routes: record.grant.routes)
                return .success(nat.forwards + [forward])
            } catch {
                return .failure(error)
            }
        }
    }

    /// Whoever's it is, but AAA's would come back.
    func unforward(
        isTCP: Bool, outsidePort: UInt16, _ entry: LineEntry,
        then done: @escaping @Sendable (Result<Void, PortForwardProblem>) -> Void
    ) {
        self.edit(entry, then: done) { nat, _ in
            let name = "\(isTCP ? "tcp" : "udp") port \(outsidePort)"
            guard let forward = nat.forwards.first(where: { $0.isTCP == isTCP && $0.outsidePort == outsidePort }) else {
                return .failure(PortForwardProblem("\(name) of the session is not forwarded"))
            }
            guard forward.origin != .aaa else {
                return .failure(PortForwardProblem("\(name) is forwarded because AAA says so: change it there"))
            }
            return .success(nat.forwards.filter { $0 != forward })
        }
    }

    private func edit(
        _ entry: LineEntry, then done: @escaping @Sendable (Result<Void, PortForwardProblem>) -> Void,
        _ body: @escaping (NATGrant, SessionRecord) -> Result<[NATGrant.Forward], PortForwardProblem>
    ) {
        guard let record = entry.session?.record, record.nat != nil else {
            return done(.failure(PortForwardProblem("the session is not translated: nothing is to be forwarded")))
        }
        guard self.world.link.isReachable(record.node) else {
            return done(.failure(PortForwardProblem("the session's node is away; nothing was changed")))
        }
        let id = record.id
        self.change(
            entry,
            .forwards({ nat in
                guard let record = self.byID[id]?.session?.record else {
                    return .failure(PortForwardProblem("the session has ended"))
                }
                return body(nat, record)
            })
        ) { result in
            switch result {
            case .refused(_, let words): done(.failure(PortForwardProblem(words)))
            default: done(.success(()))
            }
        }
        self.flush()
    }

    // MARK: Their end

    /// Sets the deadline of the first to end.
    func scheduleForwards(_ entry: LineEntry) {
        guard let record = entry.session?.record,
            let first = record.nat?.forwards.compactMap({ $0.origin.expires?.milliseconds }).min()
        else { return entry.forwardsDue = 0 }
        let due = max((first + 999) / 1_000, self.world.utcNow().milliseconds / 1_000 + 1)
        guard due != entry.forwardsDue else { return }
        entry.forwardsDue = due
        self.wheel.add((record.id, .forwards), at: due)
    }

    func expireForwards(_ entry: LineEntry, at now: UTCTime) {
        guard let record = entry.session?.record else { return }
        entry.forwardsDue = now.milliseconds / 1_000 + Self.retry
        self.wheel.add((record.id, .forwards), at: entry.forwardsDue)
        guard self.world.link.isReachable(record.node) else { return }
        let edit = { (nat: NATGrant) -> Result<[NATGrant.Forward], PortForwardProblem> in
            let left = nat.forwards.filter { $0.origin.expires.map { $0 > now } ?? true }
            for _ in left.count..<nat.forwards.count { self.count(.pcpExpired) }
            return .success(left)
        }
        self.change(entry, .forwards(edit)) { _ in }
    }
}

extension GrantChange {
    var isAAAForward: Bool {
        if case .forwards(_, let isAAA) = self.what { return isAAA }
        return false
    }
}

extension SubscriberPlane {
    /// Forwards a port of a session's public address; returns once the node has confirmed.
    /// - Returns: false if there is no such session. Throws `PortForwardProblem` if it cannot be.
    public func forward(_ wanted: PortForward, to id: SessionID) async throws -> Bool {
        try await self.edit(id) { shard, entry, done in shard.forward(wanted, entry, then: done) }
    }

    /// Ends a forward.
    public func unforward(isTCP: Bool, outsidePort: UInt16, of id: SessionID) async throws -> Bool {
        try await self.edit(id) { shard, entry, done in
            shard.unforward(isTCP: isTCP, outsidePort: outsidePort, entry, then: done)
        }
    }

    private func edit(
        _ id: SessionID,
        _ body:
            @escaping @Sendable (LineShard, LineEntry, @escaping @Sendable (Result<Void, PortForwardProblem>) -> Void)
            -> Void
    ) async throws -> Bool {
        for shard in self.shards {
            let promise = shard.loop.makePromise(of: Bool.self)
            shard.loop.execute {
                guard let entry = shard.byID[id], entry.session?.isActive == true || entry.session?.isAdmitted == true
                else {
                    return promise.succeed(false)
                }
                body(shard, entry) { result in
                    switch result {
                    case .success: promise.succeed(true)
                    case .failure(let problem): promise.fail(problem)
                    }
                }
            }
            if try await promise.futureResult.get() { return true }
        }
        return false
    }
}
