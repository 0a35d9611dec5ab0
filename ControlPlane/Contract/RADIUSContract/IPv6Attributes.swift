// SPDX-License-Identifier: Apache-2.0
// The forms of IPv6 attributes: prefixes, interface identifiers, routes.
//
// Supported standards: RFC 3162 (2.2, 2.3, 2.5), RFC 4818 (3), RFC 6911 (3.1, 3.3).

import BNGCore
import RADIUS

extension ArraySlice<UInt8> {
    /// A reserved zero, a length, and as many bytes of the prefix as it needs or more; nil if a bit behind the prefix is set.
    var radiusIPv6Prefix: IPv6Prefix? {
        guard (2...18).contains(self.count), self.first == 0 else { return nil }
        let length = Int(self[self.startIndex + 1])
        let given = self.dropFirst(2)
        guard length <= given.count * 8,
            let address = IPv6Address(Array(given) + [UInt8](repeating: 0, count: 16 - given.count))
        else { return nil }
        return IPv6Prefix(address, length: length)
    }

    /// Eight bytes that are not all zero: no host has that one (RFC 5072 4.1).
    var radiusInterfaceID: UInt64? {
        guard self.count == 8 else { return nil }
        let value = self.reduce(0) { $0 << 8 | UInt64($1) }
        return value == 0 ? nil : value
    }

    /// An address packets can be routed to.
    var radiusIPv6Address: IPv6Address? { IPv6Address(self).flatMap { $0.isRoutableUnicast ? $0 : nil } }
}

extension RADIUSAttributes {
    /// Adds a prefix with no more bytes than it needs.
    mutating func append(_ key: RADIUSAttributeKey, _ prefix: IPv6Prefix) {
        self.append(key, [0, UInt8(prefix.length)] + prefix.address.bytes.prefix((prefix.length + 7) / 8))
    }
}

/// Framed-IPv6-Route: `PREFIX/LENGTH [GATEWAY [METRICS...]]`.
struct FramedIPv6Route: Equatable {
    var prefix: IPv6Prefix
    /// `::`: the customer.
    var gateway: IPv6Address

    /// nil if the text names no prefix that can be routed, or a gateway that is no address. Metrics say nothing to a line.
    init?(_ text: String) {
        let words = text.split(whereSeparator: { $0 == " " || $0 == "\t" })
        let halves = words.first?.split(separator: "/", omittingEmptySubsequences: false) ?? []
        guard halves.count == 2, let address = IPv6Address(String(halves[0])), (1...3).contains(halves[1].utf8.count),
            halves[1].utf8.allSatisfy({ (48...57).contains($0) }), let length = Int(halves[1]),
            (1...128).contains(length)
        else { return nil }
        self.prefix = IPv6Prefix(holding: address, length: length)
        self.gateway = .zero
        guard self.prefix.isRoutableUnicast else { return nil }
        guard words.count > 1 else { return }
        guard let gateway = IPv6Address(String(words[1])) else { return nil }
        self.gateway = gateway
    }
}
