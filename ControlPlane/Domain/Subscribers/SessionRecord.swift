// SPDX-License-Identifier: Apache-2.0
// The durable facts of one session, and how a session ends. The store keeps them; the machine decides them.

import BNGCore

/// Life cycle of a session (FEATURES B9).
public enum SessionPhase: String, Sendable, CaseIterable {
    /// The client has asked; nothing is promised yet. Never stored.
    case connecting
    /// Admitted, an address reserved, not yet confirmed by use. Never stored.
    case authenticated
    case active
    /// Being removed from its node; the address stays bound until the node confirms.
    case disconnecting
    case terminated
}

/// Why a session ended.
public enum TerminateCause: String, Sendable, Codable, CaseIterable {
    case userRequest = "user_request"
    case leaseExpired = "lease_expired"
    /// Of the IPv6 half, of which a session may consist alone.
    case ipv6LeaseExpired = "ipv6_lease_expired"
    case sessionTimeout = "session_timeout"
    case idleTimeout = "idle_timeout"
    /// An operator, or a Disconnect-Request (RFC 5176).
    case adminReset = "admin_reset"
    /// The same user came up elsewhere and policy lets the newer session win.
    case replaced
    /// AAA no longer wants the customer served.
    case reauthenticationFailed = "reauthentication_failed"
    case addressDeclined = "address_declined"
    /// The DHCP server outside that granted the address took it back, or could not be asked until its lease had ended.
    case leaseLost = "lease_lost"
    case lineMoved = "line_moved"
    case configuration
    /// The client answers no echoes any more.
    case lostCarrier = "lost_carrier"
    /// Its PPP link did not come up, or broke.
    case portError = "port_error"
}

/// One session as the store holds it. Unique per id; at most one per line and one per (vrf, address) that is not terminated.
public struct SessionRecord: Equatable, Sendable {
    public var id: SessionID
    public var generation: Generation
    public var phase: SessionPhase
    public var node: NodeName
    public var line: LineKey
    public var tags: VLANTags
    public var relayMAC: MACAddress
    public var vrf: VRF
    public var pool: String
    public var address: IPv4Address
    public var clientID: [UInt8]
    public var option82: [UInt8]
    public var hostName: String
    public var started: UTCTime
    /// Latest end of lease known to be granted, by either plane.
    public var leaseExpires: UTCTime
    /// zero while the session lives.
    public var ended: UTCTime
    public var cause: TerminateCause?
    /// Of the whole session, as far as its node has reported; never falls.
    public var counters: SessionTotals
    /// What was counted before the node last lost its counters.
    public var counterBase: SessionTotals {
        get { self.base?.totals ?? SessionTotals() }
        set { self.base = newValue == SessionTotals() ? nil : CounterBase(newValue) }
    }
    private var base: CounterBase?
    /// Name of the access port the session came up on.
    public var port = ""
    /// What AAA granted.
    public var grant: ServiceGrant {
        _read { yield self.granted.grant }
        set { self.granted = Granted(newValue) }
    }
    private var granted: Granted
    /// When Session-Timeout ends it; zero: never.
    public var ends: UTCTime = .zero
    /// Its start, interims and stop are accounting records.
    public var isAccounted = false
    /// Of a PPPoE session whose link is up; nil: IPoE, or not yet.
    public var ppp: PPPoEDetails?
    /// nil: the session holds nothing of IPv6. `address` is zero when it holds nothing of IPv4.
    public var ipv6: IPv6Details?
    /// Public side of `address`; nil: it is forwarded as it is.
    public var nat: NATGrant?

    public init(
        id: SessionID, generation: Generation, phase: SessionPhase, node: NodeName, line: LineKey, tags: VLANTags,
        relayMAC: MACAddress, vrf: VRF, pool: String, address: IPv4Address, clientID: [UInt8], option82: [UInt8],
        hostName: String, started: UTCTime, leaseExpires: UTCTime, ended: UTCTime = .zero,
        cause: TerminateCause? = nil, counters: SessionTotals = SessionTotals(),
        grant: ServiceGrant = ServiceGrant(source: .open, userName: "")
    ) {
        self.id = id
        self.generation = generation
        self.phase = phase
        self.node = node
        self.line = line
        self.tags = tags
        self.relayMAC = relayMAC
        self.vrf = vrf
        self.pool = pool
        self.address = address
        self.clientID = clientID
        self.option82 = option82
        self.hostName = hostName
        self.started = started
        self.leaseExpires = leaseExpires
        self.ended = ended
        self.cause = cause
        self.counters = counters
        self.granted = Granted(grant)
    }

    /// Takes over what the node has counted. A node that counts from zero again, its maps gone, starts from what was known.
    public mutating func observe(_ reported: SessionTotals) {
        if !(self.counterBase + reported).isAtLeast(self.counters) { self.counterBase = self.counters }
        self.counters = self.counterBase + reported
    }
}

/// A grant, half of a record's size, shared by its copies: a record is copied wherever it goes, its grant hardly ever changes.
private final class Granted: Sendable, Equatable {
    let grant: ServiceGrant

    init(_ grant: ServiceGrant) { self.grant = grant }

    static func == (a: Granted, b: Granted) -> Bool { a === b || a.grant == b.grant }
}

/// Outside the record: hardly any session outlives its node's counters.
private final class CounterBase: Sendable, Equatable {
    let totals: SessionTotals

    init(_ totals: SessionTotals) { self.totals = totals }

    static func == (a: CounterBase, b: CounterBase) -> Bool { a.totals == b.totals }
}

/// What a client's own messages say of it and its line: may change while the session lives.
public struct SessionPresentation: Equatable, Sendable {
    public var tags: VLANTags
    public var relayMAC: MACAddress
    public var clientID: [UInt8]
    public var option82: [UInt8]
    public var hostName: String
    public var ppp: PPPoEDetails?

    public init(tags: VLANTags, relayMAC: MACAddress, clientID: [UInt8], option82: [UInt8], hostName: String) {
        self.tags = tags
        self.relayMAC = relayMAC
        self.clientID = clientID
        self.option82 = option82
        self.hostName = hostName
    }
}

extension SessionRecord {
    public var presentation: SessionPresentation {
        get {
            var presentation = SessionPresentation(
                tags: self.tags, relayMAC: self.relayMAC, clientID: self.clientID, option82: self.option82,
                hostName: self.hostName)
            presentation.ppp = self.ppp
            return presentation
        }
        set {
            self.tags = newValue.tags
            self.relayMAC = newValue.relayMAC
            self.clientID = newValue.clientID
            self.option82 = newValue.option82
            self.hostName = newValue.hostName
            self.ppp = newValue.ppp
        }
    }
}

/// Packets and IP bytes of a session, both directions as the customer sees them.
public struct SessionTotals: Equatable, Sendable, Codable {
    public var upPackets: UInt64 = 0
    public var upBytes: UInt64 = 0
    public var downPackets: UInt64 = 0
    public var downBytes: UInt64 = 0
    public var droppedPackets: UInt64 = 0
    /// The IPv6 part of the above.
    public var ipv6 = FamilyTotals()

    public init() {}

    public static func + (a: SessionTotals, b: SessionTotals) -> SessionTotals {
        var sum = SessionTotals()
        sum.upPackets = a.upPackets &+ b.upPackets
        sum.upBytes = a.upBytes &+ b.upBytes
        sum.downPackets = a.downPackets &+ b.downPackets
        sum.downBytes = a.downBytes &+ b.downBytes
        sum.droppedPackets = a.droppedPackets &+ b.droppedPackets
        sum.ipv6 = a.ipv6 + b.ipv6
        return sum
    }

    /// No count is below the other's.
    public func isAtLeast(_ other: SessionTotals) -> Bool {
        self.upPackets >= other.upPackets && self.upBytes >= other.upBytes && self.downPackets >= other.downPackets
            && self.downBytes >= other.downBytes && self.droppedPackets >= other.droppedPackets
            && self.ipv6.isAtLeast(other.ipv6)
    }

    private enum CodingKeys: String, CodingKey {
        case upPackets, upBytes, downPackets, downBytes, droppedPackets, ipv6
    }

    /// Records of before there was IPv6 say nothing of it.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.upPackets = try values.decode(UInt64.self, forKey: .upPackets)
        self.upBytes = try values.decode(UInt64.self, forKey: .upBytes)
        self.downPackets = try values.decode(UInt64.self, forKey: .downPackets)
        self.downBytes = try values.decode(UInt64.self, forKey: .downBytes)
        self.droppedPackets = try values.decode(UInt64.self, forKey: .droppedPackets)
        self.ipv6 = try values.decodeIfPresent(FamilyTotals.self, forKey: .ipv6) ?? FamilyTotals()
    }
}

/// Packets and bytes of one address family.
public struct FamilyTotals: Equatable, Sendable, Codable {
    public var upPackets: UInt64 = 0
    public var upBytes: UInt64 = 0
    public var downPackets: UInt64 = 0
    public var downBytes: UInt64 = 0

    public init() {}

    public static func + (a: FamilyTotals, b: FamilyTotals) -> FamilyTotals {
        var sum = FamilyTotals()
        sum.upPackets = a.upPackets &+ b.upPackets
        sum.upBytes = a.upBytes &+ b.upBytes
        sum.downPackets = a.downPackets &+ b.downPackets
        sum.downBytes = a.downBytes &+ b.downBytes
        return sum
    }

    /// No count is below the other's.
    public func isAtLeast(_ other: FamilyTotals) -> Bool {
        self.upPackets >= other.upPackets && self.upBytes >= other.upBytes && self.downPackets >= other.downPackets
            && self.downBytes >= other.downBytes
    }
}

/// A line's last address (unique by VRF and address, the latest wins), kept after the session so that the same customer gets it again while nobody else needs it.
public struct StickyBinding: Equatable, Sendable {
    public var line: LineKey
    public var vrf: VRF
    public var pool: String
    public var address: IPv4Address
    /// The address may not go to anybody else before this time (quarantine).
    public var reservedUntil: UTCTime
    /// Another host was seen to use the address (DHCPDECLINE): it rests for everybody, its line included.
    public var declined: Bool

    public init(
        line: LineKey, vrf: VRF, pool: String, address: IPv4Address, reservedUntil: UTCTime, declined: Bool = false
    ) {
        self.line = line
        self.vrf = vrf
        self.pool = pool
        self.address = address
        self.reservedUntil = reservedUntil
        self.declined = declined
    }
}

/// A line in the history of a session: what happened to it between start and stop.
public struct SessionNote: Equatable, Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        /// AAA changed what the session is granted (CoA, operator).
        case changed
        case reauthenticated
    }

    public var session: SessionID
    public var at: UTCTime
    public var kind: Kind
    /// For people.
    public var text: String

    public init(session: SessionID, at: UTCTime, kind: Kind, text: String) {
        self.session = session
        self.at = at
        self.kind = kind
        self.text = text
    }
}
