// SPDX-License-Identifier: Apache-2.0
// Reads the file's sections into values. What one section says of another is checked in ConfigurationReader+References.

import BNGCore
import Fleet
import Yams

extension ControllerConfiguration {
    /// Reads a configuration. `file` is its name in messages.
    public init(yaml: String, file: String) throws(ConfigurationError) {
        let problems = ProblemList(file: file)
        var reader = ConfigurationReader(problems: problems)
        if let root = ConfigurationReader.compose(yaml, problems) { reader.read(root) }
        guard problems.problems.isEmpty else {
            throw ConfigurationError(
                problems: problems.problems.sorted { ($0.line, $0.column) < ($1.line, $1.column) })
        }
        self = reader.configuration
    }
}

/// The reading of one file. Nodes are kept beside values so that later checks can name the place.
struct ConfigurationReader {
    let problems: ProblemList
    var configuration = ControllerConfiguration()
    var domainPlaces: [Node] = []
    var poolPlaces: [Node] = []
    var prefixPoolPlaces: [Node] = []
    var natPolicyPlaces: [Node] = []
    var natPoolPlaces: [Node] = []
    var dhcpServersPlaces: [Node] = []
    var nodePlaces: [Node] = []
    var planPlaces: [Node] = []
    var filterPlaces: [Node] = []
    /// Where `aaa:` names a plan, and as which key.
    var planReferences: [(key: String, name: String, place: Node)] = []
    /// By node, then by port or route.
    var portPlaces: [[Node]] = []
    var routePlaces: [[Node]] = []

    static func compose(
        _ yaml: String, _ problems: ProblemList, expected: String = "controller, admin, agents, nodes and pools"
    ) -> Node? {
        do {
            if let node = try Yams.compose(yaml: yaml) { return node }
            problems.add(nil as Mark?, "the file is empty: expected \(expected)")
        } catch let error as YamlError {
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                problems.add(mark, "not YAML: \(problem)")
            case .duplicatedKeysInMapping(let duplicates, let context):
                problems.add(context.mark, "key given twice: \(duplicates.joined(separator: ", "))")
            default: problems.add(nil as Mark?, "not YAML: \(error)")
            }
        } catch {
            problems.add(nil as Mark?, "not YAML: \(error)")
        }
        return nil
    }

    mutating func read(_ root: Node) {
        guard var reader = MappingReader(root, path: "", problems: self.problems) else { return }
        if let node = reader.required("controller", "a mapping with id and state") { self.readController(node) }
        if let node = reader.node("log") { self.readLog(node) }
        if let node = reader.node("admin") { self.readAdmin(node) }
        if let node = reader.required("agents", "a mapping with listen") { self.readAgents(node) }
        for node in reader.list("access-domains") { self.readAccessDomain(node) }
        for node in reader.list("nodes", required: true) { self.readNode(node) }
        if let node = reader.node("identity") { self.readIdentity(node) }
        for node in reader.list("attestation-policies") { self.readAttestationPolicy(node) }
        for node in reader.list("pools") { self.readPool(node) }
        for node in reader.list("prefix-pools") { self.readPrefixPool(node) }
        for node in reader.list("nat-policies") { self.readNATPolicy(node) }
        for node in reader.list("nat-pools") { self.readNATPool(node) }
        if let node = reader.node("nat-records") { self.readNATRecords(node) }
        for node in reader.list("dhcp-servers") { self.readDHCPServers(node) }
        if let node = reader.node("guard") { self.readGuard(node) }
        for node in reader.list("filters") { self.readFilter(node) }
        for node in reader.list("plans") { self.readPlan(node) }
        if let node = reader.node("aaa") { self.readAAA(node) }
        if let node = reader.node("radius") { self.readRADIUS(node) }
        reader.finish()
        self.checkReferences()
        self.checkIdentities()
    }

    private mutating func readController(_ node: Node) {
        guard var reader = MappingReader(node, path: "controller", problems: self.problems) else { return }
        var settings = ControllerSettings()
        settings.id = reader.integer("id", 1...65_535, required: true) ?? 0
        settings.state = reader.text("state", "the path of the database", required: true) ?? ""
        settings.synchronous = reader.choice("synchronous", ControllerSettings.Synchronous.self) ?? .full
        settings.shards = reader.integer("shards", 1...64) ?? 1
        settings.history = reader.seconds("history") ?? settings.history
        settings.natLog = reader.seconds("nat-log") ?? settings.natLog
        reader.finish()
        self.configuration.controller = settings
    }

    private mutating func readLog(_ node: Node) {
        guard var reader = MappingReader(node, path: "log", problems: self.problems) else { return }
        self.configuration.log.level = reader.choice("level", LogSettings.Level.self) ?? .info
        self.configuration.log.format = reader.choice("format", LogSettings.Format.self) ?? .text
        reader.finish()
    }

    private mutating func readAdmin(_ node: Node) {
        guard var reader = MappingReader(node, path: "admin", problems: self.problems) else { return }
        if let socket = reader.text("socket", "the path of a Unix socket") { self.configuration.admin.socket = socket }
        self.configuration.admin.group = reader.text("group", "the name of a group") ?? ""
        self.configuration.admin.http = reader.value("http", "HOST:PORT such as 127.0.0.1:9469", HostPort.init)
        reader.finish()
    }

    private mutating func readAgents(_ node: Node) {
        guard var reader = MappingReader(node, path: "agents", problems: self.problems) else { return }
        var settings = AgentSettings()
        // The bounds of docs/contract.md section 2.
        settings.heartbeatMs = reader.milliseconds("heartbeat", 10...60_000) ?? settings.heartbeatMs
        settings.heartbeatTimeoutMs =
            reader.milliseconds("heartbeat-timeout", 20...600_000) ?? settings.heartbeatTimeoutMs
        if settings.heartbeatTimeoutMs < 2 * settings.heartbeatMs {
            self.problems.add(
                reader.place(of: "heartbeat-timeout"),
                "agents.heartbeat-timeout: expected at least twice the heartbeat (\(2 * settings.heartbeatMs)ms)")
        }
        settings.auditIntervalMs = reader.milliseconds("audit-interval", 1_000...86_400_000) ?? settings.auditIntervalMs
        settings.listen = reader.list("listen", required: true).compactMap { self.readListener($0) }
        reader.finish()
        self.configuration.agents = settings
    }

    private func readListener(_ node: Node) -> AgentSettings.Listener? {
        guard var reader = MappingReader(node, path: "agents.listen", problems: self.problems) else { return nil }
        defer { reader.finish() }
        let unix = reader.text("unix", "the path of a Unix socket")
        let tls = reader.value("tls", "HOST:PORT such as 0.0.0.0:7401", HostPort.init)
        if let unix, reader.node("tls") == nil { return .unix(path: unix) }
        guard reader.node("tls") != nil, unix == nil else {
            self.problems.add(node, "agents.listen: expected either unix or tls")
            return nil
        }
        let certificate = reader.text("certificate", "the path of a PEM file", required: true)
        let key = reader.text("key", "the path of a PEM file", required: true)
        let authority = reader.text("authority", "the path of a PEM file", required: true)
        guard let tls, let certificate, let key, let authority else { return nil }
        return .tls(tls, certificate: certificate, key: key, authority: authority)
    }

    private mutating func readAccessDomain(_ node: Node) {
        let path = "access-domains[\(self.domainPlaces.count)]"
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return }
        var domain = AccessDomain()
        domain.name = reader.text("name", "a name", required: true) ?? ""
        domain.id = reader.integer("id", 1...UInt32.max, required: true) ?? 0
        if let pool = reader.required("pool", "the name of a pool, or a list of names") {
            let names = pool.sequence.map(Array.init) ?? [pool]
            domain.pools = names.compactMap {
                self.problems.parse($0, reader.name("pool"), "the name of a pool") { $0 }
            }
        }
        domain.serverIdentity = reader.address("server-identity", required: true) ?? .zero
        domain.userName = self.readUserName(&reader)
        domain.pppoe = reader.node("pppoe").flatMap { self.readPPPoE($0, path: "\(path).pppoe", domain) }
        domain.ipv6 = reader.node("ipv6").flatMap { self.readIPv6($0, path: "\(path).ipv6") }
        reader.finish()
        self.configuration.accessDomains.append(domain)
        self.domainPlaces.append(node)
    }

    private mutating func readNode(_ node: Node) {
        let path = "nodes[\(self.nodePlaces.count)]"
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return }
        var settings = NodeSettings()
        var portPlaces: [Node] = []
        var routePlaces: [Node] = []
        settings.name = reader.text("name", "the node's name", required: true) ?? ""
        settings.identity = self.readNodeIdentity(&reader)
        for port in reader.list("ports", required: true) {
            guard let value = self.readPort(port, path: "\(path).ports[\(portPlaces.count)]") else { continue }
            settings.ports.append(value)
            portPlaces.append(port)
        }
        for route in reader.list("routes") {
            guard let value = self.readRoute(route, path: "\(path).routes[\(routePlaces.count)]") else { continue }
            settings.routes.append(value)
            routePlaces.append(route)
        }
        reader.finish()
        self.configuration.nodes.append(settings)
        self.nodePlaces.append(node)
        self.portPlaces.append(portPlaces)
        self.routePlaces.append(routePlaces)
    }

    private func readPort(_ node: Node, path: String) -> PortSettings? {
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return nil }
        var port = PortSettings()
        port.name = reader.text("name", "the port's name", required: true) ?? ""
        let role = reader.value("role", "access | core", required: true) { text -> PortRole? in
            ["access": PortRole.access, "core": PortRole.core][text]
        }
        port.role = role ?? .access
        port.accessDomain = reader.text("access-domain", "the name of an access domain") ?? ""
        port.vrf = reader.integer("vrf", 0...UInt32.max) ?? 0
        port.mtu = reader.integer("mtu", 576...65_535) ?? 0
        port.relayTrust =
            reader.value("relay-trust", "none | access-node | relays") { text -> RelayTrust? in
                ["none": RelayTrust.none, "access-node": .accessNode, "relays": .relays][text]
            } ?? .none
        self.readRelays(&reader, into: &port)
        if role == .core {
            for key in ["access-domain", "relay-trust", "trusted-relays"] where reader.node(key) != nil {
                self.problems.add(reader.place(of: key), "\(path).\(key): expected only on access ports")
            }
        } else if role == .access, port.accessDomain.isEmpty {
            self.problems.add(node, "\(path).access-domain is missing: expected the name of an access domain")
        }
        reader.finish()
        return port
    }

    private func readRoute(_ node: Node, path: String) -> RouteSettings? {
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return nil }
        let vrf: VRF = reader.integer("vrf", 0...UInt32.max) ?? 0
        let prefix = reader.value("prefix", "a prefix such as 0.0.0.0/0 or ::/0, host bits zero", required: true) {
            IPPrefix($0)
        }
        let port = reader.text("port", "the name of a core port")
        let via = reader.value("via", "kernel, blackhole or the address of a gateway", required: true) {
            text -> RouteSettings.Via? in
            switch text {
            case "kernel": return .kernel
            case "blackhole": return .blackhole
            default: return IPAddress(text).map { .gateway($0, port: port ?? "") }
            }
        }
        if case .gateway(let gateway, _) = via {
            self.checkGateway(gateway, of: prefix, reader)
            if port == nil {
                self.problems.add(
                    node, "\(path).port is missing: expected the name of the core port toward the gateway")
            }
        } else if port != nil {
            self.problems.add(reader.place(of: "port"), "\(path).port: expected only with a gateway")
        }
        if via == .kernel, vrf != 0 {
            self.problems.add(reader.place(of: "via"), "\(path).via: the kernel serves vrf 0 only")
        }
        let nat = reader.value("nat", "none: no translation of what goes there") { $0 == "none" ? true : nil }
        if nat != nil, prefix?.address.isIPv6 == true || via == .blackhole {
            self.problems.add(reader.place(of: "nat"), "\(path).nat: expected only with an IPv4 prefix and a next hop")
        }
        reader.finish()
        guard let prefix, let via else { return nil }
        return RouteSettings(vrf: vrf, prefix: prefix, via: via, isUntranslated: nat != nil)
    }

    private mutating func readGuard(_ node: Node) {
        guard var reader = MappingReader(node, path: "guard", problems: self.problems) else { return }
        let classes: [(String, PuntClass)] = [
            ("dhcpv4", .dhcpv4), ("arp", .arp), ("neighbor", .neighbor), ("pppoe", .pppoe), ("ppp", .ppp),
            ("held", .held), ("fragment", .fragment), ("nd", .nd), ("dhcpv6", .dhcpv6), ("nat-ports", .natPorts),
            ("nat-fragment", .natFragment), ("pcp", .pcp), ("nat-alg", .natALG),
        ]
        for (name, puntClass) in classes {
            guard let entry = reader.node(name) else { continue }
            guard var rates = MappingReader(entry, path: "guard.\(name)", problems: self.problems) else { continue }
            let limit: ClosedRange<UInt32> = 0...10_000_000
            let rate = GuardRate(
                puntClass: puntClass, linePacketsPerSecond: rates.integer("line-pps", limit, required: true) ?? 0,
                lineBurst: rates.integer("line-burst", limit, required: true) ?? 0,
                portPacketsPerSecond: rates.integer("port-pps", limit, required: true) ?? 0,
                portBurst: rates.integer("port-burst", limit, required: true) ?? 0)
            if rate.linePacketsPerSecond > 0, rate.lineBurst == 0 {
                self.problems.add(rates.place(of: "line-burst"), "guard.\(name).line-burst: expected at least 1")
            }
            if rate.portPacketsPerSecond > 0, rate.portBurst == 0 {
                self.problems.add(rates.place(of: "port-burst"), "guard.\(name).port-burst: expected at least 1")
            }
            rates.finish()
            self.configuration.guardRates.append(rate)
        }
        reader.finish()
    }
}

extension HostPort {
    /// `host:port`, an IPv6 host in brackets.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: port)
    }
}
