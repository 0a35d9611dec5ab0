// SPDX-License-Identifier: Apache-2.0
// CoA-Requests and Disconnect-Requests as Domain's words, and the Error-Cause of those that are refused.

import BNGCore
import RADIUS
import RADIUSContract
import Subscribers
import Testing

@Suite struct DynamicAuthorizationTests {
    private func read(
        _ code: RADIUSCode, _ list: [(RADIUSAttributeKey, [UInt8])]
    ) throws -> DynamicAuthorization {
        let mapping = AttributeMapping(rules: [
            try rule("Filter-Id", "plan:{plan}"), try rule("Mikrotik-Rate-Limit", "{up}/{down}"),
        ])
        let reader = DynamicAuthorizationReader(mapping: mapping, nasAddress: IPv4Address("192.0.2.1"))
        return try reader.read(RADIUSPacket(code: code, identifier: 1, attributes: attributes(list)))
    }

    @Test func `a session is named by every attribute given`() throws {
        let request = try self.read(
            .disconnectRequest,
            [
                (.acctSessionID, text("1-17")), (.userName, text("alice")), (.framedIPAddress, [100, 64, 0, 9]),
                (.callingStationID, text("02-00-00-00-AA-BB")), (.nasPortID, text("edge1/access0")),
                (.nasIdentifier, text("edge1")), (.nasIPAddress, [192, 0, 2, 1]), (.eventTimestamp, number(1)),
                (.proxyState, [1]), (.state, [1]), (.acctTerminateCause, number(6)),
            ])
        var target = DynamicAuthorization.Target()
        target.accountingID = "1-17"
        target.userName = "alice"
        target.address = IPv4Address("100.64.0.9")
        target.mac = MACAddress(rawValue: 0x0200_0000_aabb)
        target.portID = "edge1/access0"
        target.nasIdentifier = "edge1"
        #expect(request == DynamicAuthorization(kind: .disconnect, target: target))
    }

    @Test func `a change says what is to be different`() throws {
        let request = try self.read(
            .changeRequest,
            [
                (.acctSessionID, text("1-17")), (.sessionTimeout, number(60)), (.idleTimeout, number(0)),
                (.acctInterimInterval, number(1)), (.filterID, text("plan:silver")), (.filterID, text("kids")),
                (RADIUSAttributeKey(8, vendor: 14_988), text("1M/2M")), (.classAttribute, [1]), (.classAttribute, [2]),
            ])
        var change = ServiceGrantChange()
        (change.sessionTimeout, change.idleTimeout, change.interimInterval) = (60, 0, 60)
        (change.plan, change.filter) = ("silver", "kids")
        change.rateUp = LineRate(bitsPerSecond: 1_000_000)
        change.rateDown = LineRate(bitsPerSecond: 2_000_000)
        change.classes = [[1], [2]]
        #expect(request.kind == .change(change))
    }

    @Test(
        arguments: [
            (.disconnectRequest, .userName, [], .invalidAttributeValue),
            (.disconnectRequest, .framedIPAddress, [1], .invalidAttributeValue),
            (.disconnectRequest, .callingStationID, text("nobody"), .invalidAttributeValue),
            (.disconnectRequest, .nasIPAddress, [192, 0, 2, 2], .nasIdentificationMismatch),
            (.disconnectRequest, .sessionTimeout, number(1), .unsupportedAttribute),
            (.changeRequest, .sessionTimeout, [1], .invalidAttributeValue),
            (.changeRequest, .framedPool, text("x"), .unsupportedAttribute),
            (.changeRequest, RADIUSAttributeKey(1, vendor: 9), text("x"), .unsupportedAttribute),
            (.changeRequest, .vendorSpecific, [1], .unsupportedAttribute),
            (.changeRequest, .serviceType, number(17), .unsupportedService),
            (.changeRequest, .nasPort, number(1), .unsupportedAttribute),
            (.changeRequest, .replyMessage, text("x"), .missingAttribute),
        ] as [(RADIUSCode, RADIUSAttributeKey, [UInt8], DynamicAuthorizationResult.ErrorCause)])
    func `what cannot be done wholly is refused with its Error-Cause`(
        _ code: RADIUSCode, _ key: RADIUSAttributeKey, _ value: [UInt8],
        _ cause: DynamicAuthorizationResult.ErrorCause
    ) {
        #expect { try self.read(code, [(.acctSessionID, text("1-17")), (key, value)]) } throws: {
            ($0 as? DynamicAuthorizationRefusal)?.cause == cause
        }
    }

    @Test(arguments: [RADIUSCode.disconnectRequest, .changeRequest])
    func `a request that names no session is refused`(_ code: RADIUSCode) {
        #expect { try self.read(code, [(.nasIdentifier, text("edge1"))]) } throws: {
            ($0 as? DynamicAuthorizationRefusal)?.cause == .missingAttribute
        }
    }
}
