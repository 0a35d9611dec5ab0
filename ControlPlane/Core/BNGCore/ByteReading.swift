// SPDX-License-Identifier: Apache-2.0
// Bounds-checked big-endian reads from a Span; decoders keep their own offset.

/// A cursor over bytes it does not own: the span is passed to each call, so the cursor can be stored and copied.
public struct ByteCursor: Equatable, Sendable {
    /// Offset of the next byte, from the start of the span.
    public private(set) var offset: Int
    /// One past the last readable byte.
    public let end: Int

    public init(offset: Int = 0, end: Int) {
        self.offset = offset
        self.end = end
    }

    public var remaining: Int { self.end - self.offset }

    /// Moves on by `count` bytes and returns where they start.
    /// - Throws: `DecodeError` with `.truncated` when fewer are left.
    @inline(__always)
    public mutating func skip(_ count: Int) throws(DecodeError) -> Int {
        guard count >= 0, count <= self.remaining else {
            throw DecodeError(.truncated(needed: count, available: self.remaining), at: self.offset)
        }
        let start = self.offset
        self.offset += count
        return start
    }

    @inline(__always)
    public mutating func readUInt8(_ bytes: borrowing Span<UInt8>) throws(DecodeError) -> UInt8 {
        let at = try self.skip(1)
        return bytes[at]
    }

    @inline(__always)
    public mutating func readUInt16(_ bytes: borrowing Span<UInt8>) throws(DecodeError) -> UInt16 {
        let at = try self.skip(2)
        return UInt16(bytes[at]) << 8 | UInt16(bytes[at + 1])
    }

    @inline(__always)
    public mutating func readUInt32(_ bytes: borrowing Span<UInt8>) throws(DecodeError) -> UInt32 {
        let at = try self.skip(4)
        return UInt32(bytes[at]) << 24 | UInt32(bytes[at + 1]) << 16 | UInt32(bytes[at + 2]) << 8
            | UInt32(bytes[at + 3])
    }

    /// Copies the next `count` bytes out.
    public mutating func readBytes(_ count: Int, _ bytes: borrowing Span<UInt8>) throws(DecodeError) -> [UInt8] {
        let at = try self.skip(count)
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            for i in 0..<count { buffer.initializeElement(at: i, to: bytes[at + i]) }
            initialized = count
        }
    }
}

extension [UInt8] {
    /// Appends a 16-bit value, big-endian.
    @inlinable
    public mutating func appendBigEndian(_ value: UInt16) {
        self.append(UInt8(truncatingIfNeeded: value >> 8))
        self.append(UInt8(truncatingIfNeeded: value))
    }

    /// Appends a 32-bit value, big-endian.
    @inlinable
    public mutating func appendBigEndian(_ value: UInt32) {
        self.appendBigEndian(UInt16(truncatingIfNeeded: value >> 16))
        self.appendBigEndian(UInt16(truncatingIfNeeded: value))
    }

    /// Appends a 64-bit value, big-endian.
    @inlinable
    public mutating func appendBigEndian(_ value: UInt64) {
        self.appendBigEndian(UInt32(truncatingIfNeeded: value >> 32))
        self.appendBigEndian(UInt32(truncatingIfNeeded: value))
    }

    /// Overwrites two bytes at `offset` with a big-endian value.
    @inlinable
    public mutating func setBigEndian(_ value: UInt16, at offset: Int) {
        self[offset] = UInt8(truncatingIfNeeded: value >> 8)
        self[offset + 1] = UInt8(truncatingIfNeeded: value)
    }
}
