// SPDX-License-Identifier: Apache-2.0
// The server machine packet by packet: what it answers, counts and ignores, and how small it is.

import BNGCore
import PPP
import PPPClient
import PPPExercise
import TestVectors
import Testing

@Suite struct MachineTests {
    private typealias Buffer = ActionBuffer<PPPServerMachine.Action>
    private static let addresses = PPPAddresses(
        local: IPv4Address(rawValue: 0x6440_0001), peer: IPv4Address(rawValue: 0x6440_0009))

    private static func machine(
        _ authentication: [PPPAuthentication] = [], _ change: (inout PPPConfiguration) -> Void = { _ in }
    ) -> PPPServerMachine {
        var configuration = PPPConfiguration(authentication: authentication, hostName: "bng")
        configuration.listen = .zero
        change(&configuration)
        return PPPServerMachine(configuration: configuration, seeds: LinkBench.seeds)
    }

    private static func started(
        _ authentication: [PPPAuthentication] = [], _ change: (inout PPPConfiguration) -> Void = { _ in }
    ) -> (PPPServerMachine, Buffer) {
        var (machine, buffer) = (Self.machine(authentication, change), Buffer())
        machine.handle(.start, at: .now, into: &buffer)
        _ = buffer.drained()
        return (machine, buffer)
    }

    private static func request(_ identifier: UInt8, _ options: [PPPOption]) -> PPPControlPacket {
        PPPControlPacket(code: 1, identifier: identifier, data: PPPCodec.encode(options))
    }

    private static func answer(
        _ machine: inout PPPServerMachine, _ packet: PPPControlPacket, _ number: PPPProtocol = .lcp
    ) -> [PPPServerMachine.Action] {
        var buffer = Buffer()
        machine.receive(packet, number, &buffer)
        return buffer.drained()
    }

    // MARK: Who begins

    @Test func `our first Configure-Request follows the client's, or a second of silence`() {
        var (machine, buffer) = (Self.machine { $0.listen = .seconds(1) }, Buffer())
        machine.handle(.start, at: .now, into: &buffer)
        let begun = buffer.drained()
        #expect(begun.allSatisfy { $0.frame == nil } && begun.contains(.startTimer(.lcp, after: .seconds(1))))
        var other = machine
        let answers = Self.answer(&machine, Self.request(1, [])).compactMap(\.packet?.code)
        #expect(answers == [1, 2])
        other.handle(.timerFired(.lcp), at: .now, into: &buffer)
        let spoken = buffer.drained()
        #expect(spoken.compactMap(\.packet?.code) == [1] && spoken.contains(.startTimer(.lcp, after: .seconds(3))))
    }

    @Test func `what is no Configure-Request does not stop the listening`() {
        var (machine, buffer) = (Self.machine { $0.listen = .seconds(1) }, Buffer())
        machine.handle(.start, at: .now, into: &buffer)
        _ = buffer.drained()
        for code in [UInt8(2), 6, 9, 77] {
            let actions = Self.answer(&machine, PPPControlPacket(code: code, identifier: 9, data: [0, 0, 0, 1]))
            #expect(!actions.contains(.cancelTimer(.lcp)), "code \(code)")
        }
        machine.handle(.timerFired(.lcp), at: .now, into: &buffer)
        #expect(buffer.drained().compactMap(\.packet?.code) == [1])
    }

    @Test func `a link that is closed before the client has spoken is finished without a word`() {
        var (machine, buffer) = (Self.machine { $0.listen = .seconds(1) }, Buffer())
        machine.handle(.start, at: .now, into: &buffer)
        _ = buffer.drained()
        machine.handle(.close(.adminReset), at: .now, into: &buffer)
        let actions = buffer.drained()
        #expect(machine.isFinished && actions.last == .finished(.adminReset))
        #expect(actions.allSatisfy { $0.frame == nil } && actions.contains(.cancelTimer(.lcp)))
    }

    // MARK: LCP options

    @Test(
        arguments: [
            ([PPPOption(1, [5, 0xd4])], 2, [PPPOption(1, [5, 0xd4])]),
            ([], 2, []),
            // RFC 2516 7: not above 1492; RFC 1661: not too little; a length nobody can read.
            ([PPPOption(1, [5, 0xdc])], 3, [PPPOption(1, [5, 0xd4])]),
            ([PPPOption(1, [0, 127])], 3, [PPPOption(1, [5, 0xd4])]),
            ([PPPOption(1, [5])], 3, [PPPOption(1, [5, 0xd4])]),
            ([PPPOption(5, [0, 0, 0, 1])], 2, [PPPOption(5, [0, 0, 0, 1])]),
            // Compressions, character maps, quality, callback, multilink, and to authenticate us: rejected, before
            // anything is Nak'd.
            ([PPPOption(1, [0, 1]), PPPOption(7), PPPOption(8)], 4, [PPPOption(7), PPPOption(8)]),
            ([PPPOption(2, [0, 0, 0, 0])], 4, [PPPOption(2, [0, 0, 0, 0])]),
            ([PPPOption(3, [0xc0, 0x23])], 4, [PPPOption(3, [0xc0, 0x23])]),
            (
                [PPPOption(4, [0xc0, 0x25, 0, 0, 0, 1]), PPPOption(13, [6]), PPPOption(17, [5, 0xdc])], 4,
                [PPPOption(4, [0xc0, 0x25, 0, 0, 0, 1]), PPPOption(13, [6]), PPPOption(17, [5, 0xdc])]
            ),
            ([PPPOption(5, [1, 2, 3, 4]), PPPOption(5, [1, 2, 3, 5])], 4, [PPPOption(5, [1, 2, 3, 5])]),
        ] as [([PPPOption], UInt8, [PPPOption])])
    func `options of LCP are acknowledged, corrected or rejected`(
        _ options: [PPPOption], _ code: UInt8, _ answer: [PPPOption]
    ) {
        var (machine, _) = Self.started()
        let packets = Self.answer(&machine, Self.request(9, options)).compactMap(\.packet)
        #expect(packets == [PPPControlPacket(code: code, identifier: 9, data: PPPCodec.encode(answer))])
    }

    @Test func `an MRU of 1500 is agreed on with RFC 4638, and the longest packet is known`() {
        var (machine, _) = Self.started { $0.mru = 1_500 }
        let packets = Self.answer(&machine, Self.request(9, [PPPOption(1, [5, 0xdc])])).compactMap(\.packet)
        #expect(packets.first?.code == PPPCode.configureAck && machine.link.peerMRU == 1_500)
        _ = Self.answer(&machine, Self.request(10, [PPPOption(1, [5, 0])]))
        #expect(machine.link.peerMRU == 1_280)
    }

    @Test func `Naks become rejects after Max-Failure`() {
        var (machine, _) = Self.started()
        let codes = (1...7).map { identifier in
            Self.answer(&machine, Self.request(identifier, [PPPOption(1, [0, 1])])).compactMap(\.packet).first?.code
        }
        #expect(codes == [3, 3, 3, 3, 3, 4, 4])
    }

    @Test func `our own magic number is met with another, and a loop ends the link`() throws {
        var (machine, _) = Self.started()
        let own = PPPOption(5, [0x5e, 0xed, 0, 1])
        let nak = try #require(Self.answer(&machine, Self.request(1, [own])).compactMap(\.packet).first)
        #expect(nak.code == PPPCode.configureNak && nak.data != PPPCodec.encode([own]))

        // A wire that returns everything.
        var (looped, buffer) = (Self.machine([.chapMD5]), Buffer())
        looped.handle(.start, at: .now, into: &buffer)
        var frames = buffer.drained().compactMap(\.frame)
        var log: [PPPServerMachine.Action] = []
        while !frames.isEmpty, !looped.isFinished {
            looped.handle(.received(frames.removeFirst()), at: .now, into: &buffer)
            let actions = buffer.drained()
            frames += actions.compactMap(\.frame)
            log += actions
        }
        #expect(log.last == .finished(.looped) && log.contains(.count(.looped)))
    }

    // MARK: Replies to ours

    @Test func `only one reply with the identifier of the last request counts`() throws {
        var (machine, buffer) = (Self.machine(), Buffer())
        machine.handle(.start, at: .now, into: &buffer)
        var ack = try #require(buffer.drained().compactMap(\.packet).first)
        ack.code = PPPCode.configureAck
        var other = ack
        other.identifier &+= 1
        #expect(Self.answer(&machine, other) == [.count(.unexpected)])
        other = ack
        other.data.removeLast()
        #expect(Self.answer(&machine, other) == [.count(.malformed)])
        #expect(Self.answer(&machine, ack).isEmpty)
        #expect(Self.answer(&machine, ack) == [.count(.unexpected)])
    }

    @Test func `options that are rejected are not asked for again, but authentication is`() throws {
        for (type, isLivedWith) in [(1, true), (5, true), (3, false)] as [(UInt8, Bool)] {
            var (machine, buffer) = (Self.machine([.pap]), Buffer())
            machine.handle(.start, at: .now, into: &buffer)
            let request = try #require(buffer.drained().compactMap(\.packet).first)
            let option = try #require(try PPPCodec.decodeOptions(request.data.span).first { $0.type == type })
            let reject = PPPControlPacket(
                code: PPPCode.configureReject, identifier: request.identifier, data: PPPCodec.encode([option]))
            let next = try #require(Self.answer(&machine, reject).compactMap(\.packet).first)
            #expect(next.code == (isLivedWith ? PPPCode.configureRequest : PPPCode.terminateRequest))
            if isLivedWith { #expect(try !PPPCodec.decodeOptions(next.data.span).contains { $0.type == type }) }
        }
    }

    @Test func `a peer that only ever refuses is let go`() throws {
        var (machine, buffer) = (Self.machine(), Buffer())
        machine.handle(.start, at: .now, into: &buffer)
        var last = try #require(buffer.drained().compactMap(\.packet).first)
        var naks = 0
        while machine.phase == .establish {
            last.code = PPPCode.configureNak
            last = try #require(Self.answer(&machine, last).compactMap(\.packet).first)
            naks += 1
        }
        #expect(naks == 11 && last.code == PPPCode.terminateRequest)
    }

    // MARK: What is not negotiation

    @Test func `codes nobody knows are rejected, cut to what the peer can receive`() throws {
        var (machine, _) = Self.started()
        let long = PPPControlPacket(code: 99, identifier: 3, data: [UInt8](repeating: 7, count: 2_000))
        let reject = try #require(Self.answer(&machine, long).compactMap(\.packet).first)
        #expect(reject.code == PPPCode.codeReject && reject.data.count == 1_488)
        #expect(Array(reject.data.prefix(4)) == [99, 3, 0x07, 0xd4])
        for code in [PPPCode.identification, PPPCode.timeRemaining, PPPCode.discardRequest, PPPCode.echoReply] {
            #expect(Self.answer(&machine, PPPControlPacket(code: code, identifier: 1, data: [1, 2, 3, 4])).isEmpty)
        }
    }

    @Test func `protocols nobody knows are rejected once the peer is known, and not before`() throws {
        let ccp = PPPControlPacket(code: 1, identifier: 1)
        var (machine, buffer) = (Self.machine(), Buffer())
        machine.openLCP(&buffer)
        #expect(buffer.drained().contains(.authenticate(name: [], .none)))
        for number in [0x80fd, 0x8053, 0xc02b] as [UInt16] {
            let protocolNumber = PPPProtocol(rawValue: number)
            #expect(Self.answer(&machine, ccp, protocolNumber) == [.count(.unknownProtocol)])
        }
        machine.handle(.admitted(Self.addresses, message: []), at: .now, into: &buffer)
        _ = buffer.drained()
        let reject = try #require(Self.answer(&machine, ccp, PPPProtocol(rawValue: 0x80fd)).compactMap(\.packet).first)
        #expect(reject.code == PPPCode.protocolReject && reject.data == [0x80, 0xfd, 1, 1, 0, 4])
        #expect(Self.answer(&machine, PPPControlPacket(code: 0, identifier: 0), .ipv4) == [.count(.unexpected)])
    }

    @Test func `an Echo-Request on an open link is answered with our magic number`() throws {
        var (machine, buffer) = (Self.machine(), Buffer())
        let echo = PPPControlPacket(code: PPPCode.echoRequest, identifier: 5, data: [0, 0, 0, 7, 1, 2])
        machine.handle(.start, at: .now, into: &buffer)
        #expect(Self.answer(&machine, echo).isEmpty)
        machine = Self.machine()
        machine.openLCP(&buffer)
        let reply = try #require(Self.answer(&machine, echo).compactMap(\.packet).first)
        #expect(reply == PPPControlPacket(code: 10, identifier: 5, data: [0x5e, 0xed, 0, 1, 1, 2]))
        let own = PPPControlPacket(code: PPPCode.echoRequest, identifier: 5, data: [0x5e, 0xed, 0, 1])
        #expect(Self.answer(&machine, own) == [.count(.looped)])
    }

    @Test func `a rejected LCP or IPCP ends the link, a rejected IPv6CP does not`() {
        var (open, buffer) = (Self.machine(), Buffer())
        open.openLCP(&buffer)
        open.handle(.admitted(Self.addresses, message: []), at: .now, into: &buffer)
        for (number, phase) in [
            (PPPProtocol.lcp, PPPServerMachine.Phase.terminate), (.ipcp, .terminate), (.ipv6cp, .network),
            (PPPProtocol(rawValue: 0x80fd), .network),
        ] {
            var machine = open
            let bytes = [UInt8(number.rawValue >> 8), UInt8(number.rawValue & 0xff)]
            _ = Self.answer(&machine, PPPControlPacket(code: PPPCode.protocolReject, identifier: 1, data: bytes))
            #expect(machine.phase == phase, "\(number)")
        }
    }

    // MARK: Repetitions

    @Test func `a Configure-Request that was acknowledged is acknowledged again, and nothing restarts`() {
        var (machine, buffer) = (Self.machine([.pap]), Buffer())
        machine.openLCP(&buffer)
        for identifier in [1, 1, 2] as [UInt8] {
            let actions = Self.answer(&machine, Self.request(identifier, [PPPOption(5, [0, 0, 0, 7])]))
            #expect(actions.count == 1 && actions.first?.packet?.code == PPPCode.configureAck)
        }
        #expect(machine.phase == .authenticate)
        // Other content before anything was proved: the RFC's table.
        let actions = Self.answer(&machine, Self.request(3, [PPPOption(5, [0, 0, 0, 8])]))
        #expect(actions.compactMap(\.packet).map(\.code) == [1, 2] && machine.phase == .establish)
    }

    @Test func `a login that is repeated is answered alike, and asked about once`() throws {
        var (machine, buffer) = (Self.machine([.pap]), Buffer())
        machine.openLCP(&buffer)
        _ = buffer.drained()
        func login(_ identifier: UInt8) -> PPPControlPacket {
            let data = PAPCodec.encodeRequest(name: [1], password: [2])
            return PPPControlPacket(code: PAPCodec.request, identifier: identifier, data: data)
        }
        #expect(Self.answer(&machine, login(1), .pap) == [.authenticate(name: [1], .password([2]))])
        #expect(Self.answer(&machine, login(2), .pap).isEmpty)
        var denied = machine
        machine.handle(.admitted(Self.addresses, message: [9]), at: .now, into: &buffer)
        let ack = PPPControlPacket(code: PAPCodec.ack, identifier: 2, data: [1, 9])
        #expect(buffer.drained().first?.packet == ack)
        #expect(Self.answer(&machine, login(3), .pap).first?.packet?.code == PAPCodec.ack)
        denied.handle(.denied(message: [8]), at: .now, into: &buffer)
        #expect(buffer.drained().first?.packet == PPPControlPacket(code: PAPCodec.nak, identifier: 2, data: [1, 8]))
        #expect(Self.answer(&denied, login(3), .pap).first?.packet?.code == PAPCodec.nak)
    }

    @Test func `a CHAP response is taken for its challenge only, and its answer repeated`() throws {
        var (machine, buffer) = (Self.machine([.msChapV2]), Buffer())
        machine.openLCP(&buffer)
        let challenge = try #require(buffer.drained().compactMap(\.packet).last)
        #expect(challenge.code == CHAPCodec.challenge)
        func response(_ difference: UInt8, _ count: Int) -> PPPControlPacket {
            let data = CHAPCodec.encodeValue([UInt8](repeating: 3, count: count), name: [1])
            return PPPControlPacket(code: 2, identifier: challenge.identifier &+ difference, data: data)
        }
        #expect(Self.answer(&machine, response(1, 49), .chap) == [.count(.unexpected)])
        #expect(Self.answer(&machine, response(0, 16), .chap) == [.count(.malformed)])
        let asked = Self.answer(&machine, response(0, 49), .chap)
        #expect(asked.count == 2 && asked.contains(.cancelTimer(.authentication)))
        #expect(Self.answer(&machine, response(0, 49), .chap).isEmpty)
        machine.handle(.admitted(Self.addresses, message: Array("S=0 M=ok".utf8)), at: .now, into: &buffer)
        let success = try #require(buffer.drained().first?.packet)
        #expect(success.code == CHAPCodec.success && success.data == Array("S=0 M=ok".utf8))
        #expect(Self.answer(&machine, response(0, 49), .chap).first?.packet == success)
    }

    @Test func `a client that has perhaps not heard its CHAP Success hears it again with the next request of IPCP`() {
        var (machine, buffer) = (Self.machine([.chapMD5]), Buffer())
        machine.openLCP(&buffer)
        let challenge = buffer.drained().compactMap(\.packet).last
        let data = CHAPCodec.encodeValue([UInt8](repeating: 3, count: 16), name: [1])
        let response = PPPControlPacket(code: 2, identifier: challenge?.identifier ?? 0, data: data)
        _ = Self.answer(&machine, response, .chap)
        machine.handle(.admitted(Self.addresses, message: [9]), at: .now, into: &buffer)
        let success = buffer.drained().first
        machine.handle(.timerFired(.ipcp), at: .now, into: &buffer)
        #expect(buffer.drained().contains { $0 == success })
        _ = Self.answer(&machine, Self.request(1, [PPPOption(3, [100, 64, 0, 9])]), .ipcp)
        machine.handle(.timerFired(.ipcp), at: .now, into: &buffer)
        #expect(!buffer.drained().contains { $0 == success })
    }

    @Test func `a second try that an authority offers is taken back`() {
        for (said, told) in [
            ("E=691 R=1 C=00 V=3 M=no R=1", "E=691 R=0 C=00 V=3 M=no R=1"), ("E=648 R=0 V=3", "E=648 R=0 V=3"),
        ] {
            var (machine, buffer) = (Self.machine([.msChapV2]), Buffer())
            machine.openLCP(&buffer)
            let challenge = buffer.drained().compactMap(\.packet).last
            let data = CHAPCodec.encodeValue([UInt8](repeating: 3, count: 49), name: [1])
            let response = PPPControlPacket(code: 2, identifier: challenge?.identifier ?? 0, data: data)
            _ = Self.answer(&machine, response, .chap)
            machine.handle(.denied(message: Array(said.utf8)), at: .now, into: &buffer)
            #expect(buffer.drained().first?.packet?.data == Array(told.utf8))
        }
    }

    @Test func `a challenge without an answer is repeated, the same, ten times`() throws {
        var (machine, buffer) = (Self.machine([.chapMD5]), Buffer())
        machine.openLCP(&buffer)
        var challenges = buffer.drained().compactMap(\.packet).filter {
            $0.code == CHAPCodec.challenge && $0.data.count > 16
        }
        while machine.phase == .authenticate {
            machine.handle(.timerFired(.authentication), at: .now, into: &buffer)
            challenges += buffer.drained().filter { $0.number == .chap }.compactMap(\.packet)
        }
        #expect(challenges.count == 10 && Set(challenges.map(\.data)).count == 1)
        machine.handle(.timerFired(.lcp), at: .now, into: &buffer)
        machine.handle(.timerFired(.lcp), at: .now, into: &buffer)
        #expect(buffer.drained().last == .finished(.authenticationTimeout))
    }

    // MARK: Everything else

    @Test func `a login under way when LCP begins anew ends the link: its answer would be another's`() {
        var (machine, buffer) = (Self.machine([.pap]), Buffer())
        machine.openLCP(&buffer)
        let data = PAPCodec.encodeRequest(name: [1], password: [2])
        _ = Self.answer(&machine, PPPControlPacket(code: 1, identifier: 1, data: data), .pap)
        _ = Self.answer(&machine, Self.request(9, [PPPOption(5, [9, 9, 9, 9])]))
        #expect(machine.phase == .terminate)
        machine.handle(.admitted(Self.addresses, message: []), at: .now, into: &buffer)
        #expect(machine.phase == .terminate)
    }

    @Test func `malformed frames are counted in every phase, and change nothing`() {
        let frames = VectorFile.load("ppp").flatMap { file in
            file.all("malformed").compactMap { bytes(hexadecimal: $0.filter { !$0.isWhitespace }) }
        }
        for methods in [[], [.pap], [.chapMD5]] as [[PPPAuthentication]] {
            var bench = LinkBench(methods)
            bench.start()
            for untilMs in [0, 3, 15, 40, 1_000] {
                bench.run(untilMs: untilMs)
                for frame in frames {
                    let before = bench.server
                    var buffer = Buffer()
                    bench.server.handle(.received(frame), at: .now, into: &buffer)
                    let actions = buffer.drained()
                    let counted: [PPPServerMachine.Action] = [.count(.malformed), .count(.unexpected)]
                    #expect(bench.server == before && actions.allSatisfy(counted.contains), "\(frame)")
                }
            }
            bench.run()
            #expect(bench.client.isOpen)
        }
    }

    @Test func `after the end every event is ignored`() {
        var (machine, buffer) = Self.started()
        machine.handle(.linkLost, at: .now, into: &buffer)
        _ = buffer.drained()
        let end = machine
        let events: [PPPServerMachine.Event] = [
            .start, .received([0xc0, 0x21, 1, 1, 0, 4]), .timerFired(.lcp), .admitted(Self.addresses, message: []),
            .denied(message: []), .confirmed, .confirmationFailed, .close(.adminReset), .linkLost,
        ]
        for event in events { machine.handle(event, at: .now, into: &buffer) }
        #expect(buffer.drained().isEmpty && machine == end)
    }

    @Test func `a machine is a few hundred bytes, and an open one holds no packet`() {
        print("ppp: a server machine is \(MemoryLayout<PPPServerMachine>.size) bytes")
        #expect(MemoryLayout<PPPServerMachine>.size <= 400)
        var bench = LinkBench([.msChapV2])
        bench.start()
        bench.run()
        var text = ""
        dump(bench.server, to: &text)
        #expect(bench.isOpen && !text.contains("PPPControlPacket"))
    }
}
