// SPDX-License-Identifier: Apache-2.0
// NAT44 as a node does it: the policy of many sessions, and what one session is granted of a public address.

import BNGCore

/// Who may send to a mapping (RFC 4787 5).
public enum NATFiltering: UInt8, Sendable, Codable {
    case endpointIndependent = 1
    case addressDependent = 2
}

/// What changes the contents of packets, too: application-level gateways. The raw value is the wire's.
public enum NATALG: UInt8, Sendable, CaseIterable, Comparable {
    /// PORT and EPRT of clients (RFC 959, RFC 2428).
    case ftp = 1

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// How sessions are translated. Defaults are the RFCs'.
public struct NATPolicy: Hashable, Sendable {
    public static let establishedLimits: ClosedRange<Seconds> = 240...864_000
    public static let transitoryLimits: ClosedRange<Seconds> = 60...3_600
    /// Of UDP and of ICMP queries.
    public static let idleLimits: ClosedRange<Seconds> = 30...3_600
    public static let flowLimits: ClosedRange<UInt32> = 16...1_000_000

    public var filtering = NATFiltering.endpointIndependent
    /// RFC 5382 REQ-5: 2 h 4 min.
    public var tcpEstablished: Seconds = 7_440
    /// Half open or closing: RFC 5382 REQ-5, 4 min.
    public var tcpTransitory: Seconds = 240
    /// RFC 4787 REQ-5: 5 min.
    public var udp: Seconds = 300
    /// RFC 5508 REQ-2: 60 s.
    public var icmp: Seconds = 60
    /// TCP connections, and peers let in, that a session may have at once.
    public var flowsPerSession: UInt32 = 4_000
    /// What comes from outside keeps a UDP or ICMP mapping, too.
    public var inboundRefresh = false
    public var portParity = false
    /// None unless asked for.
    public var algs: Set<NATALG> = []
    /// Customers may ask for forwards by PCP and NAT-PMP.
    public var pcp = false

    public init() {}

    /// Whether a node would accept it.
    public var isValid: Bool {
        Self.establishedLimits.contains(self.tcpEstablished) && Self.transitoryLimits.contains(self.tcpTransitory)
            && Self.idleLimits.contains(self.udp) && Self.idleLimits.contains(self.icmp)
            && Self.flowLimits.contains(self.flowsPerSession)
    }
}

/// A port of the public address that leads to a host of the customer.
public struct NATForward: Hashable, Sendable, Codable {
    public enum Transport: UInt8, Sendable, Codable { case tcp = 6, udp = 17 }

    public var transport: Transport
    /// In a block of the session, or 1-1,023.
    public var outsidePort: UInt16
    public var inside: IPv4Address
    public var insidePort: UInt16

    public init(transport: Transport, outsidePort: UInt16, inside: IPv4Address, insidePort: UInt16) {
        self.transport = transport
        self.outsidePort = outsidePort
        self.inside = inside
        self.insidePort = insidePort
    }
}

/// What a session holds of a public address.
public struct NATAttachment: Hashable, Sendable {
    /// Sizes of blocks: powers of two.
    public static let blockSizes: ClosedRange<UInt16> = 64...16_384
    public static let blockLimit = 8
    public static let forwardLimit = 32
    /// Below are only forwards.
    public static let firstBlockPort: UInt16 = 1_024

    /// Id of a NAT policy object; 0: one to one.
    public var policyID: UInt64
    public var address: IPv4Address
    /// Size of every block; 0: the whole address is the session's, one to one.
    public var blockPorts: UInt16
    public var firstPorts: [UInt16]
    public var forwards: [NATForward]

    public init(
        policyID: UInt64, address: IPv4Address, blockPorts: UInt16, firstPorts: [UInt16], forwards: [NATForward] = []
    ) {
        self.policyID = policyID
        self.address = address
        self.blockPorts = blockPorts
        self.firstPorts = firstPorts
        self.forwards = forwards
    }

    /// The whole of an address.
    public init(oneToOne address: IPv4Address) {
        self.init(policyID: 0, address: address, blockPorts: 0, firstPorts: [])
    }

    public var isOneToOne: Bool { self.blockPorts == 0 }

    /// The blocks as ranges of ports.
    public var blocks: [ClosedRange<UInt16>] {
        self.firstPorts.map { $0...($0 + (self.blockPorts - 1)) }
    }
}
