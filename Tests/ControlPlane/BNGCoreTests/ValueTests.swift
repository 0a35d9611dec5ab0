// SPDX-License-Identifier: Apache-2.0
// Addresses, prefixes, ranges, identities: text and bytes both ways, and what is refused.

import BNGCore
import Testing

struct ValueTests {
    @Test func `an address keeps network byte order`() throws {
        let address = try #require(IPv4Address("100.64.1.2"))
        #expect(address.bytes == [100, 64, 1, 2])
        #expect(address.rawValue == 0x6440_0102)
        #expect(IPv4Address([100, 64, 1, 2]) == address)
        #expect("\(address)" == "100.64.1.2")
    }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1..2.3", " 1.2.3.4", "1.2.3.4 ", "a.b.c.d", "+1.2.3.4",
    ])
    func `a malformed address is refused`(_ text: String) {
        #expect(IPv4Address(text) == nil)
    }

    @Test func `a MAC address keeps wire order`() throws {
        let mac = try #require(MACAddress("02:00:5e:10:20:30"))
        #expect(mac.bytes == [2, 0, 0x5e, 0x10, 0x20, 0x30])
        #expect(MACAddress(mac.bytes) == mac)
        #expect("\(mac)" == "02:00:5e:10:20:30")
        #expect(!mac.isMulticast)
        #expect(MACAddress.broadcast.isMulticast)
    }

    @Test(arguments: [
        "", "02:00:5e:10:20", "02:00:5e:10:20:3g", "2:0:5e:10:20:30", "02005e102030", "02:00:5e:10:20:30:40",
    ])
    func `a malformed MAC address is refused`(_ text: String) {
        #expect(MACAddress(text) == nil)
    }

    @Test func `a prefix knows its bounds`() throws {
        let prefix = try #require(IPv4Prefix("100.64.0.0/16"))
        #expect("\(prefix.netmask)" == "255.255.0.0")
        #expect("\(prefix.last)" == "100.64.255.255")
        #expect(prefix.contains(try #require(IPv4Address("100.64.9.9"))))
        #expect(!prefix.contains(try #require(IPv4Address("100.65.0.0"))))
        let all = try #require(IPv4Prefix("0.0.0.0/0"))
        #expect(all.contains(.broadcast) && all.overlaps(prefix) && prefix.overlaps(all))
    }

    @Test(arguments: ["100.64.0.1/16", "100.64.0.0/33", "100.64.0.0", "100.64.0.0/", "100.64.0.0/-1", "100.64.0.0/016"])
    func `a malformed prefix is refused`(_ text: String) {
        #expect(IPv4Prefix(text) == nil)
    }

    @Test func `a range is inclusive and ordered`() throws {
        let (low, high) = (IPv4Address(rawValue: 10), IPv4Address(rawValue: 12))
        let range = try #require(IPv4Range(low, high))
        #expect(range.count == 3)
        #expect(range.contains(low) && range.contains(high))
        #expect(IPv4Range(high, low) == nil)
    }

    @Test func `a session id is issuer and counter`() {
        let id = SessionID(issuer: 7, counter: 42)
        #expect("\(id)" == "7-42")
        #expect(SessionID("7-42") == id)
        #expect(SessionID("7") == nil && SessionID("70000-1") == nil && SessionID("7-281474976710656") == nil)
    }

    @Test func `the hash of a line is the same in every process`() {
        let line = LineKey(accessDomain: 1, sVLAN: 100, cVLAN: 7, mac: MACAddress(rawValue: 0x0200_5e10_2030))
        #expect(line.stableHash == 0x0664_800b_d6f8_4873)
        var other = line
        other.cVLAN = 8
        #expect(other.stableHash != line.stableHash)
    }

    @Test func `hexadecimal text round trips`() {
        #expect(hexadecimal([0, 1, 0xfe]) == "0001fe")
        #expect(bytes(hexadecimal: "0001FE") == [0, 1, 0xfe])
        #expect(bytes(hexadecimal: "001") == nil && bytes(hexadecimal: "zz") == nil)
    }
}

struct ByteCursorTests {
    @Test func `reads are big-endian and bounded`() throws {
        let data: [UInt8] = [1, 2, 3, 4, 5, 6, 7]
        var cursor = ByteCursor(end: data.count)
        let answer24 = try cursor.readUInt8(data.span)
        #expect(answer24 == 1)
        let answer25 = try cursor.readUInt16(data.span)
        #expect(answer25 == 0x0203)
        let answer26 = try cursor.readUInt32(data.span)
        #expect(answer26 == 0x0405_0607)
        #expect(throws: DecodeError(.truncated(needed: 1, available: 0), at: 7)) { try cursor.readUInt8(data.span) }
        #expect(cursor.offset == 7)
    }

    @Test func `a negative or huge skip is refused`() {
        var cursor = ByteCursor(end: 4)
        #expect(throws: DecodeError.self) { try cursor.skip(-1) }
        #expect(throws: DecodeError.self) { try cursor.skip(.max) }
        #expect(cursor.remaining == 4)
    }
}
