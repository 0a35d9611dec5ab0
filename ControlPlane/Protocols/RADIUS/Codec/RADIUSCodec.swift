// SPDX-License-Identifier: Apache-2.0
// RADIUS packets from and to bytes (RFC 2865 3 and 5). Whether a packet is genuine is RADIUSSecret's business.

import BNGCore

/// Encoder and decoder of RADIUS packets.
public enum RADIUSCodec {
    /// Code, identifier, length, authenticator.
    public static let headLength = 20
    /// Longest packet; also of RADIUS over TCP and TLS (RFC 6613 2.6.4).
    public static let packetLimit = 4_096

    /// The length a packet states, once its first four bytes are there.
    /// - Throws: `DecodeError` if it is none that a packet can have.
    public static func length(_ bytes: borrowing Span<UInt8>) throws(DecodeError) -> Int {
        var cursor = ByteCursor(end: bytes.count)
        _ = try cursor.skip(2)
        let length = Int(try cursor.readUInt16(bytes))
        guard length >= Self.headLength else { throw DecodeError(.invalid(field: "length"), at: 2) }
        guard length <= Self.packetLimit else { throw DecodeError(.tooLong(field: "packet", limit: 4_096), at: 2) }
        return length
    }

    /// Decodes a packet. Bytes beyond its stated length are padding (RFC 2865 3).
    /// - Throws: `DecodeError`; never traps, whatever the bytes.
    public static func decode(_ bytes: borrowing Span<UInt8>) throws(DecodeError) -> RADIUSPacket {
        let length = try Self.length(bytes)
        guard length <= bytes.count else {
            throw DecodeError(.truncated(needed: length, available: bytes.count), at: 0)
        }
        var cursor = ByteCursor(end: length)
        let code = RADIUSCode(rawValue: try cursor.readUInt8(bytes))
        let identifier = try cursor.readUInt8(bytes)
        _ = try cursor.skip(2)
        let authenticator = RADIUSAuthenticator(try cursor.readBytes(16, bytes)) ?? .zero
        while cursor.remaining > 0 {
            let at = cursor.offset
            guard try cursor.readUInt8(bytes) != 0 else { throw DecodeError(.invalid(field: "attribute type"), at: at) }
            let length = Int(try cursor.readUInt8(bytes))
            guard length >= 2 else { throw DecodeError(.invalid(field: "attribute length"), at: at + 1) }
            _ = try cursor.skip(length - 2)
        }
        var list = ByteCursor(offset: Self.headLength, end: length)
        let attributes = RADIUSAttributes(checked: try list.readBytes(length - Self.headLength, bytes))
        return RADIUSPacket(code: code, identifier: identifier, authenticator: authenticator, attributes: attributes)
    }

    /// Encodes a packet as it stands.
    public static func encode(_ packet: RADIUSPacket) -> [UInt8] {
        var bytes: [UInt8] = []
        let length = Self.headLength + packet.attributes.bytes.count
        bytes.reserveCapacity(length)
        bytes += [packet.code.rawValue, packet.identifier]
        bytes.appendBigEndian(UInt16(length))
        bytes += packet.authenticator.bytes
        bytes += packet.attributes.bytes
        return bytes
    }
}
