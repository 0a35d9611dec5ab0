// SPDX-License-Identifier: Apache-2.0
// Option 82 (RFC 3046) taken apart: who inserted it decides elsewhere whether it is believed.

import BNGCore

/// Sub-options of option 82; values up to 255 bytes.
public struct RelayAgentInformation: Equatable, Sendable {
    public var circuitID: [UInt8] = []
    public var remoteID: [UInt8] = []
    /// Sub-option 5 (RFC 3527): the subnet to allocate from, instead of giaddr.
    public var linkSelection: IPv4Address?
    /// Sub-option 11 (RFC 5107): the address the client shall take for the server's.
    public var serverIdentifierOverride: IPv4Address?

    public init() {}

    /// The value of option 82: sub-options that are not empty, each cut at 255 bytes.
    public var encoded: [UInt8] {
        var bytes: [UInt8] = []
        let parts = [
            (UInt8(1), self.circuitID), (2, self.remoteID), (5, self.linkSelection?.bytes ?? []),
            (11, self.serverIdentifierOverride?.bytes ?? []),
        ]
        for (code, value) in parts where !value.isEmpty {
            let data = value.prefix(255)
            bytes += [code, UInt8(data.count)]
            bytes += data
        }
        return bytes
    }

    /// Parses the value of option 82.
    public init(decoding value: borrowing Span<UInt8>) throws(DecodeError) {
        var cursor = ByteCursor(end: value.count)
        while cursor.remaining > 0 {
            let at = cursor.offset
            let code = try cursor.readUInt8(value)
            let length = Int(try cursor.readUInt8(value))
            let data = try cursor.readBytes(length, value)
            switch code {
            case 1: self.circuitID = data
            case 2: self.remoteID = data
            case 5:
                guard let address = IPv4Address(data) else {
                    throw DecodeError(.invalid(field: "link selection length"), at: at)
                }
                self.linkSelection = address
            case 11:
                guard let address = IPv4Address(data) else {
                    throw DecodeError(.invalid(field: "server identifier override length"), at: at)
                }
                self.serverIdentifierOverride = address
            default: break
            }
        }
    }
}
