// SPDX-License-Identifier: Apache-2.0
// What a grant and a plan make of a customer's IPv6.

import BNGCore
import Subscribers
import Testing

private func catalog() throws -> PlanCatalog {
    var gold = ServicePlan(name: "gold")
    (gold.linkPool, gold.addressPool, gold.delegationPool) = ("lines", "hosts", "homes")
    gold.ipv6DNS = [try #require(IPv6Address("2001:db8::53"))]
    return PlanCatalog(
        plans: [gold, ServicePlan(name: "plain")], prefixPools: ["lines": 64, "hosts": 128, "homes": 56, "vip": 64])
}

private func grant(_ plan: String, _ ipv6: IPv6Grant? = nil) -> ServiceGrant {
    var grant = ServiceGrant(source: .local, userName: "x")
    (grant.plan, grant.ipv6) = (plan, ipv6)
    return grant
}

@Suite struct IPv6ProfileTests {
    @Test func `the plan says what the grant does not`() throws {
        let catalog = try catalog()
        #expect(try catalog.profile(of: grant("plain")).ipv6 == IPv6Grant())
        let plan = try catalog.profile(of: grant("gold")).ipv6
        #expect((plan.linkPool, plan.addressPool, plan.delegationPool) == ("lines", "hosts", "homes"))
        #expect(plan.dns.map(\.description) == ["2001:db8::53"])
        var own = IPv6Grant()
        (own.linkPool, own.delegatedPrefix) = ("vip", IPv6Prefix("2001:db8:100::/56"))
        own.dns = [try #require(IPv6Address("2001:db8::54"))]
        own.routes = [try #require(IPv6Prefix("2001:db8:f::/48"))]
        own.interfaceID = 5
        var expected = own
        (expected.addressPool, expected.delegationPool) = ("hosts", "homes")
        #expect(try catalog.profile(of: grant("gold", own)).ipv6 == expected)
        #expect(try catalog.profile(of: grant("plain", own)).ipv6 == own)
    }

    @Test func `a pool nobody knows cannot be served`() throws {
        let catalog = try catalog()
        for pool in [\IPv6Grant.linkPool, \IPv6Grant.addressPool, \IPv6Grant.delegationPool] {
            var own = IPv6Grant()
            own[keyPath: pool] = "other"
            #expect(throws: ProfileProblem.unknownPool("other")) { try catalog.profile(of: grant("gold", own)) }
        }
    }

    @Test func `nor can a pool whose prefixes are too long or too short`() throws {
        let catalog = try catalog()
        func problem(_ pool: WritableKeyPath<IPv6Grant, String?>, _ name: String) -> ProfileProblem? {
            var own = IPv6Grant()
            own[keyPath: pool] = name
            do throws(ProfileProblem) {
                _ = try catalog.profile(of: grant("plain", own))
                return nil
            } catch { return error }
        }
        #expect(problem(\.linkPool, "homes") == .wrongPool("homes", length: 56))
        #expect(problem(\.linkPool, "hosts") == .wrongPool("hosts", length: 128))
        #expect(problem(\.addressPool, "lines") == .wrongPool("lines", length: 64))
        #expect(problem(\.delegationPool, "hosts") == .wrongPool("hosts", length: 128))
        #expect(problem(\.delegationPool, "lines") == nil, "a /64 can be delegated")
    }
}
