// SPDX-License-Identifier: Apache-2.0
// Options from and to bytes: units of eight, the first two bytes being type and length.

import BNGCore

extension NeighborDiscoveryOption {
    /// Of that type, whether or not it makes sense.
    var isSourceLinkLayer: Bool {
        switch self {
        case .sourceLinkLayer, .other(NeighborDiscoveryOptionType.sourceLinkLayer, _): return true
        default: return false
        }
    }
}

extension NeighborDiscoveryCodec {
    static func decodeOptions(
        _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
    ) throws(DecodeError) -> [NeighborDiscoveryOption] {
        var options: [NeighborDiscoveryOption] = []
        while cursor.remaining > 0 {
            let at = cursor.offset
            guard options.count < Self.optionLimit else {
                throw DecodeError(.tooLong(field: "option list", limit: Self.optionLimit), at: at)
            }
            let type = try cursor.readUInt8(bytes)
            let units = Int(try cursor.readUInt8(bytes))
            // RFC 4861 4.6: a length of zero discards the whole packet.
            guard units > 0 else { throw DecodeError(.invalid(field: "option length"), at: at + 1) }
            let body = try cursor.readBytes(units * 8 - 2, bytes)
            options.append((try? Self.known(type, body)) ?? .other(type, body))
        }
        return options
    }

    /// nil: unknown, or it makes no sense.
    private static func known(_ type: UInt8, _ body: [UInt8]) throws(DecodeError) -> NeighborDiscoveryOption? {
        var cursor = ByteCursor(end: body.count)
        switch type {
        case NeighborDiscoveryOptionType.sourceLinkLayer:
            return Self.unicast(body).map { .sourceLinkLayer($0) }
        case NeighborDiscoveryOptionType.targetLinkLayer:
            return Self.unicast(body).map { .targetLinkLayer($0) }
        case NeighborDiscoveryOptionType.prefixInformation where body.count == 30:
            return try Self.prefix(body, &cursor)
        case NeighborDiscoveryOptionType.mtu where body.count == 6:
            _ = try cursor.skip(2)
            return .mtu(try cursor.readUInt32(body.span))
        case NeighborDiscoveryOptionType.routeInformation:
            return try Self.route(body, &cursor)
        case NeighborDiscoveryOptionType.rdnss where body.count >= 22 && body.count % 16 == 6:
            _ = try cursor.skip(2)
            let lifetime = try cursor.readUInt32(body.span)
            var servers: [IPv6Address] = []
            while cursor.remaining > 0 { servers.append(try cursor.readIPv6Address(body.span)) }
            return .rdnss(servers, lifetime: lifetime)
        case NeighborDiscoveryOptionType.dnssl where body.count >= 14:
            return try Self.searchList(body, &cursor)
        case NeighborDiscoveryOptionType.pref64 where body.count == 14:
            return try Self.pref64(body, &cursor)
        default: return nil
        }
    }

    private static func unicast(_ body: [UInt8]) -> MACAddress? {
        MACAddress(body).flatMap { $0.isMulticast || $0 == .zero ? nil : $0 }
    }

    private static func prefix(
        _ body: [UInt8], _ cursor: inout ByteCursor
    ) throws(DecodeError) -> NeighborDiscoveryOption? {
        let length = Int(try cursor.readUInt8(body.span))
        let flags = try cursor.readUInt8(body.span)
        let valid = try cursor.readUInt32(body.span)
        let preferred = try cursor.readUInt32(body.span)
        _ = try cursor.skip(4)
        let address = try cursor.readIPv6Address(body.span)
        guard length <= 128 else { return nil }
        // RFC 4861 4.6.2: the bits behind the prefix are ignored.
        return .prefix(
            PrefixInformation(
                prefix: IPv6Prefix(holding: address, length: length), isOnLink: flags & 0x80 != 0,
                isAutonomous: flags & 0x40 != 0, validLifetime: valid, preferredLifetime: preferred))
    }

    private static func route(
        _ body: [UInt8], _ cursor: inout ByteCursor
    ) throws(DecodeError) -> NeighborDiscoveryOption? {
        let length = Int(try cursor.readUInt8(body.span))
        // RFC 4191 2.3: with the reserved preference the option is ignored.
        let preference = RouterPreference(rawValue: try cursor.readUInt8(body.span) >> 3 & 3)
        let lifetime = try cursor.readUInt32(body.span)
        let room = cursor.remaining * 8
        guard let preference, length <= 128, room >= length, room <= 128 else { return nil }
        let address = IPv6Address(
            try cursor.readBytes(room / 8, body.span) + repeatElement(0, count: 16 - room / 8))
        guard let address else { return nil }
        return .route(
            RouteInformation(
                prefix: IPv6Prefix(holding: address, length: length), preference: preference, lifetime: lifetime))
    }

    private static func searchList(
        _ body: [UInt8], _ cursor: inout ByteCursor
    ) throws(DecodeError) -> NeighborDiscoveryOption? {
        _ = try cursor.skip(2)
        let lifetime = try cursor.readUInt32(body.span)
        var names: [DomainName] = []
        while cursor.remaining > 0 {
            if let name = try DomainName.read(body.span, &cursor) { names.append(name) }
        }
        return names.isEmpty ? nil : .dnssl(names, lifetime: lifetime)
    }

    private static func pref64(
        _ body: [UInt8], _ cursor: inout ByteCursor
    ) throws(DecodeError) -> NeighborDiscoveryOption? {
        let word = try cursor.readUInt16(body.span)
        let code = Int(word & 7)
        let address = IPv6Address(try cursor.readBytes(12, body.span) + [0, 0, 0, 0])
        guard code < PREF64.lengths.count, let address else { return nil }
        let prefix = IPv6Prefix(holding: address, length: PREF64.lengths[code])
        return PREF64(prefix: prefix, lifetime: UInt32(word & 0xfff8)).map { .pref64($0) }
    }

    // MARK: Encoding

    static func encode(_ options: [NeighborDiscoveryOption], into bytes: inout [UInt8]) {
        for option in options {
            let (type, body) = Self.body(of: option)
            // Whole units; what 255 of them cannot hold is left out rather than cut.
            guard body.count + 2 <= 255 * 8 else { continue }
            let units = (body.count + 2 + 7) / 8
            bytes += [type, UInt8(max(1, units))]
            bytes += body
            bytes += repeatElement(0, count: max(1, units) * 8 - 2 - body.count)
        }
    }

    private static func body(of option: NeighborDiscoveryOption) -> (UInt8, [UInt8]) {
        switch option {
        case .sourceLinkLayer(let mac): return (NeighborDiscoveryOptionType.sourceLinkLayer, mac.bytes)
        case .targetLinkLayer(let mac): return (NeighborDiscoveryOptionType.targetLinkLayer, mac.bytes)
        case .prefix(let prefix): return (NeighborDiscoveryOptionType.prefixInformation, Self.body(of: prefix))
        case .mtu(let mtu): return (NeighborDiscoveryOptionType.mtu, Self.words([0, 0], mtu))
        case .route(let route): return (NeighborDiscoveryOptionType.routeInformation, Self.body(of: route))
        case .rdnss(let servers, let lifetime):
            return (NeighborDiscoveryOptionType.rdnss, Self.words([0, 0], lifetime) + servers.flatMap(\.bytes))
        case .dnssl(let names, let lifetime):
            return (NeighborDiscoveryOptionType.dnssl, Self.words([0, 0], lifetime) + names.flatMap(\.wireForm))
        case .pref64(let pref64):
            let code = PREF64.lengths.firstIndex(of: pref64.prefix.length) ?? 0
            var body: [UInt8] = []
            body.appendBigEndian(pref64.scaledLifetime << 3 | UInt16(code))
            return (NeighborDiscoveryOptionType.pref64, body + pref64.prefix.address.bytes.prefix(12))
        case .other(let type, let body): return (type, body)
        }
    }

    private static func words(_ head: [UInt8], _ words: UInt32...) -> [UInt8] {
        words.reduce(into: head) { $0.appendBigEndian($1) }
    }

    private static func body(of prefix: PrefixInformation) -> [UInt8] {
        let flags: UInt8 = (prefix.isOnLink ? 0x80 : 0) | (prefix.isAutonomous ? 0x40 : 0)
        return Self.words(
            [UInt8(prefix.prefix.length), flags], prefix.validLifetime, prefix.preferredLifetime, 0)
            + prefix.prefix.address.bytes
    }

    private static func body(of route: RouteInformation) -> [UInt8] {
        let count = (route.prefix.length + 63) / 64 * 8
        return Self.words([UInt8(route.prefix.length), route.preference.rawValue << 3], route.lifetime)
            + route.prefix.address.bytes.prefix(count)
    }
}
