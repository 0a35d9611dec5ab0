// SPDX-License-Identifier: Apache-2.0
// Packet codes and the 16-byte authenticator.

import BNGCore

/// The first byte of a packet. Unknown values are kept: whoever reads decides what is unexpected.
public struct RADIUSCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    // RFC 2865 3, RFC 2866 3.
    public static let accessRequest = RADIUSCode(rawValue: 1)
    public static let accessAccept = RADIUSCode(rawValue: 2)
    public static let accessReject = RADIUSCode(rawValue: 3)
    public static let accountingRequest = RADIUSCode(rawValue: 4)
    public static let accountingResponse = RADIUSCode(rawValue: 5)
    public static let accessChallenge = RADIUSCode(rawValue: 11)
    // RFC 5997.
    public static let statusServer = RADIUSCode(rawValue: 12)
    // RFC 5176 2.3.
    public static let disconnectRequest = RADIUSCode(rawValue: 40)
    public static let disconnectACK = RADIUSCode(rawValue: 41)
    public static let disconnectNAK = RADIUSCode(rawValue: 42)
    public static let changeRequest = RADIUSCode(rawValue: 43)
    public static let changeACK = RADIUSCode(rawValue: 44)
    public static let changeNAK = RADIUSCode(rawValue: 45)

    private static let names: [UInt8: String] = [
        1: "Access-Request", 2: "Access-Accept", 3: "Access-Reject", 4: "Accounting-Request", 5: "Accounting-Response",
        11: "Access-Challenge", 12: "Status-Server", 40: "Disconnect-Request", 41: "Disconnect-ACK",
        42: "Disconnect-NAK", 43: "CoA-Request", 44: "CoA-ACK", 45: "CoA-NAK",
    ]

    /// The RFC's name, or `code N`.
    public var description: String { Self.names[self.rawValue] ?? "code \(self.rawValue)" }
}

/// The Request or Response Authenticator.
public struct RADIUSAuthenticator: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    public static let zero = RADIUSAuthenticator(high: 0, low: 0)

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// nil unless there are 16 bytes.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.high = bytes[0..<8].reduce(0) { $0 << 8 | UInt64($1) }
        self.low = bytes[8..<16].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A random one, for Access-Request and Status-Server: from a generator nobody can predict (RFC 2865 3).
    public init(using generator: inout some RandomNumberGenerator) {
        self.high = generator.next()
        self.low = generator.next()
    }

    /// The 16 bytes as on the wire.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        bytes.appendBigEndian(self.high)
        bytes.appendBigEndian(self.low)
        return bytes
    }
}
