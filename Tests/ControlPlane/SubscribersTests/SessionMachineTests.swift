// SPDX-License-Identifier: Apache-2.0
// The session life cycle by tables: nothing promised before it is durable and installed, nothing freed before the node agrees.

import BNGCore
import Subscribers
import Testing

private let address = IPv4Address(rawValue: 0x6440_0102)
private let until = UTCTime(milliseconds: 5_000)
private let later = UTCTime(milliseconds: 9_000)

private func record() -> SessionRecord {
    SessionRecord(
        id: SessionID(issuer: 1, counter: 9), generation: 0, phase: .connecting, node: "edge1",
        line: LineKey(accessDomain: 1, mac: MACAddress(rawValue: 2)), tags: .untagged, relayMAC: .zero, vrf: 0,
        pool: "p",
        address: .zero, clientID: [], option82: [], hostName: "", started: UTCTime(milliseconds: 1_000),
        leaseExpires: .zero)
}

private func run(_ machine: inout SessionMachine, _ events: [SessionMachine.Event]) -> [[String]] {
    events.map { event in
        var buffer = ActionBuffer<SessionMachine.Action>()
        machine.handle(event, at: .now, into: &buffer)
        return buffer.actions.map(words)
    }
}

private func words(_ action: SessionMachine.Action) -> String {
    switch action {
    case .persist(let record): "persist g\(record.generation) \(record.leaseExpires.milliseconds)"
    case .persistRenewal(_, let until): "renewal \(until.milliseconds)"
    case .install(let record): "install g\(record.generation)"
    case .persistEnding(let record): "ending \(record.phase.rawValue)"
    case .remove: "remove"
    case .recordEnd(let record): "record \(record.cause?.rawValue ?? "-") \(record.counters.upBytes)"
    case .granted(let address): "granted \(address)"
    case .refused: "refused"
    case .confirmed: "confirmed"
    case .confirmationFailed: "failed"
    case .ended(let cause): "ended \(cause.rawValue)"
    case .releaseAddress(let address, let declined): "release \(address)\(declined ? " declined" : "")"
    case .acknowledgeFinal: "acknowledge"
    case .terminated(let cause): "terminated \(cause?.rawValue ?? "-")"
    }
}

private var totals: SessionTotals {
    var totals = SessionTotals()
    totals.upBytes = 77
    return totals
}

struct SessionMachineTests {
    @Test func `a session lives and ends in order`() {
        var machine = SessionMachine(connecting: record())
        let steps = run(
            &machine,
            [
                .addressReserved(address), .confirm(until: until), .persisted(true), .installed(true),
                .renewedByDataPlane(until: later), .renewedByDataPlane(until: until),
                .end(.userRequest, at: later), .removed(totals), .persisted(true),
            ])
        #expect(
            steps == [
                ["granted 100.64.1.2"], ["persist g1 5000"], ["install g1"], ["confirmed"], ["renewal 9000"], [],
                ["ended user_request", "ending disconnecting", "remove"], ["record user_request 77"],
                ["acknowledge", "release 100.64.1.2", "terminated user_request"],
            ])
        #expect(machine.isTerminated && machine.record.phase == .terminated)
    }

    @Test func `an address is not freed until the node and the store have agreed`() {
        var machine = SessionMachine(restored: active())
        let steps = run(
            &machine,
            [
                .end(.leaseExpired, at: later), .end(.adminReset, at: later), .persisted(true), .removed(totals),
                .removed(totals), .persisted(false), .persisted(true),
            ])
        #expect(
            steps == [
                ["ended lease_expired", "ending disconnecting", "remove"], [], [], ["record lease_expired 77"], [],
                ["record lease_expired 77"],
                ["acknowledge", "release 100.64.1.2", "terminated lease_expired"],
            ])
    }

    @Test func `a store that fails promises nothing and cleans up`() {
        var machine = SessionMachine(connecting: record())
        let steps = run(&machine, [.addressReserved(address), .confirm(until: until), .persisted(false)])
        #expect(steps[2] == ["failed", "ended configuration", "ending disconnecting", "remove"])
    }

    @Test func `a node that refuses promises nothing and cleans up`() {
        var machine = SessionMachine(connecting: record())
        let steps = run(
            &machine,
            [
                .addressReserved(address), .confirm(until: until), .persisted(true), .installed(false),
                .removed(totals), .persisted(true),
            ])
        #expect(steps[3] == ["failed", "ended configuration", "ending disconnecting", "remove"])
        #expect(steps[5] == ["acknowledge", "release 100.64.1.2", "terminated configuration"])
    }

    @Test func `an offer that lapses frees the address at once`() {
        var machine = SessionMachine(connecting: record())
        let steps = run(&machine, [.addressReserved(address), .lapse])
        #expect(steps[1] == ["release 100.64.1.2", "terminated -"])
    }

    @Test func `a refused client leaves nothing behind`() {
        var machine = SessionMachine(connecting: record())
        #expect(run(&machine, [.addressRefused]) == [["refused", "terminated -"]])
    }

    @Test func `an end that comes while installing waits for the answer`() {
        var machine = SessionMachine(connecting: record())
        let steps = run(
            &machine,
            [
                .addressReserved(address), .confirm(until: until), .end(.adminReset, at: later), .persisted(true),
                .installed(true),
            ])
        #expect(Array(steps[2...]) == [[], ["install g1"], ["ended admin_reset", "ending disconnecting", "remove"]])
        #expect(machine.isEnding)
    }

    @Test func `a declined address is handed back as declined`() {
        var machine = SessionMachine(restored: active())
        let steps = run(&machine, [.end(.addressDeclined, at: later), .removed(totals), .persisted(true)])
        #expect(steps[2].contains("release 100.64.1.2 declined"))
    }

    @Test func `every confirmation has a generation of its own, or the node would not take the later lease`() {
        var machine = SessionMachine(restored: active())
        var details = machine.record.presentation
        let same = run(&machine, [.presented(details), .confirm(until: later), .persisted(true), .installed(true)])
        #expect(same[1] == ["persist g2 9000"])
        details.option82 = [1, 1, 7]
        let changed = run(&machine, [.presented(details), .confirm(until: until), .persisted(true)])
        #expect(changed[1] == ["persist g3 9000"])
        #expect(changed[2] == ["install g3"])
    }

    @Test func `a session found half removed is removed again`() {
        var half = active()
        half.phase = .disconnecting
        half.cause = .userRequest
        var machine = SessionMachine(restored: half)
        #expect(run(&machine, [.removed(totals)]) == [["record user_request 77"]])
    }

    private func active() -> SessionRecord {
        var record = record()
        record.generation = 1
        record.phase = .active
        record.address = address
        record.leaseExpires = until
        return record
    }
}
