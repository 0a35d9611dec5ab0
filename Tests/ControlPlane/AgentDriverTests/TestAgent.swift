// SPDX-License-Identifier: Apache-2.0
// An agent in miniature: keeps objects, applies batches, answers audits and counters as docs/contract.md says.

import AgentContract
import AgentProto
import BNGCore
import Fleet
import Foundation
import NIOCore
import NIOSSL
import Testing

actor TestAgent {
    let node: String
    let bootID: Data
    let capabilities: [String]
    /// What the "maps" hold; survives an association.
    private(set) var objects: [ObjectKey: Wire.Object] = [:]
    private(set) var applied: [ObjectKey] = []
    private(set) var deleted: [ObjectKey] = []
    private(set) var acknowledgedFinals: [UInt64] = []
    private(set) var audits = 0
    private(set) var batches = 0
    private(set) var term: UInt64 = 0
    private(set) var associationID = Data()
    private var refusals: [ObjectKey: Wire.ErrorCode] = [:]
    private var lane: TestLane?
    private var task: Task<Void, any Error>?

    init(node: String = "edge1", bootID: UInt8 = 1, capabilities: [String] = []) {
        self.capabilities = capabilities
        self.node = node
        self.bootID = Data(repeating: bootID, count: 16)
    }

    func hold(_ object: DesiredObject) { self.objects[object.key] = Wire.Object(object) }
    func lose(_ key: ObjectKey) { self.objects[key] = nil }
    func loseEverything() { self.objects = [:] }
    func refuse(_ key: ObjectKey, _ code: Wire.ErrorCode?) { self.refusals[key] = code }
    func setTerm(_ term: UInt64) { self.term = term }
    func object(_ key: ObjectKey) -> Wire.Object? { self.objects[key] }
    func count(_ family: ObjectFamily) -> Int { self.objects.keys.count { $0.family == family } }

    nonisolated func hello(epoch: UInt64 = 7, term: UInt64 = 0) -> Wire.Hello {
        .with {
            $0.nodeID = self.node
            $0.bootID = self.bootID
            $0.agentVersion = "test"
            $0.utcUnixMs = UInt64(Date().timeIntervalSince1970 * 1_000)
            $0.nextEventSequence = 1
            $0.capabilities = self.capabilities.map { name in .with { $0.name = name } }
            $0.epochs = ObjectFamily.allCases.map { family in
                .with {
                    $0.family = Wire.Family(family)
                    $0.stateEpoch = epoch
                }
            }
            $0.ports = [
                .with {
                    $0.name = "access0"
                    $0.role = .access
                    $0.mac = Data([2, 0, 0, 0, 0, 9])
                    $0.linkUp = true
                    $0.mode = .native
                }
            ]
            $0.terms = [
                .with {
                    $0.scope = "node"
                    $0.term = term
                }
            ]
        }
    }

    /// Connects the state lane and serves it until it closes.
    func connect(_ address: SocketAddress, tls: NIOSSLContext? = nil, epoch: UInt64 = 7) async throws {
        let lane = try await TestLane.connect(to: address, tls: tls)
        try await lane.send(.hello(self.hello(epoch: epoch, term: self.term)))
        guard case .helloReply(let reply) = try await lane.next() else { throw Timeout() }
        self.associationID = reply.associationID
        self.term = max(self.term, reply.nodeTerm)
        self.lane = lane
        self.task = Task { try await self.serve(lane) }
    }

    /// Opens the punt or the telemetry lane; the caller reads it.
    func open(_ kind: Wire.Lane, _ address: SocketAddress) async throws -> TestLane {
        let lane = try await TestLane.connect(to: address)
        try await lane.send(
            .laneHello(
                .with {
                    $0.lane = kind
                    $0.associationID = self.associationID
                    $0.bootID = self.bootID
                }))
        guard case .laneHelloReply(let reply) = try await lane.next(), reply.lane == kind else { throw Timeout() }
        return lane
    }

    func disconnect() async {
        await self.lane?.close()
        self.task?.cancel()
        self.lane = nil
    }

    private func serve(_ lane: TestLane) async throws {
        var sequence: UInt64 = 0
        while !Task.isCancelled {
            sequence += 1
            guard let body = await lane.poll() else {
                try await Task.sleep(for: .milliseconds(2))
                if sequence % 25 == 0 {
                    try await lane.send(.heartbeat(.with { $0.sequence = sequence }))
                }
                continue
            }
            switch body {
            case .batch(let batch): try await lane.send(.batchResult(self.apply(batch)))
            case .auditRequest(let request): try await lane.send(.auditSummary(self.summary(request.requestID)))
            case .auditPageRequest(let request):
                try await lane.send(
                    .auditPage(self.page(request.requestID, request.family, request.afterObjectID, Int(request.limit))))
            default: break
            }
        }
    }

    private func apply(_ batch: Wire.Batch) -> Wire.BatchResult {
        self.batches += 1
        var result = Wire.BatchResult()
        result.batchID = batch.batchID
        guard batch.term >= self.term else {
            result.error = .with { $0.code = .staleTerm }
            return result
        }
        result.results = batch.items.map { item in
            switch item.action {
            case .upsert(let object): return self.upsert(object)
            case .delete(let delete): return self.delete(delete)
            case .acknowledgeFinal(let id):
                self.acknowledgedFinals.append(id)
                return .with { $0.code = .ok }
            case nil: return .with { $0.code = .unsupported }
            }
        }
        return result
    }

    private func upsert(_ object: Wire.Object) -> Wire.ItemResult {
        var result = Wire.ItemResult()
        result.objectID = object.objectID
        guard let family = object.family?.family else {
            result.code = .unsupported
            return result
        }
        let key = ObjectKey(family, object.objectID)
        result.generation = self.objects[key]?.generation ?? 0
        if let code = self.refusals[key] {
            result.code = code
        } else if let held = self.objects[key], held.generation > object.generation {
            result.code = .staleGeneration
        } else if let held = self.objects[key], held.generation == object.generation, held != object {
            result.code = .generationReused
        } else {
            self.objects[key] = object
            self.applied.append(key)
            result.generation = object.generation
            result.code = .ok
        }
        return result
    }

    private func delete(_ delete: Wire.Delete) -> Wire.ItemResult {
        var result = Wire.ItemResult()
        result.code = .ok
        guard let family = delete.family.family else { return result }
        let key = ObjectKey(family, delete.objectID)
        self.deleted.append(key)
        if self.objects.removeValue(forKey: key) != nil, family == .session {
            result.finalCounters = .with {
                $0.sessionID = delete.objectID
                $0.upPackets = 11
            }
        }
        return result
    }

    private func summary(_ id: UInt64) -> Wire.AuditSummary {
        self.audits += 1
        return .with { summary in
            summary.requestID = id
            summary.families = ObjectFamily.allCases.map { family in
                var digest = ObjectDigest()
                let objects = self.objects.filter { $0.key.family == family }
                for object in objects.values { digest += ObjectDigest(object) }
                return .with {
                    $0.family = Wire.Family(family)
                    $0.count = UInt64(objects.count)
                    $0.digest = Data(digest.bytes)
                }
            }
        }
    }

    private func page(_ id: UInt64, _ family: Wire.Family, _ after: UInt64, _ limit: Int) -> Wire.AuditPage {
        let all = self.objects.filter { Wire.Family($0.key.family) == family && $0.key.id > after }
            .sorted { $0.key.id < $1.key.id }
        return .with {
            $0.requestID = id
            $0.family = family
            $0.entries = all.prefix(limit).map { key, object in
                .with {
                    $0.objectID = key.id
                    $0.generation = object.generation
                    $0.digest = Data(ObjectDigest(object).bytes)
                }
            }
            $0.last = all.count <= limit
        }
    }
}
