// SPDX-License-Identifier: Apache-2.0
// What the store keeps of NAT: grants of sessions, blocks that rest, and the log of who held which ports.

import BNGCore
import Foundation
import GRDB
import Subscribers
import Synchronization
import TestVectors
import Testing

@testable import Store

private let publicAddress = IPv4Address(rawValue: 0xc000_0201)

private func record(_ number: UInt64, ports: [UInt16], size: UInt16 = 512) -> SessionRecord {
    var grant = ServiceGrant(source: .open, userName: "user \(number)")
    grant.userName = "user \(number)"
    var record = SessionRecord(
        id: SessionID(issuer: 1, counter: number), generation: 1, phase: .active, node: "edge1",
        line: LineKey(accessDomain: 7, sVLAN: 100, cVLAN: UInt16(number % 4_000), mac: MACAddress(rawValue: number)),
        tags: VLANTags(sVLAN: 100, cVLAN: UInt16(number % 4_000), sTPID: 0x88a8, cTPID: 0x8100), relayMAC: .zero,
        vrf: 0, pool: "residential", address: IPv4Address(rawValue: 0x6440_0000 + UInt32(number)), clientID: [],
        option82: [], hostName: "", started: UTCTime(milliseconds: 1), leaseExpires: .zero, grant: grant)
    record.port = "access0"
    if !ports.isEmpty || size == 0 {
        record.nat = NATGrant(
            pool: "public", policy: size == 0 ? "" : "home", address: publicAddress, blockPorts: size,
            firstPorts: ports)
    }
    return record
}

/// UTC as tests set it.
private final class Clock: Sendable {
    private let milliseconds = Mutex<Int64>(1_000)
    var now: UTCTime { UTCTime(milliseconds: self.milliseconds.withLock { $0 }) }
    func set(_ value: Int64) { self.milliseconds.withLock { $0 = value } }
}

private func open(_ path: String, _ clock: Clock) throws -> Store {
    try Store(
        path: path, synchronous: .normal, groupDelayMs: 0, logger: quiet, migrations: StoreSchema.migrations,
        utcNow: { clock.now })
}

extension Store {
    fileprivate func holder(_ port: UInt16, at milliseconds: Int64, vrf: VRF = 0) throws -> UInt64? {
        let found = try self.natHolders(
            vrf: vrf, address: publicAddress, port: port, at: UTCTime(milliseconds: milliseconds))
        #expect(found.count <= 1)
        return found.first?.session.counter
    }

    fileprivate func count(_ condition: String) throws -> Int {
        try self.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM nat_log WHERE \(condition)") ?? 0 }
    }
}

@Suite struct NATStoreTests {
    @Test func `grants and rests come back as they were`() async throws {
        try await withFolder { path in
            let clock = Clock()
            var store = try open(path, clock)
            let oneToOne = record(2, ports: [], size: 0)
            let records = [record(1, ports: [1_024, 4_096]), oneToOne, record(3, ports: [])]
            for record in records { try await store.submit([.putSession(record)]) }
            let given = try #require(record(4, ports: [2_048]).nat)
            try await store.submit([
                .restNAT(NATRest(grant: given, until: UTCTime(milliseconds: 200_000)), of: SessionID(rawValue: 4))
            ])
            store.close()
            store = try open(path, clock)
            let state = try store.load()
            #expect(state.sessions == records)
            #expect(state.natRests == [NATRest(grant: given, until: UTCTime(milliseconds: 200_000))])
            clock.set(200_001)
            #expect(try store.load().natRests.isEmpty, "what has rested is forgotten")
            store.close()
        }
    }

    @Test func `the log tells who held a port at a time, and who holds it`() async throws {
        try await withFolder { path in
            let clock = Clock()
            let store = try open(path, clock)
            var first = record(1, ports: [1_024])
            try await store.submit([.putSession(first)])
            clock.set(2_000)
            // Put again and extended: the first block is not logged twice.
            first.nat = first.nat?.extended(by: 4_096)
            try await store.submit([.putSession(first)])
            #expect(try store.count("1") == 2)
            clock.set(3_000)
            let grant = try #require(first.nat)
            try await store.submit([
                .endSession(first),
                .restNAT(NATRest(grant: grant, until: UTCTime(milliseconds: 123_000)), of: first.id),
            ])
            clock.set(130_000)
            try await store.submit([.putSession(record(2, ports: [1_024]))])
            #expect(try store.holder(1_023, at: 1_500) == nil)
            #expect(try store.holder(1_024, at: 999) == nil)
            #expect(try store.holder(1_024, at: 1_000) == 1)
            #expect(try store.holder(1_535, at: 3_000) == 1)
            #expect(try store.holder(1_536, at: 1_500) == nil)
            #expect(try store.holder(4_096, at: 1_999) == nil)
            #expect(try store.holder(4_096, at: 2_000) == 1)
            #expect(try store.holder(1_024, at: 50_000) == nil, "it rested")
            #expect(try store.holder(1_024, at: 1 << 50) == 2)
            #expect(try store.holder(1_024, at: 1_500, vrf: 1) == nil)
            let entry = try #require(
                try store.natHolders(vrf: 0, address: publicAddress, port: 1_100, at: UTCTime(milliseconds: 2_500))
                    .first)
            #expect(entry.userName == "user 1" && entry.line == "access0 100.1 00:00:00:00:00:01")
            #expect(entry.inside == first.address && entry.ports == 1_024...1_535 && entry.pool == "public")
            #expect(entry.granted == UTCTime(milliseconds: 1_000) && entry.returned == UTCTime(milliseconds: 3_000))
            store.close()
        }
    }

    @Test func `one to one holds every port`() async throws {
        try await withFolder { path in
            let clock = Clock()
            let store = try open(path, clock)
            try await store.submit([.putSession(record(2, ports: [], size: 0))])
            for port in [UInt16(0), 80, 65_535] { #expect(try store.holder(port, at: 1_000) == 2) }
            store.close()
        }
    }

    @Test func `what a killed process was giving back is closed at the next start, and rests`() async throws {
        try await withFolder { path in
            let clock = Clock()
            var store = try open(path, clock)
            let ended = record(1, ports: [1_024])
            var dropped = record(2, ports: [2_048, 4_096])
            try await store.submit([.putSession(ended), .putSession(dropped), .putSession(record(3, ports: [8_192]))])
            dropped.nat = record(2, ports: [2_048]).nat
            // Neither is followed by its rest.
            try await store.submit([.endSession(ended), .putSession(dropped)])
            store.close()
            clock.set(10_000)
            store = try open(path, clock)
            let state = try store.load()
            #expect(Set(state.natRests.flatMap(\.grant.firstPorts)) == [1_024, 4_096])
            #expect(
                state.natRests.allSatisfy { $0.until == UTCTime(milliseconds: 130_000) && $0.grant.pool == "public" })
            #expect(try store.count("returned_ms = 10000") == 2)
            #expect(try store.count("returned_ms IS NULL") == 2)
            #expect(try store.load().natRests == state.natRests, "only once")
            store.close()
        }
    }

    @Test func `as many returns as grants, whatever order they come in`() async throws {
        try await withFolder { path in
            let clock = Clock()
            var store = try open(path, clock)
            var random = SplitMix64(state: 20_261_123)
            var held: [UInt64: SessionRecord] = [:]
            var free = (2..<120).map { UInt16($0 * 512) }
            var (granted, next) = (0, UInt64(1))
            for step in 0..<3_000 {
                clock.set(Int64(1_000 + step))
                switch Int.random(in: 0..<10, using: &random) {
                case 0..<5:
                    guard let port = free.popLast() else { continue }
                    held[next] = record(next, ports: [port])
                    try await store.submit([.putSession(try #require(held[next]))])
                    (granted, next) = (granted + 1, next + 1)
                case 5:
                    guard let id = held.keys.min(), let port = free.popLast() else { continue }
                    var wider = try #require(held[id])
                    wider.nat = wider.nat?.extended(by: port)
                    held[id] = wider
                    try await store.submit([.putSession(wider)])
                    granted += 1
                case 6..<9:
                    guard let id = held.keys.randomElement(using: &random), let record = held.removeValue(forKey: id),
                        let nat = record.nat
                    else { continue }
                    let kills = step % 7 == 0
                    let rest = StoreOperation.restNAT(NATRest(grant: nat, until: .zero), of: record.id)
                    try await store.submit(kills ? [.endSession(record)] : [.endSession(record), rest])
                    free.insert(contentsOf: nat.firstPorts, at: 0)
                    guard kills else { continue }
                    store.close()
                    store = try open(path, clock)
                    _ = try store.load()
                default:
                    // The same again.
                    if let record = held.values.first { try await store.submit([.putSession(record)]) }
                }
            }
            let open = held.values.reduce(0) { $0 + ($1.nat?.firstPorts.count ?? 0) }
            #expect(granted > 800 && open > 0)
            #expect(try store.count("1") == granted)
            #expect(try store.count("returned_ms IS NULL") == open)
            // No port ever belongs to two at a time.
            #expect(
                try store.read {
                    try Int.fetchOne(
                        $0,
                        sql: """
                            SELECT count(*) FROM nat_log a JOIN nat_log b ON a.id < b.id AND a.address = b.address
                            AND a.first_port = b.first_port AND a.vrf = b.vrf
                            WHERE a.granted_ms < ifnull(b.returned_ms, 1 << 60)
                            AND b.granted_ms < ifnull(a.returned_ms, 1 << 60)
                            """)
                } == 0)
            store.close()
        }
    }

    @Test func `a look-up among two hundred thousand rows goes by the index, and old rows are pruned by theirs`()
        async throws
    {
        try await withFolder { path in
            let clock = Clock()
            let store = try open(path, clock)
            try store.write { db in
                try db.execute(
                    sql: """
                        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199999)
                        INSERT INTO nat_log (\(NATLogEntry.columns))
                        SELECT 0, 3221225985 + i % 1000, 1024 + 512 * (i / 1000 % 100), 1535 + 512 * (i / 1000 % 100),
                        i, i + 50, i, 'edge1', 'l', 'u', i, 'public' FROM n
                        """)
            }
            let plan = try store.read { db in
                try Row.fetchAll(
                    db, sql: "EXPLAIN QUERY PLAN \(Store.holders)",
                    arguments: ["vrf": 0, "address": 0, "port": 0, "time": 0]
                )
                .map { $0["detail"] as String }.filter { $0.contains("nat_log") }
            }
            let index = "SEARCH nat_log USING COVERING INDEX nat_log_block (vrf=? AND address=? AND"
            #expect(
                plan == [
                    "\(index) first_port<?)", "\(index) first_port<?)",
                    "SEARCH nat_log USING INTEGER PRIMARY KEY (rowid=?)", "\(index) first_port=? AND granted_ms<?)",
                ])
            let start = ContinuousClock.now
            for _ in 0..<100 { #expect(try store.holder(1_024 + 512 * 50, at: 50_020) == 50_000) }
            #expect(ContinuousClock.now - start < .seconds(2))
            try await store.pruneNATLog(returnedBefore: UTCTime(milliseconds: 100_050))
            #expect(try store.count("1") == 100_000)
            #expect(try store.holder(1_024 + 512 * 50, at: 50_020) == nil)
            store.close()
        }
    }

    @Test func `blocks of several sizes, one after another, are told apart`() async throws {
        try await withFolder { path in
            let clock = Clock()
            let store = try open(path, clock)
            for (number, first, size) in [(1, 1_024, 4_096), (2, 2_048, 512), (3, 2_048, 1_024), (4, 2_560, 64)] {
                let held = record(UInt64(number), ports: [UInt16(first)], size: UInt16(size))
                clock.set(Int64(number) * 1_000)
                try await store.submit([.putSession(held)])
                clock.set(Int64(number) * 1_000 + 900)
                let nat = try #require(held.nat)
                try await store.submit([.restNAT(NATRest(grant: nat, until: .zero), of: held.id), .endSession(held)])
            }
            for (number, first, last) in [(1, 1_024, 5_119), (2, 2_048, 2_559), (3, 2_048, 3_071), (4, 2_560, 2_623)] {
                for port in [first, (first + last) / 2, last] {
                    #expect(try store.holder(UInt16(port), at: Int64(number) * 1_000 + 500) == UInt64(number))
                }
                for port in [first - 1, last + 1] {
                    #expect(try store.holder(UInt16(port), at: Int64(number) * 1_000 + 500) == nil)
                }
                #expect(try store.holder(UInt16(first), at: Int64(number) * 1_000 + 950) == nil)
            }
            store.close()
        }
    }

    @Test func `a file of schema 5 is read, and its sessions have no NAT`() async throws {
        try await withFolder { path in
            let clock = Clock()
            let plain = record(1, ports: [])
            let older = StoreSchema.migrations.filter { $0.schema <= 5 }
            let old = try Store(path: path, synchronous: .normal, groupDelayMs: 0, logger: quiet, migrations: older)
            old.close()
            try await DatabaseQueue(path: path).write { db in
                let columns = SessionRecord.columns.replacing(", nat", with: "") + ", " + SessionRecord.baseColumns
                let values = plain.arguments.dropLast() + plain.counterBase.arguments + plain.counterBase.ipv6.arguments
                try db.execute(
                    sql: "INSERT INTO sessions (\(columns)) VALUES (\(SessionRecord.placeholders(values.count)))",
                    arguments: StatementArguments(values.map { $0 as (any DatabaseValueConvertible)? }))
            }
            let store = try open(path, clock)
            #expect(try store.load().sessions == [plain])
            #expect(FileManager.default.fileExists(atPath: "\(path).schema-5.backup"))
            store.close()
        }
    }

    @Test func `a damaged grant stops the start`() async throws {
        try await withFolder { path in
            let store = try open(path, Clock())
            try await store.submit([.putSession(record(1, ports: [1_024]))])
            try await DatabaseQueue(path: path).write { try $0.execute(sql: "UPDATE sessions SET nat = '1 public'") }
            #expect(throws: StoreError.self) { try store.load() }
            store.close()
        }
    }
}
