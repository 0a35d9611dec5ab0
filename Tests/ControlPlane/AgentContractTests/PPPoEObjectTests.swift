// SPDX-License-Identifier: Apache-2.0
// PPPoE services and sessions on the wire, and what no node may accept of them.

import AgentContract
import AgentProto
import BNGCore
import Fleet
import Foundation
import TestVectors
import Testing

private func path(_ object: Wire.Object) -> String? {
    do throws(ContractError) {
        _ = try DesiredObject(object)
        return nil
    } catch {
        return error.fieldPath
    }
}

private func pathOfSession(_ change: (inout Wire.Session) -> Void) -> String? {
    var random = SplitMix64(state: 21)
    var session = random.session()
    while session.pppoe == nil || session.pppoe?.echoInterval == 0 { session = random.session() }
    var object = Wire.Object(DesiredObject(id: 1, generation: 1, body: .session(session)))
    change(&object.session)
    return path(object)
}

private func pathOfService(_ change: (inout Wire.PPPoEService) -> Void) -> String? {
    var random = SplitMix64(state: 22)
    var object = Wire.Object(DesiredObject(id: 1, generation: 1, body: .pppoeService(random.pppoeService())))
    change(&object.pppoeService)
    return path(object)
}

@Suite struct PPPoEObjectTests {
    @Test func `a service maps to the wire and back with its digest`() {
        var random = SplitMix64(state: 23)
        for id in 1...1_000 {
            let object = DesiredObject(id: UInt64(id), generation: 1, body: .pppoeService(random.pppoeService()))
            #expect((try? DesiredObject(Wire.Object(object))) == object)
            #expect(ObjectDigest(object) == ObjectDigest(Wire.Object(object)))
        }
        #expect(ObjectFamily.pppoeService < .session)
    }

    @Test func `two PPPoE sessions of one line differ by their id alone`() {
        let line = LineKey(accessDomain: 1, mac: MACAddress(rawValue: 0x0200_0000_0001), pppoeID: 1)
        var other = line
        other.pppoeID = 2
        #expect(line != other && line.withoutPPPoE == other.withoutPPPoE && line.stableHash == other.stableHash)
    }

    @Test func `a link outside its limits is refused`() {
        #expect(pathOfSession { $0.pppoe.localMagic = 0 } == nil)
        #expect(pathOfSession { $0.pppoe.pppoeID = 0 } == "17.10.1")
        #expect(pathOfSession { $0.pppoe.pppoeID = 65_535 } == "17.10.1")
        #expect(pathOfSession { $0.pppoe.mtuBytes = 63 } == "17.10.2")
        #expect(pathOfSession { $0.pppoe.mtuBytes = 65_536 } == "17.10.2")
        #expect(pathOfSession { $0.pppoe.echoIntervalSeconds = 3_601 } == "17.10.4")
        #expect(pathOfSession { $0.pppoe.echoFailures = 0 } == "17.10.5")
        #expect(pathOfSession { $0.pppoe.echoFailures = 256 } == "17.10.5")
        #expect(pathOfSession { $0.pppoe.echoIntervalSeconds = 0 } == "17.10.5")
        #expect(pathOfSession { $0.ipv4.dhcpFastPath = true } == "17.4.3")
        #expect(
            pathOfSession {
                $0.line.relayAddress = Data([10, 0, 0, 1])
                $0.line.relayMac = Data([2, 0, 0, 0, 0, 1])
            } == "17.1.7")
    }

    @Test func `a service that could not be offered is refused`() {
        #expect(pathOfService { _ in } == nil)
        #expect(pathOfService { $0.accessDomainID = 0 } == "19.1")
        #expect(pathOfService { $0.acName = "" } == "19.2")
        #expect(pathOfService { $0.acName = String(repeating: "x", count: 65) } == "19.2")
        #expect(pathOfService { $0.serviceNames = ["a", "a"] } == "19.3")
        #expect(pathOfService { $0.serviceNames = [""] } == "19.3")
        #expect(pathOfService { $0.serviceNames = (0..<17).map(String.init) } == "19.3")
        #expect(pathOfService { $0.maxPayloadBytes = 1_492 } == "19.5")
        #expect(pathOfService { $0.maxPayloadBytes = 9_001 } == "19.5")
        #expect(pathOfService { $0.padoDelayMs = 10_001 } == "19.6")
        #expect(pathOfService { $0.cookieKey = Data(count: 15) } == "19.7")
        #expect(pathOfService { $0.previousCookieKey = Data(count: 17) } == "19.8")
    }
}
