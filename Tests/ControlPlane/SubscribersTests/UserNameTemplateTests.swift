// SPDX-License-Identifier: Apache-2.0
// User names of lines: every placeholder, unprintable values, limits, templates that are none.

import BNGCore
import Subscribers
import Testing

private func facts(circuit: [UInt8] = [], host: String = "") -> LineFacts {
    var facts = LineFacts(
        node: "edge1", port: "access0", accessDomain: 1, sVLAN: 100, cVLAN: 7,
        mac: MACAddress(rawValue: 0x02ab_0000_0001))
    facts.circuitID = circuit
    facts.remoteID = Array("remote".utf8)
    facts.clientID = [1, 2, 0xab]
    facts.vendorClass = Array("udhcp 1.36".utf8)
    facts.hostName = host
    return facts
}

private func name(_ template: String, _ facts: LineFacts) throws -> String {
    try UserNameTemplate(template).render(facts)
}

struct UserNameTemplateTests {
    @Test(
        arguments: [
            ("{mac}", "02:ab:00:00:00:01"), ("{mac-plain}", "02ab00000001"), ("{circuit-id}", "eth 0/1:100"),
            ("{remote-id}", "remote"), ("{s-vlan}.{c-vlan}", "100.7"), ("{node}/{port}", "edge1/access0"),
            ("{client-id}", "0x0102ab"), ("{vendor-class}@isp", "udhcp 1.36@isp"), ("x{host-name}y", "xlaptopy"),
        ]) func `each placeholder becomes what is known of the line`(_ template: String, _ expected: String) throws
    {
        #expect(try name(template, facts(circuit: Array("eth 0/1:100".utf8), host: "laptop")) == expected)
    }

    @Test(
        arguments: [
            ([0x61, 0xff], "0x61ff"), ([0x61, 0x00], "0x6100"), ([0x61, 0x0a], "0x610a"), ([0x7f], "0x7f"),
            (Array("höst".utf8), "höst"), (Array("0x61".utf8), "0x30783631"), ([0xe2, 0x80, 0x8b], "0xe2808b"),
            ([0xc0, 0x80], "0xc080"), ([0xed, 0xa0, 0x80], "0xeda080"),
        ] as [([UInt8], String)])
    func `what is not printable is hexadecimal as a whole`(_ value: [UInt8], _ expected: String) throws {
        #expect(try name("{circuit-id}", facts(circuit: value)) == expected)
    }

    @Test func `a line of which nothing asked for is known has no name`() throws {
        #expect(try name("{circuit-id}@isp", facts()) == "")
        #expect(try name("{circuit-id}{host-name}@isp", facts(host: "h")) == "h@isp")
    }

    @Test func `a long name is cut to 253 bytes, and two long names stay two`() throws {
        let long = [UInt8](repeating: UInt8(ascii: "a"), count: 255)
        var other = long
        other[254] = UInt8(ascii: "b")
        let names = [try name("{circuit-id}", facts(circuit: long)), try name("{circuit-id}", facts(circuit: other))]
        #expect(names[0] != names[1])
        #expect(names.allSatisfy { $0.utf8.count == 253 && $0.hasPrefix("aaaa") })
        #expect(try name("{circuit-id}", facts(circuit: Array(long.prefix(253)))).utf8.count == 253)
        let wide = Array(String(repeating: "ö", count: 127).utf8)
        #expect(try name("{circuit-id}", facts(circuit: wide)).utf8.count <= 253)
        let hexadecimal = try name("{circuit-id}", facts(circuit: [UInt8](repeating: 0, count: 255)))
        #expect(hexadecimal.utf8.count == 253 && hexadecimal.hasPrefix("0x0000"))
    }

    @Test(arguments: ["{mac", "mac}", "{{mac}}", "{", "}{"])
    func `a brace without its partner is no template`(_ text: String) {
        #expect(throws: UserNameTemplate.Problem.unbalancedBrace) { try UserNameTemplate(text) }
    }

    @Test func `an unknown placeholder is named, with those that are known`() {
        let problem = #expect(throws: UserNameTemplate.Problem.self) { try UserNameTemplate("{mac}{ip}") }
        #expect(problem?.description.hasPrefix("unknown placeholder {ip}: expected one of {mac} {mac-plain} ") == true)
        #expect(throws: UserNameTemplate.Problem.noPlaceholder) { try UserNameTemplate("guest") }
        #expect(throws: UserNameTemplate.Problem.noPlaceholder) { try UserNameTemplate("") }
    }
}
