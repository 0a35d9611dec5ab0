// SPDX-License-Identifier: Apache-2.0
// Hello, lanes and what ends a connection, seen from an agent (docs/contract.md sections 1-4).

import AgentContract
import AgentDriver
import AgentProto
import BNGCore
import Fleet
import Foundation
import Testing

@Suite struct AssociationTests {
    @Test func `an agent that says hello gets its configuration and an equal audit`() async throws {
        try await World.run { world in
            let agent = TestAgent()
            try await agent.connect(world.address)
            try await world.synchronized()
            #expect(await agent.applied.map(\.family) == [.port, .serverIdentity, .guardRates])
            world.server.audit()
            try await eventually("for a second audit") { try await world.status().audits >= 3 }
            let status = try await world.status()
            #expect(status.audit.allSatisfy { $0.differences == 0 })
            #expect(status.reachability == .connected)
            #expect(status.term == 1)
            #expect(world.recorder.state.withLock { $0.ports.map(\.name) } == ["access0"])
        }
    }

    @Test func `a frame before the hello is answered is unexpected`() async throws {
        try await World.run { world in
            let lane = try await TestLane.connect(to: world.address)
            let hello = Wire.AgentFrame.with { $0.body = .hello(TestAgent().hello()) }
            let beat = Wire.AgentFrame.with { $0.heartbeat = .with { $0.sequence = 1 } }
            try await lane.send(raw: try FrameCodec.frame(hello) + FrameCodec.frame(beat))
            #expect(try await lane.closingNotice().code == .unexpected)
        }
    }

    @Test func `a heartbeat is answered with its sequence`() async throws {
        try await World.run { world in
            let second = try await TestLane.connect(to: world.address)
            try await second.send(.hello(TestAgent().hello()))
            guard case .helloReply = try await second.next() else { throw Timeout() }
            try await second.send(.heartbeat(.with { $0.sequence = 41 }))
            while true {
                guard case .heartbeat(let beat) = try await second.next() else { continue }
                #expect(beat.sequence == 41)
                break
            }
            await second.close()
        }
    }

    @Test(arguments: [
        ("unknown node", Wire.ErrorCode.unknownNode), ("no minor in common", .version), ("short boot id", .malformed),
    ]) func `a hello that cannot be accepted is refused with its code`(_ what: String, _ code: Wire.ErrorCode)
        async throws
    {
        try await World.run { world in
            let lane = try await TestLane.connect(to: world.address)
            var hello = TestAgent().hello()
            switch code {
            case .unknownNode: hello.nodeID = "nobody"
            case .version: hello.protocolMinorMin = 2
            default: hello.bootID = Data([1])
            }
            try await lane.send(.hello(hello))
            #expect(try await lane.closingNotice().code == code)
        }
    }

    @Test(
        arguments: [
            ([0x00, 0x10, 0x00, 0x01], Wire.ErrorCode.frameTooLarge), ([0, 0, 0, 0], .malformed),
            ([0, 0, 0, 2, 0x12, 0x7f], .malformed), ([0, 0, 0, 2, 0xf8, 0x07], .malformed),
            ([0, 0, 0, 3, 0xa2, 0x06, 0], .unknownMessage),
        ] as [([UInt8], Wire.ErrorCode)])
    func `bytes that are no frame end the connection with their code`(_ bytes: [UInt8], _ code: Wire.ErrorCode)
        async throws
    {
        try await World.run { world in
            let lane = try await TestLane.connect(to: world.address)
            try await lane.send(raw: bytes)
            #expect(try await lane.closingNotice().code == code)
            #expect(try await world.status().reachability == .unknown)
        }
    }

    @Test func `a frame fed byte by byte is understood`() async throws {
        try await World.run { world in
            let lane = try await TestLane.connect(to: world.address)
            let frame = Wire.AgentFrame.with { $0.body = .hello(TestAgent().hello()) }
            for byte in try FrameCodec.frame(frame) { try await lane.send(raw: [byte]) }
            guard case .helloReply(let reply) = try await lane.next() else { throw Timeout() }
            #expect(reply.associationID.count == 16)
            #expect(reply.nodeTerm == 1)
            await lane.close()
        }
    }

    @Test func `a message on the wrong lane ends the association`() async throws {
        try await World.run { world in
            let lane = try await TestLane.connect(to: world.address)
            try await lane.send(.hello(TestAgent().hello()))
            _ = try await lane.next()
            try await lane.send(.punts(.init()))
            #expect(try await lane.closingNotice().code == .unexpected)
            try await eventually { try await world.status().reachability == .unreachable }
        }
    }

    @Test func `a lane of an unknown association, or of another boot, is refused`() async throws {
        try await World.run { world in
            let agent = TestAgent()
            try await agent.connect(world.address)
            let id = await agent.associationID
            for (association, boot) in [
                (Data(repeating: 9, count: 16), agent.bootID), (id, Data(repeating: 9, count: 16)),
            ] {
                let lane = try await TestLane.connect(to: world.address)
                try await lane.send(
                    .laneHello(
                        .with {
                            $0.lane = .punt
                            $0.associationID = association
                            $0.bootID = boot
                        }))
                #expect(try await lane.closingNotice().code == .unknownAssociation)
            }
        }
    }

    @Test func `a newer association of a node replaces the older one`() async throws {
        try await World.run { world in
            let old = try await TestLane.connect(to: world.address)
            try await old.send(.hello(TestAgent().hello()))
            _ = try await old.next()
            let agent = TestAgent(bootID: 2)
            try await agent.connect(world.address)
            #expect(try await old.closingNotice().code == .replaced)
            try await world.synchronized()
            #expect(try await world.status().reachability == .connected)
        }
    }

    @Test func `the loss of the state lane closes the others`() async throws {
        try await World.run { world in
            let agent = TestAgent()
            try await agent.connect(world.address)
            let punt = try await agent.open(.punt, world.address)
            let telemetry = try await agent.open(.telemetry, world.address)
            await agent.disconnect()
            try await punt.untilClosed()
            try await telemetry.untilClosed()
            #expect(try await world.status().reachability == .unreachable)
        }
    }

    @Test func `silence past the timeout ends the association`() async throws {
        try await World.run(adjust: { $0.heartbeatTimeoutMs = 200 }) { world in
            let lane = try await TestLane.connect(to: world.address)
            try await lane.send(.hello(TestAgent().hello()))
            #expect(try await lane.closingNotice().code == .heartbeatLost)
        }
    }

    @Test func `a connection that says nothing is closed`() async throws {
        try await World.run(adjust: { $0.limits.helloTimeoutMs = 100 }) { world in
            let lane = try await TestLane.connect(to: world.address)
            #expect(try await lane.closingNotice().code == .unexpected)
        }
    }

    @Test func `more strangers than the limit are turned away at once`() async throws {
        try await World.run(adjust: { $0.limits.strangers = 2 }) { world in
            let first = try await TestLane.connect(to: world.address)
            let second = try await TestLane.connect(to: world.address)
            let third = try await TestLane.connect(to: world.address)
            try await third.untilClosed()
            await first.close()
            await second.close()
        }
    }

    @Test func `an agent that has obeyed a higher term refuses and is reported`() async throws {
        try await World.run { world in
            let agent = TestAgent()
            await agent.setTerm(9)
            try await agent.connect(world.address)
            try await eventually { try await world.status().termIsStale }
            guard case .failure(.refused(let error)) = await world.upsert(session(1), id: 1) else { throw Timeout() }
            #expect(error.code == .staleTerm)
            #expect(await agent.count(.session) == 0)
        }
    }

    @Test func `the term is raised once per run of the controller`() async throws {
        let store = MemoryStore()
        for run in UInt64(1)...3 {
            try await World.run(store: store) { world in
                let agent = TestAgent()
                try await agent.connect(world.address)
                await agent.disconnect()
                try await eventually { try await world.status().reachability == .unreachable }
                try await agent.connect(world.address)
                #expect(await agent.term == run)
            }
        }
    }
}
