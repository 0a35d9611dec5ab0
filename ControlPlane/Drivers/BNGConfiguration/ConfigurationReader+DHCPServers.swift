// SPDX-License-Identifier: Apache-2.0
// Reads `dhcp-servers:` and checks the pools that name one of them.

import BNGCore
import Yams

extension ConfigurationReader {
    mutating func readDHCPServers(_ node: Node) {
        let path = "dhcp-servers[\(self.dhcpServersPlaces.count)]"
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return }
        let name = reader.text("name", "a name", required: true)
        let ipv4 = self.readFamily(&reader, "ipv4", "local-ipv4", port: 67) { IPv4Address($0) != nil }
        let ipv6 = self.readFamily(&reader, "ipv6", "local-ipv6", port: 547) { IPv6Address($0) != nil }
        var settings = DHCPServersSettings(name: name ?? "", ipv4: ipv4, ipv6: ipv6)
        settings.timeoutMs = reader.milliseconds("timeout", 100...10_000) ?? settings.timeoutMs
        settings.retries = reader.integer("retries", 0...5) ?? settings.retries
        settings.outstanding = reader.integer("outstanding", 1...4_096) ?? settings.outstanding
        settings.holdDownMs = reader.milliseconds("hold-down", 1_000...3_600_000) ?? settings.holdDownMs
        settings.identity = reader.choice("client-identity", DHCPServersSettings.Identity.self) ?? .client
        reader.finish()
        if reader.node("ipv4") == nil, reader.node("ipv6") == nil {
            self.problems.add(node, "\(path): expected ipv4, ipv6 or both")
        }
        self.configuration.dhcpServers.append(settings)
        self.dhcpServersPlaces.append(node)
    }

    private func readFamily(
        _ reader: inout MappingReader, _ key: String, _ localKey: String, port: Int,
        _ isAddress: @escaping (String) -> Bool
    ) -> DHCPServersSettings.Family? {
        let bracketed = port == 547
        let expected =
            bracketed ? "an IPv6 address, or [ADDRESS]:PORT" : "an IPv4 address, or ADDRESS:PORT"
        let parse = { (text: String) -> HostPort? in
            if isAddress(text) { return HostPort(host: text, port: port) }
            guard let both = HostPort(text), isAddress(both.host), text.hasPrefix("[") == bracketed else { return nil }
            return both
        }
        let servers = reader.list(key, required: reader.node(key) != nil).compactMap {
            self.problems.parse($0, reader.name(key), expected, parse)
        }
        if servers.count > 8 {
            self.problems.add(reader.place(of: key), "\(reader.name(key)): expected at most 8 servers")
        }
        for (index, server) in servers.enumerated() where servers[..<index].contains(server) {
            self.problems.add(reader.place(of: key), "\(reader.name(key)): \(server.host) is given twice")
        }
        guard reader.node(key) != nil else {
            if reader.node(localKey) != nil {
                self.problems.add(reader.place(of: localKey), "\(reader.name(localKey)): expected only with \(key)")
            }
            return nil
        }
        let local = reader.value(localKey, expected, required: true, parse)
        if let host = local?.host, host == "0.0.0.0" || host == "::" {
            self.problems.add(
                reader.place(of: localKey), "\(reader.name(localKey)): expected an address of this host, not \(host)")
        }
        guard let local, !servers.isEmpty else { return nil }
        return .init(servers: servers, local: local)
    }

    /// What an external pool says beside the name of its servers.
    func checkExternal(_ reader: MappingReader, _ path: String, lease: Seconds?) {
        for key in ["static", "allocation"] where reader.has(key) {
            self.problems.add(
                reader.place(of: key),
                "\(path).\(key): expected only without external: the servers decide who gets what")
        }
        // The server's lease must be twice as long, in 32 bits.
        if let lease, lease.value > UInt32.max / 2 {
            self.problems.add(
                reader.place(of: "lease"), "\(path).lease: expected at most \(UInt32.max / 2)s in an external pool")
        }
    }

    func checkExternalPools() {
        let all = self.configuration.dhcpServers
        self.unique(all.map(\.name), self.dhcpServersPlaces, "dhcp-servers: the name")
        for (key, family) in [("local-ipv4", \DHCPServersSettings.ipv4), ("local-ipv6", \.ipv6)] {
            let locals = zip(all, self.dhcpServersPlaces).filter { $0.0[keyPath: family] != nil }
            self.unique(
                locals.compactMap { $0.0[keyPath: family].map { "\($0.local.host) port \($0.local.port)" } },
                locals.map(\.1), "dhcp-servers: \(key)")
        }
        for (pool, place) in zip(self.configuration.pools, self.poolPlaces) {
            guard let name = pool.external else { continue }
            self.checkServers(name, of: "pools: \(pool.name)", place, "ipv4") { $0.ipv4 != nil }
            if pool.ranges.isEmpty {
                self.problems.add(place, "pools: \(pool.name): expected ranges: the addresses the servers may give")
            }
        }
        for (pool, place) in zip(self.configuration.prefixPools, self.prefixPoolPlaces) {
            guard let name = pool.external else { continue }
            self.checkServers(name, of: "prefix-pools: \(pool.name)", place, "ipv6") { $0.ipv6 != nil }
        }
        for (domain, place) in zip(self.configuration.accessDomains, self.domainPlaces) {
            guard let name = domain.ipv6?.linkPool else { continue }
            if self.configuration.prefixPools.contains(where: { $0.name == name && $0.external != nil }) {
                self.problems.add(
                    place,
                    "access-domains: \(domain.name): link-pool \(name) is external: a line's own prefix is not asked of servers"
                )
            }
        }
    }

    private func checkServers(
        _ name: String, of pool: String, _ place: Node, _ family: String, _ has: (DHCPServersSettings) -> Bool
    ) {
        guard let servers = self.configuration.dhcpServers.first(where: { $0.name == name }) else {
            return self.problems.add(place, "\(pool): there is no entry \"\(name)\" of dhcp-servers")
        }
        if !has(servers) { self.problems.add(place, "\(pool): dhcp-servers \(name) has no \(family) servers") }
    }
}
