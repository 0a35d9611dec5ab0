// SPDX-License-Identifier: Apache-2.0
// Session counters a shard may mint ids from: ranges that the store has promised never to give again.

import BNGCore

/// The unused counters of one shard.
struct IdentifierSupply {
    private var ranges: [Range<UInt64>] = []
    /// More have been asked for and are not here yet.
    var isAsked = false

    mutating func add(_ range: Range<UInt64>) {
        self.ranges.append(range)
        self.isAsked = false
    }

    var left: Int { self.ranges.reduce(0) { $0 + $1.count } }

    mutating func next() -> UInt64? {
        guard let first = self.ranges.first else { return nil }
        if first.count > 1 {
            self.ranges[0] = (first.lowerBound + 1)..<first.upperBound
        } else {
            self.ranges.removeFirst()
        }
        return first.lowerBound
    }
}

extension LineShard {
    /// Gives this shard counters it may mint from.
    func addCounters(_ range: Range<UInt64>) {
        self.loop.preconditionInEventLoop()
        self.identifiers.add(range)
    }

    func mintID() -> SessionID? {
        if self.identifiers.left < ShardWorld.countersPerRequest / 2, !self.identifiers.isAsked {
            self.identifiers.isAsked = true
            self.world.requestCounters(for: self)
        }
        return self.identifiers.next().map { SessionID(issuer: self.world.configuration.issuer, counter: $0) }
    }
}
