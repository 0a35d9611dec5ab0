// SPDX-License-Identifier: Apache-2.0
// One pool of IPv4 addresses and the only place that decides who holds which: static, granted, sticky or by ring, never twice.

import BNGCore

/// An allocator over named ranges. Every operation is O(1) amortised; memory grows with addresses used, not with the ranges.
///
/// Life of an address: free → held(session) → resting (quarantine, remembered for its line) → free again. An address leaves
/// `held` only by `release` or `decline`; expiry elsewhere never frees it.
public struct AddressPool: Sendable {
    /// Which free address a line gets.
    public enum Allocation: String, Sendable, CaseIterable {
        /// Its last one, else one never used, else the one that rested longest.
        case sticky
        /// The first free one of the subscriber's own order, which is the same on every controller: see AddressRing.
        case ring
    }

    public enum Denial: Equatable, Sendable {
        case exhausted
        /// Not in the ranges, nor a static address of this line.
        case outsidePool
        /// Held by another session.
        case held
        /// In quarantine after another line.
        case resting
        /// Reserved by configuration for another client.
        case reserved
        /// No pool of that name.
        case unknownPool
        /// The server outside that decides for the pool gave nothing.
        case notGiven
    }

    /// Counts of addresses. `held + returned + unused == total`.
    public struct Usage: Equatable, Sendable {
        /// Addresses in the ranges that may be given.
        public var total = 0
        public var held = 0
        /// Given back: in quarantine, or remembered for their line and reused oldest first.
        public var returned = 0
        /// Held outside the ranges: static or granted by AAA.
        public var external = 0
        /// Times nothing could be given.
        public var exhausted: UInt64 = 0
        /// So many are held that somebody should look; ends five points below where it begins.
        public var alarm = false

        public init(
            total: Int = 0, held: Int = 0, returned: Int = 0, external: Int = 0, exhausted: UInt64 = 0,
            alarm: Bool = false
        ) {
            self.total = total
            self.held = held
            self.returned = returned
            self.external = external
            self.exhausted = exhausted
            self.alarm = alarm
        }

        public var unused: Int { max(0, self.total - self.held - self.returned) }
    }

    struct Rest: Sendable {
        var until: UTCTime
        /// nil after a DHCPDECLINE: nobody gets it back early.
        var line: LineKey?
    }

    public let name: String
    public let vrf: VRF
    public let allocation: Allocation
    /// Whether lines get their last address again, after a rest. Not where a server outside decides: it remembers.
    let remembers: Bool
    let statics: [MACAddress: IPv4Address]
    let reserved: Set<IPv4Address>
    let ranges: AddressRanges
    let ring: AddressRing?
    private let alarm: PoolAlarm
    var held: [IPv4Address: SessionID] = [:]
    var rests: [IPv4Address: Rest] = [:]
    var sticky = LineMemory<IPv4Address>()
    var fresh: FreshAddresses
    var returned = ReturnQueue<IPv4Address>()
    /// Counts what `usage` says.
    private var counts: Usage
    /// Addresses of the ranges that are nobody's: not reserved, not held, not resting.
    private(set) var openCount: Int

    /// - Parameters:
    ///   - ranges: what may be given; must not overlap.
    ///   - statics: addresses of given clients; inside the ranges or not, nobody else ever gets them.
    ///   - excluded: never given (gateway, server identity).
    ///   - alarmPercent: share of the addresses held from which `usage` shows an alarm; 0: never.
    ///   - remembers: false: nothing is known of an address that is given back.
    public init(
        name: String, vrf: VRF, ranges: [IPv4Range], statics: [MACAddress: IPv4Address] = [:],
        excluded: Set<IPv4Address> = [], allocation: Allocation = .sticky, alarmPercent: Int = 0,
        remembers: Bool = true
    ) {
        self.name = name
        self.vrf = vrf
        self.allocation = allocation
        self.remembers = remembers
        self.statics = statics
        self.reserved = excluded.union(statics.values)
        self.ranges = AddressRanges(ranges)
        self.ring = allocation == .ring ? AddressRing(self.ranges) : nil
        self.alarm = PoolAlarm(percent: alarmPercent)
        self.fresh = FreshAddresses(ranges)
        let neverGiven = excluded.count { address in ranges.contains { $0.contains(address) } }
        self.counts = Usage(total: self.ranges.count - neverGiven)
        self.openCount = self.ranges.count - self.reserved.count { address in ranges.contains { $0.contains(address) } }
    }

    /// Whether the pool could ever give this address to this client.
    public func serves(_ address: IPv4Address, mac: MACAddress) -> Bool {
        if let own = self.statics[mac] { return own == address }
        return !self.reserved.contains(address) && self.ranges.contains(address)
    }

    /// The address remembered for a line, whether or not it is free.
    public func remembered(for line: LineKey) -> IPv4Address? { self.statics[line.mac] ?? self.sticky[line] }

    public func holder(of address: IPv4Address) -> SessionID? { self.held[address] }

    public var usage: Usage { self.counts }

    // MARK: The two tables, and what is counted of them

    mutating func setHolder(_ session: SessionID?, of address: IPv4Address) {
        let change = (session == nil ? 0 : 1) - (self.held[address] == nil ? 0 : 1)
        self.held[address] = session
        guard self.ranges.contains(address) else { return self.counts.external += change }
        self.counts.held += change
        if !self.reserved.contains(address) { self.openCount -= change }
        self.watch()
    }

    mutating func setRest(_ rest: Rest?, of address: IPv4Address) {
        let change = (rest == nil ? 0 : 1) - (self.rests[address] == nil ? 0 : 1)
        self.rests[address] = rest
        guard self.ranges.contains(address) else { return }
        self.counts.returned += change
        if !self.reserved.contains(address) { self.openCount -= change }
    }

    mutating func countExhaustion() { self.counts.exhausted += 1 }

    private mutating func watch() {
        self.counts.alarm = self.alarm.isRaised(self.counts.alarm, held: self.counts.held, of: self.counts.total)
    }
}

/// A remembered or quarantined address, as restored from the store.
public struct StickyAddress: Equatable, Sendable {
    public var address: IPv4Address
    /// nil: declined, belongs to nobody.
    public var line: LineKey?
    public var reservedUntil: UTCTime

    public init(address: IPv4Address, line: LineKey?, reservedUntil: UTCTime) {
        self.address = address
        self.line = line
        self.reservedUntil = reservedUntil
    }
}

/// Why an address was not given.
public struct DenialError: Error, Equatable, Sendable {
    public let reason: AddressPool.Denial
    init(_ reason: AddressPool.Denial) { self.reason = reason }

    public static let unknownPool = DenialError(.unknownPool)
    public static let outsidePool = DenialError(.outsidePool)
    public static let held = DenialError(.held)
    public static let notGiven = DenialError(.notGiven)
}
