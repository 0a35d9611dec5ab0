// SPDX-License-Identifier: Apache-2.0
// What AAA grants a session, on the wire: rates, filters, framed routes, idle timeouts; and what no node may accept of them.

import AgentContract
import AgentProto
import BNGCore
import Fleet
import Foundation
import TestVectors
import Testing

private let rule = FilterRule(
    action: .deny, direction: .up, remote: IPPrefix("192.0.2.0/24"), protocolNumber: 6, remotePorts: 25...25)

private func path(_ object: Wire.Object) -> String? {
    do throws(ContractError) {
        _ = try DesiredObject(object)
        return nil
    } catch {
        return error.code == .invalid ? error.fieldPath : error.code.name
    }
}

private func pathOfSession(_ change: (inout Wire.Session) -> Void) -> String? {
    var random = SplitMix64(state: 11)
    var session = random.session()
    while session.pppoe != nil { session = random.session() }
    session.framedRoutes = []
    var object = Wire.Object(DesiredObject(id: 1, generation: 1, body: .session(session)))
    change(&object.session)
    return path(object)
}

private func pathOfRule(_ change: (inout Wire.FilterRule) -> Void) -> String? {
    let filter = PacketFilter(rules: [rule], defaultAction: .permit)
    var object = Wire.Object(DesiredObject(id: 1, generation: 1, body: .filter(filter)))
    change(&object.filter.rules[0])
    return path(object)
}

private func framed(_ prefix: [UInt8], _ length: UInt32) -> Wire.FramedRoute {
    .with {
        $0.prefix = Data(prefix)
        $0.prefixLength = length
    }
}

@Suite struct ServiceObjectTests {
    @Test func `a filter maps to the wire and back with its digest`() {
        var random = SplitMix64(state: 12)
        for id in 1...1_000 {
            let object = DesiredObject(id: UInt64(id), generation: 1, body: .filter(random.filter()))
            #expect((try? DesiredObject(Wire.Object(object))) == object)
            #expect(ObjectDigest(object) == ObjectDigest(Wire.Object(object)))
        }
    }

    @Test func `filters are installed before the sessions that refer to them`() {
        #expect(ObjectFamily.filter < .session)
        #expect(ObjectFamily.allCases.sorted().last == .session)
        var random = SplitMix64(state: 13)
        var state = IntendedState()
        state.upsert(.session(random.session()), id: 1)
        state.upsert(.filter(PacketFilter(rules: [rule], defaultAction: .deny)), id: 9)
        #expect(state.keysInPriorityOrder == [ObjectKey(.filter, 9), ObjectKey(.session, 1)])
    }

    @Test func `a rate outside its limits is refused`() {
        #expect(pathOfSession { $0.rateUp.bitsPerSecond = 63_999 } == "17.6.1")
        #expect(
            pathOfSession {
                $0.rateDown = .with {
                    $0.bitsPerSecond = 100_000_000_001
                    $0.burstBytes = 1_600
                }
            } == "17.7.1")
        #expect(
            pathOfSession {
                $0.rateUp = .with {
                    $0.bitsPerSecond = 64_000
                    $0.burstBytes = 1_599
                }
            } == "17.6.2")
        #expect(pathOfSession { $0.rateUp = Wire.Rate() } == "17.6.1")
    }

    @Test func `framed routes that overlap nothing routable, repeat or are too many are refused`() {
        #expect(pathOfSession { $0.ipv4.framedRoutes = [framed([203, 0, 113, 0], 24)] } == nil)
        #expect(pathOfSession { $0.ipv4.framedRoutes = [framed([203, 0, 113], 24)] } == "17.4.7.1")
        #expect(pathOfSession { $0.ipv4.framedRoutes = [framed([203, 0, 113, 1], 24)] } == "17.4.7.1")
        #expect(pathOfSession { $0.ipv4.framedRoutes = [framed([203, 0, 113, 0], 33)] } == "17.4.7.2")
        #expect(pathOfSession { $0.ipv4.framedRoutes = [framed([0, 0, 0, 0], 0)] } == "17.4.7.2")
        #expect(pathOfSession { $0.ipv4.framedRoutes = [framed([224, 0, 0, 0], 8)] } == "17.4.7.1")
        #expect(pathOfSession { $0.ipv4.framedRoutes = [framed([64, 0, 0, 0], 2)] } == "17.4.7.1")
        let route = framed([203, 0, 113, 0], 24)
        #expect(pathOfSession { $0.ipv4.framedRoutes = [route, route] } == "17.4.7.1")
        let many = (0..<17).map { framed([203, 0, UInt8($0), 0], 24) }
        #expect(pathOfSession { $0.ipv4.framedRoutes = many } == "17.4.7")
    }

    @Test func `a filter rule that means nothing is refused`() {
        #expect(pathOfRule { _ in } == nil)
        #expect(pathOfRule { $0.action = .unspecified } == "18.1.1")
        #expect(pathOfRule { $0.action = .UNRECOGNIZED(9) } == "UNSUPPORTED")
        #expect(pathOfRule { $0.direction = .unspecified } == "18.1.2")
        #expect(pathOfRule { $0.remotePrefix = Data([192, 0, 2, 1]) } == "18.1.3")
        #expect(pathOfRule { $0.remotePrefix = Data([192, 0, 2]) } == "18.1.3")
        #expect(pathOfRule { $0.remotePrefixLength = 33 } == "18.1.4")
        #expect(pathOfRule { $0.remotePrefix = Data([0x20, 1] + Array(repeating: 0, count: 14)) } == nil)
        #expect(pathOfRule { $0.remotePrefix = Data([0x20, 1] + Array(repeating: 9, count: 14)) } == "18.1.3")
        #expect(pathOfRule { $0.remotePrefix = Data() } == "18.1.4")
        #expect(pathOfRule { $0.remotePrefixLength = 0 } == "18.1.4")
        #expect(pathOfRule { $0.`protocol` = 256 } == "18.1.5")
        #expect(pathOfRule { $0.`protocol` = 1 } == "18.1.6")
        #expect(pathOfRule { $0.remotePortFirst = 0 } == "18.1.6")
        #expect(pathOfRule { $0.remotePortLast = 24 } == "18.1.7")
        #expect(pathOfRule { $0.remotePortLast = 65_536 } == "18.1.7")
    }

    @Test func `a filter has a default and at most 32 rules`() {
        let full = PacketFilter(rules: Array(repeating: rule, count: 32), defaultAction: .permit)
        var object = Wire.Object(DesiredObject(id: 1, generation: 1, body: .filter(full)))
        #expect(path(object) == nil)
        object.filter.rules.append(object.filter.rules[0])
        #expect(path(object) == "18.1")
        object.filter.rules.removeAll()
        object.filter.defaultAction = .unspecified
        #expect(path(object) == "18.2")
    }
}
