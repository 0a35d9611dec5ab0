// SPDX-License-Identifier: Apache-2.0
// Neighbour discovery over the vectors: both ways, truncated, changed; and the rules of validity of RFC 4861 one by one.

import BNGCore
import NDExercise
import NeighborDiscovery
import TestVectors
import Testing

@Suite struct CodecTests {
    private static let files = VectorFile.load("nd")

    private static func messages(_ key: String) -> [[UInt8]] {
        Self.files.flatMap { file in
            file.all(key).compactMap { bytes(hexadecimal: $0.filter { !$0.isWhitespace }) }
        }
    }

    private static func decode(
        _ bytes: [UInt8], from source: IPv6Address = .linkLocal(9), to destination: IPv6Address = .allNodes,
        hopLimit: UInt8 = 255
    ) throws -> NeighborDiscoveryMessage {
        try NeighborDiscoveryCodec.decode(
            bytes.span, 0..<bytes.count,
            NeighborDiscoveryEnvelope(source: source, destination: destination, hopLimit: hopLimit))
    }

    private static func invalid(_ field: StaticString, _ offset: Int = 0) -> DecodeError {
        DecodeError(.invalid(field: field), at: offset)
    }

    private static let solicitation: [UInt8] = [133, 0, 0, 0, 0, 0, 0, 0]
    private static let option: [UInt8] = [1, 1, 2, 0, 0x5e, 0x10, 0x20, 0x30]
    private static let advertisement: [UInt8] = [134] + [UInt8](repeating: 0, count: 15)
    private static let probe: [UInt8] = [135, 0, 0, 0, 0, 0, 0, 0] + IPv6Address.linkLocal(9).bytes

    // MARK: Vectors

    @Test func `decode and encode give the same bytes, wherever the message lies`() throws {
        #expect(Self.messages("message").count == 11)
        for bytes in Self.messages("message") {
            let message = try Self.decode(bytes)
            #expect(NeighborDiscoveryCodec.encode(message) == bytes)
            let envelope = NeighborDiscoveryEnvelope(source: .linkLocal(9), destination: .allNodes)
            let framed = [1, 2, 3] + bytes + [0, 0]
            #expect(try NeighborDiscoveryCodec.decode(framed.span, 3..<(3 + bytes.count), envelope) == message)
        }
    }

    @Test func `malformed messages are refused`() {
        #expect(Self.messages("malformed").count >= 14)
        for bytes in Self.messages("malformed") {
            #expect(throws: DecodeError.self, "\(bytes)") { try Self.decode(bytes) }
        }
    }

    @Test func `an option that makes no sense is kept and says nothing`() throws {
        #expect(Self.messages("odd").count == 10)
        for bytes in Self.messages("odd") {
            let message = try Self.decode(bytes)
            #expect(NeighborDiscoveryCodec.encode(message) == bytes)
            let options: [NeighborDiscoveryOption]
            switch message {
            case .routerSolicitation(let all): options = all
            case .routerAdvertisement(let advertisement): options = advertisement.options
            default: options = []
            }
            guard case .other? = options.first, options.count == 1 else {
                Issue.record("\(options) says something")
                continue
            }
        }
    }

    @Test func `no prefix of a message traps, and none but whole options decode`() {
        for bytes in Self.messages("message") {
            for length in bytes.indices {
                let prefix = Array(bytes.prefix(length))
                guard let message = try? Self.decode(prefix) else { continue }
                #expect(NeighborDiscoveryCodec.encode(message) == prefix)
            }
        }
    }

    @Test func `every single-byte change keeps every promise`() {
        for bytes in Self.messages("message") + Self.messages("odd") {
            for index in bytes.indices {
                for value in [bytes[index] ^ 0x01, bytes[index] ^ 0x80, 0x00, 0x01, 0xff] {
                    var changed = bytes
                    changed[index] = value
                    for envelope: UInt8 in [0, 5, 0x85] {
                        #expect(NDExercise.problem(with: [envelope] + changed) == nil)
                    }
                }
            }
        }
    }

    @Test func `a range outside the bytes throws`() {
        let envelope = NeighborDiscoveryEnvelope(source: .linkLocal(9), destination: .allNodes)
        for range in [-1..<4, 0..<9, 100..<200] {
            #expect(throws: DecodeError.self) {
                try NeighborDiscoveryCodec.decode(Self.solicitation.span, range, envelope)
            }
        }
    }

    // MARK: RFC 4861 6.1.1, 6.1.2, 7.1.1, 7.1.2

    @Test(arguments: [0, 1, 64, 254] as [UInt8])
    func `a message with another hop limit than 255 is refused`(_ hopLimit: UInt8) {
        for bytes in Self.messages("message") {
            #expect(throws: Self.invalid("hop limit")) { try Self.decode(bytes, hopLimit: hopLimit) }
        }
    }

    @Test func `a message with another code than 0 is refused`() {
        for bytes in Self.messages("message") {
            var changed = bytes
            changed[1] = 1
            #expect(throws: Self.invalid("code", 1)) { try Self.decode(changed) }
        }
    }

    @Test func `a Router Solicitation from the unspecified address carries no link-layer address`() throws {
        #expect(try Self.decode(Self.solicitation, from: .zero) == .routerSolicitation([]))
        let told = Self.solicitation + Self.option
        #expect(throws: Self.invalid("source link-layer address", 8)) { try Self.decode(told, from: .zero) }
        // Not even one that makes no sense.
        let group = Self.solicitation + [1, 1, 0x33, 0x33, 0, 0, 0, 1]
        #expect(throws: Self.invalid("source link-layer address", 8)) { try Self.decode(group, from: .zero) }
    }

    @Test func `a Router Advertisement comes from a link-local address`() throws {
        #expect(
            try Self.decode(Self.advertisement) == .routerAdvertisement(RouterAdvertisement(hopLimit: 0, lifetime: 0)))
        for source in [IPv6Address.zero, IPv6Address(high: 0x2001_0db8 << 32, low: 9)] {
            #expect(throws: Self.invalid("source")) { try Self.decode(Self.advertisement, from: source) }
        }
    }

    @Test func `a router preference of the reserved value is medium`() throws {
        var bytes = Self.advertisement
        bytes[5] = 0b10 << 3
        let message = RouterAdvertisement(hopLimit: 0, preference: .medium, lifetime: 0)
        #expect(try Self.decode(bytes) == .routerAdvertisement(message))
    }

    @Test func `a probe goes to the solicited-node group and carries no link-layer address`() throws {
        let group = IPv6Address.linkLocal(9).solicitedNode
        #expect(
            try Self.decode(Self.probe, from: .zero, to: group)
                == .neighborSolicitation(target: .linkLocal(9), []))
        for destination in [IPv6Address.allNodes, .linkLocal(9)] {
            #expect(throws: Self.invalid("destination of a probe")) {
                try Self.decode(Self.probe, from: .zero, to: destination)
            }
        }
        #expect(throws: Self.invalid("source link-layer address", 24)) {
            try Self.decode(Self.probe + Self.option, from: .zero, to: group)
        }
        #expect(throws: Never.self) { try Self.decode(Self.probe + Self.option, to: .linkLocal(9)) }
    }

    @Test func `an advertisement to a group answers nobody`() throws {
        var bytes = Self.probe
        bytes[0] = 136
        bytes[4] = 0xe0
        #expect(throws: Self.invalid("solicited flag to a group", 4)) { try Self.decode(bytes) }
        let message = NeighborAdvertisement(
            target: .linkLocal(9), isRouter: true, isSolicited: true, overrides: true)
        #expect(try Self.decode(bytes, to: .linkLocal(1)) == .neighborAdvertisement(message))
    }

    @Test func `options are limited in number`() throws {
        let full = Self.solicitation + Array(repeating: Self.option, count: 64).joined()
        #expect(throws: Never.self) { try Self.decode(full) }
        #expect(throws: DecodeError(.tooLong(field: "option list", limit: 64), at: 8 + 64 * 8)) {
            try Self.decode(full + Self.option)
        }
    }

    // MARK: Values

    @Test func `what is encoded says what was meant`() throws {
        let texts = try #require(Self.messages("message").dropFirst(5).first)
        guard case .routerAdvertisement(let message) = try Self.decode(texts) else {
            Issue.record("not an advertisement")
            return
        }
        let servers = ["2001:db8::53", "2001:db8::54"].compactMap { IPv6Address($0) }
        let names = ["example.net", "home"].compactMap { DomainName($0) }
        #expect(message.options == [.rdnss(servers, lifetime: 1_800), .dnssl(names, lifetime: 1_800)])
    }

    @Test func `the lifetime of a NAT64 prefix is rounded up to eight seconds and bounded`() throws {
        let prefix = try #require(IPv6Prefix("64:ff9b::/96"))
        #expect(PREF64(prefix: prefix, lifetime: 1)?.lifetime == 8)
        #expect(PREF64(prefix: prefix, lifetime: 1_800)?.lifetime == 1_800)
        #expect(PREF64(prefix: prefix, lifetime: .max)?.lifetime == 65_528)
        #expect(PREF64(prefix: IPv6Prefix(holding: .zero, length: 95), lifetime: 8) == nil)
    }

    @Test func `an option too long for its length field is left out`() throws {
        let servers = Array(repeating: IPv6Address.loopback, count: 128)
        let bytes = NeighborDiscoveryCodec.encode(.routerSolicitation([.rdnss(servers, lifetime: 1), .mtu(1_492)]))
        #expect(try Self.decode(bytes) == .routerSolicitation([.mtu(1_492)]))
    }

    @Test(arguments: ["", ".", "a..b", ".a", "a b", "ü.de", String(repeating: "a", count: 64)])
    func `a name that is none is refused`(_ text: String) {
        #expect(DomainName(text) == nil)
    }

    @Test func `a name is written as it was read`() throws {
        #expect(DomainName("example.net.")?.description == "example.net")
        let odd = try #require(DomainName(labels: [[0x61, 0x2e, 7]]))
        #expect("\(odd)" == "a\\046\\007" && odd.wireForm == [3, 0x61, 0x2e, 7, 0])
        let label = String(repeating: "a", count: 63)
        #expect(DomainName("\(label).\(label).\(label).\(label)") == nil)
        #expect(DomainName("\(label).\(label).\(label).\(label.dropLast(2))")?.wireForm.count == 255)
    }
}
