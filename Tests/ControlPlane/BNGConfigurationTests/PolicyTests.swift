// SPDX-License-Identifier: Apache-2.0
// The sections plans, filters and aaa: as values, and every kind of mistake with its place and words.

import BNGCore
import Subscribers
import Testing

@testable import BNGConfiguration

/// A small valid file with all three sections; mistakes are made by replacing part of it.
private let policy = """
    controller: {id: 1, state: /tmp/s.sqlite}
    agents: {listen: [{unix: /tmp/a.sock}]}
    access-domains:
      - {name: metro, id: 1, pool: [cgn, spare], server-identity: 10.0.0.1, user-name: "{circuit-id}@metro"}
      - {name: rural, id: 2, pool: far, server-identity: 10.2.0.1}
    nodes:
      - {name: edge1, ports: [{name: core0, role: core}]}
    pools:
      - {name: cgn, prefix: 10.0.0.0/16, gateway: 10.0.0.1, ranges: [10.0.1.0-10.0.1.255], lease: 1h}
      - {name: spare, prefix: 10.1.0.0/16, gateway: 10.1.0.1, ranges: [10.1.1.0-10.1.1.255], lease: 1h}
      - {name: far, vrf: 7, prefix: 10.2.0.0/16, gateway: 10.2.0.1, ranges: [10.2.1.0-10.2.1.255], lease: 1h}
      - {name: lone, prefix: 10.3.0.0/16, gateway: 10.3.0.1, ranges: [10.3.1.0-10.3.1.255], lease: 1h}
    plans:
      - {name: basic}
      - name: gold
        version: 3
        rate-up: 20Mbit
        rate-down: 2.5Gbit
        burst-down: 256KiB
        filter: no-smtp
        session-timeout: 24h
        idle-timeout: 30m
        interim-interval: 10m
        pools: [cgn, spare]
        dns: [192.0.2.53]
        sessions-per-user: 2
      - {name: walled, filter: no-smtp, garden: true}
    filters:
      - name: no-smtp
        default: permit
        rules:
          - {action: deny, direction: up, remote: 0.0.0.0/0, protocol: tcp, ports: 25}
          - {action: permit, protocol: udp, ports: 53-54}
          - {action: deny, protocol: 50}
    aaa:
      chain: [local, radius]
      user-name: "{mac-plain}"
      default-plan: basic
      on-reject: garden
      garden-plan: walled
      on-unavailable: plan
      outage-plan: basic
      users: {policy: deny}
      accounting: {enabled: false, interim-interval: 15m, spool-limit: 1000}
      subscribers: /etc/bng/subscribers.yaml
      key-file: /etc/bng/seal.key
    """

private let mistakes = [
    Mistake("rate-up: 20Mbit", "rate-up: 20", "17:14", "a rate from 64kbit to 100Gbit"),
    Mistake("rate-up: 20Mbit", "rate-up: 63999bit", "17:14", "a rate from 64kbit"),
    Mistake("rate-up: 20Mbit", "rate-up: 101Gbit", "17:14", "found \"101Gbit\""),
    Mistake("rate-up: 20Mbit", "burst-up: 64KiB", "17:15", "expected only beside rate-up"),
    Mistake("burst-down: 256KiB", "burst-down: 1500B", "19:17", "a size from 1600B"),
    Mistake("burst-down: 256KiB", "burst-down: 2GiB", "19:17", "such as 256KiB"),
    Mistake("filter: no-smtp\n", "filter: other\n", "15:5", "gold: there is no filter \"other\""),
    Mistake("session-timeout: 24h", "session-timeout: 90", "21:22", "a duration of whole seconds"),
    Mistake("version: 3", "version: 0", "16:14", "from 1 to 4294967295"),
    Mistake("pools: [cgn, spare]\n    ", "pools: [cgn, none]\n    ", "15:5", "gold: there is no pool \"none\""),
    Mistake("pools: [cgn, spare]\n    ", "pools: [cgn, far]\n    ", "15:5", "gold: expected all pools in one vrf"),
    Mistake("pools: [cgn, spare]\n    ", "pools: [lone]\n    ", "15:5", "pool lone is in no access domain's list"),
    Mistake("dns: [192.0.2.53]", "dns: [resolver]", "25:11", "an IPv4 or IPv6 address"),
    Mistake("sessions-per-user: 2", "sessions-per-user: -1", "26:24", "from 0 to 1000000"),
    Mistake("sessions-per-user: 2", "garden: maybe", "26:13", "true | false"),
    Mistake("filter: no-smtp, garden", "garden", "27:28", "filter is missing: expected the filter that makes"),
    Mistake("name: basic}", "name: gold}", "15:5", "the name \"gold\" is given twice"),
    Mistake("{name: basic}", "{name: basic, colour: red}", "14:19", "unknown key plans[0].colour"),
    Mistake("    default: permit\n", "", "29:5", "default is missing: expected permit | deny"),
    Mistake("default: permit", "default: allow", "30:14", "permit | deny"),
    Mistake("action: deny, direction: up, ", "direction: up, ", "32:9", "action is missing"),
    Mistake("direction: up", "direction: left", "32:35", "up | down | both"),
    Mistake("remote: 0.0.0.0/0", "remote: 10.0.0.1/8", "32:47", "host bits zero"),
    Mistake("protocol: tcp", "protocol: sctp", "32:68", "any, icmp, icmpv6, tcp, udp or a number"),
    Mistake("protocol: 50", "protocol: 256", "34:34", "a number from 1 to 255"),
    Mistake("protocol: tcp, ports: 25", "ports: 25", "32:65", "only with protocol: tcp or udp"),
    Mistake("ports: 53-54", "ports: 54-53", "33:48", "a port from 0 to 65535, or a range"),
    Mistake("ports: 53-54", "ports: 65536", "33:48", "a port from 0 to 65535"),
    Mistake("chain: [local, radius]", "chain: [local, diameter]", "36:18", "local | radius"),
    Mistake("chain: [local, radius]", "chain: [local, local]", "36:18", "local is given twice"),
    Mistake("{mac-plain}", "{mac_plain}", "37:14", "unknown placeholder {mac_plain}: expected one of {mac} "),
    Mistake("{mac-plain}", "everybody", "37:14", "the same name for every line"),
    Mistake("{circuit-id}@metro", "{circuit-id@metro", "4:84", "a brace without its partner"),
    Mistake("default-plan: basic", "default-plan: none", "38:17", "aaa.default-plan: there is no plan \"none\""),
    Mistake("on-reject: garden", "on-reject: shout", "39:14", "silence | lock-out | garden"),
    Mistake("on-reject: garden", "on-reject: silence", "40:16", "only with on-reject: garden"),
    Mistake("  garden-plan: walled\n", "", "39:14", "aaa.garden-plan is missing"),
    Mistake("garden-plan: walled", "garden-plan: basic", "40:16", "expected a plan with garden: true, basic is none"),
    Mistake("garden-plan: walled", "garden-plan: nowhere", "40:16", "there is no plan \"nowhere\""),
    Mistake(
        "garden-plan: walled", "garden-plan: walled\n  lock-out: {after: 3}", "41:13", "only with on-reject: lock-out"),
    Mistake("on-unavailable: plan", "on-unavailable: hope", "41:19", "refuse | last-known | plan"),
    Mistake("on-unavailable: plan", "on-unavailable: last-known", "42:16", "only with on-unavailable: plan"),
    Mistake("  outage-plan: basic\n", "", "41:19", "aaa.outage-plan is missing"),
    Mistake("policy: deny", "policy: both", "43:19", "replace | deny"),
    Mistake("spool-limit: 1000", "spool-limit: 0", "44:68", "from 1 to 100000000"),
    Mistake("key-file: /etc/bng/seal.key", "key-file: \"\"", "46:13", "the path of a file that holds a key"),
]

@Suite struct PolicyTests {
    @Test func `plans, filters and aaa say what the file says`() throws {
        let configuration = try ControllerConfiguration(yaml: policy, file: "c")
        let gold = try #require(configuration.plans.first { $0.name == "gold" })
        #expect(gold.version == 3 && gold.filter == "no-smtp" && gold.sessionsPerUser == 2 && !gold.isGarden)
        #expect(gold.rateUp == LineRate(bitsPerSecond: 20_000_000))
        #expect(gold.rateDown == LineRate(bitsPerSecond: 2_500_000_000, burstBytes: 262_144))
        #expect(gold.sessionTimeout == 86_400 && gold.idleTimeout == 1_800 && gold.interimInterval == 600)
        #expect(gold.pools == ["cgn", "spare"] && gold.dns == [IPv4Address("192.0.2.53")])
        #expect(configuration.plans[0] == ServicePlan(name: "basic"))
        #expect(configuration.plans[2].isGarden)
        let rules = configuration.filters[0].rules
        #expect(configuration.filters[0].defaultAction == .permit)
        #expect(
            rules == [
                .init(action: .deny, direction: .up, remote: IPPrefix("0.0.0.0/0"), transport: 6, ports: 25...25),
                .init(action: .permit, direction: .both, remote: nil, transport: 17, ports: 53...54),
                .init(action: .deny, direction: .both, remote: nil, transport: 50, ports: nil),
            ])
        let aaa = configuration.aaa
        #expect(aaa.chain == [.local, .radius] && aaa.defaultPlan == "basic" && aaa.users == .deny)
        #expect(aaa.onReject == .garden(plan: "walled") && aaa.onUnavailable == .plan("basic"))
        #expect(aaa.accounting == AccountingSettings(enabled: false, interimInterval: 900, spoolLimit: 1_000))
        #expect(aaa.subscribers == "/etc/bng/subscribers.yaml" && aaa.keyFile == "/etc/bng/seal.key")
        #expect(configuration.userName(in: 1).description == "{circuit-id}@metro")
        #expect(configuration.userName(in: 2).description == "{mac-plain}")
    }

    @Test func `the catalog holds every name a grant may use`() throws {
        let catalog = try ControllerConfiguration(yaml: policy, file: "c").catalog
        #expect(Set(catalog.plans.keys) == ["basic", "gold", "walled"])
        #expect(catalog.filters == ["no-smtp"] && catalog.pools == ["cgn", "spare", "far", "lone"])
        #expect(catalog.interimInterval == 900 && catalog.defaultPlan == "basic")
        let profile = try catalog.profile(of: ServiceGrant(source: .local, userName: "x"))
        #expect(profile.plan == "basic" && profile.interimInterval == 900)
    }

    @Test func `without aaa everybody is admitted, and a lock-out has defaults`() throws {
        let start = try #require(policy.range(of: "aaa:\n"))
        let open = try ControllerConfiguration(yaml: String(policy[..<start.lowerBound]), file: "c").aaa
        #expect(open.chain.isEmpty && open.onReject == .silence && open.onUnavailable == .refuse)
        #expect(open.users == .replace && open.accounting.enabled && open.accounting.interimInterval == 600)
        let locked = policy.replacing("on-reject: garden\n  garden-plan: walled", with: "on-reject: lock-out")
        let aaa = try ControllerConfiguration(yaml: locked, file: "c").aaa
        #expect(aaa.onReject == .lockOut(after: 3, for: 60))
        let given = locked.replacing(
            "on-reject: lock-out", with: "on-reject: lock-out\n  lock-out: {after: 5, for: 1h}")
        #expect(try ControllerConfiguration(yaml: given, file: "c").aaa.onReject == .lockOut(after: 5, for: 3_600))
    }

    @Test func `a filter has at most 32 rules`() throws {
        let rule = "      - {action: deny, protocol: 50}\n"
        let text = policy.replacing(rule, with: String(repeating: rule, count: 30))
        let problems = #expect(throws: ConfigurationError.self) { try ControllerConfiguration(yaml: text, file: "c") }
        #expect(problems?.description.contains("expected at most 32 rules, found 33") == true)
    }

    @Test(arguments: mistakes) func `a mistake is reported where it is, with what was expected`(_ mistake: Mistake)
        throws
    {
        #expect(policy.contains(mistake.change), "the table is out of date")
        let text = policy.replacing(mistake.change, with: mistake.to, maxReplacements: 1)
        let error = try #require(
            #expect(throws: ConfigurationError.self) { try ControllerConfiguration(yaml: text, file: "c") })
        let lines = error.problems.map(\.description)
        #expect(lines.contains { $0.hasPrefix("c:\(mistake.place):") && $0.contains(mistake.words) }, "\(lines)")
    }

    @Test(
        arguments: [
            ("64kbit", 64_000), ("100Mbit", 100_000_000), ("2.5Gbit", 2_500_000_000), ("0.064Mbit", 64_000),
            ("1bit", 1), ("0.001kbit", 1), ("12.000000Mbit", 12_000_000),
        ] as [(String, UInt64)])
    func `rates are exact`(_ text: String, _ expected: UInt64) {
        #expect(Quantity.bitsPerSecond(text) == expected)
    }

    @Test(
        arguments: [
            "", "bit", "1", "1.bit", ".5Mbit", "1.5bit", "0.0001kbit", "1 Mbit", "1mbit", "-1Mbit", "1.2.3Gbit",
            "1e3bit",
            "999999999999Gbit", "9999999999999bit", "٣Mbit",
        ])
    func `other rates are refused`(_ text: String) {
        #expect(Quantity.bitsPerSecond(text) == nil)
    }

    @Test func `sizes are decimal or binary`() {
        #expect(Quantity.bytes("1600B") == 1_600 && Quantity.bytes("1.5kB") == 1_500)
        #expect(Quantity.bytes("256KiB") == 262_144 && Quantity.bytes("1MiB") == 1_048_576)
        #expect(Quantity.bytes("256K") == nil)
    }
}
