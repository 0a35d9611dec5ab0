// SPDX-License-Identifier: Apache-2.0
// What all requests share, on one event loop: the groups, the way from server to server, the end of every request.

import BNGCore
import Logging
import NIOCore
import RADIUS
import RADIUSContract
import Subscribers

/// How a request ended.
enum Verdict {
    case decided(AuthorizationOutcome)
    case recorded
    /// No server answered, none lives, or there are too many requests.
    case nobody
    /// No packet can carry it.
    case cannotAsk
}

final class ClientCore {
    let configuration: RADIUSConfiguration
    let loop: any EventLoop
    let logger: Logger
    var log: ThrottledLog
    private let now: @Sendable () -> UTCTime
    private let linePassword: [UInt8]
    private(set) var authentication = ServerGroup()
    private(set) var accounting = ServerGroup()
    private var requests: [RADIUSRole: Int] = [.authentication: 0, .accounting: 0]
    private var generator = SystemRandomNumberGenerator()
    private(set) var isStopped = false

    init(
        configuration: RADIUSConfiguration, linePassword: [UInt8], loop: any EventLoop, logger: Logger,
        now: @escaping @Sendable () -> UTCTime
    ) {
        self.configuration = configuration
        self.linePassword = linePassword
        self.loop = loop
        self.logger = logger
        self.log = ThrottledLog(logger)
        self.now = now
    }

    var links: [ServerLink] { self.authentication.links + self.accounting.links }

    func group(_ role: RADIUSRole) -> ServerGroup { role == .authentication ? self.authentication : self.accounting }

    func add(_ link: ServerLink) {
        if link.role == .authentication {
            self.authentication.links.append(link)
            self.authentication.policy = self.configuration.authentication.policy
        } else {
            self.accounting.links.append(link)
            self.accounting.policy = self.configuration.accounting.policy
        }
    }

    func random() -> UInt64 { self.generator.next() }

    func nextWait(_ schedule: inout RetransmissionSchedule) -> Int64? { schedule.sent(using: &self.generator) }

    // MARK: Requests

    func submit(_ question: Exchange.Question) {
        let role = question.role
        let settings = role == .authentication ? self.configuration.authentication : self.configuration.accounting
        let exchange = Exchange(question, deadline: .now() + .milliseconds(settings.totalMs))
        let count = self.requests[role, default: 0]
        self.requests[role] = count + 1
        guard !self.isStopped else { return self.finish(exchange, .nobody) }
        guard count < self.configuration.limits.requests else {
            self.log.warning("full/\(role)", "too many RADIUS requests in flight", ["role": "\(role)"])
            return self.finish(exchange, .nobody)
        }
        self.assign(exchange)
    }

    /// Gives the request to the next server.
    func assign(_ exchange: Exchange) {
        guard !exchange.isFinished else { return }
        guard NIODeadline.now() < exchange.deadline, !self.isStopped,
            let link = self.group(exchange.question.role).choose(for: exchange)
        else { return self.finish(exchange, .nobody) }
        link.take(exchange)
    }

    /// Status-Server to a dead server. It is sent only if there is a place for it at once.
    func probe(_ link: ServerLink) {
        guard link.isReady else { return }
        let exchange = Exchange(.probe, deadline: .now() + .milliseconds(2 * link.server.timeoutMs))
        link.take(exchange)
    }

    /// One timer per request: the wait at hand, or the end of its time.
    func schedule(_ exchange: Exchange, afterMs: Int64, _ then: @escaping () -> Void) {
        exchange.timer?.cancel()
        let wait = NIODeadline.now() + .milliseconds(afterMs)
        let isLast = wait >= exchange.deadline
        exchange.timer = self.loop.assumeIsolated().scheduleTask(deadline: min(wait, exchange.deadline)) {
            exchange.timer = nil
            if isLast { self.outOfTime(exchange) } else { then() }
        }
    }

    private func outOfTime(_ exchange: Exchange) {
        if case .sent(let link, let attempt) = exchange.stage, !exchange.isProbe {
            link.counters.timeouts += 1
            // Only a server that was given its time has failed to answer.
            let waited = NIODeadline.now() - attempt.lastSent
            if waited >= .milliseconds(link.server.timeoutMs * 9 / 10) { link.handle(.unanswered) }
        }
        switch exchange.stage {
        case .sent(let link, _): link.release(exchange)
        case .waiting(let link): link.stopWaiting(exchange)
        case .unassigned, .finished: break
        }
        self.finish(exchange, .nobody)
    }

    /// Tells whoever asked, once.
    func finish(_ exchange: Exchange, _ verdict: Verdict) {
        guard !exchange.isFinished else { return }
        exchange.stage = .finished
        exchange.timer?.cancel()
        exchange.timer = nil
        if !exchange.isProbe { self.requests[exchange.question.role, default: 1] -= 1 }
        switch (exchange.question, verdict) {
        case (.authorize(_, let done), .decided(let outcome)): done(outcome)
        case (.authorize(_, let done), .cannotAsk):
            self.log.warning("name", "a user name is empty or longer than 253 bytes: nobody is asked")
            done(.reject(message: "user name cannot be sent"))
        case (.authorize(_, let done), _): done(.unavailable)
        case (.account(_, let done), .recorded): done(true)
        case (.account(_, let done), _): done(false)
        case (.probe, _): break
        }
    }

    // MARK: Packets

    /// The packet for a server; nil if none can carry the request.
    func packet(
        _ question: Exchange.Question, _ identifier: UInt8, _ link: ServerLink
    ) -> (bytes: [UInt8], authenticator: RADIUSAuthenticator)? {
        switch question {
        case .authorize(let request, _):
            let authenticator = RADIUSAuthenticator(using: &self.generator)
            let packet = self.configuration.profile.accessRequest(
                request, linePassword: self.linePassword, identifier: identifier, authenticator: authenticator,
                secret: link.secret)
            return packet.map { (link.secret.seal(request: $0), authenticator) }
        case .account(let record, _):
            let packet = self.configuration.profile.accountingRequest(
                record, identifier: identifier, now: self.now())
            let bytes = link.secret.seal(computing: packet, signed: true)
            return RADIUSAuthenticator(Array(bytes[4..<20])).map { (bytes, $0) }
        case .probe:
            let authenticator = RADIUSAuthenticator(using: &self.generator)
            let packet = RADIUSPacket(
                code: .statusServer, identifier: identifier, authenticator: authenticator)
            return (link.secret.seal(request: packet), authenticator)
        }
    }

    func stop() {
        self.isStopped = true
        for link in self.links { link.stop() }
        (self.authentication, self.accounting) = (ServerGroup(), ServerGroup())
    }
}

extension Exchange.Question {
    var role: RADIUSRole {
        switch self {
        case .authorize, .probe: .authentication
        case .account: .accounting
        }
    }
}
