// SPDX-License-Identifier: Apache-2.0
// The RADIUS client: questions from any thread in, outcomes out, never a wait in between.
//
// All state lives on one event loop (ClientCore); calls from other threads are gathered and cost one wake-up however many they
// are. A request goes to a server of its role's group, is sent again as RFC 5080 says, and moves on when that server had its
// chance or died; its total time is bounded, and so is the number of requests. Nothing a server sends stops anything: what is
// not genuine is counted and ignored.
//
// Supported standards: RFC 2865, RFC 2866, RFC 2869 (5.3, 5.14, 5.16, 5.18), RFC 5080 (2.2.1), RFC 5997, RFC 6614.

import BNGCore
import Glibc
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import RADIUS
import Subscribers
import Synchronization

/// A client of RADIUS servers. Every method may be called from any thread.
public final class RADIUSClient: Sendable {
    private let configuration: RADIUSConfiguration
    private let loop: any EventLoop
    private let logger: Logger
    private let now: @Sendable () -> UTCTime
    private let parts: ClientParts
    private let core = Mutex<NIOLoopBound<ClientCore>?>(nil)
    private let inbox = Mutex<[Exchange.Question]>([])

    /// Reads secrets and certificates; nothing is sent before `start`.
    /// - Parameter now: the time of day, for Acct-Delay-Time.
    public init(
        configuration: RADIUSConfiguration, group: any EventLoopGroup, logger: Logger,
        now: @escaping @Sendable () -> UTCTime = { UTCTime.ofHost() }
    ) throws {
        self.configuration = configuration
        self.loop = group.next()
        self.logger = logger
        self.now = now
        self.parts = try ClientParts(configuration)
    }

    // MARK: Life cycle

    /// Opens the first socket to every server. A server that is away is no error: nothing is waited for.
    public func start() async throws {
        for server in self.configuration.servers where !server.requiresMessageAuthenticator {
            self.logger.warning(
                "answers without Message-Authenticator are believed: whoever is on the path can forge them (CVE-2024-3596)",
                metadata: ["server": "\(server.name)"])
        }
        let started = self.loop.flatSubmit {
            let core = ClientCore(
                configuration: self.configuration, linePassword: self.parts.linePassword, loop: self.loop,
                logger: self.logger, now: self.now)
            self.parts.addLinks(to: core)
            self.core.withLock { $0 = NIOLoopBound(core, eventLoop: self.loop) }
            return EventLoopFuture.andAllSucceed(
                core.links.compactMap { $0.transport?.start() }, on: self.loop)
        }
        try await started.get()
        self.loop.execute { self.empty() }
    }

    /// Closes everything; requests under way end as unavailable.
    public func stop() async {
        try? await self.loop.submit { self.core.withLock { $0 }?.value.stop() }.get()
        self.loop.execute { self.empty() }
    }

    // MARK: Requests

    /// Asks whether somebody is to be served. Never blocks; `done` is called once, on any thread: `.unavailable` when no
    /// server answered in the configured time or too many requests are in flight.
    public func authorize(
        _ request: AuthorizationRequest, then done: @escaping @Sendable (AuthorizationOutcome) -> Void
    ) {
        if !self.post(.authorize(request, done)) { done(.unavailable) }
    }

    /// Sends an accounting record. `done(true)`: a server has it. `done(false)`: nobody answered, offer it again later.
    public func account(_ record: AccountingRecord, then done: @escaping @Sendable (Bool) -> Void) {
        if !self.post(.account(record, done)) { done(false) }
    }

    /// False: the loop is so far behind that more would only wait in vain.
    private func post(_ question: Exchange.Question) -> Bool {
        let limit = 2 * self.configuration.limits.requests
        let (isTaken, isFirst) = self.inbox.withLock { inbox -> (Bool, Bool) in
            guard inbox.count < limit else { return (false, false) }
            inbox.append(question)
            return (true, inbox.count == 1)
        }
        if isFirst { self.loop.execute { self.empty() } }
        return isTaken
    }

    private func empty() {
        // Before the start questions wait in the inbox.
        guard let core = self.core.withLock({ $0 })?.value else { return }
        let questions = self.inbox.withLock { inbox in
            let all = inbox
            inbox.removeAll(keepingCapacity: true)
            return all
        }
        for question in questions { core.submit(question) }
    }

    // MARK: Status

    /// Every server in each of its roles, in the order of the configuration.
    public func status() async -> [RADIUSServerStatus] {
        let status = self.loop.submit { self.core.withLock { $0 }?.value.links.map(\.status) ?? [] }
        return (try? await status.get()) ?? []
    }
}

extension UTCTime {
    /// The host's clock.
    public static func ofHost() -> UTCTime {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return UTCTime(milliseconds: Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000)
    }
}
