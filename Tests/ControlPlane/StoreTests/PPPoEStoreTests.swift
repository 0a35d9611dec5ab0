// SPDX-License-Identifier: Apache-2.0
// What the store keeps of PPPoE: several sessions of a line, links, secrets; and a file of before it knew any.

import BNGCore
import Fleet
import Foundation
import GRDB
import PPP
import Subscribers
import Testing

@testable import Store

private func record(_ number: UInt64, pppoeID: UInt16) -> SessionRecord {
    var record = SessionRecord(
        id: SessionID(issuer: 1, counter: number), generation: 1, phase: .active, node: "edge1",
        line: LineKey(
            accessDomain: 7, sVLAN: 100, cVLAN: 7, mac: MACAddress(rawValue: 0x0200_0000_0001), pppoeID: pppoeID),
        tags: VLANTags(sVLAN: 100, cVLAN: 7, sTPID: 0x88a8, cTPID: 0x8100), relayMAC: .zero, vrf: 0,
        pool: "residential", address: IPv4Address(rawValue: 0x6440_0000 + UInt32(number)), clientID: [], option82: [],
        hostName: "", started: UTCTime(milliseconds: 1), leaseExpires: .zero)
    guard pppoeID != 0 else { return record }
    var link = PPPLink()
    (link.localMagic, link.peerMRU, link.localInterfaceID, link.authentication) = (.max, 1_492, .max, .msChapV2)
    record.ppp = PPPoEDetails(
        link: link, service: "internet", local: IPv4Address(rawValue: 0x6440_0001), mtu: 1_492)
    return record
}

@Suite struct PPPoEStoreTests {
    @Test func `sessions of one line and MAC address are told apart by their ids, and come back with their links`()
        async throws
    {
        try await withFolder { path in
            let records = [record(1, pppoeID: 0), record(2, pppoeID: 5), record(3, pppoeID: 65_534)]
            var store = try Store(path: path, logger: quiet)
            for record in records { try await store.submit([.putSession(record)]) }
            await #expect(throws: StoreError.self) { try await store.submit([.putSession(record(4, pppoeID: 5))]) }
            try await store.submit([.endSession(records[1])])
            store.close()
            store = try Store(path: path, logger: quiet)
            #expect(try store.load().sessions == [records[0], records[2]])
            let ended = try #require(try store.history(before: nil, user: nil, limit: 9).first)
            #expect(ended.line.pppoeID == 5 && ended.ppp == records[1].ppp)
            store.close()
        }
    }

    @Test func `a link's text is read as it was written, and nothing else is`() throws {
        for service in ["", "internet", "two words ", "ü 1 2"] {
            var details = try #require(record(1, pppoeID: 1).ppp)
            details.service = service
            #expect(PPPoEDetails.from(details.stored) == .some(details))
            details.link.authentication = nil
            #expect(PPPoEDetails.from(details.stored) == .some(details))
        }
        #expect(PPPoEDetails.from("") == .some(nil))
        let text = try #require(record(1, pppoeID: 1).ppp).stored
        for broken in ["2" + text.dropFirst(), "1 2", "nonsense", text.replacing("ms-chap-v2", with: "eap")] {
            #expect(PPPoEDetails.from(String(broken)) == nil, "\(broken)")
        }
    }

    @Test func `a secret stays what it first was`() async throws {
        try await withFolder { path in
            var store = try Store(path: path, logger: quiet)
            #expect(try store.secret("cookies", orKeep: [1, 2]) == [1, 2])
            store.close()
            store = try Store(path: path, logger: quiet)
            #expect(try store.secret("cookies", orKeep: [3]) == [1, 2])
            #expect(try store.secret("others", orKeep: [3]) == [3])
            store.close()
        }
    }

    @Test func `sessions of a file of schema 3 are all there after its migration`() async throws {
        try await withFolder { path in
            let before = StoreSchema.migrations.filter { $0.schema <= 3 }
            var old = try DatabasePool(path: path)
            _ = try StoreSchema.migrate(old, path: path, with: before)
            try await old.write { db in
                for number in 1...50 {
                    try db.execute(
                        sql: """
                            INSERT INTO sessions VALUES (?, 2, 'active', 'edge1', 7, 100, 7, 0, ?, 34984, 33024, 0, 0,
                            'residential', ?, x'01', x'', 'host', 1, 9, 0, NULL, 'access0', 'user', '', 0, 1, 1, 2, 3, 4, 5,
                            6, 7, 8, 9, 10)
                            """, arguments: [number, 1_000 + number, 1_681_915_904 + number])
                }
            }
            try old.close()
            let store = try Store(path: path, logger: quiet)
            let sessions = try store.load().sessions
            #expect(sessions.count == 50 && sessions.allSatisfy { $0.line.pppoeID == 0 && $0.ppp == nil })
            let first = try #require(sessions.first)
            #expect(first.counters.upPackets == 1 && first.counters.droppedPackets == 5)
            #expect(first.counterBase.upPackets == 6 && first.counterBase.droppedPackets == 10)
            #expect(first.grant.userName == "user" && first.isAccounted && first.port == "access0")
            store.close()
            old = try DatabasePool(path: "\(path).schema-3.backup")
            #expect(try await old.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM sessions") } == 50)
            try old.close()
        }
    }
}
