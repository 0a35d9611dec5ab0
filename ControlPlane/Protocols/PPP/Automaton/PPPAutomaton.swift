// SPDX-License-Identifier: Apache-2.0
// The option negotiation automaton of RFC 1661 4, used alike by LCP, IPCP and IPv6CP: states, events, actions.
// Counters, timers and options belong to whoever feeds it.

/// The state of one control protocol.
///
/// Of the remarks to the RFC's table: `p` (passive) and `r` (restart) are options we do not take, `x` (crossed
/// connection) is what the table says.
public struct PPPAutomaton: Hashable, Sendable {
    /// RFC 1661 4.2.
    public enum State: UInt8, CaseIterable, Sendable, Codable {
        case initial, starting, closed, stopped, closing, stopping, reqSent, ackRcvd, ackSent, opened

        /// States in which the Restart timer runs (RFC 1661 4.2).
        public var isTimed: Bool { (State.closing.rawValue...State.ackSent.rawValue).contains(self.rawValue) }
    }

    /// RFC 1661 4.3, in the order of its table.
    public enum Event: UInt8, CaseIterable, Sendable {
        /// The lower layer is ready, or no longer is.
        case up, down
        /// The administrator wants the link, or no longer does.
        case open, close
        /// TO+ and TO-: the Restart timer ran out, with restarts left and without.
        case timeout, timeoutLast
        /// RCR+ and RCR-: a Configure-Request that can be acknowledged, and one that cannot.
        case goodRequest, badRequest
        /// RCA: a Configure-Ack.
        case ack
        /// RCN: a Configure-Nak or Configure-Reject.
        case nak
        /// RTR and RTA.
        case terminateRequest, terminateAck
        /// RUC: a code nobody knows.
        case unknownCode
        /// RXJ+ and RXJ-: a Code-Reject or Protocol-Reject that can be lived with, and one that cannot.
        case permittedReject, fatalReject
        /// RXR: an Echo-Request, Echo-Reply or Discard-Request.
        case echo
    }

    /// RFC 1661 4.4. A set that is always carried out in this order.
    public struct Actions: OptionSet, Hashable, Sendable, Sequence {
        public let rawValue: UInt16

        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// This-Layer-Down.
        public static let tld = Actions(rawValue: 1 << 0)
        /// Initialize-Restart-Count, Zero-Restart-Count.
        public static let irc = Actions(rawValue: 1 << 1)
        public static let zrc = Actions(rawValue: 1 << 2)
        /// Send-Configure-Request, -Ack, -Nak or -Reject.
        public static let scr = Actions(rawValue: 1 << 3)
        public static let sca = Actions(rawValue: 1 << 4)
        public static let scn = Actions(rawValue: 1 << 5)
        /// Send-Terminate-Request, -Ack.
        public static let str = Actions(rawValue: 1 << 6)
        public static let sta = Actions(rawValue: 1 << 7)
        /// Send-Code-Reject.
        public static let scj = Actions(rawValue: 1 << 8)
        /// Send-Echo-Reply.
        public static let ser = Actions(rawValue: 1 << 9)
        /// This-Layer-Up, -Started, -Finished.
        public static let tlu = Actions(rawValue: 1 << 10)
        public static let tls = Actions(rawValue: 1 << 11)
        public static let tlf = Actions(rawValue: 1 << 12)

        /// The single actions, in order.
        public struct Iterator: IteratorProtocol {
            var rest: UInt16

            public mutating func next() -> Actions? {
                guard self.rest != 0 else { return nil }
                let bit = self.rest & (~self.rest &+ 1)
                self.rest &= ~bit
                return Actions(rawValue: bit)
            }
        }

        public func makeIterator() -> Iterator { Iterator(rest: self.rawValue) }
    }

    public private(set) var state: State

    public init(state: State = .initial) { self.state = state }

    /// Moves on as the table says. An event that the table has no entry for changes nothing.
    public mutating func handle(_ event: Event) -> Actions {
        guard let transition = Self.table[Int(event.rawValue)][Int(self.state.rawValue)] else { return [] }
        self.state = transition.next
        return transition.actions
    }
}
