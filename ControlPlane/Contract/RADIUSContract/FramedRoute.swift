// SPDX-License-Identifier: Apache-2.0
// Framed-Route (RFC 2865 5.22): text that names a prefix behind the customer.

import BNGCore

/// `PREFIX[/LENGTH] [GATEWAY [METRICS...]]`.
public struct FramedRoute: Equatable, Sendable {
    public var prefix: IPv4Prefix
    /// 0.0.0.0: the customer.
    public var gateway: IPv4Address

    /// nil if the text names no prefix, all of the Internet, or a gateway that is no address. Metrics say nothing to a line.
    public init?(_ text: String) {
        let words = text.split(whereSeparator: { $0 == " " || $0 == "\t" })
        guard let first = words.first, let prefix = Self.prefix(first), prefix.length > 0 else { return nil }
        self.prefix = prefix
        self.gateway = .zero
        guard words.count > 1 else { return }
        guard let gateway = IPv4Address(String(words[1])) else { return nil }
        self.gateway = gateway
    }

    private static func prefix(_ text: Substring) -> IPv4Prefix? {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let address = IPv4Address(String(halves[0])) else { return nil }
        if halves.count == 1 { return IPv4Prefix(address, length: Self.classLength(address)) }
        guard halves.count == 2, halves[1].utf8.allSatisfy({ (48...57).contains($0) }), halves[1].utf8.count <= 2,
            let length = Int(halves[1]), (0...32).contains(length)
        else { return nil }
        let mask = length == 0 ? 0 : UInt32.max << UInt32(32 - length)
        return IPv4Prefix(IPv4Address(rawValue: address.rawValue & mask), length: length)
    }

    /// RFC 2865 5.22: without a length, that of the address's class.
    private static func classLength(_ address: IPv4Address) -> Int {
        switch address.rawValue >> 24 {
        case 0..<128: 8
        case 128..<192: 16
        default: 24
        }
    }
}
