// SPDX-License-Identifier: Apache-2.0
// IPv4 and UDP heads of control packets: verified on the way in, built on the way out.

import BNGCore

/// An IPv4 UDP datagram inside a frame: addresses, ports and where its payload lies.
public struct UDPDatagram: Equatable, Sendable {
    public var source: IPv4Address
    public var destination: IPv4Address
    public var sourcePort: UInt16
    public var destinationPort: UInt16
    /// Range of the payload in the frame, in bytes from its start.
    public var payload: Range<Int>

    /// Parses the IPv4 packet that starts at `offset`; header checksum, lengths and fragmentation are checked
    /// (RFC 791 3.1, RFC 768). A non-zero UDP checksum is verified.
    public init(decoding frame: borrowing Span<UInt8>, at offset: Int) throws(DecodeError) {
        var cursor = ByteCursor(offset: offset, end: frame.count)
        let start = cursor.offset
        _ = try cursor.skip(20)
        let headerLength = Int(frame[start] & 0xf) * 4
        guard frame[start] >> 4 == 4, headerLength >= 20 else {
            throw DecodeError(.invalid(field: "IPv4 version or header length"), at: start)
        }
        _ = try cursor.skip(headerLength - 20)
        let totalLength = Int(frame[start + 2]) << 8 | Int(frame[start + 3])
        guard totalLength >= headerLength + 8, start + totalLength <= frame.count else {
            throw DecodeError(.invalid(field: "IPv4 total length"), at: start + 2)
        }
        guard checksum(frame, start..<(start + headerLength), initial: 0) == 0 else {
            throw DecodeError(.invalid(field: "IPv4 header checksum"), at: start + 10)
        }
        guard (UInt16(frame[start + 6]) << 8 | UInt16(frame[start + 7])) & 0x3fff == 0 else {
            throw DecodeError(.invalid(field: "fragment (control packets are never fragmented)"), at: start + 6)
        }
        guard frame[start + 9] == 17 else { throw DecodeError(.invalid(field: "IPv4 protocol"), at: start + 9) }
        var addresses = ByteCursor(offset: start + 12, end: start + 20)
        self.source = IPv4Address(rawValue: try addresses.readUInt32(frame))
        self.destination = IPv4Address(rawValue: try addresses.readUInt32(frame))
        let udp = cursor.offset
        self.sourcePort = try cursor.readUInt16(frame)
        self.destinationPort = try cursor.readUInt16(frame)
        let length = Int(try cursor.readUInt16(frame))
        let sum = try cursor.readUInt16(frame)
        guard length >= 8, udp + length <= start + totalLength else {
            throw DecodeError(.invalid(field: "UDP length"), at: udp + 4)
        }
        self.payload = (udp + 8)..<(udp + length)
        if sum != 0 {
            let pseudo = pseudoHeaderSum(self.source, self.destination, length: length)
            guard checksum(frame, udp..<(udp + length), initial: pseudo) == 0 else {
                throw DecodeError(.invalid(field: "UDP checksum"), at: udp + 6)
            }
        }
    }
}

/// Appends an IPv4 header (TTL 64, no options, DF clear), a UDP header with checksum, and `payload`.
public func encodeUDP(
    from source: (IPv4Address, UInt16), to destination: (IPv4Address, UInt16), payload: [UInt8],
    into frame: inout [UInt8]
) {
    let start = frame.count
    let udpLength = payload.count + 8
    frame += [0x45, 0]
    frame.appendBigEndian(UInt16(udpLength + 20))
    frame += [0, 0, 0, 0, 64, 17, 0, 0]
    frame.appendBigEndian(source.0.rawValue)
    frame.appendBigEndian(destination.0.rawValue)
    let udp = frame.count
    frame.appendBigEndian(source.1)
    frame.appendBigEndian(destination.1)
    frame.appendBigEndian(UInt16(udpLength))
    frame.appendBigEndian(UInt16(0))
    frame += payload
    let pseudo = pseudoHeaderSum(source.0, destination.0, length: udpLength)
    let ipSum = checksum(frame.span, start..<udp, initial: 0)
    let udpSum = checksum(frame.span, udp..<frame.count, initial: pseudo)
    frame.setBigEndian(ipSum, at: start + 10)
    frame.setBigEndian(udpSum == 0 ? 0xffff : udpSum, at: udp + 6)
}

/// The Internet checksum (RFC 1071) of `range`, starting from a partial sum; 0 over data that includes a right checksum.
func checksum(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, initial: UInt32) -> UInt16 {
    var sum = initial
    var i = range.lowerBound
    while i + 1 < range.upperBound {
        sum &+= UInt32(bytes[i]) << 8 | UInt32(bytes[i + 1])
        i += 2
    }
    if i < range.upperBound { sum &+= UInt32(bytes[i]) << 8 }
    while sum >> 16 != 0 { sum = sum & 0xffff + sum >> 16 }
    return ~UInt16(truncatingIfNeeded: sum)
}

private func pseudoHeaderSum(_ source: IPv4Address, _ destination: IPv4Address, length: Int) -> UInt32 {
    (source.rawValue >> 16) + (source.rawValue & 0xffff) + (destination.rawValue >> 16)
        + (destination.rawValue & 0xffff) + 17 + UInt32(length)
}
