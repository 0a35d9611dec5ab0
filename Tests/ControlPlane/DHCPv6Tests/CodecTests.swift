// SPDX-License-Identifier: Apache-2.0
// DHCPv6 over the vectors: both ways, truncated, changed; nesting, limits, relays, identifiers.

import BNGCore
import DHCPv6
import DHCPv6Exercise
import TestVectors
import Testing

@Suite struct CodecTests {
    private static let files = VectorFile.load("dhcpv6")

    private static func packets(_ key: String) -> [[UInt8]] {
        Self.files.flatMap { file in
            file.all(key).compactMap { bytes(hexadecimal: $0.filter { !$0.isWhitespace }) }
        }
    }

    private static func decode(_ bytes: [UInt8]) throws -> DHCPv6Packet { try DHCPv6Codec.decode(bytes.span) }

    @Test func `decode and encode give the same bytes`() throws {
        #expect(Self.packets("message").count == 14)
        for bytes in Self.packets("message") { #expect(try DHCPv6Codec.encode(Self.decode(bytes)) == bytes) }
    }

    @Test func `malformed packets are refused`() {
        #expect(Self.packets("malformed").count == 25)
        for bytes in Self.packets("malformed") {
            #expect(throws: DecodeError.self, "\(hexadecimal(bytes))") { try Self.decode(bytes) }
        }
    }

    @Test func `no prefix of a packet traps, and none but whole options decode`() throws {
        for bytes in Self.packets("message") {
            for length in bytes.indices {
                let prefix = Array(bytes.prefix(length))
                guard let packet = try? Self.decode(prefix) else { continue }
                #expect(packet.hops.isEmpty && DHCPv6Codec.encode(packet) == prefix)
            }
        }
    }

    @Test func `every single-byte change keeps every promise`() {
        for bytes in Self.packets("message") {
            for index in bytes.indices {
                for value in [bytes[index] ^ 0x01, bytes[index] ^ 0x80, 0x00, 0x01, 0xff] {
                    var changed = bytes
                    changed[index] = value
                    #expect(DHCPv6Exercise.problem(with: changed) == nil)
                }
            }
        }
    }

    @Test func `a home router asks for an address and a prefix at once`() throws {
        let packet = try Self.decode(#require(Self.packets("message").first))
        #expect(packet.message.type == .solicit && packet.message.transactionID == 0x0a0b0c)
        let associations = packet.message.associations
        #expect(associations.map(\.kind) == [.nonTemporary, .delegation] && associations.map(\.id) == [1, 2])
        #expect(packet.message.requestedOptions == [23, 24, 82] && !packet.message.wantsRapidCommit)
        let mac = [0x02, 0x00, 0x5e, 0x10, 0x20, 0x30] as [UInt8]
        #expect(
            packet.message.clientID?.kind == .linkLayerTime(hardware: 1, time: 0x2c5f_a0c0, address: mac))
    }

    @Test func `a hint names a length, and an answer says what there is`() throws {
        let hint = try Self.decode(Self.packets("message")[1]).message
        #expect(hint.wantsRapidCommit && hint.acceptsReconfigure)
        let lease = try #require(hint.associations.first?.leases.first)
        #expect(lease.resource == .prefix(IPv6Prefix(holding: .zero, length: 56)))
        let advertise = try Self.decode(Self.packets("message")[2]).message
        let resources = advertise.associations.flatMap(\.leases).map(\.resource)
        let address = try #require(IPv6Address("2001:db8::9"))
        let prefix = try #require(IPv6Prefix("2001:db8:1::/56"))
        #expect(resources == [.address(address), .prefix(prefix)])
        #expect(try Self.decode(Self.packets("message")[4]).message.associations.first?.status == 6)
    }

    @Test func `an access node names the line`() throws {
        let hop = try #require(try Self.decode(Self.packets("message")[11]).hops.first)
        #expect(hop.interfaceID == Array("olt1 1/1/4:100.7".utf8) && hop.linkAddress == .zero)
        #expect(hop.remoteID == Array("cpe-4711".utf8) && hop.subscriberID == Array("alice".utf8))
    }

    @Test func `a relay says with whom it spoke, if that was Ethernet`() {
        let hop = { (value: [UInt8]) in
            DHCPv6RelayHop(peerAddress: .zero, options: [.interfaceID([1]), .other(79, value)])
        }
        let mac = MACAddress(rawValue: 0x0200_5e10_2030)
        #expect(hop([0, 1] + mac.bytes).clientMAC == mac)
        for wrong in [[], [0], [0, 1], [0, 1, 2], [0, 6] + mac.bytes, [0, 1] + mac.bytes + [0]] {
            #expect(hop(wrong).clientMAC == nil)
        }
        #expect(DHCPv6RelayHop(peerAddress: .zero).clientMAC == nil)
    }

    @Test func `a reply goes back through the same relays with nothing but what must return`() throws {
        let packet = try Self.decode(Self.packets("message")[12])
        #expect(packet.hops.map(\.hopCount) == [1, 0] && !packet.isRelayReply)
        let message = try Self.decode(Self.packets("message")[13]).message
        let reply = try #require(DHCPv6Codec.encode(packet.reply(message)))
        #expect(reply == Self.packets("message")[13])
        let node = try Self.decode(Self.packets("message")[11]).reply(message)
        #expect(node.hops.first?.options == [.interfaceID(Array("olt1 1/1/4:100.7".utf8))])
        #expect(!DHCPv6Packet(message).reply(message).isRelayReply)
    }

    @Test func `eight relays are walked and a ninth is not`() throws {
        let hops = (0..<8).map { DHCPv6RelayHop(hopCount: 7 - $0, peerAddress: .linkLocal(UInt64($0))) }
        let packet = DHCPv6Packet(DHCPv6Message(.solicit, transactionID: 1), hops: hops)
        let bytes = try #require(DHCPv6Codec.encode(packet))
        #expect(try Self.decode(bytes) == packet)
        let more = DHCPv6Packet(packet.message, hops: hops + [DHCPv6RelayHop(peerAddress: .zero)])
        let nine = try #require(DHCPv6Codec.encode(more))
        #expect(throws: DecodeError(.tooLong(field: "chain of relays", limit: 8), at: 8 * 38)) {
            try Self.decode(nine)
        }
    }

    @Test func `a thousand associations are read and one more is not`() throws {
        let associations = (0..<1_000).map { DHCPv6Option.association(IdentityAssociation(.nonTemporary, id: $0)) }
        let full = DHCPv6Packet(DHCPv6Message(.solicit, transactionID: 1, options: associations))
        let bytes = try #require(DHCPv6Codec.encode(full))
        #expect(try Self.decode(bytes).message.associations.count == 1_000)
        let more = try #require(
            DHCPv6Codec.encode(
                DHCPv6Packet(DHCPv6Message(.solicit, transactionID: 1, options: associations + associations.prefix(1))))
        )
        #expect(throws: DecodeError.self) { try Self.decode(more) }
    }

    @Test func `options are counted at all depths`() throws {
        let status = Array(repeating: DHCPv6Option.status(0, text: []), count: 4_096)
        let inner = IdentityAssociation(.nonTemporary, id: 1, options: Array(status.dropLast()))
        let full = DHCPv6Message(.solicit, transactionID: 1, options: [.association(inner)])
        let bytes = try #require(DHCPv6Codec.encode(DHCPv6Packet(full)))
        #expect(throws: Never.self) { try Self.decode(bytes) }
        let more = DHCPv6Message(.solicit, transactionID: 1, options: full.options + [.rapidCommit])
        let many = try #require(DHCPv6Codec.encode(DHCPv6Packet(more)))
        #expect(throws: DecodeError.self) { try Self.decode(many) }
    }

    @Test func `what does not fit its length field is not encoded`() {
        let big = DHCPv6Option.other(1_000, [UInt8](repeating: 0, count: 40_000))
        let message = DHCPv6Message(.solicit, transactionID: 1, options: [big, big])
        #expect(DHCPv6Codec.encode(DHCPv6Packet(message)) != nil)
        #expect(DHCPv6Codec.encode(DHCPv6Packet(message, hops: [DHCPv6RelayHop(peerAddress: .zero)])) == nil)
        let nested = IdentityAssociation(.delegation, id: 1, options: [big, big])
        let deep = DHCPv6Message(.solicit, transactionID: 1, options: [.association(nested)])
        #expect(DHCPv6Codec.encode(DHCPv6Packet(deep)) == nil)
    }

    @Test func `a DUID is told apart by its type`() throws {
        let mac = try #require(MACAddress("02:00:5e:10:20:30"))
        #expect(DUID.linkLayer(mac).kind == .linkLayer(hardware: 1, address: mac.bytes))
        #expect("\(DUID.linkLayer(mac))" == "00:03:00:01:02:00:5e:10:20:30")
        #expect(DUID.enterprise(32_473, [7]).kind == .enterprise(32_473, identifier: [7]))
        #expect(DUID.enterprise(1, [UInt8](repeating: 7, count: 200)).bytes.count == 130)
        #expect(DUID([0, 4] + [UInt8](0..<16))?.kind == .uuid([UInt8](0..<16)))
        #expect(DUID([0, 4, 1])?.kind == .unknown(4) && DUID([0, 1, 2])?.kind == .unknown(1))
        #expect(DUID.linkLayer(mac).mac == mac && DUID([0, 1, 0, 1, 0, 0, 0, 9] + mac.bytes)?.mac == mac)
        #expect(DUID([0, 3, 0, 6] + mac.bytes)?.mac == nil && DUID([0, 3, 0, 1] + mac.bytes + [0])?.mac == nil)
        #expect(DUID.enterprise(1, mac.bytes).mac == nil)
        #expect(DUID([0, 3]) == nil && DUID([UInt8](repeating: 0, count: 131)) == nil)
    }
}
