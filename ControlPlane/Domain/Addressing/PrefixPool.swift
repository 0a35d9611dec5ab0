// SPDX-License-Identifier: Apache-2.0
// One pool of IPv6 prefixes of one length, and the only place that decides who holds which: static, granted or sticky, never twice.

import BNGCore

/// An allocator of prefixes (a /64 for a line, a /56 to delegate) out of shorter ones. Every operation is O(1) amortised, and
/// memory grows with prefixes used: 2^32 of them cost nothing.
///
/// Life of a prefix: free → held(session) → resting (quarantine, remembered for its line) → free again, as in AddressPool. All
/// prefixes are of the pool's length, so two of them are the same or have nothing in common.
public struct PrefixPool: Sendable {
    public typealias Denial = AddressPool.Denial
    public typealias Usage = AddressPool.Usage

    struct Rest: Sendable {
        var until: UTCTime
        /// nil: nobody gets it back early.
        var line: LineKey?
    }

    public let name: String
    public let vrf: VRF
    /// As in AddressPool.
    let remembers: Bool
    let statics: [MACAddress: IPv6Prefix]
    let reserved: Set<IPv6Prefix>
    private let alarm: PoolAlarm
    var held: PrefixTable<SessionID>
    var rests: [IPv6Prefix: Rest] = [:]
    var sticky = LineMemory<IPv6Prefix>()
    var fresh: FreshPrefixes
    var returned = ReturnQueue<IPv6Prefix>()
    private var counts: Usage

    /// nil if a prefix of `prefixes` is longer than `length` or overlaps another, or a static or excluded one has another length.
    ///
    /// - Parameters:
    ///   - length: of every prefix that is given.
    ///   - statics: prefixes of given clients; inside the pool or not, nobody else ever gets them.
    ///   - excluded: never given.
    ///   - alarmPercent: share of the prefixes held from which `usage` shows an alarm; 0: never.
    ///   - remembers: false: nothing is known of a prefix that is given back.
    public init?(
        name: String, vrf: VRF, prefixes: [IPv6Prefix], length: Int, statics: [MACAddress: IPv6Prefix] = [:],
        excluded: Set<IPv6Prefix> = [], alarmPercent: Int = 0, remembers: Bool = true
    ) {
        guard let fresh = FreshPrefixes(prefixes, length: length),
            statics.values.allSatisfy({ $0.length == length }), excluded.allSatisfy({ $0.length == length })
        else { return nil }
        self.name = name
        self.vrf = vrf
        self.remembers = remembers
        self.statics = statics
        self.reserved = excluded.union(statics.values)
        self.alarm = PoolAlarm(percent: alarmPercent)
        self.fresh = fresh
        self.held = PrefixTable(length: length)
        self.counts = Usage(total: fresh.count - excluded.count { fresh.contains($0) })
    }

    /// Of every prefix that is given.
    public var length: Int { self.fresh.length }

    /// Whether the pool could ever give this prefix to this client.
    public func serves(_ prefix: IPv6Prefix, mac: MACAddress) -> Bool {
        if let own = self.statics[mac] { return own == prefix }
        return !self.reserved.contains(prefix) && self.fresh.contains(prefix)
    }

    /// The prefix remembered for a line, whether or not it is free.
    public func remembered(for line: LineKey) -> IPv6Prefix? { self.statics[line.mac] ?? self.sticky[line] }

    public func holder(of prefix: IPv6Prefix) -> SessionID? { self.held[prefix] }

    /// Counts of prefixes.
    public var usage: Usage { self.counts }

    // MARK: The two tables, and what is counted of them

    mutating func setHolder(_ session: SessionID?, of prefix: IPv6Prefix) {
        let change = (session == nil ? 0 : 1) - (self.held[prefix] == nil ? 0 : 1)
        self.held[prefix] = session
        guard self.fresh.contains(prefix) else { return self.counts.external += change }
        self.counts.held += change
        self.watch()
    }

    mutating func setRest(_ rest: Rest?, of prefix: IPv6Prefix) {
        let change = (rest == nil ? 0 : 1) - (self.rests[prefix] == nil ? 0 : 1)
        self.rests[prefix] = rest
        if self.fresh.contains(prefix) { self.counts.returned += change }
    }

    mutating func countExhaustion() { self.counts.exhausted += 1 }

    private mutating func watch() {
        self.counts.alarm = self.alarm.isRaised(self.counts.alarm, held: self.counts.held, of: self.counts.total)
    }
}

/// A remembered or quarantined prefix, as restored from the store.
public struct StickyPrefix: Equatable, Sendable {
    public var prefix: IPv6Prefix
    /// nil: belongs to nobody.
    public var line: LineKey?
    public var reservedUntil: UTCTime

    public init(prefix: IPv6Prefix, line: LineKey?, reservedUntil: UTCTime) {
        self.prefix = prefix
        self.line = line
        self.reservedUntil = reservedUntil
    }
}
