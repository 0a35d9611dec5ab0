// SPDX-License-Identifier: Apache-2.0
// What a node holds of a session's IPv6: prefixes, the lease, the advertisement and the answer to a Renew it gives by itself.

import BNGCore

/// The IPv6 half of an installed session.
public struct IPv6Attachment: Hashable, Sendable {
    /// Prefixes at most.
    public static let prefixLimit = 16
    /// Bytes of an advertisement.
    public static let advertisementLimits = 16...512
    /// Seconds between two advertisements nobody asked for.
    public static let intervalLimits: ClosedRange<UInt32> = 4...1_800
    /// The shortest lease.
    public static let shortestLease: Seconds = 60

    /// What leads to the session, and what it may send from: 1 to `prefixLimit`, distinct, each of length 1-128.
    public var prefixes: [IPv6Prefix]
    /// Initial value; the data plane renews it. Not part of the content.
    public var leaseExpires: UTCTime
    /// What a renewal in the data plane extends the lease by.
    public var valid: Seconds
    /// So does every sign of IPv6 life of the line.
    public var activityRenews: Bool
    /// A Router Advertisement (ICMPv6, checksum 0); empty: solicitations are punted.
    public var routerAdvertisement: [UInt8]
    /// The node sends it so often unasked; zero: never.
    public var advertisementInterval: Seconds
    /// nil: every DHCPv6 message is punted.
    public var dhcpv6: DHCPv6Attachment?

    public init(
        prefixes: [IPv6Prefix], leaseExpires: UTCTime, valid: Seconds, activityRenews: Bool = false,
        routerAdvertisement: [UInt8] = [], advertisementInterval: Seconds = 0, dhcpv6: DHCPv6Attachment? = nil
    ) {
        self.prefixes = prefixes
        self.leaseExpires = leaseExpires
        self.valid = valid
        self.activityRenews = activityRenews
        self.routerAdvertisement = routerAdvertisement
        self.advertisementInterval = advertisementInterval
        self.dhcpv6 = dhcpv6
    }
}

/// A known DHCPv6 client, whose Renew the node answers.
public struct DHCPv6Attachment: Hashable, Sendable {
    /// Associations at most.
    public static let associationLimit = 4
    /// Bytes of a DUID.
    public static let identifierLimits = 3...130
    /// Bytes of the reply's options at most.
    public static let replyLimit = 512

    public struct Association: Hashable, Sendable {
        /// The raw value is the option code.
        public enum Kind: UInt16, Sendable { case nonTemporary = 3, delegation = 25 }

        public var kind: Kind
        public var iaid: UInt32
        /// An address is a prefix of length 128.
        public var resource: IPv6Prefix

        public init(kind: Kind, iaid: UInt32, resource: IPv6Prefix) {
            self.kind = kind
            self.iaid = iaid
            self.resource = resource
        }
    }

    public var clientID: [UInt8]
    public var serverID: [UInt8]
    /// All the client holds: 1 to `associationLimit`, no (kind, iaid) twice, each resource one of the session's prefixes.
    public var associations: [Association]
    /// Of the Reply, behind its transaction id.
    public var replyOptions: [UInt8]

    public init(clientID: [UInt8], serverID: [UInt8], associations: [Association], replyOptions: [UInt8]) {
        self.clientID = clientID
        self.serverID = serverID
        self.associations = associations
        self.replyOptions = replyOptions
    }
}
