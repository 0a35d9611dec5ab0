// SPDX-License-Identifier: Apache-2.0
// What the server's automaton is told, what it says, and what it hands out.

import BNGCore

/// An identity association of one client: its kind and the client's number.
public struct DHCPv6AssociationKey: Hashable, Sendable, Comparable {
    public var kind: IdentityAssociation.Kind
    public var id: UInt32

    public init(_ kind: IdentityAssociation.Kind, _ id: UInt32) {
        self.kind = kind
        self.id = id
    }

    public static func < (a: DHCPv6AssociationKey, b: DHCPv6AssociationKey) -> Bool {
        (a.kind.rawValue, a.id) < (b.kind.rawValue, b.id)
    }
}

/// What a client holds by one of its associations.
public struct DHCPv6Binding: Hashable, Sendable {
    public var key: DHCPv6AssociationKey
    public var resource: DHCPv6Lease.Resource

    public init(_ key: DHCPv6AssociationKey, _ resource: DHCPv6Lease.Resource) {
        self.key = key
        self.resource = resource
    }

    /// Prefixes are for delegations, addresses for the others.
    var isConsistent: Bool {
        switch self.resource {
        case .prefix: return self.key.kind == .delegation
        case .address: return self.key.kind != .delegation
        }
    }
}

/// What replies carry; times in seconds.
public struct DHCPv6Configuration: Equatable, Sendable {
    public var serverID: DUID
    /// Of advertisements; 255 makes clients take the first one (RFC 8415 18.2.1).
    public var preference: UInt8 = 255
    public var preferred: UInt32 = 3_600
    public var valid: UInt32 = 7_200
    public var renewal: UInt32 = 1_800
    public var rebinding: UInt32 = 2_880
    public var allowsRapidCommit = true
    /// Addresses of these are the link's own: what Confirm asks for.
    public var onLink: [IPv6Prefix] = []
    /// Associations of each kind a client may hold.
    public var associationLimit = 4
    /// Sent when the client asks for them (option 6).
    public var options: [DHCPv6Option] = []

    public init(serverID: DUID) {
        self.serverID = serverID
    }
}

extension DHCPv6ServerMachine {
    public enum Timer: Equatable, Sendable { case offer }

    public enum Denial: Equatable, Sendable {
        /// Nothing can be given now.
        case exhausted
        /// What was wished for belongs to another link.
        case notOnLink
        /// What was wished for is not this client's.
        case notYours
    }

    public enum Event: Sendable {
        /// A client's message; `isUnicast`: sent to an address of the server's own.
        case received(DHCPv6Message, isUnicast: Bool)
        case granted(DHCPv6Binding)
        case denied(DHCPv6AssociationKey, Denial)
        /// What was to be confirmed is durable and the data plane holds it.
        case confirmed
        case confirmationFailed
        /// The session has ended for a reason of its own; nothing is held any more.
        case ended
        case timerFired(Timer)
    }

    public enum Counter: String, Sendable, CaseIterable {
        case malformed, busy, ignored, silent
        case otherServer = "other_server"
        case useMulticast = "use_multicast"
    }

    public enum Action: Equatable, Sendable {
        /// `exact`: only this address will do, and only if it is or may become this client's.
        case requestAddress(DHCPv6AssociationKey, wish: IPv6Address?, exact: Bool)
        /// A wish for ::/n says no more than the length.
        case requestPrefix(DHCPv6AssociationKey, wish: IPv6Prefix?, exact: Bool)
        /// Granted, but not taken.
        case withdraw([DHCPv6Binding])
        /// Make all of this durable for the valid lifetime, install it, then answer `confirmed` or `confirmationFailed`.
        case confirm([DHCPv6Binding])
        case released([DHCPv6Binding])
        /// Another host uses it (RFC 8415 18.3.8).
        case declined([DHCPv6Binding])
        case send(DHCPv6Message)
        case startTimer(Timer, after: Duration)
        case cancelTimer(Timer)
        case count(Counter)
    }
}
