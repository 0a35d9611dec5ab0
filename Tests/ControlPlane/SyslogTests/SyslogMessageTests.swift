// SPDX-License-Identifier: Apache-2.0
// Messages as text worked out from RFC 5424, values that try to break out, lengths.

import BNGCore
import Testing

@testable import Syslog

private func message(_ value: String, host: String = "bng1", facility: SyslogMessage.Facility = .local0)
    -> SyslogMessage
{
    SyslogMessage(
        facility: facility, severity: .info, at: UTCTime(milliseconds: 1_763_920_800_003), hostName: host,
        applicationName: "bng-controller", processID: "42", messageID: "NATGRANT", dataID: "nat@32473",
        parameters: [("sequence", "7"), ("user", value)], text: "grant")
}

private func text(_ message: SyslogMessage) -> String { String(decoding: message.bytes, as: UTF8.self) }

@Suite struct SyslogMessageTests {
    @Test func `a message is the header, the data and the text`() {
        let expected =
            #"<134>1 2025-11-23T18:00:00.003Z bng1 bng-controller 42 NATGRANT [nat@32473 sequence="7" user="ann"] grant"#
        #expect(text(message("ann")) == expected)
        #expect(String(decoding: message("ann").frame, as: UTF8.self) == "\(expected.utf8.count) \(expected)")
    }

    @Test(arguments: [
        (#"a"] evil [x y="z"#, #"a\"\] evil [x y=\"z"#),
        (#"back\slash\"#, #"back\\slash\\"#),
        ("line\nbreak\r\0", #"line\u000abreak\u000d\u0000"#),
        ("\u{7f}\u{85}\u{2028}", #"\u007f\u0085\u2028"#),
        (#"\u000a"#, #"\\u000a"#),
        ("grüße 漢", "grüße 漢"),
        ("", ""),
    ])
    func `no value leaves its quotes or its line`(value: String, written: String) {
        #expect(text(message(value)).hasSuffix("user=\"\(written)\"] grant"))
    }

    @Test func `a frame counts octets, not characters`() {
        let frame = message("grüße").frame
        let space = frame.firstIndex(of: UInt8(ascii: " "))!
        #expect(Int(String(decoding: frame[..<space], as: UTF8.self)) == frame.count - space - 1)
    }

    @Test func `a long value is cut at 512 octets, between characters`() {
        #expect(
            text(message(String(repeating: "ü", count: 300))).contains(
                "user=\"\(String(repeating: "ü", count: 256))\"]"))
        #expect(
            text(message(String(repeating: "漢", count: 300))).contains("\"\(String(repeating: "漢", count: 170))\"]"))
    }

    @Test func `header fields are printable ASCII or the nil value`() {
        #expect(text(message("", host: "")).contains("Z - bng-controller"))
        #expect(text(message("", host: "a b\nc")).contains("Z abc bng-controller"))
        #expect(text(message("", facility: .kern)).hasPrefix("<6>1 "))
        #expect(text(message("", facility: .local7)).hasPrefix("<190>1 "))
        #expect(text(message("", facility: .authpriv)).hasPrefix("<86>1 "))
    }
}
