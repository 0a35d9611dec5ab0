// SPDX-License-Identifier: Apache-2.0
// The plane with NAT: a block with every private address or no service, more on demand, all back after a rest, also over restarts.

import Addressing
import BNGCore
import DHCPv4
import Subscribers
import Testing

@testable import SubscriberDriver

private let publicAddress = IPv4Address(rawValue: 0xc633_6401)

/// `blocks` of 512 ports on one address.
private func natPool(_ name: String = "public", blocks: Int, limit: Int = 2) throws -> NATPoolPolicy {
    NATPoolPolicy(
        name: name, vrf: 0, policy: "home", addresses: [try #require(IPv4Range(publicAddress, publicAddress))],
        ports: 1_024...UInt16(1_023 + blocks * 512), layout: .dynamic(size: 512, limit: limit), quarantine: 120,
        alarmPercent: 0)
}

private func bind(_ scene: Scene, _ mac: MACAddress) async throws {
    scene.receive(frame(.discover, mac: mac))
    try await scene.settle()
    let offer = try reply(try #require(scene.link.takeFrames().first))
    scene.receive(frame(.request, mac: mac, requested: offer.yourAddress))
    try await scene.settle()
    #expect(try reply(try #require(scene.link.takeFrames().first)).type == .ack)
}

private func started(_ scene: Scene) async throws -> Scene {
    let (sessions, rests) = scene.store.state.withLock { (Array($0.sessions.values), $0.natRests) }
    #expect(try await scene.plane.start(sessions: sessions, bindings: [], natRests: rests).isEmpty)
    try await scene.settle()
    return scene
}

/// A scene that continues another's store.
private func successor(of scene: Scene, _ pool: NATPoolPolicy) async throws -> Scene {
    let next = Scene(now: scene.clock.now.milliseconds, natPools: [pool], nat: "public")
    let (sessions, rests) = scene.store.state.withLock { ($0.sessions, $0.natRests) }
    next.store.state.withLock { ($0.sessions, $0.natRests) = (sessions, rests) }
    return try await started(next)
}

private func installed(_ scene: Scene) -> [NATAttachmentWords] {
    scene.link.state.withLock { $0.installed.values.map { NATAttachmentWords($0.nat?.firstPorts) } }
}

/// nil ports: not translated.
private struct NATAttachmentWords: Equatable {
    var ports: [UInt16]?
    init(_ ports: [UInt16]?) { self.ports = ports }
}

struct NATTests {
    @Test func `a private address comes with a block, stored and installed`() async throws {
        let scene = try await started(Scene(natPools: [natPool(blocks: 4)], nat: "public"))
        try await bind(scene, mac(1))
        let record = try #require(scene.store.state.withLock { $0.sessions.values.first })
        #expect(record.nat?.address == publicAddress && record.nat?.firstPorts.count == 1)
        #expect(record.nat?.policy == "home" && record.nat?.blockPorts == 512)
        #expect(installed(scene) == [NATAttachmentWords(record.nat?.firstPorts)])
        let usage = try #require(try await scene.plane.natUsage().first)
        #expect(usage.name == "public" && usage.usage.held == 1 && usage.usage.total == 4)
        try await scene.stop()
    }

    @Test func `nobody is served untranslated when the pool is exhausted`() async throws {
        let scene = try await started(Scene(natPools: [natPool(blocks: 1)], nat: "public"))
        try await bind(scene, mac(1))
        scene.receive(frame(.discover, mac: mac(2)))
        try await scene.settle()
        #expect(scene.link.takeFrames().isEmpty)
        #expect(try await scene.plane.counters()[.natExhausted] == 1)
        #expect(
            try await scene.plane.poolUsage().first { $0.name == "residential" }?.usage.held == 1, "its address is free"
        )
        #expect(scene.link.state.withLock { $0.installed.count } == 1)
        try await scene.stop()
    }

    @Test func `a block rests after its session, also over a restart`() async throws {
        let pool = try natPool(blocks: 1)
        let scene = try await started(Scene(natPools: [pool], nat: "public"))
        try await bind(scene, mac(1))
        let session = try #require(try await scene.plane.sessions(limit: 1).first)
        #expect(try await scene.plane.clear(session.id))
        try await scene.settle()
        let rest = try #require(scene.store.state.withLock { $0.natRests.first })
        #expect(rest.grant == session.nat && rest.until == scene.clock.now + 120)
        try await scene.stop()

        let second = try await successor(of: scene, pool)
        second.receive(frame(.discover, mac: mac(2)))
        try await second.settle()
        #expect(second.link.takeFrames().isEmpty, "the block rests")
        second.clock.advance(121)
        try await bind(second, mac(3))
        try await second.stop()
    }

    @Test func `a restart puts blocks back before anything new is given`() async throws {
        let pool = try natPool(blocks: 2)
        let scene = try await started(Scene(natPools: [pool], nat: "public"))
        try await bind(scene, mac(1))
        let before = try #require(scene.store.state.withLock { $0.sessions.values.first })
        try await scene.stop()
        let second = try await successor(of: scene, pool)
        #expect(installed(second) == [NATAttachmentWords(before.nat?.firstPorts)])
        try await bind(second, mac(2))
        let all = second.store.state.withLock { $0.sessions.values.flatMap { $0.nat?.firstPorts ?? [] } }
        #expect(all.count == 2 && Set(all).count == 2)
        second.receive(frame(.discover, mac: mac(3)))
        try await second.settle()
        #expect(try await second.plane.counters()[.natExhausted] == 1)
        try await second.stop()
    }

    @Test func `a session that runs low gets more on the same address, up to the limit`() async throws {
        let scene = try await started(Scene(natPools: [natPool(blocks: 8, limit: 2)], nat: "public"))
        try await bind(scene, mac(1))
        let id = try #require(try await scene.plane.sessions(limit: 1).first?.id)
        for _ in 0..<3 {
            scene.plane.natPortsLow(id)
            try await scene.settle()
        }
        let record = try #require(scene.store.state.withLock { $0.sessions[id] })
        #expect(record.nat?.address == publicAddress && Set(record.nat?.firstPorts ?? []).count == 2)
        #expect(installed(scene) == [NATAttachmentWords(record.nat?.firstPorts)])
        let counters = try await scene.plane.counters()
        #expect(counters[.natExtended] == 1 && counters[.natExtensionRefused] == 2)
        #expect(try await scene.plane.natUsage().first?.usage.held == 2)
        scene.plane.natPortsLow(SessionID(rawValue: 0xffff))
        try await scene.settle()
        try await scene.stop()
    }

    @Test func `a block the store refuses is not the session's`() async throws {
        let scene = try await started(Scene(natPools: [natPool(blocks: 8, limit: 4)], nat: "public"))
        try await bind(scene, mac(1))
        let id = try #require(try await scene.plane.sessions(limit: 1).first?.id)
        scene.store.state.withLock { $0.fails = true }
        scene.plane.natPortsLow(id)
        for _ in 0..<3 { try await scene.settle() }
        scene.store.state.withLock { $0.fails = false }
        try await scene.settle()
        let record = try #require(try await scene.plane.session(id))
        #expect(record.nat?.firstPorts.count == 1 && record.phase == .active)
        #expect(try await scene.plane.natUsage().first?.usage.held == 1)
        try await scene.stop()
    }

    @Test func `a block the node refuses is taken back, and the session lives`() async throws {
        let scene = try await started(Scene(natPools: [natPool(blocks: 8, limit: 4)], nat: "public"))
        try await bind(scene, mac(1))
        let id = try #require(try await scene.plane.sessions(limit: 1).first?.id)
        scene.link.state.withLock { $0.refusesNextInstalls = 1 }
        scene.plane.natPortsLow(id)
        for _ in 0..<3 { try await scene.settle() }
        let record = try #require(try await scene.plane.session(id))
        #expect(record.nat?.firstPorts.count == 1 && record.phase == .active)
        #expect(scene.store.state.withLock { $0.sessions[id]?.nat } == record.nat)
        #expect(installed(scene) == [NATAttachmentWords(record.nat?.firstPorts)])
        let rest = try #require(scene.store.state.withLock { $0.natRests.first })
        #expect(rest.grant.firstPorts.count == 1 && rest.grant.firstPorts != record.nat?.firstPorts)
        let usage = try #require(try await scene.plane.natUsage().first?.usage)
        #expect(usage.held == 1 && usage.resting == 1)
        try await scene.stop()
    }

    @Test func `a session that ends while it is to get more keeps nothing`() async throws {
        let scene = try await started(Scene(natPools: [natPool(blocks: 8, limit: 4)], nat: "public"))
        for n in 1...2 {
            try await bind(scene, mac(n))
            let id = try #require(try await scene.plane.sessions(limit: 1).first?.id)
            scene.plane.natPortsLow(id)
            async let cleared = scene.plane.clear(id)
            scene.plane.natPortsLow(id)
            #expect(try await cleared)
            for _ in 0..<3 { try await scene.settle() }
            #expect(try await scene.plane.sessions(limit: 1).isEmpty)
            #expect(try await scene.plane.natUsage().first?.usage.held == 0)
        }
        try await scene.stop()
    }

    @Test func `a plan chooses another pool, or none`() async throws {
        for (name, expected) in [("none", nil), ("gold", 1)] as [(String, Int?)] {
            var aaa = AAAPolicy()
            var plan = ServicePlan(name: "basic")
            plan.nat = name
            aaa.catalog = PlanCatalog(plans: [plan], defaultPlan: "basic")
            let scene = try await started(
                Scene(aaa: aaa, natPools: [natPool(blocks: 2), natPool("gold", blocks: 2)], nat: "public"))
            try await bind(scene, mac(1))
            let record = try #require(scene.store.state.withLock { $0.sessions.values.first })
            #expect(record.nat?.firstPorts.count == expected && record.nat?.pool == (expected == nil ? nil : "gold"))
            #expect(installed(scene).allSatisfy { $0.ports?.count == expected })
            try await scene.stop()
        }
    }

    @Test func `a public address is left alone`() async throws {
        let scene = try await started(
            Scene(ranges: (0xcb00_7102, 0xcb00_71fe), natPools: [natPool(blocks: 1)], nat: "public"))
        try await bind(scene, mac(1))
        #expect(scene.store.state.withLock { $0.sessions.values.first?.nat } == nil)
        #expect(try await scene.plane.natUsage().first?.usage.held == 0)
        try await scene.stop()
    }
}
