// SPDX-License-Identifier: Apache-2.0
// The client against a server on loopback: answers of every kind, and packets that are none.

import BNGCore
import RADIUS
import RADIUSContract
import RADIUSDriver
import Subscribers
import Synchronization
import Testing

extension DriverTests {
    @Suite struct ClientTests {
        @Test func `an accept becomes a grant, and the request was signed first of all`() async throws {
            let server = try await FakeServer.start(secret: "s3cret") { _ in
                var attributes = RADIUSAttributes()
                attributes.append(.framedIPAddress, IPv4Address(rawValue: 0x6440_0009))
                attributes.append(.classAttribute, [1, 2])
                attributes.append(.sessionTimeout, [1])
                return .answer(.accessAccept, attributes)
            }
            try await Bed.run([server], timeoutMs: 5_000) { bed async throws in
                guard case .accept(let grant) = await bed.ask() else { throw TooLate(what: "accept") }
                #expect(
                    grant.address == IPv4Address("100.64.0.9") && grant.classes == [[1, 2]] && grant.source == .radius)
                let status = try await bed.status()
                #expect(status.counters.accepts == 1 && status.counters.sent == 1 && status.counters.retransmits == 0)
                #expect(status.counters.ignoredAttributes == 1 && status.state == .alive && status.inFlight == 0)
                #expect(try #require(status.medianMicroseconds) > 0)
                #expect(bed.log.holds("Session-Timeout"))
                #expect(!bed.log.holds("s3cret"))
            }
            let packet = try #require(server.received.first)
            let raw = try #require(server.state.withLock { $0.raw.first })
            #expect(raw[20] == 80)
            #expect(server.secret.check(randomRequest: raw) == .genuine(signed: true))
            let empty = server.secret.hide(password: [], authenticator: packet.authenticator)
            #expect(packet.attributes.first(.userPassword).map(Array.init) == empty)
        }

        @Test func `a reject carries its message, a challenge is one`() async throws {
            let server = try await FakeServer.start(secret: "s3cret") { packet in
                var attributes = RADIUSAttributes()
                attributes.append(.replyMessage, text: "pay first")
                let isChallenge = packet.attributes.first(.userName)?.radiusText == "challenge"
                return .answer(isChallenge ? .accessChallenge : .accessReject, attributes)
            }
            try await Bed.run([server], timeoutMs: 5_000) { bed async throws in
                #expect(await bed.ask() == .reject(message: "pay first"))
                #expect(await bed.ask("challenge") == .reject(message: "challenge not answerable"))
                let counters = try await bed.status().counters
                #expect(counters.rejects == 1 && counters.challenges == 1)
            }
        }

        @Test func `an accept that would be served wrongly is a reject`() async throws {
            let server = try await FakeServer.start(secret: "s3cret") { _ in
                var attributes = RADIUSAttributes()
                attributes.append(.framedRoute, text: "nonsense")
                return .answer(.accessAccept, attributes)
            }
            try await Bed.run([server], timeoutMs: 5_000) { bed async throws in
                guard case .reject(let message) = await bed.ask() else { throw TooLate(what: "reject") }
                #expect(message.contains("Framed-Route"))
                #expect(try await bed.status().counters.refusedAccepts == 1)
            }
        }

        @Test func `a name that fits no packet asks nobody`() async throws {
            let server = try await FakeServer.start(secret: "s3cret")
            try await Bed.run([server], timeoutMs: 5_000) { bed async throws in
                #expect(await bed.ask("") == .reject(message: "user name cannot be sent"))
                #expect(server.received.isEmpty)
                #expect(await bed.ask() != .unavailable)
            }
        }

        @Test func `a request that nobody answers is sent again unchanged, then is unavailable`() async throws {
            let server = try await FakeServer.start(secret: "s3cret") { _ in .silence }
            // A busy machine must not find the server dead before the last copy: that would end the request, rightly.
            try await Bed.run([server], adjust: { $0.liveness.zombieMs = 60_000 }) { bed async throws in
                #expect(await bed.ask() == .unavailable)
                try await eventually("three copies") { server.state.withLock { $0.raw.count } == 3 }
                #expect(server.state.withLock { Set($0.raw).count } == 1)
                let counters = try await bed.status().counters
                #expect(counters.sent == 1 && counters.retransmits == 2 && counters.timeouts == 3)
            }
        }

        @Test func `the total time ends a request whatever the server's own times`() async throws {
            let server = try await FakeServer.start(secret: "s3cret") { _ in .silence }
            try await Bed.run(
                [server],
                adjust: { configuration in
                    configuration.servers[0].timeoutMs = 60_000
                    configuration.authentication.totalMs = 50
                }
            ) { bed async throws in
                #expect(await bed.ask() == .unavailable)
                #expect(try await bed.status().state == .alive)
            }
        }

        @Test func `an answer with another secret is ignored and counted`() async throws {
            let server = try await FakeServer.start(secret: "another")
            try await Bed.run([server]) { bed async throws in
                #expect(await bed.ask() == .unavailable)
                #expect(await bed.account() == false)
                try await eventually("badAuthenticator") { try await bed.status().counters.badAuthenticator > 0 }
                try await eventually("badAuthenticator") {
                    try await bed.status("a", .accounting).counters.badAuthenticator >= 3
                }
                #expect(bed.log.holds("expected the same secret"))
            }
        }

        @Test func `an answer without Message-Authenticator is ignored, unless that is switched off`() async throws {
            let behaviour: @Sendable (RADIUSPacket) -> Reply = { _ in .answer(.accessAccept, signed: false) }
            let server = try await FakeServer.start(secret: "s3cret", behaviour)
            try await Bed.run([server]) { bed async throws in
                #expect(await bed.ask() == .unavailable)
                try await eventually("missingMessageAuthenticator") {
                    try await bed.status().counters.missingMessageAuthenticator >= 3
                }
            }
            let other = try await FakeServer.start(secret: "s3cret", behaviour)
            try await Bed.run([other], adjust: { $0.servers[0].requiresMessageAuthenticator = false }) {
                bed async throws in
                #expect(await bed.ask().isAccept)
                #expect(bed.log.holds("warning answers without Message-Authenticator are believed"))
            }
        }

        @Test func `a wrong Message-Authenticator under a right authenticator is ignored`() async throws {
            let server = try await FakeServer.start(secret: "s3cret") { packet in
                var attributes = RADIUSAttributes()
                attributes.append(.messageAuthenticator, [UInt8](repeating: 7, count: 16))
                let answer = RADIUSPacket(code: .accessAccept, identifier: packet.identifier, attributes: attributes)
                return .raw(secret("s3cret").seal(answer: answer, to: packet.authenticator, signed: false))
            }
            try await Bed.run([server]) { bed async throws in
                #expect(await bed.ask() == .unavailable)
                try await eventually("badMessageAuthenticator") {
                    try await bed.status().counters.badMessageAuthenticator >= 3
                }
            }
        }

        @Test func `a late answer, a doubled one and one from elsewhere are counted and change nothing`() async throws {
            let server = try await FakeServer.start(secret: "s3cret") { packet in
                packet.attributes.first(.userName)?.radiusText == "elsewhere" ? .fromElsewhere(.accessAccept) : .silence
            }
            try await Bed.run([server], adjust: { $0.liveness.unanswered = 1_000 }) { bed async throws in
                #expect(await bed.ask() == .unavailable)
                try await eventually("the server has it") { !server.received.isEmpty }
                server.answer(0, .accessAccept)
                server.answer(0, .accessReject)
                try await eventually("late answers") { try await bed.status().counters.late == 2 }
                #expect(await bed.ask("elsewhere") == .unavailable)
                try await eventually("wrongSource") { try await bed.status().counters.wrongSource > 0 }
            }
        }

        @Test func `the true answer still counts after forged and malformed ones`() async throws {
            let step = Mutex(0)
            let server = try await FakeServer.start(secret: "s3cret") { packet in
                switch step.withLock({ step in
                    step += 1
                    return step
                }) {
                case 1: .raw([2, packet.identifier, 0, 20] + [UInt8](repeating: 0, count: 16))
                case 2: .raw([2, packet.identifier, 0xff])
                default: .answer(.accessAccept)
                }
            }
            try await Bed.run([server], timeoutMs: 500) { bed async throws in
                #expect(await bed.ask().isAccept)
                let counters = try await bed.status().counters
                #expect(counters.badAuthenticator == 1 && counters.malformed == 1)
            }
        }

        @Test func `an answer of another kind is unexpected`() async throws {
            let server = try await FakeServer.start(secret: "s3cret") { _ in .answer(.accountingResponse) }
            try await Bed.run([server]) { bed async throws in
                #expect(await bed.ask() == .unavailable)
                try await eventually("unexpected") { try await bed.status().counters.unexpected > 0 }
            }
        }

        @Test func `garbage of every length stops nothing`() async throws {
            let length = Mutex(0)
            let server = try await FakeServer.start(secret: "s3cret") { packet in
                let count = length.withLock { length in
                    length += 1
                    return length
                }
                return .raw(
                    Array(([2, packet.identifier, 0, UInt8(count)] + [UInt8](repeating: 1, count: 200)).prefix(count)))
            }
            try await Bed.run([server]) { bed async throws in
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<60 { group.addTask { #expect(await bed.ask() == .unavailable) } }
                }
                server.behave(FakeServer.usual)
                try await eventually("an answer") { await bed.ask().isAccept }
            }
        }

        @Test func `a record is acknowledged by an unsigned answer, and its delay is true`() async throws {
            let server = try await FakeServer.start(secret: "s3cret")
            try await Bed.run([server], timeoutMs: 5_000) { bed async throws in
                #expect(await bed.account(Bed.record(secondsAgo: 90)))
                let packet = try #require(server.received.first)
                let raw = try #require(server.state.withLock { $0.raw.first })
                #expect(server.secret.check(computedRequest: raw) == .genuine(signed: true))
                let delay = try #require(packet.attributes.first(.acctDelayTime)?.radiusInteger)
                #expect((89...95).contains(delay))
                #expect(try await bed.status("a", .accounting).counters.accountingResponses == 1)
            }
        }

        @Test func `a record that nobody answers is sent again unchanged, and given back`() async throws {
            let server = try await FakeServer.start(secret: "s3cret") { _ in .silence }
            try await Bed.run([server]) { bed async throws in
                #expect(await bed.account() == false)
                try await eventually("three copies") { server.state.withLock { $0.raw.count } == 3 }
                #expect(server.state.withLock { Set($0.raw).count } == 1)
            }
        }

        @Test func `after a stop everything is unavailable, and nothing waits`() async throws {
            let server = try await FakeServer.start(secret: "s3cret") { _ in .silence }
            try await Bed.run([server], adjust: { $0.servers[0].timeoutMs = 60_000 }) { bed async throws in
                async let waiting = bed.ask()
                try await eventually("the request is in flight") { try await bed.status().inFlight == 1 }
                await bed.client.stop()
                #expect(await waiting == .unavailable)
                #expect(await bed.ask() == .unavailable)
                #expect(await bed.account() == false)
            }
        }
    }
}
