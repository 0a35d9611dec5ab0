// SPDX-License-Identifier: Apache-2.0
// Punts within credits, injects, events acknowledged when durable, counters (docs/contract.md sections 8-10).

import AgentContract
import AgentDriver
import AgentProto
import BNGCore
import Fleet
import Foundation
import Testing

private func punt(_ puntClass: Wire.PuntClass = .dhcpv4) -> Wire.Punt {
    .with {
        $0.puntClass = puntClass
        $0.reason = "dhcp_unknown_line"
        $0.port = "access0"
        $0.accessDomainID = 1
        $0.frame = Data([1, 2, 3])
    }
}

private func credits(_ lane: TestLane) async throws -> UInt32 {
    while true {
        if case .puntCredit(let credit) = try await lane.next(), credit.puntClass == .dhcpv4 { return credit.credits }
    }
}

@Suite struct PacketTests {
    @Test func `punts are handed on and their credits come back once they are dealt with`() async throws {
        try await World.run(adjust: { $0.limits.dhcpCredits = 16 }) { world in
            let agent = TestAgent()
            try await agent.connect(world.address)
            let lane = try await agent.open(.punt, world.address)
            #expect(try await credits(lane) == 16)
            try await lane.send(.punts(.with { $0.punts = Array(repeating: punt(), count: 16) }))
            try await eventually { world.recorder.state.withLock { $0.punts.count } == 16 }
            let packet = try #require(world.recorder.state.withLock { $0.punts.first })
            #expect(packet.port == "access0")
            #expect(packet.frame == [1, 2, 3])
            #expect(packet.session == nil)
            world.server.processed(node: "edge1", .dhcpv4, count: 10)
            #expect(try await credits(lane) == 10)
        }
    }

    @Test func `a new punt lane does not raise what may be under way`() async throws {
        try await World.run(adjust: { $0.limits.dhcpCredits = 16 }) { world in
            let agent = TestAgent()
            try await agent.connect(world.address)
            let first = try await agent.open(.punt, world.address)
            #expect(try await credits(first) == 16)
            try await first.send(.punts(.with { $0.punts = Array(repeating: punt(), count: 6) }))
            try await eventually { world.recorder.state.withLock { $0.punts.count } == 6 }
            let second = try await agent.open(.punt, world.address)
            try await first.untilClosed()
            #expect(try await credits(second) == 10)
        }
    }

    @Test func `more punts than credits end the lane and nothing is handed on`() async throws {
        try await World.run(adjust: { $0.limits.dhcpCredits = 4 }) { world in
            let agent = TestAgent()
            try await agent.connect(world.address)
            let lane = try await agent.open(.punt, world.address)
            try await lane.send(.punts(.with { $0.punts = Array(repeating: punt(), count: 5) }))
            #expect(try await lane.closingNotice().code == .creditExceeded)
            #expect(world.recorder.state.withLock { $0.punts.isEmpty })
            #expect(try await world.status().reachability == .connected)
        }
    }

    @Test func `injects arrive in order with their condition`() async throws {
        try await World.run { world in
            let agent = TestAgent()
            try await agent.connect(world.address)
            let lane = try await agent.open(.punt, world.address)
            for number in UInt8(0)..<200 {
                world.server.inject(
                    node: "edge1", frame: Array(repeating: number, count: 64), port: "access0",
                    requires: number == 7 ? (SessionID(rawValue: 5), 2) : nil)
            }
            var received: [Wire.Inject] = []
            while received.count < 200 {
                if case .injects(let batch) = try await lane.next() { received += batch.injects }
            }
            #expect(received.map { $0.frame.first } == (UInt8(0)..<200).map { $0 })
            #expect(received[7].requiresSessionID == 5)
            #expect(received[7].requiresGeneration == 2)
            #expect(received[8].requiresSessionID == 0)
            world.server.inject(node: "edge1", frame: [1], port: "access0")
            try await eventually { try await world.status().traffic.injectsDropped == 1 }
        }
    }

    @Test func `events are acknowledged in order, once durable`() async throws {
        try await World.run { world in
            let agent = TestAgent()
            try await agent.connect(world.address)
            let lane = try await agent.open(.telemetry, world.address)
            for (first, count) in [(UInt64(1), UInt64(3)), (4, 2)] {
                try await lane.send(
                    .events(
                        .with { batch in
                            batch.events = (first..<first + count).map { sequence in
                                .with {
                                    $0.sequence = sequence
                                    $0.leaseRenewed = .with {
                                        $0.sessionID = sequence
                                        $0.expiresUnixMs = 5
                                    }
                                }
                            }
                        }))
            }
            try await eventually { world.recorder.state.withLock { $0.durables.count } == 2 }
            let durables = world.recorder.state.withLock { $0.durables }
            durables[1]()
            durables[0]()
            guard case .eventAck(let ack) = try await lane.next() else { throw Timeout() }
            #expect(ack.sequence == 5, "the second batch alone must not be acknowledged")
            #expect(world.recorder.state.withLock { $0.events.count } == 5)
        }
    }

    @Test func `counters are kept per node and bounded`() async throws {
        try await World.run(adjust: { $0.limits.counters = 10 }) { world in
            let agent = TestAgent()
            try await agent.connect(world.address)
            let lane = try await agent.open(.telemetry, world.address)
            try await lane.send(
                .counters(
                    .with { report in
                        report.counters = (0..<50).map { number in
                            .with {
                                $0.name = "drop.reason\(number)"
                                $0.value = 1
                            }
                        }
                    }))
            try await eventually { try await world.status().counters.count == 10 }
        }
    }

    @Test func `session counters are asked for and answered`() async throws {
        try await World.run { world in
            let agent = TestAgent()
            try await agent.connect(world.address)
            let lane = try await agent.open(.telemetry, world.address)
            async let answer = world.server.sessionCounters(node: "edge1", ids: [SessionID(rawValue: 3)])
            guard case .sessionCountersRequest(let request) = try await lane.next() else { throw Timeout() }
            #expect(request.sessionIds == [3])
            try await lane.send(
                .sessionCounters(
                    .with {
                        $0.requestID = request.requestID
                        $0.sessions = [
                            .with {
                                $0.sessionID = 3
                                $0.upBytes = 42
                            }
                        ]
                        $0.last = true
                    }))
            #expect(try await answer.map(\.upBytes) == [42])
        }
    }
}
