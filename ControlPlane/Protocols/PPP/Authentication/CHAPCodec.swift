// SPDX-License-Identifier: Apache-2.0
// The data of CHAP packets (RFC 1994 4), and the words of an MS-CHAPv2 failure (RFC 2759 6).

import BNGCore

/// Challenges and responses.
public enum CHAPCodec {
    public static let challenge: UInt8 = 1
    public static let response: UInt8 = 2
    public static let success: UInt8 = 3
    public static let failure: UInt8 = 4

    /// Bytes of a name at most. RFC 1994 sets no bound, a peer gets this one.
    public static let nameLimit = 255
    /// Peer-Challenge, reserved, NT-Response, flags (RFC 2759 4).
    public static let msChapV2ResponseCount = 49

    /// Data of a Challenge or Response.
    /// - Throws: `DecodeError` with offsets in the data.
    public static func decodeValue(
        _ bytes: borrowing Span<UInt8>
    ) throws(DecodeError) -> (value: [UInt8], name: [UInt8]) {
        var cursor = ByteCursor(end: bytes.count)
        let count = Int(try cursor.readUInt8(bytes))
        // RFC 1994 4.1: the value is one byte or more.
        guard count > 0 else { throw DecodeError(.invalid(field: "value size"), at: 0) }
        let value = try cursor.readBytes(count, bytes)
        guard cursor.remaining <= Self.nameLimit else {
            throw DecodeError(.tooLong(field: "name", limit: Self.nameLimit), at: cursor.offset)
        }
        return (value, try cursor.readBytes(cursor.remaining, bytes))
    }

    /// Data of a Challenge or Response; both parts are cut to 255 bytes.
    public static func encodeValue(_ value: [UInt8], name: [UInt8]) -> [UInt8] {
        let part = value.prefix(255)
        return [UInt8(part.count)] + part + name.prefix(Self.nameLimit)
    }

    /// What an MS-CHAPv2 Failure says: 691, and no second try. Of words that have the form already only a second try is taken back.
    static func msChapV2Failure(_ message: [UInt8], challenge: [UInt8]) -> [UInt8] {
        if message.starts(with: Array("E=".utf8)) { return Self.withoutRetry(message) }
        return Array("E=691 R=0 C=\(hexadecimal(challenge).uppercased()) V=3 M=".utf8) + message
    }

    private static func withoutRetry(_ message: [UInt8]) -> [UInt8] {
        let retry = Array(" R=1".utf8)
        guard let start = message.indices.first(where: { message[$0...].starts(with: retry) }) else { return message }
        var result = message
        result[start + 3] = UInt8(ascii: "0")
        return result
    }
}
