// SPDX-License-Identifier: Apache-2.0
// One shard: every line whose hash falls here, on one event loop. It feeds the machines and carries out their actions;
// pools, store and nodes are asked by message and answer by message.

import Addressing
import BNGCore
import DHCPv4
import Fleet
import NIOCore
import Subscribers

/// A shard's state, confined to its loop.
final class LineShard: @unchecked Sendable {
    // Confined to `loop`: entry points check it, hence @unchecked.
    let loop: any EventLoop
    let index: Int
    let world: ShardWorld
    private(set) var lines: [LineKey: LineEntry] = [:]
    private(set) var byID: [SessionID: LineEntry] = [:]
    /// Ids of `byID` in ascending order, with some that are gone; new ids are always the greatest.
    private var ids: [SessionID] = []
    private(set) var counters: [PlaneCounter: UInt64] = [:]
    private var counterRanges: [Range<UInt64>] = []
    private var askedForCounters = false
    private var pending = 0

    private enum Work {
        case dhcp(DHCPv4ServerMachine.Event)
        case session(SessionMachine.Event)
    }

    private var queue: [(LineEntry, Work)] = []
    private var draining = false
    private var dhcpActions = ActionBuffer<DHCPv4ServerMachine.Action>()
    private var sessionActions = ActionBuffer<SessionMachine.Action>()
    private var operations: [SessionOperation] = []
    private var waiters: [SessionID] = []

    init(loop: any EventLoop, index: Int, world: ShardWorld) {
        self.loop = loop
        self.index = index
        self.world = world
    }

    func count(_ counter: PlaneCounter) {
        self.counters[counter, default: 0] += 1
    }

    // MARK: Input

    /// Handles requests that all belong to this shard, then makes one submission of what became due.
    func receive(_ requests: [(LineKey, DHCPRequestFrame)]) {
        self.loop.preconditionInEventLoop()
        for (line, request) in requests { self.receive(request, as: line) }
        self.flush()
    }

    private func receive(_ request: DHCPRequestFrame, as line: LineKey) {
        if request.cameThroughRouter, !self.holds(line, request.message.clientAddress) { return }
        self.count(.received)
        guard let entry = self.entry(for: line, request) else { return }
        guard !entry.isClaimedByAnotherCircuit(request) else { return self.count(.lineConflict) }
        entry.path = request.path
        entry.presentation = SessionPresentation(request, line: line, known: entry.session?.record)
        self.perform(entry, .dhcp(.received(request.message)))
        self.forgetIfIdle(entry)
    }

    /// Whether an active session of the line has the address.
    private func holds(_ line: LineKey, _ address: IPv4Address) -> Bool {
        self.lines[line]?.session?.record.address == address
    }

    private func entry(for line: LineKey, _ request: DHCPRequestFrame) -> LineEntry? {
        if let entry = self.lines[line] { return entry }
        guard let pool = self.world.pool(for: request.accessDomain, relay: line.relay) else {
            self.count(.noPool)
            return nil
        }
        guard self.pending < self.world.configuration.pendingLimit else {
            self.count(.shed)
            return nil
        }
        let entry = LineEntry(line: line, pool: pool)
        self.lines[line] = entry
        return entry
    }

    private func forgetIfIdle(_ entry: LineEntry) {
        guard entry.isForgettable else { return }
        entry.offerTimer?.cancel()
        self.lines[entry.line] = nil
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

    /// Every session here, promised or not.
    var records: [SessionRecord] { self.byID.values.compactMap { $0.session?.record } }

    /// The first `limit` sessions above an id that satisfy the filter, ascending.
    func records(after: SessionID?, limit: Int, where filter: (SessionRecord) -> Bool) -> [SessionRecord] {
        self.loop.preconditionInEventLoop()
        var (low, high) = (0, after == nil ? 0 : self.ids.count)
        while low < high, let after {
            let middle = (low + high) / 2
            if self.ids[middle] <= after { low = middle + 1 } else { high = middle }
        }
        var found: [SessionRecord] = []
        for id in self.ids[low...] {
            if found.count == limit { break }
            if let record = self.byID[id]?.session?.record, filter(record) { found.append(record) }
        }
        return found
    }

    private func add(_ entry: LineEntry, id: SessionID) {
        self.byID[id] = entry
        if let last = self.ids.last, last > id {
            self.ids.insert(id, at: self.ids.firstIndex { $0 > id } ?? self.ids.count)
        } else {
            self.ids.append(id)
        }
    }

    private func forget(_ id: SessionID) {
        self.byID[id] = nil
        if self.ids.count > 2 * self.byID.count + 1024 { self.ids.removeAll { self.byID[$0] == nil } }
    }

    func record(_ id: SessionID) -> SessionRecord? { self.byID[id]?.session?.record }

    /// True if the session is known here and was not ending already.
    @discardableResult
    func end(_ id: SessionID, cause: TerminateCause) -> Bool {
        self.loop.preconditionInEventLoop()
        guard let entry = self.byID[id], let session = entry.session, !session.isEnding else { return false }
        // The node's word crossed a renewal granted here; the upsert under way gives it the new end (1 s of skew allowed).
        if cause == .leaseExpired, session.record.leaseExpires > self.world.utcNow() + 1 { return false }
        self.perform(entry, .session(.end(cause, at: self.world.utcNow())))
        self.flush()
        return true
    }

    /// The node's maps are gone and with them renewals it had not yet reported: every lease may have been renewed up to now.
    func nodeLostState(_ node: NodeName) {
        self.loop.preconditionInEventLoop()
        let now = self.world.utcNow()
        for entry in self.byID.values where entry.session?.record.node == node && entry.session?.isActive == true {
            self.perform(entry, .session(.confirm(until: now + entry.pool.template.lease)))
        }
        self.flush()
    }

    func restore(_ record: SessionRecord) {
        self.loop.preconditionInEventLoop()
        guard let pool = self.world.pools[record.pool] else { return }
        let active = record.phase == .active
        let entry = LineEntry(line: record.line, pool: pool, boundTo: active ? record.address : nil)
        entry.hasStarted = true
        entry.session = SessionMachine(restored: record)
        entry.presentation = record.presentation
        self.lines[record.line] = entry
        self.add(entry, id: record.id)
        if active {
            self.install(record, answers: false)
        } else {
            self.remove(record)
        }
    }

    // MARK: Machines

    private func perform(_ entry: LineEntry, _ work: Work) {
        self.queue.append((entry, work))
        guard !self.draining else { return }
        self.draining = true
        var next = 0
        while next < self.queue.count {
            let (entry, work) = self.queue[next]
            next += 1
            self.step(entry, work)
        }
        self.queue.removeAll(keepingCapacity: true)
        self.draining = false
    }

    private func step(_ entry: LineEntry, _ work: Work) {
        let now = ContinuousClock.now
        switch work {
        case .dhcp(let event):
            entry.dhcp.handle(event, at: now, into: &self.dhcpActions)
            self.dhcpActions.drain { self.carryOut($0, entry) }
        case .session(let event):
            entry.session?.handle(event, at: now, into: &self.sessionActions)
            self.sessionActions.drain { self.carryOut($0, entry) }
        }
    }

    private func carryOut(_ action: DHCPv4ServerMachine.Action, _ entry: LineEntry) {
        switch action {
        case .requestAddress(let wish, let exact): self.requestAddress(entry, wish: wish, exact: exact)
        case .withdrawOffer: self.perform(entry, .session(.lapse))
        case .grantLease: self.grantLease(entry)
        case .released:
            self.count(.released)
            self.perform(entry, .session(.end(.userRequest, at: self.world.utcNow())))
        case .declined:
            self.count(.declined)
            self.perform(entry, .session(.end(.addressDeclined, at: self.world.utcNow())))
        case .send(let reply, let delivery): self.send(reply, delivery, entry)
        case .startTimer(.offer, let delay): self.startOfferTimer(entry, delay)
        case .cancelTimer(.offer):
            entry.offerTimer?.cancel()
            entry.offerTimer = nil
        case .count(let counter): self.count(PlaneCounter(counter))
        }
    }

    private func carryOut(_ action: SessionMachine.Action, _ entry: LineEntry) {
        switch action {
        case .persist(let record):
            self.noLongerPending(entry)
            self.operations.append(.put(record))
            self.waiters.append(record.id)
        case .persistEnding(let record): self.operations.append(.put(record))
        case .persistRenewal(let id, let until): self.operations.append(.renew(id, until: until))
        case .install(let record): self.install(record, answers: true)
        case .remove(let record): self.remove(record)
        case .recordEnd(let record): self.recordEnd(record, entry)
        case .granted(let address): self.perform(entry, .dhcp(.addressGranted(address)))
        case .refused: self.perform(entry, .dhcp(.addressDenied(entry.denial)))
        case .confirmed: self.perform(entry, .dhcp(.leaseGranted))
        case .confirmationFailed: self.perform(entry, .dhcp(.leaseDenied))
        case .ended:
            self.perform(entry, .dhcp(.leaseEnded))
        case .releaseAddress(let address, let declined): self.giveBack(address, declined: declined, entry)
        case .acknowledgeFinal(let id):
            entry.session.map { self.world.link.acknowledgeFinal(node: $0.record.node, id: id) }
        case .terminated: self.terminated(entry)
        }
    }

    private func terminated(_ entry: LineEntry) {
        guard let session = entry.session else { return }
        self.noLongerPending(entry)
        if session.record.generation > 0 { self.count(.sessionsEnded) }
        self.forget(session.record.id)
        entry.session = nil
        self.forgetIfIdle(entry)
    }

    private func noLongerPending(_ entry: LineEntry) {
        guard entry.isPending else { return }
        entry.isPending = false
        self.pending -= 1
    }

    // MARK: Addresses

    private func requestAddress(_ entry: LineEntry, wish: IPv4Address?, exact: Bool) {
        if let session = entry.session {
            // Still being removed, or an address is already on its way for an earlier message.
            if session.isEnding { self.perform(entry, .dhcp(.addressDenied(.unavailable))) }
            return
        }
        guard let path = entry.path, let presentation = entry.presentation, let id = self.mintID() else {
            return self.perform(entry, .dhcp(.addressDenied(.unavailable)))
        }
        let record = SessionRecord(
            id: id, generation: 0, phase: .connecting, node: path.node, line: entry.line, tags: presentation.tags,
            relayMAC: presentation.relayMAC, vrf: entry.pool.vrf, pool: entry.pool.name, address: .zero,
            clientID: presentation.clientID, option82: presentation.option82, hostName: presentation.hostName,
            started: self.world.utcNow(), leaseExpires: .zero)
        entry.session = SessionMachine(connecting: record)
        self.add(entry, id: id)
        entry.isPending = true
        self.pending += 1
        let owner = self.world.owner(of: entry.pool.name)
        let (pool, line, now) = (entry.pool.name, entry.line, self.world.utcNow())
        owner.loop.execute {
            let result = owner.take(pool, line: line, session: id, wish: wish, exact: exact, now: now)
            self.loop.execute { self.addressAnswered(id, result) }
        }
    }

    private func addressAnswered(_ id: SessionID, _ result: Result<IPv4Address, DenialError>) {
        guard let entry = self.byID[id] else { return }
        switch result {
        case .success(let address): self.perform(entry, .session(.addressReserved(address)))
        case .failure(let denial):
            let reason = denial.reason
            if reason == .exhausted { self.count(.poolExhausted) }
            entry.denial = reason == .exhausted || reason == .unknownPool ? .unavailable : .wrong
            self.perform(entry, .session(.addressRefused))
        }
        self.forgetIfIdle(entry)
        self.flush()
    }

    private func giveBack(_ address: IPv4Address, declined: Bool, _ entry: LineEntry) {
        guard let session = entry.session else { return }
        let owner = self.world.owner(of: entry.pool.name)
        let until = self.restUntil(session.record, entry)
        let (pool, line, id) = (entry.pool.name, entry.line, session.record.id)
        owner.loop.execute {
            owner.giveBack(pool, address, session: id, line: line, until: until, declined: declined)
        }
    }

    /// End of the quarantine of a session's address. One that was only offered rests no time at all.
    private func restUntil(_ record: SessionRecord, _ entry: LineEntry) -> UTCTime {
        guard record.generation > 0 else { return .zero }
        let rest = record.cause == .addressDeclined ? entry.pool.declineRest : entry.pool.quarantine
        return record.ended + rest
    }

    // MARK: Leases

    private func grantLease(_ entry: LineEntry) {
        if let presentation = entry.presentation { self.perform(entry, .session(.presented(presentation))) }
        let until = self.world.utcNow() + entry.pool.template.lease
        self.perform(entry, .session(.confirm(until: until)))
    }

    private func install(_ record: SessionRecord, answers: Bool) {
        let session = InstalledSession(record, templateID: self.world.pools[record.pool]?.templateID ?? 0)
        self.world.link.upsert(node: record.node, id: record.id, generation: record.generation, session: session) {
            installed in
            guard answers else { return }
            self.onLoop { self.installed(record.id, installed) }
        }
    }

    private func installed(_ id: SessionID, _ installed: Bool) {
        guard let entry = self.byID[id] else { return }
        if !installed { self.count(.installFailed) }
        if installed, !entry.hasStarted { self.count(.sessionsStarted) }
        entry.hasStarted = installed
        self.perform(entry, .session(.installed(installed)))
        self.flush()
    }

    private func remove(_ record: SessionRecord) {
        self.world.link.delete(node: record.node, id: record.id) { totals in
            self.onLoop {
                guard let entry = self.byID[record.id] else { return }
                self.perform(entry, .session(.removed(totals)))
                self.flush()
            }
        }
    }

    private func recordEnd(_ record: SessionRecord, _ entry: LineEntry) {
        let sticky = StickyBinding(
            line: record.line, vrf: record.vrf, pool: record.pool, address: record.address,
            reservedUntil: self.restUntil(record, entry), declined: record.cause == .addressDeclined)
        self.operations.append(.end(record, sticky: sticky))
        self.waiters.append(record.id)
    }

    // MARK: Output

    private func send(_ reply: DHCPv4Message, _ delivery: DHCPv4Delivery, _ entry: LineEntry) {
        guard let path = entry.path else { return }
        var requires: SessionRequirement?
        switch reply.type {
        case .offer: self.count(.offers)
        case .nak: self.count(.naks)
        case .ack where reply.yourAddress == .zero: self.count(.informs)
        default:
            self.count(.acks)
            requires = entry.session.map { SessionRequirement(id: $0.record.id, generation: $0.record.generation) }
        }
        let frame = replyFrame(reply, delivery, from: entry.dhcp.parameters.serverIdentifier, along: path)
        self.world.link.inject(node: path.node, port: path.port, frame: frame, requires: requires)
    }

    private func startOfferTimer(_ entry: LineEntry, _ delay: Duration) {
        entry.offerTimer?.cancel()
        let line = entry.line
        entry.offerTimer = self.loop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) {
            guard let entry = self.lines[line] else { return }
            entry.offerTimer = nil
            self.perform(entry, .dhcp(.timerFired(.offer)))
            self.forgetIfIdle(entry)
            self.flush()
        }
    }

    /// Hands what became due to the store in one submission; its answer goes to the sessions that wait for it.
    private func flush(then done: (@Sendable (Bool) -> Void)? = nil) {
        guard !self.operations.isEmpty else {
            done?(true)
            return
        }
        let (operations, waiters) = (self.operations, self.waiters)
        self.operations.removeAll(keepingCapacity: true)
        self.waiters.removeAll(keepingCapacity: true)
        self.world.store.submit(operations) { durable in
            done?(durable)
            guard !waiters.isEmpty || !durable else { return }
            self.onLoop { self.persisted(waiters, durable) }
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

    private func onLoop(_ body: @escaping @Sendable () -> Void) {
        if self.loop.inEventLoop { body() } else { self.loop.execute(body) }
    }

    // MARK: Session ids

    /// Gives this shard counters it may mint from; the store has promised never to give them again.
    func addCounters(_ range: Range<UInt64>) {
        self.loop.preconditionInEventLoop()
        self.counterRanges.append(range)
        self.askedForCounters = false
    }

    private func mintID() -> SessionID? {
        if self.counterRanges.reduce(0, { $0 + $1.count }) < ShardWorld.countersPerRequest / 2, !self.askedForCounters {
            self.askedForCounters = true
            self.world.requestCounters(for: self)
        }
        guard let first = self.counterRanges.first else { return nil }
        if first.count > 1 {
            self.counterRanges[0] = (first.lowerBound + 1)..<first.upperBound
        } else {
            self.counterRanges.removeFirst()
        }
        return SessionID(issuer: self.world.configuration.issuer, counter: first.lowerBound)
    }
}
