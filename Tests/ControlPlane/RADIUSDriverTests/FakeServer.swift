// SPDX-License-Identifier: Apache-2.0
// A RADIUS server on loopback that does what a test tells it to, and remembers what it was sent.

import BNGCore
import NIOCore
import NIOPosix
import RADIUS
import Synchronization
import TestVectors
import Testing

func secret(_ text: String) -> RADIUSSecret { RADIUSSecret(Array(text.utf8), digests: TestDigests()) }

/// What a server does with a packet.
enum Reply: Sendable {
    case silence
    case answer(RADIUSCode, RADIUSAttributes = RADIUSAttributes(), signed: Bool = true)
    case raw([UInt8])
    /// From another socket.
    case fromElsewhere(RADIUSCode)
}

final class FakeServer: Sendable {
    struct State: Sendable {
        var received: [RADIUSPacket] = []
        var raw: [[UInt8]] = []
        /// Where each packet came from.
        var peers: [SocketAddress] = []
        var behaviour: @Sendable (RADIUSPacket) -> Reply
    }

    let state: Mutex<State>
    let channel: any Channel
    let elsewhere: any Channel
    let secret: RADIUSSecret

    private init(_ channel: any Channel, _ elsewhere: any Channel, _ secret: RADIUSSecret) {
        self.channel = channel
        self.elsewhere = elsewhere
        self.secret = secret
        self.state = Mutex(State(behaviour: { _ in .silence }))
    }

    static func start(
        secret: String, port: Int = 0, _ behaviour: @escaping @Sendable (RADIUSPacket) -> Reply = usual
    ) async throws -> FakeServer {
        let group = MultiThreadedEventLoopGroup.singleton
        let bootstrap = DatagramBootstrap(group: group)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4_096))
            .channelOption(.socketOption(.init(rawValue: SO_RCVBUF)), value: 4 << 20)
        let channel = try await bootstrap.bind(host: "127.0.0.1", port: port).get()
        let elsewhere = try await bootstrap.bind(host: "127.0.0.1", port: 0).get()
        let server = FakeServer(channel, elsewhere, BNGSecret(secret))
        server.behave(behaviour)
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.addHandler(FakeServerHandler(server))
        }.get()
        return server
    }

    /// Accepts, records, answers probes.
    static let usual: @Sendable (RADIUSPacket) -> Reply = { packet in
        packet.code == .accountingRequest ? .answer(.accountingResponse, signed: false) : .answer(.accessAccept)
    }

    var port: Int { self.channel.localAddress?.port ?? 0 }
    var received: [RADIUSPacket] { self.state.withLock { $0.received } }
    func count(_ code: RADIUSCode) -> Int { self.received.filter { $0.code == code }.count }

    func behave(_ behaviour: @escaping @Sendable (RADIUSPacket) -> Reply) {
        self.state.withLock { $0.behaviour = behaviour }
    }

    fileprivate func received(_ bytes: [UInt8], from: SocketAddress) {
        guard let packet = try? RADIUSCodec.decode(bytes.span) else { return }
        let reply = self.state.withLock { state in
            state.received.append(packet)
            state.raw.append(bytes)
            state.peers.append(from)
            return state.behaviour(packet)
        }
        switch reply {
        case .silence: break
        case .raw(let bytes): self.send(bytes, to: from, self.channel)
        case .answer(let code, let attributes, let signed):
            self.send(self.sealed(code, attributes, packet, signed: signed), to: from, self.channel)
        case .fromElsewhere(let code):
            self.send(self.sealed(code, RADIUSAttributes(), packet), to: from, self.elsewhere)
        }
    }

    func sealed(
        _ code: RADIUSCode, _ attributes: RADIUSAttributes, _ request: RADIUSPacket, signed: Bool = true
    ) -> [UInt8] {
        let packet = RADIUSPacket(code: code, identifier: request.identifier, attributes: attributes)
        return self.secret.seal(answer: packet, to: request.authenticator, signed: signed)
    }

    /// Answers packet number `index`, now.
    func answer(_ index: Int, _ code: RADIUSCode) {
        let (packet, peer) = self.state.withLock { ($0.received[index], $0.peers[index]) }
        self.send(self.sealed(code, RADIUSAttributes(), packet), to: peer, self.channel)
    }

    private func send(_ bytes: [UInt8], to: SocketAddress, _ channel: any Channel) {
        channel.writeAndFlush(
            AddressedEnvelope(remoteAddress: to, data: channel.allocator.buffer(bytes: bytes)), promise: nil)
    }

    func stop() async {
        try? await self.channel.close().get()
        try? await self.elsewhere.close().get()
    }
}

private func BNGSecret(_ text: String) -> RADIUSSecret { secret(text) }

private final class FakeServerHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let server: FakeServer

    init(_ server: FakeServer) {
        self.server = server
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = self.unwrapInboundIn(data)
        self.server.received(Array(envelope.data.readableBytesView), from: envelope.remoteAddress)
    }
}
