// SPDX-License-Identifier: Apache-2.0
// UDP to one server: sockets are opened as requests in flight need them, each with a port of its own.

import NIOCore
import NIOPosix

final class UDPTransport: ServerTransport {
    let isReliable = false
    let isReady = true
    private let link: ServerLink
    private let server: SocketAddress
    private let source: SocketAddress
    private let loop: any EventLoop
    private let limit: Int
    private var places = PlaceQueue()
    private var channels: [Int: any Channel] = [:]
    private var isOpening = false
    /// Lanes with packets that are written and not yet flushed.
    private var unflushed: Set<Int> = []
    private var isStopped = false

    init(
        link: ServerLink, server: SocketAddress, source: SocketAddress, loop: any EventLoop, limit: Int
    ) {
        self.link = link
        self.server = server
        self.source = source
        self.loop = loop
        self.limit = limit
    }

    func start() -> EventLoopFuture<Void> { self.openSocket() }

    func reserve() -> RequestPlace? {
        if let place = self.places.take() { return place }
        if !self.isOpening, !self.isStopped, self.channels.count < self.limit {
            self.openSocket().assumeIsolated().whenFailure { error in self.link.failedToOpen(error) }
        }
        return nil
    }

    func release(_ place: RequestPlace) { self.places.giveBack(place) }

    func send(_ bytes: [UInt8], at place: RequestPlace) {
        guard let channel = self.channels[place.lane] else { return }
        let envelope = AddressedEnvelope(remoteAddress: self.server, data: channel.allocator.buffer(bytes: bytes))
        // A packet that cannot be sent is a packet lost: the wait for its answer runs out.
        channel.write(envelope, promise: nil)
        // All that this turn of the loop writes goes out by one system call.
        if self.unflushed.isEmpty { self.loop.assumeIsolated().execute { self.flush() } }
        self.unflushed.insert(place.lane)
    }

    private func flush() {
        for lane in self.unflushed { self.channels[lane]?.flush() }
        self.unflushed.removeAll(keepingCapacity: true)
    }

    func reset() {}

    func stop() {
        self.isStopped = true
        for channel in self.channels.values { channel.close(promise: nil) }
        self.channels = [:]
    }

    private func openSocket() -> EventLoopFuture<Void> {
        self.isOpening = true
        let opened = DatagramBootstrap(group: self.loop)
            .channelOption(.datagramVectorReadMessageCount, value: 32)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 32 * 4_096))
            .channelOption(.socketOption(.init(rawValue: SO_RCVBUF)), value: 1 << 20)
            .bind(to: self.source)
        return opened.assumeIsolated().flatMapThrowing { channel in
            self.isOpening = false
            try self.opened(channel)
        }.flatMapErrorThrowing { error in
            self.isOpening = false
            throw error
        }.nonisolated()
    }

    private func opened(_ channel: any Channel) throws {
        guard !self.isStopped else { return channel.close(promise: nil) }
        let lane = self.places.addLane()
        self.channels[lane] = channel
        try channel.pipeline.syncOperations.addHandler(UDPAnswerHandler(self, lane))
        // Later: a socket may be open before the call that asked for it returns.
        self.loop.assumeIsolated().execute { self.link.placesAvailable() }
    }

    fileprivate func received(_ bytes: [UInt8], from address: SocketAddress, _ lane: Int) {
        guard address == self.server else { return self.link.receivedFromElsewhere() }
        self.link.received(bytes, lane: lane)
    }

    fileprivate func closed(_ lane: Int) {
        guard self.channels.removeValue(forKey: lane) != nil else { return }
        self.places.removeLane(lane)
        self.link.lost(lane: lane)
    }
}

private final class UDPAnswerHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let transport: UDPTransport
    private let lane: Int

    init(_ transport: UDPTransport, _ lane: Int) {
        self.transport = transport
        self.lane = lane
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = self.unwrapInboundIn(data)
        self.transport.received(Array(envelope.data.readableBytesView), from: envelope.remoteAddress, self.lane)
    }

    func channelInactive(context: ChannelHandlerContext) { self.transport.closed(self.lane) }

    /// ICMP says nothing that can be believed of a server; the socket lives on.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}
