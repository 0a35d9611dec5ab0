// SPDX-License-Identifier: Apache-2.0
// The controller as a whole: opens the store, loads it, wires the subscriber plane to the agents, starts and stops them in order.

import AgentContract
import AgentDriver
import BNGConfiguration
import BNGCore
import DHCPServerDriver
import Fleet
import Foundation
import LocalAAA
import Logging
import NATRecordsDriver
import NIOCore
import NIOPosix
import ServiceLifecycle
import Store
import SubscriberDriver
import Subscribers
import Synchronization
import Telemetry

final class Controller: Service {
    let configuration: ControllerConfiguration
    let store: Store
    let server: AgentServer
    let plane: SubscriberPlane
    let aaa: AAA
    let identities: NodeIdentities
    /// nil: no DHCP servers outside.
    let dhcpServers: DHCPServerDriver?
    /// nil: nobody is told.
    let natRecords: NATRecordsDriver?
    private let templates: TemplateRegistry
    private let pppoe: PPPoEServices
    var subscribers: SubscriberRegistry { self.aaa.subscribers }
    let metrics = MetricRegistry()
    let adminLoops: MultiThreadedEventLoopGroup
    let started = Atomic<Bool>(false)
    private let stored: Mutex<StoredState>
    private let delegate: NodeDelegate
    private let shardLoops: MultiThreadedEventLoopGroup
    private let agentLoops: MultiThreadedEventLoopGroup
    private let aaaLoops: MultiThreadedEventLoopGroup
    private let lock: StateLock
    let logger: Logger

    var catalog: PlanCatalog { self.aaa.policy.catalog }

    static let utcNow: @Sendable () -> UTCTime = {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return UTCTime(milliseconds: Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000)
    }

    init(_ configuration: ControllerConfiguration, logger: Logger) async throws {
        self.configuration = configuration
        self.logger = logger
        // The database's companions and the sockets are nobody else's to read, whatever the environment says.
        umask(0o077)
        self.lock = try StateLock(beside: configuration.controller.state)
        self.store = try Store(
            path: configuration.controller.state,
            synchronous: configuration.controller.synchronous == .full ? .full : .normal,
            logger: Logger(label: "store"))
        // Before the load, which ends what a killed process was giving back: that is told too.
        self.natRecords = try configuration.natRecords.driver(
            of: self.store, logger: Logger(label: "nat-records"), now: Self.utcNow)
        let state = try self.store.load()
        let firstCounter = try self.store.nextSessionCounter(issuer: configuration.controller.id)
        self.stored = Mutex(state)
        self.shardLoops = MultiThreadedEventLoopGroup(numberOfThreads: configuration.controller.shards)
        self.agentLoops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        self.adminLoops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        self.aaaLoops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        self.identities = try NodeIdentities(configuration, store: self.store, logger: Logger(label: "identities"))
        self.server = try await AgentServer(
            configuration: try configuration.agentServer(self.identities), loop: self.agentLoops.next(),
            store: NodeStoreAdapter(store: self.store), memory: configuration.memory(from: state),
            logger: Logger(label: "agents"), now: Self.utcNow)
        self.aaa = try AAA(
            configuration, stored: state.subscribers, store: self.store, group: self.aaaLoops,
            logger: Logger(label: "aaa"))
        let dhcpServers = try configuration.dhcpServerDriver(
            loop: self.aaaLoops.next(), logger: Logger(label: "dhcp-servers"))
        self.dhcpServers = dhcpServers
        let reachable = ReachableNodes()
        self.pppoe = try PPPoEServices(store: self.store, now: Self.utcNow)
        self.templates = TemplateRegistry(configuration: configuration, server: self.server, pppoe: self.pppoe)
        let shards = Array(self.shardLoops.makeIterator())
        self.plane = SubscriberPlane(
            configuration: configuration.plane(
                firstSessionCounter: firstCounter, aaa: self.aaa.policy, serverID: try self.store.dhcpv6ServerID(),
                external: dhcpServers.map { ExternalServersAdapter(driver: $0, utcNow: Self.utcNow) }),
            loops: shards,
            store: SessionStoreAdapter(store: self.store, issuer: configuration.controller.id),
            link: DataPlaneAdapter(
                server: self.server, templates: self.templates, reachable: reachable, loop: self.agentLoops.next()),
            utcNow: Self.utcNow)
        self.delegate = NodeDelegate(
            plane: self.plane, store: self.store, shards: shards, configuration: configuration, reachable: reachable,
            logger: Logger(label: "agents"))
        logger.info(
            "store loaded",
            metadata: [
                "sessions": "\(state.sessions.count)", "bindings": "\(state.bindings.count)",
                "next_session": "\(firstCounter)", "synchronous": "\(configuration.controller.synchronous.rawValue)",
            ])
    }

    /// Everything stored is intended before the first agent is let in.
    func start() async throws {
        let state = self.stored.withLock { state in
            let loaded = state
            state = StoredState()
            return loaded
        }
        self.templates.configureNodes()
        // Stored sessions extend what servers outside have granted them.
        try await self.dhcpServers?.start { [plane] key, _ in plane.lostOutside(ExternalLeaseID(key)) }
        let conflicts = try await self.plane.start(
            sessions: state.sessions, bindings: state.bindings, prefixBindings: state.prefixBindings,
            natRests: state.natRests)
        for id in conflicts {
            self.logger.critical(
                "stored sessions share an address; this one is left out", metadata: ["session": "\(id)"])
        }
        await self.subscribers.reportUnservable(to: self.logger)
        self.registerMetrics()
        self.natRecords?.start()
        try await self.aaa.start(self.plane, now: Self.utcNow())
        try await self.server.start(delegate: self.delegate)
        self.started.store(true, ordering: .releasing)
        self.logger.info(
            "serving", metadata: ["nodes": "\(self.configuration.nodes.count)", "version": "\(controllerVersion)"])
    }

    func run() async throws {
        async let alarms: Void = self.watchPools()
        async let services: Void = self.watchPPPoE()
        // The history is pruned at start and once an hour.
        while !Task.isShuttingDownGracefully {
            let oldest = Self.utcNow().milliseconds - Int64(self.configuration.controller.history.value) * 1_000
            try? await self.store.submit([.pruneHistory(endedBefore: UTCTime(milliseconds: oldest))])
            let oldestNAT = Self.utcNow().milliseconds - Int64(self.configuration.controller.natLog.value) * 1_000
            try? await self.store.pruneNATLog(returnedBefore: UTCTime(milliseconds: oldestNAT))
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(3_600)) }
        }
        await alarms
        await services
        self.logger.info("stopping")
        await self.server.stop()
        await self.aaa.stop()
        await self.dhcpServers?.stop()
        self.natRecords?.stop()
        self.store.close()
    }
}

extension Controller {
    /// Tells nodes the next cookie key when it is time, and when the load they are under begins or ceases to slow their PADOs.
    private func watchPPPoE() async {
        guard self.configuration.accessDomains.contains(where: { $0.pppoe != nil }) else { return }
        var told: (epoch: Int64, loaded: [Bool]) = (self.pppoe.epoch, [])
        while !Task.isShuttingDownGracefully {
            let loads = Dictionary(
                self.configuration.nodes.map { ($0.name, self.plane.pppoeCount(of: $0.name)) },
                uniquingKeysWith: { first, _ in first })
            let loaded = self.configuration.nodes.flatMap { node in
                self.configuration.pppoeThresholds.map { loads[node.name] ?? 0 >= $0 }
            }
            if told != (self.pppoe.epoch, loaded) {
                told = (self.pppoe.epoch, loaded)
                self.pppoe.learn(loads)
                self.templates.configureNodes()
            }
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
        }
    }

    /// Says when a pool begins and ceases to be nearly used up.
    private func watchPools() async {
        var alarmed: Set<String> = []
        while !Task.isShuttingDownGracefully {
            let addresses = ((try? await self.plane.poolUsage()) ?? []).map {
                ($0.name, $0.usage.held, $0.usage.total, $0.usage.alarm)
            }
            let blocks = ((try? await self.plane.natUsage()) ?? []).map {
                ($0.name, $0.usage.held, $0.usage.total, $0.usage.alarm)
            }
            for (name, held, total, alarm) in addresses + blocks where alarm != alarmed.contains(name) {
                let facts: Logger.Metadata = ["pool": "\(name)", "held": "\(held)", "total": "\(total)"]
                if alarm {
                    alarmed.insert(name)
                    self.logger.critical("a pool is nearly used up", metadata: facts)
                } else {
                    alarmed.remove(name)
                    self.logger.notice("a pool has room again", metadata: facts)
                }
            }
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(10)) }
        }
    }
}

/// Two controllers on one database would give addresses twice: the second one is refused.
final class StateLock: Sendable {
    private let descriptor: Int32

    init(beside path: String) throws {
        let lock = path + ".lock"
        self.descriptor = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard self.descriptor >= 0 else {
            throw StartError(description: "\(lock): \(String(cString: strerror(errno)))")
        }
        guard flock(self.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(self.descriptor)
            throw StartError(description: "another bng-controller uses \(path)")
        }
    }

    deinit { close(self.descriptor) }
}
