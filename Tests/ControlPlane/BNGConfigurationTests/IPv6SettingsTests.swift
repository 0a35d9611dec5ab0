// SPDX-License-Identifier: Apache-2.0
// `ipv6:` of an access domain, `prefix-pools:` and what else of the file speaks of IPv6: values, objects, and every mistake.

import BNGCore
import Fleet
import NeighborDiscovery
import Subscribers
import Testing

@testable import BNGConfiguration

/// A small valid file with IPv6 in it; mistakes are made by replacing part of it.
private let file = """
    controller: {id: 1, state: /tmp/s.sqlite}
    agents: {listen: [{unix: /tmp/a.sock}]}
    access-domains:
      - name: metro
        id: 7
        pool: cgn
        server-identity: 10.0.0.1
        ipv6:
          link-local: fe80::7
          address: 2001:db8:0:ffff::1
          link-pool: lines
          address-pool: hosts
          delegation-pool: homes
          dns: [2001:db8:53::1]
          search: [example.net, a.example]
          preferred-lifetime: 2h
          valid-lifetime: 4h
          router-lifetime: 9000s
          advertisement-interval: 5m
          mtu: 1492
          nat64-prefix: 64:ff9b::/96
          router-preference: high
          hop-limit: 0
          on-link: true
          rapid-commit: false
          preference: 7
          refused-extension-headers: [mobility, hop-by-hop, 253]
      - {name: old, id: 8, pool: plain, server-identity: 10.0.0.1}
    nodes:
      - name: edge1
        ports: [{name: access0, role: access, access-domain: metro}, {name: core0, role: core}]
        routes:
          - {prefix: "::/0", via: fe80::1, port: core0}
          - {prefix: "2001:db8:f000::/36", via: blackhole}
      - {name: edge2, ports: [{name: access0, role: access, access-domain: old}]}
    pools:
      - {name: cgn, prefix: 10.0.0.0/16, gateway: 10.0.0.1, ranges: [10.0.1.0-10.0.1.255], lease: 1h, ipv6-only-preferred: 30m}
      - {name: plain, prefix: 10.1.0.0/16, gateway: 10.1.0.1, ranges: [10.1.1.0-10.1.1.255], lease: 1h}
    prefix-pools:
      - name: lines
        prefixes: ["2001:db8::/40", "2001:db8:4000::/48"]
        length: 64
        excluded: ["2001:db8:0:ffff::/64"]
        static: [{mac: "02:00:00:00:00:01", prefix: "2001:db8:0:1::/64"}]
        quarantine: 5m
        alarm: 80%
      - {name: homes, prefixes: ["2001:db8:1000::/36"], length: 56}
      - {name: hosts, prefixes: ["2001:db8:2000::/64"], length: 128, excluded: ["2001:db8:2000::1"]}
      - {name: far, vrf: 3, prefixes: ["2001:db8::/40"], length: 64}
    filters:
      - name: f
        default: permit
        rules: [{action: deny, remote: "::/0", protocol: icmpv6}, {action: permit, remote: "2001:db8::/32"}, {action: deny, remote: 0.0.0.0/0}]
    plans:
      - {name: gold, link-pool: lines, address-pool: hosts, delegation-pool: homes, dns: [192.0.2.53, "2001:db8:53::2"]}
    """

private func read(_ text: String = file) throws -> ControllerConfiguration {
    try ControllerConfiguration(yaml: text, file: "f")
}

private let mistakes = [
    Mistake("link-local: fe80::7", "link-local: 2001:db8::1", "9:19", "an address of fe80::/10"),
    Mistake("address: 2001:db8:0:ffff::1", "address: fe80::1", "10:16", "a routable IPv6 address"),
    Mistake("address: 2001:db8:0:ffff::1", "address: 2001:db8::1", "4:5", "lies in pool lines: expected it excluded"),
    Mistake("link-pool: lines", "link-pool: nowhere", "4:5", "link-pool: there is no prefix pool \"nowhere\""),
    Mistake("link-pool: lines\n", "link-pool: homes\n", "4:5", "expected a pool of length 64, homes has 56"),
    Mistake("link-pool: lines\n", "link-pool: far\n", "4:5", "pool far is in vrf 3, expected 0"),
    Mistake("address-pool: hosts\n", "address-pool: lines\n", "4:5", "expected a pool of length 128, lines has 64"),
    Mistake("delegation-pool: homes\n", "delegation-pool: hosts\n", "4:5", "a length of at most 64, hosts has 128"),
    Mistake("dns: [2001:db8:53::1]", "dns: [192.0.2.53]", "14:13", "an IPv6 address"),
    Mistake("dns: [2001:db8:53::1]", "dns: [\"ff02::1\"]", "14:12", "expected unicast addresses"),
    Mistake(
        "dns: [2001:db8:53::1]", "dns: [\((1...9).map { "2001:db8::\($0)" }.joined(separator: ", "))]", "14:12",
        "expected at most 8"),
    Mistake("search: [example.net, a.example]", "search: [\"a b\"]", "15:16", "a domain name"),
    Mistake(
        "search: [example.net, a.example]",
        "search: [\((0..<4).map { "\(String(repeating: "x", count: 50))\($0).example" }.joined(separator: ", "))]",
        "15:15", "at most 192 bytes in all, found 244"),
    Mistake("preferred-lifetime: 2h", "preferred-lifetime: 59s", "16:27", "at least 60s"),
    Mistake("valid-lifetime: 4h", "valid-lifetime: 1h", "17:23", "at least the preferred lifetime (7200s)"),
    Mistake("valid-lifetime: 4h", "rebinding: 3h", "17:18", "at most the preferred lifetime (7200s)"),
    Mistake("valid-lifetime: 4h", "renewal: 2h", "17:16", "less than rebinding (5760s)"),
    Mistake("router-lifetime: 9000s", "router-lifetime: 3h", "18:24", "expected 0s to 9000s, found 10800s"),
    Mistake(
        "router-lifetime: 9000s", "router-lifetime: 4m", "18:24", "0s or at least the advertisement interval (300s)"),
    Mistake("advertisement-interval: 5m", "advertisement-interval: 3s", "19:31", "expected 4s to 1800s, found 3s"),
    Mistake("mtu: 1492", "mtu: 1279", "20:12", "from 1280 to 65535"),
    Mistake("nat64-prefix: 64:ff9b::/96", "nat64-prefix: 64:ff9b::/95", "21:21", "of length 32, 40, 48, 56, 64, 96"),
    Mistake("router-preference: high", "router-preference: best", "22:26", "low | medium | high"),
    Mistake("hop-limit: 0", "hop-limit: 256", "23:18", "from 0 to 255"),
    Mistake("on-link: true", "on-link: sometimes", "24:16", "true | false"),
    Mistake("preference: 7\n", "preference: 300\n", "26:19", "from 0 to 255"),
    Mistake("[mobility, hop-by-hop, 253]", "[mobile]", "27:35", "hop-by-hop, destination, routing"),
    Mistake("[mobility, hop-by-hop, 253]", "[mobility, 135]", "27:34", "none of them twice"),
    Mistake("[mobility, hop-by-hop, 253]", "[1, 2, 3, 4, 5, 6, 7, 8, 9]", "27:34", "at most 8 headers"),
    Mistake("hop-limit: 0", "ttl: 0", "23:7", "unknown key access-domains[0].ipv6.ttl"),
    Mistake(
        "pool: plain, server-identity: 10.0.0.1}",
        "pool: plain, server-identity: 10.0.0.1, ipv6: {address: \"2001:db8:1::1\"}}", "28:5",
        "expected 2001:db8:0:ffff::1 as metro has"),
    Mistake("pool: plain, ", "pool: cgn, ", "28:5", "pool cgn prefers IPv6 only: expected ipv6 here"),
    Mistake("access-domain: metro}", "access-domain: metro, mtu: 1000}", "31:13", "an mtu of at least 1280"),
    Mistake("via: fe80::1", "via: 192.0.2.1", "33:31", "a gateway of the prefix's family"),
    Mistake("via: fe80::1", "via: ff02::1", "33:31", "expected a unicast address, found ff02::1"),
    Mistake("2001:db8:f000::/36", "2001:db8:1000::/36", "34:9", "is a prefix of pool homes"),
    Mistake("ipv6-only-preferred: 30m", "ipv6-only-preferred: 299s", "37:120", "at least 5m"),
    Mistake(
        "ipv6-only-preferred: 30m", "ipv6-only-preferred: 30m, options: [{code: 108, u32: 5}]", "37:135",
        "code 108 is given twice"),
    Mistake("name: far", "name: cgn", "49:5", "the name \"cgn\" is a pool's already"),
    Mistake("name: far", "name: homes", "49:5", "the name \"homes\" is given twice"),
    Mistake("vrf: 3, ", "", "49:5", "far (2001:db8::/40) overlaps lines (2001:db8::/40) in vrf 0"),
    Mistake("length: 64\n", "length: 129\n", "42:13", "from 1 to 128"),
    Mistake("length: 64\n", "length: 44\n", "41:33", "2001:db8:4000::/48 has no room for a prefix of length 44"),
    Mistake("2001:db8:4000::/48", "2001:db8:4000:1::/48", "41:33", "a routable IPv6 prefix, host bits zero"),
    Mistake("2001:db8:4000::/48", "fe80::/48", "41:33", "a routable IPv6 prefix"),
    Mistake("2001:db8:4000::/48", "2001:db8:ff::/48", "41:33", "2001:db8:ff::/48 overlaps 2001:db8::/40"),
    Mistake("[\"2001:db8:0:ffff::/64\"]", "[\"2001:db8::/63\"]", "43:16", "of length 64 inside the pool's"),
    Mistake("[\"2001:db8:0:ffff::/64\"]", "[\"2001:db9::/64\"]", "43:16", "of length 64 inside the pool's"),
    Mistake("2001:db8:0:1::/64", "2001:db9::/64", "44:49", "of length 64 inside the pool's"),
    Mistake("2001:db8:0:1::/64", "2001:db8:0:ffff::/64", "44:13", "of 02:00:00:00:00:01 is excluded"),
    Mistake("02:00:00:00:00:01", "01:00:00:00:00:01", "44:20", "a unicast MAC address"),
    Mistake("alarm: 80%", "alarm: 80", "46:12", "a share of the prefixes"),
    Mistake("\"2001:db8:2000::1\"", "\"2001:db8:2001::1\"", "48:77", "of length 128 inside the pool's"),
    Mistake("link-pool: lines,", "link-pool: homes,", "55:5", "plans: gold: link-pool: expected a pool of length 64"),
    Mistake("\"2001:db8:53::2\"", "\"ff02::2\"", "55:86", "expected unicast addresses, found ff02::2"),
]

@Suite struct IPv6SettingsTests {
    @Test func `everything that is said is read`() throws {
        let ipv6 = try #require(try read().accessDomains[0].ipv6)
        #expect(ipv6.linkLocal == .linkLocal(7) && ipv6.address == IPv6Address("2001:db8:0:ffff::1"))
        #expect((ipv6.linkPool, ipv6.addressPool, ipv6.delegationPool) == ("lines", "hosts", "homes"))
        #expect(ipv6.dns.map(\.description) == ["2001:db8:53::1"])
        #expect(ipv6.search.map(\.description) == ["example.net", "a.example"])
        #expect(ipv6.preferredLifetime == 7_200 && ipv6.validLifetime == 14_400)
        #expect(ipv6.renewal == 3_600 && ipv6.rebinding == 5_760, "0.5 and 0.8 of the preferred lifetime")
        #expect(ipv6.routerLifetime == 9_000 && ipv6.advertisementInterval == 300 && ipv6.mtu == 1_492)
        #expect(ipv6.nat64Prefix == IPv6Prefix("64:ff9b::/96") && ipv6.routerPreference == .high)
        #expect(ipv6.hopLimit == 0 && ipv6.isOnLink && !ipv6.rapidCommit && ipv6.preference == 7)
        #expect(ipv6.isManaged && ipv6.hasOtherConfiguration && ipv6.refusedExtensionHeaders == [0, 135, 253])
    }

    @Test func `what is not said has the documented defaults`() throws {
        let start = try #require(file.range(of: "    ipv6:\n"))
        let end = try #require(file.range(of: "  - {name: old"))
        func settings(_ text: String) throws -> IPv6Settings? {
            let changed = file.replacingCharacters(in: start.lowerBound..<end.lowerBound, with: text)
            return try read(changed.replacing(", ipv6-only-preferred: 30m", with: "")).accessDomains[0].ipv6
        }
        #expect(try settings("") == nil)
        #expect(try settings("    ipv6: {}\n") == IPv6Settings())
        let delegating = try #require(try settings("    ipv6: {delegation-pool: homes}\n"))
        #expect(!delegating.isManaged && delegating.hasOtherConfiguration)
        let told = try #require(try settings("    ipv6: {address-pool: hosts, managed: false, other: false}\n"))
        #expect(!told.isManaged && !told.hasOtherConfiguration)
        let searching = try #require(try settings("    ipv6: {search: [a.example]}\n"))
        #expect(!searching.isManaged && searching.hasOtherConfiguration)
    }

    @Test func `pools of prefixes are what the file says`() throws {
        let pools = try read().prefixPools
        #expect(pools.map(\.name) == ["lines", "homes", "hosts", "far"] && pools.map(\.length) == [64, 56, 128, 64])
        #expect(pools[0].prefixes.count == 2 && pools[0].quarantine == 300 && pools[0].alarmPercent == 80)
        #expect(pools[0].excluded.map(\.description) == ["2001:db8:0:ffff::/64"] && pools[3].vrf == 3)
        #expect(pools[0].statics[MACAddress(rawValue: 0x0200_0000_0001)] == IPv6Prefix("2001:db8:0:1::/64"))
        #expect(pools[1].quarantine == 60 && pools[1].alarmPercent == 90 && pools[1].statics.isEmpty)
        #expect(pools[2].excluded.map(\.description) == ["2001:db8:2000::1/128"])
        let configuration = try read()
        #expect(configuration.catalog.prefixPools == ["lines": 64, "homes": 56, "hosts": 128, "far": 64])
        let gold = configuration.plans[0]
        #expect((gold.linkPool, gold.addressPool, gold.delegationPool) == ("lines", "hosts", "homes"))
        #expect(gold.dns.count == 1 && gold.ipv6DNS == [IPv6Address("2001:db8:53::2")])
        #expect(configuration.pools[0].options == [RawDHCPOption(code: 108, data: [0, 0, 7, 8])])
    }

    @Test func `a node with IPv6 is told of its addresses, routes and pools, another is not`() throws {
        let configuration = try read()
        let bodies = configuration.objects(of: "edge1").map(\.body)
        let port = PortPolicy(
            name: "access0", role: .access, accessDomain: 7, linkLocal: .linkLocal(7),
            refusedExtensionHeaders: [0, 135, 253])
        #expect(bodies.contains(.port(port)) && bodies.contains(.port(PortPolicy(name: "core0", role: .core))))
        let identity = ServerIdentity(
            vrf: 0, address: try #require(IPv4Address("10.0.0.1")), ipv6: IPv6Address("2001:db8:0:ffff::1"))
        #expect(bodies.contains(.serverIdentity(identity)))
        let routes = bodies.compactMap { if case .route(let route) = $0 { route } else { nil } }
        let subscribers = routes.filter { $0.target == .subscribers }.map(\.prefix.description)
        #expect(
            subscribers == [
                "10.0.0.0/16", "2001:db8::/40", "2001:db8:4000::/48", "2001:db8:1000::/36", "2001:db8:2000::/64",
            ])
        let hop = namedObjectID(.nextHop, "core0/fe80::1")
        #expect(routes.contains(Route(vrf: 0, prefix: try #require(IPPrefix("::/0")), target: .nextHop(id: hop))))
        #expect(bodies.contains(.nextHop(.gateway(.v6(.linkLocal(1)), port: "core0"))))
        let other = configuration.objects(of: "edge2").map(\.body)
        #expect(other.contains(.port(PortPolicy(name: "access0", role: .access, accessDomain: 8))))
        #expect(other.contains(.serverIdentity(identity)), "an identity is the same wherever it is")
        #expect(other.count { if case .route = $0 { true } else { false } } == 1)
    }

    @Test func `every address of a family is two rules of a filter, as far as there is room`() throws {
        let bodies = try read().objects(of: "edge1").map(\.body)
        let filter = try #require(bodies.compactMap { if case .filter(let filter) = $0 { filter } else { nil } }.first)
        #expect(
            filter.rules.map { $0.remote?.description } == [
                "::/1", "8000::/1", "2001:db8::/32", "0.0.0.0/1", "128.0.0.0/1",
            ])
        #expect(filter.rules.map(\.protocolNumber) == [58, 58, 0, 0, 0] && filter.rules.allSatisfy(\.isValid))
        let full = file.replacing(
            "{action: permit, remote: \"2001:db8::/32\"}",
            with: Array(repeating: "{action: permit}", count: 29).joined(separator: ", "))
        let error = try #require(#expect(throws: ConfigurationError.self) { try read(full) })
        #expect(error.description.contains("at most 32 rules, found 33"))
    }

    @Test(arguments: mistakes) func `a mistake is reported where it is, with what was expected`(_ mistake: Mistake)
        throws
    {
        #expect(file.contains(mistake.change), "the table is out of date")
        let error = try #require(
            #expect(throws: ConfigurationError.self) {
                try read(file.replacing(mistake.change, with: mistake.to, maxReplacements: 1))
            })
        let lines = error.problems.map(\.description)
        #expect(lines.contains { $0.hasPrefix("f:\(mistake.place):") && $0.contains(mistake.words) }, "\(lines)")
    }
}
