// SPDX-License-Identifier: Apache-2.0
// One server in one role: its requests in flight, its liveness, its counters. ServerLink+Answers reads what it says.

import BNGCore
import Logging
import NIOCore
import RADIUS
import Subscribers

final class ServerLink {
    let server: RADIUSConfiguration.Server
    let role: RADIUSRole
    let secret: RADIUSSecret
    let core: ClientCore
    var transport: (any ServerTransport)?
    var counters = RADIUSServerCounters()
    var latency = LatencyEstimate()
    private(set) var pending: [RequestPlace: Exchange] = [:]
    private var waiting = CircularBuffer<Exchange>()
    private(set) var waitingCount = 0
    private var liveness: ServerLivenessMachine
    private var actions = ActionBuffer<ServerLivenessMachine.Action>()
    private var timers: [ServerLivenessMachine.Timer: Scheduled<Void>] = [:]

    init(server: RADIUSConfiguration.Server, role: RADIUSRole, secret: RADIUSSecret, core: ClientCore) {
        self.server = server
        self.role = role
        self.secret = secret
        self.core = core
        var settings = core.configuration.liveness
        settings.usesProbes = server.usesStatusServer
        self.liveness = ServerLivenessMachine(settings, seed: core.random())
    }

    var isAlive: Bool { self.liveness.isAlive }
    var isReady: Bool { self.transport?.isReady ?? false }
    /// When it was last chosen among equals; the lowest is next.
    var turn: UInt64 = 0
    var load: Int { self.pending.count + self.waitingCount }

    var status: RADIUSServerStatus {
        let state: RADIUSServerStatus.State =
            !self.isAlive ? .dead : !self.isReady ? .disconnected : self.liveness.isDoubtful ? .doubtful : .alive
        return RADIUSServerStatus(
            name: self.server.name, role: self.role, state: state, inFlight: self.pending.count,
            waiting: self.waitingCount, counters: self.counters, medianMicroseconds: self.latency.quantile(500),
            p99Microseconds: self.latency.quantile(990))
    }

    // MARK: Requests

    /// Sends the request, or lets it wait for a place.
    func take(_ exchange: Exchange) {
        if let place = self.transport?.reserve() { return self.begin(exchange, at: place) }
        exchange.stage = .waiting(self)
        self.waiting.append(exchange)
        self.waitingCount += 1
        self.core.schedule(exchange, afterMs: self.server.timeoutMs) { self.waitedTooLong(exchange) }
    }

    /// There may be room for requests that wait.
    func placesAvailable() {
        while let exchange = self.waiting.first {
            guard case .waiting(let link) = exchange.stage, link === self else {
                self.waiting.removeFirst()
                continue
            }
            guard let place = self.transport?.reserve() else { return }
            self.waiting.removeFirst()
            self.waitingCount -= 1
            self.begin(exchange, at: place)
        }
    }

    /// Takes a waiting request back. Its entry in the queue stays and is skipped.
    func stopWaiting(_ exchange: Exchange) {
        exchange.stage = .unassigned
        self.waitingCount -= 1
    }

    private func waitedTooLong(_ exchange: Exchange) {
        guard case .waiting(let link) = exchange.stage, link === self else { return }
        self.stopWaiting(exchange)
        if exchange.isProbe { return self.core.finish(exchange, .nobody) }
        exchange.tried.insert(self.server.name)
        self.counters.timeouts += 1
        // Not sent for want of a place says nothing of the server; for want of a connection it does.
        if !self.isReady { self.handle(.unanswered) }
        self.core.assign(exchange)
    }

    private func begin(_ exchange: Exchange, at place: RequestPlace) {
        guard let (bytes, authenticator) = self.core.packet(exchange.question, place.identifier, self) else {
            self.transport?.release(place)
            return self.core.finish(exchange, .cannotAsk)
        }
        let retries = exchange.isProbe ? 0 : self.server.retries
        let schedule = RetransmissionSchedule(
            .init(
                initialMs: self.server.timeoutMs, maximumMs: 2 * self.server.timeoutMs, transmissions: retries + 1))
        exchange.stage = .sent(
            self,
            Exchange.Attempt(
                place: place, bytes: bytes, authenticator: authenticator, schedule: schedule, firstSent: .now(),
                lastSent: .now()))
        self.pending[place] = exchange
        if exchange.isProbe { self.counters.probes += 1 } else { self.counters.sent += 1 }
        self.transmit(exchange)
    }

    private func transmit(_ exchange: Exchange) {
        guard case .sent(_, var attempt) = exchange.stage else { return }
        let isFirst = attempt.schedule.transmissions == 0
        guard let waitMs = self.core.nextWait(&attempt.schedule) else { return self.giveUp(exchange) }
        attempt.lastSent = .now()
        exchange.stage = .sent(self, attempt)
        if isFirst || self.transport?.isReliable == false {
            self.transport?.send(attempt.bytes, at: attempt.place)
            if !isFirst { self.counters.retransmits += 1 }
        }
        self.core.schedule(exchange, afterMs: waitMs) { self.unanswered(exchange) }
    }

    private func unanswered(_ exchange: Exchange) {
        guard case .sent(let link, _) = exchange.stage, link === self else { return }
        if !exchange.isProbe { self.counters.timeouts += 1 }
        if !exchange.isProbe { self.handle(.unanswered) }
        // The server's death may have moved the request on.
        guard case .sent(let now, _) = exchange.stage, now === self else { return }
        self.transmit(exchange)
    }

    /// The server had its chance with this request.
    private func giveUp(_ exchange: Exchange) {
        self.release(exchange)
        exchange.tried.insert(self.server.name)
        if exchange.isProbe { return self.core.finish(exchange, .nobody) }
        self.core.assign(exchange)
    }

    /// The request is no longer this server's.
    func release(_ exchange: Exchange) {
        guard case .sent(_, let attempt) = exchange.stage else { return }
        exchange.stage = .unassigned
        self.pending[attempt.place] = nil
        self.transport?.release(attempt.place)
        self.placesAvailable()
    }

    // MARK: Transport

    func lost(lane: Int) {
        for (place, exchange) in self.pending where place.lane == lane {
            self.pending[place] = nil
            exchange.stage = .unassigned
            exchange.restarts += 1
            if exchange.restarts > 3 { exchange.tried.insert(self.server.name) }
            exchange.isProbe ? self.core.finish(exchange, .nobody) : self.core.assign(exchange)
        }
    }

    func failedToOpen(_ error: any Error) {
        self.counters.connectionFailures += 1
        self.core.log.warning(
            "open/\(self.server.name)/\(self.role)", "no way to a RADIUS server",
            ["server": "\(self.server.name)", "role": "\(self.role)", "error": "\(error)"])
    }

    // MARK: Liveness

    func handle(_ event: ServerLivenessMachine.Event) {
        var actions = self.actions
        self.liveness.handle(event, at: .now, into: &actions)
        actions.drain(self.carryOut)
        self.actions = actions
    }

    private func carryOut(_ action: ServerLivenessMachine.Action) {
        switch action {
        case .startTimer(let timer, let ms):
            self.timers[timer] = self.core.loop.assumeIsolated().scheduleTask(in: .milliseconds(ms)) {
                self.timers[timer] = nil
                self.handle(.timerFired(timer))
            }
        case .cancelTimer(let timer):
            self.timers.removeValue(forKey: timer)?.cancel()
        case .sendProbe:
            self.core.probe(self)
        case .died:
            self.counters.deaths += 1
            self.core.logger.warning("a RADIUS server is dead", metadata: self.metadata)
            self.transport?.reset()
            self.moveAway()
        case .revived:
            self.core.logger.notice("a RADIUS server is back", metadata: self.metadata)
        }
    }

    private var metadata: Logger.Metadata { ["server": "\(self.server.name)", "role": "\(self.role)"] }

    /// Requests of a dead server go to another one, if there is one; else they wait for what may still come.
    private func moveAway() {
        let queued = self.waiting.filter { exchange in
            if case .waiting(let link) = exchange.stage { link === self } else { false }
        }
        for exchange in queued + Array(self.pending.values) where !exchange.isProbe {
            guard self.core.group(self.role).hasAlternative(to: self, for: exchange) else { continue }
            if case .waiting = exchange.stage { self.stopWaiting(exchange) } else { self.release(exchange) }
            exchange.tried.insert(self.server.name)
            self.counters.moved += 1
            self.core.assign(exchange)
        }
    }

    func stop() {
        for timer in self.timers.values { timer.cancel() }
        self.timers = [:]
        self.transport?.stop()
        for exchange in Array(self.pending.values) + Array(self.waiting) { self.core.finish(exchange, .nobody) }
        self.pending = [:]
        self.waiting.removeAll()
        self.waitingCount = 0
        self.transport = nil
    }
}

extension Exchange {
    var isProbe: Bool { if case .probe = self.question { true } else { false } }
}
