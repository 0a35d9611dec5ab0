// SPDX-License-Identifier: Apache-2.0
// Random numbers of pure machines: the driver gives the seed.

/// SplitMix64: spreads timers; not for anything an enemy must not guess.
public struct JitterSource: RandomNumberGenerator, Equatable, Sendable {
    var state: UInt64

    public init(state: UInt64) {
        self.state = state
    }

    /// The next number.
    public mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
