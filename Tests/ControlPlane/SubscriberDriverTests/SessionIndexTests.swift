// SPDX-License-Identifier: Apache-2.0
// Sessions found by what operators and AAA servers name them by.

import BNGCore
import Subscribers
import Testing

@testable import SubscriberDriver

private func record(_ number: UInt64, user: String) throws -> SessionRecord {
    let line = LineKey(accessDomain: 1, sVLAN: 100, cVLAN: 7, mac: MACAddress(rawValue: 0x0200_0000_0000 + number))
    var record = SessionRecord(
        id: SessionID(issuer: 1, counter: number), generation: 1, phase: .active, node: "edge1", line: line,
        tags: .untagged, relayMAC: .zero, vrf: 0, pool: "", address: IPv4Address(rawValue: UInt32(number)),
        clientID: [],
        option82: [], hostName: "", started: .zero, leaseExpires: .zero,
        grant: ServiceGrant(source: .radius, userName: user))
    var details = IPv6Details()
    details.link = .init(prefix: try #require(IPv6Prefix("2001:db8:0:\(number)::/64")), pool: "links")
    record.ipv6 = details
    return record
}

@Suite struct SessionIndexTests {
    @Test func `what several sessions share leads to all of them, what one has to it alone`() throws {
        var index = SessionIndex()
        let records = try (1...3).map { try record($0, user: $0 == 3 ? "other" : "family") }
        // Again with every change of a session.
        for record in records + records { index.add(record) }
        var target = DynamicAuthorization.Target()
        target.portID = "edge1/access0:100.7"
        let ids = records.map(\.id)
        #expect(Set(index.candidates(for: target)) == Set(ids))
        #expect(Set(index.candidates(user: "family")) == Set(ids[..<2]) && index.candidates(user: "other") == [ids[2]])
        target.prefixes = [try #require(records[1].ipv6?.link?.prefix)]
        #expect(index.candidates(for: target) == [ids[1]])
        index.forget(target.prefixes, of: ids[0])
        #expect(index.candidates(for: target) == [ids[1]], "another session's prefix is not forgotten")
        index.forget(target.prefixes, of: ids[1])
        #expect(index.candidates(for: target).isEmpty)
    }

    @Test func `removing one by one leaves nothing behind`() throws {
        var index = SessionIndex()
        let records = try (1...3).map { try record($0, user: "family") }
        for record in records { index.add(record) }
        for (gone, record) in records.enumerated() {
            index.remove(record)
            let left = records.map(\.id)[(gone + 1)...]
            #expect(Set(index.candidates(user: "family")) == Set(left))
            var target = DynamicAuthorization.Target()
            target.mac = record.line.mac
            #expect(index.candidates(for: target).isEmpty)
            target.mac = records.last?.line.mac
            #expect(index.candidates(for: target).count == (left.isEmpty ? 0 : 1))
        }
        for record in records { index.add(record) }
        #expect(Set(index.candidates(user: "family")) == Set(records.map(\.id)))
    }
}
