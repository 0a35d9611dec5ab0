// SPDX-License-Identifier: Apache-2.0
// The server of RFC 5176: CoA-Requests and Disconnect-Requests by UDP.
//
// A packet of an unknown client, without the right authenticator, without the signature it must have, or outside the window of
// its Event-Timestamp is dropped without a word, and counted. A copy of a request gets the answer of the first one; when that is
// no longer kept, nothing. ACK and NAK come from whoever carries requests out: an ACK means that the data plane has confirmed.
//
// Supported standards: RFC 5176 (2.1-2.3, 3, 3.4-3.6, 6.1, 6.3), RFC 5080 (2.2.2).

import BNGCore
import Logging
import NIOCore
import NIOPosix
import RADIUS
import RADIUSContract
import Subscribers
import Synchronization

/// Listens for changes of authorization. Every method may be called from any thread.
public final class DynamicAuthorizationServer: Sendable {
    /// Carries a request out and says, once and on any thread, what became of it.
    public typealias Handler =
        @Sendable (DynamicAuthorization, @escaping @Sendable (DynamicAuthorizationResult) -> Void) -> Void

    private let configuration: DynamicAuthorizationConfiguration
    private let clients: [String: DynamicAuthorizationCore.Client]
    private let handler: Handler
    private let loop: any EventLoop
    private let logger: Logger
    private let now: @Sendable () -> UTCTime
    private let channel = Mutex<(any Channel)?>(nil)
    private let core = Mutex<NIOLoopBound<DynamicAuthorizationCore>?>(nil)

    /// Reads the clients' secrets; `start` listens.
    /// - Parameter now: the time of day, for Event-Timestamp.
    public init(
        configuration: DynamicAuthorizationConfiguration, handler: @escaping Handler, group: any EventLoopGroup,
        logger: Logger, now: @escaping @Sendable () -> UTCTime = { UTCTime.ofHost() }
    ) throws {
        self.configuration = configuration
        self.handler = handler
        self.loop = group.next()
        self.logger = logger
        self.now = now
        var clients: [String: DynamicAuthorizationCore.Client] = [:]
        for (index, client) in configuration.clients.enumerated() {
            guard let address = (try? SocketAddress(ipAddress: client.address, port: 0))?.ipAddress else {
                throw RADIUSDriverError("\(client.address): expected an IP address")
            }
            let secret = RADIUSSecret(try SecretFile.read(client.secretFile), digests: CryptoDigests())
            let entry = DynamicAuthorizationCore.Client(
                index: index, secret: secret, requiresSignature: client.requiresMessageAuthenticator)
            guard clients.updateValue(entry, forKey: address) == nil else {
                throw RADIUSDriverError("the dynamic authorization client \(address) is given twice")
            }
        }
        self.clients = clients
    }

    /// Opens the socket.
    public func start() async throws {
        for client in self.configuration.clients where !client.requiresMessageAuthenticator {
            self.logger.warning(
                "requests without Message-Authenticator are believed", metadata: ["client": "\(client.address)"])
        }
        let listening = self.loop.flatSubmit {
            let core = DynamicAuthorizationCore(
                configuration: self.configuration, clients: self.clients, handler: self.handler, loop: self.loop,
                logger: self.logger, now: self.now)
            let bound = NIOLoopBound(core, eventLoop: self.loop)
            self.core.withLock { $0 = bound }
            return DatagramBootstrap(group: self.loop)
                .channelOption(.datagramVectorReadMessageCount, value: 32)
                .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 32 * 4_096))
                .channelOption(.socketOption(.init(rawValue: SO_RCVBUF)), value: 1 << 20)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(DynamicAuthorizationHandler(bound.value))
                    }
                }
                .bind(host: self.configuration.host, port: self.configuration.port)
        }
        let channel = try await listening.get()
        self.channel.withLock { $0 = channel }
        self.logger.info(
            "listening for changes of authorization",
            metadata: ["address": "\(channel.localAddress?.description ?? "?")"])
    }

    /// Where it listens; nil before `start`.
    public var localAddress: SocketAddress? { self.channel.withLock { $0?.localAddress } }

    /// Closes the socket; what is under way is carried out without an answer.
    public func stop() async {
        try? await self.channel.withLock { $0 }?.close().get()
        try? await self.loop.submit { self.core.withLock { $0 }?.value.stop() }.get()
    }

    /// What was done since the start.
    public func counters() async -> DynamicAuthorizationCounters {
        let counters = self.loop.submit { self.core.withLock { $0 }?.value.counters }
        return (try? await counters.get()) ?? DynamicAuthorizationCounters()
    }
}

private final class DynamicAuthorizationHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let core: DynamicAuthorizationCore

    init(_ core: DynamicAuthorizationCore) {
        self.core = core
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = self.unwrapInboundIn(data)
        self.core.received(Array(envelope.data.readableBytesView), from: envelope.remoteAddress, context.channel)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}
