// SPDX-License-Identifier: Apache-2.0
// DHCP unique identifiers (RFC 8415 11): compared as bytes, looked into only for people.

import BNGCore

/// Who a client or server is: 3 to 130 bytes with the type.
public struct DUID: Hashable, Sendable, CustomStringConvertible {
    /// What the type says; for logs, never for decisions (RFC 8415 11).
    public enum Kind: Equatable, Sendable {
        /// Seconds since 2000-01-01 UTC.
        case linkLayerTime(hardware: UInt16, time: UInt32, address: [UInt8])
        case enterprise(UInt32, identifier: [UInt8])
        case linkLayer(hardware: UInt16, address: [UInt8])
        /// RFC 6355.
        case uuid([UInt8])
        case unknown(UInt16)
    }

    public let bytes: [UInt8]

    /// nil unless there is a type with 1 to 128 bytes behind it.
    public init?(_ bytes: [UInt8]) {
        guard (3...130).contains(bytes.count) else { return nil }
        self.bytes = bytes
    }

    private init(type: UInt16, _ words: [UInt32] = [], _ rest: [UInt8]) {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(type)
        for word in words { bytes.appendBigEndian(word) }
        self.bytes = bytes + rest
    }

    /// DUID-LL of an Ethernet address.
    public static func linkLayer(_ mac: MACAddress) -> DUID { DUID(type: 3, [], [0, 1] + mac.bytes) }

    /// DUID-EN; the identifier is cut to 124 bytes.
    public static func enterprise(_ number: UInt32, _ identifier: [UInt8]) -> DUID {
        DUID(type: 2, [number], Array(identifier.prefix(124)))
    }

    public var kind: Kind {
        let type = UInt16(self.bytes[0]) << 8 | UInt16(self.bytes[1])
        var cursor = ByteCursor(offset: 2, end: self.bytes.count)
        return (try? self.kind(type, &cursor)) ?? .unknown(type)
    }

    private func kind(_ type: UInt16, _ cursor: inout ByteCursor) throws(DecodeError) -> Kind {
        let span = self.bytes.span
        switch type {
        case 1:
            let hardware = try cursor.readUInt16(span)
            let time = try cursor.readUInt32(span)
            return .linkLayerTime(
                hardware: hardware, time: time, address: try cursor.readBytes(cursor.remaining, span))
        case 2:
            return .enterprise(
                try cursor.readUInt32(span), identifier: try cursor.readBytes(cursor.remaining, span))
        case 3:
            return .linkLayer(
                hardware: try cursor.readUInt16(span), address: try cursor.readBytes(cursor.remaining, span))
        case 4 where cursor.remaining == 16: return .uuid(try cursor.readBytes(16, span))
        default: return .unknown(type)
        }
    }

    /// The Ethernet address it was made of; where no other name of the client's hardware is to be had.
    public var mac: MACAddress? {
        switch self.kind {
        case .linkLayerTime(1, _, let address), .linkLayer(1, let address): return MACAddress(address)
        default: return nil
        }
    }

    public var description: String { hexadecimal(self.bytes, separator: ":") }
}
