// SPDX-License-Identifier: Apache-2.0
// The example configuration as values and objects, and every kind of mistake with its place and words.

import Addressing
import BNGCore
import Fleet
import Foundation
import Testing

@testable import BNGConfiguration

private let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

private func example() throws -> String {
    try String(contentsOf: repository.appending(path: "deploy/examples/one-box.yaml"), encoding: .utf8)
}

/// A small valid file; mistakes are made by replacing part of it.
private let small = """
    controller:
      id: 1
      state: /tmp/s.sqlite
    agents:
      listen:
        - unix: /tmp/a.sock
    access-domains:
      - {name: metro, id: 1, pool: main, server-identity: 10.0.0.1}
    nodes:
      - name: edge1
        ports:
          - {name: access0, role: access, access-domain: metro}
          - {name: core0, role: core}
        routes:
          - {prefix: 0.0.0.0/0, via: kernel}
    pools:
      - name: main
        prefix: 10.0.0.0/16
        gateway: 10.0.0.1
        ranges: [10.0.1.0-10.0.1.255]
        lease: 1h
    """

/// One mistake: what is replaced by what, where it is reported, and words of the message.
struct Mistake: Sendable, CustomStringConvertible {
    var change: String
    var to: String
    var place: String
    var words: String

    init(_ change: String, _ to: String, _ place: String, _ words: String) {
        self.change = change
        self.to = to
        self.place = place
        self.words = words
    }

    var description: String { "\(self.to) (\(self.words))" }
}

private let mistakes = [
    Mistake("id: 1\n  state", "id: 0\n  state", "2:7", "a number from 1 to 65535, found \"0\""),
    Mistake("id: 1\n  state", "id: 70000\n  state", "2:7", "from 1 to 65535"),
    Mistake("id: 1\n  state", "id: one\n  state", "2:7", "found \"one\""),
    Mistake("id: 1\n  state", "id: [1]\n  state", "2:7", "found a list"),
    Mistake("  state: /tmp/s.sqlite\n", "", "2:3", "controller.state is missing"),
    Mistake(
        "  state: /tmp/s.sqlite", "  state: /tmp/s.sqlite\n  sync: full", "4:3",
        "unknown key controller.sync: expected one of"),
    Mistake("  state: /tmp/s.sqlite", "  state: /tmp/s.sqlite\n  synchronous: maybe", "4:16", "full | normal"),
    Mistake("  state: /tmp/s.sqlite", "  state: /tmp/s.sqlite\n  shards: 0", "4:11", "from 1 to 64"),
    Mistake("agents:\n", "agents:\n  heartbeat: fast\n", "5:14", "a duration from 10ms"),
    Mistake("agents:\n", "agents:\n  heartbeat: 4s\n  heartbeat-timeout: 5s\n", "6:22", "at least twice the heartbeat"),
    Mistake("- unix: /tmp/a.sock", "- udp: 1", "6:7", "either unix or tls"),
    Mistake("- unix: /tmp/a.sock", "- tls: 0.0.0.0:7401", "6:7", "certificate is missing"),
    Mistake("- unix: /tmp/a.sock", "- {tls: nowhere, certificate: a, key: b, authority: c}", "6:13", "HOST:PORT"),
    Mistake("listen:\n    - unix: /tmp/a.sock", "listen: []", "5:11", "at least one entry"),
    Mistake("pool: main", "pool: other", "8:5", "there is no pool \"other\""),
    Mistake("server-identity: 10.0.0.1", "server-identity: 10.0.1.5", "8:5", "lies in range 10.0.1.0-10.0.1.255"),
    Mistake("server-identity: 10.0.0.1", "server-identity: 224.0.0.1", "8:5", "not a unicast address"),
    Mistake(
        "server-identity: 10.0.0.1}",
        "server-identity: 10.0.0.1}\n  - {name: two, id: 1, pool: main, server-identity: 10.0.0.1}",
        "9:5", "the id \"1\" is given twice"),
    Mistake(
        "server-identity: 10.0.0.1}",
        "server-identity: 10.0.0.1}\n  - {name: two, id: 2, pool: main, server-identity: 10.0.0.2}",
        "9:5", "another server-identity"),
    Mistake("access-domain: metro", "access-domain: nowhere", "12:9", "there is no access domain \"nowhere\""),
    Mistake(", access-domain: metro", "", "12:9", "access-domain is missing"),
    Mistake("role: access,", "role: sideways,", "12:31", "access | core"),
    Mistake("name: core0, role: core", "name: access0, role: core", "13:9", "the port \"access0\" is given twice"),
    Mistake("role: core}", "role: core, relay-trust: none}", "13:48", "only on access ports"),
    Mistake(
        "access-domain: metro", "access-domain: metro, trusted-relays: [10.0.0.9]", "12:77",
        "only with relay-trust: relays"),
    Mistake(
        "access-domain: metro", "access-domain: metro, relay-trust: relays, trusted-relays: [2001:db8::9]", "12:99",
        "an IPv4 address, or a mapping of ipv4 and ipv6, found \"2001:db8::9\""),
    Mistake(
        "access-domain: metro",
        "access-domain: metro, relay-trust: relays, trusted-relays: [{ipv6: [\"2001:db8::9\"]}]", "12:99",
        "trusted-relays[0].ipv4 is missing"),
    Mistake(
        "access-domain: metro",
        "access-domain: metro, relay-trust: relays, trusted-relays: [{ipv4: 10.0.0.9, ipv6: [\"fe80::9\"]}]", "12:123",
        "a routable IPv6 address, found \"fe80::9\""),
    Mistake(
        "access-domain: metro",
        "access-domain: metro, relay-trust: relays, trusted-relays: [10.0.0.8, {ipv4: 10.0.0.9, ipv6: []}]", "12:132",
        "at least one entry"),
    Mistake(
        "access-domain: metro",
        "access-domain: metro, relay-trust: relays, trusted-relays: [10.0.0.9, {ipv4: 10.0.0.9, ipv6: [\"2001:db8::9\"]}]",
        "12:98", "an address is given twice"),
    Mistake(
        "access-domain: metro",
        "access-domain: metro, relay-trust: relays, trusted-relays: [{ipv4: 10.0.0.8, ipv6: [\"2001:db8::9\"]}, {ipv4: 10.0.0.9, ipv6: [\"2001:db8::9\"]}]",
        "12:98", "an address is given twice"),
    Mistake("access-domain: metro", "access-domain: metro, mtu: 100", "12:66", "from 576 to 65535"),
    Mistake("access-domain: metro", "access-domain: metro, vrf: 5", "12:9", "has vrf 5, its pool main 0"),
    Mistake("via: kernel", "via: 192.0.2.1", "15:9", "port is missing"),
    Mistake("via: kernel", "via: 192.0.2.1, port: access0", "15:9", "there is no core port \"access0\""),
    Mistake("via: kernel", "via: kernel, vrf: 3", "15:34", "serves vrf 0 only"),
    Mistake("via: kernel", "via: kernel, nat: all", "15:47", "none: no translation"),
    Mistake("via: kernel", "via: blackhole, nat: none", "15:50", "only with an IPv4 prefix and a next hop"),
    Mistake(
        "0.0.0.0/0, via: kernel", "\"::/0\", via: kernel, nat: none", "15:44", "only with an IPv4 prefix and a next hop"
    ),
    Mistake("via: kernel", "via: somewhere", "15:34", "kernel, blackhole or the address of a gateway"),
    Mistake("prefix: 0.0.0.0/0", "prefix: 10.0.0.1/8", "15:18", "host bits zero"),
    Mistake("prefix: 0.0.0.0/0", "prefix: 10.0.0.0/16", "15:9", "is the prefix of pool main"),
    Mistake("via: kernel}", "via: kernel}\n      - {prefix: 0.0.0.0/0, via: blackhole}", "16:9", "is given twice"),
    Mistake("prefix: 10.0.0.0/16\n", "prefix: 10.0.0.0/33\n", "18:13", "a prefix of length 1-32"),
    Mistake("gateway: 10.0.0.1\n", "gateway: 10.1.0.1\n", "19:14", "a host address of 10.0.0.0/16"),
    Mistake("gateway: 10.0.0.1\n", "gateway: 10.0.0.0\n", "19:14", "a host address of 10.0.0.0/16"),
    Mistake("ranges: [10.0.1.0-10.0.1.255]", "ranges: [10.0.0.0-10.0.1.255]", "20:14", "expected host addresses"),
    Mistake("ranges: [10.0.1.0-10.0.1.255]", "ranges: [10.0.0.1-10.0.1.255]", "20:14", "holds the gateway 10.0.0.1"),
    Mistake("ranges: [10.0.1.0-10.0.1.255]", "ranges: [10.0.1.9-10.0.1.0]", "20:14", "FIRST-LAST"),
    Mistake(
        "ranges: [10.0.1.0-10.0.1.255]", "ranges: [10.0.1.0-10.0.1.255, 10.0.1.255]", "20:35",
        "overlaps 10.0.1.0-10.0.1.255"),
    Mistake("ranges: [10.0.1.0-10.0.1.255]", "quarantine: 1s", "17:5", "expected ranges, static addresses or both"),
    Mistake("lease: 1h", "lease: 30s", "21:12", "at least 60s"),
    Mistake("lease: 1h", "lease: 1.5h", "21:12", "a duration of whole seconds"),
    Mistake("lease: 1h", "lease: 1m1h", "21:12", "a duration of whole seconds"),
    Mistake("lease: 1h", "lease: 1h\n    rebinding: 2h", "22:16", "less than the lease (3600s)"),
    Mistake("lease: 1h", "lease: 1h\n    renewal: 55m", "22:14", "less than rebinding (3150s)"),
    Mistake("lease: 1h", "lease: 1h\n    allocation: random", "22:17", "sticky | ring"),
    Mistake("lease: 1h", "lease: 1h\n    alarm: 0.9", "22:12", "a share of the addresses from 0% to 100%"),
    Mistake("lease: 1h", "lease: 1h\n    alarm: 101%", "22:12", "such as 90%"),
    Mistake("lease: 1h", "lease: 1h\n    dns: [example]", "22:11", "an IPv4 address"),
    Mistake("lease: 1h", "lease: 1h\n    options: [{code: 51, u8: 1}]", "22:22", "belong to the protocol"),
    Mistake("lease: 1h", "lease: 1h\n    options: [{code: 42, u8: 1, u16: 2}]", "22:15", "exactly one of"),
    Mistake("lease: 1h", "lease: 1h\n    options: [{code: 42}]", "22:15", "exactly one of"),
    Mistake("lease: 1h", "lease: 1h\n    options: [{code: 42, u8: 256}]", "22:30", "from 0 to 255"),
    Mistake(
        "lease: 1h", "lease: 1h\n    options: [{code: 42, hex: \"123\"}]", "22:31", "even number of hexadecimal digits"),
    Mistake(
        "lease: 1h", "lease: 1h\n    options: [{code: 42, u8: 1}, {code: 42, u8: 2}]", "22:34", "code 42 is given twice"
    ),
    Mistake(
        "lease: 1h", "lease: 1h\n    domain: a.b\n    options: [{code: 15, text: c.d}]", "23:15",
        "code 15 is given twice"),
    Mistake(
        "lease: 1h", "lease: 1h\n    static: [{mac: \"01:00:00:00:00:01\", address: 10.0.0.9}]", "22:20",
        "a unicast MAC address"),
    Mistake(
        "lease: 1h", "lease: 1h\n    static: [{mac: \"02:00:00:00:00:01\", address: 10.9.0.9}]", "22:50",
        "a host address of 10.0.0.0/16"),
    Mistake(
        "lease: 1h", "lease: 1h\n    static: [{mac: \"02:00:00:00:00:01\", address: 10.0.0.1}]", "22:50",
        "is the gateway"),
    Mistake(
        "lease: 1h",
        "lease: 1h\n    static:\n      - {mac: \"02:00:00:00:00:01\", address: 10.0.0.9}\n      - {mac: \"02:00:00:00:00:02\", address: 10.0.0.9}",
        "24:45", "10.0.0.9 is given twice"),
    Mistake(
        "lease: 1h",
        "lease: 1h\n  - {name: two, prefix: 10.0.8.0/24, gateway: 10.0.8.1, ranges: [10.0.8.9], lease: 1h}",
        "22:5", "overlaps main (10.0.0.0/16) in vrf 0"),
    Mistake(
        "lease: 1h",
        "lease: 1h\n  - {name: main, prefix: 10.8.0.0/24, gateway: 10.8.0.1, ranges: [10.8.0.9], lease: 1h}",
        "22:5", "the name \"main\" is given twice"),
    Mistake(
        "pools:\n", "guard: {arp: {line-pps: 5, line-burst: 0, port-pps: 1, port-burst: 1}}\npools:\n", "16:40",
        "at least 1"),
    Mistake("pools:\n", "guard: {tcp: {}}\npools:\n", "16:9", "unknown key guard.tcp"),
    Mistake("lease: 1h", "lease: 1h\n    lease: 2h", "", "lease"),
    Mistake("lease: 1h", "lease: 1h\n\tx: y", "22:1", "not YAML"),
    Mistake("lease: 1h", "lease: 1h\nsurprise: true", "22:1", "unknown key surprise"),
]

@Suite struct ConfigurationTests {
    @Test func `the example is valid and says what it says`() throws {
        let configuration = try ControllerConfiguration(yaml: example(), file: "one-box.yaml")
        #expect(configuration.controller.id == 1)
        #expect(configuration.controller.shards == 2)
        #expect(configuration.agents.heartbeatTimeoutMs == 5_000)
        #expect(configuration.admin.http == HostPort(host: "127.0.0.1", port: 9_469))
        let pool = try #require(configuration.pools.first)
        #expect(pool.lease == 3_600 && pool.renewal == 1_800 && pool.rebinding == 3_150 && pool.quarantine == 60)
        #expect(pool.options.map(\.code) == [6, 15, 42, 224])
        #expect(pool.options[0].data == [192, 0, 2, 53, 192, 0, 2, 54])
        #expect(pool.options[3].data == [1, 2, 255])
        #expect(pool.statics.count == 1)
        #expect(configuration.nodes[0].ports[0].relayTrust == .relays)
    }

    @Test func `a node's objects refer to each other by id`() throws {
        let configuration = try ControllerConfiguration(yaml: example(), file: "one-box.yaml")
        let objects = configuration.objects(of: "edge1")
        #expect(
            objects.map(\.body.family).sorted()
                == [
                    .port, .port, .serverIdentity, .poolTemplate, .nextHop, .route, .route, .guardRates, .filter,
                    .filter,
                ])
        var ids: Set<ObjectKey> = []
        for (name, body) in objects { ids.insert(ObjectKey(body.family, namedObjectID(body.family, name))) }
        #expect(ids.count == objects.count)
        for (_, body) in objects {
            if case .poolTemplate(let template) = body {
                #expect(ids.contains(ObjectKey(.serverIdentity, template.serverIdentityID)))
                #expect(
                    ids.contains(
                        ObjectKey(.poolTemplate, ControllerConfiguration.templateID(of: configuration.pools[0]))))
            }
            if case .route(let route) = body, case .nextHop(let id) = route.target {
                #expect(ids.contains(ObjectKey(.nextHop, id)))
            }
        }
        let routes = objects.compactMap { if case .route(let route) = $0.body { route } else { nil } }
        #expect(routes.contains { $0.target == .subscribers && $0.prefix == .v4(configuration.pools[0].prefix) })
        #expect(configuration.objects(of: "nobody").isEmpty)
    }

    @Test func `the small file is valid and defaults are filled in`() throws {
        let configuration = try ControllerConfiguration(yaml: small, file: "c")
        #expect(configuration.controller.synchronous == .full)
        #expect(configuration.admin.socket == "/run/bng/admin.sock")
        #expect(configuration.pools[0].renewal == 1_800)
        #expect(configuration.pools[0].rebinding == 3_150)
        #expect(configuration.pools[0].allocation == .sticky && configuration.pools[0].alarmPercent == 90)
        #expect(configuration.nodes[0].ports[0].relayTrust == RelayTrust.none)
    }

    @Test func `a ring pool and its alarm`() throws {
        let text = small.replacing("lease: 1h", with: "lease: 1h\n    allocation: ring\n    alarm: 75%")
        let pool = try #require(ControllerConfiguration(yaml: text, file: "c").pools.first)
        #expect(pool.allocation == .ring && pool.alarmPercent == 75)
    }

    @Test(arguments: mistakes) func `a mistake is reported where it is, with what was expected`(_ mistake: Mistake)
        throws
    {
        #expect(small.contains(mistake.change), "the table is out of date")
        let text = small.replacing(mistake.change, with: mistake.to, maxReplacements: 1)
        do {
            _ = try ControllerConfiguration(yaml: text, file: "c")
            Issue.record("accepted")
        } catch {
            let lines = error.problems.map(\.description)
            #expect(lines.contains { $0.hasPrefix("c:\(mistake.place)") && $0.contains(mistake.words) }, "\(lines)")
        }
    }

    @Test func `all mistakes are reported, in the order of the file`() throws {
        let text = small.replacing("id: 1\n", with: "id: 0\n", maxReplacements: 1)
            .replacing("role: core", with: "role: x").replacing("lease: 1h", with: "lease: 1s")
        do {
            _ = try ControllerConfiguration(yaml: text, file: "c")
            Issue.record("accepted")
        } catch {
            #expect(error.problems.map(\.line) == [2, 13, 21])
        }
    }

    @Test(
        arguments: [
            ("90s", 90_000), ("30m", 1_800_000), ("1h", 3_600_000), ("52m30s", 3_150_000), ("1d", 86_400_000),
            ("250ms", 250),
            ("1d2h3m4s5ms", 93_784_005),
        ] as [(String, UInt64)])
    func `durations are read as people write them`(_ text: String, _ expected: UInt64) {
        #expect(Duration.milliseconds(text) == expected)
    }

    @Test(arguments: ["", "5", "s", "1s1m", "1m1m", "-1s", "1.5h", "1 s", "9999999999s", "1S"])
    func `other durations are refused`(_ text: String) {
        #expect(Duration.milliseconds(text) == nil)
    }
}
