// SPDX-License-Identifier: Apache-2.0
// The pool against its rules. Random operations are in AddressPoolPropertyTests.

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

    @Test func `an address AAA gives may lie anywhere, and is held as any other`() throws {
        var pool = pool("10.0.0.1", "10.0.0.4")
        for address in [ip("192.0.2.9"), ip("10.0.0.2")] {
            let first = try pool.takeGranted(address, for: line(1), session: id(1), now: at(0)).get()
            #expect(first == address)
            let again = try pool.takeGranted(address, for: line(1), session: id(1), now: at(0)).get()
            #expect(again == address)
            let other = pool.takeGranted(address, for: line(2), session: id(2), now: at(0)).reason
            #expect(other == .held)
        }
        #expect(pool.usage == .init(total: 4, held: 1, returned: 0, external: 1))
        pool.release(ip("192.0.2.9"), session: id(1), line: line(1), until: at(60))
        #expect(pool.usage == .init(total: 4, held: 1, returned: 0, external: 0))
        let restored = pool.restore(ip("192.0.2.9"), session: id(7), line: line(1))
        #expect(restored && pool.usage.external == 1)
        let wish = try pool.take(for: line(3), session: id(3), wish: ip("192.0.2.10"), now: at(0)).get()
        #expect(wish != ip("192.0.2.10"), "only AAA goes outside the ranges")
    }

    @Test func `a granted address is refused while it is another's, reserved, in use by a stranger or no host's`()
        throws
    {
        let owner = line(1)
        var pool = pool("10.0.0.1", "10.0.0.9", statics: [owner.mac: ip("192.0.2.9")], excluded: [ip("10.0.0.2")])
        func reason(_ text: String, _ n: Int) -> AddressPool.Denial? {
            pool.takeGranted(ip(text), for: line(n), session: id(n), now: at(10)).reason
        }
        let denials = [reason("192.0.2.9", 2), reason("10.0.0.2", 2), reason("224.0.0.1", 2), reason("0.0.0.0", 2)]
        #expect(denials == [.reserved, .reserved, .outsidePool, .outsidePool])
        let own = reason("192.0.2.9", 1)
        #expect(own == nil)
        let instead = pool.takeGranted(ip("10.0.0.7"), for: owner, session: id(5), now: at(10)).reason
        #expect(instead == nil, "what AAA grants goes before the static address")
        _ = pool.takeGranted(ip("10.0.0.3"), for: line(3), session: id(3), now: at(0))
        pool.decline(ip("10.0.0.3"), session: id(3), line: line(3), until: at(100))
        let declined = reason("10.0.0.3", 3)
        #expect(declined == .resting)
        _ = pool.takeGranted(ip("10.0.0.4"), for: line(4), session: id(4), now: at(0))
        pool.release(ip("10.0.0.4"), session: id(4), line: line(4), until: at(100))
        let moved = reason("10.0.0.4", 6)
        #expect(moved == nil, "who moves to another line keeps the address")
    }

    @Test func `the alarm begins at its threshold and ends five points below`() {
        let range = IPv4Range(ip("10.0.0.0"), ip("10.0.0.99"))
        var pool = AddressPool(
            name: "p", vrf: 0, ranges: [range].compactMap(\.self), allocation: .sticky, alarmPercent: 90)
        func hold(_ n: Int) -> Bool {
            _ = pool.takeExactly(ip("10.0.0.\(n)"), for: line(n), session: id(n), now: at(0))
            return pool.usage.alarm
        }
        func release(_ n: Int) -> Bool {
            pool.release(ip("10.0.0.\(n)"), session: id(n), line: line(n), until: at(0))
            return pool.usage.alarm
        }
        #expect((0..<89).allSatisfy { !hold($0) })
        let begins = hold(89)
        #expect(begins)
        #expect((86..<90).allSatisfy { release($0) })
        let ends = release(85)
        #expect(!ends)
        let outside = pool.takeGranted(ip("192.0.2.1"), for: line(500), session: id(500), now: at(0))
        #expect((try? outside.get()) != nil && !pool.usage.alarm, "addresses outside do not use the pool up")
    }
}
