// SPDX-License-Identifier: Apache-2.0
// Which sessions a user holds, over all shards: the one place that can say whether one more is too many (FEATURES A12).

import BNGCore
import NIOCore
import Subscribers

/// Owner of the claims of some users, confined to its loop.
final class UserClaims: @unchecked Sendable {
    // Confined to `loop`: every method is called there (checked), hence @unchecked.
    let loop: any EventLoop
    /// Oldest first.
    private var claims: [String: [SessionID]] = [:]

    enum Answer: Equatable, Sendable {
        case granted
        /// Granted; these are to end.
        case replacing([SessionID])
        case denied
    }

    init(loop: any EventLoop) {
        self.loop = loop
    }

    /// - Parameter limit: sessions at once, at least 1.
    func claim(_ user: String, session: SessionID, limit: UInt32, policy: UserLimitPolicy) -> Answer {
        self.loop.preconditionInEventLoop()
        var held = self.claims[user] ?? []
        guard !held.contains(session) else { return .granted }
        let excess = held.count + 1 - Int(limit)
        guard excess > 0 else {
            self.claims[user] = held + [session]
            return .granted
        }
        guard policy == .replace else { return .denied }
        let victims = Array(held.prefix(excess))
        held.removeFirst(excess)
        self.claims[user] = held + [session]
        return .replacing(victims)
    }

    /// A stored session takes its place, whatever the limit is now.
    func restore(_ user: String, session: SessionID) {
        self.loop.preconditionInEventLoop()
        self.claims[user, default: []].append(session)
    }

    func release(_ user: String, session: SessionID) {
        self.loop.preconditionInEventLoop()
        guard var held = self.claims[user], let index = held.firstIndex(of: session) else { return }
        held.remove(at: index)
        self.claims[user] = held.isEmpty ? nil : held
    }
}
