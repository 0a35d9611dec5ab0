// SPDX-License-Identifier: Apache-2.0
// One request on its way: from server to server until one answers or its time is over.

import BNGCore
import NIOCore
import RADIUS
import Subscribers

final class Exchange {
    enum Question {
        case authorize(AuthorizationRequest, @Sendable (AuthorizationOutcome) -> Void)
        case account(AccountingRecord, @Sendable (Bool) -> Void)
        /// Status-Server to a dead server.
        case probe
    }

    /// The request as one server knows it.
    struct Attempt {
        var place: RequestPlace
        var bytes: [UInt8]
        var authenticator: RADIUSAuthenticator
        var schedule: RetransmissionSchedule
        var firstSent: NIODeadline
        var lastSent: NIODeadline
    }

    enum Stage {
        case unassigned
        /// For a place at this server.
        case waiting(ServerLink)
        case sent(ServerLink, Attempt)
        case finished
    }

    let question: Question
    let deadline: NIODeadline
    var stage = Stage.unassigned
    /// Names of servers that had their chance.
    var tried: Set<String> = []
    /// How often a lost connection sent it back to be assigned again.
    var restarts = 0
    var timer: Scheduled<Void>?

    init(_ question: Question, deadline: NIODeadline) {
        self.question = question
        self.deadline = deadline
    }

    var isFinished: Bool { if case .finished = self.stage { true } else { false } }

    /// Codes that answer it.
    func isAnswered(by code: RADIUSCode) -> Bool {
        switch self.question {
        case .authorize: code == .accessAccept || code == .accessReject || code == .accessChallenge
        case .account: code == .accountingResponse
        // Some servers reject what they do not expect; they live all the same.
        case .probe: code == .accessAccept || code == .accessReject || code == .accountingResponse
        }
    }
}
