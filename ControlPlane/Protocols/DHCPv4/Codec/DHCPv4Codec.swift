// SPDX-License-Identifier: Apache-2.0
// DHCPv4 messages from and to bytes: RFC 2131 section 2, option overload (RFC 2132 9.3), long options (RFC 3396).

import BNGCore

/// Encoder and decoder of DHCPv4 messages (the UDP payload).
public enum DHCPv4Codec {
    static let magicCookie: UInt32 = 0x6382_5363
    static let fixedLength = 240
    /// Some clients and relays drop replies shorter than BOOTP's 300 bytes (RFC 1542 2.1).
    static let minimumLength = 300
    /// Options of one message, after joining; RFC 2131 sets no bound, a peer gets this one.
    static let optionLimit = 128

    /// Decodes a message. Sources of error are named with their offset in the payload.
    /// - Throws: `DecodeError`; never traps, whatever the bytes.
    public static func decode(_ bytes: borrowing Span<UInt8>) throws(DecodeError) -> DHCPv4Message {
        var cursor = ByteCursor(end: bytes.count)
        guard let op = DHCPv4Message.Op(rawValue: try cursor.readUInt8(bytes)) else {
            throw DecodeError(.invalid(field: "op"), at: 0)
        }
        guard try cursor.readUInt8(bytes) == 1 else { throw DecodeError(.invalid(field: "htype"), at: 1) }
        guard try cursor.readUInt8(bytes) == 6 else { throw DecodeError(.invalid(field: "hlen"), at: 2) }
        let hops = try cursor.readUInt8(bytes)
        var message = DHCPv4Message(op: op, hops: hops, xid: try cursor.readUInt32(bytes), clientMAC: .zero)
        message.secs = try cursor.readUInt16(bytes)
        message.flags = try cursor.readUInt16(bytes)
        message.clientAddress = IPv4Address(rawValue: try cursor.readUInt32(bytes))
        message.yourAddress = IPv4Address(rawValue: try cursor.readUInt32(bytes))
        message.nextServer = IPv4Address(rawValue: try cursor.readUInt32(bytes))
        message.relayAddress = IPv4Address(rawValue: try cursor.readUInt32(bytes))
        message.clientMAC = MACAddress(bytes, at: try cursor.skip(16))
        let sname = try cursor.skip(64)
        let file = try cursor.skip(128)
        guard try cursor.readUInt32(bytes) == Self.magicCookie else {
            throw DecodeError(.invalid(field: "magic cookie"), at: 236)
        }
        guard !message.clientMAC.isMulticast, message.clientMAC != .zero else {
            throw DecodeError(.invalid(field: "chaddr"), at: 28)
        }
        try Self.decodeOptions(bytes, cursor.offset..<bytes.count, into: &message.options)
        guard let overload = message.options[DHCPv4OptionCode.overload] else { return message }
        guard overload.count == 1, let value = overload.first, (1...3).contains(value) else {
            throw DecodeError(.invalid(field: "option overload"), at: cursor.offset)
        }
        // RFC 2131 4.1: file is read before sname.
        if value & 1 != 0 { try Self.decodeOptions(bytes, file..<(file + 128), into: &message.options) }
        if value & 2 != 0 { try Self.decodeOptions(bytes, sname..<(sname + 64), into: &message.options) }
        return message
    }

    private static func decodeOptions(
        _ bytes: borrowing Span<UInt8>, _ range: Range<Int>, into options: inout DHCPv4Options
    ) throws(DecodeError) {
        var cursor = ByteCursor(offset: range.lowerBound, end: range.upperBound)
        while cursor.remaining > 0 {
            let at = cursor.offset
            let code = try cursor.readUInt8(bytes)
            if code == 0 { continue }
            if code == DHCPv4OptionCode.end { return }
            let length = Int(try cursor.readUInt8(bytes))
            let value = try cursor.readBytes(length, bytes)
            if code == DHCPv4OptionCode.overload, options[code] != nil {
                throw DecodeError(.invalid(field: "repeated option overload"), at: at)
            }
            options.append(code, value)
            guard options.count <= Self.optionLimit else {
                throw DecodeError(.tooLong(field: "option list", limit: Self.optionLimit), at: at)
            }
        }
    }

    /// Encodes a message; options longer than 255 bytes are split (RFC 3396), the end option is added, the whole padded to
    /// 300 bytes. Option 53 goes first and 82 last (RFC 3046 2.2), the rest in their order.
    public static func encode(_ message: DHCPv4Message) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.minimumLength + 64)
        bytes += [message.op.rawValue, 1, 6, message.hops]
        bytes.appendBigEndian(message.xid)
        bytes.appendBigEndian(message.secs)
        bytes.appendBigEndian(message.flags)
        for address in [message.clientAddress, message.yourAddress, message.nextServer, message.relayAddress] {
            bytes.appendBigEndian(address.rawValue)
        }
        bytes += message.clientMAC.bytes
        bytes += repeatElement(0, count: 10 + 64 + 128)
        bytes.appendBigEndian(Self.magicCookie)
        let codes = message.options.codes
        let special = [DHCPv4OptionCode.messageType, DHCPv4OptionCode.relayAgentInformation]
        let order =
            codes.filter { $0 == special[0] } + codes.filter { !special.contains($0) }
            + codes.filter { $0 == special[1] }
        for code in order {
            if let value = message.options[code] { Self.encodeOption(code, value, into: &bytes) }
        }
        bytes.append(DHCPv4OptionCode.end)
        if bytes.count < Self.minimumLength {
            bytes += repeatElement(0, count: Self.minimumLength - bytes.count)
        }
        return bytes
    }

    private static func encodeOption(_ code: UInt8, _ value: ArraySlice<UInt8>, into bytes: inout [UInt8]) {
        var rest = value
        repeat {
            let part = rest.prefix(255)
            bytes += [code, UInt8(part.count)]
            bytes += part
            rest = rest.dropFirst(part.count)
        } while !rest.isEmpty
    }
}
