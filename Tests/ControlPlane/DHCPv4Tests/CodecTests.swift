// SPDX-License-Identifier: Apache-2.0
// The three generic decoder tests over every vector, and what the codec does with odd options.

import BNGCore
import DHCPv4
import Ethernet
import TestVectors
import Testing

/// Payloads of the vectors that are DHCP messages at all.
let payloads: [(name: String, bytes: [UInt8])] = VectorFile.load("dhcpv4").compactMap { vector in
    guard let frame = vector.bytes("in"), let ethernet = try? EthernetHeader(decoding: frame.span),
        let udp = try? UDPDatagram(decoding: frame.span, at: ethernet.length)
    else { return nil }
    return (vector.name, Array(frame[udp.payload]))
}

struct CodecTests {
    @Test func `the vectors are there`() {
        #expect(payloads.count > 50)
    }

    @Test func `decode, encode, decode gives the same message`() throws {
        var decoded = 0
        for (name, bytes) in payloads {
            guard var message = try? DHCPv4Codec.decode(bytes.span) else { continue }
            decoded += 1
            let again = try DHCPv4Codec.decode(DHCPv4Codec.encode(message).span)
            // Encoding gathers overloaded options and puts 53 first and 82 last: compare as sets.
            #expect(Set(again.options.codes) == Set(message.options.codes), "\(name)")
            for code in message.options.codes {
                #expect(again.options[code] == message.options[code], "\(name) \(code)")
            }
            message.options = again.options
            #expect(again == message, "\(name)")
        }
        #expect(decoded > 50)
    }

    @Test func `no prefix of a message traps, and one shorter than the fixed part throws`() {
        for (_, bytes) in payloads {
            for length in 0..<bytes.count {
                let prefix = Array(bytes.prefix(length))
                let result = Result { try DHCPv4Codec.decode(prefix.span) }
                if length < 240 {
                    #expect(throws: DecodeError.self) { try result.get() }
                }
            }
        }
    }

    @Test func `every single-byte change throws or survives encode and decode`() throws {
        for (name, bytes) in payloads {
            for index in bytes.indices {
                for value in [bytes[index] ^ 0x01, bytes[index] ^ 0x80, 0x00, 0xff] {
                    var changed = bytes
                    changed[index] = value
                    guard let message = try? DHCPv4Codec.decode(changed.span) else { continue }
                    // An option 52 in the message would be read as overload of the (now empty) file field: it adds nothing.
                    let again = try DHCPv4Codec.decode(DHCPv4Codec.encode(message).span)
                    for code in message.options.codes {
                        #expect(again.options[code] == message.options[code], "\(name) byte \(index) option \(code)")
                    }
                }
            }
        }
    }

    @Test func `a repeated option is one long option`() throws {
        // RFC 3396: two parts of option 43 with another option in between.
        var message = DHCPv4Message(op: .request, xid: 1, clientMAC: MACAddress(rawValue: 2))
        message.options.append(43, [UInt8](repeating: 7, count: 300))
        message.options.append(12, Array("host".utf8))
        let decoded = try DHCPv4Codec.decode(DHCPv4Codec.encode(message).span)
        #expect(decoded.options[43]?.count == 300)
        #expect(decoded.options.count == 2)
    }

    @Test func `more options than the limit are refused`() {
        var bytes = DHCPv4Codec.encode(DHCPv4Message(op: .request, xid: 1, clientMAC: MACAddress(rawValue: 2)))
        bytes.removeLast(bytes.count - 240)
        for code in 1...200 { bytes += [UInt8(code), 0] }
        #expect(throws: DecodeError.self) { try DHCPv4Codec.decode(bytes.span) }
    }

    @Test func `a broadcast or zero hardware address is refused`() {
        for mac in [MACAddress.broadcast, .zero] {
            let bytes = DHCPv4Codec.encode(DHCPv4Message(op: .request, xid: 1, clientMAC: mac))
            #expect(throws: DecodeError(.invalid(field: "chaddr"), at: 28)) { try DHCPv4Codec.decode(bytes.span) }
        }
    }

    @Test func `option 82 comes apart`() throws {
        let value: [UInt8] = [1, 3, 1, 2, 3, 2, 1, 9, 5, 4, 10, 0, 0, 1, 11, 4, 10, 0, 0, 2, 200, 0]
        let information = try RelayAgentInformation(decoding: value.span)
        #expect(information.circuitID == [1, 2, 3])
        #expect(information.remoteID == [9])
        #expect(information.linkSelection == IPv4Address("10.0.0.1"))
        #expect(information.serverIdentifierOverride == IPv4Address("10.0.0.2"))
        for length in 1..<value.count {
            _ = try? RelayAgentInformation(decoding: value.span.extracting(first: length))
        }
        #expect(throws: DecodeError.self) { try RelayAgentInformation(decoding: ([5, 1, 0] as [UInt8]).span) }
    }
}

struct EthernetTests {
    @Test func `no prefix of a frame traps`() {
        for vector in VectorFile.load("dhcpv4") {
            guard let frame = vector.bytes("in") else { continue }
            for length in frame.indices {
                let prefix = Array(frame.prefix(length))
                guard let head = try? EthernetHeader(decoding: prefix.span) else { continue }
                #expect(throws: DecodeError.self) { try UDPDatagram(decoding: prefix.span, at: head.length) }
            }
        }
    }

    @Test func `a frame we build parses back with right checksums`() throws {
        let tags = VLANTags(sVLAN: 100, cVLAN: 7, sTPID: 0x88a8, cTPID: 0x8100)
        let head = EthernetHeader(
            destination: MACAddress(rawValue: 1), source: MACAddress(rawValue: 2), tags: tags, etherType: 0x0800)
        for size in [0, 1, 2, 299, 300] {
            var frame: [UInt8] = []
            head.encode(into: &frame)
            let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let (from, to) = (IPv4Address(rawValue: 0xc000_0201), IPv4Address(rawValue: 0x6440_0102))
            encodeUDP(from: (from, 67), to: (to, 68), payload: payload, into: &frame)
            #expect(try EthernetHeader(decoding: frame.span) == head)
            let datagram = try UDPDatagram(decoding: frame.span, at: head.length)
            #expect(Array(frame[datagram.payload]) == payload)
            #expect(datagram.source == from && datagram.destination == to)
            #expect(datagram.sourcePort == 67 && datagram.destinationPort == 68)
            for index in 14 + 8..<frame.count {
                var broken = frame
                broken[index] ^= 0x10
                #expect(throws: DecodeError.self, "byte \(index)") {
                    let head = try EthernetHeader(decoding: broken.span)
                    _ = try UDPDatagram(decoding: broken.span, at: head.length)
                }
            }
        }
    }

    @Test func `three tags are refused`() {
        let frame = [UInt8](repeating: 0, count: 12) + [0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 0x81, 0, 0, 3, 8, 0]
        #expect(throws: DecodeError.self) { try EthernetHeader(decoding: frame.span) }
    }
}
