// SPDX-License-Identifier: Apache-2.0
// One frame: a 4-byte big-endian length and a protobuf message (docs/contract.md section 1). Buffers and sockets are the driver's.

import AgentProto
import BNGCore
import SwiftProtobuf

/// Lengths and bodies of frames.
public enum FrameCodec {
    /// Length of the body whose four length bytes are `prefix`.
    public static func bodyLength(_ prefix: UInt32) throws(ContractError) -> Int {
        guard prefix > 0 else { throw ContractError(.malformed, "a frame of length 0") }
        guard prefix <= Wire.frameLimit else {
            throw ContractError(.frameTooLarge, "a frame of \(prefix) bytes; the limit is \(Wire.frameLimit)")
        }
        return Int(prefix)
    }

    /// The agent's frame whose body (without the length) is `bytes`.
    public static func agentFrame(body bytes: RawSpan) throws(ContractError) -> Wire.AgentFrame {
        let frame: Wire.AgentFrame = try self.decode(bytes)
        guard frame.body != nil else { throw ContractError(.unknownMessage, "no message this version knows") }
        return frame
    }

    /// The controller's frame whose body (without the length) is `bytes`.
    public static func controllerFrame(body bytes: RawSpan) throws(ContractError) -> Wire.ControllerFrame {
        let frame: Wire.ControllerFrame = try self.decode(bytes)
        guard frame.body != nil else { throw ContractError(.unknownMessage, "no message this version knows") }
        return frame
    }

    /// A whole frame, length included, or nothing if it would exceed the limit.
    public static func frame(_ message: some Message) throws(ContractError) -> [UInt8] {
        let body: [UInt8]
        do {
            body = try message.serializedBytes()
        } catch {
            throw ContractError(.malformed, "cannot encode: \(error)")
        }
        guard !body.isEmpty, body.count <= Wire.frameLimit else {
            throw ContractError(.frameTooLarge, "a frame of \(body.count) bytes; the limit is \(Wire.frameLimit)")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Wire.lengthBytes + body.count)
        bytes.appendBigEndian(UInt32(body.count))
        bytes.append(contentsOf: body)
        return bytes
    }

    /// Takes one whole frame apart; bytes after it are refused.
    public static func splitFrame(_ bytes: [UInt8]) throws(ContractError) -> [UInt8] {
        guard bytes.count >= Wire.lengthBytes else { throw ContractError(.malformed, "a frame cut in its length") }
        let prefix = bytes[0..<4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let length = try self.bodyLength(prefix)
        guard bytes.count == Wire.lengthBytes + length else {
            throw ContractError(.malformed, "\(bytes.count - Wire.lengthBytes) bytes where the length says \(length)")
        }
        return Array(bytes[Wire.lengthBytes...])
    }

    private static func decode<M: Message>(_ bytes: RawSpan) throws(ContractError) -> M {
        do {
            return try M(serializedBytes: bytes)
        } catch {
            throw ContractError(.malformed, "not the message its lane carries: \(error)")
        }
    }
}
