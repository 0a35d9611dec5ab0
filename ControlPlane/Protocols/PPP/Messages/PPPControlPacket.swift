// SPDX-License-Identifier: Apache-2.0
// What PPP frames of control protocols are made of: protocol numbers, codes, packets, options (RFC 1661 5 and 6).

import BNGCore

/// Protocol field of a frame. An open set: peers send what they like.
public struct PPPProtocol: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let ipv4 = PPPProtocol(rawValue: 0x0021)
    public static let ipv6 = PPPProtocol(rawValue: 0x0057)
    public static let ipcp = PPPProtocol(rawValue: 0x8021)
    public static let ipv6cp = PPPProtocol(rawValue: 0x8057)
    public static let lcp = PPPProtocol(rawValue: 0xc021)
    public static let pap = PPPProtocol(rawValue: 0xc023)
    public static let chap = PPPProtocol(rawValue: 0xc223)
}

/// Codes of LCP; 1 to 7 are those of every network control protocol too.
public enum PPPCode {
    public static let configureRequest: UInt8 = 1
    public static let configureAck: UInt8 = 2
    public static let configureNak: UInt8 = 3
    public static let configureReject: UInt8 = 4
    public static let terminateRequest: UInt8 = 5
    public static let terminateAck: UInt8 = 6
    public static let codeReject: UInt8 = 7
    public static let protocolReject: UInt8 = 8
    public static let echoRequest: UInt8 = 9
    public static let echoReply: UInt8 = 10
    public static let discardRequest: UInt8 = 11
    /// RFC 1570 1.1.
    public static let identification: UInt8 = 12
    /// RFC 1570 1.2.
    public static let timeRemaining: UInt8 = 13
}

/// One packet of a control or authentication protocol.
public struct PPPControlPacket: Equatable, Sendable {
    public var code: UInt8
    public var identifier: UInt8
    public var data: [UInt8]

    public init(code: UInt8, identifier: UInt8, data: [UInt8] = []) {
        self.code = code
        self.identifier = identifier
        self.data = data
    }
}

/// One configuration option.
public struct PPPOption: Equatable, Sendable {
    /// Bytes of a value at most.
    public static let valueLimit = 253

    public var type: UInt8
    public var value: [UInt8]

    public init(_ type: UInt8, _ value: [UInt8] = []) {
        self.type = type
        self.value = value
    }

    /// The value as a 16-bit number; nil unless it has two bytes.
    public var uint16: UInt16? {
        self.value.count == 2 ? self.value.reduce(0) { $0 << 8 | UInt16($1) } : nil
    }

    /// The value as a 32-bit number; nil unless it has four bytes.
    public var uint32: UInt32? {
        self.value.count == 4 ? self.value.reduce(0) { $0 << 8 | UInt32($1) } : nil
    }

    /// The value as a 64-bit number; nil unless it has eight bytes.
    public var uint64: UInt64? {
        self.value.count == 8 ? self.value.reduce(0) { $0 << 8 | UInt64($1) } : nil
    }
}

/// Types of the options this side knows.
public enum PPPOptionType {
    /// LCP (RFC 1661 6).
    public static let mru: UInt8 = 1
    public static let authentication: UInt8 = 3
    public static let magic: UInt8 = 5
    /// IPCP (RFC 1332 3, RFC 1877 1).
    public static let ipAddress: UInt8 = 3
    public static let primaryDNS: UInt8 = 129
    public static let secondaryDNS: UInt8 = 131
    /// IPv6CP (RFC 5072 4.1).
    public static let interfaceID: UInt8 = 1
}

extension PPPOption {
    static func number(_ type: UInt8, _ value: UInt16) -> PPPOption {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(value)
        return PPPOption(type, bytes)
    }

    static func number(_ type: UInt8, _ value: UInt32) -> PPPOption {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(value)
        return PPPOption(type, bytes)
    }

    static func number(_ type: UInt8, _ value: UInt64) -> PPPOption {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(value)
        return PPPOption(type, bytes)
    }
}
