// SPDX-License-Identifier: Apache-2.0
// A million random operations with restarts against a model: no prefix twice, none lost.

import Addressing
import BNGCore
import TestVectors
import Testing

private func line(_ n: Int) -> LineKey {
    LineKey(accessDomain: 1, mac: MACAddress(rawValue: 0x0200_0000_0000 + UInt64(n)))
}
private func id(_ n: Int) -> SessionID { SessionID(issuer: 1, counter: UInt64(n)) }
private func at(_ seconds: Int) -> UTCTime { UTCTime(milliseconds: Int64(seconds) * 1000) }
/// Piece `n` of 2001:db8::/32, as /56.
private func piece(_ n: Int) -> IPv6Prefix {
    IPv6Prefix(holding: IPv6Address(high: 0x2001_0db8 << 32 | UInt64(n) << 8, low: 0), length: 56)
}

/// What must hold does not. Cheaper than `#require`, millions of times.
private struct Broken: Error, CustomStringConvertible {
    var description: String
}

private func check(_ holds: Bool, _ words: @autoclosure () -> String = "", line: Int = #line) throws {
    if !holds { throw Broken(description: "line \(line): \(words())") }
}

/// The pool, what a store would hold of it, and what must be true.
private struct World {
    struct Binding {
        var line: Int?
        var until: Int
    }

    static let statics = 20
    /// A /46 of 1,024 and a /50 of 64 pieces.
    static let inside = Array(0..<1_024) + Array(0x4000..<0x4040)
    static let excluded = [0, 5, 0x4001]

    var pool: PrefixPool
    var random = SplitMix64(state: 20_261_123)
    var sessions: [Int: (id: Int, prefix: IPv6Prefix)] = [:]
    var owner: [IPv6Prefix: Int] = [:]
    var bindings: [IPv6Prefix: Binding] = [:]
    var nextID = 1
    var now = 0

    init() throws {
        self.pool = try Self.pool()
    }

    static func pool() throws -> PrefixPool {
        let wholes = [IPv6Prefix("2001:db8::/46"), IPv6Prefix("2001:db8:40::/50")].compactMap(\.self)
        let statics = Dictionary(uniqueKeysWithValues: (0..<Self.statics).map { (line($0).mac, piece(100 + $0)) })
        return try #require(
            PrefixPool(
                name: "p", vrf: 0, prefixes: wholes, length: 56, statics: statics,
                excluded: Set(Self.excluded.map(piece)), alarmPercent: 90))
    }

    mutating func below(_ bound: UInt64) -> Int { Int(self.random.next() % bound) }

    mutating func step() throws {
        let n = self.below(1_500)
        guard let session = self.sessions[n] else { return try self.begin(n) }
        switch self.below(8) {
        case 0:
            let again = self.pool.takeExactly(session.prefix, for: line(n), session: id(session.id), now: at(self.now))
            try check(again == .success(session.prefix))
        case 1: try self.end(n, session, rest: 300, isForAll: true)
        default: try self.end(n, session, rest: 60, isForAll: false)
        }
    }

    mutating func begin(_ n: Int) throws {
        self.nextID += 1
        let session = id(self.nextID)
        let wish = piece(self.below(4) == 0 ? 0x4000 + self.below(80) : self.below(1_100))
        let result: Result<IPv6Prefix, DenialError>
        let way = self.below(8)
        switch way {
        case 0: result = self.pool.takeGranted(wish, for: line(n), session: session, now: at(self.now))
        case 1: result = self.pool.takeExactly(wish, for: line(n), session: session, now: at(self.now))
        default:
            let hint = way == 2 ? wish : nil
            result = self.pool.take(for: line(n), session: session, wish: hint, now: at(self.now))
        }
        if case .success(let prefix) = result {
            if way < 2 { try check(prefix == wish) }
            try self.hold(n, prefix, isGranted: way == 0)
        } else if way == 0 {
            let isStatic = (100..<120).contains { piece($0) == wish } && piece(100 + n) != wish
            let isResting = self.bindings[wish].map { $0.line == nil && $0.until > self.now } ?? false
            try check(
                self.owner[wish] != nil || isStatic || isResting || Self.excluded.map(piece).contains(wish),
                "\(wish) was refused without a reason")
        }
    }

    mutating func hold(_ n: Int, _ prefix: IPv6Prefix, isGranted: Bool) throws {
        try check(self.owner[prefix] == nil, "\(prefix) given twice")
        try check(!Self.excluded.contains { piece($0) == prefix })
        let owner = (0..<Self.statics).first { piece(100 + $0) == prefix }
        try check(owner == nil || owner == n, "\(prefix) is another's")
        if !isGranted {
            try check(Self.inside.contains { piece($0) == prefix }, "\(prefix) is outside")
            try check(n >= Self.statics || owner == n)
        }
        if let rest = self.bindings[prefix], rest.until > self.now, owner == nil {
            try check(isGranted ? rest.line != nil : rest.line == n, "\(prefix) left quarantine early")
        }
        self.sessions[n] = (self.nextID, prefix)
        self.owner[prefix] = n
    }

    mutating func end(_ n: Int, _ session: (id: Int, prefix: IPv6Prefix), rest: Int, isForAll: Bool) throws {
        let until = self.now + rest
        let (prefix, holder) = (session.prefix, id(session.id))
        let isTaken =
            isForAll
            ? self.pool.quarantine(prefix, session: holder, line: line(n), until: at(until))
            : self.pool.release(prefix, session: holder, line: line(n), until: at(until))
        try check(isTaken)
        self.bindings[prefix] = Binding(line: isForAll ? nil : n, until: until)
        (self.sessions[n], self.owner[prefix]) = (nil, nil)
    }

    /// A new process with nothing but what was stored.
    mutating func restart() throws {
        let before = self.pool.usage
        self.pool = try Self.pool()
        for (n, session) in self.sessions {
            let isRestored = self.pool.restore(session.prefix, session: id(session.id), line: line(n))
            try check(isRestored)
        }
        for (prefix, rest) in self.bindings.sorted(by: { ($0.value.until, $0.key) < ($1.value.until, $1.key) }) {
            self.pool.restore(StickyPrefix(prefix: prefix, line: rest.line.map(line), reservedUntil: at(rest.until)))
        }
        let after = self.pool.usage
        try check(after.held == before.held && after.external == before.external)
        try check(after.returned == before.returned && after.total == before.total)
    }
}

@Suite(.serialized) struct PrefixPoolPropertyTests {
    @Test func `a million random operations with restarts give no prefix twice and lose none`() throws {
        var world = try World()
        var restarts = 0
        for step in 0..<1_000_000 {
            world.now = step / 100
            try world.step()
            if world.below(50_000) == 0 {
                restarts += 1
                try world.restart()
            }
        }
        #expect(restarts > 5)
        #expect(world.pool.usage.held + world.pool.usage.external == world.sessions.count)
        for (n, session) in world.sessions { try world.end(n, session, rest: 0, isForAll: false) }
        // Nothing is lost: after every rest is over each prefix of the pool can be given again.
        var given = Set<IPv6Prefix>()
        for n in 10_000... {
            let result = world.pool.take(for: line(n), session: id(n + 10_000_000), wish: nil, now: at(10_000_000))
            guard case .success(let prefix) = result else { break }
            given.insert(prefix)
        }
        #expect(given.count == 1_024 + 64 - 3 - 20)
        #expect(world.pool.usage.unused + world.pool.usage.returned == World.statics)
    }
}
