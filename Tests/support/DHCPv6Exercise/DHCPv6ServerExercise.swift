// SPDX-License-Identifier: Apache-2.0
// The server's automaton fed with a list of events made of bytes, and a world of resources that must neither be lost nor
// promised before they are confirmed.

import BNGCore
import DHCPv6

/// Takes bytes as events; what it returns is a promise that was not kept.
public struct DHCPv6ServerExercise {
    private static let serverID = DUID.enterprise(32_473, [1])
    private static let clientID = DUID.enterprise(32_473, [2])
    private static let now = ContinuousClock.now

    private var machine = DHCPv6ServerMachine(configuration: DHCPv6Configuration(serverID: Self.serverID))
    private var buffer = ActionBuffer<DHCPv6ServerMachine.Action>()
    private var questions: [DHCPv6AssociationKey] = []
    private var held: Set<DHCPv6Binding> = []
    private var confirmed: Set<DHCPv6Binding> = []
    private var asked: [DHCPv6Binding]?
    private var hasTimer = false
    private var next: UInt64 = 0
    private var problem: String?

    /// nil: every promise was kept.
    public static func problem(with data: [UInt8]) -> String? {
        var exercise = DHCPv6ServerExercise()
        for byte in data.prefix(512) where exercise.problem == nil { exercise.step(byte) }
        guard exercise.problem == nil else { return exercise.problem }
        exercise.feed(.ended)
        while exercise.problem == nil, !exercise.questions.isEmpty { exercise.answer(isGranted: true) }
        exercise.held.subtract(exercise.confirmed)
        if !exercise.held.isEmpty { return "\(exercise.held.count) resources are lost" }
        return exercise.problem
            ?? (exercise.machine.isIdle && !exercise.hasTimer ? nil : "an ended machine is not idle")
    }

    private mutating func step(_ byte: UInt8) {
        switch byte & 15 {
        case 0, 1: self.answer(isGranted: true)
        case 2: self.answer(isGranted: false)
        case 3, 4:
            if let asked { self.confirmed.formUnion(asked) }
            self.asked = nil
            self.feed(.confirmed)
        case 5:
            self.asked = nil
            self.feed(.confirmationFailed)
        case 6:
            guard self.hasTimer else { return }
            self.hasTimer = false
            self.feed(.timerFired(.offer))
        case 7: self.feed(.received(self.message(byte), isUnicast: true))
        default: self.feed(.received(self.message(byte), isUnicast: false))
        }
    }

    private func message(_ byte: UInt8) -> DHCPv6Message {
        let types: [DHCPv6MessageType] = [
            .solicit, .request, .confirm, .renew, .rebind, .release, .decline, .informationRequest,
        ]
        let type = types[Int(byte >> 5)]
        var message = DHCPv6Message(type, transactionID: UInt32(byte), options: [.clientID(Self.clientID)])
        if [.request, .renew, .release, .decline].contains(type) { message.options.append(.serverID(Self.serverID)) }
        if byte & 4 != 0 { message.options.append(.rapidCommit) }
        guard type != .informationRequest else { return message }
        for number in 0..<UInt32(1 + byte & 3) {
            for kind in [IdentityAssociation.Kind.nonTemporary, .delegation] {
                let key = DHCPv6AssociationKey(kind, number)
                let leases = self.machine.bindings.filter { $0.key == key }
                    .map { DHCPv6Option.lease(DHCPv6Lease($0.resource, preferred: 0, valid: 0)) }
                message.options.append(.association(IdentityAssociation(kind, id: number, options: leases)))
            }
        }
        return message
    }

    private mutating func answer(isGranted: Bool) {
        guard !self.questions.isEmpty else { return }
        let key = self.questions.removeFirst()
        guard isGranted else { return self.feed(.denied(key, .exhausted)) }
        self.next += 1
        let address = IPv6Address(high: 0x2001_0db8 << 32 | self.next, low: 0)
        let binding = DHCPv6Binding(
            key, key.kind == .delegation ? .prefix(IPv6Prefix(holding: address, length: 64)) : .address(address))
        self.held.insert(binding)
        self.feed(.granted(binding))
    }

    // MARK: Promises

    private mutating func feed(_ event: DHCPv6ServerMachine.Event) {
        self.machine.handle(event, at: Self.now, into: &self.buffer)
        var actions: [DHCPv6ServerMachine.Action] = []
        self.buffer.drain { actions.append($0) }
        for action in actions { self.check(action) }
    }

    private mutating func check(_ action: DHCPv6ServerMachine.Action) {
        switch action {
        case .requestAddress(let key, _, _), .requestPrefix(let key, _, _): self.questions.append(key)
        case .withdraw(let bindings):
            if !self.held.isSuperset(of: bindings) { self.problem = "what nobody holds is withdrawn" }
            if bindings.contains(where: self.machine.bindings.contains) { self.problem = "what is bound is withdrawn" }
            self.held.subtract(bindings)
            self.confirmed.subtract(bindings)
        case .released(let bindings), .declined(let bindings):
            if !self.confirmed.isSuperset(of: bindings) { self.problem = "what is not bound is given back" }
            self.held.subtract(bindings)
            self.confirmed.subtract(bindings)
        case .confirm(let bindings):
            if !self.held.isSuperset(of: bindings) { self.problem = "what nobody holds is confirmed" }
            self.asked = bindings
        case .send(let message): self.check(message)
        case .startTimer: self.hasTimer = true
        case .cancelTimer:
            if !self.hasTimer { self.problem = "a timer is cancelled that does not run" }
            self.hasTimer = false
        case .count: break
        }
    }

    private mutating func check(_ message: DHCPv6Message) {
        guard let bytes = DHCPv6Codec.encode(DHCPv6Packet(message)),
            (try? DHCPv6Codec.decode(bytes.span))?.message == message
        else { return self.problem = "an answer does not decode" }
        guard message.serverID == Self.serverID, message.clientID == Self.clientID else {
            return self.problem = "an answer without its names"
        }
        for association in message.associations {
            let key = DHCPv6AssociationKey(association.kind, association.id)
            for lease in association.leases where lease.valid > 0 {
                let binding = DHCPv6Binding(key, lease.resource)
                let isKept = message.type == .advertise ? self.held.contains(binding) : self.confirmed.contains(binding)
                if !isKept { self.problem = "a promise that was not confirmed" }
            }
        }
    }
}
