// SPDX-License-Identifier: Apache-2.0
// The state transition table of RFC 1661 4.1.

extension PPPAutomaton {
    struct Transition: Equatable, Sendable {
        var actions: Actions
        var next: State

        init(_ actions: Actions, _ next: State) {
            self.actions = actions
            self.next = next
        }

        init(_ next: State) { self.init([], next) }
    }

    /// A row for each event, a column for each state; nil: cannot happen.
    static let table: [[Transition?]] = Event.allCases.map { Self.firstHalf($0) + Self.secondHalf($0) }

    /// Initial, Starting, Closed, Stopped, Closing, Stopping.
    private static func firstHalf(_ event: Event) -> [Transition?] {
        let closing = Transition(.closing)
        let stopping = Transition(.stopping)
        let closed = Transition(.sta, .closed)
        let stopped = Transition(.sta, .stopped)
        switch event {
        case .up: return [.init(.closed), .init([.irc, .scr], .reqSent), nil, nil, nil, nil]
        case .down: return [nil, nil, .init(.initial), .init(.tls, .starting), .init(.initial), .init(.starting)]
        case .open:
            return [
                .init(.tls, .starting), .init(.starting), .init([.irc, .scr], .reqSent), .init(.stopped), stopping,
                stopping,
            ]
        case .close: return [.init(.initial), .init(.tlf, .initial), .init(.closed), .init(.closed), closing, closing]
        case .timeout: return [nil, nil, nil, nil, .init(.str, .closing), .init(.str, .stopping)]
        case .timeoutLast: return [nil, nil, nil, nil, .init(.tlf, .closed), .init(.tlf, .stopped)]
        case .goodRequest: return [nil, nil, closed, .init([.irc, .scr, .sca], .ackSent), closing, stopping]
        case .badRequest: return [nil, nil, closed, .init([.irc, .scr, .scn], .reqSent), closing, stopping]
        case .ack, .nak: return [nil, nil, closed, stopped, closing, stopping]
        case .terminateRequest: return [nil, nil, closed, stopped, .init(.sta, .closing), .init(.sta, .stopping)]
        case .terminateAck:
            return [nil, nil, .init(.closed), .init(.stopped), .init(.tlf, .closed), .init(.tlf, .stopped)]
        case .unknownCode:
            return [
                nil, nil, .init(.scj, .closed), .init(.scj, .stopped), .init(.scj, .closing), .init(.scj, .stopping),
            ]
        case .permittedReject, .echo: return [nil, nil, .init(.closed), .init(.stopped), closing, stopping]
        case .fatalReject:
            return [
                nil, nil, .init(.tlf, .closed), .init(.tlf, .stopped), .init(.tlf, .closed), .init(.tlf, .stopped),
            ]
        }
    }

    /// Req-Sent, Ack-Rcvd, Ack-Sent, Opened.
    private static func secondHalf(_ event: Event) -> [Transition?] {
        let terminate = Transition([.irc, .str], .closing)
        let failed = Transition(.tlf, .stopped)
        let terminated = Transition(.sta, .reqSent)
        let again = Transition(.scr, .reqSent)
        let downAgain = Transition([.tld, .scr], .reqSent)
        switch event {
        case .up: return [nil, nil, nil, nil]
        case .down: return [.init(.starting), .init(.starting), .init(.starting), .init(.tld, .starting)]
        case .open: return [.init(.reqSent), .init(.ackRcvd), .init(.ackSent), .init(.opened)]
        case .close: return [terminate, terminate, terminate, .init([.tld, .irc, .str], .closing)]
        case .timeout: return [again, again, .init(.scr, .ackSent), nil]
        case .timeoutLast: return [failed, failed, failed, nil]
        case .goodRequest:
            return [
                .init(.sca, .ackSent), .init([.sca, .tlu], .opened), .init(.sca, .ackSent),
                .init([.tld, .scr, .sca], .ackSent),
            ]
        case .badRequest:
            return [
                .init(.scn, .reqSent), .init(.scn, .ackRcvd), .init(.scn, .reqSent),
                .init([.tld, .scr, .scn], .reqSent),
            ]
        case .ack: return [.init(.irc, .ackRcvd), again, .init([.irc, .tlu], .opened), downAgain]
        case .nak: return [.init([.irc, .scr], .reqSent), again, .init([.irc, .scr], .ackSent), downAgain]
        case .terminateRequest: return [terminated, terminated, terminated, .init([.tld, .zrc, .sta], .stopping)]
        case .terminateAck: return [.init(.reqSent), .init(.reqSent), .init(.ackSent), downAgain]
        case .unknownCode:
            return [.init(.scj, .reqSent), .init(.scj, .ackRcvd), .init(.scj, .ackSent), .init(.scj, .opened)]
        case .permittedReject: return [.init(.reqSent), .init(.reqSent), .init(.ackSent), .init(.opened)]
        case .fatalReject: return [failed, failed, failed, .init([.tld, .irc, .str], .stopping)]
        case .echo: return [.init(.reqSent), .init(.ackRcvd), .init(.ackSent), .init(.ser, .opened)]
        }
    }
}
