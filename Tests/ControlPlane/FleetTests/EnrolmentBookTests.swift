// SPDX-License-Identifier: Apache-2.0
// Who waits, who is let in, and that a name is never taken from somebody by claiming it.

import BNGCore
import Fleet
import Testing

private func book(
    rules: [ApprovalRule] = [], needsTPM: Bool = false, limit: Int = 3, entries: [NodeEnrolment] = []
) -> EnrolmentBook {
    EnrolmentBook(entries: entries, rules: rules, nodes: ["edge1", "edge2"], needsTPM: needsTPM, limit: limit)
}

private func key(_ letter: Character, name: String = "", serial: String = "", tpm: String = "") -> NodeEnrolment {
    NodeEnrolment(
        fingerprint: String(repeating: letter, count: 64), requestedName: name, serial: serial, endorsementKey: tpm)
}

private let noon = UTCTime(milliseconds: 43_200_000)

@Suite struct EnrolmentBookTests {
    @Test func `a stranger waits until an operator says which node it is`() throws {
        var book = book()
        #expect(book.asked(key("a", serial: "S1"), showedTPM: false, holder: nil, now: noon).decision == .pending)
        #expect(throws: EnrolmentProblem.nameNeeded(String(repeating: "a", count: 16))) {
            try book.approve("S1", as: "")
        }
        #expect(throws: EnrolmentProblem.unknownNode("edge9")) { try book.approve("S1", as: "edge9") }
        let changed = try book.approve("aaaa", as: "edge1")
        #expect(changed.map(\.status) == [.approved("edge1")])
        let again = book.asked(key("a"), showedTPM: false, holder: nil, now: noon)
        #expect(again.decision == .approved("edge1"))
        #expect(again.changed.first?.firstSeen == noon)
    }

    @Test func `a second key for a node takes the first one's place, and the first is told`() throws {
        var book = book()
        for letter in ["a", "b"] as [Character] {
            _ = book.asked(key(letter, name: "edge1"), showedTPM: false, holder: nil, now: noon)
            _ = try book.approve(String(repeating: letter, count: 64), as: "edge1")
        }
        let first = book.asked(key("a", name: "edge1"), showedTPM: false, holder: nil, now: noon)
        #expect(first.decision == .rejected("replaced by \(String(repeating: "b", count: 16))"))
        #expect(
            book.asked(key("b", name: "edge1"), showedTPM: false, holder: nil, now: noon).decision == .approved("edge1")
        )
    }

    @Test func `a serial number is believed only while nobody has the node`() throws {
        var book = book(rules: [ApprovalRule(.serial("S1"), node: "edge1")])
        #expect(
            book.asked(key("a", serial: "S1"), showedTPM: false, holder: nil, now: noon).decision == .approved("edge1"))
        #expect(book.asked(key("b", serial: "S1"), showedTPM: false, holder: nil, now: noon).decision == .pending)
        #expect(
            book.asked(key("a", serial: "S1"), showedTPM: false, holder: nil, now: noon).decision == .approved("edge1"))
    }

    @Test func `an endorsement key by rule needs the TPM, and takes the node with it to a new key`() {
        var book = book(rules: [ApprovalRule(.endorsementKey("ee"), node: "edge1")])
        #expect(book.asked(key("a"), showedTPM: false, holder: nil, now: noon).decision == .needsTPM)
        #expect(
            book.asked(key("a", tpm: "ee"), showedTPM: true, holder: nil, now: noon).decision == .approved("edge1"))
        #expect(
            book.asked(key("b", tpm: "ee"), showedTPM: true, holder: nil, now: noon).decision == .approved("edge1"))
        #expect(book.asked(key("c", tpm: "ff"), showedTPM: true, holder: nil, now: noon).decision == .pending)
    }

    @Test func `who holds a certificate of the node is renewed without anybody`() {
        var book = book(needsTPM: true)
        #expect(book.asked(key("a"), showedTPM: false, holder: "edge2", now: noon).decision == .approved("edge2"))
        #expect(book.asked(key("b"), showedTPM: false, holder: "edge9", now: noon).decision == .needsTPM)
    }

    @Test func `those who wait are bounded, and who waits already is not turned away`() {
        var book = book(limit: 2)
        for letter in ["a", "b"] as [Character] {
            #expect(book.asked(key(letter), showedTPM: false, holder: nil, now: noon).decision == .pending)
        }
        #expect(book.asked(key("c"), showedTPM: false, holder: nil, now: noon).decision == .full)
        #expect(book.asked(key("a"), showedTPM: false, holder: nil, now: noon).decision == .pending)
        #expect(book.entries.count == 2)
    }

    @Test func `a rejected key stays out until it is forgotten`() throws {
        var book = book()
        _ = book.asked(key("a", name: "edge1"), showedTPM: false, holder: nil, now: noon)
        _ = try book.reject("edge1", reason: "not ours")
        #expect(
            book.asked(key("a", name: "edge1"), showedTPM: false, holder: nil, now: noon).decision
                == .rejected("not ours"))
        _ = try book.forget("aaaa")
        #expect(book.asked(key("a", name: "edge1"), showedTPM: false, holder: nil, now: noon).decision == .pending)
    }

    @Test func `an abbreviation that fits several is refused`() {
        var book = book()
        _ = book.asked(key("a", serial: "S1"), showedTPM: false, holder: nil, now: noon)
        _ = book.asked(key("b", serial: "S1"), showedTPM: false, holder: nil, now: noon)
        #expect(throws: EnrolmentProblem.ambiguous("S1")) { try book.approve("S1", as: "edge1") }
        #expect(throws: EnrolmentProblem.unknown("aaa")) { try book.approve("aaa", as: "edge1") }
    }

    @Test func `a node that left the configuration is not let in`() {
        var entry = key("a")
        entry.status = .approved("edge7")
        var book = book(entries: [entry])
        guard case .rejected = book.asked(key("a"), showedTPM: false, holder: nil, now: noon).decision else {
            Issue.record("expected a rejection")
            return
        }
    }
}
