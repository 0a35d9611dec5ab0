// SPDX-License-Identifier: Apache-2.0
// A pool whose addresses a server outside gives: what it is asked, what becomes of its answers, when it gets them back.

import BNGCore
import DHCPv4
import SubscriberDriver
import Subscribers
import Synchronization
import Testing

/// Gives what it is told to, in turn; what it is told is kept.
private final class FakeServers: ExternalAddressing {
    enum Heard: Equatable {
        case asked(IPPrefix?, isExact: Bool)
        case resumed(IPPrefix, until: UTCTime)
        case released(IPPrefix)
        case declined(IPPrefix)
    }

    struct State {
        var answers: [Result<ExternalLease, ExternalLeaseFailure>] = []
        var heard: [Heard] = []
        var requests: [ExternalLeaseRequest] = []
    }

    let state = Mutex(State())

    init(_ answers: Result<ExternalLease, ExternalLeaseFailure>...) { self.state.withLock { $0.answers = answers } }

    func acquire(
        _ request: ExternalLeaseRequest,
        then done: @escaping @Sendable (Result<ExternalLease, ExternalLeaseFailure>) -> Void
    ) {
        let answer = self.state.withLock { state in
            state.requests.append(request)
            state.heard.append(.asked(request.wish, isExact: request.isExact))
            return state.answers.isEmpty ? .failure(.notGiven) : state.answers.removeFirst()
        }
        done(answer)
    }

    func resume(_ request: ExternalLeaseRequest, _ resource: IPPrefix, until: UTCTime) {
        self.state.withLock { $0.heard.append(.resumed(resource, until: until)) }
    }

    func release(_ resource: IPPrefix, session: SessionID, of pool: ExternalPool, declined: Bool) {
        self.state.withLock { $0.heard.append(declined ? .declined(resource) : .released(resource)) }
    }

    var heard: [Heard] { self.state.withLock { $0.heard } }
}

private func host(_ address: IPv4Address) -> IPPrefix {
    guard let prefix = IPPrefix(.v4(address), length: 32) else { preconditionFailure("\(address)/32") }
    return prefix
}

private func lease(_ address: IPv4Address, dns: [IPAddress] = []) -> Result<ExternalLease, ExternalLeaseFailure> {
    .success(ExternalLease(resource: host(address), dns: dns))
}

private let other = IPv4Address(rawValue: leased.rawValue + 1)
private let outside = IPv4Address(rawValue: 0x6440_0003)

private struct Bed {
    let servers: FakeServers
    let scene: Scene

    init(_ servers: FakeServers, aaa: AAAPolicy = AAAPolicy()) {
        self.servers = servers
        self.scene = Scene(aaa: aaa, servers: servers)
    }

    func start(sessions: [SessionRecord] = [], bindings: [StickyBinding] = []) async throws {
        _ = try await self.scene.plane.start(sessions: sessions, bindings: bindings)
        try await self.scene.settle()
    }

    /// The answers to a message.
    func say(_ frame: [UInt8]) async throws -> [DHCPv4Message] {
        self.scene.receive(frame)
        try await self.scene.settle()
        return try self.scene.link.takeFrames().map(reply)
    }
}

@Suite struct ExternalTests {
    @Test func `the server's address is offered, stored and released with the session; nothing is remembered`()
        async throws
    {
        let bed = Bed(FakeServers(lease(leased, dns: [.v4(outside)])))
        try await bed.start()
        let offer = try #require(try await bed.say(frame(.discover)).first)
        #expect(offer.type == .offer && offer.yourAddress == leased)
        #expect(offer.address(6) == outside, "the server's DNS is not offered")
        #expect(bed.scene.link.state.withLock { $0.prepared.map(\.dns) } == [[outside]])
        let request = try #require(bed.servers.state.withLock { $0.requests.first })
        #expect(request.mac == clientMAC && request.minimum == 7_200 && request.pool.group == "kea")
        #expect(request.circuitID == Array("edge1/access0".utf8))
        #expect(try await bed.say(frame(.request, requested: leased)).first?.type == .ack)
        #expect(bed.scene.store.state.withLock { $0.sessions.values.map(\.grant.dns) } == [[outside]])
        _ = try await bed.say(frame(.release, ciaddr: leased))
        try await bed.scene.settle()
        #expect(bed.servers.heard == [.asked(nil, isExact: false), .released(host(leased))])
        #expect(bed.scene.store.state.withLock { $0.bindings.isEmpty && $0.history.count == 1 })
        let usage = try #require(try await bed.scene.plane.poolUsage().first { $0.name == "residential" }).usage
        #expect(usage.held == 0 && usage.returned == 0)
        try await bed.scene.stop()
    }

    @Test func `what is not the pool's, or a session's here, is declined, and another one asked for once`() async throws
    {
        let bed = Bed(
            FakeServers(lease(leased), lease(outside), lease(leased), lease(other), lease(outside), lease(outside)))
        try await bed.start()
        _ = try await bed.say(frame(.discover))
        #expect(try await bed.say(frame(.request, requested: leased)).first?.type == .ack)
        // Outside the ranges, then the first client's.
        #expect(try await bed.say(frame(.discover, mac: mac(2))).isEmpty)
        #expect(try await bed.say(frame(.discover, mac: mac(2))).first?.yourAddress == other)
        #expect(try await bed.say(frame(.discover, mac: mac(3))).isEmpty)
        let declined = bed.servers.heard.filter { if case .declined = $0 { true } else { false } }
        #expect(declined == [host(outside), host(leased), host(outside), host(outside)].map { .declined($0) })
        #expect(try await bed.scene.plane.counters()[.externalUnusable] == 4)
        try await bed.scene.stop()
    }

    @Test func `a server that gives nothing means silence, one that has another address a NAK`() async throws {
        let bed = Bed(FakeServers(.failure(.notGiven), .failure(.wrong)))
        try await bed.start()
        #expect(try await bed.say(frame(.discover)).isEmpty)
        #expect(try await bed.say(frame(.request, requested: leased)).map(\.type) == [.nak])
        #expect(bed.servers.heard == [.asked(nil, isExact: false), .asked(host(leased), isExact: true)])
        #expect(try await bed.scene.plane.counters()[.externalUnavailable] == 2)
        #expect(try await bed.scene.plane.sessions(limit: 1).isEmpty)
        try await bed.scene.stop()
    }

    @Test func `an address AAA names is asked for, unless it is no external pool's`() async throws {
        for (named, heard) in [
            (leased, [FakeServers.Heard.asked(host(leased), isExact: true)]), (IPv4Address(rawValue: 0x6450_0102), []),
        ] {
            var grant = ServiceGrant(source: .local, userName: clientMAC.description)
            grant.address = named
            var aaa = AAAPolicy()
            aaa.authority = FakeAuthority([clientMAC.description: .accept(grant)])
            let bed = Bed(FakeServers(lease(leased)), aaa: aaa)
            try await bed.start()
            bed.scene.receive(frame(.discover))
            var frames: [[UInt8]] = []
            try await bed.scene.until {
                frames += bed.scene.link.takeFrames()
                return !frames.isEmpty
            }
            #expect(try reply(try #require(frames.first)).yourAddress == named)
            #expect(bed.servers.heard == heard)
            try await bed.scene.stop()
        }
    }

    @Test func `a restart takes leases up, those of sessions that are being removed too`() async throws {
        let first = Bed(FakeServers(lease(leased)))
        try await first.start()
        _ = try await first.say(frame(.discover))
        _ = try await first.say(frame(.request, requested: leased))
        var record = try #require(first.scene.store.state.withLock { $0.sessions.values.first })
        try await first.scene.stop()
        for phase in [SessionPhase.active, .disconnecting] {
            record.phase = phase
            let bed = Bed(FakeServers())
            let stale = StickyBinding(
                line: record.line, vrf: 0, pool: "residential", address: other, reservedUntil: record.leaseExpires)
            try await bed.start(sessions: [record], bindings: [stale])
            try await bed.scene.settle()
            let resumed = FakeServers.Heard.resumed(host(leased), until: record.leaseExpires)
            #expect(bed.servers.heard == (phase == .active ? [resumed] : [resumed, .released(host(leased))]))
            // What the pool remembered before it was external does not stand in the way.
            bed.servers.state.withLock { $0.answers = [lease(other)] }
            #expect(try await bed.say(frame(.discover, mac: mac(9))).first?.yourAddress == other)
            try await bed.scene.stop()
        }
    }

    @Test func `a lost lease ends the session, and a stranger's nothing`() async throws {
        let bed = Bed(FakeServers(lease(leased)))
        try await bed.start()
        _ = try await bed.say(frame(.discover))
        _ = try await bed.say(frame(.request, requested: leased))
        let record = try #require(try await bed.scene.plane.sessions(limit: 1).first)
        bed.scene.plane.lostOutside(.init(session: SessionID(rawValue: 77), kind: .ipv4))
        try await bed.scene.settle()
        #expect(try await bed.scene.plane.sessions(limit: 1).count == 1)
        bed.scene.plane.lostOutside(.init(session: record.id, kind: .ipv4))
        try await bed.scene.settle()
        #expect(bed.scene.store.state.withLock { $0.history.map(\.cause) } == [.leaseLost])
        #expect(try await bed.scene.plane.sessions(limit: 1).isEmpty)
        try await bed.scene.stop()
    }
}
