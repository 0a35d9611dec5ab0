// SPDX-License-Identifier: Apache-2.0
// Cuts a lane's byte stream into frames and decodes them; the rules are FrameCodec's.

import AgentContract
import NIOCore

/// Frames of an agent out of a stream.
struct FrameDecoder: NIOSingleStepByteToMessageDecoder {
    typealias InboundOut = Wire.AgentFrame

    mutating func decode(buffer: inout ByteBuffer) throws -> Wire.AgentFrame? {
        guard let prefix = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self) else { return nil }
        let length = try FrameCodec.bodyLength(prefix)
        guard buffer.readableBytes >= Wire.lengthBytes + length else { return nil }
        buffer.moveReaderIndex(forwardBy: Wire.lengthBytes)
        guard let body = buffer.readSlice(length: length) else { return nil }
        return try FrameCodec.agentFrame(body: body.readableBytesUInt8Span.bytes)
    }

    mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> Wire.AgentFrame? {
        // A connection that ends inside a frame: the part is thrown away (docs/contract.md section 1).
        try self.decode(buffer: &buffer)
    }
}
