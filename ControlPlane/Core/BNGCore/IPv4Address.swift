// SPDX-License-Identifier: Apache-2.0
// IPv4 addresses, prefixes and ranges.

/// An IPv4 address as a number: 192.0.2.1 is 0xc0000201 on every host.
public struct IPv4Address: Hashable, Sendable, Comparable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// The address in four bytes in network order; nil unless there are four.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 4 else { return nil }
        self.rawValue = bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }

    public static let zero = IPv4Address(rawValue: 0)
    public static let broadcast = IPv4Address(rawValue: .max)

    /// Four bytes in network order.
    public var bytes: [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: self.rawValue >> (24 - 8 * UInt32($0))) }
    }

    public static func < (a: IPv4Address, b: IPv4Address) -> Bool { a.rawValue < b.rawValue }

    /// RFC 1918 3, RFC 6598 7.
    public var isPrivate: Bool {
        let host = self.rawValue
        return host >> 24 == 10 || host >> 20 == 0xac1 || host >> 16 == 0xc0a8 || host >> 22 == 0x191
    }

    /// Can belong to one host: not of 0/8, 127/8, 224/4 or 240/4.
    public var isUnicastHost: Bool {
        let top = self.rawValue >> 24
        return top != 0 && top != 127 && top < 224
    }
}

extension IPv4Address: CustomStringConvertible, LosslessStringConvertible {
    /// Dotted decimal with exactly four parts and no leading zeros (RFC 6943 3.1.1 calls the other forms ambiguous).
    public init?(_ description: String) {
        let parts = description.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
                part.utf8.count == 1 || part.utf8.first != 48, let byte = UInt8(part)
            else { return nil }
            value = value << 8 | UInt32(byte)
        }
        self.rawValue = value
    }

    public var description: String {
        var text: [UInt8] = []
        text.reserveCapacity(15)
        for shift in [UInt32(24), 16, 8, 0] {
            let byte = UInt8(truncatingIfNeeded: self.rawValue >> shift)
            if byte >= 100 { text.append(UInt8(ascii: "0") + byte / 100) }
            if byte >= 10 { text.append(UInt8(ascii: "0") + byte / 10 % 10) }
            text.append(UInt8(ascii: "0") + byte % 10)
            if shift > 0 { text.append(UInt8(ascii: ".")) }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// An IPv4 prefix whose host bits are zero.
public struct IPv4Prefix: Hashable, Sendable {
    public let address: IPv4Address
    /// 0 to 32.
    public let length: Int

    /// nil if `length` is not 0-32 or a host bit is set.
    public init?(_ address: IPv4Address, length: Int) {
        guard (0...32).contains(length), address.rawValue & ~Self.mask(length) == 0 else { return nil }
        self.address = address
        self.length = length
    }

    static func mask(_ length: Int) -> UInt32 { length == 0 ? 0 : UInt32.max << UInt32(32 - length) }

    public var netmask: IPv4Address { IPv4Address(rawValue: Self.mask(self.length)) }
    public var first: IPv4Address { self.address }
    public var last: IPv4Address { IPv4Address(rawValue: self.address.rawValue | ~Self.mask(self.length)) }

    public func contains(_ other: IPv4Address) -> Bool {
        other.rawValue & Self.mask(self.length) == self.address.rawValue
    }

    public func overlaps(_ other: IPv4Prefix) -> Bool {
        self.contains(other.address) || other.contains(self.address)
    }
}

extension IPv4Prefix: CustomStringConvertible, LosslessStringConvertible {
    /// `a.b.c.d/length`.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(String(parts[0])), parts[1].utf8.count <= 2,
            parts[1].utf8.allSatisfy({ (48...57).contains($0) }), let length = Int(parts[1])
        else { return nil }
        self.init(address, length: length)
    }

    public var description: String { "\(self.address)/\(self.length)" }
}

/// An inclusive range of IPv4 addresses.
public struct IPv4Range: Hashable, Sendable, CustomStringConvertible {
    public let first: IPv4Address
    public let last: IPv4Address

    /// nil if `last` is below `first`.
    public init?(_ first: IPv4Address, _ last: IPv4Address) {
        guard first <= last else { return nil }
        self.first = first
        self.last = last
    }

    public var count: Int { Int(self.last.rawValue - self.first.rawValue) + 1 }
    public func contains(_ address: IPv4Address) -> Bool { self.first <= address && address <= self.last }
    public func overlaps(_ other: IPv4Range) -> Bool { self.first <= other.last && other.first <= self.last }
    public var description: String { "\(self.first)-\(self.last)" }
}
