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

private let start = UTCTime(milliseconds: 1_000)

private func grant(_ plan: String? = nil) -> ServiceGrant {
    var grant = ServiceGrant(source: .radius, userName: "alice")
    grant.plan = plan
    return grant
}

/// A machine whose customer AAA has accepted.
private func reserving(timeout: Seconds = 0) -> SessionMachine {
    var machine = SessionMachine(connecting: record())
    #expect(
        run(&machine, [.begin, .authorized(grant(), sessionTimeout: timeout), .prepared(nil)])
            == [["authorize"], ["prepare"], ["admitted"]])
    return machine
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
    case .authorize: "authorize"
    case .prepare: "prepare"
    case .admitted: "admitted"
    case .changed(let inForce): inForce ? "changed" : "unchanged"
    case .persist(let record): "persist g\(record.generation) \(record.leaseExpires.milliseconds)"
    case .persistRenewal(_, let ipv4, let ipv6):
        "renewal" + (ipv4.map { " \($0.milliseconds)" } ?? "") + (ipv6.map { " ipv6 \($0.milliseconds)" } ?? "")
    case .install(let record): "install g\(record.generation)"
    case .persistEnding(let record): "ending \(record.phase.rawValue)"
    case .remove: "remove"
    case .recordEnd(let record): "record \(record.cause?.rawValue ?? "-") \(record.counters.upBytes)"
    case .granted(let address): "granted \(address)"
    case .addressDenied: "no address"
    case .refused: "refused"
    case .confirmed: "confirmed"
    case .confirmationFailed: "failed"
    case .confirmedIPv6: "confirmed ipv6"
    case .confirmationFailedIPv6: "failed ipv6"
    case .settled: "settled"
    case .droppedIPv4: "dropped ipv4"
    case .droppedIPv6: "dropped ipv6"
    case .ended(let cause): "ended \(cause.rawValue)"
    case .releaseNAT(let grant, let used): "releaseNAT \(grant.address)\(used ? " used" : "")"
    case .extensionRefused(let grant): "extensionRefused \(grant.firstPorts.count)"
    case .releaseAddress(let address, _, let declined, let used):
        "release \(address)\(declined ? " declined" : "")\(used ? "" : " unused")"
    case .releaseIPv6(let resources): "release " + resources.map(\.prefix.description).joined(separator: " ")
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
        var machine = reserving()
        let steps = run(
            &machine,
            [
                .addressReserved(address, pool: "p", vrf: 0), .confirm(until: until, at: start), .persisted(true),
                .installed(true),
                .renewedByDataPlane(ipv4: later, ipv6: nil), .renewedByDataPlane(ipv4: until, ipv6: later),
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
        var machine = reserving()
        let steps = run(
            &machine,
            [.addressReserved(address, pool: "p", vrf: 0), .confirm(until: until, at: start), .persisted(false)])
        #expect(steps[2] == ["failed", "ended configuration", "ending disconnecting", "remove"])
    }

    @Test func `a node that refuses promises nothing and cleans up`() {
        var machine = reserving()
        let steps = run(
            &machine,
            [
                .addressReserved(address, pool: "p", vrf: 0), .confirm(until: until, at: start), .persisted(true),
                .installed(false),
                .removed(totals), .persisted(true),
            ])
        #expect(steps[3] == ["failed", "ended configuration", "ending disconnecting", "remove"])
        #expect(steps[5] == ["acknowledge", "release 100.64.1.2", "terminated configuration"])
    }

    @Test func `an offer that lapses frees the address at once`() {
        var machine = reserving()
        let steps = run(&machine, [.addressReserved(address, pool: "p", vrf: 0), .abandon, .lapse, .abandon])
        #expect(Array(steps[1...]) == [[], ["release 100.64.1.2 unused"], ["refused", "terminated -"]])
    }

    @Test func `a refused client leaves nothing behind`() {
        var machine = reserving()
        #expect(run(&machine, [.addressRefused, .abandon]) == [["no address"], ["refused", "terminated -"]])
    }

    @Test func `an end that comes while installing waits for the answer`() {
        var machine = reserving()
        let steps = run(
            &machine,
            [
                .addressReserved(address, pool: "p", vrf: 0), .confirm(until: until, at: start),
                .end(.adminReset, at: later), .persisted(true),
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
        let same = run(
            &machine, [.presented(details), .confirm(until: later, at: start), .persisted(true), .installed(true)])
        #expect(same[1] == ["persist g2 9000"])
        details.option82 = [1, 1, 7]
        let changed = run(&machine, [.presented(details), .confirm(until: until, at: start), .persisted(true)])
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

    @Test func `a customer AAA refuses gets nothing, and neither does one that leaves meanwhile`() {
        var machine = SessionMachine(connecting: record())
        #expect(run(&machine, [.begin, .denied]) == [["authorize"], ["refused", "terminated -"]])
        machine = SessionMachine(connecting: record())
        let steps = run(
            &machine, [.begin, .end(.adminReset, at: later), .authorized(grant(), sessionTimeout: 0)])
        #expect(steps == [["authorize"], ["refused", "terminated -"], []])
    }

    @Test func `Session-Timeout counts from the moment the address was taken`() {
        var machine = reserving(timeout: 60)
        _ = run(
            &machine, [.addressReserved(address, pool: "p", vrf: 0), .confirm(until: until, at: later)])
        #expect(machine.record.ends == later + 60 && machine.record.started == later)
    }

    @Test func `a change is stored, installed and then in force`() {
        var machine = SessionMachine(restored: active())
        let steps = run(&machine, [.regrant(grant("gold"), ends: later), .persisted(true), .installed(true)])
        #expect(steps == [["persist g2 5000"], ["install g2"], ["changed"]])
        #expect(machine.record.grant.plan == "gold" && machine.record.ends == later && machine.isActive)
    }

    @Test func `a change the node refuses is undone, at a generation of its own`() {
        var machine = SessionMachine(restored: active())
        let steps = run(
            &machine,
            [
                .regrant(grant("gold"), ends: later), .persisted(true), .installed(false), .persisted(true),
                .installed(true),
            ])
        #expect(Array(steps[2...]) == [["persist g3 5000"], ["install g3"], ["unchanged"]])
        #expect(machine.record.grant == active().grant && machine.record.ends == .zero && machine.isActive)
    }

    @Test func `a change the store refuses leaves the session as it was`() {
        var machine = SessionMachine(restored: active())
        let steps = run(&machine, [.regrant(grant("gold"), ends: later), .persisted(false)])
        #expect(steps[1] == ["unchanged"])
        #expect(machine.record == active() && machine.isActive)
    }

    @Test func `a renewal that comes while a change is under way is granted after it`() {
        var machine = SessionMachine(restored: active())
        let steps = run(
            &machine,
            [
                .regrant(grant("gold"), ends: .zero), .confirm(until: later, at: start), .persisted(true),
                .installed(true), .persisted(true), .installed(true),
            ])
        #expect(Array(steps[3...]) == [["changed", "persist g3 9000"], ["install g3"], ["confirmed"]])
    }

    @Test func `an end during a change waits for the answer`() {
        var machine = SessionMachine(restored: active())
        let steps = run(
            &machine,
            [.regrant(grant("gold"), ends: .zero), .end(.adminReset, at: later), .persisted(true), .installed(true)])
        #expect(steps[3] == ["changed", "ended admin_reset", "ending disconnecting", "remove"])
    }

    @Test func `a change of a session that is not at rest is refused`() {
        var machine = reserving()
        #expect(run(&machine, [.regrant(grant("gold"), ends: .zero)]) == [["unchanged"]])
    }

    @Test func `what a session has counted never falls`() {
        var machine = SessionMachine(restored: active())
        func up(_ bytes: UInt64) -> SessionTotals {
            var totals = SessionTotals()
            totals.upBytes = bytes
            return totals
        }
        _ = run(&machine, [.counted(up(100)), .counted(up(150))])
        #expect(machine.record.counters.upBytes == 150)
        _ = run(&machine, [.counted(up(30))])
        #expect(machine.record.counters.upBytes == 180, "the node counts from zero again")
        _ = run(&machine, [.countersLost, .counted(up(500))])
        #expect(machine.record.counters.upBytes == 680, "it said so, and was already past the old count")
        let steps = run(&machine, [.end(.userRequest, at: later), .removed(SessionTotals())])
        #expect(steps[1] == ["record user_request 680"])
    }

    // MARK: Two halves

    private static let link = IPv6Details.Resource(prefix: prefix("2001:db8:1::/64"), pool: "link")
    private static let delegated = IPv6Details.Resource(prefix: prefix("2001:db8:f00::/56"), pool: "pd")

    private static func prefix(_ text: String) -> IPv6Prefix {
        guard let prefix = IPv6Prefix(text) else { preconditionFailure("\(text) is no prefix") }
        return prefix
    }

    private func details(delegated: Bool = false, expires: UTCTime = until) -> IPv6Details {
        var details = IPv6Details()
        details.link = Self.link
        if delegated { details.bindings = [.init(isDelegation: true, iaid: 1, resource: Self.delegated)] }
        details.expires = expires
        return details
    }

    private func dualStack(delegated: Bool = false) -> SessionMachine {
        var record = active()
        record.ipv6 = details(delegated: delegated)
        return SessionMachine(restored: record)
    }

    @Test func `the first promise holds the line's prefix, and a session that promised nothing gives it back`() {
        var machine = SessionMachine(connecting: record())
        let begin: [SessionMachine.Event] = [.begin, .authorized(grant(), sessionTimeout: 0), .prepared(details())]
        var steps = run(
            &machine, begin + [.addressReserved(address, pool: "p", vrf: 0), .confirm(until: until, at: start)])
        #expect(steps.last == ["persist g1 5000"])
        #expect(machine.record.ipv6 == details() && machine.record.address == address)
        machine = SessionMachine(connecting: record())
        steps = run(&machine, begin + [.abandon])
        #expect(steps.last == ["release 2001:db8:1::/64", "refused", "terminated -"])
    }

    @Test func `a session without an address comes into force by its prefix`() {
        var machine = reserving()
        let steps = run(
            &machine,
            [.confirmIPv6(details(), at: start), .persisted(true), .installed(true), .end(.adminReset, at: later)])
        #expect(
            steps == [
                ["persist g1 0"], ["install g1"], ["confirmed ipv6"],
                ["ended admin_reset", "ending disconnecting", "remove"],
            ])
        #expect(
            run(&machine, [.removed(totals), .persisted(true)])[1]
                == ["acknowledge", "release 2001:db8:1::/64", "terminated admin_reset"])
    }

    @Test func `one half goes and the other stays; the session ends with the second`() {
        var machine = dualStack()
        var steps = run(
            &machine, [.dropIPv4(.userRequest, at: later), .persisted(true), .installed(true)])
        #expect(steps == [["persist g2 0", "dropped ipv4"], ["install g2"], ["release 100.64.1.2", "settled"]])
        #expect(machine.isActive && machine.record.address == .zero)
        steps = run(&machine, [.dropIPv6(keeping: nil, .ipv6LeaseExpired, at: later)])
        #expect(steps == [["ended ipv6_lease_expired", "ending disconnecting", "remove"]])

        machine = dualStack()
        steps = run(
            &machine, [.dropIPv6(keeping: nil, .ipv6LeaseExpired, at: later), .persisted(true), .installed(true)])
        #expect(
            steps == [["persist g2 5000", "dropped ipv6"], ["install g2"], ["release 2001:db8:1::/64", "settled"]])
        #expect(
            run(&machine, [.dropIPv4(.leaseExpired, at: later)])
                == [["ended lease_expired", "ending disconnecting", "remove"]])
    }

    @Test func `a prefix is free once the node holds it no more`() {
        var machine = dualStack(delegated: true)
        let steps = run(
            &machine,
            [.dropIPv6(keeping: details(), .userRequest, at: later), .persisted(true), .installed(true)])
        #expect(steps == [["persist g2 5000"], ["install g2"], ["release 2001:db8:f00::/56", "settled"]])
        #expect(machine.isActive && machine.record.ipv6 == details())
    }

    @Test func `IPv6 that the store or the node refuses never takes IPv4 down`() {
        var machine = SessionMachine(restored: active())
        var steps = run(&machine, [.confirmIPv6(details(), at: start), .persisted(false)])
        #expect(steps[1] == ["failed ipv6"])
        #expect(machine.isActive && machine.record == active())
        steps = run(
            &machine,
            [
                .confirmIPv6(details(), at: start), .persisted(true), .installed(false), .persisted(true),
                .installed(true),
            ])
        #expect(steps[2] == ["failed ipv6", "persist g3 5000"])
        #expect(steps[4] == ["release 2001:db8:1::/64", "settled"])
        #expect(machine.isActive && machine.record.address == address && machine.record.ipv6 == nil)
    }

    @Test func `IPv4 that the store or the node refuses never takes IPv6 down`() {
        for failing: [SessionMachine.Event] in [
            [.persisted(false)], [.persisted(true), .installed(false), .persisted(true), .installed(true)],
        ] {
            var record = active()
            (record.address, record.leaseExpires, record.ipv6) = (.zero, .zero, details())
            var machine = SessionMachine(restored: record)
            let steps = run(
                &machine, [.addressReserved(address, pool: "p", vrf: 0), .confirm(until: until, at: start)] + failing)
            #expect(steps.joined().contains("failed"))
            #expect(steps.joined().contains("release 100.64.1.2"))
            #expect(machine.isActive && machine.record.address == .zero && machine.record.ipv6 == details())
        }
    }

    @Test func `what comes for one half while the other is under way waits, and the latest stands for all`() {
        var machine = SessionMachine(restored: active())
        let steps = run(
            &machine,
            [
                .confirm(until: later, at: start), .confirmIPv6(details(), at: start),
                .confirmIPv6(details(delegated: true), at: start), .persisted(true), .installed(true), .persisted(true),
                .installed(true),
            ])
        #expect(
            Array(steps[3...]) == [
                ["install g2"], ["confirmed", "persist g3 9000"], ["install g3"], ["confirmed ipv6"],
            ])
        #expect(machine.record.ipv6 == details(delegated: true))
    }

    @Test func `each lease is renewed for itself`() {
        var machine = dualStack()
        let steps = run(
            &machine,
            [.renewedByDataPlane(ipv4: nil, ipv6: later), .renewedByDataPlane(ipv4: later, ipv6: until)])
        #expect(steps == [["renewal ipv6 9000"], ["renewal 9000"]])
        #expect(machine.record.ipv6?.expires == later && machine.record.leaseExpires == later)
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
