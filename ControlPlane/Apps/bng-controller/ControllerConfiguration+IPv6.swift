// SPDX-License-Identifier: Apache-2.0
// IPv6 of the configuration in the words of the subscriber plane.

import BNGConfiguration
import BNGCore
import DHCPv6
import Foundation
import NeighborDiscovery
import Store
import SubscriberDriver

extension ControllerConfiguration {
    /// - Parameter serverID: our DUID.
    func ipv6Policies(serverID: DUID) -> [AccessDomainID: IPv6Policy] {
        var policies: [AccessDomainID: IPv6Policy] = [:]
        for domain in self.accessDomains {
            guard let settings = domain.ipv6 else { continue }
            policies[domain.id] = IPv6Policy(
                vrf: self.vrf(of: domain) ?? 0, linkLocal: settings.linkLocal, address: settings.address,
                linkPool: settings.linkPool, addressPool: settings.addressPool, delegationPool: settings.delegationPool,
                router: settings.router,
                advertisementInterval: settings.advertisementInterval, isOnLink: settings.isOnLink,
                dhcpv6: settings.dhcpv6(serverID: serverID))
        }
        return policies
    }

    private var relayAddresses: [IPv6Address] {
        self.nodes.flatMap(\.ports).flatMap(\.trustedRelays).flatMap(\.ipv6)
    }

    var prefixPoolPolicies: [PrefixPoolPolicy] {
        self.prefixPools.map { pool in
            var policy = PrefixPoolPolicy(
                name: pool.name, vrf: pool.vrf, prefixes: pool.prefixes, length: pool.length,
                quarantine: pool.quarantine)
            (policy.statics, policy.excluded, policy.alarmPercent) = (pool.statics, pool.excluded, pool.alarmPercent)
            policy.external = self.external(pool.external, link: .v6(pool.linkAddress))
            guard pool.length == 128 else { return policy }
            // The first address of a subnet is its routers' (RFC 4291 2.6.1), and so are the relays' own.
            for prefix in pool.prefixes where prefix.length < 127 {
                policy.excluded.insert(IPv6Prefix(holding: prefix.first, length: 128))
            }
            policy.excluded.formUnion(self.relayAddresses.map { IPv6Prefix(holding: $0, length: 128) })
            return policy
        }
    }
}

extension IPv6Settings {
    /// What advertisements say, but for the line's prefix.
    fileprivate var router: RouterConfiguration {
        var router = RouterConfiguration()
        (router.hopLimit, router.isManaged, router.hasOtherConfiguration) = (
            self.hopLimit, self.isManaged, self.hasOtherConfiguration
        )
        (router.preference, router.lifetime) = (self.routerPreference, UInt16(clamping: self.routerLifetime.value))
        (router.mtu, router.nameServers, router.searchList) = (self.mtu, self.dns, self.search)
        // What an advertisement says must outlast the wait for the next two.
        let names = max(self.routerLifetime.value, 3 * self.advertisementInterval.value)
        router.nameLifetime = names
        router.pref64 = self.nat64Prefix.flatMap { PREF64(prefix: $0, lifetime: names) }
        return router
    }

    fileprivate func dhcpv6(serverID: DUID) -> DHCPv6Configuration {
        var configuration = DHCPv6Configuration(serverID: serverID)
        (configuration.preferred, configuration.valid) = (self.preferredLifetime.value, self.validLifetime.value)
        (configuration.renewal, configuration.rebinding) = (self.renewal.value, self.rebinding.value)
        (configuration.allowsRapidCommit, configuration.preference) = (self.rapidCommit, self.preference)
        if !self.dns.isEmpty { configuration.options.append(.nameServers(self.dns)) }
        if !self.search.isEmpty { configuration.options.append(.searchList(self.search)) }
        return configuration
    }
}

extension Store {
    /// Our DHCPv6 identity (RFC 6355): drawn once, so that neither a restart nor other hardware makes clients look for a new server.
    func dhcpv6ServerID() throws -> DUID {
        let fresh = UUID().uuid
        let drawn = withUnsafeBytes(of: fresh) { Array($0) }
        let kept = try self.secret("dhcpv6-server-id", orKeep: drawn)
        guard let duid = DUID([0, 4] + kept) else {
            throw StartError(description: "the stored DHCPv6 server identifier has \(kept.count) bytes, expected 16")
        }
        return duid
    }
}
