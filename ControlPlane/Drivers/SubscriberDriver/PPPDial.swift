// SPDX-License-Identifier: Apache-2.0
// The PPP side of a line's entry: the link's machine, and what is needed only while a client dials.

import BNGCore
import PPP
import PPPoE
import Subscribers

/// A PPPoE session from its PADR to its end. Touched only on its shard's loop.
final class PPPDial {
    let policy: PPPoEPolicy
    var machine: PPPServerMachine
    /// Only until IPCP has opened.
    var setup: Setup?
    /// Unix second of each timer, by its raw value; 0: not running.
    private var deadlines: [Int64]
    /// Why it ends, where the link itself does not know.
    var endCause: TerminateCause?
    /// The client has hung up: nothing is sent to it any more.
    var isPeerGone = false

    struct Setup {
        /// What came, so that the same request gets the same answer.
        var request: PPPoEDiscovery
        var maxPayload: UInt16?
        var userName = ""
        var credential = AuthorizationRequest.Credential.line
        /// What the client is told when it is let in.
        var message: [UInt8] = []
    }

    init(policy: PPPoEPolicy, machine: PPPServerMachine, setup: Setup?) {
        self.policy = policy
        self.machine = machine
        self.setup = setup
        self.deadlines = setup == nil ? [] : Array(repeating: 0, count: PPPServerMachine.Timer.allCases.count)
    }

    /// The client has shown a password, which is not kept: it cannot be asked about again.
    var isProven: Bool { self.machine.link.authentication != nil }

    var service: String { self.setup.map { String(decoding: $0.request.serviceName ?? [], as: UTF8.self) } ?? "" }

    func setDeadline(_ timer: PPPServerMachine.Timer, _ second: Int64) {
        if self.deadlines.isEmpty {
            guard second != 0 else { return }
            self.deadlines = Array(repeating: 0, count: PPPServerMachine.Timer.allCases.count)
        }
        self.deadlines[Int(timer.rawValue)] = second
    }

    /// Whether the timer is due at that second; it then no longer runs.
    func takeDeadline(_ timer: PPPServerMachine.Timer, at second: Int64) -> Bool {
        guard !self.deadlines.isEmpty else { return false }
        let due = self.deadlines[Int(timer.rawValue)]
        guard due != 0, due <= second else { return false }
        self.deadlines[Int(timer.rawValue)] = 0
        return true
    }

    func isAnswering(_ request: PPPoEDiscovery) -> Bool {
        guard let mine = self.setup?.request else { return false }
        return mine.acCookie == request.acCookie && mine.hostUniq == request.hostUniq
    }

    /// The dialling is over: what only it needed is forgotten.
    func established() {
        self.setup = nil
        if self.deadlines.allSatisfy({ $0 == 0 }) { self.deadlines = [] }
    }
}

extension TerminateCause {
    init(_ reason: PPPTerminateReason) {
        switch reason {
        case .userRequest: self = .userRequest
        case .lostCarrier: self = .lostCarrier
        case .adminReset: self = .adminReset
        case .sessionTimeout: self = .sessionTimeout
        case .idleTimeout: self = .idleTimeout
        case .replaced: self = .replaced
        case .authenticationFailed, .authenticationTimeout: self = .reauthenticationFailed
        default: self = .portError
        }
    }
}

extension PPPTerminateReason {
    init(_ cause: TerminateCause) {
        switch cause {
        case .userRequest: self = .userRequest
        case .lostCarrier: self = .lostCarrier
        case .sessionTimeout: self = .sessionTimeout
        case .idleTimeout: self = .idleTimeout
        case .replaced: self = .replaced
        default: self = .adminReset
        }
    }
}
