// SPDX-License-Identifier: Apache-2.0
// A store and nodes in memory, so that the plane runs on real event loops without either.

import BNGCore
import Fleet
import Foundation
import NIOCore
import NIOPosix
import SubscriberDriver
import Subscribers
import Synchronization
import Testing

let portMAC = MACAddress(rawValue: 0x0200_5e00_5301)
let clientMAC = MACAddress(rawValue: 0x0200_5e10_2030)
let server = IPv4Address(rawValue: 0xc000_0201)
let leased = IPv4Address(rawValue: 0x6440_0102)
let relay = IPv4Address(rawValue: 0x6440_fffe)

/// Keeps what was stored; may be told to fail, or to keep callers waiting.
final class FakeStore: SessionStoring {
    struct State {
        var sessions: [SessionID: SessionRecord] = [:]
        var history: [SessionRecord] = []
        var bindings: [StickyBinding] = []
        var prefixBindings: [StickyPrefixBinding] = []
        var limit: UInt64 = 0
        var accounting: [AccountingRecord] = []
        var natRests: [NATRest] = []
        var notes: [SessionNote] = []
        var fails = false
        var held: [@Sendable () -> Void]?

        mutating func remember(_ sticky: StickyBinding?, _ prefixes: [StickyPrefixBinding]) {
            if let sticky {
                self.bindings.removeAll { $0.address == sticky.address }
                self.bindings.append(sticky)
            }
            for prefix in prefixes {
                self.prefixBindings.removeAll { $0.prefix == prefix.prefix }
                self.prefixBindings.append(prefix)
            }
        }
    }

    let state = Mutex(State())

    func submit(_ operations: [SessionOperation], then done: @escaping @Sendable (Bool) -> Void) {
        let answer = self.state.withLock { state -> (@Sendable () -> Void)? in
            if state.fails { return { done(false) } }
            for operation in operations { Self.apply(operation, to: &state) }
            guard state.held != nil else { return { done(true) } }
            state.held?.append { done(true) }
            return nil
        }
        answer?()
    }

    func lastGrant(of line: LineKey, then done: @escaping @Sendable (ServiceGrant?) -> Void) {
        done(self.state.withLock { state in state.history.last { $0.line == line }?.grant })
    }

    private static func apply(_ operation: SessionOperation, to state: inout State) {
        switch operation {
        case .put(let record):
            // What the real store's UNIQUE constraints guard.
            precondition(
                record.address == .zero
                    || state.sessions.values.allSatisfy { $0.id == record.id || $0.address != record.address },
                "address \(record.address) stored twice")
            state.sessions[record.id] = record
        case .renew(let id, let until): state.sessions[id]?.leaseExpires = until
        case .renewIPv6(let id, let until): state.sessions[id]?.ipv6?.expires = until
        case .restNAT(let rest, _): state.natRests.append(rest)
        case .rest(let sticky, let prefixes): state.remember(sticky, prefixes)
        case .end(let record, let sticky, let prefixes):
            state.sessions[record.id] = nil
            state.history.append(record)
            state.remember(sticky, prefixes)
        case .account(let record): state.accounting.append(record)
        case .count(let id, let totals, let base):
            state.sessions[id]?.counters = totals
            state.sessions[id]?.counterBase = base
        case .note(let note): state.notes.append(note)
        case .reserveSessionCounters(let limit): state.limit = max(state.limit, limit)
        }
    }
}

/// A node that does as told, or is away.
final class FakeLink: DataPlaneLink {
    struct State {
        var installed: [SessionID: InstalledSession] = [:]
        var frames: [[UInt8]] = []
        var refuses = false
        var refusesNextInstalls = 0
        var deletes: [@Sendable () -> Void]?
        var acknowledged: [SessionID] = []
        /// What the node has counted; nil: it is away.
        var counters: [SessionID: SessionTotals]? = [:]
        var prepared: [TemplateVariant] = []
    }

    let state = Mutex(State())

    func upsert(
        node: NodeName, id: SessionID, generation: Generation, session: InstalledSession,
        then done: @escaping @Sendable (Bool) -> Void
    ) {
        let accepted = self.state.withLock { state in
            let refuses = state.refuses || state.refusesNextInstalls > 0
            state.refusesNextInstalls = max(state.refusesNextInstalls - 1, 0)
            if !refuses { state.installed[id] = session }
            return !refuses
        }
        done(accepted)
    }

    func delete(node: NodeName, id: SessionID, then done: @escaping @Sendable (SessionTotals) -> Void) {
        let answer = self.state.withLock { state -> (@Sendable () -> Void)? in
            if state.deletes != nil {
                state.deletes?.append { done(SessionTotals()) }
                return nil
            }
            state.installed[id] = nil
            return { done(SessionTotals()) }
        }
        answer?()
    }

    func counters(
        node: NodeName, ids: [SessionID], then done: @escaping @Sendable ([SessionID: SessionTotals]?) -> Void
    ) {
        done(self.state.withLock { $0.counters })
    }

    func isReachable(_ node: NodeName) -> Bool { self.state.withLock { $0.counters != nil } }

    func prepare(_ variant: TemplateVariant, then ready: @escaping @Sendable (UInt64?) -> Void) {
        self.state.withLock { $0.prepared.append(variant) }
        ready(77)
    }

    func acknowledgeFinal(node: NodeName, id: SessionID) {
        self.state.withLock { $0.acknowledged.append(id) }
    }

    func inject(node: NodeName, port: String, frame: [UInt8], requires: SessionRequirement?) {
        self.state.withLock { state in
            if let requires, state.installed[requires.id] == nil { return }
            state.frames.append(frame)
        }
    }

    func takeFrames() -> [[UInt8]] {
        self.state.withLock { state in
            defer { state.frames.removeAll() }
            return state.frames
        }
    }
}

/// UTC as tests set it.
final class FakeClock: Sendable {
    private let milliseconds: Mutex<Int64>

    init(_ milliseconds: Int64) { self.milliseconds = Mutex(milliseconds) }

    var now: UTCTime { UTCTime(milliseconds: self.milliseconds.withLock { $0 }) }
    func advance(_ seconds: Int64) { self.milliseconds.withLock { $0 += seconds * 1_000 } }
}

/// Answers by user name; asked for anybody else it is unavailable.
final class FakeAuthority: Authorizing {
    /// Questions whose answers have not reached the plane's loops.
    let underWay = Atomic(0)

    private let answers: Mutex<[String: AuthorizationOutcome]>
    let asked = Mutex<[AuthorizationRequest]>([])

    init(_ answers: [String: AuthorizationOutcome]) { self.answers = Mutex(answers) }

    func set(_ user: String, _ outcome: AuthorizationOutcome) { self.answers.withLock { $0[user] = outcome } }

    func authorize(_ request: AuthorizationRequest, then done: @escaping @Sendable (AuthorizationOutcome) -> Void) {
        self.asked.withLock { $0.append(request) }
        let outcome = self.answers.withLock { $0[request.userName] } ?? .unavailable
        // As a server answers: later, and from a thread of its own.
        self.underWay.add(1, ordering: .sequentiallyConsistent)
        Thread.detachNewThread {
            done(outcome)
            self.underWay.subtract(1, ordering: .sequentiallyConsistent)
        }
    }
}

/// Collects what is durable.
final class FakeOutlet: AccountingOutlet {
    let records = Mutex<[AccountingRecord]>([])
    let accepts = Mutex(true)

    func acceptsInterim() -> Bool { self.accepts.withLock { $0 } }
    func stored(_ records: [AccountingRecord]) { self.records.withLock { $0 += records } }
}

/// A plane on two loops with the scene of the DHCP vectors.
struct Scene {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    let store = FakeStore()
    let link = FakeLink()
    let plane: SubscriberPlane
    let trust: RelayTrust
    let clock: FakeClock
    let authority: FakeAuthority?

    init(
        trust: RelayTrust = .none, ranges: (UInt32, UInt32) = (0x6440_0102, 0x6440_fefe), now: Int64 = 1_000_000,
        aaa: AAAPolicy = AAAPolicy(), pppoe: PPPoEPolicy? = nil, ipv6: IPv6Policy? = nil,
        prefixPools: [PrefixPoolPolicy] = [], servers: (any ExternalAddressing)? = nil,
        natPools: [NATPoolPolicy] = [], nat: String? = nil, pcp: [String: PCPPolicy] = [:]
    ) {
        let clock = FakeClock(now)
        self.clock = clock
        self.trust = trust
        self.authority = aaa.authority as? FakeAuthority
        let template = PoolTemplate(
            vrf: 0, serverIdentityID: 1, gateway: IPv4Address(rawValue: 0x6440_0001), prefixLength: 16, lease: 3600,
            renewal: 1800, rebinding: 3150,
            options: [
                .init(code: 6, data: [192, 0, 2, 53, 192, 0, 2, 54]), .init(code: 15, data: Array("example.net".utf8)),
                .init(code: 42, data: [192, 0, 2, 123]), .init(code: 224, data: [1, 2, 255]),
            ])
        let prefix = IPv4Prefix(IPv4Address(rawValue: 0x6440_0000), length: 16)
        let range = IPv4Range(IPv4Address(rawValue: ranges.0), IPv4Address(rawValue: ranges.1))
        guard let prefix, let range else { preconditionFailure("the scene's pool is malformed") }
        let external =
            servers == nil ? nil : ExternalPool(group: "kea", identity: .client, link: .v4(template.gateway))
        let pool = PoolPolicy(
            name: "residential", vrf: 0, prefix: prefix, ranges: [range], statics: [:], template: template,
            templateID: 5, serverIdentifier: server, quarantine: 60, external: external, nat: nat)
        let spare = IPv4Address(rawValue: 0x6450_0102)
        let second = PoolPolicy(
            name: "spare", vrf: 0, prefix: IPv4Prefix(IPv4Address(rawValue: 0x6450_0000), length: 16) ?? prefix,
            ranges: [IPv4Range(spare, spare) ?? range], statics: [:], template: template, templateID: 6,
            serverIdentifier: server, quarantine: 60)
        var configuration = PlaneConfiguration(
            poolsByDomain: [1: ["residential"]], pools: [pool, second], issuer: 1, firstSessionCounter: 1,
            storeRetry: .milliseconds(5))
        (configuration.aaa, configuration.tick) = (aaa, .milliseconds(5))
        if let pppoe { configuration.pppoe = [1: pppoe] }
        if let ipv6 { configuration.ipv6 = [1: ipv6] }
        (configuration.prefixPools, configuration.external) = (prefixPools, servers)
        (configuration.natPools, configuration.pcp) = (natPools, pcp)
        self.plane = SubscriberPlane(
            configuration: configuration, loops: Array(self.group.makeIterator()), store: self.store, link: self.link,
            utcNow: { clock.now })
    }

    func packet(_ frame: [UInt8]) -> PuntedPacket {
        let policy = PortPolicy(
            name: "access0", role: .access, accessDomain: 1, relayTrust: self.trust,
            trustedRelays: self.trust == .relays ? [relay] : [])
        return PuntedPacket(puntClass: .dhcpv4, port: policy, portMAC: portMAC, frame: frame)
    }

    func receive(_ frame: [UInt8]) { self.plane.receive(node: "edge1", punts: [self.packet(frame)]) }

    /// Waits until nothing is under way: AAA, which answers on a thread of its own, has answered, and every loop has run dry
    /// several times over since.
    func settle() async throws {
        var rounds = 0
        while rounds < 12 {
            for loop in self.group.makeIterator() { try await loop.submit {}.get() }
            let answering = self.authority?.underWay.load(ordering: .sequentiallyConsistent) ?? 0
            rounds = answering == 0 ? rounds + 1 : 0
        }
    }

    /// Waits for what another thread, or the clock, sets in motion.
    func until(_ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await !condition() {
            guard ContinuousClock.now < deadline else {
                Issue.record("not within 60 seconds")
                return
            }
            try await self.settle()
        }
    }

    func stop() async throws { try await self.group.shutdownGracefully() }
}
