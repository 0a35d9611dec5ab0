// SPDX-License-Identifier: Apache-2.0
// The four messages between a router and its line (RFC 4861 4.1-4.4) as values; redirects are never sent nor believed.

import BNGCore

/// ICMPv6 type numbers.
public enum NeighborDiscoveryType {
    public static let routerSolicitation: UInt8 = 133
    public static let routerAdvertisement: UInt8 = 134
    public static let neighborSolicitation: UInt8 = 135
    public static let neighborAdvertisement: UInt8 = 136
}

/// A message with its options.
public enum NeighborDiscoveryMessage: Equatable, Sendable {
    case routerSolicitation([NeighborDiscoveryOption])
    case routerAdvertisement(RouterAdvertisement)
    case neighborSolicitation(target: IPv6Address, [NeighborDiscoveryOption])
    case neighborAdvertisement(NeighborAdvertisement)
}

/// What a packet's head must say for the message to be valid.
public struct NeighborDiscoveryEnvelope: Equatable, Sendable {
    public var source: IPv6Address
    public var destination: IPv6Address
    public var hopLimit: UInt8

    public init(source: IPv6Address, destination: IPv6Address, hopLimit: UInt8 = 255) {
        self.source = source
        self.destination = destination
        self.hopLimit = hopLimit
    }
}

/// How much a router or a route is preferred (RFC 4191 2.1).
public enum RouterPreference: UInt8, Sendable, CaseIterable {
    case medium = 0b00
    case high = 0b01
    case low = 0b11
}

/// RFC 4861 4.2.
public struct RouterAdvertisement: Equatable, Sendable {
    /// Hop limit hosts should use; 0: unspecified.
    public var hopLimit: UInt8
    /// M: addresses by DHCPv6.
    public var isManaged: Bool
    /// O: other configuration by DHCPv6.
    public var hasOtherConfiguration: Bool
    public var preference: RouterPreference
    /// Seconds as a default router; 0: not one.
    public var lifetime: UInt16
    /// Milliseconds; 0: unspecified.
    public var reachableTime: UInt32
    /// Milliseconds; 0: unspecified.
    public var retransmissionTimer: UInt32
    public var options: [NeighborDiscoveryOption]

    public init(
        hopLimit: UInt8 = 64, isManaged: Bool = false, hasOtherConfiguration: Bool = false,
        preference: RouterPreference = .medium, lifetime: UInt16, reachableTime: UInt32 = 0,
        retransmissionTimer: UInt32 = 0, options: [NeighborDiscoveryOption] = []
    ) {
        self.hopLimit = hopLimit
        self.isManaged = isManaged
        self.hasOtherConfiguration = hasOtherConfiguration
        self.preference = preference
        self.lifetime = lifetime
        self.reachableTime = reachableTime
        self.retransmissionTimer = retransmissionTimer
        self.options = options
    }
}

/// RFC 4861 4.4.
public struct NeighborAdvertisement: Equatable, Sendable {
    public var target: IPv6Address
    public var isRouter: Bool
    public var isSolicited: Bool
    public var overrides: Bool
    public var options: [NeighborDiscoveryOption]

    public init(
        target: IPv6Address, isRouter: Bool, isSolicited: Bool, overrides: Bool,
        options: [NeighborDiscoveryOption] = []
    ) {
        self.target = target
        self.isRouter = isRouter
        self.isSolicited = isSolicited
        self.overrides = overrides
        self.options = options
    }
}
