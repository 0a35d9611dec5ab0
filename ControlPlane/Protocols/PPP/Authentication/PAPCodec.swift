// SPDX-License-Identifier: Apache-2.0
// The data of PAP packets (RFC 1334 2.2).

import BNGCore

/// Name and password, and the answers' words.
public enum PAPCodec {
    public static let request: UInt8 = 1
    public static let ack: UInt8 = 2
    public static let nak: UInt8 = 3

    /// Data of an Authenticate-Request.
    /// - Throws: `DecodeError` with offsets in the data.
    public static func decodeRequest(
        _ bytes: borrowing Span<UInt8>
    ) throws(DecodeError) -> (name: [UInt8], password: [UInt8]) {
        var cursor = ByteCursor(end: bytes.count)
        let name = try cursor.readBytes(Int(try cursor.readUInt8(bytes)), bytes)
        let password = try cursor.readBytes(Int(try cursor.readUInt8(bytes)), bytes)
        return (name, password)
    }

    /// Data of an Authenticate-Request; each part is cut to 255 bytes.
    public static func encodeRequest(name: [UInt8], password: [UInt8]) -> [UInt8] {
        Self.encodeMessage(name) + Self.encodeMessage(password)
    }

    /// Data of an Authenticate-Ack or -Nak; words beyond 255 bytes are cut.
    public static func encodeMessage(_ message: [UInt8]) -> [UInt8] {
        let part = message.prefix(255)
        return [UInt8(part.count)] + part
    }
}
