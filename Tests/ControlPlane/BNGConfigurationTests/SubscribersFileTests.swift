// SPDX-License-Identifier: Apache-2.0
// The file of local subscribers: its values, and every kind of mistake with its place and words.

import BNGCore
import Subscribers
import Testing

@testable import BNGConfiguration

private let record = "scrypt$15$8$1$0505050505050505$00000000000000000000000000000000"
private let text = """
    subscribers:
      - {name: "02:00:00:00:00:01", plan: gold, address: 192.0.2.9, note: corner house}
      - name: eth 0/1
        pool: main
        routes: [198.51.100.0/24, 203.0.113.8/32, "2001:db8:f::/48"]
        suspended: true
        password: \(record)
      - {name: v6, ipv6-prefix: "2001:db8:0:1::/64", delegated-prefix: "2001:db8:100::/56", ipv6-address: "2001:db8::9"}
    """
private let catalog = PlanCatalog(plans: [ServicePlan(name: "gold")], pools: ["main"])

private func read(_ text: String) throws -> [LocalSubscriber] {
    try LocalSubscriber.read(yaml: text, file: "s.yaml", catalog: catalog)
}

private let mistakes = [
    Mistake("plan: gold", "plan: silver", "2:39", "there is no plan \"silver\""),
    Mistake("pool: main", "pool: other", "4:11", "there is no pool \"other\""),
    Mistake("address: 192.0.2.9", "address: 224.0.0.1", "2:54", "the IPv4 address of one host"),
    Mistake("198.51.100.0/24", "198.51.100.1/24", "5:14", "a prefix of length 1-32, or"),
    Mistake("198.51.100.0/24", "0.0.0.0/0", "5:14", "a prefix of length 1-32"),
    Mistake("2001:db8:f::/48", "fe80::/48", "5:47", "or a routable one of length 1-128"),
    Mistake("2001:db8:0:1::/64", "2001:db8::/63", "8:29", "a routable IPv6 prefix of length 64"),
    Mistake("2001:db8:0:1::/64", "fe80::/64", "8:29", "a routable IPv6 prefix of length 64"),
    Mistake("2001:db8:100::/56", "2001:db8::/65", "8:68", "of length 1-64, host bits zero"),
    Mistake("2001:db8::9", "192.0.2.9", "8:103", "a routable IPv6 address"),
    Mistake("suspended: true", "suspended: yes", "6:16", "true | false"),
    Mistake("name: eth 0/1", "name: \"02:00:00:00:00:01\"", "3:11", "is given twice"),
    Mistake("name: eth 0/1", "name: \"\"", "3:11", "a user name of 1 to 253 bytes"),
    Mistake("name: eth 0/1", "name: \"a\\tb\"", "3:11", "without control characters"),
    Mistake("- name: eth 0/1\n    pool", "- pool", "3:5", "subscribers[1].name is missing"),
    Mistake("suspended: true", "secret: x", "6:5", "unknown key subscribers[1].secret"),
    Mistake(record, "hunter2", "7:15", "expected a record as `bngctl subscriber hash` prints it"),
    Mistake("subscribers:", "users:", "1:1", "unknown key users: expected one of subscribers"),
]

@Suite struct SubscribersFileTests {
    @Test func `subscribers are what the file says, and belong to it`() throws {
        let subscribers = try read(text)
        #expect(subscribers.map(\.name) == ["02:00:00:00:00:01", "eth 0/1", "v6"])
        #expect(subscribers.allSatisfy { $0.origin == .file("s.yaml") })
        #expect(subscribers[0].plan == "gold" && subscribers[0].address == IPv4Address("192.0.2.9"))
        #expect(subscribers[0].note == "corner house" && !subscribers[0].isSuspended && subscribers[0].password == nil)
        #expect(subscribers[1].routes.map(\.description) == ["198.51.100.0/24", "203.0.113.8/32"])
        #expect(subscribers[1].ipv6Routes == [IPv6Prefix("2001:db8:f::/48")])
        #expect(subscribers[2].linkPrefix == IPv6Prefix("2001:db8:0:1::/64") && subscribers[0].linkPrefix == nil)
        #expect(subscribers[2].delegatedPrefix == IPv6Prefix("2001:db8:100::/56"))
        #expect(subscribers[2].ipv6Address == IPv6Address("2001:db8::9"))
        #expect(subscribers[1].isSuspended && subscribers[1].pool == "main" && subscribers[1].password?.text == record)
        #expect(try read("subscribers: []").isEmpty)
    }

    @Test(arguments: mistakes) func `a mistake is reported where it is, with what was expected`(_ mistake: Mistake)
        throws
    {
        #expect(text.contains(mistake.change), "the table is out of date")
        let error = try #require(
            #expect(throws: ConfigurationError.self) {
                try read(text.replacing(mistake.change, with: mistake.to, maxReplacements: 1))
            })
        let lines = error.problems.map(\.description)
        #expect(lines.contains { $0.hasPrefix("s.yaml:\(mistake.place):") && $0.contains(mistake.words) }, "\(lines)")
        #expect(!error.description.contains("hunter2"), "what may be a password is not repeated")
    }

    @Test func `an empty file says what was expected`() throws {
        let error = #expect(throws: ConfigurationError.self) { try read("") }
        #expect(error?.description == "s.yaml:1:1: the file is empty: expected subscribers")
    }

    @Test func `ten thousand subscribers are read in seconds`() throws {
        let many = "subscribers:\n" + (0..<10_000).map { "  - {name: user\($0), plan: gold}\n" }.joined()
        #expect(try read(many).count == 10_000)
    }
}
