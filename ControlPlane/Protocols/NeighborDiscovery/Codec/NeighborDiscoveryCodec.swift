// SPDX-License-Identifier: Apache-2.0
// Neighbour discovery from and to bytes, with every rule of validity of RFC 4861 6.1 and 7.1; the checksum is the caller's.

import BNGCore

/// Encoder and decoder of ICMPv6 messages 133 to 136.
public enum NeighborDiscoveryCodec {
    /// Options of one message; RFC 4861 sets no bound, a peer gets this one.
    public static let optionLimit = 64

    /// Decodes the ICMPv6 message that lies in `range` of `bytes`.
    /// - Throws: `DecodeError` with offsets in `bytes`; never traps, whatever the bytes.
    public static func decode(
        _ bytes: borrowing Span<UInt8>, _ range: Range<Int>, _ envelope: NeighborDiscoveryEnvelope
    ) throws(DecodeError) -> NeighborDiscoveryMessage {
        guard range.lowerBound >= 0, range.upperBound <= bytes.count else {
            throw DecodeError(.truncated(needed: range.count, available: 0), at: max(0, range.lowerBound))
        }
        let start = range.lowerBound
        // A packet that some router forwarded comes from another link.
        guard envelope.hopLimit == 255 else { throw DecodeError(.invalid(field: "hop limit"), at: start) }
        var cursor = ByteCursor(offset: start, end: range.upperBound)
        let type = try cursor.readUInt8(bytes)
        guard try cursor.readUInt8(bytes) == 0 else { throw DecodeError(.invalid(field: "code"), at: start + 1) }
        _ = try cursor.skip(2)
        switch type {
        case NeighborDiscoveryType.routerSolicitation:
            return try Self.decodeRouterSolicitation(bytes, &cursor, envelope)
        case NeighborDiscoveryType.routerAdvertisement:
            guard envelope.source.isLinkLocal else { throw DecodeError(.invalid(field: "source"), at: start) }
            return .routerAdvertisement(try Self.decodeRouterAdvertisement(bytes, &cursor))
        case NeighborDiscoveryType.neighborSolicitation:
            return try Self.decodeNeighborSolicitation(bytes, &cursor, envelope)
        case NeighborDiscoveryType.neighborAdvertisement:
            return try Self.decodeNeighborAdvertisement(bytes, &cursor, envelope)
        default: throw DecodeError(.invalid(field: "type"), at: start)
        }
    }

    // MARK: Messages

    private static func decodeRouterSolicitation(
        _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor, _ envelope: NeighborDiscoveryEnvelope
    ) throws(DecodeError) -> NeighborDiscoveryMessage {
        _ = try cursor.skip(4)
        return .routerSolicitation(try Self.decodeSolicitingOptions(bytes, &cursor, envelope))
    }

    private static func decodeRouterAdvertisement(
        _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
    ) throws(DecodeError) -> RouterAdvertisement {
        let hopLimit = try cursor.readUInt8(bytes)
        let flags = try cursor.readUInt8(bytes)
        var message = RouterAdvertisement(hopLimit: hopLimit, lifetime: try cursor.readUInt16(bytes))
        message.isManaged = flags & 0x80 != 0
        message.hasOtherConfiguration = flags & 0x40 != 0
        // RFC 4191 2.2: the reserved value means medium.
        message.preference = RouterPreference(rawValue: flags >> 3 & 3) ?? .medium
        message.reachableTime = try cursor.readUInt32(bytes)
        message.retransmissionTimer = try cursor.readUInt32(bytes)
        message.options = try Self.decodeOptions(bytes, &cursor)
        return message
    }

    private static func decodeNeighborSolicitation(
        _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor, _ envelope: NeighborDiscoveryEnvelope
    ) throws(DecodeError) -> NeighborDiscoveryMessage {
        _ = try cursor.skip(4)
        let target = try Self.readTarget(bytes, &cursor)
        // RFC 4861 7.1.1: who has no address yet asks for one, and asks its group.
        let isProbe = envelope.source.isUnspecified
        guard !isProbe || envelope.destination == envelope.destination.solicitedNode else {
            throw DecodeError(.invalid(field: "destination of a probe"), at: cursor.offset - 24)
        }
        return .neighborSolicitation(
            target: target, try Self.decodeSolicitingOptions(bytes, &cursor, envelope))
    }

    private static func decodeNeighborAdvertisement(
        _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor, _ envelope: NeighborDiscoveryEnvelope
    ) throws(DecodeError) -> NeighborDiscoveryMessage {
        let flags = try cursor.readUInt8(bytes)
        _ = try cursor.skip(3)
        guard !envelope.destination.isMulticast || flags & 0x40 == 0 else {
            throw DecodeError(.invalid(field: "solicited flag to a group"), at: cursor.offset - 4)
        }
        let target = try Self.readTarget(bytes, &cursor)
        return .neighborAdvertisement(
            NeighborAdvertisement(
                target: target, isRouter: flags & 0x80 != 0, isSolicited: flags & 0x40 != 0,
                overrides: flags & 0x20 != 0, options: try Self.decodeOptions(bytes, &cursor)))
    }

    private static func readTarget(
        _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
    ) throws(DecodeError) -> IPv6Address {
        let target = try cursor.readIPv6Address(bytes)
        guard !target.isMulticast else { throw DecodeError(.invalid(field: "target"), at: cursor.offset - 16) }
        return target
    }

    /// RFC 4861 6.1.1, 7.1.1: who has no address has no link-layer address to tell either.
    private static func decodeSolicitingOptions(
        _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor, _ envelope: NeighborDiscoveryEnvelope
    ) throws(DecodeError) -> [NeighborDiscoveryOption] {
        let start = cursor.offset
        let options = try Self.decodeOptions(bytes, &cursor)
        guard !envelope.source.isUnspecified || !options.contains(where: \.isSourceLinkLayer) else {
            throw DecodeError(.invalid(field: "source link-layer address"), at: start)
        }
        return options
    }

    // MARK: Encoding

    /// The ICMPv6 message with a checksum of zero. Reserved bits are zero.
    public static func encode(_ message: NeighborDiscoveryMessage) -> [UInt8] {
        var bytes: [UInt8] = []
        switch message {
        case .routerSolicitation(let options):
            bytes += [NeighborDiscoveryType.routerSolicitation, 0, 0, 0, 0, 0, 0, 0]
            Self.encode(options, into: &bytes)
        case .routerAdvertisement(let message):
            Self.encode(message, into: &bytes)
        case .neighborSolicitation(let target, let options):
            bytes += [NeighborDiscoveryType.neighborSolicitation, 0, 0, 0, 0, 0, 0, 0]
            bytes += target.bytes
            Self.encode(options, into: &bytes)
        case .neighborAdvertisement(let message):
            let flags: UInt8 =
                (message.isRouter ? 0x80 : 0) | (message.isSolicited ? 0x40 : 0) | (message.overrides ? 0x20 : 0)
            bytes += [NeighborDiscoveryType.neighborAdvertisement, 0, 0, 0, flags, 0, 0, 0]
            bytes += message.target.bytes
            Self.encode(message.options, into: &bytes)
        }
        return bytes
    }

    private static func encode(_ message: RouterAdvertisement, into bytes: inout [UInt8]) {
        bytes += [NeighborDiscoveryType.routerAdvertisement, 0, 0, 0, message.hopLimit]
        let flags: UInt8 = (message.isManaged ? 0x80 : 0) | (message.hasOtherConfiguration ? 0x40 : 0)
        bytes.append(flags | message.preference.rawValue << 3)
        bytes.appendBigEndian(message.lifetime)
        bytes.appendBigEndian(message.reachableTime)
        bytes.appendBigEndian(message.retransmissionTimer)
        Self.encode(message.options, into: &bytes)
    }
}
