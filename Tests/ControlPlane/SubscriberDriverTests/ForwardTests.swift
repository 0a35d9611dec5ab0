// SPDX-License-Identifier: Apache-2.0
// Port forwards of a living session: AAA's, an operator's, a customer's by PCP; refused, renewed, ended, and kept over restarts.

import Addressing
import BNGCore
import DHCPv4
import Ethernet
import Subscribers
import Testing

@testable import SubscriberDriver

private let publicAddress = IPv4Address(rawValue: 0xc633_6401)
private let gateway = IPv4Address(rawValue: 0x6440_0001)
private let nonce: [UInt8] = Array(1...12)

private func scene(aaa: AAAPolicy = AAAPolicy(), limit: Int = 32) throws -> Scene {
    let pool = NATPoolPolicy(
        name: "public", vrf: 0, policy: "home", addresses: [try #require(IPv4Range(publicAddress, publicAddress))],
        ports: 1_024...2_047, layout: .dynamic(size: 512, limit: 2), quarantine: 120, alarmPercent: 0)
    return Scene(
        aaa: aaa, natPools: [pool], nat: "public", pcp: ["home": PCPPolicy(limit: limit, lifetimes: 120...86_400)])
}

/// The scene with one customer.
private func online(_ scene: Scene) async throws -> SessionRecord {
    let sessions = scene.store.state.withLock { Array($0.sessions.values) }
    #expect(try await scene.plane.start(sessions: sessions, bindings: []).isEmpty)
    if sessions.isEmpty {
        scene.receive(frame(.discover, mac: mac(1)))
        try await scene.settle()
        let offer = try reply(try #require(scene.link.takeFrames().first))
        scene.receive(frame(.request, mac: mac(1), requested: offer.yourAddress))
    }
    for _ in 0..<3 { try await scene.settle() }
    _ = scene.link.takeFrames()
    return try #require(try await scene.plane.sessions(limit: 1).first)
}

private func installed(_ scene: Scene) -> [UInt16] {
    scene.link.state.withLock { $0.installed.values.flatMap { $0.nat?.forwards.map(\.outsidePort) ?? [] } }
}

private func forward(_ text: String) throws -> PortForward { try #require(PortForward(text)) }

/// RFC 6887 11.1, of TCP port 80.
private func map(
    _ record: SessionRecord, suggested: UInt16 = 0, lifetime: UInt32 = 600, port: UInt16 = 80, nonce: [UInt8] = nonce
) -> [UInt8] {
    var bytes: [UInt8] = [2, 1, 0, 0]
    bytes.appendBigEndian(lifetime)
    bytes += [UInt8](repeating: 0, count: 10) + [0xff, 0xff] + record.address.bytes + nonce + [6, 0, 0, 0]
    bytes.appendBigEndian(port)
    bytes.appendBigEndian(suggested)
    return bytes + [UInt8](repeating: 0, count: 10) + [0xff, 0xff, 0, 0, 0, 0]
}

/// Asks, and gives the answers.
private func ask(_ scene: Scene, _ record: SessionRecord, _ request: [UInt8], times: Int = 1) async throws -> [[UInt8]]
{
    var frame: [UInt8] = []
    EthernetHeader(destination: portMAC, source: mac(1), tags: record.tags, etherType: EthernetHeader.ipv4)
        .encode(into: &frame)
    encodeUDP(from: (record.address, 40_000), to: (gateway, 5_351), payload: request, into: &frame)
    var packet = scene.packet(frame)
    (packet.puntClass, packet.session) = (.pcp, record.id)
    scene.plane.receive(node: "edge1", punts: [PuntedPacket](repeating: packet, count: times))
    for _ in 0..<3 { try await scene.settle() }
    return try scene.link.takeFrames().map { frame in
        let ethernet = try EthernetHeader(decoding: frame.span)
        let datagram = try UDPDatagram(decoding: frame.span, at: ethernet.length)
        #expect(datagram.source == gateway && datagram.destination == record.address)
        #expect(datagram.sourcePort == 5_351 && datagram.destinationPort == 40_000)
        return Array(frame[datagram.payload])
    }
}

struct ForwardTests {
    @Test func `an operator's forward is in force when it is answered, and refused in words`() async throws {
        let scene = try scene()
        let record = try await online(scene)
        let port = try #require(record.nat?.firstPorts.first)
        #expect(try await scene.plane.forward(forward("tcp:\(port):80"), to: record.id))
        #expect(installed(scene) == [port])
        #expect(scene.store.state.withLock { $0.sessions[record.id]?.nat?.forwards.count } == 1)
        for wrong in ["tcp:\(port):81", "tcp:80:81", "tcp:*:80", "tcp:\(port + 1):192.0.2.1:9"] {
            await #expect(throws: PortForwardProblem.self, "\(wrong)") {
                try await scene.plane.forward(forward(wrong), to: record.id)
            }
        }
        #expect(try await scene.plane.forward(forward("udp:*:80"), to: record.id))
        #expect(try await scene.plane.unforward(isTCP: true, outsidePort: port, of: record.id))
        #expect(installed(scene).count == 1)
        #expect(try await scene.plane.forward(forward("tcp:*:1"), to: SessionID(rawValue: 99)) == false)
        try await scene.stop()
    }

    @Test func `a session that gets more ports keeps its forwards`() async throws {
        let scene = try scene()
        let record = try await online(scene)
        scene.plane.natPortsLow(record.id)
        async let forwarded = scene.plane.forward(forward("tcp:*:80"), to: record.id)
        #expect(try await forwarded)
        for _ in 0..<3 { try await scene.settle() }
        let nat = try #require(try await scene.plane.session(record.id)?.nat)
        #expect(nat.forwards.count == 1 && nat.firstPorts.count == 2 && installed(scene).count == 1)
        try await scene.stop()
    }

    @Test func `what the node refuses is undone and said`() async throws {
        let scene = try scene()
        let record = try await online(scene)
        scene.link.state.withLock { $0.refusesNextInstalls = 1 }
        await #expect(throws: PortForwardProblem.self) {
            try await scene.plane.forward(forward("tcp:*:80"), to: record.id)
        }
        try await scene.settle()
        #expect(installed(scene).isEmpty)
        #expect(scene.store.state.withLock { $0.sessions[record.id]?.nat } == record.nat)
        #expect(try await scene.plane.session(record.id)?.phase == .active)
        try await scene.stop()
    }

    @Test func `a customer's forward is made, renewed, deleted, and answered after the node`() async throws {
        let scene = try scene()
        let record = try await online(scene)
        let port = try #require(record.nat?.firstPorts.first) + 7
        // Said twice, answered once.
        let answers = try await ask(scene, record, map(record, suggested: port), times: 2)
        let answer = try #require(answers.first)
        #expect(
            answers.count == 1 && answer[3] == 0 && Array(answer[42..<44]) == [UInt8(port >> 8), UInt8(port & 0xff)])
        #expect(installed(scene) == [port])
        #expect(try await ask(scene, record, map(record, nonce: [UInt8](repeating: 9, count: 12))).first?[3] == 2)
        scene.clock.advance(500)
        #expect(try await ask(scene, record, map(record)).first?[3] == 0)
        scene.clock.advance(500)
        for _ in 0..<3 { try await scene.settle() }
        #expect(installed(scene) == [port])
        #expect(try await ask(scene, record, map(record, lifetime: 0)).first?[3] == 0)
        #expect(installed(scene).isEmpty)
        #expect(try await scene.plane.counters()[.pcpMapped] == 3)
        try await scene.stop()
    }

    @Test func `a customer's forward outlives the controller, and ends`() async throws {
        let first = try scene()
        let record = try await online(first)
        _ = try await ask(first, record, map(record))
        let before = try #require(first.store.state.withLock { $0.sessions[record.id] })
        #expect(NATGrant(text: before.nat?.text ?? "") == before.nat && before.nat?.forwards.count == 1)
        try await first.stop()

        let second = try scene()
        second.store.state.withLock { $0.sessions = [before.id: before] }
        let restored = try await online(second)
        #expect(restored.nat == before.nat && installed(second).count == 1)
        let answer = try #require(try await ask(second, restored, map(restored)).first)
        #expect(answer[3] == 0 && installed(second).count == 1)
        second.clock.advance(700)
        for _ in 0..<10 where !installed(second).isEmpty {
            try await Task.sleep(for: .milliseconds(10))
            try await second.settle()
        }
        #expect(installed(second).isEmpty)
        #expect(try await second.plane.counters()[.pcpExpired] == 1)
        try await second.stop()
    }

    @Test func `a customer gets no more than the policy says, and nobody another's`() async throws {
        let scene = try scene(limit: 1)
        let record = try await online(scene)
        #expect(try await ask(scene, record, map(record)).first?[3] == 0)
        #expect(try await ask(scene, record, map(record, port: 81)).first?[3] == 10)
        var other = record
        other.address = IPv4Address(rawValue: 0x6440_0999)
        #expect(try await ask(scene, other, map(other)).isEmpty)
        #expect(try await scene.plane.counters()[.pcpIgnored] == 1)
        scene.clock.advance(1)
        scene.link.state.withLock { $0.refusesNextInstalls = 1 }
        #expect(try await ask(scene, record, map(record)).first?[3] == 8)
        try await scene.stop()
    }

    @Test func `AAA's forwards are there from the start, as far as they fit`() async throws {
        var grant = ServiceGrant(source: .radius, userName: mac(1).description)
        grant.forwards = [try forward("tcp:*:1100"), try forward("udp:*:53"), try forward("tcp:80:80")]
        var aaa = AAAPolicy()
        aaa.authority = FakeAuthority([mac(1).description: .accept(grant)])
        let scene = try scene(aaa: aaa)
        let record = try await online(scene)
        try await scene.settle()
        let forwards = try #require(try await scene.plane.session(record.id)?.nat?.forwards)
        #expect(forwards.count == 2 && forwards.allSatisfy { $0.origin == .aaa } && installed(scene).count == 2)
        #expect(try await scene.plane.counters()[.forwardRefused] ?? 0 > 0)
        await #expect(throws: PortForwardProblem.self) {
            try await scene.plane.unforward(
                isTCP: forwards[0].isTCP, outsidePort: forwards[0].outsidePort, of: record.id)
        }
        try await scene.stop()
    }
}
