// SPDX-License-Identifier: Apache-2.0
// Attributes of RFCs and of vendors, values, and the dictionary.

import BNGCore
import RADIUS
import Testing

@Suite struct AttributeTests {
    private func vector(_ name: String) throws -> RADIUSPacket {
        let vector = try #require(PacketVector.all.first { $0.name == name })
        let answer = try #require(vector.answer)
        return try RADIUSCodec.decode(answer.span)
    }

    @Test func `a Vendor-Specific attribute with several sub-attributes comes apart`() throws {
        let attributes = try self.vector("access-signed").attributes
        #expect(attributes.first(.msPrimaryDNS).flatMap { IPv4Address($0) } == IPv4Address("192.0.2.53"))
        #expect(attributes.first(.msSecondaryDNS).flatMap { IPv4Address($0) } == IPv4Address("192.0.2.54"))
        #expect(attributes.values(.classAttribute).map { Array($0) } == [Array("abc".utf8), Array("def".utf8)])
        #expect(attributes.first(.sessionTimeout)?.radiusInteger == 3_600)
    }

    @Test(
        arguments: [
            [], [0, 0, 0, 9], [0, 0, 0, 9, 1], [0, 0, 0, 9, 1, 1], [0, 0, 0, 9, 1, 4, 7], [0, 0, 0, 0, 1, 3, 7],
            [0, 0, 0, 9, 1, 3, 7, 2],
        ] as [[UInt8]])
    func `a Vendor-Specific attribute that cannot come apart stays what it is`(_ value: [UInt8]) {
        var attributes = RADIUSAttributes()
        attributes.append(.vendorSpecific, value)
        #expect(attributes.all == [RADIUSAttribute(key: .vendorSpecific, value: value[...])])
    }

    @Test func `text is cut at a character`() {
        var attributes = RADIUSAttributes()
        attributes.append(.nasIdentifier, text: String(repeating: "é", count: 200))
        #expect(attributes.first(.nasIdentifier)?.radiusText == String(repeating: "é", count: 126))
        let added = attributes.append(.nasIdentifier, text: "")
        #expect(!added)
    }

    @Test func `a value of another length is no number, and bytes are no text`() {
        #expect(([1, 2, 3] as [UInt8])[...].radiusInteger == nil)
        #expect(([0xff, 0xfe] as [UInt8])[...].radiusText == nil)
        #expect(([] as [UInt8])[...].radiusText == nil)
        #expect(([65, 0, 0] as [UInt8])[...].radiusText == "A")
    }

    @Test func `the dictionary knows attributes by name, in any case, and by number`() {
        #expect(RADIUSDictionary.entry(named: "Filter-Id")?.key == .filterID)
        #expect(RADIUSDictionary.entry(named: "mikrotik-rate-limit")?.key == RADIUSAttributeKey(8, vendor: 14_988))
        #expect(RADIUSDictionary.entry(named: "vendor:4874:10")?.name == "ERX-Ingress-Policy-Name")
        #expect(RADIUSDictionary.entry(named: "vendor:99999:3")?.key == RADIUSAttributeKey(3, vendor: 99_999))
        for name in ["", "Filter", "vendor:1:0", "vendor:1:256", "vendor::1", "vendor:0:1", "vendor:1:1:1"] {
            #expect(RADIUSDictionary.entry(named: name) == nil, "\(name)")
        }
        #expect(RADIUSAttributeKey.filterID.description == "Filter-Id")
        #expect(RADIUSAttributeKey(3, vendor: 99_999).description == "vendor:99999:3")
        #expect(RADIUSAttributeKey(240).description == "attribute 240")
    }

    @Test func `no name and no number stands twice in the dictionary`() {
        #expect(Set(RADIUSDictionary.entries.map(\.name)).count == RADIUSDictionary.entries.count)
        #expect(Set(RADIUSDictionary.entries.map(\.key)).count == RADIUSDictionary.entries.count)
    }
}
