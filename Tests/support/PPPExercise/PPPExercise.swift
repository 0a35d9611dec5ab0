// SPDX-License-Identifier: Apache-2.0
// A server machine fed with a list of events made of bytes, and the promises it keeps whatever they are. The fuzzer
// and a unit test feed it.

import BNGCore
import PPP

/// Takes bytes as events; what it returns is a promise that was not kept.
///
/// The first byte chooses the configuration. Then each event is a byte, and for received frames a length and as many
/// bytes.
public struct PPPExercise: Sendable {
    private var machine: PPPServerMachine
    private var buffer = ActionBuffer<PPPServerMachine.Action>()
    private var timers: Set<UInt8> = []
    private var lastRequests: [PPPProtocol: PPPControlPacket] = [:]
    private var isConfirmed = false
    private var confirms = 0
    private var problem: String?
    private static let now = ContinuousClock.now

    private init(_ configuration: UInt8) {
        let methods = PPPAuthentication.allCases.enumerated().filter { configuration >> UInt8($0.offset) & 1 == 1 }
        var settings = PPPConfiguration(
            authentication: methods.map(\.element), mru: configuration & 8 == 0 ? 1_492 : 1_500,
            ipv6cp: configuration & 16 == 0, hostName: "bng")
        settings.maxConfigure = 3
        let seeds = PPPSeeds(magic: 0x0102_0304, challenge: [UInt8](1...16), interfaceID: 5)
        if configuration & 32 == 0 {
            self.machine = PPPServerMachine(configuration: settings, seeds: seeds)
        } else {
            self.machine = PPPServerMachine(
                restored: Self.link, addresses: Self.addresses, configuration: settings, seeds: seeds)
            self.isConfirmed = true
        }
    }

    private static let addresses = PPPAddresses(
        local: IPv4Address(rawValue: 0x6440_0001), peer: IPv4Address(rawValue: 0x6440_0009),
        dns: [IPv4Address(rawValue: 0x0808_0808)])
    private static let link = {
        var link = PPPLink()
        (link.localMagic, link.peerMagic, link.peerMRU, link.localMRU) = (9, 8, 1_492, 1_492)
        (link.localInterfaceID, link.peerInterfaceID) = (3, 4)
        return link
    }()

    /// nil: every promise was kept.
    public static func problem(with data: [UInt8]) -> String? {
        for frame in [data, Array(data.dropFirst())] {
            if let packet = try? PPPCodec.decodePacket(frame.span) {
                let again = PPPCodec.encode(packet, of: .lcp)
                if (try? PPPCodec.decodePacket(again.span)) != packet { return "an encoded packet decodes to another" }
            }
            if let options = try? PPPCodec.decodeOptions(frame.span), PPPCodec.encode(options) != frame {
                return "options do not encode to what they were"
            }
        }
        var exercise = PPPExercise(data.first ?? 0)
        exercise.run(Array(data.dropFirst()))
        return exercise.problem
    }

    private mutating func run(_ data: [UInt8]) {
        var cursor = ByteCursor(end: data.count)
        while self.problem == nil, let code = try? cursor.readUInt8(data.span) {
            guard let event = self.event(code, data, &cursor) else { return }
            self.feed(event)
        }
        guard self.problem == nil, !self.machine.isFinished else { return }
        self.feed(.linkLost)
        if !self.machine.isFinished { self.problem = "a lost link is not finished" }
    }

    private mutating func event(
        _ code: UInt8, _ data: [UInt8], _ cursor: inout ByteCursor
    ) -> PPPServerMachine.Event? {
        switch code % 16 {
        case 0: return .start
        case 1, 2:
            guard let count = try? cursor.readUInt8(data.span) else { return nil }
            let length = min(Int(count), cursor.remaining)
            return (try? cursor.readBytes(length, data.span)).map { .received($0) }
        case 3, 4, 5, 6: return self.reply(code)
        case 7:
            let timer = PPPServerMachine.Timer(rawValue: code >> 4 % 5) ?? .phase
            self.timers.remove(timer.rawValue)
            return .timerFired(timer)
        case 8, 9: return .admitted(Self.addresses, message: [code])
        case 10: return .denied(message: [])
        case 11, 12:
            if self.confirms > 0 { self.isConfirmed = true }
            return .confirmed
        case 13: return .confirmationFailed
        case 14: return .close(.adminReset)
        default: return .linkLost
        }
    }

    /// An answer to what the machine asked last, which no random bytes would find: Ack, Nak or Reject.
    private func reply(_ code: UInt8) -> PPPServerMachine.Event {
        let numbers: [PPPProtocol] = [.lcp, .ipcp, .ipv6cp]
        let number = numbers[Int(code >> 4) % 3]
        guard let last = self.lastRequests[number] else { return .received([]) }
        let packet = PPPControlPacket(
            code: code % 16 == 3 ? PPPCode.configureAck : code % 16 - 2, identifier: last.identifier, data: last.data)
        return .received(PPPCodec.encode(packet, of: number))
    }

    // MARK: Promises

    private mutating func feed(_ event: PPPServerMachine.Event) {
        let wasFinished = self.machine.isFinished
        self.machine.handle(event, at: Self.now, into: &self.buffer)
        var actions: [PPPServerMachine.Action] = []
        self.buffer.drain { actions.append($0) }
        if wasFinished, !actions.isEmpty { return self.fail("a finished machine acts") }
        for action in actions { self.check(action) }
        if self.machine.isFinished, !self.timers.isEmpty { self.fail("a finished machine has timers") }
        if self.machine.isFinished != (self.machine.phase == .dead), self.machine.isFinished {
            self.fail("a finished machine is in a phase")
        }
    }

    private mutating func check(_ action: PPPServerMachine.Action) {
        switch action {
        case .send(let frame): self.checkFrame(frame, isConfirmed: false)
        case .sendConfirmed(let frame):
            if !self.isConfirmed { self.fail("a frame goes out as confirmed, but is not") }
            self.checkFrame(frame, isConfirmed: true)
        case .confirm: self.confirms += 1
        case .ipv4Opened: if !self.isConfirmed { self.fail("IPv4 opens unconfirmed") }
        case .startTimer(let timer, let duration):
            if duration <= .zero { self.fail("a timer of no time") }
            self.timers.insert(timer.rawValue)
        case .cancelTimer(let timer):
            if self.timers.remove(timer.rawValue) == nil { self.fail("a timer is cancelled that does not run") }
        case .authenticate(_, let proof):
            if case .msChapV2(_, _, let response) = proof, response.count != 49 { self.fail("a short response") }
        case .ipv6Opened, .finished, .count: break
        }
    }

    private mutating func checkFrame(_ frame: [UInt8], isConfirmed: Bool) {
        guard let number = try? PPPCodec.protocolField(frame.span), let packet = try? PPPCodec.decodePacket(frame.span)
        else { return self.fail("a frame does not decode") }
        if frame.count > 2 + 1_500 { self.fail("a frame of \(frame.count) bytes") }
        if packet.code == PPPCode.configureRequest, number != .pap, number != .chap {
            self.lastRequests[number] = packet
        }
        if number == .ipcp, packet.code == PPPCode.configureAck, !isConfirmed {
            self.fail("an address is promised before it is confirmed")
        }
    }

    private mutating func fail(_ text: String) { self.problem = self.problem ?? text }
}
