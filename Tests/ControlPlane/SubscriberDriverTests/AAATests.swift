// SPDX-License-Identifier: Apache-2.0
// The plane and AAA: who is admitted with what, what a change does, what is accounted, what happens when nobody answers.

import BNGCore
import DHCPv4
import Fleet
import SubscriberDriver
import Subscribers
import Testing

private let mbit = LineRate(bitsPerSecond: 10_000_000)

private func policy(_ authority: FakeAuthority, _ outlet: FakeOutlet? = nil) -> AAAPolicy {
    var gold = ServicePlan(name: "gold", version: 3)
    (gold.rateDown, gold.filter) = (mbit, "web")
    var single = ServicePlan(name: "single")
    single.sessionsPerUser = 1
    var walled = ServicePlan(name: "walled")
    (walled.filter, walled.isGarden) = ("web", true)
    var policy = AAAPolicy()
    policy.authority = authority
    policy.accounting = outlet
    policy.userName = { "user-\($0.mac)" }
    policy.catalog = PlanCatalog(
        plans: [gold, single, walled], filters: ["web"], pools: ["residential", "spare"], interimInterval: 10)
    return policy
}

private func user(_ n: Int) -> String { "user-\(mac(n))" }

private func grant(_ n: Int, _ change: (inout ServiceGrant) -> Void = { _ in }) -> AuthorizationOutcome {
    var grant = ServiceGrant(source: .radius, userName: user(n))
    change(&grant)
    return .accept(grant)
}

extension Scene {
    fileprivate func begin() async throws {
        _ = try await self.plane.start(sessions: [], bindings: [])
        try await self.settle()
    }

    fileprivate func offer(_ n: Int) async throws -> DHCPv4Message? {
        self.receive(frame(.discover, mac: mac(n)))
        var frames: [[UInt8]] = []
        let deadline = ContinuousClock.now + .seconds(1)
        while frames.isEmpty, ContinuousClock.now < deadline {
            try await self.settle()
            frames = self.link.takeFrames()
            if try await self.plane.sessions(limit: 1).isEmpty, frames.isEmpty { break }
        }
        return try frames.first.map(reply)
    }

    @discardableResult
    fileprivate func bind(_ n: Int) async throws -> SessionRecord {
        let offered = try #require(try await self.offer(n))
        self.receive(frame(.request, mac: mac(n), requested: offered.yourAddress))
        try await self.until { self.link.state.withLock { !$0.frames.isEmpty } }
        #expect(try reply(try #require(self.link.takeFrames().first)).type == .ack)
        return try #require(try await self.plane.sessions(limit: 9).first { $0.line.mac == mac(n) })
    }

    fileprivate func installed(_ id: SessionID) -> InstalledSession? { self.link.state.withLock { $0.installed[id] } }

    fileprivate func apply(_ request: DynamicAuthorization) async -> DynamicAuthorizationResult {
        await withCheckedContinuation { continuation in
            self.plane.apply(request) { continuation.resume(returning: $0) }
        }
    }
}

struct AAATests {
    @Test func `an accepted customer is served with the plan, and what AAA says beside it wins`() async throws {
        let authority = FakeAuthority([
            user(1): grant(1) {
                ($0.plan, $0.rateUp, $0.sessionTimeout) = ("gold", LineRate(bitsPerSecond: 1_000_000), 600)
                ($0.idleTimeout, $0.routes) = (60, [IPv4Prefix("192.0.2.0/28")].compactMap { $0 })
            }
        ])
        let scene = Scene(aaa: policy(authority))
        try await scene.begin()
        let record = try await scene.bind(1)
        let session = try #require(scene.installed(record.id))
        #expect(session.rateDown == mbit && session.rateUp?.bitsPerSecond == 1_000_000)
        #expect(session.filterID == namedObjectID(.filter, "web") && session.idleTimeout == 60)
        #expect(session.ends == scene.clock.now + 600 && session.framedRoutes.count == 1)
        #expect(authority.asked.withLock { $0.first?.facts.portID } == "edge1/access0")
        try await scene.stop()
    }

    @Test func `AAA's address, pool, netmask and DNS servers are what the client gets`() async throws {
        let fixed = IPv4Address(rawValue: 0x6440_7777)
        let authority = FakeAuthority([
            user(1): grant(1) { ($0.address, $0.prefixLength, $0.dns) = (fixed, 24, [server]) },
            user(2): grant(2) { $0.pool = "spare" }, user(3): grant(3) { $0.pool = "spare" },
        ])
        let scene = Scene(aaa: policy(authority))
        try await scene.begin()
        let offered = try #require(try await scene.offer(1))
        #expect(offered.yourAddress == fixed)
        #expect(offered.address(DHCPv4OptionCode.subnetMask) == IPv4Address(rawValue: 0xffff_ff00))
        #expect(offered.address(6) == server)
        scene.receive(frame(.request, mac: mac(1), requested: fixed))
        try await scene.until { scene.link.state.withLock { !$0.frames.isEmpty } }
        #expect(scene.link.state.withLock { $0.installed.values.first?.poolTemplateID } == 77)
        _ = scene.link.takeFrames()
        #expect(try await scene.bind(2).address == IPv4Address(rawValue: 0x6450_0102))
        #expect(try await scene.offer(3) == nil, "the pool AAA names is exhausted, and no other will do")
        try await scene.stop()
    }

    @Test func `a rejected customer hears nothing and leaves nothing`() async throws {
        let scene = Scene(aaa: policy(FakeAuthority([user(1): .reject(message: "no")])))
        try await scene.begin()
        #expect(try await scene.offer(1) == nil)
        #expect(try await scene.plane.poolUsage().allSatisfy { $0.usage.held == 0 })
        #expect(try await scene.plane.counters()[.rejected] == 1)
        try await scene.stop()
    }

    @Test func `after so many rejections nobody is asked for a while`() async throws {
        let authority = FakeAuthority([user(1): .reject(message: "no")])
        var aaa = policy(authority)
        aaa.onReject = .lockOut(after: 2, for: 60)
        let scene = Scene(aaa: aaa)
        try await scene.begin()
        for _ in 0..<5 { _ = try await scene.offer(1) }
        #expect(authority.asked.withLock { $0.count } == 2)
        scene.clock.advance(61)
        authority.set(user(1), grant(1))
        try await scene.bind(1)
        try await scene.stop()
    }

    @Test func `a rejected customer of a garden is served behind its filter`() async throws {
        var aaa = policy(FakeAuthority([user(1): .reject(message: "pay first")]))
        aaa.onReject = .garden(plan: "walled")
        let scene = Scene(aaa: aaa)
        try await scene.begin()
        let record = try await scene.bind(1)
        #expect(record.grant.source == .garden && record.grant.replyMessage == "pay first")
        #expect(scene.installed(record.id)?.filterID == namedObjectID(.filter, "web"))
        try await scene.stop()
    }

    @Test func `while nobody answers a line gets what it was granted last, if policy says so`() async throws {
        let authority = FakeAuthority([user(1): grant(1) { $0.plan = "gold" }])
        var aaa = policy(authority)
        aaa.onUnavailable = .lastKnown
        let scene = Scene(aaa: aaa)
        try await scene.begin()
        let first = try await scene.bind(1)
        #expect(try await scene.plane.clear(first.id))
        try await scene.until { try await scene.plane.sessions(limit: 1).isEmpty }
        authority.set(user(1), .unavailable)
        let again = try await scene.bind(1)
        #expect(again.grant.plan == "gold" && again.grant.source == .cached && again.id != first.id)
        #expect(try await scene.offer(2) == nil, "nothing is known of the other line")
        try await scene.stop()
    }

    @Test func `one session for each user: the newer one wins, or the older one, as policy says`() async throws {
        let same = AuthorizationOutcome.accept(
            {
                var grant = ServiceGrant(source: .radius, userName: "shared")
                grant.plan = "single"
                return grant
            }())
        for above in [UserLimitPolicy.replace, .deny] {
            var aaa = policy(FakeAuthority([user(1): same, user(2): same]))
            aaa.aboveLimit = above
            let scene = Scene(aaa: aaa)
            try await scene.begin()
            let first = try await scene.bind(1)
            if above == .deny {
                #expect(try await scene.offer(2) == nil)
            } else {
                let second = try await scene.bind(2)
                try await scene.until { scene.store.state.withLock { !$0.history.isEmpty } }
                #expect(scene.store.state.withLock { $0.history.first?.cause } == .replaced)
                #expect(try await scene.plane.sessions(limit: 9).map(\.id) == [second.id])
                #expect(first.id != second.id)
            }
            try await scene.stop()
        }
    }

    @Test func `a grant that cannot be served is a rejection, not a session without its filter`() async throws {
        let scene = Scene(aaa: policy(FakeAuthority([user(1): grant(1) { $0.filter = "unheard-of" }])))
        try await scene.begin()
        #expect(try await scene.offer(1) == nil)
        #expect(try await scene.plane.counters()[.unservable] == 1)
        try await scene.stop()
    }

    @Test func `a change of authorization is confirmed by the data plane before it is acknowledged`() async throws {
        let scene = Scene(aaa: policy(FakeAuthority([user(1): grant(1)])))
        try await scene.begin()
        let record = try await scene.bind(1)
        var change = ServiceGrantChange()
        change.plan = "gold"
        var target = DynamicAuthorization.Target()
        target.userName = user(1)
        #expect(await scene.apply(.init(kind: .change(change), target: target)) == .done)
        #expect(scene.installed(record.id)?.rateDown == mbit)
        // The answer does not wait for the note.
        try await scene.until { scene.store.state.withLock { $0.notes.count } == 1 }
        change.plan = "platinum"
        guard
            case .refused(.invalidAttributeValue, let words) = await scene.apply(
                .init(kind: .change(change), target: target))
        else {
            Issue.record("an unknown plan was acknowledged")
            return
        }
        #expect(words.contains("platinum"))
        scene.link.state.withLock { $0.refuses = true }
        change.plan = "single"
        guard case .refused(.resourcesUnavailable, _) = await scene.apply(.init(kind: .change(change), target: target))
        else {
            Issue.record("a change the node refused was acknowledged")
            return
        }
        try await scene.stop()
    }

    @Test func `a disconnect ends the session everywhere, and one for nobody is not found`() async throws {
        let scene = Scene(aaa: policy(FakeAuthority([user(1): grant(1)])))
        try await scene.begin()
        let record = try await scene.bind(1)
        var target = DynamicAuthorization.Target()
        target.accountingID = record.id.description
        target.mac = mac(2)
        guard case .refused(.sessionContextNotFound, _) = await scene.apply(.init(kind: .disconnect, target: target))
        else {
            Issue.record("an attribute that does not match was ignored")
            return
        }
        target.mac = mac(1)
        #expect(await scene.apply(.init(kind: .disconnect, target: target)) == .done)
        #expect(scene.installed(record.id) == nil)
        try await scene.until { scene.store.state.withLock { !$0.history.isEmpty } }
        #expect(scene.store.state.withLock { $0.history.first?.cause } == .adminReset)
        try await scene.stop()
    }

    @Test func `start, interims and stop are written with the session, in order, with the bytes`() async throws {
        let outlet = FakeOutlet()
        let scene = Scene(
            now: 1_000_000_000, aaa: policy(FakeAuthority([user(1): grant(1) { $0.classes = [[7]] }]), outlet))
        try await scene.begin()
        let record = try await scene.bind(1)
        #expect(outlet.records.withLock { $0.map(\.kind) } == [.start])
        var totals = SessionTotals()
        totals.upBytes = 5_000
        scene.link.state.withLock { $0.counters = [record.id: totals] }
        scene.clock.advance(11)
        try await scene.until { outlet.records.withLock { $0.count } == 2 }
        #expect(try await scene.plane.clear(record.id))
        try await scene.until { outlet.records.withLock { $0.count } == 3 }
        let records = outlet.records.withLock { $0 }
        #expect(records.map(\.kind) == [.start, .interim, .stop])
        #expect(records.map(\.totals.upBytes) == [0, 5_000, 5_000])
        #expect(records.allSatisfy { $0.classes == [[7]] && $0.accountingID == record.id.description })
        #expect(records[1].sessionSeconds == 11 && records[2].cause == .adminReset)
        #expect(records.map(\.sequence) == records.map(\.sequence).sorted())
        #expect(scene.store.state.withLock { $0.accounting } == records)
        try await scene.stop()
    }

    @Test func `interim records of sessions that came up at once are spread evenly over the interval`() async throws {
        let outlet = FakeOutlet()
        var aaa = AAAPolicy()
        (aaa.accounting, aaa.catalog) = (outlet, PlanCatalog(interimInterval: 20))
        let scene = Scene(now: 1_000_000_000, aaa: aaa)
        try await scene.begin()
        scene.plane.receive(node: "edge1", punts: (0..<2_000).map { scene.packet(frame(.discover, mac: mac($0))) })
        try await scene.until { scene.link.state.withLock { $0.frames.count } == 2_000 }
        let offers = try scene.link.takeFrames().map(reply)
        scene.plane.receive(
            node: "edge1",
            punts: offers.map { scene.packet(frame(.request, mac: $0.clientMAC, requested: $0.yourAddress)) })
        try await scene.until { outlet.records.withLock { $0.count } == 2_000 }
        try await scene.until { scene.link.state.withLock { $0.installed.count } == 2_000 }
        for _ in 1...40 {
            scene.clock.advance(1)
            let looked = ContinuousClock.now + .milliseconds(20)
            try await scene.until { ContinuousClock.now > looked }
        }
        try await scene.until { outlet.records.withLock { $0.count } == 6_000 }
        let interims = outlet.records.withLock { $0.filter { $0.kind == .interim } }
        #expect(interims.count == 4_000)
        let perSession = Dictionary(grouping: interims, by: \.session)
        #expect(perSession.count == 2_000 && perSession.values.allSatisfy { $0.count == 2 })
        let perSecond = Dictionary(grouping: interims, by: \.at)
        // 100 a second are due; a look that came late takes several seconds' share.
        #expect(perSecond.values.allSatisfy { $0.count < 500 } && perSecond.count > 10)
        try await scene.stop()
    }

    @Test func `a session whose time is up is authenticated again if AAA asked for that`() async throws {
        let authority = FakeAuthority([
            user(1): grant(1) { ($0.sessionTimeout, $0.terminationAction, $0.state) = (20, .reauthenticate, [9]) }
        ])
        let scene = Scene(now: 1_000_000_000, aaa: policy(authority))
        try await scene.begin()
        let record = try await scene.bind(1)
        authority.set(user(1), grant(1) { ($0.sessionTimeout, $0.plan) = (40, "gold") })
        scene.clock.advance(16)
        try await scene.until { scene.installed(record.id)?.rateDown == mbit }
        #expect(authority.asked.withLock { $0.last?.state == [9] && $0.last?.isAgain == true })
        #expect(authority.asked.withLock { Set($0.map(\.userName)) } == [user(1)])
        #expect(scene.installed(record.id)?.ends == scene.clock.now + 40)
        authority.set(user(1), .reject(message: "gone"))
        scene.plane.reauthenticate(user: user(1))
        try await scene.until { scene.installed(record.id) == nil }
        try await scene.until { scene.store.state.withLock { !$0.history.isEmpty } }
        #expect(scene.store.state.withLock { $0.history.first?.cause } == .reauthenticationFailed)
        try await scene.stop()
    }
}
