// SPDX-License-Identifier: Apache-2.0
// Reads `nodes[].ports[].trusted-relays:`: each an IPv4 address, or that with the IPv6 addresses of the same relay.

import BNGCore
import Yams

extension ConfigurationReader {
    private static let relayLimit = 64
    private static let linkLimit = 64

    func readRelays(_ reader: inout MappingReader, into port: inout PortSettings) {
        let key = "trusted-relays"
        let entries = reader.list(key)
        let (name, place) = (reader.name(key), reader.place(of: key))
        port.trustedRelays = entries.enumerated().compactMap { self.readRelay($1, "\(name)[\($0)]") }
        if entries.count > Self.relayLimit {
            self.problems.add(place, "\(name): expected at most \(Self.relayLimit) relays")
        }
        if !entries.isEmpty, port.relayTrust != .relays {
            self.problems.add(place, "\(name): expected only with relay-trust: relays")
        }
        let ipv4 = port.trustedRelays.map(\.ipv4), ipv6 = port.trustedRelays.flatMap(\.ipv6)
        if Set(ipv4).count != ipv4.count || Set(ipv6).count != ipv6.count {
            self.problems.add(place, "\(name): an address is given twice")
        }
    }

    private func readRelay(_ node: Node, _ name: String) -> TrustedRelay? {
        guard node.mapping != nil else {
            let expected = "an IPv4 address, or a mapping of ipv4 and ipv6"
            return self.problems.parse(node, name, expected) { IPv4Address($0) }.map { TrustedRelay(ipv4: $0) }
        }
        guard var reader = MappingReader(node, path: name, problems: self.problems) else { return nil }
        let ipv4 = reader.address("ipv4", required: true)
        let links = reader.list("ipv6", required: true)
        let ipv6 = links.compactMap { link in
            self.problems.parse(link, reader.name("ipv6"), "a routable IPv6 address") {
                IPv6Address($0).flatMap { $0.isRoutableUnicast ? $0 : nil }
            }
        }
        if links.count > Self.linkLimit {
            self.problems.add(node, "\(reader.name("ipv6")): expected at most \(Self.linkLimit) addresses")
        }
        reader.finish()
        return ipv4.map { TrustedRelay(ipv4: $0, ipv6: ipv6) }
    }
}
