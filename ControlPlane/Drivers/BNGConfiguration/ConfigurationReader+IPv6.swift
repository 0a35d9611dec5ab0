// SPDX-License-Identifier: Apache-2.0
// Reads `access-domains[].ipv6:`: what its lines are told by advertisements and given by DHCPv6.

import BNGCore
import Fleet
import NeighborDiscovery
import Subscribers
import Yams

extension ConfigurationReader {
    func readIPv6(_ node: Node, path: String) -> IPv6Settings? {
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return nil }
        var settings = IPv6Settings()
        settings.linkLocal =
            reader.value("link-local", "an address of fe80::/10 such as fe80::1") { text in
                IPv6Address(text).flatMap { $0.isLinkLocal ? $0 : nil }
            } ?? settings.linkLocal
        settings.address = reader.value("address", "a routable IPv6 address") { text in
            IPv6Address(text).flatMap { $0.isRoutableUnicast ? $0 : nil }
        }
        settings.linkPool = reader.text("link-pool", "the name of a prefix pool")
        settings.addressPool = reader.text("address-pool", "the name of a prefix pool")
        settings.delegationPool = reader.text("delegation-pool", "the name of a prefix pool")
        self.readNames(&reader, &settings)
        self.readLifetimes(&reader, &settings)
        self.readAdvertisement(&reader, &settings)
        settings.rapidCommit = reader.flag("rapid-commit") ?? settings.rapidCommit
        settings.preference = reader.integer("preference", 0...255) ?? settings.preference
        settings.refusedExtensionHeaders = self.readHeaders(&reader)
        reader.finish()
        return settings
    }

    private func readNames(_ reader: inout MappingReader, _ settings: inout IPv6Settings) {
        settings.dns = reader.list("dns").compactMap {
            self.problems.parse($0, reader.name("dns"), "an IPv6 address") { IPv6Address($0) }
        }
        self.checkServers(settings.dns, reader)
        settings.search = reader.list("search").compactMap {
            self.problems.parse($0, reader.name("search"), "a domain name such as example.net") { DomainName($0) }
        }
        let bytes = settings.search.reduce(0) { $0 + $1.wireForm.count }
        if bytes > IPv6Settings.searchLimit {
            self.problems.add(
                reader.place(of: "search"),
                "\(reader.name("search")): expected at most \(IPv6Settings.searchLimit) bytes in all, found \(bytes)")
        }
    }

    /// DNS servers by IPv6, of an access domain or a plan.
    func checkServers(_ servers: [IPv6Address], _ reader: MappingReader) {
        let (path, place) = (reader.name("dns"), reader.place(of: "dns"))
        if let server = servers.first(where: { !$0.isUnicast }) {
            self.problems.add(place, "\(path): expected unicast addresses, found \(server)")
        }
        if servers.count > IPv6Grant.serverLimit {
            self.problems.add(place, "\(path): expected at most \(IPv6Grant.serverLimit) IPv6 addresses")
        }
    }

    private func readLifetimes(_ reader: inout MappingReader, _ settings: inout IPv6Settings) {
        settings.preferredLifetime = reader.seconds("preferred-lifetime") ?? settings.preferredLifetime
        settings.validLifetime = reader.seconds("valid-lifetime") ?? settings.validLifetime
        let preferred = settings.preferredLifetime.value
        // RFC 8415 21.4: 0.5 and 0.8 of the shortest preferred lifetime.
        settings.renewal = reader.seconds("renewal") ?? Seconds(preferred / 2)
        settings.rebinding = reader.seconds("rebinding") ?? Seconds(UInt32(UInt64(preferred) * 4 / 5))
        func problem(_ key: String, _ words: String) {
            self.problems.add(reader.place(of: key), "\(reader.name(key)): expected \(words)")
        }
        if preferred < 60 {
            problem("preferred-lifetime", "at least 60s")
        } else if settings.validLifetime < settings.preferredLifetime {
            problem("valid-lifetime", "at least the preferred lifetime (\(preferred)s)")
        } else if settings.rebinding > settings.preferredLifetime {
            problem("rebinding", "at most the preferred lifetime (\(preferred)s)")
        } else if settings.renewal >= settings.rebinding || settings.renewal == 0 {
            problem("renewal", "more than 0 and less than rebinding (\(settings.rebinding.value)s)")
        }
    }

    private func readAdvertisement(_ reader: inout MappingReader, _ settings: inout IPv6Settings) {
        settings.routerLifetime =
            self.readSeconds(&reader, "router-lifetime", 0...9_000) ?? settings.routerLifetime
        settings.advertisementInterval =
            self.readSeconds(&reader, "advertisement-interval", IPv6Attachment.intervalLimits)
            ?? settings.advertisementInterval
        if settings.routerLifetime > 0, settings.routerLifetime < settings.advertisementInterval {
            self.problems.add(
                reader.place(of: "router-lifetime"),
                "\(reader.name("router-lifetime")): expected 0s or at least the advertisement interval"
                    + " (\(settings.advertisementInterval.value)s)")
        }
        settings.mtu = reader.integer("mtu", 1_280...65_535)
        let lengths = PREF64.lengths.sorted().map { "\($0)" }.joined(separator: ", ")
        settings.nat64Prefix = reader.value("nat64-prefix", "an IPv6 prefix of length \(lengths), host bits zero") {
            IPv6Prefix($0).flatMap { PREF64.lengths.contains($0.length) ? $0 : nil }
        }
        settings.routerPreference =
            reader.value("router-preference", "low | medium | high") { text -> RouterPreference? in
                ["low": RouterPreference.low, "medium": .medium, "high": .high][text]
            } ?? .medium
        settings.hopLimit = reader.integer("hop-limit", 0...255) ?? settings.hopLimit
        settings.isManaged = reader.flag("managed") ?? (settings.addressPool != nil)
        let isUseful = settings.addressPool != nil || settings.delegationPool != nil || !settings.dns.isEmpty
        settings.hasOtherConfiguration = reader.flag("other") ?? (isUseful || !settings.search.isEmpty)
        settings.isOnLink = reader.flag("on-link") ?? false
    }

    private func readSeconds(
        _ reader: inout MappingReader, _ key: String, _ range: ClosedRange<UInt32>
    ) -> Seconds? {
        guard let value = reader.seconds(key) else { return nil }
        if !range.contains(value.value) {
            self.problems.add(
                reader.place(of: key),
                "\(reader.name(key)): expected \(range.lowerBound)s to \(range.upperBound)s, found \(value.value)s")
        }
        return value
    }

    private func readHeaders(_ reader: inout MappingReader) -> [UInt8] {
        let key = "refused-extension-headers"
        let headers = reader.list(key).compactMap {
            self.problems.parse(
                $0, reader.name(key), "hop-by-hop, destination, routing, fragment, mobility or a number from 0 to 255",
                extensionHeader)
        }
        if headers.count > PortPolicy.refusedHeaderLimit || Set(headers).count != headers.count {
            self.problems.add(
                reader.place(of: key),
                "\(reader.name(key)): expected at most \(PortPolicy.refusedHeaderLimit) headers, none of them twice")
        }
        return headers.sorted()
    }

    /// The router a route goes to: of the route's family, and reachable on a port.
    func checkGateway(_ gateway: IPAddress, of prefix: IPPrefix?, _ reader: MappingReader) {
        let place = reader.place(of: "via")
        if case .v6(let address) = gateway, !address.isLinkLocal, !address.isRoutableUnicast {
            self.problems.add(place, "\(reader.name("via")): expected a unicast address, found \(address)")
        }
        if let prefix, prefix.isIPv6 != gateway.isIPv6 {
            self.problems.add(place, "\(reader.name("via")): expected a gateway of the prefix's family")
        }
    }
}

/// Numbers of the protocol registry.
private func extensionHeader(_ text: String) -> UInt8? {
    let names: [String: UInt8] = [
        "hop-by-hop": 0, "routing": 43, "fragment": 44, "destination": 60, "mobility": 135,
    ]
    return names[text] ?? UInt8(text)
}
