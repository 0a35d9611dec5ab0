// SPDX-License-Identifier: Apache-2.0
// The pool of prefixes against its rules. Random operations are in PrefixPoolPropertyTests.

import Addressing
import BNGCore
import Testing

private func line(_ n: Int) -> LineKey {
    LineKey(accessDomain: 1, mac: MACAddress(rawValue: 0x0200_0000_0000 + UInt64(n)))
}
private func id(_ n: Int) -> SessionID { SessionID(issuer: 1, counter: UInt64(n)) }
private func at(_ seconds: Int) -> UTCTime { UTCTime(milliseconds: Int64(seconds) * 1000) }
private func net(_ text: String) -> IPv6Prefix { IPv6Prefix(text) ?? IPv6Prefix(holding: .zero, length: 0) }

private func pool(
    _ prefixes: String..., length: Int = 56, statics: [MACAddress: IPv6Prefix] = [:],
    excluded: Set<IPv6Prefix> = [], alarmPercent: Int = 0
) throws -> PrefixPool {
    try #require(
        PrefixPool(
            name: "p", vrf: 0, prefixes: prefixes.map(net), length: length, statics: statics, excluded: excluded,
            alarmPercent: alarmPercent))
}

extension Result where Failure == DenialError {
    fileprivate var reason: AddressPool.Denial? {
        if case .failure(let error) = self { return error.reason }
        return nil
    }
}

@Suite struct PrefixPoolTests {
    @Test func `prefixes are given in order, and a line gets its last one again`() throws {
        var pool = try pool("2001:db8::/48")
        let first = try pool.take(for: line(1), session: id(1), wish: nil, now: at(0)).get()
        #expect(first == net("2001:db8::/56"))
        pool.release(first, session: id(1), line: line(1), until: at(60))
        let second = try pool.take(for: line(2), session: id(2), wish: nil, now: at(1)).get()
        #expect(second == net("2001:db8:0:100::/56"))
        let again = try pool.take(for: line(1), session: id(3), wish: nil, now: at(2)).get()
        #expect(again == first && pool.remembered(for: line(1)) == first && pool.holder(of: first) == id(3))
    }

    @Test func `what was given back rests, for everybody but its line`() throws {
        var pool = try pool("2001:db8::/56")
        let only = try pool.take(for: line(1), session: id(1), wish: nil, now: at(0)).get()
        let isTaken = [9, 1].map { pool.release(only, session: id($0), line: line(1), until: at(60)) }
        #expect(isTaken == [false, true])
        let early = pool.take(for: line(2), session: id(2), wish: only, now: at(59))
        #expect(early.reason == .exhausted && pool.usage.exhausted == 1)
        let exact = pool.takeExactly(only, for: line(2), session: id(2), now: at(59))
        #expect(exact.reason == .resting)
        let late = pool.take(for: line(2), session: id(2), wish: nil, now: at(60))
        #expect(late == .success(only) && pool.remembered(for: line(1)) == nil)
    }

    @Test func `a prefix in quarantine is nobody's, not even its line's`() throws {
        var pool = try pool("2001:db8::/56")
        let only = try pool.take(for: line(1), session: id(1), wish: nil, now: at(0)).get()
        pool.quarantine(only, session: id(1), line: line(1), until: at(60))
        let early = pool.take(for: line(1), session: id(2), wish: nil, now: at(59))
        let granted = pool.takeGranted(only, for: line(1), session: id(2), now: at(59))
        #expect(early.reason == .exhausted && granted.reason == .resting)
        let late = pool.take(for: line(1), session: id(2), wish: nil, now: at(60))
        #expect(late == .success(only))
    }

    @Test func `a static prefix is one client's alone, inside the pool or outside`() throws {
        let outside = net("2001:db8:ff::/56")
        var pool = try pool(
            "2001:db8::/55", statics: [line(1).mac: net("2001:db8::/56"), line(2).mac: outside])
        let other = try pool.take(for: line(3), session: id(3), wish: net("2001:db8::/56"), now: at(0)).get()
        #expect(other == net("2001:db8:0:100::/56"))
        let none = pool.take(for: line(4), session: id(4), wish: nil, now: at(0))
        let stolen = pool.takeGranted(outside, for: line(4), session: id(4), now: at(0))
        #expect(none.reason == .exhausted && stolen.reason == .reserved)
        let own = pool.take(for: line(1), session: id(1), wish: nil, now: at(0))
        let far = pool.take(for: line(2), session: id(2), wish: nil, now: at(0))
        #expect(own == .success(net("2001:db8::/56")) && far == .success(outside))
        #expect(pool.usage.external == 1 && pool.usage.held == 2 && pool.usage.total == 2)
        #expect(pool.serves(outside, mac: line(2).mac) && !pool.serves(outside, mac: line(3).mac))
    }

    @Test func `a wish of another length, outside, excluded or held is not granted`() throws {
        var pool = try pool("2001:db8::/48", excluded: [net("2001:db8:0:200::/56")])
        for wish in ["::/56", "2001:db8::/60", "2001:db8:0:200::/56", "2001:db9::/56"] {
            let result = pool.takeExactly(net(wish), for: line(1), session: id(1), now: at(0))
            #expect(result.reason == (wish.contains(":200:") ? .reserved : .outsidePool))
        }
        let wished = pool.take(for: line(1), session: id(1), wish: net("2001:db8:0:900::/56"), now: at(0))
        #expect(wished == .success(net("2001:db8:0:900::/56")))
        let held = pool.takeExactly(net("2001:db8:0:900::/56"), for: line(2), session: id(2), now: at(0))
        #expect(held.reason == .held)
        #expect(pool.usage.total == 255)
    }

    @Test func `AAA grants prefixes of the pool's length only, of addresses that can be routed`() throws {
        var pool = try pool("2001:db8::/48")
        for text in ["2001:db8:9::/48", "2001:db8:9::/64", "fe80::/56", "ff00::/56", "::/56"] {
            let result = pool.takeGranted(net(text), for: line(1), session: id(1), now: at(0))
            #expect(result.reason == .outsidePool, "\(text)")
        }
        let granted = pool.takeGranted(net("2001:db8:9::/56"), for: line(1), session: id(1), now: at(0))
        #expect(granted == .success(net("2001:db8:9::/56")) && pool.usage.external == 1)
        let twice = pool.takeGranted(net("2001:db8:9::/56"), for: line(2), session: id(2), now: at(0))
        #expect(twice.reason == .held)
    }

    @Test func `a pool of 2^64 prefixes costs nothing and gives at once`() throws {
        for (whole, length) in [("::/0", 64), ("2000::/3", 64), ("2001:db8::/32", 128)] {
            var pool = try pool(whole, length: length, alarmPercent: 90)
            #expect(pool.usage.total > 1 << 60)
            var given = Set<IPv6Prefix>()
            for n in 0..<1_000 {
                given.insert(try pool.take(for: line(n), session: id(n + 1), wish: nil, now: at(0)).get())
            }
            #expect(given.count == 1_000 && pool.usage.held == 1_000 && !pool.usage.alarm)
        }
    }

    @Test func `an alarm begins where it is set and ends five points below`() throws {
        var pool = try pool("2001:db8::/49", alarmPercent: 50)
        var prefixes: [IPv6Prefix] = []
        for n in 0..<64 {
            #expect(!pool.usage.alarm)
            prefixes.append(try pool.take(for: line(n), session: id(n + 1), wish: nil, now: at(0)).get())
        }
        #expect(pool.usage.alarm && pool.usage.total == 128)
        for n in 0..<7 {
            #expect(pool.usage.alarm)
            pool.release(prefixes[n], session: id(n + 1), line: line(n), until: at(0))
        }
        #expect(!pool.usage.alarm && pool.usage.returned == 7 && pool.usage.unused == 64)
    }

    @Test func `what cannot be a pool is none`() {
        let overlapping = [net("2001:db8::/32"), net("2001:db8:1::/48")]
        #expect(PrefixPool(name: "p", vrf: 0, prefixes: overlapping, length: 56) == nil)
        #expect(PrefixPool(name: "p", vrf: 0, prefixes: [net("2001:db8::/60")], length: 56) == nil)
        for length in [0, 129, -1] {
            #expect(PrefixPool(name: "p", vrf: 0, prefixes: [], length: length) == nil)
        }
        let statics = [line(1).mac: net("2001:db8::/48")]
        #expect(PrefixPool(name: "p", vrf: 0, prefixes: [], length: 56, statics: statics) == nil)
        #expect(PrefixPool(name: "p", vrf: 0, prefixes: [], length: 56, excluded: [net("2001:db8::/64")]) == nil)
    }

    @Test func `a stored session is put back unless another holds its prefix`() throws {
        var pool = try pool("2001:db8::/48")
        let prefix = net("2001:db8:0:500::/56")
        let first = pool.restore(prefix, session: id(1), line: line(1))
        let second = pool.restore(prefix, session: id(2), line: line(2))
        let longer = pool.restore(net("2001:db8::/64"), session: id(3), line: line(3))
        #expect(first && !second && !longer && pool.usage.held == 1)
        pool.restore(StickyPrefix(prefix: net("2001:db8::/56"), line: line(4), reservedUntil: at(9)))
        let next = pool.take(for: line(5), session: id(5), wish: nil, now: at(0))
        let own = pool.take(for: line(4), session: id(4), wish: nil, now: at(0))
        #expect(next == .success(net("2001:db8:0:100::/56")) && own == .success(net("2001:db8::/56")))
    }
}
