// SPDX-License-Identifier: Apache-2.0
// Whether a server is worth asking before the others of its group.

import BNGCore

/// Three unanswered messages in a row over three seconds, and a server is passed over for a while; any answer brings it back. It is
/// never passed over for want of another: a server that has no address left is as silent as one that is gone.
struct ServerHealth {
    private(set) var sent: UInt64 = 0
    private(set) var answered: UInt64 = 0
    private(set) var unanswered: UInt64 = 0
    private(set) var silences: UInt64 = 0
    private var inARow = 0
    private var since: ContinuousClock.Instant?
    private var heldDownUntil: ContinuousClock.Instant?

    func isAlive(at now: ContinuousClock.Instant) -> Bool { self.heldDownUntil.map { $0 <= now } ?? true }

    /// Nothing has come from it since it was found silent.
    var isSilent: Bool { self.heldDownUntil != nil }

    mutating func countSent() { self.sent += 1 }

    /// True: it was silent until now.
    mutating func gotAnswer() -> Bool {
        defer { self.heldDownUntil = nil }
        self.answered += 1
        (self.inARow, self.since) = (0, nil)
        return self.isSilent
    }

    /// True: from now on it is silent.
    mutating func gotNone(at now: ContinuousClock.Instant, holdDown: Duration) -> Bool {
        self.unanswered += 1
        self.inARow += 1
        let since = self.since ?? now
        self.since = since
        guard self.inARow >= 3, since.duration(to: now) >= .seconds(3) else { return false }
        let wasSilent = self.isSilent
        self.heldDownUntil = now + holdDown
        if !wasSilent { self.silences += 1 }
        return !wasSilent
    }
}
