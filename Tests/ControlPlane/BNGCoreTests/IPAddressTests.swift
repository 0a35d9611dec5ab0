// SPDX-License-Identifier: Apache-2.0
// Addresses and prefixes that may be of either family.

import BNGCore
import Testing

@Suite struct IPAddressTests {
    @Test(arguments: ["192.0.2.1", "::", "2001:db8::1", "0.0.0.0"])
    func `an address is read and written in its family's form`(_ text: String) throws {
        let address = try #require(IPAddress(text))
        #expect("\(address)" == text && address.isIPv6 == text.contains(":"))
        #expect(IPAddress(address.bytes) == address && address.bytes.count == (address.isIPv6 ? 16 : 4))
    }

    @Test(arguments: ["192.0.2.0/24", "0.0.0.0/0", "::/0", "2001:db8::1/128"])
    func `a prefix is read and written in its family's form`(_ text: String) throws {
        let prefix = try #require(IPPrefix(text))
        #expect("\(prefix)" == text && IPPrefix(prefix.address, length: prefix.length) == prefix)
        #expect(prefix.isIPv6 == text.contains(":"))
    }

    @Test func `what no family knows is refused`() throws {
        #expect(IPAddress("192.0.2") == nil && IPAddress([1, 2, 3]) == nil && IPAddress("") == nil)
        #expect(IPPrefix("192.0.2.0/33") == nil && IPPrefix("2001:db8::/129") == nil && IPPrefix("192.0.2.1/24") == nil)
        #expect(IPPrefix(try #require(IPAddress("192.0.2.0")), length: 33) == nil)
        #expect(IPPrefix(try #require(IPAddress("2001:db8::1")), length: 64) == nil)
    }
}
