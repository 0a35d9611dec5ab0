// SPDX-License-Identifier: Apache-2.0
// What advertisements hold, and what the last one of a line says.

import BNGCore
import NeighborDiscovery
import Testing

struct RouterConfigurationTests {
    private func information(_ text: String, valid: UInt32 = 7_200, preferred: UInt32 = 3_600) throws
        -> PrefixInformation
    {
        PrefixInformation(
            prefix: try #require(IPv6Prefix(text)), isOnLink: false, isAutonomous: true, validLifetime: valid,
            preferredLifetime: preferred)
    }

    private func router() throws -> RouterConfiguration {
        var router = RouterConfiguration()
        router.mtu = 1_492
        router.preference = .high
        router.prefixes = [try self.information("2001:db8:1::/64")]
        router.routes = [RouteInformation(prefix: try #require(IPv6Prefix("2001:db8:7::/48")), lifetime: 900)]
        router.nameServers = [IPv6Address(high: 1, low: 0x53)]
        router.pref64 = PREF64(prefix: try #require(IPv6Prefix("64:ff9b::/96")), lifetime: 1_800)
        return router
    }

    private func prefixes(_ message: RouterAdvertisement) -> [PrefixInformation] {
        message.options.compactMap { if case .prefix(let prefix) = $0 { prefix } else { nil } }
    }

    @Test func `an advertisement says all the line is to know`() throws {
        let message = try self.router().advertisement(stale: [])
        #expect(message.lifetime == 1_800 && message.hopLimit == 64 && message.preference == .high)
        #expect(message.options.contains(.mtu(1_492)))
        #expect(self.prefixes(message) == [try self.information("2001:db8:1::/64")])
        #expect(message.options.contains(.rdnss([IPv6Address(high: 1, low: 0x53)], lifetime: 1_800)))
    }

    @Test func `a prefix that has gone is advertised as worth nothing`() throws {
        let gone = try #require(IPv6Prefix("2001:db8:9::/64"))
        let told = self.prefixes(try self.router().advertisement(stale: [gone]))
        #expect(told.count == 2 && told[1].prefix == gone)
        #expect(told[1].validLifetime == 0 && told[1].preferredLifetime == 0 && told[1].isAutonomous)
    }

    @Test func `the last word takes every lifetime back`() throws {
        let last = try self.router().withdrawn.advertisement(stale: [])
        #expect(last.lifetime == 0 && last.preference == .medium)
        for option in last.options {
            switch option {
            case .prefix(let prefix): #expect(prefix.validLifetime == 0 && prefix.preferredLifetime == 0)
            case .route(let route): #expect(route.lifetime == 0)
            case .rdnss(_, let lifetime), .dnssl(_, let lifetime): #expect(lifetime == 0)
            case .pref64(let pref64): #expect(pref64.lifetime == 0)
            default: break
            }
        }
    }

    @Test func `who is no default router has no preference as one`() throws {
        var router = try self.router()
        router.lifetime = 0
        #expect(router.advertisement(stale: []).preference == .medium)
    }
}
