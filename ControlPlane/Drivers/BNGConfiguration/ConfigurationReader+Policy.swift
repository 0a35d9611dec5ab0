// SPDX-License-Identifier: Apache-2.0
// Reads plans and filters, and checks the names they refer to.

import BNGCore
import Fleet
import Subscribers
import Yams

extension ConfigurationReader {
    mutating func readPlan(_ node: Node) {
        let path = "plans[\(self.planPlaces.count)]"
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return }
        let name = reader.text("name", "a name", required: true) ?? ""
        var plan = ServicePlan(name: name, version: reader.integer("version", 1...UInt32.max) ?? 1)
        plan.rateUp = self.readRate(&reader, "up")
        plan.rateDown = self.readRate(&reader, "down")
        plan.filter = reader.text("filter", "the name of a filter")
        plan.sessionTimeout = reader.seconds("session-timeout") ?? 0
        plan.idleTimeout = reader.seconds("idle-timeout") ?? 0
        plan.interimInterval = reader.seconds("interim-interval")
        plan.pools = reader.list("pools").compactMap {
            self.problems.parse($0, reader.name("pools"), "the name of a pool") { $0.isEmpty ? nil : $0 }
        }
        self.readServers(&reader, &plan)
        plan.linkPool = reader.text("link-pool", "the name of a prefix pool")
        plan.addressPool = reader.text("address-pool", "the name of a prefix pool")
        plan.delegationPool = reader.text("delegation-pool", "the name of a prefix pool")
        plan.nat = reader.text("nat", "the name of a NAT pool, or none")
        plan.sessionsPerUser = reader.integer("sessions-per-user", 0...1_000_000) ?? 0
        plan.isGarden = reader.flag("garden") ?? false
        if plan.isGarden, plan.filter == nil {
            self.problems.add(
                reader.place(of: "garden"), "\(path).filter is missing: expected the filter that makes the garden")
        }
        reader.finish()
        self.configuration.plans.append(plan)
        self.planPlaces.append(node)
    }

    private func readServers(_ reader: inout MappingReader, _ plan: inout ServicePlan) {
        for node in reader.list("dns") {
            switch self.problems.parse(node, reader.name("dns"), "an IPv4 or IPv6 address", { IPAddress($0) }) {
            case .v4(let address): plan.dns.append(address)
            case .v6(let address): plan.ipv6DNS.append(address)
            case nil: break
            }
        }
        self.checkServers(plan.ipv6DNS, reader)
    }

    private func readRate(_ reader: inout MappingReader, _ direction: String) -> LineRate? {
        let rate = reader.value("rate-\(direction)", "a rate from 64kbit to 100Gbit such as 64kbit or 2.5Gbit") {
            text in
            Quantity.bitsPerSecond(text).flatMap { LineRate.limits.contains($0) ? $0 : nil }
        }
        let burst = reader.value("burst-\(direction)", "a size from 1600B to 1024MiB such as 256KiB") { text in
            Quantity.bytes(text).flatMap { (1_600...1 << 30).contains($0) ? UInt32($0) : nil }
        }
        if reader.node("burst-\(direction)") != nil, reader.node("rate-\(direction)") == nil {
            self.problems.add(
                reader.place(of: "burst-\(direction)"),
                "\(reader.name("burst-\(direction)")): expected only beside rate-\(direction)")
        }
        return rate.map { LineRate(bitsPerSecond: $0, burstBytes: burst ?? 0) }
    }

    mutating func readFilter(_ node: Node) {
        let path = "filters[\(self.filterPlaces.count)]"
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return }
        var filter = FilterSettings()
        filter.name = reader.text("name", "a name", required: true) ?? ""
        if reader.required("default", "permit | deny, for packets no rule matches") != nil {
            filter.defaultAction = reader.choice("default", FilterSettings.Action.self) ?? .permit
        }
        let rules = reader.list("rules")
        filter.rules = rules.enumerated().compactMap { self.readRule($1, "\(path).rules[\($0)]") }
        let count = rules.count + filter.rules.count(where: \.isWholeFamily)
        if count > FilterSettings.ruleLimit {
            self.problems.add(
                reader.place(of: "rules"),
                "\(path).rules: expected at most \(FilterSettings.ruleLimit) rules, found \(count)")
        }
        reader.finish()
        self.configuration.filters.append(filter)
        self.filterPlaces.append(node)
    }

    private func readRule(_ node: Node, _ path: String) -> FilterSettings.Rule? {
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return nil }
        var rule = FilterSettings.Rule()
        if reader.required("action", "permit | deny") != nil {
            rule.action = reader.choice("action", FilterSettings.Action.self) ?? .deny
        }
        rule.direction = reader.choice("direction", FilterSettings.Direction.self) ?? .both
        rule.remote = reader.value("remote", "a prefix such as 192.0.2.0/24 or 2001:db8::/32, host bits zero") {
            IPPrefix($0)
        }
        let expected = "any, icmp, icmpv6, tcp, udp or a number from 1 to 255"
        let transport = reader.node("protocol") == nil ? 0 : reader.value("protocol", expected, ipProtocol)
        rule.transport = transport ?? 0
        rule.ports = reader.value("ports", "a port from 0 to 65535, or a range FIRST-LAST", portRange)
        if rule.ports != nil, let transport, transport != 6, transport != 17 {
            self.problems.add(reader.place(of: "ports"), "\(path).ports: expected only with protocol: tcp or udp")
        }
        reader.finish()
        return rule
    }

    func checkPolicy() {
        let configuration = self.configuration
        self.unique(configuration.plans.map(\.name), self.planPlaces, "plans: the name")
        self.unique(configuration.filters.map(\.name), self.filterPlaces, "filters: the name")
        let filters = Set(configuration.filters.map(\.name))
        for (plan, place) in zip(configuration.plans, self.planPlaces) {
            if let filter = plan.filter, !filters.contains(filter) {
                self.problems.add(place, "plans: \(plan.name): there is no filter \"\(filter)\"")
            }
            self.checkPools(of: plan, place)
            self.checkPrefixPools(of: plan, place)
        }
        for reference in self.planReferences {
            guard let plan = configuration.plans.first(where: { $0.name == reference.name }) else {
                self.problems.add(reference.place, "\(reference.key): there is no plan \"\(reference.name)\"")
                continue
            }
            if reference.key == "aaa.garden-plan", !plan.isGarden {
                self.problems.add(
                    reference.place, "\(reference.key): expected a plan with garden: true, \(plan.name) is none")
            }
        }
    }

    private func checkPools(of plan: ServicePlan, _ place: Node) {
        let served = Set(self.configuration.accessDomains.flatMap(\.pools))
        var vrfs: Set<VRF> = []
        for name in plan.pools {
            guard let pool = self.configuration.pools.first(where: { $0.name == name }) else {
                self.problems.add(place, "plans: \(plan.name): there is no pool \"\(name)\"")
                continue
            }
            vrfs.insert(pool.vrf)
            if !served.contains(name) {
                self.problems.add(
                    place, "plans: \(plan.name): pool \(name) is in no access domain's list: expected it in one")
            }
        }
        if vrfs.count > 1 { self.problems.add(place, "plans: \(plan.name): expected all pools in one vrf") }
    }
}

private func ipProtocol(_ text: String) -> UInt8? {
    let names: [String: UInt8] = ["any": 0, "icmp": 1, "icmpv6": 58, "tcp": 6, "udp": 17]
    if let number = names[text] { return number }
    return UInt8(text).flatMap { $0 == 0 ? nil : $0 }
}

private func portRange(_ text: String) -> ClosedRange<UInt16>? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let first = UInt16(parts[0]), let last = UInt16(parts[parts.count - 1]),
        first <= last
    else { return nil }
    return first...last
}
