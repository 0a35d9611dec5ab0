// SPDX-License-Identifier: Apache-2.0
// What the server machine is made with: protocols of authentication, configuration, randomness, addresses, and the
// proof a client gives.

import BNGCore

/// How a client may authenticate itself.
public enum PPPAuthentication: String, Hashable, Sendable, Codable, CaseIterable {
    case pap
    case chapMD5 = "chap"
    case msChapV2 = "ms-chap-v2"
}

/// How the machine behaves; alike for all clients of one access domain.
public struct PPPConfiguration: Hashable, Sendable {
    /// In order of preference: the first is offered, a Configure-Nak may choose another. Empty: none is asked for.
    public var authentication: [PPPAuthentication]
    /// Longest packet we receive, and send. 1492, or more with RFC 4638.
    public var mru: UInt16
    /// IPv6CP is negotiated; else rejected.
    public var ipv6cp: Bool
    /// What a CHAP challenge says of us; at most 255 bytes of it.
    public var hostName: String
    /// How long the client's first Configure-Request is waited for before ours is sent: it dials, and has its socket a moment
    /// after the PADS, so that an earlier one would be lost and cost a restart. Zero: not at all.
    public var listen: Duration = .seconds(1)
    /// Restart timer (RFC 1661 4.6), and between two CHAP challenges.
    public var restart: Duration = .seconds(3)
    /// Configure-Requests and challenges without an answer.
    public var maxConfigure: UInt8 = 10
    /// Terminate-Requests without an answer.
    public var maxTerminate: UInt8 = 2
    /// Configure-Naks before options are rejected instead.
    public var maxFailure: UInt8 = 5
    /// LCP must open within, and then authentication succeed within.
    public var authenticationLimit: Duration = .seconds(30)
    /// IPCP must open within.
    public var networkLimit: Duration = .seconds(30)

    public init(authentication: [PPPAuthentication], mru: UInt16 = 1_492, ipv6cp: Bool = true, hostName: String) {
        self.authentication = authentication
        self.mru = mru
        self.ipv6cp = ipv6cp
        self.hostName = hostName
    }
}

/// The randomness of one link, drawn by the driver.
public struct PPPSeeds: Hashable, Sendable {
    /// Never 0: that means no magic number (RFC 1661 6.4).
    public let magic: UInt32
    /// 16 bytes nobody can foretell.
    public let challenge: [UInt8]
    /// Never 0 (RFC 5072 4.1).
    public let interfaceID: UInt64

    /// Zeros become ones; the challenge is cut or filled to 16 bytes.
    public init(magic: UInt32, challenge: [UInt8], interfaceID: UInt64) {
        self.magic = max(1, magic)
        self.challenge = Array((challenge + [UInt8](repeating: 0, count: 16)).prefix(16))
        self.interfaceID = max(1, interfaceID)
    }
}

/// What IPCP grants.
public struct PPPAddresses: Hashable, Sendable {
    /// Ours.
    public var local: IPv4Address
    /// The client's.
    public var peer: IPv4Address
    /// Primary and secondary; more are not told.
    public var dns: [IPv4Address]

    public init(local: IPv4Address, peer: IPv4Address, dns: [IPv4Address] = []) {
        self.local = local
        self.peer = peer
        self.dns = dns
    }
}

/// What a client proves its name by.
public enum PPPProof: Hashable, Sendable {
    /// No authentication is configured.
    case none
    case password([UInt8])
    /// 16 bytes of challenge and of response (RFC 1994 4.1).
    case chap(identifier: UInt8, challenge: [UInt8], response: [UInt8])
    /// 16 bytes of challenge; the response's 49 bytes (RFC 2759 4).
    case msChapV2(identifier: UInt8, challenge: [UInt8], response: [UInt8])
}

/// Why a link ended.
public enum PPPTerminateReason: String, Hashable, Sendable, Codable, CaseIterable {
    /// The client's Terminate-Request.
    case userRequest = "user_request"
    case authenticationFailed = "authentication_failed"
    /// Nobody proved anything in time.
    case authenticationTimeout = "authentication_timeout"
    /// LCP or IPCP did not converge, or was rejected as a whole.
    case negotiationFailed = "negotiation_failed"
    /// IPCP did not open in time.
    case networkTimeout = "network_timeout"
    /// We hear ourselves (RFC 1661 6.4).
    case looped
    case lostCarrier = "lost_carrier"
    case adminReset = "admin_reset"
    case sessionTimeout = "session_timeout"
    case idleTimeout = "idle_timeout"
    /// The client began LCP anew.
    case renegotiated
    /// The address could not be made durable or be installed.
    case confirmationFailed = "confirmation_failed"
    /// Another session took its place.
    case replaced
}

/// What is counted of peers' behaviour.
public enum PPPCounter: String, Hashable, Sendable, Codable, CaseIterable {
    case malformed
    /// Well formed, but not due now.
    case unexpected
    case unknownProtocol = "unknown_protocol"
    case unknownCode = "unknown_code"
    /// The peer rejected a code, or a protocol, of ours.
    case codeRejected = "code_rejected"
    case protocolRejected = "protocol_rejected"
    case looped
    case retransmitted
    case authenticationTimeout = "authentication_timeout"
}

/// What the store keeps of an open link and the data plane needs.
public struct PPPLink: Hashable, Sendable, Codable {
    /// 0: none was agreed on.
    public var localMagic: UInt32 = 0
    public var peerMagic: UInt32 = 0
    /// Longest packet we may send, and receive.
    public var peerMRU: UInt16 = 0
    public var localMRU: UInt16 = 0
    /// 0 unless IPv6CP is open.
    public var localInterfaceID: UInt64 = 0
    public var peerInterfaceID: UInt64 = 0
    /// How the client was authenticated; nil: not at all.
    public var authentication: PPPAuthentication?

    public init() {}
}
