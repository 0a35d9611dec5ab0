// SPDX-License-Identifier: Apache-2.0
// One connection of an agent, from outside: sends agent frames or raw bytes, receives controller frames.

import AgentContract
import AgentProto
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import SwiftProtobuf
import Testing

/// What a test waits for did not come.
struct Timeout: Error {}

/// Waits until `condition` holds.
func eventually(
    within limit: Duration = .seconds(30), _ what: String = "", _ condition: () async throws -> Bool,
    at location: SourceLocation = #_sourceLocation
) async throws {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("waited \(limit) in vain \(what)", sourceLocation: location)
    throw Timeout()
}

final class TestLane: Sendable {
    private let channel: any Channel
    private let incoming: Incoming

    /// Frames received, and whether the controller closed the connection.
    actor Incoming {
        private var frames: [Wire.ControllerFrame.OneOf_Body] = []
        private(set) var isClosed = false

        func add(_ frame: Wire.ControllerFrame.OneOf_Body) { self.frames.append(frame) }
        func close() { self.isClosed = true }
        func pop() -> Wire.ControllerFrame.OneOf_Body? { self.frames.isEmpty ? nil : self.frames.removeFirst() }
        var isFinished: Bool { self.isClosed && self.frames.isEmpty }
    }

    private init(channel: any Channel, incoming: Incoming) {
        self.channel = channel
        self.incoming = incoming
    }

    static func connect(to address: SocketAddress, tls: NIOSSLContext? = nil) async throws -> TestLane {
        let incoming = Incoming()
        let (stream, continuation) = AsyncStream<Wire.ControllerFrame.OneOf_Body>.makeStream()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: "controller.example"))
                    }
                    try channel.pipeline.syncOperations.addHandlers([
                        ByteToMessageHandler(ControllerFrameDecoder()), Collector(continuation),
                    ])
                }
            }
            .connect(to: address).get()
        Task {
            for await frame in stream { await incoming.add(frame) }
            await incoming.close()
        }
        return TestLane(channel: channel, incoming: incoming)
    }

    func send(_ body: Wire.AgentFrame.OneOf_Body) async throws {
        try await self.send(raw: try FrameCodec.frame(.with { $0.body = body } as Wire.AgentFrame))
    }

    func send(raw bytes: [UInt8]) async throws {
        try await self.channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// The next frame; fails after half a minute, or when the connection is closed.
    func next() async throws -> Wire.ControllerFrame.OneOf_Body {
        var found: Wire.ControllerFrame.OneOf_Body?
        try await eventually("for a frame") {
            found = await self.incoming.pop()
            if found == nil, await self.incoming.isFinished { throw Timeout() }
            return found != nil
        }
        guard let found else { throw Timeout() }
        return found
    }

    /// The frame if one is there.
    func poll() async -> Wire.ControllerFrame.OneOf_Body? { await self.incoming.pop() }

    /// Skips to the notice that ends the connection.
    func closingNotice() async throws -> Wire.ErrorNotice {
        while true {
            if case .error(let notice) = try await self.next() {
                try await self.untilClosed()
                return notice
            }
        }
    }

    func untilClosed() async throws {
        try await eventually("for the connection to close") { await self.incoming.isClosed }
    }

    func close() async { try? await self.channel.close() }
}

private struct ControllerFrameDecoder: ByteToMessageDecoder {
    typealias InboundOut = Wire.ControllerFrame.OneOf_Body

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self),
            buffer.readableBytes >= 4 + Int(length)
        else { return .needMoreData }
        buffer.moveReaderIndex(forwardBy: 4)
        let bytes = buffer.readBytes(length: Int(length)) ?? []
        let frame = try FrameCodec.controllerFrame(body: bytes.span.bytes)
        if let body = frame.body { context.fireChannelRead(self.wrapInboundOut(body)) }
        return .continue
    }
}

private final class Collector: ChannelInboundHandler {
    typealias InboundIn = Wire.ControllerFrame.OneOf_Body
    private let continuation: AsyncStream<Wire.ControllerFrame.OneOf_Body>.Continuation

    init(_ continuation: AsyncStream<Wire.ControllerFrame.OneOf_Body>.Continuation) {
        self.continuation = continuation
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.continuation.yield(self.unwrapInboundIn(data))
    }
    func channelInactive(context: ChannelHandlerContext) { self.continuation.finish() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
