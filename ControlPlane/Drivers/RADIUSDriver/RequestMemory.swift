// SPDX-License-Identifier: Apache-2.0
// Requests of RFC 5176 that were seen: a copy must not act twice, however late it comes.
//
// A genuine request is known by its authenticator, which is computed over all of it and the secret. It is remembered until its
// Event-Timestamp would refuse a copy anyway; its answer is kept for less.

import NIOCore
import RADIUS

struct RequestMemory {
    struct Key: Hashable {
        var client: Int
        var authenticator: RADIUSAuthenticator
    }

    enum State {
        case working
        case answered([UInt8])
        /// Done with; the answer is no longer kept.
        case spent
    }

    private var states: [Key: State] = [:]
    private var answers = CircularBuffer<(key: Key, until: NIODeadline)>()
    /// By the time of forgetting: as the window is one for all, nearly in order.
    private var ends = CircularBuffer<(key: Key, until: NIODeadline)>()

    var count: Int { self.states.count }
    subscript(key: Key) -> State? { self.states[key] }

    /// Remembers a request until then.
    mutating func begin(_ key: Key, until: NIODeadline) {
        self.states[key] = .working
        self.ends.append((key, until))
    }

    mutating func answered(_ key: Key, _ bytes: [UInt8], until: NIODeadline) {
        guard self.states[key] != nil else { return }
        self.states[key] = .answered(bytes)
        self.answers.append((key, until))
    }

    mutating func abandon(_ key: Key) {
        if self.states[key] != nil { self.states[key] = .spent }
    }

    mutating func expire(_ now: NIODeadline) {
        while let first = self.answers.first, first.until <= now {
            self.answers.removeFirst()
            if case .answered = self.states[first.key] { self.states[first.key] = .spent }
        }
        while let first = self.ends.first, first.until <= now {
            self.ends.removeFirst()
            self.states[first.key] = nil
        }
    }
}
