// SPDX-License-Identifier: Apache-2.0
// The server automaton by tables of events and actions.

import BNGCore
import DHCPv4
import TestVectors
import Testing

private let server = IPv4Address(rawValue: 0xc000_0201)
private let gateway = IPv4Address(rawValue: 0x6440_0001)
private let address = IPv4Address(rawValue: 0x6440_0102)
private let other = IPv4Address(rawValue: 0x6440_0201)
private let client = MACAddress(rawValue: 0x0200_5e10_2030)

private let parameters = DHCPv4Parameters(
    serverIdentifier: server, gateway: gateway, netmask: IPv4Address(rawValue: 0xffff_0000), lease: 3600, renewal: 1800,
    rebinding: 3150,
    options: [.init(code: 6, data: [192, 0, 2, 53]), .init(code: 15, data: Array("example.net".utf8))])

private func message(
    _ type: DHCPv4MessageType, requested: IPv4Address? = nil, server: IPv4Address? = nil, ciaddr: IPv4Address = .zero,
    xid: UInt32 = 1, list: [UInt8]? = nil, extra: [(UInt8, [UInt8])] = []
) -> DHCPv4Message {
    var message = DHCPv4Message(op: .request, xid: xid, clientAddress: ciaddr, clientMAC: client)
    message.options.append(53, [type.rawValue])
    if let requested { message.options.append(50, requested) }
    if let server { message.options.append(54, server) }
    if let list { message.options.append(55, list) }
    for (code, value) in extra { message.options.append(code, value) }
    return message
}

/// Runs events and returns what each caused, in words.
private func run(_ machine: inout DHCPv4ServerMachine, _ events: [DHCPv4ServerMachine.Event]) -> [[String]] {
    events.map { event in
        var buffer = ActionBuffer<DHCPv4ServerMachine.Action>()
        machine.handle(event, at: .now, into: &buffer)
        return buffer.actions.map(words)
    }
}

private func words(_ action: DHCPv4ServerMachine.Action) -> String {
    switch action {
    case .requestAddress(let wish, let exact): "request \(wish.map { "\($0)" } ?? "any")\(exact ? " exactly" : "")"
    case .withdrawOffer: "withdraw"
    case .grantLease(let address): "grant \(address)"
    case .released: "released"
    case .declined(let address): "declined \(address)"
    case .send(let reply, let delivery): "\(reply.type.map { "\($0)" } ?? "?") \(reply.yourAddress) \(delivery)"
    case .startTimer: "start"
    case .cancelTimer: "cancel"
    case .count(let counter): "count \(counter.rawValue)"
    }
}

struct ServerMachineTests {
    @Test func `a new client goes from discover to bound`() {
        var machine = DHCPv4ServerMachine(parameters: parameters)
        let steps = run(
            &machine,
            [
                .received(message(.discover)), .addressGranted(address),
                .received(message(.request, requested: address, server: server)), .leaseGranted,
            ])
        #expect(
            steps == [
                ["request any"], ["offer 100.64.1.2 hardware(100.64.1.2)", "start"], ["cancel", "grant 100.64.1.2"],
                ["ack 100.64.1.2 hardware(100.64.1.2)"],
            ])
        #expect(!machine.isIdle)
    }

    @Test func `nothing is acknowledged before the lease is granted, nor after it was refused`() {
        var machine = DHCPv4ServerMachine(parameters: parameters)
        let steps = run(
            &machine,
            [
                .received(message(.discover)), .addressGranted(address),
                .received(message(.request, requested: address, server: server)),
                .received(message(.request, requested: address, server: server, xid: 2)), .leaseDenied,
            ])
        #expect(Array(steps[2...]) == [["cancel", "grant 100.64.1.2"], ["count duplicate"], ["count silent"]])
        #expect(machine.isIdle)
    }

    @Test func `the retransmission that came last is the one answered`() throws {
        var machine = DHCPv4ServerMachine(parameters: parameters, boundTo: address)
        _ = run(
            &machine,
            [
                .received(message(.request, ciaddr: address, xid: 7)),
                .received(message(.request, ciaddr: address, xid: 8)),
            ])
        var buffer = ActionBuffer<DHCPv4ServerMachine.Action>()
        machine.handle(.leaseGranted, at: .now, into: &buffer)
        guard case .send(let reply, .unicast(address)) = try #require(buffer.actions.first) else {
            Issue.record("no unicast ACK: \(buffer.actions)")
            return
        }
        #expect(reply.xid == 8)
    }

    @Test func `an offer lapses`() {
        var machine = DHCPv4ServerMachine(parameters: parameters)
        let steps = run(&machine, [.received(message(.discover)), .addressGranted(address), .timerFired(.offer)])
        #expect(steps[2] == ["withdraw"])
        #expect(machine.isIdle)
    }

    @Test func `a client that chose another server frees the offer and hears nothing`() {
        var machine = DHCPv4ServerMachine(parameters: parameters)
        let steps = run(
            &machine,
            [
                .received(message(.discover)), .addressGranted(address),
                .received(message(.request, requested: address, server: other)),
            ])
        #expect(steps[2] == ["count other_server", "cancel", "withdraw"])
    }

    @Test func `a bound client of another server keeps its lease and hears nothing`() {
        var machine = DHCPv4ServerMachine(parameters: parameters, boundTo: address)
        #expect(
            run(&machine, [.received(message(.request, requested: address, server: other))]) == [["count other_server"]]
        )
        #expect(!machine.isIdle)
    }

    @Test(
        arguments: [
            (message(.request, requested: other, server: server), "nak 0.0.0.0 broadcast"),
            (message(.request, requested: other), "nak 0.0.0.0 broadcast"),
            (message(.request, ciaddr: other), "nak 0.0.0.0 broadcast"),
            (message(.request, requested: address, server: server), "grant 100.64.1.2"),
            (message(.request, requested: address), "grant 100.64.1.2"),
            (message(.request, ciaddr: address), "grant 100.64.1.2"),
            (message(.discover), "offer 100.64.1.2 hardware(100.64.1.2)"),
            (message(.release, server: server, ciaddr: address), "released"),
            (message(.release, server: other, ciaddr: address), "count ignored"),
            (message(.release, server: server, ciaddr: other), "count ignored"),
            (message(.decline, requested: address, server: server), "declined 100.64.1.2"),
            (message(.decline, requested: other, server: server), "count ignored"),
            (message(.decline, requested: address), "count malformed"),
            (message(.inform, ciaddr: address), "ack 0.0.0.0 unicast(100.64.1.2)"),
            (message(.inform), "count malformed"),
            (message(.offer), "count malformed"),
            (message(.request), "count malformed"),
            (message(.request, requested: address, ciaddr: address), "count malformed"),
        ] as [(DHCPv4Message, String)])
    func `a bound client's message is answered by RFC 2131 4.3`(_ input: DHCPv4Message, _ expected: String) {
        var machine = DHCPv4ServerMachine(parameters: parameters, boundTo: address)
        #expect(run(&machine, [.received(input)]) == [[expected]])
    }

    @Test(
        arguments: [
            (
                message(.request, requested: address, server: server), DHCPv4ServerMachine.Denial.wrong,
                "nak 0.0.0.0 broadcast"
            ),
            (message(.request, requested: address, server: server), .unavailable, "nak 0.0.0.0 broadcast"),
            (message(.request, requested: address), .wrong, "nak 0.0.0.0 broadcast"),
            (message(.request, requested: address), .unavailable, "count silent"),
            (message(.request, ciaddr: address), .unknown, "count silent"),
            (message(.request, ciaddr: address), .wrong, "nak 0.0.0.0 broadcast"),
        ] as [(DHCPv4Message, DHCPv4ServerMachine.Denial, String)])
    func `an unknown client's request is verified`(
        _ input: DHCPv4Message, _ denial: DHCPv4ServerMachine.Denial, _ expected: String
    ) {
        var machine = DHCPv4ServerMachine(parameters: parameters)
        let steps = run(&machine, [.received(input), .addressDenied(denial)])
        #expect(steps == [["request 100.64.1.2 exactly"], [expected]])
        #expect(machine.isIdle)
    }

    @Test func `mask comes before router and only what was asked for is sent`() throws {
        var machine = DHCPv4ServerMachine(parameters: parameters, boundTo: address)
        var buffer = ActionBuffer<DHCPv4ServerMachine.Action>()
        let request = message(.discover, list: [15, 3, 1], extra: [(61, [1, 2]), (82, [1, 1, 9])])
        machine.handle(.received(request), at: .now, into: &buffer)
        guard case .send(let reply, _) = try #require(buffer.actions.first) else { return }
        #expect(reply.options.codes == [53, 54, 51, 58, 59, 1, 3, 15, 61, 82])
        let bytes = DHCPv4Codec.encode(reply)
        let decoded = try DHCPv4Codec.decode(bytes.span)
        #expect(decoded.options.codes.last == 82)
    }

    @Test func `a reply stays within the size the client can take`() throws {
        var big = parameters
        big.options = (100..<110).map { .init(code: $0, data: [UInt8](repeating: $0, count: 100)) }
        for (limit, fits) in [(nil, 2), ([UInt8(0x04), 0xb0], 8), ([0, 10], 2)] as [([UInt8]?, Int)] {
            var machine = DHCPv4ServerMachine(parameters: big, boundTo: address)
            var buffer = ActionBuffer<DHCPv4ServerMachine.Action>()
            let extra = limit.map { [(UInt8(57), $0)] } ?? []
            machine.handle(.received(message(.discover, extra: extra)), at: .now, into: &buffer)
            guard case .send(let reply, _) = try #require(buffer.actions.first) else { return }
            #expect(reply.options.codes.filter { $0 >= 100 }.count == fits)
            #expect(DHCPv4Codec.encode(reply).count + 28 <= max(576, limit == nil ? 576 : 1200))
        }
    }

    @Test func `any order of events leaves a machine that serves the next client message`() {
        var generator = SplitMix64(state: 2026)
        let events: [DHCPv4ServerMachine.Event] = [
            .received(message(.discover)), .received(message(.request, requested: address, server: server)),
            .received(message(.request, ciaddr: address)), .received(message(.request, requested: other)),
            .received(message(.release, server: server, ciaddr: address)),
            .received(message(.decline, requested: address, server: server)),
            .received(message(.inform, ciaddr: address)),
            .addressGranted(address), .addressDenied(.wrong), .leaseGranted, .leaseDenied, .leaseEnded, .offerLost,
            .timerFired(.offer),
        ]
        for _ in 0..<2_000 {
            var machine = DHCPv4ServerMachine(parameters: parameters)
            var buffer = ActionBuffer<DHCPv4ServerMachine.Action>()
            var granted = false
            for _ in 0..<30 {
                let event = events[Int(generator.next() % UInt64(events.count))]
                if case .leaseGranted = event { granted = true } else { granted = false }
                machine.handle(event, at: .now, into: &buffer)
                for case .send(let reply, _) in buffer.actions where reply.type == .ack && reply.yourAddress != .zero {
                    #expect(granted, "an ACK without a grant")
                }
                buffer.drain { _ in }
            }
            machine.handle(.leaseEnded, at: .now, into: &buffer)
            buffer.drain { _ in }
            machine.handle(.received(message(.discover)), at: .now, into: &buffer)
            #expect(buffer.actions.map(words) == ["request any"])
        }
    }
}
