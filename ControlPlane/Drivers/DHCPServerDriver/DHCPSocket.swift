// SPDX-License-Identifier: Apache-2.0
// The one UDP socket of a group, bound to its relay address.

import NIOCore
import NIOPosix

enum DHCPSocket {
    /// Binds, and carries between the wire and the group from then on.
    static func open(_ group: LeaseGroup, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        DatagramBootstrap(group: loop)
            .channelOption(.datagramVectorReadMessageCount, value: 16)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 16 * 4_096))
            .channelOption(.socketOption(.init(rawValue: SO_RCVBUF)), value: 1 << 20)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DHCPAnswerHandler(group))
                }
            }
            .bind(to: group.settings.local)
    }
}

private final class DHCPAnswerHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let group: LeaseGroup

    init(_ group: LeaseGroup) {
        self.group = group
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        let servers = self.group.settings.servers
        self.group.transmit = { bytes, index in
            // A packet that cannot be sent is a packet lost: the wait for its answer runs out.
            let data = channel.allocator.buffer(bytes: bytes)
            channel.writeAndFlush(AddressedEnvelope(remoteAddress: servers[index], data: data), promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = self.unwrapInboundIn(data)
        self.group.received(Array(envelope.data.readableBytesView), from: envelope.remoteAddress)
    }

    /// ICMP says nothing that can be believed of a server; the socket lives on.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}
