// SPDX-License-Identifier: Apache-2.0
// A hash that is the same in every process, for choosing shards and naming objects; not for tables an enemy can fill.

/// FNV-1a, 64 bits.
public struct StableHash: Sendable {
    @usableFromInline var state: UInt64 = 0xcbf2_9ce4_8422_2325

    public init() {}

    @inlinable public var value: UInt64 { self.state }

    @inlinable
    public mutating func mix(_ byte: UInt8) {
        self.state = (self.state ^ UInt64(byte)) &* 0x100_0000_01b3
    }

    @inlinable
    public mutating func mix(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { self.mix(byte) }
    }

    /// Mixes eight bytes, the least significant first.
    @inlinable
    public mutating func mix(_ word: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { self.mix(UInt8(truncatingIfNeeded: word >> shift)) }
    }
}
