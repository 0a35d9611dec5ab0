// SPDX-License-Identifier: Apache-2.0
// A punted DHCPv4 request taken apart and checked for trust, and the frame that answers it.

import BNGCore
import DHCPv4
import Ethernet
import Fleet

/// Where a request came from: all that is needed to answer it.
struct ReplyPath: Sendable {
    var node: NodeName
    var port: String
    var portMAC: MACAddress
    var tags: VLANTags
    /// Layer-2 source of the request: the client, or the router in front of it.
    var peerMAC: MACAddress
}

/// A client message that may be acted upon.
struct DHCPRequestFrame: Sendable {
    var message: DHCPv4Message
    var path: ReplyPath
    var accessDomain: AccessDomainID
    /// Keys under which the client may be known, the likeliest first; more than one only for a renewal that came through a
    /// layer-3 relay without passing its relay agent.
    var lines: [LineKey]

    /// The frame's source is neither the client nor a relay agent: a unicast renewal that a router carried.
    var cameThroughRouter: Bool {
        self.message.relayAddress == .zero && self.path.peerMAC != self.message.clientMAC
    }

    enum Refusal: Error {
        case malformedFrame, notDHCP, malformedDHCP, forgedOption82, untrustedRelay, hardwareMismatch
    }

    init(_ packet: PuntedPacket, from node: NodeName) throws(Refusal) {
        let span = packet.frame.span
        let ethernet: EthernetHeader
        let datagram: UDPDatagram
        do {
            ethernet = try EthernetHeader(decoding: span)
            datagram = try UDPDatagram(decoding: span, at: ethernet.length)
        } catch {
            throw .malformedFrame
        }
        guard ethernet.etherType == EthernetHeader.ipv4, datagram.destinationPort == 67 else { throw .notDHCP }
        do {
            self.message = try DHCPv4Codec.decode(span.extracting(datagram.payload))
        } catch {
            throw .malformedDHCP
        }
        try Self.checkTrust(self.message, packet.port)
        self.accessDomain = packet.port.accessDomain
        self.path = ReplyPath(
            node: node, port: packet.port.name, portMAC: packet.portMAC, tags: ethernet.tags, peerMAC: ethernet.source)
        let message = self.message
        let key = { (relay: IPv4Address) in
            LineKey(
                accessDomain: packet.port.accessDomain, sVLAN: ethernet.tags.sVLAN, cVLAN: ethernet.tags.cVLAN,
                relay: relay, mac: message.clientMAC)
        }
        if message.relayAddress != .zero {
            self.lines = [key(message.relayAddress)]
        } else if ethernet.source == message.clientMAC {
            self.lines = [key(.zero)]
        } else if message.clientAddress != .zero, packet.port.relayTrust == .relays {
            self.lines = packet.port.trustedRelays.map(key)
        } else {
            throw .hardwareMismatch
        }
    }

    /// FEATURES A3: option 82 and giaddr count only from where they are expected.
    private static func checkTrust(_ message: DHCPv4Message, _ port: PortPolicy) throws(Refusal) {
        let hasOption82 = message.options[DHCPv4OptionCode.relayAgentInformation] != nil
        if message.relayAddress != .zero {
            guard port.relayTrust == .relays, port.trustedRelays.contains(message.relayAddress) else {
                throw .untrustedRelay
            }
        } else if hasOption82, port.relayTrust == .none {
            throw .forgedOption82
        }
    }
}

/// The frame that carries `reply` back along `path`.
func replyFrame(
    _ reply: DHCPv4Message, _ delivery: DHCPv4Delivery, from server: IPv4Address, along path: ReplyPath
) -> [UInt8] {
    let target: (mac: MACAddress, address: IPv4Address, port: UInt16)
    switch delivery {
    case .relay(let relay): target = (path.peerMAC, relay, 67)
    case .unicast(let client): target = (path.peerMAC, client, 68)
    case .hardware(let client): target = (reply.clientMAC, client, 68)
    case .broadcast: target = (.broadcast, .broadcast, 68)
    }
    let head = EthernetHeader(
        destination: target.mac, source: path.portMAC, tags: path.tags, etherType: EthernetHeader.ipv4)
    var frame: [UInt8] = []
    frame.reserveCapacity(400)
    head.encode(into: &frame)
    encodeUDP(
        from: (server, 67), to: (target.address, target.port), payload: DHCPv4Codec.encode(reply), into: &frame)
    return frame
}
