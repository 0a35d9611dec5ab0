// SPDX-License-Identifier: Apache-2.0
// What the store keeps of IPv6: the half of a session, prefixes of lines, counters; and a file of before it knew any.

import BNGCore
import Foundation
import GRDB
import Subscribers
import Testing

@testable import Store

private func details() throws -> IPv6Details {
    var details = IPv6Details()
    details.link = .init(prefix: try #require(IPv6Prefix("2001:db8:0:1::/64")), pool: "link pool, 100 %s")
    details.bindings = [
        .init(
            isDelegation: true, iaid: .max,
            resource: .init(prefix: try #require(IPv6Prefix("2001:db8:100::/56")), pool: "homes")),
        .init(
            isDelegation: false, iaid: 0,
            resource: .init(prefix: try #require(IPv6Prefix("2001:db8:ffff::1/128")), pool: "")),
    ]
    details.clientID = [0, 3, 0, 1, 2, 0xff]
    details.requestedOptions = [23, 24, .max]
    details.expires = UTCTime(milliseconds: 5_000)
    details.origin = [UInt8](1...16) + [1, 1, 7]
    details.stale = [.init(prefix: try #require(IPv6Prefix("::/0")), until: UTCTime(milliseconds: 77))]
    return details
}

private func record(_ number: UInt64, address: UInt32 = 0, ipv6: IPv6Details?) -> SessionRecord {
    var record = SessionRecord(
        id: SessionID(issuer: 1, counter: number), generation: 1, phase: .active, node: "edge1",
        line: LineKey(accessDomain: 7, mac: MACAddress(rawValue: 0x0200_0000_0000 + number)), tags: .untagged,
        relayMAC: .zero, vrf: 0, pool: "", address: IPv4Address(rawValue: address), clientID: [], option82: [],
        hostName: "", started: UTCTime(milliseconds: 1), leaseExpires: .zero)
    record.ipv6 = ipv6
    return record
}

private func binding(_ prefix: String, line number: UInt64, until: Int64) throws -> StickyPrefixBinding {
    StickyPrefixBinding(
        line: record(number, ipv6: nil).line, vrf: .max, pool: "homes", prefix: try #require(IPv6Prefix(prefix)),
        reservedUntil: UTCTime(milliseconds: until), declined: number == 2)
}

@Suite struct IPv6StoreTests {
    @Test func `sessions come back with their IPv6 half and the counters of both families`() async throws {
        try await withFolder { path in
            var both = record(1, address: 0x6440_0001, ipv6: try details())
            (both.counters.upBytes, both.counters.ipv6.upBytes, both.counters.ipv6.downPackets) = (9, .max, 3)
            (both.counterBase.downBytes, both.counterBase.ipv6.downBytes) = (4, 5)
            var ended = record(3, ipv6: try details())
            (ended.phase, ended.cause, ended.ended) = (.terminated, .ipv6LeaseExpired, UTCTime(milliseconds: 9))
            ended.counters.ipv6.upPackets = 8
            var store = try Store(path: path, logger: quiet)
            let records = [both, record(2, ipv6: IPv6Details()), record(4, ipv6: nil)]
            for record in records { try await store.submit([.putSession(record)]) }
            try await store.submit([.putSession(record(3, ipv6: nil)), .endSession(ended)])
            store.close()
            store = try Store(path: path, logger: quiet)
            #expect(try store.load().sessions == records)
            #expect(try store.history(limit: 9) == [ended] && store.endedSession(ended.id) == ended)
            var totals = SessionTotals()
            (totals.upPackets, totals.ipv6.upPackets, totals.ipv6.downBytes) = (10, 7, 6)
            try await store.submit([.countSession(both.id, totals, base: both.counters)])
            let counted = try #require(try store.load().sessions.first)
            #expect(counted.counters == totals && counted.counterBase == both.counters)
            store.close()
        }
    }

    @Test func `sessions without an address share none, those with one still may not`() async throws {
        try await withFolder { path in
            let store = try Store(path: path, logger: quiet)
            for number in 1...3 { try await store.submit([.putSession(record(UInt64(number), ipv6: try details()))]) }
            try await store.submit([.putSession(record(4, address: 1, ipv6: nil))])
            await #expect(throws: StoreError.self) {
                try await store.submit([.putSession(record(5, address: 1, ipv6: nil))])
            }
            #expect(try store.load().sessions.count == 4)
            store.close()
        }
    }

    @Test func `an IPv6 lease never moves back while it is held, and ends with what was held`() async throws {
        try await withFolder { path in
            let store = try Store(path: path, logger: quiet)
            let held = record(1, ipv6: try details())
            func expires() throws -> UTCTime? { try store.load().sessions.first?.ipv6?.expires }
            let later = UTCTime(milliseconds: 9_000)
            try await store.submit([.putSession(held), .renewIPv6Lease(held.id, until: later)])
            try await store.submit([.renewIPv6Lease(held.id, until: .zero), .putSession(held)])
            #expect(try expires() == later && store.load().sessions.first?.leaseExpires == .zero)
            try await store.submit([.putSession(record(1, ipv6: nil)), .renewIPv6Lease(held.id, until: later)])
            #expect(try expires() == nil)
            try await store.submit([.putSession(held)])
            #expect(try expires() == held.ipv6?.expires, "what was held before is forgotten")
            store.close()
        }
    }

    @Test func `a prefix is remembered for its last line`() async throws {
        try await withFolder { path in
            var store = try Store(path: path, logger: quiet)
            let first = try binding("2001:db8:100::/56", line: 1, until: 9)
            let second = try binding("2001:db8:100::/56", line: 2, until: 8)
            let other = try binding("2001:db8:100::/57", line: 1, until: 7)
            try await store.submit([.putPrefixBinding(first), .putPrefixBinding(second), .putPrefixBinding(other)])
            store.close()
            store = try Store(path: path, logger: quiet)
            #expect(try store.load().prefixBindings == [other, second])
            store.close()
        }
    }

    @Test func `the text of an IPv6 half is read as it was written, and nothing else is`() throws {
        let full = try details()
        #expect(IPv6Details.from(full.stored, expires: full.expires) == .some(full))
        #expect(IPv6Details.from(IPv6Details().stored, expires: .zero) == .some(IPv6Details()))
        #expect(IPv6Details.from("", expires: .zero) == .some(nil))
        let broken = [
            "2 - -", "1 -", "1 -  ", "1 0 -", "1 - 65536", "1 - 1,", "1 - - X", "1 - - L1:0/8", "1 - - L1:1/8,p",
            "1 - - L1:0/129,p", "1 - - L0:0/0,p L0:0/0,p", "1 - - A-1,0:0/0,p", "1 - - A1", "1 - - S0:0/0,x",
            "1 - - S0:0/0", "1 - - R", "1 - - R0102",
            "1 - - R00000000000000000000000000000001 R00000000000000000000000000000001",
        ]
        for text in broken { #expect(IPv6Details.from(text, expires: .zero) == nil, "\(text)") }
    }

    @Test func `sessions, subscribers and secrets of a file of schema 4 are all there after its migration`()
        async throws
    {
        try await withFolder { path in
            let old = try DatabasePool(path: path)
            _ = try StoreSchema.migrate(old, path: path, with: StoreSchema.migrations.filter { $0.schema <= 4 })
            try await old.write { db in
                for number in 1...50 {
                    try db.execute(
                        sql: """
                            INSERT INTO sessions VALUES (?, 2, 'active', 'edge1', 7, 100, 7, 0, ?, 34984, 33024, 0, 0,
                            'residential', ?, x'01', x'', 'host', 1, 9, 0, NULL, 'access0', 'user', '', 0, 1, 1, 2, 3, 4, 5,
                            ?, '', 6, 7, 8, 9, 10)
                            """, arguments: [number, 1_000 + number, 1_681_915_904 + number, number])
                }
                try db.execute(
                    sql: """
                        INSERT INTO history SELECT id + 100, generation, 'terminated', node, access_domain, s_vlan, c_vlan,
                        relay, mac, s_tpid, c_tpid, relay_mac, vrf, pool, address, client_id, option82, host_name,
                        started_ms, lease_expires_ms, 5, 'user_request', up_packets, up_bytes, down_packets, down_bytes,
                        dropped_packets, port, user_name, granted, ends_ms, accounted, pppoe_id, ppp FROM sessions;
                        INSERT INTO subscribers VALUES ('anna', NULL, NULL, NULL, NULL, '192.0.2.0/24', 0, '');
                        INSERT INTO secrets VALUES ('cookies', x'0102');
                        """)
            }
            try old.close()
            let store = try Store(path: path, logger: quiet)
            let sessions = try store.load().sessions
            #expect(sessions.map { Int($0.line.pppoeID) } == Array(1...50) && sessions.allSatisfy { $0.ipv6 == nil })
            let first = try #require(sessions.first)
            #expect(first.counters.droppedPackets == 5 && first.counters.ipv6 == FamilyTotals())
            #expect(first.counterBase.upPackets == 6 && first.counterBase.droppedPackets == 10)
            #expect(first.counterBase.ipv6 == FamilyTotals() && first.port == "access0" && first.isAccounted)
            let ended = try store.history(limit: 99)
            #expect(ended.count == 50 && ended.allSatisfy { $0.ipv6 == nil && $0.counters.upPackets == 1 })
            #expect(try store.load().subscribers.map(\.name) == ["anna"])
            #expect(try store.secret("cookies", orKeep: [9]) == [1, 2])
            store.close()
            let backup = try DatabasePool(path: "\(path).schema-4.backup")
            #expect(try await backup.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM sessions") } == 50)
            try backup.close()
        }
    }
}
