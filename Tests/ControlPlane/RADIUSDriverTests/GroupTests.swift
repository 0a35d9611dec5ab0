// SPDX-License-Identifier: Apache-2.0
// Several servers: fail-over, death, revival, balance, and thousands in flight.

import BNGCore
import NIOPosix
import RADIUS
import RADIUSDriver
import Subscribers
import Synchronization
import Testing

extension DriverTests {
    @Suite struct GroupTests {
        private func silentThenUsual() async throws -> (FakeServer, FakeServer) {
            (
                try await FakeServer.start(secret: "s3cret") { _ in .silence },
                try await FakeServer.start(secret: "s3cret")
            )
        }

        @Test func `a silent server is left for the next, dies, and is passed over until a probe is answered`()
            async throws
        {
            let (first, second) = try await self.silentThenUsual()
            try await Bed.run([first, second], timeoutMs: 300) { bed async throws in
                try await eventually("the first server is dead") {
                    #expect(await bed.ask().isAccept)
                    return try await bed.status("a").state == .dead
                }
                let before = first.count(.accessRequest)
                #expect(await bed.ask().isAccept)
                #expect(first.count(.accessRequest) == before)
                try await eventually("probes") { first.count(.statusServer) >= 2 }
                let probe = try #require(first.received.first { $0.code == .statusServer })
                #expect(first.secret.check(randomRequest: RADIUSCodec.encode(probe)) == .genuine(signed: true))
                first.behave(FakeServer.usual)
                try await eventually("the first server is back") { try await bed.status("a").state == .alive }
                #expect(await bed.ask().isAccept)
                #expect(first.count(.accessRequest) == before + 1)
                #expect(bed.log.holds("a RADIUS server is dead") && bed.log.holds("a RADIUS server is back"))
            }
        }

        @Test func `requests of a server that dies move on at once`() async throws {
            let (first, second) = try await self.silentThenUsual()
            try await Bed.run(
                [first, second],
                adjust: { configuration in
                    configuration.servers[0].timeoutMs = 300
                    configuration.servers[0].retries = 20
                    configuration.authentication.totalMs = 20_000
                }
            ) { bed async throws in
                let begin = ContinuousClock.now
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<20 { group.addTask { #expect(await bed.ask().isAccept) } }
                }
                #expect(begin.duration(to: .now) < .seconds(5))
                #expect(try await bed.status("a").counters.moved > 0)
            }
        }

        @Test func `a dead server that is not probed is tried again after its time`() async throws {
            let server = try await FakeServer.start(secret: "s3cret") { _ in .silence }
            try await Bed.run([server], adjust: { $0.servers[0].usesStatusServer = false }) { bed async throws in
                #expect(await bed.ask() == .unavailable)
                try await eventually("death") {
                    if try await bed.status().state == .dead { return true }
                    return await bed.ask().isAccept
                }
                let count = server.count(.accessRequest)
                #expect(await bed.ask() == .unavailable)
                #expect(server.count(.accessRequest) == count)
                server.behave(FakeServer.usual)
                try await eventually("revival") { await bed.ask().isAccept }
                #expect(server.count(.statusServer) == 0)
            }
        }

        @Test func `a record moves to the next server under another authenticator`() async throws {
            let (first, second) = try await self.silentThenUsual()
            try await Bed.run([first, second], timeoutMs: 300) { bed async throws in
                #expect(await bed.account())
                try await eventually("the first server has it") { !first.received.isEmpty }
                let one = try #require(first.received.first)
                let other = try #require(second.received.first)
                #expect(one.attributes.first(.acctSessionID) == other.attributes.first(.acctSessionID))
                #expect(second.count(.accountingRequest) >= 1)
            }
        }

        @Test func `load is balanced over those that live`() async throws {
            let first = try await FakeServer.start(secret: "s3cret") { _ in .silence }
            let second = try await FakeServer.start(secret: "s3cret") { _ in .silence }
            try await Bed.run(
                [first, second],
                adjust: { configuration in
                    configuration.authentication.policy = .loadBalance
                    for index in 0..<2 { configuration.servers[index].timeoutMs = 60_000 }
                    configuration.authentication.totalMs = 120_000
                }
            ) { bed async throws in
                for number in 0..<100 {
                    bed.client.authorize(Bed.request(counter: UInt64(number))) { _ in }
                }
                try await eventually("all are in flight") { first.received.count + second.received.count == 100 }
                #expect(first.received.count == 50 && second.received.count == 50)
            }
        }

        @Test func `four thousand requests are in flight at one server, and all are answered`() async throws {
            let server = try await FakeServer.start(secret: "s3cret") { _ in .silence }
            let total = 4_096
            let outcomes = Mutex((accepted: 0, other: 0))
            try await Bed.run(
                [server],
                adjust: { configuration in
                    configuration.servers[0].timeoutMs = 400
                    configuration.servers[0].retries = 10
                    configuration.authentication.totalMs = 20_000
                    configuration.liveness.unanswered = 1_000_000
                }
            ) { bed async throws in
                for number in 0..<total {
                    bed.client.authorize(Bed.request(counter: UInt64(number))) { outcome in
                        outcomes.withLock { outcomes in
                            if outcome.isAccept { outcomes.accepted += 1 } else { outcomes.other += 1 }
                        }
                    }
                }
                try await eventually("all are in flight") { try await bed.status().inFlight == total }
                #expect(try await bed.status().waiting == 0)
                try await eventually("the server has all of them") {
                    Set(server.received.map(\.authenticator)).count == total
                }
                let ports = server.state.withLock { Set($0.peers.map { $0.port ?? 0 }) }
                #expect(ports.count == 16)
                server.behave(FakeServer.usual)
                try await eventually("all are answered") { outcomes.withLock { $0.accepted + $0.other } == total }
                #expect(outcomes.withLock { $0.accepted } == total)
            }
        }

        @Test func `more than a server's sockets carry wait their turn; more than the limit are turned away`()
            async throws
        {
            let server = try await FakeServer.start(secret: "s3cret") { _ in .silence }
            let ended = Mutex<[AuthorizationOutcome]>([])
            try await Bed.run(
                [server],
                adjust: { configuration in
                    configuration.servers[0].timeoutMs = 60_000
                    configuration.authentication.totalMs = 120_000
                    configuration.limits.sockets = 1
                    configuration.limits.requests = 300
                }
            ) { bed async throws in
                for number in 0..<310 {
                    bed.client.authorize(Bed.request(counter: UInt64(number))) { outcome in
                        ended.withLock { $0.append(outcome) }
                    }
                }
                try await eventually("256 are in flight") { try await bed.status().inFlight == 256 }
                #expect(try await bed.status().waiting == 44)
                #expect(ended.withLock { $0 } == [AuthorizationOutcome](repeating: .unavailable, count: 10))
                try await eventually("the server has them") { server.received.count == 256 }
                server.behave(FakeServer.usual)
                for index in 0..<256 { server.answer(index, .accessAccept) }
                try await eventually("all are answered") { ended.withLock { $0.count } == 310 }
                #expect(ended.withLock { $0.filter(\.isAccept).count } == 300)
            }
        }

        @Test func `servers and secrets that do not fit keep the client from being made`() async throws {
            let folder = try SecretFolder()
            defer { folder.remove() }
            let good = try folder.file("good", "x\n")
            func make(_ file: String, address: String = "192.0.2.1", group: [String] = ["a"]) throws {
                let server = RADIUSConfiguration.Server(
                    name: "a",
                    transport: .udp(
                        address: address, authenticationPort: 1_812, accountingPort: 1_813, secretFile: file))
                let configuration = RADIUSConfiguration(
                    servers: [server], authentication: .init(servers: group, totalMs: 1_000),
                    accounting: .init(servers: [], totalMs: 1_000))
                _ = try RADIUSClient(
                    configuration: configuration, group: MultiThreadedEventLoopGroup.singleton,
                    logger: LogLines().logger)
            }
            try make(good)
            let cases: [(() throws -> Void, String)] = [
                ({ try make(try folder.file("open", "x", mode: 0o644)) }, "mode 644 lets others at it"),
                ({ try make(try folder.file("group", "x", mode: 0o640)) }, "mode 640"),
                ({ try make(try folder.file("empty", "\n")) }, "is empty: expected a secret"),
                ({ try make(try folder.file("long", String(repeating: "x", count: 5_000))) }, "at most 4096"),
                ({ try make("/nowhere/secret") }, "No such file"),
                ({ try make(folder.folder.path) }, "expected a file"),
                ({ try make(good, address: "radius.example") }, "expected an IP address"),
                ({ try make(good, group: ["b"]) }, "no RADIUS server is named b"),
            ]
            for (attempt, words) in cases {
                #expect { try attempt() } throws: { "\($0)".contains(words) }
            }
        }
    }
}
