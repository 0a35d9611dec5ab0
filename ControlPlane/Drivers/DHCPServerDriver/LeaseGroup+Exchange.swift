// SPDX-License-Identifier: Apache-2.0
// What the lease machines ask for: messages, timers, words to whoever waits; and what servers send.

import BNGCore
import LeaseClient
import Logging
import NIOCore

extension LeaseGroup {
    func handle(_ lease: Lease, _ event: LeaseMachine<IPPrefix>.Event) {
        let now = ContinuousClock.now
        let wasExchanging = lease.machine.isExchanging
        let held = lease.machine.resource
        var actions = self.actions
        lease.machine.handle(event, at: now, into: &actions)
        let isExchanging = lease.machine.isExchanging
        self.note(lease, heldBefore: held)
        if !wasExchanging, isExchanging {
            self.beganExchange()
            (lease.began, lease.tried) = (now, [])
        }
        actions.drain { self.carryOut($0, lease, now) }
        self.actions = actions
        if !isExchanging { self.forgetTransaction(lease) }
        if wasExchanging, !isExchanging { self.endedExchange() }
        if lease.machine.isOver { self.remove(lease) }
    }

    private func carryOut(
        _ action: LeaseMachine<IPPrefix>.Action, _ lease: Lease, _ now: ContinuousClock.Instant
    ) {
        switch action {
        case .send(let request, let recipient): self.send(request, to: recipient, lease, now)
        case .startTimer(let delay): self.setTimer(lease, delay)
        case .acquired(let grant):
            self.count(.acquired)
            lease.finish(.success(AcquiredLease(resource: grant.resource, dns: grant.dns)))
        case .extended(let grant):
            self.count(.renewed)
            guard grant.lifetime < lease.order.minimum.value else { return }
            self.count(.renewedTooShort)
            self.warn(
                "short", "a DHCP server renews for less time than the pool's leases need twice over",
                ["lifetime": "\(grant.lifetime)", "least": "\(lease.order.minimum.value)"])
        case .failed(let failure): self.failed(lease, failure)
        case .lost(let loss):
            self.count(loss == .refused ? .lostRefused : .lostExpired)
            self.lost(lease.order.key, loss)
        case .ignored: self.count(.unexpected)
        }
    }

    private func failed(_ lease: Lease, _ failure: LeaseFailure) {
        switch failure {
        case .silent: self.fail(lease, .silent)
        case .refused: self.fail(lease, .refused)
        case .otherOffered: self.fail(lease, .otherOffered)
        case .tooShort(let lifetime):
            self.warn(
                "short", "a DHCP server grants less time than twice the pool's lease; nobody is served by it",
                ["lifetime": "\(lifetime)", "least": "\(lease.order.minimum.value)"])
            self.fail(lease, .leaseTooShort)
        }
    }

    /// Once a minute a subject.
    private func warn(_ subject: String, _ message: Logger.Message, _ metadata: Logger.Metadata) {
        let now = ContinuousClock.now
        if let last = self.warned[subject], last.duration(to: now) < .seconds(60) { return }
        self.warned[subject] = now
        var metadata = metadata
        metadata["group"] = "\(self.settings.name)"
        self.logger.warning(message, metadata: metadata)
    }

    // MARK: Sending

    private func send(
        _ request: Request, to recipient: LeaseRecipient, _ lease: Lease, _ now: ContinuousClock.Instant
    ) {
        let transaction = self.transaction(of: lease, for: request)
        let seconds = UInt16(clamping: lease.began.duration(to: now).components.seconds)
        guard let bytes = self.family.encode(request, lease.order, transaction: transaction, seconds: seconds) else {
            return
        }
        switch recipient {
        case .all: for index in self.health.indices { self.send(bytes, to: index) }
        case .server(let index): self.send(bytes, to: index, lease)
        case .turn(let turn):
            if turn > 0 { self.count(.retransmitted) }
            self.send(bytes, to: self.next(for: lease, now), lease)
        }
    }

    /// The first server that answers and has not been asked yet; of several rounds, each asks every server.
    private func next(for lease: Lease, _ now: ContinuousClock.Instant) -> Int {
        if lease.tried.count == self.health.count { lease.tried = [] }
        let left = self.health.indices.filter { !lease.tried.contains($0) }
        let index = left.first { self.health[$0].isAlive(at: now) } ?? left[0]
        lease.tried.insert(index)
        return index
    }

    private func send(_ bytes: [UInt8], to index: Int, _ lease: Lease? = nil) {
        if lease?.machine.isExchanging == true { lease?.asked = index }
        self.health[index].countSent()
        self.transmit?(bytes, index)
    }

    /// The one of the exchange; of a message nobody answers, a fresh one that is not remembered.
    private func transaction(of lease: Lease, for request: Request) -> UInt32 {
        guard lease.machine.isExchanging else { return self.freshTransaction() }
        if case .request = request, !self.family.keepsTransaction, !lease.requested {
            self.forgetTransaction(lease)
            lease.requested = true
        }
        if let transaction = lease.transaction { return transaction }
        let transaction = self.freshTransaction()
        lease.transaction = transaction
        self.transactions[transaction] = lease
        return transaction
    }

    private func freshTransaction() -> UInt32 {
        while true {
            let transaction = UInt32.random(in: self.family.transactions, using: &self.random)
            if self.transactions[transaction] == nil { return transaction }
        }
    }

    private func forgetTransaction(_ lease: Lease) {
        if let transaction = lease.transaction { self.transactions[transaction] = nil }
        lease.transaction = nil
    }

    // MARK: Receiving

    func received(_ bytes: [UInt8], from address: SocketAddress) {
        guard let index = self.settings.servers.firstIndex(of: address) else { return self.count(.stranger) }
        guard bytes.count <= 2_048, let message = self.family.decode(bytes) else { return self.count(.malformed) }
        // Also to a question that is no longer open: the server is there.
        if self.health[index].gotAnswer() {
            self.logger.notice("a DHCP server is back", metadata: self.metadata(of: index))
        }
        guard let lease = self.transactions[message.transaction], let answer = message.answer(to: lease.order) else {
            return self.count(.unexpected)
        }
        if lease.asked == index { lease.asked = nil }
        self.handle(lease, .answered(answer, from: index))
        self.pump()
    }
}
