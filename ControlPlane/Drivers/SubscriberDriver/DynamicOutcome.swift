// SPDX-License-Identifier: Apache-2.0
// Joins what became of one request of RFC 5176 on all its sessions, on all shards, into one answer.

import Subscribers
import Synchronization

/// Answers once: when every session has answered, at the first refusal, or when time is up.
final class DynamicOutcome: Sendable {
    private struct State {
        /// Shards that have not said how many sessions match.
        var shards: Int
        /// Sessions under way.
        var sessions = 0
        var matched = 0
        var refusal: DynamicAuthorizationResult?
        var isOver = false
    }

    private let state: Mutex<State>
    private let done: @Sendable (DynamicAuthorizationResult) -> Void

    init(waiting shards: Int, done: @escaping @Sendable (DynamicAuthorizationResult) -> Void) {
        self.state = Mutex(State(shards: shards))
        self.done = done
    }

    /// One more shard has begun with so many sessions.
    func began(_ count: Int) {
        self.advance { state in
            state.shards -= 1
            state.sessions += count
            state.matched += count
        }
    }

    func report(_ result: DynamicAuthorizationResult) {
        self.advance { state in
            state.sessions -= 1
            if result != .done, state.refusal == nil { state.refusal = result }
        }
    }

    func expire() {
        self.advance { state in
            guard state.shards > 0 || state.sessions > 0 else { return }
            (state.shards, state.sessions) = (0, 0)
            state.refusal = .refused(
                .resourcesUnavailable, "the node has not confirmed in time; what was asked takes effect when it does")
        }
    }

    private func advance(_ change: (inout State) -> Void) {
        let answer = self.state.withLock { state -> DynamicAuthorizationResult? in
            guard !state.isOver else { return nil }
            change(&state)
            guard state.shards == 0, state.sessions == 0 else { return nil }
            state.isOver = true
            if state.matched == 0 { return .refused(.sessionContextNotFound, "no session matches") }
            return state.refusal ?? .done
        }
        if let answer { self.done(answer) }
    }
}
