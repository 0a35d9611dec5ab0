// SPDX-License-Identifier: Apache-2.0
// Golden frames and objects, decoded and encoded again; the three generic tests of every decoder over all of them.

import AgentContract
import AgentProto
import BNGCore
import Fleet
import SwiftProtobuf
import TestVectors
import Testing

private let frames = ContractVector.all.filter { $0.frame != nil && $0.error == nil }
private let objects = ContractVector.all.filter { $0.bytes != nil && $0.error == nil }
private let refused = ContractVector.all.filter { $0.error != nil }

/// Decodes a whole frame, then encodes it again.
private func recode(_ message: String, _ bytes: [UInt8]) throws(ContractError) -> (text: String, bytes: [UInt8]) {
    let body = try FrameCodec.splitFrame(bytes)
    if message == "AgentFrame" {
        let frame = try FrameCodec.agentFrame(body: body.span.bytes)
        return (frame.textFormatString(), try FrameCodec.frame(frame))
    }
    let frame = try FrameCodec.controllerFrame(body: body.span.bytes)
    return (frame.textFormatString(), try FrameCodec.frame(frame))
}

@Suite struct ContractVectorTests {
    @Test func `the vectors are there`() {
        #expect(frames.count >= 20)
        #expect(objects.count >= 10)
        #expect(refused.count >= 6)
    }

    @Test(arguments: frames) func `a golden frame decodes to its text and encodes to its bytes`(
        _ vector: ContractVector
    ) throws {
        let bytes = try #require(vector.frame)
        let text = try #require(vector.text)
        let expected =
            vector.message == "AgentFrame"
            ? try Wire.AgentFrame(textFormatString: text).textFormatString()
            : try Wire.ControllerFrame(textFormatString: text).textFormatString()
        let result = try recode(vector.message, bytes)
        #expect(result.text == expected)
        #expect(result.bytes == bytes)
    }

    @Test(arguments: objects) func `a golden object has its text, canonical form and digest`(_ vector: ContractVector)
        throws
    {
        let bytes = try #require(vector.bytes)
        let object = try Wire.Object(serializedBytes: bytes)
        #expect(object == (try Wire.Object(textFormatString: try #require(vector.text))))
        #expect(try object.serializedBytes() as [UInt8] == bytes)
        var canon: [UInt8] = []
        object.appendCanonicalBody(to: &canon)
        #expect(hexadecimal(canon) == hexadecimal(try #require(vector.canon)))
        #expect(hexadecimal(ObjectDigest(object).bytes) == hexadecimal(try #require(vector.digest)))
    }

    @Test(arguments: objects) func `a golden object maps to a value and back`(_ vector: ContractVector) throws {
        // An object of empty messages has a digest, but no agent may accept it.
        guard !vector.name.hasSuffix("_empty_messages") else { return }
        let object = try Wire.Object(serializedBytes: try #require(vector.bytes))
        let value = try DesiredObject(object)
        #expect(Wire.Object(value) == object)
        #expect(hexadecimal(ObjectDigest(value).bytes) == hexadecimal(try #require(vector.digest)))
    }

    @Test(arguments: refused) func `what must be refused is refused with its code and path`(_ vector: ContractVector)
        throws
    {
        let expected = try #require(vector.error)
        var found = ContractError(.ok, "")
        do throws(ContractError) {
            if let bytes = vector.bytes {
                guard let object = try? Wire.Object(serializedBytes: bytes) else {
                    throw ContractError(.malformed, "not an object")
                }
                _ = try DesiredObject(object)
            } else if let frame = vector.frame {
                // The length alone decides that a frame is too large: its body is never read.
                let prefix = frame.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                _ = try FrameCodec.bodyLength(prefix)
                _ = try recode(vector.message, frame)
            }
        } catch { found = error }
        if expected.code == "OK", found.code == .invalid { return }  // accepted as far as its fields are known
        #expect(found.code.name == expected.code)
        #expect(expected.path.isEmpty || found.fieldPath == expected.path)
    }

    @Test(arguments: frames) func `no prefix of a frame is taken for a frame`(_ vector: ContractVector) throws {
        let bytes = try #require(vector.frame)
        for length in 0..<bytes.count {
            #expect(throws: ContractError.self) { try recode(vector.message, Array(bytes[..<length])) }
        }
    }

    @Test(arguments: objects) func `no prefix of an object traps`(_ vector: ContractVector) throws {
        let bytes = try #require(vector.bytes)
        for length in 0..<bytes.count {
            guard let object = try? Wire.Object(serializedBytes: Array(bytes[..<length])) else { continue }
            if let value = try? DesiredObject(object) { #expect((try DesiredObject(Wire.Object(value))) == value) }
        }
    }

    @Test(arguments: frames) func `a changed byte is an error or survives a second coding`(_ vector: ContractVector)
        throws
    {
        var bytes = try #require(vector.frame)
        for index in bytes.indices {
            for bit in 0..<8 {
                bytes[index] ^= 1 << bit
                defer { bytes[index] ^= 1 << bit }
                guard let once = try? recode(vector.message, bytes) else { continue }
                let twice = try recode(vector.message, once.bytes)
                #expect(once.bytes == twice.bytes)
            }
        }
    }

    @Test(arguments: objects) func `a changed byte of an object is an error or survives a second mapping`(
        _ vector: ContractVector
    ) throws {
        var bytes = try #require(vector.bytes)
        for index in bytes.indices {
            for bit in 0..<8 {
                bytes[index] ^= 1 << bit
                defer { bytes[index] ^= 1 << bit }
                guard let object = try? Wire.Object(serializedBytes: bytes) else { continue }
                guard let value = try? DesiredObject(object) else { continue }
                #expect(try DesiredObject(Wire.Object(value)) == value)
                #expect(ObjectDigest(value) == ObjectDigest(Wire.Object(value)))
            }
        }
    }
}
