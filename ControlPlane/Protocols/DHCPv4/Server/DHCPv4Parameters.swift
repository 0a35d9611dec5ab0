// SPDX-License-Identifier: Apache-2.0
// What a reply carries apart from the address, and which request means what (RFC 2131 table 4).

import BNGCore

/// Configuration a server hands out with an address; times in seconds.
public struct DHCPv4Parameters: Equatable, Sendable {
    public struct Option: Equatable, Sendable {
        public var code: UInt8
        public var data: [UInt8]

        public init(code: UInt8, data: [UInt8]) {
            self.code = code
            self.data = data
        }
    }

    public var serverIdentifier: IPv4Address
    public var gateway: IPv4Address
    public var netmask: IPv4Address
    public var lease: Seconds
    public var renewal: Seconds
    public var rebinding: Seconds
    /// Sent when the client asks for them (option 55), or when it sends no list.
    public var options: [Option]

    public init(
        serverIdentifier: IPv4Address, gateway: IPv4Address, netmask: IPv4Address, lease: Seconds, renewal: Seconds,
        rebinding: Seconds, options: [Option]
    ) {
        self.serverIdentifier = serverIdentifier
        self.gateway = gateway
        self.netmask = netmask
        self.lease = lease
        self.renewal = renewal
        self.rebinding = rebinding
        self.options = options
    }
}

/// The four kinds of DHCPREQUEST, told apart as RFC 2131 4.3.2 does.
enum DHCPv4RequestKind: Equatable, Sendable {
    /// Answers an offer: names a server and the address.
    case selecting(server: IPv4Address, address: IPv4Address)
    /// Verifies a remembered address: no server, ciaddr zero.
    case initReboot(address: IPv4Address)
    /// Extends: ciaddr filled in, no option 50 or 54. Unicast or broadcast does not matter to the answer.
    case renewing(address: IPv4Address)
    case malformed

    init(_ message: DHCPv4Message) {
        let requested = message.options[DHCPv4OptionCode.requestedAddress]
        let address = message.address(DHCPv4OptionCode.requestedAddress)
        if message.options[DHCPv4OptionCode.serverIdentifier] != nil {
            guard let server = message.address(DHCPv4OptionCode.serverIdentifier), let address else {
                self = .malformed
                return
            }
            self = .selecting(server: server, address: address)
        } else if requested != nil {
            guard let address, message.clientAddress == .zero else {
                self = .malformed
                return
            }
            self = .initReboot(address: address)
        } else if message.clientAddress != .zero {
            self = .renewing(address: message.clientAddress)
        } else {
            self = .malformed
        }
    }
}

/// Where a reply goes (RFC 2131 4.1).
public enum DHCPv4Delivery: Equatable, Sendable {
    /// UDP port 67 of the relay.
    case relay(IPv4Address)
    /// The client's configured address.
    case unicast(IPv4Address)
    /// The offered address at the client's hardware address, without ARP.
    case hardware(IPv4Address)
    case broadcast

    init(of type: DHCPv4MessageType, to request: DHCPv4Message, yourAddress: IPv4Address) {
        if request.relayAddress != .zero {
            self = .relay(request.relayAddress)
        } else if type == .nak {
            self = .broadcast
        } else if request.clientAddress != .zero {
            self = .unicast(request.clientAddress)
        } else if request.wantsBroadcast || yourAddress == .zero {
            self = .broadcast
        } else {
            self = .hardware(yourAddress)
        }
    }
}
