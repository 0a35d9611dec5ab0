// SPDX-License-Identifier: Apache-2.0
// A million random operations with restarts against a model, in both modes: no address twice, none lost (FEATURES B8).

import Addressing
import BNGCore
import TestVectors
import Testing

private func line(_ n: Int) -> LineKey {
    LineKey(accessDomain: 1, mac: MACAddress(rawValue: 0x0200_0000_0000 + UInt64(n)))
}
private func id(_ n: Int) -> SessionID { SessionID(issuer: 1, counter: UInt64(n)) }
private func ip(_ text: String) -> IPv4Address { IPv4Address(text) ?? .zero }
/// 10.0.`third`.`fourth`, without a text to parse.
private func inside(_ third: Int, _ fourth: Int) -> IPv4Address {
    IPv4Address(rawValue: 0x0a00_0000 + UInt32(third * 256 + fourth))
}
private func at(_ seconds: Int) -> UTCTime { UTCTime(milliseconds: Int64(seconds) * 1000) }

/// What must hold does not. Cheaper than `#require`, eight million times.
private struct Broken: Error, CustomStringConvertible {
    var description: String
}

private func check(
    _ holds: Bool, _ words: @autoclosure () -> String = "", line: Int = #line
) throws {
    if !holds { throw Broken(description: "line \(line): \(words())") }
}

/// The pool, what a store would hold of it, and what must be true.
private struct World {
    struct Binding {
        var line: Int?
        var until: Int
    }

    static let statics = 20
    static let gateway = "10.0.0.1"
    static let ranges = [IPv4Range(ip("10.0.0.0"), ip("10.0.3.255")), IPv4Range(ip("10.9.0.0"), ip("10.9.0.99"))]
        .compactMap(\.self)
    static let staticAddresses = (0..<Self.statics).map { ip("10.0.1.\($0)") }
    static let excluded: Set<IPv4Address> = [ip(Self.gateway), ip("10.9.0.50")]

    let allocation: AddressPool.Allocation
    var pool: AddressPool
    var random: SplitMix64
    /// By line: what the store's sessions say.
    var sessions: [Int: (id: Int, address: IPv4Address)] = [:]
    var owner: [IPv4Address: Int] = [:]
    /// What the store's bindings say: never removed, only replaced.
    var bindings: [IPv4Address: Binding] = [:]
    var nextID = 1
    var now = 0

    init(_ allocation: AddressPool.Allocation, seed: UInt64) {
        self.allocation = allocation
        self.pool = Self.pool(allocation)
        self.random = SplitMix64(state: seed)
    }

    static func pool(_ allocation: AddressPool.Allocation) -> AddressPool {
        AddressPool(
            name: "p", vrf: 0, ranges: self.ranges,
            statics: Dictionary(uniqueKeysWithValues: self.staticAddresses.enumerated().map { (line($0).mac, $1) }),
            excluded: self.excluded, allocation: allocation, alarmPercent: 90)
    }

    mutating func below(_ bound: UInt64) -> Int { Int(self.random.next() % bound) }

    mutating func step() throws {
        let n = self.below(1_500)
        guard let session = self.sessions[n] else { return try self.begin(n) }
        switch self.below(8) {
        case 0:
            let again = self.pool.takeExactly(session.address, for: line(n), session: id(session.id), now: at(self.now))
            try check(again == .success(session.address))
        case 1: try self.end(n, session, rest: 300, declined: true)
        default: try self.end(n, session, rest: 60, declined: false)
        }
    }

    mutating func begin(_ n: Int) throws {
        self.nextID += 1
        let session = id(self.nextID)
        switch self.below(8) {
        case 0:
            // What AAA gives: outside the ranges as often as inside.
            let outside = IPv4Address(rawValue: 0xc000_0200 + UInt32(self.below(64)))
            let wish = self.below(2) == 0 ? outside : inside(self.below(4), self.below(256))
            let result = self.pool.takeGranted(wish, for: line(n), session: session, now: at(self.now))
            if case .success(let address) = result {
                try check(address == wish)
                try self.hold(n, address, isGranted: true)
            } else {
                let isStatic = Self.staticAddresses.firstIndex(of: wish).map { $0 != n } ?? false
                let isDeclined = self.bindings[wish].map { $0.line == nil && $0.until > self.now } ?? false
                try check(
                    self.owner[wish] != nil || isStatic || isDeclined || Self.excluded.contains(wish)
                        || !wish.isUnicastHost, "\(wish) was refused without a reason")
            }
        case 1:
            let wish = inside(self.below(5), self.below(256))
            let result = self.pool.takeExactly(wish, for: line(n), session: session, now: at(self.now))
            if case .success(let address) = result { try self.hold(n, address, isGranted: false) }
        default:
            let wish = self.below(4) == 0 ? inside(self.below(5), self.below(256)) : nil
            let result = self.pool.take(
                for: line(n), session: session, subscriber: self.allocation == .ring ? "user\(n)" : "", wish: wish,
                now: at(self.now))
            if case .success(let address) = result { try self.hold(n, address, isGranted: false) }
        }
    }

    mutating func hold(_ n: Int, _ address: IPv4Address, isGranted: Bool) throws {
        try check(self.owner[address] == nil, "\(address) given twice")
        try check(!Self.excluded.contains(address))
        let owner = Self.staticAddresses.firstIndex(of: address)
        try check(owner == nil || owner == n, "\(address) is another's")
        if !isGranted {
            try check(Self.ranges.contains { $0.contains(address) })
            try check(n >= Self.statics || owner == n)
        }
        if let rest = self.bindings[address], rest.until > self.now, owner == nil {
            let isOver = isGranted ? rest.line != nil : rest.line == n
            try check(isOver, "\(address) left quarantine early")
        }
        self.sessions[n] = (self.nextID, address)
        self.owner[address] = n
    }

    mutating func end(_ n: Int, _ session: (id: Int, address: IPv4Address), rest: Int, declined: Bool) throws {
        let until = self.now + rest
        let isTaken =
            declined
            ? self.pool.decline(session.address, session: id(session.id), line: line(n), until: at(until))
            : self.pool.release(session.address, session: id(session.id), line: line(n), until: at(until))
        try check(isTaken)
        self.bindings[session.address] = Binding(line: declined ? nil : n, until: until)
        (self.sessions[n], self.owner[session.address]) = (nil, nil)
    }

    /// A new process with nothing but what was stored.
    mutating func restart() throws {
        let before = self.pool.usage
        self.pool = Self.pool(self.allocation)
        for (n, session) in self.sessions {
            let isRestored = self.pool.restore(session.address, session: id(session.id), line: line(n))
            try check(isRestored)
        }
        for (address, rest) in self.bindings.sorted(by: { ($0.value.until, $0.key) < ($1.value.until, $1.key) }) {
            self.pool.restore(
                StickyAddress(address: address, line: rest.line.map(line), reservedUntil: at(rest.until)))
        }
        let after = self.pool.usage
        try check(after.held == before.held && after.external == before.external)
        try check(after.returned == before.returned && after.total == before.total)
    }
}

@Suite(.serialized) struct AddressPoolPropertyTests {
    @Test(arguments: AddressPool.Allocation.allCases)
    func `a million random operations with restarts give no address twice and lose none`(
        _ allocation: AddressPool.Allocation
    ) throws {
        let seed: UInt64 = 20_261_123
        print("addresses: \(allocation.rawValue), seed \(seed)")
        var world = World(allocation, seed: seed)
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
        let outside = world.sessions.values.count { session in
            !World.ranges.contains { $0.contains(session.address) }
        }
        #expect(world.pool.usage.held == world.sessions.count - outside && world.pool.usage.external == outside)
        for (n, session) in world.sessions { try world.end(n, session, rest: 0, declined: false) }
        // Nothing is lost: after every rest is over each address of the ranges can be given again.
        var given = Set<IPv4Address>()
        for n in 10_000... {
            let result = world.pool.take(for: line(n), session: id(n + 10_000_000), wish: nil, now: at(10_000_000))
            guard case .success(let address) = result else { break }
            given.insert(address)
        }
        #expect(given.count == 1_024 + 100 - 2 - 20)
        #expect(world.pool.usage.unused + world.pool.usage.returned == World.statics)
    }
}
