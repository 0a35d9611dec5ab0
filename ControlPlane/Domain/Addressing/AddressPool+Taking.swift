// SPDX-License-Identifier: Apache-2.0
// Giving addresses: static, granted by AAA, asked for, remembered, by ring, or any.

import BNGCore

extension AddressPool {
    /// Gives an address: the line's static one; else in a sticky pool the line's last one, the wish, a new one, or the one that
    /// rested longest; in a ring pool the first free one of the subscriber's order, whatever the wish.
    /// - Parameter subscriber: the user name a ring goes by; empty: the line.
    public mutating func take(
        for line: LineKey, session: SessionID, subscriber: String = "", wish: IPv4Address?, now: UTCTime
    ) -> Result<IPv4Address, DenialError> {
        if let own = self.statics[line.mac] { return self.takeExactly(own, for: line, session: session, now: now) }
        if let address = self.preferred(line, subscriber, wish: wish, at: now) {
            return self.hold(address, line, session)
        }
        while let address = self.fresh.next() {
            guard self.isNeverUsed(address) else { continue }
            return self.hold(address, line, session)
        }
        while let address = self.returned.popReady(now) {
            guard self.isReusable(address, at: now) else { continue }
            return self.hold(address, line, session)
        }
        self.countExhaustion()
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
        if let reason = self.obstacle(to: address, line, at: now) { return .failure(DenialError(reason)) }
        return self.hold(address, line, session)
    }

    /// Gives the address AAA has granted, inside the ranges or not: any address of one host that nobody else holds and that
    /// is not reserved for another client. The quarantine after another line is not waited for, since AAA names the
    /// customer and not the line (who moves keeps the address); that of a declined address is.
    public mutating func takeGranted(
        _ address: IPv4Address, for line: LineKey, session: SessionID, now: UTCTime
    ) -> Result<IPv4Address, DenialError> {
        if let holder = self.held[address] {
            return holder == session ? .success(address) : .failure(DenialError(.held))
        }
        guard address.isUnicastHost else { return .failure(DenialError(.outsidePool)) }
        if self.reserved.contains(address), self.statics[line.mac] != address {
            return .failure(DenialError(.reserved))
        }
        if let rest = self.rests[address], rest.line == nil, rest.until > now {
            return .failure(DenialError(.resting))
        }
        return self.hold(address, line, session)
    }

    private mutating func preferred(
        _ line: LineKey, _ subscriber: String, wish: IPv4Address?, at now: UTCTime
    ) -> IPv4Address? {
        guard let ring = self.ring else {
            for candidate in [self.sticky[line], wish] {
                if let candidate, self.isFree(candidate, for: line, at: now) { return candidate }
            }
            return nil
        }
        guard self.hasSomething(for: line, at: now) else { return nil }
        let key = AddressRing.key(subscriber: subscriber, line: line)
        for attempt in 0..<AddressRing.attempts {
            let candidate = ring.address(key: key, attempt: attempt)
            if self.isFree(candidate, for: line, at: now) { return candidate }
        }
        return self.sticky[line].flatMap { self.isFree($0, for: line, at: now) ? $0 : nil }
    }

    /// Whether any address could be given: a pool that is used up is not searched at every request.
    private mutating func hasSomething(for line: LineKey, at now: UTCTime) -> Bool {
        if self.openCount > 0 { return true }
        if let own = self.sticky[line], self.isFree(own, for: line, at: now) { return true }
        while let address = self.returned.firstReady(now) {
            if self.isReusable(address, at: now) { return true }
            _ = self.returned.popReady(now)
        }
        return false
    }

    private func isFree(_ address: IPv4Address, for line: LineKey, at now: UTCTime) -> Bool {
        self.held[address] == nil && self.obstacle(to: address, line, at: now) == nil
    }

    /// Why a line without a static address may not have an address nobody holds.
    private func obstacle(to address: IPv4Address, _ line: LineKey, at now: UTCTime) -> Denial? {
        if self.reserved.contains(address) { return .reserved }
        guard self.ranges.contains(address) else { return .outsidePool }
        if let rest = self.rests[address], rest.until > now, rest.line != line { return .resting }
        return nil
    }

    private mutating func hold(
        _ address: IPv4Address, _ line: LineKey, _ session: SessionID
    ) -> Result<IPv4Address, DenialError> {
        precondition(self.held[address] == nil, "address \(address) given twice")
        if let previous = self.rests[address]?.line, previous != line, self.sticky[previous] == address {
            self.sticky[previous] = nil
        }
        self.setRest(nil, of: address)
        self.setHolder(session, of: address)
        if self.remembers { self.sticky[line] = address }
        return .success(address)
    }

    private func isNeverUsed(_ address: IPv4Address) -> Bool {
        self.held[address] == nil && self.rests[address] == nil && !self.reserved.contains(address)
    }

    private func isReusable(_ address: IPv4Address, at now: UTCTime) -> Bool {
        guard self.held[address] == nil, let rest = self.rests[address] else { return false }
        return rest.until <= now
    }
}
