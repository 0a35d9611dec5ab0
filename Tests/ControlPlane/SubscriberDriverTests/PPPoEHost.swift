// SPDX-License-Identifier: Apache-2.0
// A PPPoE client in front of the plane: discovery by hand, PPP by the client machine, frames as nodes punt them.

import BNGCore
import Crypto
import Ethernet
import Fleet
import PPP
import PPPClient
import PPPoE
import SubscriberDriver

/// One client on one line.
struct PPPoEHost {
    let mac: MACAddress
    var ppp: PPPClientMachine
    var pppoeID: UInt16 = 0
    /// What came that is not PPP of its session.
    var discovered: [PPPoEDiscovery] = []
    var settings: PPPClientSettings

    init(_ mac: MACAddress, _ settings: PPPClientSettings = PPPClientSettings()) {
        self.mac = mac
        self.settings = settings
        self.ppp = PPPClientMachine(settings)
    }

    func discovery(_ code: PPPoEDiscovery.Code, id: UInt16 = 0, _ tags: [PPPoETag]) -> [UInt8] {
        var bytes = self.head(EthernetHeader.pppoeDiscovery)
        PPPoECodec.encode(PPPoEDiscovery(code: code, sessionID: id, tags: tags), into: &bytes)
        return bytes
    }

    func padr(cookie: UInt8 = 1, service: String = "", more: [PPPoETag] = []) -> [UInt8] {
        let tags = [
            PPPoETag(PPPoETag.serviceName, Array(service.utf8)), PPPoETag(PPPoETag.hostUniq, [7]),
            PPPoETag(PPPoETag.acCookie, [cookie, 2, 3]),
        ]
        return self.discovery(.padr, tags + more)
    }

    func padt() -> [UInt8] { self.discovery(.padt, id: self.pppoeID, []) }

    func frame(_ payload: [UInt8]) -> [UInt8] {
        var bytes = self.head(EthernetHeader.pppoeSession)
        PPPoECodec.appendSessionHeader(sessionID: self.pppoeID, payloadCount: payload.count, into: &bytes)
        return bytes + payload
    }

    private func head(_ type: UInt16) -> [UInt8] {
        var bytes: [UInt8] = []
        EthernetHeader(destination: portMAC, source: self.mac, tags: .untagged, etherType: type).encode(into: &bytes)
        return bytes
    }

    /// Takes a frame of the plane; gives the frames that answer it.
    mutating func take(_ frame: [UInt8]) -> [[UInt8]] {
        guard let head = try? EthernetHeader(decoding: frame.span), head.destination == self.mac else { return [] }
        if head.etherType == EthernetHeader.pppoeDiscovery {
            guard let packet = try? PPPoECodec.decodeDiscovery(frame.span, at: head.length) else { return [] }
            self.discovered.append(packet)
            guard packet.code == .pads, packet.sessionID != 0, self.pppoeID == 0 else { return [] }
            self.pppoeID = packet.sessionID
            return self.run { $0.start(&$1) }
        }
        guard let session = try? PPPoECodec.decodeSession(frame.span, at: head.length),
            session.sessionID == self.pppoeID
        else { return [] }
        let payload = Array(frame[session.payload])
        return self.run { $0.received(payload, &$1) }
    }

    /// IPv6 inside this session, as the frames of an IPoE line.
    func ipv6(in frames: [[UInt8]]) -> [[UInt8]] {
        var found: [[UInt8]] = []
        for frame in frames {
            guard let head = try? EthernetHeader(decoding: frame.span), head.etherType == EthernetHeader.pppoeSession,
                let session = try? PPPoECodec.decodeSession(frame.span, at: head.length)
            else { continue }
            let payload = Array(frame[session.payload])
            guard payload.starts(with: [0x00, 0x57]) else { continue }
            found.append(Array(frame.prefix(12)) + [0x86, 0xdd] + Array(payload.dropFirst(2)))
        }
        return found
    }

    mutating func run(
        _ event: (inout PPPClientMachine, inout [PPPClientMachine.Action]) -> Void
    ) -> [[UInt8]] {
        var actions: [PPPClientMachine.Action] = []
        event(&self.ppp, &actions)
        var frames: [[UInt8]] = []
        while !actions.isEmpty {
            let action = actions.removeFirst()
            if case .send(let payload) = action { frames.append(self.frame(payload)) }
            guard case .prove(_, let identifier, let challenge) = action else { continue }
            let response = Insecure.MD5.hash(data: [identifier] + self.settings.password + challenge)
            self.ppp.proved(identifier: identifier, response: Array(response), &actions)
        }
        return frames
    }
}

extension Scene {
    func punt(_ frame: [UInt8]) {
        let isDiscovery = (try? EthernetHeader(decoding: frame.span))?.etherType == EthernetHeader.pppoeDiscovery
        let policy = PortPolicy(name: "access0", role: .access, accessDomain: 1, relayTrust: self.trust)
        self.plane.receive(
            node: "edge1",
            punts: [
                PuntedPacket(puntClass: isDiscovery ? .pppoe : .ppp, port: policy, portMAC: portMAC, frame: frame)
            ])
    }

    /// Carries frames both ways until `condition` holds, or nothing more comes.
    func converse(
        _ host: inout PPPoEHost, _ first: [[UInt8]], until condition: (PPPoEHost) -> Bool = { _ in false }
    ) async throws {
        for frame in first { self.punt(frame) }
        var quiet = ContinuousClock.now + .seconds(2)
        while !condition(host), ContinuousClock.now < quiet {
            try await self.settle()
            let frames = self.link.takeFrames()
            for answer in frames.flatMap({ host.take($0) }) { self.punt(answer) }
            if !frames.isEmpty { quiet = ContinuousClock.now + .milliseconds(300) }
        }
    }

    /// Dials and waits until the link is open.
    func dial(_ host: inout PPPoEHost, cookie: UInt8 = 1) async throws {
        (host.pppoeID, host.ppp) = (0, PPPClientMachine(host.settings))
        try await self.converse(&host, [host.padr(cookie: cookie)]) { $0.ppp.isOpen }
        try await self.settle()
    }
}
