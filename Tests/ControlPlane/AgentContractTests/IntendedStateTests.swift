// SPDX-License-Identifier: Apache-2.0
// The intended state against a naive model, and the audit against a simulated node.

import AgentContract
import AgentProto
import BNGCore
import Fleet
import TestVectors
import Testing

private func sum(_ state: IntendedState, _ family: ObjectFamily) -> ObjectDigest {
    var sum = ObjectDigest()
    for id in state.sortedIDs(family) {
        if let object = state.object(ObjectKey(family, id)) { sum += ObjectDigest(Wire.Object(object)) }
    }
    return sum
}

@Suite struct IntendedStateTests {
    @Test func `the direct encoding of sessions equals the generic one`() {
        var random = SplitMix64(state: 1)
        for id in 1...2_000 {
            let object = DesiredObject(id: UInt64(id), generation: 1, body: .session(random.session()))
            #expect(ObjectDigest(object) == ObjectDigest(Wire.Object(object)))
            #expect((try? DesiredObject(Wire.Object(object))) == object)
        }
    }

    @Test func `a hundred thousand digests take well under a second`() {
        var random = SplitMix64(state: 2)
        let sessions = (0..<1_000).map { _ in random.session() }
        let clock = ContinuousClock()
        var scratch: [UInt8] = []
        var total = ObjectDigest()
        let time = clock.measure {
            for round in 0..<100 {
                for (index, session) in sessions.enumerated() {
                    let object = DesiredObject(
                        id: UInt64(round * 1_000 + index + 1), generation: 1, body: .session(session))
                    total += ObjectDigest(object, scratch: &scratch)
                }
            }
        }
        #expect(total != ObjectDigest())
        #if DEBUG  // the sanitizers' builds
        let limit = Duration.seconds(20)
        #else
        let limit = Duration.seconds(1)
        #endif
        #expect(time < limit, "100,000 digests took \(time)")
    }

    @Test func `an equal upsert raises nothing and a changed one raises the generation`() {
        var random = SplitMix64(state: 3)
        var session = random.session()
        var state = IntendedState()
        #expect(state.upsert(.session(session), id: 1) == .raised(1))
        #expect(state.upsert(.session(session), id: 1) == .unchanged(1))
        session.clientID.append(1)
        #expect(state.upsert(.session(session), id: 1) == .raised(2))
        #expect(state.upsert(.session(session), id: 1, least: 7) == .raised(7))
    }

    @Test func `a later lease raises the generation and an earlier one changes nothing`() {
        var random = SplitMix64(state: 4)
        var session = random.session()
        session.leaseExpires = UTCTime(milliseconds: 1_000)
        var state = IntendedState()
        state.upsert(.session(session), id: 1)
        let digest = state.digest(.session)
        session.leaseExpires = UTCTime(milliseconds: 500)
        #expect(state.upsert(.session(session), id: 1) == .unchanged(1))
        state.leaseRenewed(session: 1, ipv4: UTCTime(milliseconds: 2_000), ipv6: nil)
        #expect(state.digest(.session) == digest)
        session.leaseExpires = UTCTime(milliseconds: 2_000)
        #expect(state.upsert(.session(session), id: 1) == .unchanged(1))
        session.leaseExpires = UTCTime(milliseconds: 2_001)
        #expect(state.upsert(.session(session), id: 1) == .raised(2))
    }

    @Test func `the two leases of a session are extended one without the other`() throws {
        var random = SplitMix64(state: 40)
        var session = random.session()
        session.leaseExpires = UTCTime(milliseconds: 1_000)
        session.ipv6 = random.ipv6()
        session.ipv6?.leaseExpires = UTCTime(milliseconds: 1_000)
        var state = IntendedState()
        state.upsert(.session(session), id: 1)
        let digest = state.digest(.session)
        state.leaseRenewed(session: 1, ipv4: nil, ipv6: UTCTime(milliseconds: 3_000))
        state.leaseRenewed(session: 1, ipv4: nil, ipv6: UTCTime(milliseconds: 2_000))
        guard case .session(let held) = try #require(state.object(ObjectKey(.session, 1))).body else { return }
        #expect(held.leaseExpires == UTCTime(milliseconds: 1_000))
        #expect(held.ipv6?.leaseExpires == UTCTime(milliseconds: 3_000) && state.digest(.session) == digest)
        #expect(state.upsert(.session(session), id: 1) == .unchanged(1))
        session.ipv6?.leaseExpires = UTCTime(milliseconds: 3_001)
        #expect(state.upsert(.session(session), id: 1) == .raised(2))
        session.ipv6 = nil
        #expect(state.upsert(.session(session), id: 1) == .raised(3))
    }

    @Test func `a delete is pending until confirmed at its generation`() {
        var random = SplitMix64(state: 5)
        var state = IntendedState()
        state.upsert(.session(random.session()), id: 1, least: 4)
        #expect(state.delete(ObjectKey(.session, 1)) == 4)
        #expect(state.count(.session) == 0)
        #expect(state.digest(.session) == ObjectDigest())
        state.deleteConfirmed(ObjectKey(.session, 1), generation: 3)
        #expect(state.pendingDeletes.count == 1)
        #expect(state.upsert(.session(random.session()), id: 1) == .raised(5))
        #expect(state.pendingDeletes.isEmpty)
        #expect(state.delete(ObjectKey(.session, 9)) == nil)
    }

    @Test func `family digests stay the sum of their objects through random changes`() {
        var random = SplitMix64(state: 6)
        var state = IntendedState()
        for step in 0..<5_000 {
            let id = random.number(1..<200)
            switch random.number(0..<6) {
            case 0: state.delete(ObjectKey(.session, id))
            case 1: state.raise(ObjectKey(.session, id), above: random.number(0..<50))
            case 2:
                state.upsert(
                    .serverIdentity(ServerIdentity(vrf: 0, address: IPv4Address(rawValue: UInt32(id)))), id: id % 7 + 1)
            case 3:
                let time = UTCTime(milliseconds: Int64(random.number(0..<1 << 42)))
                state.leaseRenewed(session: id, ipv4: random.flag() ? time : nil, ipv6: random.flag() ? time : nil)
            default: state.upsert(.session(random.session()), id: id, least: random.number(1..<3))
            }
            if step % 500 == 0 {
                #expect(state.digest(.session) == sum(state, .session))
                #expect(state.digest(.serverIdentity) == sum(state, .serverIdentity))
            }
        }
        #expect(state.digest(.session) == sum(state, .session))
    }

    /// A node that lost some objects, holds others altered, and some nobody asked for.
    @Test func `an audit finds exactly what is missing, extra, different and ahead`() throws {
        var random = SplitMix64(state: 7)
        var state = IntendedState()
        var held: [HeldObject] = []
        var missing: Set<UInt64> = []
        var extra: Set<UInt64> = []
        var different: Set<UInt64> = []
        var ahead: Set<UInt64> = []
        for id in UInt64(1)...3_000 {
            var object = DesiredObject(id: id, generation: 2, body: .session(random.session()))
            let fate = random.number(0..<10)
            if fate != 0 { state.load(object) }
            switch fate {
            case 0:
                extra.insert(id)
            case 1:
                missing.insert(id)
                continue
            case 2:
                object.body = .session(random.session())
                different.insert(id)
            case 3:
                object.generation = 5
                ahead.insert(id)
            default: break
            }
            held.append(HeldObject(id: id, generation: object.generation, digest: ObjectDigest(object)))
        }
        var comparison = AuditComparison(.session, of: state)
        var pages = held[...]
        repeat {
            let page = pages.prefix(100)
            pages = pages.dropFirst(100)
            try comparison.add(Array(page), last: pages.isEmpty, state: state) { _ in false }
            #expect(pages.isEmpty || comparison.after == page.last?.id)
        } while !pages.isEmpty
        #expect(Set(comparison.missing) == missing)
        #expect(Set(comparison.extra.map(\.id)) == extra)
        #expect(Set(comparison.different.map(\.id)) == different)
        #expect(Set(comparison.ahead.map(\.id)) == ahead)
    }

    @Test func `pages that do not ascend, or never end, are refused`() throws {
        var comparison = AuditComparison(.session, of: IntendedState())
        let entry = HeldObject(id: 5, generation: 1, digest: ObjectDigest(1))
        try comparison.add([entry], last: false, state: IntendedState()) { _ in false }
        #expect(throws: ContractError.self) {
            try comparison.add([entry], last: false, state: IntendedState()) { _ in false }
        }
        #expect(throws: ContractError.self) {
            try comparison.add([], last: false, state: IntendedState()) { _ in false }
        }
    }
}
