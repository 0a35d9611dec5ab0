// SPDX-License-Identifier: Apache-2.0
// The first source of an address nobody holds: those never used, by counting. The second is ReturnQueue.

import BNGCore

/// Walks the ranges once, each address at most once.
struct FreshAddresses: Sendable {
    private let ranges: [IPv4Range]
    private var range = 0
    private var offset: UInt32 = 0

    init(_ ranges: [IPv4Range]) {
        self.ranges = ranges
    }

    mutating func next() -> IPv4Address? {
        while self.range < self.ranges.count {
            let current = self.ranges[self.range]
            if Int(self.offset) < current.count {
                defer { self.offset += 1 }
                return IPv4Address(rawValue: current.first.rawValue + self.offset)
            }
            self.range += 1
            self.offset = 0
        }
        return nil
    }
}
