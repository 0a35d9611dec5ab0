// SPDX-License-Identifier: Apache-2.0
// The pool against its rules, and a million random operations against a model (FEATURES B8).

import Addressing
import BNGCore
import TestVectors
import Testing

private func line(_ n: Int) -> LineKey {
    LineKey(accessDomain: 1, mac: MACAddress(rawValue: 0x0200_0000_0000 + UInt64(n)))
}
private func id(_ n: Int) -> SessionID { SessionID(issuer: 1, counter: UInt64(n)) }
private func ip(_ text: String) -> IPv4Address { IPv4Address(text) ?? .zero }
private func at(_ seconds: Int) -> UTCTime { UTCTime(milliseconds: Int64(seconds) * 1000) }

private func pool(
    _ first: String, _ last: String, statics: [MACAddress: IPv4Address] = [:], excluded: Set<IPv4Address> = []
) -> AddressPool {
    AddressPool(
        name: "p", vrf: 0, ranges: [IPv4Range(ip(first), ip(last))].compactMap(\.self), statics: statics,
        excluded: excluded)
}

extension Result where Failure == DenialError {
    fileprivate var reason: AddressPool.Denial? {
        if case .failure(let error) = self { return error.reason }
        return nil
    }
}

struct AddressPoolTests {
    @Test func `a line gets its last address again`() throws {
        var pool = pool("10.0.0.1", "10.0.0.9")
        let first = try pool.take(for: line(1), session: id(1), wish: nil, now: at(0)).get()
        pool.release(first, session: id(1), line: line(1), until: at(60))
        _ = try pool.take(for: line(2), session: id(2), wish: nil, now: at(1)).get()
        let answer1 = try pool.take(for: line(1), session: id(3), wish: nil, now: at(2)).get()
        #expect(answer1 == first)
    }

    @Test func `a returned address rests before it goes to another line`() throws {
        var pool = pool("10.0.0.1", "10.0.0.1")
        let address = try pool.take(for: line(1), session: id(1), wish: nil, now: at(0)).get()
        let answer2 = pool.take(for: line(2), session: id(2), wish: nil, now: at(0)).reason
        #expect(answer2 == .exhausted)
        pool.release(address, session: id(1), line: line(1), until: at(60))
        let answer3 = pool.take(for: line(2), session: id(2), wish: address, now: at(59)).reason
        #expect(answer3 == .exhausted)
        let answer4 = pool.takeExactly(address, for: line(2), session: id(2), now: at(59)).reason
        #expect(answer4 == .resting)
        let answer5 = try pool.take(for: line(2), session: id(2), wish: nil, now: at(60)).get()
        #expect(answer5 == address)
        let answer6 = pool.takeExactly(address, for: line(1), session: id(3), now: at(99)).reason
        #expect(answer6 == .held)
        #expect(pool.usage == .init(total: 1, held: 1, returned: 0, exhausted: 2))
    }

    @Test func `a declined address rests for its own line too`() throws {
        var pool = pool("10.0.0.1", "10.0.0.2")
        let address = try pool.take(for: line(1), session: id(1), wish: ip("10.0.0.2"), now: at(0)).get()
        #expect(address == ip("10.0.0.2"))
        pool.decline(address, session: id(1), line: line(1), until: at(3600))
        let answer7 = try pool.take(for: line(1), session: id(2), wish: address, now: at(1)).get()
        #expect(answer7 == ip("10.0.0.1"))
        let answer8 = pool.take(for: line(2), session: id(3), wish: nil, now: at(3599)).reason
        #expect(answer8 == .exhausted)
        let answer9 = try pool.take(for: line(2), session: id(3), wish: nil, now: at(3600)).get()
        #expect(answer9 == address)
    }

    @Test func `a static address is its client's alone`() throws {
        let owner = line(1)
        var pool = pool("10.0.0.1", "10.0.0.2", statics: [owner.mac: ip("10.0.0.1")], excluded: [ip("10.0.0.2")])
        let answer10 = pool.take(for: line(2), session: id(1), wish: ip("10.0.0.1"), now: at(0)).reason
        #expect(answer10 == .exhausted)
        let answer11 = pool.takeExactly(ip("10.0.0.1"), for: line(2), session: id(1), now: at(0)).reason
        #expect(answer11 == .reserved)
        let answer12 = pool.takeExactly(ip("10.0.0.2"), for: owner, session: id(1), now: at(0)).reason
        #expect(answer12 == .outsidePool)
        let answer13 = try pool.take(for: owner, session: id(1), wish: ip("10.0.0.2"), now: at(0)).get()
        #expect(answer13 == ip("10.0.0.1"))
        pool.release(ip("10.0.0.1"), session: id(1), line: owner, until: at(0))
        let answer14 = pool.take(for: line(2), session: id(2), wish: nil, now: at(9)).reason
        #expect(answer14 == .exhausted)
    }

    @Test func `only the holder can give back`() throws {
        var pool = pool("10.0.0.1", "10.0.0.1")
        let address = try pool.take(for: line(1), session: id(1), wish: nil, now: at(0)).get()
        let answer15 = pool.release(address, session: id(2), line: line(2), until: at(0))
        #expect(!answer15)
        #expect(pool.holder(of: address) == id(1))
        let answer16 = pool.release(address, session: id(1), line: line(1), until: at(0))
        #expect(answer16)
        let answer17 = pool.release(address, session: id(1), line: line(1), until: at(0))
        #expect(!answer17)
    }

    @Test func `restoring finds two sessions on one address`() {
        var pool = pool("10.0.0.1", "10.0.0.9")
        let answer18 = pool.restore(ip("10.0.0.3"), session: id(1), line: line(1))
        #expect(answer18)
        let answer19 = pool.restore(ip("10.0.0.3"), session: id(2), line: line(2))
        #expect(!answer19)
        #expect(pool.holder(of: ip("10.0.0.3")) == id(1))
    }

    /// Lines come and go, decline, and everything is torn down and restored from what a store would hold.
    @Test func `a million random operations never give an address twice and lose none`() throws {
        var generator = SplitMix64(state: 20_261_123)
        let ranges = [IPv4Range(ip("10.0.0.0"), ip("10.0.3.255")), IPv4Range(ip("10.9.0.0"), ip("10.9.0.99"))]
            .compactMap(\.self)
        let statics = Dictionary(uniqueKeysWithValues: (0..<20).map { (line($0).mac, ip("10.0.1.\($0)")) })
        let make = {
            AddressPool(
                name: "p", vrf: 0, ranges: ranges, statics: statics, excluded: [ip("10.0.0.1"), ip("10.9.0.50")])
        }
        var pool = make()
        var held: [Int: (id: Int, address: IPv4Address)] = [:]
        var owner: [IPv4Address: Int] = [:]
        var rests: [IPv4Address: (line: Int?, until: Int)] = [:]
        var nextID = 1
        var restarts = 0
        for step in 0..<1_000_000 {
            let n = Int(generator.next() % 1_500)
            let now = step / 100
            if let session = held[n] {
                switch generator.next() % 8 {
                case 0:
                    let again = try pool.takeExactly(
                        session.address, for: line(n), session: id(session.id), now: at(now)
                    ).get()
                    #expect(again == session.address)
                case 1:
                    let answer20 = pool.decline(
                        session.address, session: id(session.id), line: line(n), until: at(now + 300))
                    #expect(answer20)
                    rests[session.address] = (nil, now + 300)
                    (held[n], owner[session.address]) = (nil, nil)
                default:
                    let answer21 = pool.release(
                        session.address, session: id(session.id), line: line(n), until: at(now + 60))
                    #expect(answer21)
                    rests[session.address] = (n, now + 60)
                    (held[n], owner[session.address]) = (nil, nil)
                }
            } else {
                let wish =
                    generator.next() % 4 == 0 ? ip("10.0.\(generator.next() % 5).\(generator.next() % 256)") : nil
                nextID += 1
                guard
                    case .success(let address) = pool.take(for: line(n), session: id(nextID), wish: wish, now: at(now))
                else { continue }
                try #require(owner[address] == nil, "\(address) given twice at step \(step)")
                if n < 20 {
                    try #require(address == ip("10.0.1.\(n)"))
                } else {
                    try #require(!statics.values.contains(address))
                }
                try #require(
                    ranges.contains { $0.contains(address) } && address != ip("10.0.0.1") && address != ip("10.9.0.50"))
                if let rest = rests[address], n >= 20, rest.line != n {
                    try #require(rest.until <= now, "\(address) left quarantine early at step \(step)")
                }
                rests[address] = nil
                held[n] = (nextID, address)
                owner[address] = n
            }
            if generator.next() % 50_000 == 0 {
                restarts += 1
                pool = make()
                for (n, session) in held {
                    let answer22 = pool.restore(session.address, session: id(session.id), line: line(n));
                    #expect(answer22)
                }
                for (address, rest) in rests {
                    pool.restore(
                        StickyAddress(address: address, line: rest.line.map(line), reservedUntil: at(rest.until)))
                }
            }
        }
        #expect(restarts > 5)
        #expect(pool.usage.held == held.count)
        for (n, session) in held {
            let answer23 = pool.release(session.address, session: id(session.id), line: line(n), until: at(0));
            #expect(answer23)
        }
        // Nothing is lost: after every rest is over each address of the ranges can be given again.
        var given = Set<IPv4Address>()
        for n in 10_000... {
            guard
                case .success(let address) = pool.take(
                    for: line(n), session: id(n + 10_000_000), wish: nil, now: at(10_000_000))
            else { break }
            given.insert(address)
        }
        #expect(given.count == 1024 + 100 - 2 - 20)
    }
}
