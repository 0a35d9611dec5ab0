// SPDX-License-Identifier: Apache-2.0
// A punted IPv6 frame, a Router Solicitation or a DHCPv6 message, taken apart and checked for trust; and frames that go back.

import BNGCore
import DHCPv6
import Ethernet
import Fleet
import NeighborDiscovery
import PPPoE

/// What a line sent by IPv6.
struct IPv6Frame: Sendable {
    enum Content: Sendable {
        case solicitation
        /// `isUnicast`: sent to an address of our own.
        case dhcpv6(DHCPv6Packet, isUnicast: Bool)
    }

    enum Refusal: Error {
        case malformedFrame, malformedND, malformedDHCPv6, untrustedRelay, relayWithoutMAC
    }

    static let clientPort: UInt16 = 546
    static let serverPort: UInt16 = 547

    var content: Content
    /// With the session's id inside PPPoE.
    var line: LineKey
    var path: ReplyPath
    var source: IPv6Address
    /// Interface-Id and Remote-Id as option 82 would carry them; empty: none.
    var circuit: [UInt8] = []
    /// Behind a layer-3 relay: the link the client is on, by an address of the relay's there.
    var link: IPv6Address?
    /// The same with the circuit on that link.
    var origin: [UInt8]? { self.link.map { $0.bytes + self.circuit } }

    init(_ packet: PuntedPacket, from node: NodeName) throws(Refusal) {
        let span = packet.frame.span
        let ethernet: EthernetHeader
        let ipv6: IPv6Packet
        var pppoeID: UInt16 = 0
        do {
            ethernet = try EthernetHeader(decoding: span)
            var at = ethernet.length
            if ethernet.etherType == EthernetHeader.pppoeSession {
                let (id, payload) = try PPPoECodec.decodeSession(span, at: at)
                (pppoeID, at) = (id, payload.lowerBound + 2)
            }
            ipv6 = try IPv6Packet(decoding: span, at: at)
        } catch { throw .malformedFrame }
        guard !ethernet.source.isMulticast, ethernet.source != .zero else { throw .malformedFrame }
        self.source = ipv6.source
        self.path = ReplyPath(
            node: node, port: packet.port.name, portMAC: packet.portMAC, tags: ethernet.tags, peerMAC: ethernet.source)
        self.line = LineKey(
            accessDomain: packet.port.accessDomain, sVLAN: ethernet.tags.sVLAN, cVLAN: ethernet.tags.cVLAN,
            mac: ethernet.source, pppoeID: pppoeID)
        guard packet.puntClass == .dhcpv6 else {
            self.content = .solicitation
            try Self.checkSolicitation(ipv6, packet.frame)
            return
        }
        let relayed: DHCPv6Packet
        do {
            let datagram = try UDPv6Datagram(ipv6, in: span)
            guard datagram.destinationPort == Self.serverPort else { throw DecodeError(.invalid(field: "port"), at: 0) }
            relayed = try DHCPv6Codec.decode(span.extracting(datagram.payload))
        } catch { throw .malformedDHCPv6 }
        guard !relayed.isRelayReply else { throw .malformedDHCPv6 }
        self.content = .dhcpv6(relayed, isUnicast: !ipv6.destination.isMulticast && relayed.hops.isEmpty)
        try self.checkTrust(relayed, packet)
    }

    private static func checkSolicitation(_ ipv6: IPv6Packet, _ frame: [UInt8]) throws(Refusal) {
        let envelope = NeighborDiscoveryEnvelope(
            source: ipv6.source, destination: ipv6.destination, hopLimit: ipv6.hopLimit)
        do {
            let datagram = try ICMPv6Datagram(ipv6, in: frame.span)
            let message = try NeighborDiscoveryCodec.decode(frame.span, datagram.message, envelope)
            guard case .routerSolicitation = message else { throw DecodeError(.invalid(field: "type"), at: 0) }
        } catch { throw .malformedND }
    }

    /// FEATURES A3, for IPv6: what an access node or a relay adds counts only from where one is expected.
    private mutating func checkTrust(_ packet: DHCPv6Packet, _ punted: PuntedPacket) throws(Refusal) {
        guard let nearest = packet.hops.last else { return }
        guard punted.port.relayTrust != .none else { throw .untrustedRelay }
        for (code, value) in [(UInt8(1), nearest.interfaceID), (2, nearest.remoteID)] {
            guard let value, !value.isEmpty else { continue }
            self.circuit += [code, UInt8(clamping: value.count)] + value.prefix(255)
        }
        try self.findRelay(packet, punted)
    }
}

extension ReplyPath {
    /// An IPv6 packet back to the line, which `encode` appends.
    func frame(pppoeID: UInt16, _ encode: (inout [UInt8]) -> Void) -> [UInt8] {
        var packet: [UInt8] = []
        packet.reserveCapacity(320)
        guard pppoeID == 0 else {
            packet += [0x00, 0x57]
            encode(&packet)
            return self.frame(pppoeID: pppoeID, packet)
        }
        EthernetHeader(destination: self.peerMAC, source: self.portMAC, tags: self.tags, etherType: 0x86dd)
            .encode(into: &packet)
        encode(&packet)
        return packet
    }
}
