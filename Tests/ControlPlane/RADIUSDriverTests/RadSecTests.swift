// SPDX-License-Identifier: Apache-2.0
// RADIUS over TLS: both certificates, framing, reconnection.

import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import RADIUS
import RADIUSDriver
import Synchronization
import TestVectors
import Testing

/// A RadSec server that accepts everybody. Packets go out in two pieces, so that framing is used.
private final class RadSecServer: Sendable {
    let connections = Mutex<[any Channel]>([])
    let requests = Mutex(0)
    let channel = Mutex<(any Channel)?>(nil)
    private let context: NIOSSLContext

    init(_ authority: CertificateAuthority, trusting: CertificateAuthority) throws {
        var tls = TLSConfiguration.makeServerConfigurationWithMTLS(
            certificateChain: try NIOSSLCertificate.fromPEMFile(authority.path("server.pem")).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: authority.path("server.key"), format: .pem)),
            trustRoots: .file(trusting.path("ca.pem")))
        tls.certificateVerification = .noHostnameVerification
        self.context = try NIOSSLContext(configuration: tls)
    }

    func start(port: Int = 0) async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOSSLServerHandler(context: self.context), RadSecServerHandler(self),
                    ])
                }
            }.bind(host: "127.0.0.1", port: port).get()
        self.channel.withLock { $0 = channel }
    }

    var port: Int { self.channel.withLock { $0?.localAddress?.port ?? 0 } }

    func stop() async {
        try? await self.channel.withLock { $0 }?.close().get()
        for connection in self.connections.withLock({ $0 }) { try? await connection.close().get() }
    }
}

private final class RadSecServerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: RadSecServer
    private var buffer = ByteBuffer()

    init(_ server: RadSecServer) {
        self.server = server
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        self.server.connections.withLock { $0.append(channel) }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.buffer.writeImmutableBuffer(self.unwrapInboundIn(data))
        while let packet = self.next() {
            self.server.requests.withLock { $0 += 1 }
            let isAccounting = packet.code == .accountingRequest
            let answer = RADIUSPacket(
                code: isAccounting ? .accountingResponse : .accessAccept, identifier: packet.identifier)
            let bytes = secret("radsec").seal(answer: answer, to: packet.authenticator, signed: !isAccounting)
            context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: bytes.prefix(7))), promise: nil)
            context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: bytes.dropFirst(7))), promise: nil)
        }
    }

    private func next() -> RADIUSPacket? {
        guard let length = self.buffer.getInteger(at: self.buffer.readerIndex + 2, as: UInt16.self),
            let bytes = self.buffer.readBytes(length: Int(length))
        else { return nil }
        return try? RADIUSCodec.decode(bytes.span)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

extension DriverTests {
    @Suite(.serialized) struct RadSecTests {
        private func run(
            _ body: (CertificateAuthority, CertificateAuthority) async throws -> Void
        ) async throws {
            let folder = try SecretFolder()
            defer { folder.remove() }
            let ours = try await CertificateAuthority(folder.folder, "ours")
            let theirs = try await CertificateAuthority(folder.folder, "theirs")
            try await ours.issue("server", subject: "/CN=radius", alternative: "IP:127.0.0.1,DNS:localhost")
            try await ours.issue("elsewhere", subject: "/CN=radius", alternative: "DNS:elsewhere.example")
            try await ours.issue("client", subject: "/CN=bng")
            try await theirs.issue("server", subject: "/CN=radius", alternative: "IP:127.0.0.1")
            try await theirs.issue("client", subject: "/CN=bng")
            try await body(ours, theirs)
        }

        private func configuration(
            _ port: Int, _ client: CertificateAuthority, host: String = "127.0.0.1"
        ) -> RADIUSConfiguration {
            var server = RADIUSConfiguration.Server(
                name: "t",
                transport: .tls(
                    host: host, port: port, certificate: client.path("client.pem"), key: client.path("client.key"),
                    authority: client.path("ca.pem")))
            server.timeoutMs = 500
            return RADIUSConfiguration(
                servers: [server], authentication: .init(servers: ["t"], totalMs: 5_000),
                accounting: .init(servers: ["t"], totalMs: 5_000))
        }

        @Test(arguments: ["127.0.0.1", "localhost"]) func `requests go over TLS with both certificates`(_ host: String)
            async throws
        {
            try await self.run { ours, _ in
                let server = try RadSecServer(ours, trusting: ours)
                try await server.start()
                var configuration = self.configuration(server.port, ours, host: host)
                configuration.servers[0].timeoutMs = 10_000
                configuration.authentication.totalMs = 30_000
                try await Bed.run(configuration) { bed async throws in
                    #expect(await bed.ask().isAccept)
                    #expect(await bed.account())
                    await withTaskGroup(of: Void.self) { group in
                        for _ in 0..<600 { group.addTask { #expect(await bed.ask().isAccept) } }
                    }
                    #expect(try await bed.status("t").counters.accepts == 601)
                    #expect(try await bed.status("t").counters.retransmits == 0)
                }
                await server.stop()
            }
        }

        @Test func `a server of another authority gets no request, nor does one with another name`() async throws {
            try await self.run { ours, theirs in
                let foreign = try RadSecServer(theirs, trusting: ours)
                try await foreign.start()
                try await Bed.run(self.configuration(foreign.port, ours)) { bed async throws in
                    #expect(await bed.ask() == .unavailable)
                    #expect(try await bed.status("t").counters.connectionFailures > 0)
                    #expect(bed.log.holds("no way to a RADIUS server"))
                }
                #expect(foreign.requests.withLock { $0 } == 0)
                await foreign.stop()
            }
        }

        @Test func `a server that does not know our authority hears nothing of us`() async throws {
            try await self.run { ours, theirs in
                let server = try RadSecServer(ours, trusting: theirs)
                try await server.start()
                try await Bed.run(self.configuration(server.port, ours)) { bed async throws in
                    #expect(await bed.ask() == .unavailable)
                }
                #expect(server.requests.withLock { $0 } == 0)
                await server.stop()
            }
        }

        @Test func `a lost connection is opened again`() async throws {
            try await self.run { ours, _ in
                let server = try RadSecServer(ours, trusting: ours)
                try await server.start()
                let port = server.port
                try await Bed.run(self.configuration(port, ours)) { bed async throws in
                    #expect(await bed.ask().isAccept)
                    await server.stop()
                    try await eventually("the loss is noticed") { try await bed.status("t").state == .disconnected }
                    try await server.start(port: port)
                    try await eventually("an answer") { await bed.ask().isAccept }
                }
                await server.stop()
            }
        }

        @Test func `while TLS is down the next server is asked at once`() async throws {
            try await self.run { ours, _ in
                let udp = try await FakeServer.start(secret: "s3cret")
                try await Bed.run(
                    [udp],
                    adjust: { configuration in
                        var other = self.configuration(1, ours).servers[0]
                        other.name = "t"
                        configuration.servers.append(other)
                        configuration.authentication.servers = ["t", "a"]
                    }
                ) { bed async throws in
                    try await eventually("the refusal is noticed") { try await bed.status("t").state == .disconnected }
                    #expect(await bed.ask().isAccept)
                    #expect(try await bed.status("t").counters.sent == 0)
                }
            }
        }

        @Test func `a key that others can read is refused`() async throws {
            try await self.run { ours, _ in
                try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: ours.path("client.key"))
                #expect {
                    _ = try RADIUSClient(
                        configuration: self.configuration(1, ours), group: MultiThreadedEventLoopGroup.singleton,
                        logger: LogLines().logger)
                } throws: {
                    "\($0)".contains("mode 644")
                }
            }
        }
    }
}
