// SPDX-License-Identifier: Apache-2.0
// What one part of the file says of another: names that must exist, must be unique, and addresses that must not meet.

import BNGCore
import Fleet
import Yams

extension ConfigurationReader {
    mutating func checkReferences() {
        let configuration = self.configuration
        self.unique(configuration.pools.map(\.name), self.poolPlaces, "pools: the name")
        self.unique(configuration.accessDomains.map(\.name), self.domainPlaces, "access-domains: the name")
        self.unique(configuration.accessDomains.map { "\($0.id)" }, self.domainPlaces, "access-domains: the id")
        self.unique(configuration.nodes.map(\.name), self.nodePlaces, "nodes: the name")
        self.checkPools()
        self.checkPrefixPools()
        self.checkNAT()
        self.checkExternalPools()
        self.checkDomains()
        self.checkIPv6()
        for index in configuration.nodes.indices { self.checkNode(index) }
        self.checkPolicy()
    }

    func unique(_ names: [String], _ places: [Node], _ what: String) {
        var seen: Set<String> = []
        for (name, place) in zip(names, places) where !seen.insert(name).inserted {
            self.problems.add(place, "\(what) \"\(name)\" is given twice")
        }
    }

    private func checkPools() {
        let pools = self.configuration.pools
        for (index, pool) in pools.enumerated() {
            for other in pools[..<index] where other.vrf == pool.vrf && other.prefix.overlaps(pool.prefix) {
                self.problems.add(
                    self.poolPlaces[index],
                    "pools: \(pool.name) (\(pool.prefix)) overlaps \(other.name) (\(other.prefix)) in vrf \(pool.vrf)")
            }
        }
    }

    private func checkDomains() {
        let pools = Dictionary(self.configuration.pools.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var identities: [String: (identity: IPv4Address, domain: String)] = [:]
        for (domain, place) in zip(self.configuration.accessDomains, self.domainPlaces) {
            let where_ = "access-domains: \(domain.name)"
            if domain.serverIdentity != .zero, !domain.serverIdentity.isUnicastHost {
                self.problems.add(place, "\(where_): server-identity \(domain.serverIdentity) is not a unicast address")
            }
            for name in domain.pools {
                guard let pool = pools[name] else {
                    self.problems.add(place, "\(where_): there is no pool \"\(name)\"")
                    continue
                }
                // A pool's template carries one server identity.
                if let other = identities[name], other.identity != domain.serverIdentity {
                    self.problems.add(
                        place,
                        "\(where_): pool \(name) serves \(other.domain) too, with another server-identity"
                            + " (\(other.identity)); expected the same")
                }
                identities[name] = (domain.serverIdentity, domain.name)
                if pool.vrf != pools[domain.pools[0]]?.vrf {
                    self.problems.add(place, "\(where_): expected all pools in one vrf")
                }
            }
            for pool in self.configuration.pools where pool.vrf == domain.pools.first.flatMap({ pools[$0]?.vrf }) {
                if let range = pool.ranges.first(where: { $0.contains(domain.serverIdentity) }) {
                    self.problems.add(
                        place,
                        "\(where_): server-identity \(domain.serverIdentity) lies in range \(range) of \(pool.name)")
                }
                if pool.statics.values.contains(domain.serverIdentity) {
                    self.problems.add(
                        place,
                        "\(where_): server-identity \(domain.serverIdentity) is a static address of \(pool.name)")
                }
            }
        }
    }

    private func checkNode(_ index: Int) {
        let node = self.configuration.nodes[index]
        self.unique(node.ports.map(\.name), self.portPlaces[index], "nodes: \(node.name): the port")
        self.unique(
            node.routes.map { "\($0.prefix) (vrf \($0.vrf))" }, self.routePlaces[index],
            "nodes: \(node.name): the route")
        let access = zip(node.ports, self.portPlaces[index]).filter {
            $0.0.role == .access && !$0.0.accessDomain.isEmpty
        }
        self.unique(
            access.map(\.0.accessDomain), access.map(\.1),
            "nodes: \(node.name): one port of a node serves an access domain;")
        for (port, place) in access
        where !self.configuration.accessDomains.contains(where: { $0.name == port.accessDomain }) {
            self.problems.add(
                place, "nodes: \(node.name): port \(port.name): there is no access domain \"\(port.accessDomain)\"")
        }
        for (port, place) in access {
            let pools = self.configuration.accessDomains.first { $0.name == port.accessDomain }?.pools ?? []
            for pool in self.configuration.pools where pools.contains(pool.name) && pool.vrf != port.vrf {
                self.problems.add(
                    place,
                    "nodes: \(node.name): port \(port.name) has vrf \(port.vrf), its pool \(pool.name) \(pool.vrf)")
            }
        }
        let core = node.ports.filter { $0.role == .core }.map(\.name)
        for (route, place) in zip(node.routes, self.routePlaces[index]) {
            if case .gateway(_, let port) = route.via, !port.isEmpty, !core.contains(port) {
                self.problems.add(
                    place, "nodes: \(node.name): route \(route.prefix): there is no core port \"\(port)\"")
            }
            if let pool = self.configuration.pools.first(where: {
                $0.vrf == route.vrf && .v4($0.prefix) == route.prefix
            }) {
                self.problems.add(
                    place, "nodes: \(node.name): route \(route.prefix) is the prefix of pool \(pool.name)")
            }
            let isOf = { (pool: PrefixPoolSettings) in
                pool.vrf == route.vrf && pool.prefixes.contains { .v6($0) == route.prefix }
            }
            if let pool = self.configuration.prefixPools.first(where: isOf) {
                self.problems.add(
                    place, "nodes: \(node.name): route \(route.prefix) is a prefix of pool \(pool.name)")
            }
        }
    }
}
