// SPDX-License-Identifier: Apache-2.0
// `dhcp-servers:` and the pools that name them: what is read, and what is said of mistakes.

import BNGCore
import Testing

@testable import BNGConfiguration

private func file(_ servers: String, pool: String = "ranges: [10.0.0.2-10.0.0.9], external: kea") -> String {
    """
    controller: {id: 1, state: /tmp/s}
    agents: {listen: [{unix: /tmp/a}]}
    access-domains: [{name: metro, id: 1, pool: main, server-identity: 10.0.0.1}]
    nodes: [{name: edge1, ports: [{name: access0, role: access, access-domain: metro}]}]
    pools: [{name: main, prefix: 10.0.0.0/16, gateway: 10.0.0.1, lease: 1h, \(pool)}]
    dhcp-servers: \(servers)
    """
}

private func problems(_ text: String) -> [String] {
    do {
        _ = try ControllerConfiguration(yaml: text, file: "f")
        return []
    } catch {
        return error.problems.map(\.message)
    }
}

private let kea = "[{name: kea, ipv4: [192.0.2.10, \"192.0.2.11:1067\"], local-ipv4: 192.0.2.1}]"

@Suite struct DHCPServersSettingsTests {
    @Test func `servers and their pool`() throws {
        let configuration = try ControllerConfiguration(yaml: file(kea), file: "f")
        let servers = try #require(configuration.dhcpServers.first)
        #expect(
            servers.ipv4?.servers
                == [HostPort(host: "192.0.2.10", port: 67), HostPort(host: "192.0.2.11", port: 1_067)])
        #expect(servers.ipv4?.local == HostPort(host: "192.0.2.1", port: 67))
        #expect((servers.timeoutMs, servers.retries, servers.outstanding) == (1_000, 2, 256))
        #expect(servers.identity == .client && configuration.pools.first?.external == "kea")
    }

    @Test(arguments: [
        ("[{name: kea}]", "dhcp-servers[0]: expected ipv4, ipv6 or both"),
        ("[{name: kea, ipv4: [], local-ipv4: 192.0.2.1}]", "dhcp-servers[0].ipv4: expected at least one entry"),
        ("[{name: kea, ipv4: [192.0.2.10]}]", "dhcp-servers[0].local-ipv4 is missing"),
        (
            "[{name: kea, ipv4: [\"2001:db8::1\"], local-ipv4: 192.0.2.1}]",
            "dhcp-servers[0].ipv4: expected an IPv4 address"
        ),
        ("[{name: kea, ipv4: [192.0.2.10, 192.0.2.10], local-ipv4: 192.0.2.1}]", "192.0.2.10 is given twice"),
        ("[{name: kea, ipv4: [192.0.2.10], local-ipv4: 0.0.0.0}]", "expected an address of this host"),
        (
            "[{name: kea, ipv4: [192.0.2.10], local-ipv4: 192.0.2.1, timeout: 10ms}]",
            "dhcp-servers[0].timeout: expected"
        ),
        ("[{name: kea, ipv4: [192.0.2.10], local-ipv4: 192.0.2.1, client-identity: mac}]", "client | line"),
        ("[{name: other, ipv4: [192.0.2.10], local-ipv4: 192.0.2.1}]", "there is no entry \"kea\" of dhcp-servers"),
        (
            "[{name: kea, ipv4: [192.0.2.10], local-ipv4: 192.0.2.1}, {name: b, ipv4: [192.0.2.10], local-ipv4: 192.0.2.1}]",
            "dhcp-servers: local-ipv4 \"192.0.2.1 port 67\" is given twice"
        ),
    ])
    func `mistakes of servers`(servers: String, message: String) {
        #expect(problems(file(servers)).contains { $0.contains(message) }, "\(problems(file(servers)))")
    }

    @Test(arguments: [
        ("external: kea", "expected ranges"),
        (
            "ranges: [10.0.0.2-10.0.0.9], external: kea, allocation: ring",
            "pools[0].allocation: expected only without external"
        ),
        (
            "ranges: [10.0.0.2-10.0.0.9], external: kea, static: [{mac: \"02:00:00:00:00:01\", address: 10.0.0.99}]",
            "pools[0].static: expected only without external"
        ),
    ])
    func `mistakes of pools`(pool: String, message: String) {
        #expect(problems(file(kea, pool: pool)).contains { $0.contains(message) }, "\(problems(file(kea, pool: pool)))")
    }

    @Test func `a lease of which the servers cannot give twice as much`() {
        let text = file(kea).replacing("lease: 1h", with: "lease: 30000d")
        #expect(problems(text).contains { $0.contains("pools[0].lease: expected at most") })
    }

    private static let ipv6 =
        "[{name: kea, ipv6: [\"2001:db8::10\", \"[2001:db8::11]:1547\"], local-ipv6: \"2001:db8::1\"}]"

    private static func file6(_ pool: String, domain: String = "") -> String {
        file(ipv6, pool: "ranges: [10.0.0.2-10.0.0.9]").replacing(
            "server-identity: 10.0.0.1}", with: "server-identity: 10.0.0.1\(domain)}")
            + "\nprefix-pools: [{name: homes, prefixes: [\"2001:db8:4000::/36\"], length: 56, \(pool)}]"
    }

    @Test func `servers of prefixes and addresses`() throws {
        let configuration = try ControllerConfiguration(yaml: Self.file6("external: kea"), file: "f")
        #expect(
            configuration.dhcpServers.first?.ipv6?.servers
                == [HostPort(host: "2001:db8::10", port: 547), HostPort(host: "2001:db8::11", port: 1_547)])
        let pool = try #require(configuration.prefixPools.first)
        #expect(pool.external == "kea" && pool.linkAddress == IPv6Address("2001:db8:4000::"))
        let other = try ControllerConfiguration(
            yaml: Self.file6("external: kea, link-address: \"2001:db8:1::1\""), file: "f")
        #expect(other.prefixPools.first?.linkAddress == IPv6Address("2001:db8:1::1"))
    }

    @Test(arguments: [
        ("external: other", "", "there is no entry \"other\" of dhcp-servers"),
        ("link-address: \"2001:db8:1::1\"", "", "link-address: expected only in an external pool"),
        ("external: kea, link-address: \"fe80::1\"", "", "link-address: expected a routable IPv6 address"),
        (
            "external: kea, static: [{mac: \"02:00:00:00:00:01\", prefix: \"2001:db8:4000::/56\"}]", "",
            "static: expected only without external"
        ),
        (
            "external: kea}, {name: lines, prefixes: [\"2001:db8:100::/40\"], length: 64, external: kea",
            ", ipv6: {link-pool: lines}", "link-pool lines is external"
        ),
    ])
    func `mistakes of prefix pools`(pool: String, domain: String, message: String) {
        let found = problems(Self.file6(pool, domain: domain))
        #expect(found.contains { $0.contains(message) }, "\(found)")
    }

    @Test func `servers of the wrong family`() {
        let found = problems(file(Self.ipv6))
        #expect(found.contains { $0.contains("pools: main: dhcp-servers kea has no ipv4 servers") }, "\(found)")
    }
}
