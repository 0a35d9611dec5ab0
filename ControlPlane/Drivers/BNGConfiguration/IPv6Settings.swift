// SPDX-License-Identifier: Apache-2.0
// `prefix-pools:` and `access-domains[].ipv6:` as values.

import BNGCore
import NeighborDiscovery

/// An entry of `prefix-pools:`
public struct PrefixPoolSettings: Sendable, Equatable {
    public var name: String
    public var vrf: VRF
    /// Each at most `length` long; none overlaps another.
    public var prefixes: [IPv6Prefix]
    /// Of every prefix that is given, in bits.
    public var length: Int
    /// Of given clients; inside `prefixes`.
    public var statics: [MACAddress: IPv6Prefix]
    /// Never given; of the same length.
    public var excluded: Set<IPv6Prefix>
    public var quarantine: Seconds
    /// Share of the prefixes held from which it is an alarm; 0: never.
    public var alarmPercent: Int

    /// Whether it may give somebody a prefix that holds this address.
    func mayGive(_ address: IPv6Address) -> Bool {
        self.prefixes.contains { $0.contains(address) }
            && !self.excluded.contains(IPv6Prefix(holding: address, length: self.length))
    }
    /// The entry of `dhcp-servers:` that gives the prefixes; nil: the pool itself.
    public var external: String?
    /// By which the servers choose the subnet; without one of its own, the first of the pool.
    public var linkAddress = IPv6Address.zero
}

/// What lines of one access domain are told and given of IPv6.
public struct IPv6Settings: Sendable, Equatable {
    /// The BNG's address on every line.
    public var linkLocal = IPv6Address.linkLocal(1)
    /// The BNG's address beyond the line: answered in neighbour discovery and ping, source of ICMPv6 errors; nil: none.
    public var address: IPv6Address?
    /// Of the line's own prefix (RFC 8273), of length 64; nil: no autoconfiguration.
    public var linkPool: String?
    /// Of addresses by DHCPv6, of length 128; nil: none.
    public var addressPool: String?
    /// Of delegated prefixes, at most 64 long; nil: none.
    public var delegationPool: String?
    public var dns: [IPv6Address] = []
    public var search: [DomainName] = []
    public var preferredLifetime: Seconds = 3_600
    /// At least `preferredLifetime` and 60.
    public var validLifetime: Seconds = 7_200
    /// T1 and T2 (RFC 8415 21.4): 0 < renewal < rebinding <= `preferredLifetime`.
    public var renewal: Seconds = 1_800
    public var rebinding: Seconds = 2_880
    /// Zero: not a default router.
    public var routerLifetime: Seconds = 1_800
    public var advertisementInterval: Seconds = 600
    /// nil: not told.
    public var mtu: UInt32?
    /// Of a length PREF64 can carry (RFC 8781); nil: not told.
    public var nat64Prefix: IPv6Prefix?
    public var rapidCommit = true
    /// Of our DHCPv6 offers.
    public var preference: UInt8 = 255
    public var routerPreference = RouterPreference.medium
    /// Zero: not told.
    public var hopLimit: UInt8 = 64
    /// The flags M and O.
    public var isManaged = false
    public var hasOtherConfiguration = false
    /// The flag L of the line's own prefix.
    public var isOnLink = false
    /// Ascending next-header values.
    public var refusedExtensionHeaders: [UInt8] = []

    /// Bytes of the search list at most, as it is sent.
    public static let searchLimit = 192

    init() {}
}
