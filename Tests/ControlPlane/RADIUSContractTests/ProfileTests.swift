// SPDX-License-Identifier: Apache-2.0
// The requests we send: names, lines, credentials, counters.

import BNGCore
import RADIUS
import RADIUSContract
import Subscribers
import TestVectors
import Testing

@Suite struct ProfileTests {
    private let secret = RADIUSSecret(text("s"), digests: TestDigests())

    private func request(
        _ credential: AuthorizationRequest.Credential = .line, name: String = "alice",
        profile: NASProfile = NASProfile()
    ) -> RADIUSPacket? {
        var request = AuthorizationRequest(
            session: SessionID(issuer: 1, counter: 17), userName: name, credential: credential, facts: facts())
        request.state = [4, 4]
        return profile.accessRequest(
            request, linePassword: text("pw"), identifier: 5, authenticator: .zero, secret: self.secret)
    }

    @Test func `an Access-Request names the user, the line and the session`() throws {
        let sent = try #require(self.request()).attributes
        #expect(sent.first(.userName)?.radiusText == "alice")
        #expect(sent.first(.userPassword) == self.secret.hide(password: text("pw"), authenticator: .zero)[...])
        #expect(sent.first(.nasIdentifier)?.radiusText == "edge1")
        #expect(sent.first(.nasIPAddress) == nil)
        #expect(sent.first(.nasPort)?.radiusInteger == 409_607)
        #expect(sent.first(.nasPortID)?.radiusText == "edge1/access0:100.7")
        #expect(sent.first(.nasPortType)?.radiusInteger == 15)
        #expect(sent.first(.serviceType)?.radiusInteger == 2)
        #expect(sent.first(.callingStationID)?.radiusText == "02-00-00-00-AA-BB")
        #expect(sent.first(.agentCircuitID)?.radiusText == "olt1 1/1/4:100.7")
        #expect(sent.first(.agentRemoteID)?.radiusText == "cpe-4711")
        #expect(sent.first(.acctSessionID)?.radiusText == "1-17")
        #expect(sent.first(.state) == [4, 4])
    }

    @Test func `CHAP is passed on, with its challenge`() throws {
        let response = [UInt8](repeating: 7, count: 16)
        let sent = try #require(self.request(.chap(identifier: 3, challenge: [1, 2], response: response))).attributes
        #expect(sent.first(.chapPassword).map(Array.init) == [3] + response)
        #expect(sent.first(.chapChallenge) == [1, 2])
        #expect(sent.first(.userPassword) == nil)
    }

    @Test func `MS-CHAPv2 is passed on in the order of RFC 2548`() throws {
        let response = [UInt8](1...48) + [0xf1]
        let sent = try #require(
            self.request(.msChapV2(identifier: 3, challenge: [7, 8], response: response))
        ).attributes
        #expect(sent.first(.msChapChallenge) == [7, 8])
        #expect(sent.first(.msChap2Response).map(Array.init) == [3, 0xf1] + [UInt8](1...48))
        #expect(sent.first(.userPassword) == nil && sent.first(.chapPassword) == nil)
        #expect(self.request(.msChapV2(identifier: 3, challenge: [7], response: [1])) == nil)
    }

    @Test func `a PPPoE session is one of PPP, on a port type of its own`() throws {
        for (sVLAN, cVLAN, type) in [(0, 0, 32), (100, 0, 33), (100, 7, 34)] as [(UInt16, UInt16, UInt32)] {
            var facts = facts()
            (facts.sVLAN, facts.cVLAN) = (sVLAN, cVLAN)
            facts.pppoe = LineFacts.PPPoE(id: 9, service: "internet")
            let request = AuthorizationRequest(
                session: SessionID(issuer: 1, counter: 17), userName: "alice", credential: .password(text("x")),
                facts: facts)
            let sent = try #require(
                NASProfile().accessRequest(
                    request, linePassword: [], identifier: 5, authenticator: .zero, secret: self.secret)
            ).attributes
            #expect(sent.first(.nasPortType)?.radiusInteger == type)
            #expect(sent.first(.framedProtocol)?.radiusInteger == 1 && sent.first(.serviceType)?.radiusInteger == 2)
        }
        #expect(try #require(self.request()).attributes.first(.framedProtocol) == nil)
    }

    @Test func `a password no packet can carry is not cut`() {
        #expect(self.request(.password([UInt8](repeating: 1, count: 128))) != nil)
        #expect(self.request(.password([UInt8](repeating: 1, count: 129))) == nil)
    }

    @Test func `a name no packet can carry is not asked for`() {
        #expect(self.request(name: "") == nil)
        #expect(self.request(name: String(repeating: "x", count: 254)) == nil)
        #expect(self.request(name: String(repeating: "x", count: 253)) != nil)
    }

    @Test(arguments: StationFormat.allCases) func `a station is written in its format, and every format is read`(
        _ format: StationFormat
    ) {
        let mac = MACAddress(rawValue: 0xaabb_ccdd_eeff)
        #expect(format.text(mac) == format.rawValue)
        #expect(StationFormat.address(format.rawValue) == mac)
        #expect(StationFormat.address(format.rawValue + "0") == nil)
    }

    private func record(_ kind: AccountingRecord.Kind, cause: TerminateCause? = nil) -> AccountingRecord {
        var totals = SessionTotals()
        totals.upBytes = 5 << 32 | 7
        totals.downBytes = 9 << 32 | 11
        (totals.upPackets, totals.downPackets) = (13, 17)
        return AccountingRecord(
            sequence: 1, kind: kind, accountingID: kind == .on || kind == .off ? "" : "1-17", session: 17,
            userName: "alice",
            facts: facts(), address: IPv4Address(rawValue: 0x6440_0009), classes: [[1], [2]],
            at: UTCTime(milliseconds: 1_700_000_100_500), sessionStarted: UTCTime(milliseconds: 1_700_000_000_000),
            totals: totals, cause: cause, plan: "gold")
    }

    @Test func `a stop says how much, how long and why`() throws {
        var profile = NASProfile()
        profile.planAttribute = .filterID
        let now = UTCTime(milliseconds: 1_700_000_160_500)
        let packet = profile.accountingRequest(self.record(.stop, cause: .idleTimeout), identifier: 9, now: now)
        #expect(packet.code == .accountingRequest && packet.identifier == 9)
        let numbers: [(RADIUSAttributeKey, UInt32)] = [
            (.acctStatusType, 2), (.acctInputOctets, 7), (.acctInputGigawords, 5), (.acctInputPackets, 13),
            (.acctOutputOctets, 11), (.acctOutputGigawords, 9), (.acctOutputPackets, 17), (.acctSessionTime, 100),
            (.acctTerminateCause, 4), (.eventTimestamp, 1_700_000_100), (.acctDelayTime, 60), (.acctAuthentic, 1),
            (.framedIPAddress, 0x6440_0009),
        ]
        for (key, value) in numbers { #expect(packet.attributes.first(key)?.radiusInteger == value, "\(key)") }
        #expect(packet.attributes.first(.acctSessionID)?.radiusText == "1-17")
        #expect(packet.attributes.first(.filterID)?.radiusText == "gold")
        #expect(packet.attributes.values(.classAttribute) == [[1], [2]])
    }

    @Test func `a start has no counters, and on and off name the NAS alone`() {
        let now = UTCTime(milliseconds: 1_600_000_000_000)
        let start = NASProfile().accountingRequest(self.record(.start), identifier: 1, now: now).attributes
        #expect(start.first(.acctInputOctets) == nil && start.first(.acctTerminateCause) == nil)
        #expect(start.first(.acctDelayTime)?.radiusInteger == 0)
        for (kind, value) in [(AccountingRecord.Kind.on, UInt32(7)), (.off, 8)] {
            let sent = NASProfile().accountingRequest(self.record(kind), identifier: 1, now: now).attributes
            #expect(sent.first(.acctStatusType)?.radiusInteger == value)
            #expect(sent.first(.nasIdentifier)?.radiusText == "edge1")
            #expect(sent.first(.userName) == nil && sent.first(.callingStationID) == nil)
            #expect(sent.first(.acctSessionID)?.radiusText == "0")
        }
    }

    @Test func `every cause has a value of the registry`() {
        for cause in TerminateCause.allCases {
            let now = UTCTime(milliseconds: 0)
            let sent = NASProfile().accountingRequest(self.record(.stop, cause: cause), identifier: 1, now: now)
            #expect((1...22).contains(sent.attributes.first(.acctTerminateCause)?.radiusInteger ?? 0))
        }
    }
}
