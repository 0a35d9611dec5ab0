// SPDX-License-Identifier: Apache-2.0
// One connection of a simulated node: frames in and out, and its loss.

import AgentContract
import AgentProto
import BNGCore
import NIOCore
import NIOPosix

struct ControllerFrameDecoder: NIOSingleStepByteToMessageDecoder {
    typealias InboundOut = Wire.ControllerFrame

    mutating func decode(buffer: inout ByteBuffer) throws -> Wire.ControllerFrame? {
        guard let prefix = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self) else { return nil }
        let length = try FrameCodec.bodyLength(prefix)
        guard buffer.readableBytes >= Wire.lengthBytes + length else { return nil }
        buffer.moveReaderIndex(forwardBy: Wire.lengthBytes)
        guard let body = buffer.readSlice(length: length) else { return nil }
        return try FrameCodec.controllerFrame(body: body.readableBytesUInt8Span.bytes)
    }

    mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> Wire.ControllerFrame? {
        try self.decode(buffer: &buffer)
    }
}

final class SimulatedLane: ChannelInboundHandler {
    typealias InboundIn = Wire.ControllerFrame
    typealias OutboundOut = ByteBuffer

    let kind: Wire.Lane
    private let node: SimulatedNode
    private var context: ChannelHandlerContext?

    init(_ kind: Wire.Lane, of node: SimulatedNode) {
        self.kind = kind
        self.node = node
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        self.node.connected(self)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let body = self.unwrapInboundIn(data).body else { return }
        self.node.received(body, on: self)
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        self.node.lost(self)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// Written out with the next flush.
    func send(_ body: Wire.AgentFrame.OneOf_Body) {
        guard let context = self.context,
            let bytes = try? FrameCodec.frame(.with { $0.body = body } as Wire.AgentFrame)
        else { return }
        context.write(self.wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: nil)
    }

    func flush() { self.context?.flush() }

    func close() { self.context?.close(promise: nil) }
}
