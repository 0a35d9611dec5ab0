// SPDX-License-Identifier: Apache-2.0
// IPCP and IPv6CP packet by packet, and the counters of RFC 1661 4.6.

import BNGCore
import PPP
import Testing

@Suite struct NetworkTests {
    private typealias Buffer = ActionBuffer<PPPServerMachine.Action>
    private static let addresses = PPPAddresses(
        local: IPv4Address(rawValue: 0x6440_0001), peer: IPv4Address(rawValue: 0x6440_0009),
        dns: [IPv4Address(rawValue: 0xc000_0235)])
    private static let address = PPPOption(3, [100, 64, 0, 9])

    /// A link whose LCP is open and whose client has been let in.
    private static func open() -> (PPPServerMachine, [PPPControlPacket]) {
        var configuration = PPPConfiguration(authentication: [], hostName: "bng")
        configuration.listen = .zero
        var (machine, buffer) = (
            PPPServerMachine(configuration: configuration, seeds: LinkBench.seeds), Buffer()
        )
        machine.openLCP(&buffer)
        _ = buffer.drained()
        machine.handle(.admitted(Self.addresses, message: []), at: .now, into: &buffer)
        return (machine, buffer.drained().compactMap(\.packet))
    }

    private static func answer(
        _ machine: inout PPPServerMachine, _ number: PPPProtocol, _ packet: PPPControlPacket
    ) -> [PPPServerMachine.Action] {
        var buffer = Buffer()
        machine.receive(packet, number, &buffer)
        return buffer.drained()
    }

    private static func request(_ options: [PPPOption], identifier: UInt8 = 1) -> PPPControlPacket {
        PPPControlPacket(code: 1, identifier: identifier, data: PPPCodec.encode(options))
    }

    @Test(
        arguments: [
            ([PPPOption(3, [0, 0, 0, 0])], 3, [Self.address]),
            ([], 3, [Self.address]),
            ([PPPOption(3, [100, 64, 0])], 3, [Self.address]),
            ([Self.address, PPPOption(129, [0, 0, 0, 0])], 3, [PPPOption(129, [192, 0, 2, 0x35])]),
            // There is no second name server; compression, two addresses and NetBIOS are never had.
            ([Self.address, PPPOption(131, [0, 0, 0, 0])], 4, [PPPOption(131, [0, 0, 0, 0])]),
            ([PPPOption(2, [0, 0x2d, 15, 1]), PPPOption(3, [0, 0, 0, 0])], 4, [PPPOption(2, [0, 0x2d, 15, 1])]),
            ([PPPOption(1, [0, 0, 0, 0, 0, 0, 0, 0])], 4, [PPPOption(1, [0, 0, 0, 0, 0, 0, 0, 0])]),
            (
                [PPPOption(130, [0, 0, 0, 0]), PPPOption(132, [0, 0, 0, 0])], 4,
                [PPPOption(130, [0, 0, 0, 0]), PPPOption(132, [0, 0, 0, 0])]
            ),
        ] as [([PPPOption], UInt8, [PPPOption])])
    func `a wish of IPCP that is not the grant is corrected or rejected, and nothing is confirmed`(
        _ options: [PPPOption], _ code: UInt8, _ answer: [PPPOption]
    ) {
        var (machine, _) = Self.open()
        let actions = Self.answer(&machine, .ipcp, Self.request(options))
        let expected = PPPControlPacket(code: code, identifier: 1, data: PPPCodec.encode(answer))
        #expect(actions.compactMap(\.packet) == [expected] && !actions.contains(.confirm))
    }

    @Test func `the latest request is the one that is acknowledged once the address is confirmed`() {
        var (machine, _) = Self.open()
        var buffer = Buffer()
        #expect(Self.answer(&machine, .ipcp, Self.request([Self.address])) == [.confirm])
        #expect(Self.answer(&machine, .ipcp, Self.request([Self.address], identifier: 2)).isEmpty)
        var changed = machine
        machine.handle(.confirmed, at: .now, into: &buffer)
        let actions = buffer.drained()
        #expect(actions.compactMap(\.packet).map(\.identifier) == [2])
        guard case .sendConfirmed = actions.first else {
            Issue.record("not behind the session")
            return
        }
        // A request that was withdrawn by a worse one is not acknowledged.
        _ = Self.answer(&changed, .ipcp, Self.request([PPPOption(3, [1, 2, 3, 4])], identifier: 3))
        changed.handle(.confirmed, at: .now, into: &buffer)
        #expect(buffer.drained().isEmpty)
        let again = Self.answer(&changed, .ipcp, Self.request([Self.address], identifier: 4))
        #expect(again.compactMap(\.packet).map(\.code) == [PPPCode.configureAck])
    }

    @Test(
        arguments: [
            ([0, 0, 0, 0, 0, 0, 0, 0], 3), ([2, 0, 0, 0xff, 0xfe, 0, 0, 1], 3), ([1], 3),
            ([1, 2, 3, 4, 5, 6, 7, 8], 2),
        ] as [([UInt8], UInt8)])
    func `an interface identifier is another than ours, and not zero`(_ value: [UInt8], _ code: UInt8) throws {
        var (machine, _) = Self.open()
        let packets = Self.answer(&machine, .ipv6cp, Self.request([PPPOption(1, value)])).compactMap(\.packet)
        let reply = try #require(packets.first)
        #expect(reply.code == code)
        if code == PPPCode.configureNak {
            let better = try #require(try PPPCodec.decodeOptions(reply.data.span).first?.uint64)
            #expect(better != 0 && better != LinkBench.seeds.interfaceID)
        }
    }

    @Test func `compression of IPv6 is rejected, and an identifier is asked for where there is none`() {
        var (machine, _) = Self.open()
        let compression = PPPOption(2, [0, 0x4f])
        let first = Self.answer(&machine, .ipv6cp, Self.request([compression])).compactMap(\.packet)
        #expect(first.map(\.code) == [4] && first.first?.data == PPPCodec.encode([compression]))
        #expect(Self.answer(&machine, .ipv6cp, Self.request([])).compactMap(\.packet).map(\.code) == [3])
    }

    @Test func `our address is not the client's to choose, and is not insisted on for ever`() throws {
        var (machine, packets) = Self.open()
        var request = try #require(packets.first { $0.data == PPPCodec.encode([PPPOption(3, [100, 64, 0, 1])]) })
        var naks = 0
        while !request.data.isEmpty {
            let nak = PPPControlPacket(
                code: 3, identifier: request.identifier, data: PPPCodec.encode([PPPOption(3, [10, 0, 0, 1])]))
            request = try #require(Self.answer(&machine, .ipcp, nak).compactMap(\.packet).first)
            naks += 1
        }
        #expect(naks == 5 && machine.phase == .network)
    }

    @Test func `a client that ends IPCP ends the link, one that ends IPv6CP does not`() {
        let terminate = PPPControlPacket(code: PPPCode.terminateRequest, identifier: 9)
        for (number, phase) in [(PPPProtocol.ipcp, PPPServerMachine.Phase.terminate), (.ipv6cp, .network)] {
            var (machine, _) = Self.open()
            let packets = Self.answer(&machine, number, terminate).compactMap(\.packet)
            #expect(packets.first?.code == PPPCode.terminateAck && machine.phase == phase)
        }
    }

    @Test func `a rejected code is lived with unless nothing goes without it`() {
        for (code, phase) in [
            (PPPCode.configureRequest, PPPServerMachine.Phase.terminate), (PPPCode.terminateAck, .terminate),
            (PPPCode.echoReply, .network), (99, .network),
        ] as [(UInt8, PPPServerMachine.Phase)] {
            var (machine, _) = Self.open()
            let reject = PPPControlPacket(code: PPPCode.codeReject, identifier: 1, data: [code, 1, 0, 4])
            #expect(Self.answer(&machine, .lcp, reject).contains(.count(.codeRejected)))
            #expect(machine.phase == phase, "\(code)")
        }
    }

    @Test func `ten Configure-Requests with one identifier, then the end; two Terminate-Requests, then the end`() {
        var configuration = PPPConfiguration(authentication: [], hostName: "bng")
        configuration.listen = .zero
        var (machine, buffer) = (
            PPPServerMachine(configuration: configuration, seeds: LinkBench.seeds), Buffer()
        )
        machine.handle(.start, at: .now, into: &buffer)
        var log = buffer.drained()
        for _ in 0..<10 {
            machine.handle(.timerFired(.lcp), at: .now, into: &buffer)
            log += buffer.drained()
        }
        #expect(log.compactMap(\.packet).count == 10 && Set(log.compactMap(\.packet?.identifier)).count == 1)
        #expect(log.last == .finished(.negotiationFailed))

        var (open, _) = Self.open()
        open.handle(.close(.adminReset), at: .now, into: &buffer)
        log = buffer.drained()
        for _ in 0..<2 {
            open.handle(.timerFired(.lcp), at: .now, into: &buffer)
            log += buffer.drained()
        }
        #expect(log.compactMap(\.packet).map(\.code) == [5, 5] && log.last == .finished(.adminReset))
    }
}
