// SPDX-License-Identifier: Apache-2.0
// The three generic decoder tests over every vector, and what the codec says of packets nobody should send.

import BNGCore
import RADIUS
import TestVectors
import Testing

@Suite struct CodecTests {
    @Test func `the vectors are there`() {
        #expect(PacketVector.all.count >= 10)
    }

    @Test func `decode and encode give the same bytes`() throws {
        for bytes in PacketVector.packets {
            #expect(RADIUSCodec.encode(try RADIUSCodec.decode(bytes.span)) == bytes)
        }
    }

    @Test func `no prefix of a packet traps, and every one throws`() {
        for bytes in PacketVector.packets {
            for length in bytes.indices {
                let prefix = Array(bytes.prefix(length))
                #expect(throws: DecodeError.self) { try RADIUSCodec.decode(prefix.span) }
            }
        }
    }

    @Test func `every single-byte change throws or survives encode and decode`() throws {
        for bytes in PacketVector.packets {
            for index in bytes.indices {
                for value in [bytes[index] ^ 0x01, bytes[index] ^ 0x80, 0x00, 0x01, 0xff] {
                    var changed = bytes
                    changed[index] = value
                    guard let packet = try? RADIUSCodec.decode(changed.span) else { continue }
                    _ = packet.attributes.all
                    #expect(try RADIUSCodec.decode(RADIUSCodec.encode(packet).span) == packet)
                }
            }
        }
    }

    @Test func `bytes beyond the stated length are padding`() throws {
        for bytes in PacketVector.packets {
            #expect(try RADIUSCodec.decode((bytes + [1, 2, 3]).span) == RADIUSCodec.decode(bytes.span))
        }
    }

    @Test func `a stated length below 20 or above 4096 is refused`() {
        for (length, error) in [
            (19, DecodeError(.invalid(field: "length"), at: 2)),
            (4_097, DecodeError(.tooLong(field: "packet", limit: 4_096), at: 2)),
        ] {
            var bytes = [UInt8](repeating: 0, count: 5_000)
            bytes.setBigEndian(UInt16(length), at: 2)
            #expect(throws: error) { try RADIUSCodec.decode(bytes.span) }
        }
    }

    @Test(
        arguments: [
            ([1, 1], DecodeError(.invalid(field: "attribute length"), at: 21)),
            ([0, 2], DecodeError(.invalid(field: "attribute type"), at: 20)),
            ([1, 3], DecodeError(.truncated(needed: 1, available: 0), at: 22)),
            ([1], DecodeError(.truncated(needed: 1, available: 0), at: 21)),
        ] as [([UInt8], DecodeError)])
    func `an attribute that does not fit its packet is refused`(_ attribute: [UInt8], _ error: DecodeError) {
        let bytes = [1, 1, 0, UInt8(20 + attribute.count)] + [UInt8](repeating: 0, count: 16) + attribute
        #expect(throws: error) { try RADIUSCodec.decode(bytes.span) }
    }

    @Test func `an attribute of two bytes is an empty one`() throws {
        let bytes = [1, 1, 0, 22] + [UInt8](repeating: 0, count: 16) + [1, 2]
        #expect(try RADIUSCodec.decode(bytes.span).attributes.first(.userName) == [])
    }

    @Test func `random packets survive encode and decode`() throws {
        var generator = SplitMix64(state: 0x5eed)
        for _ in 0..<2_000 {
            var attributes = RADIUSAttributes()
            for _ in 0..<Int.random(in: 0...20, using: &generator) {
                let vendor: UInt32 = Bool.random(using: &generator) ? 0 : .random(in: 1...9_999, using: &generator)
                let key = RADIUSAttributeKey(.random(in: 1...255, using: &generator), vendor: vendor)
                let count = Int.random(in: 0...260, using: &generator)
                let value = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
                let before = attributes
                let fits = value.count <= (vendor == 0 ? 253 : 247)
                let added = attributes.append(key, value)
                #expect(added == fits || attributes.bytes.count + value.count > 4_000)
                if !added { #expect(attributes == before) }
                if added, key != .vendorSpecific { #expect(attributes.values(key).last.map(Array.init) == value) }
            }
            let packet = RADIUSPacket(
                code: RADIUSCode(rawValue: .random(in: 0...255, using: &generator)),
                identifier: .random(in: 0...255, using: &generator),
                authenticator: RADIUSAuthenticator(using: &generator),
                attributes: attributes)
            #expect(try RADIUSCodec.decode(RADIUSCodec.encode(packet).span) == packet)
        }
    }
}
