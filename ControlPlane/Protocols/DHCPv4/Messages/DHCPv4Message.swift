// SPDX-License-Identifier: Apache-2.0
// A DHCPv4 message as values (RFC 2131 section 2), options as they were on the wire.

import BNGCore

/// Value of option 53 (RFC 2132 9.6).
public enum DHCPv4MessageType: UInt8, Sendable {
    case discover = 1
    case offer = 2
    case request = 3
    case decline = 4
    case ack = 5
    case nak = 6
    case release = 7
    case inform = 8
}

/// Option codes that are acted on.
public enum DHCPv4OptionCode {
    public static let subnetMask: UInt8 = 1
    public static let router: UInt8 = 3
    public static let nameServers: UInt8 = 6
    public static let hostName: UInt8 = 12
    public static let requestedAddress: UInt8 = 50
    public static let leaseTime: UInt8 = 51
    public static let overload: UInt8 = 52
    public static let messageType: UInt8 = 53
    public static let serverIdentifier: UInt8 = 54
    public static let parameterRequestList: UInt8 = 55
    public static let message: UInt8 = 56
    public static let maximumMessageSize: UInt8 = 57
    public static let renewalTime: UInt8 = 58
    public static let rebindingTime: UInt8 = 59
    public static let vendorClass: UInt8 = 60
    public static let clientIdentifier: UInt8 = 61
    public static let relayAgentInformation: UInt8 = 82
    public static let end: UInt8 = 255
}

/// A BOOTP head and its options. Only Ethernet clients (htype 1, hlen 6).
public struct DHCPv4Message: Equatable, Sendable {
    public enum Op: UInt8, Sendable { case request = 1, reply = 2 }

    public var op: Op
    public var hops: UInt8
    public var xid: UInt32
    public var secs: UInt16
    public var flags: UInt16
    public var clientAddress: IPv4Address
    public var yourAddress: IPv4Address
    public var nextServer: IPv4Address
    public var relayAddress: IPv4Address
    public var clientMAC: MACAddress
    public var options: DHCPv4Options

    public init(
        op: Op, hops: UInt8 = 0, xid: UInt32, secs: UInt16 = 0, flags: UInt16 = 0, clientAddress: IPv4Address = .zero,
        yourAddress: IPv4Address = .zero, nextServer: IPv4Address = .zero, relayAddress: IPv4Address = .zero,
        clientMAC: MACAddress, options: DHCPv4Options = DHCPv4Options()
    ) {
        self.op = op
        self.hops = hops
        self.xid = xid
        self.secs = secs
        self.flags = flags
        self.clientAddress = clientAddress
        self.yourAddress = yourAddress
        self.nextServer = nextServer
        self.relayAddress = relayAddress
        self.clientMAC = clientMAC
        self.options = options
    }

    /// The client cannot take unicast before it has an address (RFC 2131 4.1).
    public var wantsBroadcast: Bool { self.flags & 0x8000 != 0 }

    /// Option 53; nil if absent or not one byte with a known value.
    public var type: DHCPv4MessageType? {
        guard let value = self.options[DHCPv4OptionCode.messageType], value.count == 1 else { return nil }
        return DHCPv4MessageType(rawValue: value[value.startIndex])
    }

    /// The address in an option of four bytes; nil if absent or of another length.
    public func address(_ code: UInt8) -> IPv4Address? {
        self.options[code].flatMap { IPv4Address($0) }
    }
}
