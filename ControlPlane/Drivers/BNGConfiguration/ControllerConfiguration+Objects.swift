// SPDX-License-Identifier: Apache-2.0
// What the configuration means for one node: the objects it is to hold, each with the name its id and generation follow from.

import BNGCore
import Fleet

extension ControllerConfiguration {
    /// The configured objects of a node, by name; empty for an unknown node.
    /// - Parameter pppoe: nil: without PPPoE services.
    public func objects(of node: NodeName, pppoe: PPPoEServing? = nil) -> [(name: String, body: ObjectBody)] {
        guard let settings = self.nodes.first(where: { $0.name == node }) else { return [] }
        var objects: [(name: String, body: ObjectBody)] = settings.ports.map { ($0.name, .port(self.policy(of: $0))) }
        let used = Set(settings.ports.map(\.accessDomain))
        let pools = Set(self.accessDomains.filter { used.contains($0.name) }.flatMap(\.pools))
        var identities: Set<String> = []
        for pool in self.pools where pools.contains(pool.name) {
            guard let template = self.template(of: pool), let identity = self.identity(of: pool) else { continue }
            if identities.insert(Self.name(identity)).inserted {
                objects.append((Self.name(identity), .serverIdentity(identity)))
            }
            objects.append((pool.name, .poolTemplate(template)))
            objects.append(
                (
                    Self.routeName(pool.vrf, .v4(pool.prefix)),
                    .route(Route(vrf: pool.vrf, prefix: .v4(pool.prefix), target: .subscribers))
                ))
        }
        objects += self.prefixRoutes(of: settings)
        objects += self.natObjects(of: settings)
        objects += self.routes(of: settings)
        objects += self.filters.map { ($0.name, .filter($0.packetFilter)) }
        for domain in self.accessDomains where used.contains(domain.name) {
            guard let settings = domain.pppoe, let pppoe else { continue }
            objects.append((domain.name, .pppoeService(settings.policy(of: domain, pppoe))))
        }
        if !self.guardRates.isEmpty { objects.append(("guard", .guardRates(self.guardRates))) }
        return objects
    }

    /// The policy a port's agent is told.
    public func policy(of port: PortSettings) -> PortPolicy {
        let domain = self.accessDomains.first { $0.name == port.accessDomain }
        return PortPolicy(
            name: port.name, role: port.role, accessDomain: port.role == .access ? domain?.id ?? 0 : 0, vrf: port.vrf,
            relayTrust: port.relayTrust, trustedRelays: port.trustedRelays.map(\.ipv4), mtu: port.mtu,
            linkLocal: domain?.ipv6?.linkLocal, refusedExtensionHeaders: domain?.ipv6?.refusedExtensionHeaders ?? [])
    }

    /// The template of a pool; nil if no access domain uses it.
    public func template(of pool: Pool) -> PoolTemplate? {
        guard let identity = self.identity(of: pool) else { return nil }
        return PoolTemplate(
            vrf: pool.vrf, serverIdentityID: namedObjectID(.serverIdentity, Self.name(identity)), gateway: pool.gateway,
            prefixLength: pool.prefix.length, lease: pool.lease, renewal: pool.renewal, rebinding: pool.rebinding,
            options: pool.options)
    }

    /// Id of a pool's template on every node.
    public static func templateID(of pool: Pool) -> UInt64 { namedObjectID(.poolTemplate, pool.name) }

    /// The addresses a pool's clients know as their server; nil if no access domain uses the pool.
    public func identity(of pool: Pool) -> ServerIdentity? {
        guard let domain = self.accessDomains.first(where: { $0.pools.contains(pool.name) }) else { return nil }
        // One identity may serve several domains, of which some have IPv6; they agree about its address.
        let ipv6 = self.accessDomains.lazy
            .filter { $0.serverIdentity == domain.serverIdentity && self.vrf(of: $0) == pool.vrf }
            .compactMap(\.ipv6?.address).first
        return ServerIdentity(vrf: pool.vrf, address: domain.serverIdentity, ipv6: ipv6)
    }

    /// The VRF of a domain's pools; nil if it has none that is known.
    public func vrf(of domain: AccessDomain) -> VRF? {
        domain.pools.first.flatMap { name in self.pools.first { $0.name == name }?.vrf }
    }

    private static func name(_ identity: ServerIdentity) -> String { "\(identity.vrf)/\(identity.address)" }
    private static func routeName(_ vrf: VRF, _ prefix: IPPrefix) -> String { "\(vrf)/\(prefix)" }

    /// Whoever is given a prefix by AAA may be given it anywhere in a VRF: a node with IPv6 there knows the pools of all of it.
    private func prefixRoutes(of node: NodeSettings) -> [(name: String, body: ObjectBody)] {
        let used = Set(node.ports.map(\.accessDomain))
        let vrfs = Set(
            self.accessDomains.filter { used.contains($0.name) && $0.ipv6 != nil }.compactMap { self.vrf(of: $0) })
        return self.prefixPools.filter { vrfs.contains($0.vrf) }.flatMap { pool in
            pool.prefixes.map { prefix in
                (
                    Self.routeName(pool.vrf, .v6(prefix)),
                    .route(Route(vrf: pool.vrf, prefix: .v6(prefix), target: .subscribers))
                )
            }
        }
    }

    private func routes(of node: NodeSettings) -> [(name: String, body: ObjectBody)] {
        var objects: [(name: String, body: ObjectBody)] = []
        var hops: Set<String> = []
        for route in node.routes {
            let target: RouteTarget
            let hop: (name: String, body: NextHop)?
            switch route.via {
            case .blackhole: hop = nil
            case .kernel: hop = ("kernel", .kernel)
            case .gateway(let address, let port): hop = ("\(port)/\(address)", .gateway(address, port: port))
            }
            if let hop {
                let id = namedObjectID(.nextHop, hop.name)
                target = route.isUntranslated ? .untranslated(nextHop: id) : .nextHop(id: id)
                if hops.insert(hop.name).inserted { objects.append((hop.name, .nextHop(hop.body))) }
            } else {
                target = .blackhole
            }
            objects.append(
                (
                    Self.routeName(route.vrf, route.prefix),
                    .route(Route(vrf: route.vrf, prefix: route.prefix, target: target))
                ))
        }
        return objects
    }
}

extension FilterSettings {
    /// The filter as nodes hold it.
    var packetFilter: PacketFilter {
        let rules = self.rules.flatMap { rule in
            rule.remotes.map { remote in
                FilterRule(
                    action: rule.action == .permit ? .permit : .deny,
                    direction: rule.direction == .up ? .up : rule.direction == .down ? .down : .both,
                    remote: remote, protocolNumber: rule.transport, remotePorts: rule.ports)
            }
        }
        return PacketFilter(rules: rules, defaultAction: self.defaultAction == .permit ? .permit : .deny)
    }
}

extension FilterSettings.Rule {
    /// On a node no prefix is any address of both families, and one of no bits is none: a family is its two halves.
    fileprivate var remotes: [IPPrefix?] {
        switch self.remote {
        case .v4(let prefix) where prefix.length == 0:
            return [0, 1 << 31].map { IPv4Prefix(IPv4Address(rawValue: $0), length: 1).map { .v4($0) } }
        case .v6(let prefix) where prefix.length == 0:
            return [0, 1].map { prefix.subprefix($0, length: 1).map { .v6($0) } }
        default: return [self.remote]
        }
    }
}
