// SPDX-License-Identifier: Apache-2.0
// The identities of DESIGN section 1: sessions, generations, VRFs, access domains, nodes, lines.

/// 64 bits minted once by a controller: 16 bits issuer, 48 bits counter; never reused; never 0.
public struct SessionID: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// - Precondition: the counter has at most 48 bits.
    public init(issuer: UInt16, counter: UInt64) {
        precondition(counter >> 48 == 0, "session counter exhausted: \(counter)")
        self.rawValue = UInt64(issuer) << 48 | counter
    }

    public var issuer: UInt16 { UInt16(self.rawValue >> 48) }
    public var counter: UInt64 { self.rawValue & 0xffff_ffff_ffff }
    public static func < (a: SessionID, b: SessionID) -> Bool { a.rawValue < b.rawValue }
    /// `issuer-counter`, as operators type it.
    public var description: String { "\(self.issuer)-\(self.counter)" }

    /// Parses `issuer-counter`.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let issuer = UInt16(parts[0]), let counter = UInt64(parts[1]), counter >> 48 == 0
        else { return nil }
        self.init(issuer: issuer, counter: counter)
    }
}

/// Raised only when an object's content changes; 0 means "none".
public typealias Generation = UInt64

/// Number of a VRF; 0 is the default.
public typealias VRF = UInt32

/// Number of an access domain; never 0.
public typealias AccessDomainID = UInt32

/// Name of a node, as its agent and its certificate state it.
public typealias NodeName = String

/// The tags of a frame on a line: outermost first, at most two.
public struct VLANTags: Hashable, Sendable, CustomStringConvertible {
    /// Outer or only tag, 0 for none.
    public var sVLAN: UInt16
    /// Inner tag, 0 for none.
    public var cVLAN: UInt16
    /// 0x8100 or 0x88a8; 0 for none.
    public var sTPID: UInt16
    /// 0x8100; 0 for none.
    public var cTPID: UInt16

    public init(sVLAN: UInt16 = 0, cVLAN: UInt16 = 0, sTPID: UInt16 = 0, cTPID: UInt16 = 0) {
        self.sVLAN = sVLAN
        self.cVLAN = cVLAN
        self.sTPID = sTPID
        self.cTPID = cTPID
    }

    public static let untagged = VLANTags()

    /// "untagged", "100" or "100.7".
    public var description: String {
        if self.sTPID == 0 { return "untagged" }
        return self.cTPID == 0 ? "\(self.sVLAN)" : "\(self.sVLAN).\(self.cVLAN)"
    }
}

/// Where a customer attaches: what the tables are keyed by. TPIDs are not part of it.
public struct LineKey: Hashable, Sendable, CustomStringConvertible {
    public var accessDomain: AccessDomainID
    public var sVLAN: UInt16
    public var cVLAN: UInt16
    /// giaddr of the layer-3 relay in between; zero without one.
    public var relay: IPv4Address
    public var mac: MACAddress
    /// SESSION_ID of a PPPoE session; 0: IPoE.
    public var pppoeID: UInt16

    public init(
        accessDomain: AccessDomainID, sVLAN: UInt16 = 0, cVLAN: UInt16 = 0, relay: IPv4Address = .zero,
        mac: MACAddress, pppoeID: UInt16 = 0
    ) {
        self.accessDomain = accessDomain
        self.sVLAN = sVLAN
        self.cVLAN = cVLAN
        self.relay = relay
        self.mac = mac
        self.pppoeID = pppoeID
    }

    /// Two words instead of six fields: tables of lines are looked at for every packet.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(UInt64(self.accessDomain) << 32 | UInt64(self.sVLAN) << 16 | UInt64(self.cVLAN))
        hasher.combine(self.mac.rawValue << 16 | UInt64(self.pppoeID))
        if self.relay != .zero { hasher.combine(self.relay.rawValue) }
    }

    /// The line itself, whatever session runs on it.
    public var withoutPPPoE: LineKey {
        var line = self
        line.pppoeID = 0
        return line
    }

    /// The same in every process; chooses a shard. All sessions of a MAC address on a line are on one shard.
    public var stableHash: UInt64 {
        var hash = StableHash()
        hash.mix(UInt64(self.accessDomain) << 32 | UInt64(self.sVLAN) << 16 | UInt64(self.cVLAN))
        hash.mix(UInt64(self.relay.rawValue))
        hash.mix(self.mac.rawValue)
        return hash.value
    }

    public var description: String {
        var text = "\(self.accessDomain)/\(self.sVLAN).\(self.cVLAN)/\(self.mac)"
        if self.relay != .zero { text += "@\(self.relay)" }
        if self.pppoeID != 0 { text += "#\(self.pppoeID)" }
        return text
    }
}
