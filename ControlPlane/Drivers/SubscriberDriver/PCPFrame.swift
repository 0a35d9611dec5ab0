// SPDX-License-Identifier: Apache-2.0
// A punted request for port control, from a line or from inside a PPPoE session, and the frame that answers it.

import BNGCore
import Ethernet
import Fleet
import PCP
import PPPoE
import Subscribers

/// What a customer's host asks the PCP server.
struct PCPFrame: Sendable {
    enum Refusal: Error { case malformedFrame, notPCP }

    private static let pppIPv4: [UInt8] = [0x00, 0x21]

    /// As the node has found it.
    var session: SessionID
    var request: PCPRequest
    var source: IPv4Address
    private var sourcePort: UInt16
    private var destination: IPv4Address
    private var path: ReplyPath
    private var pppoeID: UInt16?

    init(_ packet: PuntedPacket, from node: NodeName) throws(Refusal) {
        let span = packet.frame.span
        let ethernet: EthernetHeader
        let datagram: UDPDatagram
        do {
            ethernet = try EthernetHeader(decoding: span)
            var start = ethernet.length
            if ethernet.etherType == EthernetHeader.pppoeSession {
                let (id, payload) = try PPPoECodec.decodeSession(span, at: start)
                guard packet.frame[payload].starts(with: Self.pppIPv4) else { throw Refusal.notPCP }
                (self.pppoeID, start) = (id, payload.lowerBound + 2)
            } else if ethernet.etherType != EthernetHeader.ipv4 {
                throw Refusal.notPCP
            }
            datagram = try UDPDatagram(decoding: span, at: start)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw .malformedFrame
        }
        guard datagram.destinationPort == PCPCodec.serverPort, packet.session.rawValue != 0,
            let request = PCPCodec.decode(Array(packet.frame[datagram.payload]), from: datagram.source)
        else { throw .notPCP }
        self.session = packet.session
        self.request = request
        (self.source, self.sourcePort) = (datagram.source, datagram.sourcePort)
        self.destination = datagram.destination
        self.path = ReplyPath(
            node: node, port: packet.port.name, portMAC: packet.portMAC, tags: ethernet.tags, peerMAC: ethernet.source)
    }

    var node: NodeName { self.path.node }
    var port: String { self.path.port }

    /// The frame that carries an answer back.
    func reply(_ answer: [UInt8]) -> [UInt8] {
        var packet: [UInt8] = self.pppoeID == nil ? [] : Self.pppIPv4
        encodeUDP(
            from: (self.destination, PCPCodec.serverPort), to: (self.source, self.sourcePort), payload: answer,
            into: &packet)
        if let id = self.pppoeID { return self.path.frame(pppoeID: id, packet) }
        var frame: [UInt8] = []
        EthernetHeader(
            destination: self.path.peerMAC, source: self.path.portMAC, tags: self.path.tags,
            etherType: EthernetHeader.ipv4
        ).encode(into: &frame)
        return frame + packet
    }
}
