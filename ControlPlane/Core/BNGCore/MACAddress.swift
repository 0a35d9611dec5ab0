// SPDX-License-Identifier: Apache-2.0
// A 48-bit Ethernet address.

/// An Ethernet address, kept as the low 48 bits of a word whose most significant byte is the first on the wire.
public struct MACAddress: Hashable, Sendable, Comparable {
    public let rawValue: UInt64

    /// - Precondition: only the low 48 bits are set.
    public init(rawValue: UInt64) {
        precondition(rawValue >> 48 == 0, "a MAC address has 48 bits, got \(rawValue)")
        self.rawValue = rawValue
    }

    /// The address in six bytes as on the wire; nil unless there are six.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 6 else { return nil }
        self.rawValue = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The address at `offset` of `span`.
    /// - Precondition: six bytes are there.
    @inline(__always)
    public init(_ span: borrowing Span<UInt8>, at offset: Int) {
        var value: UInt64 = 0
        for i in 0..<6 { value = value << 8 | UInt64(span[offset + i]) }
        self.rawValue = value
    }

    public static let broadcast = MACAddress(rawValue: 0xffff_ffff_ffff)
    public static let zero = MACAddress(rawValue: 0)

    /// The six bytes as on the wire.
    public var bytes: [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: self.rawValue >> (40 - 8 * UInt64($0))) }
    }

    /// Group bit of the first byte (IEEE 802): broadcast or multicast.
    public var isMulticast: Bool { self.rawValue >> 40 & 1 == 1 }

    public static func < (a: MACAddress, b: MACAddress) -> Bool { a.rawValue < b.rawValue }
}

extension MACAddress: CustomStringConvertible, LosslessStringConvertible {
    /// Six colon-separated pairs of hexadecimal digits.
    public init?(_ description: String) {
        let parts = description.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6, parts.allSatisfy({ $0.utf8.count == 2 }) else { return nil }
        guard let value = BNGCore.bytes(hexadecimal: parts.joined()) else { return nil }
        self.init(value)
    }

    public var description: String { hexadecimal(self.bytes, separator: ":") }
}
