// SPDX-License-Identifier: Apache-2.0
// UDP and ICMPv6 over IPv6: verified on the way in, built on the way out. Their checksum is never left out.

import BNGCore

/// An IPv6 UDP datagram inside a frame: addresses, ports and where its payload lies.
public struct UDPv6Datagram: Equatable, Sendable {
    public var packet: IPv6Packet
    public var sourcePort: UInt16
    public var destinationPort: UInt16
    /// Range of the payload in the frame, in bytes from its start.
    public var payload: Range<Int>

    /// Parses the IPv6 packet that starts at `offset`; lengths and checksum are checked.
    public init(decoding frame: borrowing Span<UInt8>, at offset: Int) throws(DecodeError) {
        try self.init(IPv6Packet(decoding: frame, at: offset), in: frame)
    }

    /// Parses the upper layer of a packet of the same frame.
    public init(_ packet: IPv6Packet, in frame: borrowing Span<UInt8>) throws(DecodeError) {
        self.packet = packet
        let start = packet.payload.lowerBound
        guard packet.nextHeader == IPv6NextHeader.udp else {
            throw DecodeError(.invalid(field: "IPv6 next header"), at: start)
        }
        var cursor = ByteCursor(offset: start, end: packet.payload.upperBound)
        self.sourcePort = try cursor.readUInt16(frame)
        self.destinationPort = try cursor.readUInt16(frame)
        let length = Int(try cursor.readUInt16(frame))
        let sum = try cursor.readUInt16(frame)
        guard length >= 8, length <= packet.payload.count else {
            throw DecodeError(.invalid(field: "UDP length"), at: start + 4)
        }
        self.payload = (start + 8)..<(start + length)
        // RFC 8200 8.1: zero is not "no checksum" here, but an error.
        guard sum != 0, packet.upperLayerChecksum(frame, start..<(start + length)) == 0 else {
            throw DecodeError(.invalid(field: "UDP checksum"), at: start + 6)
        }
    }
}

/// An ICMPv6 message inside a frame whose checksum is right.
public struct ICMPv6Datagram: Equatable, Sendable {
    public var packet: IPv6Packet
    public var type: UInt8
    public var code: UInt8
    /// The whole message from its type on.
    public var message: Range<Int> { self.packet.payload }

    /// Parses the IPv6 packet that starts at `offset`; length and checksum are checked (RFC 4443 2.3).
    public init(decoding frame: borrowing Span<UInt8>, at offset: Int) throws(DecodeError) {
        try self.init(IPv6Packet(decoding: frame, at: offset), in: frame)
    }

    /// Parses the upper layer of a packet of the same frame.
    public init(_ packet: IPv6Packet, in frame: borrowing Span<UInt8>) throws(DecodeError) {
        self.packet = packet
        let start = packet.payload.lowerBound
        guard packet.nextHeader == IPv6NextHeader.icmpv6 else {
            throw DecodeError(.invalid(field: "IPv6 next header"), at: start)
        }
        var cursor = ByteCursor(offset: start, end: packet.payload.upperBound)
        self.type = try cursor.readUInt8(frame)
        self.code = try cursor.readUInt8(frame)
        _ = try cursor.skip(2)
        guard packet.upperLayerChecksum(frame, packet.payload) == 0 else {
            throw DecodeError(.invalid(field: "ICMPv6 checksum"), at: start + 2)
        }
    }
}

/// Appends an IPv6 header, a UDP header with checksum, and `payload` (at most 65527 bytes).
public func encodeUDPv6(
    from source: (IPv6Address, UInt16), to destination: (IPv6Address, UInt16), hopLimit: UInt8 = 64,
    payload: [UInt8], into frame: inout [UInt8]
) {
    let length = payload.count + 8
    appendIPv6Header(
        from: source.0, to: destination.0, nextHeader: IPv6NextHeader.udp, hopLimit: hopLimit, payloadCount: length,
        into: &frame)
    let udp = frame.count
    frame.appendBigEndian(source.1)
    frame.appendBigEndian(destination.1)
    frame.appendBigEndian(UInt16(clamping: length))
    frame.appendBigEndian(UInt16(0))
    frame += payload
    let pseudo = pseudoHeaderSum(source.0, destination.0, length: length, nextHeader: IPv6NextHeader.udp)
    let sum = checksum(frame.span, udp..<frame.count, initial: pseudo)
    // RFC 768: a sum of zero is sent as all ones.
    frame.setBigEndian(sum == 0 ? 0xffff : sum, at: udp + 6)
}

/// Appends an IPv6 header and an ICMPv6 message (type, code, two bytes to be overwritten with the checksum, body).
/// - Precondition: the message has at least four bytes.
public func encodeICMPv6(
    from source: IPv6Address, to destination: IPv6Address, hopLimit: UInt8 = 255, message: [UInt8],
    into frame: inout [UInt8]
) {
    precondition(message.count >= 4, "an ICMPv6 message of \(message.count) bytes")
    appendIPv6Header(
        from: source, to: destination, nextHeader: IPv6NextHeader.icmpv6, hopLimit: hopLimit,
        payloadCount: message.count, into: &frame)
    let start = frame.count
    frame += message
    frame.setBigEndian(UInt16(0), at: start + 2)
    let pseudo = pseudoHeaderSum(source, destination, length: message.count, nextHeader: IPv6NextHeader.icmpv6)
    frame.setBigEndian(checksum(frame.span, start..<frame.count, initial: pseudo), at: start + 2)
}
