// SPDX-License-Identifier: Apache-2.0
// Reads `radius.rules` and `radius.dynamic-authorization`.

import BNGCore
import RADIUS
import RADIUSContract
import Yams

extension ConfigurationReader {
    func readRule(_ node: Node) -> AttributeRule? {
        guard var reader = MappingReader(node, path: "radius.rules", problems: self.problems) else { return nil }
        defer { reader.finish() }
        let attribute = reader.value(
            "attribute", "an attribute such as Filter-Id, Mikrotik-Rate-Limit or vendor:4874:10", required: true,
            RADIUSDictionary.entry(named:))
        let text = reader.text("match", "a pattern such as plan:{plan}", required: true)
        guard let attribute, let text else { return nil }
        do {
            return AttributeRule(attribute: attribute, pattern: try AttributePattern(text))
        } catch {
            self.problems.add(reader.place(of: "match"), "radius.rules.match: \(error.description)")
            return nil
        }
    }

    func readDynamicAuthorization(_ node: Node) -> RADIUSSettings.DynamicAuthorization? {
        let path = "radius.dynamic-authorization"
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return nil }
        defer { reader.finish() }
        let listen = reader.value("listen", "HOST:PORT such as 0.0.0.0:3799", required: true, HostPort.init)
        let clients = reader.list("clients", required: true).compactMap { self.readClient($0, "\(path).clients") }
        var seen: Set<String> = []
        for (client, place) in clients where !seen.insert(client.address).inserted {
            self.problems.add(place, "\(path).clients: \(client.address) is given twice")
        }
        let window = reader.seconds("window")
        if let window, window.value > 86_400 {
            self.problems.add(reader.place(of: "window"), "\(path).window: expected at most 1d")
        }
        guard let listen else { return nil }
        var settings = RADIUSSettings.DynamicAuthorization(listen: listen, clients: clients.map(\.client))
        settings.window = window ?? settings.window
        return settings
    }

    private func readClient(
        _ node: Node, _ path: String
    ) -> (client: RADIUSSettings.DynamicAuthorization.Client, place: Node)? {
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return nil }
        defer { reader.finish() }
        let address = reader.value("address", "an IP address", required: true, IPAddressText.init)
        let file = reader.text("secret-file", "the path of a file that only its owner can read", required: true)
        let requires = reader.flag("require-message-authenticator")
        guard let address, let file else { return nil }
        var client = RADIUSSettings.DynamicAuthorization.Client(address: address.text, secretFile: file)
        client.requiresMessageAuthenticator = requires ?? true
        return (client, node)
    }
}
