// SPDX-License-Identifier: Apache-2.0
// Reads the file of local subscribers (`aaa.subscribers`), as strictly as the configuration itself.

import BNGCore
import Subscribers
import Yams

extension LocalSubscriber {
    /// Reads a file of subscribers. `file` is its name in messages; `catalog` holds the names it may refer to.
    public static func read(
        yaml: String, file: String, catalog: PlanCatalog
    ) throws(ConfigurationError) -> [LocalSubscriber] {
        let problems = ProblemList(file: file)
        var reader = SubscribersReader(problems: problems, catalog: catalog)
        if let root = ConfigurationReader.compose(yaml, problems, expected: "subscribers") { reader.read(root) }
        guard problems.problems.isEmpty else {
            throw ConfigurationError(
                problems: problems.problems.sorted { ($0.line, $0.column) < ($1.line, $1.column) })
        }
        return reader.subscribers
    }
}

/// The reading of one file.
private struct SubscribersReader {
    let problems: ProblemList
    let catalog: PlanCatalog
    private(set) var subscribers: [LocalSubscriber] = []
    private var names: Set<String> = []

    init(problems: ProblemList, catalog: PlanCatalog) {
        self.problems = problems
        self.catalog = catalog
    }

    mutating func read(_ root: Node) {
        guard var reader = MappingReader(root, path: "", problems: self.problems) else { return }
        for node in reader.list("subscribers") { self.readSubscriber(node) }
        reader.finish()
    }

    private mutating func readSubscriber(_ node: Node) {
        let path = "subscribers[\(self.subscribers.count)]"
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return }
        let expected = "a user name of 1 to \(LocalSubscriber.nameLimit) bytes without control characters"
        let name = reader.value("name", expected, required: true) { LocalSubscriber.isName($0) ? $0 : nil }
        var subscriber = LocalSubscriber(name: name ?? "", origin: .file(self.problems.file))
        subscriber.password = self.readPassword(&reader)
        subscriber.plan = self.known(&reader, "plan", Set(self.catalog.plans.keys))
        subscriber.pool = self.known(&reader, "pool", self.catalog.pools)
        subscriber.address = reader.value("address", "the IPv4 address of one host") { text in
            IPv4Address(text).flatMap { $0.isUnicastHost ? $0 : nil }
        }
        self.readRoutes(&reader, &subscriber)
        self.readIPv6(&reader, &subscriber)
        subscriber.isSuspended = reader.flag("suspended") ?? false
        subscriber.note = reader.text("note", "text") ?? ""
        reader.finish()
        guard let name else { return }
        if !self.names.insert(name).inserted {
            self.problems.add(reader.place(of: "name"), "\(path).name: \"\(name)\" is given twice")
        }
        self.subscribers.append(subscriber)
    }

    /// The text found is not repeated: it may be a password somebody wrote as it is.
    private func readPassword(_ reader: inout MappingReader) -> PasswordRecord? {
        guard let node = reader.node("password") else { return nil }
        guard let record = node.scalar.flatMap({ PasswordRecord(text: $0.string) }) else {
            self.problems.add(
                node, "\(reader.name("password")): expected a record as `bngctl subscriber hash` prints it")
            return nil
        }
        return record
    }

    private func known(_ reader: inout MappingReader, _ key: String, _ names: Set<String>) -> String? {
        guard let name = reader.text(key, "the name of a \(key)") else { return nil }
        if !names.contains(name) {
            self.problems.add(reader.place(of: key), "\(reader.name(key)): there is no \(key) \"\(name)\"")
        }
        return name
    }

    private func readIPv6(_ reader: inout MappingReader, _ subscriber: inout LocalSubscriber) {
        let link = "a routable IPv6 prefix of length 64, host bits zero"
        subscriber.linkPrefix = reader.value("ipv6-prefix", link) { text in
            IPv6Prefix(text).flatMap { IPv6Grant.isLinkPrefix($0) ? $0 : nil }
        }
        let delegated = "a routable IPv6 prefix of length 1-64, host bits zero"
        subscriber.delegatedPrefix = reader.value("delegated-prefix", delegated) { text in
            IPv6Prefix(text).flatMap { IPv6Grant.isDelegable($0) ? $0 : nil }
        }
        subscriber.ipv6Address = reader.value("ipv6-address", "a routable IPv6 address") { text in
            IPv6Address(text).flatMap { $0.isRoutableUnicast ? $0 : nil }
        }
    }

    private func readRoutes(_ reader: inout MappingReader, _ subscriber: inout LocalSubscriber) {
        let nodes = reader.list("routes")
        if nodes.count > LocalSubscriber.routeLimit {
            self.problems.add(
                reader.place(of: "routes"),
                "\(reader.name("routes")): expected at most \(LocalSubscriber.routeLimit) prefixes")
        }
        let expected = "a prefix of length 1-32, or a routable one of length 1-128, host bits zero"
        for node in nodes {
            let prefix = self.problems.parse(node, reader.name("routes"), expected) { text -> IPPrefix? in
                guard let prefix = IPPrefix(text), prefix.length > 0 else { return nil }
                if case .v6(let ipv6) = prefix, !ipv6.isRoutableUnicast { return nil }
                return prefix
            }
            switch prefix {
            case .v4(let route): subscriber.routes.append(route)
            case .v6(let route): subscriber.ipv6Routes.append(route)
            case nil: break
            }
        }
        for node in reader.list("forwards") {
            guard
                let forward = self.problems.parse(
                    node, reader.name("forwards"), PortForward.expected, { PortForward($0) })
            else { continue }
            subscriber.forwards.append(forward)
        }
        if subscriber.forwards.count > NATGrant.forwardLimit {
            self.problems.add(
                reader.place(of: "forwards"),
                "\(reader.name("forwards")): expected at most \(NATGrant.forwardLimit) forwards")
        }
        if subscriber.ipv6Routes.count > IPv6Grant.routeLimit {
            self.problems.add(
                reader.place(of: "routes"),
                "\(reader.name("routes")): expected at most \(IPv6Grant.routeLimit) IPv6 prefixes")
        }
    }
}
