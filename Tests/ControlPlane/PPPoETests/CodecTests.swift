// SPDX-License-Identifier: Apache-2.0
// Discovery packets: the generic decoder tests over the vectors, and what their tags say.

import BNGCore
import PPPExercise
import PPPoE
import TestVectors
import Testing

@Suite struct CodecTests {
    private static let files = VectorFile.load("pppoe")

    private static func packets(_ key: String) -> [[UInt8]] {
        Self.files.flatMap { file in
            file.all(key).compactMap { bytes(hexadecimal: $0.filter { !$0.isWhitespace }) }
        }
    }

    @Test func `the vectors are there`() {
        #expect(Self.packets("packet").count >= 9 && Self.packets("malformed").count >= 10)
    }

    @Test func `decode and encode give the same bytes, wherever the header is`() throws {
        for bytes in Self.packets("packet") {
            let packet = try PPPoECodec.decodeDiscovery(bytes.span, at: 0)
            #expect(try PPPoECodec.decodeDiscovery(([1, 2, 3] + bytes + [0, 0]).span, at: 3) == packet)
            var again: [UInt8] = [9]
            PPPoECodec.encode(packet, into: &again)
            #expect(again == [9] + bytes)
        }
    }

    @Test func `no prefix of a packet traps, and every one throws`() {
        for bytes in Self.packets("packet") {
            for length in bytes.indices {
                let prefix = Array(bytes.prefix(length))
                #expect(throws: DecodeError.self) { try PPPoECodec.decodeDiscovery(prefix.span, at: 0) }
            }
        }
        for bytes in Self.packets("session") {
            for length in bytes.indices {
                let prefix = Array(bytes.prefix(length))
                #expect(throws: DecodeError.self) { try PPPoECodec.decodeSession(prefix.span, at: 0) }
            }
        }
    }

    @Test func `every single-byte change keeps every promise`() {
        let exercise = PPPoEExercise()
        for bytes in Self.packets("packet") + Self.packets("odd") + Self.packets("session") {
            for index in bytes.indices {
                for value in [bytes[index] ^ 0x01, bytes[index] ^ 0x80, 0x00, 0x01, 0xff] {
                    var changed = bytes
                    changed[index] = value
                    // The first byte of an exercise says where the header begins.
                    #expect(exercise.problem(with: [1] + changed) == nil)
                }
            }
        }
    }

    @Test func `malformed packets are refused`() {
        for bytes in Self.packets("malformed") {
            #expect(throws: DecodeError.self) { try PPPoECodec.decodeDiscovery(bytes.span, at: 0) }
        }
        for at in [-1, 2, .max] {
            let short: [UInt8] = [0x11]
            #expect(throws: DecodeError.self) { try PPPoECodec.decodeDiscovery(short.span, at: at) }
        }
    }

    @Test func `odd packets say less than they seem to`() throws {
        let odd = try Self.packets("odd").map { bytes in try PPPoECodec.decodeDiscovery(bytes.span, at: 0) }
        #expect(odd.count == 7)
        #expect(odd[0].serviceName == nil && odd[1].serviceName == nil)
        #expect(odd[2].serviceName == [] && odd[2].hostUniq == nil)
        #expect(odd[3].maxPayload == nil)
        #expect(odd[4].circuitID == [] && odd[4].hasVendorTag)
        #expect(odd[5].circuitID == [] && odd[5].hasVendorTag)
        #expect(odd[6].circuitID == [1, 2, 0x61, 0x62] && odd[6].remoteID == [])
    }

    @Test func `an access loop is read, and written the same`() throws {
        let file = try #require(Self.files.first { $0.name == "padr-access-loop" })
        let bytes = try #require(file.bytes("packet"))
        let packet = try PPPoECodec.decodeDiscovery(bytes.span, at: 0)
        #expect(
            packet.hasVendorTag && packet.circuitID == file.bytes("circuit") && packet.remoteID == file.bytes("remote"))
        #expect(packet.tags.last == PPPoETag.accessLoop(circuitID: packet.circuitID, remoteID: packet.remoteID))
        let other = try #require(Self.files.first { $0.name == "vendor-other" }?.bytes("packet"))
        #expect(try !PPPoECodec.decodeDiscovery(other.span, at: 0).hasVendorTag)
    }

    @Test func `a session header is what a session packet begins with`() throws {
        let bytes = try #require(Self.packets("session").first)
        let session = try PPPoECodec.decodeSession(bytes.span, at: 0)
        #expect(session.sessionID == 0x1234 && session.payload == 6..<16)
        var head: [UInt8] = []
        PPPoECodec.appendSessionHeader(sessionID: 0x1234, payloadCount: 10, into: &head)
        #expect(head == Array(bytes.prefix(6)))
        var short = bytes
        short[5] = 1
        #expect(throws: DecodeError(.truncated(needed: 2, available: 1), at: 6)) {
            try PPPoECodec.decodeSession(short.span, at: 0)
        }
    }
}
