// SPDX-License-Identifier: Apache-2.0
// The sources of AAA asked one after the other, until one decides.

import LocalAAA
import SubscriberDriver
import Subscribers

/// Somebody who may know a customer. `done` is called once; nil: not known here.
typealias AuthorizationSource =
    @Sendable (AuthorizationRequest, @escaping @Sendable (AuthorizationOutcome?) -> Void) -> Void

/// Asks in order. An acceptance or a rejection decides; who is not known anywhere is rejected, unless a source that might have
/// known could not be asked.
struct AuthorityChain: Authorizing {
    let sources: [AuthorizationSource]

    func authorize(_ request: AuthorizationRequest, then done: @escaping @Sendable (AuthorizationOutcome) -> Void) {
        self.ask(request, 0, .reject(message: "unknown subscriber"), done)
    }

    private func ask(
        _ request: AuthorizationRequest, _ index: Int, _ fallback: AuthorizationOutcome,
        _ done: @escaping @Sendable (AuthorizationOutcome) -> Void
    ) {
        guard index < self.sources.count else { return done(fallback) }
        self.sources[index](request) { outcome in
            switch outcome {
            case nil: self.ask(request, index + 1, fallback, done)
            case .unavailable: self.ask(request, index + 1, .unavailable, done)
            case .some(let decision): done(decision)
            }
        }
    }
}

extension SubscriberRegistry {
    nonisolated var source: AuthorizationSource {
        let authenticator = self.authenticator
        return { request, done in authenticator.authorize(request, then: done) }
    }
}
