// SPDX-License-Identifier: Apache-2.0
// Blocks of ports: cut, taken on one address, rested, computed; and a million random operations in which no port has two holders.

import Addressing
import BNGCore
import TestVectors
import Testing

private func id(_ n: Int) -> SessionID { SessionID(issuer: 1, counter: UInt64(n)) }
private func at(_ seconds: Int) -> UTCTime { UTCTime(milliseconds: Int64(seconds) * 1000) }
private func ip(_ n: UInt32) -> IPv4Address { IPv4Address(rawValue: n) }
private let base: UInt32 = 0xcb00_7100  // 203.0.113.0
private let inside = IPv4Address(rawValue: 0x6440_0001)

private func ranges(_ count: UInt32) throws -> [IPv4Range] {
    [try #require(IPv4Range(ip(base), ip(base + count - 1)))]
}

private func makePool(
    _ addresses: UInt32, size: UInt16 = 512, limit: Int = 4, ports: ClosedRange<UInt16> = 1_024...65_535
) throws -> PortBlockPool {
    try #require(
        PortBlockPool(
            name: "nat", addresses: ranges(addresses), ports: ports, layout: .dynamic(size: size, limit: limit),
            alarmPercent: 90))
}

@Suite struct PortBlockPoolTests {
    @Test func aSessionFindsItsBlocksOnOneAddress() throws {
        var pool = try makePool(4)
        let first = try pool.take(for: id(1), inside: inside, now: at(0)).get()
        for _ in 2...4 {
            let block = try pool.take(for: id(1), inside: inside, now: at(0)).get()
            #expect(block.address == first.address)
        }
        let answer1 = pool.take(for: id(1), inside: inside, now: at(0))
        #expect(answer1 == .failure(.init(reason: .limit)))
        #expect(Set(pool.blocks(of: id(1))).count == 4)
    }

    @Test func sessionsAreSpreadOverTheAddresses() throws {
        var pool = try makePool(4)
        let addresses = try (1...4).map { try pool.take(for: id($0), inside: inside, now: at(0)).get().address }
        #expect(Set(addresses).count == 4)
    }

    @Test func everyBlockIsGivenOnceAndThenNoMore() throws {
        var pool = try makePool(2, size: 16_384, limit: 1)
        let blocks = try (1...6).map { try pool.take(for: id($0), inside: inside, now: at(0)).get() }
        #expect(Set(blocks).count == 6)
        #expect(blocks.allSatisfy { $0.firstPort >= 1_024 && Int($0.firstPort) + 16_384 <= 65_536 })
        let answer2 = pool.take(for: id(7), inside: inside, now: at(0))
        #expect(answer2 == .failure(.init(reason: .exhausted)))
        #expect(pool.usage.exhausted == 1)
        #expect(pool.usage.alarm)
    }

    @Test func aReturnedBlockRests() throws {
        var pool = try makePool(1, size: 16_384, limit: 3)
        for _ in 1...3 { _ = try pool.take(for: id(1), inside: inside, now: at(0)).get() }
        let answer18 = pool.release(id(1), until: at(120)).count
        #expect(answer18 == 3)
        let answer3 = pool.take(for: id(2), inside: inside, now: at(119))
        #expect(answer3 == .failure(.init(reason: .exhausted)))
        _ = try pool.take(for: id(2), inside: inside, now: at(120)).get()
        #expect(pool.usage.resting == 0)
    }

    @Test func deterministicBlocksAreComputed() throws {
        let prefix = try #require(IPv4Prefix("100.64.0.0/25"))
        var pool = try #require(
            PortBlockPool(
                name: "d", addresses: ranges(2), layout: .deterministic(size: 512, inside: prefix)))
        // 126 blocks on the first address.
        let address = ip(0x6440_0000 + 127)
        let computed = try #require(pool.deterministicBlock(of: address))
        #expect(computed == PortBlock(address: ip(base + 1), firstPort: 1_024 + 512, ports: 512))
        let answer9 = try pool.take(for: id(1), inside: address, now: at(0)).get()
        #expect(answer9 == computed)
        let answer4 = pool.take(for: id(2), inside: address, now: at(0))
        #expect(answer4 == .failure(.init(reason: .held)))
        let answer5 = pool.take(for: id(2), inside: ip(1), now: at(0))
        #expect(answer5 == .failure(.init(reason: .outsideLayout)))
        #expect(
            try PortBlockPool(name: "d", addresses: ranges(1), layout: .deterministic(size: 512, inside: prefix)) == nil
        )
    }

    @Test func oneToOneGivesWholeAddresses() throws {
        var pool = try #require(PortBlockPool(name: "s", addresses: ranges(2), layout: .oneToOne))
        let (a, b) = (
            try pool.take(for: id(1), inside: inside, now: at(0)).get(),
            try pool.take(for: id(2), inside: inside, now: at(0)).get()
        )
        #expect(a.ports == 0 && b.ports == 0 && a.address != b.address)
        let answer6 = pool.take(for: id(1), inside: inside, now: at(0))
        #expect(answer6 == .failure(.init(reason: .limit)))
    }

    @Test func lowPortsAreGivenOnceForEachAddress() throws {
        var pool = try makePool(1)
        _ = try pool.take(for: id(1), inside: inside, now: at(0)).get()
        _ = try pool.take(for: id(2), inside: inside, now: at(0)).get()
        let answer11 = pool.takeLowPort(443, for: id(1))
        #expect(answer11)
        let answer12 = pool.takeLowPort(443, for: id(2))
        #expect(!answer12)
        let answer13 = pool.takeLowPort(1_024, for: id(1))
        #expect(!answer13)
        let answer14 = pool.takeLowPort(80, for: id(3))
        #expect(!answer14)
        pool.release(id(1), until: at(0))
        let answer15 = pool.takeLowPort(443, for: id(2))
        #expect(answer15)
    }

    @Test func badCutsAreRefused() throws {
        let ranges = try ranges(1)
        #expect(PortBlockPool(name: "p", addresses: ranges, layout: .dynamic(size: 500, limit: 1)) == nil)
        #expect(PortBlockPool(name: "p", addresses: ranges, layout: .dynamic(size: 32, limit: 1)) == nil)
        #expect(PortBlockPool(name: "p", addresses: ranges, layout: .dynamic(size: 512, limit: 9)) == nil)
        #expect(
            PortBlockPool(name: "p", addresses: ranges, ports: 80...65_535, layout: .dynamic(size: 512, limit: 1))
                == nil)
        #expect(
            PortBlockPool(name: "p", addresses: ranges, ports: 60_000...60_100, layout: .dynamic(size: 512, limit: 1))
                == nil)
    }

    @Test func aPoolCutAnewKeepsWhatIsHeldOutOfUse() throws {
        var pool = try makePool(1, size: 1_024, limit: 1, ports: 1_024...5_119)
        let old = [PortBlock(address: ip(base), firstPort: 1_536, ports: 512)]
        let answer16 = pool.restore(old, session: id(1))
        #expect(answer16)
        let answer17 = pool.restore([PortBlock(address: ip(base), firstPort: 1_024, ports: 1_024)], session: id(2))
        #expect(!answer17)
        let given = try (3...5).map { try pool.take(for: id($0), inside: inside, now: at(0)).get().firstPort }
        #expect(Set(given) == [2_048, 3_072, 4_096])
        let answer7 = pool.take(for: id(6), inside: inside, now: at(0))
        #expect(answer7 == .failure(.init(reason: .exhausted)))
        let answer19 = pool.release(id(1), until: at(120))
        #expect(answer19 == old)
        let answer8 = pool.take(for: id(6), inside: inside, now: at(119))
        #expect(answer8 == .failure(.init(reason: .exhausted)))
        let answer10 = try pool.take(for: id(6), inside: inside, now: at(120)).get().firstPort
        #expect(answer10 == 1_024)
    }
}

/// What must hold does not. Cheaper than `#require`, millions of times.
private struct Broken: Error, CustomStringConvertible {
    var description: String
}

private func check(_ holds: Bool, _ words: @autoclosure () -> String = "", line: Int = #line) throws {
    if !holds { throw Broken(description: "line \(line): \(words())") }
}

/// The pool, what a store would hold of it, and who has each 64 ports.
private struct World {
    static let addresses: UInt32 = 6
    static let sizes: [UInt16] = [64, 128, 512, 2_048]

    var pool: PortBlockPool
    var size: UInt16 = 512
    var random = SplitMix64(state: 20_261_123)
    var sessions: [Int: [PortBlock]] = [:]
    var rests: [PortBlock: Int] = [:]
    /// By address and 64 ports: the holder, or -1 while the ports rest.
    var owners: [UInt64: Int] = [:]
    var nextID = 1
    var now = 0

    init() throws { self.pool = try Self.newPool(512) }

    static func newPool(_ size: UInt16) throws -> PortBlockPool {
        try makePool(Self.addresses, size: size, limit: 4, ports: 1_024...5_119)
    }

    func pieces(_ block: PortBlock) -> [UInt64] {
        stride(from: Int(block.firstPort), to: Int(block.firstPort) + Int(block.ports), by: 64).map {
            UInt64(block.address.rawValue) << 16 | UInt64($0)
        }
    }

    mutating func wake() {
        for (block, until) in self.rests where until <= self.now {
            self.rests[block] = nil
            for piece in self.pieces(block) where self.owners[piece] == -1 { self.owners[piece] = nil }
        }
    }

    mutating func take(_ session: Int) throws {
        self.wake()
        guard case .success(let block) = self.pool.take(for: id(session), inside: inside, now: at(self.now)) else {
            return
        }
        for piece in self.pieces(block) {
            try check(self.owners[piece] == nil, "\(block) belongs to \(self.owners[piece] ?? 0)")
            self.owners[piece] = session
        }
        if let first = self.sessions[session]?.first { try check(first.address == block.address, "paired") }
        self.sessions[session, default: []].append(block)
        try check(self.sessions[session]?.count ?? 0 <= 4, "limit")
    }

    mutating func end(_ session: Int) throws {
        let until = self.now + Int(self.random.next() % 20)
        let blocks = self.pool.release(id(session), until: at(until))
        try check(Set(blocks) == Set(self.sessions[session] ?? []), "returned \(blocks)")
        for block in blocks {
            self.rests[block] = until
            for piece in self.pieces(block) { self.owners[piece] = -1 }
        }
        self.sessions[session] = nil
    }

    /// A new process: the same sessions and rests, perhaps another cut.
    mutating func restart(recut: Bool) throws {
        if recut { self.size = Self.sizes[Int(self.random.next() % UInt64(Self.sizes.count))] }
        self.pool = try Self.newPool(self.size)
        for (session, blocks) in self.sessions {
            try check(self.pool.restore(blocks, session: id(session)), "restore of \(session)")
        }
        for (block, until) in self.rests { self.pool.restore(resting: block, until: at(until)) }
    }

    mutating func step() throws {
        let dice = self.random.next() % 1_000
        self.now += self.random.next() % 4 == 0 ? 1 : 0
        switch dice {
        case 0: try self.restart(recut: false)
        case 1: try self.restart(recut: true)
        case 2..<450:
            try self.take(self.nextID)
            self.nextID += 1
        case 450..<600:
            if let session = self.sessions.keys.randomElement(using: &self.random) { try self.take(session) }
        default: if let session = self.sessions.keys.randomElement(using: &self.random) { try self.end(session) }
        }
    }
}

@Suite struct PortBlockPoolPropertyTests {
    @Test func noPortHasTwoHoldersInAMillionOperations() throws {
        var world = try World()
        for _ in 0..<1_000_000 { try world.step() }
        #expect(world.nextID > 100_000)
        // All given back and rested: everything is free again.
        for session in Array(world.sessions.keys) { try world.end(session) }
        world.now += 100
        try world.restart(recut: false)
        var taken = 0
        while case .success = world.pool.take(for: id(1_000_000_000 + taken), inside: inside, now: at(world.now)) {
            taken += 1
        }
        #expect(taken == Int(World.addresses) * 4_096 / Int(world.size))
    }
}
