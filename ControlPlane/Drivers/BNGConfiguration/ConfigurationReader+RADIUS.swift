// SPDX-License-Identifier: Apache-2.0
// Reads `radius:`: servers, groups, what we say of ourselves. Rules and dynamic authorization: ConfigurationReader+RADIUSRules.

import BNGCore
import Glibc
import RADIUS
import RADIUSContract
import Yams

extension ConfigurationReader {
    mutating func readRADIUS(_ node: Node) {
        guard var reader = MappingReader(node, path: "radius", problems: self.problems) else { return }
        var settings = RADIUSSettings()
        self.readIdentity(&reader, into: &settings)
        self.readTimes(&reader, into: &settings)
        var places: [Node] = []
        for server in reader.list("servers", required: true) {
            guard let value = self.readRADIUSServer(server, "radius.servers[\(places.count)]") else { continue }
            settings.servers.append(value)
            places.append(server)
        }
        self.checkNames(settings.servers.map(\.name), places)
        settings.authentication = self.readGroup(&reader, "authentication", settings, settings.authentication)
        settings.accounting = self.readGroup(&reader, "accounting", settings, settings.accounting)
        if reader.node("authentication") == nil, reader.node("accounting") == nil {
            self.problems.add(node, "radius: expected authentication, accounting or both")
        }
        settings.rules = reader.list("rules").compactMap { self.readRule($0) }
        settings.dynamicAuthorization = reader.node("dynamic-authorization").flatMap {
            self.readDynamicAuthorization($0)
        }
        reader.finish()
        self.configuration.radius = settings
    }

    private func readIdentity(_ reader: inout MappingReader, into settings: inout RADIUSSettings) {
        settings.nasAddress = reader.address("nas-ip-address")
        let identifier = reader.text("nas-identifier", "node, or a text of its own")
        settings.nasIdentifier = identifier == "node" ? nil : identifier
        let portType = reader.value("nas-port-type", "ethernet, virtual or the number of another type") { text in
            ["ethernet": 15, "virtual": 5][text] ?? UInt32(text)
        }
        settings.nasPortType = portType ?? settings.nasPortType
        settings.calledStation = reader.text("called-station-id", "a text")
        settings.stationFormat = reader.choice("calling-station-id", StationFormat.self) ?? settings.stationFormat
        settings.sourceAddress = reader.value("source-address", "an IP address", IPAddressText.init)?.text
        settings.passwordFile = reader.text("password-file", "the path of a file")
        settings.minimumInterim = reader.seconds("minimum-interim") ?? settings.minimumInterim
        settings.planAttribute = reader.value("plan-attribute", "a text attribute such as Filter-Id") { name in
            RADIUSDictionary.entry(named: name).flatMap { $0.kind == .text ? $0 : nil }
        }
        settings.ipv6Accounting = reader.choice("ipv6-accounting", NASProfile.IPv6Accounting.self) ?? .erx
    }

    private func readTimes(_ reader: inout MappingReader, into settings: inout RADIUSSettings) {
        settings.deadMs = reader.milliseconds("dead-time", 1_000...3_600_000) ?? settings.deadMs
        settings.probeMs = reader.milliseconds("probe-interval", 500...600_000) ?? settings.probeMs
        settings.sockets = reader.integer("sockets", 1...64) ?? settings.sockets
        settings.requests = reader.integer("requests", 16...262_144) ?? settings.requests
    }

    private func checkNames(_ names: [String], _ places: [Node]) {
        var seen: Set<String> = []
        for (name, place) in zip(names, places) where !seen.insert(name).inserted {
            self.problems.add(place, "radius.servers: the name \"\(name)\" is given twice")
        }
    }

    private func readRADIUSServer(_ node: Node, _ path: String) -> RADIUSSettings.Server? {
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return nil }
        defer { reader.finish() }
        let name = reader.text("name", "a name", required: true)
        let timeout = reader.milliseconds("timeout", 50...60_000)
        let retries = reader.integer("retries", 0...10)
        let usesStatusServer = reader.flag("status-server")
        let requires = reader.flag("require-message-authenticator")
        guard let transport = self.readTransport(&reader, node, path), let name else { return nil }
        var server = RADIUSSettings.Server(name: name, transport: transport)
        server.timeoutMs = timeout ?? server.timeoutMs
        server.retries = retries ?? server.retries
        server.usesStatusServer = usesStatusServer ?? true
        server.requiresMessageAuthenticator = requires ?? true
        return server
    }

    private func readTransport(
        _ reader: inout MappingReader, _ node: Node, _ path: String
    ) -> RADIUSSettings.Server.Transport? {
        let address = reader.value("address", "an IP address", IPAddressText.init)
        let authenticationPort = reader.integer("auth-port", 1...65_535) ?? 1_812
        let accountingPort = reader.integer("acct-port", 1...65_535) ?? 1_813
        let secretFile = reader.text("secret-file", "the path of a file that only its owner can read")
        if let tls = reader.node("tls") {
            for key in ["address", "auth-port", "acct-port", "secret-file"] where reader.node(key) != nil {
                self.problems.add(reader.place(of: key), "\(path).\(key): expected only without tls")
            }
            return self.readTLS(tls, "\(path).tls")
        }
        guard reader.node("address") != nil else {
            self.problems.add(node, "\(path): expected either address or tls")
            return nil
        }
        guard let secretFile else {
            self.problems.add(node, "\(path).secret-file is missing: expected the path of a file")
            return nil
        }
        guard let address else { return nil }
        return .udp(
            address: address.text, authenticationPort: authenticationPort, accountingPort: accountingPort,
            secretFile: secretFile)
    }

    private func readTLS(_ node: Node, _ path: String) -> RADIUSSettings.Server.Transport? {
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return nil }
        defer { reader.finish() }
        let host = reader.text("host", "the name in the server's certificate", required: true)
        let port = reader.integer("port", 1...65_535) ?? 2_083
        let certificate = reader.text("certificate", "the path of a PEM file", required: true)
        let key = reader.text("key", "the path of a PEM file", required: true)
        let authority = reader.text("authority", "the path of a PEM file", required: true)
        guard let host, let certificate, let key, let authority else { return nil }
        return .tls(HostPort(host: host, port: port), certificate: certificate, key: key, authority: authority)
    }

    private func readGroup(
        _ outer: inout MappingReader, _ key: String, _ settings: RADIUSSettings, _ usual: RADIUSSettings.Group
    ) -> RADIUSSettings.Group {
        let path = "radius.\(key)"
        guard let node = outer.node(key),
            var reader = MappingReader(node, path: path, problems: self.problems)
        else { return usual }
        var group = usual
        for entry in reader.list("servers", required: true) {
            guard let name = self.problems.parse(entry, "\(path).servers", "the name of a server", { $0 }) else {
                continue
            }
            if !settings.servers.contains(where: { $0.name == name }) {
                self.problems.add(entry, "\(path).servers: there is no server \"\(name)\"")
            }
            if group.servers.contains(name) { self.problems.add(entry, "\(path).servers: \(name) is given twice") }
            group.servers.append(name)
        }
        group.policy = reader.choice("policy", RADIUSSettings.Policy.self) ?? usual.policy
        group.totalMs = reader.milliseconds("total-time", 100...300_000) ?? usual.totalMs
        let longest = settings.servers.filter { group.servers.contains($0.name) }.map(\.timeoutMs).max() ?? 0
        if group.totalMs <= longest {
            self.problems.add(
                reader.place(of: "total-time"),
                "\(path).total-time: expected more than a server's timeout (\(longest)ms)")
        }
        reader.finish()
        return group
    }
}

/// The text of an IPv4 or IPv6 address.
struct IPAddressText {
    let text: String

    init?(_ text: String) {
        var buffer = in6_addr()
        guard IPv4Address(text) != nil || inet_pton(AF_INET6, text, &buffer) == 1 else { return nil }
        self.text = text
    }
}
