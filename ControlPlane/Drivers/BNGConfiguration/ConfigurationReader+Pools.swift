// SPDX-License-Identifier: Apache-2.0
// Reads a pool: its ranges, times, options and static addresses, each within the pool's own prefix.

import Addressing
import BNGCore
import Fleet
import Yams

extension ConfigurationReader {
    mutating func readPool(_ node: Node) {
        let path = "pools[\(self.poolPlaces.count)]"
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return }
        let name = reader.text("name", "a name", required: true)
        let vrf: VRF = reader.integer("vrf", 0...UInt32.max) ?? 0
        let prefix = reader.value("prefix", "a prefix of length 1-32, host bits zero", required: true) { text in
            IPv4Prefix(text).flatMap { $0.length == 0 ? nil : $0 }
        }
        let gateway = reader.address("gateway", required: true)
        let ranges = self.readRanges(reader.list("ranges"), path, prefix, gateway)
        let times = self.readTimes(&reader, path)
        let quarantine = reader.seconds("quarantine") ?? 60
        let options = self.readOptions(&reader, path)
        let statics = self.readStatics(reader.list("static"), path, prefix, gateway)
        let allocation = reader.choice("allocation", AddressPool.Allocation.self) ?? .sticky
        let external = reader.text("external", "the name of an entry of dhcp-servers")
        let alarm = reader.value("alarm", "a share of the addresses from 0% to 100% such as 90%", percentage) ?? 90
        let nat = reader.text("nat", "the name of a NAT pool")
        if reader.node("ranges") == nil, reader.node("static") == nil {
            self.problems.add(node, "\(path): expected ranges, static addresses or both")
        }
        if external != nil { self.checkExternal(reader, path, lease: times.lease) }
        reader.finish()
        if let prefix, let gateway, !prefix.hasHost(gateway) {
            self.problems.add(
                reader.place(of: "gateway"), "\(path).gateway: expected a host address of \(prefix), found \(gateway)")
        }
        guard let name, let prefix, let gateway else { return }
        self.configuration.pools.append(
            Pool(
                name: name, vrf: vrf, prefix: prefix, gateway: gateway, ranges: ranges, statics: statics,
                lease: times.lease, renewal: times.renewal, rebinding: times.rebinding, quarantine: quarantine,
                options: options, allocation: allocation, alarmPercent: alarm, nat: nat,
                external: external))
        self.poolPlaces.append(node)
    }

    private func readRanges(
        _ nodes: [Node], _ path: String, _ prefix: IPv4Prefix?, _ gateway: IPv4Address?
    ) -> [IPv4Range] {
        var ranges: [IPv4Range] = []
        for node in nodes {
            let name = "\(path).ranges"
            let expected = "a range FIRST-LAST of IPv4 addresses"
            guard let range = self.problems.parse(node, name, expected, IPv4Range.init(text:)) else { continue }
            if let prefix, !prefix.hasHost(range.first) || !prefix.hasHost(range.last) {
                self.problems.add(node, "\(name): expected host addresses of \(prefix), found \(range)")
            }
            if let gateway, range.contains(gateway) {
                self.problems.add(node, "\(name): \(range) holds the gateway \(gateway)")
            }
            if let other = ranges.first(where: { $0.overlaps(range) }) {
                self.problems.add(node, "\(name): \(range) overlaps \(other)")
            }
            ranges.append(range)
        }
        return ranges
    }

    private func readTimes(
        _ reader: inout MappingReader, _ path: String
    ) -> (lease: Seconds, renewal: Seconds, rebinding: Seconds) {
        let lease = reader.seconds("lease", required: true) ?? 3_600
        // RFC 2131 4.4.5: 0.5 and 0.875 of the lease.
        let renewal = reader.seconds("renewal") ?? Seconds(lease.value / 2)
        let rebinding = reader.seconds("rebinding") ?? Seconds(UInt32(UInt64(lease.value) * 7 / 8))
        if lease.value < 60 {
            self.problems.add(reader.place(of: "lease"), "\(path).lease: expected at least 60s")
        } else if rebinding >= lease {
            self.problems.add(
                reader.place(of: "rebinding"), "\(path).rebinding: expected less than the lease (\(lease.value)s)")
        } else if renewal >= rebinding || renewal.value == 0 {
            self.problems.add(
                reader.place(of: "renewal"),
                "\(path).renewal: expected more than 0 and less than rebinding (\(rebinding.value)s)")
        }
        return (lease, renewal, rebinding)
    }

    private func readOptions(_ reader: inout MappingReader, _ path: String) -> [RawDHCPOption] {
        var options: [UInt8: [UInt8]] = [:]
        let servers = reader.list("dns").compactMap {
            self.problems.parse($0, "\(path).dns", "an IPv4 address") { IPv4Address($0) }
        }
        if !servers.isEmpty { options[6] = servers.flatMap(\.bytes) }
        if let domain = reader.text("domain", "a domain name") { options[15] = Array(domain.utf8) }
        if let wait = reader.seconds("ipv6-only-preferred") {
            // RFC 8925 3.2, 3.4: V6ONLY_WAIT in seconds, at least MIN_V6ONLY_WAIT.
            options[108] = IPv4Address(rawValue: wait.value).bytes
            if wait.value < 300 {
                self.problems.add(
                    reader.place(of: "ipv6-only-preferred"), "\(path).ipv6-only-preferred: expected at least 5m")
            }
        }
        let nodes = reader.list("options")
        for node in nodes {
            guard let option = self.readOption(node, "\(path).options") else { continue }
            if options.updateValue(option.data, forKey: option.code) != nil {
                self.problems.add(
                    node,
                    "\(path).options: code \(option.code) is given twice (dns is 6, domain is 15, ipv6-only-preferred is 108)"
                )
            }
        }
        // The limits of PoolTemplate.options in the contract.
        if options.count > 24 || options.values.reduce(0, { $0 + $1.count }) > 448 {
            self.problems.add(
                reader.place(of: "options"), "\(path).options: expected at most 24 options and 448 bytes in all")
        }
        if let long = options.first(where: { $0.value.count > 255 }) {
            self.problems.add(
                reader.place(of: "options"),
                "\(path): option \(long.key) has \(long.value.count) bytes, at most 255 fit")
        }
        return options.map { RawDHCPOption(code: $0, data: $1) }.sorted { $0.code < $1.code }
    }

    private func readOption(_ node: Node, _ path: String) -> RawDHCPOption? {
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return nil }
        let code: UInt8? = reader.value(
            "code", "an option code from 2 to 254, not 3, 50-61 or 82 (those belong to the protocol)", required: true
        ) { text in
            UInt8(text).flatMap { code in
                (2...254).contains(code) && code != 3 && code != 82 && !(50...61).contains(code) ? code : nil
            }
        }
        var values: [[UInt8]] = []
        if reader.node("ipv4") != nil {
            values.append(
                reader.list("ipv4", required: true).compactMap {
                    self.problems.parse($0, "\(path).ipv4", "an IPv4 address") { IPv4Address($0)?.bytes }
                }.flatMap { $0 })
        }
        if let text = reader.text("text", "text") { values.append(Array(text.utf8)) }
        if let data = reader.value("hex", "an even number of hexadecimal digits", { bytes(hexadecimal: $0) }) {
            values.append(data)
        }
        if let number: UInt8 = reader.integer("u8", 0...UInt8.max) { values.append([number]) }
        if let number: UInt16 = reader.integer("u16", 0...UInt16.max) {
            values.append([UInt8(number >> 8), UInt8(truncatingIfNeeded: number)])
        }
        if let number: UInt32 = reader.integer("u32", 0...UInt32.max) {
            values.append(IPv4Address(rawValue: number).bytes)
        }
        reader.finish()
        let given = ["ipv4", "text", "hex", "u8", "u16", "u32"].count { reader.node($0) != nil }
        guard given == 1 else {
            self.problems.add(node, "\(path): expected exactly one of ipv4, text, hex, u8, u16, u32")
            return nil
        }
        guard let code, let data = values.first else { return nil }
        return RawDHCPOption(code: code, data: data)
    }

    private func readStatics(
        _ nodes: [Node], _ path: String, _ prefix: IPv4Prefix?, _ gateway: IPv4Address?
    ) -> [MACAddress: IPv4Address] {
        var statics: [MACAddress: IPv4Address] = [:]
        for node in nodes {
            guard var reader = MappingReader(node, path: "\(path).static", problems: self.problems) else { continue }
            let mac = reader.value("mac", "a unicast MAC address such as 02:00:00:00:00:99", required: true) { text in
                MACAddress(text).flatMap { $0.isMulticast || $0 == .zero ? nil : $0 }
            }
            let address = reader.address("address", required: true)
            reader.finish()
            guard let mac, let address else { continue }
            if let prefix, !prefix.hasHost(address) {
                self.problems.add(
                    reader.place(of: "address"),
                    "\(path).static.address: expected a host address of \(prefix), found \(address)")
            }
            if address == gateway {
                self.problems.add(reader.place(of: "address"), "\(path).static.address: \(address) is the gateway")
            }
            if statics.values.contains(address) {
                self.problems.add(reader.place(of: "address"), "\(path).static.address: \(address) is given twice")
            }
            if statics.updateValue(address, forKey: mac) != nil {
                self.problems.add(reader.place(of: "mac"), "\(path).static.mac: \(mac) is given twice")
            }
        }
        return statics
    }
}

func percentage(_ text: String) -> Int? {
    guard text.hasSuffix("%"), let number = Int(text.dropLast()), (0...100).contains(number) else { return nil }
    return number
}

extension IPv4Prefix {
    /// Inside the prefix and neither its network nor its broadcast address (which prefixes of 31 and 32 bits do not have).
    func hasHost(_ address: IPv4Address) -> Bool {
        guard self.contains(address) else { return false }
        return self.length >= 31 || (address != self.first && address != self.last)
    }
}

extension IPv4Range {
    /// `first-last`, or one address.
    init?(text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = IPv4Address(String(parts[0])),
            let last = IPv4Address(String(parts[parts.count - 1]))
        else { return nil }
        self.init(first, last)
    }
}
