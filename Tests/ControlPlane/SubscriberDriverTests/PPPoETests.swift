// SPDX-License-Identifier: Apache-2.0
// PPPoE sessions on the plane: dialled, refused, replaced, hung up, restored.

import BNGCore
import DHCPv4
import Fleet
import PPP
import PPPClient
import PPPoE
import SubscriberDriver
import Subscribers
import Testing

private func policy(_ authentication: [PPPAuthentication] = [], _ change: (inout Limits) -> Void = { _ in })
    -> PPPoEPolicy
{
    var limits = Limits()
    change(&limits)
    return PPPoEPolicy(
        acName: "bng", services: limits.services, anyService: limits.services.isEmpty, authentication: authentication,
        mru: limits.mru, ipv6cp: true, echoInterval: 30, echoFailures: 3, clampMSS: true, perMAC: limits.perMAC,
        perLine: limits.perLine, perNode: limits.perNode)
}

private struct Limits {
    var services: [String] = []
    var mru: UInt16 = 1_492
    var perMAC = 1
    var perLine = 0
    var perNode = 0
}

private func scene(
    _ policy: PPPoEPolicy, trust: RelayTrust = .none, aaa: AAAPolicy = AAAPolicy(), sessions: [SessionRecord] = []
) async throws -> Scene {
    let scene = Scene(trust: trust, aaa: aaa, pppoe: policy)
    scene.plane.learn(ports: ["access0": portMAC], of: "edge1")
    _ = try await scene.plane.start(sessions: sessions, bindings: [])
    try await scene.settle()
    return scene
}

private func authority(_ outcome: AuthorizationOutcome) -> (AAAPolicy, FakeAuthority) {
    let authority = FakeAuthority(["alice": outcome])
    var aaa = AAAPolicy()
    aaa.authority = authority
    return (aaa, authority)
}

private let alice = AuthorizationOutcome.accept(ServiceGrant(source: .radius, userName: "alice"))

extension Scene {
    fileprivate var record: SessionRecord? { get async throws { try await self.plane.sessions(limit: 9).first } }

    fileprivate func count(_ counter: PlaneCounter) async throws -> UInt64 {
        try await self.plane.counters()[counter] ?? 0
    }
}

@Suite struct PPPoETests {
    @Test func `a client dials, and the node holds its session before the address is promised`() async throws {
        let scene = try await scene(policy())
        var host = PPPoEHost(mac(1))
        scene.store.state.withLock { $0.held = [] }
        try await scene.converse(&host, [host.padr()])
        #expect(!host.ppp.isOpen, "the address was promised before it was on disk")
        #expect(scene.link.state.withLock { $0.installed.isEmpty })
        let held = scene.store.state.withLock { state in
            defer { state.held = nil }
            return state.held ?? []
        }
        for answer in held { answer() }
        try await scene.converse(&host, []) { $0.ppp.isOpen }
        #expect(host.ppp.isOpen && host.ppp.address == leased && host.ppp.hasIPv6)
        #expect(host.ppp.serverAddress == IPv4Address(rawValue: 0x6440_0001))
        #expect(host.ppp.dns == [IPv4Address(rawValue: 0xc000_0235), IPv4Address(rawValue: 0xc000_0236)])
        let record = try #require(try await scene.record)
        let installed = try #require(scene.link.state.withLock { $0.installed[record.id] })
        #expect(installed.line.pppoeID == host.pppoeID && !installed.dhcpFastPath && installed.leaseExpires == .zero)
        #expect(installed.pppoe?.mtu == 1_492 && installed.pppoe?.localMagic == record.ppp?.link.localMagic)
        #expect(installed.pppoe?.echoInterval == 30 && installed.pppoe?.echoFailures == 3)
        try await scene.stop()
    }

    @Test func `AAA is asked with what the client proves, and its grant is what the session gets`() async throws {
        var granted = ServiceGrant(source: .radius, userName: "alice@isp")
        (granted.address, granted.dns) = (IPv4Address(rawValue: 0x6440_0909), [server])
        let (aaa, authority) = authority(.accept(granted))
        let scene = try await scene(policy([.chapMD5, .pap]), aaa: aaa)
        var host = PPPoEHost(mac(1))
        try await scene.dial(&host)
        #expect(host.ppp.isOpen && host.ppp.address == granted.address && host.ppp.dns[0] == server)
        let asked = try #require(authority.asked.withLock { $0.first })
        #expect(asked.userName == "alice" && asked.facts.pppoe?.id == host.pppoeID)
        guard case .chap(_, let challenge, let response) = asked.credential else {
            Issue.record("\(asked.credential)")
            return
        }
        #expect(challenge.count == 16 && response.count == 16)
        let record = try #require(try await scene.record)
        #expect(record.grant.userName == "alice@isp" && record.ppp?.link.authentication == .chapMD5)
        try await scene.stop()
    }

    @Test func `a rejected client is told why and hung up, and after enough failures gets no session id`() async throws
    {
        var (aaa, _) = authority(.reject(message: "not today"))
        aaa.onReject = .lockOut(after: 2, for: 60)
        let scene = try await scene(policy([.pap]), aaa: aaa)
        var host = PPPoEHost(mac(1))
        for cookie in UInt8(1)...2 {
            (host.pppoeID, host.ppp, host.discovered) = (0, PPPClientMachine(host.settings), [])
            try await scene.converse(&host, [host.padr(cookie: cookie)]) { $0.discovered.last?.code == .padt }
            #expect(String(decoding: host.ppp.message, as: UTF8.self) == "not today")
            #expect(host.discovered.last?.sessionID == host.pppoeID)
        }
        try await scene.until { try await scene.plane.sessions(limit: 1).isEmpty }
        #expect(scene.store.state.withLock { $0.sessions.isEmpty && $0.history.isEmpty })
        host.discovered = []
        try await scene.converse(&host, [host.padr(cookie: 3)])
        #expect(host.discovered.isEmpty)
        #expect(try await scene.count(.lockedOut) == 1)
        try await scene.stop()
    }

    @Test func `the same PADR again gets the same PADS, another one another session`() async throws {
        let scene = try await scene(policy([], { $0.perMAC = 2 }))
        let host = PPPoEHost(mac(1))
        scene.punt(host.padr())
        scene.punt(host.padr())
        scene.punt(host.padr(cookie: 2))
        try await scene.settle()
        var other = PPPoEHost(mac(1))
        for frame in scene.link.takeFrames() { _ = other.take(frame) }
        let ids = other.discovered.filter { $0.code == .pads }.map(\.sessionID)
        #expect(ids.count == 3 && ids[0] == ids[1] && ids[0] != ids[2])
        #expect(try await scene.count(.duplicates) == 1)
        try await scene.stop()
    }

    @Test func `a client that dials again takes the place of its own session and gets its address again`() async throws
    {
        let scene = try await scene(policy())
        var host = PPPoEHost(mac(1))
        try await scene.dial(&host)
        let first = (id: host.pppoeID, address: host.ppp.address)
        try await scene.dial(&host, cookie: 2)
        #expect(host.ppp.isOpen && host.pppoeID != first.id)
        try await scene.until { try await scene.plane.sessions(limit: 9).count == 1 }
        #expect(scene.store.state.withLock { $0.history.map(\.cause) } == [.replaced])
        #expect(host.discovered.contains { $0.code == .padt && $0.sessionID == first.id } || host.ppp.isOpen)
        try await scene.stop()
    }

    @Test func `a PADT ends its own session and no other`() async throws {
        let scene = try await scene(policy())
        var host = PPPoEHost(mac(1))
        try await scene.dial(&host)
        var stranger = PPPoEHost(mac(2))
        stranger.pppoeID = host.pppoeID
        scene.punt(stranger.padt())
        try await scene.settle()
        #expect(try await scene.record?.phase == .active)
        host.discovered = []
        try await scene.converse(&host, [host.padt()])
        #expect(scene.store.state.withLock { $0.history.map(\.cause) } == [.userRequest])
        #expect(host.discovered.isEmpty, "a PADT was answered")
        try await scene.stop()
    }

    @Test func `a client that hangs up by PPP is released, and told by PADT`() async throws {
        let scene = try await scene(policy())
        var host = PPPoEHost(mac(1))
        try await scene.dial(&host)
        let last = host.run { $0.close(&$1) }
        try await scene.converse(&host, last) { $0.discovered.last?.code == .padt }
        #expect(host.discovered.last?.code == .padt && host.ppp.isFinished)
        try await scene.until { scene.store.state.withLock { $0.history.map(\.cause) } == [.userRequest] }
        try await scene.stop()
    }

    @Test func `an operator, or a node that hears nothing any more, ends a session with a word to the client`()
        async throws
    {
        let scene = try await scene(policy())
        var host = PPPoEHost(mac(1))
        try await scene.dial(&host)
        let id = try #require(try await scene.record?.id)
        #expect(try await scene.plane.clear(id))
        try await scene.converse(&host, []) { $0.discovered.last?.code == .padt }
        #expect(host.discovered.last?.code == .padt && !host.ppp.isOpen)
        try await scene.dial(&host, cookie: 2)
        let second = try #require(try await scene.plane.sessions(limit: 9).last?.id)
        host.discovered = []
        scene.plane.lapsed(second, cause: .lostCarrier)
        try await scene.converse(&host, []) { $0.discovered.last?.code == .padt }
        try await scene.until {
            scene.store.state.withLock { $0.history.map(\.cause) } == [.adminReset, .lostCarrier]
        }
        try await scene.stop()
    }

    @Test func `frames of a session nobody knows are answered by PADT`() async throws {
        let scene = try await scene(policy())
        var host = PPPoEHost(mac(1))
        host.pppoeID = 4_711
        try await scene.converse(&host, [host.frame([0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 1])]) {
            !$0.discovered.isEmpty
        }
        #expect(host.discovered.map(\.code) == [.padt] && host.discovered[0].sessionID == 4_711)
        #expect(try await scene.count(.pppUnknownSession) == 1)
        try await scene.stop()
    }

    @Test func `a service that is not offered, and one session too many, are refused by PADS`() async throws {
        let scene = try await scene(policy([], { ($0.services, $0.perLine) = (["internet"], 1) }))
        var host = PPPoEHost(mac(1))
        try await scene.converse(&host, [host.padr(service: "tv")]) { !$0.discovered.isEmpty }
        #expect(host.discovered.first?.sessionID == 0)
        #expect(host.discovered.first?.value(PPPoETag.serviceNameError) != nil)
        try await scene.converse(&host, [host.padr(cookie: 2, service: "internet")]) { $0.ppp.isOpen }
        #expect(host.ppp.isOpen)
        #expect(try await scene.record?.ppp?.service == "internet")
        var second = PPPoEHost(mac(2))
        try await scene.converse(&second, [second.padr()]) { !$0.discovered.isEmpty }
        #expect(second.discovered.first?.value(PPPoETag.acSystemError) != nil)
        #expect(try await scene.count(.lineLimit) == 1)
        // The place is free again once the first has gone.
        try await scene.converse(&host, [host.padt()])
        try await scene.until { try await scene.plane.sessions(limit: 9).isEmpty }
        try await scene.dial(&second, cookie: 2)
        #expect(second.ppp.isOpen)
        try await scene.stop()
    }

    @Test func `a client of a full line may still dial again`() async throws {
        let scene = try await scene(policy([], { ($0.perLine, $0.perNode) = (1, 1) }))
        var host = PPPoEHost(mac(1))
        for cookie in UInt8(1)...4 {
            try await scene.dial(&host, cookie: cookie)
            #expect(host.ppp.isOpen, "dial \(cookie)")
        }
        try await scene.until { try await scene.plane.sessions(limit: 9).count == 1 }
        // The old ones are told to terminate, and nobody answers.
        try await scene.until {
            scene.clock.advance(1)
            return scene.plane.pppoeCount(of: "edge1") == 1
        }
        #expect(try await scene.plane.sessions(limit: 9).count == 1)
        try await scene.stop()
    }

    @Test func `IPoE and PPPoE of one MAC address live side by side`() async throws {
        let scene = try await scene(policy())
        var host = PPPoEHost(mac(1))
        try await scene.dial(&host)
        scene.receive(frame(.discover, mac: mac(1)))
        try await scene.settle()
        let offer = try reply(try #require(scene.link.takeFrames().first))
        scene.receive(frame(.request, mac: mac(1), requested: offer.yourAddress))
        try await scene.settle()
        let sessions = try await scene.plane.sessions(limit: 9)
        #expect(sessions.count == 2 && Set(sessions.map(\.address)).count == 2)
        #expect(Set(sessions.map { $0.line.withoutPPPoE }).count == 1)
        try await scene.stop()
    }

    @Test func `RFC 4638 is agreed on when both sides want it`() async throws {
        let scene = try await scene(policy([], { $0.mru = 1_500 }))
        var settings = PPPClientSettings()
        settings.mru = 1_500
        var host = PPPoEHost(mac(1), settings)
        let padr = host.padr(more: [PPPoETag(PPPoETag.maxPayload, [0x05, 0xdc])])
        try await scene.converse(&host, [padr]) { $0.ppp.isOpen }
        #expect(host.discovered.first?.maxPayload == 1_500)
        #expect(try await scene.record?.ppp?.mtu == 1_500)
        var usual = PPPoEHost(mac(2), settings)
        try await scene.dial(&usual)
        #expect(try await scene.plane.sessions(limit: 9).first { $0.line.mac == mac(2) }?.ppp?.mtu == 1_492)
        try await scene.stop()
    }

    @Test func `circuit ids count from trusted access nodes only`() async throws {
        let tag = PPPoETag.accessLoop(circuitID: Array("olt1/7".utf8), remoteID: Array("home".utf8))
        let distrusting = try await scene(policy())
        var forger = PPPoEHost(mac(1))
        try await distrusting.converse(&forger, [forger.padr(more: [tag])])
        #expect(forger.discovered.isEmpty)
        #expect(try await distrusting.count(.forgedCircuit) == 1)
        try await distrusting.stop()
        let (aaa, authority) = authority(alice)
        let trusting = try await scene(policy([.pap]), trust: .accessNode, aaa: aaa)
        var host = PPPoEHost(mac(1))
        try await trusting.converse(&host, [host.padr(more: [tag])]) { $0.ppp.isOpen }
        let facts = try #require(authority.asked.withLock { $0.first?.facts })
        #expect(facts.circuitID == Array("olt1/7".utf8) && facts.remoteID == Array("home".utf8))
        try await trusting.stop()
    }

    @Test func `a stored session goes on where it was: it is installed, hung up, and its id is not given again`()
        async throws
    {
        let before = try await scene(policy())
        var host = PPPoEHost(mac(1))
        try await before.dial(&host)
        let record = try #require(try await before.record)
        try await before.stop()
        let after = try await scene(policy(), sessions: [record])
        #expect(after.link.state.withLock { $0.installed[record.id]?.pppoe?.localMagic } == record.ppp?.link.localMagic)
        // It answers as the link it was.
        let echo: [UInt8] = [0xc0, 0x21, 9, 5, 0, 8, 0xc1, 0x1e, 0, 1]
        after.punt(host.frame(echo))
        try await after.settle()
        #expect(after.link.takeFrames().contains { $0.count > 24 && $0[22] == 10 && $0[23] == 5 })
        host.discovered = []
        let last = host.run { $0.close(&$1) }
        try await after.converse(&host, last) { $0.discovered.last?.code == .padt }
        #expect(host.discovered.last?.sessionID == host.pppoeID)
        try await after.until { after.store.state.withLock { $0.history.map(\.cause) } == [.userRequest] }
        let gone = host.pppoeID
        try await after.dial(&host, cookie: 9)
        #expect(host.pppoeID != gone)
        try await after.stop()
    }

    @Test func `a client that falls silent while it dials is given up, and its place with it`() async throws {
        let scene = try await scene(policy([], { $0.perNode = 1 }))
        let host = PPPoEHost(mac(1))
        scene.punt(host.padr())
        try await scene.settle()
        #expect(scene.plane.pppoeCount(of: "edge1") == 1)
        for _ in 0..<120 {
            scene.clock.advance(1)
            try await scene.settle()
        }
        try await scene.until {
            scene.clock.advance(1)
            return scene.plane.pppoeCount(of: "edge1") == 0
        }
        #expect(try await scene.plane.sessions(limit: 9).isEmpty)
        try await scene.stop()
    }
}
