// SPDX-License-Identifier: Apache-2.0
// What the subscriber plane needs of DHCP servers outside: leases for sessions whose pool is not ours to decide. The app adapts the
// driver that speaks to them.

import BNGCore
import Subscribers

/// A pool whose addresses a group of servers outside gives; ours says which of them are acceptable, and that none is used twice.
public struct ExternalPool: Sendable, Equatable {
    /// Whom the server is to take for its client.
    public enum Identity: String, Sendable, CaseIterable {
        /// The subscriber's host, as it says itself.
        case client
        /// The line, whatever is connected to it.
        case line
    }

    /// Name of the group of servers.
    public var group: String
    public var identity: Identity
    /// By which the server chooses the subnet.
    public var link: IPAddress

    public init(group: String, identity: Identity, link: IPAddress) {
        self.group = group
        self.identity = identity
        self.link = link
    }
}

/// One lease of one session.
public struct ExternalLeaseID: Hashable, Sendable {
    public enum Kind: Sendable { case ipv4, address, delegation }

    public var session: SessionID
    public var kind: Kind
    /// Of the client's association; 0: IPv4.
    public var iaid: UInt32

    public init(session: SessionID, kind: Kind, iaid: UInt32 = 0) {
        self.session = session
        self.kind = kind
        self.iaid = iaid
    }
}

/// What is asked for.
public struct ExternalLeaseRequest: Sendable {
    public var id: ExternalLeaseID
    public var pool: ExternalPool
    public var mac: MACAddress
    /// Option 61 or a DUID; empty: none.
    public var clientID: [UInt8]
    public var circuitID: [UInt8]
    public var remoteID: [UInt8]
    public var wish: IPPrefix?
    /// Of a delegated prefix.
    public var length: Int?
    /// Only the wish will do.
    public var isExact = false
    /// The lease must last so long: twice what we promise.
    public var minimum: Seconds
}

public struct ExternalLease: Sendable, Equatable {
    public var resource: IPPrefix
    /// Empty: the server said nothing of them.
    public var dns: [IPAddress]

    public init(resource: IPPrefix, dns: [IPAddress]) {
        self.resource = resource
        self.dns = dns
    }
}

public enum ExternalLeaseFailure: Error, Sendable {
    /// The server has something else for the client.
    case wrong
    /// It has nothing, or does not answer.
    case notGiven
}

public protocol ExternalAddressing: Sendable {
    /// Never blocks; calls `done` once, on any thread, also before it returns. What was granted is kept alive until it is released.
    func acquire(
        _ request: ExternalLeaseRequest,
        then done: @escaping @Sendable (Result<ExternalLease, ExternalLeaseFailure>) -> Void)

    /// A stored session holds this; its client has been promised it until then.
    func resume(_ request: ExternalLeaseRequest, _ resource: IPPrefix, until: UTCTime)

    /// Nothing happens if the session has no lease of this resource. `declined`: some other host was found to use it.
    func release(_ resource: IPPrefix, session: SessionID, of pool: ExternalPool, declined: Bool)
}
