// SPDX-License-Identifier: Apache-2.0
// `nat-policies:`, `nat-pools:` and what else of the file speaks of NAT: values, objects, and every mistake.

import Addressing
import BNGCore
import Fleet
import Subscribers
import Testing

@testable import BNGConfiguration

/// A small valid file with NAT in it; mistakes are made by replacing part of it.
private let file = """
    controller: {id: 1, state: /tmp/s.sqlite, nat-log: 30d}
    agents: {listen: [{unix: /tmp/a.sock}]}
    access-domains: [{name: metro, id: 7, pool: cgn, server-identity: 100.64.0.1}]
    nodes:
      - {name: edge1, ports: [{name: access0, role: access, access-domain: metro}, {name: core0, role: core}]}
    pools:
      - {name: cgn, prefix: 100.64.0.0/16, gateway: 100.64.0.1, ranges: [100.64.1.0-100.64.1.255], lease: 1h, nat: shared}
    nat-policies:
      - {name: home, filtering: address-dependent, tcp-established: 7440s, tcp-transitory: 240s, udp: 5m, icmp: 60s, alg: [ftp]}
    nat-pools:
      - {name: shared, policy: home, addresses: [198.51.100.3-198.51.100.6], ports: 2048-65535, block-size: 1024, max-blocks: 2, quarantine: 5m, alarm: 80%}
      - {name: fixed, policy: home, addresses: [198.51.100.128/28], layout: deterministic, block-size: 256, inside: 100.64.1.0/24}
      - {name: whole, layout: one-to-one, addresses: [203.0.113.0/29]}
    plans:
      - {name: gold, nat: whole}
      - {name: open, nat: none}
    """

private func read(_ text: String = file) throws -> ControllerConfiguration {
    try ControllerConfiguration(yaml: text, file: "f")
}

private let mistakes = [
    ("{name: home,", "{name: none,", "and not none"),
    ("{name: home,", "{name: \"a b\",", "a name without spaces"),
    ("address-dependent", "strict", "endpoint-independent | address-dependent"),
    ("tcp-established: 7440s", "tcp-established: 60s", "tcp-established: expected 240s to"),
    ("udp: 5m", "udp: 1s", "udp: expected"),
    ("alg: [ftp]", "alg: [ftp, irc]", "alg: expected ftp"),
    ("alg: [ftp]", "alg: [ftp, ftp]", "alg: expected each once"),
    (
        "policy: home, addresses: [198.51.100.3", "policy: away, addresses: [198.51.100.3",
        "there is no NAT policy \"away\""
    ),
    ("policy: home, addresses: [198.51.100.3", "addresses: [198.51.100.3", "policy is missing"),
    ("layout: one-to-one", "policy: home, layout: one-to-one", "expected none with layout: one-to-one"),
    ("198.51.100.3-198.51.100.6", "224.0.0.0/28", "public unicast addresses"),
    ("198.51.100.3-198.51.100.6", "198.51.100.6-198.51.100.3", "a prefix, a range FIRST-LAST"),
    ("198.51.100.3-198.51.100.6", "198.51.100.3-198.51.100.6, 198.51.100.5", "overlaps"),
    ("198.51.100.3-198.51.100.6", "198.51.100.130", "nat-pools: fixed"),
    ("198.51.100.3-198.51.100.6", "100.64.200.0/28", "overlaps pool cgn"),
    ("ports: 2048-65535", "ports: 80-65535", "a range from 1024 to 65535"),
    ("ports: 2048-65535", "ports: 2048-2060", "no block fits"),
    ("block-size: 1024", "block-size: 1000", "a power of two from 64 to 16384"),
    ("max-blocks: 2", "max-blocks: 9", "from 1 to 8"),
    ("max-blocks: 2", "inside: 100.64.0.0/16", "expected only with another layout than dynamic"),
    ("quarantine: 5m", "quarantine: 60s", "at least 120s (RFC 6888 REQ-8)"),
    ("alarm: 80%", "alarm: 101%", "0% to 100%"),
    (", inside: 100.64.1.0/24", "", "inside is missing"),
    ("inside: 100.64.1.0/24", "inside: 100.64.0.0/16", "more addresses than there are blocks"),
    ("nat: shared", "nat: nowhere", "there is no NAT pool \"nowhere\""),
    ("{name: shared, policy", "{name: shared, vrf: 3, policy", "NAT pool shared is in vrf 3, expected 0"),
    ("{name: shared, policy", "{name: cgn, policy", "is another pool's already"),
    ("{name: fixed, policy", "{name: shared, policy", "nat-pools: the name"),
    ("nat: whole", "nat: nowhere", "plans: gold: there is no NAT pool"),
    ("nat-log: 30d", "nat-log: long", "nat-log: expected a duration"),
]

struct NATSettingsTests {
    @Test func `values are as written, and defaults as documented`() throws {
        let configuration = try read()
        #expect(configuration.controller.natLog == 2_592_000)
        let policy = try #require(configuration.natPolicies.first)
        #expect(policy.name == "home" && policy.policy.filtering == .addressDependent && policy.policy.udp == 300)
        #expect(policy.policy.algs == [.ftp])
        #expect(try read(file.replacing(", alg: [ftp]", with: "")).natPolicies[0].policy.algs.isEmpty)
        let shared = configuration.natPools[0]
        #expect(shared.layout == .dynamic(size: 1_024, limit: 2) && shared.ports == 2_048...65_535)
        #expect(shared.quarantine == 300 && shared.alarmPercent == 80 && shared.vrf == 0)
        let fixed = configuration.natPools[1]
        #expect(fixed.layout == .deterministic(size: 256, inside: try #require(IPv4Prefix("100.64.1.0/24"))))
        #expect(fixed.quarantine == 120 && fixed.ports == 1_024...65_535 && fixed.alarmPercent == 90)
        #expect(configuration.natPools[2].layout == .oneToOne && configuration.natPools[2].policy.isEmpty)
        #expect(configuration.pools[0].nat == "shared")
        #expect(configuration.plans.map(\.nat) == ["whole", "none"])
        let plain = file.replacing("block-size: 1024, max-blocks: 2, ", with: "").replacing(", nat-log: 30d", with: "")
        #expect(try read(plain).natPools[0].layout == .dynamic(size: 512, limit: 4))
        #expect(try read(plain).controller.natLog == 31_536_000)
    }

    @Test func `a range is made of the fewest prefixes`() throws {
        let range = try #require(IPv4Range(text: "198.51.100.3-198.51.100.6"))
        #expect(range.prefixes.map(\.description) == ["198.51.100.3/32", "198.51.100.4/31", "198.51.100.6/32"])
        let last = try #require(IPv4Range(text: "255.255.255.254-255.255.255.255"))
        #expect(last.prefixes.map(\.description) == ["255.255.255.254/31"])
    }

    @Test(arguments: mistakes.indices) func `each mistake is named`(_ index: Int) throws {
        let (right, wrong, words) = mistakes[index]
        #expect(file.contains(right), "\(right) is not in the file")
        let text = file.replacing(right, with: wrong, maxReplacements: 1)
        do {
            _ = try read(text)
            Issue.record("accepted: \(wrong)")
        } catch {
            #expect("\(error)".contains(words), "\(error)")
        }
    }
}
