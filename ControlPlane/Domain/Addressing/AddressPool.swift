// SPDX-License-Identifier: Apache-2.0
// One pool of IPv4 addresses and the only place that decides who holds which: sticky, static, quarantined, never twice.

import BNGCore

/// An allocator over named ranges. Every operation is O(1) amortised; memory grows with addresses used, not with the ranges.
///
/// Life of an address: free → held(session) → resting (quarantine, remembered for its line) → free again. An address leaves
/// `held` only by `release` or `decline`; expiry elsewhere never frees it.
public struct AddressPool: Sendable {
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
    }

    /// Counts of addresses. `held + returned + unused == total`, static addresses outside the ranges apart.
    public struct Usage: Equatable, Sendable {
        /// Addresses in the ranges that may be given.
        public var total = 0
        public var held = 0
        /// Given back: in quarantine, or remembered for their line and reused oldest first.
        public var returned = 0
        /// Times nothing could be given.
        public var exhausted: UInt64 = 0

        public init(total: Int = 0, held: Int = 0, returned: Int = 0, exhausted: UInt64 = 0) {
            self.total = total
            self.held = held
            self.returned = returned
            self.exhausted = exhausted
        }

        public var unused: Int { max(0, self.total - self.held - self.returned) }
    }

    private struct Rest: Sendable {
        var until: UTCTime
        /// nil after a DHCPDECLINE: nobody gets it back early.
        var line: LineKey?
    }

    public let name: String
    public let vrf: VRF
    public let ranges: [IPv4Range]
    private let statics: [MACAddress: IPv4Address]
    private let reserved: Set<IPv4Address>
    private let total: Int
    private var held: [IPv4Address: SessionID] = [:]
    private var rests: [IPv4Address: Rest] = [:]
    private var sticky: [LineKey: IPv4Address] = [:]
    private var fresh: FreshAddresses
    private var returned = ReturnQueue()
    private var exhaustedCount: UInt64 = 0

    /// - Parameters:
    ///   - ranges: what may be given; must not overlap.
    ///   - statics: addresses of given clients; inside the ranges or not, nobody else ever gets them.
    ///   - excluded: never given (gateway, server identity).
    public init(
        name: String, vrf: VRF, ranges: [IPv4Range], statics: [MACAddress: IPv4Address] = [:],
        excluded: Set<IPv4Address> = []
    ) {
        self.name = name
        self.vrf = vrf
        self.ranges = ranges
        self.statics = statics
        self.reserved = excluded.union(statics.values)
        self.fresh = FreshAddresses(ranges)
        let neverGiven = excluded.count { address in ranges.contains { $0.contains(address) } }
        self.total = ranges.reduce(0) { $0 + $1.count } - neverGiven
    }

    /// Whether the pool could ever give this address to this client.
    public func serves(_ address: IPv4Address, mac: MACAddress) -> Bool {
        if let own = self.statics[mac] { return own == address }
        return !self.reserved.contains(address) && self.ranges.contains { $0.contains(address) }
    }

    /// The address remembered for a line, whether or not it is free.
    public func remembered(for line: LineKey) -> IPv4Address? { self.statics[line.mac] ?? self.sticky[line] }

    public func holder(of address: IPv4Address) -> SessionID? { self.held[address] }

    public var usage: Usage {
        Usage(
            total: self.total, held: self.held.count, returned: self.rests.count, exhausted: self.exhaustedCount)
    }

    // MARK: Taking

    /// Gives an address: the line's static one, else its last one, else the wish, else a new one, else the one that rested longest.
    public mutating func take(
        for line: LineKey, session: SessionID, wish: IPv4Address?, now: UTCTime
    ) -> Result<IPv4Address, DenialError> {
        if let own = self.statics[line.mac] { return self.takeExactly(own, for: line, session: session, now: now) }
        for candidate in [self.sticky[line], wish] {
            guard let candidate else { continue }
            if case .success = self.takeExactly(candidate, for: line, session: session, now: now) {
                return .success(candidate)
            }
        }
        while let address = self.fresh.next() {
            guard self.isNeverUsed(address) else { continue }
            return self.hold(address, line, session)
        }
        while let address = self.returned.popReady(now) {
            guard self.isReusable(address, at: now) else { continue }
            return self.hold(address, line, session)
        }
        self.exhaustedCount += 1
        return .failure(DenialError(.exhausted))
    }

    /// Gives this address or says why not.
    public mutating func takeExactly(
        _ address: IPv4Address, for line: LineKey, session: SessionID, now: UTCTime
    ) -> Result<IPv4Address, DenialError> {
        if let holder = self.held[address] {
            return holder == session ? .success(address) : .failure(DenialError(.held))
        }
        if let own = self.statics[line.mac] {
            guard own == address else { return .failure(DenialError(.outsidePool)) }
            return self.hold(address, line, session)
        }
        guard !self.reserved.contains(address) else { return .failure(DenialError(.reserved)) }
        guard self.ranges.contains(where: { $0.contains(address) }) else {
            return .failure(DenialError(.outsidePool))
        }
        if let rest = self.rests[address], rest.until > now, rest.line != line {
            return .failure(DenialError(.resting))
        }
        return self.hold(address, line, session)
    }

    private mutating func hold(
        _ address: IPv4Address, _ line: LineKey, _ session: SessionID
    ) -> Result<IPv4Address, DenialError> {
        precondition(self.held[address] == nil, "address \(address) given twice")
        if let previous = self.rests.removeValue(forKey: address)?.line, previous != line,
            self.sticky[previous] == address
        {
            self.sticky[previous] = nil
        }
        self.held[address] = session
        self.sticky[line] = address
        return .success(address)
    }

    private func isNeverUsed(_ address: IPv4Address) -> Bool {
        self.held[address] == nil && self.rests[address] == nil && !self.reserved.contains(address)
    }

    private func isReusable(_ address: IPv4Address, at now: UTCTime) -> Bool {
        guard self.held[address] == nil, let rest = self.rests[address] else { return false }
        return rest.until <= now
    }

    // MARK: Giving back

    /// Takes an address back. It rests until `until` for everybody but `line`. A stranger's session id changes nothing.
    /// - Returns: whether the session held it.
    @discardableResult
    public mutating func release(
        _ address: IPv4Address, session: SessionID, line: LineKey, until: UTCTime
    ) -> Bool {
        guard self.held[address] == session else { return false }
        self.held[address] = nil
        self.rest(address, Rest(until: until, line: line))
        return true
    }

    /// Takes an address back that some other host uses (RFC 2131 4.3.3): nobody gets it before `until`.
    @discardableResult
    public mutating func decline(
        _ address: IPv4Address, session: SessionID, line: LineKey, until: UTCTime
    ) -> Bool {
        guard self.held[address] == session else { return false }
        self.held[address] = nil
        if self.sticky[line] == address { self.sticky[line] = nil }
        self.rest(address, Rest(until: until, line: nil))
        return true
    }

    private mutating func rest(_ address: IPv4Address, _ rest: Rest) {
        self.rests[address] = rest
        guard !self.reserved.contains(address), self.ranges.contains(where: { $0.contains(address) }) else { return }
        self.returned.push(address, readyAt: rest.until)
    }

    // MARK: Restoring

    /// Puts a stored session back. False if another session already holds the address: the caller must report it.
    public mutating func restore(_ address: IPv4Address, session: SessionID, line: LineKey) -> Bool {
        guard self.held[address] == nil || self.held[address] == session else { return false }
        self.rests[address] = nil
        self.held[address] = session
        self.sticky[line] = address
        return true
    }

    /// Puts a remembered address back: after all sessions.
    public mutating func restore(_ binding: StickyAddress) {
        guard self.held[binding.address] == nil, self.rests[binding.address] == nil else { return }
        if let line = binding.line { self.sticky[line] = binding.address }
        self.rest(binding.address, Rest(until: binding.reservedUntil, line: binding.line))
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
}
