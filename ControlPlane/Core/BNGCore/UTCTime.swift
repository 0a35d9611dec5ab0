// SPDX-License-Identifier: Apache-2.0
// Absolute time as the wire and the store carry it.

/// Milliseconds since 1970-01-01 UTC.
public struct UTCTime: Hashable, Sendable, Comparable {
    public let milliseconds: Int64

    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    public static let zero = UTCTime(milliseconds: 0)
    public static func < (a: UTCTime, b: UTCTime) -> Bool { a.milliseconds < b.milliseconds }
    public static func + (a: UTCTime, seconds: Seconds) -> UTCTime {
        UTCTime(milliseconds: a.milliseconds + Int64(seconds.value) * 1000)
    }
}

/// Whole seconds, as DHCP and RADIUS count them.
public struct Seconds: Hashable, Sendable, Comparable, ExpressibleByIntegerLiteral {
    public let value: UInt32
    public init(_ value: UInt32) { self.value = value }
    public init(integerLiteral value: UInt32) { self.value = value }
    public static func < (a: Seconds, b: Seconds) -> Bool { a.value < b.value }
}
