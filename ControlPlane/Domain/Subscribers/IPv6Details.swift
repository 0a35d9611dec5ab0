// SPDX-License-Identifier: Apache-2.0
// The IPv6 half of a session: the prefix its line autoconfigures from, and what its client holds by DHCPv6.

import BNGCore

/// What a session holds of IPv6. Everything in it has been promised to the client.
public struct IPv6Details: Equatable, Sendable, Codable {
    /// A prefix or, with length 128, an address, and where it came from.
    public struct Resource: Hashable, Sendable, Codable {
        public var prefix: IPv6Prefix
        /// The pool that counts it, whether or not it lies in it.
        public var pool: String

        public init(prefix: IPv6Prefix, pool: String) {
            self.prefix = prefix
            self.pool = pool
        }
    }

    /// One identity association of the client.
    public struct Binding: Equatable, Sendable, Codable {
        public var isDelegation: Bool
        public var iaid: UInt32
        public var resource: Resource

        public init(isDelegation: Bool, iaid: UInt32, resource: Resource) {
            self.isDelegation = isDelegation
            self.iaid = iaid
            self.resource = resource
        }
    }

    /// What was advertised before and is worth nothing any more; hosts are told so until then (RFC 4862 5.5.3 e).
    public struct Stale: Equatable, Sendable, Codable {
        public var prefix: IPv6Prefix
        public var until: UTCTime

        public init(prefix: IPv6Prefix, until: UTCTime) {
            self.prefix = prefix
            self.until = until
        }
    }

    /// The line's own prefix (RFC 8273); nil: no autoconfiguration.
    public var link: Resource?
    public var bindings: [Binding] = []
    /// The DHCPv6 client's DUID; empty: no client has spoken.
    public var clientID: [UInt8] = []
    /// Options it asked for last.
    public var requestedOptions: [UInt16] = []
    /// Latest end of the lease known to be granted, by either plane; zero: none runs, as with PPP.
    public var expires: UTCTime = .zero
    public var stale: [Stale] = []
    /// Behind a layer-3 relay: the link-address (RFC 8415 9.1) its client was relayed with, and the circuit as option 82 would tell it.
    public var origin: [UInt8]?

    public init() {}

    /// Of the origin; nil without one.
    public var circuit: [UInt8]? { self.origin.map { Array($0.dropFirst(16)) } }

    /// Every pool's resource it holds.
    public var resources: [Resource] { (self.link.map { [$0] } ?? []) + self.bindings.map(\.resource) }

    public var delegated: [IPv6Prefix] { self.bindings.filter(\.isDelegation).map(\.resource.prefix) }

    /// Addresses given by DHCPv6.
    public var addresses: [IPv6Address] {
        self.bindings.filter { !$0.isDelegation }.map(\.resource.prefix.address)
    }

    /// Nothing is held.
    public var isEmpty: Bool { self.link == nil && self.bindings.isEmpty }
}

/// A line's last prefix of a pool, kept after the session so that the same customer gets it again while nobody else needs it.
public struct StickyPrefixBinding: Equatable, Sendable {
    public var line: LineKey
    public var vrf: VRF
    public var pool: String
    public var prefix: IPv6Prefix
    /// It may not go to anybody else before this time (quarantine).
    public var reservedUntil: UTCTime
    /// Another host was seen to use the address (Decline): it rests for everybody, its line included.
    public var declined: Bool

    public init(
        line: LineKey, vrf: VRF, pool: String, prefix: IPv6Prefix, reservedUntil: UTCTime, declined: Bool = false
    ) {
        self.line = line
        self.vrf = vrf
        self.pool = pool
        self.prefix = prefix
        self.reservedUntil = reservedUntil
        self.declined = declined
    }
}
