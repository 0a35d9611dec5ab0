// SPDX-License-Identifier: Apache-2.0
// The ranges of a pool, sorted: whether an address is in one, and how many of a span are.

import BNGCore

/// Ranges that do not overlap.
struct AddressRanges: Sendable {
    /// Ascending.
    let sorted: [IPv4Range]
    /// Addresses in the ranges before each one.
    private let before: [UInt64]
    let count: Int

    init(_ ranges: [IPv4Range]) {
        self.sorted = ranges.sorted { $0.first < $1.first }
        var total: UInt64 = 0
        var before: [UInt64] = []
        for range in self.sorted {
            before.append(total)
            total += UInt64(range.count)
        }
        self.before = before
        self.count = Int(total)
    }

    func contains(_ address: IPv4Address) -> Bool {
        let index = self.index(notAfter: address.rawValue)
        return index >= 0 && self.sorted[index].contains(address)
    }

    /// Addresses of the ranges from `first` to `last`, both included.
    func count(from first: UInt32, to last: UInt32) -> UInt64 {
        self.count(upTo: last) - (first == 0 ? 0 : self.count(upTo: first - 1))
    }

    private func count(upTo last: UInt32) -> UInt64 {
        let index = self.index(notAfter: last)
        guard index >= 0 else { return 0 }
        let range = self.sorted[index]
        return self.before[index] + UInt64(min(last, range.last.rawValue) - range.first.rawValue) + 1
    }

    /// The last range that begins at or before an address; -1: none.
    private func index(notAfter address: UInt32) -> Int {
        var (low, high) = (0, self.sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if self.sorted[middle].first.rawValue <= address { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }
}
