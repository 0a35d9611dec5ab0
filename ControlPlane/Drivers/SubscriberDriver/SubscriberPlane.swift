// SPDX-License-Identifier: Apache-2.0
// The face of the subscriber plane: takes punts and events of nodes apart, gives each line's to its shard, collects views.

import Addressing
import BNGCore
import Fleet
import NIOCore
import PPP
import Subscribers
import Synchronization

/// All shards and pool owners of a controller.
public final class SubscriberPlane: Sendable {
    let shards: [LineShard]
    let world: ShardWorld
    private let refusals: Mutex<[PlaneCounter: UInt64]> = Mutex([:])

    /// One shard and one pool owner per loop.
    /// - Precondition: at least one loop.
    public init(
        configuration: PlaneConfiguration, loops: [any EventLoop], store: any SessionStoring, link: any DataPlaneLink,
        utcNow: @escaping @Sendable () -> UTCTime
    ) {
        precondition(!loops.isEmpty, "the subscriber plane needs an event loop")
        let world = ShardWorld(
            configuration: configuration, owners: loops.map(PoolOwner.init(loop:)), store: store, link: link,
            utcNow: utcNow)
        self.world = world
        self.shards = loops.enumerated().map { LineShard(loop: $1, index: $0, world: world) }
        world.introduce(self.shards)
    }

    private func shard(of line: LineKey) -> LineShard {
        self.shards[Int(line.stableHash % UInt64(self.shards.count))]
    }

    // MARK: Start

    /// Loads pools and stored sessions; call once, before any node is admitted.
    /// - Returns: ids of sessions whose address another stored session holds: they are left out and must be reported.
    public func start(
        sessions: [SessionRecord], bindings: [StickyBinding], prefixBindings: [StickyPrefixBinding] = [],
        natRests: [NATRest] = []
    ) async throws -> [SessionID] {
        for policy in self.world.configuration.pools {
            let owner = self.world.owner(of: policy.name)
            try await owner.loop.submit { owner.add(policy) }.get()
        }
        for policy in self.world.configuration.prefixPools {
            let owner = self.world.owner(of: policy.name)
            try await owner.loop.submit { owner.add(policy) }.get()
        }
        for policy in self.world.configuration.natPools {
            let owner = self.world.owner(of: policy.name)
            try await owner.loop.submit { owner.add(policy) }.get()
        }
        var conflicts: [SessionID] = []
        for owner in self.world.owners {
            let mine = sessions.filter { self.world.owner(of: $0.pool) === owner }
            let rests = bindings.filter { self.world.owner(of: $0.pool) === owner }
            let prefixes = sessions.flatMap { record in
                (record.ipv6?.resources ?? []).filter { self.world.owner(of: $0.pool) === owner }.map { (record, $0) }
            }
            let grants = sessions.compactMap { record in record.nat.map { (record.id, $0) } }
                .filter { self.world.owner(of: $0.1.pool) === owner }
            let blockRests = natRests.filter { self.world.owner(of: $0.grant.pool) === owner }
            let prefixRests = prefixBindings.filter { self.world.owner(of: $0.pool) === owner }
            conflicts += try await owner.loop.submit {
                let refused = mine.filter { !owner.restore($0) }.map(\.id)
                for rest in rests { owner.restore(rest) }
                let doubled = prefixes.filter { !owner.restore($0.1, $0.0) }.map(\.0.id)
                for rest in prefixRests { owner.restore(rest) }
                let sharing = grants.filter { !owner.restore($0.1, of: $0.0) }.map(\.0)
                for rest in blockRests { owner.restore(rest) }
                return refused + doubled + sharing
            }.get()
        }
        let refused = Set(conflicts)
        let count = UInt64(self.shards.count)
        for shard in self.shards {
            let mine = sessions.filter {
                $0.line.stableHash % count == UInt64(shard.index) && !refused.contains($0.id)
            }
            try await shard.loop.submit {
                for record in mine.sorted(by: { $0.id < $1.id }) { shard.restore(record) }
                shard.flush()
                shard.startTicking()
            }.get()
            self.world.requestCounters(for: shard)
        }
        return conflicts
    }

    // MARK: From the nodes

    /// The MAC addresses of a node's ports, by name.
    public func learn(ports macs: [String: MACAddress], of node: NodeName) { self.world.learn(macs, of: node) }

    /// As learnt last; empty while the node has not been seen.
    public func portMACs(of node: NodeName) -> [String: MACAddress] { self.world.portMACs(of: node) }

    /// Packets of one node, in order of arrival.
    public func receive(node: NodeName, punts: [PuntedPacket]) {
        var batches = [[LineShard.Input]](repeating: [], count: self.shards.count)
        for packet in punts {
            switch packet.puntClass {
            case .dhcpv4: self.takeDHCP(packet, from: node, into: &batches)
            case .pppoe, .ppp: self.takePPPoE(packet, from: node, into: &batches)
            case .nd, .dhcpv6: self.takeIPv6(packet, from: node, into: &batches)
            case .pcp: self.takePCP(packet, from: node, into: &batches)
            default: break
            }
        }
        for (shard, batch) in zip(self.shards, batches) where !batch.isEmpty {
            if shard.loop.inEventLoop { shard.receive(batch) } else { shard.loop.execute { shard.receive(batch) } }
        }
    }

    private func takeDHCP(_ packet: PuntedPacket, from node: NodeName, into batches: inout [[LineShard.Input]]) {
        do throws(DHCPRequestFrame.Refusal) {
            let request = try DHCPRequestFrame(packet, from: node)
            for line in request.lines {
                batches[Int(line.stableHash % UInt64(self.shards.count))].append(.dhcp(request, line))
            }
        } catch {
            let counter = PlaneCounter(error)
            self.refusals.withLock { $0[counter, default: 0] += 1 }
        }
    }

    private func takePPPoE(_ packet: PuntedPacket, from node: NodeName, into batches: inout [[LineShard.Input]]) {
        do throws(PPPoEFrame.Refusal) {
            let frame = try PPPoEFrame(packet, from: node)
            batches[Int(frame.line.stableHash % UInt64(self.shards.count))].append(.pppoe(frame))
        } catch {
            let counter = PlaneCounter(error)
            self.refusals.withLock { $0[counter, default: 0] += 1 }
        }
    }

    private func takeIPv6(_ packet: PuntedPacket, from node: NodeName, into batches: inout [[LineShard.Input]]) {
        do throws(IPv6Frame.Refusal) {
            let frame = try IPv6Frame(packet, from: node)
            batches[Int(frame.line.stableHash % UInt64(self.shards.count))].append(.ipv6(frame))
        } catch {
            let counter = PlaneCounter(error)
            self.refusals.withLock { $0[counter, default: 0] += 1 }
        }
    }

    /// A session's shard is known by its line, the packet by its session: each shard looks.
    private func takePCP(_ packet: PuntedPacket, from node: NodeName, into batches: inout [[LineShard.Input]]) {
        do throws(PCPFrame.Refusal) {
            let frame = try PCPFrame(packet, from: node)
            for index in batches.indices { batches[index].append(.pcp(frame)) }
        } catch {
            self.refusals.withLock { $0[.malformedPCP, default: 0] += 1 }
        }
    }

    /// Leases the data plane of a node renewed. `done` is called once, with true when every one of them is durable here.
    public func renewed(_ renewals: [SessionRenewal], then done: @escaping @Sendable (Bool) -> Void) {
        let outcome = RenewalOutcome(waiting: self.shards.count, done: done)
        for shard in self.shards {
            shard.loop.execute { shard.renewed(renewals) { outcome.report($0) } }
        }
    }

    /// A node says that a session forwards no more: its lease ran out, or its time is up.
    public func lapsed(_ id: SessionID, cause: TerminateCause) {
        for shard in self.shards { shard.loop.execute { shard.end(id, cause: cause) } }
    }

    /// The server outside has taken a lease back, or it ended while no server answered.
    public func lostOutside(_ lease: ExternalLeaseID) {
        for shard in self.shards { shard.loop.execute { shard.lostOutside(lease) } }
    }

    /// A node lost its maps: see `LineShard.nodeLostState`.
    public func nodeLostState(_ node: NodeName) {
        for shard in self.shards { shard.loop.execute { shard.nodeLostState(node) } }
    }

    // MARK: From AAA

    /// A sequence number for a record that is no session's.
    public func nextAccountingSequence() -> UInt64 { self.world.nextAccountingSequence() }

    /// Carries out a request of RFC 5176 on every session that matches. `done` is called once: after the data planes have
    /// confirmed, or with why not.
    public func apply(
        _ request: DynamicAuthorization, within limit: Duration = .seconds(5),
        then done: @escaping @Sendable (DynamicAuthorizationResult) -> Void
    ) {
        let outcome = DynamicOutcome(waiting: self.shards.count, done: done)
        self.shards[0].loop.scheduleTask(in: TimeAmount(limit)) { outcome.expire() }
        for shard in self.shards {
            shard.loop.execute {
                let ids = shard.matches(request.target).filter { id in
                    request.target.nasIdentifier.map { $0 == shard.record(id)?.node } ?? true
                }
                outcome.began(ids.count)
                for id in ids { shard.apply(request.kind, to: id) { outcome.report($0) } }
            }
        }
    }

    /// Something about a subscriber has changed: AAA is asked again about the sessions of that name.
    public func reauthenticate(user: String) {
        for shard in self.shards {
            shard.loop.execute {
                for id in shard.sessionIndex.candidates(user: user) {
                    guard let entry = shard.byID[id], entry.session?.record.grant.userName == user else { continue }
                    shard.reauthenticate(entry)
                }
            }
        }
    }

    // MARK: For operators

    /// Ends a session. False if there is none of that id, or it is ending already.
    public func clear(_ id: SessionID) async throws -> Bool {
        for shard in self.shards {
            if try await shard.loop.submit({ shard.end(id, cause: .adminReset) }).get() { return true }
        }
        return false
    }

    /// Sessions with an id above `after`, ascending, at most `limit`, that satisfy `filter`.
    public func sessions(
        after: SessionID? = nil, limit: Int, where filter: @escaping @Sendable (SessionRecord) -> Bool = { _ in true }
    ) async throws -> [SessionRecord] {
        var found: [SessionRecord] = []
        for shard in self.shards {
            found += try await shard.loop.submit {
                shard.records(after: after, limit: limit, where: filter)
            }.get()
        }
        return Array(found.sorted { $0.id < $1.id }.prefix(limit))
    }

    public func session(_ id: SessionID) async throws -> SessionRecord? {
        for shard in self.shards {
            if let record = try await shard.loop.submit({ shard.record(id) }).get() { return record }
        }
        return nil
    }

    /// Sessions by phase.
    public func sessionCounts() async throws -> [SessionPhase: Int] {
        var counts: [SessionPhase: Int] = [:]
        for shard in self.shards {
            let phases = try await shard.loop.submit {
                shard.records.reduce(into: [SessionPhase: Int]()) { $0[$1.phase, default: 0] += 1 }
            }.get()
            counts.merge(phases, uniquingKeysWith: +)
        }
        return counts
    }

    /// Usage of each pool, by name.
    public func poolUsage() async throws -> [(name: String, usage: AddressPool.Usage)] {
        var usage: [(name: String, usage: AddressPool.Usage)] = []
        for owner in self.world.owners {
            usage += try await owner.loop.submit { owner.usage().map { (name: $0.0, usage: $0.1) } }.get()
        }
        return usage.sorted { $0.name < $1.name }
    }

    /// PPPoE sessions and dials of a node.
    public func pppoeCount(of node: NodeName) -> Int { self.world.quotas.count(of: node) }

    public func pppCounters() async throws -> [PPPCounter: UInt64] {
        var total: [PPPCounter: UInt64] = [:]
        for shard in self.shards {
            total.merge(try await shard.loop.submit { shard.pppCounters }.get(), uniquingKeysWith: +)
        }
        return total
    }

    public func counters() async throws -> [PlaneCounter: UInt64] {
        var total = self.refusals.withLock { $0 }
        for shard in self.shards {
            total.merge(try await shard.loop.submit { shard.counters }.get(), uniquingKeysWith: +)
        }
        return total
    }
}

/// Joins the answers of all shards into one.
private final class RenewalOutcome: Sendable {
    private let state: Mutex<(waiting: Int, durable: Bool)>
    private let done: @Sendable (Bool) -> Void

    init(waiting: Int, done: @escaping @Sendable (Bool) -> Void) {
        self.state = Mutex((waiting, true))
        self.done = done
    }

    func report(_ durable: Bool) {
        let finished = self.state.withLock { state -> Bool? in
            state.waiting -= 1
            state.durable = state.durable && durable
            return state.waiting == 0 ? state.durable : nil
        }
        if let finished { self.done(finished) }
    }
}

/// A node has extended leases of a session by itself; nil: not this family's.
public struct SessionRenewal: Sendable, Equatable {
    public var id: SessionID
    public var ipv4: UTCTime?
    public var ipv6: UTCTime?

    public init(id: SessionID, ipv4: UTCTime?, ipv6: UTCTime?) {
        self.id = id
        self.ipv4 = ipv4
        self.ipv6 = ipv6
    }
}
