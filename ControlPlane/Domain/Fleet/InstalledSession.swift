// SPDX-License-Identifier: Apache-2.0
// A customer's session as a node holds it.

import BNGCore

/// What a node holds for one customer.
public struct InstalledSession: Hashable, Sendable {
    public enum AntiSpoof: UInt8, Sendable { case strict = 1, log = 2 }

    public var line: LineKey
    public var tags: VLANTags
    /// Layer-2 next hop toward the relay; zero without one.
    public var relayMAC: MACAddress
    public var vrf: VRF
    public var antiSpoof: AntiSpoof
    public var address: IPv4Address
    public var poolTemplateID: UInt64
    public var dhcpFastPath: Bool
    public var clientID: [UInt8]
    public var option82: [UInt8]
    /// Initial value; the data plane renews it. Not part of the content.
    public var leaseExpires: UTCTime
    /// Session-Timeout; zero: none.
    public var ends: UTCTime
    /// What the line may send; nil: not policed.
    public var rateUp: LineRate?
    /// What the line may be sent; nil: not policed.
    public var rateDown: LineRate?
    /// Id of a filter object; 0: none.
    public var filterID: UInt64
    /// Idle-Timeout: the session lapses when the line has sent nothing for so long; zero: none.
    public var idleTimeout: Seconds
    /// Prefixes behind the subscriber, at most `framedRouteLimit`, each of length 1-32. Only with an address.
    public var framedRoutes: [IPv4Prefix]
    /// With `line.pppoeID`; nil: IPoE.
    public var pppoe: PPPoEAttachment?
    /// nil: the session has no IPv6.
    public var ipv6: IPv6Attachment?
    /// Public side of `address`; nil: forwarded as it is.
    public var nat: NATAttachment?

    /// Largest number of framed routes of a session.
    public static let framedRouteLimit = 16

    public init(
        line: LineKey, tags: VLANTags, relayMAC: MACAddress = .zero, vrf: VRF = 0, antiSpoof: AntiSpoof = .strict,
        address: IPv4Address, poolTemplateID: UInt64, dhcpFastPath: Bool = true, clientID: [UInt8] = [],
        option82: [UInt8] = [], leaseExpires: UTCTime, ends: UTCTime = .zero, rateUp: LineRate? = nil,
        rateDown: LineRate? = nil, filterID: UInt64 = 0, idleTimeout: Seconds = 0, framedRoutes: [IPv4Prefix] = [],
        pppoe: PPPoEAttachment? = nil, ipv6: IPv6Attachment? = nil
    ) {
        self.line = line
        self.tags = tags
        self.relayMAC = relayMAC
        self.vrf = vrf
        self.antiSpoof = antiSpoof
        self.address = address
        self.poolTemplateID = poolTemplateID
        self.dhcpFastPath = dhcpFastPath
        self.clientID = clientID
        self.option82 = option82
        self.leaseExpires = leaseExpires
        self.ends = ends
        self.rateUp = rateUp
        self.rateDown = rateDown
        self.filterID = filterID
        self.idleTimeout = idleTimeout
        self.framedRoutes = framedRoutes
        self.pppoe = pppoe
        self.ipv6 = ipv6
    }

    /// Equal but for the fields the agent owns after the first upsert.
    public func sameContent(as other: InstalledSession) -> Bool {
        var copy = other
        copy.leaseExpires = self.leaseExpires
        if let ipv6 = self.ipv6 { copy.ipv6?.leaseExpires = ipv6.leaseExpires }
        return self == copy
    }
}
