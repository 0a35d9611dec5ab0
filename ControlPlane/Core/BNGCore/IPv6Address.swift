// SPDX-License-Identifier: Apache-2.0
// IPv6 addresses (RFC 4291): what kind one is, and the addresses that follow from a MAC address or a prefix.

/// An IPv6 address as two words, the first being the high one on every host.
public struct IPv6Address: Hashable, Sendable, Comparable {
    public let high: UInt64
    /// In most unicast addresses the interface identifier.
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The address as one number: the first byte on the wire is the most significant.
    public init(rawValue: UInt128) {
        self.high = UInt64(truncatingIfNeeded: rawValue >> 64)
        self.low = UInt64(truncatingIfNeeded: rawValue)
    }

    /// The address in 16 bytes in network order; nil unless there are 16.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        self.high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        self.low = bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    public static let zero = IPv6Address(high: 0, low: 0)
    public static let loopback = IPv6Address(high: 0, low: 1)
    /// ff02::1 (RFC 4291 2.7.1).
    public static let allNodes = IPv6Address(high: 0xff02 << 48, low: 1)
    /// ff02::2.
    public static let allRouters = IPv6Address(high: 0xff02 << 48, low: 2)
    /// ff02::1:2 (RFC 8415 7.1).
    public static let allDHCPRelaysAndServers = IPv6Address(high: 0xff02 << 48, low: 0x1_0002)
    /// ff05::1:3 (RFC 8415 7.1).
    public static let allDHCPServers = IPv6Address(high: 0xff05 << 48, low: 0x1_0003)

    /// fe80::/64 with this interface identifier (RFC 4291 2.5.6).
    public static func linkLocal(_ interfaceID: UInt64) -> IPv6Address {
        IPv6Address(high: 0xfe80 << 48, low: interfaceID)
    }

    public var rawValue: UInt128 { UInt128(self.high) << 64 | UInt128(self.low) }

    /// 16 bytes in network order.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        bytes.appendBigEndian(self.high)
        bytes.appendBigEndian(self.low)
        return bytes
    }

    public static func < (a: IPv6Address, b: IPv6Address) -> Bool { (a.high, a.low) < (b.high, b.low) }

    // MARK: Kinds (RFC 4291 2.4)

    public var isUnspecified: Bool { self == .zero }
    public var isLoopback: Bool { self == .loopback }
    public var isMulticast: Bool { self.high >> 56 == 0xff }
    public var isLinkLocal: Bool { self.high >> 54 == 0xfe80 >> 6 }
    /// fc00::/7 (RFC 4193).
    public var isUniqueLocal: Bool { self.high >> 57 == 0xfc >> 1 }
    /// Can belong to one host: not multicast, unspecified or loopback, and not an IPv4 address in disguise (::/96, ::ffff:0:0/96).
    public var isUnicast: Bool {
        !self.isMulticast && !(self.high == 0 && (self.low >> 32 == 0 || self.low >> 32 == 0xffff))
    }
    /// Can belong to one host and be routed to: unicast, not of one link only, and not of ::/8, where special addresses are.
    public var isRoutableUnicast: Bool { self.high >> 56 != 0 && !self.isMulticast && !self.isLinkLocal }

    // MARK: What follows from it

    /// ff02::1:ffXX:XXXX with the last 24 bits of this address (RFC 4291 2.7.1).
    public var solicitedNode: IPv6Address {
        IPv6Address(high: 0xff02 << 48, low: 0x1_ff00_0000 | self.low & 0xff_ffff)
    }

    /// 33:33 and the last 32 bits (RFC 2464 7); nil unless this is a multicast address.
    public var multicastMAC: MACAddress? {
        self.isMulticast ? MACAddress(rawValue: 0x3333 << 32 | self.low & 0xffff_ffff) : nil
    }
}

extension MACAddress {
    /// The modified EUI-64 interface identifier (RFC 4291 appendix A): ff:fe in the middle, the universal bit turned.
    public var interfaceID: UInt64 {
        let upper = self.rawValue >> 24
        return (upper << 40 | 0xfffe << 24 | self.rawValue & 0xff_ffff) ^ 1 << 57
    }
}

extension ByteCursor {
    /// Reads an IPv6 address.
    public mutating func readIPv6Address(_ bytes: borrowing Span<UInt8>) throws(DecodeError) -> IPv6Address {
        let at = try self.skip(16)
        var (high, low): (UInt64, UInt64) = (0, 0)
        for i in 0..<8 {
            high = high << 8 | UInt64(bytes[at + i])
            low = low << 8 | UInt64(bytes[at + 8 + i])
        }
        return IPv6Address(high: high, low: low)
    }
}
