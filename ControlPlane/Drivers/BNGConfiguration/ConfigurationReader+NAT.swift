// SPDX-License-Identifier: Apache-2.0
// Reads NAT policies and pools of public addresses, and checks what is said of them.

import Addressing
import BNGCore
import Fleet
import Subscribers
import Yams

extension ConfigurationReader {
    /// RFC 6888 REQ-8.
    private static let leastQuarantine: Seconds = 120

    mutating func readNATPolicy(_ node: Node) {
        let path = "nat-policies[\(self.natPolicyPlaces.count)]"
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return }
        let name = self.readName(&reader)
        var policy = NATPolicy()
        let filtering = [
            "endpoint-independent": NATFiltering.endpointIndependent, "address-dependent": .addressDependent,
        ]
        policy.filtering =
            reader.value("filtering", "endpoint-independent | address-dependent") { filtering[$0] } ?? policy.filtering
        policy.tcpEstablished =
            self.timer(&reader, "tcp-established", NATPolicy.establishedLimits) ?? policy.tcpEstablished
        policy.tcpTransitory = self.timer(&reader, "tcp-transitory", NATPolicy.transitoryLimits) ?? policy.tcpTransitory
        policy.udp = self.timer(&reader, "udp", NATPolicy.idleLimits) ?? policy.udp
        policy.icmp = self.timer(&reader, "icmp", NATPolicy.idleLimits) ?? policy.icmp
        policy.flowsPerSession = reader.integer("flows-per-session", NATPolicy.flowLimits) ?? policy.flowsPerSession
        policy.inboundRefresh = reader.flag("inbound-refresh") ?? false
        policy.portParity = reader.flag("port-parity") ?? false
        policy.algs = self.readALGs(&reader)
        policy.pcp = reader.flag("pcp") ?? false
        let forwards = reader.integer("pcp-forwards", 1...NATAttachment.forwardLimit) ?? NATAttachment.forwardLimit
        let lifetimes = self.readLifetimes(&reader, path)
        for key in ["pcp-forwards", "pcp-lifetime-min", "pcp-lifetime-max"] where !policy.pcp && reader.node(key) != nil
        {
            self.problems.add(reader.place(of: key), "\(path).\(key): expected only with pcp: true")
        }
        reader.finish()
        self.configuration.natPolicies.append(
            NATPolicySettings(name: name ?? "", policy: policy, forwards: forwards, lifetimes: lifetimes))
        self.natPolicyPlaces.append(node)
    }

    private func readALGs(_ reader: inout MappingReader) -> Set<NATALG> {
        var algs: Set<NATALG> = []
        let path = reader.name("alg")
        for node in reader.list("alg") {
            let alg = self.problems.parse(node, path, "ftp") { text in ["ftp": NATALG.ftp][text] }
            guard let alg else { continue }
            if !algs.insert(alg).inserted { self.problems.add(node, "\(path): expected each once") }
        }
        return algs
    }

    /// RFC 6887 15 recommends 2 minutes to a day.
    private mutating func readLifetimes(_ reader: inout MappingReader, _ path: String) -> ClosedRange<UInt32> {
        let least = self.timer(&reader, "pcp-lifetime-min", 1...3_600) ?? 120
        let most = self.timer(&reader, "pcp-lifetime-max", 1...2_592_000) ?? 86_400
        guard least <= most else {
            self.problems.add(
                reader.place(of: "pcp-lifetime-max"), "\(path).pcp-lifetime-max: expected at least pcp-lifetime-min")
            return least.value...least.value
        }
        return least.value...most.value
    }

    /// Names stand in records that are split at spaces.
    private func readName(_ reader: inout MappingReader) -> String? {
        reader.value("name", "a name without spaces, and not none", required: true) { text in
            text.isEmpty || text.contains(" ") || text == ServiceProfile.noNAT || text == "-" ? nil : text
        }
    }

    private func timer(
        _ reader: inout MappingReader, _ key: String, _ limits: ClosedRange<Seconds>
    ) -> Seconds? {
        guard let time = reader.seconds(key) else { return nil }
        if !limits.contains(time) {
            self.problems.add(
                reader.place(of: key),
                "\(reader.name(key)): expected \(limits.lowerBound.value)s to \(limits.upperBound.value)s")
        }
        return time
    }

    mutating func readNATPool(_ node: Node) {
        let path = "nat-pools[\(self.natPoolPlaces.count)]"
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return }
        let name = self.readName(&reader)
        let vrf: VRF = reader.integer("vrf", 0...UInt32.max) ?? 0
        let policy = reader.text("policy", "the name of a NAT policy")
        let addresses = self.readPublicAddresses(&reader)
        let ports =
            reader.value("ports", "a range from 1024 to 65535 such as 1024-65535") { text -> ClosedRange<UInt16>? in
                let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
                guard parts.count == 2, let first = parts[0], let last = parts[1], 1_024 <= first, first < last else {
                    return nil
                }
                return first...last
            } ?? 1_024...65_535
        let layout = self.readLayout(&reader, path)
        if (layout == .oneToOne) == (policy != nil) {
            self.problems.add(
                reader.place(of: "policy"),
                layout == .oneToOne
                    ? "\(path).policy: expected none with layout: one-to-one"
                    : "\(path).policy is missing: expected the name of a NAT policy")
        }
        let quarantine = reader.seconds("quarantine") ?? Self.leastQuarantine
        if quarantine < Self.leastQuarantine {
            self.problems.add(
                reader.place(of: "quarantine"),
                "\(path).quarantine: expected at least \(Self.leastQuarantine.value)s (RFC 6888 REQ-8)")
        }
        let alarm = reader.value("alarm", "a share of the blocks from 0% to 100% such as 90%", percentage) ?? 90
        reader.finish()
        let settings = NATPoolSettings(
            name: name ?? "", vrf: vrf, policy: policy ?? "", addresses: addresses, ports: ports, layout: layout,
            quarantine: quarantine, alarmPercent: alarm)
        self.checkCut(settings, node, path)
        self.configuration.natPools.append(settings)
        self.natPoolPlaces.append(node)
    }

    private func readPublicAddresses(_ reader: inout MappingReader) -> [IPv4Range] {
        var ranges: [IPv4Range] = []
        let path = reader.name("addresses")
        for node in reader.list("addresses", required: true) {
            let expected = "a prefix, a range FIRST-LAST or an address of public unicast addresses"
            let range = self.problems.parse(node, path, expected) { text -> IPv4Range? in
                let range = IPv4Prefix(text).flatMap { IPv4Range($0.first, $0.last) } ?? IPv4Range(text: text)
                guard let range, range.first.isUnicastHost, range.last.isUnicastHost else { return nil }
                return range
            }
            guard let range else { continue }
            if range.count > 65_536 { self.problems.add(node, "\(path): expected at most 65536 addresses in \(range)") }
            if let other = ranges.first(where: { $0.overlaps(range) }) {
                self.problems.add(node, "\(path): \(range) overlaps \(other)")
            }
            ranges.append(range)
        }
        return ranges
    }

    private func readLayout(_ reader: inout MappingReader, _ path: String) -> PortBlockPool.Layout {
        let layout = reader.value("layout", "dynamic | deterministic | one-to-one") { text in
            ["dynamic", "deterministic", "one-to-one"].contains(text) ? text : nil
        }
        let size: UInt16 =
            reader.value("block-size", "a power of two from 64 to 16384") { text in
                UInt16(text).flatMap { (64...16_384).contains($0) && $0 & ($0 - 1) == 0 ? $0 : nil }
            } ?? 512
        let limit: Int = reader.integer("max-blocks", 1...NATAttachment.blockLimit) ?? 4
        let inside = reader.value("inside", "a prefix of private addresses such as 100.64.0.0/16") { IPv4Prefix($0) }
        let allowed: [String: [String]] = [
            "dynamic": ["block-size", "max-blocks"], "deterministic": ["block-size", "inside"], "one-to-one": [],
        ]
        for key in ["block-size", "max-blocks", "inside"] where reader.node(key) != nil {
            if !(allowed[layout ?? "dynamic"] ?? []).contains(key) {
                self.problems.add(
                    reader.place(of: key),
                    "\(path).\(key): expected only with another layout than \(layout ?? "dynamic")")
            }
        }
        switch layout {
        case "one-to-one": return .oneToOne
        case "deterministic":
            guard let inside else {
                if reader.node("inside") == nil {
                    self.problems.add(
                        reader.place(of: "layout"),
                        "\(path).inside is missing: expected the prefix whose addresses have the blocks")
                }
                return .dynamic(size: size, limit: limit)
            }
            return .deterministic(size: size, inside: inside)
        default: return .dynamic(size: size, limit: limit)
        }
    }

    private func checkCut(_ pool: NATPoolSettings, _ node: Node, _ path: String) {
        let cut = PortBlockPool(
            name: pool.name, addresses: pool.addresses, ports: pool.ports, layout: pool.layout)
        guard cut == nil, !pool.addresses.isEmpty else { return }
        if case .deterministic(_, let inside) = pool.layout {
            self.problems.add(
                node,
                "\(path): \(inside) has more addresses than there are blocks: expected more addresses or smaller blocks"
            )
        } else {
            self.problems.add(
                node, "\(path): no block fits into ports \(pool.ports.lowerBound)-\(pool.ports.upperBound)")
        }
    }

    func checkNAT() {
        let configuration = self.configuration
        self.unique(configuration.natPolicies.map(\.name), self.natPolicyPlaces, "nat-policies: the name")
        self.unique(configuration.natPools.map(\.name), self.natPoolPlaces, "nat-pools: the name")
        let policies = Set(configuration.natPolicies.map(\.name))
        let others = Set(configuration.pools.map(\.name) + configuration.prefixPools.map(\.name))
        for (index, (pool, place)) in zip(configuration.natPools, self.natPoolPlaces).enumerated() {
            if !pool.policy.isEmpty, !policies.contains(pool.policy) {
                self.problems.add(place, "nat-pools: \(pool.name): there is no NAT policy \"\(pool.policy)\"")
            }
            if others.contains(pool.name) {
                self.problems.add(place, "nat-pools: the name \"\(pool.name)\" is another pool's already")
            }
            self.checkAddresses(of: pool, before: index, place)
        }
        let pools = Dictionary(configuration.natPools.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for (pool, place) in zip(configuration.pools, self.poolPlaces) {
            guard let name = pool.nat else { continue }
            guard let nat = pools[name] else {
                self.problems.add(place, "pools: \(pool.name): there is no NAT pool \"\(name)\"")
                continue
            }
            if nat.vrf != pool.vrf {
                self.problems.add(
                    place, "pools: \(pool.name): NAT pool \(name) is in vrf \(nat.vrf), expected \(pool.vrf)")
            }
        }
        for (plan, place) in zip(configuration.plans, self.planPlaces) {
            guard let name = plan.nat, name != ServiceProfile.noNAT, pools[name] == nil else { continue }
            self.problems.add(place, "plans: \(plan.name): there is no NAT pool \"\(name)\"")
        }
    }

    private func checkAddresses(of pool: NATPoolSettings, before index: Int, _ place: Node) {
        let configuration = self.configuration
        for range in pool.addresses {
            for other in configuration.natPools[..<index] where other.vrf == pool.vrf {
                guard let met = other.addresses.first(where: { $0.overlaps(range) }) else { continue }
                self.problems.add(place, "nat-pools: \(pool.name) (\(range)) overlaps \(other.name) (\(met))")
            }
            for other in configuration.pools where other.vrf == pool.vrf {
                guard let prefix = IPv4Range(other.prefix.first, other.prefix.last), prefix.overlaps(range) else {
                    continue
                }
                self.problems.add(
                    place, "nat-pools: \(pool.name) (\(range)) overlaps pool \(other.name) (\(other.prefix))")
            }
            for domain in configuration.accessDomains
            where configuration.vrf(of: domain) == pool.vrf && range.contains(domain.serverIdentity) {
                self.problems.add(
                    place,
                    "nat-pools: \(pool.name) (\(range)) holds the server-identity of \(domain.name), \(domain.serverIdentity)"
                )
            }
        }
    }
}
