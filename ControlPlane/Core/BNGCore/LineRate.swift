// SPDX-License-Identifier: Apache-2.0
// A rate as plans, AAA and the data plane mean it: IP bytes per direction of a line.

/// A policed rate. RFC 2697's committed information rate and burst size of one bucket.
public struct LineRate: Hashable, Sendable, Codable {
    /// 64 kbit/s to 100 Gbit/s.
    public static let limits: ClosedRange<UInt64> = 64_000...100_000_000_000

    public var bitsPerSecond: UInt64
    /// Bytes that may pass at once; at least one frame of the largest MTU.
    public var burstBytes: UInt32

    /// - Parameter burstBytes: 0 for the default: what passes in 250 ms, at least 16 KiB and at most 64 MiB. With less than TCP's
    ///   shortest time-out (200 ms), a connection whose round trip is too short to hold a few segments never finds the rate.
    public init(bitsPerSecond: UInt64, burstBytes: UInt32 = 0) {
        self.bitsPerSecond = bitsPerSecond
        let usual = min(max(bitsPerSecond / 8 / 4, 16_384), 64 << 20)
        self.burstBytes = burstBytes == 0 ? UInt32(usual) : burstBytes
    }

    public var isValid: Bool { Self.limits.contains(self.bitsPerSecond) && self.burstBytes >= 1_600 }
}
