// SPDX-License-Identifier: Apache-2.0
// What is asked of outside DHCP servers and what comes of it, in values; the configuration of a group of servers.

import BNGCore
import NIOCore

/// Servers that share what they know, asked for one family.
public struct DHCPServerGroup: Sendable {
    public enum Family: String, Sendable, CaseIterable { case ipv4, ipv6 }

    public var name: String
    public var family: Family
    /// In the order they are asked.
    public var servers: [SocketAddress]
    /// Where we send from and are answered: our relay address.
    public var local: SocketAddress
    /// How long the first answer is waited for; doubled each time.
    public var timeoutMs: Int64 = 1_000
    /// How often a message is sent again.
    public var retries = 2
    /// Exchanges under way at once; others wait.
    public var outstanding = 256
    /// How long a silent server is passed over while another one answers.
    public var holdDownMs: Int64 = 30_000

    public init(name: String, family: Family, servers: [SocketAddress], local: SocketAddress) {
        self.name = name
        self.family = family
        self.servers = servers
        self.local = local
    }
}

/// One lease of one session.
public struct LeaseKey: Hashable, Sendable {
    public enum Kind: UInt8, Sendable { case ipv4, address, delegation }

    public var session: UInt64
    public var kind: Kind
    /// Of the client's association; 0: IPv4.
    public var iaid: UInt32

    public init(session: UInt64, kind: Kind, iaid: UInt32 = 0) {
        self.session = session
        self.kind = kind
        self.iaid = iaid
    }
}

/// A lease somebody wants.
public struct LeaseOrder: Sendable {
    public var key: LeaseKey
    /// Name of the group.
    public var group: String
    public var mac: MACAddress
    /// Option 61 or the DUID; empty: none.
    public var clientID: [UInt8]
    /// Of the line, for option 82 or Interface-Id and Remote-Id; empty: none.
    public var circuitID: [UInt8]
    public var remoteID: [UInt8]
    /// An address of the client's link, by which the server chooses the subnet.
    public var link: IPAddress
    public var wish: IPPrefix?
    /// Of a delegated prefix.
    public var length: Int?
    /// Only the wish will do.
    public var isExact = false
    /// The lease must last at least so long.
    public var minimum: Seconds

    public init(
        key: LeaseKey, group: String, mac: MACAddress, clientID: [UInt8], circuitID: [UInt8], remoteID: [UInt8],
        link: IPAddress, minimum: Seconds
    ) {
        self.key = key
        self.group = group
        self.mac = mac
        self.clientID = clientID
        self.circuitID = circuitID
        self.remoteID = remoteID
        self.link = link
        self.minimum = minimum
    }

    /// Whoever the server takes for one client with one binding.
    struct Identity: Hashable {
        var client: [UInt8]
        var link: IPAddress
        var kind: LeaseKey.Kind
        var iaid: UInt32
    }

    var identity: Identity {
        Identity(
            client: self.clientID.isEmpty ? self.mac.bytes : self.clientID, link: self.link, kind: self.key.kind,
            iaid: self.key.iaid)
    }
}

/// What a server granted.
public struct AcquiredLease: Sendable, Equatable {
    public var resource: IPPrefix
    /// Empty: the server said nothing of them.
    public var dns: [IPAddress]
}

/// Why there is no lease.
public enum AcquireFailure: String, Error, Sendable, CaseIterable {
    /// No server answered.
    case silent
    case refused
    /// The server offered something else than the one address that would do.
    case otherOffered = "other_offered"
    case leaseTooShort = "lease_too_short"
    /// Too many wait already.
    case busy
    /// Another session holds a lease under the same client identity.
    case identityInUse = "identity_in_use"
    /// There is no such group, or it has been stopped.
    case unavailable
}

/// What a group did, by the names of `bngctl show dhcp-servers`.
public enum DHCPGroupCounter: String, Sendable, CaseIterable {
    case acquired, renewed, released, declined
    case lostRefused = "lost_refused"
    case lostExpired = "lost_expired"
    case resumed
    /// Renewed for less time than our own leases need.
    case renewedTooShort = "renewed_too_short"
    case retransmitted
    case malformed
    /// From an address that is no server's.
    case stranger
    /// Nobody waits for it, or it does not fit what was asked.
    case unexpected
}

/// The state of a group, for operators.
public struct DHCPGroupStatus: Sendable {
    public struct Server: Sendable {
        public var address: String
        /// False: silent of late.
        public var isAlive: Bool
        public var sent: UInt64
        public var answered: UInt64
        public var unanswered: UInt64
        /// Times it was found silent.
        public var silences: UInt64
    }

    public var name: String
    public var family: DHCPServerGroup.Family
    public var servers: [Server]
    /// Exchanges under way, and those that wait for one of them to end.
    public var outstanding: Int
    public var waiting: Int
    public var held: Int
    public var counters: [DHCPGroupCounter: UInt64]
    public var failures: [AcquireFailure: UInt64]
}
