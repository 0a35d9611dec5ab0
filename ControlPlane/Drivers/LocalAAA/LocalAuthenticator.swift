// SPDX-License-Identifier: Apache-2.0
// Answers for local subscribers: lines and sealed passwords at once on the caller's thread, scrypt on a few threads of its own.

import BNGCore
import NIOPosix
import Subscribers
import Synchronization

/// The local directory as the subscriber plane asks it.
public final class LocalAuthenticator: Sendable {
    /// Scrypts that may wait; more are answered `unavailable`: the client asks again.
    public static let queueLimit = 256

    private let directory: Mutex<LocalDirectory>
    private let cryptography: any PasswordCryptography
    private let threads: NIOThreadPool
    private let queueLimit: Int
    private let waiting = Atomic<Int>(0)

    /// - Parameter threads: each needs the memory of one scrypt (32 MiB).
    public init(
        _ directory: LocalDirectory, cryptography: any PasswordCryptography, threads: Int = 2,
        queueLimit: Int = LocalAuthenticator.queueLimit
    ) {
        self.directory = Mutex(directory)
        self.cryptography = cryptography
        self.queueLimit = queueLimit
        self.threads = NIOThreadPool(numberOfThreads: threads)
        self.threads.start()
    }

    /// Answers those who wait with `unavailable`, and stops the threads.
    public func shutDown() async throws { try await self.threads.shutdownGracefully() }

    /// Never blocks. `done` is called once: before this returns, but for scrypt on a thread of its own; nil: not known here.
    public func authorize(
        _ request: AuthorizationRequest, then done: @escaping @Sendable (AuthorizationOutcome?) -> Void
    ) {
        switch self.directory.withLock({ $0.decide(request) }) {
        case .unknown: done(nil)
        case .decided(let outcome): done(outcome)
        case .provable(let record, let grant) where record.isQuick:
            let verdict = record.verdict(on: request.credential, name: grant.userName, with: self.cryptography)
            done(LocalDirectory.outcome(verdict, grant))
        case .provable(let record, let grant):
            let cryptography = self.cryptography
            self.compute {
                record.verdict(on: request.credential, name: grant.userName, with: cryptography)
            } then: { verdict in
                done(verdict.map { LocalDirectory.outcome($0, grant) } ?? .unavailable)
            }
        }
    }

    /// Runs `body` on a thread of the pool; nil if too many wait, or it is shut down.
    func compute<Value: Sendable>(
        _ body: @escaping @Sendable () -> Value, then done: @escaping @Sendable (Value?) -> Void
    ) {
        guard self.waiting.add(1, ordering: .relaxed).newValue <= self.queueLimit else {
            self.waiting.subtract(1, ordering: .relaxed)
            return done(nil)
        }
        self.threads.submit { state in
            let value = if case .active = state { body() } else { Value?.none }
            self.waiting.subtract(1, ordering: .relaxed)
            done(value)
        }
    }

    // MARK: The directory

    func subscriber(named name: String) -> LocalSubscriber? {
        self.directory.withLock { $0.subscriber(named: name) }
    }

    func snapshot() -> LocalDirectory { self.directory.withLock { $0 } }
    func update(_ change: (inout LocalDirectory) -> Void) { self.directory.withLock { change(&$0) } }
}
