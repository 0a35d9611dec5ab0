// SPDX-License-Identifier: Apache-2.0
// DHCPv6 messages as values (RFC 8415 8 and 9): what a client said, and the relays it came through.

import BNGCore

/// RFC 8415 7.3, without the two of relays.
public enum DHCPv6MessageType: UInt8, Sendable {
    case solicit = 1
    case advertise = 2
    case request = 3
    case confirm = 4
    case renew = 5
    case rebind = 6
    case reply = 7
    case release = 8
    case decline = 9
    case reconfigure = 10
    case informationRequest = 11
}

/// A message between client and server.
public struct DHCPv6Message: Equatable, Sendable {
    public var type: DHCPv6MessageType
    /// 24 bits.
    public var transactionID: UInt32
    public var options: [DHCPv6Option]

    public init(_ type: DHCPv6MessageType, transactionID: UInt32, options: [DHCPv6Option] = []) {
        self.type = type
        self.transactionID = transactionID & 0xff_ffff
        self.options = options
    }

    public var clientID: DUID? {
        self.options.lazy.compactMap { if case .clientID(let duid) = $0 { duid } else { nil } }.first
    }

    public var serverID: DUID? {
        self.options.lazy.compactMap { if case .serverID(let duid) = $0 { duid } else { nil } }.first
    }

    /// In the order they stood.
    public var associations: [IdentityAssociation] {
        self.options.compactMap { if case .association(let association) = $0 { association } else { nil } }
    }

    /// Codes of all Option Request options; nil without one.
    public var requestedOptions: [UInt16]? {
        let lists = self.options.compactMap { option -> [UInt16]? in
            if case .optionRequest(let codes) = option { codes } else { nil }
        }
        return lists.isEmpty ? nil : Array(lists.joined())
    }

    public var wantsRapidCommit: Bool { self.options.contains(.rapidCommit) }
    public var acceptsReconfigure: Bool { self.options.contains(.reconfigureAccept) }
}

/// One relay a packet came through, or goes back through (RFC 8415 9); a light-weight one has no link address (RFC 6221).
public struct DHCPv6RelayHop: Equatable, Sendable {
    public var hopCount: UInt8
    public var linkAddress: IPv6Address
    public var peerAddress: IPv6Address
    /// Without the relayed message.
    public var options: [DHCPv6Option]

    public init(
        hopCount: UInt8 = 0, linkAddress: IPv6Address = .zero, peerAddress: IPv6Address,
        options: [DHCPv6Option] = []
    ) {
        self.hopCount = hopCount
        self.linkAddress = linkAddress
        self.peerAddress = peerAddress
        self.options = options
    }

    public var interfaceID: [UInt8]? {
        self.options.lazy.compactMap { if case .interfaceID(let id) = $0 { id } else { nil } }.first
    }

    /// Without the enterprise number.
    public var remoteID: [UInt8]? {
        self.options.lazy.compactMap { if case .remoteID(_, let id) = $0 { id } else { nil } }.first
    }

    /// The client's Ethernet address as the relay saw it (RFC 6939).
    public var clientMAC: MACAddress? {
        self.options.lazy.compactMap { option -> MACAddress? in
            guard case .other(DHCPv6OptionCode.clientLinkLayerAddress, let value) = option, value.starts(with: [0, 1])
            else { return nil }
            return MACAddress(value.dropFirst(2))
        }.first
    }

    public var subscriberID: [UInt8]? {
        self.options.lazy.compactMap { if case .subscriberID(let id) = $0 { id } else { nil } }.first
    }
}

/// A UDP payload: a message, in as many envelopes as there were relays.
public struct DHCPv6Packet: Equatable, Sendable {
    /// The nearest to the server first; the last is the one beside the client.
    public var hops: [DHCPv6RelayHop]
    public var isRelayReply: Bool
    public var message: DHCPv6Message

    public init(_ message: DHCPv6Message, hops: [DHCPv6RelayHop] = [], isRelayReply: Bool = false) {
        self.message = message
        self.hops = hops
        self.isRelayReply = isRelayReply && !hops.isEmpty
    }

    /// A message on its way back through the same relays: addresses and hop counts as they came, and of the options those
    /// that must come back: Interface-Id (RFC 8415 21.18) and Relay-Source-Port (RFC 8357 5.4).
    public func reply(_ message: DHCPv6Message) -> DHCPv6Packet {
        let back = self.hops.map { hop in
            var hop = hop
            hop.options = hop.options.filter { [DHCPv6OptionCode.interfaceID, 135].contains($0.code) }
            return hop
        }
        return DHCPv6Packet(message, hops: back, isRelayReply: true)
    }
}
