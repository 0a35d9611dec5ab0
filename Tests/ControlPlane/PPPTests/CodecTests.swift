// SPDX-License-Identifier: Apache-2.0
// Packets and options: the generic decoder tests over the vectors, and what no one should send.

import BNGCore
import PPP
import PPPExercise
import TestVectors
import Testing

@Suite struct CodecTests {
    private static let frames = VectorFile.load("ppp").flatMap { file in
        file.all("frame").compactMap { bytes(hexadecimal: $0.filter { !$0.isWhitespace }) }
    }
    private static let malformed = VectorFile.load("ppp").flatMap { file in
        file.all("malformed").compactMap { bytes(hexadecimal: $0.filter { !$0.isWhitespace }) }
    }

    @Test func `the vectors are there`() {
        #expect(Self.frames.count >= 15 && Self.malformed.count >= 15)
    }

    @Test func `decode and encode give the same bytes`() throws {
        for frame in Self.frames {
            let packet = try PPPCodec.decodePacket(frame.span)
            #expect(PPPCodec.encode(packet, of: try PPPCodec.protocolField(frame.span)) == frame)
            if (1...4).contains(packet.code), frame[0] & 0x40 == 0 || frame[1] == 0x21 {
                #expect(PPPCodec.encode(try PPPCodec.decodeOptions(packet.data.span)) == packet.data)
            }
        }
    }

    @Test func `no prefix of a packet traps, and every one throws`() {
        for frame in Self.frames {
            for length in frame.indices {
                let prefix = Array(frame.prefix(length))
                #expect(throws: DecodeError.self) { try PPPCodec.decodePacket(prefix.span) }
            }
        }
    }

    @Test func `every single-byte change throws or survives encode and decode`() throws {
        for frame in Self.frames {
            for index in frame.indices {
                for value in [frame[index] ^ 0x01, frame[index] ^ 0x80, 0x00, 0x01, 0xff] {
                    var changed = frame
                    changed[index] = value
                    guard let packet = try? PPPCodec.decodePacket(changed.span) else { continue }
                    #expect(try PPPCodec.decodePacket(PPPCodec.encode(packet, of: .lcp).span) == packet)
                    guard let options = try? PPPCodec.decodeOptions(packet.data.span) else { continue }
                    #expect(PPPCodec.encode(options) == packet.data)
                }
            }
        }
    }

    @Test func `a packet's padding is not read, and a short length is refused`() throws {
        let frame: [UInt8] = [0xc0, 0x21, 9, 1, 0, 8, 1, 2, 3, 4]
        #expect(try PPPCodec.decodePacket((frame + [0, 0]).span) == PPPCodec.decodePacket(frame.span))
        let short: [UInt8] = [0xc0, 0x21, 9, 1, 0, 3, 1]
        #expect(throws: DecodeError(.invalid(field: "length"), at: 4)) { try PPPCodec.decodePacket(short.span) }
    }

    @Test(
        arguments: [
            ([1], DecodeError(.truncated(needed: 1, available: 0), at: 1)),
            ([1, 1], DecodeError(.invalid(field: "option length"), at: 1)),
            ([1, 0], DecodeError(.invalid(field: "option length"), at: 1)),
            ([1, 4, 5], DecodeError(.truncated(needed: 2, available: 1), at: 2)),
        ] as [([UInt8], DecodeError)])
    func `an option that does not fit is refused, with its place`(_ data: [UInt8], _ error: DecodeError) {
        #expect(throws: error) { try PPPCodec.decodeOptions(data.span) }
    }

    @Test func `more options than 64 are refused`() throws {
        let data = [UInt8]((0..<64).flatMap { _ in [7, 2] as [UInt8] })
        #expect(try PPPCodec.decodeOptions(data.span).count == 64)
        #expect(throws: DecodeError(.tooLong(field: "option list", limit: 64), at: 128)) {
            try PPPCodec.decodeOptions((data + [7, 2]).span)
        }
    }

    @Test func `names and passwords of PAP, values and names of CHAP survive`() throws {
        let pap = PAPCodec.encodeRequest(name: Array("alice".utf8), password: [])
        let request = try PAPCodec.decodeRequest(pap.span)
        #expect(request.name == Array("alice".utf8) && request.password == [])
        for length in pap.indices {
            #expect(throws: DecodeError.self) { try PAPCodec.decodeRequest(Array(pap.prefix(length)).span) }
        }
        let chap = try CHAPCodec.decodeValue(CHAPCodec.encodeValue([1, 2], name: [3]).span)
        #expect(chap.value == [1, 2] && chap.name == [3])
        for data in [[], [0, 1], [1, 1] + [UInt8](repeating: 0, count: 256)] as [[UInt8]] {
            #expect(throws: DecodeError.self) { try CHAPCodec.decodeValue(data.span) }
        }
    }
}
