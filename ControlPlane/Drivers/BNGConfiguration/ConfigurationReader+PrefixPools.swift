// SPDX-License-Identifier: Apache-2.0
// Reads a pool of prefixes: what it is cut out of, what of that is somebody's and what is nobody's.

import BNGCore
import Yams

extension ConfigurationReader {
    mutating func readPrefixPool(_ node: Node) {
        let path = "prefix-pools[\(self.prefixPoolPlaces.count)]"
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return }
        let name = reader.text("name", "a name", required: true)
        let vrf: VRF = reader.integer("vrf", 0...UInt32.max) ?? 0
        let length: Int? = reader.integer("length", 1...128, required: true)
        let prefixes = self.readPrefixes(&reader, length)
        let excluded = reader.list("excluded").compactMap { self.readPiece($0, "\(path).excluded", prefixes, length) }
        let statics = self.readStatics(reader.list("static"), "\(path).static", prefixes, length)
        for (mac, prefix) in statics where excluded.contains(prefix) {
            self.problems.add(reader.place(of: "static"), "\(path).static: \(prefix) of \(mac) is excluded")
        }
        let quarantine = reader.seconds("quarantine") ?? 60
        let alarm = reader.value("alarm", "a share of the prefixes from 0% to 100% such as 90%", percentage) ?? 90
        let external = reader.text("external", "the name of an entry of dhcp-servers")
        let link = reader.value("link-address", "a routable IPv6 address") { text in
            IPv6Address(text).flatMap { $0.isRoutableUnicast ? $0 : nil }
        }
        if external != nil {
            self.checkExternal(reader, path, lease: nil)
        } else if link != nil {
            self.problems.add(
                reader.place(of: "link-address"), "\(path).link-address: expected only in an external pool")
        }
        reader.finish()
        guard let name, let length else { return }
        var settings = PrefixPoolSettings(
            name: name, vrf: vrf, prefixes: prefixes, length: length, statics: statics, excluded: Set(excluded),
            quarantine: quarantine, alarmPercent: alarm)
        (settings.external, settings.linkAddress) = (external, link ?? prefixes.first?.address ?? .zero)
        self.configuration.prefixPools.append(settings)
        self.prefixPoolPlaces.append(node)
    }

    private func readPrefixes(_ reader: inout MappingReader, _ length: Int?) -> [IPv6Prefix] {
        var prefixes: [IPv6Prefix] = []
        let path = reader.name("prefixes")
        for node in reader.list("prefixes", required: true) {
            let prefix = self.problems.parse(node, path, "a routable IPv6 prefix, host bits zero") { text in
                IPv6Prefix(text).flatMap { $0.length > 0 && $0.isRoutableUnicast ? $0 : nil }
            }
            guard let prefix else { continue }
            if let length, prefix.length > length {
                self.problems.add(node, "\(path): \(prefix) has no room for a prefix of length \(length)")
            }
            if let other = prefixes.first(where: { $0.overlaps(prefix) }) {
                self.problems.add(node, "\(path): \(prefix) overlaps \(other)")
            }
            prefixes.append(prefix)
        }
        return prefixes
    }

    /// One of the prefixes a pool is cut into; of length 128 it may be written as an address.
    private func readPiece(_ node: Node, _ path: String, _ prefixes: [IPv6Prefix], _ length: Int?) -> IPv6Prefix? {
        guard let length else { return nil }
        let expected = "a prefix of length \(length) inside the pool's, host bits zero"
        return self.problems.parse(node, path, expected) { text in
            let prefix = IPv6Prefix(text) ?? (length == 128 ? IPv6Prefix("\(text)/128") : nil)
            return prefix.flatMap { piece in
                piece.length == length && prefixes.contains { $0.contains(piece) } ? piece : nil
            }
        }
    }

    private func readStatics(
        _ nodes: [Node], _ path: String, _ prefixes: [IPv6Prefix], _ length: Int?
    ) -> [MACAddress: IPv6Prefix] {
        var statics: [MACAddress: IPv6Prefix] = [:]
        for node in nodes {
            guard var reader = MappingReader(node, path: path, problems: self.problems) else { continue }
            let mac = reader.value("mac", "a unicast MAC address such as 02:00:00:00:00:99", required: true) { text in
                MACAddress(text).flatMap { $0.isMulticast || $0 == .zero ? nil : $0 }
            }
            let prefix = reader.required("prefix", "a prefix inside the pool's").flatMap {
                self.readPiece($0, reader.name("prefix"), prefixes, length)
            }
            reader.finish()
            guard let mac, let prefix else { continue }
            if statics.values.contains(prefix) {
                self.problems.add(reader.place(of: "prefix"), "\(path).prefix: \(prefix) is given twice")
            }
            if statics.updateValue(prefix, forKey: mac) != nil {
                self.problems.add(reader.place(of: "mac"), "\(path).mac: \(mac) is given twice")
            }
        }
        return statics
    }
}
