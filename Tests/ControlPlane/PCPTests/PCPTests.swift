// SPDX-License-Identifier: Apache-2.0
// Requests as RFC 6887 and RFC 6886 lay them out, what is made of them, and hostile ones.

import BNGCore
import PCP
import Testing

private let host = IPv4Address(rawValue: 0x6440_0109)
private let publicAddress = IPv4Address(rawValue: 0xcb00_7801)
private let nonce: [UInt8] = Array(1...12)
private let now = UTCTime(milliseconds: 1_000_000)

private func bytes16(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }
private func bytes32(_ value: UInt32) -> [UInt8] { bytes16(UInt16(value >> 16)) + bytes16(UInt16(value & 0xffff)) }
private func mapped(_ address: IPv4Address) -> [UInt8] {
    [UInt8](repeating: 0, count: 10) + [0xff, 0xff] + address.bytes
}

/// RFC 6887 7.1.
private func header(
    version: UInt8 = 2, opcode: UInt8 = 1, lifetime: UInt32 = 3_600, client: IPv4Address = host
) -> [UInt8] {
    [version, opcode, 0, 0] + bytes32(lifetime) + mapped(client)
}

/// RFC 6887 11.1.
private func map(
    _ transport: UInt8 = 6, port: UInt16 = 80, suggested: UInt16 = 0, lifetime: UInt32 = 3_600,
    nonce: [UInt8] = nonce, options: [UInt8] = []
) -> [UInt8] {
    header(lifetime: lifetime) + nonce + [transport, 0, 0, 0] + bytes16(port) + bytes16(suggested) + mapped(.zero)
        + options
}

private func result(of bytes: [UInt8], from source: IPv4Address = host) -> PCPResult? {
    guard let request = PCPCodec.decode(bytes, from: source) else { return nil }
    if case .wrong(let result) = request.question { return result }
    return .success
}

private func wish(_ bytes: [UInt8]) throws -> PCPMapRequest {
    guard case .map(let request) = try #require(PCPCodec.decode(bytes, from: host)).question else {
        throw PCPRefusal(.malformedRequest)
    }
    return request
}

/// `take` as an expression that expectations can hold.
private final class Box {
    var table: PCPTable

    init(limit: Int = 4) { self.table = makeTable(limit: limit) }

    func take(_ request: PCPMapRequest, at time: UTCTime = now) -> Result<PCPGranted, PCPRefusal> {
        self.table.take(request, from: host, at: time)
    }

    func expire(at time: UTCTime) -> Bool { self.table.expire(at: time) }
}

private func makeTable(limit: Int = 4) -> PCPTable {
    PCPTable(
        address: publicAddress, ports: [1_024...1_027], limit: limit, lifetimes: 120...86_400, mappings: [])
}

@Suite struct PCPTests {
    @Test func `what is no request is not answered`() {
        #expect(PCPCodec.decode([], from: host) == nil)
        #expect(PCPCodec.decode([2], from: host) == nil)
        #expect(PCPCodec.decode(header(opcode: 0x81), from: host) == nil)  // a response
        #expect(PCPCodec.decode([0, 0x80], from: host) == nil)
        #expect(PCPCodec.decode([0, 1, 0, 0, 0, 80], from: host) == nil)  // a NAT-PMP request cut short
    }

    @Test(arguments: [
        (header(version: 1), PCPResult.unsupportedVersion), (header(version: 3), .unsupportedVersion),
        ([2, 1], .malformedRequest), (header() + [0], .malformedRequest), (header(), .malformedRequest),
        (map() + [UInt8](repeating: 0, count: 1_044), .malformedRequest), (header(opcode: 2), .unsupportedOpcode),
        (header(opcode: 127), .unsupportedOpcode), (map(33), .unsupportedProtocol),
        (map(0, port: 0), .unsupportedProtocol), (map(6, port: 0), .unsupportedProtocol),
        (map(0, port: 80), .malformedRequest), (map(options: [1, 0, 0, 16] + mapped(host)), .unsupportedOption),
        (map(options: [3, 0, 0, 20] + [UInt8](repeating: 0, count: 20)), .unsupportedOption),
        (map(options: [99, 0, 0, 0]), .unsupportedOption), (map(options: [200, 0, 0, 3, 1, 2, 3, 0]), .success),
        (map(options: [200, 0, 0, 5, 1, 2, 3, 0]), .malformedOption), (map(options: [2, 0, 0, 0]), .malformedOption),
        (map(suggested: 1_025, options: [2, 0, 0, 0]), .success),
        (map(suggested: 1_025, options: [2, 0, 0, 0, 2, 0, 0, 0]), .malformedOption),
        (header(opcode: 0), .success), (header(opcode: 0) + [2, 0, 0, 0], .unsupportedOption),
    ])
    func `requests are judged`(bytes: [UInt8], expected: PCPResult) throws {
        #expect(result(of: bytes) == expected)
        let request = try #require(PCPCodec.decode(bytes, from: host))
        let answer = PCPCodec.answer(request, expected, epoch: 7, address: publicAddress)
        #expect(answer.count >= 24 && answer.count % 4 == 0 && answer.count <= 1_100)
        #expect(answer[0] == 2 && answer[1] == bytes[1] | 0x80 && answer[3] == expected.rawValue)
        #expect(Array(answer[8..<12]) == [0, 0, 0, 7])
    }

    @Test func `a client behind another NAT is told so`() {
        #expect(result(of: map(), from: publicAddress) == .addressMismatch)
        var bytes = map()
        bytes[18] = 0  // an IPv6 address
        #expect(result(of: bytes) == .addressMismatch)
    }

    @Test func `a mapping is made, renewed and deleted by its nonce alone`() throws {
        let table = Box()
        let request = try #require(PCPCodec.decode(map(suggested: 1_026, lifetime: 10), from: host))
        let granted = try table.take(wish(map(suggested: 1_026, lifetime: 10))).get()
        #expect(granted == PCPGranted(port: 1_026, address: publicAddress, lifetime: 120))
        let answer = PCPCodec.answer(request, granted, epoch: 9)
        #expect(Array(answer[..<12]) == [2, 0x81, 0, 0, 0, 0, 0, 120, 0, 0, 0, 9])
        #expect(Array(answer[24..<42]) == nonce + [6, 0, 0, 0, 0, 80])
        #expect(Array(answer[42..<60]) == bytes16(1_026) + mapped(publicAddress))

        let stranger = [UInt8](repeating: 9, count: 12)
        let other = try wish(map(nonce: stranger))
        #expect(table.take(other) == .failure(PCPRefusal(.notAuthorized)))
        #expect(try table.take(wish(map(lifetime: 1_000_000)), at: now + 50).get().lifetime == 86_400)
        #expect(try table.take(wish(map(lifetime: 0, nonce: stranger))) == .failure(PCPRefusal(.notAuthorized)))
        #expect(table.table.mappings.count == 1)
        #expect(try table.take(wish(map(lifetime: 0))).get().lifetime == 0)
        #expect(table.table.mappings.isEmpty)
        #expect(try table.take(wish(map(lifetime: 0))).get().lifetime == 0)  // gone already
    }

    @Test func `ports are the subscriber's own, each once, and end`() throws {
        let table = Box()
        for port in UInt16(80)..<84 {
            let granted = try table.take(wish(map(port: port, suggested: 443))).get()
            #expect((1_024...1_027).contains(granted.port))
        }
        #expect(Set(table.table.mappings.map(\.externalPort)).count == 4)
        #expect(try table.take(wish(map(port: 84))) == .failure(PCPRefusal(.quotaExceeded)))
        table.table.limit = 9
        #expect(try table.take(wish(map(port: 84))) == .failure(PCPRefusal(.noResources)))
        #expect(try table.take(wish(map(17, port: 84))).get().lifetime == 3_600)
        #expect(!table.expire(at: now + 3_599))
        #expect(table.expire(at: now + 3_600) && table.table.mappings.isEmpty)
    }

    @Test func `who prefers failure gets the suggested port or none`() throws {
        let table = Box()
        let prefer: [UInt8] = [2, 0, 0, 0]
        let refused = Result<PCPGranted, PCPRefusal>.failure(PCPRefusal(.cannotProvideExternal))
        #expect(try table.take(wish(map(suggested: 443, options: prefer))) == refused)
        #expect(try table.take(wish(map(suggested: 1_025, options: prefer))).get().port == 1_025)
        #expect(try table.take(wish(map(port: 81, suggested: 1_025, options: prefer))) == refused)
        #expect(try table.take(wish(map(suggested: 1_026, options: prefer))) == refused)
    }

    @Test func `an operator's mapping is shown and left alone`() throws {
        let table = Box()
        table.table.mappings = [
            .init(transport: .tcp, address: host, port: 80, externalPort: 1_024, client: nil)
        ]
        let before = table.table
        #expect(try table.take(wish(map())).get().port == 1_024)
        #expect(try table.take(wish(map(lifetime: 0))) == .failure(PCPRefusal(.notAuthorized)))
        #expect(try table.take(wish(map(0, port: 0, lifetime: 0))).get().lifetime == 0)
        #expect(!table.expire(at: now + 1_000_000) && table.table == before)
    }

    @Test func `NAT-PMP asks, maps and deletes`() throws {
        let question = try #require(PCPCodec.decode([0, 0], from: host))
        #expect(
            PCPCodec.answer(question, .success, epoch: 5, address: publicAddress)
                == [0, 128, 0, 0, 0, 0, 0, 5] + publicAddress.bytes)
        let bytes: [UInt8] = [0, 2, 0, 0] + bytes16(22) + bytes16(1_025) + bytes32(7_200)
        let table = Box()
        let request = try #require(PCPCodec.decode(bytes, from: host))
        let granted = try table.take(wish(bytes)).get()
        #expect(
            PCPCodec.answer(request, granted, epoch: 5)
                == [0, 130, 0, 0, 0, 0, 0, 5] + bytes16(22) + bytes16(1_025) + bytes32(7_200))
        // PCP's and NAT-PMP's leave each other alone.
        #expect(try table.take(wish(map(port: 22))) == .failure(PCPRefusal(.notAuthorized)))
        let all: [UInt8] = [0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        #expect(try table.take(wish(all)).get() == PCPGranted(port: 0, address: publicAddress, lifetime: 0))
        #expect(table.table.mappings.isEmpty)
        let unknown = try #require(PCPCodec.decode([0, 9], from: host))
        #expect(PCPCodec.answer(unknown, .unsupportedOpcode, epoch: 5, address: .zero) == [0, 137, 0, 5, 0, 0, 0, 5])
    }

    @Test func `no bytes trap, and every answer is whole`() {
        var generator = SystemRandomNumberGenerator()
        let table = Box(limit: 32)
        for length in 0..<1_200 {
            var bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if length > 1 { (bytes[0], bytes[1]) = ([0, 2][length % 2], UInt8(length % 3)) }
            if length >= 24 { bytes.replaceSubrange(8..<24, with: mapped(host)) }
            guard let request = PCPCodec.decode(bytes, from: host) else { continue }
            if case .map(let map) = request.question, case .success(let granted) = table.take(map) {
                #expect(PCPCodec.answer(request, granted, epoch: 1).count <= 1_100)
            }
            #expect(PCPCodec.answer(request, .noResources, epoch: 1, address: host).count <= 1_100)
        }
        for length in 0...map(suggested: 1_025, options: [2, 0, 0, 0]).count {
            _ = PCPCodec.decode(Array(map(suggested: 1_025, options: [2, 0, 0, 0]).prefix(length)), from: host)
        }
    }
}
