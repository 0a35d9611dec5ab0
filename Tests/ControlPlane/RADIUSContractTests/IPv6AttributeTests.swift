// SPDX-License-Identifier: Apache-2.0
// IPv6 in RADIUS: grants, accounting, sessions named by it; and every form that is refused or left out.

import BNGCore
import RADIUS
import RADIUSContract
import Subscribers
import Testing

/// The value of a prefix attribute: reserved, length, and `count` bytes of the prefix, as many as it needs if nil.
private func prefix(_ text: String, count: Int? = nil) throws -> [UInt8] {
    let prefix = try #require(IPv6Prefix(text))
    return [0, UInt8(prefix.length)] + prefix.address.bytes.prefix(count ?? (prefix.length + 7) / 8)
}

private func address(_ text: String) throws -> [UInt8] { try #require(IPv6Address(text)).bytes }

private func mapped(_ list: [(RADIUSAttributeKey, [UInt8])]) throws -> MappedGrant {
    try AttributeMapping().grant(userName: "asked", attributes(list))
}

private func refusal(_ list: [(RADIUSAttributeKey, [UInt8])]) -> String {
    do {
        _ = try mapped(list)
        return "granted"
    } catch { return "\(error)" }
}

@Suite struct IPv6AttributeTests {
    @Test func `each attribute has its place in the grant`() throws {
        let mapped = try mapped([
            (.framedInterfaceID, [0, 0, 0, 0, 0, 0, 1, 5]), (.framedIPv6Prefix, prefix("2001:db8:0:1::/64", count: 16)),
            (.delegatedIPv6Prefix, prefix("2001:db8:100::/56")), (.framedIPv6Address, address("2001:db8::9")),
            (.framedIPv6Route, text("2001:db8:f::1/48 :: 1")), (.framedIPv6Route, text("2001:db8:e::/64 fe80::1")),
            (.framedIPv6Route, text("2001:db8:d::/64 2001:db8:0:1::7 5 6")),
            (.framedIPv6Route, text("2001:db8:f::/48")),
            (.framedIPv6Route, text("2001:db8:c::/64 2001:db8::9")),
            (.framedIPv6Pool, text("lines")), (.statefulIPv6AddressPool, text("hosts")),
            (.delegatedIPv6PrefixPool, text("homes")), (.dnsServerIPv6Address, address("2001:db8:53::1")),
            (.dnsServerIPv6Address, address("2001:db8:53::2")), (.dnsServerIPv6Address, address("2001:db8:53::1")),
            (.routeIPv6Information, prefix("fd00::/8")),
        ])
        var expected = IPv6Grant()
        expected.interfaceID = 0x105
        expected.linkPrefix = IPv6Prefix("2001:db8:0:1::/64")
        expected.delegatedPrefix = IPv6Prefix("2001:db8:100::/56")
        expected.address = IPv6Address("2001:db8::9")
        (expected.linkPool, expected.addressPool, expected.delegationPool) = ("lines", "hosts", "homes")
        expected.routes = ["2001:db8:f::/48", "2001:db8:e::/64", "2001:db8:d::/64", "2001:db8:c::/64"].compactMap {
            IPv6Prefix($0)
        }
        expected.dns = ["2001:db8:53::1", "2001:db8:53::2"].compactMap { IPv6Address($0) }
        expected.advertisedRoutes = [IPv6Prefix("fd00::/8")].compactMap { $0 }
        #expect(mapped.grant.ipv6 == expected && mapped.ignored.isEmpty)
    }

    @Test func `an answer that says nothing of IPv6 grants nothing of it`() throws {
        #expect(try mapped([(.framedIPAddress, [100, 64, 0, 9])]).grant.ipv6 == nil)
    }

    @Test func `a malformed prefix, address, route or identifier refuses the answer`() throws {
        let malformed: [(RADIUSAttributeKey, [UInt8])] = [
            (.framedInterfaceID, [1, 2, 3, 4, 5, 6, 7]), (.framedInterfaceID, Array(repeating: 0, count: 8)),
            (.framedIPv6Prefix, try prefix("2001:db8::/63")), (.framedIPv6Prefix, try prefix("2001:db8::1/128")),
            (.framedIPv6Prefix, try prefix("fe80::/64")), (.framedIPv6Prefix, []), (.framedIPv6Prefix, [0]),
            (.framedIPv6Prefix, [1] + (try prefix("2001:db8::/64").dropFirst())),
            (.framedIPv6Prefix, try prefix("2001:db8:0:1::/64", count: 7)),
            (.framedIPv6Prefix, [0, 64] + (try address("2001:db8::1"))),
            (.framedIPv6Prefix, [0, 64] + Array(repeating: 0x20, count: 17)),
            (.delegatedIPv6Prefix, try prefix("2001:db8::/65")), (.delegatedIPv6Prefix, [0, 0]),
            (.delegatedIPv6Prefix, try prefix("ff00::/16")),
            (.delegatedIPv6Prefix, [0, 129] + Array(repeating: 0, count: 16)),
            (.framedIPv6Address, [1]), (.framedIPv6Address, try address("fe80::1")),
            (.framedIPv6Address, try address("::1")), (.framedIPv6Address, try address("ff02::1")),
            (.framedIPv6Route, []), (.framedIPv6Route, text("nowhere")), (.framedIPv6Route, text("2001:db8::")),
            (.framedIPv6Route, text("::/0")), (.framedIPv6Route, text("2001:db8::/129")),
            (.framedIPv6Route, text("fe80::/64")), (.framedIPv6Route, text("2001:db8::/48 gateway")),
            (.framedIPv6Route, text("2001:db8::/48 2001:db8::1")), (.framedIPv6Route, text("192.0.2.0/24")),
            (.routeIPv6Information, [0, 8]), (.routeIPv6Information, [0, 4, 0xff]),
        ]
        for (key, value) in malformed {
            #expect(refusal([(key, value)]).hasPrefix("\(key): expected"), "\(key) \(value)")
        }
    }

    @Test func `what a session has one of may not be there twice, and routes have a limit`() throws {
        let twice: [(RADIUSAttributeKey, [UInt8])] = [
            (.framedInterfaceID, [0, 0, 0, 0, 0, 0, 0, 1]), (.framedIPv6Prefix, try prefix("2001:db8:0:1::/64")),
            (.delegatedIPv6Prefix, try prefix("2001:db8:100::/56")), (.framedIPv6Address, try address("2001:db8::9")),
        ]
        for attribute in twice {
            #expect(refusal([attribute]) == "granted")
            #expect(refusal([attribute, attribute]) == "\(attribute.0): expected one, found another")
        }
        let routes = (1...9).map { (RADIUSAttributeKey.framedIPv6Route, text("2001:db8:\($0)::/48")) }
        #expect(refusal(Array(routes.dropLast())) == "granted")
        #expect(refusal(routes) == "Framed-IPv6-Route: expected at most 8")
    }

    @Test func `a malformed pool or DNS server is left out and named`() throws {
        let malformed: [(RADIUSAttributeKey, [UInt8])] = [
            (.framedIPv6Pool, []), (.statefulIPv6AddressPool, [0xff]), (.delegatedIPv6PrefixPool, []),
            (.dnsServerIPv6Address, [1, 2, 3, 4]), (.dnsServerIPv6Address, try address("ff02::1")),
        ]
        for (key, value) in malformed {
            let mapped = try mapped([(key, value)])
            #expect(mapped.ignored == [key] && mapped.grant == ServiceGrant(source: .radius, userName: "asked"))
        }
        let servers = try (1...9).map { (RADIUSAttributeKey.dnsServerIPv6Address, try address("2001:db8::\($0)")) }
        let mapped = try mapped(servers)
        #expect(mapped.grant.ipv6?.dns.count == 8 && mapped.ignored == [.dnsServerIPv6Address])
    }

    // MARK: Accounting

    private func record(_ kind: AccountingRecord.Kind, _ ipv6: IPv6Details?) -> AccountingRecord {
        var totals = SessionTotals()
        (totals.upBytes, totals.downBytes, totals.upPackets, totals.downPackets) = (5 << 32 | 7, 9 << 32 | 11, 13, 17)
        (totals.ipv6.upBytes, totals.ipv6.downBytes) = (4 << 32 | 6, 8 << 32 | 10)
        (totals.ipv6.upPackets, totals.ipv6.downPackets) = (12, 16)
        var record = AccountingRecord(
            sequence: 1, kind: kind, accountingID: "1-17", session: 17, userName: "alice", facts: facts(),
            address: .zero, classes: [], at: .zero, sessionStarted: .zero, totals: totals, cause: nil, plan: "")
        record.ipv6 = ipv6
        return record
    }

    private func details() throws -> IPv6Details {
        func resource(_ text: String) throws -> IPv6Details.Resource {
            .init(prefix: try #require(IPv6Prefix(text)), pool: "p")
        }
        var details = IPv6Details()
        details.link = try resource("2001:db8:0:1::/64")
        details.bindings = [
            .init(isDelegation: true, iaid: 1, resource: try resource("2001:db8:100::/56")),
            .init(isDelegation: false, iaid: 1, resource: try resource("2001:db8::9/128")),
            .init(isDelegation: true, iaid: 2, resource: try resource("2001:db8:200::/60")),
        ]
        return details
    }

    private let erx: [RADIUSAttributeKey] = [
        .erxIPv6InputOctets, .erxIPv6OutputOctets, .erxIPv6InputPackets, .erxIPv6OutputPackets, .erxIPv6InputGigawords,
        .erxIPv6OutputGigawords,
    ]

    @Test(arguments: [AccountingRecord.Kind.start, .interim, .stop])
    func `a record says what the session holds of IPv6`(_ kind: AccountingRecord.Kind) throws {
        var record = self.record(kind, try self.details())
        record.interfaceID = 0x0200_0000_0000_0001
        let sent = NASProfile().accountingRequest(record, identifier: 1, now: .zero).attributes
        #expect(sent.first(.framedIPAddress) == nil)
        #expect(sent.first(.framedInterfaceID) == [2, 0, 0, 0, 0, 0, 0, 1])
        #expect(sent.values(.framedIPv6Prefix).map(Array.init) == [try prefix("2001:db8:0:1::/64")])
        #expect(sent.values(.framedIPv6Address).map(Array.init) == [try address("2001:db8::9")])
        #expect(
            sent.values(.delegatedIPv6Prefix).map(Array.init) == [
                try prefix("2001:db8:100::/56"), try prefix("2001:db8:200::/60"),
            ])
        #expect(
            self.erx.map { sent.first($0)?.radiusInteger }
                == (kind == .start ? Array(repeating: nil, count: 6) : [6, 10, 12, 16, 4, 8]))
        if kind != .start {
            #expect(sent.first(.acctInputOctets)?.radiusInteger == 7, "both families together")
            #expect(sent.first(.acctInputGigawords)?.radiusInteger == 5)
        }
    }

    @Test func `the IPv6 part is not sent where it is not wanted, or where there was none`() throws {
        var profile = NASProfile()
        profile.ipv6Accounting = .none
        let unwanted = profile.accountingRequest(self.record(.stop, try self.details()), identifier: 1, now: .zero)
        #expect(self.erx.allSatisfy { unwanted.attributes.first($0) == nil })
        #expect(unwanted.attributes.first(.acctInputOctets)?.radiusInteger == 7)
        var ipv4 = self.record(.stop, nil)
        ipv4.totals.ipv6 = FamilyTotals()
        let sent = NASProfile().accountingRequest(ipv4, identifier: 1, now: .zero).attributes
        #expect((self.erx + [.framedIPv6Prefix, .framedInterfaceID]).allSatisfy { sent.first($0) == nil })
        let released = NASProfile().accountingRequest(self.record(.stop, nil), identifier: 1, now: .zero).attributes
        #expect(released.first(.erxIPv6InputOctets)?.radiusInteger == 6, "what was counted stays")
    }

    @Test func `the names and numbers are the dictionary's`() {
        let names = [
            "Framed-Interface-Id", "Framed-IPv6-Prefix", "Framed-IPv6-Route", "Framed-IPv6-Pool",
            "Delegated-IPv6-Prefix", "Framed-IPv6-Address", "DNS-Server-IPv6-Address", "Route-IPv6-Information",
            "Delegated-IPv6-Prefix-Pool", "Stateful-IPv6-Address-Pool",
        ]
        let keys: [RADIUSAttributeKey] = [
            .framedInterfaceID, .framedIPv6Prefix, .framedIPv6Route, .framedIPv6Pool, .delegatedIPv6Prefix,
            .framedIPv6Address, .dnsServerIPv6Address, .routeIPv6Information, .delegatedIPv6PrefixPool,
            .statefulIPv6AddressPool,
        ]
        #expect(keys.map(\.description) == names)
        #expect(keys.map { Int($0.type) } == [96, 97, 99, 100, 123, 168, 169, 170, 171, 172])
        #expect(self.erx.map { Int($0.type) } == Array(151...156) && self.erx.allSatisfy { $0.vendor == 4_874 })
        #expect(RADIUSAttributeKey.erxIPv6OutputGigawords.description == "ERX-IPv6-Acct-Output-Gigawords")
    }

    // MARK: RFC 5176

    private func read(_ list: [(RADIUSAttributeKey, [UInt8])]) throws -> DynamicAuthorization {
        try DynamicAuthorizationReader(mapping: AttributeMapping(), nasAddress: nil).read(
            RADIUSPacket(code: .disconnectRequest, identifier: 1, attributes: attributes(list)))
    }

    @Test func `a session is named by what it holds of IPv6`() throws {
        let request = try self.read([
            (.framedIPv6Prefix, prefix("2001:db8:0:1::/64")), (.delegatedIPv6Prefix, prefix("2001:db8:100::/56")),
            (.framedIPv6Address, address("2001:db8::9")), (.framedInterfaceID, [0, 0, 0, 0, 0, 0, 0, 7]),
        ])
        var target = DynamicAuthorization.Target()
        target.prefixes = ["2001:db8:0:1::/64", "2001:db8:100::/56"].compactMap { IPv6Prefix($0) }
        (target.ipv6, target.interfaceID) = (IPv6Address("2001:db8::9"), 7)
        #expect(request == DynamicAuthorization(kind: .disconnect, target: target))
        #expect(try self.read([(.framedIPv6Prefix, prefix("2001:db8:0:1::/64"))]).target.namesSession)
        #expect(try self.read([(.framedIPv6Address, address("2001:db8::9"))]).target.namesSession)
    }

    @Test func `an identifier names no session alone, and what is malformed refuses the request`() throws {
        func cause(_ list: [(RADIUSAttributeKey, [UInt8])]) -> DynamicAuthorizationResult.ErrorCause? {
            do {
                _ = try self.read(list)
                return nil
            } catch { return (error as? DynamicAuthorizationRefusal)?.cause }
        }
        #expect(cause([(.framedInterfaceID, [0, 0, 0, 0, 0, 0, 0, 7])]) == .missingAttribute)
        let malformed: [(RADIUSAttributeKey, [UInt8])] = [
            (.framedIPv6Prefix, [0, 129]), (.delegatedIPv6Prefix, [0]), (.framedIPv6Address, [1]),
            (.framedInterfaceID, [1]),
        ]
        for attribute in malformed { #expect(cause([attribute]) == .invalidAttributeValue, "\(attribute.0)") }
        #expect(cause([(.framedIPv6Pool, text("p"))]) == .unsupportedAttribute)
    }
}
