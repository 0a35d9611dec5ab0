// SPDX-License-Identifier: Apache-2.0
// What other parts of the file say of pools of prefixes: that they exist, have the right length, and meet nothing else.

import BNGCore
import Fleet
import Subscribers
import Yams

extension ConfigurationReader {
    func checkPrefixPools() {
        let pools = self.configuration.prefixPools
        let names = Set(self.configuration.pools.map(\.name))
        self.unique(pools.map(\.name), self.prefixPoolPlaces, "prefix-pools: the name")
        for (index, (pool, place)) in zip(pools, self.prefixPoolPlaces).enumerated() {
            if names.contains(pool.name) {
                self.problems.add(place, "prefix-pools: the name \"\(pool.name)\" is a pool's already")
            }
            for other in pools[..<index] where other.vrf == pool.vrf {
                for prefix in pool.prefixes {
                    guard let met = other.prefixes.first(where: { $0.overlaps(prefix) }) else { continue }
                    self.problems.add(
                        place,
                        "prefix-pools: \(pool.name) (\(prefix)) overlaps \(other.name) (\(met)) in vrf \(pool.vrf)")
                }
            }
        }
    }

    func checkIPv6() {
        for (domain, place) in zip(self.configuration.accessDomains, self.domainPlaces) {
            let name = "access-domains: \(domain.name)"
            guard let ipv6 = domain.ipv6 else {
                self.checkIPv6Only(domain, name, place)
                continue
            }
            let vrf = self.configuration.vrf(of: domain)
            self.checkPool(ipv6.linkPool, "link-pool", IPv6Grant.linkLengths, vrf, name, place)
            self.checkPool(ipv6.addressPool, "address-pool", IPv6Grant.addressLengths, vrf, name, place)
            self.checkPool(ipv6.delegationPool, "delegation-pool", IPv6Grant.delegationLengths, vrf, name, place)
            self.checkAddress(of: domain, vrf, name, place)
        }
        for (node, places) in zip(self.configuration.nodes, self.portPlaces) {
            let domains = Set(self.configuration.accessDomains.filter { $0.ipv6 != nil }.map(\.name))
            for (port, place) in zip(node.ports, places)
            where domains.contains(port.accessDomain) && port.mtu != 0 && port.mtu < 1_280 {
                // RFC 8200 5.
                self.problems.add(place, "nodes: \(node.name): port \(port.name): IPv6 needs an mtu of at least 1280")
            }
        }
    }

    /// Clients that would give up IPv4 for an IPv6 that is not there (RFC 8925 4).
    private func checkIPv6Only(_ domain: AccessDomain, _ name: String, _ place: Node) {
        for pool in self.configuration.pools where domain.pools.contains(pool.name) {
            if pool.options.contains(where: { $0.code == 108 }) {
                self.problems.add(place, "\(name): pool \(pool.name) prefers IPv6 only: expected ipv6 here")
            }
        }
    }

    private func checkPool(
        _ pool: String?, _ key: String, _ lengths: ClosedRange<Int>, _ vrf: VRF?, _ path: String, _ place: Node
    ) {
        guard let pool else { return }
        guard let settings = self.configuration.prefixPools.first(where: { $0.name == pool }) else {
            self.problems.add(place, "\(path): \(key): there is no prefix pool \"\(pool)\"")
            return
        }
        if !lengths.contains(settings.length) {
            let expected =
                lengths.count == 1 ? "length \(lengths.lowerBound)" : "a length of at most \(lengths.upperBound)"
            self.problems.add(
                place, "\(path): \(key): expected a pool of \(expected), \(pool) has \(settings.length)")
        }
        if let vrf, settings.vrf != vrf {
            self.problems.add(place, "\(path): \(key): pool \(pool) is in vrf \(settings.vrf), expected \(vrf)")
        }
    }

    private func checkAddress(of domain: AccessDomain, _ vrf: VRF?, _ path: String, _ place: Node) {
        guard let address = domain.ipv6?.address, let vrf else { return }
        if let pool = self.configuration.prefixPools.first(where: { $0.vrf == vrf && $0.mayGive(address) }) {
            self.problems.add(
                place, "\(path): ipv6.address \(address) lies in pool \(pool.name): expected it excluded there")
        }
        for other in self.configuration.accessDomains
        where other.serverIdentity == domain.serverIdentity && self.configuration.vrf(of: other) == vrf {
            if let met = other.ipv6?.address, met != address {
                self.problems.add(
                    place,
                    "\(path): ipv6.address \(address): expected \(met) as \(other.name) has, beside the same"
                        + " server-identity")
                return
            }
        }
    }

    func checkPrefixPools(of plan: ServicePlan, _ place: Node) {
        let path = "plans: \(plan.name)"
        let served = self.configuration.accessDomains.filter { $0.ipv6 != nil }
        let vrf = served.first.flatMap { self.configuration.vrf(of: $0) }
        let isOneVRF = Set(served.compactMap { self.configuration.vrf(of: $0) }).count == 1
        self.checkPool(plan.linkPool, "link-pool", IPv6Grant.linkLengths, isOneVRF ? vrf : nil, path, place)
        self.checkPool(plan.addressPool, "address-pool", IPv6Grant.addressLengths, isOneVRF ? vrf : nil, path, place)
        self.checkPool(
            plan.delegationPool, "delegation-pool", IPv6Grant.delegationLengths, isOneVRF ? vrf : nil, path, place)
    }
}
