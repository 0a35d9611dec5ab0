// SPDX-License-Identifier: Apache-2.0
// AAA as a whole: the chain of sources that decide, the way of accounting records, changes of authorization; their start and end.

import AccountingDriver
import AdminContract
import BNGConfiguration
import BNGCore
import LocalAAA
import Logging
import NIOCore
import RADIUSDriver
import Store
import SubscriberDriver
import Subscribers
import Synchronization

/// The AAA side of a controller.
final class AAA: Sendable {
    let policy: AAAPolicy
    let subscribers: SubscriberRegistry
    let spool: AccountingSpool?
    private let radius: RADIUSClient?
    private let dynamic: DynamicAuthorizationServer?
    private let configuration: ControllerConfiguration
    private let store: Store
    /// Set when the plane exists; before that there is no session to change.
    private let plane = PlaneReference()

    init(
        _ configuration: ControllerConfiguration, stored: [LocalSubscriber], store: Store,
        group: any EventLoopGroup, logger: Logger
    ) throws {
        self.configuration = configuration
        self.store = store
        let plane = self.plane
        let subscribers = try configuration.subscriberRegistry(
            stored: stored, store: store, logger: Logger(label: "subscribers")
        ) { plane.get()?.reauthenticate(user: $0) }
        self.subscribers = subscribers
        let radius = try configuration.radiusClient.map {
            try RADIUSClient(configuration: $0, group: group, logger: Logger(label: "radius"))
        }
        self.radius = radius
        self.spool = try configuration.spool(radius, store: store, loop: group.next(), logger: logger)
        self.dynamic = try configuration.dynamicAuthorization.map {
            try DynamicAuthorizationServer(
                configuration: $0, handler: configuration.dynamicHandler(plane), group: group,
                logger: Logger(label: "radius"))
        }
        let sources = configuration.aaa.chain.compactMap { source -> AuthorizationSource? in
            switch source {
            case .local: return subscribers.source
            case .radius: return radius?.source
            }
        }
        self.policy = configuration.aaaPolicy(
            authority: sources.isEmpty ? nil : AuthorityChain(sources: sources),
            accounting: self.spool.map { SpoolOutlet(spool: $0) }, firstSequence: try store.nextAccountingSequence(),
            logger: logger)
    }

    // MARK: Life

    /// Begins once sessions are loaded. Servers that are away are waited for by nobody.
    func start(_ plane: SubscriberPlane, now: UTCTime) async throws {
        self.plane.set(plane)
        try await self.radius?.start()
        try await self.announceNodes(plane, now)
        self.spool?.start()
        try await self.dynamic?.start()
    }

    func stop() async {
        await self.dynamic?.stop()
        await self.spool?.stop()
        await self.radius?.stop()
        try? await self.subscribers.authenticator.shutDown()
    }

    /// Accounting-On for nodes this store has never accounted for, -Off for those that are no longer configured. A restart of
    /// either plane is neither: its sessions live on (DESIGN section 2).
    private func announceNodes(_ plane: SubscriberPlane, _ now: UTCTime) async throws {
        guard let spool = self.spool else { return }
        let accounted = try self.store.accountedNodes()
        let configured = Set(self.configuration.nodes.map(\.name))
        var records: [AccountingRecord] = []
        var operations: [StoreOperation] = []
        for node in configured.symmetricDifference(accounted).sorted() {
            let isNew = configured.contains(node)
            let facts = LineFacts(node: node, port: "", accessDomain: 0, sVLAN: 0, cVLAN: 0, mac: .zero)
            let record = AccountingRecord(
                sequence: plane.nextAccountingSequence(), kind: isNew ? .on : .off, accountingID: "", session: 0,
                userName: "", facts: facts, address: .zero, classes: [], at: now, sessionStarted: now,
                totals: SessionTotals(), cause: nil, plan: "")
            records.append(record)
            operations += [.putAccounting(record), .setAccounted(node: node, isNew)]
        }
        guard !records.isEmpty else { return }
        try await self.store.submit(operations)
        spool.stored(records)
    }

    // MARK: Views

    func view() async throws -> AAAView {
        var spool: SpoolView?
        if let statistics = self.spool?.statistics {
            let backlog = try self.store.accountingBacklog()
            spool = SpoolView(
                backlog: statistics.backlog, inFlight: statistics.inFlight, delivered: statistics.delivered,
                failed: statistics.failed, refusedInterims: statistics.refusedInterims, isFull: statistics.isFull,
                oldestMs: backlog.count > 0 ? backlog.oldest.milliseconds : 0)
        }
        return AAAView(
            chain: self.configuration.aaa.chain.map(\.rawValue),
            servers: await self.serverStatus().map(AAAServerView.init), spool: spool,
            dynamicAuthorization: await self.dynamicCounters())
    }

    func serverStatus() async -> [RADIUSServerStatus] { await self.radius?.status() ?? [] }

    /// By name, zero values left out.
    func dynamicCounters() async -> [String: UInt64] {
        guard let counters = await self.dynamic?.counters() else { return [:] }
        return Counts(counters).values
    }
}

extension ControllerConfiguration {
    /// nil: nothing is accounted, for want of servers or by configuration.
    fileprivate func spool(
        _ radius: RADIUSClient?, store: Store, loop: any EventLoop, logger: Logger
    ) throws -> AccountingSpool? {
        guard self.aaa.accounting.enabled, let radius, self.radius?.accounting.servers.isEmpty == false else {
            return nil
        }
        return AccountingSpool(
            loop: loop, store: AccountingStoreAdapter(store: store), backlog: try store.accountingBacklog().count,
            backlogLimit: self.aaa.accounting.spoolLimit, logger: Logger(label: "accounting")
        ) { record, done in radius.account(record, then: done) }
    }

    /// Requests name a NAS by a node's name, or by the one identifier all nodes have.
    fileprivate func dynamicHandler(_ plane: PlaneReference) -> DynamicAuthorizationServer.Handler {
        let own = self.radius?.nasIdentifier
        let nodes = Set(self.nodes.map(\.name))
        return { request, done in
            var request = request
            if let nas = request.target.nasIdentifier {
                if nas == own {
                    request.target.nasIdentifier = nil
                } else if !nodes.contains(nas) {
                    return done(.refused(.nasIdentificationMismatch, "no node here is named \(nas)"))
                }
            }
            guard let plane = plane.get() else { return done(.refused(.resourcesUnavailable, "starting")) }
            plane.apply(request, then: done)
        }
    }
}

extension RADIUSClient {
    /// A server that answers knows everybody: there is no "not known here".
    var source: AuthorizationSource {
        { request, done in self.authorize(request) { done($0) } }
    }
}

/// The plane, once there is one.
final class PlaneReference: Sendable {
    private let plane = Mutex<SubscriberPlane?>(nil)

    func get() -> SubscriberPlane? { self.plane.withLock { $0 } }
    func set(_ plane: SubscriberPlane) { self.plane.withLock { $0 = plane } }
}

/// Counters of a struct by the names of its members.
struct Counts {
    /// Zero values are left out.
    var values: [String: UInt64] = [:]

    init(_ counters: Any) {
        for child in Mirror(reflecting: counters).children {
            if let name = child.label, let value = child.value as? UInt64, value > 0 { self.values[name] = value }
        }
    }
}

extension AAAServerView {
    init(_ status: RADIUSServerStatus) {
        self.init(
            name: status.name, role: status.role.rawValue, state: status.state.rawValue,
            inFlight: status.inFlight + status.waiting, p50Us: status.medianMicroseconds ?? 0,
            p99Us: status.p99Microseconds ?? 0, counters: Counts(status.counters).values)
    }
}
