// SPDX-License-Identifier: Apache-2.0
// The plane when things go wrong: stores that fail, nodes that are away, restarts, exhaustion, two circuits with one MAC.

import BNGCore
import DHCPv4
import Ethernet
import SubscriberDriver
import Subscribers
import Testing

/// A client message in a frame.
func frame(
    _ type: DHCPv4MessageType, mac: MACAddress = clientMAC, requested: IPv4Address? = nil, ciaddr: IPv4Address = .zero,
    option82: [UInt8]? = nil
) -> [UInt8] {
    var message = DHCPv4Message(op: .request, xid: 7, clientAddress: ciaddr, clientMAC: mac)
    message.options.append(53, [type.rawValue])
    if let requested { message.options.append(50, requested) }
    if requested != nil || type == .release { message.options.append(54, server) }
    if let option82 { message.options.append(82, option82) }
    var bytes: [UInt8] = []
    EthernetHeader(destination: .broadcast, source: mac, tags: .untagged, etherType: 0x0800).encode(into: &bytes)
    encodeUDP(
        from: (ciaddr, 68), to: (.broadcast, 67), payload: DHCPv4Codec.encode(message), into: &bytes)
    return bytes
}

func reply(_ frame: [UInt8]) throws -> DHCPv4Message {
    let head = try EthernetHeader(decoding: frame.span)
    let datagram = try UDPDatagram(decoding: frame.span, at: head.length)
    return try DHCPv4Codec.decode(frame.span.extracting(datagram.payload))
}

func mac(_ n: Int) -> MACAddress { MACAddress(rawValue: 0x0200_0000_0000 + UInt64(n)) }

struct PlaneTests {
    @Test func `a new client gets a lease that is stored and installed before it is acknowledged`() async throws {
        let scene = Scene()
        _ = try await scene.plane.start(sessions: [], bindings: [])
        try await scene.settle()
        scene.receive(frame(.discover))
        try await scene.settle()
        let offer = try reply(try #require(scene.link.takeFrames().first))
        scene.store.state.withLock { $0.held = [] }
        scene.receive(frame(.request, requested: offer.yourAddress))
        try await scene.settle()
        #expect(scene.link.takeFrames().isEmpty, "an ACK left before the store had the lease")
        #expect(scene.link.state.withLock { $0.installed.isEmpty })
        let held = scene.store.state.withLock { state in
            defer { state.held = nil }
            return state.held ?? []
        }
        for answer in held { answer() }
        try await scene.settle()
        let ack = try reply(try #require(scene.link.takeFrames().first))
        #expect(ack.type == .ack && ack.yourAddress == offer.yourAddress)
        #expect(scene.link.state.withLock { $0.installed.count } == 1)
        try await scene.stop()
    }

    @Test func `a store that fails means silence, and the address comes back`() async throws {
        let scene = Scene(ranges: (leased.rawValue, leased.rawValue))
        _ = try await scene.plane.start(sessions: [], bindings: [])
        try await scene.settle()
        scene.receive(frame(.discover))
        try await scene.settle()
        _ = scene.link.takeFrames()
        scene.store.state.withLock { $0.fails = true }
        scene.receive(frame(.request, requested: leased))
        for _ in 0..<5 { try await scene.settle() }
        #expect(scene.link.takeFrames().isEmpty)
        scene.store.state.withLock { $0.fails = false }
        let deadline = ContinuousClock.now + .seconds(5)
        while try await !scene.plane.sessions(limit: 1).isEmpty, ContinuousClock.now < deadline {
            try await scene.settle()
        }
        #expect(scene.link.state.withLock { $0.installed.isEmpty })
        scene.receive(frame(.discover))
        try await scene.settle()
        #expect(try reply(try #require(scene.link.takeFrames().first)).yourAddress == leased)
        try await scene.stop()
    }

    @Test func `an address stays bound while its node cannot confirm the removal`() async throws {
        let scene = Scene(ranges: (leased.rawValue, leased.rawValue))
        _ = try await scene.plane.start(sessions: [], bindings: [])
        try await scene.settle()
        try await Self.bind(scene, clientMAC)
        scene.link.state.withLock { $0.deletes = [] }
        scene.receive(frame(.release, ciaddr: leased))
        try await scene.settle()
        scene.receive(frame(.discover, mac: mac(2)))
        try await scene.settle()
        #expect(scene.link.takeFrames().isEmpty, "the address was offered while the node still had it")
        let removals = scene.link.state.withLock { state in
            defer { state.deletes = nil }
            return state.deletes ?? []
        }
        #expect(removals.count == 1)
        for removal in removals { removal() }
        try await scene.settle()
        let ended = try #require(scene.store.state.withLock { $0.history.first })
        #expect(ended.cause == .userRequest && ended.phase == .terminated)
        #expect(scene.link.state.withLock { $0.acknowledged } == [ended.id])
        // Quarantine: still not another line's, but at once the same line's.
        scene.receive(frame(.discover, mac: mac(2)))
        try await scene.settle()
        #expect(scene.link.takeFrames().isEmpty)
        scene.receive(frame(.discover))
        try await scene.settle()
        #expect(try reply(try #require(scene.link.takeFrames().first)).yourAddress == leased)
        try await scene.stop()
    }

    @Test func `a restart keeps sessions and remembers addresses`() async throws {
        let first = Scene()
        _ = try await first.plane.start(sessions: [], bindings: [])
        try await first.settle()
        try await Self.bind(first, mac(1))
        try await Self.bind(first, mac(2))
        let released = try #require(try await first.plane.sessions(limit: 9).first { $0.line.mac == mac(2) })
        first.receive(frame(.release, mac: mac(2), ciaddr: released.address))
        try await first.settle()
        let (sessions, bindings, limit) = first.store.state.withLock {
            (Array($0.sessions.values), $0.bindings, $0.limit)
        }
        #expect(sessions.count == 1 && bindings.count == 1 && limit >= 200_000)
        try await first.stop()

        let second = Scene()
        let refused = try await second.plane.start(sessions: sessions, bindings: bindings)
        #expect(refused.isEmpty)
        try await second.settle()
        #expect(second.link.state.withLock { $0.installed.count } == 1, "the node is told of stored sessions")
        second.receive(frame(.discover, mac: mac(2)))
        second.receive(frame(.discover, mac: mac(1)))
        try await second.settle()
        let offered = try second.link.takeFrames().map(reply)
        let byClient = Dictionary(uniqueKeysWithValues: offered.map { ($0.clientMAC, $0.yourAddress) })
        #expect(byClient[mac(2)] == released.address)
        #expect(byClient[mac(1)] == sessions[0].address)
        try await second.stop()
    }

    @Test func `one MAC behind two circuits is one customer, the second is refused`() async throws {
        let scene = Scene(trust: .accessNode)
        _ = try await scene.plane.start(sessions: [], bindings: [])
        try await scene.settle()
        scene.receive(frame(.discover, option82: [1, 1, 7]))
        try await scene.settle()
        let offer = try reply(try #require(scene.link.takeFrames().first))
        scene.receive(frame(.request, requested: offer.yourAddress, option82: [1, 1, 7]))
        try await scene.settle()
        #expect(try reply(try #require(scene.link.takeFrames().first)).type == .ack)
        scene.receive(frame(.discover, option82: [1, 1, 8]))
        try await scene.settle()
        #expect(scene.link.takeFrames().isEmpty)
        #expect(try await scene.plane.counters()[.lineConflict] == 1)
        try await scene.stop()
    }

    @Test func `an operator's clear ends the session in order`() async throws {
        let scene = Scene()
        _ = try await scene.plane.start(sessions: [], bindings: [])
        try await scene.settle()
        try await Self.bind(scene, clientMAC)
        let session = try #require(try await scene.plane.sessions(limit: 1).first)
        #expect(try await scene.plane.clear(session.id))
        try await scene.settle()
        #expect(try await scene.plane.sessions(limit: 1).isEmpty)
        #expect(try await !scene.plane.clear(session.id))
        #expect(scene.store.state.withLock { $0.history.first?.cause } == .adminReset)
        try await scene.stop()
    }

    @Test func `a session that is ended between offer and request leaves no client without an answer`() async throws {
        let scene = Scene()
        _ = try await scene.plane.start(sessions: [], bindings: [])
        try await scene.settle()
        scene.receive(frame(.discover))
        try await scene.settle()
        let offer = try reply(try #require(scene.link.takeFrames().first))
        let session = try #require(try await scene.plane.sessions(limit: 1).first)
        #expect(try await scene.plane.clear(session.id))
        try await scene.settle()
        #expect(try await scene.plane.sessions(limit: 1).isEmpty)
        scene.receive(frame(.request, requested: offer.yourAddress))
        try await scene.settle()
        #expect(try reply(try #require(scene.link.takeFrames().first)).type == .ack)
        #expect(try await scene.plane.sessions(limit: 2).map(\.address) == [offer.yourAddress])
        try await scene.stop()
    }

    @Test func `a node that lost its maps extends every lease by a whole term`() async throws {
        let scene = Scene()
        _ = try await scene.plane.start(sessions: [], bindings: [])
        try await scene.settle()
        try await Self.bind(scene, clientMAC)
        scene.plane.nodeLostState("edge1")
        try await scene.settle()
        let session = try #require(try await scene.plane.sessions(limit: 1).first)
        #expect(session.leaseExpires == UTCTime(milliseconds: 1_000_000 + 3_600_000))
        try await scene.stop()
    }

    @Test func `renewals by the data plane are durable before they are acknowledged`() async throws {
        let scene = Scene()
        _ = try await scene.plane.start(sessions: [], bindings: [])
        try await scene.settle()
        try await Self.bind(scene, clientMAC)
        let session = try #require(try await scene.plane.sessions(limit: 1).first)
        let until = UTCTime(milliseconds: 99_000_000)
        let durable = await withCheckedContinuation { continuation in
            scene.plane.renewed([
                SessionRenewal(id: session.id, ipv4: until, ipv6: nil),
                SessionRenewal(id: SessionID(issuer: 3, counter: 3), ipv4: until, ipv6: nil),
            ]) {
                continuation.resume(returning: $0)
            }
        }
        #expect(durable)
        #expect(scene.store.state.withLock { $0.sessions[session.id]?.leaseExpires } == until)
        try await scene.stop()
    }

    @Test func `two thousand clients at once each get an address of their own`() async throws {
        let scene = Scene()
        _ = try await scene.plane.start(sessions: [], bindings: [])
        try await scene.settle()
        scene.plane.receive(node: "edge1", punts: (0..<2_000).map { scene.packet(frame(.discover, mac: mac($0))) })
        for _ in 0..<10 { try await scene.settle() }
        let offers = try scene.link.takeFrames().map(reply)
        #expect(offers.count == 2_000)
        scene.plane.receive(
            node: "edge1",
            punts: offers.map { scene.packet(frame(.request, mac: $0.clientMAC, requested: $0.yourAddress)) })
        for _ in 0..<10 { try await scene.settle() }
        let acks = try scene.link.takeFrames().map(reply).filter { $0.type == .ack }
        #expect(acks.count == 2_000)
        #expect(Set(acks.map(\.yourAddress)).count == 2_000)
        #expect(try await scene.plane.poolUsage().first?.usage.held == 2_000)
        #expect(try await scene.plane.sessionCounts()[.active] == 2_000)
        try await scene.stop()
    }

    /// Discover, request, ACK.
    private static func bind(_ scene: Scene, _ mac: MACAddress) async throws {
        scene.receive(frame(.discover, mac: mac))
        try await scene.settle()
        let offer = try reply(try #require(scene.link.takeFrames().first))
        scene.receive(frame(.request, mac: mac, requested: offer.yourAddress))
        try await scene.settle()
        #expect(try reply(try #require(scene.link.takeFrames().first)).type == .ack)
    }
}
