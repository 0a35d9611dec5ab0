// SPDX-License-Identifier: Apache-2.0
// What a client asks a port-control server, and what it can be answered, whichever of the two protocols it speaks.

import BNGCore

/// PCP's result codes (RFC 6887 7.4).
public enum PCPResult: UInt8, Sendable {
    case success = 0
    case unsupportedVersion = 1
    case notAuthorized = 2
    case malformedRequest = 3
    case unsupportedOpcode = 4
    case unsupportedOption = 5
    case malformedOption = 6
    case networkFailure = 7
    case noResources = 8
    case unsupportedProtocol = 9
    case quotaExceeded = 10
    case cannotProvideExternal = 11
    case addressMismatch = 12

    /// Seconds for which a client need not ask again: RFC 6887 7.4 calls them short and long.
    var errorLifetime: UInt32 {
        switch self {
        case .networkFailure, .noResources, .quotaExceeded, .cannotProvideExternal: 30
        default: 1_800
        }
    }

    /// NAT-PMP's result codes (RFC 6886 3.5).
    var natPMP: UInt16 {
        switch self {
        case .success: 0
        case .unsupportedVersion: 1
        case .networkFailure: 3
        case .noResources, .quotaExceeded, .cannotProvideExternal: 4
        case .unsupportedOpcode, .malformedRequest: 5
        default: 2
        }
    }
}

/// The protocol of a port.
public enum PCPTransport: UInt8, Sendable { case tcp = 6, udp = 17 }

/// A wish of a client about its mappings.
public struct PCPMapRequest: Equatable, Sendable {
    /// nil: of both; only of a deletion (RFC 6887 11.1).
    public var transport: PCPTransport?
    /// 0: all; only of a deletion.
    public var internalPort: UInt16
    /// 0: any.
    public var suggestedPort: UInt16
    public var suggestedAddress: IPv4Address
    /// 0: delete.
    public var lifetime: UInt32
    /// 12 bytes; empty: by NAT-PMP, which has none.
    public var nonce: [UInt8]
    /// This port and no other (RFC 6887 13.2).
    public var prefersFailure: Bool

    public var isDeletion: Bool { self.lifetime == 0 }
}

/// A request, and all that its answer repeats of it.
public struct PCPRequest: Equatable, Sendable {
    public enum Question: Equatable, Sendable {
        case announce
        /// NAT-PMP's question for the public address (RFC 6886 3.2).
        case address
        case map(PCPMapRequest)
        /// Answered as it stands.
        case wrong(PCPResult)
    }

    public var question: Question
    public var isNATPMP: Bool
    /// Of PCP: from its first byte, at most 1,100.
    var bytes: [UInt8]
    var opcode: UInt8

    init(_ question: Question, isNATPMP: Bool, bytes: [UInt8], opcode: UInt8) {
        self.question = question
        self.isNATPMP = isNATPMP
        self.bytes = bytes
        self.opcode = opcode
    }
}

/// What a client is told of a mapping.
public struct PCPGranted: Equatable, Sendable {
    public var port: UInt16
    public var address: IPv4Address
    /// Seconds left.
    public var lifetime: UInt32

    public init(port: UInt16, address: IPv4Address, lifetime: UInt32) {
        self.port = port
        self.address = address
        self.lifetime = lifetime
    }
}
