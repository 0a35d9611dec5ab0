// SPDX-License-Identifier: Apache-2.0
// Taking addresses back, and putting back what a store remembers.

import BNGCore

extension AddressPool {
    /// Takes an address back. It rests until `until` for everybody but `line`. A stranger's session id changes nothing.
    /// - Returns: whether the session held it.
    @discardableResult
    public mutating func release(
        _ address: IPv4Address, session: SessionID, line: LineKey, until: UTCTime
    ) -> Bool {
        guard self.held[address] == session else { return false }
        self.setHolder(nil, of: address)
        self.rest(address, Rest(until: until, line: line))
        return true
    }

    /// Takes an address back that some other host uses (RFC 2131 4.3.3): nobody gets it before `until`.
    @discardableResult
    public mutating func decline(
        _ address: IPv4Address, session: SessionID, line: LineKey, until: UTCTime
    ) -> Bool {
        guard self.held[address] == session else { return false }
        self.setHolder(nil, of: address)
        if self.sticky[line] == address { self.sticky[line] = nil }
        self.rest(address, Rest(until: until, line: nil))
        return true
    }

    private mutating func rest(_ address: IPv4Address, _ rest: Rest) {
        guard self.remembers else { return }
        self.setRest(rest, of: address)
        guard !self.reserved.contains(address), self.ranges.contains(address) else { return }
        self.returned.push(address, readyAt: rest.until)
    }

    // MARK: Restoring

    /// Puts a stored session back. False if another session already holds the address: the caller must report it.
    public mutating func restore(_ address: IPv4Address, session: SessionID, line: LineKey) -> Bool {
        guard self.held[address] == nil || self.held[address] == session else { return false }
        self.setRest(nil, of: address)
        self.setHolder(session, of: address)
        if self.remembers { self.sticky[line] = address }
        return true
    }

    /// Puts a remembered address back: after all sessions.
    public mutating func restore(_ binding: StickyAddress) {
        guard self.held[binding.address] == nil, self.rests[binding.address] == nil else { return }
        guard self.remembers else { return }
        if let line = binding.line { self.sticky[line] = binding.address }
        self.rest(binding.address, Rest(until: binding.reservedUntil, line: binding.line))
    }
}
