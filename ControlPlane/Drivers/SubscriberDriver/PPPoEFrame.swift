// SPDX-License-Identifier: Apache-2.0
// A punted PPPoE frame, taken apart as far as routing it to its session needs, and frames that go back.

import BNGCore
import Ethernet
import Fleet
import PPPoE

/// What a client sent by PPPoE.
struct PPPoEFrame: Sendable {
    enum Content: Sendable {
        /// A PADR whose cookie the data plane has found good.
        case request(PPPoEDiscovery)
        case terminate
        /// PPP protocol field and information.
        case ppp([UInt8])
    }

    enum Refusal: Error {
        case malformedFrame, malformedPPPoE, notPPPoE, forgedCircuit
    }

    var content: Content
    /// With the session's id, but for a PADR.
    var line: LineKey
    var path: ReplyPath
    /// Circuit and remote id as option 82 would carry them; empty: none.
    var circuit: [UInt8] = []

    init(_ packet: PuntedPacket, from node: NodeName) throws(Refusal) {
        let span = packet.frame.span
        let ethernet: EthernetHeader
        do { ethernet = try EthernetHeader(decoding: span) } catch { throw .malformedFrame }
        guard !ethernet.source.isMulticast, ethernet.source != .zero else { throw .malformedFrame }
        self.path = ReplyPath(
            node: node, port: packet.port.name, portMAC: packet.portMAC, tags: ethernet.tags, peerMAC: ethernet.source)
        self.line = LineKey(
            accessDomain: packet.port.accessDomain, sVLAN: ethernet.tags.sVLAN, cVLAN: ethernet.tags.cVLAN,
            mac: ethernet.source)
        switch ethernet.etherType {
        case EthernetHeader.pppoeDiscovery:
            let discovery: PPPoEDiscovery
            do {
                discovery = try PPPoECodec.decodeDiscovery(span, at: ethernet.length)
            } catch { throw .malformedPPPoE }
            switch discovery.code {
            case .padr: self.content = .request(discovery)
            case .padt:
                self.content = .terminate
                self.line.pppoeID = discovery.sessionID
            default: throw .notPPPoE
            }
            // TR-101: circuit ids count only from where an access node is trusted to have put them.
            guard discovery.hasVendorTag else { return }
            guard packet.port.relayTrust != .none else { throw .forgedCircuit }
            self.circuit = Self.option82(discovery.circuitID, discovery.remoteID)
        case EthernetHeader.pppoeSession:
            do {
                let (id, payload) = try PPPoECodec.decodeSession(span, at: ethernet.length)
                self.line.pppoeID = id
                self.content = .ppp(Array(packet.frame[payload]))
            } catch { throw .malformedPPPoE }
        default: throw .notPPPoE
        }
    }

    private static func option82(_ circuitID: [UInt8], _ remoteID: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (code, value) in [(UInt8(1), circuitID), (2, remoteID)] where !value.isEmpty {
            bytes += [code, UInt8(clamping: value.count)] + value.prefix(255)
        }
        return bytes
    }
}

extension ReplyPath {
    /// A discovery packet back to the client.
    func frame(_ discovery: PPPoEDiscovery) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(128)
        self.header(EthernetHeader.pppoeDiscovery).encode(into: &frame)
        PPPoECodec.encode(discovery, into: &frame)
        return frame
    }

    /// A PPP packet (protocol field and information) back to the client.
    func frame(pppoeID: UInt16, _ payload: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(32 + payload.count)
        self.header(EthernetHeader.pppoeSession).encode(into: &frame)
        PPPoECodec.appendSessionHeader(sessionID: pppoeID, payloadCount: payload.count, into: &frame)
        frame += payload
        return frame
    }

    private func header(_ etherType: UInt16) -> EthernetHeader {
        EthernetHeader(destination: self.peerMAC, source: self.portMAC, tags: self.tags, etherType: etherType)
    }
}
