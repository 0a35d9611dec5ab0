// SPDX-License-Identifier: Apache-2.0
// What one line is told about its router (RFC 4861 6.2, 4191, 8106, 8273, 8781). When is the node's affair: at once when asked, without the
// random delay of 6.2.6 since a line has one router, and on a timer of its own.

import BNGCore

/// The content of a line's advertisements. Without our link-layer address: hosts ask for it and the node answers, so that it may move.
/// With a prefix per line (RFC 8273) `prefixes` is that line's own.
public struct RouterConfiguration: Equatable, Sendable {
    public var hopLimit: UInt8 = 64
    public var isManaged = false
    public var hasOtherConfiguration = false
    public var preference = RouterPreference.medium
    /// Seconds as the line's default router; 0: not one. At most 9000 (RFC 4861 6.2.1).
    public var lifetime: UInt16 = 1_800
    public var mtu: UInt32?
    public var prefixes: [PrefixInformation] = []
    public var routes: [RouteInformation] = []
    public var nameServers: [IPv6Address] = []
    public var searchList: [DomainName] = []
    /// Of name servers and search list, in seconds (RFC 8106 5.1).
    public var nameLifetime: UInt32 = 1_800
    public var pref64: PREF64?

    public init() {}

    /// What is said while the router serves. `stale` were advertised before and are worth nothing any more.
    public func advertisement(stale: [IPv6Prefix]) -> RouterAdvertisement {
        var message = RouterAdvertisement(
            hopLimit: self.hopLimit, isManaged: self.isManaged, hasOtherConfiguration: self.hasOtherConfiguration,
            // RFC 4191 2.2: medium if not a default router.
            preference: self.lifetime == 0 ? .medium : self.preference, lifetime: self.lifetime)
        if let mtu { message.options.append(.mtu(mtu)) }
        message.options += self.prefixes.map { .prefix($0) }
        message.options += stale.map { .prefix(Self.worthless($0)) }
        message.options += self.routes.map { .route($0) }
        if !self.nameServers.isEmpty {
            message.options.append(.rdnss(Array(self.nameServers.prefix(127)), lifetime: self.nameLifetime))
        }
        if !self.searchList.isEmpty { message.options.append(.dnssl(self.searchList, lifetime: self.nameLifetime)) }
        if let pref64 { message.options.append(.pref64(pref64)) }
        return message
    }

    /// What is said last: everything that had a lifetime has none any more.
    public var withdrawn: RouterConfiguration {
        var last = self
        last.lifetime = 0
        last.nameLifetime = 0
        last.prefixes = self.prefixes.map {
            PrefixInformation(
                prefix: $0.prefix, isOnLink: $0.isOnLink, isAutonomous: $0.isAutonomous, validLifetime: 0,
                preferredLifetime: 0)
        }
        last.routes = self.routes.map { RouteInformation(prefix: $0.prefix, preference: $0.preference, lifetime: 0) }
        last.pref64 = self.pref64.flatMap { PREF64(prefix: $0.prefix, lifetime: 0) }
        return last
    }

    private static func worthless(_ prefix: IPv6Prefix) -> PrefixInformation {
        PrefixInformation(
            prefix: prefix, isOnLink: false, isAutonomous: true, validLifetime: 0, preferredLifetime: 0)
    }
}
