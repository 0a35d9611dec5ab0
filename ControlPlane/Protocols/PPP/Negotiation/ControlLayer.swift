// SPDX-License-Identifier: Apache-2.0
// What one control protocol of a link keeps beside its options: the automaton, its counters and identifiers.

/// One of LCP, IPCP, IPv6CP.
struct ControlLayer: Equatable, Sendable {
    var automaton: PPPAutomaton
    /// The Restart counter.
    var restarts: UInt8 = 0
    /// Of the last Configure-Request or Terminate-Request sent.
    var identifier: UInt8
    /// A valid reply to it has come; another one is a duplicate.
    var isAnswered = true
    /// Of the peer's request that was acknowledged last.
    var acknowledged: UInt8?
    /// Duplicates of it that were acknowledged again.
    var repeats: UInt8 = 0
    var naksSent: UInt8 = 0
    var naksReceived: UInt8 = 0

    init(state: PPPAutomaton.State = .initial, identifier: UInt8) {
        self.automaton = PPPAutomaton(state: state)
        self.identifier = identifier
    }

    var state: PPPAutomaton.State { self.automaton.state }
}

/// Names of the three.
enum Layer: UInt8, CaseIterable, Sendable {
    case lcp, ipcp, ipv6cp

    var number: PPPProtocol {
        switch self {
        case .lcp: .lcp
        case .ipcp: .ipcp
        case .ipv6cp: .ipv6cp
        }
    }

    var timer: PPPServerMachine.Timer {
        switch self {
        case .lcp: .lcp
        case .ipcp: .ipcp
        case .ipv6cp: .ipv6cp
        }
    }
}
