// SPDX-License-Identifier: Apache-2.0
// The order in which one subscriber is offered the addresses of a ring pool: its own, the same on every controller.

import BNGCore

/// Deterministic allocation (FEATURES B8).
///
/// **What is wanted.** The same subscriber gets the same address whichever node or controller asks and in whatever order
/// customers come, as long as nobody else holds it. Rendezvous hashing does that: every address is scored by
/// hash(subscriber, address), and the subscriber takes the free one with the highest score. Its ranking of all addresses is a random
/// permutation that depends on nothing but its name and the pool.
///
/// **What is done.** Scoring four million addresses for one OFFER is out of the question, so the ranking is drawn, not sorted: draw
/// `attempt` of a subscriber is a pseudo-random address of the ranges, each as likely as the other. Addresses in the order of
/// their first appearance in that endless sequence are again a random permutation that depends on nothing but name and ranges:
/// the same thing, a place at a time. The pool takes the first that is free; at 90 % use that is the tenth on average.
///
/// **How an address is drawn.** By walking down the binary trie of the address space, as far as the ranges go: at each fork left with the
/// probability that the left side has of all addresses below it. Where a subtree is full (every address in it is the pool's), the
/// fork is a coin, and the rest of the way is the low bits of the draw's hash. So a draw costs a few forks, not the size of the pool,
/// wherever the ranges lie. And it moves little when ranges change, which is what rendezvous hashing is loved for: a fork's
/// threshold shifts toward the side that grew, so only draws that now belong there change; a pool that grows by a range aligned
/// like its own moves only the share of subscribers the new addresses must take over.
///
/// **Collisions.** Draws are bounded (`attempts`): with 95 % held, one subscriber in a thousand gets past them, and then takes what is
/// left as in a sticky pool: the line's last address, else any; for those nothing is promised but that a free one is found.
/// Addresses in quarantine after somebody else count as held. A subscriber who had to take a later place keeps it as long as
/// the session lives, and has the first place again next time.
struct AddressRing: Sendable {
    static let attempts = 128

    private let ranges: AddressRanges
    /// The smallest subtree that holds all ranges: its first address and its height.
    private let root: UInt32
    private let height: Int

    /// nil without an address.
    init?(_ ranges: AddressRanges) {
        guard let first = ranges.sorted.first?.first.rawValue, let last = ranges.sorted.last?.last.rawValue else {
            return nil
        }
        self.ranges = ranges
        self.height = 32 - (first ^ last).leadingZeroBitCount
        self.root = self.height == 32 ? 0 : (first >> UInt32(self.height)) << UInt32(self.height)
    }

    /// The key of a subscriber; a line's own if it has no user name.
    static func key(subscriber: String, line: LineKey) -> UInt64 {
        guard !subscriber.isEmpty else { return line.stableHash }
        var hash = StableHash()
        hash.mix(subscriber.utf8)
        return hash.value
    }

    /// Draw `attempt` of a subscriber.
    func address(key: UInt64, attempt: Int) -> IPv4Address {
        let draw = Self.mixed(Self.mixed(key) &+ UInt64(attempt))
        var (first, height) = (self.root, self.height)
        while height > 0 {
            let size = UInt64(1) << UInt64(height)
            let total = self.ranges.count(from: first, to: UInt32(truncatingIfNeeded: UInt64(first) + size - 1))
            if total == size { return IPv4Address(rawValue: first | UInt32(draw & (size - 1))) }
            let middle = UInt32(UInt64(first) + size / 2)
            let left = self.ranges.count(from: first, to: middle - 1)
            height -= 1
            if !Self.goesLeft(left, of: total, draw, height) { first = middle }
        }
        return IPv4Address(rawValue: first)
    }

    /// Left with probability `left` / `total`. The draw's bit of this height is the highest of the number that decides, so that a
    /// full subtree is walked by the bits alone.
    private static func goesLeft(_ left: UInt64, of total: UInt64, _ draw: UInt64, _ height: Int) -> Bool {
        if left == 0 || left == total { return left != 0 }
        let bit = (draw >> UInt64(height)) & 1
        let number = (bit << 63) | (Self.mixed(draw ^ UInt64(height + 1)) >> 1)
        return number.multipliedFullWidth(by: total).high < left
    }

    /// The finalizer of SplitMix64: every bit of the result depends on every bit of the word.
    private static func mixed(_ word: UInt64) -> UInt64 {
        var value = word &+ 0x9e37_79b9_7f4a_7c15
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
