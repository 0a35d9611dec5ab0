// SPDX-License-Identifier: Apache-2.0
// What AAA granted one customer, in the words of no particular protocol. RADIUS attributes and the local store both become
// this; plans turn it into a profile (ServicePlan.swift). It is stored with the session, so that plans may change under it.

import BNGCore

/// The answer of an AAA source. nil or empty: it said nothing, the plan or the pool decides.
public struct ServiceGrant: Equatable, Sendable, Codable {
    public enum Source: String, Sendable, Codable, CaseIterable {
        /// No AAA is configured: everybody is admitted.
        case open
        case local
        case radius
        /// A rejected or unknown customer that policy puts into a garden instead of refusing.
        case garden
        /// The AAA servers were away; what they last granted, or the plan for that case.
        case cached
    }

    /// RFC 2865 5.29.
    public enum TerminationAction: UInt8, Sendable, Codable { case end = 0, reauthenticate = 1 }

    public var source: Source
    /// The name accounting carries: AAA's User-Name if it sent one, else the one that was asked for.
    public var userName: String
    /// The name that was asked for, and is asked for again; nil: the template's. What a client says of itself may change meanwhile.
    public var requestedName: String?
    public var plan: String?
    /// Framed-IP-Address: this one and no other.
    public var address: IPv4Address?
    /// Framed-IP-Netmask as a prefix length, 1-32.
    public var prefixLength: UInt8?
    /// Framed-Pool.
    public var pool: String?
    /// Framed-Route: prefixes behind the customer.
    public var routes: [IPv4Prefix] = []
    public var dns: [IPv4Address] = []
    /// Ports of its public side that lead to it, while it is translated; nil: none.
    public var forwards: [PortForward]?
    /// nil: AAA said nothing of IPv6.
    public var ipv6: IPv6Grant?
    public var sessionTimeout: Seconds?
    public var idleTimeout: Seconds?
    /// Acct-Interim-Interval.
    public var interimInterval: Seconds?
    public var terminationAction = TerminationAction.end
    /// Filter-Id: name of a configured filter.
    public var filter: String?
    /// Port-Limit: sessions this user may have at once.
    public var portLimit: UInt32?
    public var rateUp: LineRate?
    public var rateDown: LineRate?
    /// Class, each as it came, in order; returned in accounting (RFC 2865 5.25).
    public var classes: [[UInt8]] = []
    /// Chargeable-User-Identity, returned in accounting and when the session is authenticated again (RFC 4372).
    public var chargeableUser: [UInt8]?
    /// State, returned when the session is authenticated again (RFC 2865 5.24).
    public var state: [UInt8] = []
    public var replyMessage = ""
    /// What a PPP client is told on success (MS-CHAPv2: "S=…"); never stored.
    public var authenticationMessage: [UInt8]?

    public init(source: Source, userName: String) {
        self.source = source
        self.userName = userName
    }
}

/// What AAA says of a customer's IPv6. nil or empty: it said nothing, the access domain decides.
public struct IPv6Grant: Equatable, Sendable, Codable {
    /// Framed-IPv6-Prefix: the line's own prefix, this one and no other (RFC 3162 2.3).
    public var linkPrefix: IPv6Prefix?
    /// Framed-IPv6-Address: by DHCPv6 (RFC 6911 3.1).
    public var address: IPv6Address?
    /// Delegated-IPv6-Prefix (RFC 4818).
    public var delegatedPrefix: IPv6Prefix?
    /// Framed-Interface-Id: what IPv6CP gives the client (RFC 3162 2.2).
    public var interfaceID: UInt64?
    /// Framed-IPv6-Pool: of the line's own prefix (RFC 3162 2.6).
    public var linkPool: String?
    /// Stateful-IPv6-Address-Pool (RFC 6911 3.6).
    public var addressPool: String?
    /// Delegated-IPv6-Prefix-Pool (RFC 6911 3.5).
    public var delegationPool: String?
    /// Framed-IPv6-Route: prefixes behind the customer (RFC 3162 2.5); at most `routeLimit`.
    public var routes: [IPv6Prefix] = []
    /// DNS-Server-IPv6-Address (RFC 6911 3.2); at most `serverLimit`.
    public var dns: [IPv6Address] = []
    /// Route-IPv6-Information: what the customer's hosts are told to reach through us (RFC 6911 3.3); at most
    /// `routeLimit`.
    public var advertisedRoutes: [IPv6Prefix] = []

    /// DNS servers at most: an advertisement has to hold them (docs/contract.md section 7).
    public static let serverLimit = 8
    /// Routes at most: a session's prefixes are also its own, an address and what it is delegated.
    public static let routeLimit = 8
    /// Of a line's own prefix: hosts make addresses in 64 bits (RFC 4862 5.5.3).
    public static let linkLengths = 64...64
    public static let addressLengths = 128...128
    /// Of what is delegated: subnets of 64 bits have to fit.
    public static let delegationLengths = 1...64

    public init() {}

    /// Whether a prefix can be a line's own.
    public static func isLinkPrefix(_ prefix: IPv6Prefix) -> Bool {
        Self.linkLengths.contains(prefix.length) && prefix.isRoutableUnicast
    }

    /// Whether a prefix can be delegated.
    public static func isDelegable(_ prefix: IPv6Prefix) -> Bool {
        Self.delegationLengths.contains(prefix.length) && prefix.isRoutableUnicast
    }
}

/// What a change of authorization asks to be different (RFC 5176). nil: leave as it is.
public struct ServiceGrantChange: Equatable, Sendable {
    public var plan: String?
    public var sessionTimeout: Seconds?
    public var idleTimeout: Seconds?
    public var interimInterval: Seconds?
    public var filter: String?
    public var rateUp: LineRate?
    public var rateDown: LineRate?
    public var classes: [[UInt8]]?

    public init() {}

    public var isEmpty: Bool { self == ServiceGrantChange() }
}

extension ServiceGrant {
    /// The grant with the change made. A new plan drops the rates and the filter AAA had given beside the old one, unless the
    /// same change gives them again.
    public func changed(by change: ServiceGrantChange) -> ServiceGrant {
        var grant = self
        if let plan = change.plan {
            grant.plan = plan
            (grant.rateUp, grant.rateDown, grant.filter) = (nil, nil, nil)
        }
        if let value = change.sessionTimeout { grant.sessionTimeout = value }
        if let value = change.idleTimeout { grant.idleTimeout = value }
        if let value = change.interimInterval { grant.interimInterval = value }
        if let value = change.filter { grant.filter = value }
        if let value = change.rateUp { grant.rateUp = value }
        if let value = change.rateDown { grant.rateDown = value }
        if let value = change.classes { grant.classes = value }
        return grant
    }
}
