// SPDX-License-Identifier: Apache-2.0
// PPP control packets and options from and to bytes (RFC 1661 5, 6). Frames have a protocol field of two bytes: PPPoE
// compresses neither it nor the address and control fields (RFC 2516 7).

import BNGCore

/// Encoder and decoder of control packets.
public enum PPPCodec {
    /// Code, identifier, length.
    public static let headLength = 4
    /// Options of one packet; RFC 1661 sets no bound, a peer gets this one.
    public static let optionLimit = 64

    /// The protocol of a frame.
    /// - Throws: `DecodeError` if there are no two bytes.
    public static func protocolField(_ bytes: borrowing Span<UInt8>) throws(DecodeError) -> PPPProtocol {
        var cursor = ByteCursor(end: bytes.count)
        return PPPProtocol(rawValue: try cursor.readUInt16(bytes))
    }

    /// Decodes the control packet at `at`. Bytes beyond its stated length are padding (RFC 1661 5).
    /// - Throws: `DecodeError`; never traps, whatever the bytes.
    public static func decodePacket(
        _ bytes: borrowing Span<UInt8>, at: Int = 2
    ) throws(DecodeError) -> PPPControlPacket {
        var cursor = ByteCursor(offset: min(max(0, at), bytes.count), end: bytes.count)
        let code = try cursor.readUInt8(bytes)
        let identifier = try cursor.readUInt8(bytes)
        let length = Int(try cursor.readUInt16(bytes))
        guard length >= Self.headLength else { throw DecodeError(.invalid(field: "length"), at: at + 2) }
        let data = try cursor.readBytes(length - Self.headLength, bytes)
        return PPPControlPacket(code: code, identifier: identifier, data: data)
    }

    /// Decodes the options of a configuration packet's data.
    /// - Throws: `DecodeError` with offsets in the data.
    public static func decodeOptions(_ bytes: borrowing Span<UInt8>) throws(DecodeError) -> [PPPOption] {
        var cursor = ByteCursor(end: bytes.count)
        var options: [PPPOption] = []
        while cursor.remaining > 0 {
            let at = cursor.offset
            let type = try cursor.readUInt8(bytes)
            let length = Int(try cursor.readUInt8(bytes))
            guard length >= 2 else { throw DecodeError(.invalid(field: "option length"), at: at + 1) }
            guard options.count < Self.optionLimit else {
                throw DecodeError(.tooLong(field: "option list", limit: Self.optionLimit), at: at)
            }
            options.append(PPPOption(type, try cursor.readBytes(length - 2, bytes)))
        }
        return options
    }

    /// Bytes of options, in their order. A value longer than an option can hold is left out.
    public static func encode(_ options: [PPPOption]) -> [UInt8] {
        var bytes: [UInt8] = []
        for option in options where option.value.count <= PPPOption.valueLimit {
            bytes += [option.type, UInt8(option.value.count + 2)]
            bytes += option.value
        }
        return bytes
    }

    /// A frame: protocol field, packet. Data longer than a packet can hold is cut.
    public static func encode(_ packet: PPPControlPacket, of number: PPPProtocol) -> [UInt8] {
        let data = packet.data.prefix(Int(UInt16.max) - Self.headLength)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(2 + Self.headLength + data.count)
        bytes.appendBigEndian(number.rawValue)
        bytes += [packet.code, packet.identifier]
        bytes.appendBigEndian(UInt16(Self.headLength + data.count))
        bytes += data
        return bytes
    }
}
