// SPDX-License-Identifier: Apache-2.0
// The public side in the session's life: with the address, wider while it lives, back with the address.

import BNGCore
import Subscribers
import Testing

private let address = IPv4Address(rawValue: 0x6440_0102)
private let start = UTCTime(milliseconds: 1_000)
private let until = UTCTime(milliseconds: 5_000)

private func nat(_ ports: UInt16...) -> NATGrant {
    NATGrant(
        pool: "public", policy: "home", address: IPv4Address(rawValue: 0xc633_6401), blockPorts: 512, firstPorts: ports)
}

private func handle(_ machine: inout SessionMachine, _ events: SessionMachine.Event...) -> [SessionMachine.Action] {
    var buffer = ActionBuffer<SessionMachine.Action>()
    for event in events { machine.handle(event, at: .now, into: &buffer) }
    return buffer.actions
}

private func offered() -> SessionMachine {
    let record = SessionRecord(
        id: SessionID(issuer: 1, counter: 9), generation: 0, phase: .connecting, node: "edge1",
        line: LineKey(accessDomain: 1, mac: MACAddress(rawValue: 2)), tags: .untagged, relayMAC: .zero, vrf: 0,
        pool: "p", address: .zero, clientID: [], option82: [], hostName: "", started: start, leaseExpires: .zero)
    var machine = SessionMachine(connecting: record)
    _ = handle(
        &machine, .begin, .authorized(ServiceGrant(source: .open, userName: "u"), sessionTimeout: 0), .prepared(nil),
        .addressReserved(address, pool: "p", vrf: 0, nat: nat(1_024)))
    return machine
}

private func active() -> SessionMachine {
    var machine = offered()
    _ = handle(&machine, .confirm(until: until, at: start), .persisted(true), .installed(true))
    return machine
}

extension [SessionMachine.Action] {
    fileprivate var stored: [[UInt16]?] {
        self.compactMap { if case .persist(let record) = $0 { .some(record.nat?.firstPorts) } else { nil } }
    }
    fileprivate var installs: [[UInt16]?] {
        self.compactMap { if case .install(let record) = $0 { .some(record.nat?.firstPorts) } else { nil } }
    }
    fileprivate var releases: [SessionMachine.Action] {
        self.filter { if case .releaseNAT = $0 { true } else { false } }
    }
    fileprivate var refusals: [SessionMachine.Action] {
        self.filter { if case .extensionRefused = $0 { true } else { false } }
    }
}

struct NATMachineTests {
    @Test func `what is offered is confirmed with the address`() {
        var machine = offered()
        #expect(machine.record.nat == nil)
        #expect(handle(&machine, .confirm(until: until, at: start)).stored == [[1_024]])
        #expect(handle(&machine, .persisted(true)).installs == [[1_024]])
        #expect(handle(&machine, .installed(true)) == [.confirmed])
        #expect(machine.record.nat == nat(1_024))
    }

    @Test func `an offer that lapses frees it at once`() {
        var machine = offered()
        #expect(handle(&machine, .lapse).releases == [.releaseNAT(nat(1_024), used: false)])
        #expect(handle(&machine, .lapse, .abandon).releases.isEmpty, "once")
    }

    @Test func `it is given back when the node and the store know of the end, not before`() {
        var machine = active()
        #expect(handle(&machine, .end(.userRequest, at: until)).releases.isEmpty)
        #expect(handle(&machine, .removed(SessionTotals())).releases.isEmpty)
        #expect(handle(&machine, .persisted(true)).releases == [.releaseNAT(nat(1_024), used: true)])
    }

    @Test func `one more block is stored, then installed`() {
        var machine = active()
        #expect(handle(&machine, .extendNAT(nat(1_024, 4_096))).stored == [[1_024, 4_096]])
        #expect(handle(&machine, .persisted(true)).installs == [[1_024, 4_096]])
        #expect(handle(&machine, .installed(true)) == [.settled])
        #expect(machine.record.nat == nat(1_024, 4_096))
    }

    @Test func `a block the store refuses was never its own`() {
        var machine = active()
        _ = handle(&machine, .extendNAT(nat(1_024, 4_096)))
        let actions = handle(&machine, .persisted(false))
        #expect(actions == [.extensionRefused(nat(1_024, 4_096)), .settled])
        #expect(machine.record.nat == nat(1_024) && machine.isActive)
    }

    @Test func `a block the node refuses is free when the node holds the old state again`() {
        var machine = active()
        _ = handle(&machine, .extendNAT(nat(1_024, 4_096)), .persisted(true))
        let undone = handle(&machine, .installed(false))
        #expect(undone.stored == [[1_024]] && undone.refusals.isEmpty)
        #expect(handle(&machine, .persisted(true)).installs == [[1_024]])
        let settled = handle(&machine, .installed(true))
        #expect(settled.refusals == [.extensionRefused(nat(1_024, 4_096))])
        #expect(machine.record.nat == nat(1_024) && machine.isActive)
    }

    @Test func `a block that comes while something else is under way is refused, or waits, and nothing is lost`() {
        var machine = active()
        _ = handle(&machine, .confirm(until: UTCTime(milliseconds: 9_000), at: start))
        let refused = handle(&machine, .extendNAT(nat(1_024, 4_096)))
        #expect(refused == [.extensionRefused(nat(1_024, 4_096))])
        _ = handle(&machine, .persisted(true), .installed(true))
        #expect(machine.record.nat == nat(1_024))
    }

    @Test func `a session without an address, or that ends, takes no block`() {
        var machine = offered()
        #expect(handle(&machine, .extendNAT(nat(1_024, 4_096))).refusals.count == 1)
        machine = active()
        _ = handle(&machine, .end(.userRequest, at: until))
        #expect(handle(&machine, .extendNAT(nat(1_024, 4_096))).refusals.count == 1)
    }

    @Test func `a grant's text is read as it was written, and nothing else is`() {
        var wide = nat(1_024, 4_096)
        #expect(NATGrant(text: wide.text) == wide)
        wide = NATGrant(
            pool: "w", policy: "", address: .zero, blockPorts: 0, firstPorts: [],
            forwards: [.init(isTCP: false, outsidePort: 53, inside: address, insidePort: 5_353)])
        #expect(NATGrant(text: wide.text) == wide)
        for broken in [
            "", "2 p h 192.0.2.1 512 1024", "1 p h 192.0.2.1 512", "1 p h 192.0.2.1 512 -", "1 p h 192.0.2 512 1024",
            "1 p h 192.0.2.1 0 1024", "1 p h 192.0.2.1 512 65535", "1 p h 192.0.2.1 512 1024 X1,192.0.2.1,1",
            "1 p h 192.0.2.1 512 1024 T1,192.0.2.1",
        ] {
            #expect(NATGrant(text: broken) == nil, "\(broken)")
        }
    }
}
