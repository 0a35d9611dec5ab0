// SPDX-License-Identifier: Apache-2.0
// One shard: every line whose hash falls here, on one event loop. This file owns its tables, takes requests in and feeds the
// machines; the extensions carry out their actions. Pools, AAA, store and nodes are asked by message and answer by message.

import BNGCore
import DHCPv4
import DHCPv6
import Fleet
import NIOCore
import PPP
import Subscribers

/// A shard's state, confined to its loop.
final class LineShard: @unchecked Sendable {
    // Confined to `loop`: entry points check it, hence @unchecked.
    let loop: any EventLoop
    let index: Int
    let world: ShardWorld
    private(set) var lines: [LineKey: LineEntry] = [:]
    private(set) var byID: [SessionID: LineEntry] = [:]
    var sessionIndex = SessionIndex()
    /// Ids of `byID` in ascending order, with some that are gone; new ids are always the greatest.
    private var ids: [SessionID] = []
    private(set) var counters: [PlaneCounter: UInt64] = [:]
    var identifiers = IdentifierSupply()
    var lockouts = LockoutTable()
    /// Unix second; a look may skip seconds.
    var lockoutsPruned: Int64 = 0
    enum Deadline: Sendable { case interim, reauthentication, forwards }
    var wheel = DeadlineWheel<(SessionID, Deadline)>()
    var pppWheel = DeadlineWheel<(LineKey, PPPServerMachine.Timer)>()
    /// PPPoE ids of each MAC address on a line, the oldest first.
    var dials: [LineKey: [UInt16]] = [:]
    var resting = RestingIDs()
    var randomness = SystemRandomNumberGenerator()
    var pppCounters: [PPPCounter: UInt64] = [:]
    var ticker: RepeatedTask?
    /// Clients that have asked and hold nothing yet.
    var pending = 0
    /// What is due for the store, and who waits for it.
    var due = DueOperations()

    /// What nodes carry up to a shard.
    enum Input: Sendable {
        case dhcp(DHCPRequestFrame, LineKey)
        case pppoe(PPPoEFrame)
        case ipv6(IPv6Frame)
        case pcp(PCPFrame)
    }

    enum Work {
        case dhcp(DHCPv4ServerMachine.Event)
        case ppp(PPPServerMachine.Event)
        case dhcpv6(DHCPv6ServerMachine.Event)
        case session(SessionMachine.Event)
        /// A session that nobody wants any more is given up.
        case settle
        /// Forgets the line if nothing is left of it.
        case forget
    }

    private var queue: [(LineEntry, Work)] = []
    private var draining = false
    private var dhcpActions = ActionBuffer<DHCPv4ServerMachine.Action>()
    private var pppActions = ActionBuffer<PPPServerMachine.Action>()
    private var dhcpv6Actions = ActionBuffer<DHCPv6ServerMachine.Action>()
    private var sessionActions = ActionBuffer<SessionMachine.Action>()

    init(loop: any EventLoop, index: Int, world: ShardWorld) {
        self.loop = loop
        self.index = index
        self.world = world
    }

    func count(_ counter: PlaneCounter) {
        self.counters[counter, default: 0] += 1
    }

    func onLoop(_ body: @escaping @Sendable () -> Void) {
        if self.loop.inEventLoop { body() } else { self.loop.execute(body) }
    }

    // MARK: Input

    /// Handles requests that all belong to this shard, then makes one submission of what became due.
    func receive(_ inputs: [Input]) {
        self.loop.preconditionInEventLoop()
        for input in inputs {
            switch input {
            case .dhcp(let request, let line): self.receive(request, as: line)
            case .pppoe(let frame): self.receive(frame)
            case .ipv6(let frame): self.receive(frame)
            case .pcp(let frame): self.receive(frame)
            }
        }
        self.flush()
    }

    private func receive(_ request: DHCPRequestFrame, as line: LineKey) {
        if request.cameThroughRouter, !self.holds(line, request.message.clientAddress) { return }
        self.count(.received)
        guard let entry = self.entry(for: line, request) else { return }
        guard !entry.isClaimedByAnotherCircuit(request) else { return self.count(.lineConflict) }
        entry.path = request.path
        entry.presentation = SessionPresentation(request, line: line, known: entry.session?.record)
        if entry.session == nil {
            entry.vendorClass = request.message.options[DHCPv4OptionCode.vendorClass].map(Array.init) ?? []
        }
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
        return self.newEntry(line, pool)
    }

    /// nil: too many clients are waiting already.
    func newEntry(_ line: LineKey, _ pool: PoolPolicy?) -> LineEntry? {
        guard self.pending < self.world.configuration.pendingLimit else {
            self.count(.shed)
            return nil
        }
        let entry = LineEntry(line: line, pool: pool)
        self.lines[line] = entry
        return entry
    }

    // MARK: Tables

    func add(_ entry: LineEntry, id: SessionID) {
        self.lines[entry.line] = entry
        self.byID[id] = entry
        if let last = self.ids.last, last > id {
            self.ids.insert(id, at: self.ids.firstIndex { $0 > id } ?? self.ids.count)
        } else {
            self.ids.append(id)
        }
    }

    func forget(_ id: SessionID) {
        self.byID[id] = nil
        if self.ids.count > 2 * self.byID.count + 1024 { self.ids.removeAll { self.byID[$0] == nil } }
    }

    func forgetIfIdle(_ entry: LineEntry) {
        guard entry.isForgettable else { return }
        entry.offerTimer?.cancel()
        entry.dhcpv6?.offerTimer?.cancel()
        // A later dial may have the key by now.
        guard self.lines[entry.line] === entry else { return }
        self.lines[entry.line] = nil
        guard let path = entry.path, entry.ppp != nil else { return }
        self.world.quotas.giveBack(entry.line, node: path.node)
    }

    /// Every session here, promised or not.
    var records: [SessionRecord] { self.byID.values.compactMap { $0.session?.record } }

    func record(_ id: SessionID) -> SessionRecord? { self.byID[id]?.session?.record }

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

    // MARK: Machines

    func perform(_ entry: LineEntry, _ work: Work) {
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
            entry.dhcp?.handle(event, at: now, into: &self.dhcpActions)
            self.dhcpActions.drain { self.carryOut($0, entry) }
        case .ppp(let event):
            entry.ppp?.machine.handle(event, at: now, into: &self.pppActions)
            self.pppActions.drain { self.carryOut($0, entry) }
        case .dhcpv6(let event):
            entry.dhcpv6?.machine.handle(event, at: now, into: &self.dhcpv6Actions)
            self.dhcpv6Actions.drain { self.carryOut($0, entry) }
        case .session(let event):
            entry.session?.handle(event, at: now, into: &self.sessionActions)
            self.sessionActions.drain { self.carryOut($0, entry) }
        case .forget: self.forgetIfIdle(entry)
        case .settle:
            if entry.session?.isBare == true, entry.isQuiet { self.perform(entry, .session(.abandon)) }
        }
    }
}
