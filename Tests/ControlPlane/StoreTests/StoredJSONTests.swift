// SPDX-License-Identifier: Apache-2.0
// The JSON written by hand says what the synthesized coding says, property by property, and is read by it.

import BNGCore
import Foundation
import Subscribers
import Testing

@testable import Store

private let awkward = "a \"b\" \\ / \u{0}\u{8}\n\r\t\u{1f}\u{7f} é 😀 \u{2028}"

private func grant() throws -> ServiceGrant {
    var grant = ServiceGrant(source: .radius, userName: awkward)
    (grant.requestedName, grant.plan, grant.pool, grant.filter) = ("", "gold", awkward, "f")
    (grant.address, grant.prefixLength, grant.portLimit) = (IPv4Address(rawValue: .max), 0, .max)
    grant.routes = [try #require(IPv4Prefix("10.0.0.0/8")), try #require(IPv4Prefix("0.0.0.0/0"))]
    grant.forwards = [try #require(PortForward("tcp:5000:80")), try #require(PortForward("udp:*:192.168.1.9:53"))]
    grant.dns = [.zero, IPv4Address(rawValue: 0x0808_0808)]
    grant.ipv6 = try ipv6Grant()
    (grant.sessionTimeout, grant.idleTimeout, grant.interimInterval) = (0, 1, Seconds(.max))
    grant.terminationAction = .reauthenticate
    (grant.rateUp, grant.rateDown) = (LineRate(bitsPerSecond: .max), LineRate(bitsPerSecond: 1, burstBytes: 2))
    (grant.classes, grant.chargeableUser, grant.state) = ([[], [0, 255, 34]], [], [1, 2, 3])
    (grant.replyMessage, grant.authenticationMessage) = (awkward, [83, 61])
    return grant
}

private func ipv6Grant() throws -> IPv6Grant {
    var grant = IPv6Grant()
    grant.linkPrefix = IPv6Prefix("2001:db8:0:1::/64")
    grant.address = IPv6Address("::ffff:192.0.2.1")
    grant.delegatedPrefix = IPv6Prefix("2001:db8:100::/56")
    (grant.interfaceID, grant.linkPool, grant.addressPool, grant.delegationPool) = (.max, "a", "b", awkward)
    grant.routes = [try #require(IPv6Prefix("::/0"))]
    grant.dns = [try #require(IPv6Address("::1")), try #require(IPv6Address("2001:db8:1:2:3:4:5:6"))]
    grant.advertisedRoutes = [try #require(IPv6Prefix("2001:db8::/32"))]
    return grant
}

private func accountingRecord() throws -> AccountingRecord {
    var facts = LineFacts(node: "edge1", port: "access0", accessDomain: .max, sVLAN: 100, cVLAN: 4_094, mac: .zero)
    (facts.circuitID, facts.remoteID, facts.clientID, facts.vendorClass) = ([1], [2, 3], [], [255])
    (facts.hostName, facts.duid, facts.pppoe) = (awkward, [0, 3, 0, 1], .init(id: .max, service: awkward))
    var totals = SessionTotals()
    (totals.upPackets, totals.upBytes, totals.downPackets, totals.downBytes, totals.droppedPackets) = (1, 2, 3, 4, .max)
    (totals.ipv6.upPackets, totals.ipv6.upBytes, totals.ipv6.downPackets, totals.ipv6.downBytes) = (5, 6, 7, 8)
    var record = AccountingRecord(
        sequence: .max, kind: .stop, accountingID: "0001-2", session: 1 << 63, userName: awkward, facts: facts,
        address: IPv4Address(rawValue: 0x6440_0001), classes: [[9], []], at: UTCTime(milliseconds: .max),
        sessionStarted: UTCTime(milliseconds: -5), totals: totals, cause: .adminReset, plan: "gold")
    record.chargeableUser = [0]
    var details = IPv6Details()
    details.link = .init(prefix: try #require(IPv6Prefix("2001:db8:0:1::/64")), pool: awkward)
    details.bindings = [
        .init(isDelegation: true, iaid: .max, resource: .init(prefix: try #require(IPv6Prefix("::/1")), pool: "")),
        .init(isDelegation: false, iaid: 0, resource: .init(prefix: try #require(IPv6Prefix("::2/128")), pool: "p")),
    ]
    (details.clientID, details.requestedOptions, details.expires) = ([0, 1], [23, .max], UTCTime(milliseconds: 7))
    details.stale = [.init(prefix: try #require(IPv6Prefix("2001:db8::/32")), until: UTCTime(milliseconds: 8))]
    details.origin = [UInt8](repeating: 7, count: 16) + [82, 0]
    (record.ipv6, record.interfaceID) = (details, .max)
    return record
}

/// A sample leaves no property out: else a new one could be missing from both sides unseen.
private func isFull(_ value: Any) -> Bool {
    let mirror = Mirror(reflecting: value)
    if mirror.displayStyle == .optional {
        guard let wrapped = mirror.children.first else { return false }
        return isFull(wrapped.value)
    }
    guard mirror.displayStyle == .struct else { return true }
    return mirror.children.allSatisfy { isFull($0.value) }
}

private func object(_ json: some DataProtocol) throws -> NSDictionary {
    try #require(try JSONSerialization.jsonObject(with: Data(json)) as? NSDictionary)
}

@Suite struct StoredJSONTests {
    @Test func `a grant with every property`() throws {
        let grant = try grant()
        #expect(isFull(grant))
        #expect(try object(grant.json.bytes) == object(JSONEncoder().encode(grant)))
        #expect(try JSONDecoder().decode(ServiceGrant.self, from: Data(grant.json.bytes)) == grant)
        #expect(ServiceGrant(stored: grant.stored, userName: "") == grant)
    }

    @Test func `an accounting record with every property`() throws {
        let record = try accountingRecord()
        #expect(isFull(record))
        #expect(try object(record.json.bytes) == object(JSONEncoder().encode(record)))
        #expect(try JSONDecoder().decode(AccountingRecord.self, from: Data(record.json.bytes)) == record)
    }

    @Test func `what is nil or empty`() throws {
        for ipv6 in [nil, IPv6Grant()] {
            var grant = ServiceGrant(source: .cached, userName: "")
            grant.ipv6 = ipv6
            #expect(try object(grant.json.bytes) == object(JSONEncoder().encode(grant)))
            #expect(ServiceGrant(stored: grant.stored, userName: "other") == grant)
        }
        let facts = LineFacts(node: "", port: "", accessDomain: 0, sVLAN: 0, cVLAN: 0, mac: .zero)
        for ipv6 in [nil, IPv6Details()] {
            var record = AccountingRecord(
                sequence: 0, kind: .on, accountingID: "", session: 0, userName: "", facts: facts, address: .zero,
                classes: [], at: .zero, sessionStarted: .zero, totals: SessionTotals(), cause: nil, plan: "")
            record.ipv6 = ipv6
            #expect(try object(record.json.bytes) == object(JSONEncoder().encode(record)))
            #expect(try JSONDecoder().decode(AccountingRecord.self, from: Data(record.json.bytes)) == record)
        }
    }
}
