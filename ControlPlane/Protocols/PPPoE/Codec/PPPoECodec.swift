// SPDX-License-Identifier: Apache-2.0
// PPPoE headers and discovery tags from and to bytes (RFC 2516 4). Ethernet and its tags are others' business.

import BNGCore

/// Encoder and decoder of what follows the Ethernet type of a PPPoE frame.
public enum PPPoECodec {
    /// Version and type, code, session id, length.
    public static let headLength = 6
    /// Version 1, type 1.
    static let versionAndType: UInt8 = 0x11
    /// Tags of one packet; RFC 2516 sets no bound, a peer gets this one.
    public static let tagLimit = 64

    // MARK: Discovery

    /// Decodes a discovery packet whose header is at `at`. Bytes beyond its stated length are padding.
    /// - Throws: `DecodeError` with offsets in `bytes`; never traps, whatever the bytes.
    public static func decodeDiscovery(
        _ bytes: borrowing Span<UInt8>, at: Int
    ) throws(DecodeError) -> PPPoEDiscovery {
        let head = try Self.decodeHead(bytes, at: at)
        guard let code = PPPoEDiscovery.Code(rawValue: head.code) else {
            throw DecodeError(.invalid(field: "code"), at: at + 1)
        }
        var packet = PPPoEDiscovery(code: code, sessionID: head.sessionID)
        var cursor = ByteCursor(offset: head.payload.lowerBound, end: head.payload.upperBound)
        while cursor.remaining > 0 {
            let start = cursor.offset
            let type = try cursor.readUInt16(bytes)
            let length = Int(try cursor.readUInt16(bytes))
            if type == PPPoETag.endOfList { break }
            guard packet.tags.count < Self.tagLimit else {
                throw DecodeError(.tooLong(field: "tag list", limit: Self.tagLimit), at: start)
            }
            packet.tags.append(PPPoETag(type, try cursor.readBytes(length, bytes)))
        }
        return packet
    }

    /// Appends a discovery packet. Tags that the 16 bits of a length cannot hold any more are left out.
    public static func encode(_ packet: PPPoEDiscovery, into bytes: inout [UInt8]) {
        bytes += [Self.versionAndType, packet.code.rawValue]
        bytes.appendBigEndian(packet.sessionID)
        let lengthOffset = bytes.count
        bytes.appendBigEndian(UInt16(0))
        for tag in packet.tags {
            let length = bytes.count - lengthOffset - 2
            guard length + 4 + tag.value.count <= Int(UInt16.max) else { continue }
            bytes.appendBigEndian(tag.type)
            bytes.appendBigEndian(UInt16(tag.value.count))
            bytes += tag.value
        }
        bytes.setBigEndian(UInt16(bytes.count - lengthOffset - 2), at: lengthOffset)
    }

    // MARK: Session

    /// Decodes the header of a session packet at `at`; the payload is the PPP protocol field and what follows it.
    /// - Throws: `DecodeError` with offsets in `bytes`.
    public static func decodeSession(
        _ bytes: borrowing Span<UInt8>, at: Int
    ) throws(DecodeError) -> (sessionID: UInt16, payload: Range<Int>) {
        let head = try Self.decodeHead(bytes, at: at)
        guard head.code == 0 else { throw DecodeError(.invalid(field: "code"), at: at + 1) }
        guard head.payload.count >= 2 else {
            throw DecodeError(.truncated(needed: 2, available: head.payload.count), at: head.payload.lowerBound)
        }
        return (head.sessionID, head.payload)
    }

    /// Appends the header of a session packet whose payload has `payloadCount` bytes, at most 65535.
    public static func appendSessionHeader(sessionID: UInt16, payloadCount: Int, into bytes: inout [UInt8]) {
        bytes += [Self.versionAndType, 0]
        bytes.appendBigEndian(sessionID)
        bytes.appendBigEndian(UInt16(clamping: payloadCount))
    }

    private struct Head {
        var code: UInt8
        var sessionID: UInt16
        var payload: Range<Int>
    }

    private static func decodeHead(_ bytes: borrowing Span<UInt8>, at: Int) throws(DecodeError) -> Head {
        guard at >= 0, at <= bytes.count else {
            throw DecodeError(.truncated(needed: Self.headLength, available: 0), at: max(0, at))
        }
        var cursor = ByteCursor(offset: at, end: bytes.count)
        guard try cursor.readUInt8(bytes) == Self.versionAndType else {
            throw DecodeError(.invalid(field: "version and type"), at: at)
        }
        let code = try cursor.readUInt8(bytes)
        let sessionID = try cursor.readUInt16(bytes)
        let length = Int(try cursor.readUInt16(bytes))
        let start = try cursor.skip(length)
        return Head(code: code, sessionID: sessionID, payload: start..<(start + length))
    }
}
