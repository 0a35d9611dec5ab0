// SPDX-License-Identifier: Apache-2.0
// IPv6 heads of control packets (RFC 8200): the walk to the upper layer on the way in, the fixed head on the way out.

import BNGCore

/// Numbers of upper layers and extension headers.
public enum IPv6NextHeader {
    public static let hopByHop: UInt8 = 0
    public static let udp: UInt8 = 17
    public static let routing: UInt8 = 43
    public static let fragment: UInt8 = 44
    public static let icmpv6: UInt8 = 58
    public static let destinationOptions: UInt8 = 60
}

/// An IPv6 packet inside a frame: who sent it to whom and where its upper layer lies.
public struct IPv6Packet: Equatable, Sendable {
    /// Extension headers of one packet; RFC 8200 sets no bound, a peer gets this one.
    static let extensionLimit = 8

    public var source: IPv6Address
    public var destination: IPv6Address
    /// 255 proves that no router has forwarded the packet (RFC 4861 3.1).
    public var hopLimit: UInt8
    /// The upper layer behind all extension headers.
    public var nextHeader: UInt8
    /// Range of the upper layer in the frame, in bytes from its start.
    public var payload: Range<Int>

    /// Parses the IPv6 packet that starts at `offset`. Bytes beyond its stated length are padding. Hop-by-hop, routing and
    /// destination options headers are walked over; a fragment header is an error.
    public init(decoding frame: borrowing Span<UInt8>, at offset: Int) throws(DecodeError) {
        guard offset >= 0, offset <= frame.count else {
            throw DecodeError(.truncated(needed: 40, available: 0), at: max(0, offset))
        }
        var cursor = ByteCursor(offset: offset, end: frame.count)
        guard try cursor.readUInt32(frame) >> 28 == 6 else {
            throw DecodeError(.invalid(field: "IPv6 version"), at: offset)
        }
        let length = Int(try cursor.readUInt16(frame))
        self.nextHeader = try cursor.readUInt8(frame)
        self.hopLimit = try cursor.readUInt8(frame)
        self.source = try cursor.readIPv6Address(frame)
        self.destination = try cursor.readIPv6Address(frame)
        guard !self.source.isMulticast else {
            throw DecodeError(.invalid(field: "IPv6 source"), at: offset + 8)
        }
        let start = try cursor.skip(length)
        self.payload = start..<(start + length)
        try self.walkExtensions(frame)
    }

    private mutating func walkExtensions(_ frame: borrowing Span<UInt8>) throws(DecodeError) {
        var cursor = ByteCursor(offset: self.payload.lowerBound, end: self.payload.upperBound)
        for count in 0... {
            switch self.nextHeader {
            // RFC 8200 4.1: hop-by-hop options are first or nowhere.
            case IPv6NextHeader.hopByHop where count == 0, IPv6NextHeader.routing, IPv6NextHeader.destinationOptions:
                guard count < Self.extensionLimit else {
                    throw DecodeError(
                        .tooLong(field: "chain of headers", limit: Self.extensionLimit), at: cursor.offset)
                }
                self.nextHeader = try cursor.readUInt8(frame)
                let units = Int(try cursor.readUInt8(frame))
                _ = try cursor.skip(units * 8 + 6)
            case IPv6NextHeader.hopByHop:
                throw DecodeError(.invalid(field: "place of hop-by-hop options"), at: cursor.offset)
            case IPv6NextHeader.fragment:
                throw DecodeError(
                    .invalid(field: "fragment (control packets are never fragmented)"), at: cursor.offset)
            default:
                self.payload = cursor.offset..<self.payload.upperBound
                return
            }
        }
    }

    /// The checksum over upper layer and pseudo-header (RFC 8200 8.1): 0 if the one inside is right.
    func upperLayerChecksum(_ frame: borrowing Span<UInt8>, _ range: Range<Int>) -> UInt16 {
        checksum(
            frame, range,
            initial: pseudoHeaderSum(self.source, self.destination, length: range.count, nextHeader: self.nextHeader))
    }
}

/// Appends an IPv6 header whose payload has `payloadCount` bytes, at most 65535; traffic class and flow label 0.
func appendIPv6Header(
    from source: IPv6Address, to destination: IPv6Address, nextHeader: UInt8, hopLimit: UInt8, payloadCount: Int,
    into frame: inout [UInt8]
) {
    frame += [0x60, 0, 0, 0]
    frame.appendBigEndian(UInt16(clamping: payloadCount))
    frame += [nextHeader, hopLimit]
    frame += source.bytes
    frame += destination.bytes
}

func pseudoHeaderSum(
    _ source: IPv6Address, _ destination: IPv6Address, length: Int, nextHeader: UInt8
) -> UInt32 {
    var sum = UInt32(length >> 16) + UInt32(length & 0xffff) + UInt32(nextHeader)
    for word in [source.high, source.low, destination.high, destination.low] {
        for shift in [UInt64(48), 32, 16, 0] { sum += UInt32(truncatingIfNeeded: word >> shift & 0xffff) }
    }
    return sum
}
