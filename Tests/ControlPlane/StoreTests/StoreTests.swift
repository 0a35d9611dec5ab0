// SPDX-License-Identifier: Apache-2.0
// What the store promises: round trips, uniqueness, all or nothing, migrations with backups, speed, survival of kill -9.

import BNGCore
import Fleet
import Foundation
import GRDB
import Logging
import Subscribers
import Synchronization
import TestVectors
import Testing

@testable import Store

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

private func record(_ number: UInt64, address: UInt32? = nil, phase: SessionPhase = .active) -> SessionRecord {
    SessionRecord(
        id: SessionID(issuer: 1, counter: number), generation: 3, phase: phase, node: "edge1",
        line: LineKey(
            accessDomain: 7, sVLAN: 100, cVLAN: 7, relay: IPv4Address(rawValue: 0xffff_fffe),
            mac: MACAddress(rawValue: 0xfeff_ffff_0000 + number)),
        tags: VLANTags(sVLAN: 100, cVLAN: 7, sTPID: 0x88a8, cTPID: 0x8100),
        relayMAC: MACAddress(rawValue: 0xfeff_ffff_ffff), vrf: .max, pool: "residential",
        address: IPv4Address(rawValue: address ?? 0x6440_0000 + UInt32(number)), clientID: [0, 1, 255],
        option82: [1, 2],
        hostName: "höst", started: UTCTime(milliseconds: 1), leaseExpires: UTCTime(milliseconds: 1 << 41))
}

/// A folder that disappears after the test.
func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "bng-store-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder.appending(path: "s.sqlite").path)
}

private final class AnswerCount: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { self.count.load(ordering: .acquiring) }
    func add() { self.count.add(1, ordering: .acquiringAndReleasing) }
}

private func open(_ path: String) throws -> Store { try Store(path: path, logger: quiet) }

@Suite struct StoreTests {
    @Test func `sessions, bindings, terms and generations come back as they were`() async throws {
        try await withFolder { path in
            var store = try open(path)
            let binding = StickyBinding(
                line: record(2).line, vrf: .max, pool: "p", address: IPv4Address(rawValue: .max),
                reservedUntil: UTCTime(milliseconds: 5), declined: true)
            try await store.submit([
                .putSession(record(1)), .putSession(record(2, phase: .disconnecting)), .putBinding(binding),
                .saveTerm(scope: "node/edge1", term: 9), .saveTerm(scope: "node/edge1", term: 4),
                .saveSessionEpoch(node: "edge1", epoch: .max - 1),
                .saveGeneration(
                    node: "edge1", key: ObjectKey(.route, .max), generation: 9, content: Array(repeating: 7, count: 16)),
                .reserveSessionCounters(issuer: 1, limit: 500),
            ])
            store.close()
            store = try open(path)
            let state = try store.load()
            #expect(state.sessions == [record(1), record(2, phase: .disconnecting)])
            #expect(state.bindings == [binding])
            #expect(state.sessionEpochs == ["edge1": UInt64.max - 1])
            #expect(state.generations["edge1"]?[ObjectKey(.route, .max)]?.generation == 9)
            #expect(try store.nextSessionCounter(issuer: 1) == 500)
            #expect(try store.nextSessionCounter(issuer: 2) == 1)
            #expect(try store.term(scope: "node/edge1") == 9, "a term never goes back")
            #expect(try store.term(scope: "nobody") == 0)
            store.close()
        }
    }

    @Test func `a lease never moves back and an ended session is history`() async throws {
        try await withFolder { path in
            let store = try open(path)
            var ended = record(1)
            ended.phase = .terminated
            ended.cause = .adminReset
            ended.ended = UTCTime(milliseconds: 99)
            ended.counters.upBytes = .max
            let later = UTCTime(milliseconds: 1 << 42)
            try await store.submit([.putSession(record(1)), .renewLease(record(1).id, until: later)])
            try await store.submit([.renewLease(record(1).id, until: UTCTime(milliseconds: 5)), .putSession(record(1))])
            #expect(try store.load().sessions.first?.leaseExpires == later)
            try await store.submit([.endSession(ended)])
            #expect(try store.load().sessions.isEmpty)
            #expect(try store.history(limit: 10) == [ended])
            #expect(try store.endedSession(ended.id) == ended)
            #expect(try store.history(before: UTCTime(milliseconds: 99), limit: 10).isEmpty)
            try await store.submit([.pruneHistory(endedBefore: UTCTime(milliseconds: 100))])
            #expect(try store.endedSession(ended.id) == nil)
            store.close()
        }
    }

    @Test func `local subscribers come back as they were, and one that is removed does not`() async throws {
        try await withFolder { path in
            var store = try open(path)
            var full = LocalSubscriber(name: "eth 0/1:ä'\";", origin: .store)
            full.password = PasswordRecord(text: "scrypt$15$8$1$0505050505050505$00000000000000000000000000000000")
            (full.plan, full.address, full.pool) = ("gold", IPv4Address(rawValue: .max), "main")
            full.routes = ["198.51.100.0/24", "203.0.113.8/32"].compactMap { IPv4Prefix($0) }
            full.ipv6Routes = ["2001:db8:f::/48"].compactMap { IPv6Prefix($0) }
            (full.linkPrefix, full.delegatedPrefix) = (IPv6Prefix("2001:db8::/64"), IPv6Prefix("2001:db8:100::/56"))
            full.ipv6Address = IPv6Address("2001:db8::9")
            (full.isSuspended, full.note) = (true, "corner house")
            let plain = LocalSubscriber(name: "plain", origin: .store)
            let gone = LocalSubscriber(name: "gone", origin: .store)
            try await store.submit([.putSubscriber(plain), .putSubscriber(gone), .putSubscriber(full)])
            full.plan = "silver"
            try await store.submit([.putSubscriber(full), .removeSubscriber(name: "gone")])
            store.close()
            store = try open(path)
            #expect(full.password != nil)
            #expect(try store.load().subscribers == [full, plain])
            store.close()
        }
    }

    @Test func `a damaged subscriber stops the start, and its password is not printed`() async throws {
        try await withFolder { path in
            let store = try open(path)
            try await store.submit([.putSubscriber(LocalSubscriber(name: "alice", origin: .store))])
            try await DatabaseQueue(path: path).write {
                try $0.execute(sql: "UPDATE subscribers SET password = 'hunter2'")
            }
            #expect(throws: StoreError.database("a damaged row of subscriber alice")) { try store.load() }
            store.close()
        }
    }

    @Test func `a second live session with the same address or line is refused, its neighbours are not`() async throws {
        try await withFolder { path in
            let store = try open(path)
            try await store.submit([.putSession(record(1))])
            var sameLine = record(9)
            sameLine.line = record(1).line
            async let good: Void = store.submit([.putSession(record(2))])
            await #expect(throws: StoreError.self) {
                try await store.submit([.putSession(record(5)), .putSession(record(3, address: 0x6440_0001))])
            }
            await #expect(throws: StoreError.self) { try await store.submit([.putSession(sameLine)]) }
            try await good
            #expect(try store.load().sessions.map(\.id.counter) == [1, 2], "nothing is applied halfway")
            try await store.submit([.endSession(record(1)), .putSession(record(3, address: 0x6440_0001))])
            #expect(try store.load().sessions.map(\.id.counter) == [2, 3])
            store.close()
        }
    }

    @Test func `many callers share a transaction and each gets its own answer`() async throws {
        try await withFolder { path in
            let store = try open(path)
            let answers = await withTaskGroup(of: Bool.self) { group in
                for number in UInt64(1)...2_000 {
                    group.addTask {
                        // Every tenth takes the address of its predecessor.
                        let address = number % 10 == 0 ? 0x6440_0000 + UInt32(number - 1) : nil
                        return (try? await store.submit([.putSession(record(number, address: address))])) != nil
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(answers == 1_800)
            #expect(try store.load().sessions.count == 1_800)
            let statistics = store.currentStatistics
            #expect(statistics.submissions == 2_000)
            #expect(statistics.transactions < 1_000)
            #expect(statistics.failures == 200)
            store.close()
        }
    }

    @Test func `a closed store refuses, and what was submitted before is there`() async throws {
        try await withFolder { path in
            let store = try open(path)
            for number in UInt64(1)...500 { store.submit([.putSession(record(number))]) { _ in } }
            store.close()
            await #expect(throws: StoreError.closed) { try await store.submit([.putSession(record(501))]) }
            let again = try open(path)
            #expect(try again.load().sessions.count == 500)
            again.close()
        }
    }

    @Test func `each submission is answered once, also those that meet the close`() async throws {
        try await withFolder { path in
            for round in 0..<30 {
                let store = try open("\(path)-\(round)")
                let (submitted, answered) = (AnswerCount(), AnswerCount())
                await withTaskGroup { group in
                    for _ in 0..<4 {
                        group.addTask {
                            var refused = false
                            while !refused {
                                submitted.add()
                                let last = AnswerCount()
                                store.submit([]) { result in
                                    answered.add()
                                    if case .failure = result { last.add() }
                                }
                                refused = last.value > 0
                                await Task.yield()
                            }
                        }
                    }
                    group.addTask { store.close() }
                }
                #expect(answered.value == submitted.value)
            }
        }
    }

    @Test func `a hundred thousand sessions load in seconds`() async throws {
        try await withFolder { path in
            let store = try open(path)
            for part in 0..<100 {
                try await store.submit((0..<1_000).map { .putSession(record(UInt64(part * 1_000 + $0 + 1))) })
            }
            let clock = ContinuousClock()
            var count = 0
            let time = try clock.measure { count = try store.load().sessions.count }
            #expect(count == 100_000)
            #if DEBUG  // the sanitizers' builds
            let limit = Duration.seconds(30)
            #else
            let limit = Duration.seconds(5)
            #endif
            #expect(time < limit, "took \(time)")
            print("store: 100,000 sessions loaded in \(time)")
            store.close()
        }
    }

    @Test func `an older file is backed up, then migrated`() async throws {
        try await withFolder { path in
            let first = try open(path)
            try await first.submit([.putSession(record(1))])
            first.close()
            let known = try #require(StoreSchema.migrations.last).schema
            let next = StoreMigration(schema: known + 1, sql: "ALTER TABLE terms ADD COLUMN note TEXT")
            let second = try Store(
                path: path, synchronous: .full, groupDelayMs: 1, logger: quiet,
                migrations: StoreSchema.migrations + [next])
            #expect(try second.load().sessions.count == 1)
            second.close()
            let backup = try open("\(path).schema-\(known).backup")
            #expect(try backup.load().sessions.count == 1)
            backup.close()
        }
    }

    @Test func `a failed migration leaves the file as it was`() async throws {
        try await withFolder { path in
            try open(path).close()
            let known = try #require(StoreSchema.migrations.last).schema
            let bad = StoreMigration(
                schema: known + 1, sql: "CREATE TABLE extra (a); ALTER TABLE nowhere ADD COLUMN b")
            #expect(throws: StoreError.self) {
                try Store(
                    path: path, synchronous: .full, groupDelayMs: 1, logger: quiet,
                    migrations: StoreSchema.migrations + [bad])
            }
            let store = try open(path)
            store.close()
            let tables = try DatabaseQueue(path: path).read {
                try Int.fetchOne($0, sql: "SELECT count(*) FROM sqlite_master WHERE name = 'extra'")
            }
            #expect(tables == 0)
        }
    }

    @Test func `a newer file is refused with words`() async throws {
        try await withFolder { path in
            try open(path).close()
            try DatabaseQueue(path: path).write { try $0.execute(sql: "PRAGMA user_version = 99") }
            let refusal = StoreError.newerSchema(found: 99, known: StoreSchema.migrations.last?.schema ?? 0)
            #expect(throws: refusal) { try open(path) }
            #expect(refusal.description.contains("newer bng-controller"))
        }
    }

    @Test func `what was acknowledged survives kill -9 at random moments`() async throws {
        let writer = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "store-writer")
        let path = try #require(
            [writer.path, ".build/release/store-writer", ".build/debug/store-writer"].first {
                FileManager.default.isExecutableFile(atPath: $0)
            }, "store-writer is not built")
        try await withFolder { database in
            var random = SplitMix64(state: 11)
            var acknowledged: Set<UInt64> = []
            var round: UInt64 = 0
            // On a busy machine a writer may be killed before it wrote: later ones live longer.
            while round < 15 || (acknowledged.count <= 100 && round < 60) {
                let life = UInt32.random(in: 20_000..<200_000, using: &random) * UInt32(round / 15 + 1)
                defer { round += 1 }
                let result = try await runChild(path, [database, "\(1 + round * 1_000_000)"]) { process in
                    usleep(life)
                    kill(process, SIGKILL)
                }
                acknowledged.formUnion(result.output.split(separator: "\n").compactMap { UInt64($0) })
            }
            let store = try open(database)
            let found = Set(try store.load().sessions.map(\.id.rawValue))
            #expect(acknowledged.count > 100, "the writer was killed before it wrote")
            #expect(acknowledged.subtracting(found).isEmpty, "acknowledged, and gone")
            print("store: \(acknowledged.count) acknowledged over \(round) kills, \(found.count) stored")
            store.close()
        }
    }
}
