// SPDX-License-Identifier: Apache-2.0
// DHCPv6 packets from and to bytes (RFC 8415 8, 9): relay envelopes around one message.

import BNGCore

/// Encoder and decoder of UDP payloads.
public enum DHCPv6Codec {
    /// HOP_COUNT_LIMIT (RFC 8415 7.6).
    public static let hopLimit = 8
    /// Options of one packet, at all depths; RFC 8415 sets no bound, a peer gets this one.
    public static let optionLimit = 4_096
    /// Identity associations of one message.
    public static let associationLimit = 1_000
    static let relayForward: UInt8 = 12
    static let relayReply: UInt8 = 13

    /// Decodes a packet. All relays of a packet go the same way.
    /// - Throws: `DecodeError`; never traps, whatever the bytes.
    public static func decode(_ bytes: borrowing Span<UInt8>) throws(DecodeError) -> DHCPv6Packet {
        var reader = DHCPv6OptionReader()
        var range = 0..<bytes.count
        var hops: [DHCPv6RelayHop] = []
        var direction: UInt8?
        while true {
            var cursor = ByteCursor(offset: range.lowerBound, end: range.upperBound)
            let type = try cursor.readUInt8(bytes)
            guard type == Self.relayForward || type == Self.relayReply else {
                let message = try Self.decodeMessage(type, bytes, &cursor, &reader)
                return DHCPv6Packet(message, hops: hops, isRelayReply: direction == Self.relayReply)
            }
            guard direction ?? type == type else {
                throw DecodeError(.invalid(field: "direction of a relay"), at: range.lowerBound)
            }
            guard hops.count < Self.hopLimit else {
                throw DecodeError(.tooLong(field: "chain of relays", limit: Self.hopLimit), at: range.lowerBound)
            }
            direction = type
            range = try Self.decodeHop(bytes, &cursor, &reader, into: &hops)
        }
    }

    private static func decodeMessage(
        _ type: UInt8, _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor, _ reader: inout DHCPv6OptionReader
    ) throws(DecodeError) -> DHCPv6Message {
        guard let type = DHCPv6MessageType(rawValue: type) else {
            throw DecodeError(.invalid(field: "message type"), at: cursor.offset - 1)
        }
        let high = UInt32(try cursor.readUInt8(bytes)) << 16
        let id = high | UInt32(try cursor.readUInt16(bytes))
        return DHCPv6Message(type, transactionID: id, options: try reader.read(bytes, &cursor, .message))
    }

    /// Returns where the relayed message lies.
    private static func decodeHop(
        _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor, _ reader: inout DHCPv6OptionReader,
        into hops: inout [DHCPv6RelayHop]
    ) throws(DecodeError) -> Range<Int> {
        let count = try cursor.readUInt8(bytes)
        let link = try cursor.readIPv6Address(bytes)
        let peer = try cursor.readIPv6Address(bytes)
        let start = cursor.offset
        reader.relayed = nil
        let options = try reader.read(bytes, &cursor, .relay)
        guard let relayed = reader.relayed else {
            throw DecodeError(.invalid(field: "relay without a message"), at: start)
        }
        hops.append(DHCPv6RelayHop(hopCount: count, linkAddress: link, peerAddress: peer, options: options))
        return relayed
    }

    /// Encodes a packet; nil if some length does not fit its field. In each relay the relayed message comes last.
    public static func encode(_ packet: DHCPv6Packet) -> [UInt8]? {
        let message = packet.message
        var bytes: [UInt8] = []
        bytes.appendBigEndian(UInt32(message.type.rawValue) << 24 | message.transactionID & 0xff_ffff)
        guard DHCPv6OptionWriter.append(message.options, to: &bytes) else { return nil }
        for hop in packet.hops.reversed() {
            var outer = [packet.isRelayReply ? Self.relayReply : Self.relayForward, hop.hopCount]
            outer += hop.linkAddress.bytes
            outer += hop.peerAddress.bytes
            guard DHCPv6OptionWriter.append(hop.options, to: &outer), bytes.count <= Int(UInt16.max) else { return nil }
            outer.appendBigEndian(DHCPv6OptionCode.relayMessage)
            outer.appendBigEndian(UInt16(bytes.count))
            bytes = outer + bytes
        }
        return bytes
    }
}
