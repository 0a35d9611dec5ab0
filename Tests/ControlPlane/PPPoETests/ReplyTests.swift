// SPDX-License-Identifier: Apache-2.0
// PADS, refusals and PADT: what comes back to the client, and which services are served.

import PPPoE
import Testing

@Suite struct ReplyTests {
    private static func padr(_ tags: [PPPoETag]) -> PPPoEDiscovery {
        PPPoEDiscovery(code: .padr, tags: tags)
    }

    @Test func `a PADS names the service, the concentrator and what the client and relays sent`() {
        let padr = Self.padr([
            PPPoETag(PPPoETag.hostUniq, [1, 2]), PPPoETag(PPPoETag.serviceName, Array("voip".utf8)),
            PPPoETag(PPPoETag.acCookie, [9]), PPPoETag(PPPoETag.relaySessionID, [3]),
        ])
        let pads = PPPoEReplies.pads(for: padr, sessionID: 7, acName: "bng", maxPayload: nil)
        #expect(pads.code == .pads && pads.sessionID == 7)
        #expect(pads.tags.map(\.type) == [0x0101, 0x0102, 0x0103, 0x0110])
        #expect(pads.serviceName == Array("voip".utf8) && pads.hostUniq == [1, 2] && pads.relaySessionID == [3])
    }

    @Test(
        arguments: [
            (nil, 1_500, nil), (1_500, nil, nil), (1_500, 1_500, 1_500), (9_000, 1_500, 1_500), (1_496, 1_500, 1_496),
            (1_492, 1_500, nil), (100, 1_500, nil),
        ] as [(UInt16?, UInt16?, UInt16?)])
    func `a payload above 1492 is what both sides can carry`(_ theirs: UInt16?, _ ours: UInt16?, _ agreed: UInt16?) {
        var tags = [PPPoETag(PPPoETag.serviceName)]
        if let theirs { tags.append(PPPoETag(PPPoETag.maxPayload, [UInt8(theirs >> 8), UInt8(theirs & 0xff)])) }
        let pads = PPPoEReplies.pads(for: Self.padr(tags), sessionID: 7, acName: "", maxPayload: ours)
        #expect(pads.maxPayload == agreed)
        #expect(PPPoEReplies.agreedPayload(Self.padr(tags), ours) == agreed)
    }

    @Test(arguments: PPPoEError.allCases)
    func `a refusal has session id 0 and says why`(_ error: PPPoEError) {
        let padr = Self.padr([PPPoETag(PPPoETag.serviceName, [1]), PPPoETag(PPPoETag.hostUniq, [2])])
        let pads = PPPoEReplies.refusal(of: padr, error, text: "full")
        #expect(pads.code == .pads && pads.sessionID == 0 && pads.hostUniq == [2])
        #expect(pads.value(error.rawValue) == Array("full".utf8))
    }

    @Test func `a PADT has the tags it is given`() {
        #expect(PPPoEReplies.padt(sessionID: 7).tags.isEmpty)
        let padt = PPPoEReplies.padt(
            sessionID: 7, hostUniq: [1], relaySessionID: [2], cookie: [3], text: "session timeout")
        #expect(padt.code == .padt && padt.sessionID == 7)
        #expect(padt.tags.map(\.type) == [0x0103, 0x0110, 0x0104, 0x0203])
    }

    @Test func `services are served by name, and the empty name always`() {
        let some = PPPoEServiceRules(names: ["internet"], anyService: false)
        #expect(some.accepts([]) && some.accepts(Array("internet".utf8)))
        #expect(!some.accepts(Array("Internet".utf8)) && !some.accepts([0xff]))
        #expect(PPPoEServiceRules().accepts([0xff]))
    }
}
