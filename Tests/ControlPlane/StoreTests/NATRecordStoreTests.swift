// SPDX-License-Identifier: Apache-2.0
// The spool of NAT records: nothing without outputs, every grant and return once, a bound, cursors, and what a kill leaves.

import BNGCore
import Foundation
import GRDB
import Subscribers
import Synchronization
import TestVectors
import Testing

@testable import Store

private func record(_ number: UInt64, blocks: Int = 1) -> SessionRecord {
    var record = SessionRecord(
        id: SessionID(issuer: 1, counter: number), generation: 1, phase: .active, node: "edge1",
        line: LineKey(accessDomain: 7, sVLAN: 100, cVLAN: UInt16(number), mac: MACAddress(rawValue: number)),
        tags: VLANTags(sVLAN: 100, cVLAN: UInt16(number), sTPID: 0x88a8, cTPID: 0x8100), relayMAC: .zero,
        vrf: 0, pool: "residential", address: IPv4Address(rawValue: 0x6440_0000 + UInt32(number)), clientID: [],
        option82: [], hostName: "", started: UTCTime(milliseconds: 1), leaseExpires: .zero,
        grant: ServiceGrant(source: .open, userName: "user \(number)"))
    record.port = "access0"
    record.nat = NATGrant(
        pool: "public", policy: "home", address: IPv4Address(rawValue: 0xc000_0201 + UInt32(number)), blockPorts: 512,
        firstPorts: (0..<blocks).map { 1_024 + 512 * UInt16($0) })
    return record
}

private func open(_ path: String) throws -> Store {
    try Store(path: path, synchronous: .normal, groupDelayMs: 0, logger: quiet)
}

extension Store {
    fileprivate func grant(_ record: SessionRecord) async throws { try await self.submit([.putSession(record)]) }

    fileprivate func end(_ record: SessionRecord) async throws {
        let nat = try #require(record.nat)
        try await self.submit([.restNAT(NATRest(grant: nat, until: .zero), of: record.id), .endSession(record)])
    }

    /// Number, session and whether it is a return.
    fileprivate func waiting(after sequence: UInt64 = 0) throws -> [String] {
        try self.natRecords(after: sequence, limit: 1_000).map {
            "\($0.sequence) \($0.isReturn ? "-" : "+")\($0.entry.session.counter):\($0.entry.ports.lowerBound)"
        }
    }

    fileprivate func rows(_ table: String) throws -> Int {
        try self.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") ?? 0 }
    }
}

@Suite struct NATRecordStoreTests {
    @Test func `without outputs no row is written, and what waited is forgotten`() async throws {
        try await withFolder { path in
            var store = try open(path)
            #expect(try store.keepNATRecords(for: [], limit: 1_000).isEmpty)
            try await store.grant(record(1))
            #expect(try store.rows("nat_log") == 1 && store.rows("nat_records") == 0)
            #expect(try store.keepNATRecords(for: ["a"], limit: 1_000) == ["a": 0])
            try await store.grant(record(2))
            #expect(try store.waiting() == ["1 +2:1024"])
            store.close()
            store = try open(path)
            #expect(try store.keepNATRecords(for: [], limit: 1_000).isEmpty)
            #expect(try store.rows("nat_records") == 0 && store.rows("nat_outputs") == 0)
            try await store.grant(record(3))
            #expect(try store.rows("nat_records") == 0)
            // An output that begins now is told of what comes, under numbers never used.
            #expect(try store.keepNATRecords(for: ["a"], limit: 1_000) == ["a": 1])
            try await store.end(record(2))
            #expect(try store.waiting() == ["2 -2:1024"])
            store.close()
        }
    }

    @Test func `every grant and return is one record, with what the log says`() async throws {
        try await withFolder { path in
            let store = try open(path)
            _ = try store.keepNATRecords(for: ["a"], limit: 1_000)
            try await store.grant(record(1))
            // Put again, extended, put again.
            try await store.grant(record(1))
            try await store.grant(record(1, blocks: 2))
            try await store.grant(record(1, blocks: 2))
            try await store.end(record(1, blocks: 2))
            #expect(try store.waiting() == ["1 +1:1024", "2 +1:1536", "3 -1:1024", "4 -1:1536"])
            let records = try store.natRecords(after: 2, limit: 1)
            let entry = try #require(records.first).entry
            #expect(entry.inside == record(1).address && entry.userName == "user 1" && entry.pool == "public")
            #expect(entry.ports == 1_024...1_535 && entry.returned ?? .zero >= entry.granted)
            #expect(entry.line == "access0 100.1 00:00:00:00:00:01" && entry.node == "edge1")
            store.close()
        }
    }

    @Test func `a submission that fails leaves neither log nor record nor gap`() async throws {
        try await withFolder { path in
            let store = try open(path)
            _ = try store.keepNATRecords(for: ["a"], limit: 1_000)
            try await store.grant(record(1))
            var twin = record(2)
            twin.address = record(1).address
            do {
                try await store.grant(twin)
                Issue.record("two sessions have one address")
            } catch StoreError.conflict {}
            try await store.grant(record(3))
            #expect(try store.waiting() == ["1 +1:1024", "2 +3:1024"])
            store.close()
        }
    }

    @Test func `a record leaves when every output has delivered it`() async throws {
        try await withFolder { path in
            var store = try open(path)
            _ = try store.keepNATRecords(for: ["a", "b"], limit: 1_000)
            for number in 1...4 { try await store.grant(record(UInt64(number))) }
            try await store.submit([.advanceNATRecords(output: "a", to: 3)])
            #expect(try store.rows("nat_records") == 4)
            try await store.submit([.advanceNATRecords(output: "b", to: 2)])
            #expect(try store.waiting() == ["3 +3:1024", "4 +4:1024"])
            // Never back.
            try await store.submit([.advanceNATRecords(output: "a", to: 1)])
            store.close()
            store = try open(path)
            #expect(try store.keepNATRecords(for: ["a", "b"], limit: 1_000) == ["a": 3, "b": 2])
            // The slow one is gone: nobody waits for the third. A new one begins at the end.
            #expect(try store.keepNATRecords(for: ["a", "c"], limit: 1_000) == ["a": 3, "c": 4])
            #expect(try store.waiting() == ["4 +4:1024"])
            #expect(try store.lastNATRecord() == 4)
            store.close()
        }
    }

    @Test func `beyond the bound the oldest go, also when it is lowered`() async throws {
        try await withFolder { path in
            let store = try open(path)
            _ = try store.keepNATRecords(for: ["a"], limit: 5)
            for number in 1...8 { try await store.grant(record(UInt64(number))) }
            #expect(try store.waiting().first == "4 +4:1024")
            #expect(try store.rows("nat_records") == 5)
            _ = try store.keepNATRecords(for: ["a"], limit: 2)
            #expect(try store.waiting() == ["7 +7:1024", "8 +8:1024"])
            store.close()
        }
    }

    @Test func `what a killed process was giving back is told at the next start`() async throws {
        try await withFolder { path in
            var store = try open(path)
            _ = try store.keepNATRecords(for: ["a"], limit: 1_000)
            try await store.grant(record(1))
            try await store.submit([.endSession(record(1))])
            store.close()
            store = try open(path)
            _ = try store.keepNATRecords(for: ["a"], limit: 1_000)
            _ = try store.load()
            #expect(try store.waiting() == ["1 +1:1024", "2 -1:1024"])
            store.close()
        }
    }

    @Test func `the watcher is told after the record can be read, and of nothing else`() async throws {
        try await withFolder { path in
            let store = try open(path)
            _ = try store.keepNATRecords(for: ["a"], limit: 1_000)
            let seen = Mutex<[Int]>([])
            store.watchNATRecords { seen.withLock { $0.append((try? store.rows("nat_records")) ?? -1) } }
            try await store.submit([.saveTerm(scope: "x", term: 1)])
            try await store.grant(record(1))
            try await store.end(record(1))
            store.close()
            #expect(seen.withLock { $0 } == [1, 2])
        }
    }

    @Test func `a file of schema 6 keeps its log`() async throws {
        try await withFolder { path in
            let older = StoreSchema.migrations.filter { $0.schema <= 6 }
            let old = try Store(path: path, synchronous: .normal, groupDelayMs: 0, logger: quiet, migrations: older)
            try await old.grant(record(1))
            old.close()
            let store = try open(path)
            #expect(FileManager.default.fileExists(atPath: "\(path).schema-6.backup"))
            let held = try store.natHolders(
                vrf: 0, address: IPv4Address(rawValue: 0xc000_0202), port: 1_100,
                at: UTCTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000) + 1_000))
            #expect(held.map(\.session.counter) == [1])
            #expect(try store.keepNATRecords(for: ["a"], limit: 1_000) == ["a": 0])
            try await store.end(record(1))
            #expect(try store.waiting() == ["1 -1:1024"])
            store.close()
        }
    }
}
