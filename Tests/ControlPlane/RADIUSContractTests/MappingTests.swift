// SPDX-License-Identifier: Apache-2.0
// Access-Accepts as grants: each attribute, rules, and what is ignored or refuses the answer.

import BNGCore
import RADIUS
import RADIUSContract
import Subscribers
import Testing

@Suite struct MappingTests {
    private func grant(
        _ list: [(RADIUSAttributeKey, [UInt8])], rules: [AttributeRule] = []
    ) throws -> MappedGrant {
        try AttributeMapping(rules: rules).grant(userName: "asked", attributes(list))
    }

    @Test func `each attribute has its place in the grant`() throws {
        let mapped = try self.grant([
            (.userName, text("alice")), (.framedIPAddress, [100, 64, 0, 9]), (.framedIPNetmask, [255, 255, 0, 0]),
            (.framedPool, text("gold")), (.framedRoute, text("203.0.113.0/29 0.0.0.0 1")),
            (.framedRoute, text("203.0.113.8/29 100.64.0.9")), (.sessionTimeout, number(3_600)),
            (.idleTimeout, number(600)), (.acctInterimInterval, number(300)), (.terminationAction, number(1)),
            (.filterID, text("garden")), (.portLimit, number(2)), (.classAttribute, [1]), (.classAttribute, [2, 3]),
            (.state, [9, 9]), (.replyMessage, text("hello ")), (.replyMessage, text("alice")),
            (.serviceType, number(2)),
            (.msSecondaryDNS, [192, 0, 2, 54]), (.msPrimaryDNS, [192, 0, 2, 53]), (RADIUSAttributeKey(7), number(1)),
        ])
        var expected = ServiceGrant(source: .radius, userName: "alice")
        expected.address = IPv4Address("100.64.0.9")
        expected.prefixLength = 16
        expected.pool = "gold"
        expected.routes = [IPv4Prefix("203.0.113.0/29"), IPv4Prefix("203.0.113.8/29")].compactMap { $0 }
        (expected.sessionTimeout, expected.idleTimeout, expected.interimInterval) = (3_600, 600, 300)
        expected.terminationAction = .reauthenticate
        expected.filter = "garden"
        expected.portLimit = 2
        expected.classes = [[1], [2, 3]]
        expected.state = [9, 9]
        expected.replyMessage = "hello alice"
        expected.dns = [IPv4Address("192.0.2.53"), IPv4Address("192.0.2.54")].compactMap { $0 }
        #expect(mapped.grant == expected)
        #expect(mapped.ignored.isEmpty)
    }

    @Test func `an empty answer grants what was asked for, and no more`() throws {
        let mapped = try self.grant([])
        #expect(mapped.grant == ServiceGrant(source: .radius, userName: "asked") && mapped.ignored.isEmpty)
    }

    @Test(arguments: [[255, 255, 255, 255], [255, 255, 255, 254]] as [[UInt8]])
    func `an address that leaves the choice to us is no address`(_ value: [UInt8]) throws {
        #expect(try self.grant([(.framedIPAddress, value)]).grant.address == nil)
    }

    @Test(
        arguments: [
            (RADIUSAttributeKey.framedIPAddress, [1, 2, 3]), (.framedIPAddress, [224, 0, 0, 1]),
            (.framedIPAddress, [0, 0, 0, 0]), (.framedIPAddress, [127, 0, 0, 1]), (.framedRoute, text("nowhere")),
            (.framedRoute, []), (.framedRoute, text("203.0.113.0/29 192.0.2.99")), (.filterID, []), (.filterID, [0xff]),
            (.serviceType, number(6)), (.serviceType, [1]),
        ] as [(RADIUSAttributeKey, [UInt8])])
    func `an answer that would be served wrongly is refused, and says why`(
        _ key: RADIUSAttributeKey, _ value: [UInt8]
    ) {
        #expect { try self.grant([(key, value)]) } throws: { "\($0)".hasPrefix("\(key): expected") }
    }

    @Test(
        arguments: [
            (RADIUSAttributeKey.sessionTimeout, [1]), (.idleTimeout, []), (.acctInterimInterval, [1, 2, 3, 4, 5]),
            (.terminationAction, number(7)), (.terminationAction, number(257)), (.framedIPNetmask, [255, 0, 255, 0]),
            (.framedIPNetmask, [0, 0, 0, 0]), (.portLimit, [1]), (.msPrimaryDNS, [1, 2]), (.framedPool, [0xff]),
            (.userName, []),
        ] as [(RADIUSAttributeKey, [UInt8])])
    func `another malformed attribute is left out and named`(_ key: RADIUSAttributeKey, _ value: [UInt8]) throws {
        let mapped = try self.grant([(key, value)])
        #expect(mapped.ignored == [key])
        #expect(mapped.grant == ServiceGrant(source: .radius, userName: "asked"))
    }

    private func asked(_ credential: AuthorizationRequest.Credential) -> AuthorizationRequest {
        AuthorizationRequest(
            session: SessionID(issuer: 1, counter: 1), userName: "asked", credential: credential, facts: facts())
    }

    @Test func `a client of MS-CHAPv2 is told the server's proof, and without one nothing is granted`() throws {
        let mapping = AttributeMapping()
        let request = self.asked(.msChapV2(identifier: 1, challenge: [], response: []))
        let success = attributes([(.msChap2Success, [1] + text("S=00"))])
        #expect(try mapping.grant(answering: request, success).grant.authenticationMessage == text("S=00"))
        #expect(throws: MappingRefusal.self) { try mapping.grant(answering: request, attributes([])) }
        #expect(throws: MappingRefusal.self) {
            try mapping.grant(answering: request, attributes([(.msChap2Success, [])]))
        }
        #expect(try mapping.grant(answering: self.asked(.line), attributes([])).grant.userName == "asked")
    }

    @Test func `a refusal is told in the words of MS-CHAP-Error, else in those of Reply-Message`() {
        let mapping = AttributeMapping()
        let words: [(RADIUSAttributeKey, [UInt8])] = [(.replyMessage, text("not ")), (.replyMessage, text("you"))]
        #expect(mapping.refusal(attributes(words)) == "not you" && mapping.refusal(attributes([])).isEmpty)
        let error = (RADIUSAttributeKey.msChapError, [1] + text("E=691 R=1"))
        #expect(mapping.refusal(attributes(words + [error])) == "E=691 R=1")
        #expect(mapping.refusal(attributes(words + [(.msChapError, [])])) == "not you")
        #expect(mapping.refusal(attributes(words + [(.msChapError, [1, 0xff])])) == "not you")
    }

    @Test func `an interim interval has a floor, and 0 is none`() throws {
        #expect(try self.grant([(.acctInterimInterval, number(5))]).grant.interimInterval == 60)
        #expect(try self.grant([(.acctInterimInterval, number(0))]).grant.interimInterval == 0)
    }

    @Test func `captures a forward of each attribute, and names what is none`() throws {
        let rules = [try rule("Filter-Id", "forward={forward}")]
        let mapped = try self.grant(
            [
                (.filterID, text("forward=tcp:5000:80")), (.filterID, text("forward=udp:*:192.168.1.9:53")),
                (.filterID, text("forward=tcp:80")),
            ], rules: rules)
        #expect(mapped.grant.forwards?.map(\.description) == ["tcp:5000:80", "udp:*:192.168.1.9:53"])
        #expect(mapped.ignored == [.filterID] && mapped.grant.filter == nil)
    }

    @Test func `the first rule that matches an attribute takes it; another Filter-Id is a filter`() throws {
        let rules = [
            try rule("Filter-Id", "plan:{plan}"), try rule("Filter-Id", "{plan}/{filter}"),
            try rule("Mikrotik-Rate-Limit", "{up}/{down}{*}"), try rule("Mikrotik-Rate-Limit", "{rate}"),
            try rule("WISPr-Bandwidth-Max-Down", "{down}"),
            try rule("ERX-Ingress-Policy-Name", "{up}"),
        ]
        let mikrotik = RADIUSAttributeKey(8, vendor: 14_988)
        let plan = try self.grant([(.filterID, text("plan:gold")), (.filterID, text("kids"))], rules: rules).grant
        #expect(plan.plan == "gold" && plan.filter == "kids")
        let both = try self.grant([(.filterID, text("silver/kids"))], rules: rules).grant
        #expect(both.plan == "silver" && both.filter == "kids")
        let rates = try self.grant([(mikrotik, text("10M/50M 1/1"))], rules: rules).grant
        #expect(rates.rateUp == LineRate(bitsPerSecond: 10_000_000))
        #expect(rates.rateDown == LineRate(bitsPerSecond: 50_000_000))
        let same = try self.grant([(mikrotik, text("5M"))], rules: rules).grant
        #expect(same.rateUp == same.rateDown && same.rateUp == LineRate(bitsPerSecond: 5_000_000))
        let split = try self.grant(
            [
                (RADIUSAttributeKey(8, vendor: 14_122), number(9_000_000)),
                (RADIUSAttributeKey(10, vendor: 4_874), text("2M")),
            ],
            rules: rules
        ).grant
        #expect(split.rateDown == LineRate(bitsPerSecond: 9_000_000))
        #expect(split.rateUp == LineRate(bitsPerSecond: 2_000_000))
        #expect(try self.grant([(mikrotik, text("0/0"))], rules: rules).grant.rateUp == nil)
    }
}
