// SPDX-License-Identifier: Apache-2.0
// RADIUS over TLS to one server (RFC 6614): connections are opened as requests need them, the first at once and for good.

import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import RADIUS

final class RadSecTransport: ServerTransport {
    struct Peer {
        var host: String
        var port: Int
        var context: NIOSSLContext
    }

    let isReliable = true
    private let link: ServerLink
    private let peer: Peer
    private let loop: any EventLoop
    private let limit: Int
    private var places = PlaceQueue()
    private var channels: [Int: any Channel] = [:]
    private var isOpening = false
    private var isStopped = false
    private var failures = 0
    private var generator = SystemRandomNumberGenerator()

    init(link: ServerLink, peer: Peer, loop: any EventLoop, limit: Int) {
        self.link = link
        self.peer = peer
        self.loop = loop
        self.limit = limit
    }

    var isReady: Bool { !self.channels.isEmpty || (self.isOpening && self.failures == 0) }

    /// A server that is away is no reason not to start.
    func start() -> EventLoopFuture<Void> {
        self.openConnection()
        return self.loop.makeSucceededVoidFuture()
    }

    func reserve() -> RequestPlace? {
        if let place = self.places.take() { return place }
        if self.failures == 0, self.channels.count < self.limit { self.openConnection() }
        return nil
    }

    func release(_ place: RequestPlace) { self.places.giveBack(place) }

    func send(_ bytes: [UInt8], at place: RequestPlace) {
        guard let channel = self.channels[place.lane] else { return }
        channel.writeAndFlush(channel.allocator.buffer(bytes: bytes), promise: nil)
    }

    func reset() {
        for channel in self.channels.values { channel.close(promise: nil) }
    }

    func stop() {
        self.isStopped = true
        self.reset()
    }

    // MARK: Connections

    private func openConnection() {
        guard !self.isOpening, !self.isStopped else { return }
        self.isOpening = true
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        let peer = self.peer
        ClientBootstrap(group: self.loop)
            .connectTimeout(.seconds(5))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let isAddress = (try? SocketAddress(ipAddress: peer.host, port: 0)) != nil
                    let tls = try NIOSSLClientHandler(
                        context: peer.context, serverHostname: isAddress ? nil : peer.host)
                    try channel.pipeline.syncOperations.addHandlers([
                        tls, ByteToMessageHandler(PacketFraming()), RadSecHandler(bound.value),
                    ])
                }
            }
            .connect(host: peer.host, port: peer.port).assumeIsolated().whenFailure { error in
                self.failed(error)
            }
    }

    fileprivate func failed(_ error: any Error) {
        guard self.isOpening else { return }
        self.isOpening = false
        self.link.failedToOpen(error)
        self.retry()
    }

    private func retry() {
        guard !self.isStopped, self.channels.isEmpty else { return }
        self.failures += 1
        let most = min(500 << min(self.failures, 7), 60_000)
        let wait = Int64.random(in: Int64(most / 2)...Int64(most), using: &self.generator)
        self.loop.assumeIsolated().scheduleTask(in: .milliseconds(wait)) { self.openConnection() }
    }

    fileprivate func opened(_ channel: any Channel) -> Int? {
        guard !self.isStopped else {
            channel.close(promise: nil)
            return nil
        }
        self.isOpening = false
        self.failures = 0
        let lane = self.places.addLane()
        self.channels[lane] = channel
        self.loop.assumeIsolated().execute { self.link.placesAvailable() }
        return lane
    }

    fileprivate func received(_ bytes: [UInt8], _ lane: Int) { self.link.received(bytes, lane: lane) }
    fileprivate func receivedGarbage() { self.link.receivedGarbage() }

    fileprivate func closed(_ lane: Int) {
        guard self.channels.removeValue(forKey: lane) != nil else { return }
        self.places.removeLane(lane)
        if !self.isStopped { self.link.failedToOpen(RADIUSDriverError("the connection was closed")) }
        self.link.lost(lane: lane)
        self.retry()
    }
}

/// Packets from a stream by the length they state; a stream that states none a packet can have is not RADIUS.
struct PacketFraming: NIOSingleStepByteToMessageDecoder {
    typealias InboundOut = [UInt8]

    mutating func decode(buffer: inout ByteBuffer) throws -> [UInt8]? {
        guard buffer.readableBytes >= 4 else { return nil }
        let length = try RADIUSCodec.length(buffer.readableBytesUInt8Span)
        return buffer.readBytes(length: length)
    }

    mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> [UInt8]? {
        try self.decode(buffer: &buffer)
    }
}

private final class RadSecHandler: ChannelInboundHandler {
    typealias InboundIn = [UInt8]

    private let transport: RadSecTransport
    private var lane: Int?
    private var handshake: Scheduled<Void>?

    init(_ transport: RadSecTransport) {
        self.transport = transport
    }

    func channelActive(context: ChannelHandlerContext) {
        self.handshake = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(5)) {
            context.close(promise: nil)
        }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSUserEvent, case .handshakeCompleted = event {
            self.handshake?.cancel()
            self.lane = self.transport.opened(context.channel)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if let lane = self.lane { self.transport.received(self.unwrapInboundIn(data), lane) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if self.lane == nil { self.transport.failed(error) } else { self.transport.receivedGarbage() }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let lane = self.lane {
            self.transport.closed(lane)
        } else {
            self.handshake?.cancel()
            self.transport.failed(RADIUSDriverError("the connection was closed during the TLS handshake"))
        }
    }
}
