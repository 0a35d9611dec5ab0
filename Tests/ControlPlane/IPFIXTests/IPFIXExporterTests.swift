// SPDX-License-Identifier: Apache-2.0
// Messages as bytes worked out from RFC 7011 and RFC 8158, sizes, gaps, and when templates come again.

import BNGCore
import Testing

@testable import IPFIX

private func record(_ event: NATEventRecord.Event = .portBlockAllocation, user: String = "ann") -> NATEventRecord {
    NATEventRecord(
        event: event, at: UTCTime(milliseconds: 0x0123_4567_89ab), inside: IPv4Address(rawValue: 0x6440_0109),
        outside: IPv4Address(rawValue: 0xc633_6407), ports: 1_024...2_047, vrf: 7, poolName: "p", userName: user)
}

private func exporter(size: Int = 1_400, interval: Seconds? = 60, every count: Int = 500) -> IPFIXExporter {
    IPFIXExporter(
        observationDomain: 0x0a0b_0c0d, messageSize: size, templateInterval: interval, templateMessages: count)
}

private let noon = UTCTime(milliseconds: 0x6000_0000 * 1_000 + 250)

/// A template set of both templates: RFC 7011 3.3.2, 3.4.1; elements as IANA numbers them.
private let templates =
    "0002 0054"
    + "0100 000b 0143 0008 00e6 0001 0008 0004 00e1 0004 0169 0002 016a 0002 016b 0002 016c 0002 00ea 0004 011c ffff 0173 ffff"
    + "0101 0007 0143 0008 00e6 0001 0008 0004 00e1 0004 00ea 0004 011c ffff 0173 ffff"

private func hex(_ text: String) -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue).map { UInt8($0) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// A message taken apart: sequence number of its header, ids of its sets, whether lengths add up.
private struct Taken {
    var sequence: UInt32 = 0
    var sets: [UInt16] = []

    init(_ message: [UInt8]) {
        func number(_ offset: Int, _ count: Int) -> UInt32 {
            message[offset..<offset + count].reduce(0) { $0 << 8 | UInt32($1) }
        }
        #expect(number(0, 2) == 10)
        #expect(Int(number(2, 2)) == message.count)
        self.sequence = number(8, 4)
        var offset = 16
        while offset < message.count {
            self.sets.append(UInt16(number(offset, 2)))
            let length = Int(number(offset + 2, 2))
            #expect(length >= 4)
            offset += length
        }
        #expect(offset == message.count)
    }
}

@Suite struct IPFIXExporterTests {
    @Test func `a block granted is a template set and a data record`() {
        var exporter = exporter()
        let messages = exporter.messages([(5, record())], at: noon)
        let data =
            "0100 0027 0000 0123 4567 89ab 10 6440 0109 c633 6407 0400 07ff 0001 0400 0000 0007 01 70 03 616e 6e"
        let length = 16 + 84 + 39
        #expect(
            messages == [
                hex("000a 00\(String(length, radix: 16)) 6000 0000 0000 0004 0a0b 0c0d" + templates + data)
            ])
        // And its return, without templates.
        let next = exporter.messages([(6, record(.portBlockDeallocation))], at: noon)
        let returned = data.replacing(" 10 6440", with: " 11 6440")
        #expect(next == [hex("000a 0037 6000 0000 0000 0005 0a0b 0c0d" + returned)])
    }

    @Test func `a whole address is an address binding, without ports`() {
        var exporter = exporter(interval: nil)
        _ = exporter.messages([(1, record())], at: noon)
        let both = exporter.messages(
            [(2, record(.addressBindingCreate)), (3, record(.addressBindingDelete))], at: noon)
        let data = { (event: String) in "0000 0123 4567 89ab \(event) 6440 0109 c633 6407 0000 0007 01 70 03 616e 6e" }
        #expect(
            both == [hex("000a 004a 6000 0000 0000 0001 0a0b 0c0d 0101 003a" + data("0e") + data("0f"))])
    }

    @Test func `records of one template share a set`() {
        var exporter = exporter()
        let kinds: [NATEventRecord.Event] = [
            .portBlockAllocation, .portBlockDeallocation, .addressBindingCreate, .portBlockAllocation,
        ]
        let messages = exporter.messages(zip(1..., kinds).map { ($0, record($1)) }, at: noon)
        #expect(messages.map { Taken($0).sets } == [[2, 256, 257, 256]])
    }

    @Test(arguments: [700, 1_400, 9_000])
    func `no message is longer than asked, and numbers count records`(size: Int) {
        var exporter = exporter(size: size)
        let long = String(repeating: "ü", count: 400)
        let records = (1...200).map { number -> (UInt64, NATEventRecord) in
            (UInt64(number), record(user: number % 7 == 0 ? long : "user \(number)"))
        }
        let messages = exporter.messages(records.map { (sequence: $0.0, record: $0.1) }, at: noon)
        #expect(messages.allSatisfy { $0.count <= size })
        var expected: UInt32 = 0
        for message in messages {
            let taken = Taken(message)
            #expect(taken.sequence == expected)
            // Counted by the event times in it, which nothing else looks like.
            let time = hex("0000 0123 4567 89ab 10")
            expected += UInt32(message.indices.filter { message[$0...].starts(with: time) }.count)
        }
        #expect(expected == 200)
    }

    @Test func `a name is cut between characters`() {
        let bytes = record(user: String(repeating: "ü", count: 400)).bytes
        // 253 is odd: 126 of them fit.
        #expect(bytes.suffix(253) == [252] + Array(String(repeating: "ü", count: 126).utf8))
    }

    @Test func `a gap in the numbers begins a message, so that the collector sees it`() {
        var exporter = exporter()
        let records = [4, 5, 9, 10].map { (sequence: UInt64($0), record: record()) }
        #expect(exporter.messages(records, at: noon).map { Taken($0).sequence } == [3, 8])
        #expect(exporter.messages([(0x1_0000_0000, record())], at: noon).map { Taken($0).sequence } == [0xffff_ffff])
        #expect(exporter.messages([(0x1_0000_0001, record())], at: noon).map { Taken($0).sequence } == [0])
    }

    @Test func `templates come again after a time, after messages, after a restart`() {
        var exporter = exporter(every: 3)
        func hasTemplates(_ seconds: UInt32) -> Bool {
            Taken(exporter.messages([(1, record())], at: noon + Seconds(seconds))[0]).sets.first == 2
        }
        #expect([0, 1, 2, 3, 4, 62, 63].map(hasTemplates) == [true, false, false, true, false, false, true])
        exporter.restart()
        #expect(hasTemplates(64))
        #expect(!hasTemplates(65))
        // The clock was set back.
        #expect(hasTemplates(1))
        var stream = IPFIXExporter(observationDomain: 1, messageSize: 1_400, templateInterval: nil, templateMessages: 2)
        let sets = (0..<5).map { Taken(stream.messages([(1, record())], at: noon + Seconds($0 * 9_999))[0]).sets }
        #expect(sets == [[2, 256]] + Array(repeating: [256], count: 4))
    }
}
