// SPDX-License-Identifier: Apache-2.0
// Client machine against server machine: every way to authenticate, refusals, terminations, and bad wires.

import BNGCore
import PPP
import PPPClient
import TestVectors
import Testing

@Suite struct LinkTests {
    private static func settings(_ methods: [PPPAuthentication]) -> PPPClientSettings {
        var settings = PPPClientSettings()
        settings.methods = methods
        return settings
    }

    @Test(arguments: [[PPPAuthentication.pap], [.chapMD5], [.msChapV2], []])
    func `a link opens with its address, name servers and interface identifiers`(_ methods: [PPPAuthentication]) {
        var bench = LinkBench(methods)
        bench.start()
        bench.run()
        #expect(bench.isOpen && bench.client.isOpen && bench.client.hasIPv6)
        #expect(bench.client.address == bench.addresses.peer && bench.client.serverAddress == bench.addresses.local)
        #expect(bench.client.dns == bench.addresses.dns)
        #expect(bench.runningTimers.isEmpty && !bench.client.hasTimers)
        let link = bench.server.link
        #expect(link.authentication == methods.first && link.localMRU == 1_492 && link.peerMRU == 1_492)
        #expect(link.localMagic == LinkBench.seeds.magic && link.peerMagic == bench.client.settings.magic)
        #expect(
            link.localInterfaceID == LinkBench.seeds.interfaceID && link.peerInterfaceID == bench.client.interfaceID)
        #expect(link.peerInterfaceID != 0 && link.peerInterfaceID != link.localInterfaceID)
        #expect(methods.isEmpty || bench.client.message == Array("welcome".utf8))
        #expect(bench.nowMs < 1_000)
    }

    @Test func `a thousand links open in little time`() {
        var opened = 0
        let time = ContinuousClock().measure {
            for seed in 0..<1_000 as Range<UInt64> {
                var bench = LinkBench([.chapMD5], seed: seed)
                bench.start()
                bench.run()
                opened += bench.client.isOpen ? 1 : 0
            }
        }
        print("ppp: one link takes \(time / 1_000), with its client and its wire")
        #expect(opened == 1_000)
    }

    @Test(arguments: [PPPAuthentication.pap, .chapMD5, .msChapV2])
    func `a wrong password is told and ends the link`(_ method: PPPAuthentication) {
        var settings = PPPClientSettings()
        settings.password = Array("wrong".utf8)
        var bench = LinkBench([method], settings)
        bench.start()
        bench.run()
        #expect(bench.finished == .authenticationFailed && bench.client.isFinished)
        let text = String(decoding: bench.client.message, as: UTF8.self)
        let expected =
            method == .msChapV2 ? "E=691 R=0 C=0102030405060708090A0B0C0D0E0F10 V=3 M=no" : "no"
        #expect(text == expected)
        #expect(bench.runningTimers.isEmpty && bench.nowMs < 1_000)
    }

    @Test func `a client chooses another method of ours by Configure-Nak`() {
        for choice in PPPAuthentication.allCases {
            var bench = LinkBench([.chapMD5, .msChapV2, .pap], Self.settings([choice]))
            bench.start()
            bench.run()
            #expect(bench.client.isOpen && bench.server.link.authentication == choice)
        }
    }

    @Test func `a client with none of our methods does not get in`() {
        for methods in [[PPPAuthentication.pap], []] {
            var bench = LinkBench([.chapMD5, .msChapV2], Self.settings(methods))
            bench.start()
            bench.run()
            #expect(bench.finished == .negotiationFailed && bench.runningTimers.isEmpty)
            #expect(!bench.log.contains { if case .authenticate = $0 { true } else { false } })
        }
    }

    @Test func `the address is confirmed once, and nothing promises it before`() throws {
        var bench = LinkBench([.pap])
        bench.confirmationMs = 7_000
        bench.start()
        bench.run(untilMs: 6_900)
        #expect(!bench.client.isOpen && !bench.log.contains { if case .sendConfirmed = $0 { true } else { false } })
        #expect(bench.log.count { $0 == .confirm } == 1)
        bench.run()
        #expect(bench.client.isOpen && bench.log.count { $0 == .confirm } == 1)
        // IPCP again, with the same address: no second question.
        bench.client { $0.renegotiate(.ipcp, &$1) }
        bench.run()
        #expect(bench.isOpen && bench.client.isOpen && bench.log.count { $0 == .confirm } == 1)
        #expect(bench.log.count { $0 == .ipv4Opened } >= 2 && bench.runningTimers.isEmpty)
    }

    @Test func `a client that insists on another address is told ours until Max-Failure and then let go`() {
        var bench = LinkBench([])
        bench.start()
        bench.run()
        var configuration = PPPConfiguration(authentication: [], hostName: "bng")
        configuration.listen = .zero
        var stubborn = PPPServerMachine(configuration: configuration, seeds: LinkBench.seeds)
        var buffer = ActionBuffer<PPPServerMachine.Action>()
        stubborn.openLCP(&buffer)
        stubborn.handle(.admitted(bench.addresses, message: []), at: .now, into: &buffer)
        buffer.drain { _ in }
        for identifier in 1...7 as ClosedRange<UInt8> {
            let data = PPPCodec.encode(identifier < 7 ? [PPPOption(3, [10, 0, 0, 1])] : [])
            stubborn.receive(PPPControlPacket(code: 1, identifier: identifier, data: data), .ipcp, &buffer)
            let codes = buffer.drained().compactMap(\.packet).filter { $0.identifier == identifier }.map(\.code)
            #expect(codes.first == (identifier <= 5 ? 3 : identifier == 6 ? 4 : nil), "\(identifier)")
        }
        #expect(stubborn.phase == .terminate)
    }

    @Test func `IPv6CP is rejected where it is off, and lived without where the client has none`() {
        var bench = LinkBench([.pap]) { $0.ipv6cp = false }
        bench.start()
        bench.run()
        #expect(bench.isOpen && !bench.client.hasIPv6 && bench.server.link.localInterfaceID == 0)
        #expect(bench.client.rejects > 0 && bench.count(.unknownProtocol) > 0)

        var settings = PPPClientSettings()
        settings.wantsIPv6 = false
        bench = LinkBench([.pap], settings)
        bench.start()
        bench.run()
        #expect(bench.isOpen && bench.client.isOpen && bench.server.link.localInterfaceID == 0)
        #expect(bench.count(.protocolRejected) == 1 && bench.runningTimers.isEmpty)
    }

    @Test func `either side can end an open link`() {
        var bench = LinkBench([.chapMD5])
        bench.start()
        bench.run()
        var other = bench
        bench.client { $0.close(&$1) }
        bench.run()
        #expect(bench.finished == .userRequest && bench.client.isFinished && bench.runningTimers.isEmpty)
        other.feed(.close(.adminReset))
        other.run()
        #expect(other.finished == .adminReset && other.client.isFinished && other.runningTimers.isEmpty)
    }

    @Test func `a client that is gone lets no link wait for ever, in any phase`() {
        for goneMs in stride(from: 0, through: 60, by: 2) {
            var bench = LinkBench([.chapMD5])
            bench.start()
            bench.run(untilMs: goneMs)
            bench.wire.loss = 1
            bench.run()
            guard !bench.isOpen else { continue }
            #expect(bench.finished != nil && bench.runningTimers.isEmpty, "\(goneMs)")
            #expect(bench.nowMs <= 90_000)
        }
    }

    @Test func `a client that begins LCP anew on an open link ends it`() {
        var settings = PPPClientSettings()
        settings.magic = 1
        var bench = LinkBench([.chapMD5], settings)
        bench.start()
        bench.run()
        settings.magic = 2
        bench.client = PPPClientMachine(settings)
        bench.client { $0.start(&$1) }
        bench.run()
        #expect(bench.finished == .renegotiated && bench.runningTimers.isEmpty)
    }

    @Test func `a confirmation that fails closes the link, and a lost one finishes at once`() {
        var bench = LinkBench([.pap])
        bench.confirmationMs = 100_000
        bench.start()
        bench.run(untilMs: 1_000)
        var other = bench
        bench.feed(.confirmationFailed)
        bench.run(untilMs: 10_000)
        #expect(bench.finished == .confirmationFailed && !bench.client.isOpen)
        other.feed(.linkLost)
        #expect(other.finished == .lostCarrier && other.runningTimers.isEmpty)
    }

    @Test func `a restored link answers echoes, ends on request, and opens IPCP again without asking`() {
        var bench = LinkBench([.pap])
        bench.start()
        bench.run()
        let link = bench.server.link
        bench.server = PPPServerMachine(
            restored: link, addresses: bench.addresses,
            configuration: PPPConfiguration(authentication: [.pap], hostName: "bng"), seeds: LinkBench.seeds)
        #expect(bench.server.link == link && bench.server.phase == .network)
        bench.log = []
        bench.client { $0.renegotiate(.ipcp, &$1) }
        bench.run()
        #expect(bench.client.isOpen && bench.log.contains(.ipv4Opened) && !bench.log.contains(.confirm))
        bench.client { $0.close(&$1) }
        bench.run()
        #expect(bench.finished == .userRequest)
    }
}
