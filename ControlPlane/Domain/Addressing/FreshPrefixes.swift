// SPDX-License-Identifier: Apache-2.0
// The prefixes a pool gives others out of: which are inside, and which were never given, by counting.

import BNGCore

/// Prefixes that do not overlap, cut into pieces of one length. No piece is stored.
struct FreshPrefixes: Sendable {
    /// Ascending.
    let whole: [IPv6Prefix]
    let length: Int
    private var current = 0
    private var index: UInt64 = 0

    /// nil if one is longer than its pieces, two overlap, or pieces are not 1 to 128 bits.
    init?(_ prefixes: [IPv6Prefix], length: Int) {
        guard (1...128).contains(length), prefixes.allSatisfy({ $0.length <= length }) else { return nil }
        self.whole = prefixes.sorted()
        self.length = length
        guard !zip(self.whole, self.whole.dropFirst()).contains(where: { $0.overlaps($1) }) else { return nil }
    }

    /// Pieces, at most `Int.max`.
    var count: Int {
        self.whole.reduce(0) { sum, prefix in
            let pieces = Int(clamping: prefix.subprefixCount(length: self.length) ?? .max)
            let (total, overflow) = sum.addingReportingOverflow(pieces)
            return overflow ? .max : total
        }
    }

    /// Whether this is one of the pieces.
    func contains(_ piece: IPv6Prefix) -> Bool {
        guard piece.length == self.length else { return false }
        var (low, high) = (0, self.whole.count)
        while low < high {
            let middle = (low + high) / 2
            if self.whole[middle].address <= piece.address { low = middle + 1 } else { high = middle }
        }
        return low > 0 && self.whole[low - 1].contains(piece)
    }

    /// Each piece once, in order; of a prefix with more than 2^64 of them the first 2^64 - 1.
    mutating func next() -> IPv6Prefix? {
        while self.current < self.whole.count {
            if self.index < .max, let piece = self.whole[self.current].subprefix(self.index, length: self.length) {
                self.index += 1
                return piece
            }
            self.current += 1
            self.index = 0
        }
        return nil
    }
}
