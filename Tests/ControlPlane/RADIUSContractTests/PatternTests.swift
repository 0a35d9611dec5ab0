// SPDX-License-Identifier: Apache-2.0
// The pattern language of rules, and routes as text.

import BNGCore
import RADIUSContract
import Testing

struct PatternCase: Sendable, CustomStringConvertible {
    var pattern: String
    var text: String
    var up: UInt64?
    var down: UInt64?
    var plan: String?
    var filter: String?
    var matches = true

    var description: String { "\(self.pattern) on \(self.text)" }
}

@Suite struct PatternTests {
    @Test(arguments: [
        PatternCase(pattern: "plan:{plan}", text: "plan:gold", plan: "gold"),
        PatternCase(pattern: "plan:{plan}", text: "plan:", matches: false),
        PatternCase(pattern: "plan:{plan}", text: "xplan:gold", matches: false),
        PatternCase(pattern: "{plan}", text: "gold 100", plan: "gold 100"),
        PatternCase(pattern: "{up}/{down}", text: "10M/50M", up: 10_000_000, down: 50_000_000),
        PatternCase(pattern: "{up}/{down}", text: "64k/1.5M", up: 64_000, down: 1_500_000),
        PatternCase(pattern: "{up}/{down}{*}", text: "10M/50M 20M/100M 1/1 8/8", up: 10_000_000, down: 50_000_000),
        PatternCase(pattern: "{up}/{down}", text: "10M/50M ", matches: false),
        PatternCase(pattern: "{rate}", text: "1G", up: 1_000_000_000, down: 1_000_000_000),
        PatternCase(pattern: "{rate:k}", text: "512", up: 512_000, down: 512_000),
        PatternCase(pattern: "{rate:k}", text: "5M", up: 5_000_000, down: 5_000_000),
        PatternCase(pattern: "{down}bit", text: "10Mbit", down: 10_000_000),
        PatternCase(pattern: "{down:M}Mbit", text: "10Mbit", down: 10_000_000),
        PatternCase(
            pattern: "sub:Ingress-Committed-Data-Rate={up}", text: "sub:Ingress-Committed-Data-Rate=2000000",
            up: 2_000_000),
        PatternCase(pattern: "{plan}-{up}", text: "gold-fibre-10M", up: 10_000_000, plan: "gold-fibre"),
        PatternCase(pattern: "{plan}.{filter}.in", text: "a.b.c.in", plan: "a", filter: "b.c"),
        PatternCase(pattern: "{{{plan}}", text: "{gold}", plan: "gold"),
        PatternCase(pattern: "{*}", text: ""),
        PatternCase(pattern: "{up}", text: "10.M", matches: false),
        PatternCase(pattern: "{up}", text: "1.2345M", matches: false),
        PatternCase(pattern: "{up}", text: "9999999999999", matches: false),
        PatternCase(pattern: "{up}", text: "999999999999G", matches: false),
        PatternCase(pattern: "{up}", text: "-1", matches: false),
        PatternCase(pattern: "{up}", text: "0", up: 0),
    ])
    func `a pattern finds what it names`(_ row: PatternCase) throws {
        let found = try AttributePattern(row.pattern).match(row.text)
        guard row.matches else { return #expect(found == nil) }
        var expected = AttributePattern.Captures()
        (expected.up, expected.down, expected.plan, expected.filter) = (row.up, row.down, row.plan, row.filter)
        #expect(found == expected)
    }

    @Test(arguments: [
        ("", "empty"), ("{plan", "never closed"), ("{speed}", "{up}, {down}"), ("{plan:k}", "{up}, {down}"),
        ("{up:x}", "{up}, {down}"), ("{up:k:k}", "{up}, {down}"), ("{plan}{filter}", "two captures meet"),
        ("{up}{down}", "two captures meet"), ("{*}-{*}-{plan}", "more than two"),
    ])
    func `a pattern that could not be meant is refused with words`(_ pattern: String, _ words: String) {
        #expect { try AttributePattern(pattern) } throws: { "\($0)".contains(words) }
    }

    @Test func `the slowest match ends soon`() throws {
        let pattern = try AttributePattern("{*}-{*}-!")
        #expect(pattern.match(String(repeating: "-", count: 253)) == nil)
    }

    @Test(arguments: [
        ("203.0.113.0/29", "203.0.113.0/29", "0.0.0.0"), ("203.0.113.0/29 0.0.0.0 1", "203.0.113.0/29", "0.0.0.0"),
        ("203.0.113.9/29  100.64.0.9", "203.0.113.8/29", "100.64.0.9"), ("10.0.0.0", "10.0.0.0/8", "0.0.0.0"),
        ("172.16.0.0 0.0.0.0 1 2 -1 3 400", "172.16.0.0/16", "0.0.0.0"), ("192.0.2.0", "192.0.2.0/24", "0.0.0.0"),
        ("192.0.2.7/32", "192.0.2.7/32", "0.0.0.0"),
    ]) func `a route is read`(_ text: String, _ prefix: String, _ gateway: String) {
        let route = FramedRoute(text)
        #expect(route?.prefix.description == prefix && route?.gateway.description == gateway)
    }

    @Test(arguments: [
        "", " ", "default", "0.0.0.0/0", "192.0.2.5", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/24 gw", "1.2.3/8",
        "192.0.2.0/+4",
    ])
    func `what is no route to a customer is refused`(_ text: String) {
        #expect(FramedRoute(text) == nil)
    }
}
