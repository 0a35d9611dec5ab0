// SPDX-License-Identifier: Apache-2.0
// The server of RFC 5176 on loopback: what is carried out, what is refused, and what never gets an answer.

import BNGCore
import NIOCore
import NIOPosix
import RADIUS
import RADIUSContract
import RADIUSDriver
import Subscribers
import Synchronization
import Testing

/// What was asked of the handler, and what it says.
private final class Handled: Sendable {
    struct State: Sendable {
        var requests: [DynamicAuthorization] = []
        var result: DynamicAuthorizationResult? = .done
        var pending: [@Sendable (DynamicAuthorizationResult) -> Void] = []
    }

    let state = Mutex(State())

    func handle(_ request: DynamicAuthorization, _ done: @escaping @Sendable (DynamicAuthorizationResult) -> Void) {
        let result = self.state.withLock { state in
            state.requests.append(request)
            if state.result == nil { state.pending.append(done) }
            return state.result
        }
        if let result { done(result) }
    }

    var count: Int { self.state.withLock { $0.requests.count } }
}

private final class Answers: ChannelInboundHandler, Sendable {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    let received = Mutex<[[UInt8]]>([])

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Array(self.unwrapInboundIn(data).data.readableBytesView)
        self.received.withLock { $0.append(bytes) }
    }
}

/// A running server and a client's socket.
private struct CoABed {
    let server: DynamicAuthorizationServer
    let handled: Handled
    let answers: Answers
    let socket: any Channel
    let secret: RADIUSSecret
    let log: LogLines

    static func run(
        adjust: (inout DynamicAuthorizationConfiguration) -> Void = { _ in }, _ body: (CoABed) async throws -> Void
    ) async throws {
        let folder = try SecretFolder()
        defer { folder.remove() }
        let file = try folder.file("secret", "c0a")
        var configuration = DynamicAuthorizationConfiguration(
            host: "127.0.0.1", port: 0, clients: [.init(address: "127.0.0.1", secretFile: file)])
        adjust(&configuration)
        let (handled, answers, log) = (Handled(), Answers(), LogLines())
        let server = try DynamicAuthorizationServer(
            configuration: configuration, handler: { handled.handle($0, $1) },
            group: MultiThreadedEventLoopGroup.singleton, logger: log.logger)
        try await server.start()
        let socket = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { $0.pipeline.addHandler(answers) }
            .bind(host: "127.0.0.1", port: 0).get()
        try await body(
            CoABed(
                server: server, handled: handled, answers: answers, socket: socket,
                secret: RADIUSDriverTests.secret("c0a"), log: log))
        try await socket.close().get()
        await server.stop()
    }

    func packet(
        _ code: RADIUSCode = .disconnectRequest, identifier: UInt8 = 1, stamp: Int64? = 0,
        extra: [(RADIUSAttributeKey, [UInt8])] = []
    ) -> RADIUSPacket {
        var packet = RADIUSPacket(code: code, identifier: identifier)
        packet.attributes.append(.acctSessionID, text: "1-17")
        if let stamp {
            let seconds = UTCTime.ofHost().milliseconds / 1_000 + stamp
            packet.attributes.append(.eventTimestamp, UInt32(seconds))
        }
        for (key, value) in extra { packet.attributes.append(key, value) }
        return packet
    }

    func send(_ packet: RADIUSPacket, signed: Bool = true) async throws {
        try await self.send(self.secret.seal(computing: packet, signed: signed))
    }

    func send(_ bytes: [UInt8]) async throws {
        let address = try #require(self.server.localAddress)
        try await self.socket.writeAndFlush(
            AddressedEnvelope(remoteAddress: address, data: ByteBuffer(bytes: bytes))
        ).get()
    }

    func answer(_ number: Int = 1) async throws -> RADIUSPacket {
        try await eventually("answer \(number)") { self.answers.received.withLock { $0.count } >= number }
        let bytes = self.answers.received.withLock { $0[number - 1] }
        return try RADIUSCodec.decode(bytes.span)
    }
}

extension RADIUSPacket {
    fileprivate var cause: UInt32? { self.attributes.first(.errorCause)?.radiusInteger }
}

extension DriverTests {
    @Suite struct DynamicAuthorizationTests {
        @Test func `a disconnect is carried out, and its answer is signed and carries Proxy-State back`() async throws {
            try await CoABed.run { bed async throws in
                let request = bed.packet(extra: [(.proxyState, [1, 2]), (.state, [3]), (.proxyState, [4])])
                let sealed = bed.secret.seal(computing: request, signed: true)
                try await bed.send(sealed)
                let answer = try await bed.answer()
                #expect(answer.code == .disconnectACK && answer.identifier == 1)
                #expect(answer.attributes.values(.proxyState) == [[1, 2], [4]])
                #expect(answer.attributes.first(.state) == [3])
                let authenticator = try #require(RADIUSAuthenticator(Array(sealed[4..<20])))
                let bytes = bed.answers.received.withLock { $0[0] }
                #expect(bed.secret.check(answer: bytes, to: authenticator) == .genuine(signed: true))
                let asked = try #require(bed.handled.state.withLock { $0.requests.first })
                #expect(asked.kind == .disconnect && asked.target.accountingID == "1-17")
                let counters = await bed.server.counters()
                #expect(counters.disconnects == 1 && counters.acknowledged == 1)
            }
        }

        @Test func `a change is carried out, or refused with cause and words`() async throws {
            try await CoABed.run { bed async throws in
                try await bed.send(bed.packet(.changeRequest, extra: [(.sessionTimeout, [0, 0, 1, 0])]))
                #expect(try await bed.answer().code == .changeACK)
                bed.handled.state.withLock { $0.result = .refused(.sessionContextNotFound, "no such session") }
                try await bed.send(bed.packet(.changeRequest, identifier: 2, extra: [(.sessionTimeout, [0, 0, 1, 0])]))
                let refused = try await bed.answer(2)
                #expect(refused.code == .changeNAK && refused.cause == 503)
                #expect(refused.attributes.first(.replyMessage)?.radiusText == "no such session")
                try await bed.send(bed.packet(.changeRequest, identifier: 3, extra: [(.framedPool, [65])]))
                #expect(try await bed.answer(3).cause == 401)
                var nobody = bed.packet(identifier: 4)
                nobody.attributes = RADIUSAttributes()
                nobody.attributes.append(.eventTimestamp, UInt32(UTCTime.ofHost().milliseconds / 1_000))
                try await bed.send(nobody)
                let answer = try await bed.answer(4)
                #expect(answer.code == .disconnectNAK && answer.cause == 402)
                #expect(bed.handled.count == 2)
            }
        }

        @Test func `a copy gets the same answer and acts once, also while the first is worked on`() async throws {
            try await CoABed.run { bed async throws in
                bed.handled.state.withLock { $0.result = nil }
                let sealed = bed.secret.seal(computing: bed.packet(), signed: true)
                for _ in 0..<3 { try await bed.send(sealed) }
                try await eventually("duplicates") { await bed.server.counters().duplicates == 2 }
                #expect(bed.handled.count == 1)
                let done = try #require(bed.handled.state.withLock { $0.pending.first })
                done(.done)
                _ = try await bed.answer(1)
                try await bed.send(sealed)
                _ = try await bed.answer(2)
                #expect(bed.answers.received.withLock { $0[0] == $0[1] && $0.count == 2 })
                #expect(bed.handled.count == 1)
            }
        }

        @Test func `a replay after the answer is forgotten is dropped`() async throws {
            try await CoABed.run(adjust: { $0.limits.repeatMs = 0 }) { bed async throws in
                let sealed = bed.secret.seal(computing: bed.packet(), signed: true)
                try await bed.send(sealed)
                _ = try await bed.answer()
                try await bed.send(sealed)
                try await eventually("the replay") { await bed.server.counters().replayed == 1 }
                #expect(bed.handled.count == 1)
                #expect(bed.answers.received.withLock { $0.count } == 1)
            }
        }

        @Test(arguments: [-400, 400, nil] as [Int64?])
        func `a request without a timestamp of now is dropped`(_ stamp: Int64?) async throws {
            try await CoABed.run { bed async throws in
                try await bed.send(bed.packet(stamp: stamp))
                try await eventually("the drop") { await bed.server.counters().stale == 1 }
                try await bed.send(bed.packet(identifier: 2))
                _ = try await bed.answer()
                #expect(bed.handled.count == 1)
            }
        }

        @Test func `forged, unsigned, malformed and foreign packets get no answer and are counted`() async throws {
            try await CoABed.run { bed async throws in
                try await bed.send(bed.packet(), signed: false)
                try await bed.send(RADIUSDriverTests.secret("other").seal(computing: bed.packet(), signed: true))
                try await bed.send(bed.secret.seal(request: bed.packet()))
                try await bed.send([40, 1, 0])
                try await bed.send(bed.packet(.accountingRequest))
                for length in 0..<64 { try await bed.send([UInt8](repeating: 43, count: length)) }
                try await bed.send(bed.packet(identifier: 9))
                #expect(try await bed.answer().identifier == 9)
                let counters = await bed.server.counters()
                #expect(counters.missingMessageAuthenticator == 1 && counters.badAuthenticator == 2)
                #expect(counters.unexpected == 1 && counters.malformed == 65 && counters.disconnects == 1)
                #expect(bed.answers.received.withLock { $0.count } == 1)
                #expect(!bed.log.holds("c0a"))
            }
        }

        @Test func `a wrong signature under a right authenticator gets no answer`() async throws {
            try await CoABed.run { bed async throws in
                var packet = bed.packet()
                packet.attributes.append(.messageAuthenticator, [UInt8](repeating: 1, count: 16))
                try await bed.send(packet, signed: false)
                try await eventually("the drop") { await bed.server.counters().badMessageAuthenticator == 1 }
                #expect(bed.handled.count == 0)
            }
        }

        @Test func `a client nobody configured gets no answer`() async throws {
            try await CoABed.run(adjust: { $0.clients[0].address = "192.0.2.10" }) { bed async throws in
                try await bed.send(bed.packet())
                try await eventually("the drop") { await bed.server.counters().unknownClient == 1 }
                #expect(bed.handled.count == 0)
            }
        }

        @Test func `what nobody answers in time is counted and forgotten, and more than the limit is dropped`()
            async throws
        {
            try await CoABed.run(adjust: { configuration in
                configuration.limits.inFlight = 2
                configuration.limits.answerMs = 1_500
            }) { bed async throws in
                bed.handled.state.withLock { $0.result = nil }
                for identifier in UInt8(1)...3 { try await bed.send(bed.packet(identifier: identifier)) }
                try await eventually("the overload") { await bed.server.counters().overloaded == 1 }
                try await eventually("the lack of an answer") { await bed.server.counters().unanswered == 2 }
                for done in bed.handled.state.withLock({ $0.pending }) { done(.done) }
                bed.handled.state.withLock { $0.result = .done }
                try await bed.send(bed.packet(identifier: 4))
                #expect(try await bed.answer().identifier == 4)
            }
        }

        @Test func `a thousand disconnects are carried out, each once`() async throws {
            try await CoABed.run { bed async throws in
                for number in 0..<1_000 {
                    let name = Array("user-\(number)".utf8)
                    try await bed.send(bed.packet(identifier: UInt8(number % 256), extra: [(.userName, name)]))
                    // A socket's buffer holds a few hundred answers.
                    if number % 50 == 49 { _ = try await bed.answer(number + 1) }
                }
                #expect(bed.handled.count == 1_000)
            }
        }
    }
}
