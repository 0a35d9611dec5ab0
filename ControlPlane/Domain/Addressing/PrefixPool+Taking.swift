// SPDX-License-Identifier: Apache-2.0
// Giving prefixes: static, granted by AAA, asked for, remembered, or any; and taking them back.

import BNGCore

extension PrefixPool {
    /// Gives a prefix: the line's static one; else its last one, the wish, a new one, or the one that rested longest. A wish of
    /// another length is no wish.
    public mutating func take(
        for line: LineKey, session: SessionID, wish: IPv6Prefix?, now: UTCTime
    ) -> Result<IPv6Prefix, DenialError> {
        if let own = self.statics[line.mac] { return self.takeExactly(own, for: line, session: session, now: now) }
        for candidate in [self.sticky[line], wish] {
            if let candidate, self.isFree(candidate, for: line, at: now) { return self.hold(candidate, line, session) }
        }
        while let prefix = self.fresh.next() {
            guard self.isNeverUsed(prefix) else { continue }
            return self.hold(prefix, line, session)
        }
        while let prefix = self.returned.popReady(now) {
            guard self.isReusable(prefix, at: now) else { continue }
            return self.hold(prefix, line, session)
        }
        self.countExhaustion()
        return .failure(DenialError(.exhausted))
    }

    /// Gives this prefix or says why not.
    public mutating func takeExactly(
        _ prefix: IPv6Prefix, for line: LineKey, session: SessionID, now: UTCTime
    ) -> Result<IPv6Prefix, DenialError> {
        if let holder = self.held[prefix] {
            return holder == session ? .success(prefix) : .failure(DenialError(.held))
        }
        if let own = self.statics[line.mac] {
            guard own == prefix else { return .failure(DenialError(.outsidePool)) }
            return self.hold(prefix, line, session)
        }
        if let reason = self.obstacle(to: prefix, line, at: now) { return .failure(DenialError(reason)) }
        return self.hold(prefix, line, session)
    }

    /// Gives the prefix AAA has granted, inside the pool or not: one of the pool's length that nobody else holds and that is
    /// not reserved for another client. As with addresses, only the quarantine that is for everybody is waited for.
    public mutating func takeGranted(
        _ prefix: IPv6Prefix, for line: LineKey, session: SessionID, now: UTCTime
    ) -> Result<IPv6Prefix, DenialError> {
        if let holder = self.held[prefix] {
            return holder == session ? .success(prefix) : .failure(DenialError(.held))
        }
        guard prefix.length == self.length, prefix.first.isRoutableUnicast else {
            return .failure(DenialError(.outsidePool))
        }
        if self.reserved.contains(prefix), self.statics[line.mac] != prefix {
            return .failure(DenialError(.reserved))
        }
        if let rest = self.rests[prefix], rest.line == nil, rest.until > now {
            return .failure(DenialError(.resting))
        }
        return self.hold(prefix, line, session)
    }

    private func isFree(_ prefix: IPv6Prefix, for line: LineKey, at now: UTCTime) -> Bool {
        self.held[prefix] == nil && self.obstacle(to: prefix, line, at: now) == nil
    }

    /// Why a line without a static prefix may not have one nobody holds.
    private func obstacle(to prefix: IPv6Prefix, _ line: LineKey, at now: UTCTime) -> Denial? {
        if self.reserved.contains(prefix) { return .reserved }
        guard self.fresh.contains(prefix) else { return .outsidePool }
        if let rest = self.rests[prefix], rest.until > now, rest.line != line { return .resting }
        return nil
    }

    private mutating func hold(
        _ prefix: IPv6Prefix, _ line: LineKey, _ session: SessionID
    ) -> Result<IPv6Prefix, DenialError> {
        precondition(self.held[prefix] == nil, "prefix \(prefix) given twice")
        if let previous = self.rests[prefix]?.line, previous != line, self.sticky[previous] == prefix {
            self.sticky[previous] = nil
        }
        self.setRest(nil, of: prefix)
        self.setHolder(session, of: prefix)
        if self.remembers { self.sticky[line] = prefix }
        return .success(prefix)
    }

    private func isNeverUsed(_ prefix: IPv6Prefix) -> Bool {
        self.held[prefix] == nil && self.rests[prefix] == nil && !self.reserved.contains(prefix)
    }

    private func isReusable(_ prefix: IPv6Prefix, at now: UTCTime) -> Bool {
        guard self.held[prefix] == nil, let rest = self.rests[prefix] else { return false }
        return rest.until <= now
    }

    // MARK: Taking back

    /// Takes a prefix back. It rests until `until` for everybody but `line`. A stranger's session id changes nothing.
    /// - Returns: whether the session held it.
    @discardableResult
    public mutating func release(
        _ prefix: IPv6Prefix, session: SessionID, line: LineKey, until: UTCTime
    ) -> Bool {
        guard self.held[prefix] == session else { return false }
        self.setHolder(nil, of: prefix)
        self.rest(prefix, Rest(until: until, line: line))
        return true
    }

    /// Takes a prefix back that nobody may have before `until`.
    @discardableResult
    public mutating func quarantine(
        _ prefix: IPv6Prefix, session: SessionID, line: LineKey, until: UTCTime
    ) -> Bool {
        guard self.held[prefix] == session else { return false }
        self.setHolder(nil, of: prefix)
        if self.sticky[line] == prefix { self.sticky[line] = nil }
        self.rest(prefix, Rest(until: until, line: nil))
        return true
    }

    private mutating func rest(_ prefix: IPv6Prefix, _ rest: Rest) {
        guard self.remembers else { return }
        self.setRest(rest, of: prefix)
        guard !self.reserved.contains(prefix), self.fresh.contains(prefix) else { return }
        self.returned.push(prefix, readyAt: rest.until)
    }

    // MARK: Restoring

    /// Puts a stored session back. False if another session already holds the prefix, or it has another length: the caller must
    /// report it.
    public mutating func restore(_ prefix: IPv6Prefix, session: SessionID, line: LineKey) -> Bool {
        guard prefix.length == self.length, self.held[prefix] == nil || self.held[prefix] == session else {
            return false
        }
        self.setRest(nil, of: prefix)
        self.setHolder(session, of: prefix)
        if self.remembers { self.sticky[line] = prefix }
        return true
    }

    /// Puts a remembered prefix back: after all sessions.
    public mutating func restore(_ binding: StickyPrefix) {
        guard self.remembers, binding.prefix.length == self.length, self.held[binding.prefix] == nil,
            self.rests[binding.prefix] == nil
        else { return }
        if let line = binding.line { self.sticky[line] = binding.prefix }
        self.rest(binding.prefix, Rest(until: binding.reservedUntil, line: binding.line))
    }
}
