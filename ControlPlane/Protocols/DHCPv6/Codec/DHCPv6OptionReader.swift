// SPDX-License-Identifier: Apache-2.0
// Options from bytes: where each may stand bounds how deep they nest, and all together are counted.

import BNGCore

/// Reads the options of one packet and keeps count of them.
struct DHCPv6OptionReader {
    /// What the options stand in.
    enum Place {
        case relay, message, association, lease
    }

    private var options = 0
    private var associations = 0
    /// The first Relay Message option met.
    var relayed: Range<Int>?

    mutating func read(
        _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor, _ place: Place
    ) throws(DecodeError) -> [DHCPv6Option] {
        var result: [DHCPv6Option] = []
        while cursor.remaining > 0 {
            let at = cursor.offset
            self.options += 1
            guard self.options <= DHCPv6Codec.optionLimit else {
                throw DecodeError(.tooLong(field: "option list", limit: DHCPv6Codec.optionLimit), at: at)
            }
            let code = try cursor.readUInt16(bytes)
            let length = Int(try cursor.readUInt16(bytes))
            let start = try cursor.skip(length)
            if place == .relay, code == DHCPv6OptionCode.relayMessage {
                // RFC 8415 21.10: one message to a relay.
                guard self.relayed == nil else { throw DecodeError(.invalid(field: "second relayed message"), at: at) }
                self.relayed = start..<(start + length)
                continue
            }
            var inner = ByteCursor(offset: start, end: start + length)
            let option = try self.option(code, bytes, &inner, place)
            guard inner.remaining == 0 else { throw DecodeError(.invalid(field: "option length"), at: at + 2) }
            result.append(option)
        }
        return result
    }

    private mutating func option(
        _ code: UInt16, _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor, _ place: Place
    ) throws(DecodeError) -> DHCPv6Option {
        switch (code, place) {
        case (DHCPv6OptionCode.nonTemporary, .message), (DHCPv6OptionCode.temporary, .message),
            (DHCPv6OptionCode.delegation, .message):
            return try self.association(code, bytes, &cursor)
        case (DHCPv6OptionCode.address, .association), (DHCPv6OptionCode.prefix, .association):
            return .lease(try self.lease(code, bytes, &cursor))
        case (DHCPv6OptionCode.address, _), (DHCPv6OptionCode.prefix, _), (DHCPv6OptionCode.nonTemporary, _),
            (DHCPv6OptionCode.temporary, _), (DHCPv6OptionCode.delegation, _):
            return .other(code, try cursor.readBytes(cursor.remaining, bytes))
        default: return try Self.flat(code, bytes, &cursor)
        }
    }

    private mutating func association(
        _ code: UInt16, _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
    ) throws(DecodeError) -> DHCPv6Option {
        self.associations += 1
        guard self.associations <= DHCPv6Codec.associationLimit, let kind = IdentityAssociation.Kind(rawValue: code)
        else {
            throw DecodeError(
                .tooLong(field: "list of associations", limit: DHCPv6Codec.associationLimit), at: cursor.offset)
        }
        var association = IdentityAssociation(kind, id: try cursor.readUInt32(bytes))
        if kind != .temporary {
            association.renewal = try cursor.readUInt32(bytes)
            association.rebinding = try cursor.readUInt32(bytes)
        }
        association.options = try self.read(bytes, &cursor, .association)
        return .association(association)
    }

    private mutating func lease(
        _ code: UInt16, _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
    ) throws(DecodeError) -> DHCPv6Lease {
        let address = code == DHCPv6OptionCode.address ? try cursor.readIPv6Address(bytes) : .zero
        var lease = DHCPv6Lease(
            .address(address), preferred: try cursor.readUInt32(bytes), valid: try cursor.readUInt32(bytes))
        if code == DHCPv6OptionCode.prefix {
            let length = Int(try cursor.readUInt8(bytes))
            let first = try cursor.readIPv6Address(bytes)
            guard length <= 128 else { throw DecodeError(.invalid(field: "prefix length"), at: cursor.offset - 17) }
            // Bits behind the length are nobody's, as in advertisements.
            lease.resource = .prefix(IPv6Prefix(holding: first, length: length))
        }
        lease.options = try self.read(bytes, &cursor, .lease)
        return lease
    }

    private static func flat(
        _ code: UInt16, _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
    ) throws(DecodeError) -> DHCPv6Option {
        switch code {
        case DHCPv6OptionCode.clientID: return .clientID(try Self.duid(bytes, &cursor))
        case DHCPv6OptionCode.serverID: return .serverID(try Self.duid(bytes, &cursor))
        case DHCPv6OptionCode.optionRequest:
            var codes: [UInt16] = []
            while cursor.remaining > 0 { codes.append(try cursor.readUInt16(bytes)) }
            return .optionRequest(codes)
        case DHCPv6OptionCode.preference: return .preference(try cursor.readUInt8(bytes))
        case DHCPv6OptionCode.elapsedTime: return .elapsedTime(try cursor.readUInt16(bytes))
        case DHCPv6OptionCode.rapidCommit: return .rapidCommit
        case DHCPv6OptionCode.reconfigureAccept: return .reconfigureAccept
        case DHCPv6OptionCode.nameServers:
            var servers: [IPv6Address] = []
            while cursor.remaining > 0 { servers.append(try cursor.readIPv6Address(bytes)) }
            return .nameServers(servers)
        case DHCPv6OptionCode.searchList: return .searchList(try Self.names(bytes, &cursor))
        default: return try Self.identifier(code, bytes, &cursor)
        }
    }

    private static func identifier(
        _ code: UInt16, _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
    ) throws(DecodeError) -> DHCPv6Option {
        switch code {
        case DHCPv6OptionCode.status:
            return .status(
                try cursor.readUInt16(bytes), text: try cursor.readBytes(cursor.remaining, bytes))
        case DHCPv6OptionCode.interfaceID: return .interfaceID(try cursor.readBytes(cursor.remaining, bytes))
        case DHCPv6OptionCode.subscriberID: return .subscriberID(try cursor.readBytes(cursor.remaining, bytes))
        case DHCPv6OptionCode.remoteID:
            return .remoteID(
                enterprise: try cursor.readUInt32(bytes), try cursor.readBytes(cursor.remaining, bytes))
        default: return .other(code, try cursor.readBytes(cursor.remaining, bytes))
        }
    }

    private static func duid(
        _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
    ) throws(DecodeError) -> DUID {
        let at = cursor.offset
        guard let duid = DUID(try cursor.readBytes(cursor.remaining, bytes)) else {
            throw DecodeError(.invalid(field: "DUID length"), at: at)
        }
        return duid
    }

    private static func names(
        _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
    ) throws(DecodeError) -> [DomainName] {
        var names: [DomainName] = []
        while cursor.remaining > 0 {
            let at = cursor.offset
            guard let name = try DomainName.read(bytes, &cursor) else {
                throw DecodeError(.invalid(field: "domain name"), at: at)
            }
            names.append(name)
        }
        return names
    }
}
