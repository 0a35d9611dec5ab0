// SPDX-License-Identifier: Apache-2.0
// Options of neighbour discovery as values: RFC 4861 4.6, RFC 4191 2.3, RFC 8106 5, RFC 8781 4.

import BNGCore

/// Numbers of options.
public enum NeighborDiscoveryOptionType {
    public static let sourceLinkLayer: UInt8 = 1
    public static let targetLinkLayer: UInt8 = 2
    public static let prefixInformation: UInt8 = 3
    public static let mtu: UInt8 = 5
    public static let routeInformation: UInt8 = 24
    public static let rdnss: UInt8 = 25
    public static let dnssl: UInt8 = 31
    public static let pref64: UInt8 = 38
}

/// One option. What is unknown, or known but makes no sense, is kept as it came and says nothing.
public enum NeighborDiscoveryOption: Equatable, Sendable {
    case sourceLinkLayer(MACAddress)
    case targetLinkLayer(MACAddress)
    case prefix(PrefixInformation)
    case mtu(UInt32)
    case route(RouteInformation)
    /// At most 127 servers.
    case rdnss([IPv6Address], lifetime: UInt32)
    case dnssl([DomainName], lifetime: UInt32)
    case pref64(PREF64)
    /// What stands behind type and length: six bytes, or eight more for every further unit.
    case other(UInt8, [UInt8])
}

/// RFC 4861 4.6.2; times in seconds, all ones is for ever.
public struct PrefixInformation: Equatable, Sendable {
    public var prefix: IPv6Prefix
    public var isOnLink: Bool
    /// Hosts make addresses of it (RFC 4862).
    public var isAutonomous: Bool
    public var validLifetime: UInt32
    public var preferredLifetime: UInt32

    public init(
        prefix: IPv6Prefix, isOnLink: Bool, isAutonomous: Bool, validLifetime: UInt32, preferredLifetime: UInt32
    ) {
        self.prefix = prefix
        self.isOnLink = isOnLink
        self.isAutonomous = isAutonomous
        self.validLifetime = validLifetime
        self.preferredLifetime = preferredLifetime
    }
}

/// RFC 4191 2.3.
public struct RouteInformation: Equatable, Sendable {
    public var prefix: IPv6Prefix
    public var preference: RouterPreference
    public var lifetime: UInt32

    public init(prefix: IPv6Prefix, preference: RouterPreference = .medium, lifetime: UInt32) {
        self.prefix = prefix
        self.preference = preference
        self.lifetime = lifetime
    }
}

/// The prefix of a NAT64 (RFC 8781).
public struct PREF64: Equatable, Sendable {
    /// By prefix length code.
    public static let lengths = [96, 64, 56, 48, 40, 32]

    public let prefix: IPv6Prefix
    /// In units of eight seconds, 13 bits.
    let scaledLifetime: UInt16

    /// Seconds: a multiple of 8, at most 65528.
    public var lifetime: UInt32 { UInt32(self.scaledLifetime) * 8 }

    /// nil if the prefix has not one of RFC 6052's lengths. The lifetime is rounded up, and down to 65528 (RFC 8781 4.1).
    public init?(prefix: IPv6Prefix, lifetime: UInt32) {
        guard Self.lengths.contains(prefix.length) else { return nil }
        self.prefix = prefix
        self.scaledLifetime = UInt16(min((UInt64(lifetime) + 7) / 8, 8_191))
    }
}
