// SPDX-License-Identifier: Apache-2.0
// A server with a store and a delegate in memory, and what tests ask of it.

import AgentContract
import AgentDriver
import BNGCore
import Fleet
import Foundation
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestVectors
import Testing

final class MemoryStore: AgentNodeStore {
    struct State: Sendable {
        var terms: [NodeName: UInt64] = [:]
        var memory: [NodeName: NodeMemory] = [:]
        var generationWrites = 0
    }

    let state = Mutex(State())

    func raiseTerm(_ node: NodeName, then: @escaping @Sendable (Result<UInt64, any Error>) -> Void) {
        then(
            .success(
                self.state.withLock { state in
                    state.terms[node, default: 0] += 1
                    return state.terms[node] ?? 0
                }))
    }

    func saveSessionEpoch(
        _ node: NodeName, _ epoch: UInt64, then: @escaping @Sendable (Result<Void, any Error>) -> Void
    ) {
        self.state.withLock { $0.memory[node, default: NodeMemory()].sessionEpoch = epoch }
        then(.success(()))
    }

    func saveGenerations(
        _ node: NodeName, _ generations: [ObjectKey: StoredGeneration],
        then: @escaping @Sendable (Result<Void, any Error>) -> Void
    ) {
        self.state.withLock { state in
            state.generationWrites += 1
            state.memory[node, default: NodeMemory()].generations.merge(generations) { $1 }
        }
        then(.success(()))
    }
}

final class Recorder: AgentServerDelegate {
    struct State: Sendable {
        var punts: [PuntedPacket] = []
        var events: [AgentEvent] = []
        var durables: [@Sendable () -> Void] = []
        var readies: [@Sendable () -> Void] = []
        var ports: [PortStatus] = []
    }

    let state = Mutex(State())

    func agentServer(_ server: AgentServer, node: NodeName, punted packets: [PuntedPacket]) {
        self.state.withLock { $0.punts += packets }
    }
    func agentServer(
        _ server: AgentServer, node: NodeName, events: [AgentEvent], durable: @escaping @Sendable () -> Void
    ) {
        self.state.withLock {
            $0.events += events
            $0.durables.append(durable)
        }
    }
    func agentServer(_ server: AgentServer, lostSessionsOf node: NodeName, ready: @escaping @Sendable () -> Void) {
        self.state.withLock { $0.readies.append(ready) }
    }
    func agentServer(_ server: AgentServer, node: NodeName, became reachability: NodeReachability) {}
    func agentServer(_ server: AgentServer, node: NodeName, ports: [PortStatus]) {
        self.state.withLock { $0.ports = ports }
    }
}

/// A running server on a Unix socket of its own.
struct World: Sendable {
    let server: AgentServer
    let store: MemoryStore
    let recorder: Recorder
    let address: SocketAddress
    let directory: URL
    let loop: any EventLoop

    static let quiet: Logger = {
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        return logger
    }()

    static let configuration = [
        NamedObject(
            name: "access0", body: .port(PortPolicy(name: "access0", role: .access, accessDomain: 1))),
        NamedObject(
            name: "identity",
            body: .serverIdentity(ServerIdentity(vrf: 0, address: IPv4Address(rawValue: 0x6440_0001)))),
        NamedObject(
            name: "guard",
            body: .guardRates([
                GuardRate(
                    puntClass: .arp, linePacketsPerSecond: 1, lineBurst: 1, portPacketsPerSecond: 1, portBurst: 1)
            ])),
    ]

    /// Runs `body` with a server, and stops it whatever happens.
    static func run(
        store: MemoryStore = MemoryStore(), configured: [NamedObject] = World.configuration,
        adjust: (inout AgentServerConfiguration) -> Void = { _ in },
        before: (AgentServer) async throws -> Void = { _ in }, _ body: (World) async throws -> Void
    ) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "bng-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let path = directory.appending(path: "a.sock").path
        var configuration = AgentServerConfiguration(
            controllerID: "test", listeners: [.unix(path: path)], nodes: ["edge1", "edge2"], heartbeatIntervalMs: 50,
            heartbeatTimeoutMs: 30_000, auditIntervalMs: 60_000)
        // All tests of the suite begin at once: one's turn to speak may be long in coming on a busy machine.
        configuration.limits.helloTimeoutMs = 60_000
        adjust(&configuration)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let server = try await AgentServer(
            configuration: configuration, loop: loop, store: store, memory: store.state.withLock { $0.memory },
            logger: Self.quiet, now: { UTCTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000)) })
        for node in configuration.nodes { server.setConfiguration(node: node, objects: configured) }
        try await before(server)
        let recorder = Recorder()
        try await server.start(delegate: recorder)
        let address = try server.localAddresses.first ?? SocketAddress(unixDomainSocketPath: path)
        do {
            try await body(
                World(
                    server: server, store: store, recorder: recorder, address: address, directory: directory, loop: loop
                ))
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    func status(_ node: NodeName = "edge1") async throws -> NodeSnapshot {
        try #require(await self.server.status().first { $0.name == node })
    }

    func synchronized(_ node: NodeName = "edge1") async throws {
        try await eventually("for \(node) to be synchronized") { try await self.status(node).synchronized }
    }

    /// Installs a session and waits for the node's word.
    func upsert(_ session: InstalledSession, id: UInt64, least: Generation = 1) async -> Result<Generation, AgentError>
    {
        await withCheckedContinuation { continuation in
            self.server.upsert(
                node: "edge1", session: session, id: SessionID(rawValue: id), least: least, on: self.loop
            ) { continuation.resume(returning: $0) }
        }
    }

    func delete(_ id: UInt64) async -> Result<DeleteOutcome, AgentError> {
        await withCheckedContinuation { continuation in
            self.server.delete(node: "edge1", id: SessionID(rawValue: id), on: self.loop) {
                continuation.resume(returning: $0)
            }
        }
    }
}

/// A session whose line and address follow from a number.
func session(_ number: UInt64, lease: Int64 = 1_000) -> InstalledSession {
    InstalledSession(
        line: LineKey(accessDomain: 1, sVLAN: 100, mac: MACAddress(rawValue: 0x0200_0000_0000 + number)),
        tags: VLANTags(sVLAN: 100, sTPID: 0x8100), address: IPv4Address(rawValue: 0x6440_0100 + UInt32(number)),
        poolTemplateID: 1, leaseExpires: UTCTime(milliseconds: lease))
}

func sessionKey(_ id: UInt64) -> ObjectKey { ObjectKey(.session, id) }
