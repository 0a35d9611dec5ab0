// SPDX-License-Identifier: Apache-2.0
// IPv6 addresses and prefixes: text and bytes both ways, kinds, what follows from a MAC address, prefixes by number.

import BNGCore
import Testing

struct IPv6Tests {
    private func address(_ text: String) throws -> IPv6Address { try #require(IPv6Address(text)) }
    private func prefix(_ text: String) throws -> IPv6Prefix { try #require(IPv6Prefix(text)) }

    @Test func `an address keeps network byte order`() throws {
        let address = try self.address("2001:db8:1:2:3:4:5:6")
        #expect(address.high == 0x2001_0db8_0001_0002 && address.low == 0x0003_0004_0005_0006)
        #expect(address.bytes == [0x20, 1, 0x0d, 0xb8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6])
        #expect(IPv6Address(address.bytes) == address && IPv6Address(rawValue: address.rawValue) == address)
        #expect(IPv6Address([UInt8](repeating: 0, count: 15)) == nil)
        var cursor = ByteCursor(offset: 1, end: 17)
        let bytes = [9] + address.bytes
        #expect(try cursor.readIPv6Address(bytes.span) == address)
        #expect(throws: DecodeError.self) { try cursor.readIPv6Address(bytes.span) }
    }

    // RFC 5952 4 and 5, and RFC 4291 2.2.
    @Test(arguments: [
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("0:0:0:0:0:0:0:0", "::"), ("2001:DB8::1", "2001:db8::1"),
        ("2001:0db8::0001", "2001:db8::1"), ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"), ("::ffff:c000:0201", "::ffff:192.0.2.1"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ("fe80::200:5eff:fe10:2030", "fe80::200:5eff:fe10:2030"),
    ])
    func `any form of an address is read and one form is written`(_ text: String, _ written: String) throws {
        let address = try self.address(text)
        #expect("\(address)" == written)
        #expect(IPv6Address("\(address)") == address)
    }

    @Test(arguments: [
        "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
        "1:2:3:4::5:6:7:8", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "12345::", "g::", "fe80::1%eth0", " ::1", "::1 ",
        "+1::", "::1.2.3", "::1.2.3.256", "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "::01.2.3.4", "::/0",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000",
    ])
    func `a malformed address is refused`(_ text: String) {
        #expect(IPv6Address(text) == nil)
    }

    @Test func `an address knows its kind`() throws {
        #expect(IPv6Address.zero.isUnspecified && !IPv6Address.zero.isUnicast)
        #expect(IPv6Address.loopback.isLoopback && !IPv6Address.loopback.isUnicast)
        let multicast = try self.address("ff02::1")
        #expect(multicast == .allNodes && multicast.isMulticast && !multicast.isUnicast && !multicast.isLinkLocal)
        for text in ["fe80::1", "febf::1"] {
            let local = try self.address(text)
            #expect(local.isLinkLocal && local.isUnicast && !local.isRoutableUnicast)
        }
        #expect(try !self.address("fec0::1").isLinkLocal)
        #expect(try self.address("fd00::1").isUniqueLocal && self.address("fc00::1").isUniqueLocal)
        #expect(try !self.address("fe00::1").isUniqueLocal && self.address("fd00::1").isRoutableUnicast)
        #expect(try !self.address("::ffff:192.0.2.1").isUnicast && !self.address("::192.0.2.1").isUnicast)
        #expect(try self.address("2001:db8::1").isRoutableUnicast && !self.address("2001:db8::1").isUniqueLocal)
    }

    @Test func `a MAC address makes an interface identifier and a group makes a MAC address`() throws {
        let mac = try #require(MACAddress("02:00:5e:10:20:30"))
        #expect(mac.interfaceID == 0x0000_5eff_fe10_2030)
        #expect("\(IPv6Address.linkLocal(mac.interfaceID))" == "fe80::5eff:fe10:2030")
        #expect(try self.address("2001:db8::1:2a0:20ff").solicitedNode == self.address("ff02::1:ffa0:20ff"))
        #expect(try self.address("ff02::1:ffa0:20ff").multicastMAC == MACAddress("33:33:ff:a0:20:ff"))
        #expect(try self.address("2001:db8::1").multicastMAC == nil)
    }

    @Test func `addresses are ordered as numbers`() throws {
        let texts = ["::", "::1", "::ffff:0:0:0", "0:0:0:1::", "2001:db8::", "ff02::1"]
        let addresses = try texts.map { try self.address($0) }
        #expect(addresses.sorted() == addresses)
        #expect(zip(addresses, addresses.dropFirst()).allSatisfy { $0 < $1 && $0.rawValue < $1.rawValue })
    }

    @Test func `a prefix knows its bounds`() throws {
        let prefix = try self.prefix("2001:db8::/32")
        #expect("\(prefix.first)" == "2001:db8::" && "\(prefix.last)" == "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")
        #expect(try prefix.contains(self.address("2001:db8:ffff::1")) && !prefix.contains(self.address("2001:db9::")))
        let all = try self.prefix("::/0")
        #expect(all.contains(prefix) && !prefix.contains(all) && prefix.overlaps(all) && all.overlaps(prefix))
        let host = try self.prefix("2001:db8::1/128")
        #expect(host.first == host.last && prefix.contains(host) && "\(host)" == "2001:db8::1/128")
        #expect(try IPv6Prefix(holding: self.address("2001:db8:1:2::3"), length: 56) == self.prefix("2001:db8:1::/56"))
        #expect(try self.prefix("2001:db8::/32") < self.prefix("2001:db8::/33"))
    }

    @Test(arguments: [
        "2001:db8::1/64", "2001:db8::/129", "2001:db8::", "2001:db8::/", "2001:db8::/-1", "2001:db8::/064", "::/00",
        "::/+1", "192.0.2.0/24", "/64", "::/64/64", "::/1000", "2001:db8::/28",
    ])
    func `a malformed prefix is refused`(_ text: String) {
        #expect(IPv6Prefix(text) == nil)
    }

    @Test func `prefixes inside a prefix have numbers`() throws {
        let pool = try self.prefix("2001:db8::/40")
        #expect(pool.subprefixCount(length: 56) == 65_536)
        #expect(try pool.subprefix(0x102, length: 56) == self.prefix("2001:db8:1:200::/56"))
        #expect(try pool.index(of: self.prefix("2001:db8:1:200::/56")) == 0x102)
        #expect(try pool.subprefix(65_535, length: 56) == self.prefix("2001:db8:ff:ff00::/56"))
        #expect(pool.subprefix(65_536, length: 56) == nil && pool.subprefix(0, length: 39) == nil)
        #expect(pool.subprefix(0, length: 129) == nil && pool.subprefix(0, length: 40) == pool)
        #expect(pool.subprefix(1, length: 40) == nil)
        #expect(try pool.index(of: self.prefix("2001:db9::/56")) == nil && pool.index(of: self.prefix("::/0")) == nil)
        let all = try self.prefix("::/0")
        #expect(all.subprefix(0, length: 0) == all && all.index(of: all) == 0)
        #expect(all.subprefixCount(length: 63) == 1 << 63 && all.subprefixCount(length: 64) == nil)
        #expect(try all.subprefix(.max, length: 64) == self.prefix("ffff:ffff:ffff:ffff::/64"))
        #expect(try all.index(of: self.prefix("8000::1/128")) == nil && all.index(of: self.prefix("::1/128")) == 1)
    }

    @Test func `a prefix of at most 64 bits takes an interface identifier`() throws {
        #expect(try self.prefix("2001:db8::/64").address(interfaceID: 5) == self.address("2001:db8::5"))
        #expect(try self.prefix("2001:db8::/65").address(interfaceID: 5) == nil)
    }
}
