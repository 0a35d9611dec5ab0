// SPDX-License-Identifier: Apache-2.0
// Upserts, deletes, audits and repairs against an agent in miniature (docs/contract.md sections 5, 6, 11).

import AgentContract
import AgentDriver
import AgentProto
import BNGCore
import Fleet
import Testing

@Suite struct DesiredStateTests {
    @Test func `a session is installed and an equal upsert sends nothing`() async throws {
        try await World.run { world in
            let agent = TestAgent()
            try await agent.connect(world.address)
            #expect(await world.upsert(session(1), id: 1) == .success(1))
            #expect(await agent.object(sessionKey(1)) != nil)
            let batches = await agent.batches
            #expect(await world.upsert(session(1), id: 1) == .success(1))
            #expect(await agent.batches == batches)
            var changed = session(1)
            changed.clientID = [1]
            #expect(await world.upsert(changed, id: 1) == .success(2))
        }
    }

    @Test func `a refused object is answered with the agent's code and shown`() async throws {
        try await World.run { world in
            let agent = TestAgent()
            await agent.refuse(sessionKey(1), .conflict)
            try await agent.connect(world.address)
            guard case .failure(.refused(let error)) = await world.upsert(session(1), id: 1) else { throw Timeout() }
            #expect(error.code == .conflict)
            #expect(try await world.status().refusals.map(\.key) == [sessionKey(1)])
            #expect(await world.upsert(session(2), id: 2) == .success(1))
            await agent.refuse(sessionKey(1), nil)
            #expect(await world.upsert(session(1), id: 1) == .success(1))
            #expect(try await world.status().refusals.isEmpty)
        }
    }

    @Test func `an agent that does not know PCP is told policies without it`() async throws {
        var policy = NATPolicy()
        policy.pcp = true
        let rate = GuardRate(
            puntClass: .pcp, linePacketsPerSecond: 1, lineBurst: 1, portPacketsPerSecond: 1, portBurst: 1)
        let objects = [
            NamedObject(name: "home", body: .natPolicy(policy)), NamedObject(name: "guard", body: .guardRates([rate])),
        ]
        let key = objects[0].key
        try await World.run(configured: World.configuration.dropLast() + objects) { world in
            // Upgraded, and back again: the object changes each time, and no audit finds a difference.
            for knowsPCP in [false, true, false] {
                let agent = TestAgent(capabilities: knowsPCP ? ["pcp"] : [])
                try await agent.connect(world.address)
                try await world.synchronized()
                #expect(await agent.object(key)?.natPolicy.pcp == knowsPCP)
                #expect(await agent.object(objects[1].key)?.guardRates.rates.isEmpty == !knowsPCP)
                let lane = try await agent.open(.punt, world.address)
                var classes: Set<Wire.PuntClass> = []
                while !classes.contains(.dhcpv6) || knowsPCP && !classes.contains(.pcp) {
                    if case .puntCredit(let credit) = try await lane.next() { classes.insert(credit.puntClass) }
                }
                #expect(classes.contains(.pcp) == knowsPCP)
                await agent.disconnect()
                try await eventually { try await world.status().reachability == .unreachable }
            }
        }
    }

    @Test func `an upsert while the node is away is answered when it is back`() async throws {
        try await World.run { world in
            async let answer = world.upsert(session(1), id: 1)
            try await eventually { try await world.status().intendedSessions == 1 }
            let agent = TestAgent()
            try await agent.connect(world.address)
            #expect(await answer == .success(1))
            #expect(await agent.object(sessionKey(1))?.generation == 1)
            // Whoever refers comes after whom it refers to.
            #expect(await agent.applied.last == sessionKey(1))
        }
    }

    @Test func `an upsert the node turns out to hold already is answered after the audit`() async throws {
        try await World.run { world in
            let agent = TestAgent()
            await agent.hold(DesiredObject(id: 1, generation: 1, body: .session(session(1))))
            async let answer = world.upsert(session(1), id: 1)
            try await eventually { try await world.status().intendedSessions == 1 }
            try await agent.connect(world.address)
            #expect(await answer == .success(1))
            #expect(await agent.applied.allSatisfy { $0.family != .session })
        }
    }

    @Test func `a delete waits for the node to come back and returns its final counters`() async throws {
        try await World.run { world in
            let agent = TestAgent()
            try await agent.connect(world.address)
            #expect(await world.upsert(session(1), id: 1) == .success(1))
            await agent.disconnect()
            try await eventually { try await world.status().reachability == .unreachable }
            async let outcome = world.delete(1)
            try await eventually { try await world.status().pendingDeletes == 1 }
            try await agent.connect(world.address)
            #expect(try await outcome.get().finalCounters?.upPackets == 11)
            #expect(await agent.count(.session) == 0)
            world.server.acknowledgeFinal(node: "edge1", id: SessionID(rawValue: 1))
            try await eventually { await Set(agent.acknowledgedFinals) == [1] }
            #expect(try await world.status().pendingDeletes == 0)
        }
    }

    @Test func `a session a former run installed can be deleted`() async throws {
        try await World.run { world in
            let agent = TestAgent()
            await agent.hold(DesiredObject(id: 5, generation: 3, body: .session(session(5))))
            try await agent.connect(world.address)
            #expect(try await world.delete(5).get().finalCounters != nil)
            #expect(await agent.count(.session) == 0)
        }
    }

    @Test func `an audit repairs what a node lost or holds otherwise`() async throws {
        try await World.run { world in
            let agent = TestAgent()
            try await agent.connect(world.address)
            for id in UInt64(1)...10 { _ = await world.upsert(session(id), id: id) }
            await agent.lose(sessionKey(3))
            var wrong = session(4)
            wrong.clientID = [9]
            await agent.hold(DesiredObject(id: 4, generation: 1, body: .session(wrong)))
            await agent.lose(ObjectKey(.serverIdentity, namedObjectID(.serverIdentity, "identity")))
            let before = try await world.status().audits
            world.server.audit()
            try await eventually("for repair and a second audit") { try await world.status().audits >= before + 2 }
            try await world.synchronized()
            #expect(try await world.status().audit.allSatisfy { $0.differences == 0 })
            #expect(await agent.count(.session) == 10)
            #expect(await agent.object(sessionKey(4))?.generation == 2)
            #expect(await agent.count(.serverIdentity) == 1)
        }
    }

    @Test func `a reconnected agent that lost everything gets everything back in order`() async throws {
        try await World.run { world in
            let agent = TestAgent()
            try await agent.connect(world.address)
            for id in UInt64(1)...100 { _ = await world.upsert(session(id), id: id) }
            await agent.disconnect()
            try await eventually { try await world.status().reachability == .unreachable }
            let empty = TestAgent(bootID: 3)
            try await empty.connect(world.address)
            try await world.synchronized()
            let families = await empty.applied.map(\.family)
            #expect(families == families.sorted())
            #expect(await empty.count(.session) == 100)
        }
    }

    @Test func `an agent that held everything through a restart of the controller is told nothing`() async throws {
        let store = MemoryStore()
        let agent = TestAgent()
        try await World.run(store: store) { world in
            try await agent.connect(world.address)
            for id in UInt64(1)...20 { _ = await world.upsert(session(id), id: id) }
            await agent.disconnect()
        }
        let batches = await agent.batches
        let stored = (UInt64(1)...20).map {
            (id: SessionID(rawValue: $0), generation: Generation(1), session: session($0))
        }
        try await World.run(store: store, before: { $0.load(node: "edge1", sessions: stored) }) { world in
            try await agent.connect(world.address)
            try await world.synchronized()
            #expect(await agent.batches == batches)
            #expect(try await world.status().audit.allSatisfy { $0.differences == 0 })
        }
    }

    @Test func `changed configuration is sent, removed configuration is deleted`() async throws {
        let store = MemoryStore()
        let agent = TestAgent()
        try await World.run(store: store) { world in
            try await agent.connect(world.address)
            try await world.synchronized()
            await agent.disconnect()
        }
        var configured = World.configuration
        configured.removeLast()
        configured[0].body = .port(PortPolicy(name: "access0", role: .access, accessDomain: 1, mtu: 1_400))
        try await World.run(store: store, configured: configured) { world in
            try await agent.connect(world.address)
            try await eventually { await agent.count(.guardRates) == 0 }
            try await world.synchronized()
            let key = ObjectKey(.port, namedObjectID(.port, "access0"))
            #expect(await agent.object(key)?.generation == 2)
            let identity = ObjectKey(.serverIdentity, namedObjectID(.serverIdentity, "identity"))
            #expect(await agent.object(identity)?.generation == 1)
        }
    }

    @Test func `sessions nobody knows stay until an operator clears them`() async throws {
        try await World.run { world in
            let agent = TestAgent()
            await agent.hold(DesiredObject(id: 77, generation: 3, body: .session(session(77))))
            try await agent.connect(world.address)
            try await world.synchronized()
            #expect(try await world.status().quarantine.map(\.id) == [77])
            #expect(await agent.count(.session) == 1)
            #expect(try await world.server.clearQuarantine(node: "edge1") == 1)
            try await eventually { await agent.count(.session) == 0 }
            try await eventually { await Set(agent.acknowledgedFinals) == [77] }
            #expect(try await world.status().quarantine.isEmpty)
        }
    }

    @Test func `an equal object at a newer generation is adopted, not sent again`() async throws {
        try await World.run { world in
            let agent = TestAgent()
            await agent.hold(DesiredObject(id: 1, generation: 6, body: .session(session(1))))
            async let answer = world.upsert(session(1), id: 1)
            try await eventually { try await world.status().intendedSessions == 1 }
            try await agent.connect(world.address)
            _ = await answer
            try await world.synchronized()
            #expect(await agent.applied.allSatisfy { $0.family != .session })
            var changed = session(1)
            changed.clientID = [1]
            #expect(await world.upsert(changed, id: 1) == .success(7))
        }
    }

    @Test func `an agent that is ahead with other content is overruled with a higher generation`() async throws {
        try await World.run { world in
            let agent = TestAgent()
            var other = session(1)
            other.clientID = [9]
            await agent.hold(DesiredObject(id: 1, generation: 6, body: .session(other)))
            async let answer = world.upsert(session(1), id: 1)
            try await eventually { try await world.status().intendedSessions == 1 }
            try await agent.connect(world.address)
            #expect(await answer == .success(1))
            #expect(await agent.object(sessionKey(1))?.generation == 7)
        }
    }

    @Test func `new session maps are filled only after the owner of the leases is ready`() async throws {
        try await World.run { world in
            let agent = TestAgent()
            try await agent.connect(world.address, epoch: 7)
            #expect(await world.upsert(session(1), id: 1) == .success(1))
            await agent.disconnect()
            try await eventually { try await world.status().reachability == .unreachable }
            await agent.loseEverything()
            try await agent.connect(world.address, epoch: 8)
            try await eventually { world.recorder.state.withLock { $0.readies.count } == 1 }
            #expect(await agent.count(.session) == 0)
            let extended = session(1, lease: 9_000)
            world.server.upsert(
                node: "edge1", session: extended, id: SessionID(rawValue: 1), on: world.loop
            ) { _ in }
            world.recorder.state.withLock { $0.readies }[0]()
            try await eventually { await agent.count(.session) == 1 }
            #expect(await agent.object(sessionKey(1))?.session.ipv4.leaseExpiresUnixMs == 9_000)
            #expect(world.store.state.withLock { $0.memory["edge1"]?.sessionEpoch } == 8)
        }
    }

    @Test func `ten thousand upserts arrive, many to a batch`() async throws {
        try await World.run { world in
            let agent = TestAgent()
            try await agent.connect(world.address)
            try await world.synchronized()
            for id in UInt64(1)...10_000 {
                world.server.upsert(
                    node: "edge1", session: session(id), id: SessionID(rawValue: id), on: world.loop
                ) { _ in }
            }
            try await eventually(within: .seconds(20)) { await agent.count(.session) == 10_000 }
            #expect(await agent.batches < 2_000)
        }
    }
}
