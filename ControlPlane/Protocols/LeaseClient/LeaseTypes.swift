// SPDX-License-Identifier: Apache-2.0
// The words in which the lease machine speaks of DHCP, the same for both families.

import BNGCore

/// What a server grants: times in seconds, as it said them.
public struct GrantedLease<Resource: Hashable & Sendable>: Equatable, Sendable {
    public var resource: Resource
    /// The server's identifier: option 54, or its DUID.
    public var server: [UInt8]
    /// `UInt32.max`: for ever.
    public var lifetime: UInt32
    /// T1 and T2; nil: the server left them to the client.
    public var renewal: UInt32?
    public var rebinding: UInt32?
    /// DNS servers; empty: it said nothing of them.
    public var dns: [IPAddress] = []

    public init(
        resource: Resource, server: [UInt8], lifetime: UInt32, renewal: UInt32? = nil, rebinding: UInt32? = nil
    ) {
        self.resource = resource
        self.server = server
        self.lifetime = lifetime
        self.renewal = renewal
        self.rebinding = rebinding
    }
}

/// What a server said, protocol aside.
public enum LeaseAnswer<Resource: Hashable & Sendable>: Equatable, Sendable {
    /// OFFER, Advertise.
    case offered(Resource, server: [UInt8])
    /// ACK, Reply with a resource.
    case granted(GrantedLease<Resource>)
    /// NAK, or a Reply or Advertise with a status in place of the resource.
    case refused
}

/// What is sent to a server, protocol aside.
public enum LeaseRequest<Resource: Hashable & Sendable>: Equatable, Sendable {
    case discover(wish: Resource?)
    case request(Resource, server: [UInt8])
    case renew(Resource, server: [UInt8])
    /// Any server may answer: RFC 2131 4.3.2 REBINDING, RFC 8415 18.2.5.
    case rebind(Resource)
    /// No server: whichever holds it.
    case release(Resource, server: [UInt8]?)
    case decline(Resource, server: [UInt8])
}

/// Where it is sent to.
public enum LeaseRecipient: Equatable, Sendable {
    /// Whichever server it is the turn of; how often the exchange has been sent before.
    case turn(Int)
    /// The server of this index.
    case server(Int)
    case all
}

/// Why there is no lease.
public enum LeaseFailure: Error, Equatable, Sendable {
    /// Nobody answered.
    case silent
    case refused
    /// Only the wish would have done.
    case otherOffered
    case tooShort(UInt32)
}

/// Why a lease is no more.
public enum LeaseLoss: Equatable, Sendable {
    case refused
    case expired
}
