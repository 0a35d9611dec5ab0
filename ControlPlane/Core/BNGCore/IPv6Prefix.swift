// SPDX-License-Identifier: Apache-2.0
// IPv6 prefixes: what they hold, and the prefixes inside them by number.

/// An IPv6 prefix whose host bits are zero.
public struct IPv6Prefix: Hashable, Sendable, Comparable {
    public let address: IPv6Address
    /// 0 to 128.
    public let length: Int

    /// nil if `length` is not 0-128 or a host bit is set.
    public init?(_ address: IPv6Address, length: Int) {
        guard (0...128).contains(length), address.rawValue & ~Self.mask(length) == 0 else { return nil }
        self.address = address
        self.length = length
    }

    private init(unchecked address: IPv6Address, _ length: Int) {
        self.address = address
        self.length = length
    }

    /// The prefix of this length that holds `address`.
    /// - Precondition: `length` is 0-128.
    public init(holding address: IPv6Address, length: Int) {
        precondition((0...128).contains(length), "no prefix has \(length) bits")
        self.init(unchecked: IPv6Address(rawValue: address.rawValue & Self.mask(length)), length)
    }

    static func mask(_ length: Int) -> UInt128 { length == 0 ? 0 : UInt128.max << UInt128(128 - length) }

    public var first: IPv6Address { self.address }
    public var last: IPv6Address { IPv6Address(rawValue: self.address.rawValue | ~Self.mask(self.length)) }

    /// Its first and its last address can be routed to.
    public var isRoutableUnicast: Bool { self.first.isRoutableUnicast && self.last.isRoutableUnicast }

    public func contains(_ other: IPv6Address) -> Bool {
        other.rawValue & Self.mask(self.length) == self.address.rawValue
    }

    public func contains(_ other: IPv6Prefix) -> Bool { other.length >= self.length && self.contains(other.address) }

    public func overlaps(_ other: IPv6Prefix) -> Bool {
        self.contains(other.address) || other.contains(self.address)
    }

    /// By first address, the wider of two that begin alike in front.
    public static func < (a: IPv6Prefix, b: IPv6Prefix) -> Bool { (a.address, a.length) < (b.address, b.length) }

    // MARK: Prefixes inside

    /// How many prefixes of `length` fit; nil if it is shorter than this one's, longer than 128, or there are 2^64 or more.
    public func subprefixCount(length: Int) -> UInt64? {
        guard (self.length...128).contains(length), length - self.length < 64 else { return nil }
        return 1 << UInt64(length - self.length)
    }

    /// Prefix number `index` of `length` bits; nil if there is none.
    public func subprefix(_ index: UInt64, length: Int) -> IPv6Prefix? {
        guard (self.length...128).contains(length) else { return nil }
        let bits = length - self.length
        guard bits >= 64 || index >> UInt64(bits) == 0 else { return nil }
        // A prefix of no bits has one place only, and the shift would be of the whole width.
        let offset = length == 0 ? 0 : UInt128(index) << UInt128(128 - length)
        return IPv6Prefix(unchecked: IPv6Address(rawValue: self.address.rawValue | offset), length)
    }

    /// The number of a prefix inside this one; nil if it is outside, or its number has more than 64 bits.
    public func index(of other: IPv6Prefix) -> UInt64? {
        guard self.contains(other) else { return nil }
        guard other.length > 0 else { return 0 }
        return UInt64(exactly: (other.address.rawValue & ~Self.mask(self.length)) >> UInt128(128 - other.length))
    }

    /// The address with this interface identifier in a prefix of at most 64 bits; nil if the prefix is longer.
    public func address(interfaceID: UInt64) -> IPv6Address? {
        self.length <= 64 ? IPv6Address(high: self.address.high, low: interfaceID) : nil
    }
}

extension IPv6Prefix: CustomStringConvertible, LosslessStringConvertible {
    /// `address/length`; no leading zero in the length.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv6Address(String(parts[0])), (1...3).contains(parts[1].utf8.count),
            parts[1].utf8.allSatisfy({ (48...57).contains($0) }),
            parts[1].utf8.count == 1 || parts[1].utf8.first != 48, let length = Int(parts[1])
        else { return nil }
        self.init(address, length: length)
    }

    public var description: String { "\(self.address)/\(self.length)" }
}
