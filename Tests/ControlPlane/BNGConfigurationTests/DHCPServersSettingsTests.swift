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
        ("[{name: kea}]", "dhcp-servers[0]: expected ipv4"),
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
            "dhcp-servers: the local-ipv4 \"192.0.2.1:67\" is given twice"
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
}
