// SPDX-License-Identifier: Apache-2.0
// IPv6, UDP and ICMPv6 heads: both ways, a packet seen on the wire, extension headers, and what is refused.

import BNGCore
import Ethernet
import Testing

@Suite struct IPv6PacketTests {
    private static let source = IPv6Address.linkLocal(0x5eff_fe10_2030)
    /// A Router Solicitation of Linux without options, from :: to ff02::2, checksum 0x7bb8.
    private static let solicitation = bytes(
        hexadecimal: "6000000000083aff00000000000000000000000000000000ff020000000000000000000000000002"
            + "85007bb800000000")

    private static func udp(_ payload: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = []
        encodeUDPv6(
            from: (Self.source, 546), to: (.allDHCPRelaysAndServers, 547), hopLimit: 1, payload: payload, into: &frame)
        return frame
    }

    /// The packet with extension headers in front of its upper layer: (number, bytes behind the next header field).
    private static func extended(_ packet: [UInt8], _ headers: [(UInt8, [UInt8])]) -> [UInt8] {
        var result = Array(packet[..<40])
        var numbers = headers.map(\.0) + [packet[6]]
        result[6] = numbers.removeFirst()
        for (header, next) in zip(headers, numbers) { result += [next] + header.1 }
        result += packet[40...]
        result.setBigEndian(UInt16(result.count - 40), at: 4)
        return result
    }

    private static let padding: [UInt8] = [0, 1, 4, 0, 0, 0, 0]

    @Test func `a datagram is read as it was written, wherever it lies`() throws {
        let packet = Self.udp([1, 2, 3])
        let datagram = try UDPv6Datagram(decoding: ([9, 9] + packet + [0, 0, 0]).span, at: 2)
        #expect(datagram.sourcePort == 546 && datagram.destinationPort == 547 && datagram.payload == 50..<53)
        #expect(datagram.packet.hopLimit == 1 && datagram.packet.source == Self.source)
        #expect(datagram.packet.destination == .allDHCPRelaysAndServers)
    }

    @Test func `a captured solicitation has a right checksum and is written the same`() throws {
        let packet = try #require(Self.solicitation)
        let message = try ICMPv6Datagram(decoding: packet.span, at: 0)
        #expect(message.type == 133 && message.code == 0 && message.packet.hopLimit == 255)
        #expect(message.packet.source.isUnspecified && message.packet.destination == .allRouters)
        #expect(message.message == 40..<48)
        var again: [UInt8] = []
        encodeICMPv6(from: .zero, to: .allRouters, message: [133, 0, 7, 7, 0, 0, 0, 0], into: &again)
        #expect(again == packet)
    }

    @Test func `a checksum that comes out as zero is sent as all ones`() throws {
        // Two payload bytes that complement the sum of all the rest.
        let first = Self.udp([0, 0])
        let packet = Self.udp([first[46], first[47]])
        #expect(packet[46] == 0xff && packet[47] == 0xff)
        #expect(try UDPv6Datagram(decoding: packet.span, at: 0).payload.count == 2)
        var without = packet
        (without[46], without[47]) = (0, 0)
        #expect(throws: DecodeError(.invalid(field: "UDP checksum"), at: 46)) {
            try UDPv6Datagram(decoding: without.span, at: 0)
        }
    }

    @Test func `no prefix of a packet traps, and every one throws`() throws {
        let extended = Self.extended(Self.udp([1, 2]), [(0, Self.padding), (60, Self.padding)])
        #expect(try UDPv6Datagram(decoding: extended.span, at: 0).payload == 64..<66)
        for packet in [Self.udp([1, 2]), extended] {
            for length in packet.indices {
                let prefix = Array(packet.prefix(length))
                #expect(throws: DecodeError.self) { try UDPv6Datagram(decoding: prefix.span, at: 0) }
            }
        }
        for at in [-1, 4, .max] {
            let short: [UInt8] = [0x60]
            #expect(throws: DecodeError.self) { try IPv6Packet(decoding: short.span, at: at) }
        }
    }

    @Test func `no change of a byte under the checksum goes unseen`() {
        let packet = Self.udp([1, 2, 3])
        for index in packet.indices where !(0...3).contains(index) && index != 7 {
            for value in [packet[index] ^ 0x01, packet[index] ^ 0x80, 0x00, 0xff] where value != packet[index] {
                var changed = packet
                changed[index] = value
                #expect(throws: DecodeError.self, "byte \(index)") {
                    try UDPv6Datagram(decoding: changed.span, at: 0)
                }
            }
        }
    }

    @Test func `extension headers are walked in any number up to the bound`() throws {
        let headers = [(UInt8(0), Self.padding)] + Array(repeating: (UInt8(60), Self.padding), count: 7)
        let full = Self.extended(Self.udp([7]), headers)
        #expect(try UDPv6Datagram(decoding: full.span, at: 0).payload.count == 1)
        let more = Self.extended(Self.udp([7]), headers + [(60, Self.padding)])
        #expect(throws: DecodeError(.tooLong(field: "chain of headers", limit: 8), at: 104)) {
            try UDPv6Datagram(decoding: more.span, at: 0)
        }
        let routing = Self.extended(Self.udp([7]), [(43, [0, 0, 0, 0, 0, 0, 0])])
        #expect(try UDPv6Datagram(decoding: routing.span, at: 0).payload == 56..<57)
    }

    @Test func `a fragment and late hop-by-hop options are refused`() {
        let fragment = Self.extended(Self.udp([7]), [(44, [0, 0, 0, 0, 0, 0, 1])])
        #expect(
            throws: DecodeError(.invalid(field: "fragment (control packets are never fragmented)"), at: 40)
        ) {
            try IPv6Packet(decoding: fragment.span, at: 0)
        }
        let late = Self.extended(Self.udp([7]), [(60, Self.padding), (0, Self.padding)])
        #expect(throws: DecodeError(.invalid(field: "place of hop-by-hop options"), at: 48)) {
            try IPv6Packet(decoding: late.span, at: 0)
        }
    }

    @Test func `an extension header longer than the packet is refused`() {
        let long = Self.extended(Self.udp([7]), [(60, [200, 1, 4, 0, 0, 0, 0])])
        #expect(throws: DecodeError.self) { try IPv6Packet(decoding: long.span, at: 0) }
    }

    @Test func `a multicast source, another version and another upper layer are refused`() {
        var multicast = Self.udp([7])
        multicast[8] = 0xff
        #expect(throws: DecodeError(.invalid(field: "IPv6 source"), at: 8)) {
            try IPv6Packet(decoding: multicast.span, at: 0)
        }
        var version = Self.udp([7])
        version[0] = 0x45
        #expect(throws: DecodeError(.invalid(field: "IPv6 version"), at: 0)) {
            try IPv6Packet(decoding: version.span, at: 0)
        }
        let udp = Self.udp([7])
        #expect(throws: DecodeError(.invalid(field: "IPv6 next header"), at: 40)) {
            try ICMPv6Datagram(decoding: udp.span, at: 0)
        }
    }
}
