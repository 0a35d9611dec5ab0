// SPDX-License-Identifier: Apache-2.0
// How one access domain serves IPv6, and the prefix pools it draws from, as the shards need them.

import BNGCore
import DHCPv6
import NeighborDiscovery

/// A pool of prefixes of one length; of length 128, of addresses.
public struct PrefixPoolPolicy: Sendable {
    public var name: String
    public var vrf: VRF
    public var prefixes: [IPv6Prefix]
    /// Of every prefix that is given.
    public var length: Int
    public var statics: [MACAddress: IPv6Prefix] = [:]
    public var excluded: Set<IPv6Prefix> = []
    public var quarantine: Seconds
    public var declineRest: Seconds = 3_600
    /// Share of the prefixes held from which it is an alarm; 0: never.
    public var alarmPercent = 0
    /// Who decides which prefix a client gets; nil: the pool itself.
    public var external: ExternalPool?

    public init(name: String, vrf: VRF, prefixes: [IPv6Prefix], length: Int, quarantine: Seconds) {
        self.name = name
        self.vrf = vrf
        self.prefixes = prefixes
        self.length = length
        self.quarantine = quarantine
    }

    func contains(_ prefix: IPv6Prefix) -> Bool {
        prefix.length == self.length
            && (self.prefixes.contains { $0.contains(prefix) } || self.statics.values.contains(prefix))
    }
}

/// Of an access domain; one value shared by all its sessions.
public final class IPv6Policy: Sendable {
    let vrf: VRF
    /// Our address on every line.
    let linkLocal: IPv6Address
    /// Our address beyond the line; nil: none.
    let address: IPv6Address?
    /// Of the line's own prefix; nil: no autoconfiguration.
    let linkPool: String?
    /// Of addresses by DHCPv6, and of delegated prefixes.
    let addressPool: String?
    let delegationPool: String?
    /// What advertisements say, but for the line's prefix.
    let router: RouterConfiguration
    let advertisementInterval: Seconds
    /// The line's prefix is on its link: hosts of the line speak to each other.
    let isOnLink: Bool
    let preferred: Seconds
    let valid: Seconds
    let dhcpv6: DHCPv6Configuration

    /// No pool is named: what a line gets of IPv6 is AAA's to say.
    var isLeftToAAA: Bool { self.linkPool == nil && self.addressPool == nil && self.delegationPool == nil }

    /// - Parameters:
    ///   - router: without prefixes.
    ///   - dhcpv6: without `onLink`; its lifetimes are those of the line's prefix, too.
    public init(
        vrf: VRF, linkLocal: IPv6Address, address: IPv6Address? = nil, linkPool: String?, addressPool: String?,
        delegationPool: String?, router: RouterConfiguration, advertisementInterval: Seconds, isOnLink: Bool,
        dhcpv6: DHCPv6Configuration
    ) {
        self.vrf = vrf
        self.linkLocal = linkLocal
        self.address = address
        self.linkPool = linkPool
        self.addressPool = addressPool
        self.delegationPool = delegationPool
        self.router = router
        self.advertisementInterval = advertisementInterval
        self.isOnLink = isOnLink
        self.preferred = Seconds(dhcpv6.preferred)
        self.valid = Seconds(dhcpv6.valid)
        self.dhcpv6 = dhcpv6
    }
}
