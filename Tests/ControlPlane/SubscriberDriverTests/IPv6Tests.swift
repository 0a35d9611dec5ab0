// SPDX-License-Identifier: Apache-2.0
// IPv6 through the whole plane: solicitations, DHCPv6, both families in one session, restarts, what is stored before it is promised.

import BNGCore
import DHCPv4
import DHCPv6
import Fleet
import NeighborDiscovery
import SubscriberDriver
import Subscribers
import Testing

private let host = IPv6Host(mac: clientMAC)

struct IPv6Tests {
    @Test func `a prefix of the line's own is stored and installed before it is advertised`() async throws {
        let scene = IPv6Scene().scene()
        _ = try await scene.plane.start(sessions: [], bindings: [])
        scene.store.state.withLock { $0.held = [] }
        scene.solicit(host)
        try await scene.settle()
        #expect(scene.link.takeFrames().isEmpty && scene.installed.isEmpty)
        let held = scene.store.state.withLock { state in
            defer { state.held = nil }
            return state.held ?? []
        }
        for answer in held { answer() }
        try await scene.settle()
        let advertised = try #require(host.advertisements(scene.link.takeFrames()).first)
        let session = try #require(scene.installed.first)
        #expect(advertised.prefixes.map(\.prefix) == session.ipv6?.prefixes)
        #expect(advertised.lifetime == 1_800 && advertised.hasOtherConfiguration)
        #expect(session.address == .zero && session.ipv6?.activityRenews == true)
        // Asked again it says the same, and nothing is stored for it.
        scene.solicit(host)
        try await scene.settle()
        #expect(host.advertisements(scene.link.takeFrames()) == [advertised])
        #expect(try await scene.plane.sessions(limit: 9).map(\.generation) == [1])
        try await scene.stop()
    }

    @Test func `both families are one session with one authentication and one accounting id`() async throws {
        let authority = FakeAuthority([clientMAC.description: .accept(ServiceGrant(source: .radius, userName: "alice"))]
        )
        let outlet = FakeOutlet()
        var aaa = AAAPolicy()
        (aaa.authority, aaa.accounting) = (authority, outlet)
        let scene = IPv6Scene().scene(aaa: aaa)
        _ = try await scene.plane.start(sessions: [], bindings: [])
        scene.receive(frame(.discover))
        try await scene.until { !scene.link.state.withLock { $0.frames.isEmpty } }
        let offer = try reply(try #require(scene.link.takeFrames().first))
        scene.receive(frame(.request, requested: offer.yourAddress))
        try await scene.until { scene.installed.count == 1 }
        try await scene.settle()
        #expect(host.advertisements(scene.link.takeFrames()).count == 1, "the first advertisement waits for nobody")
        let answer = try #require(try await scene.exchange(host, host.message(.solicit, rapid: true)))
        #expect(answer.type == .reply && answer.resources.count == 2)
        #expect(authority.asked.withLock { $0.count } == 1)
        let records = try await scene.plane.sessions(limit: 9)
        #expect(records.count == 1 && records[0].address == offer.yourAddress && records[0].ipv6?.resources.count == 3)
        #expect(scene.installed.first?.ipv6?.dhcpv6?.associations.count == 2)
        let kinds = outlet.records.withLock { $0.map { ($0.kind, $0.accountingID, $0.ipv6?.resources.count ?? 0) } }
        #expect(kinds.map(\.0) == [.start, .interim] && Set(kinds.map(\.1)).count == 1)
        #expect(kinds.map(\.2) == [1, 3], "accounting hears of the delegation when it is made")
        try await scene.stop()
    }

    @Test func `the four messages: advertise, request, reply; and what was only offered comes back`() async throws {
        let scene = IPv6Scene().scene()
        _ = try await scene.plane.start(sessions: [], bindings: [])
        let offer = try #require(try await scene.exchange(host, host.message(.solicit)))
        #expect(offer.type == .advertise && offer.resources.count == 2)
        #expect(scene.installed.isEmpty, "an offer promises nothing")
        let reply = try #require(try await scene.exchange(host, host.message(.request, having: offer.resources)))
        #expect(reply.type == .reply && reply.resources == offer.resources)
        let session = try #require(scene.installed.first?.ipv6)
        #expect(session.prefixes.count == 3 && session.dhcpv6?.clientID == host.duid.bytes)
        let usage = try await scene.plane.poolUsage().filter { $0.name != "residential" && $0.name != "spare" }
        #expect(usage.map(\.usage.held) == [1, 1, 1])
        try await scene.stop()
    }

    @Test func `what the node answers a Renew with is what the plane would answer`() async throws {
        let scene = IPv6Scene().scene()
        _ = try await scene.plane.start(sessions: [], bindings: [])
        var message = host.message(.solicit, rapid: true)
        message.options.append(.optionRequest([DHCPv6OptionCode.nameServers]))
        let first = try #require(try await scene.exchange(host, message))
        var renew = host.message(.renew, having: first.resources)
        renew.options.append(.optionRequest([DHCPv6OptionCode.nameServers]))
        let known = try #require(scene.installed.first?.ipv6?.dhcpv6)
        let slow = try #require(try await scene.exchange(host, renew))
        #expect(DHCPv6Codec.encode(DHCPv6Packet(slow)).map { Array($0.dropFirst(4)) } == known.replyOptions)
        try await scene.stop()
    }

    @Test func `an exhausted prefix pool never takes IPv4 down, nor an exhausted IPv4 pool IPv6`() async throws {
        var settings = IPv6Scene()
        settings.links = "2001:db8:1::/64"
        settings.homes = "2001:db8:f000::/56"
        let scene = settings.scene()
        _ = try await scene.plane.start(sessions: [], bindings: [])
        let other = IPv6Host(mac: mac(9))
        _ = try await scene.exchange(other, other.message(.solicit, rapid: true))
        // Nothing is left for this one.
        scene.receive(frame(.discover))
        try await scene.settle()
        let offer = try reply(try #require(scene.link.takeFrames().first))
        scene.receive(frame(.request, requested: offer.yourAddress))
        try await scene.settle()
        #expect(scene.installed.contains { $0.address == offer.yourAddress && $0.ipv6 == nil })
        _ = scene.link.takeFrames()
        let answer = try #require(try await scene.exchange(host, host.message(.solicit, rapid: true)))
        #expect(answer.statuses == [DHCPv6StatusCode.noPrefixes], "the address is there, the prefix is not")
        #expect(answer.resources.count == 1)
        #expect(try await scene.plane.sessions(limit: 9).count == 2)
        try await scene.stop()

        let full = Scene(
            ranges: (leased.rawValue, leased.rawValue), ipv6: IPv6Scene().policy, prefixPools: IPv6Scene().pools)
        _ = try await full.plane.start(sessions: [], bindings: [])
        full.receive(frame(.discover, mac: mac(9)))
        try await full.settle()
        full.receive(frame(.request, mac: mac(9), requested: leased))
        try await full.settle()
        full.receive(frame(.discover))
        full.solicit(host)
        try await full.settle()
        #expect(full.installed.contains { $0.line.mac == clientMAC && $0.address == .zero && $0.ipv6 != nil })
        try await full.stop()
    }

    @Test func `a client that asks and leaves, leaves nothing`() async throws {
        let scene = IPv6Scene().scene()
        _ = try await scene.plane.start(sessions: [], bindings: [])
        _ = try await scene.exchange(host, host.message(.solicit))
        let reply = try await scene.exchange(host, host.message(.release, having: [.address(.linkLocal(9))]))
        #expect(reply?.statuses.allSatisfy { $0 == DHCPv6StatusCode.noBinding } == true)
        #expect(try await scene.plane.sessions(limit: 9).count == 1, "the offer stands for its time")
        try await scene.stop()
    }

    @Test func `behind an access node's relay the line is the client's, and its ids are believed`() async throws {
        let hop = DHCPv6RelayHop(
            peerAddress: host.linkLocal,
            options: [.interfaceID(Array("eth 0/7".utf8)), .remoteID(enterprise: 3561, [1, 2])])
        let packet = DHCPv6Packet(host.message(.solicit, rapid: true), hops: [hop])
        let scene = IPv6Scene().scene(trust: .accessNode)
        _ = try await scene.plane.start(sessions: [], bindings: [])
        let answer = try #require(try await scene.exchange(host, packet))
        #expect(answer.isRelayReply && answer.hops.first?.interfaceID == Array("eth 0/7".utf8))
        #expect(answer.message.resources.count == 2)
        let record = try #require(try await scene.plane.sessions(limit: 1).first)
        #expect(record.option82 == [1, 7] + Array("eth 0/7".utf8) + [2, 2, 1, 2])
        try await scene.stop()

        let distrusting = IPv6Scene().scene()
        _ = try await distrusting.plane.start(sessions: [], bindings: [])
        #expect(try await distrusting.exchange(host, packet) == nil)
        #expect(try await distrusting.plane.counters()[.untrustedRelay] == 1)
        try await distrusting.stop()
    }

    @Test func `inside PPPoE the link gets its prefix once IPv6CP is open, and DHCPv6 runs there`() async throws {
        let policy = PPPoEPolicy(
            acName: "bng", services: [], anyService: true, authentication: [], mru: 1_492, ipv6cp: true,
            echoInterval: 30, echoFailures: 3, clampMSS: true, perMAC: 1, perLine: 0, perNode: 0)
        let scene = IPv6Scene().scene(pppoe: policy)
        scene.plane.learn(ports: ["access0": portMAC], of: "edge1")
        _ = try await scene.plane.start(sessions: [], bindings: [])
        var client = PPPoEHost(clientMAC)
        try await scene.dial(&client)
        try await scene.until { scene.installed.contains { $0.ipv6 != nil && $0.address != .zero } }
        let session = try #require(scene.installed.first)
        let ipv6 = try #require(session.ipv6)
        #expect(session.pppoe != nil)
        #expect(ipv6.leaseExpires == .zero && ipv6.prefixes.count == 1)
        let record = try #require(try await scene.plane.sessions(limit: 1).first)
        #expect(record.ppp?.link.peerInterfaceID != 0, "accounting and a restart know the identifier")
        _ = scene.link.takeFrames()
        scene.receive(client.frame([0x00, 0x57] + host.solicitation().dropFirst(14)), as: .nd)
        let message = host.message(.solicit, rapid: true)
        scene.receive(client.frame([0x00, 0x57] + host.dhcpv6(DHCPv6Packet(message)).dropFirst(14)), as: .dhcpv6)
        try await scene.settle()
        let inside = client.ipv6(in: scene.link.takeFrames())
        let advertised = try #require(host.advertisements(inside).first)
        #expect(advertised.prefixes.map(\.prefix) == ipv6.prefixes)
        #expect(advertised.options.contains(.mtu(1_492)))
        #expect(host.packets(inside).first?.message.resources.count == 2)
        #expect(try await scene.plane.sessions(limit: 9).count == 1)
        try await scene.stop()
    }

    @Test func `a lease the node lets lapse ends its half alone`() async throws {
        let scene = IPv6Scene().scene()
        _ = try await scene.plane.start(sessions: [], bindings: [])
        try await scene.dualStack()
        let id = try #require(try await scene.plane.sessions(limit: 1).first?.id)
        scene.plane.lapsed(id, cause: .ipv6LeaseExpired)
        try await scene.settle()
        #expect(scene.installed.first?.ipv6 != nil, "the node's word crossed a renewal")
        scene.clock.advance(7_300)
        scene.plane.lapsed(id, cause: .ipv6LeaseExpired)
        try await scene.settle()
        #expect(scene.installed.first?.ipv6 == nil && scene.installed.first?.address != .zero)
        #expect(host.advertisements(scene.link.takeFrames()).last?.lifetime == 0)
        scene.plane.lapsed(id, cause: .leaseExpired)
        try await scene.settle()
        #expect(scene.installed.isEmpty)
        try await scene.stop()
    }
}

extension Scene {
    /// The host with an address, a prefix of its line, an address by DHCPv6 and a delegated prefix.
    fileprivate func dualStack() async throws {
        self.receive(frame(.discover))
        try await self.settle()
        let offer = try reply(try #require(self.link.takeFrames().first))
        self.receive(frame(.request, requested: offer.yourAddress))
        try await self.settle()
        _ = self.link.takeFrames()
        let answer = try await self.exchange(host, host.message(.solicit, rapid: true))
        #expect(answer?.resources.count == 2)
    }
}

/// One cell of the table: something happens to a client of both families, before or after a restart of the controller.
struct Case: Sendable, CustomTestStringConvertible {
    enum What: String, Sendable, CaseIterable { case renew, rebind, release, decline, prefixChange }
    enum Family: String, Sendable, CaseIterable { case ipv4, ipv6 }

    var what: What
    var family: Family
    var restarts: Bool

    var testDescription: String {
        "\(self.family.rawValue) \(self.what.rawValue)\(self.restarts ? " after a restart" : "")"
    }

    static let all = What.allCases.flatMap { what in
        Family.allCases.flatMap { family in [false, true].map { Case(what: what, family: family, restarts: $0) } }
    }
}

struct FamilyMatrixTests {
    /// The same for both families: the half that something happens to is what it should be, the other one is as it was.
    @Test(arguments: Case.all) func `what happens to one family`(_ what: Case) async throws {
        var settings = IPv6Scene()
        var scene = settings.scene()
        _ = try await scene.plane.start(sessions: [], bindings: [])
        try await scene.dualStack()
        let before = try #require(try await scene.plane.sessions(limit: 1).first)
        if what.restarts || what.what == .prefixChange {
            let state = scene.store.state.withLock { $0 }
            try await scene.stop()
            if what.what == .prefixChange {
                (settings.links, settings.homes) = ("2001:db8:9::/48", "2001:db8:e000::/40")
            }
            scene = settings.scene()
            scene.store.state.withLock { $0 = state }
            scene.plane.learn(ports: ["access0": portMAC], of: "edge1")
            let conflicts = try await scene.plane.start(
                sessions: Array(state.sessions.values), bindings: state.bindings, prefixBindings: state.prefixBindings)
            #expect(conflicts.isEmpty)
            try await scene.settle()
        }
        scene.clock.advance(100)
        switch what.family {
        case .ipv4: try await self.ipv4(what.what, scene, before)
        case .ipv6: try await self.ipv6(what.what, scene, before)
        }
        let after = try await scene.plane.sessions(limit: 9)
        #expect(after.map(\.id) == [before.id], "still one session")
        #expect(scene.installed.first?.address == after.first?.address, "the node has what the record says")
        #expect(scene.installed.first?.ipv6?.prefixes == after.first?.ipv6?.resources.map(\.prefix))
        if what.family == .ipv4, what.what != .prefixChange {
            #expect(after.first?.ipv6?.resources == before.ipv6?.resources)
        }
        if what.family == .ipv6 { #expect(after.first?.address == before.address) }
        try await scene.stop()
    }

    private func ipv4(_ what: Case.What, _ scene: Scene, _ before: SessionRecord) async throws {
        let message: [UInt8]
        switch what {
        case .renew, .prefixChange: message = frame(.request, ciaddr: before.address)
        case .rebind: message = frame(.request, requested: before.address)
        case .release: message = frame(.release, ciaddr: before.address)
        case .decline: message = frame(.decline, requested: before.address)
        }
        scene.receive(message)
        try await scene.settle()
        let record = try #require(try await scene.plane.sessions(limit: 1).first)
        switch what {
        case .renew, .rebind, .prefixChange:
            #expect(record.address == before.address && record.leaseExpires > before.leaseExpires)
        case .release, .decline:
            #expect(record.address == .zero)
            let binding = scene.store.state.withLock { $0.bindings.last }
            #expect(binding?.address == before.address && binding?.declined == (what == .decline))
        }
    }

    private func ipv6(_ what: Case.What, _ scene: Scene, _ before: SessionRecord) async throws {
        let held = before.ipv6?.bindings.map { binding -> DHCPv6Lease.Resource in
            binding.isDelegation ? .prefix(binding.resource.prefix) : .address(binding.resource.prefix.address)
        }
        let leases = try #require(held)
        let frames = scene.link.takeFrames()
        switch what {
        case .renew, .rebind:
            let message = host.message(what == .renew ? .renew : .rebind, having: leases)
            let answer = try #require(try await scene.exchange(host, message))
            #expect(Set(answer.resources) == Set(leases))
            let record = try await scene.plane.sessions(limit: 1).first
            #expect(record?.ipv6?.resources == before.ipv6?.resources)
            #expect(try #require(record?.ipv6).expires > (try #require(before.ipv6)).expires)
        case .release:
            let answer = try #require(try await scene.exchange(host, host.message(.release, having: leases)))
            #expect(answer.type == .reply)
            let record = try await scene.plane.sessions(limit: 1).first
            #expect(record?.ipv6?.resources == [try #require(before.ipv6?.link)], "the line's own prefix stays")
            #expect(scene.store.state.withLock { $0.prefixBindings.count } == 2)
        case .decline:
            let address = leases.filter { if case .address = $0 { true } else { false } }
            _ = try await scene.exchange(host, host.message(.decline, having: address))
            let record = try await scene.plane.sessions(limit: 1).first
            #expect(record?.ipv6?.addresses == [] && record?.ipv6?.delegated == before.ipv6?.delegated)
            #expect(scene.store.state.withLock { $0.prefixBindings.map(\.declined) } == [true])
        case .prefixChange:
            // The new prefix is advertised, the old one with lifetimes of zero.
            let advertised = try #require(host.advertisements(frames).last)
            let old = try #require(before.ipv6?.link?.prefix)
            #expect(advertised.prefixes.first { $0.prefix == old }?.validLifetime == 0)
            #expect(
                advertised.prefixes.contains { prefix("2001:db8:9::/48").contains($0.prefix) && $0.validLifetime > 0 })
            let renewed = try #require(try await scene.exchange(host, host.message(.renew, having: leases)))
            #expect(renewed.statuses == [DHCPv6StatusCode.noBinding], "the delegated prefix is not ours any more")
            let again = try #require(try await scene.exchange(host, host.message(.solicit, rapid: true)))
            #expect(again.resources.contains { prefix("2001:db8:e000::/40").contains($0.prefixForTest) })
        }
    }
}

extension DHCPv6Lease.Resource {
    fileprivate var prefixForTest: IPv6Prefix {
        switch self {
        case .prefix(let prefix): return prefix
        case .address(let address): return IPv6Prefix(holding: address, length: 128)
        }
    }
}
